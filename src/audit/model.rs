//! The audit event: as recorded, and as a unit prepares an event.

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

/// A recorded audit event: one change of one record.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_events, treat_none_as_default_value = false)]
pub struct AuditEvent {
    /// UUID of version 7.
    pub id: Id,
    /// The instant of the unit.
    pub occurred_at: Timestamp,
    /// The user or API client; none where the service acted by itself, or where the partner must not read the name.
    pub actor_id: Option<Id>,
    /// The actor's role, or `api_client`, `nobody` or `system`.
    pub actor_role: String,
    /// The operation, in `PascalCase`.
    pub operation: String,
    /// The kind of the record, such as `enrollment`.
    pub resource_type: String,
    /// The id of the record.
    pub resource_id: Id,
    /// The partner whose people see the event; none where only programme staff sees the event.
    pub partner_id: Option<Id>,
    /// The record before the change, as the API shows the record; none of a new record.
    pub before: Option<Json<Value>>,
    /// The record after the change, as the API shows the record; none of a removed record.
    pub after: Option<Json<Value>>,
    /// The reason in the actor's words.
    pub reason: Option<String>,
    /// The id of the request, or of the run of background work.
    pub request_id: String,
    /// The event's place in the chain; none until the event is sealed, soon after its commit.
    pub sequence: Option<i64>,
    /// The SHA-256 of the chain up to this event; none until the event is sealed.
    pub hash: Option<Vec<u8>>,
}

/// An audit event that a unit is about to record.
#[derive(Debug)]
#[must_use = "an event that is not recorded leaves no trace"]
pub struct Event {
    resource_type: &'static str,
    resource_id: Id,
    partner_id: Option<Id>,
    /// Whether the partner's lock guards the record.
    guarded: bool,
    before: Option<Value>,
    after: Option<Value>,
    reason: Option<String>,
    unnamed: bool,
}

impl Event {
    /// An event about a change of a record.
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

    /// Marks the record as this partner's; the unit must hold the partner's lock.
    pub fn of_partner(mut self, partner: Id) -> Self {
        self.guarded = true;
        self.seen_by(Some(partner))
    }

    /// Shows the event to this partner's people, about a record that no partner's lock guards, such as a user.
    pub fn seen_by(mut self, partner: Option<Id>) -> Self {
        self.partner_id = partner;
        self
    }

    /// Adds the record before the change, as the API shows the record.
    pub fn before(mut self, view: &impl Serialize) -> Self {
        self.before = serde_json::to_value(view).ok();
        self
    }

    /// Adds the record after the change, as the API shows the record.
    pub fn after(mut self, view: &impl Serialize) -> Self {
        self.after = serde_json::to_value(view).ok();
        self
    }

    /// Adds the reason in the actor's words.
    pub fn because(mut self, reason: Option<&str>) -> Self {
        self.reason = reason.map(str::to_owned);
        self
    }

    /// Leaves the actor's id out, because the partner's people see the event; another event of the unit names the actor to
    /// programme staff.
    pub fn by_the_programme(mut self) -> Self {
        self.unnamed = true;
        self
    }

    /// Records the event, inside the unit of the change.
    pub fn record(self, tx: &mut Tx<'_>) -> Result<()> {
        let guarded = self.guarded;
        let event = self.recorded(tx);
        super::store::insert(tx, &event)?;
        note(tx, &event, guarded)
    }

    /// Records the events of many changes of the unit, by a constant number of statements.
    pub fn record_all(events: Vec<Self>, tx: &mut Tx<'_>) -> Result<()> {
        let mut recorded = Vec::with_capacity(events.len());
        for event in events {
            let guarded = event.guarded;
            let event = event.recorded(tx);
            note(tx, &event, guarded)?;
            recorded.push(event);
        }
        super::store::insert_all(tx, &recorded)
    }

    fn recorded(self, tx: &mut Tx<'_>) -> AuditEvent {
        AuditEvent {
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
        }
    }
}

fn note(tx: &mut Tx<'_>, event: &AuditEvent, guarded: bool) -> Result<()> {
    let witness = Witness { id: event.id, stands: super::store::stands };
    tx.note_audit(event.partner_id.filter(|_| guarded), witness)
}

/// The operation of a record as the contract writes operation ids, in `camelCase`.
pub(super) fn operation_id(name: &str) -> String {
    first_letter(name, char::to_ascii_lowercase)
}

/// The operation as records hold the operation, in `PascalCase`; takes either form.
pub(super) fn operation_name(id: &str) -> String {
    first_letter(id, char::to_ascii_uppercase)
}

fn first_letter(name: &str, change: fn(&char) -> char) -> String {
    let mut rest = name.chars();
    rest.next().map(|first| change(&first)).into_iter().chain(rest).collect()
}
