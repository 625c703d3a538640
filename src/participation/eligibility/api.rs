//! Eligibility over HTTP: asking, and reading the evaluations on record.

use super::{Assessment, EligibilityCheckView, EligibilityOutcome, evaluation::OnRecord, service, store};
use crate::{
    access::{
        Caller, PartnerKey,
        policy::{GetEligibility, GetEvaluation, ListEvaluations},
    },
    network::partners,
    participation::programs::{self, ProgramKey},
    platform::{
        Error, Result,
        http::{Answer, Cursor, Listing, PageParams, PageRequest, Path, Problem, Query, page_of},
        values::{CalendarDate, Id, Locale, Timestamp},
    },
};
use actix_web::get;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice but for simulations, which have a file of their own.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_eligibility).service(list_evaluations).service(get_evaluation);
}

/// Which program a record is about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProgramReference {
    /// Its id.
    pub id: Id,
    /// Its code.
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = "^[a-z0-9]+(-[a-z0-9]+)*$",
        examples("csp-direct-bill")
    )]
    pub code: String,
}

/// Whether a partner is eligible for a program on a day, and why. Computed when it is asked for; not on record.
#[derive(Serialize, ToSchema)]
pub struct EligibilityVerdict {
    /// The partner.
    partner_id: Id,
    /// The program.
    program: ProgramReference,
    /// The version it was judged by: the one in effect on the day, else the nearest.
    #[schema(minimum = 1, maximum = 2_147_483_647, examples(1))]
    version: i32,
    /// The day asked about.
    as_of: CalendarDate,
    /// When it was computed.
    evaluated_at: Timestamp,
    /// Eligible where nothing is unmet.
    outcome: EligibilityOutcome,
    /// The first day on which the partner is no longer eligible if nothing changes, whichever version is in effect by then;
    /// null where it is not eligible, or where
    /// nothing known ends it.
    eligible_until: Option<CalendarDate>,
    /// Every rule's check: the built-in ones, then the version's requirements in their order.
    #[schema(max_items = 22)]
    checks: Vec<EligibilityCheckView>,
}

impl EligibilityVerdict {
    fn of(assessment: Assessment, program: ProgramReference, language: Locale) -> Self {
        Self {
            partner_id: assessment.partner_id,
            program,
            version: assessment.version,
            as_of: assessment.as_of,
            evaluated_at: assessment.evaluated_at,
            outcome: assessment.outcome,
            eligible_until: assessment.eligible_until,
            checks: EligibilityCheckView::all(assessment.checks, language),
        }
    }
}

/// An assessment of a partner on record: what an enrollment was decided by. Never changed.
#[derive(Serialize, ToSchema)]
#[schema(as = Evaluation)]
pub struct EvaluationView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The partner.
    partner_id: Id,
    /// The program.
    program: ProgramReference,
    /// The version it was judged by.
    #[schema(minimum = 1, maximum = 2_147_483_647, examples(1))]
    version: i32,
    /// The day asked about.
    as_of: CalendarDate,
    /// When it was computed.
    evaluated_at: Timestamp,
    /// Eligible where nothing is unmet.
    outcome: EligibilityOutcome,
    /// The first day it is no longer eligible if nothing changes.
    eligible_until: Option<CalendarDate>,
    /// Every rule's check.
    #[schema(max_items = 22)]
    checks: Vec<EligibilityCheckView>,
}

impl EvaluationView {
    fn of(OnRecord { evaluation, program: code }: OnRecord, language: Locale) -> Self {
        Self {
            id: evaluation.id,
            partner_id: evaluation.partner_id,
            program: ProgramReference { id: evaluation.program_id, code },
            version: evaluation.version,
            as_of: evaluation.as_of,
            evaluated_at: evaluation.evaluated_at,
            outcome: evaluation.outcome,
            eligible_until: evaluation.eligible_until,
            checks: EligibilityCheckView::all(evaluation.checks.0, language),
        }
    }
}

page_of!(
    /// One page of evaluations.
    pub EvaluationPage of EvaluationView
);

/// What is asked about a partner.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EligibilityQuestion {
    /// For which program, by its code or id.
    #[param(example = "csp-direct-bill")]
    pub program: ProgramKey,
    /// On which day, past or future; today where left out.
    pub as_of: Option<CalendarDate>,
}

/// Which evaluations to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EvaluationFilter {
    /// Of this partner.
    pub partner_id: Option<PartnerKey>,
    /// For this program, by its code or id.
    #[param(example = "csp-direct-bill")]
    pub program: Option<ProgramKey>,
    /// With this outcome.
    #[param(inline)]
    pub outcome: Option<EligibilityOutcome>,
    /// About this day or a later one.
    pub from: Option<CalendarDate>,
    /// About this day or an earlier one.
    pub to: Option<CalendarDate>,
}

/// Ask whether a partner is eligible
///
/// Judges the partner by the version in effect on the day, from what is on record now; nothing is stored. Where no
/// version is in effect on that day the answer is still complete: by the nearest version, with `program_open` unmet.
/// The same question about the same records has the same answer, whenever it is asked.
#[utoipa::path(
    tag = "eligibility",
    params(EligibilityQuestion),
    responses(
        (status = 200, body = EligibilityVerdict),
        (
            status = 409, body = Problem, content_type = "application/problem+json",
            description = "`program_has_no_version`: there is nothing to judge the partner by."
        )
    )
)]
#[get("/v1/partners/{id}/eligibility")]
async fn get_eligibility(
    caller: Caller<GetEligibility>,
    id: Path<PartnerKey>,
    question: Query<EligibilityQuestion>,
) -> Result<Answer> {
    caller
        .snapshot(move |tx| {
            let EligibilityQuestion { program, as_of } = &question.0;
            let id = id.id(tx)?;
            let partner = partners::get(tx, id)?;
            let program = programs::find(tx, program)?;
            let as_of = as_of.unwrap_or(tx.today());
            let version = programs::version_for(tx, &program, as_of)?;
            let assessment = service::assess(tx, &partner, &program, &version, as_of)?;
            let program = ProgramReference { id: program.id, code: program.code };
            Ok(Answer::ok(&EligibilityVerdict::of(assessment, program, tx.language)))
        })
        .await
}

/// List evaluations
///
/// The assessments on record, newest first: one for each decision about an enrollment.
#[utoipa::path(
    tag = "eligibility",
    params(EvaluationFilter, PageParams),
    responses((status = 200, body = EvaluationPage))
)]
#[get("/v1/eligibility/evaluations")]
async fn list_evaluations(
    caller: Caller<ListEvaluations>,
    page: PageRequest<EvaluationFilter>,
) -> Result<Listing> {
    caller
        .list(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let evaluations = store::list(tx, page)?;
            let cursor = |found: &OnRecord| Cursor { key: None, id: found.evaluation.id };
            let language = tx.language;
            Ok(page.answer(evaluations, total, cursor, move |found| EvaluationView::of(found, language)))
        })
        .await
}

/// Read an evaluation
///
/// One assessment on record, with every check as it was.
#[utoipa::path(tag = "eligibility", responses((status = 200, body = EvaluationView)))]
#[get("/v1/eligibility/evaluations/{id}")]
async fn get_evaluation(caller: Caller<GetEvaluation>, id: Path<Id>) -> Result<Answer> {
    caller
        .snapshot(move |tx| {
            let found = store::find(tx, *id)?.ok_or(Error::not_found("evaluation", "判定の記録"))?;
            Ok(Answer::record(&EvaluationView::of(found, tx.language), 1))
        })
        .await
}
