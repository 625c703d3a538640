//! Claims over HTTP, for the partner's people.

use super::{
    body::{CoopClaimComment, CoopClaimCreate, CoopClaimDispute, CoopClaimUpdate},
    model::{Claim, ClaimState},
    service, store,
    terms::ClaimTerms,
    view::CoopClaimView,
};
use crate::{
    access::{
        Caller, PartnerKey, Tx,
        policy::{
            CancelCoopClaim, CreateCoopClaim, DisputeCoopClaim, GetCoopClaim, ListCoopClaims,
            RecallCoopClaim, SubmitCoopClaim, UpdateCoopClaim,
        },
    },
    participation::programs::ProgramKey,
    platform::{
        Result,
        http::{Answer, Body, Cursor, IfMatch, Listing, PageParams, PageRequest, Path, page_of},
        values::{CalendarDate, Id},
    },
};
use actix_web::{get, patch, post};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes for the partner's people.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_coop_claims)
        .service(create_coop_claim)
        .service(get_coop_claim)
        .service(update_coop_claim)
        .service(submit_coop_claim)
        .service(recall_coop_claim)
        .service(cancel_coop_claim)
        .service(dispute_coop_claim);
}

page_of!(
    /// One page of claims.
    pub CoopClaimPage of CoopClaimView
);

/// Which claims to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CoopClaimFilter {
    /// Of this partner.
    pub partner_id: Option<PartnerKey>,
    /// Of this program: its code or its id.
    pub program: Option<ProgramKey>,
    /// On this fund.
    pub fund_id: Option<Id>,
    /// In this state.
    #[param(inline)]
    pub state: Option<ClaimState>,
    /// The review queue: submitted, under review or disputed, the oldest first.
    pub to_review: Option<bool>,
    /// With a risk, or without one. For programme staff.
    pub risky: Option<bool>,
    /// Whose decision is due on this day or earlier.
    pub review_due_until: Option<CalendarDate>,
}

/// List co-op claims
///
/// The newest first; with `to_review` the review queue, the oldest first. Programme staff sees the risks, a partner's people
/// their own claims without them.
#[utoipa::path(tag = "coop-claims", params(CoopClaimFilter, PageParams), responses((status = 200, body = CoopClaimPage)))]
#[get("/v1/coop-claims")]
async fn list_coop_claims(
    caller: Caller<ListCoopClaims>,
    page: PageRequest<CoopClaimFilter>,
) -> Result<Listing> {
    caller
        .list_plainly(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let found = store::list(tx, page)?;
            let cursor = |claim: &Claim| Cursor { key: None, id: claim.id };
            let tx = &*tx;
            Ok(page.answer(found, total, cursor, |one| CoopClaimView::listed(tx, one)))
        })
        .await
}

/// Draft a co-op claim
///
/// On a fund whose half-year is closed. The answer says what would be paid, what is left of each limit, which proofs lack and
/// until when the claim is submitted; nothing is committed before.
#[utoipa::path(tag = "coop-claims", request_body = CoopClaimCreate, responses((status = 201, body = CoopClaimView)))]
#[post("/v1/coop-claims")]
async fn create_coop_claim(caller: Caller<CreateCoopClaim>, body: Body<CoopClaimCreate>) -> Result<Answer> {
    caller
        .write(body, |tx, new| {
            let claim = service::draft(tx, new.fund_id, new.words())?;
            let location = format!("/v1/coop-claims/{}", claim.id);
            Ok(record(tx, claim)?.made_at(location))
        })
        .await
}

/// Read a co-op claim
///
/// A claim that is being written comes with everything a form needs: the limits, the proofs that lack, the amount that would be
/// paid in the fund's currency with rate and month, and the last day to submit.
#[utoipa::path(tag = "coop-claims", responses((status = 200, body = CoopClaimView)))]
#[get("/v1/coop-claims/{id}")]
async fn get_coop_claim(caller: Caller<GetCoopClaim>, id: Path<Id>) -> Result<Answer> {
    caller
        .snapshot(move |tx| {
            let claim = store::get(tx, *id)?;
            record(tx, claim)
        })
        .await
}

/// Change a co-op claim
///
/// A draft, or a claim about which a reviewer has asked something. Nothing else is changed but by recall. `expenses` replaces them
/// all: those that stay are sent with their `id`, and keep their proofs.
#[utoipa::path(tag = "coop-claims", request_body = CoopClaimUpdate, responses((status = 200, body = CoopClaimView)))]
#[patch("/v1/coop-claims/{id}")]
async fn update_coop_claim(
    caller: Caller<UpdateCoopClaim>,
    id: Path<Id>,
    body: Body<CoopClaimUpdate>,
    revision: IfMatch,
) -> Result<Answer> {
    caller
        .write(body, move |tx, change| {
            let before = store::to_change(tx, *id)?;
            revision.permits(before.revision)?;
            service::refuse_unwritten(&before)?;
            if *change == CoopClaimUpdate::default() {
                let answer = record(tx, before)?;
                return tx.unchanged(answer);
            }
            let claim = service::change(tx, &before, change.applied_to(&before))?;
            record(tx, claim)
        })
        .await
}

/// Submit a co-op claim
///
/// Commits what would be paid, and puts the claim into the review queue. Refused with everything that lacks at once. After a
/// reviewer's question the same call sends the claim back.
#[utoipa::path(tag = "coop-claims", request_body = CoopClaimComment, responses((status = 200, body = CoopClaimView)))]
#[post("/v1/coop-claims/{id}/submission")]
async fn submit_coop_claim(
    caller: Caller<SubmitCoopClaim>,
    id: Path<Id>,
    body: Body<CoopClaimComment>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, told| {
            let claim = service::submit(tx, *id, told.comment.as_deref())?;
            record(tx, claim)
        })
        .await
}

/// Recall a co-op claim
///
/// While nobody reviews. The claim is a draft again, and its budget is given back.
#[utoipa::path(tag = "coop-claims", request_body(content = CoopClaimComment, example = json!({"comment": "Another invoice has come in"})), responses((status = 200, body = CoopClaimView)))]
#[post("/v1/coop-claims/{id}/recall")]
async fn recall_coop_claim(
    caller: Caller<RecallCoopClaim>,
    id: Path<Id>,
    body: Body<CoopClaimComment>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, told| {
            let claim = service::recall(tx, *id, told.comment.as_deref())?;
            record(tx, claim)
        })
        .await
}

/// Cancel the draft of a co-op claim
///
/// The draft stays on record, and is not submitted any more.
#[utoipa::path(tag = "coop-claims", request_body(content = CoopClaimComment, example = json!({"comment": "The event was called off"})), responses((status = 200, body = CoopClaimView)))]
#[post("/v1/coop-claims/{id}/cancellation")]
async fn cancel_coop_claim(
    caller: Caller<CancelCoopClaim>,
    id: Path<Id>,
    body: Body<CoopClaimComment>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, told| {
            let claim = service::cancel(tx, *id, told.comment.as_deref())?;
            record(tx, claim)
        })
        .await
}

/// Dispute the rejection of a co-op claim
///
/// Once, within 30 days. The budget is committed again, as far as the fund holds it, and another reviewer gives the final
/// decision.
#[utoipa::path(tag = "coop-claims", request_body = CoopClaimDispute, responses((status = 200, body = CoopClaimView)))]
#[post("/v1/coop-claims/{id}/dispute")]
async fn dispute_coop_claim(
    caller: Caller<DisputeCoopClaim>,
    id: Path<Id>,
    body: Body<CoopClaimDispute>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, because| {
            let claim = service::dispute(tx, *id, &because.reason)?;
            record(tx, claim)
        })
        .await
}

/// A claim, beside what it would be paid while it is written.
fn shown(tx: &mut Tx<'_>, claim: Claim) -> Result<CoopClaimView> {
    if !claim.state.is_written() {
        return Ok(CoopClaimView::listed(tx, claim));
    }
    let terms = ClaimTerms::load(tx, &claim)?;
    let assessment = terms.assess(&claim, tx.today());
    Ok(CoopClaimView::with_assessment(tx, claim, &assessment, &terms.fund))
}

/// The answer with a claim.
pub(super) fn record(tx: &mut Tx<'_>, claim: Claim) -> Result<Answer> {
    let revision = claim.revision;
    let view = shown(tx, claim)?;
    Ok(Answer::record(&view, revision))
}
