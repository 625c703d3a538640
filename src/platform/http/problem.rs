//! Errors on the wire: RFC 9457 problem documents.

use super::{Contract, Reader, RequestId, negotiation::written_in};
use crate::platform::{Code, Error, FieldErrorView, cut, values::Locale};
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError,
    http::{
        Method, StatusCode,
        header::{self, HeaderValue},
    },
    web::Data,
};
use serde::Serialize;
use serde_json::{Map, Value};
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
    extra: &'a Map<String, Value>,
}

/// Why an OAuth client gets no token, or no token ended (RFC 6749, 5.2); the members of a problem stand beside.
#[derive(ToSchema)]
#[schema(example = json!({
    "type": "/problems/invalid_grant", "title": "The grant is not good", "status": 400,
    "detail": "the refresh token is not known, or was used or revoked, or has run out; sign in again",
    "code": "invalid_grant", "request_id": "0193a1b2-3c4d-7e5f-8a9b-0c1d2e3f4a5b", "error": "invalid_grant",
    "error_description": "the refresh token is not known, or was used or revoked, or has run out; sign in again"
}))]
#[expect(dead_code, reason = "documents the answer; `Shape` writes it")]
pub struct OauthError {
    /// The kind of refusal by the names of OAuth: of RFC 6749, 5.2, of RFC 7009, 2.2.1, or `temporarily_unavailable` and
    /// `server_error`.
    #[schema(max_length = 60, pattern = "^[a-z_]+$", examples("invalid_grant"))]
    error: String,
    /// What happened this time, in English and in ASCII, for developers.
    #[schema(max_length = 2000)]
    error_description: String,
    /// The problem.
    #[serde(flatten)]
    problem: Problem<'static>,
}

/// In which form an operation says what went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A problem document (RFC 9457).
    Problem,
    /// The error of an OAuth endpoint (RFC 6749, 5.2).
    Oauth,
}

impl Shape {
    /// The form of the operation that a request asks for. What takes the form of an OAuth client answers one.
    pub(super) fn of(request: &HttpRequest) -> Self {
        let contract = request.app_data::<Data<Contract>>();
        let is_form = contract.is_some_and(|contract| contract.takes_a_form(request.path()));
        if is_form && request.method() == Method::POST { Self::Oauth } else { Self::Problem }
    }

    /// The media type.
    pub(super) fn media(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Problem => "application/problem+json",
            Self::Oauth => "application/json",
        })
    }

    /// The body, in the language of the reader.
    pub(super) fn body(self, error: &Error, request_id: &str, language: Locale) -> Vec<u8> {
        match self {
            Self::Problem => error.to_problem(request_id, language),
            Self::Oauth => {
                let plain = |c: &char| matches!(c, ' '..='~') && *c != '"' && *c != '\\';
                let description: String =
                    cut(error.detail.in_language(Locale::En), 2000).chars().filter(plain).collect();
                let members = [
                    ("error".to_owned(), Value::from(oauth_name(error.code))),
                    ("error_description".to_owned(), Value::from(description)),
                ];
                let extra = members.into_iter().chain((*error.extra).clone()).collect();
                written(error, &extra, request_id, language)
            }
        }
    }
}

/// The names of refusals that OAuth clients know (RFC 6749, 5.2; RFC 7009, 2.2.1).
const OAUTH_NAMES: [&str; 6] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "invalid_scope",
    "unsupported_grant_type",
    "unsupported_token_type",
];

/// The kind of an error by the names of OAuth. Of what passes a client may try again later.
fn oauth_name(code: &Code) -> &'static str {
    let known = OAUTH_NAMES.into_iter().find(|name| *name == code.code);
    known.unwrap_or(match code.status {
        429 | 503 => "temporarily_unavailable",
        500.. => "server_error",
        _ => "invalid_request",
    })
}

/// The answer 409 of an operation that only reads, yet may be refused for a record's state: the contract's shared answer.
/// Operations that write have it of themselves.
pub struct Conflict;

impl<'r> utoipa::ToResponse<'r> for Conflict {
    fn response() -> (&'r str, utoipa::openapi::RefOr<utoipa::openapi::Response>) {
        ("Conflict", utoipa::openapi::Response::new("").into())
    }
}

impl Error {
    /// The problem document of this error, in the language of the reader.
    #[must_use]
    pub fn to_problem(&self, request_id: &str, language: Locale) -> Vec<u8> {
        written(self, &self.extra, request_id, language)
    }
}

fn written(error: &Error, extra: &Map<String, Value>, request_id: &str, language: Locale) -> Vec<u8> {
    let problem = Problem {
        r#type: format!("/problems/{}", error.code.code),
        title: language.of(error.code.title),
        status: error.code.status,
        detail: cut(error.detail.in_language(language), 2000),
        code: error.code.code,
        request_id,
        errors: error.errors.iter().map(|fault| fault.view(language)).collect(),
        extra,
    };
    serde_json::to_vec(&problem).unwrap_or_default()
}

/// The answer to a failed request. The source of the error is logged here, once, with the request's id.
#[must_use]
pub fn problem_response(error: &Error, request: &HttpRequest) -> HttpResponse {
    let request_id = RequestId::of(request);
    if let Some(source) = &error.source {
        let level = if error.code.status >= 500 { log::Level::Error } else { log::Level::Debug };
        log::log!(level, request_id = request_id.as_str(), code = error.code.code; "{}: {source}", error.sentence());
    }
    let shape = Shape::of(request);
    let mut response = HttpResponse::build(status_of(error.code));
    challenge(error.code, shape, &mut response);
    if let Some(seconds) = error.retry_after {
        response.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    response.insert_header((header::CONTENT_TYPE, shape.media()));
    let language = Reader::of(request).language();
    written_in(language, &mut response);
    response.body(shape.body(error, request_id.as_str(), language))
}

fn status_of(code: &Code) -> StatusCode {
    StatusCode::from_u16(code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Names the scheme of authentication in answers 401 and 403 (RFC 6750); the token operation of OAuth clients takes HTTP
/// Basic (RFC 6749, 5.2).
fn challenge(code: &Code, shape: Shape, response: &mut HttpResponseBuilder) {
    const REALM: &str = concat!("Bearer realm=\"", env!("CARGO_PKG_NAME"), "\"");
    const BASIC: &str = concat!("Basic realm=\"", env!("CARGO_PKG_NAME"), "\"");
    let error = match code.status {
        401 if shape == Shape::Oauth => {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::codes;

    #[test]
    fn oauth_clients_are_told_by_the_names_they_know() {
        let unavailable = Error::unavailable("the disk is full");
        let busy = Error::new(&codes::TOO_MANY_REQUESTS, codes::TOO_MANY_REQUESTS.help);
        let form = Error::new(&codes::INVALID_REQUEST, codes::INVALID_REQUEST.help);
        for (error, name) in [
            (unavailable, "temporarily_unavailable"),
            (busy, "temporarily_unavailable"),
            (Error::internal("a fault"), "server_error"),
            (Error::not_found("record", "データ"), "invalid_request"),
            (form, "invalid_request"),
        ] {
            let body: Value = serde_json::from_slice(&Shape::Oauth.body(&error, "1", Locale::Ja)).unwrap();
            assert_eq!((&body["error"], &body["code"]), (&name.into(), &error.code.code.into()));
            assert!(body["error_description"].as_str().unwrap().is_ascii());
            let body: Value = serde_json::from_slice(&Shape::Problem.body(&error, "1", Locale::En)).unwrap();
            assert_eq!(body.get("error"), None);
        }
    }
}
