//! The unit: the access to the database that the work of a request receives. A snapshot to read, or a transaction to
//! write.
//!
//! A unit that writes about a partner holds the partner's lock: units of one partner wait for each other, and each unit
//! sees everything that the unit before has committed.

use super::{Changes, ExpectedPayment, Guard, OpenClaim, Role, Scope, Unaudited, app_state::SharedState};
use crate::{
    config::{Accounts, Mail, Schedules},
    platform::{
        Error, Result, Vault,
        db::{Conn, Done, Witness},
        values::{CalendarDate, Id, Locale, Month, Timestamp},
    },
};
use std::collections::HashSet;

/// The identity behind a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The service itself.
    System,
    /// A caller who has not signed in.
    Nobody,
    /// A user, by id.
    User(Id),
    /// An API client, by id.
    Client(Id),
}

/// What a lock says about the locked partners' records that the unit has read before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EarlierReads {
    /// No other unit can have changed the records.
    Hold,
    /// Another unit may have changed the records before the lock: the unit reads them again.
    MayBeStale,
}

impl EarlierReads {
    /// Whether the unit has to read the records again.
    #[must_use]
    pub fn may_be_stale(self) -> bool {
        self == Self::MayBeStale
    }
}

/// The user, API client or service that acts in a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The identity of the actor.
    pub who: Who,
    /// The user's or client's role; none of the service and of a caller who has not signed in.
    pub role: Option<Role>,
    /// The user's or client's partner; none for programme staff.
    pub partner: Option<Id>,
}

impl Actor {
    /// The service itself.
    pub const SYSTEM: Self = Self { who: Who::System, role: None, partner: None };
    /// A caller who has not signed in.
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

    /// The id of the user; none of another actor.
    #[must_use]
    pub fn user(self) -> Option<Id> {
        match self.who {
            Who::User(id) => Some(id),
            _ => None,
        }
    }

    /// The id of the user or of the API client; none of another actor.
    #[must_use]
    pub fn id(self) -> Option<Id> {
        match self.who {
            Who::User(id) | Who::Client(id) => Some(id),
            _ => None,
        }
    }

    /// The actor's name in the audit trail: a role, `api_client`, `nobody` or `system`.
    #[must_use]
    pub fn named(self) -> &'static str {
        match self.who {
            Who::System => "system",
            Who::Nobody => "nobody",
            Who::Client(_) => "api_client",
            Who::User(_) => self.role.map_or("nobody", Role::as_str),
        }
    }

    /// The records this actor may see.
    #[must_use]
    pub fn scope(self) -> Scope {
        self.partner.map_or(Scope::All, Scope::Partner)
    }
}

/// A unit: the connection inside its transaction, with the actor, the instant and the operation.
pub struct Tx<'a> {
    /// The connection, inside the unit's transaction.
    pub conn: &'a mut Conn,
    /// The actor of the unit.
    pub actor: Actor,
    /// The instant of the unit, the same from its begin to its end.
    pub now: Timestamp,
    /// The id of the request, for audit events.
    pub request_id: &'a str,
    /// The operation, in `PascalCase`, for audit events.
    pub operation: &'static str,
    /// The language of whoever reads the answer: the one the request asks for, else that of the user's account.
    pub language: Locale,
    pub(super) state: &'a SharedState,
    /// The first audit event, by which the unit is looked up after a lost `COMMIT`.
    witness: Option<Witness>,
    /// The partners whose lock the unit holds, and the partners the unit has made.
    held: HashSet<Id>,
    finished: bool,
    exemption: Option<Unaudited>,
    changes: Changes,
    sold_only: Vec<Id>,
}

impl<'a> Tx<'a> {
    pub(super) fn new(
        conn: &'a mut Conn,
        actor: Actor,
        state: &'a SharedState,
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
            language: Locale::default(),
            state,
            witness: None,
            held: HashSet::new(),
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

    /// Whether the clock that gave the unit its instant has run evenly since long before.
    #[must_use]
    pub fn clock_is_trusted(&self) -> bool {
        self.state.clock.distrusted_for().is_none()
    }

    /// The settings of mail.
    #[must_use]
    pub fn mail(&self) -> &'a Mail {
        &self.state.mail
    }

    /// The settings of accounts.
    #[must_use]
    pub fn accounts(&self) -> &'a Accounts {
        &self.state.accounts
    }

    /// The partners whose records the people of a partner may see: the partner and its locations.
    pub fn family_of(&mut self, partner: Id) -> Result<Vec<Id>> {
        (self.state.directory.family)(self.conn, partner)
    }

    /// What happens by the clock.
    #[must_use]
    pub fn schedules(&self) -> Schedules {
        self.state.schedules
    }

    /// The kind of a record, of any slice, that refers to a partner; none where no record does.
    pub fn referred_by(&mut self, partner: Id) -> Result<Option<&'static str>> {
        let references = &self.state.hooks.references;
        references.iter().find_map(|refers| refers(self, partner).transpose()).transpose()
    }

    /// The payments that a partner can expect.
    pub fn expected_payments(&mut self, partner: Id) -> Result<Vec<ExpectedPayment>> {
        let mut found = Vec::new();
        for expected in &self.state.hooks.expected_payments {
            found.extend(expected(self, partner)?);
        }
        Ok(found)
    }

    /// The co-op claims of a partner that are under way.
    pub fn open_claims(&mut self, partner: Id) -> Result<Vec<OpenClaim>> {
        let mut found = Vec::new();
        for open in &self.state.hooks.open_claims {
            found.extend(open(self, partner)?);
        }
        Ok(found)
    }

    /// A new id.
    #[must_use]
    pub fn new_id(&self) -> Id {
        self.state.ids.next(self.now)
    }

    /// The day of the unit, in UTC.
    #[must_use]
    pub fn today(&self) -> CalendarDate {
        self.now.date()
    }

    /// The records this unit may see.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.actor.scope()
    }

    /// Locks a partner until the end of the unit, before the unit relies on the partner's records.
    pub fn lock_partner(&mut self, partner: Id) -> Result<EarlierReads> {
        self.lock_partners(&[partner])
    }

    /// Locks several partners until the end of the unit, in the same order as every unit: headquarters before locations.
    pub fn lock_partners(&mut self, partners: &[Id]) -> Result<EarlierReads> {
        let new: Vec<Id> = partners.iter().copied().filter(|id| !self.holds(*id)).collect();
        if new.is_empty() {
            return Ok(EarlierReads::Hold);
        }
        let earlier_reads = (self.state.directory.lock)(self.conn, &new)?;
        self.held.extend(new);
        Ok(earlier_reads)
    }

    /// Notes a partner that this unit makes: no other unit sees the partner before the commit, so no lock is needed.
    pub fn made_partner(&mut self, partner: Id) {
        self.held.insert(partner);
    }

    fn holds(&self, partner: Id) -> bool {
        self.held.contains(&partner)
    }

    /// Shares a guard until the end of the unit, so that the rule behind the guard holds until then.
    pub fn share(&mut self, guard: Guard) -> Result<()> {
        guard.share(self.conn)
    }

    /// Takes a guard until the end of the unit, so that no other unit relies on the rule behind the guard until then.
    pub fn take(&mut self, guard: Guard) -> Result<()> {
        guard.take(self.conn)
    }

    /// Notes that this unit has written an audit event; called by `audit`. Refuses an event about a partner whose lock the
    /// unit does not hold: the work could go wrong beside another unit of that partner.
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

    /// The answer to a change that gives no member: the unit writes nothing.
    pub fn unchanged<T>(&mut self, answer: T) -> Result<T> {
        self.exempt_from_audit(Unaudited::NothingWritten);
        Ok(answer)
    }

    /// Notes that a fact about a partner has changed, so that the follow-ups of the slices run before the commit.
    pub fn facts_changed(&mut self, partner: Id) {
        if !self.changes.partners.contains(&partner) {
            self.changes.partners.push(partner);
        }
        self.sold_only.retain(|sold| *sold != partner);
    }

    /// Notes that a sale of a partner was recorded: the follow-ups run before the commit, and may leave the partner's
    /// earlier sales alone.
    pub fn sale_recorded(&mut self, partner: Id) {
        if !self.changes.partners.contains(&partner) {
            self.changes.partners.push(partner);
            self.sold_only.push(partner);
        }
    }

    /// Notes that money goes to another bank account of a partner from now on.
    pub fn account_changed(&mut self, partner: Id) {
        self.changes.accounts.push(partner);
    }

    /// Notes that the number of a partner's active users has changed.
    pub fn users_changed(&mut self, partner: Id) {
        self.changes.users.push(partner);
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

    /// Notes that another person has turned down what was to settle a dispute.
    pub fn settlement_rejected(&mut self, dispute: Id) {
        self.changes.unsettled.push(dispute);
    }

    /// Notes that another person has approved what settles a dispute.
    pub fn settlement_approved(&mut self, dispute: Id) {
        self.changes.settled.push(dispute);
    }

    /// Notes that another person has turned down an adjustment that settles no dispute.
    pub fn adjustment_rejected(&mut self, adjustment: Id) {
        self.changes.rejected_adjustments.push(adjustment);
    }

    /// Notes that a user has another user name.
    pub fn user_renamed(&mut self, user: Id) {
        self.changes.renamed.push(user);
    }

    /// Whether nothing but sales of this partner has changed.
    #[must_use]
    pub fn has_sold_only(&self, partner: Id) -> bool {
        self.sold_only.contains(&partner)
    }

    /// Notes that sales have become visible that an earlier unit recorded with its audit event: the follow-ups run before
    /// the commit, and this unit needs no audit event.
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

    /// Ends a writing unit: runs the follow-ups of changed facts, and refuses a unit without an audit event.
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
