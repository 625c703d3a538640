//! The catalogue and the attainments over HTTP.

use super::{
    Attainment, Competency,
    service::{self, RecordedAttainment},
    store,
    wire::{
        AttainmentFilter, AttainmentIfMatch, AttainmentPage, AttainmentUpdate, AttainmentView,
        CompetencyCreate, CompetencyFilter, CompetencyOrder, CompetencyPage, CompetencySort,
        CompetencyUpdate, CompetencyView,
    },
};
use crate::{
    access::{
        Caller, PartnerKey, Tx,
        policy::{
            CreateCompetency, GetAttainment, GetCompetency, ListAttainments, ListCompetencies, PutAttainment,
            RevokeAttainment, UpdateCompetency,
        },
    },
    network::partners,
    platform::{
        Result,
        http::{Answer, Body, Checked, Cursor, IfMatch, Listing, PageParams, PageRequest, Path},
    },
};
use actix_web::{delete, get, patch, post, put};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_competencies)
        .service(create_competency)
        .service(get_competency)
        .service(update_competency)
        .service(list_attainments)
        .service(get_attainment)
        .service(put_attainment)
        .service(revoke_attainment);
}

/// List the competencies
///
/// The catalogue, by code where no other order is asked for; retired ones are listed too.
#[utoipa::path(
    tag = "competencies",
    params(CompetencyFilter, CompetencyOrder, PageParams),
    responses((status = 200, body = CompetencyPage))
)]
#[get("/v1/competencies")]
async fn list_competencies(
    caller: Caller<ListCompetencies>,
    page: PageRequest<CompetencyFilter, CompetencySort>,
) -> Result<Listing> {
    caller
        .list(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let competencies = store::list(tx, page)?;
            let today = tx.today();
            let by_code = matches!(page.sort, CompetencySort::Code | CompetencySort::CodeDescending);
            let cursor = |c: &Competency| Cursor { key: by_code.then(|| c.code.clone()), id: c.id };
            Ok(page.answer(competencies, total, cursor, |c| CompetencyView::on(today, c)))
        })
        .await
}

/// Add a competency to the catalogue
///
/// The code must be new, and never changes. From then on programs can name the competency, and partners attain it.
#[utoipa::path(
    tag = "competencies",
    request_body = CompetencyCreate,
    responses((status = 201, body = CompetencyView))
)]
#[post("/v1/competencies")]
async fn create_competency(caller: Caller<CreateCompetency>, body: Body<CompetencyCreate>) -> Result<Answer> {
    caller
        .write(body, |tx, new| {
            let competency = service::create(tx, &new.code, &new.name, new.retired_on)?;
            let location = format!("/v1/competencies/{}", competency.id);
            Ok(record(tx, competency).made_at(location))
        })
        .await
}

/// Read a competency
///
/// One competency of the catalogue, by its id or by its code.
#[utoipa::path(
    tag = "competencies",
    params(
        ("id" = String, Path, description = "The competency's id, or its code.", min_length = 1, max_length = 64,
            pattern = "^[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*$", example = "communications")
    ),
    responses((status = 200, body = CompetencyView))
)]
#[get("/v1/competencies/{id}")]
async fn get_competency(caller: Caller<GetCompetency>, id: Path<String>) -> Result<Answer> {
    caller
        .read(move |tx| {
            let competency = store::get(tx, &id)?;
            Ok(record(tx, competency))
        })
        .await
}

/// Change a competency
///
/// A merge patch (RFC 7396) of the name or of the day of retirement; null brings a retired competency back. Attainments
/// stay.
#[utoipa::path(
    tag = "competencies",
    params(
        ("id" = String, Path, description = "The competency's id, or its code.", min_length = 1, max_length = 64,
            pattern = "^[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*$", example = "communications")
    ),
    request_body = CompetencyUpdate,
    responses((status = 200, body = CompetencyView))
)]
#[patch("/v1/competencies/{id}")]
async fn update_competency(
    caller: Caller<UpdateCompetency>,
    id: Path<String>,
    body: Body<CompetencyUpdate>,
    revision: IfMatch,
) -> Result<Answer> {
    caller
        .write(body, move |tx, change| {
            let before = store::to_change(tx, &id)?;
            revision.permits(before.revision)?;
            if *change == CompetencyUpdate::default() {
                let answer = record(tx, before);
                return tx.unchanged(answer);
            }
            let retired_on = change.retired_on.unwrap_or(before.retired_on);
            let competency = service::update(tx, &before, change.name.clone(), retired_on)?;
            Ok(record(tx, competency))
        })
        .await
}

fn record(tx: &Tx<'_>, competency: Competency) -> Answer {
    let revision = competency.revision;
    Answer::record(&CompetencyView::on(tx.today(), competency), revision)
}

/// List what a partner has attained
///
/// One record for each period, newest first, past and revoked ones too. Those of a headquarters count for its locations and are
/// listed with the headquarters.
#[utoipa::path(
    tag = "competencies",
    params(AttainmentFilter, PageParams),
    responses((status = 200, body = AttainmentPage))
)]
#[get("/v1/partners/{id}/competencies")]
async fn list_attainments(
    caller: Caller<ListAttainments>,
    id: Path<PartnerKey>,
    page: PageRequest<AttainmentFilter>,
) -> Result<Listing> {
    caller
        .list(page, move |tx, page| {
            let id = id.id(tx)?;
            let partner = partners::get(tx, id)?.id;
            let total = page
                .include_total
                .then(|| store::count_attainments(tx, partner, &page.filter))
                .transpose()?;
            let attainments = store::list_attainments(tx, partner, page)?;
            let today = tx.today();
            let cursor = |attainment: &Attainment| Cursor { key: None, id: attainment.id };
            Ok(page.answer(attainments, total, cursor, |attainment| AttainmentView::on(today, attainment)))
        })
        .await
}

/// Read what a partner has attained in a competency
///
/// The latest period, with whether it counts today; the list has those before.
#[utoipa::path(
    tag = "competencies",
    params(
        ("id" = PartnerKey, Path, description = "The partner.", example = "01936f2e-4b00-7000-8000-000000000001"),
        (
            "code" = String, Path, description = "The competency's code.", min_length = 1, max_length = 64,
            pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "data-platform"
        )
    ),
    responses((status = 200, body = AttainmentView))
)]
#[get("/v1/partners/{id}/competencies/{code}")]
async fn get_attainment(caller: Caller<GetAttainment>, path: Path<(PartnerKey, String)>) -> Result<Answer> {
    caller
        .read(move |tx| {
            let partner = path.0.id(tx)?;
            let attainment = store::latest(tx, partner, &path.1)?;
            Ok(attainment_record(tx, attainment))
        })
        .await
}

/// Record what a partner has attained in a competency
///
/// A new period beside those on record where it was attained on another day: for the first time, renewed, raised to gold,
/// or attained again after it was revoked. The same day again corrects the period of that day. A retired competency is
/// not attained anew. What is on record already changes nothing. `If-Match` names the latest period.
#[utoipa::path(
    tag = "competencies",
    params(
        ("id" = PartnerKey, Path, description = "The partner.", example = "01936f2e-4b00-7000-8000-000000000001"),
        (
            "code" = String, Path, description = "The competency's code.", min_length = 1, max_length = 64,
            pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "data-platform"
        ),
        AttainmentIfMatch
    ),
    request_body = AttainmentUpdate,
    responses((status = 200, body = AttainmentView), (status = 201, body = AttainmentView))
)]
#[put("/v1/partners/{id}/competencies/{code}")]
async fn put_attainment(
    caller: Caller<PutAttainment>,
    path: Path<(PartnerKey, String)>,
    Checked(body): Checked<AttainmentUpdate>,
    condition: IfMatch,
) -> Result<Answer> {
    caller
        .write(body, move |tx, new| {
            let permits = |revision| condition.permits_if_sent(revision);
            let partner = path.0.id(tx)?;
            Ok(match service::record_attainment_if(tx, partner, &path.1, &new.clone().into(), permits)? {
                RecordedAttainment::First(attainment) => {
                    let location = format!("/v1/partners/{partner}/competencies/{}", path.1);
                    attainment_record(tx, attainment).made_at(location)
                }
                RecordedAttainment::Again(attainment) => attainment_record(tx, attainment),
            })
        })
        .await
}

/// Revoke what a partner has attained in a competency
///
/// It no longer counts from today on; the records stay, with `revoked_on`. One that is revoked already stays as it is.
#[utoipa::path(
    tag = "competencies",
    params(
        ("id" = PartnerKey, Path, description = "The partner.", example = "01936f2e-4b00-7000-8000-000000000001"),
        (
            "code" = String, Path, description = "The competency's code.", min_length = 1, max_length = 64,
            pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "data-platform"
        ),
        AttainmentIfMatch
    ),
    responses((status = 204))
)]
#[delete("/v1/partners/{id}/competencies/{code}")]
async fn revoke_attainment(
    caller: Caller<RevokeAttainment>,
    path: Path<(PartnerKey, String)>,
    condition: IfMatch,
) -> Result<Answer> {
    caller
        .act(move |tx| {
            let partner = path.0.id(tx)?;
            tx.lock_partner(partner)?;
            let latest = store::latest(tx, partner, &path.1)?;
            condition.permits_if_sent(Some(latest.revision))?;
            let periods = store::periods(tx, partner, &path.1)?;
            service::revoke(tx, periods)?;
            Ok(Answer::nothing())
        })
        .await
}

fn attainment_record(tx: &Tx<'_>, attainment: Attainment) -> Answer {
    let revision = attainment.revision;
    Answer::record(&AttainmentView::on(tx.today(), attainment), revision)
}
