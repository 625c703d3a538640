//! Copies of a database, and what tells whether two databases are the same.

use super::{Conn, Target, migrate};
use crate::platform::{Error, Result};
use diesel::{
    QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    sql_query,
    sql_types::{BigInt, Text},
};
use std::{collections::BTreeMap, path::Path};

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

impl Conn {
    /// Writes a copy of an embedded database into an empty file, in one snapshot, while others read and write.
    pub fn copy_into(&mut self, file: &Path) -> Result<()> {
        let Self::Sqlite(conn) = self else {
            return Err(Error::internal("a server is copied by its own tools: pg_dump, or a base backup"));
        };
        sql_query("VACUUM INTO ?").bind::<Text, _>(file.to_string_lossy().as_ref()).execute(conn)?;
        Ok(())
    }

    /// Refuses a database whose file is damaged.
    pub fn refuse_damaged(&mut self) -> Result<()> {
        let Self::Sqlite(conn) = self else { return Ok(()) };
        let found: Vec<Named> =
            sql_query("SELECT integrity_check AS name FROM pragma_integrity_check").load(conn)?;
        match found.first() {
            Some(first) if first.name != "ok" => {
                Err(Error::internal(format!("the database is damaged: {}", first.name)))
            }
            _ => Ok(()),
        }
    }

    /// The number of rows of every table.
    pub fn counts(&mut self) -> Result<BTreeMap<String, i64>> {
        let tables = match self {
            Self::Sqlite(_) => {
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            }
            Self::Postgres(_) => {
                "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = ANY (current_schemas(false))"
            }
        };
        let tables: Vec<Named> = sql_query(tables).load(self)?;
        let mut counts = BTreeMap::new();
        for Named { name } in tables {
            let Counted { rows } =
                sql_query(format!("SELECT count(*) AS rows FROM \"{name}\"")).get_result(self)?;
            counts.insert(name, rows);
        }
        Ok(counts)
    }

    /// The version of the database's schema.
    pub fn schema_version(&mut self) -> Result<String> {
        let newest = format!("SELECT max(version) AS name FROM {}", migrate::VERSIONS);
        let Named { name } = sql_query(newest).get_result(self)?;
        Ok(name)
    }
}

impl Target {
    /// Folds the log of an embedded database into its file, so that the file alone is the database; refuses a database
    /// that somebody has open.
    pub fn fold(&self) -> Result<()> {
        let mut conn = self.open_to_look().map_err(Error::unavailable)?;
        conn.batch_execute("PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE")
            .map_err(|error| Error::internal(format!("{self} is in use: stop what uses it first ({error})")))
    }
}
