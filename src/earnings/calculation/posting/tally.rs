//! How much a unit has posted.

/// What a unit has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Partners looked at to the end.
    pub partners: i64,
    /// Sales taken in, and judged again.
    pub sales: i64,
    /// Earnings posted.
    pub earnings: i64,
    /// Ineligible records made.
    pub ineligible: i64,
}

impl Tally {
    /// Whether nothing was posted.
    #[must_use]
    pub fn is_idle(self) -> bool {
        self.sales == 0 && self.earnings == 0 && self.ineligible == 0
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            partners: self.partners + other.partners,
            sales: self.sales + other.sales,
            earnings: self.earnings + other.earnings,
            ineligible: self.ineligible + other.ineligible,
        }
    }
}
