//! Audits over HTTP.

use super::{
    model::{CoopAudit, CoopAuditState},
    service, store,
    view::CoopAuditView,
};
use crate::{
    access::{
        Caller, PartnerKey, Tx,
        policy::{GetCoopAudit, ListCoopAudits, PassCoopAudit, RecoverCoopAudit},
    },
    participation::programs::ProgramKey,
    platform::{
        Result,
        http::{Answer, Body, Cursor, Listing, PageParams, PageRequest, Path, page_of},
        values::{Id, Money, Month},
    },
};
use actix_web::{get, post};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_coop_audits)
        .service(get_coop_audit)
        .service(pass_coop_audit)
        .service(recover_coop_audit);
}

page_of!(
    /// One page of audits.
    pub CoopAuditPage of CoopAuditView
);

/// Which audits to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CoopAuditFilter {
    /// Of this partner.
    pub partner_id: Option<PartnerKey>,
    /// Of this program: its code or its id.
    pub program: Option<ProgramKey>,
    /// Of this claim.
    pub claim_id: Option<Id>,
    /// In this state.
    #[param(inline)]
    pub state: Option<CoopAuditState>,
    /// In the sample of this month.
    pub month: Option<Month>,
    /// Undecided after the last day for the originals, or all others.
    pub overdue: Option<bool>,
}

/// A finding that the originals are in order.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"comment": "All originals are there"}))]
pub struct CoopAuditPass {
    /// In your own words, which the partner reads.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    comment: Option<String>,
}

/// A recovery of what was paid.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "The partner has sent no originals within 20 business days"}))]
pub struct CoopAuditRecovery {
    /// In your own words, which the partner reads.
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    reason: String,
    /// The amount to recover, above zero and up to what was paid; left out, all that was paid.
    #[serde(default)]
    amount: Option<Money>,
}

/// List audits of co-op claims
///
/// The newest first. A partner's people see those of their own claims.
#[utoipa::path(tag = "coop-audits", params(CoopAuditFilter, PageParams), responses((status = 200, body = CoopAuditPage)))]
#[get("/v1/coop-audits")]
async fn list_coop_audits(
    caller: Caller<ListCoopAudits>,
    page: PageRequest<CoopAuditFilter>,
) -> Result<Listing> {
    caller
        .list_plainly(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let found = store::list(tx, page)?;
            let cursor = |audit: &CoopAudit| Cursor { key: None, id: audit.id };
            let scope = tx.scope();
            Ok(page.answer(found, total, cursor, |one| CoopAuditView::seen_in(scope, one)))
        })
        .await
}

/// Read the audit of a co-op claim
///
/// The partner sends the originals by `due_on`, 20 business days after the claim was drawn; what came of it is in `state`.
#[utoipa::path(tag = "coop-audits", responses((status = 200, body = CoopAuditView)))]
#[get("/v1/coop-audits/{id}")]
async fn get_coop_audit(caller: Caller<GetCoopAudit>, id: Path<Id>) -> Result<Answer> {
    caller
        .read(move |tx| {
            let found = store::get(tx, *id)?;
            Ok(record(tx, found))
        })
        .await
}

/// Pass the audit of a co-op claim
///
/// The originals are in order. Nobody decides on a claim that they have approved themselves (`coop_audit_own_approval`).
#[utoipa::path(tag = "coop-audits", request_body = CoopAuditPass, responses((status = 200, body = CoopAuditView)))]
#[post("/v1/coop-audits/{id}/pass")]
async fn pass_coop_audit(
    caller: Caller<PassCoopAudit>,
    id: Path<Id>,
    body: Body<CoopAuditPass>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, told| {
            let audit = service::pass(tx, *id, told.comment.as_deref())?;
            Ok(record(tx, audit))
        })
        .await
}

/// Recover what a co-op claim was paid
///
/// All of it, or `amount`, after `due_on` or as soon as the partner says that it has no originals. The recovery proposes a negative
/// adjustment of the enrollment's rebate (`adjustment_id`), which another person approves; where that person rejects the
/// adjustment, the audit is `requested` again, with 20 more business days. Nobody decides on a claim that they have approved
/// themselves (`coop_audit_own_approval`).
#[utoipa::path(tag = "coop-audits", request_body = CoopAuditRecovery, responses((status = 200, body = CoopAuditView)))]
#[post("/v1/coop-audits/{id}/recovery")]
async fn recover_coop_audit(
    caller: Caller<RecoverCoopAudit>,
    id: Path<Id>,
    body: Body<CoopAuditRecovery>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, told| {
            let audit = service::recover(tx, *id, &told.reason, told.amount)?;
            Ok(record(tx, audit))
        })
        .await
}

fn record(tx: &Tx<'_>, audit: CoopAudit) -> Answer {
    let revision = audit.revision;
    Answer::record(&CoopAuditView::seen_in(tx.scope(), audit), revision)
}
