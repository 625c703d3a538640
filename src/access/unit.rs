//! The unit: what a request's work receives. One snapshot to read, one serialisable transaction to write.

use super::{Role, Scope};
use crate::platform::{
    Error, Result,
    db::Conn,
    values::{CalendarDate, Id, Ids, Timestamp},
};

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The user; none where the service acts by itself.
    pub user: Option<Id>,
    /// The user's role; none where the service acts by itself.
    pub role: Option<Role>,
    /// The user's partner; none for programme staff.
    pub partner: Option<Id>,
}

impl Actor {
    /// The service itself.
    pub const SYSTEM: Self = Self { user: None, role: None, partner: None };

    /// Which records this actor may see.
    #[must_use]
    pub fn scope(self) -> Scope {
        self.partner.map_or(Scope::All, Scope::Partner)
    }
}

/// A unit of work: the connection inside its transaction, and who, when and why.
pub struct Tx<'a> {
    /// The connection.
    pub conn: &'a mut Conn,
    /// Who acts.
    pub actor: Actor,
    /// When; the same for the whole unit.
    pub now: Timestamp,
    /// The request, for audit events.
    pub request_id: &'a str,
    /// The operation, in `PascalCase`, for audit events.
    pub operation: &'static str,
    ids: &'a Ids,
    audited: u32,
    idle: bool,
    changed: Vec<Id>,
}

/// What the service does at the end of a unit that changed facts about partners.
pub type Settle = fn(&mut Tx<'_>, &[Id]) -> Result<()>;

impl<'a> Tx<'a> {
    pub(super) fn new(
        conn: &'a mut Conn,
        actor: Actor,
        (now, ids): (Timestamp, &'a Ids),
        request_id: &'a str,
        operation: &'static str,
    ) -> Self {
        Self { conn, actor, now, request_id, operation, ids, audited: 0, idle: false, changed: Vec::new() }
    }

    /// A new id.
    #[must_use]
    pub fn new_id(&self) -> Id {
        self.ids.next(self.now)
    }

    /// The day it is, in UTC.
    #[must_use]
    pub fn today(&self) -> CalendarDate {
        self.now.date()
    }

    /// Which records this unit may see.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.actor.scope()
    }

    /// Notes that this unit has written an audit event; `audit` calls it.
    pub fn note_audit(&mut self) {
        self.audited += 1;
    }

    /// Notes that the request found everything done already, so that there is nothing to trace.
    pub fn changed_nothing(&mut self) {
        self.idle = true;
    }

    /// Notes that a fact about a partner has changed, so that what rests on it is looked at before the commit.
    pub fn facts_changed(&mut self, partner: Id) {
        if !self.changed.contains(&partner) {
            self.changed.push(partner);
        }
    }

    /// Ends a writing unit: follows up on changed facts, and refuses a write that nobody could ever trace.
    pub(super) fn settle(&mut self, follow_up: Settle) -> Result<()> {
        let changed = std::mem::take(&mut self.changed);
        let idle = self.idle && changed.is_empty();
        if !changed.is_empty() {
            follow_up(self, &changed)?;
        }
        if self.audited == 0 && !idle {
            return Err(Error::internal(format!("{} wrote without an audit event", self.operation)));
        }
        Ok(())
    }
}
