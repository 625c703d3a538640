//! Exchange rates as exact decimals.

use super::{Currency, Money, Unparsable};
use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    serialize::{self, Output, ToSql},
    sql_types::BigInt,
};
use std::{fmt, str::FromStr};
use utoipa::{PartialSchema, ToSchema, openapi};

/// The worth of one unit of a currency in units of another currency, in whole 10^-10: `157.1234`.
///
/// ```
/// use partner_incentives::platform::values::{Currency, ExchangeRate, Leftover, Money};
///
/// // A dollar is worth 157.1234 yen.
/// let rate: ExchangeRate = "157.1234".parse()?;
/// let yen: Currency = "JPY".parse()?;
/// let dollars = Money::parse("100.00", Currency::USD)?;
/// assert_eq!(rate.convert(dollars, yen, Leftover::Nearest), 15_712);
/// assert_eq!(rate.convert(dollars, yen, Leftover::Up), 15_713);
/// assert_eq!(rate.convert_back(Money::parse("15712", yen)?, Currency::USD, Leftover::Nearest), 10_000);
/// # Ok::<(), partner_incentives::platform::values::Unparsable>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = diesel::sql_types::BigInt)]
pub struct ExchangeRate(i64);

/// How the rest below a minor unit is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leftover {
    /// Towards zero.
    Down,
    /// Away from zero.
    Up,
    /// To the nearer minor unit; a half away from zero.
    Nearest,
}

impl ExchangeRate {
    const PLACES: u32 = 10;
    const ONE: i64 = 10_i64.pow(Self::PLACES);

    /// The rate of a currency to itself.
    pub const SAME: Self = Self(Self::ONE);

    /// Converts an amount of the rate's first currency into minor units of its second currency `to`; they may be more than an
    /// amount can hold.
    #[must_use]
    pub fn convert(self, amount: Money, to: Currency, leftover: Leftover) -> i128 {
        let (up, down) = scale(amount.currency, to);
        Self::divide(amount.minor, i128::from(self.0) * up, i128::from(Self::ONE) * down, leftover)
    }

    /// Converts an amount of the rate's second currency back into minor units of its first currency `to`: divides at full
    /// precision. They may be more than an amount can hold.
    #[must_use]
    pub fn convert_back(self, amount: Money, to: Currency, leftover: Leftover) -> i128 {
        let (up, down) = scale(amount.currency, to);
        Self::divide(amount.minor, i128::from(Self::ONE) * up, i128::from(self.0) * down, leftover)
    }

    /// The factor from minor units of the rate's first currency `of` to minor units of its second `to`.
    pub(super) fn proportion(self, of: Currency, to: Currency) -> Proportion {
        let (up, down) = scale(of, to);
        Proportion { up: i128::from(self.0) * up, down: i128::from(Self::ONE) * down }
    }

    /// `minor * by / of`. The whole multiples of `of` are taken first, so that no product leaves the range.
    fn divide(minor: i64, by: i128, of: i128, leftover: Leftover) -> i128 {
        let minor_units = i128::from(minor.unsigned_abs());
        let beside = minor_units % of * by;
        let beside = match leftover {
            Leftover::Down => beside / of,
            Leftover::Up => (beside + of - 1) / of,
            Leftover::Nearest => (beside + of / 2) / of,
        };
        let units = minor_units / of * by + beside;
        if minor < 0 { -units } else { units }
    }
}

/// An exact factor between minor units of two currencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proportion {
    up: i128,
    down: i128,
}

impl Proportion {
    /// The factor of a currency to itself.
    pub const SAME: Self = Self { up: 1, down: 1 };

    /// The factor the other way round.
    #[must_use]
    pub const fn inverse(self) -> Self {
        Self { up: self.down, down: self.up }
    }

    /// So many minor units converted, in parts of which `parts` make a minor unit; rounded down. None where the result
    /// leaves the range.
    #[must_use]
    pub fn of(self, minor: i128, parts: i128) -> Option<i128> {
        let product = minor.checked_mul(self.up)?;
        let whole = product.div_euclid(self.down).checked_mul(parts)?;
        let rest = product.rem_euclid(self.down).checked_mul(parts)?.div_euclid(self.down);
        whole.checked_add(rest)
    }

    /// An amount above zero, given in parts of which `parts` make a minor unit, converted to whole minor units; rounded
    /// down. None where the result leaves the range.
    #[must_use]
    pub fn of_parts(self, amount: i128, parts: i128) -> Option<i128> {
        let product = (amount / parts).checked_mul(self.up)?;
        let (whole, rest) = (product / self.down, product % self.down);
        let rest = rest.checked_mul(parts)?.checked_add((amount % parts).checked_mul(self.up)?)?;
        whole.checked_add(rest / self.down.checked_mul(parts)?)
    }
}

/// The factor and the divisor that turn minor units of `from` into minor units of `to`.
fn scale(from: Currency, to: Currency) -> (i128, i128) {
    (10_i128.pow(to.digits()), 10_i128.pow(from.digits()))
}

impl fmt::Display for ExchangeRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:010}", self.0 % Self::ONE);
        let fraction = fraction.trim_end_matches('0');
        let whole = self.0 / Self::ONE;
        if fraction.is_empty() { write!(f, "{whole}") } else { write!(f, "{whole}.{fraction}") }
    }
}

impl fmt::Debug for ExchangeRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ExchangeRate {
    type Err = Unparsable;

    fn from_str(text: &str) -> Result<Self, Unparsable> {
        let wrong = || {
            Unparsable(format!(
                "{text:?} is not an exchange rate above zero with up to 8 digits before and 10 after the point, \
                 such as 157.1234"
            ))
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str, most: usize| {
            (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        };
        if !digits(whole, 8) || !digits(fraction, 10) {
            return Err(wrong());
        }
        let units: i64 = format!("{whole}{fraction:0<10}").parse().map_err(|_| wrong())?;
        if units > 0 { Ok(Self(units)) } else { Err(wrong()) }
    }
}

super::text_value!(ExchangeRate);

impl<DB> ToSql<BigInt, DB> for ExchangeRate
where
    DB: Backend,
    i64: ToSql<BigInt, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.0.to_sql(out)
    }
}

impl<DB> FromSql<BigInt, DB> for ExchangeRate
where
    DB: Backend,
    i64: FromSql<BigInt, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        match i64::from_sql(value)? {
            units @ 1.. => Ok(Self(units)),
            _ => Err("an exchange rate that is not above zero".into()),
        }
    }
}

impl PartialSchema for ExchangeRate {
    fn schema() -> openapi::RefOr<openapi::Schema> {
        openapi::ObjectBuilder::new()
            .schema_type(openapi::Type::String)
            .pattern(Some(r"^[0-9]{1,8}(\.[0-9]{1,10})?$"))
            .min_length(Some(1))
            .max_length(Some(19))
            .description(Some(
                "Units of the second currency one unit of the first is worth, as a decimal text above zero with up \
                 to 10 places.",
            ))
            .examples(["157.1234"])
            .into()
    }
}

impl ToSchema for ExchangeRate {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn money(amount: &str, currency: &str) -> Money {
        Money::parse(amount, currency.parse().unwrap()).unwrap()
    }

    #[test]
    fn an_amount_is_converted_between_currencies_of_any_digits() {
        let rate: ExchangeRate = "157.1234".parse().unwrap();
        let yen = "JPY".parse().unwrap();
        assert_eq!(rate.convert(money("100.00", "USD"), yen, Leftover::Nearest), 15_712);
        assert_eq!(rate.convert(money("100.00", "USD"), yen, Leftover::Up), 15_713);
        assert_eq!(rate.convert(money("-100.00", "USD"), yen, Leftover::Down), -15_712);
        assert_eq!(rate.convert_back(money("15712", "JPY"), Currency::USD, Leftover::Nearest), 10_000);
        let dinar: ExchangeRate = "0.307".parse().unwrap();
        assert_eq!(dinar.convert(money("10.00", "USD"), "KWD".parse().unwrap(), Leftover::Nearest), 3_070);
    }

    #[test]
    fn what_no_amount_can_hold_is_told_whole() {
        let rate: ExchangeRate = "99999999.9999999999".parse().unwrap();
        let most = Money { minor: i64::MAX, currency: "JPY".parse().unwrap() };
        let wide = rate.convert(most, "KWD".parse().unwrap(), Leftover::Down);
        assert_eq!(wide, (i128::from(i64::MAX) * 999_999_999_999_999_999) / 10_000_000);
        let least: ExchangeRate = "0.0000000001".parse().unwrap();
        let wide = least.convert_back(most, "KWD".parse().unwrap(), Leftover::Up);
        assert_eq!(wide, i128::from(i64::MAX) * 10_000_000_000 * 1000);
    }

    #[test]
    fn a_rate_is_read_and_written_exactly() {
        for (text, shown) in [("1", "1"), ("0.0064", "0.0064"), ("157.1230", "157.123")] {
            assert_eq!(text.parse::<ExchangeRate>().unwrap().to_string(), shown);
        }
        for wrong in ["0", "0.0", "-1", "1.", ".5", "1e2", "123456789", "1.00000000001", ""] {
            assert!(wrong.parse::<ExchangeRate>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_converted_and_back_is_never_more(
            minor in 0..Money::LIMIT / 1000,
            units in 1_000_000_i64..=1_000_000_000_000,
        ) {
            let rate = ExchangeRate(units);
            let there = Money { minor, currency: Currency::USD };
            let yen = "JPY".parse().unwrap();
            let in_yen = |leftover| Money { minor: rate.convert(there, yen, leftover).try_into().unwrap(), currency: yen };
            let back = rate.convert_back(in_yen(Leftover::Down), Currency::USD, Leftover::Down);
            prop_assert!(back <= minor.into());
            let up = rate.convert_back(in_yen(Leftover::Up), Currency::USD, Leftover::Up);
            prop_assert!(up >= minor.into());
        }
    }
}
