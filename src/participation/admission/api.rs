//! Asking for enrollments, accepting and ending them over HTTP.

use super::{RequestOutcome, service};
use crate::{
    access::{
        Caller, PartnerKey, Tx,
        policy::{AcceptEnrollment, DiscontinueEnrollment, OptOutEnrollment, RequestEnrollment},
    },
    network::partners::TransitionReason,
    participation::{
        eligibility::Evaluation,
        enrollments::{EnrollmentView, api::record},
        programs::ProgramKey,
    },
    platform::{
        Result,
        http::{Answer, Body, Path},
        values::Id,
    },
};
use actix_web::post;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(request_enrollment)
        .service(accept_enrollment)
        .service(opt_out_enrollment)
        .service(discontinue_enrollment);
}

/// A request to take part in a program.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "partner_id": "01936f2e-4b00-7000-8000-000000000001", "program": "csp-direct-bill",
    "reason": "Asked for by telephone, ticket 4711"
}))]
pub struct EnrollmentRequest {
    /// Who wants to take part.
    partner_id: PartnerKey,
    /// In which program: its code or its id.
    program: ProgramKey,
    /// Why; needed where programme staff act on behalf of the partner.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    reason: Option<String>,
}

/// What an admin may say, and staff who act on behalf of a partner must.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Asked for by telephone, ticket 4711"}))]
pub struct EnrollmentNote {
    /// Why; needed where programme staff act on behalf of the partner.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    reason: Option<String>,
}

/// Ask for an enrollment
///
/// Every rule of the program version in effect is checked. Where all are met the enrollment is made, or an open
/// invitation accepted; the payout and tax profiles decide how far that leads. Else the answer is a 422 problem
/// `not_eligible` that carries every rule with its evidence and remedy, and the evaluation is kept.
#[utoipa::path(tag = "enrollments", request_body = EnrollmentRequest, responses((status = 201, body = EnrollmentView)))]
#[post("/v1/enrollments")]
async fn request_enrollment(
    caller: Caller<RequestEnrollment>,
    body: Body<EnrollmentRequest>,
) -> Result<Answer> {
    caller
        .write(body, |tx, asked| {
            let partner = asked.partner_id.id(tx)?;
            let outcome = service::request(tx, partner, &asked.program, asked.reason.as_deref())?;
            match outcome {
                RequestOutcome::Enrolled(shown) => {
                    let location = format!("/v1/enrollments/{}", shown.enrollment.id);
                    Ok(record(tx, shown)?.made_at(location))
                }
                RequestOutcome::NotEligible(evaluation) => Ok(refused(tx, &evaluation)),
            }
        })
        .await
}

/// Accept an invitation
///
/// The rules are checked again; where one is lost the answer is a 422 problem `not_eligible` with all of them.
#[utoipa::path(tag = "enrollments", request_body = EnrollmentNote, responses((status = 200, body = EnrollmentView)))]
#[post("/v1/enrollments/{id}/acceptance")]
async fn accept_enrollment(
    caller: Caller<AcceptEnrollment>,
    id: Path<Id>,
    body: Body<EnrollmentNote>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, note| match service::accept(tx, *id, note.reason.as_deref())? {
            RequestOutcome::Enrolled(shown) => record(tx, shown),
            RequestOutcome::NotEligible(evaluation) => Ok(refused(tx, &evaluation)),
        })
        .await
}

/// Decline an invitation, or leave
///
/// For the rest of the program year; what was earned before is still paid.
#[utoipa::path(tag = "enrollments", request_body = EnrollmentNote, responses((status = 200, body = EnrollmentView)))]
#[post("/v1/enrollments/{id}/opt-out")]
async fn opt_out_enrollment(
    caller: Caller<OptOutEnrollment>,
    id: Path<Id>,
    body: Body<EnrollmentNote>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, note| {
            let shown = service::opt_out(tx, *id, note.reason.as_deref())?;
            record(tx, shown)
        })
        .await
}

/// End an enrollment for good
///
/// Final; what was earned before is still paid.
#[utoipa::path(tag = "enrollments", request_body = TransitionReason, responses((status = 200, body = EnrollmentView)))]
#[post("/v1/enrollments/{id}/discontinuation")]
async fn discontinue_enrollment(
    caller: Caller<DiscontinueEnrollment>,
    id: Path<Id>,
    body: Body<TransitionReason>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, because| {
            let shown = service::discontinue(tx, *id, &because.reason)?;
            record(tx, shown)
        })
        .await
}

/// The evaluation is kept, so the unit commits: the refusal is an answer, not an error.
fn refused(tx: &Tx<'_>, evaluation: &Evaluation) -> Answer {
    Answer::refused(&RequestOutcome::refusal(evaluation, tx.language), tx.request_id, tx.language)
}
