//! Texts as they are compared. Whatever reads a request or a file composes every text of it, so that no record, filter or
//! rule meets two spellings of one name.

use unicode_normalization::{IsNormalized, UnicodeNormalization, char::is_combining_mark, is_nfc_quick};

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

/// A text as a search compares it: without case, accents, and the differences of full and half width.
///
/// ```
/// use partner_incentives::platform::values::folded;
///
/// assert_eq!(folded("M\u{fc}ller Stra\u{df}e"), "muller strasse");
/// assert_eq!(folded("\u{ff76}\u{ff9e}\u{ff7d}"), folded("\u{30ac}\u{30b9}"));
/// ```
#[must_use]
pub fn folded(text: &str) -> String {
    // The voiced sound marks of kana make other letters, and are no accents.
    let accent = |letter: &char| is_combining_mark(*letter) && !['\u{3099}', '\u{309a}'].contains(letter);
    let plain: String = text.nfkd().filter(|letter| !accent(letter)).nfc().collect();
    plain.to_uppercase().to_lowercase()
}
