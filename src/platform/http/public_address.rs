//! The address that people reach the service at, for links.

use super::proxies;
use actix_web::{HttpRequest, http::header};
use url::{Position, Url};

/// Where links of answers lead. Put into the application's data.
///
/// What a request says of its own address is taken from a trusted proxy alone: whoever sends a `Host` of their own
/// choice would else choose where the links of an answer lead.
#[derive(Clone, Debug)]
pub struct PublicAddress {
    /// The address that the service is told to be reached at; takes precedence.
    pub told: Option<String>,
    /// The address that the service listens on, as in `http://127.0.0.1:8080`.
    pub own: String,
}

impl PublicAddress {
    /// The address, without a slash at its end, that the sender of a request reaches the service at.
    #[must_use]
    pub fn of(request: &HttpRequest) -> String {
        let Some(address) = request.app_data::<Self>() else { return String::new() };
        let named = || proxies::is_from_proxy(request).then(|| named_by_proxy(request)).flatten();
        address.told.clone().or_else(named).unwrap_or_else(|| address.own.clone())
    }
}

/// The address in the fields of a proxy: `X-Forwarded-Proto`, and `X-Forwarded-Host` or `Host`. None where the fields
/// are no address of the web; of several values, which several proxies append, the last one is the trusted proxy's.
fn named_by_proxy(request: &HttpRequest) -> Option<String> {
    let last = |name: &str| {
        let field = request.headers().get_all(name).next_back()?.to_str().ok()?;
        field.rsplit(',').next().map(str::trim)
    };
    let host = last("x-forwarded-host").or_else(|| last(header::HOST.as_str()))?;
    let scheme = last("x-forwarded-proto").unwrap_or("http");
    let plain =
        |host: &str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
    if !["http", "https"].contains(&scheme) || !plain(host) {
        return None;
    }
    let url = Url::parse(&format!("{scheme}://{host}")).ok()?;
    Some(url[..Position::BeforePath].to_owned())
}

#[cfg(test)]
mod tests {
    use super::{super::TrustedProxies, *};
    use actix_web::test::TestRequest;

    fn of(told: Option<&str>, peer: &str, fields: &[(&str, &str)]) -> String {
        let address = PublicAddress { told: told.map(Into::into), own: "http://127.0.0.1:8080".into() };
        let mut request = TestRequest::default()
            .app_data(address)
            .app_data(TrustedProxies::of(&["10.0.0.0/8".parse().unwrap()]))
            .peer_addr(format!("{peer}:40000").parse().unwrap());
        for (name, value) in fields {
            request = request.append_header((*name, *value));
        }
        PublicAddress::of(&request.to_http_request())
    }

    #[test]
    fn links_lead_where_somebody_who_is_trusted_says() {
        let (stranger, proxy) = ("203.0.113.9", "10.0.0.1");
        let forged =
            [("host", "evil.example"), ("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "https")];
        assert_eq!(of(None, stranger, &forged), "http://127.0.0.1:8080");
        assert_eq!(of(None, proxy, &forged), "https://evil.example", "whom the proxy lets say so");
        assert_eq!(of(Some("https://pi.example/in"), proxy, &forged), "https://pi.example/in");
        assert_eq!(of(None, proxy, &[("host", "pi.example:8443")]), "http://pi.example:8443");
        let twice =
            [("x-forwarded-host", "evil.example, pi.example"), ("x-forwarded-proto", "javascript, https")];
        assert_eq!(of(None, proxy, &twice), "https://pi.example");
        for (host, scheme) in [
            ("a>; rel=\"next\", <http://evil", "http"),
            ("user@evil.example", "http"),
            ("evil.example/path", "http"),
            ("pi.example", "javascript"),
            ("", "http"),
        ] {
            let fields = [("x-forwarded-host", host), ("x-forwarded-proto", scheme)];
            assert_eq!(of(None, proxy, &fields), "http://127.0.0.1:8080", "{host:?} {scheme:?}");
        }
    }
}
