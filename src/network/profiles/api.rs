//! Profiles over HTTP: read and filed by their partners.

use super::{
    BankAccount, TaxTerms,
    body::{PayoutProfileUpdate, TaxProfileUpdate},
    model::Profile,
    service,
    store::{self, StoredTerms},
    view::{PayoutProfileView, ShownTerms, TaxProfileView},
};
use crate::{
    access::{
        Caller, PartnerKey, Tx,
        policy::{GetPayoutProfile, GetTaxProfile, Policy, PutPayoutProfile, PutTaxProfile},
    },
    network::partners,
    platform::{
        Result,
        http::{Answer, Body, IfMatch, Path},
    },
};
use actix_web::{get, put};
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(get_payout_profile)
        .service(put_payout_profile)
        .service(get_tax_profile)
        .service(put_tax_profile);
}

/// Under which condition to act.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "documents the field; `IfMatch` reads it")]
pub(super) struct ProfileIfMatch {
    /// The `ETag` of the profile you read; where it has changed since, nothing is done and the answer is 412.
    #[param(rename = "If-Match", min_length = 1, max_length = 1000, nullable = false, example = "*")]
    if_match: Option<String>,
}

/// Read a partner's payout profile
///
/// The account that the partner is paid to, with the number masked.
#[utoipa::path(tag = "profiles", responses((status = 200, body = PayoutProfileView)))]
#[get("/v1/partners/{id}/payout-profile")]
async fn get_payout_profile(caller: Caller<GetPayoutProfile>, id: Path<PartnerKey>) -> Result<Answer> {
    read::<_, BankAccount>(caller, id.into_inner()).await
}

/// File a partner's payout profile
///
/// Replaces the profile on record, if there is one. An account that no bank file could name is refused with all of its
/// faults. An operator has to approve a change before money is paid. The data on record filed again changes nothing,
/// unless the profile was rejected.
///
/// After a change of the bank account all incentive admins of the partner are told, and money waits until the end of
/// `cooling_off_until`, or until a second operator ends the wait.
#[utoipa::path(
    tag = "profiles", params(ProfileIfMatch), request_body = PayoutProfileUpdate,
    responses((status = 200, body = PayoutProfileView), (status = 201, body = PayoutProfileView))
)]
#[put("/v1/partners/{id}/payout-profile")]
async fn put_payout_profile(
    caller: Caller<PutPayoutProfile>,
    id: Path<PartnerKey>,
    body: Body<PayoutProfileUpdate>,
    condition: IfMatch,
) -> Result<Answer> {
    file::<_, _, BankAccount>(caller, id.into_inner(), body, condition).await
}

/// Read a partner's tax profile
///
/// The tax document of the partner, with the tax number masked.
#[utoipa::path(tag = "profiles", responses((status = 200, body = TaxProfileView)))]
#[get("/v1/partners/{id}/tax-profile")]
async fn get_tax_profile(caller: Caller<GetTaxProfile>, id: Path<PartnerKey>) -> Result<Answer> {
    read::<_, TaxTerms>(caller, id.into_inner()).await
}

/// File a partner's tax profile
///
/// Replaces the profile on record, if there is one. An operator has to approve a change before money is paid. The data
/// on record filed again changes nothing, unless the profile was rejected.
#[utoipa::path(
    tag = "profiles", params(ProfileIfMatch), request_body = TaxProfileUpdate,
    responses((status = 200, body = TaxProfileView), (status = 201, body = TaxProfileView))
)]
#[put("/v1/partners/{id}/tax-profile")]
async fn put_tax_profile(
    caller: Caller<PutTaxProfile>,
    id: Path<PartnerKey>,
    body: Body<TaxProfileUpdate>,
    condition: IfMatch,
) -> Result<Answer> {
    file::<_, _, TaxTerms>(caller, id.into_inner(), body, condition).await
}

async fn read<P: Policy, T: StoredTerms + ShownTerms>(
    caller: Caller<P>,
    partner: PartnerKey,
) -> Result<Answer> {
    caller
        .snapshot(move |tx| {
            let partner = partner.id(tx)?;
            service::get::<T>(tx, partner).map(|profile| record(tx, profile))
        })
        .await
}

async fn file<P, B, T>(
    caller: Caller<P>,
    partner: PartnerKey,
    body: Body<B>,
    condition: IfMatch,
) -> Result<Answer>
where
    P: Policy,
    B: Clone + Send + Sync + 'static,
    T: StoredTerms + ShownTerms + From<B>,
{
    caller
        .write(body, move |tx, new| {
            let partner = partner.id(tx)?;
            tx.lock_partner(partner)?;
            partners::get(tx, partner)?;
            let before = store::find::<T>(tx, partner)?;
            condition.permits_if_sent(before.as_ref().map(|before| before.revision))?;
            let is_new = before.is_none();
            let filed = service::file(tx, partner, before, T::from(new.clone()))?;
            let answer = record(tx, filed);
            let location = format!("/v1/partners/{partner}/{}", T::SEGMENT);
            Ok(if is_new { Answer { status: 201, location: Some(location), ..answer } } else { answer })
        })
        .await
}

/// The answer with a profile: its state follows the day, and its words the language.
pub(super) fn record<T: ShownTerms>(tx: &Tx<'_>, profile: Profile<T>) -> Answer {
    let (revision, today, language) = (profile.revision, tx.today(), tx.language);
    Answer::record(&T::shown(profile, today, language), revision)
}
