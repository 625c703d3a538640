//! The versions of the schema, embedded in the binary; both databases have the same versions.

use super::{Conn, Target};
use crate::platform::{Error, Result};
use diesel::connection::SimpleConnection;
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
    let mut conn = target.open().map_err(Error::unavailable)?;
    let lock = |conn: &mut Conn, function: &str| match conn {
        Conn::Postgres(conn) => conn.batch_execute(&format!("SELECT {function}({LOCK})")),
        Conn::Sqlite(_) => Ok(()),
    };
    lock(&mut conn, "pg_advisory_lock")?;
    let done = work(&mut conn).map_err(Error::internal);
    lock(&mut conn, "pg_advisory_unlock")?;
    done
}
