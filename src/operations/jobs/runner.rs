//! Works on runs: one instance at a time, batch by batch.

use super::{JobName, JobRun, RunState, Step, service, store};
use crate::{
    access::{AppState, Tx, Unaudited},
    earnings::calculation,
    network::partners,
    platform::{
        Error, Result, codes,
        http::Closing,
        values::{Daily, Id},
    },
};
use std::ops::ControlFlow;

/// Partners looked at together. What is found is written in one unit; other writers wait no longer than for that.
const BATCH: i64 = 200;
/// How long a lease lasts without being renewed; every batch renews it.
const LEASE_SECONDS: i64 = 60;
/// In audit events.
const OPERATION: &str = "DailyRefresh";

/// An instance that works on runs.
#[derive(Clone)]
pub struct Runner {
    app: AppState,
    holder: Id,
    schedule: Daily,
    closing: Closing,
    batch: i64,
}

impl Runner {
    /// An instance that begins runs by a schedule, and stops between two batches when the service does.
    #[must_use]
    pub fn new(app: AppState, holder: Id, schedule: Daily, closing: Closing) -> Self {
        Self { app, holder, schedule, closing, batch: BATCH }
    }

    /// The same with smaller batches.
    #[must_use]
    pub fn in_batches_of(self, partners: i64) -> Self {
        Self { batch: partners, ..self }
    }

    /// Looks whether there is something to do, and does all of it; returns how many batches that were.
    pub fn tick(&self) -> Result<usize> {
        let mut batches = 0;
        let mut at_work = if self.closing.has_begun() { None } else { self.claim(false)? };
        while let Some(run) = at_work.filter(|run| run.state == RunState::Running) {
            if self.closing.has_begun() {
                break;
            }
            at_work = self.advance(run)?;
            batches += 1;
        }
        if self.closing.has_begun() {
            self.release()?;
        }
        Ok(batches)
    }

    /// Runs a job now, or goes on with a run that was interrupted, and reports every batch.
    pub fn run_now(&self, mut progress: impl FnMut(&JobRun)) -> Result<JobRun> {
        let elsewhere = || Error::new(&service::RUN_IN_PROGRESS, "another instance is at work on it");
        let mut run = self.claim(true)?.ok_or_else(elsewhere)?;
        while run.state == RunState::Running {
            run = self.advance(run)?.ok_or_else(elsewhere)?;
            progress(&run);
        }
        Ok(run)
    }

    /// Takes the run that is asked for, was interrupted, or whose time has come, where no other instance is at it.
    pub fn claim(&self, now_at_any_rate: bool) -> Result<Option<JobRun>> {
        let schedule = self.schedule;
        let holder = self.holder;
        let waits = move |tx: &mut Tx<'_>| {
            let job = JobName::DailyRefresh;
            let asked = now_at_any_rate || store::running(tx.conn, job)?.is_some();
            let due = match schedule.reached(tx.now) {
                Some(instant) if !asked => !store::begun_since(tx.conn, job, instant)?,
                _ => asked,
            };
            Ok(due && store::is_free(tx.conn, job, holder, tx.now)?)
        };
        // Nearly always there is nothing to do: a look costs no writing unit.
        if !self.app.read_as_system(waits)? {
            return Ok(None);
        }
        self.app.write_as_system(OPERATION, move |tx| {
            tx.exempt_from_audit(Unaudited::Bookkeeping);
            if !waits(tx)? {
                return Ok(None);
            }
            let job = JobName::DailyRefresh;
            store::take(tx.conn, job, holder, tx.now.plus_seconds(LEASE_SECONDS))?;
            let run = match store::running(tx.conn, job)? {
                // What had begun on another day would be half of that day's run and half of this one's.
                Some(old) if old.day != tx.today() && old.updated_at > old.started_at => {
                    let gone = old.failed("interrupted; the next day's run does what is left".into(), tx.now);
                    service::save(tx, &old, &gone)?;
                    service::begin(tx, job)?
                }
                Some(run) => run,
                None => service::begin(tx, job)?,
            };
            Ok(Some(run))
        })
    }

    /// One batch of a run; none where another instance has taken over. A fault that passes, such as a database that is
    /// away, leaves the run as it is, to be gone on with.
    pub fn advance(&self, run: JobRun) -> Result<Option<JobRun>> {
        let id = run.id;
        match self.batch(run) {
            Err(error) if *error.code != codes::UNAVAILABLE => {
                log::error!("run {id} failed: {error}");
                self.give_up(id, &error)
            }
            done => done,
        }
    }

    fn batch(&self, run: JobRun) -> Result<Option<JobRun>> {
        match run.step {
            Step::Calculation => self.calculate(run),
            Step::Enrollments | Step::Reminders => self.look_at_some(run),
        }
    }

    /// All of a calculation; after each of its units the lease is renewed, and it is kept how far it has come.
    fn calculate(&self, run: JobRun) -> Result<Option<JobRun>> {
        if !self.app.read_as_system(calculation::is_due)? {
            let next = run.advanced(None, 0, run.updated_at);
            return self.keep(&run, next);
        }
        let mut kept = Ok(Some(run));
        let done = calculation::calculate(&self.app, None, |unit| {
            if let Ok(Some(run)) = &kept {
                let next = run.at(unit.done, unit.total.max(unit.done), unit.updated_at);
                kept = self.keep(run, next);
            }
            match kept {
                Ok(Some(_)) if !self.closing.has_begun() => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            }
        })?;
        match kept? {
            // That was a run of somebody else's, over one partner: the others are still to come.
            Some(run) if done.partner_id.is_some() => Ok(Some(run)),
            Some(run) if !self.closing.has_begun() => {
                let next = run.advanced(None, 0, run.updated_at);
                self.keep(&run, next)
            }
            run => Ok(run),
        }
    }

    /// Keeps how far a run has come; none where another instance has taken over.
    fn keep(&self, run: &JobRun, next: JobRun) -> Result<Option<JobRun>> {
        let (holder, run) = (self.holder, run.clone());
        self.app.write_in_background((OPERATION, run.id.to_string()), move |tx| {
            tx.exempt_from_audit(Unaudited::Bookkeeping);
            if !store::renew(tx.conn, run.job, holder, tx.now.plus_seconds(LEASE_SECONDS))? {
                return Ok(None);
            }
            service::save(tx, &run, &next)?;
            Ok(Some(next.clone()))
        })
    }

    /// Some partners of a step that looks at every one.
    fn look_at_some(&self, run: JobRun) -> Result<Option<JobRun>> {
        let (holder, size) = (self.holder, self.batch);
        let after = run.position.as_deref().map(str::parse).transpose().map_err(Error::internal)?;
        let (total, found, last, count) = self.app.read_as_system(|tx| {
            let total = match run.total {
                Some(total) => total,
                None => partners::number(tx)?,
            };
            let partners = partners::after(tx, after, size)?;
            let found = run.step.look(tx, &partners)?;
            Ok((total, found, partners.last().map(|partner| partner.id), partners.len()))
        })?;
        let count = i64::try_from(count).unwrap_or(size);
        let request = run.id.to_string();
        self.app.write_in_background((OPERATION, request), move |tx| {
            tx.exempt_from_audit(Unaudited::Bookkeeping);
            if !store::renew(tx.conn, run.job, holder, tx.now.plus_seconds(LEASE_SECONDS))? {
                return Ok(None);
            }
            let partners = partners::many(tx, &found)?;
            run.step.perform(tx, &partners)?;
            let next = JobRun { total: Some(total), ..run.clone() }.advanced(last, count, tx.now);
            service::save(tx, &run, &next)?;
            if next.state != RunState::Running {
                store::release(tx.conn, run.job, holder)?;
            }
            Ok(Some(next))
        })
    }

    fn give_up(&self, id: Id, error: &Error) -> Result<Option<JobRun>> {
        // The log has the rest: what a driver says may hold more than who asks should read.
        let (holder, reason) = (self.holder, format!("{}: {}", error.code.code, error.detail));
        self.app.write_in_background((OPERATION, id.to_string()), move |tx| {
            let run = store::get(tx, id)?;
            tx.exempt_from_audit(Unaudited::Bookkeeping);
            if !store::renew(tx.conn, run.job, holder, tx.now)? {
                return Ok(None);
            }
            let failed = run.failed(reason.clone(), tx.now);
            service::save(tx, &run, &failed)?;
            store::release(tx.conn, run.job, holder)?;
            Ok(Some(failed))
        })
    }

    /// Another instance need not wait for the lease to run out.
    fn release(&self) -> Result<()> {
        let holder = self.holder;
        self.app.write_as_system(OPERATION, move |tx| {
            tx.exempt_from_audit(Unaudited::Bookkeeping);
            store::release(tx.conn, JobName::DailyRefresh, holder)
        })
    }
}
