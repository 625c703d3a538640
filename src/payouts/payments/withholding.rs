//! The tax that is withheld from a payment, line by line.

use crate::{
    access::Tx,
    payouts::withholding::{self, Withholding},
    platform::{
        Error, Result,
        values::{Id, Rate},
    },
};
use std::collections::BTreeMap;

/// The rates at which tax is withheld from what these partners are paid today.
pub fn rates_of(tx: &mut Tx<'_>, partners: &[Id]) -> Result<BTreeMap<Id, Withholding>> {
    let day = tx.today();
    withholding::of(tx, partners, day)
}

/// The rates for a partner, of [`rates_of`] for partners among whom the partner is.
pub fn rates_for(rates: &BTreeMap<Id, Withholding>, partner: Id) -> Result<&Withholding> {
    rates.get(&partner).ok_or_else(|| Error::internal("a partner to pay without a rate of withheld tax"))
}

/// The tax on an amount in minor units, rounded half away from zero.
pub(super) fn withheld(amount: i64, rate: Rate) -> Result<i64> {
    const WHOLE: i128 = 1_000_000;
    let exact = i128::from(amount) * i128::from(rate.millionths());
    let rounded = (exact.abs() + WHOLE / 2) / WHOLE * exact.signum();
    i64::try_from(rounded).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tax_is_rounded_half_away_from_zero() {
        let tax = |amount, percent| withheld(amount, Rate::percent(percent)).unwrap();
        assert_eq!([tax(5, 10), tax(4, 10), tax(-5, 10), tax(-4, 10)], [1, 0, -1, 0]);
        assert_eq!(
            [tax(10_000, 30), tax(10_001, 24), tax(i64::MAX, 100), tax(7, 0)],
            [3000, 2400, i64::MAX, 0]
        );
    }
}
