//! The import; no I/O, no clock, no HTTP.

use super::columns::RowCells;
use crate::{
    platform::{
        db::types::Json,
        values::{Id, Timestamp, text_enum},
    },
    sales::transactions::batch::RowOutcome,
    schema::{
        transaction_import_errors, transaction_import_pieces, transaction_import_rows, transaction_imports,
    },
};
use diesel::prelude::*;
use std::collections::HashSet;

/// The most names of unknown product families that an import keeps.
pub(super) const FAMILIES: usize = 20;

text_enum! {
    /// The state of an import.
    pub enum ImportState {
        /// The file waits for its turn, or its rows are checked and recorded; nobody sees the rows yet.
        Receiving = "receiving",
        /// Everybody sees the rows; the service queues the sellers for the calculation.
        Publishing = "publishing",
        /// The import has ended.
        Completed = "completed",
        /// The import was given up, or no row of the file is good; no row is recorded.
        Failed = "failed",
    }
}

text_enum! {
    /// The format of a file.
    pub enum Format {
        /// Comma-separated values with a line of column names (RFC 4180).
        Csv = "csv",
        /// One JSON object a line.
        Ndjson = "ndjson",
    }
}

/// The options of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportOptions {
    /// The format of the file.
    pub format: Format,
    /// Whether the import only checks the rows and records none.
    pub dry_run: bool,
    /// Whether the import ignores columns and members that no transaction has, instead of refusing them.
    pub ignore_unknown_columns: bool,
}

/// The import of a file of transactions, at work or ended.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = transaction_imports, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Import {
    /// UUID of version 7; names the import, and the ids of its transactions (`transactions::batch`).
    pub id: Id,
    /// The state of the import.
    pub state: ImportState,
    /// The format of the file.
    pub format: Format,
    /// Whether the import only checks the rows and records none.
    pub dry_run: bool,
    /// Rows read so far: created, unchanged, conflicts and invalid.
    pub rows_read: i64,
    /// Rows recorded; of a dry run, rows good to be recorded.
    pub created: i64,
    /// Rows on record already with the same content.
    pub unchanged: i64,
    /// Rows on record already with other content.
    pub conflicts: i64,
    /// Rows that are unreadable or against a rule.
    pub invalid: i64,
    /// The errors stored of the rows that were left out.
    pub errors_kept: i64,
    /// The reason of a failure.
    pub failure: Option<String>,
    /// When the import began.
    pub started_at: Timestamp,
    /// When the import ended.
    pub finished_at: Option<Timestamp>,
    /// Counts the changes of the record; the entity tag.
    pub revision: i64,
    /// Whether the import ignores columns and members that no transaction has.
    pub ignores_unknown_columns: bool,
    /// Refunds that wait for their purchases; these are not among the rows read yet.
    pub waiting: i64,
    /// Good rows with a product family that no program names.
    pub unknown_family_rows: i64,
    /// The first names of such product families, in the order of the rows.
    pub unknown_families: Json<Vec<String>>,
    /// The number of pieces in which the file was kept; none of a file whose sender waits for the end, and of an
    /// import that is being given up.
    pub file_pieces: Option<i64>,
}

/// A fault of a row.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = transaction_import_errors, treat_none_as_default_value = false)]
pub struct ImportError {
    /// An id of the import's range; sorts by line.
    pub id: Id,
    /// The import that read the row.
    pub import_id: Id,
    /// The line of the file on which the row begins, counted from one.
    pub line: i64,
    /// The faulty member of `TransactionCreate`, as a JSON pointer; empty for the whole row.
    pub pointer: String,
    /// The stable code of the fault.
    pub code: String,
    /// The fault in words.
    pub message: String,
    /// The number of the transaction in its source, as the row had it; none where the row has none that can be read.
    pub external_id: Option<String>,
}

/// A row that an import keeps.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = transaction_import_rows, treat_none_as_default_value = false)]
pub(super) struct KeptRow {
    /// The import that read the row.
    pub(super) import_id: Id,
    /// The line of the file on which the row begins, counted from one.
    pub(super) line: i64,
    /// Whether the row is a refund that waits for its purchase; any other row is rejected.
    pub(super) waits: bool,
    /// The cells of the row.
    pub(super) cells: Json<RowCells>,
}

/// A piece of a file that is imported after the answer.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = transaction_import_pieces, treat_none_as_default_value = false)]
pub(super) struct FilePiece {
    /// The import that reads the file.
    pub(super) import_id: Id,
    /// The place of the piece in the file, counted from zero.
    pub(super) place: i64,
    /// When the piece was kept.
    pub(super) kept_at: Timestamp,
    /// The bytes of the piece.
    pub(super) bytes: Vec<u8>,
}

impl Import {
    /// An import that begins.
    #[must_use]
    pub fn begun(id: Id, options: ImportOptions, now: Timestamp) -> Self {
        Self {
            id,
            state: ImportState::Receiving,
            format: options.format,
            dry_run: options.dry_run,
            rows_read: 0,
            created: 0,
            unchanged: 0,
            conflicts: 0,
            invalid: 0,
            errors_kept: 0,
            failure: None,
            started_at: now,
            finished_at: None,
            revision: 1,
            ignores_unknown_columns: options.ignore_unknown_columns,
            waiting: 0,
            unknown_family_rows: 0,
            unknown_families: Json(Vec::new()),
            file_pieces: None,
        }
    }

    /// The options of the import.
    #[must_use]
    pub fn options(&self) -> ImportOptions {
        ImportOptions {
            format: self.format,
            dry_run: self.dry_run,
            ignore_unknown_columns: self.ignores_unknown_columns,
        }
    }

    /// The rows of the file that are settled or wait: an import that was broken off goes on behind these.
    #[must_use]
    pub fn rows_taken(&self) -> usize {
        usize::try_from(self.rows_read + self.waiting).unwrap_or_default()
    }

    /// Whether the file has a row that is recorded, or on record with the same content.
    #[must_use]
    pub fn has_good_rows(&self) -> bool {
        self.created > 0 || self.unchanged > 0
    }

    /// Notes the product family of a good row, where `known` families are known and the family is none of them.
    pub fn note_family(&mut self, family: &str, known: &HashSet<String>) {
        if known.is_empty() || known.contains(family) {
            return;
        }
        self.unknown_family_rows += 1;
        let Json(names) = &mut self.unknown_families;
        if names.len() < FAMILIES && !names.iter().any(|name| name == family) {
            names.push(family.to_owned());
        }
    }

    /// Counts a row by its outcome.
    pub fn count(&mut self, outcome: &RowOutcome) {
        self.rows_read += 1;
        match outcome {
            RowOutcome::Created => self.created += 1,
            RowOutcome::Unchanged => self.unchanged += 1,
            RowOutcome::Conflict(_) => self.conflicts += 1,
            RowOutcome::Invalid(_) | RowOutcome::PurchaseUnknown(_) => self.invalid += 1,
        }
    }

    /// The import in its next state; the states `Completed` and `Failed` end the import.
    #[must_use]
    pub fn now_in(self, state: ImportState, failure: Option<String>, now: Timestamp) -> Self {
        let finished = matches!(state, ImportState::Completed | ImportState::Failed);
        let waiting = if finished { 0 } else { self.waiting };
        Self { state, failure, finished_at: finished.then_some(now), waiting, ..self }
    }
}
