//! The versions of the schema, embedded in the binary; both databases have the same versions.

use super::{
    Conn, Target,
    unit::{Begins, Statements, begin, end},
};
use crate::platform::{Error, Result, files};
use diesel::{
    Connection, QueryResult, QueryableByName, RunQueryDsl,
    connection::{CacheSize, SimpleConnection},
    migration::MigrationSource,
    sql_query,
    sql_types::{Integer, Text},
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::collections::BTreeSet;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The advisory lock that migrating instances take in turn; a number no other program on the server uses.
const LOCK: &str = "7301726548115923";

/// Brings the database to the newest version; returns how many versions were applied.
/// Of several instances that migrate at once one works, the others wait. All versions are applied, or none.
pub(super) fn up(target: &Target) -> Result<usize> {
    alone(target, |conn| {
        refuse_newer(conn)?;
        let done = match conn {
            Conn::Sqlite(conn) => conn.run_pending_migrations(SQLITE).map(|done| done.len()),
            Conn::Postgres(conn) => conn.run_pending_migrations(POSTGRES).map(|done| done.len()),
        };
        done.map_err(Error::internal)
    })
}

/// Takes every version back, newest first. For tests and for a deliberate fresh start.
pub(super) fn down(target: &Target) -> Result<usize> {
    alone(target, |conn| {
        let done = match conn {
            Conn::Sqlite(conn) => conn.revert_all_migrations(SQLITE).map(|done| done.len()),
            Conn::Postgres(conn) => conn.revert_all_migrations(POSTGRES).map(|done| done.len()),
        };
        done.map_err(Error::internal)
    })
}

/// Reads a database before anything is written to it: none where there is no schema yet. Refuses a database that this
/// binary must not write to: one of a newer version, or of an encoding that does not hold every text.
pub(super) fn look<T>(target: &Target, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<Option<T>> {
    if let Target::Sqlite(path) = target
        && std::fs::metadata(path).map_or(0, |file| file.len()) == 0
    {
        return Ok(None);
    }
    let mut conn = target.open_to_look().map_err(|error| unopened(target, &error))?;
    conn.set_prepared_statement_cache_size(CacheSize::Disabled);
    refuse_encoding(&mut conn)?;
    // The file of SQLite is opened by the first statement.
    let has_versions = conn.has_table(VERSIONS).map_err(|error| match &error.source {
        Some(source) if conn.is_sqlite() => unopened(target, source),
        _ => error,
    })?;
    if !has_versions {
        return Ok(None);
    }
    refuse_newer(&mut conn)?;
    work(&mut conn).map(Some)
}

/// Whether this binary knows a version of the schema.
pub(super) fn knows(version: &str) -> Result<bool> {
    Ok(known()?.contains(version))
}

/// The table in which the versions of a database stand.
pub(super) const VERSIONS: &str = "__diesel_schema_migrations";

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
}

fn known() -> Result<BTreeSet<String>> {
    let all = MigrationSource::<diesel::sqlite::Sqlite>::migrations(&SQLITE).map_err(Error::internal)?;
    Ok(all.iter().map(|migration| migration.name().version().to_string()).collect())
}

fn refuse_newer(conn: &mut Conn) -> Result<()> {
    if !conn.has_table(VERSIONS)? {
        return Ok(());
    }
    let known = known()?;
    let query = format!("SELECT version AS word FROM {VERSIONS} ORDER BY version");
    let applied: Vec<Word> = sql_query(query).load(conn)?;
    match applied.into_iter().find(|applied| !known.contains(&applied.word)) {
        None => Ok(()),
        Some(Word { word }) => Err(Error::internal(format!(
            "the database has version {word} of the schema, which this binary does not know: start the release that \
             the database was last used with, or a newer one"
        ))),
    }
}

fn refuse_encoding(conn: &mut Conn) -> Result<()> {
    if conn.is_sqlite() {
        return Ok(());
    }
    let encoding: Word = sql_query("SELECT current_setting('server_encoding') AS word").get_result(conn)?;
    if encoding.word == "UTF8" {
        return Ok(());
    }
    Err(Error::internal(format!(
        "the database is encoded in {}, which does not hold every name: make it anew with CREATE DATABASE … TEMPLATE \
         template0 ENCODING 'UTF8'",
        encoding.word
    )))
}

impl Conn {
    /// Whether the database has a table of this name.
    pub fn has_table(&mut self, name: &str) -> Result<bool> {
        let query = match self {
            Self::Sqlite(_) => "SELECT name AS word FROM sqlite_schema WHERE type = 'table' AND name = ?",
            Self::Postgres(_) => {
                "SELECT tablename::text AS word FROM pg_tables \
                 WHERE schemaname = ANY (current_schemas(false)) AND tablename = $1"
            }
        };
        let found: Vec<Word> = sql_query(query).bind::<Text, _>(name).load(self)?;
        Ok(found.iter().any(|found| found.word == name))
    }

    /// Whether the database has a table of this name with a column of this name.
    pub fn has_column(&mut self, table: &str, column: &str) -> Result<bool> {
        let query = match self {
            Self::Sqlite(_) => "SELECT name AS word FROM pragma_table_info(?) WHERE name = ?",
            Self::Postgres(_) => {
                "SELECT attname::text AS word FROM pg_attribute \
                 WHERE attrelid = to_regclass($1) AND attname = $2 AND NOT attisdropped"
            }
        };
        let query = sql_query(query).bind::<Text, _>(table).bind::<Text, _>(column);
        let found: Vec<Word> = query.load(self)?;
        Ok(!found.is_empty())
    }
}

/// A database that cannot be opened, in one sentence: drivers write several lines.
fn unopened(target: &Target, error: &impl std::fmt::Display) -> Error {
    let why = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    Error::unavailable(format!(
        "DATABASE_URL: {target} cannot be opened: {why}; name a file in a folder that can be written to, or a server \
         that runs"
    ))
}

/// Runs work as the only instance that changes the schema, all of it or nothing.
fn alone<T>(target: &Target, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    if let Target::Sqlite(path) = target {
        files::make_database_private(path).map_err(|error| unopened(target, &error))?;
    }
    let mut conn = open(target)?;
    refuse_encoding(&mut conn)?;
    if conn.is_sqlite() {
        // A table that a version drops may have held what is sealed from then on.
        conn.batch_execute("PRAGMA busy_timeout = 60000; PRAGMA secure_delete = ON")?;
    }
    begin(&mut conn, Begins::Unit, Statements::Unlimited)?;
    end(&mut conn, |conn| {
        if !conn.is_sqlite() {
            conn.batch_execute(&format!("SELECT pg_advisory_xact_lock({LOCK})"))?;
        }
        work(conn)
    })
}

/// A connection that keeps no statement between transactions.
fn open(target: &Target) -> Result<Conn> {
    let mut conn = target.open().map_err(|error| unopened(target, &error))?;
    conn.set_prepared_statement_cache_size(CacheSize::Disabled);
    Ok(conn)
}

/// Whether a pooler between the service and PostgreSQL gives each transaction another connection of the server, as
/// PgBouncer does with `pool_mode = transaction`: then one process of the server serves two clients, or two processes serve
/// one. No, where the server is away.
pub(super) fn pools_transactions(target: &Target) -> bool {
    if matches!(target, Target::Sqlite(_)) {
        return false;
    }
    let Ok(mut one) = open(target) else { return false };
    let Ok(mut other) = open(target) else { return false };
    let mut look = || -> QueryResult<bool> {
        let first = process_of(&mut one)?;
        other.batch_execute("BEGIN")?;
        let second = process_of(&mut other);
        let third = process_of(&mut one);
        other.batch_execute("COMMIT")?;
        Ok(second? == first || third? != first)
    };
    (0..3).any(|_| look().unwrap_or(false))
}

fn process_of(conn: &mut Conn) -> QueryResult<i32> {
    #[derive(QueryableByName)]
    struct Process {
        #[diesel(sql_type = Integer)]
        id: i32,
    }
    sql_query("SELECT pg_backend_pid() AS id").get_result(conn).map(|Process { id }| id)
}
