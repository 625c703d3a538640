//! Payment files over HTTP.

use super::{
    making::{self, NewFile},
    model::{FileContent, PaymentFile, PaymentFileState},
    service, store,
    view::PaymentFileView,
};
use crate::{
    access::{
        Caller, Tx,
        policy::{
            CreatePaymentFile, DispatchPaymentFile, GetPaymentFile, GetPaymentFileContent, ListPaymentFiles,
            WithdrawPaymentFile,
        },
    },
    network::partners::TransitionReason,
    payouts::sealed_files,
    platform::{
        Error, Result,
        http::{
            Answer, Body, Conflict, Cursor, File, FileFormat, FileKind, Listing, PageParams, PageRequest,
            Path, Pieces, XmlOrCsv, page_of,
        },
        values::{CalendarDate, Currency, Id},
    },
};
use actix_web::{get, post};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_payment_files)
        .service(create_payment_file)
        .service(get_payment_file)
        .service(get_payment_file_content)
        .service(dispatch_payment_file)
        .service(withdraw_payment_file);
}

page_of!(
    /// One page of payment files.
    pub PaymentFilePage of PaymentFileView
);

/// Which payment files to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PaymentFileFilter {
    /// Of this run.
    pub run_id: Option<Id>,
    /// In this state.
    #[param(inline)]
    pub state: Option<PaymentFileState>,
}

/// A file to make.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"run_id": "01936f2e-4b00-7000-8000-000000000001"}))]
pub struct PaymentFileCreate {
    /// An approved run.
    run_id: Id,
    /// The currency of the file; needed where the run has payments in several.
    #[serde(default)]
    currency: Option<Currency>,
    /// The account that pays; left out, the oldest active account of the currency.
    #[serde(default)]
    payer_account_id: Option<Id>,
    /// The day on which the bank is to execute the payments, a banking day; left out, today or the next one.
    #[serde(default)]
    execution_on: Option<CalendarDate>,
}

/// The handing over of a file to the bank.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct PaymentFileDispatch {
    /// The day the bank got the file; left out, today.
    #[serde(default)]
    sent_on: Option<CalendarDate>,
}

/// List payment files
///
/// The latest first.
#[utoipa::path(tag = "payment_files", params(PaymentFileFilter, PageParams), responses((status = 200, body = PaymentFilePage)))]
#[get("/v1/payment-files")]
async fn list_payment_files(
    caller: Caller<ListPaymentFiles>,
    page: PageRequest<PaymentFileFilter>,
) -> Result<Listing> {
    caller
        .list_plainly(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let found = store::list(tx, page)?;
            let cursor = |file: &PaymentFile| Cursor { key: None, id: file.id };
            Ok(page.answer(found, total, cursor, PaymentFileView::from))
        })
        .await
}

/// Make a payment file
///
/// Of the approved payments of a run in one currency, as pain.001.001.09 (ISO 20022) where the payer account's bank takes it,
/// and as a table. Payments to partners that may not be paid now, as after a change of the account, are stopped.
/// Whatever a bank would refuse is refused here, all of it together (`payment_file_faulty`), and no file is made.
#[utoipa::path(tag = "payment_files", request_body = PaymentFileCreate, responses((status = 201, body = PaymentFileView)))]
#[post("/v1/payment-files")]
async fn create_payment_file(
    caller: Caller<CreatePaymentFile>,
    body: Body<PaymentFileCreate>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, new| {
            let new = NewFile {
                run_id: new.run_id,
                currency: new.currency,
                payer_account_id: new.payer_account_id,
                execution_on: new.execution_on,
            };
            let file = making::make(tx, new)?;
            let location = format!("/v1/payment-files/{}", file.id);
            Ok(record(file).made_at(location))
        })
        .await
}

/// Read a payment file
///
/// What the file holds; `GET /v1/payment-files/{id}/content` gives the file, `GET /v1/payments?file_id=` lists its payments.
#[utoipa::path(tag = "payment_files", responses((status = 200, body = PaymentFileView)))]
#[get("/v1/payment-files/{id}")]
async fn get_payment_file(caller: Caller<GetPaymentFile>, id: Path<Id>) -> Result<Answer> {
    caller.read(move |tx| store::get(tx, *id).map(record)).await
}

/// Download a payment file
///
/// For the bank: the same bytes at every download. With `Accept: text/csv` as a table, whose totals stand at its end. Each
/// download is an event of the audit trail. Before the first one the accounts are looked at once more
/// (`payment_file_outdated`).
#[utoipa::path(
    tag = "payment_files",
    responses((status = 200, description = "The file.", content(
        (String = "application/xml", example = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document/>\n"),
        (String = "text/csv", example = "line,message_id\r\nfile,01936f2e4b0070008000000000000001\r\n"),
    )), (status = 409, response = Conflict))
)]
#[get("/v1/payment-files/{id}/content")]
async fn get_payment_file_content(
    caller: Caller<GetPaymentFileContent>,
    id: Path<Id>,
    media: XmlOrCsv,
) -> Result<File> {
    let id = *id;
    let asked = match media {
        XmlOrCsv::Xml => Some(FileContent::Xml),
        XmlOrCsv::Csv => Some(FileContent::Csv),
        XmlOrCsv::Any => None,
    };
    let place = caller.file_place().await?;
    caller.note(&place, move |tx| service::note_download(tx, id, asked)).await?;
    let file = caller.peek(move |tx| store::get(tx, id)).await?;
    let content = asked.unwrap_or(file.usual_content());
    let content_id = file.content_id(content).ok_or_else(|| Error::internal("a file without its content"))?;
    let kind = match content {
        FileContent::Xml => FileKind { media: "application/xml", ending: "xml" },
        FileContent::Csv => FileKind::from(FileFormat::Csv),
    };
    let write = move |tx: &mut Tx<'_>, pieces: &Pieces| {
        let mut piece = 0;
        while let Some(bytes) = sealed_files::opened(tx, content_id, piece)? {
            pieces.write(bytes)?;
            piece += 1;
        }
        Ok(())
    };
    caller.file(place, &format!("payments-{}", file.message_id()), kind, write).await
}

/// Note that the bank has a payment file
///
/// The payments of the file are sent, and the partners' incentive admins are told.
#[utoipa::path(tag = "payment_files", request_body = PaymentFileDispatch, responses((status = 200, body = PaymentFileView)))]
#[post("/v1/payment-files/{id}/dispatch")]
async fn dispatch_payment_file(
    caller: Caller<DispatchPaymentFile>,
    id: Path<Id>,
    body: Body<PaymentFileDispatch>,
) -> Result<Answer> {
    caller.write(body, move |tx, told| service::dispatch(tx, *id, told.sent_on).map(record)).await
}

/// Withdraw a payment file
///
/// Before anybody has downloaded the file: its payments are approved again, and can go into another file.
#[utoipa::path(tag = "payment_files", request_body = TransitionReason, responses((status = 200, body = PaymentFileView)))]
#[post("/v1/payment-files/{id}/withdrawal")]
async fn withdraw_payment_file(
    caller: Caller<WithdrawPaymentFile>,
    id: Path<Id>,
    body: Body<TransitionReason>,
) -> Result<Answer> {
    caller.write(body, move |tx, because| service::withdraw(tx, *id, &because.reason).map(record)).await
}

fn record(file: PaymentFile) -> Answer {
    let revision = file.revision;
    Answer::record(&PaymentFileView::from(file), revision)
}
