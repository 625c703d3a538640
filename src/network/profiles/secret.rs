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
    pub fn sealed(&self, vault: &Vault, column: &SealedColumn, partner: Id) -> Result<Vec<u8>> {
        column.seal(vault, partner, self.0.as_bytes())
    }

    /// The secret that the row of a partner keeps.
    pub fn opened(vault: &Vault, column: &SealedColumn, partner: Id, sealed: &[u8]) -> Result<Self> {
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

    /// The whole number, for the file that goes to the bank and for nothing else.
    #[must_use]
    pub fn for_the_bank(&self) -> &str {
        &self.0
    }

    /// The country of the IBAN, whose check digits (ISO 7064, MOD 97-10) and structure (ISO 13616) fit; none of a number
    /// that is no IBAN.
    pub(super) fn country_of_iban(&self) -> Option<String> {
        sepa::validate_iban(&self.0).ok().map(|iban| iban.country_code().to_owned())
    }

    /// Whether the number has digits alone.
    pub(super) fn is_digits(&self) -> bool {
        self.0.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// The characters of the number.
    pub(super) fn length(&self) -> usize {
        self.0.chars().count()
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
    fn an_iban_has_check_digits_and_the_structure_of_its_country() {
        // The examples of the IBAN registry.
        for (iban, country) in [
            ("DE89370400440532013000", "DE"),
            ("de89370400440532013000", "DE"),
            ("GB29NWBK60161331926819", "GB"),
            ("FR1420041010050500013M02606", "FR"),
            ("NO9386011117947", "NO"),
            ("MT84MALT011000012345MTLCAST001S", "MT"),
        ] {
            assert_eq!(Secret::new(iban).country_of_iban().as_deref(), Some(country));
        }
        for other in [
            "DE88370400440532013000",
            "GB29NWBK60161331926891",
            "NO9386011117974",
            // Check digits that fit, with a letter where the country has a digit.
            "DE8937O400440532013000",
            "XX00",
            "021000021123456789",
            "1234",
        ] {
            assert_eq!(Secret::new(other).country_of_iban(), None, "{other}");
        }
    }
}
