//! A client of the service: requests that read as a sentence, answers that explain their failures.

use super::{contract::Contract, secrets::Numbers};
use partner_incentives::{
    app::Service,
    platform::values::{Id, Timestamp},
};
use serde_json::Value;
use std::{
    ops::Index,
    sync::{Arc, Mutex},
};
use ureq::http::{self, HeaderMap};

/// A person or a program, signed in or not.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
    token: Token,
    numbers: Arc<Numbers>,
}

/// The access token of a client.
#[derive(Clone)]
enum Token {
    Nothing,
    This(String),
    /// The token of a user, made anew when the clock of the world has moved: a story of months needs no daily sign-in.
    Of(Box<Service>, Id, Arc<Mutex<Option<(Timestamp, String)>>>),
}

impl Token {
    fn shown(&self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::This(token) => Some(token.clone()),
            Self::Of(service, user, kept) => {
                let now = service.settings.clock.now();
                let mut kept = kept.lock().expect("the token");
                if kept.as_ref().is_none_or(|(issued, _)| *issued != now) {
                    // A barred user keeps the old token, so that the service refuses the user, not this client.
                    *kept = Some((now, service.token_for(*user).expect("a token")));
                }
                kept.as_ref().map(|(_, token)| token.clone())
            }
        }
    }
}

impl Client {
    pub(super) fn new(
        agent: ureq::Agent,
        base: String,
        user: Option<(Service, Id)>,
        numbers: Arc<Numbers>,
    ) -> Self {
        let token =
            user.map_or(Token::Nothing, |(service, user)| Token::Of(Box::new(service), user, Arc::default()));
        // The first token is made now, so that later changes of the user do not enter the token.
        token.shown();
        Self { agent, base, token, numbers }
    }

    /// This client with a given access token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Token::This(token.to_owned()), ..self.clone() }
    }

    /// A `GET`.
    pub fn get(&self, path: &str) -> Ask {
        self.ask("GET", path)
    }

    /// A `POST`.
    pub fn post(&self, path: &str, body: Value) -> Ask {
        self.ask("POST", path).json(&body)
    }

    /// A `PUT`.
    pub fn put(&self, path: &str, body: Value) -> Ask {
        self.ask("PUT", path).json(&body)
    }

    /// A `PATCH`.
    pub fn patch(&self, path: &str, body: Value) -> Ask {
        self.ask("PATCH", path).json(&body).header("content-type", "application/merge-patch+json")
    }

    /// A `DELETE`.
    pub fn delete(&self, path: &str) -> Ask {
        self.ask("DELETE", path)
    }

    /// A request of any method, without a body.
    pub fn ask(&self, method: &str, path: &str) -> Ask {
        assert!(path.starts_with('/'), "{path:?} is no path");
        let mut ask = Ask {
            client: self.clone(),
            method: method.to_owned(),
            address: path.to_owned(),
            headers: HeaderMap::new(),
            body: None,
        };
        if let Some(token) = self.token.shown() {
            ask = ask.header("authorization", &format!("Bearer {token}"));
        }
        ask
    }
}

/// A request before it is sent.
#[must_use = "nothing is asked before `send`"]
pub struct Ask {
    client: Client,
    method: String,
    address: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

impl Ask {
    /// Adds a query parameter.
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        let pair = serde_urlencoded::to_string([(name, value.to_string())]).expect("a query parameter");
        self.address.push(if self.address.contains('?') { '&' } else { '?' });
        self.address.push_str(&pair);
        self
    }

    /// Sets a header field.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name: http::HeaderName = name.parse().expect("the name of a header field");
        self.headers.insert(name, value.parse().expect("the value of a header field"));
        self
    }

    /// Sets `If-Match`: the change happens only to this revision of the record.
    pub fn if_match(self, etag: &str) -> Self {
        self.header("if-match", etag)
    }

    /// Sets `Idempotency-Key`: the request is done once, however often the request is sent.
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// Sets the body to these bytes.
    pub fn bytes(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.header("content-type", media_type)
    }

    fn json(self, body: &Value) -> Self {
        self.bytes("application/json", body.to_string())
    }

    /// Sends the request, and checks the answer against the contract.
    #[track_caller]
    pub fn send(self) -> Answer {
        let uri = format!("{}{}", self.client.base, self.address);
        let mut request = http::Request::builder().method(self.method.as_str()).uri(uri);
        request.headers_mut().expect("a method and an address").extend(self.headers);
        let agent = &self.client.agent;
        let path = self.address.split('?').next().unwrap_or_default().to_owned();
        if let Some(body) = &self.body {
            self.client.numbers.note(&path, body);
        }
        let sent = match self.body {
            Some(body) => agent.run(request.body(body).expect("a request")),
            None => agent.run(request.body(()).expect("a request")),
        };
        let asked = format!("{} {}", self.method, self.address);
        let mut response = sent.unwrap_or_else(|error| panic!("{asked}: no answer: {error}"));
        let bytes = response.body_mut().with_config().limit(1 << 30).read_to_vec().expect("the whole answer");
        let headers = std::mem::take(response.headers_mut());
        let json = |media: String| media == "application/json" || media.ends_with("+json");
        let body = if media_type(&headers).is_some_and(json) && !bytes.is_empty() {
            serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{asked}: not JSON: {error}"))
        } else {
            Value::Null
        };
        let answer = Answer { asked, status: response.status().as_u16(), headers, body, bytes };
        let breaches = Contract::of_the_service().breaches(&self.method, &path, &answer);
        assert!(breaches.is_empty(), "{answer}\nbreaks the contract:\n  {}", breaches.join("\n  "));
        let whole = self.client.numbers.within(&answer.bytes);
        // The one answer that goes to a bank.
        let is_for_the_bank = path.starts_with("/v1/payment-files/") && path.ends_with("/content");
        assert!(is_for_the_bank || whole.is_empty(), "{answer}\nholds whole numbers: {whole:?}");
        answer
    }
}

/// The media type in lower case, without parameters.
pub fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("content-type")?.to_str().ok()?;
    Some(value.split(';').next()?.trim().to_ascii_lowercase())
}

/// The answer to a request.
pub struct Answer {
    asked: String,
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The JSON body; null of another body.
    pub body: Value,
    /// The bytes of the body.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// A made-up answer, for tests of the contract's check.
    pub(super) fn of(status: u16, fields: &[(&'static str, &'static str)], body: Value) -> Self {
        let field = |(name, value): &(&'static str, &'static str)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
        };
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        Self { asked: String::new(), status, headers: fields.iter().map(field).collect(), body, bytes }
    }

    /// Expects success, a 2xx; returns the answer.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!((200..300).contains(&self.status), "should have been done: {self}");
        self
    }

    /// Expects a refusal with this status and this problem code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self["code"].as_str()), (status, Some(code)), "refused otherwise: {self}");
        self
    }

    /// The `id` of the record in the body.
    #[track_caller]
    pub fn id(&self) -> String {
        self["id"].as_str().unwrap_or_else(|| panic!("no id: {self}")).to_owned()
    }

    /// The entity tag, to pass to `if_match`.
    #[track_caller]
    pub fn etag(&self) -> String {
        self.header("etag").unwrap_or_else(|| panic!("no ETag: {self}")).to_owned()
    }

    /// A header field; none where the answer has no such field, or the field is no text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A member of the body; null where the body has no such member.
impl Index<&str> for Answer {
    type Output = Value;

    fn index(&self, member: &str) -> &Value {
        &self.body[member]
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} -> {}", self.asked, self.status)?;
        match &self.body {
            Value::Null => {
                write!(f, " {:?}", String::from_utf8_lossy(&self.bytes[..self.bytes.len().min(400)]))
            }
            body => write!(f, " {body:#}"),
        }
    }
}
