//! The contract as the service itself uses it: requests are checked against the document that callers read.

#![expect(clippy::indexing_slicing, reason = "reading a member that a JSON value lacks gives null")]

use crate::{
    platform::{Error, FieldError, Result, values, values::Text},
    text,
};
use actix_web::{dev::ResourceDef, http::Method};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonschema::{Validator, error::ValidationErrorKind as Kind};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

/// Where references to schemas point.
const SCHEMAS: &str = "#/components/schemas/";

/// The OpenAPI document, its addresses, and the validators of its schemas.
pub struct Contract {
    /// The OpenAPI document.
    pub document: Value,
    /// The document as JSON text, as sent.
    pub json: String,
    /// The entity tag of the document.
    pub etag: String,
    addresses: Vec<(ResourceDef, Vec<Method>)>,
    /// The addresses of lists that a caller can get as files, each with the schema of its items.
    pub(super) files: Vec<(ResourceDef, String)>,
    /// The addresses that a caller can get in other media types than JSON, each with its media types.
    media: Vec<(ResourceDef, Vec<String>)>,
    /// The addresses that take a form, as OAuth clients send it.
    forms: Vec<ResourceDef>,
    validators: RwLock<HashMap<String, Arc<Validator>>>,
}

/// The media type of a form.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// The entity tag of a document: a digest of its text.
pub(super) fn entity_tag(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(digest.as_ref().get(..9).unwrap_or_default()))
}

/// An operation of the document.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// The path template.
    pub path: &'a str,
    /// The method in lower case.
    pub method: &'a str,
    /// The operation object.
    pub object: &'a Value,
}

impl Contract {
    /// The contract of a finished document.
    #[must_use]
    pub fn new(document: Value) -> Self {
        let json = serde_json::to_string_pretty(&document).unwrap_or_default();
        let etag = entity_tag(&json);
        let (mut addresses, mut files, mut media) = (Vec::new(), Vec::new(), Vec::new());
        let mut forms = Vec::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            let content = &item["get"]["responses"]["200"]["content"];
            let offered: Vec<String> =
                content.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
            if offered.iter().any(|name| name != "application/json") {
                media.push((ResourceDef::new(path.as_str()), offered));
            }
            if content["text/csv"].is_object() {
                let page = name_of(&content["application/json"]["schema"]);
                let items = &document["components"]["schemas"][page]["properties"]["items"]["items"];
                if items.is_object() {
                    files.push((ResourceDef::new(path.as_str()), name_of(items).to_owned()));
                }
            }
            if item["post"]["requestBody"]["content"][FORM].is_object() {
                forms.push(ResourceDef::new(path.as_str()));
            }
            let methods = item.as_object().into_iter().flatten();
            let methods = methods.filter_map(|(m, _)| m.to_uppercase().parse().ok()).collect();
            addresses.push((ResourceDef::new(path.as_str()), methods));
        }
        let validators = RwLock::default();
        Self { document, json, etag, addresses, files, media, forms, validators }
    }

    /// Every operation of the document.
    pub fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        self.document["paths"].as_object().into_iter().flatten().flat_map(|(path, item)| {
            item.as_object().into_iter().flatten().map(move |(method, object)| Operation {
                path,
                method,
                object,
            })
        })
    }

    /// The methods an address takes, `HEAD` and `OPTIONS` included; `None` where there is no such address.
    #[must_use]
    pub fn methods_at(&self, path: &str) -> Option<Vec<Method>> {
        let mut methods: Vec<Method> = self
            .addresses
            .iter()
            .filter(|(pattern, _)| pattern.is_match(path))
            .flat_map(|(_, methods)| methods.clone())
            .collect();
        if methods.is_empty() {
            return None;
        }
        if methods.contains(&Method::GET) {
            methods.push(Method::HEAD);
        }
        methods.push(Method::OPTIONS);
        methods.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        methods.dedup();
        Some(methods)
    }

    /// The media types of an address; empty where JSON is the only one.
    #[must_use]
    pub fn media_at(&self, path: &str) -> Vec<&str> {
        let found = self.media.iter().find(|(pattern, _)| pattern.is_match(path));
        found.map(|(_, names)| names.iter().map(String::as_str).collect()).unwrap_or_default()
    }

    /// Whether an address takes a form, as OAuth clients send it.
    #[must_use]
    pub fn takes_a_form(&self, path: &str) -> bool {
        self.forms.iter().any(|pattern| pattern.is_match(path))
    }

    /// Every fault of a value against the schema of that name, at most 100.
    pub fn faults(&self, schema: &str, value: &Value) -> Result<Vec<FieldError>> {
        let validator = self.validator(schema)?;
        let mut faults = Vec::new();
        for error in validator.iter_errors(value) {
            collect(&error, &mut faults);
        }
        forbidden_characters(value, &mut String::new(), &mut faults);
        faults.sort_by(|a, b| a.pointer.cmp(&b.pointer));
        faults.truncate(100);
        Ok(faults)
    }

    /// A schema with those that it refers to, and so on: a validator of all schemas would be as long as the document.
    fn reached_from<'s>(&'s self, schema: &'s str) -> serde_json::Map<String, Value> {
        let all = &self.document["components"]["schemas"];
        let (mut reached, mut open) = (serde_json::Map::new(), vec![schema]);
        while let Some(name) = open.pop() {
            if !reached.contains_key(name) {
                reached.insert(name.to_owned(), all[name].clone());
                named_in(&all[name], &mut open);
            }
        }
        reached
    }

    fn validator(&self, schema: &str) -> Result<Arc<Validator>> {
        if let Some(known) = self.validators.read().unwrap_or_else(PoisonError::into_inner).get(schema) {
            return Ok(Arc::clone(known));
        }
        let root = json!({
            "$ref": format!("{SCHEMAS}{schema}"),
            "components": { "schemas": self.reached_from(schema) },
        });
        let parses = |parsed: std::result::Result<(), values::Unparsable>| parsed.is_ok();
        let validator = jsonschema::options()
            .offline()
            .should_validate_formats(true)
            .with_format("iso-4217", move |text: &str| parses(text.parse::<values::Currency>().map(drop)))
            .with_format("iso-3166-1-alpha-2", move |text: &str| {
                parses(text.parse::<values::Country>().map(drop))
            })
            .with_format("date", move |text: &str| parses(text.parse::<values::CalendarDate>().map(drop)))
            .build(&root)
            .map_err(|error| Error::internal(error.to_string()))?;
        let validator = Arc::new(validator);
        let mut validators = self.validators.write().unwrap_or_else(PoisonError::into_inner);
        validators.insert(schema.to_owned(), Arc::clone(&validator));
        Ok(validator)
    }
}

/// Adds the names of the schemas that a schema refers to.
fn named_in<'s>(schema: &'s Value, names: &mut Vec<&'s str>) {
    match schema {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str().filter(|_| name == "$ref") {
                    Some(target) => names.extend(target.strip_prefix(SCHEMAS)),
                    None => named_in(value, names),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| named_in(item, names)),
        _ => {}
    }
}

/// The name of the schema that a `$ref` points to.
fn name_of(reference: &Value) -> &str {
    reference["$ref"].as_str().and_then(|text| text.rsplit('/').next()).unwrap_or_default()
}

/// Whether a character is a control character other than a line break or tab, or turns the direction of the text.
fn is_forbidden(c: char) -> bool {
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && c != '\n' && c != '\t')
}

/// Whether a character shows nothing, and is no white space: a text that has such a character at an end looks like another
/// text, or like none.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}'
        | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}')
}

/// The fault of a text's characters.
fn fault_of(text: &str, pointer: &str) -> Option<FieldError> {
    if text.chars().any(is_forbidden) {
        let message =
            text!("write the text without control characters", "制御文字を含めずに入力してください。");
        return Some(FieldError::new(pointer, "control_character", message));
    }
    let ends = [text.chars().next(), text.chars().next_back()];
    ends.into_iter().flatten().any(is_invisible).then(|| {
        let message = text!(
            "write the text without invisible characters, such as U+200B, at its beginning and end",
            "先頭と末尾に、U+200B などの目に見えない文字を含めずに入力してください。"
        );
        FieldError::new(pointer, "invisible_character", message)
    })
}

/// Adds a fault for every text with characters that no record needs: PostgreSQL cannot store NUL, and characters that
/// turn the direction hide from a person what a text says.
fn forbidden_characters(value: &Value, pointer: &mut String, faults: &mut Vec<FieldError>) {
    let mut within = |segment: &str, member: &Value, pointer: &mut String| {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(&segment.replace('~', "~0").replace('/', "~1"));
        forbidden_characters(member, pointer, faults);
        pointer.truncate(length);
    };
    match value {
        Value::String(text) => {
            faults.extend(fault_of(text, pointer));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                within(&index.to_string(), item, pointer);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                within(name, member, pointer);
            }
        }
        _ => {}
    }
}

fn collect(error: &jsonschema::ValidationError<'_>, faults: &mut Vec<FieldError>) {
    let at = error.instance_path().to_string();
    let below = |name: &str| format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
    let fault = |code: &'static str, message: Text| FieldError::new(at.clone(), code, message);
    let (code, message) = match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            faults.push(FieldError::new(
                below(name),
                "required",
                text!("this member is required", "この項目は必須です。"),
            ));
            return;
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            faults.extend(unexpected.iter().take(20).map(|name| {
                let name: String = name.chars().take(100).collect();
                FieldError::new(
                    below(&name),
                    "unknown_member",
                    text!(
                        "there is no such member here; leave it out",
                        "この項目は存在しません。省略してください。"
                    ),
                )
            }));
            return;
        }
        // Of the alternatives of a tagged union, the alternative whose tag fits names the faults.
        Kind::OneOfNotValid { context } | Kind::AnyOf { context } => {
            let fits = |branch: &&Vec<jsonschema::ValidationError<'static>>| {
                !branch.iter().any(|e| {
                    matches!(e.kind(), Kind::Enum { .. } | Kind::Constant { .. } | Kind::Type { .. })
                })
            };
            if let Some(branch) = context.iter().filter(fits).min_by_key(|branch| branch.len()) {
                for error in branch {
                    collect(error, faults);
                }
                return;
            }
            (
                "no_alternative",
                text!(
                    "fits none of the alternatives the contract lists; check its type or tag",
                    "API 仕様で定められたいずれの形式にも一致しません。型または種別をご確認ください。"
                ),
            )
        }
        kind => in_words(kind, error),
    };
    faults.push(fault(code, message));
}

/// The code and the words of a fault of one value.
fn in_words(kind: &Kind, error: &jsonschema::ValidationError<'_>) -> (&'static str, Text) {
    match kind {
        Kind::MinLength { limit: 1 } => {
            ("too_short", text!("must not be empty", "空にすることはできません。"))
        }
        Kind::MinLength { limit } => {
            ("too_short", text!("write at least {limit} characters", "{limit} 文字以上で入力してください。"))
        }
        Kind::MaxLength { limit } => {
            ("too_long", text!("write at most {limit} characters", "{limit} 文字以内で入力してください。"))
        }
        Kind::Minimum { limit } => {
            ("too_small", text!("must be {limit} or more", "{limit} 以上の値を指定してください。"))
        }
        Kind::Maximum { limit } => {
            ("too_large", text!("must be {limit} or less", "{limit} 以下の値を指定してください。"))
        }
        Kind::MinItems { limit } => {
            ("too_few", text!("give at least {limit}", "{limit} 件以上指定してください。"))
        }
        Kind::MaxItems { limit } => {
            ("too_many", text!("give at most {limit}", "{limit} 件以内で指定してください。"))
        }
        Kind::UniqueItems => {
            ("duplicate", text!("give each item once", "同じ項目を重複して指定しないでください。"))
        }
        Kind::Pattern { pattern } => {
            ("pattern", text!("must match {pattern}", "{pattern} の形式で入力してください。"))
        }
        Kind::Format { format } => ("format", described(format)),
        Kind::Enum { options } => {
            ("not_listed", text!("must be one of {options}", "次のいずれかを指定してください：{options}"))
        }
        Kind::Type { .. } => ("type", Text::new(masked(error), "値の型が正しくありません。")),
        _ => ("invalid", Text::new(masked(error), "値が正しくありません。")),
    }
}

/// The validator's own words, which are in English, without the value.
fn masked(error: &jsonschema::ValidationError<'_>) -> String {
    error.masked().to_string().chars().take(300).collect()
}

/// A format of the contract, in words.
fn described(format: &str) -> Text {
    match format {
        "iso-4217" => text!(
            "must be an ISO 4217 currency with minor units, such as USD, EUR or JPY",
            "USD、EUR、JPY など、補助単位のある ISO 4217 の通貨コードを指定してください。"
        ),
        "iso-3166-1-alpha-2" => text!(
            "must be an ISO 3166-1 alpha-2 country, such as US, DE or JP",
            "US、DE、JP など、ISO 3166-1 alpha-2 の国コードを指定してください。"
        ),
        "date" => text!(
            "must be a date such as 2026-07-01, from 1900 on",
            "2026-07-01 のような日付（1900 年以降）を指定してください。"
        ),
        "date-time" => text!(
            "must be an RFC 3339 instant such as 2026-07-01T09:30:00Z",
            "2026-07-01T09:30:00Z のような RFC 3339 形式の日時を指定してください。"
        ),
        "uuid" => text!("must be a hyphenated UUID", "ハイフン区切りの UUID を指定してください。"),
        "email" => text!(
            "must be an e-mail address such as mia@example.com",
            "mia@example.com のようなメールアドレスを指定してください。"
        ),
        other => text!("must be {other}", "{other} の形式で指定してください。"),
    }
}
