//! Header fields that make a request conditional or repeatable.

use super::Answer;
use crate::{
    platform::{Error, Result, codes},
    text,
};
use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header};
use std::future::{Ready, ready};

/// The `If-Match` field: the revisions of the record that a change is meant for.
///
/// The field is compared inside the unit, after the other checks: a request that fails another check fails for that
/// reason (RFC 9110, 13.2.1).
#[derive(Clone, Debug)]
pub struct IfMatch(Option<String>);

impl IfMatch {
    /// Refuses a change that names no revision (428) or another revision (412).
    pub fn permits(&self, revision: i64) -> Result<()> {
        let Some(field) = &self.0 else {
            return Err(Error::new(
                &codes::PRECONDITION_REQUIRED,
                text!(
                    "send the ETag of the record you read in If-Match",
                    "読み取ったデータの ETag を If-Match に指定してください。"
                ),
            ));
        };
        if field.trim() == "*" || field.split(',').any(|tag| names(tag.trim(), revision)) {
            return Ok(());
        }
        Err(Error::new(
            &codes::PRECONDITION_FAILED,
            text!(
                "the record is at revision \"{revision}\" now; read it again and repeat your change",
                "データは現在、版 \"{revision}\" です。読み直してから、再度変更してください。"
            ),
        ))
    }

    /// Refuses a change that names another revision (412), and permits one that names none: for a `PUT`, whose body
    /// replaces the whole record. `revision` is none where the record does not exist yet.
    pub fn permits_if_sent(&self, revision: Option<i64>) -> Result<()> {
        match (&self.0, revision) {
            (None, _) => Ok(()),
            (Some(_), Some(revision)) => self.permits(revision),
            (Some(_), None) => Err(Error::new(
                &codes::PRECONDITION_FAILED,
                text!(
                    "there is no record to match yet; leave If-Match out to make it",
                    "一致させるデータがまだありません。作成する場合は If-Match を省略してください。"
                ),
            )),
        }
    }
}

impl FromRequest for IfMatch {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let fields: Vec<_> =
            request.headers().get_all(header::IF_MATCH).filter_map(|v| v.to_str().ok()).collect();
        ready(Ok(Self((!fields.is_empty()).then(|| fields.join(",")))))
    }
}

/// Whether an entity tag names this revision, with any mark behind the revision. A proxy that compresses weakens a tag
/// (`W/"7"`) or marks it (`"7-gzip"`); the revision is exact all the same.
fn names(tag: &str, revision: i64) -> bool {
    let strong = tag.strip_prefix("W/").unwrap_or(tag);
    let bare = strong.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    let named = bare.and_then(|bare| bare.split(['.', '-', ';']).next());
    named == Some(revision.to_string().as_str())
}

/// The `Idempotency-Key` field: 1 to 128 printable ASCII characters without spaces.
#[derive(Clone, Debug)]
pub struct IdempotencyKey(pub String);

impl IdempotencyKey {
    /// The key of a request; none where the request has no such field.
    pub fn of(request: &HttpRequest) -> Result<Option<Self>> {
        let mut fields = request.headers().get_all("Idempotency-Key");
        let Some(field) = fields.next() else { return Ok(None) };
        let key = field.to_str().unwrap_or("");
        let fits = (1..=128).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
        if !fits || fields.next().is_some() {
            return Err(Error::new(
                &codes::MALFORMED,
                text!(
                    "Idempotency-Key: send one key of 1 to 128 printable ASCII characters without spaces, such as a UUID",
                    "Idempotency-Key には、UUID など、空白を含まない 1 ～ 128 文字の印字可能な ASCII 文字のキーを 1 つ指定してください。"
                ),
            ));
        }
        Ok(Some(Self(key.to_owned())))
    }
}

/// Whether the caller has this representation already: `If-None-Match` (RFC 9110, 13.1.2).
pub(super) fn has_it_already(request: &HttpRequest, etag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    request
        .headers()
        .get_all(header::IF_NONE_MATCH)
        .filter_map(|field| field.to_str().ok())
        .any(|field| field.trim() == "*" || field.split(',').any(|tag| bare(tag) == bare(etag)))
}

impl Answer {
    /// The stored answer, marked as an answer to a repeated request.
    #[must_use]
    pub fn again(self) -> Self {
        Self { replayed: true, ..self }
    }
}
