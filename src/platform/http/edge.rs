//! The outermost layer, which every request passes.

use super::{
    Contract, Quota, conditions::has_it_already, negotiation::preferred, problem::problem_response,
    unread::Unread,
};
use crate::platform::{
    Code, Error, codes,
    values::{Clock, Ids},
};
use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        ConnectionType, Method, StatusCode, Uri,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Instant,
};

/// The settings and sources of the outermost layer.
pub struct Edge {
    /// The source of request ids.
    pub ids: Ids,
    /// The source of time.
    pub clock: Clock,
    /// Whether a proxy in front speaks TLS, so that answers ask browsers to insist on TLS.
    pub https: bool,
    /// Whether the service is about to stop.
    pub closing: Closing,
}

/// Whether the service is about to stop: set once, by the signal handler. From then on every answer closes its
/// connection, so that no client sends another request on a connection that is about to close.
#[derive(Clone, Debug, Default)]
pub struct Closing(Arc<AtomicBool>);

impl Closing {
    /// Notes that the service is about to stop.
    pub fn begin(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether the service is about to stop.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// The id of a request: the caller's `X-Request-Id` where that field is well-formed, else a new id.
#[derive(Clone, Debug)]
pub struct RequestId(String);

impl RequestId {
    /// The id of this request.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_else(|| Self("none".into()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn accept(headers: &HeaderMap, edge: &Edge) -> Self {
        let given = headers.get("x-request-id").and_then(|field| field.to_str().ok()).filter(|id| {
            (1..=128).contains(&id.len())
                && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
        });
        Self(given.map_or_else(|| edge.ids.next(edge.clock.now()).to_string(), str::to_owned))
    }
}

/// The outermost layer: request id, limits on the head, `HEAD`, panics, problems, conditional reads,
/// security fields and the access log.
pub async fn edge(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let started = Instant::now();
    let Some(edge) = request.app_data::<Data<Edge>>().cloned() else {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    };
    let id = RequestId::accept(request.headers(), &edge);
    request.extensions_mut().insert(id.clone());
    let method = request.method().clone();
    if method == Method::HEAD {
        // The codec below leaves out the body of an answer to `HEAD`; the handlers know `GET` alone.
        request.head_mut().method = Method::GET;
    }
    let unread = request.headers().contains_key(header::TRANSFER_ENCODING).then(|| Unread::of(&mut request));
    let response = match head_fault(&request) {
        Some(error) => failed(request, &error),
        None => unwound(next.call(request)).await.map_or_else(
            // The panic has consumed the request; `Failed` carries the request id for the answer.
            || Err(Failed { error: panicked(&method), id: id.clone() }.into()),
            |outcome| outcome.map(|response| with_problem_document(response.map_into_boxed_body())),
        )?,
    };
    let response = finish(response, &id, &edge);
    log_access(&response, &method, &id, started);
    Ok(match unread {
        Some(unread) => response.map_body(|_, body| unread.behind(body)),
        None => response,
    })
}

/// Answers for addresses and methods the contract does not have.
pub async fn no_such_address(request: HttpRequest) -> HttpResponse {
    let contract = request.app_data::<Data<Contract>>();
    let Some(methods) = contract.and_then(|contract| contract.methods_at(request.path())) else {
        return problem_response(
            &Error::new(&codes::NOT_FOUND, "there is nothing at this address"),
            &request,
        );
    };
    let allow = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    let mut response = if request.method() == Method::OPTIONS {
        HttpResponse::NoContent().finish()
    } else {
        let detail = format!("this address takes {allow}");
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
        return Some(Error::new(&codes::URI_TOO_LONG, "path and query together may have 8 KiB"));
    }
    let size: usize =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if size > 32 * 1024 {
        return Some(Error::new(&codes::HEADERS_TOO_LARGE, "header fields together may have 32 KiB"));
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
        Error::new(&codes::NOT_ACCEPTABLE, format!("send Accept: {offers}; or no Accept field"))
    })
}

/// Turns a failed response of any origin into a problem document; leaves other responses as they are.
fn with_problem_document(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let status = response.status();
    let described =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|t| t == "application/problem+json");
    if described || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (request, response) = response.into_parts();
    let own = response.error().and_then(|error| error.as_error::<Error>());
    let made = match own {
        Some(error) => problem_response(error, &request),
        None => problem_response(
            &Error::new(code_of(status), response.error().map_or_else(String::new, ToString::to_string)),
            &request,
        ),
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
    let detail = "an unexpected fault; look whether the change is there before you repeat it";
    Error { detail: detail.into(), ..error }
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

/// Adds the header fields of every answer; answers 304 where the caller has this representation already.
fn finish(mut response: ServiceResponse<BoxBody>, id: &RequestId, edge: &Edge) -> ServiceResponse<BoxBody> {
    let etag = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
    let is_read = response.request().method() == Method::GET && response.status() == StatusCode::OK;
    if is_read && etag.is_some_and(|etag| has_it_already(response.request(), &etag)) {
        *response.response_mut().status_mut() = StatusCode::NOT_MODIFIED;
        response = response.map_body(|_, _| BoxBody::new(()));
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    if edge.closing.has_begun() {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let quota = response.request().extensions().get::<Quota>().copied();
    let for_pages = response.request().path().starts_with("/docs");
    let fields = response.headers_mut();
    let mut set = |name: HeaderName, value: HeaderValue| {
        if !fields.contains_key(&name) {
            fields.insert(name, value);
        }
    };
    let policy = if for_pages { PAGES } else { "default-src 'none'; frame-ancestors 'none'" };
    set(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    set(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    set(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    set(header::CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    set(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    set(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    if edge.https {
        let value = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        set(header::STRICT_TRANSPORT_SECURITY, value);
    }
    let mut set_text = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            set(HeaderName::from_static(name), value);
        }
    };
    set_text("x-request-id", id.as_str().to_owned());
    if let Some(quota) = quota {
        set_text("ratelimit", quota.to_string());
        set_text("ratelimit-policy", format!("\"default\";q={};w=60", quota.limit));
    }
    response
}

const PAGES: &str =
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'";

fn log_access(response: &ServiceResponse<BoxBody>, method: &Method, id: &RequestId, started: Instant) {
    if !log::log_enabled!(target: "access", log::Level::Info) {
        return;
    }
    let request = response.request();
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    let trace = request.headers().get("traceparent").and_then(|field| field.to_str().ok()).unwrap_or("");
    let trace =
        trace.split('-').nth(1).filter(|id| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()));
    log::info!(
        target: "access",
        request_id = id.as_str(), trace_id = trace.unwrap_or(""), method = method.as_str(), path = request.path(),
        route = request.match_pattern().unwrap_or_default().as_str(),
        status = response.status().as_u16(), micros = micros;
        "{} {} {}", method, request.path(), response.status().as_u16()
    );
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
        HttpResponse::build(self.status_code())
            .insert_header((header::CONTENT_TYPE, "application/problem+json"))
            .insert_header(("x-request-id", self.id.as_str()))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(self.error.to_problem(self.id.as_str()))
    }
}
