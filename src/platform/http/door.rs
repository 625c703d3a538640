//! The door of the service: the listening socket, shut before it is closed.
//!
//! A socket that is closed resets the connections which clients have opened and nobody has accepted yet. On Linux the door is
//! shut first: the kernel drops every request for a new connection, finishes those that were asked for before, and the
//! service accepts them. A client whose request was dropped asks again within a second or so, and is refused by then.

use socket2::{SockRef, Socket};
use std::{io, net::TcpListener};

/// A second handle on a listening socket.
#[derive(Debug)]
pub struct Door(Socket);

/// The place of the flags in the head of a TCP segment.
const FLAGS: u32 = 13;
const SYN: u32 = 0x02;
const ACK: u32 = 0x10;

impl Door {
    /// The door of a listener.
    pub fn of(listener: &TcpListener) -> io::Result<Self> {
        SockRef::from(listener).try_clone().map(Self)
    }

    /// Another handle on the same socket.
    pub fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// Lets nobody in any more who has not knocked yet.
    #[cfg(target_os = "linux")]
    pub fn shut(&self) -> io::Result<()> {
        use socket2::SockFilter;
        // A filter of the kernel (classic BPF): a segment that asks for a new connection has SYN without ACK.
        const LOAD_BYTE: u16 = 0x30;
        const AND: u16 = 0x54;
        const IF_EQUAL: u16 = 0x15;
        const RETURN: u16 = 0x06;
        self.0.attach_filter(&[
            SockFilter::new(LOAD_BYTE, 0, 0, FLAGS),
            SockFilter::new(AND, 0, 0, SYN | ACK),
            SockFilter::new(IF_EQUAL, 0, 1, SYN),
            SockFilter::new(RETURN, 0, 0, 0),
            SockFilter::new(RETURN, 0, 0, u32::from(u16::MAX)),
        ])
    }

    /// Elsewhere the socket is closed as it is.
    #[cfg(not(target_os = "linux"))]
    pub fn shut(&self) -> io::Result<()> {
        Ok(())
    }
}
