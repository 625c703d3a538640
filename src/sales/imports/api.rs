//! Imports over HTTP.

use super::{Format, Import, ImportError, ImportOptions, ImportState, service, store};
use crate::{
    access::{
        Caller,
        policy::{
            CreateTransactionImport, GetTransactionImport, ListTransactionImportErrors,
            ListTransactionImports,
        },
    },
    platform::{
        Error, Result, codes,
        http::{
            Answer, Contract, Cursor, Listing, NoFilter, PageParams, PageRequest, Path, Query, Upload,
            page_of,
        },
        values::{Id, Timestamp},
    },
};
use actix_web::{get, post, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_transaction_imports)
        .service(create_transaction_import)
        .service(get_transaction_import)
        .service(list_transaction_import_errors);
}

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
        Self {
            id: import.id,
            state: import.state,
            format: import.format,
            dry_run: import.dry_run,
            rows_read: import.rows_read,
            created: import.created,
            unchanged: import.unchanged,
            conflicts: import.conflicts,
            invalid: import.invalid,
            errors_kept: import.errors_kept,
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
    /// The field, as a JSON pointer into `TransactionCreate`; empty for the whole row.
    #[schema(max_length = 400, examples("/amount/amount"))]
    pointer: String,
    /// The stable code of the fault; `transaction_conflict` where the row is on record with other content.
    #[schema(max_length = 60, examples("sign"))]
    code: String,
    /// The fault in words, and how to mend the row.
    #[schema(max_length = 1000, examples("the amount of a purchase is above zero"))]
    message: String,
}

impl From<ImportError> for ImportErrorView {
    fn from(error: ImportError) -> Self {
        let ImportError { line, pointer, code, message, .. } = error;
        Self { line, pointer, code, message }
    }
}

page_of!(
    /// One page of the errors of an import.
    pub TransactionImportErrorPage of ImportErrorView
);

const EXAMPLE_CSV: &str = "source,external_id,partner_id,customer_id,customer_country,product,product_family,kind,\
    occurred_on,amount,currency\n\
    billing,INV-2026-000318-1,01936f2e-4b00-7000-8000-000000000001,C-20881,US,CFQ7TTC0LH18,modern-work,purchase,\
    2026-08-04,99.00,USD\n";
const EXAMPLE_NDJSON: &str = r#"{"source":"billing","external_id":"INV-2026-000318-1","partner_id":"01936f2e-4b00-7000-8000-000000000001","customer":{"id":"C-20881","country":"US"},"product":"CFQ7TTC0LH18","product_family":"modern-work","kind":"purchase","occurred_on":"2026-08-04","amount":{"amount":"99.00","currency":"USD"}}
"#;

/// Which imports to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportFilter {
    /// In this state.
    #[param(inline)]
    pub state: Option<ImportState>,
}

/// The options of an import.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportParams {
    /// Only checks the rows: the report is the same, and no row is recorded.
    #[serde(default)]
    #[param(default = false)]
    dry_run: bool,
}

/// List imports
///
/// Imports at work, completed or failed, the latest first.
#[utoipa::path(
    tag = "transactions",
    params(ImportFilter, PageParams),
    responses((status = 200, body = TransactionImportPage))
)]
#[get("/v1/transaction-imports")]
async fn list_transaction_imports(
    caller: Caller<ListTransactionImports>,
    page: PageRequest<ImportFilter>,
) -> Result<Listing> {
    caller
        .list(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let imports = store::list(tx, page)?;
            Ok(page.answer(imports, total, |import| Cursor { key: None, id: import.id }, ImportView::from))
        })
        .await
}

/// Import transactions
///
/// Imports a file of any size, and answers when the import has ended. A CSV file names its columns in the first line,
/// in any order: `source`, `external_id`, `partner_id`, `customer_id`, `customer_country`, `product`, `product_family`,
/// `kind`, `occurred_on`, `amount`, `currency`, and, where needed, `provider_id`, `customer_public_sector`,
/// `original_transaction_id`, `original_external_id`, `units`. A line of an NDJSON file is a `TransactionCreate`. A row
/// may have 64 KiB.
///
/// The order of the rows does not matter for a refund and its purchase: the service holds back up to 20,000 refunds of a
/// file whose `original_external_id` it does not know yet, until their purchases come or the file ends.
///
/// A faulty row is left out; its errors can be read afterwards. All good rows become visible at once, when the last row
/// is recorded; where the file does not arrive as a whole, no row is recorded. A file can be sent again: rows on record
/// with the same content are `unchanged`.
#[utoipa::path(
    tag = "transactions",
    params(ImportParams),
    request_body(
        content(
            (String = "text/csv", example = json!(EXAMPLE_CSV)),
            (String = "application/x-ndjson", example = json!(EXAMPLE_NDJSON))
        ),
        description = "The file."
    ),
    responses((status = 201, body = ImportView))
)]
#[post("/v1/transaction-imports")]
async fn create_transaction_import(
    caller: Caller<CreateTransactionImport>,
    params: Query<ImportParams>,
    contract: Data<Contract>,
    file: Upload,
) -> Result<Answer> {
    // A barred caller is refused before the service reads the file.
    caller.peek(|_| Ok(())).await?;
    let format = match file.media_type() {
        "text/csv" => Format::Csv,
        "application/x-ndjson" => Format::Ndjson,
        _ => {
            let detail = "send Content-Type: text/csv or application/x-ndjson";
            return Err(Error::new(&codes::UNSUPPORTED_MEDIA_TYPE, detail));
        }
    };
    let Some(slot) = caller.upload_slot().await else { return Err(service::under_way()) };
    let (background, options) = (caller.background(), ImportOptions { format, dry_run: params.0.dry_run });
    let import = file
        .feed(move |file| {
            let _slot = slot;
            service::import_file(&background, &contract, options, file)
        })
        .await?;
    let (location, revision) = (format!("/v1/transaction-imports/{}", import.id), import.revision);
    Ok(Answer::created(location, &ImportView::from(import), revision))
}

/// Read an import
///
/// The state of the import and the counts of its rows, while the import runs and afterwards.
#[utoipa::path(tag = "transactions", responses((status = 200, body = ImportView)))]
#[get("/v1/transaction-imports/{id}")]
async fn get_transaction_import(caller: Caller<GetTransactionImport>, id: Path<Id>) -> Result<Answer> {
    caller
        .read(move |tx| {
            let import = store::get(tx, *id)?;
            let revision = import.revision;
            Ok(Answer::record(&ImportView::from(import), revision))
        })
        .await
}

/// List the errors of an import
///
/// The faults of the rows that were left out, in the order of the lines. With `Accept: text/csv` the whole list comes
/// as a file.
#[utoipa::path(
    tag = "transactions",
    params(PageParams),
    responses((status = 200, body = TransactionImportErrorPage))
)]
#[get("/v1/transaction-imports/{id}/errors")]
async fn list_transaction_import_errors(
    caller: Caller<ListTransactionImportErrors>,
    id: Path<Id>,
    page: PageRequest<NoFilter>,
) -> Result<Listing> {
    caller
        .list(page, move |tx, page| {
            let import = store::get(tx, *id)?.id;
            let total = page.include_total.then(|| store::count_errors(tx, import)).transpose()?;
            let errors = store::list_errors(tx, import, page)?;
            let cursor = |error: &ImportError| Cursor { key: None, id: error.id };
            Ok(page.answer(errors, total, cursor, ImportErrorView::from))
        })
        .await
}
