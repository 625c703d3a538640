//! Texts as they are compared. Whatever reads a request or a file composes every text of it, so that no record, filter or
//! rule meets two spellings of one name.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// A text in Unicode normalization form C: texts that people cannot tell apart are one text, whichever way a system
/// spells their accents.
///
/// ```
/// use partner_incentives::platform::values::composed;
///
/// assert_eq!(composed("cafe\u{301}".into()), "caf\u{e9}");
/// ```
#[must_use]
pub fn composed(text: String) -> String {
    if is_composed(&text) { text } else { text.nfc().collect() }
}

/// Whether a text is surely in normalization form C; of few that are, the answer is no.
#[must_use]
pub fn is_composed(text: &str) -> bool {
    text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes
}
