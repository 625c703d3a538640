//! Opening a connection: the address of the database, and the settings of the connection.

#![expect(missing_docs, reason = "the derive makes public items of its own")]

use diesel::{Connection, PgConnection, SqliteConnection, connection::SimpleConnection};
use std::{path::PathBuf, str::FromStr};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The database file of SQLite.
    Sqlite(PathBuf),
    /// The URL of the PostgreSQL server.
    Postgres(String),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        match url.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(url.to_owned())),
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            _ => {
                Err("write sqlite://PATH for the embedded database or postgres://USER@HOST/NAME for a server"
                    .into())
            }
        }
    }
}

impl std::fmt::Display for Target {
    /// The address without user name and password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(url) => match url.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@')) {
                Some((_, host)) => write!(f, "postgres://{host}"),
                None => f.write_str(url),
            },
        }
    }
}

/// SQLite's usual room: 16 MiB of pages in memory, and a write-ahead log of 4 MiB before it goes into the file.
const USUAL: &str = "PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 1000;";
/// SQLite's room for bulk work: 40 MiB of pages in memory, and a write-ahead log of 128 MiB.
const BULK: &str = "PRAGMA cache_size = -40960; PRAGMA wal_autocheckpoint = 32768;";

/// The URL with the seconds after which connecting is given up, where it says none.
fn with_deadline(url: &str) -> String {
    if url.contains("connect_timeout") {
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
    /// Whether the server runs on another machine, so that rows would cross a network in plain text.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        let Self::Postgres(url) = self else { return false };
        let rest = url.split_once("://").map_or("", |(_, rest)| rest);
        if rest.split_once('?').is_some_and(|(_, query)| query.contains("host=/")) {
            return false;
        }
        let authority = rest.split(['/', '?']).next().unwrap_or("");
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let host = host
            .strip_prefix('[')
            .map_or_else(|| host.split(':').next().unwrap_or(""), |v6| v6.split(']').next().unwrap_or(""));
        !(host.is_empty()
            || host == "localhost"
            || host == "::1"
            || host.starts_with("127.")
            || host.starts_with("%2F"))
    }

    /// Opens a connection, ready for use. A server that does not answer is given up after some seconds: nobody else could
    /// connect meanwhile.
    pub fn open(&self) -> diesel::ConnectionResult<Conn> {
        match self {
            Self::Postgres(url) => PgConnection::establish(&with_deadline(url)).map(Conn::Postgres),
            Self::Sqlite(path) => {
                let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
                // With `FULL` a commit that was answered survives a power cut, not only a crash.
                conn.batch_execute(
                    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                     PRAGMA foreign_keys = ON; PRAGMA mmap_size = 268435456; PRAGMA temp_store = MEMORY;",
                )
                .and_then(|()| conn.batch_execute(USUAL))
                .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
                Ok(Conn::Sqlite(conn))
            }
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
    fn a_remote_server_is_told_from_a_local_one() {
        let remote = |url: &str| url.parse::<Target>().unwrap().is_remote();
        for url in [
            "postgres://u:p@db.example.com/x",
            "postgres://db.example.com:5432/x",
            "postgres://u@10.0.0.7/x",
            "postgres://[2001:db8::1]:5432/x",
        ] {
            assert!(remote(url), "{url}");
        }
        for url in [
            "postgres:///x",
            "postgres://u@localhost:5433/x",
            "postgres://127.0.0.1/x",
            "postgres://[::1]/x",
            "postgres:///x?host=/run/postgresql",
        ] {
            assert!(!remote(url), "{url}");
        }
    }
}
