//! The runs of the daily refresh: each is worked on batch by batch, inside a turn of the job.

use super::{JobRun, JobRunState, RefreshStep, service, store};
use crate::{
    access::{AppState, Guard, Tx, Unaudited},
    earnings::calculation,
    network::partners,
    platform::{Error, Result, values::Id},
    text,
    work::{End, JobName, Queue, Schedule, Turn, Work, in_short, retry},
};
use std::ops::ControlFlow;

/// Partners of one batch. One unit writes the changes of a batch; other writers wait for one unit at most.
pub const BATCH: i64 = 200;
/// The operation in audit events.
const OPERATION: &str = "DailyRefresh";

/// The daily refresh: once a day, and when a run is requested.
pub const WORK: Work = Work {
    name: JobName::DailyRefresh,
    schedule: |schedules| Schedule::Daily(schedules.daily_refresh_at),
    queue: Some(Queue {
        waits: |tx| Ok(store::running(tx.conn, JobName::DailyRefresh)?.is_some()),
        every: 5,
    }),
    run,
};

fn run(turn: &Turn) -> Result<End> {
    finish_run(turn, |_| ()).map(end_of)
}

/// Runs the refresh in this thread, or goes on with an interrupted run, and reports the run after every batch.
pub fn run_now(app: &AppState, progress: impl FnMut(&JobRun)) -> Result<JobRun> {
    let turn = Turn::take(app, JobName::DailyRefresh)?.ok_or_else(|| {
        Error::new(
            &service::RUN_IN_PROGRESS,
            text!(
                "another instance is at work on the daily refresh",
                "別のインスタンスが日次更新を実行中です。"
            ),
        )
    })?;
    let done = turn.renewed(|| finish_run(&turn, progress));
    turn.close(done, |run| end_of(run.clone()))
}

/// Works on a run until the run has ended, or the service is about to stop.
fn finish_run(turn: &Turn, mut progress: impl FnMut(&JobRun)) -> Result<JobRun> {
    let mut run = open(turn)?;
    while run.state == JobRunState::Running && !turn.is_ending() {
        run = advance(turn, run, BATCH)?;
        progress(&run);
    }
    Ok(run)
}

fn end_of(run: JobRun) -> End {
    match run.state {
        JobRunState::Running => End::Interrupted,
        JobRunState::Succeeded | JobRunState::Failed => run.error.map_or(End::Done, End::Troubled),
    }
}

/// The run to work on: the requested or interrupted run, else a new run.
pub fn open(turn: &Turn) -> Result<JobRun> {
    let lease = turn.lease();
    retry(|| {
        turn.app().write_as_system(OPERATION, move |tx| {
            lease.check(tx)?;
            let job = JobName::DailyRefresh;
            match store::running(tx.conn, job)? {
                Some(old) if old.day > tx.today() => {
                    let gone = old.failed("begun while the clock was ahead".into(), tx.now);
                    service::save(tx, &old, &gone)?;
                    service::begin(tx, job)
                }
                // A run that began on another day would apply the facts of two days.
                Some(old) if old.day != tx.today() && old.updated_at > old.started_at => {
                    let gone = old.failed("interrupted; the next day's run does what is left".into(), tx.now);
                    service::save(tx, &old, &gone)?;
                    service::begin(tx, job)
                }
                Some(run) => {
                    tx.exempt_from_audit(Unaudited::NothingWritten);
                    Ok(run)
                }
                None => service::begin(tx, job),
            }
        })
    })
}

/// Works on one batch of a run, of up to `partners` partners. A fault that passes, such as a database that is away,
/// leaves the run to be gone on with; any other fault ends the run.
pub fn advance(turn: &Turn, run: JobRun, partners: i64) -> Result<JobRun> {
    let before = run.clone();
    let done = match run.step {
        RefreshStep::Calculation => calculate(turn, run),
        RefreshStep::Enrollments | RefreshStep::CoopFunds | RefreshStep::Reminders => {
            refresh_batch(turn, run, partners)
        }
    };
    match done {
        Err(error) if !turn.may_pass(&error) => {
            log::error!("run {} failed: {error}", before.id);
            let reason = in_short(&error);
            save(turn, &before, move |run, tx| run.failed(reason.clone(), tx.now))
        }
        done => done,
    }
}

/// Runs the whole calculation, and saves the progress of the step after each unit of the calculation.
fn calculate(turn: &Turn, run: JobRun) -> Result<JobRun> {
    if !turn.app().read_as_system(calculation::is_due)? {
        return save(turn, &run, |run, _| run.after_step(run.updated_at));
    }
    let mut saved = Ok(run);
    let done = calculation::calculate(turn.app(), None, |unit| {
        if let Ok(run) = &saved {
            let (done, total, at) = (unit.done, unit.total.max(unit.done), unit.updated_at);
            saved = save(turn, run, move |run, _| run.with_progress(done, total, at));
        }
        if saved.is_ok() && !turn.is_ending() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let run = saved?;
    // The calculation may have gone on with a requested run over one partner: the other partners are still to do.
    if done.partner_id.is_some() || turn.is_ending() {
        return Ok(run);
    }
    save(turn, &run, |run, _| run.after_step(run.updated_at))
}

/// Saves a changed run, where this turn still holds the lease.
fn save<F>(turn: &Turn, run: &JobRun, change: F) -> Result<JobRun>
where
    F: Fn(&JobRun, &Tx<'_>) -> JobRun + Clone + Send + 'static,
{
    let (lease, run) = (turn.lease(), run.clone());
    retry(|| {
        let (run, change) = (run.clone(), change.clone());
        turn.app().write_in_background(OPERATION, run.id.to_string(), move |tx| {
            lease.check(tx)?;
            let next = change(&run, tx);
            service::save(tx, &run, &next)?;
            Ok(next)
        })
    })
}

/// The next partners of a step.
#[derive(Clone)]
struct Batch {
    /// All partners there are.
    total: i64,
    /// The partners of the batch.
    count: i64,
    /// The last partner of the batch; none where the step has done every partner.
    last: Option<Id>,
    /// The partners of the batch that the step has to change.
    due: Vec<Id>,
}

/// Works on the next `size` partners of a step that walks over all partners.
fn refresh_batch(turn: &Turn, run: JobRun, size: i64) -> Result<JobRun> {
    let (app, lease) = (turn.app(), turn.lease());
    let after = run.position.as_deref().map(str::parse).transpose().map_err(Error::internal)?;
    let batch = app.read_as_system(|tx| {
        let total = match run.total {
            Some(total) => total,
            None => partners::count_all(tx)?,
        };
        let partners = partners::after(tx, after, size)?;
        let count = i64::try_from(partners.len()).unwrap_or(size);
        let last = partners.last().map(|partner| partner.id);
        Ok(Batch { total, count, last, due: run.step.find_due(tx, &partners)? })
    })?;
    retry(|| {
        let (run, batch) = (run.clone(), batch.clone());
        app.write_in_background(OPERATION, run.id.to_string(), move |tx| {
            lease.check(tx)?;
            if run.step.posts() {
                tx.share(Guard::Books)?;
            }
            tx.lock_partners(&batch.due)?;
            let partners = partners::many(tx, &batch.due)?;
            run.step.perform(tx, &partners)?;
            let counted = JobRun { total: Some(batch.total), ..run.clone() };
            let next = match batch.last {
                Some(last) => counted.after_partners(last, batch.count, tx.now),
                None => counted.after_step(tx.now),
            };
            service::save(tx, &run, &next)?;
            Ok(next)
        })
    })
}
