//! A document in every language at once: where the documents of the languages say the same, it stands once; a text that
//! differs is an object with the text of each language.

use crate::platform::values::Locale;
use serde_json::{Map, Value};

/// The member that marks a text in every language; no member of a statement has this name.
const EACH: &str = "in_each_language";

/// One document of the same document in every language.
pub(super) fn together(documents: &[(Locale, Value)]) -> Value {
    let Some((_, first)) = documents.first() else { return Value::Null };
    if documents.iter().all(|(_, document)| document == first) {
        return first.clone();
    }
    let under = |of: &dyn Fn(&Value) -> Option<Value>| {
        let parts = documents.iter().map(|(locale, document)| Some((*locale, of(document)?)));
        parts.collect::<Option<Vec<_>>>().map(|parts| together(&parts))
    };
    match first {
        Value::Object(members) => {
            let member =
                |name: &String| (name.clone(), under(&|of| of.get(name).cloned()).unwrap_or_default());
            Value::Object(members.keys().map(member).collect())
        }
        Value::Array(items) => {
            let item = |at: usize| under(&|of| of.get(at).cloned()).unwrap_or_default();
            Value::Array((0..items.len()).map(item).collect())
        }
        _ => {
            let texts = documents.iter().map(|(locale, text)| (locale.to_string(), text.clone()));
            Value::Object(Map::from_iter([(EACH.to_owned(), Value::Object(texts.collect()))]))
        }
    }
}

/// The document in one language.
pub(super) fn in_language(document: Value, language: Locale) -> Value {
    match document {
        Value::Object(mut members) => {
            if let Some(mut texts) = members.remove(EACH) {
                return texts.get_mut(language.as_str()).map(Value::take).unwrap_or_default();
            }
            let member = |(name, value)| (name, in_language(value, language));
            Value::Object(members.into_iter().map(member).collect())
        }
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|item| in_language(item, language)).collect())
        }
        plain => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_language_comes_out_as_it_went_in() {
        let [english, japanese] = [("8 % of the volume", Some("Renew")), ("8 %（到達段階）", Some("更新"))].map(
            |(terms, remedy)| {
                json!({"month": "2018-07", "lines": [{"terms": terms, "count": 2}, {"terms": "8 %", "count": 1}],
                    "remedy": remedy, "none": null, "nothing": []})
            },
        );
        let both = together(&[(Locale::En, english.clone()), (Locale::Ja, japanese.clone())]);
        assert_eq!(both["lines"][1]["terms"], "8 %", "what is the same stands once");
        assert_eq!(in_language(both.clone(), Locale::En), english);
        assert_eq!(in_language(both, Locale::Ja), japanese);
    }
}
