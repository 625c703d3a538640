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
        Ok(url) if ["http", "https"].contains(&url.scheme()) && url.query().is_none() => {
            Ok(url.as_str().trim_end_matches('/').to_owned())
        }
        _ => Err("write an address such as https://incentives.vendor.example".into()),
    }
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
