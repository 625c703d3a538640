//! Imports over HTTP.

use super::{
    Format, ImportError, ImportOptions, ImportState, arriving, rejected, service, store,
    view::{ImportErrorView, ImportView, TransactionImportErrorPage, TransactionImportPage},
};
use crate::{
    access::{
        Caller,
        policy::{
            CreateTransactionImport, GetRejectedRows, GetTransactionImport, ListTransactionImportErrors,
            ListTransactionImports,
        },
    },
    platform::{
        Error, Result, codes,
        http::{
            Answer, Cursor, File, FileFormat, Listing, NoFilter, PageParams, PageRequest, Path, Preference,
            Preferred, Query, Upload,
        },
        values::Id,
    },
    text,
};
use actix_web::{get, post};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_transaction_imports)
        .service(create_transaction_import)
        .service(get_transaction_import)
        .service(list_transaction_import_errors)
        .service(get_rejected_rows);
}

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
    /// Ignores columns of a CSV file, and members of an NDJSON file, that no transaction has; without this the service
    /// refuses them, and names them all.
    #[serde(default)]
    #[param(default = false)]
    ignore_unknown_columns: bool,
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
/// Imports a file of any size, and answers when the import has ended; with `Prefer: respond-async`, when the file has
/// arrived and is kept. A CSV file names its columns in the first line, in any order: `source`, `external_id`,
/// `partner_id`, `customer_id`, `customer_country`, `product`, `product_family`, `kind`, `occurred_on`, `amount`,
/// `currency`, and, where needed, `provider_id`, `customer_public_sector`, `original_transaction_id`,
/// `original_external_id`, `units`. Commas, semicolons or tabs separate the cells. A line of an NDJSON file is a
/// `TransactionCreate`. A file is text in UTF-8, with a byte order mark or without; a row may have 64 KiB.
///
/// The order of the rows does not matter for a refund and its purchase: a refund whose `original_external_id` the service
/// does not know yet waits for its purchase until the file has ended.
///
/// A faulty row is left out; its errors can be read afterwards, and the rejected rows come as a file to mend and to send
/// again. A file without one good row ends as `failed`. All good rows become visible at once, when the last row
/// is recorded; where the file does not arrive as a whole, there is no import. A file can be sent again: rows on record
/// with the same content are `unchanged`.
#[utoipa::path(
    tag = "transactions",
    params(ImportParams, Preference),
    request_body(
        content(
            (String = "text/csv", example = json!(EXAMPLE_CSV)),
            (String = "application/x-ndjson", example = json!(EXAMPLE_NDJSON))
        ),
        description = "The file."
    ),
    responses(
        (status = 201, body = ImportView),
        (status = 202, description = "The file is kept; `Location` says where to follow its import.", body = ImportView)
    )
)]
#[post("/v1/transaction-imports")]
async fn create_transaction_import(
    caller: Caller<CreateTransactionImport>,
    params: Query<ImportParams>,
    preference: Preference,
    file: Upload,
) -> Result<Preferred> {
    // A barred caller is refused before the service reads the file.
    caller.peek(|_| Ok(())).await?;
    let format = match file.media_type() {
        "text/csv" => Format::Csv,
        "application/x-ndjson" => Format::Ndjson,
        _ => {
            let detail = text!(
                "send Content-Type: text/csv or application/x-ndjson",
                "Content-Type には text/csv または application/x-ndjson を指定してください。"
            );
            return Err(Error::new(&codes::UNSUPPORTED_MEDIA_TYPE, detail));
        }
    };
    let Some(slot) = caller.upload_slot().await else { return Err(service::under_way()) };
    let ImportParams { dry_run, ignore_unknown_columns } = params.0;
    let (background, options) =
        (caller.background(), ImportOptions { format, dry_run, ignore_unknown_columns });
    let is_kept = preference.respond_async;
    let import = file
        .feed(move |file| {
            let _slot = slot;
            if is_kept {
                return service::keep_file(&background, options, file);
            }
            arriving::import(&background, options, file)
        })
        .await?;
    let (location, revision) = (format!("/v1/transaction-imports/{}", import.id), import.revision);
    let view = ImportView::from(import);
    Ok(if is_kept {
        Preferred::applied(Answer::accepted(location, &view))
    } else {
        Preferred::plain(Answer::created(location, &view, revision))
    })
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
            let language = tx.language;
            Ok(page.answer(errors, total, cursor, |error| ImportErrorView::of(error, language)))
        })
        .await
}

/// Read the rejected rows of an import
///
/// The rows that were left out, as a CSV file in the columns of an import, with two columns more: `error` says what is
/// wrong, `remedy` how to mend it. Mend the rows and send the file again: an import ignores the two columns. The file has
/// the rows whose errors are stored.
#[utoipa::path(
    tag = "transactions",
    responses((
        status = 200, description = "The rejected rows.", content_type = "text/csv", body = String,
        example = json!("source,external_id,error,remedy\r\nbilling,INV-1,/kind: must be one of [\"purchase\"],Write purchase or refund.\r\n")
    ))
)]
#[get("/v1/transaction-imports/{id}/rejected-rows")]
async fn get_rejected_rows(caller: Caller<GetRejectedRows>, id: Path<Id>) -> Result<File> {
    let write = move |tx: &mut crate::access::Tx<'_>, pieces: &crate::platform::http::Pieces| {
        rejected::write(tx, *id, |piece| pieces.write(piece))
    };
    let place = caller.file_place().await?;
    caller.file(place, "rejected-rows", FileFormat::Csv, write).await
}
