//! The handle on the database: snapshots to read, units to write.

use super::{Conn, Target, errors::Fault, migrate, writer::Writer};
use crate::platform::{Error, Result, values::Id};
use diesel::{
    Connection, QueryResult,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
    result::Error as DieselError,
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How often a unit that met another one at the same rows is run again.
const RACES: u32 = 12;

/// The database. Cheap to clone; every clone is the same one.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    target: Target,
    pool: r2d2::Pool<Manager>,
    /// SQLite only: all units go through it.
    writer: Option<Writer>,
    suspicion: Arc<Suspicion>,
}

impl Db {
    /// Opens the database with up to `connections` connections; it must be migrated.
    /// A server that is away does not stop the start: readiness tells, and the pool heals by itself.
    pub fn open(target: &Target, connections: u32) -> Result<Self> {
        let suspicion = Arc::default();
        let pool = r2d2::Pool::builder()
            .max_size(connections)
            .min_idle(Some(1))
            .connection_timeout(Duration::from_secs(3))
            .error_handler(Box::new(Quiet))
            .build_unchecked(Manager { target: target.clone(), suspicion: Arc::clone(&suspicion) });
        let writer = match target {
            Target::Sqlite(_) => Some(Writer::start(target.clone())?),
            Target::Postgres(_) => None,
        };
        Ok(Self(Arc::new(Inner { target: target.clone(), pool, writer, suspicion })))
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

    /// Runs a unit on this thread and waits until it is durable.
    pub fn write<T, F>(&self, unit: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Conn) -> Result<T> + Send + 'static,
    {
        self.write_witnessed(move |conn| unit(conn).map(Done::without_witness))
    }

    /// The same for a unit that leaves a witness.
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

    /// Runs a unit off the request threads; returns once it is durable.
    pub async fn write_async<T, F>(&self, unit: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Conn) -> Result<Done<T>> + Send + 'static,
    {
        self.write_unless(|_| Ok(None), unit).await
    }

    /// Runs a unit off the request threads, unless a look beforehand, outside the unit's transaction, gives its result
    /// already. A unit that met another one is run again, and the look with it; after a refusal it looks once more.
    pub async fn write_unless<T, L, F>(&self, look: L, unit: F) -> Result<T>
    where
        T: Send + 'static,
        L: Fn(&mut Conn) -> Result<Option<T>> + Send + 'static,
        F: Fn(&mut Conn) -> Result<Done<T>> + Send + 'static,
    {
        if let Some(writer) = &self.0.writer {
            // Units run one after the other here: looking is part of them.
            let unit = move |conn: &mut Conn| {
                look(conn)?.map_or_else(|| unit(conn), |known| Ok(Done::without_witness(known)))
            };
            return writer.submit(unit)?.await.map_err(Error::unavailable)?;
        }
        let db = self.clone();
        let work = move || db.run(&look, &unit);
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

    /// Runs a unit on PostgreSQL, again where that is safe: nothing of it is durable, and another run may go better.
    fn run<T>(&self, look: &Look<'_, T>, unit: &dyn Fn(&mut Conn) -> Result<Done<T>>) -> Result<T> {
        let mut tries = Tries::default();
        loop {
            let done = self.with(|conn| {
                if let Some(known) = look(conn)? {
                    return Ok(Attempt::Durable(known));
                }
                // Each statement sees what is committed by then: a unit first locks the rows it relies on.
                begin(conn, "BEGIN IMMEDIATE", "BEGIN ISOLATION LEVEL READ COMMITTED")?;
                // What made the unit fail may be its own twin, which has committed since the look.
                attempt(conn, unit)
                    .or_else(|error| look(conn).ok().flatten().map(Attempt::Durable).ok_or(error))
            });
            match done {
                Ok(Attempt::Durable(value)) => return Ok(value),
                Ok(Attempt::Unanswered { value, witness, error }) => match self.outcome_of(witness) {
                    Outcome::Durable => return Ok(value),
                    Outcome::Undone if tries.allow(Fault::LostConnection) => {}
                    Outcome::Undone => return Err(Error::unavailable(error)),
                    Outcome::Unknown => return Err(Error::outcome_unknown(error)),
                },
                Err(error) if Fault::behind(&error).is_some_and(|fault| tries.allow(fault)) => {}
                Err(error) => return Err(error),
            }
            std::thread::sleep(tries.pause());
        }
    }

    /// What became of a unit whose `COMMIT` was not answered, asked on another connection.
    fn outcome_of(&self, witness: Option<Witness>) -> Outcome {
        let Some(Witness { id, stands }) = witness else { return Outcome::Unknown };
        let begun = Instant::now();
        loop {
            match self.with(|conn| stands(conn, id)) {
                Ok(true) => return Outcome::Durable,
                Ok(false) => return Outcome::Undone,
                Err(error) if begun.elapsed() > ASKED_FOR => {
                    log::error!("nobody knows whether unit {id} is durable: {error}");
                    return Outcome::Unknown;
                }
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        let mut held = self.0.pool.get()?;
        let done = work(&mut held.conn);
        // A unit that a rule refused says nothing about the wire; anything else might.
        if let Err(error) = done.as_ref()
            && error.code.status >= 500
            && !held.conn.is_sqlite()
        {
            // A server that only reads is left for the one that has taken its place.
            let elsewhere = Fault::behind(error) == Some(Fault::ReadOnly);
            held.broken = elsewhere || held.conn.batch_execute("SELECT 1").is_err();
            if held.broken {
                self.0.suspicion.raise();
            }
        }
        done
    }
}

/// What is looked up before a unit.
type Look<'a, T> = dyn Fn(&mut Conn) -> Result<Option<T>> + 'a;

/// What a unit hands over: its result, and the row that tells later whether the unit is durable.
#[derive(Debug)]
pub struct Done<T> {
    /// The result.
    pub value: T,
    /// The row; none of a unit that nobody has to find again.
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
    /// Whether the row stands; waits for a transaction that may still write it, for a second or two at most.
    pub stands: fn(&mut Conn, Id) -> Result<bool>,
}

/// How a unit came out that was run to its end.
enum Attempt<T> {
    /// It is durable.
    Durable(T),
    /// Its `COMMIT` was not answered.
    Unanswered { value: T, witness: Option<Witness>, error: DieselError },
}

/// What became of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Durable,
    Undone,
    Unknown,
}

/// How long the outcome of a unit is asked for: as long as a server needs to come back from a short fault.
const ASKED_FOR: Duration = Duration::from_secs(3);

/// How often a unit was run again, and why.
#[derive(Default)]
struct Tries {
    races: u32,
    twins: u32,
    connections: u32,
}

impl Tries {
    /// Counts a fault, and tells whether the unit is run once more.
    fn allow(&mut self, fault: Fault) -> bool {
        let (count, most) = match fault {
            Fault::LostRace => (&mut self.races, RACES),
            // A second run sees the twin, and refuses by the rule that has a name.
            Fault::Twin => (&mut self.twins, 1),
            // Another connection of the pool may be as dead; the third is a new one.
            Fault::LostConnection | Fault::ReadOnly => (&mut self.connections, 2),
            Fault::Reference | Fault::Busy | Fault::Mistake => return false,
        };
        *count += 1;
        *count <= most
    }

    /// How long to wait before the next run: up to 4 ms times the lost races, another time for each thread, so that
    /// units that met do not meet again.
    fn pause(&self) -> Duration {
        use std::hash::{BuildHasher, RandomState};
        let random = RandomState::new().hash_one(self.races) % 4000;
        Duration::from_micros(u64::from(self.races) * random)
    }
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
        Ok(value) => commit(conn).map(|()| value).map_err(Error::from),
        Err(error) => {
            // The connection is examined afterwards; the first error is the one that tells.
            let _ = Transactions::rollback_transaction(conn);
            Err(error)
        }
    }
}

/// Runs a unit in the transaction that has begun, to its end.
fn attempt<T>(conn: &mut Conn, unit: &dyn Fn(&mut Conn) -> Result<Done<T>>) -> Result<Attempt<T>> {
    let Done { value, witness } = match unit(conn) {
        Ok(done) => done,
        Err(error) => {
            let _ = Transactions::rollback_transaction(conn);
            return Err(error);
        }
    };
    match commit(conn) {
        Ok(()) => Ok(Attempt::Durable(value)),
        Err(error) if Fault::of(&error).leaves_commit_unknown() => {
            Ok(Attempt::Unanswered { value, witness, error })
        }
        Err(error) => Err(error.into()),
    }
}

fn commit(conn: &mut Conn) -> QueryResult<()> {
    Transactions::commit_transaction(conn).inspect_err(|_| {
        let _ = Transactions::rollback_transaction(conn);
    })
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
    suspicion: Arc<Suspicion>,
}

/// Since when connections that nobody has used are suspected to be dead: where one was, its neighbours often are.
#[derive(Debug, Default)]
struct Suspicion(Mutex<Option<Instant>>);

impl Suspicion {
    fn raise(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn concerns(&self, seen: Instant) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|raised| seen <= raised)
    }
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
        let suspected = held.seen.elapsed() > Duration::from_secs(1) || self.suspicion.concerns(held.seen);
        if !held.conn.is_sqlite() && suspected {
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
