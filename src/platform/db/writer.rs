//! SQLite's one writer: a thread that takes units from a queue and commits many of them at once.
//!
//! A durable commit costs a disk flush; units that arrive during a commit share the next commit.
//! A failed unit leaves the other units alone, and no caller is answered before the commit.

use super::{
    Conn, Target,
    errors::Fault,
    health::Health,
    unit::{ASKED_FOR, Done, Durability, Witness},
};
use crate::platform::{Error, Result};
use diesel::{
    Connection, QueryResult,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
};
use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
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
    /// `COMMIT` was never asked for, or a later commit has taken its place.
    Undone {
        reason: &'a str,
    },
    /// `COMMIT` failed: its pages may be in the log all the same. Each unit is looked up on a fresh connection, whose own
    /// commit stands behind all that is durable; none where no such connection could be had.
    Unconfirmed {
        reason: &'a str,
        fresh: Option<&'a RefCell<Conn>>,
    },
}

impl Commit<'_> {
    fn durability_of(&self, witness: Option<Witness>) -> Durability {
        match (self, witness) {
            (Self::Durable, _) => Durability::Durable,
            (Self::Undone { .. }, _) => Durability::Undone,
            (Self::Unconfirmed { fresh: Some(fresh), .. }, Some(Witness { id, stands })) => {
                match stands(&mut fresh.borrow_mut(), id) {
                    Ok(true) => Durability::Durable,
                    Ok(false) => Durability::Undone,
                    Err(_) => Durability::Unknown,
                }
            }
            (Self::Unconfirmed { .. }, _) => Durability::Unknown,
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
    pub(super) fn start(target: Target, health: Arc<Health>) -> Result<Self> {
        let conn = target.open().map_err(Error::unavailable)?;
        let (units, queue) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || work(&target, conn, &queue, &health))
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

fn work(target: &Target, conn: Conn, queue: &Receiver<QueuedUnit>, health: &Health) {
    let mut open = Some(conn);
    while let Some(conn) = &mut open
        && let Ok(first) = queue.recv()
    {
        let mut shared = Shared::begin(conn, health);
        let units = std::iter::once(first).chain(queue.try_iter()).take(BATCH);
        let replies: Vec<Reply> = units.map(|unit| unit(&mut shared)).collect();
        let (failure, is_doubtful) = match shared.commit() {
            Ended::Committed => {
                for reply in replies {
                    reply(&Commit::Durable);
                }
                continue;
            }
            Ended::NeverAsked(error) => (error, false),
            Ended::Failed(error) => (error, true),
        };
        let reason = failure.to_string();
        log::error!("a batch of units could not be committed: {reason}");
        // SQLite rolls a transaction back by itself where the disk is full; the driver's connection would not know of the
        // rollback, and is replaced.
        drop(open.take());
        if is_doubtful {
            open = looked_up(target, queue, health, replies, &reason);
        } else {
            for reply in replies {
                reply(&Commit::Undone { reason: &reason });
            }
            open = opened(queue, || target.open().map_err(|error| error.to_string()), |_| ());
        }
    }
    if let Some(Err(error)) = open.map(|mut conn| conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")) {
        log::warn!("the write-ahead log could not be folded in: {error}");
    }
}

/// Looks up the units of a commit that failed. Further units are refused until the look has succeeded; the callers of the
/// units themselves are told sooner that nobody knows. None where the writer was stopped meanwhile.
///
/// SQLite's log may hold the whole commit although its flush failed, or the flush of what comes behind it: this process would
/// not see the commit, and the next process would. A commit of another connection either stands behind the commit in doubt,
/// or in its place.
fn looked_up(
    target: &Target,
    queue: &Receiver<QueuedUnit>,
    health: &Health,
    replies: Vec<Reply>,
    reason: &str,
) -> Option<Conn> {
    health.doubts_commit(true);
    let mut replies = Some(replies);
    let mut answer = |fresh: Option<&RefCell<Conn>>| {
        for reply in replies.take().into_iter().flatten() {
            reply(&Commit::Unconfirmed { reason, fresh });
        }
    };
    let look = || {
        let mut fresh = target.open().map_err(|error| error.to_string())?;
        fresh.write_something().map_err(|error| error.to_string()).map(|()| fresh)
    };
    let begun = Instant::now();
    let fresh = opened(queue, look, |error| {
        if begun.elapsed() > ASKED_FOR {
            log::error!("nobody knows whether the last units are durable: {error}");
            answer(None);
        }
    });
    let fresh = fresh.map(RefCell::new);
    answer(fresh.as_ref());
    health.doubts_commit(false);
    fresh.map(RefCell::into_inner)
}

/// A connection, opened as soon as that succeeds; units that come meanwhile are refused. None where the writer was stopped.
fn opened(
    queue: &Receiver<QueuedUnit>,
    open: impl Fn() -> std::result::Result<Conn, String>,
    mut failed: impl FnMut(&str),
) -> Option<Conn> {
    loop {
        let error = match open() {
            Ok(conn) => return Some(conn),
            Err(error) => error,
        };
        failed(&error);
        loop {
            match queue.try_recv() {
                Ok(unit) => unit(&mut Shared::closed())(&Commit::Undone { reason: &error }),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return None,
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

type Transactions = <Conn as Connection>::TransactionManager;

/// The transaction that units share.
struct Shared<'a> {
    /// The connection, and whether the transaction is open; none where no connection could be opened.
    open: Option<(&'a mut Conn, &'a Health)>,
    /// The error after which no transaction is open.
    lost: Option<diesel::result::Error>,
    /// Whether the transaction holds the changes of a unit already.
    holds: bool,
}

/// The end of a shared transaction.
enum Ended {
    Committed,
    /// The transaction was gone before `COMMIT`: SQLite has taken it back.
    NeverAsked(diesel::result::Error),
    /// `COMMIT` failed.
    Failed(diesel::result::Error),
}

impl<'a> Shared<'a> {
    fn begin(conn: &'a mut Conn, health: &'a Health) -> Self {
        let lost = begin(conn).err();
        if lost.is_some() {
            health.suspect_writes();
        }
        Self { open: Some((conn, health)), lost, holds: false }
    }

    /// No transaction: every unit is refused.
    fn closed() -> Self {
        Self { open: None, lost: None, holds: false }
    }

    /// Runs a unit, and undoes a unit that fails; none where no transaction is open.
    ///
    /// A failed first unit rolls the transaction back; only later units need a savepoint, which keeps in memory the former
    /// content of every page the unit changes. Where the rollback fails too, SQLite has taken back the whole transaction: no
    /// further statement may run in its place.
    fn run<T>(&mut self, unit: impl FnOnce(&mut Conn) -> Result<T>) -> Option<Result<T>> {
        let (Some((conn, health)), None) = (&mut self.open, &self.lost) else { return None };
        if self.holds
            && let Err(error) = Transactions::begin_transaction(*conn)
        {
            self.lost = Some(error);
            return None;
        }
        let done = guarded(conn, unit);
        let ended = match (&done, self.holds) {
            (Ok(_), true) => Transactions::commit_transaction(*conn),
            (Ok(_), false) => Ok(()),
            (Err(_), true) => Transactions::rollback_transaction(*conn),
            (Err(_), false) => Transactions::rollback_transaction(*conn).and_then(|()| begin(conn)),
        };
        let fault = done.as_ref().err().and_then(Fault::behind);
        if fault.is_some_and(Fault::may_stop_writing) || ended.is_err() {
            health.suspect_writes();
        }
        self.holds |= done.is_ok();
        self.lost = ended.err();
        // A unit whose transaction is gone is as undone as the others, whatever the unit itself has found.
        if done.is_ok() && self.lost.is_some() { None } else { Some(done) }
    }

    fn commit(self) -> Ended {
        let Some((conn, health)) = self.open else {
            return Ended::NeverAsked(diesel::result::Error::NotInTransaction);
        };
        if let Some(error) = self.lost {
            return Ended::NeverAsked(error);
        }
        match Transactions::commit_transaction(conn) {
            Ok(()) => Ended::Committed,
            Err(error) => {
                health.suspect_writes();
                let taken_back = Fault::of(&error) == Fault::TakenBack;
                if taken_back { Ended::NeverAsked(error) } else { Ended::Failed(error) }
            }
        }
    }
}

fn begin(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        // `IMMEDIATE` takes the write lock at once: no unit fails halfway because another process took the lock.
        Conn::Sqlite(sqlite) => AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE"),
        Conn::Postgres(_) => Err(diesel::result::Error::NotInTransaction),
    }
}

/// Runs a unit; a panic becomes an error of the unit.
pub(super) fn guarded<T>(conn: &mut Conn, unit: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(|| unit(conn))).unwrap_or_else(|_| Err(Error::internal("a unit panicked")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn a_unit_more_than_may_wait_for_the_writer_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let target = Target::Sqlite(folder.path().join("test.db"));
        let writer = Writer::start(target, Arc::default()).unwrap();
        let ((begun, begins), (let_go, waits)) = (channel(), channel::<()>());
        let slow = writer.submit(move |_| {
            begun.send(()).unwrap();
            let _ = waits.recv();
            Ok(Done::without_witness(()))
        });
        begins.recv().unwrap();
        let submit = || writer.submit(|_| Ok(Done::without_witness(())));
        let waiting: Vec<_> = (0..QUEUE).map(|_| submit().unwrap()).collect();
        assert_eq!(writer.queued(), QUEUE);
        let refused = submit().unwrap_err().to_string();
        assert!(refused.contains("the write queue is full"), "{refused}");
        assert_eq!(writer.queued(), QUEUE);
        drop(let_go);
        for unit in std::iter::once(slow.unwrap()).chain(waiting) {
            unit.blocking_recv().unwrap().unwrap();
        }
        assert_eq!(writer.queued(), 0);
        writer.stop();
    }
}
