//! Payments over HTTP.

use super::{
    model::{Payment, PaymentEvent, PaymentState},
    remittance::{self, Remittance},
    remittance_page::page,
    service::{self, PaymentNews},
    store,
    view::PaymentView,
};
use crate::{
    access::{
        Caller, PartnerKey, Tx,
        policy::{
            ConfirmPayment, FailPayment, GetPayment, GetRemittance, ListPayments, ReturnPayment,
            ReversePayment, StopPayment,
        },
    },
    earnings::statements::STYLE,
    network::partners::TransitionReason,
    platform::{
        Result,
        http::{Answer, Body, Cursor, Listing, Media, PageParams, PageRequest, Path, Rendering, page_of},
        values::{CalendarDate, Currency, Id},
    },
};
use actix_web::{Either, get, post};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_payments)
        .service(get_payment)
        .service(get_remittance)
        .service(confirm_payment)
        .service(fail_payment)
        .service(return_payment)
        .service(stop_payment)
        .service(reverse_payment);
}

page_of!(
    /// One page of payments.
    pub PaymentPage of PaymentView
);

/// Which payments to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PaymentFilter {
    /// To this partner.
    pub partner_id: Option<PartnerKey>,
    /// Of this run.
    pub run_id: Option<Id>,
    /// In this file for the bank.
    pub file_id: Option<Id>,
    /// In this state.
    #[param(inline)]
    pub state: Option<PaymentState>,
    /// In this currency.
    pub currency: Option<Currency>,
}

/// The arrival of a payment.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct PaymentConfirmation {
    /// The day the payment arrived; left out, today.
    #[serde(default)]
    settled_on: Option<CalendarDate>,
}

/// What the bank says of a payment that it did not pay, or that came back.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "AC04", "reason": "The account is closed"}))]
pub struct PaymentRefusal {
    /// The bank's code: an external status reason of ISO 20022. A code for a fault of the account sends the payout profile back
    /// to the partner.
    #[serde(default)]
    #[schema(min_length = 4, max_length = 4, pattern = "^[A-Z0-9]{4}$")]
    code: Option<String>,
    /// The reason in words, which the partner reads.
    #[schema(min_length = 3, max_length = 500, pattern = r"^\S(.|\n)*\S$")]
    reason: String,
}

/// List payments
///
/// The newest first. A partner's people see a payment once it is approved.
#[utoipa::path(tag = "payments", params(PaymentFilter, PageParams), responses((status = 200, body = PaymentPage)))]
#[get("/v1/payments")]
async fn list_payments(caller: Caller<ListPayments>, page: PageRequest<PaymentFilter>) -> Result<Listing> {
    caller
        .list_plainly(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let found = store::list(tx, page)?;
            let cursor = |payment: &Payment| Cursor { key: None, id: payment.id };
            let language = tx.language;
            Ok(page.answer(found, total, cursor, |payment| PaymentView::of(payment, language)))
        })
        .await
}

/// Read a payment
///
/// With its lines: the rebates that it pays, with those below zero that it sets off, or the co-op claims that it pays.
#[utoipa::path(tag = "payments", responses((status = 200, body = PaymentView)))]
#[get("/v1/payments/{id}")]
async fn get_payment(caller: Caller<GetPayment>, id: Path<Id>) -> Result<Answer> {
    caller
        .snapshot(move |tx| {
            let payment = store::get(tx, *id)?;
            record(tx, payment)
        })
        .await
}

/// Read what a payment pays
///
/// The remittance advice: each line with its program, its months, its amounts and its parts, each with the address of the earnings
/// that it sums up; the lines sum to the gross amount. As
/// JSON, as a table with `Accept: text/csv`, and with `Accept: text/html` as a page to print, in the reader's language.
#[utoipa::path(
    tag = "payments",
    responses((status = 200, content(
        (Remittance = "application/json"),
        (String = "text/csv", example = "section,program\r\nline,csp-direct-bill\r\n"),
        (String = "text/html", example = "<!doctype html>"),
    )))
)]
#[get("/v1/payments/{id}/remittance")]
async fn get_remittance(
    caller: Caller<GetRemittance>,
    id: Path<Id>,
    media: Media,
) -> Result<Either<Answer, Rendering>> {
    let read = move |tx: &mut Tx<'_>| {
        let payment = store::get(tx, *id)?;
        Ok((remittance::of(tx, &payment)?, tx.language))
    };
    let (remittance, language) = caller.snapshot(read).await?;
    Ok(match media {
        Media::Json => Either::Left(Answer::ok(&remittance)),
        Media::Html => Either::Right(Rendering::page(STYLE, page(&remittance, remittance.state, language)?)),
        Media::Csv => {
            let name = format!("remittance-{}", remittance.reference);
            Either::Right(Rendering::csv(&name, remittance.table(language)))
        }
    })
}

/// Confirm that a payment has arrived
///
/// The rebates or claims are paid. Only a payment that the bank has can arrive.
#[utoipa::path(tag = "payments", request_body = PaymentConfirmation, responses((status = 200, body = PaymentView)))]
#[post("/v1/payments/{id}/confirmation")]
async fn confirm_payment(
    caller: Caller<ConfirmPayment>,
    id: Path<Id>,
    body: Body<PaymentConfirmation>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, told| {
            let on = told.settled_on.unwrap_or(tx.today());
            tell(tx, *id, PaymentNews { event: PaymentEvent::Confirmation, on, code: None, reason: None })
        })
        .await
}

/// Note that the bank rejected a payment
///
/// The rebates or claims are payable again. Where the code says that the account is at fault, the payout profile goes back to the
/// partner, and what was to be paid waits for it.
#[utoipa::path(tag = "payments", request_body = PaymentRefusal, responses((status = 200, body = PaymentView)))]
#[post("/v1/payments/{id}/failure")]
async fn fail_payment(
    caller: Caller<FailPayment>,
    id: Path<Id>,
    body: Body<PaymentRefusal>,
) -> Result<Answer> {
    caller.write(body, move |tx, told| refused(tx, *id, PaymentEvent::Failure, told)).await
}

/// Note that a payment came back
///
/// Of a payment that had arrived. What it paid is payable again, as after a failure.
#[utoipa::path(tag = "payments", request_body = PaymentRefusal, responses((status = 200, body = PaymentView)))]
#[post("/v1/payments/{id}/return")]
async fn return_payment(
    caller: Caller<ReturnPayment>,
    id: Path<Id>,
    body: Body<PaymentRefusal>,
) -> Result<Answer> {
    caller.write(body, move |tx, told| refused(tx, *id, PaymentEvent::Return, told)).await
}

/// Stop a payment
///
/// Before the bank has it. The rebates or claims are payable again; hold them, so that the next run leaves them alone.
#[utoipa::path(tag = "payments", request_body = TransitionReason, responses((status = 200, body = PaymentView)))]
#[post("/v1/payments/{id}/stop")]
async fn stop_payment(
    caller: Caller<StopPayment>,
    id: Path<Id>,
    body: Body<TransitionReason>,
) -> Result<Answer> {
    caller.write(body, move |tx, because| by_hand(tx, *id, PaymentEvent::Stop, because)).await
}

/// Take a payment back
///
/// Of a payment that had arrived and should not have been made. Its rebates or claims are on hold until an operator releases them.
#[utoipa::path(tag = "payments", request_body = TransitionReason, responses((status = 200, body = PaymentView)))]
#[post("/v1/payments/{id}/reversal")]
async fn reverse_payment(
    caller: Caller<ReversePayment>,
    id: Path<Id>,
    body: Body<TransitionReason>,
) -> Result<Answer> {
    caller.write(body, move |tx, because| by_hand(tx, *id, PaymentEvent::Reversal, because)).await
}

fn refused(tx: &mut Tx<'_>, id: Id, event: PaymentEvent, told: &PaymentRefusal) -> Result<Answer> {
    let (on, code) = (tx.today(), told.code.as_deref());
    tell(tx, id, PaymentNews { event, on, code, reason: Some(&told.reason) })
}

fn by_hand(tx: &mut Tx<'_>, id: Id, event: PaymentEvent, because: &TransitionReason) -> Result<Answer> {
    let on = tx.today();
    tell(tx, id, PaymentNews { event, on, code: None, reason: Some(&because.reason) })
}

fn tell(tx: &mut Tx<'_>, id: Id, news: PaymentNews<'_>) -> Result<Answer> {
    let payment = service::tell(tx, id, news)?;
    record(tx, payment)
}

fn record(tx: &mut Tx<'_>, payment: Payment) -> Result<Answer> {
    let lines = store::lines_of(tx, std::slice::from_ref(&payment))?;
    let (revision, language) = (payment.revision, tx.language);
    Ok(Answer::record(&PaymentView::whole(payment, &lines, language), revision))
}
