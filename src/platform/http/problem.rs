//! Errors on the wire: RFC 9457 problem documents.

use super::{Reader, RequestId, negotiation::written_in};
use crate::platform::{Code, Error, FieldErrorView, cut, values::Locale};
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

/// Why a request was not done (RFC 9457). Clients branch on `code`; `type` is a page that explains it. Title, detail and the
/// messages of `errors` are in the language that `Accept-Language` prefers, else in that of the caller's account, else in
/// English.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "type": "/problems/not_found", "title": "There is nothing here", "status": 404,
    "detail": "there is no such record, or it lies outside what you may see", "code": "not_found",
    "request_id": "0193a1b2-3c4d-7e5f-8a9b-0c1d2e3f4a5b"
}))]
pub struct Problem<'a> {
    /// Address of the page that explains this kind of problem.
    #[schema(max_length = 200, format = "uri-reference", examples("/problems/not_found"))]
    r#type: String,
    /// The kind of problem in one line, the same for every occurrence.
    #[schema(max_length = 200, examples("There is nothing here"))]
    title: &'a str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599, examples(404))]
    status: u16,
    /// What happened this time, and how to mend it.
    #[schema(max_length = 2000, examples("there is no such record, or it lies outside what you may see"))]
    detail: &'a str,
    /// Stable identifier of the kind of problem; every code is listed at `/problems`.
    #[schema(max_length = 60, examples("not_found"))]
    code: &'a str,
    /// The request, for the log; the same as the `X-Request-Id` field.
    #[schema(max_length = 128, examples("0193a1b2-3c4d-7e5f-8a9b-0c1d2e3f4a5b"))]
    request_id: &'a str,
    /// Every field that is not valid.
    #[schema(max_items = 100)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldErrorView<'a>>,
    /// Further members that a kind of problem carries, such as `checks` or `allowed`.
    #[serde(flatten)]
    #[schema(ignore)]
    extra: &'a serde_json::Map<String, serde_json::Value>,
}

impl Error {
    /// The problem document of this error, in the language of the reader.
    #[must_use]
    pub fn to_problem(&self, request_id: &str, language: Locale) -> Vec<u8> {
        let problem = Problem {
            r#type: format!("/problems/{}", self.code.code),
            title: language.of(self.code.title),
            status: self.code.status,
            detail: cut(self.detail.in_language(language), 2000),
            code: self.code.code,
            request_id,
            errors: self.errors.iter().map(|fault| fault.view(language)).collect(),
            extra: &self.extra,
        };
        serde_json::to_vec(&problem).unwrap_or_default()
    }
}

/// The answer to a failed request. The source of the error is logged here, once, with the request's id.
#[must_use]
pub fn problem_response(error: &Error, request: &HttpRequest) -> HttpResponse {
    let request_id = RequestId::of(request);
    if let Some(source) = &error.source {
        let level = if error.code.status >= 500 { log::Level::Error } else { log::Level::Debug };
        log::log!(level, request_id = request_id.as_str(), code = error.code.code; "{}: {source}", error.sentence());
    }
    let mut response = HttpResponse::build(status_of(error.code));
    challenge(error, &mut response);
    if let Some(seconds) = error.retry_after {
        response.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    response.insert_header((header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json")));
    let language = Reader::of(request).language();
    written_in(language, &mut response);
    response.body(error.to_problem(request_id.as_str(), language))
}

fn status_of(code: &Code) -> StatusCode {
    StatusCode::from_u16(code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Names the scheme of authentication in answers 401 and 403 (RFC 6750); the token operation of OAuth clients takes HTTP
/// Basic (RFC 6749, 5.2).
fn challenge(error: &Error, response: &mut HttpResponseBuilder) {
    const REALM: &str = concat!("Bearer realm=\"", env!("CARGO_PKG_NAME"), "\"");
    const BASIC: &str = concat!("Basic realm=\"", env!("CARGO_PKG_NAME"), "\"");
    let code = error.code;
    let error = match code.status {
        401 if error.extra.contains_key("error") => {
            response.insert_header((header::WWW_AUTHENTICATE, BASIC));
            return;
        }
        401 => "error=\"invalid_token\"".to_owned(),
        403 => format!("error=\"insufficient_scope\", error_description=\"{}\"", code.code),
        _ => return,
    };
    response.insert_header((header::WWW_AUTHENTICATE, format!("{REALM}, {error}")));
}

/// Carries an error through actix; `edge` turns the error into the problem document, because `edge` knows the request.
impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        status_of(self.code)
    }
}
