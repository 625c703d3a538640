//! The versions of programs over HTTP.

use super::{
    ProgramKey, ProgramVersion, ProgramVersionState, store,
    version_view::{
        ProgramVersionCreate, ProgramVersionPage, ProgramVersionPublication, ProgramVersionUpdate,
        ProgramVersionView,
    },
    versions::{self, NewVersion},
};
use crate::{
    access::{
        Caller,
        policy::{
            CreateProgramVersion, DeleteProgramVersion, GetProgramVersion, ListProgramVersions,
            PublishProgramVersion, UpdateProgramVersion,
        },
    },
    platform::{
        Result,
        http::{Answer, Body, Cursor, IfMatch, Listing, PageParams, PageRequest, Path},
    },
};
use actix_web::{delete, get, patch, post};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice that are about versions.
pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_program_versions)
        .service(create_program_version)
        .service(get_program_version)
        .service(update_program_version)
        .service(delete_program_version)
        .service(publish_program_version);
}

/// Which versions to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProgramVersionFilter {
    /// In this state.
    #[param(inline)]
    pub state: Option<ProgramVersionState>,
    /// Of this program year.
    #[param(minimum = 1901, maximum = 9999, example = 2027)]
    pub program_year: Option<i32>,
}

/// List a program's versions
///
/// Newest first. Drafts are shown to programme staff only.
#[utoipa::path(
    tag = "programs",
    params(
        ("id" = ProgramKey, Path, description = "The program's id or code.", example = "csp-direct-bill"),
        ProgramVersionFilter, PageParams
    ),
    responses((status = 200, body = ProgramVersionPage))
)]
#[get("/v1/programs/{id}/versions")]
async fn list_program_versions(
    caller: Caller<ListProgramVersions>,
    key: Path<ProgramKey>,
    page: PageRequest<ProgramVersionFilter>,
) -> Result<Listing> {
    caller
        .list(page, move |tx, page| {
            let program = store::find(tx, &key)?;
            let total = page
                .include_total
                .then(|| store::count_versions(tx, program.id, &page.filter))
                .transpose()?;
            let versions = store::list_versions(tx, program.id, page)?;
            let cursor = |version: &ProgramVersion| Cursor { key: None, id: version.id };
            Ok(page.answer(versions, total, cursor, ProgramVersionView::from))
        })
        .await
}

/// Write a version
///
/// A draft with the program's next number; it counts for nobody until it is published. Try it on partners with
/// `POST /v1/eligibility/simulations`.
#[utoipa::path(
    tag = "programs",
    params(("id" = ProgramKey, Path, description = "The program's id or code.", example = "csp-direct-bill")),
    request_body = ProgramVersionCreate,
    responses((status = 201, body = ProgramVersionView))
)]
#[post("/v1/programs/{id}/versions")]
async fn create_program_version(
    caller: Caller<CreateProgramVersion>,
    key: Path<ProgramKey>,
    body: Body<ProgramVersionCreate>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, new| {
            let program = store::to_change(tx, &key)?;
            let version = versions::create_version(tx, &program, NewVersion::from(new.clone()))?;
            let location = format!("/v1/programs/{}/versions/{}", program.id, version.version);
            let revision = version.revision;
            Ok(Answer::created(location, &ProgramVersionView::from(version), revision))
        })
        .await
}

/// Read a version
///
/// One version of a program: what it asks, and what it gives.
#[utoipa::path(
    tag = "programs",
    params(
        ("id" = ProgramKey, Path, description = "The program's id or code.", example = "csp-direct-bill"),
        ("version" = i32, Path, description = "The version's number.", minimum = 1, example = 1)
    ),
    responses((status = 200, body = ProgramVersionView))
)]
#[get("/v1/programs/{id}/versions/{version}")]
async fn get_program_version(
    caller: Caller<GetProgramVersion>,
    address: Path<(ProgramKey, i32)>,
) -> Result<Answer> {
    caller
        .snapshot(move |tx| {
            let program = store::find(tx, &address.0)?;
            store::get_version(tx, program.id, address.1).map(record)
        })
        .await
}

/// Change a draft
///
/// A merge patch: members given replace those on record. A published version is never changed.
#[utoipa::path(
    tag = "programs",
    params(
        ("id" = ProgramKey, Path, description = "The program's id or code.", example = "csp-direct-bill"),
        ("version" = i32, Path, description = "The version's number.", minimum = 1, example = 1)
    ),
    request_body = ProgramVersionUpdate,
    responses((status = 200, body = ProgramVersionView))
)]
#[patch("/v1/programs/{id}/versions/{version}")]
async fn update_program_version(
    caller: Caller<UpdateProgramVersion>,
    address: Path<(ProgramKey, i32)>,
    body: Body<ProgramVersionUpdate>,
    revision: IfMatch,
) -> Result<Answer> {
    caller
        .write(body, move |tx, change| {
            let program = store::to_change(tx, &address.0)?;
            let before = store::get_version(tx, program.id, address.1)?;
            revision.permits(before.revision)?;
            if *change == ProgramVersionUpdate::default() {
                return tx.unchanged(record(before));
            }
            let changed = change.applied_to(before.clone().into());
            versions::update_version(tx, before, changed).map(record)
        })
        .await
}

/// Throw a draft away
///
/// A published version stays on record.
#[utoipa::path(
    tag = "programs",
    params(
        ("id" = ProgramKey, Path, description = "The program's id or code.", example = "csp-direct-bill"),
        ("version" = i32, Path, description = "The version's number.", minimum = 1, example = 1)
    ),
    responses((status = 204))
)]
#[delete("/v1/programs/{id}/versions/{version}")]
async fn delete_program_version(
    caller: Caller<DeleteProgramVersion>,
    address: Path<(ProgramKey, i32)>,
) -> Result<Answer> {
    caller
        .act(move |tx| {
            let program = store::to_change(tx, &address.0)?;
            let version = store::get_version(tx, program.id, address.1)?;
            versions::delete_version(tx, version)?;
            Ok(Answer::nothing())
        })
        .await
}

/// Publish a version
///
/// From now on it counts on its days and is never changed. Refused where another published version of the
/// program is in effect on one of them.
#[utoipa::path(
    tag = "programs",
    params(
        ("id" = ProgramKey, Path, description = "The program's id or code.", example = "csp-direct-bill"),
        ("version" = i32, Path, description = "The version's number.", minimum = 1, example = 1)
    ),
    request_body = ProgramVersionPublication,
    responses((status = 200, body = ProgramVersionView))
)]
#[post("/v1/programs/{id}/versions/{version}/publication")]
async fn publish_program_version(
    caller: Caller<PublishProgramVersion>,
    address: Path<(ProgramKey, i32)>,
    body: Body<ProgramVersionPublication>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, because| {
            let program = store::to_change(tx, &address.0)?;
            let draft = store::get_version(tx, program.id, address.1)?;
            versions::publish(tx, &program, draft, because.reason.as_deref()).map(record)
        })
        .await
}

fn record(version: ProgramVersion) -> Answer {
    let revision = version.revision;
    Answer::record(&ProgramVersionView::from(version), revision)
}
