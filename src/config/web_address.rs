//! The address of the web at which people reach the service.

use super::Settings;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use url::Url;

impl Settings {
    /// Where people reach the service, without a slash at the end: as told, else where the service listens.
    #[must_use]
    pub fn address(&self) -> String {
        self.public_url.clone().unwrap_or_else(|| web_address_of(self.listen))
    }
}

/// Parses a web address that paths can be appended to.
pub(super) fn web_address(text: &str) -> std::result::Result<String, String> {
    match Url::parse(text) {
        Ok(url) if ["http", "https"].contains(&url.scheme()) && is_prefix(&url) => {
            Ok(url.as_str().trim_end_matches('/').to_owned())
        }
        _ => Err("write an address such as https://incentives.vendor.example".into()),
    }
}

/// Whether paths can be appended to an address, and whether it can be shown to everybody.
fn is_prefix(url: &Url) -> bool {
    let is_anonymous = url.username().is_empty() && url.password().is_none();
    is_anonymous && url.query().is_none() && url.fragment().is_none()
}

/// The address of the web at which a listener is reached, without a slash at the end. A listener that takes connections
/// for every address of the machine is reached on the machine itself.
#[must_use]
pub fn web_address_of(mut listener: SocketAddr) -> String {
    match listener.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => listener.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => listener.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    format!("http://{listener}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_appended_to_an_address_that_everybody_may_read() {
        assert_eq!(web_address("https://pi.example/incentives/").unwrap(), "https://pi.example/incentives");
        for wrong in [
            "pi.example",
            "ftp://pi.example",
            "https://pi.example/?a=b",
            "https://pi.example/#docs",
            "https://olga:secret@pi.example",
            "https://olga@pi.example",
        ] {
            assert!(web_address(wrong).is_err(), "{wrong}");
        }
    }
}
