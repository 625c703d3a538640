//! A connection to either database, and the statements that only one of them has.

#![expect(missing_docs, reason = "the derive makes public items of its own")]

use diesel::{
    PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, connection::SimpleConnection, sql_query,
    sql_types::Bool,
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

/// SQLite's usual room: 16 MiB of pages in memory, and a write-ahead log of 4 MiB before it goes into the file. A log that
/// has grown longer, because a reader needed it, is cut to 8 MiB once the reader has gone.
pub(super) const USUAL: &str =
    "PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 8388608;";
/// SQLite's room for bulk work: 40 MiB of pages in memory, and a write-ahead log of 128 MiB.
const BULK: &str =
    "PRAGMA cache_size = -40960; PRAGMA wal_autocheckpoint = 32768; PRAGMA journal_size_limit = -1;";

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

/// A write that takes room: on SQLite a commit of the first page, on PostgreSQL pages that vanish with their commit.
const SQLITE_WRITE: &str = "BEGIN IMMEDIATE; PRAGMA user_version = 0; COMMIT;";
const POSTGRES_WRITE: &str = "BEGIN; CREATE TEMPORARY TABLE writing_probe ON COMMIT DROP AS \
    SELECT repeat(md5(n::text), 100) AS filler FROM generate_series(1, 50) AS n; COMMIT;";

impl Conn {
    pub(super) fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// Whether the database answers and takes writes; a standby does not.
    pub(super) fn takes_writes(&mut self) -> diesel::QueryResult<bool> {
        #[derive(QueryableByName)]
        struct Server {
            #[diesel(sql_type = Bool)]
            takes_writes: bool,
        }
        match self {
            Self::Sqlite(conn) => conn.batch_execute("PRAGMA schema_version").map(|()| true),
            Self::Postgres(conn) => {
                let ask = "SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off' \
                           AS takes_writes";
                sql_query(ask).get_result(conn).map(|Server { takes_writes }| takes_writes)
            }
        }
    }

    /// Writes and commits something that nobody sees. Afterwards SQLite's log holds no commit that was not confirmed: the
    /// new commit has taken its place.
    pub(super) fn write_something(&mut self) -> diesel::QueryResult<()> {
        let written = match self {
            Self::Sqlite(conn) => conn.batch_execute(SQLITE_WRITE),
            Self::Postgres(conn) => conn.batch_execute(POSTGRES_WRITE),
        };
        written.inspect_err(|_| _ = self.batch_execute("ROLLBACK"))
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
