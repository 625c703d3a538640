//! Audits on the wire.

use super::model::{CoopAudit, CoopAuditState, CoopDraw};
use crate::{
    access::Scope,
    network::partners::Transition,
    platform::values::{CalendarDate, Id, Money, Month, Timestamp},
};
use serde::Serialize;
use utoipa::ToSchema;

/// A paid co-op claim whose originals are asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = CoopAudit)]
pub struct CoopAuditView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The partner that was paid.
    partner_id: Id,
    /// The claim, which has one audit.
    claim_id: Id,
    /// The program whose sample has the claim.
    program_id: Id,
    /// The month of the sample, in which the claim was paid.
    month: Month,
    /// The state.
    state: CoopAuditState,
    /// What was paid.
    paid: Money,
    /// The last day for the originals.
    due_on: CalendarDate,
    /// The amount that is recovered; null of another state.
    recovered: Option<Money>,
    /// The adjustment that recovers the amount, which another person approves; null of another state. A partner's people read
    /// the adjustment once it is approved.
    adjustment_id: Option<Id>,
    /// The decision in the operator's words; null where nothing was said.
    #[schema(max_length = 1000, examples("All originals are there"))]
    comment: Option<String>,
    /// The user or API client who decided; null before the decision, and to a partner's people.
    decided_by: Option<Id>,
    /// When the decision was made; null before.
    decided_at: Option<Timestamp>,
    /// The sub-resources that can be posted to now.
    #[schema(max_items = 2, examples(json!(["pass", "recovery"])))]
    allowed_transitions: Vec<Transition>,
    /// When the record was made.
    created_at: Timestamp,
    /// When the record was last changed.
    updated_at: Timestamp,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 1)]
    revision: i64,
}

impl CoopAuditView {
    /// The audit as a caller of this scope sees it: only the programme's staff sees who decided.
    #[must_use]
    pub fn seen_in(scope: Scope, audit: CoopAudit) -> Self {
        let decided_by = audit.decided_by.filter(|_| scope == Scope::All);
        Self { decided_by, ..Self::from(audit) }
    }

    /// The audit's own record for the audit trail, as the partner's people may read it.
    #[must_use]
    pub(super) fn plain(audit: &CoopAudit) -> Self {
        Self::seen_in(Scope::Partner(audit.partner_id), audit.clone())
    }
}

impl From<CoopAudit> for CoopAuditView {
    fn from(audit: CoopAudit) -> Self {
        Self {
            id: audit.id,
            partner_id: audit.partner_id,
            claim_id: audit.claim_id,
            program_id: audit.program_id,
            month: audit.month,
            state: audit.state,
            paid: audit.money(audit.paid),
            due_on: audit.due_on,
            recovered: audit.recovered.map(|minor| audit.money(minor)),
            adjustment_id: audit.adjustment_id,
            allowed_transitions: audit.state.allowed().into_iter().map(Transition).collect(),
            comment: audit.comment,
            decided_by: audit.decided_by,
            decided_at: audit.decided_at,
            created_at: audit.created_at,
            updated_at: audit.updated_at,
            revision: audit.revision,
        }
    }
}

/// A draw in the audit trail.
#[derive(Serialize)]
pub(super) struct CoopDrawView<'a> {
    id: Id,
    program_id: Id,
    month: Month,
    size: i32,
    claims: &'a [Id],
    drawn_at: Timestamp,
    completed_at: Option<Timestamp>,
}

impl<'a> From<&'a CoopDraw> for CoopDrawView<'a> {
    fn from(draw: &'a CoopDraw) -> Self {
        Self {
            id: draw.id,
            program_id: draw.program_id,
            month: draw.month,
            size: draw.size,
            claims: &draw.claims.0,
            drawn_at: draw.drawn_at,
            completed_at: draw.completed_at,
        }
    }
}
