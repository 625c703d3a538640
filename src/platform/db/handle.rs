//! The handle on the database: snapshots to read, units to write.

use super::{
    Conn, Load, Target,
    errors::{self, Fault},
    health::Health,
    migrate,
    pool::{Fate, Pool},
    unit::{
        ASKED_FOR, Begins, Done, Durability, Look, Statements, Tries, UnitEnd, Witness, attempt, begin, end,
    },
    watch,
    writer::Writer,
};
use crate::platform::{Error, Result};
use diesel::connection::SimpleConnection;
use std::{
    collections::BTreeSet,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// How long background work waits for a database that is away; a request does not wait.
const BACKGROUND_PATIENCE: Duration = Duration::from_secs(3);
/// How long the database has been away, or their connections were written off, when requests that had begun before are given
/// up.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(2);
/// The most requests that wait for a thread and a connection; further requests are refused at once.
const QUEUE: usize = 1024;

/// The database. Cheap to clone; every clone is the same database.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
    asker: Asker,
}

/// Who waits for the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asker {
    Background,
    Request,
}

struct Inner {
    target: Target,
    pool: Arc<Pool>,
    health: Arc<Health>,
    /// The thread that runs all units of SQLite; none on PostgreSQL.
    writer: Option<Writer>,
    /// The requests that wait for a thread, or work on one.
    requests: AtomicUsize,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.health.end();
        self.pool.close_idle();
    }
}

impl Db {
    /// Opens a migrated database with up to `connections` connections, and one more to ask for its health.
    /// A server that is away does not stop the start: the readiness check fails until the server answers.
    pub fn open(target: &Target, connections: u32) -> Result<Self> {
        let health = Arc::<Health>::default();
        let is_pooled = migrate::pools_transactions(target);
        let pool = Arc::new(Pool::new(target.clone(), connections, Arc::clone(&health), is_pooled));
        let writer = match target {
            Target::Sqlite(_) => Some(Writer::start(target.clone(), Arc::clone(&health))?),
            Target::Postgres(_) => None,
        };
        watch::start(target.clone(), Arc::clone(&pool), Arc::clone(&health)).map_err(Error::internal)?;
        let inner = Inner { target: target.clone(), pool, health, writer, requests: AtomicUsize::new(0) };
        Ok(Self { inner: Arc::new(inner), asker: Asker::Background })
    }

    /// Creates the schema or brings it to the newest version; returns how many versions were applied.
    pub fn migrate(target: &Target) -> Result<usize> {
        migrate::up(target)
    }

    /// Reads a database before anything is written to it: none where there is no schema yet. Refuses a schema that is
    /// newer than this binary, and an encoding other than UTF-8.
    pub fn look<T>(target: &Target, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<Option<T>> {
        migrate::look(target, work)
    }

    /// Whether this binary knows a version of the schema.
    pub fn knows_version(version: &str) -> Result<bool> {
        migrate::knows(version)
    }

    /// Takes every version of the schema back, and deletes all data.
    pub fn revert(target: &Target) -> Result<usize> {
        migrate::down(target)
    }

    /// Makes the files of the database forget the rows that some tables had before: the server or SQLite otherwise keeps
    /// them in free room until it is used again. Writes these tables anew; SQLite writes its whole file.
    pub fn forget_what_was(&self, tables: &BTreeSet<&'static str>) -> Result<()> {
        self.with(|conn| {
            if conn.is_sqlite() {
                // The copy is written to a file, not to memory.
                let forget = "PRAGMA temp_store = FILE; VACUUM; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA temp_store = MEMORY;";
                return Ok(conn.batch_execute(forget)?);
            }
            for table in tables {
                conn.batch_execute(&format!("VACUUM FULL {table}"))?;
            }
            Ok(())
        })
    }

    /// The address of the database.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.inner.target
    }

    /// How much of the way to the database is in use now.
    #[must_use]
    pub fn load(&self) -> Load {
        self.inner.pool.load(self.inner.writer.as_ref().map(Writer::queued))
    }

    /// Whether reads are so short that handing a read to another thread costs more than the read.
    #[must_use]
    pub fn reads_in_place(&self) -> bool {
        self.inner.writer.is_some()
    }

    /// The bytes that are free on the disk of SQLite's file; none where nobody can say, as of PostgreSQL.
    #[must_use]
    pub fn free_bytes(&self) -> Option<u64> {
        let Target::Sqlite(path) = self.target() else { return None };
        let disk = rustix::fs::statvfs(path).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// The length of SQLite's write-ahead log in bytes; none of PostgreSQL.
    #[must_use]
    pub fn log_bytes(&self) -> Option<u64> {
        let Target::Sqlite(path) = self.target() else { return None };
        let log = crate::platform::files::beside(path, "-wal");
        Some(std::fs::metadata(log).map_or(0, |log| log.len()))
    }

    /// Runs statements that need not agree with each other, without a transaction.
    pub fn query<T>(&self, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        self.with(work)
    }

    /// Runs statements in one snapshot of the database.
    pub fn read<T>(&self, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        self.with(|conn| {
            begin(conn, Begins::Snapshot, self.statements())?;
            end(conn, work)
        })
    }

    /// Runs a unit on this thread and waits until the unit is durable.
    pub fn write<T, F>(&self, unit: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Conn) -> Result<T> + Send + 'static,
    {
        self.write_witnessed(move |conn| unit(conn).map(Done::without_witness))
    }

    /// Runs a unit that leaves a witness on this thread and waits until the unit is durable.
    pub fn write_witnessed<T, F>(&self, unit: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Conn) -> Result<Done<T>> + Send + 'static,
    {
        match &self.inner.writer {
            Some(writer) => writer.submit(unit)?.blocking_recv().map_err(Error::outcome_unknown)?,
            None => self.run(&|_| Ok(None), &unit),
        }
    }

    /// Runs a unit off the request threads; returns once the unit is durable.
    pub async fn write_async<T, F>(&self, unit: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Conn) -> Result<Done<T>> + Send + 'static,
    {
        self.write_unless(|_| Ok(None), unit).await
    }

    /// Runs a unit off the request threads, unless `look`, outside the unit's transaction, finds the unit's result
    /// already. A unit that met another unit runs again, after another look; after a refusal comes one more look.
    pub async fn write_unless<T, L, F>(&self, look: L, unit: F) -> Result<T>
    where
        T: Send + 'static,
        L: Fn(&mut Conn) -> Result<Option<T>> + Send + 'static,
        F: Fn(&mut Conn) -> Result<Done<T>> + Send + 'static,
    {
        if let Some(writer) = &self.inner.writer {
            // SQLite's units run one after the other: the look is part of the unit.
            let unit = move |conn: &mut Conn| {
                look(conn)?.map_or_else(|| unit(conn), |known| Ok(Done::without_witness(known)))
            };
            return writer.submit(unit)?.await.map_err(Error::outcome_unknown)?;
        }
        // A unit that is given up may still be committed.
        self.for_request(Error::outcome_unknown, move |db| db.run(&look, &unit)).await
    }

    /// Runs a read where the read costs least: on this thread for the embedded database, else on a blocking thread.
    pub async fn off_thread<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Self) -> Result<T> + Send + 'static,
    {
        if self.reads_in_place() {
            return work(self);
        }
        self.for_request(Error::unavailable, work).await
    }

    /// Whether the database answers and takes writes, as far as known: nobody waits for the answer.
    pub fn readiness(&self) -> Result<()> {
        self.inner.health.readiness()
    }

    /// Finishes queued units and folds SQLite's log into its file.
    pub fn close(&self) {
        if let Some(writer) = &self.inner.writer {
            writer.stop();
        }
        self.inner.health.end();
    }

    /// Works for a request on a blocking thread. Refuses at once while the database is away, or too many requests wait;
    /// gives up a request whose thread waits for a database that has gone away.
    async fn for_request<T, F>(&self, given_up: fn(&'static str) -> Error, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Self) -> Result<T> + Send + 'static,
    {
        struct Counted(Arc<Inner>);
        impl Drop for Counted {
            fn drop(&mut self) {
                self.0.requests.fetch_sub(1, Ordering::Relaxed);
            }
        }
        if let Some(trouble) = self.inner.health.away() {
            return Err(trouble.error());
        }
        let counted = Counted(Arc::clone(&self.inner));
        if self.inner.requests.fetch_add(1, Ordering::Relaxed) >= QUEUE {
            return Err(Error::unavailable("too many requests wait for the database"));
        }
        let db = Self { asker: Asker::Request, ..self.clone() };
        let begun = Instant::now();
        let mut done = pin!(actix_web::web::block(move || {
            let _counted = counted;
            work(&db)
        }));
        loop {
            if let Ok(done) = tokio::time::timeout(Duration::from_millis(500), &mut done).await {
                return done.map_err(|_| given_up("the thread of a request has ended"))?;
            }
            // A database that has answered again may do so from another host: the one of this request stays silent.
            let lost = [self.inner.health.away_since(), self.inner.pool.written_off_since(begun)];
            if lost.into_iter().flatten().any(|since| since.elapsed() >= GIVEN_UP_AFTER) {
                return Err(given_up("the database stopped answering"));
            }
        }
    }

    fn statements(&self) -> Statements {
        match self.asker {
            Asker::Background => Statements::Unlimited,
            Asker::Request => Statements::of_request_to(&self.inner.target),
        }
    }

    /// Runs a unit on PostgreSQL, and again where nothing of the unit is durable and another run may succeed.
    fn run<T>(&self, look: &Look<'_, T>, unit: &dyn Fn(&mut Conn) -> Result<Done<T>>) -> Result<T> {
        let mut tries = Tries::begin();
        loop {
            let done = self.with(|conn| {
                if let Some(known) = look(conn)? {
                    return Ok(UnitEnd::Durable(known));
                }
                begin(conn, Begins::Unit, self.statements())?;
                // The unit may have failed because a unit with the same key has committed since the look.
                attempt(conn, unit)
                    .or_else(|error| look(conn).ok().flatten().map(UnitEnd::Durable).ok_or(error))
            });
            match done {
                Ok(UnitEnd::Durable(value)) => return Ok(value),
                Ok(UnitEnd::Unanswered { value, witness, error }) => match self.durability_of(witness) {
                    Durability::Durable => return Ok(value),
                    Durability::Undone if tries.allow(Fault::LostConnection) => {}
                    Durability::Undone => return Err(Error::unavailable(error)),
                    Durability::Unknown => return Err(Error::outcome_unknown(error)),
                },
                Err(error) if Fault::of_server_behind(&error).is_some_and(|fault| tries.allow(fault)) => {}
                Err(error) => return Err(error),
            }
            std::thread::sleep(tries.pause());
        }
    }

    /// Asks on another connection whether a unit is durable whose `COMMIT` was not answered.
    fn durability_of(&self, witness: Option<Witness>) -> Durability {
        let Some(Witness { id, stands }) = witness else { return Durability::Unknown };
        let begun = Instant::now();
        loop {
            match self.with(|conn| stands(conn, id)) {
                Ok(true) => return Durability::Durable,
                Ok(false) => return Durability::Undone,
                Err(error) if begun.elapsed() > ASKED_FOR => {
                    log::error!("nobody knows whether unit {id} is durable: {error}");
                    return Durability::Unknown;
                }
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        let patience = match self.asker {
            Asker::Background => BACKGROUND_PATIENCE,
            Asker::Request => Duration::ZERO,
        };
        self.inner.pool.with(patience, |conn| {
            let done = work(conn);
            if conn.is_sqlite() {
                return (done, Fate::Kept);
            }
            let done = done.map_err(errors::of_server);
            let fate = done.as_ref().map_or_else(|error| self.fate_after(conn, error), |_| Fate::Kept);
            (done, fate)
        })
    }

    /// What becomes of a connection to PostgreSQL after an error. A refusal by a rule says nothing about the connection; a
    /// fault of the service or the database might.
    fn fate_after(&self, conn: &mut Conn, error: &Error) -> Fate {
        if error.code.status < 500 {
            return Fate::Kept;
        }
        let fault = Fault::of_server_behind(error);
        if fault.is_some_and(Fault::may_stop_writing) {
            self.inner.health.suspect_writes();
        }
        match fault {
            // A server that only reads is left for the server that has taken its place.
            Some(Fault::ReadOnly | Fault::LostConnection) => Fate::ClosedWithOthers,
            // The server may have forgotten a statement that the connection has prepared.
            Some(Fault::Unnamed) => Fate::Closed,
            _ if conn.batch_execute("SELECT 1").is_err() => Fate::ClosedWithOthers,
            _ => Fate::Kept,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn a_request_more_than_may_wait_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&Target::Sqlite(folder.path().join("test.db")), 2).unwrap();
        let waiting = |db: &Db| db.inner.requests.load(Ordering::Relaxed);
        let counted = db.for_request(Error::unavailable, move |db| Ok(waiting(db))).await.unwrap();
        assert_eq!((counted, waiting(&db)), (1, 0));
        db.inner.requests.store(QUEUE, Ordering::Relaxed);
        let refused = db.for_request(Error::unavailable, |_| -> Result<()> { unreachable!("no place") });
        let refused = refused.await.unwrap_err().to_string();
        assert!(refused.contains("too many requests wait"), "{refused}");
        assert_eq!(waiting(&db), QUEUE);
    }
}
