//! Values as banks write them.

use crate::platform::values::{Currency, Money};

/// The most bytes of a text that are kept, its pieces together.
const LONGEST: usize = 2000;

/// An amount as a bank writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Amount {
    /// An amount of a currency.
    Read(Money),
    /// A text that is none: a currency without minor units, or more digits than the currency has.
    Unread(String),
}

impl Amount {
    /// The amount of a text and a currency; none where there is no text.
    pub(super) fn of(text: &str, currency: Option<&str>) -> Option<Self> {
        let money = currency.and_then(|code| code.parse().ok()).and_then(|currency| money(text, currency));
        let unread = || format!("{} {text}", currency.unwrap_or_default()).trim().chars().take(40).collect();
        (!text.is_empty()).then(|| money.map_or_else(|| Self::Unread(unread()), Self::Read))
    }
}

/// Banks write `12`, `12.5`, `12.50` and `+12.50000` alike.
fn money(text: &str, currency: Currency) -> Option<Money> {
    let digits = currency.digits() as usize;
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let kept = fraction.trim_end_matches('0');
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if kept.len() > digits
        || !is_number(whole)
        || !is_number(kept)
        || (whole.is_empty() && fraction.is_empty())
    {
        return None;
    }
    let minor = format!("0{whole}{kept:0<digits$}").parse().ok()?;
    Some(Money { minor, currency })
}

/// An identifier or code; banks write `NOTPROVIDED` where there is none.
pub(super) fn identifier(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && text != "NOTPROVIDED").then(|| text.chars().take(140).collect())
}

/// Adds to what was said before.
pub(super) fn said(before: &mut Option<String>, text: &str) {
    if text.is_empty() {
        return;
    }
    let words = before.get_or_insert_default();
    if words.len() + text.len() < LONGEST {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_banks_write_them() {
        let read = |text: &str, currency: &str| match Amount::of(text, Some(currency)) {
            Some(Amount::Read(money)) => Some(money.minor),
            _ => None,
        };
        let cases = [
            ("12", "EUR", Some(1200)),
            ("12.5", "EUR", Some(1250)),
            ("12.50", "EUR", Some(1250)),
            ("12.50000", "EUR", Some(1250)),
            ("+12.50", "EUR", Some(1250)),
            (".5", "EUR", Some(50)),
            ("0", "EUR", Some(0)),
            ("007", "JPY", Some(7)),
            ("7.00", "JPY", Some(7)),
            ("250.075", "KWD", Some(250_075)),
            ("12.505", "EUR", None),
            ("7.5", "JPY", None),
            ("-12.50", "EUR", None),
            ("1,50", "EUR", None),
            ("1e3", "EUR", None),
            ("++1", "EUR", None),
            ("99999999999999999999", "EUR", None),
            ("1", "XAU", None),
            ("1", "EURO", None),
        ];
        for (text, currency, expected) in cases {
            assert_eq!(read(text, currency), expected, "{text} {currency}");
        }
        assert_eq!(Amount::of("", Some("EUR")), None);
        assert_eq!(Amount::of("1", None), Some(Amount::Unread("1".to_owned())));
        assert_eq!(Amount::of("1.234", Some("EUR")), Some(Amount::Unread("EUR 1.234".to_owned())));
    }
}
