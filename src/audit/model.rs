//! What an audit event is.

use crate::{
    access::Tx,
    platform::{
        Result,
        db::{Witness, types::Json},
        values::{Id, Timestamp},
    },
    schema::audit_events,
};
use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;

/// One change of one record.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_events, treat_none_as_default_value = false)]
pub struct AuditEvent {
    /// Identifier.
    pub id: Id,
    /// When.
    pub occurred_at: Timestamp,
    /// Who; none where the service acted by itself, or where a partner is not told.
    pub actor_id: Option<Id>,
    /// As what: a role, `api_client`, `nobody` or `system`.
    pub actor_role: String,
    /// By which operation.
    pub operation: String,
    /// Kind of record.
    pub resource_type: String,
    /// Which record.
    pub resource_id: Id,
    /// Whose record, where it is a partner's.
    pub partner_id: Option<Id>,
    /// The record before; none where it was made.
    pub before: Option<Json<Value>>,
    /// The record after; none where it was removed.
    pub after: Option<Json<Value>>,
    /// Why, in the actor's words.
    pub reason: Option<String>,
    /// The request.
    pub request_id: String,
    /// Its place in the chain; none until it is sealed, soon after its commit.
    pub sequence: Option<i64>,
    /// The chain's hash up to here.
    pub hash: Option<Vec<u8>>,
}

/// An audit event about to be recorded.
#[derive(Debug)]
#[must_use = "an event that is not recorded leaves no trace"]
pub struct Event {
    resource_type: &'static str,
    resource_id: Id,
    partner_id: Option<Id>,
    /// Whether the record is one of those the partner's lock guards.
    guarded: bool,
    before: Option<Value>,
    after: Option<Value>,
    reason: Option<String>,
    unnamed: bool,
}

impl Event {
    /// Something happened to a record.
    pub fn on(resource_type: &'static str, resource_id: Id) -> Self {
        Self {
            resource_type,
            resource_id,
            partner_id: None,
            guarded: false,
            before: None,
            after: None,
            reason: None,
            unnamed: false,
        }
    }

    /// The record is this partner's; the unit must hold the partner's lock.
    pub fn of_partner(mut self, partner: Id) -> Self {
        self.guarded = true;
        self.seen_by(Some(partner))
    }

    /// The record belongs to the whole programme, such as a user, and this partner's people see the event.
    pub fn seen_by(mut self, partner: Option<Id>) -> Self {
        self.partner_id = partner;
        self
    }

    /// What it was before, as the API shows it.
    pub fn before(mut self, view: &impl Serialize) -> Self {
        self.before = serde_json::to_value(view).ok();
        self
    }

    /// What it is now, as the API shows it.
    pub fn after(mut self, view: &impl Serialize) -> Self {
        self.after = serde_json::to_value(view).ok();
        self
    }

    /// Why, in the actor's words.
    pub fn because(mut self, reason: Option<&str>) -> Self {
        self.reason = reason.map(str::to_owned);
        self
    }

    /// For a partner's eyes: it is not told who did it. Another event of the unit tells the programme's staff.
    pub fn by_the_programme(mut self) -> Self {
        self.unnamed = true;
        self
    }

    /// Writes the event, inside the unit whose change it tells of.
    pub fn record(self, tx: &mut Tx<'_>) -> Result<()> {
        let event = AuditEvent {
            id: tx.new_id(),
            occurred_at: tx.now,
            actor_id: tx.actor.id().filter(|_| !self.unnamed),
            actor_role: tx.actor.named().to_owned(),
            operation: tx.operation.to_owned(),
            resource_type: self.resource_type.to_owned(),
            resource_id: self.resource_id,
            partner_id: self.partner_id,
            before: self.before.map(Json),
            after: self.after.map(Json),
            reason: self.reason,
            request_id: tx.request_id.to_owned(),
            sequence: None,
            hash: None,
        };
        super::store::insert(tx, &event)?;
        tx.note_audit(
            event.partner_id.filter(|_| self.guarded),
            Witness { id: event.id, stands: super::store::stands },
        )
    }
}
