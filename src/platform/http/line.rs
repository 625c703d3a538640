//! The connection of a client, so that the service can break it.

use actix_web::{HttpRequest, dev::Extensions, rt::net::TcpStream};
use socket2::{SockRef, Socket};
use std::{any::Any, net::Shutdown, sync::Arc, time::Duration};

/// A second handle on the socket of a client.
#[derive(Debug)]
pub struct Line(Socket);

impl Line {
    /// Keeps the line of every new connection, for [`Line::of`].
    pub fn keep(connection: &dyn Any, kept: &mut Extensions) {
        if let Some(stream) = connection.downcast_ref::<TcpStream>()
            && let Ok(line) = SockRef::from(stream).try_clone()
        {
            kept.insert(Arc::new(Self(line)));
        }
    }

    /// The line that a request came on.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Option<Arc<Self>> {
        request.conn_data::<Arc<Self>>().cloned()
    }

    /// Breaks the connection: what the client has not taken yet is thrown away.
    pub fn cut(&self) {
        let cut = self.0.set_linger(Some(Duration::ZERO)).and_then(|()| self.0.shutdown(Shutdown::Both));
        if let Err(error) = cut {
            log::debug!("a connection was gone already: {error}");
        }
    }
}

/// Lets the process have as many open files as it may: every client takes two.
pub fn allow_many_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            log::warn!("the limit of open files stays as it is: {error}");
        }
    }
}
