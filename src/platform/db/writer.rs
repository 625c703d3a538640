//! SQLite's one writer: a thread that takes units from a queue and commits many of them at once.
//!
//! A durable commit costs a disk flush; units that arrive during a commit share the next commit.
//! A failed unit leaves the other units alone, and no caller is answered before the commit.

use super::{
    Conn, Target,
    pool::{Done, Durability, Witness},
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
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
};
use tokio::sync::oneshot;

/// The most units that share one commit.
const BATCH: usize = 256;
/// The most units that wait; further units are refused.
const QUEUE: usize = 2048;

/// Sends the result of a unit to its caller, once the commit has ended.
type Reply = Box<dyn FnOnce(&Commit<'_>) + Send>;

/// How the commit of the shared transaction ended.
enum Commit<'a> {
    Durable,
    /// The commit failed before its last page was written.
    Undone {
        reason: &'a str,
    },
    /// The disk did not confirm the written pages: each unit is looked up on a fresh connection, where one could be
    /// opened.
    Unconfirmed {
        reason: &'a str,
        fresh: Option<&'a RefCell<Conn>>,
    },
}

impl Commit<'_> {
    fn durability_of(&self, witness: Option<Witness>) -> Durability {
        match self {
            Self::Durable => Durability::Durable,
            Self::Undone { .. } => Durability::Undone,
            Self::Unconfirmed { fresh: None, .. } => Durability::Unknown,
            Self::Unconfirmed { fresh: Some(fresh), .. } => match witness {
                Some(Witness { id, stands }) => match stands(&mut fresh.borrow_mut(), id) {
                    Ok(true) => Durability::Durable,
                    Ok(false) => Durability::Undone,
                    Err(_) => Durability::Unknown,
                },
                None => Durability::Unknown,
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

/// Runs a unit in the shared transaction.
type QueuedUnit = Box<dyn FnOnce(&mut Shared<'_>) -> Reply + Send>;

pub(super) struct Writer {
    units: Mutex<Option<SyncSender<QueuedUnit>>>,
    /// How many units wait.
    queued: Arc<AtomicUsize>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(target: Target) -> Result<Self> {
        let conn = target.open().map_err(Error::unavailable)?;
        let (units, queue) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || work(&target, conn, &queue))
            .map_err(Error::internal)?;
        Ok(Self { units: Mutex::new(Some(units)), queued: Arc::default(), thread: Mutex::new(Some(thread)) })
    }

    /// Queues a unit; the receiver gets the result once the unit is durable, or the reason why the unit is not durable.
    pub(super) fn submit<T: Send + 'static>(
        &self,
        unit: impl FnOnce(&mut Conn) -> Result<Done<T>> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T>>> {
        let (tell, hear) = oneshot::channel();
        let queued = Arc::clone(&self.queued);
        let unit: QueuedUnit = Box::new(move |shared| {
            queued.fetch_sub(1, Ordering::Relaxed);
            let done = shared.run(unit);
            Box::new(move |commit| {
                let done = match done {
                    Some(Ok(Done { value, witness })) => match commit.durability_of(witness) {
                        Durability::Durable => Ok(value),
                        Durability::Undone => Err(Error::unavailable(commit.reason())),
                        Durability::Unknown => Err(Error::outcome_unknown(commit.reason())),
                    },
                    Some(Err(error)) => Err(error),
                    // The transaction had not begun.
                    None => Err(Error::unavailable(commit.reason())),
                };
                // The caller may have gone away; the unit is durable all the same.
                let _ = tell.send(done);
            })
        });
        let units = self.units.lock().unwrap_or_else(PoisonError::into_inner);
        self.queued.fetch_add(1, Ordering::Relaxed);
        let refused = match units.as_ref().map(|units| units.try_send(unit)) {
            Some(Ok(())) => return Ok(hear),
            Some(Err(TrySendError::Full(_))) => "the write queue is full",
            Some(Err(TrySendError::Disconnected(_))) | None => "the writer has stopped",
        };
        self.queued.fetch_sub(1, Ordering::Relaxed);
        Err(Error::unavailable(refused))
    }

    /// How many units wait.
    pub(super) fn queued(&self) -> usize {
        self.queued.load(Ordering::Relaxed)
    }

    /// Finishes the queued units, copies the write-ahead log into the database file and ends the thread.
    pub(super) fn stop(&self) {
        drop(self.units.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            log::error!("the writer thread ended in a panic");
        }
    }
}

fn work(target: &Target, mut conn: Conn, queue: &Receiver<QueuedUnit>) {
    while let Ok(first) = queue.recv() {
        let mut shared = Shared::begin(&mut conn);
        let units = std::iter::once(first).chain(queue.try_iter()).take(BATCH);
        let replies: Vec<Reply> = units.map(|unit| unit(&mut shared)).collect();
        let reason = match shared.commit() {
            Ok(()) => {
                for reply in replies {
                    reply(&Commit::Durable);
                }
                continue;
            }
            Err(error) => error.to_string(),
        };
        // SQLite rolls a transaction back by itself where the disk is full; the driver's connection would not know of the
        // rollback, and is replaced.
        let fresh = opened_anew(target, reason.contains(UNCONFIRMED)).map(RefCell::new);
        let commit = if reason.contains(UNCONFIRMED) {
            Commit::Unconfirmed { reason: &reason, fresh: fresh.as_ref() }
        } else {
            Commit::Undone { reason: &reason }
        };
        for reply in replies {
            reply(&commit);
        }
        if let Some(fresh) = fresh.map(RefCell::into_inner).or_else(|| target.open().ok()) {
            conn = fresh;
        }
    }
    if let Err(error) = conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)") {
        log::warn!("the write-ahead log could not be folded in: {error}");
    }
}

/// SQLite's error where the disk did not confirm a write.
const UNCONFIRMED: &str = "disk I/O error";

/// A fresh connection, `with_empty_log` after emptying the write-ahead log: a commit whose flush failed may still lie in
/// the log and come back from there, so that only an empty log shows which transactions are durable.
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

type Transactions = <Conn as Connection>::TransactionManager;

/// The transaction that units share.
struct Shared<'a> {
    conn: &'a mut Conn,
    /// Whether the transaction is open.
    begun: QueryResult<()>,
    /// Whether the transaction holds the changes of a unit already.
    holds: bool,
}

impl<'a> Shared<'a> {
    fn begin(conn: &'a mut Conn) -> Self {
        Self { begun: begin(conn), conn, holds: false }
    }

    /// Runs a unit, and undoes a unit that fails; none where the transaction could not begin.
    ///
    /// A failed first unit rolls the transaction back; only later units need a savepoint, which keeps in memory the former
    /// content of every page the unit changes.
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
            self.begun = Transactions::rollback_transaction(self.conn).and_then(|()| begin(self.conn));
        }
        Some(done)
    }

    fn commit(self) -> QueryResult<()> {
        self.begun?;
        Transactions::commit_transaction(self.conn).inspect_err(|error| {
            log::error!("a batch of units could not be committed: {error}");
            if let Err(error) = Transactions::rollback_transaction(self.conn) {
                log::error!("and not be taken back either: {error}");
            }
        })
    }
}

fn begin(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        // `IMMEDIATE` takes the write lock at once: no unit fails halfway because another process took the lock.
        Conn::Sqlite(sqlite) => AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE"),
        Conn::Postgres(_) => Err(diesel::result::Error::NotInTransaction),
    }
}

fn in_savepoint<T>(conn: &mut Conn, unit: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    Transactions::begin_transaction(conn)?;
    match guarded(conn, unit) {
        Ok(value) => Transactions::commit_transaction(conn).map(|()| value).map_err(Error::from),
        Err(error) => {
            Transactions::rollback_transaction(conn)?;
            Err(error)
        }
    }
}

/// Runs a unit; a panic becomes an error of the unit.
pub(super) fn guarded<T>(conn: &mut Conn, unit: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(|| unit(conn))).unwrap_or_else(|_| Err(Error::internal("a unit panicked")))
}
