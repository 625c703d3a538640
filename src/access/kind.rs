//! The kind of the database: production, or a sandbox. The kind is written with the first records and never changes.

use super::Tx;
use crate::{
    config::DatabaseKind,
    platform::{Error, Result, db::Conn},
    schema::database_kind,
};
use diesel::prelude::*;

/// The kind of a database that has its first records; none of a new database.
pub(super) fn of(conn: &mut Conn) -> Result<Option<DatabaseKind>> {
    Ok(database_kind::table.select(database_kind::kind).first(conn).optional()?)
}

impl Tx<'_> {
    /// The kind of the database.
    pub fn kind(&mut self) -> Result<DatabaseKind> {
        of(self.conn)?.ok_or_else(|| Error::internal("the database has no kind"))
    }
}

/// Writes the kind of a new database.
pub(super) fn set(conn: &mut Conn, kind: DatabaseKind) -> Result<()> {
    let row = (database_kind::only_row.eq(1), database_kind::kind.eq(kind));
    diesel::insert_into(database_kind::table).values(row).execute(conn)?;
    Ok(())
}

/// The kind of a database of any version: those from before kinds were written are of production.
pub(super) fn of_any_version(
    conn: &mut Conn,
    begun: fn(&mut Conn) -> Result<bool>,
) -> Result<Option<DatabaseKind>> {
    if conn.has_table("database_kind")? {
        return of(conn);
    }
    Ok(begun(conn)?.then_some(DatabaseKind::Production))
}

/// Refuses made-up records in a database that keeps real ones.
pub(super) fn refuse_made_up_records(found: Option<DatabaseKind>, asked: DatabaseKind) -> Result<()> {
    if asked == DatabaseKind::Sandbox && found == Some(DatabaseKind::Production) {
        return Err(Error::internal(
            "DATABASE_URL: the database is of production, and the demo fills and opens sandboxes alone, whose passwords \
             everybody knows: name a database that does not exist yet, or leave DATABASE_URL out; the file of a demo of \
             an earlier release is removed by hand",
        ));
    }
    Ok(())
}
