//! Opening a connection: the address of the database, and the settings of the connection.

#![expect(missing_docs, reason = "the derive makes public items of its own")]

use super::address::ServerAddress;
use diesel::{
    Connection, ConnectionError, ConnectionResult, PgConnection, SqliteConnection,
    connection::SimpleConnection,
};
use std::{
    path::PathBuf,
    str::FromStr,
    time::{Duration, Instant},
};

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    /// PostgreSQL 15 or later.
    Postgres(PgConnection),
    /// The embedded SQLite.
    Sqlite(SqliteConnection),
}

/// Runs one statement on the connection of the database in use: for statements the common type cannot express
/// (`ON CONFLICT`, inserting many rows), and for hot paths where a benchmark shows the gain.
macro_rules! native {
    ($conn:expr, $native:ident => $body:expr) => {
        match $conn {
            $crate::platform::db::Conn::Postgres($native) => $body,
            $crate::platform::db::Conn::Sqlite($native) => $body,
        }
    };
}
pub(crate) use native;

/// Inserts many rows: by `COPY` on PostgreSQL; on SQLite row for row by a prepared statement, because one statement for
/// many rows has to be parsed each time and keeps a journal of its own. A row may have 32 columns.
macro_rules! insert_many {
    ($conn:expr, $table:expr, $rows:expr) => {
        match $conn {
            $crate::platform::db::Conn::Postgres(conn) => {
                if !$rows.is_empty() {
                    diesel::copy_from($table).from_insertable($rows).execute(conn)?;
                }
            }
            $crate::platform::db::Conn::Sqlite(conn) => {
                for row in $rows {
                    diesel::insert_into($table).values(row).execute(conn)?;
                }
            }
        }
    };
}
pub(crate) use insert_many;

/// Inserts rows with different keys, and changes the rows whose key is there already: 1,000 rows a statement on
/// PostgreSQL, where each statement is a round trip; row for row on SQLite.
macro_rules! upsert_many {
    ($conn:expr, $table:expr, $rows:expr, $key:expr, $set:expr) => {
        match $conn {
            $crate::platform::db::Conn::Postgres(conn) => {
                for rows in $rows.chunks(1000) {
                    let insert = diesel::insert_into($table).values(rows);
                    insert.on_conflict($key).do_update().set($set).execute(conn)?;
                }
            }
            $crate::platform::db::Conn::Sqlite(conn) => {
                for row in $rows {
                    let insert = diesel::insert_into($table).values(row);
                    insert.on_conflict($key).do_update().set($set).execute(conn)?;
                }
            }
        }
    };
}
pub(crate) use upsert_many;

/// Locks the rows of a query for `$mode`, such as `for_update` or `for_share`, until the end of the unit, in the order of
/// the query; other units that want one of the rows wait. SQLite has one writer, which needs no locks. The answer is
/// whether another unit may have changed the rows since this unit read them.
macro_rules! lock_rows {
    ($conn:expr, $mode:ident, $query:expr) => {
        match $conn {
            $crate::platform::db::Conn::Postgres(conn) => {
                diesel::QueryDsl::$mode($query).execute(conn)?;
                true
            }
            $crate::platform::db::Conn::Sqlite(_) => false,
        }
    };
}
pub(crate) use lock_rows;

/// The address of the database: `sqlite://path` or `postgres://...`.
#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    /// The database file of SQLite.
    Sqlite(PathBuf),
    /// The URL of the PostgreSQL server, with its password: shown by `Display` alone, which leaves secrets out.
    Postgres(String),
}

impl FromStr for Target {
    type Err = String;

    /// Reads an address. An error never holds a piece of the address, which may be one of the password.
    fn from_str(url: &str) -> Result<Self, String> {
        match url.split_once("://") {
            Some(("postgres" | "postgresql", _)) => {
                ServerAddress::of(url).map(|_| Self::Postgres(url.to_owned()))
            }
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            _ => {
                Err("write sqlite://PATH for the embedded database or postgres://USER@HOST/NAME for a server"
                    .into())
            }
        }
    }
}

impl std::fmt::Display for Target {
    /// The address without user name, password and other parameters.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(url) => match ServerAddress::of(url) {
                Ok(address) => f.write_str(&address.shown()),
                Err(_) => f.write_str("postgres://…"),
            },
        }
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// SQLite's usual room: 16 MiB of pages in memory, and a write-ahead log of 4 MiB before it goes into the file.
const USUAL: &str = "PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 1000;";
/// SQLite's room for bulk work: 40 MiB of pages in memory, and a write-ahead log of 128 MiB.
const BULK: &str = "PRAGMA cache_size = -40960; PRAGMA wal_autocheckpoint = 32768;";

/// How long the file of SQLite is waited for while other instances make it.
const MADE_WITHIN: Duration = Duration::from_secs(60);

/// The URL with the seconds after which connecting is given up, where it says none.
fn with_deadline(url: &str) -> String {
    if ServerAddress::of(url).is_ok_and(|address| address.says("connect_timeout")) {
        return url.to_owned();
    }
    let mark = if url.contains('?') { '&' } else { '?' };
    format!("{url}{mark}connect_timeout=5")
}

impl Conn {
    /// Makes room for units that write thousands of rows each (`bulk`), or goes back to the usual room.
    ///
    /// Such a unit changes pages all over the indexes, many of them the pages of the unit before. With room for the pages
    /// SQLite writes a page once for each unit, and copies the page into the file once for several units; a commit is as
    /// durable as ever. PostgreSQL has room for all connections together, by the settings of its server.
    pub fn expect_bulk(&mut self, bulk: bool) -> diesel::QueryResult<()> {
        match self {
            Self::Sqlite(conn) => conn.batch_execute(if bulk { BULK } else { USUAL }),
            Self::Postgres(_) => Ok(()),
        }
    }
}

impl Conn {
    pub(super) fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// Lets the statements of this transaction wait for other transactions so many seconds at most. SQLite waits for its
    /// one writer as long as the connection is set to.
    pub fn wait_for_locks_at_most(&mut self, seconds: u32) -> diesel::QueryResult<()> {
        match self {
            Self::Postgres(conn) => conn.batch_execute(&format!("SET LOCAL lock_timeout = '{seconds}s'")),
            Self::Sqlite(_) => Ok(()),
        }
    }
}

impl Target {
    /// Whether some way to the server leaves this machine, so that rows would cross a network.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        self.asks_the_server(|address| address.is_remote(&|name| std::env::var_os(name)))
    }

    /// Whether a connection that is not encrypted is given up: `sslmode` is `require` or stricter.
    #[must_use]
    pub fn insists_on_tls(&self) -> bool {
        self.asks_the_server(|address| address.insists_on_tls(&|name| std::env::var_os(name)))
    }

    fn asks_the_server(&self, question: impl FnOnce(&ServerAddress) -> bool) -> bool {
        let Self::Postgres(url) = self else { return false };
        ServerAddress::of(url).is_ok_and(|address| question(&address))
    }

    /// Opens a connection, ready for use. A server that does not answer is given up after some seconds: nobody else could
    /// connect meanwhile.
    pub fn open(&self) -> ConnectionResult<Conn> {
        let mut conn = self.open_to_look()?;
        if let Conn::Sqlite(sqlite) = &mut conn {
            as_write_ahead_log(sqlite)
                // With `FULL` a commit that was answered survives a power cut, not only a crash.
                .and_then(|()| {
                    sqlite.batch_execute(
                        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA mmap_size = 268435456; \
                         PRAGMA secure_delete = FAST; \
                         PRAGMA temp_store = MEMORY;",
                    )
                })
                .and_then(|()| sqlite.batch_execute(USUAL))
                .map_err(ConnectionError::CouldntSetupConfiguration)?;
        }
        Ok(conn)
    }

    /// Opens a connection that has changed nothing of the database, not even the journal of its file.
    pub(super) fn open_to_look(&self) -> ConnectionResult<Conn> {
        match self {
            Self::Postgres(url) => {
                PgConnection::establish(&with_deadline(url)).map(Conn::Postgres).map_err(|error| {
                    let said = error.to_string();
                    let said = ServerAddress::of(url).map_or(said.clone(), |address| address.scrubbed(&said));
                    ConnectionError::BadConnection(said)
                })
            }
            Self::Sqlite(path) => {
                let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
                conn.batch_execute("PRAGMA busy_timeout = 5000")
                    .map_err(ConnectionError::CouldntSetupConfiguration)?;
                Ok(Conn::Sqlite(conn))
            }
        }
    }
}

/// Makes a file of SQLite keep a write-ahead log. SQLite does not wait by itself for another instance that does so, or
/// that makes the tables.
fn as_write_ahead_log(conn: &mut SqliteConnection) -> diesel::QueryResult<()> {
    let begun = Instant::now();
    loop {
        match conn.batch_execute("PRAGMA journal_mode = WAL") {
            Err(error) if error.to_string().contains("locked") && begun.elapsed() < MADE_WITHIN => {
                std::thread::sleep(Duration::from_millis(20));
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_two_schemes_are_taken() {
        assert_eq!("sqlite://data/a.db".parse(), Ok(Target::Sqlite("data/a.db".into())));
        assert!(matches!("postgresql://u@h/d".parse(), Ok(Target::Postgres(_))));
        for url in ["mysql://h/d", "data/a.db", "sqlite://", "", "file.db"] {
            assert!(url.parse::<Target>().is_err(), "{url}");
        }
    }

    #[test]
    fn connecting_has_a_deadline_unless_the_url_sets_one() {
        assert_eq!(with_deadline("postgres://h/d"), "postgres://h/d?connect_timeout=5");
        assert_eq!(with_deadline("postgres:///d?host=/run"), "postgres:///d?host=/run&connect_timeout=5");
        let own = "postgres://h/d?connect_timeout=60";
        assert_eq!(with_deadline(own), own);
    }

    #[test]
    fn a_password_is_never_printed() {
        for url in ["postgres://u:s3cr3t@h/d", "postgres://h/d?password=s3cr3t", "host=h password=s3cr3t"] {
            let said = match url.parse::<Target>() {
                Ok(target) => format!("{target} {target:?}"),
                Err(fault) => fault,
            };
            assert!(!said.contains("s3cr3t"), "{said}");
        }
    }
}
