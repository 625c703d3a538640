//! Why a sale or a month does not earn.

/// Why something does not earn, or does not earn all of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// A business rule was not met on the day: the rule's own code.
    Rule(String),
    /// The day lies outside the enrollment's days of earning, and no rule says more.
    OutsideEnrollment,
    /// The customer is a partner itself.
    CustomerIsPartner,
    /// The customer belongs to the public sector.
    CustomerPublicSector,
    /// The customer's country is not covered.
    CustomerCountry,
    /// The product is not one of the lever's.
    ProductNotEligible,
    /// The customer has bought before.
    CustomerNotNew,
    /// The month has not grown over its baseline.
    NoGrowth,
    /// The amount rounds to nothing.
    AmountTooSmall,
    /// The cap took a part.
    CapPartiallyApplied,
    /// The cap was used up.
    CapReached,
    /// An exchange rate is not published yet: of the month, or of a month that the month is compared with.
    ExchangeRateMissing,
}

impl Reason {
    /// The reasons that are the calculation's own.
    pub const OWN: [Self; 11] = [
        Self::OutsideEnrollment,
        Self::CustomerIsPartner,
        Self::CustomerPublicSector,
        Self::CustomerCountry,
        Self::ProductNotEligible,
        Self::CustomerNotNew,
        Self::NoGrowth,
        Self::AmountTooSmall,
        Self::CapPartiallyApplied,
        Self::CapReached,
        Self::ExchangeRateMissing,
    ];

    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Rule(code) => code,
            Self::OutsideEnrollment => "outside_enrollment",
            Self::CustomerIsPartner => "customer_is_partner",
            Self::CustomerPublicSector => "customer_public_sector",
            Self::CustomerCountry => "customer_country_not_covered",
            Self::ProductNotEligible => "product_not_eligible",
            Self::CustomerNotNew => "customer_not_new",
            Self::NoGrowth => "no_growth",
            Self::AmountTooSmall => "amount_too_small",
            Self::CapPartiallyApplied => "cap_partially_applied",
            Self::CapReached => "cap_reached",
            Self::ExchangeRateMissing => "exchange_rate_missing",
        }
    }

    /// The reason of a stable code; a code that is none of the calculation's own is a rule's.
    #[must_use]
    pub fn of(code: &str) -> Self {
        let own = Self::OWN.into_iter().find(|reason| reason.code() == code);
        own.unwrap_or_else(|| Self::Rule(code.to_owned()))
    }

    /// Whether the partner or the programme can still mend the cause: the sale is judged again when they have.
    #[must_use]
    pub fn is_curable(&self) -> bool {
        match self {
            Self::Rule(_) | Self::OutsideEnrollment | Self::ExchangeRateMissing => true,
            Self::CustomerIsPartner
            | Self::CustomerPublicSector
            | Self::CustomerCountry
            | Self::ProductNotEligible
            | Self::CustomerNotNew
            | Self::NoGrowth
            | Self::AmountTooSmall
            | Self::CapPartiallyApplied
            | Self::CapReached => false,
        }
    }
}
