//! Published exchange rates, by month and pair of currencies.

use super::{Currency, ExchangeRate, Leftover, Money, Month, Proportion};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The published exchange rates: one for each month and pair of currencies.
#[derive(Clone, Debug, Default)]
pub struct ExchangeRates(BTreeMap<(Month, Currency, Currency), ExchangeRate>);

/// A rate as published: one unit of `base` is worth `rate` units of `quote`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublishedRate {
    /// The month of the rate.
    pub month: Month,
    /// The currency of which one unit is priced.
    pub base: Currency,
    /// The currency of the price.
    pub quote: Currency,
    /// The price of one unit of `base`.
    pub rate: ExchangeRate,
}

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

    /// The amount in minor units of the currency `to` by the month's rate, or by the inverse of the opposite pair's rate; none
    /// where neither rate is published. The minor units may be more than an amount can hold.
    #[must_use]
    pub fn convert(&self, month: Month, amount: Money, to: Currency, leftover: Leftover) -> Option<i128> {
        if amount.currency == to {
            return Some(amount.minor.into());
        }
        let there = self.0.get(&(month, amount.currency, to));
        there.map(|rate| rate.convert(amount, to, leftover)).or_else(|| {
            let back = self.0.get(&(month, to, amount.currency))?;
            Some(back.convert_back(amount, to, leftover))
        })
    }

    /// The published rate of the month that converts between two currencies, as published; none where there is none, or none is
    /// needed.
    #[must_use]
    pub fn published(&self, month: Month, of: Currency, to: Currency) -> Option<PublishedRate> {
        let there = self.0.get(&(month, of, to)).map(|rate| (of, to, *rate));
        let (base, quote, rate) = there.or_else(|| Some((to, of, *self.0.get(&(month, to, of))?)))?;
        (of != to).then_some(PublishedRate { month, base, quote, rate })
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
