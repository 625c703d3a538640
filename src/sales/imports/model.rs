//! The import; no I/O, no clock, no HTTP.

use crate::{
    platform::values::{Id, Timestamp, text_enum},
    sales::transactions::batch::RowOutcome,
    schema::{transaction_import_errors, transaction_imports},
};
use diesel::prelude::*;

text_enum! {
    /// The state of an import.
    pub enum ImportState {
        /// Rows arrive, are checked and recorded; nobody sees the rows yet.
        Receiving = "receiving",
        /// Everybody sees the rows; the service queues the sellers for the calculation.
        Publishing = "publishing",
        /// The import has ended.
        Completed = "completed",
        /// The import was given up; no row is recorded.
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
    /// The fault in words, and how to mend the row.
    pub message: String,
}

impl Import {
    /// An import that begins.
    #[must_use]
    pub fn begun(id: Id, format: Format, dry_run: bool, now: Timestamp) -> Self {
        Self {
            id,
            state: ImportState::Receiving,
            format,
            dry_run,
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
        Self { state, failure, finished_at: finished.then_some(now), ..self }
    }
}
