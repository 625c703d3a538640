//! The answer of a handler: a status, a body, and the header fields of the record.

use super::{Reader, negotiation::written_in};
use crate::platform::{Error, values::Locale};
use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;
use std::fmt::Write as _;

/// The bytes of a body's hash that an entity tag shows: enough to tell one representation of a record from another.
const MARK_BYTES: usize = 6;

/// An answer, which is sent, and may be stored with the idempotency key and sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body; empty of an answer without a body.
    pub body: Vec<u8>,
    /// The entity tag of the record.
    pub etag: Option<String>,
    /// The address of the record that was made.
    pub location: Option<String>,
    /// The address of the next page.
    pub next: Option<String>,
    /// The body for a repeated request, where the body of the first answer holds a secret.
    pub kept: Option<Vec<u8>>,
    /// The language of what people read in the body; none where that is the reader's.
    pub language: Option<Locale>,
    /// Whether this is a stored answer to a repeated request.
    pub replayed: bool,
}

impl Answer {
    fn of(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self {
            status,
            body,
            etag: None,
            location: None,
            next: None,
            kept: None,
            language: None,
            replayed: false,
        }
    }

    /// 200 with a body.
    pub fn ok(body: &impl Serialize) -> Self {
        Self::of(200, body)
    }

    /// 200 with a record at a revision. What the body shows may follow the reader, the language, the day and other records: the
    /// entity tag names the revision and the representation, so that another one is never "not modified"; `If-Match` compares
    /// the revision alone.
    pub fn record(body: &impl Serialize, revision: i64) -> Self {
        let answer = Self::of(200, body);
        Self { etag: Some(entity_tag(revision, &answer.body)), ..answer }
    }

    /// 201 with the new record and its address.
    pub fn created(location: String, body: &impl Serialize, revision: i64) -> Self {
        Self::record(body, revision).made_at(location)
    }

    /// This answer with status 201 and the address of the new record.
    #[must_use]
    pub fn made_at(self, location: String) -> Self {
        Self { status: 201, location: Some(location), ..self }
    }

    /// This answer with a record, with another body for a repeated request: a secret is shown once, and neither stored nor told by
    /// the entity tag.
    #[must_use]
    pub fn kept_as(self, body: &impl Serialize, revision: i64) -> Self {
        let kept = Self::record(body, revision);
        Self { etag: kept.etag, kept: Some(kept.body), ..self }
    }

    /// 202: the work goes on; the record at `location` shows its progress.
    pub fn accepted(location: String, body: &impl Serialize) -> Self {
        Self { location: Some(location), ..Self::of(202, body) }
    }

    /// 204, without a body.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            status: 204,
            body: Vec::new(),
            etag: None,
            location: None,
            next: None,
            kept: None,
            language: None,
            replayed: false,
        }
    }

    /// A refusal whose records stay: the unit commits, the caller gets a problem document in the reader's language.
    #[must_use]
    pub fn refused(error: &Error, request_id: &str, language: Locale) -> Self {
        let body = error.to_problem(request_id, language);
        Self { status: error.code.status, body, ..Self::nothing() }
    }
}

/// The entity tag of a record at a revision in one of its representations.
fn entity_tag(revision: i64, body: &[u8]) -> String {
    let mut tag = format!("\"{revision}.");
    for byte in digest(&SHA256, body).as_ref().iter().take(MARK_BYTES) {
        // Writing into a text cannot fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

impl Responder for Answer {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::build(StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK));
        for (name, value) in [(header::ETAG, self.etag), (header::LOCATION, self.location)] {
            if let Some(value) = value {
                response.insert_header((name, value));
            }
        }
        if let Some(next) = self.next {
            response.insert_header((header::LINK, format!("<{next}>; rel=\"next\"")));
        }
        if self.replayed {
            response.insert_header(("Idempotent-Replayed", "true"));
        }
        if self.status == 204 {
            return response.finish();
        }
        // What people read follows the language that is asked for; a stored answer stays as it was.
        let language = self.language.unwrap_or_else(|| Reader::of(request).language());
        written_in(language, &mut response);
        let media = if self.status >= 400 { "application/problem+json" } else { "application/json" };
        response.insert_header((header::CONTENT_TYPE, HeaderValue::from_static(media))).body(self.body)
    }
}
