//! The engine: finds due jobs, works on each job in a turn of its own, and drains when the service stops.

use super::{End, JobName, JobRecord, Schedule, Turn, metrics::Metrics, store};
use crate::{
    access::{AppState, Tx},
    config::Schedules,
    platform::{Error, Result},
};
use prometheus::Registry;
use std::{
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::{JoinSet, spawn_blocking};

/// How often the engine looks for due jobs.
const ROUND: Duration = Duration::from_secs(1);

/// Work that a slice registers.
#[derive(Clone, Copy)]
pub struct Work {
    /// The job of the work.
    pub name: JobName,
    /// When the work begins by the clock.
    pub schedule: fn(Schedules) -> Schedule,
    /// The queue whose entries begin the work too; none where the clock alone decides.
    pub queue: Option<Queue>,
    /// Does the waiting work, unit by unit. Each unit checks the lease, leaves nothing half done, and may be repeated, so
    /// that the next turn goes on where an interrupted turn ended.
    pub run: fn(&Turn) -> Result<End>,
}

/// The queue of a job, as the engine sees it.
#[derive(Clone, Copy)]
pub struct Queue {
    /// Whether the queue has entries; one small statement.
    pub waits: fn(&mut Tx<'_>) -> Result<bool>,
    /// Seconds between two looks into the queue. A request that adds an entry wakes the engine of its own instance.
    pub every: u64,
}

impl Work {
    /// Whether the work is due, by its schedule or its queue.
    fn is_due(&self, tx: &mut Tx<'_>, record: &JobRecord) -> Result<bool> {
        match (record.is_due((self.schedule)(tx.schedules()), tx.now), self.queue) {
            (None, _) => Ok(false),
            (Some(false), Some(queue)) => (queue.waits)(tx),
            (Some(by_clock), _) => Ok(by_clock),
        }
    }
}

/// An instance's engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    app: AppState,
    works: Arc<[Work]>,
    metrics: Metrics,
}

impl Engine {
    /// An engine for the work of all slices; `registry` takes the metrics.
    pub fn new(app: AppState, works: impl IntoIterator<Item = Work>, registry: &Registry) -> Result<Self> {
        Ok(Self { app, works: works.into_iter().collect(), metrics: Metrics::open(registry)? })
    }

    /// Works until the service stops, and then until the running jobs have ended their current units.
    pub async fn run(self) {
        let mut at_work: JoinSet<(JobName, bool)> = JoinSet::new();
        let mut busy: HashSet<JobName> = HashSet::new();
        // The jobs that were at work when the engine was woken: their queues may have entries that came too late for the turn.
        let mut called: HashSet<JobName> = HashSet::new();
        let mut round = 0;
        while !self.app.closing().has_begun() {
            let everything = tokio::select! {
                () = self.app.woken() => {
                    called.extend(&busy);
                    true
                }
                Some(ended) = at_work.join_next(), if !at_work.is_empty() => {
                    // A job that failed, or that nobody called, waits for the next round: turns would follow each other
                    // without a pause where entries keep coming.
                    let again = ended.is_ok_and(|(name, went_well)| {
                        busy.remove(&name);
                        called.remove(&name) && went_well
                    });
                    if !again {
                        continue;
                    }
                    true
                }
                () = tokio::time::sleep(ROUND) => {
                    round += 1;
                    false
                }
            };
            if self.app.closing().has_begun() {
                break;
            }
            let (engine, passed_over) = (self.clone(), busy.clone());
            let looked = spawn_blocking(move || {
                engine.due(|work| {
                    let on_time = work.queue.is_none_or(|queue| everything || round % queue.every == 0);
                    on_time && !passed_over.contains(&work.name)
                })
            });
            match looked.await.map_err(Error::internal).and_then(|looked| looked) {
                Ok(due) => {
                    for work in due.into_iter().filter(|work| busy.insert(work.name)) {
                        let engine = self.clone();
                        at_work.spawn_blocking(move || (work.name, engine.attend_and_tell(&work)));
                    }
                }
                Err(error) => log::warn!("what is due could not be looked up: {error}"),
            }
        }
        while at_work.join_next().await.is_some() {}
    }

    /// Does all due jobs on this thread, one after the other; returns how many jobs were worked on.
    pub fn tick(&self) -> Result<usize> {
        let mut worked = 0;
        for work in self.due(|_| true)? {
            worked += usize::from(self.attend(&work)?);
        }
        Ok(worked)
    }

    /// Runs a job now, without regard to its schedule; waits ten seconds for another instance that works on the job.
    pub fn run_now(&self, name: JobName) -> Result<End> {
        let work = self.works.iter().find(|work| work.name == name);
        let work = work.ok_or_else(|| Error::internal(format!("nobody has registered {name}")))?;
        let turn = Turn::wait_for(&self.app, name, Duration::from_secs(10))?;
        let turn = turn.ok_or_else(|| Error::internal(format!("another instance is at {name}")))?;
        self.carry_out(work, turn)
    }

    /// Every job with its schedule and its record, in the order of the names.
    pub fn jobs(&self, tx: &mut Tx<'_>) -> Result<Vec<(Schedule, JobRecord)>> {
        let records = store::records(tx.conn)?;
        let schedules = tx.schedules();
        let mut jobs: Vec<_> = self
            .works
            .iter()
            .map(|work| {
                let known = records.iter().find(|record| record.name == work.name);
                ((work.schedule)(schedules), known.cloned().unwrap_or_else(|| JobRecord::new(work.name)))
            })
            .collect();
        jobs.sort_by_key(|(_, record)| record.name);
        Ok(jobs)
    }

    /// The due and free jobs among the works that `of` selects; none while the clock is not trusted.
    fn due(&self, of: impl Fn(&Work) -> bool) -> Result<Vec<Work>> {
        if self.app.clock().distrusted_for().is_some() {
            return Ok(Vec::new());
        }
        self.app.query_as_system(|tx| {
            let records = store::records(tx.conn)?;
            let mut due = Vec::new();
            for work in self.works.iter().filter(|work| of(work)) {
                let known = records.iter().find(|record| record.name == work.name).cloned();
                let record = known.unwrap_or_else(|| JobRecord::new(work.name));
                if record.is_free(tx.now) && work.is_due(tx, &record)? {
                    due.push(*work);
                }
            }
            Ok(due)
        })
    }

    fn attend_and_tell(&self, work: &Work) -> bool {
        self.attend(work).unwrap_or_else(|error| {
            log::warn!("{} could not be worked on: {error}", work.name);
            false
        })
    }

    /// Takes a turn where the work is still due, and does the work; returns whether the work was done without an error.
    fn attend(&self, work: &Work) -> Result<bool> {
        let own = *work;
        let app = self.app.clone();
        // The clock is asked again: it may have jumped before the unit took its instant.
        let is_due = move |tx: &mut Tx<'_>, record: &JobRecord| {
            Ok(app.clock().distrusted_for().is_none() && own.is_due(tx, record)?)
        };
        let turn = Turn::take_if(&self.app, work.name, is_due)?;
        match turn {
            Some(turn) => Ok(self.carry_out(work, turn).is_ok()),
            None => Ok(false),
        }
    }

    fn carry_out(&self, work: &Work, turn: Turn) -> Result<End> {
        let began = Instant::now();
        let guarded = || catch_unwind(AssertUnwindSafe(|| (work.run)(&turn)));
        let result = turn.renewed(guarded).unwrap_or_else(|_| Err(Error::internal("the work panicked")));
        self.metrics.note(work.name, &result, began.elapsed());
        turn.close(result, End::clone)
    }
}
