//! The unit: what a request's work receives. One snapshot to read, one serialisable transaction to write.

use super::{Role, Scope, app_state::State};
use crate::{
    config::{Accounts, Mail},
    platform::{
        Error, Result, Vault,
        db::Conn,
        values::{CalendarDate, Id, Month, Timestamp},
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
    exemption: Option<Unaudited>,
    changes: Changes,
    sold_only: Vec<Id>,
}

/// What a unit has changed that records of other slices rest on.
#[derive(Debug, Default)]
pub struct Changes {
    /// The partners with a changed fact.
    pub partners: Vec<Id>,
    /// The programs whose status or partner types have changed.
    pub programs: Vec<Id>,
    /// The programs with a newly published version.
    pub published: Vec<Id>,
    /// The months with newly published exchange rates.
    pub rates: Vec<Month>,
}

impl Changes {
    fn is_empty(&self) -> bool {
        let Self { partners, programs, published, rates } = self;
        partners.is_empty() && programs.is_empty() && published.is_empty() && rates.is_empty()
    }
}

/// Why a writing unit needs no audit event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unaudited {
    /// Everything is as asked for already, or cannot be done: nothing is written.
    NothingWritten,
    /// The service keeps for itself who works on what, and how far that work has come; its end is traced.
    Bookkeeping,
    /// Rows of an import that nobody sees: they are traced when they are published, and else removed.
    NotPublished,
    /// What comes to light now was traced in an earlier unit.
    TracedBefore,
}

impl Unaudited {
    /// Whether the reason lets a unit off that has noted these changes.
    fn covers(self, changes: &Changes) -> bool {
        match self {
            Self::NothingWritten | Self::Bookkeeping | Self::NotPublished => changes.is_empty(),
            Self::TracedBefore => true,
        }
    }
}

/// The work at the end of a unit that changed records others rest on.
pub type Settle = fn(&mut Tx<'_>, &Changes) -> Result<()>;

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
            exemption: None,
            changes: Changes::default(),
            sold_only: Vec::new(),
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

    /// The partners whose records the people of a partner may see: the partner and its locations.
    pub fn family_of(&mut self, partner: Id) -> Result<Vec<Id>> {
        (self.state.directory.family)(self.conn, partner)
    }

    /// The first kind of record above the partners' own slice that refers to a partner.
    pub fn referred_by(&mut self, partner: Id) -> Result<Option<&'static str>> {
        for referrer in self.state.directory.referrers {
            if (referrer.refers)(self.conn, partner)? {
                return Ok(Some(referrer.kind));
            }
        }
        Ok(None)
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

    /// Lets this unit end without an audit event. A unit that notes a changed fact is not let off, but where the event
    /// was written before.
    pub fn exempt_from_audit(&mut self, reason: Unaudited) {
        self.exemption = Some(reason);
    }

    /// Notes that a fact about a partner has changed, so that what rests on it is looked at before the commit.
    pub fn facts_changed(&mut self, partner: Id) {
        if !self.changes.partners.contains(&partner) {
            self.changes.partners.push(partner);
        }
        self.sold_only.retain(|sold| *sold != partner);
    }

    /// Notes the same for a fact that is a sale: it says nothing about earlier ones.
    pub fn sale_recorded(&mut self, partner: Id) {
        if !self.changes.partners.contains(&partner) {
            self.changes.partners.push(partner);
            self.sold_only.push(partner);
        }
    }

    /// Notes that the status or the partner types of a program have changed.
    pub fn program_changed(&mut self, program: Id) {
        self.changes.programs.push(program);
    }

    /// Notes that a version of a program was published.
    pub fn version_published(&mut self, program: Id) {
        self.changes.published.push(program);
    }

    /// Notes that exchange rates of a month were published.
    pub fn rates_published(&mut self, month: Month) {
        self.changes.rates.push(month);
    }

    /// Whether nothing but sales of this partner has changed.
    #[must_use]
    pub fn has_sold_only(&self, partner: Id) -> bool {
        self.sold_only.contains(&partner)
    }

    /// Notes that sales recorded in an earlier unit, and traced there, are to be looked at before the commit.
    pub fn sales_came_to_light(&mut self, partners: impl IntoIterator<Item = Id>) {
        partners.into_iter().for_each(|partner| self.sale_recorded(partner));
        self.exempt_from_audit(Unaudited::TracedBefore);
    }

    /// Ends a writing unit: follows up on changed facts, and refuses a write that nobody could ever trace.
    pub(super) fn settle(&mut self, follow_up: Settle) -> Result<()> {
        let changes = std::mem::take(&mut self.changes);
        let exempt = self.exemption.is_some_and(|reason| reason.covers(&changes));
        if !changes.is_empty() {
            follow_up(self, &changes)?;
        }
        if self.audited == 0 && !exempt {
            return Err(Error::internal(format!("{} wrote without an audit event", self.operation)));
        }
        Ok(())
    }
}
