//! The outermost layer, which every request passes.

use super::{
    Quota, RequestMetrics, conditions::has_it_already, faults::with_problem_document, proxies::address_of,
    unread::Unread,
};
use crate::platform::values::{Clock, Id, Ids};
use actix_web::{
    HttpMessage, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        ConnectionType, Method, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
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
    /// The metrics of requests.
    pub metrics: RequestMetrics,
}

/// The user or API client of a request, once the token was found good; the log names it.
#[derive(Clone, Copy, Debug)]
pub struct SignedIn(pub Id);

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

/// The methods of HTTP (RFC 9110, 9.3; RFC 5789).
const METHODS: [Method; 9] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::TRACE,
    Method::CONNECT,
];
/// Whoever invents methods adds one label to the metrics, not one for each.
const OTHER_METHOD: &str = "OTHER";

/// The outermost layer: request id, `HEAD`, conditional reads, security fields and the access log.
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
    let named = if METHODS.contains(&method) { method.as_str() } else { OTHER_METHOD };
    let route = request.match_pattern();
    let response = match next.call(request).await {
        // A layer in between may fail by itself, such as the check of a foreign page's preflight.
        Ok(response) => with_problem_document(response.map_into_boxed_body()),
        Err(error) => {
            let status = error.as_response_error().status_code();
            edge.metrics.note_lost(route.as_deref(), named, status, started);
            return Err(error);
        }
    };
    let response = finish(response, &id, &edge);
    log_access(&response, &method, &id, started);
    let response = edge.metrics.note(response, named, started);
    Ok(match unread {
        Some(unread) => response.map_body(|_, body| unread.behind(body)),
        None => response,
    })
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
    let user = request.extensions().get::<SignedIn>().map_or_else(String::new, |SignedIn(id)| id.to_string());
    let route = request.match_pattern().unwrap_or_default();
    // A token in an address opens what the address shows: whoever reads the log must not.
    let path = if route.contains("{token}") { route.as_str() } else { request.path() };
    log::info!(
        target: "access",
        request_id = id.as_str(), trace_id = trace.unwrap_or(""), user = user.as_str(),
        client = address_of(request).to_canonical().to_string().as_str(), method = method.as_str(),
        path = path, route = route.as_str(), status = response.status().as_u16(), micros = micros;
        "{} {} {}", method, path, response.status().as_u16()
    );
}
