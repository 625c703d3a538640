//! What the calculation is told: sales, when they may earn, and exchange rates.

use crate::platform::values::{
    CalendarDate, Country, Currency, ExchangeRate, Id, Leftover, Money, Month, Period,
};
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

/// The published rates: one a month and pair.
#[derive(Clone, Debug, Default)]
pub struct ExchangeRates(BTreeMap<(Month, Currency, Currency), ExchangeRate>);

impl ExchangeRates {
    /// Adds the rate of a month and pair.
    pub fn publish(&mut self, month: Month, of: Currency, to: Currency, rate: ExchangeRate) {
        self.0.insert((month, of, to), rate);
    }

    /// Whether one currency can be converted into the other by the month's rate.
    #[must_use]
    pub fn knows(&self, month: Month, of: Currency, to: Currency) -> bool {
        of == to || self.0.contains_key(&(month, of, to)) || self.0.contains_key(&(month, to, of))
    }

    /// The amount in the other currency by the month's rate, or by the inverse of the opposite pair's; none where
    /// neither is published.
    #[must_use]
    pub fn convert(&self, month: Month, amount: Money, to: Currency, leftover: Leftover) -> Option<Money> {
        if amount.currency == to {
            return Some(amount);
        }
        let there = self.0.get(&(month, amount.currency, to));
        there.map(|rate| rate.convert(amount, to, leftover)).or_else(|| {
            let back = self.0.get(&(month, to, amount.currency))?;
            Some(back.convert_back(amount, to, leftover))
        })
    }
}
