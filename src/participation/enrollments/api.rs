//! Reading enrollments over HTTP.

use super::{
    store,
    view::{
        self, EnrollmentChange, EnrollmentChangePage, EnrollmentPage, EnrollmentState, EnrollmentView,
        ProgramEnrollment,
    },
};
use crate::{
    access::{
        Caller, PartnerKey, Tx,
        policy::{GetEnrollment, ListEnrollmentHistory, ListEnrollments},
    },
    participation::programs::ProgramKey,
    platform::{
        Error, Result,
        http::{Answer, Cursor, Listing, NoFilter, PageParams, PageRequest, Path},
        values::Id,
    },
};
use actix_web::get;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_enrollments).service(get_enrollment).service(list_enrollment_history);
}

/// Which enrollments to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EnrollmentFilter {
    /// Of this partner.
    pub partner_id: Option<PartnerKey>,
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
            let ProgramEnrollment { enrollment, .. } = store::get(tx, *id)?;
            let total = page.include_total.then(|| store::history_count(tx, enrollment.key())).transpose()?;
            let changes = store::history(tx, enrollment.key(), page)?;
            let cursor = |change: &super::StateChange| Cursor { key: None, id: change.id };
            Ok(page.answer(changes, total, cursor, |change| EnrollmentChange::seen_by(role, change)))
        })
        .await
}

/// An enrollment as an answer, as the unit's actor sees it.
pub fn record(tx: &mut Tx<'_>, shown: ProgramEnrollment) -> Result<Answer> {
    let revision = shown.enrollment.revision;
    let view = view::show(tx, vec![shown])?.pop().ok_or(Error::not_found("enrollment", "参加"))?;
    Ok(Answer::record(&view, revision))
}
