//! The values of settings that are more than a number: each is refused with a sentence that says how to mend it.

use ipnet::IpNet;
use lettre::message::Mailbox;
use log::LevelFilter;
use std::net::IpAddr;
use url::Url;

type Parsed<T> = std::result::Result<T, String>;

/// Parses the origin of web pages: scheme, host and port.
pub(super) fn origin(text: &str) -> Parsed<String> {
    let url = Url::parse(text).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
    match url.map(|url| url.origin().ascii_serialization()) {
        Some(origin) if origin == text => Ok(origin),
        Some(origin) => Err(format!("write the origin alone, as browsers send it: {origin}")),
        None => Err("write an origin such as https://portal.vendor.example".into()),
    }
}

/// Parses the URI at which somebody is told of a weakness.
pub(super) fn contact(text: &str) -> Parsed<String> {
    let is_contact = |url: &Url| ["mailto", "https", "tel"].contains(&url.scheme());
    match Url::parse(text) {
        Ok(url) if is_contact(&url) => Ok(text.to_owned()),
        _ => {
            Err("write a URI such as mailto:security@vendor.example or https://vendor.example/security"
                .into())
        }
    }
}

/// Parses a network, or one address as the network of that address alone.
pub(super) fn network(text: &str) -> Parsed<IpNet> {
    let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_| "write a network such as 10.0.0.0/8 or fd00::/8".into())
}

/// Parses the sender of mails.
pub(super) fn mailbox(text: &str) -> Parsed<Mailbox> {
    text.parse().map_err(|_| "write a sender such as Partner Incentives <incentives@vendor.example>".into())
}

/// Parses which log lines are written: levels, alone or for a target.
pub(super) fn log_filter(text: &str) -> Parsed<String> {
    let mend = "write levels such as info,access=warn: off, error, warn, info, debug or trace";
    let is_target = |target: &str| {
        !target.is_empty() && target.chars().all(|c| c.is_ascii_alphanumeric() || "_:-".contains(c))
    };
    for directive in text.split(',').map(str::trim).filter(|directive| !directive.is_empty()) {
        let good = match directive.split_once('=') {
            Some((target, level)) => is_target(target) && level.parse::<LevelFilter>().is_ok(),
            None => directive.parse::<LevelFilter>().is_ok(),
        };
        if !good {
            return Err(format!("{directive:?} is no level: {mend}"));
        }
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_or_refused_with_how_to_mend_them() {
        assert_eq!(origin("https://portal.example"), Ok("https://portal.example".into()));
        assert_eq!(origin("http://localhost:3000"), Ok("http://localhost:3000".into()));
        assert!(origin("https://portal.example/").unwrap_err().ends_with("https://portal.example"));
        for nothing in ["*", "portal.example", "ftp://portal.example", "https://", "http://a b"] {
            assert!(origin(nothing).is_err(), "{nothing}");
        }
        assert!(contact("mailto:security@vendor.example").is_ok() && contact("security").is_err());
        assert_eq!(network("10.0.0.7").map(|network| network.to_string()), Ok("10.0.0.7/32".into()));
        assert!(network("10.0.0.0/8").is_ok() && network("proxies").is_err());
        assert!(mailbox("A <a@vendor.example>").is_ok() && mailbox("nobody").is_err());
        for filter in ["info", "info,access=warn", "off", "", "partner_incentives::work=debug"] {
            assert!(log_filter(filter).is_ok(), "{filter}");
        }
        for filter in ["loud", "access=7", "[[", "info,=warn"] {
            assert!(log_filter(filter).is_err(), "{filter}");
        }
    }
}
