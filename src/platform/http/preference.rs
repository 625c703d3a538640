//! How a caller prefers a request to be done (RFC 7240).

use super::Answer;
use actix_web::{
    FromRequest, HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    dev::Payload,
    http::header::{HeaderMap, HeaderName, HeaderValue},
};
use std::{
    convert::Infallible,
    future::{Ready, ready},
};
use utoipa::{
    IntoParams,
    openapi::{
        ObjectBuilder, Required, Type,
        path::{Parameter, ParameterBuilder, ParameterIn},
    },
};

/// The preference that the service knows.
const RESPOND_ASYNC: &str = "respond-async";

/// What the `Prefer` field of a request asks for; a preference that the service does not know is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preference {
    /// Whether the caller prefers an answer at once to an answer when the work is done.
    pub respond_async: bool,
}

impl Preference {
    fn of(headers: &HeaderMap) -> Self {
        let fields = headers.get_all("prefer").filter_map(|field| field.to_str().ok());
        let mut preferences = fields.flat_map(|field| field.split(','));
        let respond_async = preferences.any(|preference| {
            let name = preference.split([';', '=']).next().unwrap_or_default();
            name.trim().eq_ignore_ascii_case(RESPOND_ASYNC)
        });
        Self { respond_async }
    }
}

impl FromRequest for Preference {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request.headers())))
    }
}

impl IntoParams for Preference {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = "`respond-async` for an answer at once, while the work goes on (RFC 7240).";
        let schema = ObjectBuilder::new().schema_type(Type::String).max_length(Some(1000));
        let parameter = ParameterBuilder::new()
            .name("Prefer")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(text))
            .schema(Some(schema.examples([RESPOND_ASYNC])));
        vec![parameter.build()]
    }
}

/// An answer that says whether the service did what the caller preferred.
#[derive(Clone, Debug)]
pub struct Preferred {
    answer: Answer,
    is_applied: bool,
}

impl Preferred {
    /// The answer to a request that was done at once, as preferred.
    #[must_use]
    pub fn applied(answer: Answer) -> Self {
        Self { answer, is_applied: true }
    }

    /// The answer to a request without a preference.
    #[must_use]
    pub fn plain(answer: Answer) -> Self {
        Self { answer, is_applied: false }
    }
}

impl Responder for Preferred {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = self.answer.respond_to(request);
        if self.is_applied {
            let name = HeaderName::from_static("preference-applied");
            response.headers_mut().insert(name, HeaderValue::from_static(RESPOND_ASYNC));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preference_is_found_among_others_in_any_case() {
        let asked = |fields: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(HeaderName::from_static("prefer"), HeaderValue::from_static(field));
            }
            Preference::of(&headers).respond_async
        };
        assert!(
            asked(&["respond-async"])
                && asked(&["wait=10, Respond-Async; foo"])
                && asked(&["a", "respond-async"])
        );
        assert!(!asked(&[]) && !asked(&["return=minimal"]) && !asked(&["respond-async-not"]));
    }
}
