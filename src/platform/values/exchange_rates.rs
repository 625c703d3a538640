//! The published exchange rates of some months.

use super::{Currency, ExchangeRate, Leftover, Money, Month};
use std::collections::BTreeMap;

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
