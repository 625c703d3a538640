//! Columns of bytes that are named by the caller: all of them read, or one exchanged.

use super::{Conn, types::Guid};
use crate::platform::{Result, values::Id};
use diesel::{
    QueryableByName, RunQueryDsl, sql_query,
    sql_types::{Binary, Nullable},
};

/// A column of bytes, and the column with the ids of its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BytesColumn {
    /// The name of the table.
    pub table: &'static str,
    /// The column with the id of a row.
    pub row: &'static str,
    /// The column of bytes.
    pub column: &'static str,
}

/// The bytes of one row.
#[derive(QueryableByName)]
pub struct RowBytes {
    /// The id of the row.
    #[diesel(sql_type = Guid)]
    pub id: Id,
    /// The bytes.
    #[diesel(sql_type = Binary)]
    pub bytes: Vec<u8>,
}

#[derive(QueryableByName)]
struct Beginning {
    #[diesel(sql_type = Nullable<Binary>)]
    beginning: Option<Vec<u8>>,
}

impl Conn {
    /// The bytes of every row that has some, by row.
    pub fn bytes_of(&mut self, BytesColumn { table, row, column }: BytesColumn) -> Result<Vec<RowBytes>> {
        let all = format!(
            "SELECT {row} AS id, {column} AS bytes FROM {table} WHERE {column} IS NOT NULL ORDER BY {row}"
        );
        Ok(sql_query(all).load(self)?)
    }

    /// The different beginnings of this length; none of a column that is not there yet.
    pub fn beginnings_of(&mut self, of: BytesColumn, length: usize) -> Result<Vec<Vec<u8>>> {
        let BytesColumn { table, column, .. } = of;
        if !self.has_column(table, column)? {
            return Ok(Vec::new());
        }
        let different = format!("SELECT DISTINCT substr({column}, 1, {length}) AS beginning FROM {table}");
        let found: Vec<Beginning> = sql_query(different).load(self)?;
        Ok(found.into_iter().filter_map(|found| found.beginning).collect())
    }

    /// Exchanges the bytes of a row for others, unless they have changed; whether they were exchanged.
    pub fn exchange_bytes(&mut self, of: BytesColumn, old: &RowBytes, new: &[u8]) -> Result<bool> {
        let BytesColumn { table, row, column } = of;
        let [to, at, from] = if self.is_sqlite() { ["?", "?", "?"] } else { ["$1", "$2", "$3"] };
        let update = format!("UPDATE {table} SET {column} = {to} WHERE {row} = {at} AND {column} = {from}");
        let update = sql_query(update).bind::<Binary, _>(new).bind::<Guid, _>(old.id);
        Ok(update.bind::<Binary, _>(old.bytes.as_slice()).execute(self)? > 0)
    }
}
