//! What only one process on a database may do at a time.

use super::{Conn, Target};
use crate::platform::{Error, Result};
use diesel::{QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Bool};

/// Any number that no one else on the server uses.
const LOCK: i64 = 7_301_726_548_115_924;

/// The right to be the only one, held until this is dropped or the process ends, however it ends.
///
/// PostgreSQL: an advisory lock of a transaction that stays open, so that it holds behind a pooler too. SQLite: the
/// exclusive lock on a file beside the database, which the operating system lets go with the process.
pub struct Alone {
    #[expect(dead_code, reason = "held for its transaction")]
    conn: Conn,
}

#[derive(QueryableByName)]
struct Got {
    #[diesel(sql_type = Bool)]
    got: bool,
}

impl Alone {
    /// Takes the right; `None` where somebody else has it.
    pub(super) fn on(target: &Target) -> Result<Option<Self>> {
        let beside = match target {
            Target::Postgres(_) => target.clone(),
            Target::Sqlite(path) => Target::Sqlite(path.with_extension("lock")),
        };
        let mut conn = beside.open_plainly().map_err(Error::unavailable)?;
        let got = match &mut conn {
            Conn::Postgres(conn) => {
                conn.batch_execute("BEGIN")?;
                let lock = format!("SELECT pg_try_advisory_xact_lock({LOCK}) AS got");
                sql_query(lock).get_result::<Got>(conn)?.got
            }
            Conn::Sqlite(conn) => conn.batch_execute("BEGIN EXCLUSIVE").is_ok(),
        };
        Ok(got.then_some(Self { conn }))
    }
}
