//! The address a request comes from, behind proxies.

use actix_web::HttpRequest;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The proxies whose `X-Forwarded-For` is believed. Put into the application's data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// The proxies of these networks.
    #[must_use]
    pub fn of(networks: &[IpNet]) -> Self {
        Self(networks.to_vec())
    }

    fn include(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address.to_canonical()))
    }

    /// The address before the first trusted proxy. Each proxy appends the address it hears, so the chain is read from its
    /// end; the addresses before one that no trusted proxy has appended may be made up.
    fn client<'a>(&self, peer: IpAddr, chain: impl DoubleEndedIterator<Item = &'a str>) -> IpAddr {
        let mut client = peer;
        for hop in chain.rev() {
            if !self.include(client) {
                break;
            }
            let Some(address) = address_in(hop) else { break };
            client = address;
        }
        client.to_canonical()
    }
}

/// The address in one hop of `X-Forwarded-For`. Proxies write it plain, with a port, in brackets, or in quotes.
fn address_in(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let hop = hop.strip_prefix('"').and_then(|hop| hop.strip_suffix('"')).unwrap_or(hop);
    let in_brackets = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || hop.parse().ok().map(|address: SocketAddr| address.ip());
    hop.parse().ok().or_else(in_brackets).or_else(with_port)
}

/// Whether a request comes over a trusted proxy.
pub(super) fn is_from_proxy(request: &HttpRequest) -> bool {
    let proxies = request.app_data::<TrustedProxies>();
    proxies.zip(request.peer_addr()).is_some_and(|(proxies, peer)| proxies.include(peer.ip()))
}

/// The address a request comes from: the address of the connection, or the one trusted proxies name in
/// `X-Forwarded-For`.
#[must_use]
pub fn address_of(request: &HttpRequest) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip());
    let Some(proxies) = request.app_data::<TrustedProxies>() else { return peer };
    let fields: Vec<&str> =
        request.headers().get_all("X-Forwarded-For").filter_map(|field| field.to_str().ok()).collect();
    proxies.client(peer, fields.iter().flat_map(|field| field.split(',')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_trusted_proxies_say_is_taken() {
        let networks: Vec<IpNet> =
            ["10.0.0.0/8", "fd00::/8"].iter().map(|network| network.parse().unwrap()).collect();
        let proxies = TrustedProxies::of(&networks);
        for (peer, chain, client) in [
            ("203.0.113.9", "198.51.100.1", "203.0.113.9"), // the connection is no trusted proxy
            ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "192.0.2.66, 198.51.100.1", "198.51.100.1"), // the first was made up by the second
            ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
            ("::ffff:10.0.0.1", "2001:db8::7", "2001:db8::7"),
            ("fd00::1", "198.51.100.1,not an address", "fd00::1"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3"),
            ("10.0.0.1", "198.51.100.1:40001", "198.51.100.1"),
            ("10.0.0.1", "[2001:db8::7], 10.0.0.2:8080", "2001:db8::7"),
            ("10.0.0.1", "\"[2001:db8::7]:40001\"", "2001:db8::7"),
            ("10.0.0.1", "198.51.100.1:port", "10.0.0.1"),
        ] {
            let found = proxies.client(peer.parse().unwrap(), chain.split(','));
            assert_eq!(found, client.parse::<IpAddr>().unwrap(), "{peer} {chain}");
        }
    }
}
