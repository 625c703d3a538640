//! The decisions of operators on profiles over HTTP.

use super::{
    BankAccount, TaxTerms, TinStatus,
    api::{ProfileIfMatch, record},
    body::{CoolingOffRelease, ProfileApproval, ProfileRejection, TaxProfileApproval, TinStatusUpdate},
    model::{Decision, Profile},
    service,
    store::StoredTerms,
    tax::TaxNotes,
    view::{PayoutProfileView, ShownTerms, TaxProfileView},
};
use crate::{
    access::{
        Caller, PartnerKey, Tx,
        policy::{
            ApprovePayoutProfile, ApproveTaxProfile, Policy, PutTinStatus, RejectPayoutProfile,
            RejectTaxProfile, ReleaseCoolingOff,
        },
    },
    platform::{
        Result,
        http::{Answer, Body, IfMatch, Path, Problem},
        values::Id,
    },
};
use actix_web::{post, put};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of the decisions.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(approve_payout_profile)
        .service(release_cooling_off)
        .service(reject_payout_profile)
        .service(approve_tax_profile)
        .service(put_tin_status)
        .service(reject_tax_profile);
}

/// Approve a partner's payout profile
///
/// Money can be paid to the account from now on. Send the `ETag` you read in `If-Match`, so that you approve the
/// profile you saw.
#[utoipa::path(
    tag = "profiles", params(ProfileIfMatch), request_body = ProfileApproval,
    responses(
        (status = 200, body = PayoutProfileView),
        (status = 412, description = "The profile has changed since it was read.", body = Problem, content_type = "application/problem+json")
    )
)]
#[post("/v1/partners/{id}/payout-profile/approval")]
async fn approve_payout_profile(
    caller: Caller<ApprovePayoutProfile>,
    id: Path<PartnerKey>,
    body: Body<ProfileApproval>,
    condition: IfMatch,
) -> Result<Answer> {
    let id = id.into_inner();
    caller
        .write(body, move |tx, approval| {
            let before = to_decide::<BankAccount>(tx, &id, &condition)?;
            let decision = Decision::Approval(approval.comment.as_deref());
            service::decide(tx, &before, before.notes, decision).map(|profile| record(tx, profile))
        })
        .await
}

/// End the wait after a change of the bank account
///
/// Money need not wait any longer. For another operator than the one who approved the account, once the change is
/// confirmed by a way that whoever filed it does not control, such as a telephone number known from before.
#[utoipa::path(
    tag = "profiles", params(ProfileIfMatch), request_body = CoolingOffRelease,
    responses(
        (status = 200, body = PayoutProfileView),
        (status = 412, description = "The profile has changed since it was read.", body = Problem, content_type = "application/problem+json")
    )
)]
#[post("/v1/partners/{id}/payout-profile/cooling-off-release")]
async fn release_cooling_off(
    caller: Caller<ReleaseCoolingOff>,
    id: Path<PartnerKey>,
    body: Body<CoolingOffRelease>,
    condition: IfMatch,
) -> Result<Answer> {
    let id = id.into_inner();
    caller
        .write(body, move |tx, release| {
            let before = to_decide::<BankAccount>(tx, &id, &condition)?;
            service::release_cooling_off(tx, &before, &release.reason).map(|profile| record(tx, profile))
        })
        .await
}

/// Reject a partner's payout profile
///
/// An approved profile can be rejected too. The partner reads the reason, and has to file the profile again.
#[utoipa::path(
    tag = "profiles", params(ProfileIfMatch), request_body = ProfileRejection,
    responses(
        (status = 200, body = PayoutProfileView),
        (status = 412, description = "The profile has changed since it was read.", body = Problem, content_type = "application/problem+json")
    )
)]
#[post("/v1/partners/{id}/payout-profile/rejection")]
async fn reject_payout_profile(
    caller: Caller<RejectPayoutProfile>,
    id: Path<PartnerKey>,
    body: Body<ProfileRejection>,
    condition: IfMatch,
) -> Result<Answer> {
    reject::<_, BankAccount>(caller, id.into_inner(), body, condition).await
}

/// Approve a partner's tax profile
///
/// Send the `ETag` you read in `If-Match`, so that you approve the profile you saw. An expired profile cannot be
/// approved.
#[utoipa::path(
    tag = "profiles", params(ProfileIfMatch), request_body = TaxProfileApproval,
    responses(
        (status = 200, body = TaxProfileView),
        (status = 412, description = "The profile has changed since it was read.", body = Problem, content_type = "application/problem+json")
    )
)]
#[post("/v1/partners/{id}/tax-profile/approval")]
async fn approve_tax_profile(
    caller: Caller<ApproveTaxProfile>,
    id: Path<PartnerKey>,
    body: Body<TaxProfileApproval>,
    condition: IfMatch,
) -> Result<Answer> {
    let id = id.into_inner();
    caller
        .write(body, move |tx, approval| {
            let before = to_decide::<TaxTerms>(tx, &id, &condition)?;
            let notes = TaxNotes { tin_status: approval.tin_status.unwrap_or(before.notes.tin_status) };
            let decision = Decision::Approval(approval.comment.as_deref());
            service::decide(tx, &before, notes, decision).map(|profile| record(tx, profile))
        })
        .await
}

/// Note the answer about a tax number
///
/// Whether the tax authority knows the number by the partner's name. It decides, with the form, what tax is withheld.
#[utoipa::path(
    tag = "profiles", params(ProfileIfMatch), request_body = TinStatusUpdate,
    responses((status = 200, body = TaxProfileView))
)]
#[put("/v1/partners/{id}/tax-profile/tin-status")]
async fn put_tin_status(
    caller: Caller<PutTinStatus>,
    id: Path<PartnerKey>,
    body: Body<TinStatusUpdate>,
    condition: IfMatch,
) -> Result<Answer> {
    let id = id.into_inner();
    caller
        .write(body, move |tx, update| {
            let before = to_decide::<TaxTerms>(tx, &id, &condition)?;
            let (status, comment): (TinStatus, _) = (update.tin_status, update.comment.as_deref());
            service::note_tin_status(tx, before, status, comment).map(|profile| record(tx, profile))
        })
        .await
}

/// Reject a partner's tax profile
///
/// An approved profile can be rejected too. The partner reads the reason, and has to file the profile again.
#[utoipa::path(
    tag = "profiles", params(ProfileIfMatch), request_body = ProfileRejection,
    responses(
        (status = 200, body = TaxProfileView),
        (status = 412, description = "The profile has changed since it was read.", body = Problem, content_type = "application/problem+json")
    )
)]
#[post("/v1/partners/{id}/tax-profile/rejection")]
async fn reject_tax_profile(
    caller: Caller<RejectTaxProfile>,
    id: Path<PartnerKey>,
    body: Body<ProfileRejection>,
    condition: IfMatch,
) -> Result<Answer> {
    reject::<_, TaxTerms>(caller, id.into_inner(), body, condition).await
}

async fn reject<P: Policy, T: StoredTerms + ShownTerms>(
    caller: Caller<P>,
    partner: PartnerKey,
    body: Body<ProfileRejection>,
    condition: IfMatch,
) -> Result<Answer> {
    caller
        .write(body, move |tx, rejection| {
            let before = to_decide::<T>(tx, &partner, &condition)?;
            let decision = Decision::Rejection(&rejection.reason);
            service::decide(tx, &before, before.notes, decision).map(|profile| record(tx, profile))
        })
        .await
}

/// The profile with its partner locked, where the request permits a change of its revision.
fn to_decide<T: StoredTerms>(
    tx: &mut Tx<'_>,
    partner: &PartnerKey,
    condition: &IfMatch,
) -> Result<Profile<T>> {
    let partner: Id = partner.id(tx)?;
    tx.lock_partner(partner)?;
    let before = service::get::<T>(tx, partner)?;
    condition.permits_if_sent(Some(before.revision))?;
    Ok(before)
}
