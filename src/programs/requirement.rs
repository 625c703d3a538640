//! Eligibility rules as data: what a program version asks of a partner. Evaluated in `eligibility`.

use crate::{
    competencies::Level,
    platform::values::{Country, Money},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One eligibility rule of a program version. `rule` names the kind; the other members are its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
pub enum Requirement {
    /// The partner is active and no headquarters of others.
    PartnerActive {},
    /// The partner's type is one of the program's.
    PartnerType {},
    /// An MPN agreement is in effect; the renewal window counts, with a warning.
    MpnAgreement {},
    /// A distributor agreement is in effect. Asked of indirect providers only.
    DistributorAgreement {
        /// Whether the agreement must carry the distributor authorization.
        #[serde(default)]
        authorization_required: bool,
    },
    /// A reseller agreement is in effect. Asked of direct bill partners only.
    ResellerAgreement {},
    /// Enough attainments of competencies count.
    Competency {
        /// How many.
        #[schema(minimum = 1, maximum = 100)]
        min_count: u32,
        /// At which level at least.
        min_level: Level,
        /// From which competencies, by code; null takes the whole catalogue.
        #[schema(max_items = 100, min_items = 1)]
        any_of: Option<Vec<String>>,
    },
    /// At least one purchase that is not wholly refunded. Asked of indirect resellers only.
    FirstTransaction {},
    /// Purchases minus refunds over a window that ends on the day reach an amount.
    TrailingRevenue {
        /// Length of the window in days, the day itself included.
        #[schema(minimum = 1, maximum = 1096)]
        days: u32,
        /// What must be reached, in the currency of the sales that count.
        amount: Money,
        /// Whether a partner that is enrolled keeps it whatever it sells.
        #[serde(default)]
        keep_once_enrolled: bool,
    },
    /// The partner's country is listed.
    Country {
        /// The countries covered.
        #[schema(min_items = 1, max_items = 300)]
        countries: Vec<Country>,
    },
    /// One of the nested requirements is met.
    AnyOf {
        /// The alternatives, up to four levels deep.
        #[schema(min_items = 1, max_items = 20, no_recursion)]
        requirements: Vec<Requirement>,
    },
}
