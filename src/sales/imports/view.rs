//! The import as it is shown.

use super::{Format, Import, ImportError, ImportState, words};
use crate::{
    access::Tx,
    audit,
    platform::{
        Result,
        db::types::Json,
        http::page_of,
        values::{Id, Locale, Timestamp},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

/// The import of a file of transactions, at work or ended.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = TransactionImport)]
pub struct ImportView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The state of the import. Nobody sees the rows of an import that is `receiving`.
    state: ImportState,
    /// The format of the file.
    format: Format,
    /// Whether the import only checks the rows and records none.
    dry_run: bool,
    /// Whether the import ignores columns and members that no transaction has.
    ignore_unknown_columns: bool,
    /// Rows read so far.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64, examples(1000))]
    rows_read: i64,
    /// Of these, recorded; with `dry_run`, good to be recorded.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64, examples(990))]
    created: i64,
    /// Of these, on record already with the same content.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64, examples(7))]
    unchanged: i64,
    /// Of these, on record already with other content.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64, examples(1))]
    conflicts: i64,
    /// Of these, unreadable or against a rule.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64, examples(2))]
    invalid: i64,
    /// The errors stored of rows that were left out; a setting limits the number.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64, examples(3))]
    errors_kept: i64,
    /// Refunds that wait for their purchases until the file has ended; `rows_read` does not count these yet.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64, examples(0))]
    waiting: i64,
    /// A warning: good rows with a product family that no lever of a published program names. Zero where no lever names
    /// any family.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64, examples(12))]
    unknown_product_family_rows: i64,
    /// The first of these product families, as the rows spell them.
    #[schema(max_items = 20, max_length = 64, examples("modern-wrok"))]
    unknown_product_families: Vec<String>,
    /// The reason of a failure; null without one.
    #[schema(max_length = 1000, examples("the body did not arrive in time"))]
    failure: Option<String>,
    /// When the import began.
    started_at: Timestamp,
    /// When the import ended; null while it runs.
    finished_at: Option<Timestamp>,
}

impl From<Import> for ImportView {
    fn from(import: Import) -> Self {
        let Json(unknown_product_families) = import.unknown_families;
        Self {
            id: import.id,
            state: import.state,
            format: import.format,
            dry_run: import.dry_run,
            ignore_unknown_columns: import.ignores_unknown_columns,
            rows_read: import.rows_read,
            created: import.created,
            unchanged: import.unchanged,
            conflicts: import.conflicts,
            invalid: import.invalid,
            errors_kept: import.errors_kept,
            waiting: import.waiting,
            unknown_product_family_rows: import.unknown_family_rows,
            unknown_product_families,
            failure: import.failure,
            started_at: import.started_at,
            finished_at: import.finished_at,
        }
    }
}

page_of!(
    /// One page of imports.
    pub TransactionImportPage of ImportView
);

/// A fault of a row.
#[derive(Serialize, ToSchema)]
#[schema(as = TransactionImportError)]
pub struct ImportErrorView {
    /// The line on which the row begins, counted from one; the line of column names counts.
    #[schema(minimum = 1, maximum = 4_294_967_295_i64, examples(17))]
    line: i64,
    /// The `external_id` of the row; null where the row has none that can be read.
    #[schema(max_length = 128, examples("INV-2026-000318-1"))]
    external_id: Option<String>,
    /// The field, as a JSON pointer into `TransactionCreate`; empty for the whole row.
    #[schema(max_length = 400, examples("/amount/amount"))]
    pointer: String,
    /// The stable code of the fault; `transaction_conflict` where the row is on record with other content.
    #[schema(max_length = 60, examples("sign"))]
    code: String,
    /// The fault in words.
    #[schema(max_length = 1000, examples("the amount of a purchase is above zero"))]
    message: String,
    /// What to do about it, in the language of the reader.
    #[schema(max_length = 400, examples("Give a purchase an amount above zero, and a refund one below."))]
    remedy: String,
}

impl ImportErrorView {
    /// The view of an error for a reader of a language.
    pub(super) fn of(error: ImportError, language: Locale) -> Self {
        let remedy = words::remedy(&error, language).to_owned();
        let ImportError { line, external_id, pointer, code, message, .. } = error;
        Self { line, external_id, pointer, code, message, remedy }
    }
}

page_of!(
    /// One page of the errors of an import.
    pub TransactionImportErrorPage of ImportErrorView
);

/// Records the audit event of a change of an import; of a new import there is no `before`.
pub(super) fn record_event(tx: &mut Tx<'_>, before: Option<Import>, after: &Import) -> Result<()> {
    let event = audit::Event::on("transaction_import", after.id).after(&ImportView::from(after.clone()));
    match before {
        Some(before) => event.before(&ImportView::from(before)).record(tx),
        None => event.record(tx),
    }
}
