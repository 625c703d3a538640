//! The languages of what people read.

use super::text_enum;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

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

/// A sentence in every language, with the data of this time in it. [`text!`](crate::text) writes one.
///
/// Stored as an object with the text of each language; a plain text, as earlier releases stored it, is the same in each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredText")]
pub struct Text {
    en: Cow<'static, str>,
    ja: Cow<'static, str>,
}

/// A text in storage.
#[derive(Deserialize)]
#[serde(untagged)]
enum StoredText {
    Same(String),
    Each { en: String, ja: String },
}

impl Text {
    /// A text in English and in Japanese.
    pub fn new(en: impl Into<Cow<'static, str>>, ja: impl Into<Cow<'static, str>>) -> Self {
        Self { en: en.into(), ja: ja.into() }
    }

    /// The text that a function says in each language.
    pub fn in_each(say: impl Fn(Locale) -> String) -> Self {
        Self::new(say(Locale::En), say(Locale::Ja))
    }

    /// The text in one language.
    #[must_use]
    pub fn in_language(&self, language: Locale) -> &str {
        match language {
            Locale::En => &self.en,
            Locale::Ja => &self.ja,
        }
    }

    /// The text in one language, by itself.
    #[must_use]
    pub fn into_language(self, language: Locale) -> String {
        match language {
            Locale::En => self.en.into_owned(),
            Locale::Ja => self.ja.into_owned(),
        }
    }

    /// The text as a text column holds it: by itself where it is the same in each language, as a person's words are, else as
    /// an object with the text of each language.
    ///
    /// ```
    /// use partner_incentives::platform::values::Text;
    ///
    /// let told = Text::new("The account is closed", "\u{53e3}\u{5ea7}\u{306f}\u{89e3}\u{7d04}\u{6e08}\u{307f}\u{3067}\u{3059}");
    /// assert_eq!(Text::of_column(told.column()), told);
    /// assert_eq!(Text::of_column("By hand".into()).column(), "By hand");
    /// ```
    #[must_use]
    pub fn column(&self) -> String {
        if self.en == self.ja {
            return self.en.clone().into_owned();
        }
        serde_json::json!({"en": self.en, "ja": self.ja}).to_string()
    }

    /// The text that a text column holds.
    #[must_use]
    pub fn of_column(column: String) -> Self {
        let each = column.starts_with('{').then(|| serde_json::from_str(&column).ok()).flatten();
        each.unwrap_or_else(|| Self::new(column.clone(), column))
    }

    /// The text in each language, changed by a function.
    #[must_use]
    pub fn map(&self, change: impl Fn(&str) -> String) -> Self {
        Self::new(change(&self.en), change(&self.ja))
    }
}

impl From<StoredText> for Text {
    fn from(stored: StoredText) -> Self {
        match stored {
            StoredText::Same(text) => Self::new(text.clone(), text),
            StoredText::Each { en, ja } => Self::new(en, ja),
        }
    }
}

impl From<Words<'static>> for Text {
    fn from(words: Words<'static>) -> Self {
        Self::new(words.en, words.ja)
    }
}

/// A [`Text`](crate::platform::values::Text): the same sentence in English and in Japanese, each as for `format!`. A sentence
/// that lacks a language does not compile.
#[macro_export]
macro_rules! text {
    ($en:literal, $ja:literal $(, $data:expr)* $(,)?) => {
        $crate::platform::values::Text::new(format!($en $(, $data)*), format!($ja $(, $data)*))
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_out_of_storage_as_it_went_in_and_an_older_one_is_the_same_in_each_language() {
        let (day, text) = ("2019-06-30", crate::text!("over on {}", "{} に終了", "2019-06-30"));
        assert_eq!(text, crate::text!("over on {day}", "{day} に終了"));
        let stored = serde_json::to_string(&text).unwrap();
        assert_eq!(serde_json::from_str::<Text>(&stored).unwrap(), text);
        let older: Text = serde_json::from_str("\"over\"").unwrap();
        assert_eq!([Locale::En, Locale::Ja].map(|language| older.in_language(language)), ["over"; 2]);
    }
}
