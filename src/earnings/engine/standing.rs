//! Where the levers of an enrollment year stand at the beginning of a month: all that the months before pass on.

use super::OutOfRange;
use crate::{
    participation::programs::TierPeriod,
    platform::values::{CalendarDate, Money, Month, Proportion},
};
use std::collections::{BTreeMap, HashMap};

/// What the months before pass on to a month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct YearToDate {
    /// Each lever's own, by its code: corrections of a version go on with it.
    pub levers: BTreeMap<String, LeverToDate>,
    /// The day of each customer's last purchase that was not wholly refunded. Only where a lever asks who is new.
    pub last_bought: HashMap<String, CalendarDate>,
}

/// What a lever has counted and given in the months before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeverToDate {
    /// By month; none where the lever counts no volume.
    pub months: BTreeMap<Month, LeverMonthToDate>,
    /// What is used of the cap, by who holds it.
    pub used: BTreeMap<CapHolder, CapUse>,
    /// The part of it that was used in the months computed.
    pub used_in: BTreeMap<Month, BTreeMap<CapHolder, CapUse>>,
}

/// What a lever has counted and given in one month, in minor units of the version's currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeverMonthToDate {
    /// The net volume of the sales that could earn.
    pub counted: i64,
    /// What a retroactive lever gave, before its cap.
    pub given: i64,
}

/// Whose balance a cap is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CapHolder {
    /// The partner has one balance.
    Partner,
    /// The customer with this number has one.
    Customer(String),
}

/// An amount used of a cap, exact to a trillionth of a minor unit of the cap's currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CapUse(i128);

impl CapHolder {
    const PARTNER: &str = "partner";
    const CUSTOMER: &str = "customer:";

    /// The text in which the holder is stored: `partner`, or `customer:` and the customer's number.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Partner => Self::PARTNER.to_owned(),
            Self::Customer(customer) => format!("{}{customer}", Self::CUSTOMER),
        }
    }

    /// The holder that [`text`](Self::text) wrote.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        text.strip_prefix(Self::CUSTOMER)
            .map_or(Self::Partner, |customer| Self::Customer(customer.to_owned()))
    }
}

impl CapUse {
    /// Nothing is used.
    pub const NONE: Self = Self(0);

    const ONE: i128 = 1_000_000_000_000;

    /// Whole minor units, and trillionths beside them.
    #[must_use]
    pub fn of_parts(whole: i64, trillionths: i64) -> Self {
        Self(i128::from(whole) * Self::ONE + i128::from(trillionths))
    }

    /// Whole minor units, rounded down.
    #[must_use]
    pub fn whole(self) -> i64 {
        i64::try_from(self.0.div_euclid(Self::ONE)).unwrap_or(i64::MAX)
    }

    /// The trillionths beside the whole minor units.
    #[must_use]
    pub fn trillionths(self) -> i64 {
        i64::try_from(self.0.rem_euclid(Self::ONE)).unwrap_or_default()
    }

    /// The sum of both.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference of both.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// An amount in another currency, in the cap's; rounded to a trillionth of a minor unit, down.
    pub(super) fn converted(minor: i64, into_cap: Proportion) -> Result<Self, OutOfRange> {
        into_cap.of(i128::from(minor), Self::ONE).map(Self).ok_or(OutOfRange)
    }

    /// What is left of a cap, in whole minor units of another currency; rounded down, never below zero.
    pub(super) fn left_of(self, cap: Money, from_cap: Proportion) -> Result<i64, OutOfRange> {
        let left = (i128::from(cap.minor) * Self::ONE - self.0).max(0);
        let whole = from_cap.of_parts(left, Self::ONE).ok_or(OutOfRange)?;
        i64::try_from(whole).map_err(|_| OutOfRange)
    }
}

impl LeverToDate {
    /// The net volume of a tier period up to and with a month, of the months told so far.
    pub fn counted(&self, period: TierPeriod, month: Month) -> Result<i64, OutOfRange> {
        self.sum(period, month, |of| of.counted)
    }

    /// What the months of a tier period before a month were given, before the cap.
    pub(super) fn given_before(&self, period: TierPeriod, month: Month) -> Result<i64, OutOfRange> {
        self.sum(period, month.plus(-1), |of| of.given).map(|given| {
            if period.begins(month.plus(-1).first_day()) == period.begins(month.first_day()) {
                given
            } else {
                0
            }
        })
    }

    fn sum(
        &self,
        period: TierPeriod,
        last: Month,
        figure: fn(&LeverMonthToDate) -> i64,
    ) -> Result<i64, OutOfRange> {
        let first = Month::of(period.begins(last.first_day()));
        let mut sum: i64 = 0;
        for (_, of) in self.months.range(first..=last) {
            sum = sum.checked_add(figure(of)).ok_or(OutOfRange)?;
        }
        Ok(sum)
    }
}
