//! The audit events in the database.

use super::{AuditEvent, Seal, api::AuditEventFilter, model::operation_name};
use crate::{
    access::{PartnerKey, Scope, Tx},
    platform::{
        Error, Result,
        db::{Conn, MultiBackend, insert_many, native, types::Guid},
        http::{PageRequest, keyset},
        values::{Id, Timestamp},
    },
    schema::{audit_chain, audit_events},
};
use diesel::{
    dsl::exists,
    prelude::*,
    result::{DatabaseErrorKind, Error as DieselError},
    select, sql_query,
    sql_types::{BigInt, Binary},
};

fn visible(tx: &mut Tx<'_>) -> Result<audit_events::BoxedQuery<'static, MultiBackend>> {
    let all = audit_events::table.into_boxed();
    Ok(match tx.scope() {
        Scope::All => all,
        Scope::Partner(own) => {
            let family: Vec<Option<Id>> = tx.family_of(own)?.into_iter().map(Some).collect();
            all.filter(audit_events::partner_id.eq_any(family))
        }
    })
}

/// The most seconds by which the instant in an event's id may differ from the instant of the event. Ids sort by instant,
/// so that a filter by time is a range of ids.
const ID_SLACK: i64 = 60;

fn matching(
    tx: &mut Tx<'_>,
    filter: &AuditEventFilter,
) -> Result<audit_events::BoxedQuery<'static, MultiBackend>> {
    let partner = PartnerKey::asked_for(filter.partner_id.as_ref(), tx)?;
    let mut query = visible(tx)?;
    if let Some(id) = filter.resource_id {
        query = query.filter(audit_events::resource_id.eq(id));
    }
    if let Some(kind) = &filter.resource_type {
        query = query.filter(audit_events::resource_type.eq(kind.clone()));
    }
    if let Some(id) = partner {
        query = query.filter(audit_events::partner_id.eq(id));
    }
    if let Some(id) = filter.actor_id {
        query = query.filter(audit_events::actor_id.eq(id));
    }
    if let Some(operation) = &filter.operation {
        query = query.filter(audit_events::operation.eq(operation_name(operation)));
    }
    if let Some(from) = filter.from {
        query = query.filter(audit_events::occurred_at.ge(from));
        query = query.filter(audit_events::id.ge(Id::first_at(from.plus_seconds(-ID_SLACK))));
    }
    if let Some(to) = filter.to {
        query = query.filter(audit_events::occurred_at.lt(to));
        query = query.filter(audit_events::id.lt(Id::first_at(to.plus_seconds(ID_SLACK))));
    }
    Ok(query)
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<AuditEventFilter>) -> Result<Vec<AuditEvent>> {
    let query = matching(tx, &page.filter)?;
    Ok(keyset!(query, page, audit_events, newest).select(AuditEvent::as_select()).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &AuditEventFilter) -> Result<i64> {
    Ok(matching(tx, filter)?.count().get_result(tx.conn)?)
}

pub(super) fn find(tx: &mut Tx<'_>, id: Id) -> Result<Option<AuditEvent>> {
    let query = visible(tx)?.filter(audit_events::id.eq(id));
    Ok(query.select(AuditEvent::as_select()).first(tx.conn).optional()?)
}

/// Whether an event stands. A transaction that may still write the event is waited for: writing the same id meets it.
pub(super) fn stands(conn: &mut Conn, id: Id) -> Result<bool> {
    let probe = AuditEvent {
        id,
        occurred_at: Timestamp::from_micros(0),
        actor_id: None,
        actor_role: "system".into(),
        operation: "Probe".into(),
        resource_type: "probe".into(),
        resource_id: id,
        partner_id: None,
        before: None,
        after: None,
        reason: None,
        request_id: "probe".into(),
        sequence: None,
        hash: None,
    };
    #[expect(clippy::disallowed_methods, reason = "asked outside of any unit, and rolled back")]
    let written = conn.transaction(|conn| -> QueryResult<()> {
        conn.wait_for_locks_at_most(2)?;
        diesel::insert_into(audit_events::table).values(&probe).execute(conn)?;
        // The probe is rolled back, and never seen.
        Err(DieselError::RollbackTransaction)
    });
    match written {
        Ok(()) | Err(DieselError::RollbackTransaction) => Ok(false),
        Err(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn insert(tx: &mut Tx<'_>, event: &AuditEvent) -> Result<()> {
    native!(tx.conn, conn => diesel::insert_into(audit_events::table).values(event).execute(conn)?);
    Ok(())
}

pub(super) fn insert_all(tx: &mut Tx<'_>, events: &[AuditEvent]) -> Result<()> {
    insert_many!(tx.conn, audit_events::table, events);
    Ok(())
}

/// Whether a database has, or ever had, an audit event; a database without is new.
pub fn has_begun(conn: &mut Conn) -> Result<bool> {
    let event = audit_events::table.select(audit_events::id).limit(1);
    let chain = audit_chain::table.select(audit_chain::name);
    Ok(event.first::<Id>(conn).optional()?.is_some() || chain.first::<String>(conn).optional()?.is_some())
}

/// The role of the actor who last did an operation on a record.
pub fn last_role(tx: &mut Tx<'_>, operation: &str, resource: Id) -> Result<Option<String>> {
    let query = audit_events::table
        .filter(audit_events::resource_id.eq(resource))
        .filter(audit_events::operation.eq(operation));
    let query = query.order(audit_events::id.desc()).select(audit_events::actor_role);
    Ok(query.first(tx.conn).optional()?)
}

/// Who did an operation on a record last; none where nobody did, or where the service did it.
pub fn last_actor(tx: &mut Tx<'_>, operation: &str, resource: Id) -> Result<Option<Id>> {
    let query = audit_events::table
        .filter(audit_events::resource_id.eq(resource))
        .filter(audit_events::operation.eq(operation));
    let query = query.order(audit_events::id.desc()).select(audit_events::actor_id);
    Ok(query.first::<Option<Id>>(tx.conn).optional()?.flatten())
}

/// The records as they were before an operation changed them, of the changes of a record since an instant, the newest first.
pub fn befores(
    tx: &mut Tx<'_>,
    operation: &str,
    resource: Id,
    since: Timestamp,
) -> Result<Vec<serde_json::Value>> {
    let query = audit_events::table
        .filter(audit_events::resource_id.eq(resource))
        .filter(audit_events::operation.eq(operation))
        .filter(audit_events::id.ge(Id::first_at(since.plus_seconds(-ID_SLACK))));
    let query = query.order(audit_events::id.desc()).select(AuditEvent::as_select());
    let events: Vec<AuditEvent> = query.load(tx.conn)?;
    Ok(events.into_iter().filter_map(|event| event.before).map(|before| before.0).collect())
}

/// Whether an event waits for its seal.
pub(super) fn any_unsealed(conn: &mut Conn) -> Result<bool> {
    let unsealed = audit_events::table.filter(audit_events::sequence.is_null());
    Ok(select(exists(unsealed)).get_result(conn)?)
}

/// The first events that wait for their seal, in the order in which they were made.
pub(super) fn unsealed(conn: &mut Conn, limit: i64) -> Result<Vec<AuditEvent>> {
    let unsealed = audit_events::table.filter(audit_events::sequence.is_null());
    Ok(unsealed.order(audit_events::id).limit(limit).select(AuditEvent::as_select()).load(conn)?)
}

/// The number of events before an instant that wait for their seal, and the id of the first such event.
pub(super) fn unsealed_before(conn: &mut Conn, instant: Timestamp) -> Result<(i64, Option<Id>)> {
    let unsealed = audit_events::table
        .filter(audit_events::sequence.is_null())
        .filter(audit_events::occurred_at.lt(instant));
    let first = unsealed.order(audit_events::id).select(audit_events::id).first(conn).optional()?;
    Ok((unsealed.count().get_result(conn)?, first))
}

/// The events sealed after this place, in the order of the chain.
pub(super) fn sealed_after(conn: &mut Conn, sequence: i64, limit: i64) -> Result<Vec<AuditEvent>> {
    let later = audit_events::table.filter(audit_events::sequence.gt(sequence));
    Ok(later.order(audit_events::sequence).limit(limit).select(AuditEvent::as_select()).load(conn)?)
}

/// The last seal; none before the first event is sealed.
pub fn head(conn: &mut Conn) -> Result<Option<Seal>> {
    let head = audit_chain::table.select((audit_chain::sequence, audit_chain::hash));
    head.first::<(i64, Vec<u8>)>(conn).optional()?.map(seal_of).transpose()
}

/// Whether a seal is part of the chain, by the hash of the event in its place.
pub fn holds(conn: &mut Conn, seal: Seal) -> Result<bool> {
    let hash =
        audit_events::table.filter(audit_events::sequence.eq(seal.sequence)).select(audit_events::hash);
    let hash: Option<Option<Vec<u8>>> = hash.first(conn).optional()?;
    Ok(hash.flatten().is_some_and(|hash| hash == seal.hash))
}

/// The last seal, with its row locked: another sealing unit waits here until this unit has ended.
pub(super) fn take_head(conn: &mut Conn) -> Result<Seal> {
    let start = (
        audit_chain::name.eq(CHAIN),
        audit_chain::sequence.eq(Seal::START.sequence),
        audit_chain::hash.eq(Seal::START.hash.as_slice()),
    );
    let row = native!(conn, conn => diesel::insert_into(audit_chain::table)
        .values(start)
        .on_conflict(audit_chain::name)
        .do_update()
        // The update changes nothing, and locks the row.
        .set(audit_chain::name.eq(CHAIN))
        .returning((audit_chain::sequence, audit_chain::hash))
        .get_result(conn)?);
    seal_of(row)
}

/// Moves the head to the last seal.
pub(super) fn move_head(conn: &mut Conn, seal: Seal) -> Result<()> {
    diesel::update(audit_chain::table.find(CHAIN))
        .set((audit_chain::sequence.eq(seal.sequence), audit_chain::hash.eq(seal.hash.as_slice())))
        .execute(conn)?;
    Ok(())
}

/// Stores the seals of events by one statement. Both databases name the columns of `VALUES` alike.
pub(super) fn set_seals(conn: &mut Conn, seals: &[(Id, Seal)]) -> Result<()> {
    let rows: Vec<_> =
        (0..seals.len()).map(|n| format!("(${}, ${}, ${})", 3 * n + 1, 3 * n + 2, 3 * n + 3)).collect();
    let update = format!(
        "UPDATE audit_events SET sequence = seal.column2, hash = seal.column3 \
         FROM (VALUES {}) AS seal WHERE audit_events.id = seal.column1",
        rows.join(", ")
    );
    let done = native!(conn, conn => {
        let mut update = sql_query(update).into_boxed();
        for (id, seal) in seals {
            update = update.bind::<Guid, _>(id).bind::<BigInt, _>(seal.sequence).bind::<Binary, _>(seal.hash.as_slice());
        }
        update.execute(conn)?
    });
    if done == seals.len() { Ok(()) } else { Err(Error::internal("an event could not be sealed")) }
}

/// The one row of `audit_chain`.
const CHAIN: &str = "audit";

fn seal_of((sequence, hash): (i64, Vec<u8>)) -> Result<Seal> {
    let hash = hash.try_into().map_err(|_| Error::internal("a hash of the audit chain has not 32 bytes"))?;
    Ok(Seal { sequence, hash })
}
