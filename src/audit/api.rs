//! Audit events over HTTP: read only.

use super::{AuditEvent, chain::hex, model::operation_id, store};
use crate::{
    access::{
        Caller, PartnerKey,
        policy::{GetAuditEvent, ListAuditEvents},
    },
    platform::{
        Error, Result,
        http::{Answer, Cursor, Listing, PageParams, PageRequest, Path, page_of},
        values::{Id, Timestamp},
    },
};
use actix_web::get;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_audit_events).service(get_audit_event);
}

/// Who changed what, when and why.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEvent)]
pub struct AuditEventView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// When.
    occurred_at: Timestamp,
    /// Who; null where the service acted by itself, or where a partner is not told.
    actor_id: Option<Id>,
    /// As what: a role, `api_client`, `nobody` who had signed in, or `system`.
    #[schema(max_length = 20, examples("operator"))]
    actor_role: String,
    /// By which operation, as the contract names it. Work of the service itself has names of its own, such as
    /// `dailyRefresh`. The hash covers the name with its first letter as a capital.
    #[schema(max_length = 60, examples("suspendPartner"))]
    operation: String,
    /// Kind of record.
    #[schema(max_length = 60, examples("partner"))]
    resource_type: String,
    /// Which record.
    resource_id: Id,
    /// Whose record, where it is a partner's.
    partner_id: Option<Id>,
    /// The record before; null where it was made.
    #[schema(value_type = Option<Object>, examples(json!({"status": "active"})))]
    before: Option<Value>,
    /// The record after; null where it was removed.
    #[schema(value_type = Option<Object>, examples(json!({"status": "suspended"})))]
    after: Option<Value>,
    /// Why, in the actor's words.
    #[schema(max_length = 1000, examples("Payment dispute, ticket 4711"))]
    reason: Option<String>,
    /// The request.
    #[schema(max_length = 128, examples("0193a1b2-3c4d-7e5f-8a9b-0c1d2e3f4a5b"))]
    request_id: String,
    /// Its place in the chain; null for the second or two until it is sealed.
    #[schema(minimum = 1, examples(1))]
    sequence: Option<i64>,
    /// SHA-256 over the event and the hash before it, in hexadecimal.
    #[schema(max_length = 64, examples("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"))]
    hash: Option<String>,
}

page_of!(
    /// One page of audit events.
    pub AuditEventPage of AuditEventView
);

/// Which audit events to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditEventFilter {
    /// Of this record.
    pub resource_id: Option<Id>,
    /// Of this kind of record.
    #[param(max_length = 60, example = "partner")]
    pub resource_type: Option<String>,
    /// Of this partner's records.
    pub partner_id: Option<PartnerKey>,
    /// By this user.
    pub actor_id: Option<Id>,
    /// By this operation, as the contract names it; the first letter may be a capital.
    #[param(max_length = 60, example = "suspendPartner")]
    pub operation: Option<String>,
    /// At or after this instant.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub to: Option<Timestamp>,
}

/// List audit events
///
/// Every write of the service leaves one event per record it changed, newest first. Events are never changed or
/// removed: each carries a hash over itself and the one before it, which the command `verify` checks.
#[utoipa::path(tag = "audit", params(AuditEventFilter, PageParams), responses((status = 200, body = AuditEventPage)))]
#[get("/v1/audit-events")]
async fn list_audit_events(
    caller: Caller<ListAuditEvents>,
    page: PageRequest<AuditEventFilter>,
) -> Result<Listing> {
    caller
        .list_plainly(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let events = store::list(tx, page)?;
            Ok(page.answer(events, total, |event| Cursor { key: None, id: event.id }, view))
        })
        .await
}

/// Read an audit event
///
/// One event, with the record before and after.
#[utoipa::path(tag = "audit", responses((status = 200, body = AuditEventView)))]
#[get("/v1/audit-events/{id}")]
async fn get_audit_event(caller: Caller<GetAuditEvent>, id: Path<Id>) -> Result<Answer> {
    caller
        .read(move |tx| {
            let event = store::find(tx, *id)?.ok_or(Error::not_found("audit event", "監査記録"))?;
            Ok(Answer::record(&view(event), 1))
        })
        .await
}

fn view(event: AuditEvent) -> AuditEventView {
    AuditEventView {
        id: event.id,
        occurred_at: event.occurred_at,
        actor_id: event.actor_id,
        actor_role: event.actor_role,
        operation: operation_id(&event.operation),
        resource_type: event.resource_type,
        resource_id: event.resource_id,
        partner_id: event.partner_id,
        before: event.before.map(|json| json.0),
        after: event.after.map(|json| json.0),
        reason: event.reason,
        request_id: event.request_id,
        sequence: event.sequence,
        hash: event.hash.as_deref().map(hex),
    }
}
