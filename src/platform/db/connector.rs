//! The pool's connections: opening a connection, and finding dead connections.

use super::{Conn, Target};
use crate::platform::{Error, Result};
use diesel::{
    Connection,
    connection::{SimpleConnection, TransactionManager},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

type Transactions = <Conn as Connection>::TransactionManager;

/// Opens connections and finds dead connections. A test before each use would cost a round trip, without tests a dead
/// connection would stay for ever: a connection is tested after it has been idle for a second.
pub(super) struct Connector {
    pub target: Target,
    pub suspicion: Arc<Suspicion>,
}

/// When a connection was last found dead: connections that were tested before may be dead as well.
#[derive(Debug, Default)]
pub(super) struct Suspicion(Mutex<Option<Instant>>);

impl Suspicion {
    pub(super) fn raise(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn concerns(&self, tested_at: Instant) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|raised| tested_at <= raised)
    }
}

pub(super) struct PooledConnection {
    pub conn: Conn,
    tested_at: Instant,
    pub broken: bool,
}

impl r2d2::ManageConnection for Connector {
    type Connection = PooledConnection;
    type Error = Error;

    fn connect(&self) -> Result<PooledConnection> {
        let conn = self.target.open().map_err(Error::unavailable)?;
        Ok(PooledConnection { conn, tested_at: Instant::now(), broken: false })
    }

    fn is_valid(&self, held: &mut PooledConnection) -> Result<()> {
        let suspected =
            held.tested_at.elapsed() > Duration::from_secs(1) || self.suspicion.concerns(held.tested_at);
        if !held.conn.is_sqlite() && suspected {
            held.conn.batch_execute("SELECT 1")?;
            held.tested_at = Instant::now();
        }
        Ok(())
    }

    fn has_broken(&self, held: &mut PooledConnection) -> bool {
        held.broken
            || std::thread::panicking()
            || !matches!(
                Transactions::transaction_manager_status_mut(&mut held.conn).transaction_depth(),
                Ok(None)
            )
    }
}

/// Logs a failed connect as a warning, so that the log stays readable while a server is away.
#[derive(Debug)]
pub(super) struct Quiet;

impl r2d2::HandleError<Error> for Quiet {
    fn handle_error(&self, error: Error) {
        log::warn!("the database cannot be reached: {error}");
    }
}
