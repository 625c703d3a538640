//! Enrollments over HTTP.

use super::{
    Outcome, service, store,
    view::{
        self, EnrollmentChange, EnrollmentChangePage, EnrollmentPage, EnrollmentState, EnrollmentView, Shown,
    },
};
use crate::{
    access::{
        Caller, Tx,
        policy::{
            AcceptEnrollment, DiscontinueEnrollment, GetEnrollment, ListEnrollmentHistory, ListEnrollments,
            OptOutEnrollment, RequestEnrollment,
        },
    },
    network::partners::Reason,
    participation::{eligibility::Evaluation, programs::ProgramKey},
    platform::{
        Error, Result,
        http::{Answer, Body, Cursor, Listing, NoFilter, PageParams, PageRequest, Path},
        values::Id,
    },
};
use actix_web::{get, post};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_enrollments)
        .service(request_enrollment)
        .service(get_enrollment)
        .service(accept_enrollment)
        .service(opt_out_enrollment)
        .service(discontinue_enrollment)
        .service(list_enrollment_history);
}

/// A request to take part in a program.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "partner_id": "01936f2e-4b00-7000-8000-000000000001", "program": "csp-direct-bill",
    "reason": "Asked for by telephone, ticket 4711"
}))]
pub struct EnrollmentRequest {
    /// Who wants to take part.
    partner_id: Id,
    /// In which program: its code or its id.
    program: ProgramKey,
    /// Why; needed where programme staff act on behalf of the partner.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    reason: Option<String>,
}

/// What an admin may say, and staff who act on behalf of a partner must.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Asked for by telephone, ticket 4711"}))]
pub struct EnrollmentNote {
    /// Why; needed where programme staff act on behalf of the partner.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    reason: Option<String>,
}

/// Which enrollments to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EnrollmentFilter {
    /// Of this partner.
    pub partner_id: Option<Id>,
    /// In this program: its code or its id.
    pub program: Option<ProgramKey>,
    /// For this program year, named by the year it ends in.
    #[param(minimum = 1901, maximum = 9999, example = 2027)]
    pub program_year: Option<i32>,
    /// In this state.
    #[param(inline)]
    pub state: Option<EnrollmentState>,
}
/// List enrollments
///
/// Of every partner the caller may see, newest first.
#[utoipa::path(tag = "enrollments", params(EnrollmentFilter, PageParams), responses((status = 200, body = EnrollmentPage)))]
#[get("/v1/enrollments")]
async fn list_enrollments(
    caller: Caller<ListEnrollments>,
    page: PageRequest<EnrollmentFilter>,
) -> Result<Listing> {
    caller
        .list(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let found = store::list(tx, page)?;
            let views = view::show(tx, found)?;
            Ok(page.answer(views, total, |view| Cursor { key: None, id: view.id }, |view| view))
        })
        .await
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
            let outcome = service::request(tx, asked.partner_id, &asked.program, asked.reason.as_deref())?;
            match outcome {
                Outcome::Enrolled(enrollment, code) => {
                    let location = format!("/v1/enrollments/{}", enrollment.id);
                    Ok(record(tx, (enrollment, code))?.made_at(location))
                }
                Outcome::NotEligible(evaluation) => Ok(refused(tx, &evaluation)),
            }
        })
        .await
}

/// Read an enrollment
///
/// With what the partner must do next. A viewer sees a simpler state and no actions.
#[utoipa::path(tag = "enrollments", responses((status = 200, body = EnrollmentView)))]
#[get("/v1/enrollments/{id}")]
async fn get_enrollment(caller: Caller<GetEnrollment>, id: Path<Id>) -> Result<Answer> {
    caller
        .snapshot(move |tx| {
            let shown = store::get(tx, *id)?;
            record(tx, shown)
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
            Outcome::Enrolled(enrollment, code) => record(tx, (enrollment, code)),
            Outcome::NotEligible(evaluation) => Ok(refused(tx, &evaluation)),
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
#[utoipa::path(tag = "enrollments", request_body = Reason, responses((status = 200, body = EnrollmentView)))]
#[post("/v1/enrollments/{id}/discontinuation")]
async fn discontinue_enrollment(
    caller: Caller<DiscontinueEnrollment>,
    id: Path<Id>,
    body: Body<Reason>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, because| {
            let shown = service::discontinue(tx, *id, &because.reason)?;
            record(tx, shown)
        })
        .await
}

/// List an enrollment's history
///
/// Every change of its state with its cause, its actor and the evaluation it rests on, newest first.
#[utoipa::path(tag = "enrollments", params(PageParams), responses((status = 200, body = EnrollmentChangePage)))]
#[get("/v1/enrollments/{id}/history")]
async fn list_enrollment_history(
    caller: Caller<ListEnrollmentHistory>,
    id: Path<Id>,
    page: PageRequest<NoFilter>,
) -> Result<Listing> {
    let role = Some(caller.role());
    caller
        .list(page, move |tx, page| {
            let (enrollment, _) = store::get(tx, *id)?;
            let total = page.include_total.then(|| store::history_count(tx, enrollment.key())).transpose()?;
            let changes = store::history(tx, enrollment.key(), page)?;
            let cursor = |change: &super::Change| Cursor { key: None, id: change.id };
            Ok(page.answer(changes, total, cursor, |change| EnrollmentChange::seen_by(role, change)))
        })
        .await
}

fn record(tx: &mut Tx<'_>, shown: Shown) -> Result<Answer> {
    let revision = shown.0.revision;
    let view = view::show(tx, vec![shown])?.pop().ok_or(Error::not_found("enrollment"))?;
    let etag = Some(view.etag());
    Ok(Answer { etag, ..Answer::record(&view, revision) })
}

/// The evaluation is kept, so the unit commits: the refusal is an answer, not an error.
fn refused(tx: &Tx<'_>, evaluation: &Evaluation) -> Answer {
    Answer::refused(&Outcome::refusal(evaluation), tx.request_id)
}
