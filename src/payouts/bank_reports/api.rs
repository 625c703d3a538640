//! Reports of banks over HTTP.

use super::{
    model::{BankReport, BankReportKind},
    receiving, reconciliation, store,
    view::BankReportView,
};
use crate::{
    access::{
        Caller,
        policy::{
            CreateBankStatement, CreateStatusReport, GetBankStatement, GetPaymentRunReconciliation,
            GetStatusReport, ListBankStatements, ListStatusReports, Policy,
        },
    },
    payouts::{payment_files, payment_runs},
    platform::{
        Error, Result, codes,
        http::{Answer, Cursor, Listing, NoFilter, PageParams, PageRequest, Path, Upload, page_of},
        values::Id,
    },
    text,
};
use actix_web::{get, post};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_status_reports)
        .service(create_status_report)
        .service(get_status_report)
        .service(list_bank_statements)
        .service(create_bank_statement)
        .service(get_bank_statement)
        .service(get_payment_run_reconciliation);
}

page_of!(
    /// One page of reports of banks.
    pub BankReportPage of BankReportView
);

const STATUS_REPORT: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document \
    xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt><GrpHdr><MsgId>REPORT-1</MsgId>\
    <CreDtTm>2026-08-06T10:00:00Z</CreDtTm></GrpHdr><OrgnlGrpInfAndSts>\
    <OrgnlMsgId>01936f2e4b0070008000000000000001</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>\
    <GrpSts>ACCP</GrpSts></OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>\n";
const STATEMENT: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document \
    xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><GrpHdr><MsgId>STATEMENT-1</MsgId>\
    <CreDtTm>2026-08-07T06:00:00Z</CreDtTm></GrpHdr><Stmt><Id>2026-08-06</Id></Stmt></BkToCstmrStmt></Document>\n";

/// Which reports are meant.
#[derive(Clone, Copy, Debug)]
pub(super) enum BankReportFilter {
    /// The statements.
    Statements,
    /// The status reports of a payment file.
    OfFile(Id),
}

impl BankReportFilter {
    /// The kind of the reports.
    pub const fn kind(self) -> BankReportKind {
        match self {
            Self::Statements => BankReportKind::Statement,
            Self::OfFile(_) => BankReportKind::StatusReport,
        }
    }

    /// The payment file of the reports; none of statements.
    pub const fn file(self) -> Option<Id> {
        match self {
            Self::Statements => None,
            Self::OfFile(file) => Some(file),
        }
    }
}

/// List the status reports of a payment file
///
/// The latest first.
#[utoipa::path(tag = "payment_files", params(PageParams), responses((status = 200, body = BankReportPage)))]
#[get("/v1/payment-files/{id}/status-reports")]
async fn list_status_reports(
    caller: Caller<ListStatusReports>,
    id: Path<Id>,
    page: PageRequest<NoFilter>,
) -> Result<Listing> {
    list(caller, page, BankReportFilter::OfFile(*id)).await
}

/// Send a status report of a payment file
///
/// A pain.002 (ISO 20022), as the bank gives it. A status of the file, of a group or of a payment moves the payments; what no
/// rule settles becomes an exception (`GET /v1/bank-exceptions`). A large report is applied in the background: `Location`
/// tells its progress. The same report sent again is answered with 200 and changes nothing. A report of a file that is not
/// noted as sent notes so.
#[utoipa::path(
    tag = "payment_files",
    request_body(content = String, content_type = "application/xml", description = "The report.", example = json!(STATUS_REPORT)),
    responses((status = 201, body = BankReportView), (status = 200, description = "The report is known.", body = BankReportView))
)]
#[post("/v1/payment-files/{id}/status-reports")]
async fn create_status_report(
    caller: Caller<CreateStatusReport>,
    id: Path<Id>,
    file: Upload,
) -> Result<Answer> {
    receive(caller, BankReportFilter::OfFile(*id), file).await
}

/// Read a status report
///
/// How far the report was applied, and to what effect.
#[utoipa::path(tag = "payment_files", responses((status = 200, body = BankReportView)))]
#[get("/v1/status-reports/{id}")]
async fn get_status_report(caller: Caller<GetStatusReport>, id: Path<Id>) -> Result<Answer> {
    caller.read(move |tx| store::get(tx, BankReportKind::StatusReport, *id).map(record)).await
}

/// List bank statements
///
/// The latest first.
#[utoipa::path(tag = "payment_files", params(PageParams), responses((status = 200, body = BankReportPage)))]
#[get("/v1/bank-statements")]
async fn list_bank_statements(
    caller: Caller<ListBankStatements>,
    page: PageRequest<NoFilter>,
) -> Result<Listing> {
    list(caller, page, BankReportFilter::Statements).await
}

/// Send a bank statement
///
/// A camt.053 or camt.054 (ISO 20022), as the bank gives it. An entry that shows a payment matches and settles the payment; one
/// that brings a payment back returns it. Payments are found by their end-to-end identification, a booking of a whole file by
/// the file's and its sum. Every other entry becomes an exception (`GET /v1/bank-exceptions`). The same statement sent again
/// is answered with 200 and changes nothing.
#[utoipa::path(
    tag = "payment_files",
    request_body(content = String, content_type = "application/xml", description = "The statement.", example = json!(STATEMENT)),
    responses((status = 201, body = BankReportView), (status = 200, description = "The statement is known.", body = BankReportView))
)]
#[post("/v1/bank-statements")]
async fn create_bank_statement(caller: Caller<CreateBankStatement>, file: Upload) -> Result<Answer> {
    receive(caller, BankReportFilter::Statements, file).await
}

/// Read a bank statement
///
/// How far the statement was applied, and to what effect.
#[utoipa::path(tag = "payment_files", responses((status = 200, body = BankReportView)))]
#[get("/v1/bank-statements/{id}")]
async fn get_bank_statement(caller: Caller<GetBankStatement>, id: Path<Id>) -> Result<Answer> {
    caller.read(move |tx| store::get(tx, BankReportKind::Statement, *id).map(record)).await
}

/// Read how far a payment run is reconciled
///
/// By currency: what waits for the bank, what is at the bank, what arrived and is shown by a statement or not yet, and what was
/// not paid.
#[utoipa::path(
    tag = "payments",
    responses((status = 200, body = reconciliation::ReconciliationView))
)]
#[get("/v1/payment-runs/{id}/reconciliation")]
async fn get_payment_run_reconciliation(
    caller: Caller<GetPaymentRunReconciliation>,
    id: Path<Id>,
) -> Result<Answer> {
    caller
        .snapshot(move |tx| {
            let run = payment_runs::get(tx, *id)?;
            reconciliation::of_run(tx, run.id).map(|view| Answer::ok(&view))
        })
        .await
}

async fn list<P: Policy>(
    caller: Caller<P>,
    page: PageRequest<NoFilter>,
    filter: BankReportFilter,
) -> Result<Listing> {
    caller
        .list(page, move |tx, page| {
            filter.file().map_or(Ok(()), |file| payment_files::get(tx, file).map(drop))?;
            let total = page.include_total.then(|| store::count(tx, filter)).transpose()?;
            let found = store::list(tx, filter, page)?;
            let cursor = |report: &BankReport| Cursor { key: None, id: report.id };
            Ok(page.answer(found, total, cursor, BankReportView::from))
        })
        .await
}

async fn receive<P: Policy>(caller: Caller<P>, filter: BankReportFilter, file: Upload) -> Result<Answer> {
    // A barred caller is refused before the service reads the file.
    caller.peek(|_| Ok(())).await?;
    if !matches!(file.media_type(), "application/xml" | "text/xml") {
        let detail = text!(
            "send Content-Type: application/xml",
            "Content-Type には application/xml を指定してください。"
        );
        return Err(Error::new(&codes::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let Some(slot) = caller.upload_slot().await else {
        let detail = text!(
            "files of yours or of others are arriving; send this file again when they have ended",
            "別のファイルを受信中です。完了後にファイルを再送してください。"
        );
        return Err(Error { detail, retry_after: Some(5), ..Error::unavailable("too many uploads") });
    };
    let background = caller.background();
    let received = file
        .feed(move |file| {
            let _slot = slot;
            let received = receiving::receive(&background, filter, file)?;
            if !received.is_new {
                return Ok(received);
            }
            super::applying::apply_now(&background.app());
            let report = background.read(|tx| store::now(tx, received.report.id))?;
            Ok(receiving::Received { report, ..received })
        })
        .await?;
    let location = format!("{}/{}", filter.kind().address(), received.report.id);
    let answer = record(received.report);
    Ok(if received.is_new { answer.made_at(location) } else { answer })
}

fn record(report: BankReport) -> Answer {
    let revision = report.revision;
    Answer::record(&BankReportView::from(report), revision)
}
