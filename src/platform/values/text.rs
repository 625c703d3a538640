//! Texts that name things.

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
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return text;
    }
    text.nfc().collect()
}
