//! The versions of the schema, embedded in the binary; both databases have the same versions.

use super::{Conn, Target};
use crate::platform::{Error, Result};
use diesel::{
    Connection, QueryResult, QueryableByName, RunQueryDsl,
    connection::{CacheSize, SimpleConnection},
    sql_query,
    sql_types::Integer,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The advisory lock that migrating instances take in turn; a number no other program on the server uses.
const LOCK: &str = "7301726548115923";

/// Brings the database to the newest version; returns how many versions were applied.
/// Of several instances that migrate at once one works, the others wait.
pub(super) fn up(target: &Target) -> Result<usize> {
    on(target, |conn| match conn {
        Conn::Sqlite(conn) => conn.run_pending_migrations(SQLITE).map(|done| done.len()),
        Conn::Postgres(conn) => conn.run_pending_migrations(POSTGRES).map(|done| done.len()),
    })
}

/// Takes every version back, newest first. For tests and for a deliberate fresh start.
pub(super) fn down(target: &Target) -> Result<usize> {
    on(target, |conn| match conn {
        Conn::Sqlite(conn) => conn.revert_all_migrations(SQLITE).map(|done| done.len()),
        Conn::Postgres(conn) => conn.revert_all_migrations(POSTGRES).map(|done| done.len()),
    })
}

fn on(target: &Target, work: impl FnOnce(&mut Conn) -> diesel::migration::Result<usize>) -> Result<usize> {
    let mut conn = open(target)?;
    // The lock belongs to a transaction of its own, which a pooler leaves on one connection of the server, and which ends
    // with its connection.
    let _held = match conn {
        Conn::Postgres(_) => {
            let mut held = open(target)?;
            held.batch_execute(&format!("BEGIN; SELECT pg_advisory_xact_lock({LOCK})"))?;
            Some(held)
        }
        Conn::Sqlite(_) => None,
    };
    work(&mut conn).map_err(Error::internal)
}

/// A connection that keeps no statement between transactions.
fn open(target: &Target) -> Result<Conn> {
    let mut conn = target.open().map_err(Error::unavailable)?;
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
