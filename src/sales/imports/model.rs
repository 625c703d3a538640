//! What an import is; no I/O, no clock, no HTTP.

use crate::{
    platform::values::{Id, Timestamp, text_enum},
    sales::transactions::batch::RowOutcome,
    schema::{transaction_import_errors, transaction_imports},
};
use diesel::prelude::*;

text_enum! {
    /// How far an import has come.
    pub enum ImportState {
        /// Rows arrive, are checked and recorded; nobody sees them yet.
        Receiving = "receiving",
        /// Everybody sees the rows; what rests on them is looked at.
        Publishing = "publishing",
        /// All is done.
        Completed = "completed",
        /// It was given up; nothing of it is recorded.
        Failed = "failed",
    }
}

text_enum! {
    /// How the rows of a file are written.
    pub enum Format {
        /// Comma-separated values with a line of column names (RFC 4180).
        Csv = "csv",
        /// One JSON object a line.
        Ndjson = "ndjson",
    }
}

/// A file of transactions, taken or being taken.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = transaction_imports, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Import {
    /// UUID of version 7.
    pub id: Id,
    /// How far it has come.
    pub state: ImportState,
    /// How its rows are written.
    pub format: Format,
    /// Whether it only tries.
    pub dry_run: bool,
    /// Rows looked at so far.
    pub rows_read: i64,
    /// Of these, recorded (or, when it only tries, good to be).
    pub created: i64,
    /// On record already with the same content.
    pub unchanged: i64,
    /// On record already with other content.
    pub conflicts: i64,
    /// Unreadable, or against a rule.
    pub invalid: i64,
    /// How many errors are kept to be read.
    pub errors_kept: i64,
    /// Why it failed.
    pub failure: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Counts its changes.
    pub revision: i64,
}

/// One thing that is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = transaction_import_errors, treat_none_as_default_value = false)]
pub struct ImportError {
    /// Identifier; sorts by line.
    pub id: Id,
    /// The import.
    pub import_id: Id,
    /// The line of the file on which the row begins, counted from one.
    pub line: i64,
    /// The field, as a JSON pointer.
    pub pointer: String,
    /// Stable kind of the fault.
    pub code: String,
    /// What is wrong and how to mend it.
    pub message: String,
}

impl Import {
    /// One that begins.
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

    /// Counts a row.
    pub fn count(&mut self, outcome: &RowOutcome) {
        self.rows_read += 1;
        match outcome {
            RowOutcome::Created => self.created += 1,
            RowOutcome::Unchanged => self.unchanged += 1,
            RowOutcome::Conflict(_) => self.conflicts += 1,
            RowOutcome::Invalid(_) => self.invalid += 1,
        }
    }

    /// Moves on; the last two states end it.
    #[must_use]
    pub fn now_in(self, state: ImportState, failure: Option<String>, now: Timestamp) -> Self {
        let finished = matches!(state, ImportState::Completed | ImportState::Failed);
        Self { state, failure, finished_at: finished.then_some(now), ..self }
    }
}
