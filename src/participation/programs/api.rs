//! Programs over HTTP.

use super::{
    Program, ProgramKey, ProgramStatus,
    service::{self, NewProgram},
    store, version_api,
};
use crate::{
    access::{
        Caller,
        policy::{CreateProgram, DiscontinueProgram, GetProgram, ListPrograms, UpdateProgram},
    },
    network::partners::{PartnerType, Transition, TransitionReason},
    platform::{
        FieldError, Result,
        db::types::Json,
        http::{
            Answer, Body, Checked, Cursor, IfMatch, Listing, PageParams, PageRequest, Path, faultless,
            page_of,
        },
        values::{CalendarDate, Id, Timestamp, text_enum},
    },
    text,
};
use actix_web::{get, patch, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::{Validate, ValidationError};

/// The routes of this slice; the handlers of those about versions have a file of their own.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_programs).service(create_program).service(get_program).service(update_program);
    version_api::routes(config);
    config.service(discontinue_program);
}

/// An incentive program.
#[derive(Serialize, ToSchema)]
#[schema(as = Program)]
pub struct ProgramView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// Stable slug; addresses take it in place of the id.
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = "^[a-z0-9]+(-[a-z0-9]+)*$",
        examples("csp-direct-bill")
    )]
    code: String,
    /// Name shown to people.
    #[schema(min_length = 1, max_length = 200, examples("CSP Direct Bill"))]
    name: String,
    /// The types of partner it is for.
    #[schema(min_items = 1, max_items = 3)]
    partner_types: Vec<PartnerType>,
    /// Whether it takes part.
    status: ProgramStatus,
    /// The days beside Saturdays and Sundays that are no business days, in order.
    #[schema(max_items = 1000)]
    holidays: Vec<CalendarDate>,
    /// The most co-op claims of each month's paid ones whose originals are asked for.
    #[schema(minimum = 0, maximum = 1000, examples(5))]
    coop_audit_size: i32,
    /// The sub-resources that can be posted to now.
    #[schema(max_items = 5, examples(json!(["discontinuation"])))]
    allowed_transitions: Vec<Transition>,
    /// When the record was made.
    created_at: Timestamp,
    /// When it was last changed.
    updated_at: Timestamp,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 1)]
    revision: i64,
}

impl From<Program> for ProgramView {
    fn from(program: Program) -> Self {
        let ended = program.status == ProgramStatus::Discontinued;
        Self {
            id: program.id,
            code: program.code,
            name: program.name,
            partner_types: program.partner_types.0,
            status: program.status,
            holidays: program.holidays.0,
            coop_audit_size: program.coop_audit_size,
            allowed_transitions: if ended { Vec::new() } else { vec![Transition("discontinuation")] },
            created_at: program.created_at,
            updated_at: program.updated_at,
            revision: program.revision,
        }
    }
}

page_of!(
    /// One page of programs.
    pub ProgramPage of ProgramView
);

/// A program to make.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "code": "cloud-growth", "name": "Cloud Growth", "partner_types": ["direct_bill", "indirect_reseller"]
}))]
pub struct ProgramCreate {
    /// Stable slug, unique; it names the program for good.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$")]
    #[validate(custom(function = no_id))]
    code: String,
    /// Name shown to people.
    #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$")]
    name: String,
    /// The types of partner it is for.
    #[schema(min_items = 1, max_items = 3)]
    partner_types: Vec<PartnerType>,
}

/// Where a program is named, an id is told from a code by its form.
fn no_id(code: &str) -> std::result::Result<(), ValidationError> {
    if code.parse::<Id>().is_err() {
        return Ok(());
    }
    let message = text!(
        "an id is no code; write a slug such as csp-direct-bill",
        "ID はコードとして使用できません。csp-direct-bill のような英小文字の識別名を指定してください。"
    );
    faultless(vec![FieldError::new("", "format", message)])
}

text_enum! {
    /// Whether an operator lets a program take part.
    pub enum ProgramAvailability {
        /// Partners enroll and earn.
        Open = "open",
        /// Not taking part for now.
        Closed = "closed",
    }
}

/// A change of a program: the members given replace those on record. Ending it for good is an operation of its
/// own.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "CSP Direct Bill Partners"}))]
pub struct ProgramUpdate {
    /// Name shown to people.
    #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$", nullable = false)]
    name: Option<String>,
    /// The types of partner it is for.
    #[schema(min_items = 1, max_items = 3, nullable = false)]
    partner_types: Option<Vec<PartnerType>>,
    /// Whether it takes part for now.
    #[schema(nullable = false)]
    status: Option<ProgramAvailability>,
    /// The days beside Saturdays and Sundays that are no business days, as a whole.
    #[schema(max_items = 1000, nullable = false)]
    holidays: Option<Vec<CalendarDate>>,
    /// The most co-op claims of each month's paid ones whose originals are asked for; counts for months that are not drawn yet.
    #[schema(minimum = 0, maximum = 1000, nullable = false)]
    coop_audit_size: Option<i32>,
}

/// Which programs to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProgramFilter {
    /// With this status.
    #[param(inline)]
    pub status: Option<ProgramStatus>,
    /// For this type of partner.
    #[param(inline)]
    pub partner_type: Option<PartnerType>,
    /// With this code.
    #[param(max_length = 64, example = "csp-direct-bill")]
    pub code: Option<String>,
}

/// List programs
///
/// Every program; they are the same for everybody.
#[utoipa::path(tag = "programs", params(ProgramFilter, PageParams), responses((status = 200, body = ProgramPage)))]
#[get("/v1/programs")]
async fn list_programs(caller: Caller<ListPrograms>, page: PageRequest<ProgramFilter>) -> Result<Listing> {
    caller
        .list(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let programs = store::list(tx, page)?;
            Ok(page.answer(
                programs,
                total,
                |program| Cursor { key: None, id: program.id },
                ProgramView::from,
            ))
        })
        .await
}

/// Make a program
///
/// It is open from the start, and takes part from its first published version on.
#[utoipa::path(tag = "programs", request_body = ProgramCreate, responses((status = 201, body = ProgramView)))]
#[post("/v1/programs")]
async fn create_program(
    caller: Caller<CreateProgram>,
    Checked(body): Checked<ProgramCreate>,
) -> Result<Answer> {
    caller
        .write(body, |tx, new| {
            let ProgramCreate { code, name, partner_types } = new.clone();
            let program = service::create(tx, NewProgram { code, name, partner_types })?;
            let (location, revision) = (format!("/v1/programs/{}", program.id), program.revision);
            Ok(Answer::created(location, &ProgramView::from(program), revision))
        })
        .await
}

/// Read a program
///
/// One program, by its id or its code.
#[utoipa::path(
    tag = "programs",
    params(("id" = ProgramKey, Path, description = "The program's id or code.", example = "csp-direct-bill")),
    responses((status = 200, body = ProgramView))
)]
#[get("/v1/programs/{id}")]
async fn get_program(caller: Caller<GetProgram>, key: Path<ProgramKey>) -> Result<Answer> {
    caller.read(move |tx| store::find(tx, &key).map(record)).await
}

/// Change a program
///
/// A merge patch of name, partner types, status, holidays or `coop_audit_size`. A closed program is open to nobody until it is opened again.
#[utoipa::path(
    tag = "programs",
    params(("id" = ProgramKey, Path, description = "The program's id or code.", example = "csp-direct-bill")),
    request_body = ProgramUpdate,
    responses((status = 200, body = ProgramView))
)]
#[patch("/v1/programs/{id}")]
async fn update_program(
    caller: Caller<UpdateProgram>,
    key: Path<ProgramKey>,
    body: Body<ProgramUpdate>,
    revision: IfMatch,
) -> Result<Answer> {
    caller
        .write(body, move |tx, change| {
            let before = store::to_change(tx, &key)?;
            revision.permits(before.revision)?;
            if *change == ProgramUpdate::default() {
                return tx.unchanged(record(before));
            }
            service::update(tx, before, |program| change.apply(program)).map(record)
        })
        .await
}

/// Discontinue a program
///
/// It ends for good: nobody is eligible for it any more, and it takes no further version.
#[utoipa::path(
    tag = "programs",
    params(("id" = ProgramKey, Path, description = "The program's id or code.", example = "csp-direct-bill")),
    request_body = TransitionReason,
    responses((status = 200, body = ProgramView))
)]
#[post("/v1/programs/{id}/discontinuation")]
async fn discontinue_program(
    caller: Caller<DiscontinueProgram>,
    key: Path<ProgramKey>,
    body: Body<TransitionReason>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, because| {
            let before = store::to_change(tx, &key)?;
            service::discontinue(tx, before, &because.reason).map(record)
        })
        .await
}

fn record(program: Program) -> Answer {
    let revision = program.revision;
    Answer::record(&ProgramView::from(program), revision)
}

impl ProgramUpdate {
    fn apply(&self, program: &mut Program) {
        let Self { name, partner_types, status, holidays, coop_audit_size } = self.clone();
        program.name = name.unwrap_or(std::mem::take(&mut program.name));
        if let Some(partner_types) = partner_types {
            program.partner_types = Json(partner_types);
        }
        if let Some(holidays) = holidays {
            program.holidays = Json(holidays);
        }
        program.coop_audit_size = coop_audit_size.unwrap_or(program.coop_audit_size);
        program.status = match status {
            Some(ProgramAvailability::Open) => ProgramStatus::Open,
            Some(ProgramAvailability::Closed) => ProgramStatus::Closed,
            None => program.status,
        };
    }
}
