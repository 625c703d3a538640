//! Request bodies: JSON, checked against the contract; one answer reports every fault of a body.

use super::{Contract, IdempotencyKey, document::document, pace::Pace};
use crate::{
    platform::{Error, FieldError, Result, codes, cut, values::Text},
    text,
};
use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::{Method, header},
    web::{Bytes, Data},
};
use aws_lc_rs::digest;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{collections::BTreeMap, fmt::Display, future::Future, pin::Pin, time::Duration};
use validator::{Validate, ValidationError, ValidationErrors, ValidationErrorsKind};

/// A body the contract describes: its shape is checked against its schema, its members by their types.
pub trait Wire: DeserializeOwned + utoipa::ToSchema {}
impl<T: DeserializeOwned + utoipa::ToSchema> Wire for T {}

/// The valid body of a request, with the identity of a repeatable request.
#[derive(Clone, Debug)]
pub struct Body<T> {
    /// The parsed body.
    pub value: T,
    /// By which a repeat of the request is known; none of a request without an idempotency key.
    pub repeatable: Option<Repeatable>,
}

/// A body that keeps the rules of its type too: those the contract cannot say, of one member or across members.
#[derive(Clone, Debug)]
pub struct Checked<T>(pub Body<T>);

impl<T: Wire + Validate + 'static> FromRequest for Checked<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = Body::<T>::from_request(request, payload);
        Box::pin(async move {
            let body = body.await?;
            body.value.validate().map_err(|errors| Error::invalid(placed(&errors)))?;
            Ok(Self(body))
        })
    }
}

/// How long a body may take to arrive, and how large it may be. Put into the application's data.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// The longest time from the end of the head to the last byte of the body.
    pub deadline: Duration,
    /// The slowest pace of an upload.
    pub pace: Pace,
    /// The most bytes of an upload, which is read while the bytes arrive.
    pub upload_bytes: u64,
}

impl<T: Wire + 'static> FromRequest for Body<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let bytes = Bytes::from_request(&request, payload);
        Box::pin(async move {
            let media = media_type(&request)?;
            let bytes = collect(&request, bytes).await?;
            let bytes = if bytes.is_empty() && !media { Bytes::from_static(b"{}") } else { bytes };
            let contract =
                request.app_data::<Data<Contract>>().ok_or_else(|| Error::internal("no contract"))?;
            let document = document(&bytes)?;
            let repeatable = Repeatable::of(&request, Some(&document))?;
            Ok(Self { value: contract.typed(document)?, repeatable })
        })
    }
}

/// The whole body, where the last byte arrives before the deadline.
pub(super) async fn collect(
    request: &HttpRequest,
    bytes: impl Future<Output = std::result::Result<Bytes, actix_web::Error>>,
) -> Result<Bytes> {
    let limits = request.app_data::<BodyLimits>();
    let deadline = limits.map_or(Duration::from_secs(10), |limits| limits.deadline);
    tokio::time::timeout(deadline, bytes).await.map_err(|_| late())?.map_err(|e| unread(&e))
}

/// Whether the request names a media type; refuses a media type other than JSON, and any content encoding.
fn media_type(request: &HttpRequest) -> Result<bool> {
    let unsupported = |detail| Err(Error::new(&codes::UNSUPPORTED_MEDIA_TYPE, detail));
    if request.headers().contains_key(header::CONTENT_ENCODING) {
        return unsupported(text!(
            "send the body without Content-Encoding",
            "本文は Content-Encoding なしで送信してください。"
        ));
    }
    let Some(field) = request.headers().get(header::CONTENT_TYPE) else {
        let empty = !request.headers().contains_key(header::TRANSFER_ENCODING)
            && request.headers().get(header::CONTENT_LENGTH).is_none_or(|length| length == "0");
        return if empty {
            Ok(false)
        } else {
            unsupported(text!(
                "send Content-Type: application/json",
                "Content-Type: application/json を指定してください。"
            ))
        };
    };
    let media = field.to_str().unwrap_or("").split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    match media.as_str() {
        "application/json" => Ok(true),
        "application/merge-patch+json" if request.method() == Method::PATCH => Ok(true),
        _ => unsupported(text!(
            "send Content-Type: application/json",
            "Content-Type: application/json を指定してください。"
        )),
    }
}

impl Contract {
    /// Parses a JSON body; the error lists every fault of the body.
    pub fn read<T: Wire>(&self, bytes: &[u8]) -> Result<T> {
        self.typed(document(bytes)?)
    }

    fn typed<T: Wire>(&self, document: Value) -> Result<T> {
        let mut faults = self.faults(&T::name(), &document)?;
        let read: std::result::Result<T, _> = serde_path_to_error::deserialize(document);
        match read {
            Ok(read) if faults.is_empty() => Ok(read),
            Ok(_) => Err(Error::invalid(faults)),
            Err(error) => {
                let pointer = pointer(error.path());
                if !faults.iter().any(|fault| fault.pointer.starts_with(&pointer)) {
                    faults.push(FieldError::new(pointer, "value", wrong_form(error.inner())));
                }
                Err(Error::invalid(faults))
            }
        }
    }
}

/// The words of whoever parses a value, which are in English: in Japanese they say that the form is wrong.
pub(super) fn wrong_form(error: &impl Display) -> Text {
    let english = error.to_string();
    let english = english.split(" at line ").next().unwrap_or_default();
    Text::new(
        cut(english, 500).to_owned(),
        "値の形式が正しくないか、該当する項目が存在しません。API 仕様で定められた形式で指定してください。",
    )
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Seq { index } => format!("/{index}"),
            Segment::Enum { .. } | Segment::Unknown => String::new(),
        })
        .collect()
}

/// The answer of a rule that finds no fault, or several: each at a JSON pointer below the member or the body that the
/// rule is about.
pub fn faultless(faults: Vec<FieldError>) -> std::result::Result<(), ValidationError> {
    if faults.is_empty() {
        return Ok(());
    }
    let mut error = ValidationError::new("faults");
    error.add_param("faults".into(), &faults);
    Err(error)
}

/// The faults `validator` found, with JSON pointers.
fn placed(errors: &ValidationErrors) -> Vec<FieldError> {
    fn walk(errors: &ValidationErrors, at: &str, faults: &mut Vec<FieldError>) {
        // By name: the fields come in no order.
        for (field, kind) in errors.errors().iter().collect::<BTreeMap<_, _>>() {
            let here = if field == "__all__" { at.to_owned() } else { format!("{at}/{field}") };
            match kind {
                ValidationErrorsKind::Struct(inner) => walk(inner, &here, faults),
                ValidationErrorsKind::List(items) => {
                    for (index, inner) in items {
                        walk(inner, &format!("{here}/{index}"), faults);
                    }
                }
                ValidationErrorsKind::Field(found) => {
                    faults.extend(found.iter().flat_map(|error| below(&here, error)));
                }
            }
        }
    }
    let mut faults = Vec::new();
    walk(errors, "", &mut faults);
    faults
}

/// The faults of one rule: those it lists, each below the place of the rule; else the rule itself, at its place.
fn below(here: &str, error: &ValidationError) -> Vec<FieldError> {
    let listed = error.params.get("faults").cloned();
    let listed: Option<Vec<FieldError>> = listed.and_then(|faults| serde_json::from_value(faults).ok());
    let own = || {
        // A rule that says no words of its own has those of the contract's member, in English.
        let message = error.message.clone().unwrap_or_else(|| error.code.clone());
        vec![FieldError::new("", error.code.clone(), Text::new(message, "値が正しくありません。"))]
    };
    let mut faults = listed.unwrap_or_else(own);
    for fault in &mut faults {
        fault.pointer.insert_str(0, here);
    }
    faults
}

/// By which a repeat of a request is known.
#[derive(Clone, Debug)]
pub struct Repeatable {
    /// The idempotency key the caller sent.
    pub key: IdempotencyKey,
    /// The SHA-256 of method, path, query and canonical body: a key belongs to one request, however its members are ordered.
    pub fingerprint: Vec<u8>,
}

impl Repeatable {
    /// The identity of a request that carries an idempotency key.
    pub fn of(request: &HttpRequest, body: Option<&Value>) -> Result<Option<Self>> {
        let Some(key) = IdempotencyKey::of(request)? else { return Ok(None) };
        let canonical = body.map(serde_json_canonicalizer::to_vec).transpose();
        let body = canonical.map_err(Error::internal)?.unwrap_or_default();
        Ok(Some(Self { key, fingerprint: fingerprint(request, &body) }))
    }
}

fn fingerprint(request: &HttpRequest, body: &[u8]) -> Vec<u8> {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [request.method().as_str(), request.path(), request.query_string()] {
        context.update(part.as_bytes());
        context.update(b"\n");
    }
    context.update(body);
    context.finish().as_ref().to_vec()
}

fn late() -> Error {
    Error::new(
        &codes::REQUEST_TIMEOUT,
        text!("the body did not arrive in time", "制限時間内に本文を受信できませんでした。"),
    )
}

fn unread(error: &actix_web::Error) -> Error {
    match error.as_response_error().status_code().as_u16() {
        413 => Error::new(&codes::TOO_LARGE, text!("the body may have 1 MiB", "本文は 1 MiB までです。")),
        _ => Error::new(
            &codes::MALFORMED,
            text!("the body could not be read to its end", "本文を最後まで読み取れませんでした。"),
        ),
    }
}

/// Parses a removable member of a merge patch: an absent member is `None`, null is `Some(None)`.
pub mod double_option {
    use serde::{Deserialize, Deserializer};

    /// Parses a present member.
    pub fn deserialize<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
    where
        D: Deserializer<'de>,
        T: Deserialize<'de>,
    {
        Option::<T>::deserialize(deserializer).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Validate)]
    #[validate(schema(function = "distinct"))]
    struct Basket {
        #[validate(nested)]
        items: Vec<Item>,
    }

    #[derive(Validate)]
    struct Item {
        #[validate(custom(function = "even"))]
        count: i32,
    }

    fn even(count: i32) -> std::result::Result<(), ValidationError> {
        if count % 2 == 0 {
            Ok(())
        } else {
            Err(ValidationError::new("odd").with_message("an even count".into()))
        }
    }

    fn distinct(basket: &Basket) -> std::result::Result<(), ValidationError> {
        let again = |at: usize| {
            basket.items.get(..at).is_some_and(|before| {
                before.iter().any(|item| basket.items.get(at).is_some_and(|one| one.count == item.count))
            })
        };
        let places = (0..basket.items.len()).filter(|at| again(*at));
        faultless(
            places
                .map(|at| FieldError::new(format!("/items/{at}"), "duplicate", text!("once", "一度だけ")))
                .collect(),
        )
    }

    #[test]
    fn faults_of_rules_are_at_their_places() {
        let faults = |counts: &[i32]| {
            let basket = Basket { items: counts.iter().map(|count| Item { count: *count }).collect() };
            let errors = basket.validate().err();
            let faults = errors.map(|errors| placed(&errors)).unwrap_or_default();
            faults.into_iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect::<Vec<_>>()
        };
        assert!(faults(&[2, 4]).is_empty());
        assert_eq!(faults(&[2, 3]), ["/items/1/count odd"]);
        assert_eq!(faults(&[2, 2, 4, 2]), ["/items/1 duplicate", "/items/3 duplicate"]);
    }
}
