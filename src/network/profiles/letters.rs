//! The letters that banks take. What else a text holds is written in them by the table of the European Payments Council
//! (EPC217-08); German umlauts and sharp s by two letters where German is spoken.

use crate::platform::values::Country;
use sepa::charset::{Transliteration, is_sepa_char, transliterate};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

const GERMAN: [&str; 4] = ["AT", "CH", "DE", "LI"];

/// A text in the letters of banks, without spaces at its ends or two in a row; empty where nothing is left. The country is
/// the one in which the text is read.
#[must_use]
pub fn latin(text: &str, country: Country) -> String {
    let style =
        if GERMAN.contains(&country.as_str()) { Transliteration::German } else { Transliteration::Epc };
    let words = text.split_whitespace().map(|word| latin_word(word, style));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Whether each word of a name keeps at least one letter: a Japanese name would silently become dots.
#[must_use]
pub fn is_legible(name: &str, country: Country) -> bool {
    let keeps = |word: &str| {
        let has_letters = word.chars().any(char::is_alphabetic);
        !has_letters || latin(word, country).contains(|c: char| c.is_ascii_alphabetic())
    };
    name.split_whitespace().all(keeps) && latin(name, country).contains(|c: char| c.is_ascii_alphanumeric())
}

/// Whether a text has no letter that would become a dot.
#[must_use]
pub fn is_kept(text: &str, country: Country) -> bool {
    text.split_whitespace().all(|word| !word.chars().any(char::is_alphabetic) || is_legible(word, country))
}

fn latin_word(word: &str, style: Transliteration) -> String {
    let mut written = String::with_capacity(word.len());
    for letter in word.nfc() {
        match letter {
            _ if is_sepa_char(letter) => written.push(letter),
            // What typewriters do not have, and the table neither.
            '\u{2018}'..='\u{201f}' => written.push('\''),
            '\u{2010}'..='\u{2015}' => written.push('-'),
            _ if letter.is_control() => {}
            _ => written.push_str(&latin_letter(letter, style)),
        }
    }
    written.trim().to_owned()
}

fn latin_letter(letter: char, style: Transliteration) -> String {
    let one = |letter: char| transliterate(letter.encode_utf8(&mut [0; 4]), style).into_owned();
    let written = one(letter);
    if written != "." {
        return written;
    }
    // The table ends before the letters of Vietnam and the wide letters of Japan.
    let parts: String =
        [letter].into_iter().nfkd().filter(|part| !is_combining_mark(*part)).map(one).collect();
    if parts.is_empty() || parts.contains('.') { written } else { parts }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn country(code: &str) -> Country {
        code.parse().unwrap()
    }

    #[test]
    fn letters_are_written_as_the_country_writes_them() {
        let cases = [
            ("Müller & Söhne GmbH", "DE", "Mueller + Soehne GmbH"),
            ("Müller & Söhne GmbH", "FR", "Muller + Sohne GmbH"),
            ("Ångström  Ärzte\n", "SE", "Angstrom Arzte"),
            ("Nguyễn Văn Đức", "VN", "Nguyen Van Duc"),
            ("Ψυχή Щука", "GR", "PSychi SHTuka"),
            ("ＡＢＣ　１２", "JP", "ABC 12"),
            ("Cafe\u{301} \"Ost\"", "FR", "Cafe 'Ost'"),
            ("O\u{2019}Neill \u{2013} \u{201c}x\u{201d}", "IE", "O'Neill - 'x'"),
            ("1/2 \u{bd} \u{2116} 5", "FR", "1/2 . No 5"),
            ("a\u{0}b", "FR", "ab"),
            ("a\u{2003}b", "FR", "a b"),
        ];
        for (text, place, expected) in cases {
            assert_eq!(latin(text, country(place)), expected, "{text}");
        }
    }

    #[test]
    fn a_name_is_legible_where_each_word_keeps_a_letter() {
        for name in ["Müller & Co. KG", "3M 24/7", "Ψυχή", "O'Neill - Söhne", "İstanbul Ağaç"] {
            assert!(is_legible(name, country("DE")), "{name}");
        }
        for name in ["株式会社サンプル", "Sample 株式会社", "شركة", "회사 Seoul", "...", "", " ", "- / -"]
        {
            assert!(!is_legible(name, country("JP")), "{name}");
        }
    }
}
