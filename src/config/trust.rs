//! The outside issuer of identities.

use super::Settings;
use ureq::http::Uri;

/// The outside issuer (OpenID Connect) whose identity tokens are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// The name of the issuer, which is its address.
    pub issuer: String,
    /// The name of this service at the issuer: a token for another audience is refused.
    pub audience: String,
}

impl Trust {
    /// Whether the answer of an address cannot be changed on its way: by TLS, or on this machine.
    #[must_use]
    pub fn may_ask(&self, address: &str) -> bool {
        address.starts_with("https://") || self.is_on_this_machine() && is_on_this_machine(address)
    }

    /// Whether the issuer runs on this machine without TLS, for trials.
    #[must_use]
    pub fn is_on_this_machine(&self) -> bool {
        is_on_this_machine(&self.issuer)
    }
}

impl Settings {
    /// The trusted outside issuer; none where the settings name no issuer.
    #[must_use]
    pub fn trust(&self) -> Option<Trust> {
        let (issuer, audience) = (self.oidc_issuer.clone()?, self.oidc_audience.clone()?);
        Some(Trust { issuer, audience })
    }
}

fn is_on_this_machine(address: &str) -> bool {
    let Ok(uri) = address.parse::<Uri>() else { return false };
    uri.scheme_str() == Some("http") && matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// Parses the address of an issuer.
pub(super) fn issuer(text: &str) -> std::result::Result<String, String> {
    let secure = text.starts_with("https://") && text.parse::<Uri>().is_ok_and(|uri| uri.query().is_none());
    if text.len() <= 400 && (secure || is_on_this_machine(text)) {
        return Ok(text.to_owned());
    }
    Err("an issuer is an https address without a query, such as https://login.example.com".into())
}
