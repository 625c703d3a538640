//! Background work of many units, in the name of a caller or of the service itself.

use super::{Actor, AppState, Caller, Tx, app_state::SharedState, policy::Policy};
use crate::{
    platform::{Error, Result, db::Conn},
    text,
};
use std::{collections::HashSet, sync::Arc};

/// The way of background work to the database: many units, one after the other, in the name of a sender. Each unit checks
/// the sender again, so that the work ends once the sender is barred.
#[derive(Clone)]
pub struct BackgroundContext {
    state: Arc<SharedState>,
    sender: Arc<dyn Sender>,
}

/// The caller or the service, in whose name the units run.
trait Sender: Send + Sync {
    fn enter<'a>(&'a self, conn: &'a mut Conn) -> Result<Tx<'a>>;
}

impl<P: Policy> Sender for Caller<P> {
    fn enter<'a>(&'a self, conn: &'a mut Conn) -> Result<Tx<'a>> {
        Caller::enter(self, conn)
    }
}

/// An actor without a request as the sender: the service itself, or a user of the demo.
struct Unasked {
    state: Arc<SharedState>,
    actor: Actor,
    operation: &'static str,
}

impl Sender for Unasked {
    fn enter<'a>(&'a self, conn: &'a mut Conn) -> Result<Tx<'a>> {
        Ok(Tx::new(conn, self.actor, &self.state, "command-line", self.operation))
    }
}

impl<P: Policy> Caller<P> {
    /// The context of background work in the caller's name.
    #[must_use]
    pub fn background(self) -> BackgroundContext {
        BackgroundContext { state: Arc::clone(&self.app().0), sender: Arc::new(self) }
    }
}

impl AppState {
    /// The context of background work in the name of the service itself: a command, or the clear-up after a crash.
    #[must_use]
    pub fn background(&self, operation: &'static str) -> BackgroundContext {
        self.background_as(Actor::SYSTEM, operation)
    }

    /// The context of background work in the name of a user who has sent no request, for the demo.
    #[must_use]
    pub fn background_as(&self, actor: Actor, operation: &'static str) -> BackgroundContext {
        let state = Arc::clone(&self.0);
        BackgroundContext { sender: Arc::new(Unasked { state: Arc::clone(&state), actor, operation }), state }
    }
}

impl BackgroundContext {
    /// This context in the name of the service itself, for units that must run although the sender has been barred.
    #[must_use]
    pub fn of_service(&self, operation: &'static str) -> Self {
        AppState(Arc::clone(&self.state)).background(operation)
    }

    /// The most errors of an import that are stored.
    #[must_use]
    pub fn import_errors_kept(&self) -> i64 {
        i64::from(self.state.import_errors_kept)
    }

    /// The product families that the records of any slice name.
    pub fn product_families(&self) -> Result<HashSet<String>> {
        self.read(|tx| {
            let mut known = HashSet::new();
            for families in &self.state.hooks.product_families {
                known.extend(families(tx)?);
            }
            Ok(known)
        })
    }

    /// Refuses work that fills the disk where SQLite's disk has less room than the settings want to be left free.
    pub fn check_room(&self) -> Result<()> {
        let reserve = self.state.disk_reserve_bytes;
        if self.state.db.free_bytes().is_none_or(|free| free >= reserve) {
            return Ok(());
        }
        let detail = text!(
            "the disk of the database has less than {reserve} bytes left; make room, then try again",
            "データベースのディスクの空き容量が {reserve} バイト未満です。空き容量を確保してから再度お試しください。"
        );
        let short = Error::unavailable("the disk of the database is nearly full");
        Err(Error { detail, retry_after: Some(60), ..short })
    }

    /// Reads in one snapshot, on this thread.
    pub fn read<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        self.state.db.read(|conn| work(&mut self.sender.enter(conn)?))
    }

    /// Writes one unit; waits until the unit is durable.
    pub fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let sender = Arc::clone(&self.sender);
        self.state.db.write_witnessed(move |conn| sender.enter(conn)?.run(&work))
    }

    /// The application state, for the turn the work runs in.
    #[must_use]
    pub fn app(&self) -> AppState {
        AppState(Arc::clone(&self.state))
    }
}
