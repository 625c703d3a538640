//! Account and tax numbers: the service keeps them sealed, compares them, and never shows them whole.

use crate::{
    access::SealedColumn,
    platform::{Error, Result, Vault, values::Id},
};
use std::fmt;

/// An account number or a tax id, in upper case. The type has no `Display` and no `Serialize`: only the end of the
/// number can be shown, by [`Secret::masked`]; and no column type, because a database keeps it sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret from the text as its owner wrote it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_uppercase())
    }

    /// The secret as the row of a partner keeps it.
    pub(super) fn sealed(&self, vault: &Vault, column: &SealedColumn, partner: Id) -> Result<Vec<u8>> {
        column.seal(vault, partner, self.0.as_bytes())
    }

    /// The secret that the row of a partner keeps.
    pub(super) fn opened(vault: &Vault, column: &SealedColumn, partner: Id, sealed: &[u8]) -> Result<Self> {
        let text = String::from_utf8(column.open(vault, partner, sealed)?);
        text.map(Self).map_err(|_| Error::internal("a sealed number is no text"))
    }

    /// Four asterisks and the last four characters; of a number of less than eight characters only the last one.
    #[must_use]
    pub fn masked(&self) -> String {
        let length = self.0.chars().count();
        let shown = if length < 8 { 1 } else { 4 };
        let end: String = self.0.chars().skip(length.saturating_sub(shown)).collect();
        format!("****{end}")
    }

    /// Whether the number has the form of an IBAN (ISO 13616: country, check digits, ...) with wrong check digits (ISO
    /// 7064, MOD 97-10).
    #[must_use]
    pub fn is_mistyped_iban(&self) -> bool {
        let Some((start, rest)) = self.0.split_at_checked(4) else { return false };
        let looks = start
            .chars()
            .zip("AA00".chars())
            .all(|(c, like)| if like == '0' { c.is_ascii_digit() } else { c.is_ascii_uppercase() });
        let remainder = rest.chars().chain(start.chars()).try_fold(0, |remainder, c| {
            let value = c.to_digit(36)?;
            Some((remainder * if value < 10 { 10 } else { 100 } + value) % 97)
        });
        looks && remainder != Some(1)
    }
}

/// Masked: a secret must not reach a log.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn little_is_shown_of_a_secret_and_less_of_a_short_one() {
        for (text, masked) in [
            ("DE89370400440532013000", "****3000"),
            ("12-3456789", "****6789"),
            ("12345678", "****5678"),
            ("1234567", "****7"),
            ("ab12", "****2"),
        ] {
            assert_eq!(Secret::new(text).masked(), masked);
            assert_eq!(format!("{:?}", Secret::new(text)), masked);
        }
    }

    #[test]
    fn an_iban_has_check_digits() {
        // The examples of the IBAN registry.
        for iban in [
            "DE89370400440532013000",
            "de89370400440532013000",
            "GB29NWBK60161331926819",
            "FR1420041010050500013M02606",
            "NO9386011117947",
            "MT84MALT011000012345MTLCAST001S",
        ] {
            assert!(!Secret::new(iban).is_mistyped_iban(), "{iban}");
        }
        for mistyped in
            ["DE88370400440532013000", "GB29NWBK60161331926891", "NO9386011117974", "XX00", "AB12"]
        {
            assert!(Secret::new(mistyped).is_mistyped_iban(), "{mistyped}");
        }
        for other in ["021000021123456789", "1234", "A123456", "ABC1234"] {
            assert!(!Secret::new(other).is_mistyped_iban(), "{other}");
        }
    }
}
