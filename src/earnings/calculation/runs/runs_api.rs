//! Calculation runs over HTTP.

use super::{
    model::{Run, RunState},
    run, store,
};
use crate::{
    access::{
        Caller, PartnerKey,
        policy::{GetCalculationRun, ListCalculationRuns, StartCalculationRun},
    },
    platform::{
        Error, Result,
        http::{Answer, Body, Cursor, Listing, PageParams, PageRequest, Path, page_of},
        values::{Id, Timestamp},
    },
    text,
};
use actix_web::{get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

crate::problem_codes! {
    RUN_AT_WORK = "run_at_work" 409 ["Another calculation run is at work", "別の計算が実行中です"],
        ["`run_id` is the run at work, over another partner. Repeat when it has ended, or after `Retry-After`.", "`run_id` は実行中の、別のパートナーを対象とする計算です。その終了後、または `Retry-After` の後に再度お試しください。"];
}

/// Seconds a run over one partner takes as a rule.
const PATIENCE: u32 = 5;

/// The routes of calculation runs.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_calculation_runs).service(start_calculation_run).service(get_calculation_run);
}

/// A run of the calculation, with its progress.
#[derive(Serialize, ToSchema)]
#[schema(as = CalculationRun)]
pub struct RunView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The partner it was asked for; null for all.
    partner_id: Option<Id>,
    /// Where it stands.
    state: RunState,
    /// Partners looked at.
    #[schema(minimum = 0)]
    done: i64,
    /// Partners that waited when it began.
    #[schema(minimum = 0)]
    total: i64,
    /// Sales taken in.
    #[schema(minimum = 0)]
    sales: i64,
    /// Earnings posted.
    #[schema(minimum = 0)]
    earnings: i64,
    /// Ineligible records made.
    #[schema(minimum = 0)]
    ineligible_records: i64,
    /// Partners whose calculation failed, and that were put aside; the next run tries them only where it is asked for one of
    /// them, or where more is known of them.
    #[schema(minimum = 0, maximum = 1_000_000_000_i64)]
    put_aside: i64,
    /// Why it stopped.
    #[schema(max_length = 1000)]
    error: Option<String>,
    /// Who asked for it; null for the service itself.
    requested_by: Option<Id>,
    /// When it began.
    started_at: Timestamp,
    /// When it last said something.
    updated_at: Timestamp,
    /// When it ended.
    finished_at: Option<Timestamp>,
    /// Whether it was asked for again while at work, and goes through whoever waits once more.
    asked_again: bool,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 1)]
    revision: i64,
}

impl From<Run> for RunView {
    fn from(run: Run) -> Self {
        Self {
            id: run.id,
            partner_id: run.partner_id,
            state: run.state,
            done: run.done,
            total: run.total,
            sales: run.sales,
            earnings: run.earnings,
            ineligible_records: run.ineligible_records,
            put_aside: run.put_aside,
            error: run.error,
            requested_by: run.requested_by,
            started_at: run.started_at,
            updated_at: run.updated_at,
            finished_at: run.finished_at,
            asked_again: run.asked_again,
            revision: run.revision,
        }
    }
}

page_of!(
    /// One page of calculation runs.
    pub RunPage of RunView
);

/// What a run is to look at.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CalculationRunStart, example = json!({}))]
pub struct RunStart {
    /// Only this partner; left out, the whole programme.
    #[serde(default)]
    partner_id: Option<PartnerKey>,
}

/// Which runs to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RunFilter {
    /// In this state.
    #[param(inline)]
    pub state: Option<RunState>,
}

/// List calculation runs
///
/// The latest first.
#[utoipa::path(tag = "earnings", params(RunFilter, PageParams), responses((status = 200, body = RunPage)))]
#[get("/v1/calculation-runs")]
async fn list_calculation_runs(
    caller: Caller<ListCalculationRuns>,
    page: PageRequest<RunFilter>,
) -> Result<Listing> {
    caller
        .list_plainly(page, move |tx, page| {
            let total = page.include_total.then(|| store::count_runs(tx, &page.filter)).transpose()?;
            let runs = store::list_runs(tx, page)?;
            Ok(page.answer(runs, total, |run: &Run| Cursor { key: None, id: run.id }, RunView::from))
        })
        .await
}

/// Start a calculation run
///
/// It posts what has changed since the last one, for all partners or for one, and is at work when the answer comes:
/// `Location` tells its progress. Where a run is at work already that looks at what is asked for, that one is answered
/// and goes through whoever waits once more; where it looks at another partner only, this one is refused (`run_at_work`). A run that was broken off is taken up
/// where it stood.
#[utoipa::path(tag = "earnings", request_body = RunStart, responses((status = 202, body = RunView)))]
#[post("/v1/calculation-runs")]
async fn start_calculation_run(caller: Caller<StartCalculationRun>, body: Body<RunStart>) -> Result<Answer> {
    let app = caller.app().clone();
    let answer = caller
        .write(body, move |tx, asked| {
            let partner = asked.partner_id.as_ref().map(|partner| partner.id(tx)).transpose()?;
            let run = run::start(tx, partner)?;
            begun(run, partner)
        })
        .await?;
    app.wake();
    Ok(answer)
}

/// Read a calculation run
///
/// With its progress.
#[utoipa::path(tag = "earnings", responses((status = 200, body = RunView)))]
#[get("/v1/calculation-runs/{id}")]
async fn get_calculation_run(caller: Caller<GetCalculationRun>, id: Path<Id>) -> Result<Answer> {
    caller
        .read(move |tx| {
            let run = store::get_run(tx, *id)?;
            let revision = run.revision;
            Ok(Answer::record(&RunView::from(run), revision))
        })
        .await
}

/// The refusal of a run beside a run over others.
#[must_use]
pub fn run_at_work(run: &Run) -> Error {
    let detail = text!(
        "a run over another partner is at work; start this one when it has ended",
        "別のパートナーを対象とする計算が実行中です。終了後に再度実行してください。"
    );
    let error = Error::new(&RUN_AT_WORK, detail).with("run_id", run.id);
    Error { retry_after: Some(PATIENCE), ..error }
}

/// The answer to whoever began a run over a partner or over all: where the run is followed. Refuses a run over others.
pub(super) fn begun(run: Run, partner: Option<Id>) -> Result<Answer> {
    if !run.covers(partner) {
        return Err(run_at_work(&run));
    }
    let location = format!("/v1/calculation-runs/{}", run.id);
    let revision = run.revision;
    let answer = Answer::record(&RunView::from(run), revision);
    Ok(Answer { status: 202, location: Some(location), ..answer })
}
