//! SQLite's one writer: a thread that takes units from a queue and commits many of them at once.
//!
//! A durable commit costs a disk flush; units that arrive while one is under way share the next.
//! A unit that fails takes nothing with it, and nobody is answered before the commit has happened.

use super::Conn;
use crate::platform::{Error, Result};
use diesel::{
    Connection, QueryResult,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
};
use tokio::sync::oneshot;

/// Units that share one commit at most.
const BATCH: usize = 256;
/// Units that may wait; beyond it the service sheds load.
const QUEUE: usize = 2048;

/// Tells the caller how the unit went, once the fate of its commit is known.
type Answer = Box<dyn FnOnce(Result<(), String>) + Send>;
/// Runs the unit in the transaction that it shares with others.
type Job = Box<dyn FnOnce(&mut Shared<'_>) -> Answer + Send>;

pub(super) struct Writer {
    jobs: Mutex<Option<SyncSender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(conn: Conn) -> Result<Self> {
        let (jobs, queue) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || work(conn, &queue))
            .map_err(Error::internal)?;
        Ok(Self { jobs: Mutex::new(Some(jobs)), thread: Mutex::new(Some(thread)) })
    }

    /// Queues a unit; the receiver hears of it once it is durable, or why it is not.
    pub(super) fn submit<T: Send + 'static>(
        &self,
        unit: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T>>> {
        let (tell, hear) = oneshot::channel();
        let job: Job = Box::new(move |shared| {
            let done = shared.run(unit);
            Box::new(move |commit| {
                let done = match (done, commit) {
                    (Some(Ok(value)), Ok(())) => Ok(value),
                    (Some(Err(error)), _) => Err(error),
                    (_, Err(reason)) => Err(Error::unavailable(reason)),
                    (None, Ok(())) => Err(Error::internal("a unit was committed without having run")),
                };
                // The caller may have gone away; the unit stands all the same.
                let _ = tell.send(done);
            })
        });
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        match jobs.as_ref().map(|jobs| jobs.try_send(job)) {
            Some(Ok(())) => Ok(hear),
            Some(Err(TrySendError::Full(_))) => Err(Error::unavailable("the write queue is full")),
            Some(Err(TrySendError::Disconnected(_))) | None => {
                Err(Error::unavailable("the writer has stopped"))
            }
        }
    }

    /// Finishes what is queued, folds the log into the database file and ends the thread.
    pub(super) fn stop(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            log::error!("the writer thread ended in a panic");
        }
    }
}

fn work(mut conn: Conn, queue: &Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        let mut shared = Shared::begin(&mut conn);
        let jobs = std::iter::once(first).chain(queue.try_iter()).take(BATCH);
        let answers: Vec<Answer> = jobs.map(|job| job(&mut shared)).collect();
        let outcome = shared.commit().map_err(|error| error.to_string());
        for answer in answers {
            answer(outcome.clone());
        }
    }
    if let Err(error) = conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)") {
        log::warn!("the write-ahead log could not be folded in: {error}");
    }
}

type Manager = <Conn as Connection>::TransactionManager;

/// The transaction that units share.
struct Shared<'a> {
    conn: &'a mut Conn,
    /// Whether it is open.
    begun: QueryResult<()>,
    /// Whether a unit stands in it already.
    holds: bool,
}

impl<'a> Shared<'a> {
    fn begin(conn: &'a mut Conn) -> Self {
        Self { begun: begin(conn), conn, holds: false }
    }

    /// Runs a unit, which leaves nothing behind where it fails; none where there is no transaction.
    ///
    /// The first is taken back with the transaction, only those after it with a savepoint: that keeps in memory what
    /// every page held before, which is as much as the unit changes.
    fn run<T>(&mut self, unit: impl FnOnce(&mut Conn) -> Result<T>) -> Option<Result<T>> {
        if self.begun.is_err() {
            return None;
        }
        if self.holds {
            return Some(in_savepoint(self.conn, unit));
        }
        let done = guarded(self.conn, unit);
        self.holds = done.is_ok();
        if done.is_err() {
            self.begun = Manager::rollback_transaction(self.conn).and_then(|()| begin(self.conn));
        }
        Some(done)
    }

    fn commit(self) -> QueryResult<()> {
        self.begun?;
        Manager::commit_transaction(self.conn).inspect_err(|error| {
            log::error!("a batch of units could not be committed: {error}");
            if let Err(error) = Manager::rollback_transaction(self.conn) {
                log::error!("and not be taken back either: {error}");
            }
        })
    }
}

fn begin(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        // IMMEDIATE takes the write lock at once: a unit that has begun cannot lose it.
        Conn::Sqlite(sqlite) => AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE"),
        Conn::Postgres(_) => Err(diesel::result::Error::NotInTransaction),
    }
}

fn in_savepoint<T>(conn: &mut Conn, unit: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    Manager::begin_transaction(conn)?;
    match guarded(conn, unit) {
        Ok(value) => Manager::commit_transaction(conn).map(|()| value).map_err(Error::from),
        Err(error) => {
            Manager::rollback_transaction(conn)?;
            Err(error)
        }
    }
}

/// A unit that panics fails.
fn guarded<T>(conn: &mut Conn, unit: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(|| unit(conn))).unwrap_or_else(|_| Err(Error::internal("a unit panicked")))
}
