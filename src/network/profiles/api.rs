//! Profiles over HTTP.

use super::{
    PayoutTerms, Secret, TaxForm, TaxTerms,
    model::{Decision, Profile},
    service,
    store::{self, StoredTerms},
    view::{PayoutProfileView, ShownTerms, TaxProfileView},
};
use crate::{
    access::{
        Caller, PartnerKey, Tx,
        policy::{
            ApprovePayoutProfile, ApproveTaxProfile, GetPayoutProfile, GetTaxProfile, Policy,
            PutPayoutProfile, PutTaxProfile, RejectPayoutProfile, RejectTaxProfile,
        },
    },
    network::partners,
    platform::{
        FieldError, Result,
        http::{Answer, Body, Checked, IfMatch, Path, Problem, faultless},
        values::{CalendarDate, Country, Currency, Id},
    },
    text,
};
use actix_web::{get, post, put};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::{Validate, ValidationError};

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(get_payout_profile)
        .service(put_payout_profile)
        .service(approve_payout_profile)
        .service(reject_payout_profile)
        .service(get_tax_profile)
        .service(put_tax_profile)
        .service(approve_tax_profile)
        .service(reject_tax_profile);
}

/// The account that a partner is to be paid to. It replaces the account on record.
// No `Debug`: the account number must not reach a log.
#[derive(Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "holder": "Contoso Cloud GmbH", "account_number": "DE89370400440532013000", "bank_country": "DE", "currency": "USD"
}))]
pub struct PayoutProfileUpdate {
    /// Holder of the account.
    #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$")]
    holder: String,
    /// An IBAN, whose check digits are verified, or the bank's own number of the account; without spaces.
    #[schema(min_length = 4, max_length = 34, pattern = "^[A-Za-z0-9]{4,34}$")]
    #[validate(custom(function = well_typed))]
    account_number: String,
    /// The country of the bank.
    bank_country: Country,
    /// The currency the account is held in.
    currency: Currency,
}

/// Refuses an IBAN whose check digits do not fit.
fn well_typed(account_number: &str) -> std::result::Result<(), ValidationError> {
    if !Secret::new(account_number).is_mistyped_iban() {
        return Ok(());
    }
    let message = text!(
        "its check digits do not fit: compare it with the one your bank wrote",
        "検査数字が一致しません。金融機関の書類に記載された番号とご照合ください。"
    );
    faultless(vec![FieldError::new("", "iban_checksum", message)])
}

impl From<PayoutProfileUpdate> for PayoutTerms {
    fn from(new: PayoutProfileUpdate) -> Self {
        Self {
            holder: new.holder,
            account_number: Secret::new(&new.account_number),
            bank_country: new.bank_country,
            currency: new.currency,
        }
    }
}

/// The tax document of a partner. It replaces the document on record.
// No `Debug`: the tax number must not reach a log.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"form": "w9", "tax_country": "US", "tax_id": "12-3456789"}))]
pub struct TaxProfileUpdate {
    /// The kind of document.
    form: TaxForm,
    /// The country that taxes the partner.
    tax_country: Country,
    /// The partner's tax number.
    #[schema(min_length = 4, max_length = 32, pattern = "^[A-Za-z0-9][A-Za-z0-9 ./-]{2,30}[A-Za-z0-9]$")]
    tax_id: String,
    /// The last day the document holds, today or later; leave it out for a document that does not expire.
    #[serde(default)]
    expires_on: Option<CalendarDate>,
}

impl From<TaxProfileUpdate> for TaxTerms {
    fn from(new: TaxProfileUpdate) -> Self {
        Self {
            form: new.form,
            tax_country: new.tax_country,
            tax_id: Secret::new(&new.tax_id),
            expires_on: new.expires_on,
        }
    }
}

/// An operator's approval of a profile.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"comment": "Compared with the bank's letter"}))]
pub struct ProfileApproval {
    /// In your own words, for the audit trail.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    comment: Option<String>,
}

/// An operator's rejection of a profile.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "The holder is not the partner"}))]
pub struct ProfileRejection {
    /// The fault of the profile; the partner reads this reason.
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    reason: String,
}

/// Under which condition to act.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "documents the field; `IfMatch` reads it")]
struct ProfileIfMatch {
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
    read::<_, PayoutTerms>(caller, id.into_inner()).await
}

/// File a partner's payout profile
///
/// Replaces the profile on record, if there is one. An operator has to approve a change before money is paid. The data
/// on record filed again changes nothing, unless the profile was rejected.
#[utoipa::path(
    tag = "profiles", params(ProfileIfMatch), request_body = PayoutProfileUpdate,
    responses((status = 200, body = PayoutProfileView), (status = 201, body = PayoutProfileView))
)]
#[put("/v1/partners/{id}/payout-profile")]
async fn put_payout_profile(
    caller: Caller<PutPayoutProfile>,
    id: Path<PartnerKey>,
    Checked(body): Checked<PayoutProfileUpdate>,
    condition: IfMatch,
) -> Result<Answer> {
    file::<_, _, PayoutTerms>(caller, id.into_inner(), body, condition).await
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
    approve::<_, PayoutTerms>(caller, id.into_inner(), body, condition).await
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
    reject::<_, PayoutTerms>(caller, id.into_inner(), body, condition).await
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

/// Approve a partner's tax profile
///
/// Send the `ETag` you read in `If-Match`, so that you approve the profile you saw. An expired profile cannot be
/// approved.
#[utoipa::path(
    tag = "profiles", params(ProfileIfMatch), request_body = ProfileApproval,
    responses(
        (status = 200, body = TaxProfileView),
        (status = 412, description = "The profile has changed since it was read.", body = Problem, content_type = "application/problem+json")
    )
)]
#[post("/v1/partners/{id}/tax-profile/approval")]
async fn approve_tax_profile(
    caller: Caller<ApproveTaxProfile>,
    id: Path<PartnerKey>,
    body: Body<ProfileApproval>,
    condition: IfMatch,
) -> Result<Answer> {
    approve::<_, TaxTerms>(caller, id.into_inner(), body, condition).await
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

async fn approve<P: Policy, T: StoredTerms + ShownTerms>(
    caller: Caller<P>,
    partner: PartnerKey,
    body: Body<ProfileApproval>,
    condition: IfMatch,
) -> Result<Answer> {
    caller
        .write(body, move |tx, approval| {
            let partner = partner.id(tx)?;
            decide::<T>(tx, partner, &condition, Decision::Approval(approval.comment.as_deref()))
        })
        .await
}

async fn reject<P: Policy, T: StoredTerms + ShownTerms>(
    caller: Caller<P>,
    partner: PartnerKey,
    body: Body<ProfileRejection>,
    condition: IfMatch,
) -> Result<Answer> {
    caller
        .write(body, move |tx, rejection| {
            let partner = partner.id(tx)?;
            decide::<T>(tx, partner, &condition, Decision::Rejection(&rejection.reason))
        })
        .await
}

fn decide<T: StoredTerms + ShownTerms>(
    tx: &mut Tx<'_>,
    partner: Id,
    condition: &IfMatch,
    decision: Decision<'_>,
) -> Result<Answer> {
    tx.lock_partner(partner)?;
    let before = service::get::<T>(tx, partner)?;
    condition.permits_if_sent(Some(before.revision))?;
    service::decide(tx, &before, decision).map(|profile| record(tx, profile))
}

fn record<T: ShownTerms>(tx: &Tx<'_>, profile: Profile<T>) -> Answer {
    let revision = profile.revision;
    Answer::record_on(tx.today(), &T::shown(profile, tx.today()), revision)
}
