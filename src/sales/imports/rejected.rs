//! The rejected rows of an import as a file: to mend, and to send again.

use super::{
    columns::{ADDED, COLUMNS},
    store, words,
};
use crate::{
    access::Tx,
    platform::{Result, csv, db::types::Json, values::Id},
};
use std::collections::{BTreeMap, BTreeSet};

/// The rows of one piece of the file.
const ROWS: i64 = 500;

/// The faults of a row, and how to mend them.
#[derive(Default)]
struct RowFaults {
    messages: Vec<String>,
    /// Each remedy once.
    remedies: BTreeSet<&'static str>,
}

/// Writes the rejected rows of an import in the columns of an import, each with its errors and remedies. The first piece
/// begins with the line of column names.
pub(super) fn write(tx: &mut Tx<'_>, import: Id, mut piece: impl FnMut(Vec<u8>) -> Result<()>) -> Result<()> {
    let import = store::get(tx, import)?.id;
    let [.., error, remedy] = ADDED;
    let mut text = String::new();
    csv::line(&mut text, COLUMNS.iter().map(|column| column.name).chain([error, remedy]));
    let mut after = 0;
    loop {
        let rows = store::rejected(tx, import, after, ROWS)?;
        let (Some(first), Some(last)) = (rows.first().map(|row| row.line), rows.last().map(|row| row.line))
        else {
            return if text.is_empty() { Ok(()) } else { piece(text.into_bytes()) };
        };
        let mut faults: BTreeMap<i64, RowFaults> = BTreeMap::new();
        for error in store::errors_of_lines(tx, import, first, last)? {
            let of_row = faults.entry(error.line).or_default();
            of_row.remedies.insert(words::remedy(&error, tx.language));
            of_row.messages.push(match error.pointer.as_str() {
                "" => error.message,
                pointer => format!("{pointer}: {}", error.message),
            });
        }
        for row in rows {
            let of_row = faults.remove(&row.line).unwrap_or_default();
            let (messages, remedies) =
                (of_row.messages.join("; "), Vec::from_iter(of_row.remedies).join(" "));
            let Json(cells) = &row.cells;
            let cells = COLUMNS.iter().map(|column| cells.get(column.name));
            csv::line(&mut text, cells.chain([messages.as_str(), remedies.as_str()]));
        }
        piece(std::mem::take(&mut text).into_bytes())?;
        after = last;
    }
}
