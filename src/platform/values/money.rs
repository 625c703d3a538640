//! Money: whole minor units, never a float.

use super::Unparsable;
use diesel::{deserialize::FromSqlRow, expression::AsExpression};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use utoipa::{PartialSchema, ToSchema, openapi};

/// An ISO 4217 currency that has minor units.
#[derive(Clone, Copy, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = diesel::sql_types::Text)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The US dollar.
    pub const USD: Self = Self(iso_currency::Currency::USD);

    /// The alphabetic code, three letters.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        self.0.code()
    }

    /// The number of digits after the decimal point: JPY 0, USD 2, KWD 3.
    #[must_use]
    pub fn digits(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }
}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Currency {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Currency {
    type Err = Unparsable;

    fn from_str(text: &str) -> Result<Self, Unparsable> {
        iso_currency::Currency::from_code(text).filter(|c| c.exponent().is_some()).map(Self).ok_or_else(
            || Unparsable(format!("{text:?} is not an ISO 4217 currency such as USD, EUR or JPY")),
        )
    }
}

super::text_value!(Currency, column);

impl PartialSchema for Currency {
    fn schema() -> openapi::RefOr<openapi::Schema> {
        openapi::ObjectBuilder::new()
            .schema_type(openapi::Type::String)
            .format(Some(openapi::SchemaFormat::Custom("iso-4217".into())))
            .min_length(Some(3))
            .max_length(Some(3))
            .pattern(Some("^[A-Z]{3}$"))
            .description(Some("Currency, ISO 4217 alphabetic code."))
            .examples(["USD"])
            .into()
    }
}

impl ToSchema for Currency {}

/// An amount in one currency.
///
/// ```
/// use partner_incentives::platform::values::{Currency, Money};
///
/// let price = Money::parse("1234.50", Currency::USD)?;
/// assert_eq!(price.minor, 123_450);
/// assert_eq!(price.to_string(), "USD 1234.50");
///
/// // The yen has no minor unit, the Kuwaiti dinar has three digits of it.
/// assert!(Money::parse("12.50", "JPY".parse()?).is_err());
/// assert_eq!(Money::parse("250.075", "KWD".parse()?)?.minor, 250_075);
/// # Ok::<(), partner_incentives::platform::values::Unparsable>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// Whole minor units: cents for USD, yen for JPY, fils for KWD.
    pub minor: i64,
    /// The currency of the minor units.
    pub currency: Currency,
}

impl Money {
    /// The largest amount that a request may bring, in minor units: 15 digits. Sums of amounts may be larger; they are
    /// written, and read again from what the service has stored alone.
    pub const LIMIT: i64 = 999_999_999_999_999;

    /// Parses the decimal text of an amount that a request brings, with exactly as many digits after the point as the
    /// currency has.
    pub fn parse(amount: &str, currency: Currency) -> Result<Self, Unparsable> {
        let parsed = Self::parse_sum(amount, currency)?;
        if parsed.minor.unsigned_abs() > Self::LIMIT.unsigned_abs() {
            return Err(Unparsable(format!("{amount:?} has more than 15 digits")));
        }
        Ok(parsed)
    }

    /// Parses the decimal text of a sum that the service has written.
    fn parse_sum(amount: &str, currency: Currency) -> Result<Self, Unparsable> {
        let digits = currency.digits() as usize;
        let wrong = || {
            let example =
                if digits == 0 { "1250".to_owned() } else { format!("1250.{}", "0".repeat(digits)) };
            Unparsable(format!(
                "{amount:?} is not an amount in {currency}: write {digits} digits after the point, such as {example:?}"
            ))
        };
        let unsigned = amount.strip_prefix('-').unwrap_or(amount);
        let (whole, fraction) = match (unsigned.split_once('.'), digits) {
            (None, 0) => (unsigned, ""),
            (Some((whole, fraction)), 1..) if fraction.len() == digits => (whole, fraction),
            _ => return Err(wrong()),
        };
        let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leading_zero || !number(whole) || !number(fraction) {
            return Err(wrong());
        }
        let minor: i64 = format!("{whole}{fraction}").parse().map_err(|_| wrong())?;
        let negative = amount.len() > unsigned.len();
        Ok(Self { minor: if negative { -minor } else { minor }, currency })
    }

    /// Reads a sum that the service has stored, which may be larger than an amount of a request.
    pub fn deserialize_sum<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = MoneyMembers::deserialize(deserializer)?;
        Self::parse_sum(&wire.amount, wire.currency).map_err(serde::de::Error::custom)
    }

    /// The decimal text of the amount, without the currency.
    #[must_use]
    pub fn amount(self) -> String {
        let digits = self.currency.digits() as usize;
        let sign = if self.minor < 0 { "-" } else { "" };
        let units = format!("{:0>width$}", self.minor.unsigned_abs(), width = digits + 1);
        match (units.len().checked_sub(digits), digits) {
            (Some(point), 1..) => {
                let (whole, fraction) = units.split_at(point);
                format!("{sign}{whole}.{fraction}")
            }
            _ => format!("{sign}{units}"),
        }
    }
}

impl Money {
    /// The amount in groups of three digits, for people: `-1,234.50`.
    #[must_use]
    pub fn grouped(self) -> String {
        in_groups(&self.amount())
    }
}

/// A decimal text in groups of three digits, for people: `-1,234.50`.
#[must_use]
pub fn in_groups(decimal: &str) -> String {
    let (whole, fraction) = decimal.split_at(decimal.find('.').unwrap_or(decimal.len()));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        let left = whole.len() - at;
        if left % 3 == 0 && grouped.ends_with(|before: char| before.is_ascii_digit()) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + fraction
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency, self.amount())
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MoneyMembers {
    amount: String,
    currency: Currency,
}

impl Serialize for Money {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        MoneyMembers { amount: self.amount(), currency: self.currency }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = MoneyMembers::deserialize(deserializer)?;
        Self::parse(&wire.amount, wire.currency).map_err(serde::de::Error::custom)
    }
}

impl PartialSchema for Money {
    fn schema() -> openapi::RefOr<openapi::Schema> {
        openapi::ObjectBuilder::new()
            .schema_type(openapi::Type::Object)
            .description(Some(
                "An amount in one currency. The decimal text has exactly the currency's minor digits: \
                 JPY 0, USD 2, KWD 3. Never a JSON number. A request takes up to 15 digits in all; a sum in an answer \
                 may have up to 19.",
            ))
            .property(
                "amount",
                openapi::ObjectBuilder::new()
                    .schema_type(openapi::Type::String)
                    .pattern(Some(r"^-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,4})?$"))
                    .min_length(Some(1))
                    .max_length(Some(21))
                    .description(Some("Decimal text with exactly the currency's digits after the point."))
                    .examples(["1234.50"]),
            )
            .required("amount")
            .property("currency", openapi::Ref::from_schema_name("Currency"))
            .required("currency")
            .additional_properties(Some(openapi::schema::AdditionalProperties::<openapi::Schema>::FreeForm(
                false,
            )))
            .examples([serde_json::json!({"amount": "1234.50", "currency": "USD"})])
            .into()
    }
}

impl ToSchema for Money {
    fn schemas(schemas: &mut Vec<(String, openapi::RefOr<openapi::Schema>)>) {
        schemas.push(("Currency".into(), Currency::schema()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn money(amount: &str, currency: &str) -> Result<i64, Unparsable> {
        Money::parse(amount, currency.parse().unwrap()).map(|m| m.minor)
    }

    #[test]
    fn an_amount_has_exactly_its_currency_s_digits() {
        assert_eq!(money("1234.50", "USD"), Ok(123_450));
        assert_eq!(money("-0.01", "USD"), Ok(-1));
        assert_eq!(money("1234567", "JPY"), Ok(1_234_567));
        assert_eq!(money("250.075", "KWD"), Ok(250_075));
        for (amount, currency) in [
            ("12.50", "JPY"),
            ("12.5", "USD"),
            ("12.500", "USD"),
            ("12", "USD"),
            ("", "USD"),
            (".50", "USD"),
            ("01.00", "USD"),
            ("+1.00", "USD"),
            ("1e3", "JPY"),
            ("--1.00", "USD"),
            ("99999999999999.00", "USD"),
        ] {
            assert!(money(amount, currency).is_err(), "{amount} {currency}");
        }
    }

    #[test]
    fn people_read_groups_of_three() {
        let grouped = |minor, currency: &str| Money { minor, currency: currency.parse().unwrap() }.grouped();
        assert_eq!(grouped(123_456_789, "USD"), "1,234,567.89");
        assert_eq!(grouped(-100_000, "USD"), "-1,000.00");
        assert_eq!(grouped(-99_999, "USD"), "-999.99");
        assert_eq!(grouped(1000, "JPY"), "1,000");
        assert_eq!(grouped(1_000_001, "KWD"), "1,000.001");
        assert_eq!(grouped(i64::MIN, "JPY"), "-9,223,372,036,854,775,808");
    }

    proptest! {
        #[test]
        fn text_and_minor_units_are_the_same_amount(
            minor in -Money::LIMIT..=Money::LIMIT,
            code in prop::sample::select(vec!["JPY", "USD", "KWD"]),
        ) {
            let money = Money { minor, currency: code.parse().unwrap() };
            prop_assert_eq!(Money::parse(&money.amount(), money.currency), Ok(money));
        }
    }
}
