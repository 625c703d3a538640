//! Works on runs of the daily refresh, batch by batch, inside a turn.

use super::{JobRun, JobRunState, RefreshStep, service, store};
use crate::{
    access::{AppState, Tx, Unaudited},
    earnings::calculation,
    network::partners,
    platform::{Error, Result},
    work::{End, JobName, Queue, Schedule, Turn, Work, in_short, passes, retry},
};
use std::ops::ControlFlow;

/// Partners looked at together. What is found is written in one unit; other writers wait no longer than for that.
pub const BATCH: i64 = 200;
/// In audit events.
const OPERATION: &str = "DailyRefresh";

/// The daily refresh: by the clock, and when somebody has asked for a run.
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
    to_the_end(turn, |_| ()).map(end_of)
}

/// Runs the refresh here and now, or goes on with a run that was interrupted, and reports every batch.
pub fn run_now(app: &AppState, progress: impl FnMut(&JobRun)) -> Result<JobRun> {
    let turn = Turn::take(app, JobName::DailyRefresh)?.ok_or_else(|| {
        Error::new(&service::RUN_IN_PROGRESS, "another instance is at work on the daily refresh")
    })?;
    let done = turn.renewed(|| to_the_end(&turn, progress));
    turn.close(done, |run| end_of(run.clone()))
}

/// Works until the run has ended, or the service is about to stop.
fn to_the_end(turn: &Turn, mut progress: impl FnMut(&JobRun)) -> Result<JobRun> {
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

/// The run to work on: the one that is asked for or was interrupted, else a new one.
pub fn open(turn: &Turn) -> Result<JobRun> {
    let lease = turn.lease();
    retry(|| {
        turn.app().write_as_system(OPERATION, move |tx| {
            tx.exempt_from_audit(Unaudited::Bookkeeping);
            lease.check(tx)?;
            let job = JobName::DailyRefresh;
            match store::running(tx.conn, job)? {
                // What had begun on another day would be half of that day's run and half of this one's.
                Some(old) if old.day != tx.today() && old.updated_at > old.started_at => {
                    let gone = old.failed("interrupted; the next day's run does what is left".into(), tx.now);
                    service::save(tx, &old, &gone)?;
                    service::begin(tx, job)
                }
                Some(run) => Ok(run),
                None => service::begin(tx, job),
            }
        })
    })
}

/// One batch of a run, of up to so many partners. A fault that passes, such as a database that is away, leaves the run
/// as it is, to be gone on with; any other ends the run.
pub fn advance(turn: &Turn, run: JobRun, partners: i64) -> Result<JobRun> {
    let before = run.clone();
    let done = match run.step {
        RefreshStep::Calculation => calculate(turn, run),
        RefreshStep::Enrollments | RefreshStep::Reminders => look_at_some(turn, run, partners),
    };
    match done {
        Err(error) if !passes(&error) => {
            log::error!("run {} failed: {error}", before.id);
            let reason = in_short(&error);
            keep(turn, &before, move |run, tx| run.failed(reason.clone(), tx.now))
        }
        done => done,
    }
}

/// All of a calculation; after each of its units it is kept how far the calculation has come.
fn calculate(turn: &Turn, run: JobRun) -> Result<JobRun> {
    if !turn.app().read_as_system(calculation::is_due)? {
        return keep(turn, &run, |run, _| run.advanced(None, 0, run.updated_at));
    }
    let mut kept = Ok(run);
    let done = calculation::calculate(turn.app(), None, |unit| {
        if let Ok(run) = &kept {
            let (done, total, at) = (unit.done, unit.total.max(unit.done), unit.updated_at);
            kept = keep(turn, run, move |run, _| run.at(done, total, at));
        }
        if kept.is_ok() && !turn.is_ending() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let run = kept?;
    // A run over one partner, of somebody else's, leaves the others to come.
    if done.partner_id.is_some() || turn.is_ending() {
        return Ok(run);
    }
    keep(turn, &run, |run, _| run.advanced(None, 0, run.updated_at))
}

/// Keeps how a run has changed; the turn must still be ours.
fn keep<F>(turn: &Turn, run: &JobRun, change: F) -> Result<JobRun>
where
    F: Fn(&JobRun, &Tx<'_>) -> JobRun + Clone + Send + 'static,
{
    let (lease, run) = (turn.lease(), run.clone());
    retry(|| {
        let (run, change) = (run.clone(), change.clone());
        turn.app().write_in_background(OPERATION, run.id.to_string(), move |tx| {
            tx.exempt_from_audit(Unaudited::Bookkeeping);
            lease.check(tx)?;
            let next = change(&run, tx);
            service::save(tx, &run, &next)?;
            Ok(next)
        })
    })
}

/// Some partners of a step that looks at every one.
fn look_at_some(turn: &Turn, run: JobRun, size: i64) -> Result<JobRun> {
    let (app, lease) = (turn.app(), turn.lease());
    let after = run.position.as_deref().map(str::parse).transpose().map_err(Error::internal)?;
    let (total, found, last, count) = app.read_as_system(|tx| {
        let total = match run.total {
            Some(total) => total,
            None => partners::number(tx)?,
        };
        let partners = partners::after(tx, after, size)?;
        let found = run.step.look(tx, &partners)?;
        Ok((total, found, partners.last().map(|partner| partner.id), partners.len()))
    })?;
    let count = i64::try_from(count).unwrap_or(size);
    retry(|| {
        let (run, found) = (run.clone(), found.clone());
        app.write_in_background(OPERATION, run.id.to_string(), move |tx| {
            tx.exempt_from_audit(Unaudited::Bookkeeping);
            lease.check(tx)?;
            tx.lock_partners(&found)?;
            let partners = partners::many(tx, &found)?;
            run.step.perform(tx, &partners)?;
            let next = JobRun { total: Some(total), ..run.clone() }.advanced(last, count, tx.now);
            service::save(tx, &run, &next)?;
            Ok(next)
        })
    })
}
