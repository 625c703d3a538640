//! What the calculation is told: sales, when they may earn, and exchange rates.

use crate::platform::values::{CalendarDate, Country, ExchangeRates, Id, Money, Month, Period};
use std::collections::BTreeMap;

/// A purchase, or a refund of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    /// The transaction.
    pub id: Id,
    /// The purchase it takes back; none where it is one.
    pub refund_of: Option<Id>,
    /// The day it counts on.
    pub occurred_on: CalendarDate,
    /// The amount; negative for a refund.
    pub amount: Money,
    /// The customer's number.
    pub customer: String,
    /// Where the customer is.
    pub country: Country,
    /// Whether the customer belongs to the public sector.
    pub public_sector: bool,
    /// Whether the customer is a partner itself.
    pub customer_is_partner: bool,
    /// The product (SKU).
    pub product: String,
    /// Its family.
    pub product_family: String,
    /// When the customer last bought from the partner before; none where never.
    pub bought_before_on: Option<CalendarDate>,
}

/// Days on which a rule is not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The days.
    pub days: Period,
    /// The rule's stable reason, such as `mpn_agreement_expired`.
    pub code: String,
}

/// What is known about one enrollment, beside its sales.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The days on which it earns, as far as the enrollment goes.
    pub windows: Vec<Period>,
    /// The days on which a rule is not met, the weightiest rule first.
    pub gaps: Vec<Gap>,
    /// Published exchange rates.
    pub rates: ExchangeRates,
    /// What was sold in the months before the year, for baselines: by lever and month, a sum in each currency.
    pub history: BTreeMap<(String, Month), Vec<Money>>,
}
