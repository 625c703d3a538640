//! Claims over HTTP, for reviewers.

use super::{
    api::record,
    body::CoopClaimComment,
    model::CutReason,
    paying,
    review::{self, DecisionLine},
    view::CoopClaimView,
};
use crate::{
    access::{
        Caller,
        policy::{
            ApproveCoopClaim, HandBackCoopClaim, HoldCoopClaim, RejectCoopClaim, ReleaseCoopClaim,
            RequestCoopClaimInformation, ReviewCoopClaim,
        },
    },
    network::partners::TransitionReason,
    platform::{
        Result,
        http::{Answer, Body, Path},
        values::{Id, Money},
    },
};
use actix_web::post;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes for reviewers.
pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(review_coop_claim)
        .service(hand_back_coop_claim)
        .service(approve_coop_claim)
        .service(reject_coop_claim)
        .service(request_coop_claim_information)
        .service(hold_coop_claim)
        .service(release_coop_claim);
}

/// The decision on one expense.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "expense_id": "01936f2e-4b00-7000-8000-000000000001", "approved": {"amount": "800.00", "currency": "USD"},
    "reason": "amount_not_proved", "remedy": "Send the invoice of the caterer"
}))]
pub struct CoopDecisionLine {
    /// The expense.
    expense_id: Id,
    /// The approved amount, up to what is reimbursable.
    approved: Money,
    /// The reason of a cut; wanted where less than what is reimbursable is approved.
    #[serde(default)]
    reason: Option<CutReason>,
    /// What the partner can do, in your own words.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    remedy: Option<String>,
}

/// An approval.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"comment": "All documents are there"}))]
pub struct CoopClaimApproval {
    /// The decisions on single expenses; the others are approved as far as they are reimbursable. Left out, everything is, or
    /// what the first reviewer has decided.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 50)]
    lines: Option<Vec<CoopDecisionLine>>,
    /// In your own words, for the history of the claim, which the partner reads.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    comment: Option<String>,
}

/// A rejection.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason_code": "not_of_the_activity", "reason": "The invoice is for office furniture"}))]
pub struct CoopClaimRejection {
    /// The kind of the reason.
    reason_code: CutReason,
    /// In your own words, which the partner reads.
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    reason: String,
}

/// A question to the partner.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"question": "Which of the two invoices is for the room?"}))]
pub struct CoopClaimInformationRequest {
    /// The question, which the partner reads.
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    question: String,
}

/// Take a co-op claim for review
///
/// The partner cannot recall the claim any more, and no other reviewer decides. The risks are looked for again.
#[utoipa::path(tag = "coop-claims", responses((status = 200, body = CoopClaimView)))]
#[post("/v1/coop-claims/{id}/review")]
async fn review_coop_claim(caller: Caller<ReviewCoopClaim>, id: Path<Id>) -> Result<Answer> {
    caller
        .act_once(move |tx| {
            let claim = review::take(tx, *id)?;
            record(tx, claim)
        })
        .await
}

/// Hand a co-op claim back to the queue
///
/// Any reviewer may: a colleague can be away.
#[utoipa::path(tag = "coop-claims", request_body(content = CoopClaimComment, example = json!({"comment": "Somebody else knows the supplier"})), responses((status = 200, body = CoopClaimView)))]
#[post("/v1/coop-claims/{id}/hand-back")]
async fn hand_back_coop_claim(
    caller: Caller<HandBackCoopClaim>,
    id: Path<Id>,
    body: Body<CoopClaimComment>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, told| {
            let claim = review::hand_back(tx, *id, told.comment.as_deref())?;
            record(tx, claim)
        })
        .await
}

/// Approve a co-op claim
///
/// Expense by expense, in one call; an empty body approves everything that is reimbursable. A claim with a risk, or above the
/// program's `fast_track_amount`, takes two people: the first approval puts the claim back into the queue, and the same decision
/// of another person makes it good. What is not approved goes back to the fund.
#[utoipa::path(tag = "coop-claims", request_body = CoopClaimApproval, responses((status = 200, body = CoopClaimView)))]
#[post("/v1/coop-claims/{id}/approval")]
async fn approve_coop_claim(
    caller: Caller<ApproveCoopClaim>,
    id: Path<Id>,
    body: Body<CoopClaimApproval>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, told| {
            let line = |line: &CoopDecisionLine| DecisionLine {
                expense_id: line.expense_id,
                approved: line.approved,
                reason: line.reason,
                remedy: line.remedy.clone(),
            };
            let lines: Option<Vec<DecisionLine>> =
                told.lines.as_ref().map(|lines| lines.iter().map(line).collect());
            let claim = review::approve(tx, *id, lines.as_deref(), told.comment.as_deref())?;
            record(tx, claim)
        })
        .await
}

/// Reject a co-op claim
///
/// The budget goes back to the fund. The partner may dispute once within 30 days; the decision after that is final, and another
/// reviewer's.
#[utoipa::path(tag = "coop-claims", request_body = CoopClaimRejection, responses((status = 200, body = CoopClaimView)))]
#[post("/v1/coop-claims/{id}/rejection")]
async fn reject_coop_claim(
    caller: Caller<RejectCoopClaim>,
    id: Path<Id>,
    body: Body<CoopClaimRejection>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, told| {
            let claim = review::reject(tx, *id, told.reason_code, &told.reason)?;
            record(tx, claim)
        })
        .await
}

/// Ask the partner about a co-op claim
///
/// The partner changes the claim, adds proofs, and submits again within 14 business days; else the claim expires.
#[utoipa::path(
    tag = "coop-claims", request_body = CoopClaimInformationRequest, responses((status = 200, body = CoopClaimView))
)]
#[post("/v1/coop-claims/{id}/information-request")]
async fn request_coop_claim_information(
    caller: Caller<RequestCoopClaimInformation>,
    id: Path<Id>,
    body: Body<CoopClaimInformationRequest>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, asked| {
            let claim = review::ask(tx, *id, &asked.question)?;
            record(tx, claim)
        })
        .await
}

/// Hold an approved co-op claim back from payment
///
/// The claim is not paid until an operator releases it. The partner's admins are told the reason.
#[utoipa::path(tag = "coop-claims", request_body = TransitionReason, responses((status = 200, body = CoopClaimView)))]
#[post("/v1/coop-claims/{id}/hold")]
async fn hold_coop_claim(
    caller: Caller<HoldCoopClaim>,
    id: Path<Id>,
    body: Body<TransitionReason>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, because| {
            let claim = paying::hold(tx, *id, &because.reason)?;
            record(tx, claim)
        })
        .await
}

/// Release a co-op claim that was held
///
/// The next payment run pays the claim.
#[utoipa::path(tag = "coop-claims", request_body = TransitionReason, responses((status = 200, body = CoopClaimView)))]
#[post("/v1/coop-claims/{id}/release")]
async fn release_coop_claim(
    caller: Caller<ReleaseCoopClaim>,
    id: Path<Id>,
    body: Body<TransitionReason>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, because| {
            let claim = paying::release(tx, *id, &because.reason)?;
            record(tx, claim)
        })
        .await
}
