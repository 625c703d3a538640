//! Rates as exact decimals.

use super::Unparsable;
use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    serialize::{self, Output, ToSql},
    sql_types::BigInt,
};
use std::{fmt, str::FromStr};
use utoipa::{PartialSchema, ToSchema, openapi};

/// A rate between 0 and 1, in whole millionths: `0.08` is 8 %.
///
/// ```
/// use partner_incentives::platform::values::Rate;
///
/// let rate: Rate = "0.08".parse()?;
/// assert_eq!(rate, Rate::percent(8));
/// assert_eq!(rate.millionths(), 80_000);
/// assert_eq!(rate.to_string(), "0.08");
/// assert!("1.1".parse::<Rate>().is_err());
/// # Ok::<(), partner_incentives::platform::values::Unparsable>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = diesel::sql_types::BigInt)]
pub struct Rate(i64);

impl Rate {
    const ONE: i64 = 1_000_000;

    /// Nothing of an amount.
    pub const ZERO: Self = Self(0);

    /// The rate of a number of hundredths, at most 100.
    #[must_use]
    pub const fn percent(hundredths: u8) -> Self {
        let hundredths = if hundredths > 100 { 100 } else { hundredths };
        Self(hundredths as i64 * 10_000)
    }

    /// The rate of a number of millionths; none outside 0 to 1,000,000.
    #[must_use]
    pub fn from_millionths(millionths: i64) -> Option<Self> {
        (0..=Self::ONE).contains(&millionths).then_some(Self(millionths))
    }

    /// The rate in millionths.
    #[must_use]
    pub const fn millionths(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:06}", self.0 % Self::ONE);
        let fraction = fraction.trim_end_matches('0');
        let whole = self.0 / Self::ONE;
        if fraction.is_empty() { write!(f, "{whole}") } else { write!(f, "{whole}.{fraction}") }
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Rate {
    type Err = Unparsable;

    fn from_str(text: &str) -> Result<Self, Unparsable> {
        let wrong =
            || Unparsable(format!("{text:?} is not a rate from 0 to 1 with up to 6 places, such as 0.08"));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if whole.len() > 1 || fraction.len() > 6 || !digits(whole) || !digits(fraction) {
            return Err(wrong());
        }
        let millionths = format!("{whole}{fraction:0<6}").parse().map_err(|_| wrong())?;
        Self::from_millionths(millionths).ok_or_else(wrong)
    }
}

super::text_value!(Rate);

impl<DB> ToSql<BigInt, DB> for Rate
where
    DB: Backend,
    i64: ToSql<BigInt, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.0.to_sql(out)
    }
}

impl<DB> FromSql<BigInt, DB> for Rate
where
    DB: Backend,
    i64: FromSql<BigInt, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        Self::from_millionths(i64::from_sql(value)?).ok_or_else(|| "a rate outside 0 to 1".into())
    }
}

impl PartialSchema for Rate {
    fn schema() -> openapi::RefOr<openapi::Schema> {
        openapi::ObjectBuilder::new()
            .schema_type(openapi::Type::String)
            .pattern(Some(r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$"))
            .min_length(Some(1))
            .max_length(Some(8))
            .description(Some("Rate from 0 to 1 as a decimal text with up to 6 places; 0.08 is 8 %."))
            .examples(["0.08"])
            .into()
    }
}

impl ToSchema for Rate {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_and_written_exactly() {
        for (text, millionths) in
            [("0.08", 80_000), ("1", 1_000_000), ("0", 0), ("0.000001", 1), ("1.0", 1_000_000)]
        {
            assert_eq!(text.parse::<Rate>().unwrap().millionths(), millionths);
        }
        for text in ["1.1", "-0.1", "0.0000001", "8%", "", ".5", "0.", "00.5"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
        assert_eq!("0.080000".parse::<Rate>().unwrap().to_string(), "0.08");
    }
}
