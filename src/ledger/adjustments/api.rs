//! Adjustments over HTTP.

use super::{Adjustment, AdjustmentReason, AdjustmentState, NewAdjustment, service, store};
use crate::{
    access::{
        Caller, PartnerKey, Scope,
        policy::{ApproveAdjustment, GetAdjustment, ListAdjustments, ProposeAdjustment, RejectAdjustment},
    },
    network::partners::Transition,
    participation::programs::ProgramKey,
    platform::{
        Result,
        http::{Answer, Body, Cursor, Listing, PageParams, PageRequest, Path, page_of},
        values::{Currency, Id, Money, Month, Timestamp},
    },
};
use actix_web::{get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_adjustments)
        .service(propose_adjustment)
        .service(get_adjustment)
        .service(approve_adjustment)
        .service(reject_adjustment);
}

/// A correction by hand of the amount owed to an enrollment.
#[derive(Serialize, ToSchema)]
#[schema(as = Adjustment)]
pub struct AdjustmentView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The enrollment whose rebate is corrected.
    enrollment_id: Id,
    /// The partner of the enrollment.
    partner_id: Id,
    /// The amount; negative where the rebate gets smaller.
    amount: Money,
    /// The month that the adjustment applies to.
    earned_in: Month,
    /// The month that the adjustment is paid with; null before the approval.
    posted_in: Option<Month>,
    /// The fault that the adjustment corrects.
    reason_code: AdjustmentReason,
    /// The reason in the proposer's words.
    #[schema(max_length = 1000, examples("Invoice INV-2026-000318 was billed at the wrong price"))]
    comment: String,
    /// The state of the adjustment.
    state: AdjustmentState,
    /// The user or API client who proposed the adjustment; null for the service itself, and to a partner's people.
    proposed_by: Option<Id>,
    /// The user or API client who decided; null before the decision, and to a partner's people.
    decided_by: Option<Id>,
    /// The reason in the decider's words; null to a partner's people.
    #[schema(max_length = 1000, examples("Compared with the credit note"))]
    decision_comment: Option<String>,
    /// When the decision was made.
    decided_at: Option<Timestamp>,
    /// The dispute that the adjustment settles; null of any other.
    dispute_id: Option<Id>,
    /// The sub-resources that can be posted to now, by another person than the proposer.
    #[schema(max_items = 2, examples(json!(["approval", "rejection"])))]
    allowed_transitions: Vec<Transition>,
    /// When the record was made.
    created_at: Timestamp,
    /// When the record was last changed.
    updated_at: Timestamp,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 1)]
    revision: i64,
}

impl AdjustmentView {
    /// The adjustment as a caller of this scope sees it: only the programme's staff sees proposer, decider and the
    /// comment of the decision.
    pub(super) fn seen_in(scope: Scope, adjustment: Adjustment) -> Self {
        let whole = Self::from(adjustment);
        match scope {
            Scope::All => whole,
            Scope::Partner(_) => {
                Self { proposed_by: None, decided_by: None, decision_comment: None, ..whole }
            }
        }
    }
}

impl From<Adjustment> for AdjustmentView {
    fn from(adjustment: Adjustment) -> Self {
        Self {
            id: adjustment.id,
            enrollment_id: adjustment.enrollment_id,
            partner_id: adjustment.partner_id,
            amount: adjustment.amount(),
            allowed_transitions: adjustment.allowed().iter().copied().map(Transition).collect(),
            earned_in: adjustment.earned_in,
            posted_in: adjustment.posted_in,
            reason_code: adjustment.reason_code,
            comment: adjustment.comment,
            state: adjustment.state,
            proposed_by: adjustment.proposed_by,
            decided_by: adjustment.decided_by,
            decision_comment: adjustment.decision_comment,
            decided_at: adjustment.decided_at,
            dispute_id: adjustment.dispute_id,
            created_at: adjustment.created_at,
            updated_at: adjustment.updated_at,
            revision: adjustment.revision,
        }
    }
}

page_of!(
    /// One page of adjustments.
    pub AdjustmentPage of AdjustmentView
);

/// An adjustment to propose.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "enrollment_id": "01936f2e-4b00-7000-8000-000000000001", "amount": {"amount": "-120.00", "currency": "USD"},
    "earned_in": "2026-08", "reason_code": "sales_correction",
    "comment": "Invoice INV-2026-000318 was billed at the wrong price"
}))]
pub struct AdjustmentProposal {
    /// The enrollment whose rebate is corrected. The enrollment must have earned.
    enrollment_id: Id,
    /// The amount, in a currency that the enrollment is owed in; negative where the rebate gets smaller.
    amount: Money,
    /// The month that the adjustment applies to: a month of the enrollment's program year, not in the future.
    earned_in: Month,
    /// The fault that the adjustment corrects.
    reason_code: AdjustmentReason,
    /// The reason in your own words; the partner reads the reason after the approval.
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    comment: String,
}

/// The approval of an adjustment.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"comment": "Compared with the credit note"}))]
pub struct AdjustmentApproval {
    /// In your own words.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    comment: Option<String>,
}

/// The rejection of an adjustment.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"comment": "The invoice was right"}))]
pub struct AdjustmentRejection {
    /// In your own words.
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    comment: String,
}

/// Which adjustments to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AdjustmentFilter {
    /// Of this partner.
    pub partner_id: Option<PartnerKey>,
    /// Of this enrollment.
    pub enrollment_id: Option<Id>,
    /// Of this program: its code or its id.
    pub program: Option<ProgramKey>,
    /// In this state.
    #[param(inline)]
    pub state: Option<AdjustmentState>,
    /// In this currency.
    pub currency: Option<Currency>,
    /// That apply to this month.
    pub earned_in: Option<Month>,
    /// Posted in this month or later.
    pub from: Option<Month>,
    /// Posted in this month or earlier.
    pub to: Option<Month>,
}

/// List adjustments
///
/// The newest first. A partner's people see approved adjustments only, without proposer and decider.
#[utoipa::path(tag = "rebates", params(AdjustmentFilter, PageParams), responses((status = 200, body = AdjustmentPage)))]
#[get("/v1/adjustments")]
async fn list_adjustments(
    caller: Caller<ListAdjustments>,
    page: PageRequest<AdjustmentFilter>,
) -> Result<Listing> {
    caller
        .list_plainly(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let found = store::list(tx, page)?;
            let cursor = |adjustment: &Adjustment| Cursor { key: None, id: adjustment.id };
            let scope = tx.scope();
            Ok(page.answer(found, total, cursor, |one| AdjustmentView::seen_in(scope, one)))
        })
        .await
}

/// Propose an adjustment
///
/// A correction by hand of the amount owed to an enrollment. The adjustment changes no rebate before another person has
/// approved it.
#[utoipa::path(tag = "rebates", request_body = AdjustmentProposal, responses((status = 201, body = AdjustmentView)))]
#[post("/v1/adjustments")]
async fn propose_adjustment(
    caller: Caller<ProposeAdjustment>,
    body: Body<AdjustmentProposal>,
) -> Result<Answer> {
    caller
        .write(body, |tx, proposal| {
            let new = NewAdjustment {
                enrollment_id: proposal.enrollment_id,
                amount: proposal.amount,
                earned_in: proposal.earned_in,
                reason_code: proposal.reason_code,
                comment: proposal.comment.clone(),
                dispute_id: None,
            };
            let id = tx.new_id();
            let adjustment = service::propose(tx, id, new)?;
            let revision = adjustment.revision;
            Ok(Answer::created(format!("/v1/adjustments/{id}"), &AdjustmentView::from(adjustment), revision))
        })
        .await
}

/// Read an adjustment
///
/// A partner's people see an adjustment once it is approved.
#[utoipa::path(tag = "rebates", responses((status = 200, body = AdjustmentView)))]
#[get("/v1/adjustments/{id}")]
async fn get_adjustment(caller: Caller<GetAdjustment>, id: Path<Id>) -> Result<Answer> {
    caller
        .read(move |tx| {
            let found = store::get(tx, *id)?;
            let revision = found.revision;
            Ok(Answer::record(&AdjustmentView::seen_in(tx.scope(), found), revision))
        })
        .await
}

/// Approve an adjustment
///
/// The adjustment becomes part of the rebate of the month that it applies to, or of the first open month after: a month
/// that closed in the meantime does not change. The proposer cannot approve the adjustment (`own_proposal`).
#[utoipa::path(tag = "rebates", request_body = AdjustmentApproval, responses((status = 200, body = AdjustmentView)))]
#[post("/v1/adjustments/{id}/approval")]
async fn approve_adjustment(
    caller: Caller<ApproveAdjustment>,
    id: Path<Id>,
    body: Body<AdjustmentApproval>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, approval| service::approve(tx, *id, approval.comment.as_deref()).map(record))
        .await
}

/// Reject an adjustment
///
/// The rejection is final. The proposer cannot reject the adjustment (`own_proposal`).
#[utoipa::path(tag = "rebates", request_body = AdjustmentRejection, responses((status = 200, body = AdjustmentView)))]
#[post("/v1/adjustments/{id}/rejection")]
async fn reject_adjustment(
    caller: Caller<RejectAdjustment>,
    id: Path<Id>,
    body: Body<AdjustmentRejection>,
) -> Result<Answer> {
    caller.write(body, move |tx, rejection| service::reject(tx, *id, &rejection.comment).map(record)).await
}

fn record(adjustment: Adjustment) -> Answer {
    let revision = adjustment.revision;
    Answer::record(&AdjustmentView::from(adjustment), revision)
}
