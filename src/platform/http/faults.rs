//! Faults of any origin as problem documents: of the request's head, of handlers, of extractors, and panics.

use super::{
    Contract, Reader, RequestId,
    negotiation::{preferred, written_in},
    problem::{Shape, problem_response},
};
use crate::{
    platform::{Code, Error, codes, values::Text},
    text,
};
use actix_web::{
    HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        ConnectionType, Method, StatusCode, Uri,
        header::{self, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

/// Where the HTTP machinery logs requests that are none, and clients that went away.
pub const TARGETS_OF_CLIENTS_FAULTS: [&str; 3] =
    ["actix_http::h1::dispatcher", "actix_http::h1::decoder", "actix_http::h2::dispatcher"];

/// The layer that turns every fault into a problem document. The layers outside, which add fields for pages of other
/// origins and for everybody, so see one kind of answer.
pub async fn faults(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let (id, method) = (RequestId::of(request.request()), request.method().clone());
    let shape = Shape::of(request.request());
    let reader = Reader::of(request.request());
    match head_fault(&request) {
        Some(error) => Ok(failed(request, &error)),
        None => unwound(next.call(request)).await.map_or_else(
            // The panic has consumed the request; `Failed` carries the request id for the answer.
            || Err(Failed { error: panicked(&method), id, reader, shape }.into()),
            |outcome| outcome.map(|response| with_problem_document(response.map_into_boxed_body())),
        ),
    }
}

/// Answers for addresses and methods the contract does not have.
pub async fn no_such_address(request: HttpRequest) -> HttpResponse {
    let contract = request.app_data::<Data<Contract>>();
    let Some(methods) = contract.and_then(|contract| contract.methods_at(request.path())) else {
        return problem_response(
            &Error::new(
                &codes::NOT_FOUND,
                text!("there is nothing at this address", "このアドレスには何もありません。"),
            ),
            &request,
        );
    };
    let allow = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    let mut response = if request.method() == Method::OPTIONS {
        HttpResponse::NoContent().finish()
    } else {
        let detail = text!("this address takes {allow}", "このアドレスで使用できるメソッドは {allow} です。");
        problem_response(&Error::new(&codes::METHOD_NOT_ALLOWED, detail), &request)
    };
    if let Ok(allow) = HeaderValue::from_str(&allow) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

/// A fault of the request's head alone, found before any route: its sizes, and the `Accept` field.
fn head_fault(request: &ServiceRequest) -> Option<Error> {
    let uri: &Uri = request.uri();
    if uri.path_and_query().is_some_and(|text| text.as_str().len() > 8192) {
        return Some(Error::new(
            &codes::URI_TOO_LONG,
            text!("path and query together may have 8 KiB", "パスとクエリは合計 8 KiB までです。"),
        ));
    }
    let size: usize =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if size > 32 * 1024 {
        return Some(Error::new(
            &codes::HEADERS_TOO_LARGE,
            text!("header fields together may have 32 KiB", "ヘッダーは合計 32 KiB までです。"),
        ));
    }
    let speaks_json = request.path().starts_with("/v1/") && !request.path().starts_with("/v1/openapi");
    let contract = request.app_data::<Data<Contract>>();
    let media = contract.map(|contract| contract.media_at(request.path())).unwrap_or_default();
    let accepts = |field: &HeaderValue| {
        let field = field.to_str().unwrap_or("");
        field.trim().is_empty()
            || ["*/*", "application/*", "application/json", "application/problem+json"]
                .iter()
                .any(|m| field.contains(m))
    };
    let accept = request.headers().get(header::ACCEPT);
    if !speaks_json || accept.is_none_or(accepts) {
        return None;
    }
    let offers = if media.is_empty() { vec!["application/json"] } else { media };
    preferred(request.headers(), header::ACCEPT, &offers).is_none().then(|| {
        let offers = offers.join(", or ");
        Error::new(
            &codes::NOT_ACCEPTABLE,
            text!(
                "send Accept: {offers}; or no Accept field",
                "Accept に {offers} を指定するか、Accept を省略してください。"
            ),
        )
    })
}

/// Turns a failed response of any origin into a problem document; leaves other responses as they are.
pub(super) fn with_problem_document(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let media = Shape::of(response.request()).media();
    if response.headers().get(header::CONTENT_TYPE) == Some(&media) {
        return response;
    }
    let (request, response) = response.into_parts();
    let own = response.error().and_then(|error| error.as_error::<Error>());
    let made = if let Some(error) = own {
        problem_response(error, &request)
    } else {
        let code = code_of(status);
        let english = response.error().map_or_else(String::new, ToString::to_string);
        // Faults of the HTTP machinery have words in English alone: in Japanese the code's help stands for them.
        problem_response(&Error::new(code, Text::new(english, code.help.ja)), &request)
    };
    let made = if made.status() == StatusCode::REQUEST_TIMEOUT {
        let mut made = made;
        made.head_mut().set_connection_type(ConnectionType::Close);
        made
    } else {
        made
    };
    ServiceResponse::new(request, made)
}

/// A handler that panicked may have committed its unit before.
fn panicked(method: &Method) -> Error {
    let error = Error::internal("a handler panicked");
    if method.is_safe() {
        return error;
    }
    let detail = text!(
        "an unexpected fault; look whether the change is there before you repeat it",
        "予期しない問題が発生しました。再度実行する前に、変更が反映されているかご確認ください。"
    );
    Error { detail, ..error }
}

fn code_of(status: StatusCode) -> &'static Code {
    codes::CODES.iter().find(|code| code.status == status.as_u16()).copied().unwrap_or(
        match status.as_u16() {
            400..=499 => &codes::MALFORMED,
            _ => &codes::INTERNAL,
        },
    )
}

fn failed(request: ServiceRequest, error: &Error) -> ServiceResponse<BoxBody> {
    let (request, _) = request.into_parts();
    let response = problem_response(error, &request);
    ServiceResponse::new(request, response)
}

/// Runs a future to its end; `None` where the future panicked.
async fn unwound<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Ready(output)) => Poll::Ready(Some(output)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(_) => Poll::Ready(None),
    })
    .await
}

/// An error with the id of its request, where the request itself is gone.
#[derive(Debug)]
struct Failed {
    error: Error,
    id: RequestId,
    reader: Reader,
    shape: Shape,
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.fmt(f)
    }
}

impl actix_web::ResponseError for Failed {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.error.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        log::error!(request_id = self.id.as_str(); "{}", self.error);
        let (mut response, language) = (HttpResponse::build(self.status_code()), self.reader.language());
        response
            .insert_header((header::CONTENT_TYPE, self.shape.media()))
            .insert_header(("x-request-id", self.id.as_str()))
            .insert_header((header::CACHE_CONTROL, "no-store"));
        written_in(language, &mut response);
        response.body(self.shape.body(&self.error, self.id.as_str(), language))
    }
}
