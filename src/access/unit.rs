//! The unit: what a request's work receives. One snapshot to read, one transaction to write.
//!
//! A unit that writes about a partner holds the partner's lock: units of one partner wait for each other, and each sees
//! all that the one before it has committed.

use super::{Guard, Role, Scope, app_state::State};
use crate::{
    config::{Accounts, Mail, Schedules},
    platform::{
        Error, Result, Vault,
        db::{Conn, Done, Witness},
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
    /// The first audit event, by which the unit is found again.
    witness: Option<Witness>,
    /// The partners whose lock the unit holds, and those it has made.
    held: Vec<Id>,
    finished: bool,
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
            witness: None,
            held: Vec::new(),
            finished: false,
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

    /// Locks a partner until the end of the unit. Comes before the unit relies on the partner's records; tells whether
    /// they are to be read again, because others may have changed them before the lock was there.
    pub fn lock_partner(&mut self, partner: Id) -> Result<bool> {
        self.lock_partners(&[partner])
    }

    /// The same for several partners, which are locked in one order everywhere: headquarters before locations.
    pub fn lock_partners(&mut self, partners: &[Id]) -> Result<bool> {
        let mut new: Vec<Id> = partners.iter().copied().filter(|id| !self.holds(*id)).collect();
        if new.is_empty() {
            return Ok(false);
        }
        let read_again = (self.state.directory.lock)(self.conn, &new)?;
        self.held.append(&mut new);
        Ok(read_again)
    }

    /// Notes a partner that this unit makes: nobody else sees it before the commit.
    pub fn made_partner(&mut self, partner: Id) {
        self.held.push(partner);
    }

    fn holds(&self, partner: Id) -> bool {
        self.held.contains(&partner)
    }

    /// Relies on a rule that reaches beyond one partner: it stays as it is until the end of the unit.
    pub fn share(&mut self, guard: Guard) -> Result<()> {
        guard.share(self.conn)
    }

    /// Changes what a rule that reaches beyond one partner stands on: nobody relies on it before the end of the unit.
    pub fn take(&mut self, guard: Guard) -> Result<()> {
        guard.take(self.conn)
    }

    /// Notes that this unit has written an audit event; `audit` calls it. Refuses one about a partner that the unit
    /// does not hold: its work could not be right beside another unit of that partner.
    pub fn note_audit(&mut self, partner: Option<Id>, event: Witness) -> Result<()> {
        if let Some(partner) = partner.filter(|partner| !self.holds(*partner)) {
            let fault = format!("{} wrote about partner {partner} without its lock", self.operation);
            return Err(Error::internal(fault));
        }
        self.witness.get_or_insert(event);
        Ok(())
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

    /// Runs the work of a writing unit to its end.
    pub(super) fn run<T>(mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<Done<T>> {
        let value = work(&mut self)?;
        self.finish()?;
        Ok(Done { value, witness: self.witness })
    }

    /// Ends a writing unit: follows up on changed facts, and refuses a write that nobody could ever trace.
    pub(super) fn finish(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.finished, true) {
            return Ok(());
        }
        let changes = std::mem::take(&mut self.changes);
        let exempt = self.exemption.is_some_and(|reason| reason.covers(&changes));
        if !changes.is_empty() {
            let follow_ups = &self.state.hooks.follow_ups;
            follow_ups.iter().try_for_each(|follow_up| follow_up(self, &changes))?;
        }
        if self.witness.is_none() && !exempt {
            return Err(Error::internal(format!("{} wrote without an audit event", self.operation)));
        }
        Ok(())
    }
}
