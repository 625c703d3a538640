//! The one error type, in the words the caller reads.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use utoipa::ToSchema;

/// A stable, documented kind of problem. Its page is served at `/problems/{code}`.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The stable identifier that clients branch on, in `snake_case`; unique in the whole service.
    pub code: &'static str,
    /// The HTTP status of the answer.
    pub status: u16,
    /// One line, the same for every occurrence.
    pub title: &'static str,
    /// The text of the problem's page: the meaning, and how the caller mends the request.
    pub help: &'static str,
}

/// Declares a slice's problem codes: one static for each code, and `CODES` with all of them for the catalogue.
#[macro_export]
macro_rules! problem_codes {
    ($($name:ident = $code:literal $status:literal $title:literal, $help:literal;)+) => {
        $(
            #[doc = $title]
            pub static $name: $crate::platform::Code = $crate::platform::Code {
                code: $code,
                status: $status,
                title: $title,
                help: $help,
            };
        )+

        /// Every problem code declared here.
        pub static CODES: &[&$crate::platform::Code] = &[$(&$name),+];
    };
}

/// The problem codes of the conventions; a slice declares the codes of its rules beside the rules.
pub mod codes {
    problem_codes! {
        MALFORMED = "malformed" 400 "The request cannot be read", "The body is not JSON in UTF-8, or a path, query or header value has the wrong form. `detail` says where.";
        UNKNOWN_PARAMETER = "unknown_parameter" 400 "Unknown or malformed query parameter", "The operation has no query parameter of that name, or its value has the wrong form. The contract lists the parameters of every operation.";
        INVALID_REQUEST = "invalid_request" 400 "The form is not right", "A parameter is missing, given twice, or not of the form the contract asks for. `errors` lists those that are wrong.";
        INVALID_CURSOR = "invalid_cursor" 400 "The cursor is not one of ours", "Pass `next_cursor` of the previous page unchanged, with the same filters and the same `sort`, or leave `cursor` out to start again.";
        UNAUTHENTICATED = "unauthenticated" 401 "Sign in first", "The request carries no access token, or one that is expired, revoked or not ours. Sign in at `POST /v1/auth/login` and send `Authorization: Bearer <access_token>`.";
        FORBIDDEN = "forbidden" 403 "Your role may not do this", "Each operation lists the roles that may call it. Ask a programme operator, or your organisation's incentive admin.";
        NOT_FOUND = "not_found" 404 "There is nothing here", "The address is wrong, the record does not exist, or it lies outside what you may see.";
        METHOD_NOT_ALLOWED = "method_not_allowed" 405 "This address does not take that method", "The `Allow` header lists the methods it takes.";
        NOT_ACCEPTABLE = "not_acceptable" 406 "No representation you accept", "The service answers `application/json`, and problems as `application/problem+json`.";
        REQUEST_TIMEOUT = "request_timeout" 408 "The request took too long to arrive", "Send the whole request within the deadline; large uploads have operations of their own.";
        CONFLICT = "conflict" 409 "Another record stands in the way", "A record with the same unique value exists already, or something still refers to this one.";
        PRECONDITION_FAILED = "precondition_failed" 412 "The record has changed since you read it", "Read it again, apply your change to what you see, and send it with the new `ETag` in `If-Match`.";
        TOO_LARGE = "too_large" 413 "The body is too large", "A JSON body may have 1 MiB.";
        URI_TOO_LONG = "uri_too_long" 414 "The address is too long", "Path and query together may have 8 KiB.";
        UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type" 415 "This media type is not taken", "Send `Content-Type: application/json` (a change also `application/merge-patch+json`), without content encoding.";
        INVALID = "invalid" 422 "Some fields are not valid", "`errors` lists every field with a JSON pointer, a code and how to mend it.";
        IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused" 422 "This idempotency key was used for another request", "Make a new key for every new request; repeat a key only with the identical request.";
        PRECONDITION_REQUIRED = "precondition_required" 428 "Say which revision you are changing", "Send the `ETag` you read in `If-Match`, so that nobody's change is lost.";
        TOO_MANY_REQUESTS = "too_many_requests" 429 "Too many requests", "Wait as long as `Retry-After` says. `RateLimit` and `RateLimit-Policy` show what is left.";
        HEADERS_TOO_LARGE = "headers_too_large" 431 "The header fields are too large", "Header fields together may have 32 KiB.";
        INTERNAL = "internal" 500 "Something went wrong on our side", "Nothing was changed, unless `detail` says otherwise. Try again; if it stays, report the `request_id`.";
        AMOUNT_OUT_OF_RANGE = "amount_out_of_range" 409 "A sum leaves the range of amounts", "A sum of amounts would be larger than can be stored. Take back the sales that are wrong; then the calculation goes on.";
        OUTCOME_UNKNOWN = "outcome_unknown" 503 "Nobody can say now whether it was done", "The database went away while it made the change durable. Repeat the identical request with the same `Idempotency-Key` after `Retry-After`: where it was done, the stored answer comes back; where not, it is done now. Without a key, look first whether the change is there.";
        UNAVAILABLE = "unavailable" 503 "The service cannot answer just now", "The database is busy or out of reach. Nothing was changed; repeat after `Retry-After`, with the same `Idempotency-Key`.";
    }
}

/// One field that is not right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"pointer": "/country", "code": "format", "message": "write an ISO 3166-1 alpha-2 country such as DE"}))]
pub struct FieldError {
    /// Where, as a JSON pointer into the request body (RFC 6901), or the name of a query parameter.
    #[schema(max_length = 400, examples("/country"))]
    pub pointer: String,
    /// Stable kind of the fault.
    #[schema(max_length = 60, examples("format"))]
    pub code: Cow<'static, str>,
    /// What is wrong and how to mend it.
    #[schema(max_length = 1000, examples("write an ISO 3166-1 alpha-2 country such as DE"))]
    pub message: String,
}

impl FieldError {
    /// A fault at a JSON pointer.
    pub fn new(
        pointer: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        // A caller's member name may be of any length, and so may the pointer to the member.
        let (pointer, message) = (pointer.into(), message.into());
        Self { pointer: cut(&pointer, 400).into(), code: code.into(), message: cut(&message, 1000).into() }
    }
}

/// The first `most` characters of a text, as many as the contract allows for the field.
#[must_use]
pub fn cut(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

/// Why a request was not done; the error of every fallible function of the service.
#[derive(Debug)]
pub struct Error {
    /// The documented kind of the problem.
    pub code: &'static Code,
    /// The fault of this request, and how the caller mends the request.
    pub detail: Cow<'static, str>,
    /// Every field that is not valid; empty but for validation problems.
    pub errors: Vec<FieldError>,
    /// Members of the problem beyond the common ones, such as `checks` or `allowed`.
    pub extra: Box<serde_json::Map<String, serde_json::Value>>,
    /// Seconds after which a repeat makes sense.
    pub retry_after: Option<u32>,
    /// The cause, for the log only; never part of the answer.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A problem of the given code.
    pub fn new(code: &'static Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            extra: Box::default(),
            retry_after: None,
            source: None,
        }
    }

    /// The record does not exist, or the caller may not know that it does.
    #[must_use]
    pub fn not_found(what: &'static str) -> Self {
        Self::new(&codes::NOT_FOUND, format!("there is no such {what}, or it lies outside what you may see"))
    }

    /// Fields that are not right.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [one] => format!("{}: {}", one.pointer, one.message),
            many => format!("{} fields are not valid; see errors", many.len()),
        };
        Self { errors, ..Self::new(&codes::INVALID, detail) }
    }

    /// One field that is not right.
    pub fn invalid_field(
        pointer: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self::invalid(vec![FieldError::new(pointer, code, message)])
    }

    /// Turns "not found" into a fault of the member at `pointer`, which named the missing record; any other error stays
    /// as it is.
    #[must_use]
    pub fn as_fault_at(self, pointer: &str, message: &str) -> Self {
        if *self.code == codes::NOT_FOUND {
            Self::invalid_field(pointer, "unknown", message.to_owned())
        } else {
            self
        }
    }

    /// A fault of the service; the source goes to the log.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new(&codes::INTERNAL, "an unexpected fault; nothing was changed")
        }
    }

    /// The service cannot answer just now; the caller may repeat the request after a second.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            retry_after: Some(1),
            ..Self::new(&codes::UNAVAILABLE, "the database is busy or out of reach; nothing was changed")
        }
    }

    /// The database went away in `COMMIT`, and no connection can tell whether the unit is durable.
    pub fn outcome_unknown(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            retry_after: Some(1),
            ..Self::new(
                &codes::OUTCOME_UNKNOWN,
                "the database went away before it said whether the change is durable; repeat the request with the \
                 same Idempotency-Key",
            )
        }
    }

    /// Adds a member to the problem document.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Serialize) -> Self {
        self.extra.insert(member.to_owned(), serde_json::to_value(value).unwrap_or_default());
        self
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.code, self.detail)?;
        match &self.source {
            Some(source) => write!(f, " ({source})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
