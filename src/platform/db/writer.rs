//! SQLite's one writer: a thread that takes units from a queue and commits many of them at once.
//!
//! A durable commit costs a disk flush; units that arrive while one is under way share the next.
//! A unit that fails takes nothing with it, and nobody is answered before the commit has happened.

use super::{
    Conn, Target,
    pool::{Done, Outcome, Witness},
};
use crate::platform::{Error, Result};
use diesel::{
    Connection, QueryResult, QueryableByName, RunQueryDsl,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
    sql_query,
};
use std::{
    cell::RefCell,
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
type Answer = Box<dyn FnOnce(&Commit<'_>) + Send>;

/// What became of the transaction that units share.
enum Commit<'a> {
    Durable,
    /// It failed before its last page was written.
    Undone {
        reason: &'a str,
    },
    /// It failed when the disk was to confirm what was written: each unit is looked for on a fresh connection, where
    /// there is one.
    Unconfirmed {
        reason: &'a str,
        fresh: Option<&'a RefCell<Conn>>,
    },
}

impl Commit<'_> {
    fn outcome_of(&self, witness: Option<Witness>) -> Outcome {
        match self {
            Self::Durable => Outcome::Durable,
            Self::Undone { .. } => Outcome::Undone,
            Self::Unconfirmed { fresh: None, .. } => Outcome::Unknown,
            Self::Unconfirmed { fresh: Some(fresh), .. } => match witness {
                Some(Witness { id, stands }) => match stands(&mut fresh.borrow_mut(), id) {
                    Ok(true) => Outcome::Durable,
                    Ok(false) => Outcome::Undone,
                    Err(_) => Outcome::Unknown,
                },
                None => Outcome::Unknown,
            },
        }
    }

    fn reason(&self) -> String {
        match self {
            Self::Durable => String::new(),
            Self::Undone { reason } | Self::Unconfirmed { reason, .. } => (*reason).to_owned(),
        }
    }
}

/// Runs the unit in the transaction that it shares with others.
type Job = Box<dyn FnOnce(&mut Shared<'_>) -> Answer + Send>;

pub(super) struct Writer {
    jobs: Mutex<Option<SyncSender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(target: Target) -> Result<Self> {
        let conn = target.open().map_err(Error::unavailable)?;
        let (jobs, queue) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || work(&target, conn, &queue))
            .map_err(Error::internal)?;
        Ok(Self { jobs: Mutex::new(Some(jobs)), thread: Mutex::new(Some(thread)) })
    }

    /// Queues a unit; the receiver hears of it once it is durable, or why it is not.
    pub(super) fn submit<T: Send + 'static>(
        &self,
        unit: impl FnOnce(&mut Conn) -> Result<Done<T>> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T>>> {
        let (tell, hear) = oneshot::channel();
        let job: Job = Box::new(move |shared| {
            let done = shared.run(unit);
            Box::new(move |commit| {
                let done = match done {
                    Some(Ok(Done { value, witness })) => match commit.outcome_of(witness) {
                        Outcome::Durable => Ok(value),
                        Outcome::Undone => Err(Error::unavailable(commit.reason())),
                        Outcome::Unknown => Err(Error::outcome_unknown(commit.reason())),
                    },
                    Some(Err(error)) => Err(error),
                    // The transaction had not begun.
                    None => Err(Error::unavailable(commit.reason())),
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

fn work(target: &Target, mut conn: Conn, queue: &Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        let mut shared = Shared::begin(&mut conn);
        let jobs = std::iter::once(first).chain(queue.try_iter()).take(BATCH);
        let answers: Vec<Answer> = jobs.map(|job| job(&mut shared)).collect();
        let reason = match shared.commit() {
            Ok(()) => {
                for answer in answers {
                    answer(&Commit::Durable);
                }
                continue;
            }
            Err(error) => error.to_string(),
        };
        // SQLite may have taken the transaction back by itself, as it does where the disk is full: this connection would
        // go on believing in it.
        let fresh = opened_anew(target, reason.contains(UNCONFIRMED)).map(RefCell::new);
        let commit = if reason.contains(UNCONFIRMED) {
            Commit::Unconfirmed { reason: &reason, fresh: fresh.as_ref() }
        } else {
            Commit::Undone { reason: &reason }
        };
        for answer in answers {
            answer(&commit);
        }
        if let Some(fresh) = fresh.map(RefCell::into_inner).or_else(|| target.open().ok()) {
            conn = fresh;
        }
    }
    if let Err(error) = conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)") {
        log::warn!("the write-ahead log could not be folded in: {error}");
    }
}

/// What SQLite says where the disk did not confirm what was written to it.
const UNCONFIRMED: &str = "disk I/O error";

/// A fresh connection. With an empty write-ahead log, a failed transaction can be told from a durable one: a commit
/// whose flush failed may lie in the log and come back from there.
fn opened_anew(target: &Target, with_empty_log: bool) -> Option<Conn> {
    #[derive(QueryableByName)]
    struct Checkpoint {
        #[diesel(sql_type = diesel::sql_types::Integer)]
        busy: i32,
    }
    let opened =
        target.open().inspect_err(|error| log::error!("the database cannot be opened anew: {error}"));
    let mut conn = opened.ok()?;
    if !with_empty_log {
        return Some(conn);
    }
    match sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result(&mut conn) {
        Ok(Checkpoint { busy: 0 }) => Some(conn),
        Ok(Checkpoint { .. }) => {
            log::error!("readers kept the write-ahead log from being emptied");
            None
        }
        Err(error) => {
            log::error!("the write-ahead log could not be emptied: {error}");
            None
        }
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
