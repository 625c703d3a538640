//! The way to a bucket: `ureq`, which the service asks others by, in place of an HTTP client of the store's own. A request
//! blocks its thread; no request of ours runs on a thread of the server.

use bytes::Bytes;
use http_body::{Body, Frame};
use object_store::{
    ClientConfigKey, ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
        HttpResponseBody, HttpService,
    },
};
use std::{
    future::{Future, ready},
    io::Read,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};
use ureq::{
    Agent, BodyReader,
    http::{Method, Request},
    tls::{Certificate, RootCerts, TlsConfig, TlsProvider},
};

/// The longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// The longest time for sending a part, and for the head of the answer.
const ANSWER: Duration = Duration::from_secs(30);
/// The bytes that are read at a time.
const PIECE: usize = 64 * 1024;

/// Makes the clients of a bucket.
#[derive(Debug)]
pub(super) struct Transport;

impl HttpConnector for Transport {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let in_the_clear = options.get_config_value(&ClientConfigKey::AllowHttp);
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_send_body(Some(ANSWER))
            .timeout_recv_response(Some(ANSWER))
            .timeout_per_read(Some(ANSWER));
        if in_the_clear.is_some_and(|allowed| ["true", "1"].contains(&allowed.to_ascii_lowercase().as_str()))
        {
            // What crosses no border crosses no proxy.
            return Ok(HttpClient::new(Asking(config.proxy(None).build().into())));
        }
        let found = rustls_native_certs::load_native_certs();
        let roots: Vec<_> =
            found.certs.iter().map(|root| Certificate::from_der(root.as_ref()).to_owned()).collect();
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .root_certs(RootCerts::new_with_certs(&roots));
        Ok(HttpClient::new(Asking(config.https_only(true).tls_config(tls.build()).build().into())))
    }
}

/// A client.
#[derive(Debug)]
struct Asking(Agent);

impl HttpService for Asking {
    fn call<'a, 'f>(
        &'a self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'f>>
    where
        'a: 'f,
        Self: 'f,
    {
        Box::pin(ready(self.ask(request)))
    }
}

impl Asking {
    fn ask(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (head, body) = request.into_parts();
        let takes_a_body = [Method::PUT, Method::POST].contains(&head.method);
        let bytes = whole(body)?;
        let answer = if takes_a_body {
            self.0.run(Request::from_parts(head, bytes.as_ref()))
        } else {
            self.0.run(Request::from_parts(head, ()))
        };
        let (head, body) = answer.map_err(|error| HttpError::new(kind_of(&error), error))?.into_parts();
        let reader = Mutex::new(body.into_reader());
        Ok(HttpResponse::from_parts(head, HttpResponseBody::new(Answered { reader })))
    }
}

/// The bytes of a body, which is in memory: one piece as it is, several put together.
fn whole(mut body: HttpRequestBody) -> Result<Bytes, HttpError> {
    let (mut first, mut all) = (None, Vec::new());
    let mut context = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(frame)) = Pin::new(&mut body).poll_frame(&mut context) {
        let Ok(piece) = frame?.into_data() else { continue };
        match first.take() {
            None if all.is_empty() => first = Some(piece),
            before => {
                all.extend_from_slice(before.as_deref().unwrap_or_default());
                all.extend_from_slice(&piece);
            }
        }
    }
    Ok(first.unwrap_or_else(|| all.into()))
}

/// The body of an answer, which is read while it arrives.
struct Answered {
    reader: Mutex<BodyReader<'static>>,
}

impl Body for Answered {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, HttpError>>> {
        let mut piece = vec![0; PIECE];
        let read = self.reader.lock().unwrap_or_else(PoisonError::into_inner).read(&mut piece);
        Poll::Ready(match read {
            Ok(0) => None,
            Ok(count) => {
                piece.truncate(count);
                Some(Ok(Frame::data(piece.into())))
            }
            Err(error) => Some(Err(HttpError::new(HttpErrorKind::Interrupted, error))),
        })
    }
}

/// Whether a request makes sense once more.
fn kind_of(error: &ureq::Error) -> HttpErrorKind {
    match error {
        ureq::Error::ConnectionFailed | ureq::Error::HostNotFound => HttpErrorKind::Connect,
        ureq::Error::Timeout(_) => HttpErrorKind::Timeout,
        ureq::Error::Io(_) => HttpErrorKind::Interrupted,
        _ => HttpErrorKind::Unknown,
    }
}
