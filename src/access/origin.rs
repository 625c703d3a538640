//! Where a request comes from.

use std::net::IpAddr;

/// The address and the program a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestOrigin {
    /// The network address.
    pub address: IpAddr,
    /// The program, by its `User-Agent` field; at most 200 characters.
    pub user_agent: Option<String>,
}
