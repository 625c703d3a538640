//! A unit: its result, its witness, how often the unit runs again, and its transaction.

use super::{Conn, Target, errors::Fault, writer::guarded};
use crate::platform::{Error, Result, values::Id};
use diesel::{
    Connection, QueryResult,
    connection::{AnsiTransactionManager, TransactionManager},
    result::Error as DieselError,
};
use std::time::{Duration, Instant};

/// How often a unit runs again that met another unit at the same rows.
const RACES: u32 = 12;
/// How often a unit runs again that the server refused for a reason which the driver does not name.
const UNNAMED: u32 = 3;
/// How long such a unit may have taken so far.
const UNNAMED_WITHIN: Duration = Duration::from_secs(5);
/// How long a statement of a request may take on PostgreSQL where the URL of the database does not limit statements.
const STATEMENT_SECONDS: u32 = 30;
/// How long a unit of a request may think between two statements.
const PAUSE_SECONDS: u32 = 8;
/// How long background work may think between two statements, and a reader of a file may rest.
const LONGEST_PAUSE_SECONDS: u32 = 60;

/// Looks up the result of a unit before the unit runs; none where the unit has not run yet.
pub(super) type Look<'a, T> = dyn Fn(&mut Conn) -> Result<Option<T>> + 'a;

/// The result of a unit, and the row that shows later whether the unit is durable.
#[derive(Debug)]
pub struct Done<T> {
    /// The result of the unit.
    pub value: T,
    /// The row of the unit; none where nobody has to look the unit up.
    pub witness: Option<Witness>,
}

impl<T> Done<T> {
    pub(super) fn without_witness(value: T) -> Self {
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
pub(super) enum UnitEnd<T> {
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
pub(super) const ASKED_FOR: Duration = Duration::from_secs(3);

/// How often a unit ran again, by the cause.
pub(super) struct Tries {
    begun: Instant,
    races: u32,
    twins: u32,
    connections: u32,
    unnamed: u32,
}

impl Tries {
    pub(super) fn begin() -> Self {
        Self { begun: Instant::now(), races: 0, twins: 0, connections: 0, unnamed: 0 }
    }

    /// Counts a fault; whether the unit runs once more.
    pub(super) fn allow(&mut self, fault: Fault) -> bool {
        let (count, most) = match fault {
            Fault::LostRace => (&mut self.races, RACES),
            // A second run sees the row with the same value, and refuses with the problem code of the rule.
            Fault::Twin => (&mut self.twins, 1),
            // The second connection of the pool may be dead as well; the third connection is a new one.
            Fault::LostConnection | Fault::ReadOnly => (&mut self.connections, 2),
            // A deadlock, for example.
            Fault::Unnamed if self.begun.elapsed() < UNNAMED_WITHIN => (&mut self.unnamed, UNNAMED),
            _ => return false,
        };
        *count += 1;
        *count <= most
    }

    /// The wait before the next run: a random time of up to 4 ms for each lost race, so that units that met do not meet
    /// again.
    pub(super) fn pause(&self) -> Duration {
        use std::hash::{BuildHasher, RandomState};
        let random = RandomState::new().hash_one(self.races) % 4000;
        Duration::from_micros(u64::from(self.races + 4 * self.unnamed) * random)
    }
}

type Transactions = <Conn as Connection>::TransactionManager;

/// The kind of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begins {
    /// Every statement sees the same state of the database.
    Snapshot,
    /// Each statement sees the commits before the statement: a unit first locks the rows it relies on.
    Unit,
}

/// How long a statement may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Statements {
    /// As long as a request can wait.
    OfRequest,
    /// As long as it takes, or as long as the URL of the database allows.
    Unlimited,
}

impl Statements {
    pub(super) fn of_request_to(target: &Target) -> Self {
        if target.limits_statements() { Self::Unlimited } else { Self::OfRequest }
    }
}

impl Conn {
    /// Reads in one snapshot.
    pub fn in_one_snapshot<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        begin(self, Begins::Snapshot, Statements::Unlimited)?;
        end(self, work)
    }
}

/// Lets the server end a transaction that has not been heard of for so long: where the way between has broken without a word, the
/// server would hold the locks of the transaction, and other instances would wait for the locks.
fn abandoned_after(seconds: u32) -> String {
    format!("SET LOCAL idle_in_transaction_session_timeout = '{seconds}s'")
}

pub(super) fn begin(conn: &mut Conn, begins: Begins, statements: Statements) -> Result<()> {
    match conn {
        Conn::Sqlite(conn) => {
            let sql = if begins == Begins::Snapshot { "BEGIN" } else { "BEGIN IMMEDIATE" };
            AnsiTransactionManager::begin_transaction_sql(conn, sql)?;
        }
        Conn::Postgres(conn) => {
            let sql = match begins {
                Begins::Snapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
                Begins::Unit => "BEGIN ISOLATION LEVEL READ COMMITTED",
            };
            // All of it goes to the server together.
            let limits = match statements {
                Statements::Unlimited => abandoned_after(LONGEST_PAUSE_SECONDS),
                Statements::OfRequest => format!(
                    "{}; SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'",
                    abandoned_after(PAUSE_SECONDS)
                ),
            };
            AnsiTransactionManager::begin_transaction_sql(conn, &format!("{sql}; {limits}"))?;
        }
    }
    Ok(())
}

pub(super) fn end<T>(conn: &mut Conn, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    match work(conn) {
        Ok(value) => commit(conn).map(|()| value).map_err(Error::from),
        Err(error) => {
            // The connection is tested afterwards; the error of the work is the one to report.
            let _ = Transactions::rollback_transaction(conn);
            Err(error)
        }
    }
}

/// Runs a unit in the open transaction, and commits the transaction.
pub(super) fn attempt<T>(conn: &mut Conn, unit: &dyn Fn(&mut Conn) -> Result<Done<T>>) -> Result<UnitEnd<T>> {
    let Done { value, witness } = match guarded(conn, unit) {
        Ok(done) => done,
        Err(error) => {
            let _ = Transactions::rollback_transaction(conn);
            return Err(error);
        }
    };
    match commit(conn) {
        Ok(()) => Ok(UnitEnd::Durable(value)),
        Err(error) if Fault::of_server(&error).leaves_commit_unknown() => {
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
