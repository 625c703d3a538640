//! Published exchange rates, by month and pair of currencies.

use super::{Currency, ExchangeRate, Leftover, Money, Month, Proportion};
use std::collections::BTreeMap;

/// The published exchange rates: one for each month and pair of currencies.
#[derive(Clone, Debug, Default)]
pub struct ExchangeRates(BTreeMap<(Month, Currency, Currency), ExchangeRate>);

impl ExchangeRates {
    /// Adds the rate of a month from the currency `of` to the currency `to`.
    pub fn publish(&mut self, month: Month, of: Currency, to: Currency, rate: ExchangeRate) {
        self.0.insert((month, of, to), rate);
    }

    /// Whether a rate of the month, in either direction, converts the one currency into the other.
    #[must_use]
    pub fn knows(&self, month: Month, of: Currency, to: Currency) -> bool {
        of == to || self.0.contains_key(&(month, of, to)) || self.0.contains_key(&(month, to, of))
    }

    /// The amount in the currency `to` by the month's rate, or by the inverse of the opposite pair's rate; none where
    /// neither rate is published.
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

    /// The exact factor between minor units of two currencies by the month's rate, or by the inverse of the opposite
    /// pair's rate; none where neither rate is published.
    #[must_use]
    pub fn proportion(&self, month: Month, of: Currency, to: Currency) -> Option<Proportion> {
        if of == to {
            return Some(Proportion::SAME);
        }
        let there = self.0.get(&(month, of, to)).map(|rate| rate.proportion(of, to));
        there.or_else(|| Some(self.0.get(&(month, to, of))?.proportion(to, of).inverse()))
    }
}
