//! A JSON document as the service reads one: each member once, texts in Unicode normalization form C, and whole numbers as
//! integers, whichever way a client writes them.

use super::body::wrong_form;
use crate::{
    platform::{Error, Result, codes, values::composed},
    text,
};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use std::fmt;

/// Numbers beyond this one are not exact in every client (RFC 8259, 6).
const EXACT: f64 = 9_007_199_254_740_991.0;

/// Parses a document.
pub(super) fn document(bytes: &[u8]) -> Result<Value> {
    let read: serde_json::Result<Document> = serde_json::from_slice(bytes);
    read.map(|document| document.0).map_err(|error| {
        if error.is_data() {
            return Error::invalid_field("", "given_twice", wrong_form(&error));
        }
        let detail = text!(
            "the body is not JSON in UTF-8: {error}",
            "本文を UTF-8 の JSON として読み取れません：{error}"
        );
        Error::new(&codes::MALFORMED, detail)
    })
}

struct Document(Value);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON document")
    }

    fn visit_unit<E: de::Error>(self) -> std::result::Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> std::result::Result<Value, E> {
        let is_whole = value.fract() == 0.0 && value.abs() <= EXACT;
        #[expect(clippy::cast_possible_truncation, reason = "a whole number that is exact")]
        Ok(if is_whole { (value as i64).into() } else { value.into() })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> std::result::Result<Value, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: de::Error>(self, text: String) -> std::result::Result<Value, E> {
        Ok(Value::String(composed(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<Value, A::Error> {
        let mut read = Vec::new();
        while let Some(Document(item)) = items.next_element()? {
            read.push(item);
        }
        Ok(Value::Array(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> std::result::Result<Value, A::Error> {
        let mut read = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if read.contains_key(&name) {
                return Err(de::Error::custom(format_args!("{name:?} is given twice")));
            }
            let Document(member) = members.next_value()?;
            read.insert(name, member);
        }
        Ok(Value::Object(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::values::Locale;
    use serde_json::json;

    #[test]
    fn every_text_is_composed_wherever_it_stands() {
        let read =
            document(br#"{"a": ["cafe\u0301", 1], "b": {"c": "cafe\u0301"}, "d": "caf\u00e9", "e": null}"#);
        assert_eq!(read.unwrap(), json!({"a": ["café", 1], "b": {"c": "café"}, "d": "café", "e": null}));
    }

    #[test]
    fn whole_numbers_are_integers_however_they_are_written() {
        let read = document(b"[1, 1.0, 1e2, -3.0, 0.5, 1e300, 18446744073709551615]").unwrap();
        assert_eq!(read, json!([1, 1, 100, -3, 0.5, 1e300, u64::MAX]));
    }

    #[test]
    fn a_member_that_is_given_twice_is_refused_at_any_depth() {
        for text in [r#"{"a": 1, "a": 1}"#, r#"[{"b": {"a": 1, "a": 2}}]"#] {
            let error = document(text.as_bytes()).unwrap_err();
            assert_eq!(error.code, &codes::INVALID);
            assert!(
                error
                    .errors
                    .iter()
                    .any(|fault| fault.message.in_language(Locale::En).contains(r#""a" is given twice"#))
            );
        }
        assert_eq!(document(b"{").unwrap_err().code, &codes::MALFORMED);
        assert_eq!(document("[".repeat(200).as_bytes()).unwrap_err().code, &codes::MALFORMED);
    }
}
