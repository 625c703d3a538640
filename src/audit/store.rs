//! The audit events in the database.

use super::{AuditEvent, api::AuditEventFilter};
use crate::{
    access::{Scope, Tx},
    platform::{
        Result,
        db::{MultiBackend, native},
        http::{PageRequest, keyset},
        values::Id,
    },
    schema::{audit_events, partners},
};
use diesel::prelude::*;

fn visible(scope: Scope) -> audit_events::BoxedQuery<'static, MultiBackend> {
    let all = audit_events::table.into_boxed();
    match scope {
        Scope::All => all,
        Scope::Partner(own) => {
            let locations = partners::table.filter(partners::headquarters_id.eq(own)).select(partners::id);
            all.filter(
                audit_events::partner_id.eq(own).or(audit_events::partner_id.eq_any(locations.nullable())),
            )
        }
    }
}

fn matching(scope: Scope, filter: &AuditEventFilter) -> audit_events::BoxedQuery<'static, MultiBackend> {
    let mut query = visible(scope);
    if let Some(id) = filter.resource_id {
        query = query.filter(audit_events::resource_id.eq(id));
    }
    if let Some(kind) = &filter.resource_type {
        query = query.filter(audit_events::resource_type.eq(kind.clone()));
    }
    if let Some(id) = filter.partner_id {
        query = query.filter(audit_events::partner_id.eq(id));
    }
    if let Some(id) = filter.actor_id {
        query = query.filter(audit_events::actor_id.eq(id));
    }
    if let Some(operation) = &filter.operation {
        query = query.filter(audit_events::operation.eq(operation.clone()));
    }
    if let Some(from) = filter.from {
        query = query.filter(audit_events::occurred_at.ge(from));
    }
    if let Some(to) = filter.to {
        query = query.filter(audit_events::occurred_at.lt(to));
    }
    query
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<AuditEventFilter>) -> Result<Vec<AuditEvent>> {
    let query = matching(tx.scope(), &page.filter);
    Ok(keyset!(query, page, audit_events, newest).select(AuditEvent::as_select()).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &AuditEventFilter) -> Result<i64> {
    Ok(matching(tx.scope(), filter).count().get_result(tx.conn)?)
}

pub(super) fn find(tx: &mut Tx<'_>, id: Id) -> Result<Option<AuditEvent>> {
    let query = visible(tx.scope()).filter(audit_events::id.eq(id));
    Ok(query.select(AuditEvent::as_select()).first(tx.conn).optional()?)
}

pub(super) fn insert(tx: &mut Tx<'_>, event: &AuditEvent) -> Result<()> {
    native!(tx.conn, conn => diesel::insert_into(audit_events::table).values(event).execute(conn)?);
    Ok(())
}

/// As what somebody last did this to a record.
pub fn last_role(tx: &mut Tx<'_>, operation: &str, resource: Id) -> Result<Option<String>> {
    let query = audit_events::table
        .filter(audit_events::resource_id.eq(resource))
        .filter(audit_events::operation.eq(operation));
    let query = query.order(audit_events::id.desc()).select(audit_events::actor_role);
    Ok(query.first(tx.conn).optional()?)
}
