//! The handle on the database: snapshots to read, serialisable units to write.

use super::{Conn, Target, errors::lost_a_race, migrate, writer::Writer};
use crate::platform::{Error, Result};
use diesel::{
    Connection,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How often a unit that lost against another one is run again.
const TRIES: u32 = 12;

/// The database. Cheap to clone; every clone is the same one.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    target: Target,
    pool: r2d2::Pool<Manager>,
    /// SQLite only: all units go through it.
    writer: Option<Writer>,
}

impl Db {
    /// Opens the database with up to `connections` connections; it must be migrated.
    /// A server that is away does not stop the start: readiness tells, and the pool heals by itself.
    pub fn open(target: &Target, connections: u32) -> Result<Self> {
        let pool = r2d2::Pool::builder()
            .max_size(connections)
            .min_idle(Some(1))
            .connection_timeout(Duration::from_secs(3))
            .error_handler(Box::new(Quiet))
            .build_unchecked(Manager { target: target.clone() });
        let writer = match target {
            Target::Sqlite(_) => Some(Writer::start(target.clone())?),
            Target::Postgres(_) => None,
        };
        Ok(Self(Arc::new(Inner { target: target.clone(), pool, writer })))
    }

    /// Creates the schema or brings it to the newest version; returns how many versions were applied.
    pub fn migrate(target: &Target) -> Result<usize> {
        if let Target::Sqlite(path) = target
            && let Some(folder) = path.parent()
        {
            std::fs::create_dir_all(folder).map_err(Error::internal)?;
        }
        migrate::up(target)
    }

    /// Takes every version of the schema back, and all data with it.
    pub fn revert(target: &Target) -> Result<usize> {
        migrate::down(target)
    }

    /// Where the database is.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.0.target
    }

    /// Whether reads are so short that handing them to another thread costs more than doing them.
    #[must_use]
    pub fn reads_in_place(&self) -> bool {
        self.0.writer.is_some()
    }

    /// Runs statements that need not agree with each other, without a transaction.
    pub fn query<T>(&self, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        self.with(work)
    }

    /// Runs statements that all see one and the same state of the database.
    pub fn read<T>(&self, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        self.with(|conn| {
            begin(conn, "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")?;
            end(conn, work)
        })
    }

    /// Runs a serialisable unit on this thread and waits until it is durable.
    pub fn write<T, F>(&self, unit: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Conn) -> Result<T> + Send + 'static,
    {
        match &self.0.writer {
            Some(writer) => writer.submit(unit)?.blocking_recv().map_err(Error::unavailable)?,
            None => self.serialisable(&|_| Ok(None), &unit),
        }
    }

    /// Runs a unit that begins by changing the one row all of its kind begin with, so that they run one after the
    /// other, each on what is committed by then. It is in no writer's way, as it is not serialisable with them: only
    /// for work that no rule reads.
    pub fn write_in_turn<T, F>(&self, unit: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Conn) -> Result<T> + Send + 'static,
    {
        match &self.0.writer {
            Some(writer) => writer.submit(unit)?.blocking_recv().map_err(Error::unavailable)?,
            None => self.with(|conn| {
                begin(conn, "BEGIN IMMEDIATE", "BEGIN ISOLATION LEVEL READ COMMITTED")?;
                end(conn, unit)
            }),
        }
    }

    /// Runs a serialisable unit off the request threads; returns once it is durable.
    pub async fn write_async<T, F>(&self, unit: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Conn) -> Result<T> + Send + 'static,
    {
        self.write_unless(|_| Ok(None), unit).await
    }

    /// Runs a serialisable unit off the request threads, unless a look beforehand, outside the unit's transaction,
    /// gives its result already. A unit that lost a race is run again, and the look with it; after a refusal it looks
    /// once more.
    pub async fn write_unless<T, L, F>(&self, look: L, unit: F) -> Result<T>
    where
        T: Send + 'static,
        L: Fn(&mut Conn) -> Result<Option<T>> + Send + 'static,
        F: Fn(&mut Conn) -> Result<T> + Send + 'static,
    {
        if let Some(writer) = &self.0.writer {
            // Units run one after the other here: looking is part of them.
            let unit = move |conn: &mut Conn| look(conn)?.map_or_else(|| unit(conn), Ok);
            return writer.submit(unit)?.await.map_err(Error::unavailable)?;
        }
        let db = self.clone();
        let work = move || db.serialisable(&look, &unit);
        actix_web::web::block(work).await.map_err(Error::unavailable)?
    }

    /// Runs read work where it costs least: here for the embedded database, else on a blocking thread.
    pub async fn off_thread<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Self) -> Result<T> + Send + 'static,
    {
        if self.reads_in_place() {
            return work(self);
        }
        let db = self.clone();
        actix_web::web::block(move || work(&db)).await.map_err(Error::unavailable)?
    }

    /// Whether the database answers.
    pub fn ping(&self) -> Result<()> {
        self.with(|conn| conn.batch_execute("SELECT 1").map_err(Error::from))
    }

    /// Finishes queued units and folds SQLite's log into its file.
    pub fn close(&self) {
        if let Some(writer) = &self.0.writer {
            writer.stop();
        }
    }

    fn serialisable<T>(&self, look: &Look<'_, T>, unit: &dyn Fn(&mut Conn) -> Result<T>) -> Result<T> {
        let mut tries = 0;
        loop {
            tries += 1;
            let done = self.with(|conn| {
                if let Some(known) = look(conn)? {
                    return Ok(known);
                }
                begin(conn, "BEGIN IMMEDIATE", "BEGIN ISOLATION LEVEL SERIALIZABLE")?;
                // What made the unit fail may be its own twin, which has committed since the look.
                end(conn, unit).or_else(|error| look(conn).ok().flatten().ok_or(error))
            });
            match done {
                Err(error) if tries < TRIES && lost_a_race(&error) => {
                    std::thread::sleep(spread(tries));
                }
                done => return done,
            }
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        let mut held = self.0.pool.get()?;
        let done = work(&mut held.conn);
        // A unit that a rule refused says nothing about the wire; anything else might.
        if done.as_ref().is_err_and(|error| error.code.status >= 500) && !held.conn.is_sqlite() {
            held.broken = held.conn.batch_execute("SELECT 1").is_err();
        }
        done
    }
}

/// What is looked up before a unit.
type Look<'a, T> = dyn Fn(&mut Conn) -> Result<Option<T>> + 'a;

/// How long to wait before trying again: up to 4 ms times the tries so far, another time for each thread, so that
/// those who met do not meet again.
fn spread(tries: u32) -> Duration {
    use std::hash::{BuildHasher, RandomState};
    let random = RandomState::new().hash_one(tries) % 4000;
    Duration::from_micros(u64::from(tries) * random)
}

type Transactions = <Conn as Connection>::TransactionManager;

fn begin(conn: &mut Conn, sqlite: &str, postgres: &str) -> Result<()> {
    match conn {
        Conn::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(conn, sqlite)?,
        Conn::Postgres(conn) => AnsiTransactionManager::begin_transaction_sql(conn, postgres)?,
    }
    Ok(())
}

fn end<T>(conn: &mut Conn, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    match work(conn) {
        Ok(value) => match Transactions::commit_transaction(conn) {
            Ok(()) => Ok(value),
            Err(error) => {
                let _ = Transactions::rollback_transaction(conn);
                Err(error.into())
            }
        },
        Err(error) => {
            // The connection is examined afterwards; the first error is the one that tells.
            let _ = Transactions::rollback_transaction(conn);
            Err(error)
        }
    }
}

impl Conn {
    fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }
}

/// Opens connections and tells dead ones: r2d2's own test costs a round trip per use, none at all
/// keeps a dead connection for ever, so a connection is tested when it has been idle for a second.
struct Manager {
    target: Target,
}

struct Held {
    conn: Conn,
    seen: Instant,
    broken: bool,
}

impl r2d2::ManageConnection for Manager {
    type Connection = Held;
    type Error = Error;

    fn connect(&self) -> Result<Held> {
        let conn = self.target.open().map_err(Error::unavailable)?;
        Ok(Held { conn, seen: Instant::now(), broken: false })
    }

    fn is_valid(&self, held: &mut Held) -> Result<()> {
        if !held.conn.is_sqlite() && held.seen.elapsed() > Duration::from_secs(1) {
            held.conn.batch_execute("SELECT 1")?;
            held.seen = Instant::now();
        }
        Ok(())
    }

    fn has_broken(&self, held: &mut Held) -> bool {
        held.broken
            || std::thread::panicking()
            || !matches!(
                Transactions::transaction_manager_status_mut(&mut held.conn).transaction_depth(),
                Ok(None)
            )
    }
}

/// Logs a failed connect at a level that does not drown the log while a server is away.
#[derive(Debug)]
struct Quiet;

impl r2d2::HandleError<Error> for Quiet {
    fn handle_error(&self, error: Error) {
        log::warn!("the database cannot be reached: {error}");
    }
}
