//! The languages of what people read.

use super::text_enum;

text_enum! {
    /// The language in which a person is written to.
    #[derive(Default)]
    pub enum Locale {
        /// English.
        #[default]
        En = "en",
        /// Japanese.
        Ja = "ja",
    }
}

impl Locale {
    /// The text in this language, of those in each.
    #[must_use]
    pub const fn of(self, text: Words<'_>) -> &str {
        match self {
            Self::En => text.en,
            Self::Ja => text.ja,
        }
    }
}

/// A text in every language: who writes one writes all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words<'t> {
    /// In English.
    pub en: &'t str,
    /// In Japanese.
    pub ja: &'t str,
}

impl<'t> Words<'t> {
    /// A text in English and in Japanese.
    #[must_use]
    pub const fn new(en: &'t str, ja: &'t str) -> Self {
        Self { en, ja }
    }
}
