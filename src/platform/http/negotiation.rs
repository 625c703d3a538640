//! The representation and the language that a caller prefers among those of an address.

use crate::platform::values::Locale;
use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder, Responder,
    body::BoxBody,
    dev::Payload,
    http::header::{self, HeaderMap, HeaderName},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use std::{
    cmp::Reverse,
    convert::Infallible,
    future::{Ready, ready},
    sync::{Arc, Mutex, PoisonError},
};

/// The offer that a weighted field such as `Accept` prefers (RFC 9110, 12.4.2): each offer has the weight of the range that
/// names it most closely, and one of weight zero is refused. The highest weight wins, then the first range in the field, then
/// the first offer. None where the request has no such field, or the field names no offer.
pub(super) fn preferred<'a>(headers: &HeaderMap, field: HeaderName, offers: &[&'a str]) -> Option<&'a str> {
    let fields = headers.get_all(field).filter_map(|field| field.to_str().ok());
    let ranges: Vec<Range> = fields.flat_map(|field| field.split(',')).map(Range::of).collect();
    let weighed = offers.iter().filter_map(|offer| {
        let covering = ranges.iter().enumerate().filter(|(_, range)| covers(&range.wanted, offer));
        let (place, range) = covering.max_by_key(|(place, range)| (range.closeness(), Reverse(*place)))?;
        (range.thousandths > 0).then_some((range.thousandths, Reverse(place), *offer))
    });
    // Of equals the last one is taken, and the first offer is meant.
    let best = weighed.rev().max_by_key(|(thousandths, place, _)| (*thousandths, *place))?;
    Some(best.2)
}

/// A range of a weighted field.
struct Range {
    wanted: String,
    /// The weight, in thousandths.
    thousandths: u16,
}

impl Range {
    fn of(range: &str) -> Self {
        let mut parts = range.split(';').map(|part| part.trim().to_ascii_lowercase());
        let wanted = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| thousandths(part.strip_prefix("q=")?));
        Self { wanted, thousandths: weight.unwrap_or(1000) }
    }

    /// How closely the range names offers: one type, the types of a kind, or any.
    fn closeness(&self) -> u8 {
        match self.wanted.as_str() {
            "*" | "*/*" => 0,
            kind if kind.ends_with("/*") => 1,
            _ => 2,
        }
    }
}

/// A weight from 0 to 1 with up to three digits behind the point, in thousandths; none for any other text.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let is_weight =
        whole.len() == 1 && fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths: u16 = format!("{whole}{fraction:0<3}").parse().ok().filter(|_| is_weight)?;
    (thousandths <= 1000).then_some(thousandths)
}

/// The language of those offered that a request asks for; none where the request names none of them.
fn language_of(request: &HttpRequest) -> Option<Locale> {
    let offers: Vec<&str> = Locale::ALL.iter().map(|locale| locale.as_str()).collect();
    preferred(request.headers(), header::ACCEPT_LANGUAGE, &offers)?.parse().ok()
}

/// Who reads the answer to a request: the language that the request asks for wins, then that of the caller's account once
/// the account is known, then English.
#[derive(Clone, Debug)]
pub struct Reader {
    asked: Option<Locale>,
    account: Arc<Mutex<Locale>>,
}

impl Reader {
    /// The reader of the answer to a request; the same one wherever the request is asked.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        let known = request.extensions().get::<Self>().cloned();
        known.unwrap_or_else(|| {
            let reader = Self { asked: language_of(request), account: Arc::default() };
            request.extensions_mut().insert(reader.clone());
            reader
        })
    }

    /// Notes the language of the caller's account.
    pub fn has_account_in(&self, language: Locale) {
        *self.account.lock().unwrap_or_else(PoisonError::into_inner) = language;
    }

    /// The language in which the reader is answered.
    #[must_use]
    pub fn language(&self) -> Locale {
        self.asked.unwrap_or_else(|| *self.account.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Names the language of an answer, and says that it follows the language that is asked for.
pub(super) fn written_in(language: Locale, response: &mut HttpResponseBuilder) {
    response.insert_header((header::CONTENT_LANGUAGE, language.as_str()));
    response.insert_header((header::VARY, "accept-language"));
}

/// Whether a range covers an offer: `text/*` covers `text/csv`, and `ja-JP` covers `ja`.
fn covers(range: &str, offer: &str) -> bool {
    let within = |prefix: &str| offer.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'));
    range == offer
        || ["*/*", "*"].contains(&range)
        || range.strip_suffix("/*").is_some_and(within)
        || range.strip_prefix(offer).is_some_and(|rest| rest.starts_with('-'))
}

/// The representation of a record that a caller prefers: for programs, for spreadsheets or for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// JSON, for programs; the default.
    Json,
    /// Comma-separated values, for spreadsheets.
    Csv,
    /// An HTML page, for people.
    Html,
}

impl FromRequest for Media {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let offers = ["application/json", "text/csv", "text/html"];
        ready(Ok(match preferred(request.headers(), header::ACCEPT, &offers) {
            Some("text/csv") => Self::Csv,
            Some("text/html") => Self::Html,
            _ => Self::Json,
        }))
    }
}

/// The representation of a file that a caller prefers: XML or a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XmlOrCsv {
    /// XML.
    Xml,
    /// Comma-separated values.
    Csv,
    /// Either: the caller names none.
    Any,
}

impl FromRequest for XmlOrCsv {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // Whoever takes anything is offered nothing first.
        let offers = ["*/*", "application/xml", "text/csv"];
        ready(Ok(match preferred(request.headers(), header::ACCEPT, &offers) {
            Some("application/xml") => Self::Xml,
            Some("text/csv") => Self::Csv,
            _ => Self::Any,
        }))
    }
}

/// A whole answer as a table or a page.
#[derive(Clone, Debug)]
pub struct Rendering {
    media: &'static str,
    field: (HeaderName, String),
    body: String,
    /// The language of the texts; none where that is the reader's.
    language: Option<Locale>,
}

impl Rendering {
    /// A table, which browsers save as `name`.csv.
    #[must_use]
    pub fn csv(name: &str, body: String) -> Self {
        let field = format!("attachment; filename=\"{name}.csv\"");
        Self {
            media: "text/csv; charset=utf-8; header=present",
            field: (header::CONTENT_DISPOSITION, field),
            body,
            language: None,
        }
    }

    /// A page that holds everything the page shows: browsers run and fetch nothing, and use this style alone.
    #[must_use]
    pub fn page(style: &str, body: String) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, style.as_bytes());
        let digest = BASE64_STANDARD.encode(digest.as_ref());
        let policy = format!("default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'");
        let field = (header::CONTENT_SECURITY_POLICY, policy);
        Self { media: "text/html; charset=utf-8", field, body, language: None }
    }

    /// The same, written in a language whatever the request asks for.
    #[must_use]
    pub fn in_language(self, language: Locale) -> Self {
        Self { language: Some(language), ..self }
    }
}

impl Responder for Rendering {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        written_in(self.language.unwrap_or_else(|| Reader::of(request).language()), &mut response);
        response
            .insert_header((header::CONTENT_TYPE, self.media))
            .insert_header((header::VARY, "accept, accept-language"))
            .insert_header(self.field)
            .body(self.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn chosen<'a>(name: HeaderName, field: &'static str, offers: &[&'a str]) -> Option<&'a str> {
        let mut headers = HeaderMap::new();
        headers.insert(name.clone(), HeaderValue::from_static(field));
        preferred(&headers, name, offers)
    }

    #[test]
    fn a_browser_gets_the_page_and_a_program_json() {
        let offers = ["application/json", "text/csv", "text/html"];
        for (field, expected) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Some("text/html")),
            ("*/*", Some("application/json")),
            ("text/*", Some("text/csv")),
            ("text/csv;q=0.1, text/html;q=0.2", Some("text/html")),
            ("application/pdf", None),
            ("text/csv;q=0", None),
            ("application/json;q=0, */*", Some("text/csv")),
            ("text/*;q=0.3, text/html;q=0.7, */*;q=0.5", Some("text/html")),
            ("text/html;q=0.4, text/*", Some("text/csv")),
            ("*/*;q=0.5, text/html;q=0", Some("application/json")),
            ("text/html;q=2", Some("text/html")),
        ] {
            assert_eq!(chosen(header::ACCEPT, field, &offers), expected, "{field}");
        }
    }

    #[test]
    fn a_region_of_a_language_is_served_with_the_language() {
        for (field, expected) in
            [("ja-JP,ja;q=0.9,en;q=0.8", Some("ja")), ("de, en-GB;q=0.5", Some("en")), ("fr", None)]
        {
            assert_eq!(chosen(header::ACCEPT_LANGUAGE, field, &["en", "ja"]), expected, "{field}");
        }
    }
}
