//! The connections of the pool: opened, tested where they may be dead, replaced.

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

/// Opens connections and tells dead ones: r2d2's own test costs a round trip per use, none at all
/// keeps a dead connection for ever, so a connection is tested when it has been idle for a second.
pub(super) struct Manager {
    pub target: Target,
    pub suspicion: Arc<Suspicion>,
}

/// Since when connections that nobody has used are suspected to be dead: where one was, its neighbours often are.
#[derive(Debug, Default)]
pub(super) struct Suspicion(Mutex<Option<Instant>>);

impl Suspicion {
    pub(super) fn raise(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn concerns(&self, seen: Instant) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|raised| seen <= raised)
    }
}

pub(super) struct Held {
    pub conn: Conn,
    seen: Instant,
    pub broken: bool,
}

impl r2d2::ManageConnection for Manager {
    type Connection = Held;
    type Error = Error;

    fn connect(&self) -> Result<Held> {
        let conn = self.target.open().map_err(Error::unavailable)?;
        Ok(Held { conn, seen: Instant::now(), broken: false })
    }

    fn is_valid(&self, held: &mut Held) -> Result<()> {
        let suspected = held.seen.elapsed() > Duration::from_secs(1) || self.suspicion.concerns(held.seen);
        if !held.conn.is_sqlite() && suspected {
            held.conn.batch_execute("SELECT 1")?;
            held.seen = Instant::now();
        }
        Ok(())
    }

    fn has_broken(&self, held: &mut Held) -> bool {
        held.broken
            || std::thread::panicking()
            || !matches!(
                Transactions::transaction_manager_status_mut(&mut held.conn).transaction_depth(),
                Ok(None)
            )
    }
}

/// Logs a failed connect at a level that does not drown the log while a server is away.
#[derive(Debug)]
pub(super) struct Quiet;

impl r2d2::HandleError<Error> for Quiet {
    fn handle_error(&self, error: Error) {
        log::warn!("the database cannot be reached: {error}");
    }
}
