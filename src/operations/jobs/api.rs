//! Jobs over HTTP.

use super::{JobRun, JobRunState, RefreshStep, service, store};
use crate::{
    access::{
        Caller,
        policy::{GetJobRun, ListJobRuns, ListJobs, StartDailyRefresh},
    },
    platform::{
        Result,
        http::{Answer, Body, Cursor, Listing, PageParams, PageRequest, Path, page_of},
        values::{CalendarDate, Daily, Id, Timestamp},
    },
    work::{Engine, JobName, JobRecord, Schedule},
};
use actix_web::{get, post, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_jobs).service(start_daily_refresh).service(list_job_runs).service(get_job_run);
}

/// Every job.
#[derive(Serialize, ToSchema)]
pub struct JobList {
    /// The jobs.
    #[schema(max_items = 20)]
    items: Vec<Job>,
    /// The seconds for which no job begins, because the machine's clock has jumped; null while the clock is trusted.
    #[schema(minimum = 0, maximum = 86_400, examples(json!(null)))]
    held_back_seconds: Option<u64>,
}

/// Work in the background: by the clock, on request, or when there is work to do.
#[derive(Serialize, ToSchema)]
pub struct Job {
    /// The name of the job.
    name: JobName,
    /// The time of the day in UTC at which the job begins; null of a job without a daily schedule.
    #[schema(max_length = 5, pattern = r"^\d{2}:\d{2}$", examples("02:00"))]
    daily_at: Option<String>,
    /// The seconds after which the job begins again; null of a job without an interval.
    #[schema(minimum = 1, maximum = 86_400, examples(600))]
    every_seconds: Option<i64>,
    /// When the job begins next by the clock, or is tried again after a failure; null of a job that begins when there
    /// is work to do.
    next_run_at: Option<Timestamp>,
    /// When a run last succeeded: the figures that the job computes are as of this instant. Null before the first
    /// success.
    as_of: Option<Timestamp>,
    /// Whether an instance works on the job now.
    running: bool,
    /// When the last run began; null before the first run.
    last_started_at: Option<Timestamp>,
    /// When the last run ended; null while the run is at work, or where it was broken off.
    last_finished_at: Option<Timestamp>,
    /// The duration of the last run, in milliseconds.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, examples(1280))]
    last_duration_ms: Option<i64>,
    /// The failure or trouble of the last run; null after a success.
    #[schema(
        max_length = 1000,
        examples("unavailable: the database is busy or out of reach; nothing was changed")
    )]
    last_error: Option<String>,
    /// Runs that failed since the last success.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, examples(0))]
    failures: i64,
    /// The newest run, of a job whose runs are kept one by one.
    last_run: Option<JobRunView>,
}

impl Job {
    fn new(schedule: Schedule, record: JobRecord, now: Timestamp) -> Self {
        let (daily_at, every_seconds) = match schedule {
            Schedule::Daily(daily) if daily != Daily::NEVER => (Some(daily.to_string()), None),
            Schedule::Every(seconds) => (None, Some(seconds)),
            Schedule::Daily(_) | Schedule::Never => (None, None),
        };
        Self {
            name: record.name,
            daily_at,
            every_seconds,
            next_run_at: record.retry_at.or_else(|| schedule.next(now)),
            // A success of a time when the clock was ahead says nothing about today's figures.
            as_of: record.succeeded_at.filter(|at| *at <= now),
            running: !record.is_free(now),
            last_started_at: record.started_at,
            last_finished_at: record.finished_at,
            last_duration_ms: record.milliseconds(),
            last_error: record.error,
            failures: record.failures,
            last_run: None,
        }
    }
}

/// One run of a job.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = JobRun)]
pub struct JobRunView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The job.
    job: JobName,
    /// The day whose facts the run applies.
    day: CalendarDate,
    /// The state of the run.
    state: JobRunState,
    /// The step at work, or the last step of an ended run.
    step: RefreshStep,
    /// Partners that the step has done.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, examples(400))]
    done: i64,
    /// Partners that the step has to do; null until they are counted.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, examples(5000))]
    total: Option<i64>,
    /// The reason of a failure; null without one.
    #[schema(max_length = 1000, examples("internal: an unexpected fault; nothing was changed"))]
    error: Option<String>,
    /// The user or API client who requested the run; null of a run by the schedule.
    requested_by: Option<Id>,
    /// When the run began.
    started_at: Timestamp,
    /// When the run last made progress.
    updated_at: Timestamp,
    /// When the run ended; null before.
    finished_at: Option<Timestamp>,
}

impl From<JobRun> for JobRunView {
    fn from(run: JobRun) -> Self {
        Self {
            id: run.id,
            job: run.job,
            day: run.day,
            state: run.state,
            step: run.step,
            done: run.done,
            total: run.total,
            error: run.error,
            requested_by: run.requested_by,
            started_at: run.started_at,
            updated_at: run.updated_at,
            finished_at: run.finished_at,
        }
    }
}

page_of!(
    /// One page of runs.
    pub JobRunPage of JobRunView
);

/// Which runs to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct JobRunFilter {
    /// Of this job.
    #[param(inline)]
    pub job: Option<JobName>,
    /// In this state.
    #[param(inline)]
    pub state: Option<JobRunState>,
}

/// A request for a run, without members.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct JobRunRequest {}

/// List jobs
///
/// The jobs that run in the background, with the next and the last run of each. Where the machine's clock has jumped by
/// more than an hour, no job begins until the clock has run evenly for five minutes.
#[utoipa::path(tag = "jobs", responses((status = 200, body = JobList)))]
#[get("/v1/jobs")]
async fn list_jobs(caller: Caller<ListJobs>, engine: Data<Engine>) -> Result<Answer> {
    let held_back_seconds = caller.app().clock().distrusted_for().map(|left| left.as_secs());
    caller
        .snapshot(move |tx| {
            let mut items = Vec::new();
            for (schedule, record) in engine.jobs(tx)? {
                let job = Job::new(schedule, record, tx.now);
                let as_of = store::last_success(tx, job.name)?.or(job.as_of);
                let last_run = store::last(tx, job.name)?.map(JobRunView::from);
                items.push(Job { as_of, last_run, ..job });
            }
            Ok(Answer::ok(&JobList { items, held_back_seconds }))
        })
        .await
}

/// Start a daily refresh
///
/// A run moves every enrollment to the state that today's facts require, calculates the earnings of new sales, and
/// reminds partners of papers that are about to end. The answer comes at once; `Location` is the address of the run. A
/// second run on the same facts changes nothing. While a run is at work, another one is refused with `run_in_progress`.
#[utoipa::path(tag = "jobs", request_body = JobRunRequest, responses((status = 202, body = JobRunView)))]
#[post("/v1/jobs/daily-refresh/runs")]
async fn start_daily_refresh(caller: Caller<StartDailyRefresh>, body: Body<JobRunRequest>) -> Result<Answer> {
    let app = caller.app().clone();
    let answer = caller
        .write(body, |tx, _| {
            let run = service::begin(tx, JobName::DailyRefresh)?;
            let location = format!("/v1/jobs/runs/{}", run.id);
            Ok(Answer::accepted(location, &JobRunView::from(run)))
        })
        .await?;
    app.wake();
    Ok(answer)
}

/// List runs
///
/// Of every job, newest first.
#[utoipa::path(tag = "jobs", params(JobRunFilter, PageParams), responses((status = 200, body = JobRunPage)))]
#[get("/v1/jobs/runs")]
async fn list_job_runs(caller: Caller<ListJobRuns>, page: PageRequest<JobRunFilter>) -> Result<Listing> {
    caller
        .list_plainly(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let runs = store::list(tx, page)?;
            Ok(page.answer(runs, total, |run| Cursor { key: None, id: run.id }, JobRunView::from))
        })
        .await
}

/// Read a run
///
/// The progress of a run, and its end.
#[utoipa::path(tag = "jobs", responses((status = 200, body = JobRunView)))]
#[get("/v1/jobs/runs/{id}")]
async fn get_job_run(caller: Caller<GetJobRun>, id: Path<Id>) -> Result<Answer> {
    caller
        .read(move |tx| {
            let run = store::get(tx, *id)?;
            let mark = run.updated_at.as_micros();
            Ok(Answer::record(&JobRunView::from(run), mark))
        })
        .await
}
