//! The unit: what a request's work receives. One snapshot to read, one serialisable transaction to write.

use super::{Role, Scope, app_state::State};
use crate::{
    config::{Accounts, Mail, Schedules},
    platform::{
        Error, Result, Vault,
        db::Conn,
        values::{CalendarDate, Id, Timestamp},
    },
};

/// Who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The service itself.
    System,
    /// Somebody who has not signed in.
    Nobody,
    /// A user.
    User(Id),
    /// An API client.
    Client(Id),
}

/// Who acts, and as what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub who: Who,
    /// The user's or client's role.
    pub role: Option<Role>,
    /// The user's or client's partner; none for programme staff.
    pub partner: Option<Id>,
}

impl Actor {
    /// The service itself.
    pub const SYSTEM: Self = Self { who: Who::System, role: None, partner: None };
    /// Somebody who has not signed in.
    pub const NOBODY: Self = Self { who: Who::Nobody, role: None, partner: None };

    /// A user.
    #[must_use]
    pub fn of_user(id: Id, role: Role, partner: Option<Id>) -> Self {
        Self { who: Who::User(id), role: Some(role), partner }
    }

    /// An API client.
    #[must_use]
    pub fn of_client(id: Id, role: Role, partner: Option<Id>) -> Self {
        Self { who: Who::Client(id), role: Some(role), partner }
    }

    /// The user; none where somebody else acts.
    #[must_use]
    pub fn user(self) -> Option<Id> {
        match self.who {
            Who::User(id) => Some(id),
            _ => None,
        }
    }

    /// The user or the client.
    #[must_use]
    pub fn id(self) -> Option<Id> {
        match self.who {
            Who::User(id) | Who::Client(id) => Some(id),
            _ => None,
        }
    }

    /// As what, for the audit trail: a role, `api_client`, `nobody` or `system`.
    #[must_use]
    pub fn named(self) -> &'static str {
        match self.who {
            Who::System => "system",
            Who::Nobody => "nobody",
            Who::Client(_) => "api_client",
            Who::User(_) => self.role.map_or("nobody", Role::as_str),
        }
    }

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
    state: &'a State,
    audited: u32,
    idle: bool,
    changed: Vec<Id>,
    sold_only: Vec<Id>,
    came_to_light: bool,
}

impl<'a> Tx<'a> {
    pub(super) fn new(
        conn: &'a mut Conn,
        actor: Actor,
        state: &'a State,
        request_id: &'a str,
        operation: &'static str,
    ) -> Self {
        let now = state.clock.now();
        Self {
            conn,
            actor,
            now,
            request_id,
            operation,
            state,
            audited: 0,
            idle: false,
            changed: Vec::new(),
            sold_only: Vec::new(),
            came_to_light: false,
        }
    }

    /// Encryption at rest.
    #[must_use]
    pub fn vault(&self) -> &'a Vault {
        &self.state.vault
    }

    /// How people are written to.
    #[must_use]
    pub fn mail(&self) -> &'a Mail {
        &self.state.mail
    }

    /// What holds for every account.
    #[must_use]
    pub fn accounts(&self) -> &'a Accounts {
        &self.state.accounts
    }

    /// When background work begins by the clock.
    #[must_use]
    pub fn schedules(&self) -> Schedules {
        self.state.schedules
    }

    /// The first kind of record, of any slice, that refers to a partner.
    pub fn referred_by(&mut self, partner: Id) -> Result<Option<&'static str>> {
        let references = &self.state.hooks.references;
        references.iter().find_map(|refers| refers(self, partner).transpose()).transpose()
    }

    /// A new id.
    #[must_use]
    pub fn new_id(&self) -> Id {
        self.state.ids.next(self.now)
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

    /// Notes that there is nothing to trace: the request found everything done already, or what it wrote is seen by
    /// nobody yet.
    pub fn changed_nothing(&mut self) {
        self.idle = true;
    }

    /// Notes that a fact about a partner has changed, so that what rests on it is looked at before the commit.
    pub fn facts_changed(&mut self, partner: Id) {
        if !self.changed.contains(&partner) {
            self.changed.push(partner);
        }
        self.sold_only.retain(|sold| *sold != partner);
    }

    /// Notes the same for a fact that is a sale: it says nothing about earlier ones.
    pub fn sale_recorded(&mut self, partner: Id) {
        if !self.changed.contains(&partner) {
            self.changed.push(partner);
            self.sold_only.push(partner);
        }
    }

    /// Whether nothing but sales of this partner has changed.
    #[must_use]
    pub fn has_sold_only(&self, partner: Id) -> bool {
        self.sold_only.contains(&partner)
    }

    /// Notes that sales recorded in an earlier unit, and traced there, are to be looked at before the commit.
    pub fn sales_came_to_light(&mut self, partners: impl IntoIterator<Item = Id>) {
        partners.into_iter().for_each(|partner| self.sale_recorded(partner));
        self.came_to_light = true;
    }

    /// Ends a writing unit: follows up on changed facts, and refuses a write that nobody could ever trace.
    pub(super) fn settle(&mut self) -> Result<()> {
        let changed = std::mem::take(&mut self.changed);
        let idle = self.came_to_light || self.idle && changed.is_empty();
        if !changed.is_empty() {
            let follow_ups = &self.state.hooks.follow_ups;
            follow_ups.iter().try_for_each(|follow_up| follow_up(self, &changed))?;
        }
        if self.audited == 0 && !idle {
            return Err(Error::internal(format!("{} wrote without an audit event", self.operation)));
        }
        Ok(())
    }
}
