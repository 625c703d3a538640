//! Amounts before they are rounded, and the split of what was earned.

use crate::platform::values::{Currency, Rate};
use std::{
    iter::Sum,
    ops::{Add, Sub},
};

/// An amount to a millionth of its currency's minor unit. A share of money at a rate is exact in it; a rest that is cut
/// off beyond can never turn a rounding, because a half is exact too. Sums are wide enough for any number of amounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exact(i128);

impl Exact {
    const ONE: i128 = 1_000_000;

    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many whole minor units.
    #[must_use]
    pub fn whole(minor: i64) -> Self {
        Self(i128::from(minor) * Self::ONE)
    }

    /// So many whole minor units, of a product that may be wider than an amount; none where the product leaves the range.
    #[must_use]
    pub fn whole_of(minor: i128) -> Option<Self> {
        minor.checked_mul(Self::ONE).map(Self)
    }

    /// So many minor units at a rate.
    #[must_use]
    pub fn share(minor: i64, rate: Rate) -> Self {
        Self(i128::from(minor) * i128::from(rate.millionths()))
    }

    /// So many minor units, which may be a sum wider than an amount, at a rate; none where the product leaves the range.
    #[must_use]
    pub fn share_of(minor: i128, rate: Rate) -> Option<Self> {
        minor.checked_mul(i128::from(rate.millionths())).map(Self)
    }

    /// The amount divided by a number above zero.
    #[must_use]
    pub fn divided_by(self, number: i64) -> Self {
        Self(self.0 / i128::from(number.max(1)))
    }

    /// Whole minor units; half of one goes away from zero, so that a reversal is the exact negative. None where the amount
    /// leaves the range.
    #[must_use]
    pub fn rounded(self) -> Option<i64> {
        let units = (self.0.abs() + Self::ONE / 2) / Self::ONE;
        let units = i64::try_from(units).ok()?;
        Some(if self.0 < 0 { -units } else { units })
    }

    /// An amount of so many millionths of a minor unit.
    #[must_use]
    pub const fn from_millionths(millionths: i128) -> Self {
        Self(millionths)
    }

    /// The amount in millionths of a minor unit.
    #[must_use]
    pub const fn millionths(self) -> i128 {
        self.0
    }

    /// The amount that [`text`](Self::text) wrote; none for any other text.
    #[must_use]
    pub fn parse(text: &str, currency: Currency) -> Option<Self> {
        let places = currency.digits() as usize + 6;
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let millionths: i128 = format!("{whole}{fraction:0<places$}").parse().ok()?;
        (fraction.len() <= places).then_some(Self(sign * millionths))
    }

    /// The decimal text in units of the currency, with its digits and up to six more.
    #[must_use]
    pub fn text(self, currency: Currency) -> String {
        let places = currency.digits() as usize;
        let units = format!("{:0>width$}", self.0.unsigned_abs(), width = places + 7);
        let (whole, fraction) = units.split_at(units.len() - places - 6);
        let (fixed, more) = fraction.split_at(places);
        let fraction = format!("{fixed}{}", more.trim_end_matches('0'));
        let sign = if self.0 < 0 { "-" } else { "" };
        if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }
}

impl Add for Exact {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl serde::Serialize for Exact {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Exact {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

impl Sub for Exact {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

/// An amount that an exchange rate has cut: to 2^-64 of a millionth of a minor unit, so that parts which together make a
/// millionth, as three thirds do, make it in their sum too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fine {
    exact: Exact,
    /// Beyond the millionths, in 2^-64 of a millionth.
    rest: u128,
}

impl Fine {
    /// What up to 2^32 parts together lose beyond the rest.
    const LOST: u128 = 1 << 32;
    const ONE: u128 = 1 << 64;

    /// Nothing.
    pub const ZERO: Self = Self { exact: Exact::ZERO, rest: 0 };

    /// The part `by / of` of an amount, nothing where `of` is nothing; none where the part leaves the range.
    #[must_use]
    pub fn part(amount: Exact, by: i64, of: i64) -> Option<Self> {
        let (by, of) = (i128::from(by), i128::from(of));
        if of == 0 {
            return Some(Self::ZERO);
        }
        let beside = (amount.0 % of).checked_mul(by)?;
        let whole = (amount.0 / of).checked_mul(by)?.checked_add(beside.div_euclid(of))?;
        let rest = beside.rem_euclid(of).unsigned_abs();
        Some(Self { exact: Exact(whole), rest: (rest << 64) / of.unsigned_abs() })
    }

    /// The sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let rest = self.rest + other.rest;
        let carried = if rest >= Self::ONE { Exact(1) } else { Exact::ZERO };
        Self { exact: self.exact + other.exact + carried, rest: rest % Self::ONE }
    }

    /// The amount in millionths: a rest that lacks no more than what its parts have lost makes one more.
    #[must_use]
    pub fn exact(self) -> Exact {
        if self.rest + Self::LOST >= Self::ONE { self.exact + Exact(1) } else { self.exact }
    }
}

impl From<Exact> for Fine {
    fn from(exact: Exact) -> Self {
        Self { exact, rest: 0 }
    }
}

impl Sum for Exact {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::ZERO, Add::add)
    }
}

/// The rebate part and the co-op part of an earning; they always sum to it, and a negative one mirrors.
#[must_use]
pub fn split(amount: i64, rebate_rate: Rate) -> (i64, i64) {
    let rebate = Exact::share(amount, rebate_rate).rounded().unwrap_or(amount);
    (rebate, amount - rebate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(text: &str) -> Rate {
        text.parse().unwrap()
    }

    #[test]
    fn r1_each_lever_rounds_on_its_own() {
        let parts =
            ["0.08", "0.02", "0.02"].map(|share| Exact::share(1_234_567, rate(share)).rounded().unwrap());
        assert_eq!(parts, [98_765, 24_691, 24_691]);
        assert_eq!(parts.iter().sum::<i64>(), 148_147);
        assert_eq!(
            Exact::share(1_234_567, rate("0.12")).rounded(),
            Some(148_148),
            "what rounding once would give"
        );
    }

    #[test]
    fn r6_the_parts_sum_to_the_whole_and_a_negative_one_mirrors() {
        assert_eq!(split(148_147, rate("0.6")), (88_888, 59_259));
        assert_eq!(split(1, rate("0.6")), (1, 0));
        assert_eq!(split(-20_000, rate("0.6")), (-12_000, -8_000));
    }

    #[test]
    fn r7_and_r8_hold_for_currencies_without_and_with_three_digits() {
        assert_eq!(Exact::share(1_234_567, rate("0.08")).rounded(), Some(98_765));
        assert_eq!(split(98_765, rate("0.6")), (59_259, 39_506));
        assert_eq!(Exact::share(251_250, rate("0.05")).rounded(), Some(12_563));
        assert_eq!(Exact::share(250_075, rate("0.06")).rounded(), Some(15_005));
        assert_eq!(split(15_005, rate("0.6")), (9_003, 6_002));
    }

    #[test]
    fn the_unrounded_amount_is_written_exactly() {
        let text = |minor, share: &str, currency: &str| {
            Exact::share(minor, rate(share)).text(currency.parse().unwrap())
        };
        assert_eq!(text(1_234_567, "0.08", "USD"), "987.6536");
        assert_eq!(text(-1, "0.000001", "USD"), "-0.00000001");
        assert_eq!(text(1_234_567, "0.08", "JPY"), "98765.36");
        assert_eq!(text(500, "1", "JPY"), "500");
        assert_eq!(text(1000, "0.5", "USD"), "5.00");
        for (minor, share, currency) in [(1_234_567, "0.08", "USD"), (-1, "0.000001", "USD"), (7, "1", "JPY")]
        {
            let (exact, currency) = (Exact::share(minor, rate(share)), currency.parse().unwrap());
            assert_eq!(Exact::parse(&exact.text(currency), currency), Some(exact));
        }
    }

    #[test]
    fn three_thirds_are_one_and_a_half_of_them_is_a_half() {
        let third = Fine::part(Exact::whole(1), 1, 3).unwrap();
        assert_eq!(third.exact().millionths(), 333_333);
        assert_eq!(third.plus(third).plus(third).exact(), Exact::whole(1));
        let sixth = Fine::part(Exact::whole(1), 1, 6).unwrap();
        assert_eq!(sixth.plus(sixth).plus(sixth).exact().rounded(), Some(1));
        let below = Fine::part(Exact::whole(999_999), 1, 2_000_000).unwrap();
        assert_eq!(below.exact().rounded(), Some(0));
        let back = Fine::part(Exact::whole(-1), 1, 3).unwrap();
        assert_eq!(third.plus(back).exact(), Exact::ZERO);
        let most = Exact::whole(i64::MAX);
        assert_eq!(Fine::part(most, i64::MAX, i64::MAX).map(Fine::exact), Some(most));
        assert_eq!(Fine::part(most, i64::MAX, 1), None);
    }

    proptest! {
        #[test]
        fn a_split_conserves_and_mirrors(
            amount in -1_000_000_000_000_000_i64..=1_000_000_000_000_000,
            millionths in 0..=1_000_000_i64,
        ) {
            let share = Rate::from_millionths(millionths).unwrap();
            let (rebate, coop) = split(amount, share);
            prop_assert_eq!(rebate + coop, amount);
            prop_assert_eq!(split(-amount, share), (-rebate, -coop));
            prop_assert!(rebate.signum() * amount.signum() >= 0 && coop.signum() * amount.signum() >= 0);
        }

        #[test]
        fn a_reversal_is_the_exact_negative(minor in 0..1_000_000_000_000_000_i64, millionths in 0..=1_000_000_i64) {
            let share = Rate::from_millionths(millionths).unwrap();
            let reversed = Exact::share(minor, share).rounded().map(|units| -units);
            prop_assert_eq!(Exact::share(-minor, share).rounded(), reversed);
        }
    }
}
