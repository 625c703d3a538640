//! The handle on the database: snapshots to read, units to write.

use super::{
    Conn, Load, Target,
    connector::{Connector, Quiet, Suspicion},
    errors::Fault,
    migrate,
    writer::{Writer, guarded},
};
use crate::platform::{Error, Result, values::Id};
use diesel::{
    Connection, QueryResult,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
    result::Error as DieselError,
};
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

/// How often a unit runs again that met another unit at the same rows.
const RACES: u32 = 12;

/// The database. Cheap to clone; every clone is the same database.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    target: Target,
    pool: r2d2::Pool<Connector>,
    /// The thread that runs all units of SQLite; none on PostgreSQL.
    writer: Option<Writer>,
    suspicion: Arc<Suspicion>,
}

impl Db {
    /// Opens a migrated database with up to `connections` connections.
    /// A server that is away does not stop the start: the readiness check fails until the server answers.
    pub fn open(target: &Target, connections: u32) -> Result<Self> {
        let suspicion = Arc::default();
        let pool = r2d2::Pool::builder()
            .max_size(connections)
            .min_idle(Some(1))
            .connection_timeout(Duration::from_secs(3))
            .error_handler(Box::new(Quiet))
            .build_unchecked(Connector { target: target.clone(), suspicion: Arc::clone(&suspicion) });
        let writer = match target {
            Target::Sqlite(_) => Some(Writer::start(target.clone())?),
            Target::Postgres(_) => None,
        };
        Ok(Self(Arc::new(Inner { target: target.clone(), pool, writer, suspicion })))
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
        &self.0.target
    }

    /// Whether reads are so short that handing a read to another thread costs more than the read.
    #[must_use]
    pub fn reads_in_place(&self) -> bool {
        self.0.writer.is_some()
    }

    /// Runs statements that need not agree with each other, without a transaction.
    pub fn query<T>(&self, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        self.with(work)
    }

    /// Runs statements in one snapshot of the database.
    pub fn read<T>(&self, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        self.with(|conn| conn.in_one_snapshot(work))
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
        match &self.0.writer {
            Some(writer) => writer.submit(unit)?.blocking_recv().map_err(Error::unavailable)?,
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
        if let Some(writer) = &self.0.writer {
            // SQLite's units run one after the other: the look is part of the unit.
            let unit = move |conn: &mut Conn| {
                look(conn)?.map_or_else(|| unit(conn), |known| Ok(Done::without_witness(known)))
            };
            return writer.submit(unit)?.await.map_err(Error::unavailable)?;
        }
        let db = self.clone();
        let work = move || db.run(&look, &unit);
        actix_web::web::block(work).await.map_err(Error::unavailable)?
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
        let db = self.clone();
        actix_web::web::block(move || work(&db)).await.map_err(Error::unavailable)?
    }

    /// Whether the database answers.
    pub fn ping(&self) -> Result<()> {
        self.with(|conn| conn.batch_execute("SELECT 1").map_err(Error::from))
    }

    /// How much of the way to the database is in use now.
    #[must_use]
    pub fn load(&self) -> Load {
        let state = self.0.pool.state();
        Load {
            in_use: state.connections.saturating_sub(state.idle_connections),
            open: state.connections,
            most: self.0.pool.max_size(),
            queued: self.0.writer.as_ref().map(Writer::queued),
        }
    }

    /// Finishes queued units and folds SQLite's log into its file.
    pub fn close(&self) {
        if let Some(writer) = &self.0.writer {
            writer.stop();
        }
    }

    /// Runs a unit on PostgreSQL, and again where nothing of the unit is durable and another run may succeed.
    fn run<T>(&self, look: &Look<'_, T>, unit: &dyn Fn(&mut Conn) -> Result<Done<T>>) -> Result<T> {
        let mut tries = Tries::default();
        loop {
            let done = self.with(|conn| {
                if let Some(known) = look(conn)? {
                    return Ok(UnitEnd::Durable(known));
                }
                // Each statement sees the commits before the statement: a unit first locks the rows it relies on.
                begin(conn, "BEGIN IMMEDIATE", "BEGIN ISOLATION LEVEL READ COMMITTED")?;
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
                Err(error) if Fault::behind(&error).is_some_and(|fault| tries.allow(fault)) => {}
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
        let mut held = self.0.pool.get()?;
        let done = work(&mut held.conn);
        // A refusal by a rule says nothing about the connection; a fault of the service or the database might.
        if let Err(error) = done.as_ref()
            && error.code.status >= 500
            && !held.conn.is_sqlite()
        {
            // A server that only reads is left for the server that has taken its place.
            let elsewhere = Fault::behind(error) == Some(Fault::ReadOnly);
            held.broken = elsewhere || held.conn.batch_execute("SELECT 1").is_err();
            if held.broken {
                self.0.suspicion.raise();
            }
        }
        done
    }
}

/// Looks up the result of a unit before the unit runs; none where the unit has not run yet.
type Look<'a, T> = dyn Fn(&mut Conn) -> Result<Option<T>> + 'a;

/// The result of a unit, and the row that shows later whether the unit is durable.
#[derive(Debug)]
pub struct Done<T> {
    /// The result of the unit.
    pub value: T,
    /// The row of the unit; none where nobody has to look the unit up.
    pub witness: Option<Witness>,
}

impl<T> Done<T> {
    fn without_witness(value: T) -> Self {
        Self { value, witness: None }
    }
}

/// A row that a unit has written under an id of its own.
#[derive(Clone, Copy, Debug)]
pub struct Witness {
    /// The row's id.
    pub id: Id,
    /// Whether the row is there; waits one or two seconds for a transaction that may still write the row.
    pub stands: fn(&mut Conn, Id) -> Result<bool>,
}

/// The end of a unit whose statements all succeeded.
enum UnitEnd<T> {
    /// The unit is durable.
    Durable(T),
    /// The database did not answer `COMMIT`.
    Unanswered { value: T, witness: Option<Witness>, error: DieselError },
}

/// Whether a unit is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    Durable,
    Undone,
    Unknown,
}

/// How long the database is asked whether a unit is durable: as long as a server needs to recover from a short fault.
const ASKED_FOR: Duration = Duration::from_secs(3);

/// How often a unit ran again, by the cause.
#[derive(Default)]
struct Tries {
    races: u32,
    twins: u32,
    connections: u32,
}

impl Tries {
    /// Counts a fault; whether the unit runs once more.
    fn allow(&mut self, fault: Fault) -> bool {
        let (count, most) = match fault {
            Fault::LostRace => (&mut self.races, RACES),
            // A second run sees the row with the same value, and refuses with the problem code of the rule.
            Fault::Twin => (&mut self.twins, 1),
            // The second connection of the pool may be dead as well; the third connection is a new one.
            Fault::LostConnection | Fault::ReadOnly => (&mut self.connections, 2),
            Fault::Reference | Fault::Busy | Fault::Mistake => return false,
        };
        *count += 1;
        *count <= most
    }

    /// The wait before the next run: a random time of up to 4 ms for each lost race, so that units that met do not meet
    /// again.
    fn pause(&self) -> Duration {
        use std::hash::{BuildHasher, RandomState};
        let random = RandomState::new().hash_one(self.races) % 4000;
        Duration::from_micros(u64::from(self.races) * random)
    }
}

impl Conn {
    /// Reads in one snapshot.
    pub fn in_one_snapshot<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        begin(self, "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")?;
        end(self, work)
    }
}

type Transactions = <Conn as Connection>::TransactionManager;

pub(super) fn begin(conn: &mut Conn, sqlite: &str, postgres: &str) -> Result<()> {
    match conn {
        Conn::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(conn, sqlite)?,
        Conn::Postgres(conn) => AnsiTransactionManager::begin_transaction_sql(conn, postgres)?,
    }
    Ok(())
}

pub(super) fn end<T>(conn: &mut Conn, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    match work(conn) {
        Ok(value) => commit(conn).map(|()| value).map_err(Error::from),
        Err(error) => {
            // `with` tests the connection afterwards; the error of the work is the one to report.
            let _ = Transactions::rollback_transaction(conn);
            Err(error)
        }
    }
}

/// Runs a unit in the open transaction, and commits the transaction.
fn attempt<T>(conn: &mut Conn, unit: &dyn Fn(&mut Conn) -> Result<Done<T>>) -> Result<UnitEnd<T>> {
    let Done { value, witness } = match guarded(conn, unit) {
        Ok(done) => done,
        Err(error) => {
            let _ = Transactions::rollback_transaction(conn);
            return Err(error);
        }
    };
    match commit(conn) {
        Ok(()) => Ok(UnitEnd::Durable(value)),
        Err(error) if Fault::of(&error).leaves_commit_unknown() => {
            Ok(UnitEnd::Unanswered { value, witness, error })
        }
        Err(error) => Err(error.into()),
    }
}

fn commit(conn: &mut Conn) -> QueryResult<()> {
    Transactions::commit_transaction(conn).inspect_err(|_| {
        let _ = Transactions::rollback_transaction(conn);
    })
}
