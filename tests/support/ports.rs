//! Ports for servers that start later than their address is known.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU32, Ordering},
};

/// The ports given out: below those that Linux and others give to clients and to listeners on port 0.
const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;

/// A port that is free now, and stays free until its server takes the port: the system gives a port of this range to
/// nobody, and no other call of this process gets the same one.
pub fn free_port() -> u16 {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    // Processes that run side by side begin at places of their own.
    let start = std::process::id().wrapping_mul(101);
    let port = |call: u32| FIRST + start.wrapping_add(call) % COUNT;
    (0..COUNT)
        .map(|_| u16::try_from(port(CALLS.fetch_add(1, Ordering::Relaxed))).expect("a port of the range"))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}
