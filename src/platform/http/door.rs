//! The door of the service: the listening socket, whose address is taken before it opens, and which is shut before it is
//! closed.
//!
//! A socket that is closed resets the connections which clients have opened and nobody has accepted yet. On Linux the door is
//! shut first: the kernel drops every request for a new connection, finishes those that were asked for before, and the
//! service accepts them. A client whose request was dropped asks again within a second or so, and is refused by then.

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::{
    io,
    net::{SocketAddr, TcpListener},
};

/// The connections that wait to be accepted at most; the system may allow fewer.
const BACKLOG: i32 = 1024;

/// An address that is taken, and not listened on yet: whoever comes is refused, as by a service that is away.
#[derive(Debug)]
pub struct Doorway(Socket);

impl Doorway {
    /// Takes an address; of port 0, a port that is free.
    pub fn at(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // Connections of the service before, which the system has not forgotten yet, are in nobody's way.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        Ok(Self(socket))
    }

    /// The address that was taken.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()?.as_socket().ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
    }

    /// Listens from now on.
    pub fn open(self) -> io::Result<TcpListener> {
        self.0.listen(BACKLOG)?;
        Ok(self.0.into())
    }
}

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
