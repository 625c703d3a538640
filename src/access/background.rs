//! Work of many units that somebody sends the service on.

use super::{Actor, AppState, Caller, Tx, app_state::State, policy::Policy};
use crate::platform::{Result, db::Conn};
use std::sync::Arc;

/// Somebody's background: many units, one after the other, on a thread of its own. Whoever sent it is looked at again in
/// each of them, so that it ends where its sender is barred.
#[derive(Clone)]
pub struct BackgroundContext {
    state: Arc<State>,
    sender: Arc<dyn Sender>,
}

/// In whose name the units are.
trait Sender: Send + Sync {
    fn enter<'a>(&'a self, conn: &'a mut Conn) -> Result<Tx<'a>>;
}

impl<P: Policy> Sender for Caller<P> {
    fn enter<'a>(&'a self, conn: &'a mut Conn) -> Result<Tx<'a>> {
        Caller::enter(self, conn)
    }
}

/// The service itself.
struct System {
    state: Arc<State>,
    operation: &'static str,
}

impl Sender for System {
    fn enter<'a>(&'a self, conn: &'a mut Conn) -> Result<Tx<'a>> {
        Ok(Tx::new(conn, Actor::SYSTEM, &self.state, "command-line", self.operation))
    }
}

impl<P: Policy> Caller<P> {
    /// Sends the service on an background.
    #[must_use]
    pub fn background(self) -> BackgroundContext {
        BackgroundContext { state: Arc::clone(&self.app().0), sender: Arc::new(self) }
    }
}

impl AppState {
    /// Background work of the service itself: a command, or the clear-up after a crash.
    #[must_use]
    pub fn background(&self, operation: &'static str) -> BackgroundContext {
        let state = Arc::clone(&self.0);
        BackgroundContext { sender: Arc::new(System { state: Arc::clone(&state), operation }), state }
    }
}

impl BackgroundContext {
    /// The same in the name of the service itself: what must be done although its sender has been barred since.
    #[must_use]
    pub fn of_service(&self, operation: &'static str) -> Self {
        AppState(Arc::clone(&self.state)).background(operation)
    }

    /// How many errors of an import are kept.
    #[must_use]
    pub fn import_errors_kept(&self) -> i64 {
        i64::from(self.state.import_errors_kept)
    }

    /// Reads; waits for it.
    pub fn read<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        self.state.db.read(|conn| work(&mut self.sender.enter(conn)?))
    }

    /// Writes one unit; waits until it is durable.
    pub fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let sender = Arc::clone(&self.sender);
        self.state.db.write_witnessed(move |conn| sender.enter(conn)?.run(&work))
    }

    /// The application state, for the turn that the work is done in.
    #[must_use]
    pub fn app(&self) -> AppState {
        AppState(Arc::clone(&self.state))
    }
}
