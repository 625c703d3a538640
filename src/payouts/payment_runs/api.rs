//! Payment runs over HTTP.

use super::{
    model::{PaymentRun, PaymentRunState},
    prepare, service, store,
    view::{PaymentRunPreview, PaymentRunView},
};
use crate::{
    access::{
        Caller,
        policy::{
            ApprovePaymentRun, CancelPaymentRun, CreatePaymentRun, DispatchPaymentRun, GetPaymentRun,
            ListPaymentRuns, ReissuePayment,
        },
    },
    ledger::accounting::WaitingRange,
    network::partners::TransitionReason,
    payouts::payments::{self, PaymentView},
    platform::{
        Result,
        http::{Answer, Body, Cursor, Listing, PageParams, PageRequest, Path, Query, page_of},
        values::{CalendarDate, Currency, Id, Month},
    },
};
use actix_web::{get, post};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_payment_runs)
        .service(create_payment_run)
        .service(get_payment_run)
        .service(approve_payment_run)
        .service(cancel_payment_run)
        .service(dispatch_payment_run)
        .service(reissue_payment);
}

page_of!(
    /// One page of payment runs.
    pub PaymentRunPage of PaymentRunView
);

/// Which payment runs to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PaymentRunFilter {
    /// In this state.
    #[param(inline)]
    pub state: Option<PaymentRunState>,
    /// Over this month.
    pub month: Option<Month>,
}

/// How to make a run.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PaymentRunOptions {
    /// Whether to show what the run would be, and to store nothing.
    #[serde(default)]
    #[param(default = false, example = false)]
    preview: bool,
}

/// A run to make.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"month": "2026-07"}))]
pub struct PaymentRunCreate {
    /// A closed month: the run pays what was posted up to the month.
    month: Month,
    /// Only in this currency; left out, in all.
    #[serde(default)]
    currency: Option<Currency>,
}

/// The approval of a run.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"comment": "Compared with the books"}))]
pub struct PaymentRunApproval {
    /// In your own words.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    comment: Option<String>,
}

/// The handing over of a run's payments to the bank.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct PaymentRunDispatch {
    /// The day the bank got the payments; left out, today.
    #[serde(default)]
    sent_on: Option<CalendarDate>,
}

/// List payment runs
///
/// The latest first.
#[utoipa::path(tag = "payments", params(PaymentRunFilter, PageParams), responses((status = 200, body = PaymentRunPage)))]
#[get("/v1/payment-runs")]
async fn list_payment_runs(
    caller: Caller<ListPaymentRuns>,
    page: PageRequest<PaymentRunFilter>,
) -> Result<Listing> {
    caller
        .list_plainly(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let found = store::list(tx, page)?;
            let cursor = |run: &PaymentRun| Cursor { key: None, id: run.id };
            Ok(page.answer(found, total, cursor, PaymentRunView::from))
        })
        .await
}

/// Make a payment run
///
/// Gathers the payable rebates of closed months up to one into payments, one for each partner and currency: where the
/// payable sum of an enrollment meets the program's threshold, less what is owed back. The run freezes its rebates; what
/// comes later waits for the next run. A large run is prepared in the background: `Location` tells its progress. With
/// `preview=true` the answer has the totals of the run, and nothing is stored. One run over a month and a currency is open
/// at a time.
#[utoipa::path(
    tag = "payments",
    params(PaymentRunOptions),
    request_body = PaymentRunCreate,
    responses((status = 201, body = PaymentRunView), (status = 200, description = "The preview.", body = PaymentRunPreview))
)]
#[post("/v1/payment-runs")]
async fn create_payment_run(
    caller: Caller<CreatePaymentRun>,
    Query(options): Query<PaymentRunOptions>,
    body: Body<PaymentRunCreate>,
) -> Result<Answer> {
    if options.preview {
        let PaymentRunCreate { month: until, currency } = body.value;
        let range = WaitingRange { until, currency };
        return caller
            .snapshot(move |tx| Ok(Answer::ok(&PaymentRunPreview::from(prepare::preview(tx, range)?))))
            .await;
    }
    let app = caller.app().clone();
    let answer = caller
        .write(body, move |tx, new| {
            let run = prepare::create(tx, new.month, new.currency)?;
            let location = format!("/v1/payment-runs/{}", run.id);
            Ok(record(run).made_at(location))
        })
        .await?;
    app.wake();
    Ok(answer)
}

/// Read a payment run
///
/// With its progress and its totals; `GET /v1/payments?run_id=` lists its payments.
#[utoipa::path(tag = "payments", responses((status = 200, body = PaymentRunView)))]
#[get("/v1/payment-runs/{id}")]
async fn get_payment_run(caller: Caller<GetPaymentRun>, id: Path<Id>) -> Result<Answer> {
    caller.read(move |tx| store::get(tx, *id).map(record)).await
}

/// Approve a payment run
///
/// The payments may go to the bank, and their documents get numbers. Who made the run cannot approve it
/// (`own_payment_run`). Payments to partners whose profiles are no longer approved are stopped.
#[utoipa::path(tag = "payments", request_body = PaymentRunApproval, responses((status = 200, body = PaymentRunView)))]
#[post("/v1/payment-runs/{id}/approval")]
async fn approve_payment_run(
    caller: Caller<ApprovePaymentRun>,
    id: Path<Id>,
    body: Body<PaymentRunApproval>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, approval| service::approve(tx, *id, approval.comment.as_deref()).map(record))
        .await
}

/// Cancel a payment run
///
/// Before its approval. Its payments are stopped, and their rebates are payable again.
#[utoipa::path(tag = "payments", request_body = TransitionReason, responses((status = 200, body = PaymentRunView)))]
#[post("/v1/payment-runs/{id}/cancellation")]
async fn cancel_payment_run(
    caller: Caller<CancelPaymentRun>,
    id: Path<Id>,
    body: Body<TransitionReason>,
) -> Result<Answer> {
    caller.write(body, move |tx, because| service::cancel(tx, *id, &because.reason).map(record)).await
}

/// Note that the bank got a run's payments
///
/// The approved payments of the run are sent: they were handed to the bank outside of this service. The partners' incentive
/// admins are told.
#[utoipa::path(tag = "payments", request_body = PaymentRunDispatch, responses((status = 200, body = PaymentRunView)))]
#[post("/v1/payment-runs/{id}/dispatch")]
async fn dispatch_payment_run(
    caller: Caller<DispatchPaymentRun>,
    id: Path<Id>,
    body: Body<PaymentRunDispatch>,
) -> Result<Answer> {
    caller.write(body, move |tx, told| service::dispatch(tx, *id, told.sent_on).map(record)).await
}

/// Make a failed or returned payment anew
///
/// A new payment that names the one it replaces, with the same rebates or claims, in a run of its own that another person approves.
#[utoipa::path(tag = "payments", request_body = TransitionReason, responses((status = 201, body = PaymentView)))]
#[post("/v1/payments/{id}/reissue")]
async fn reissue_payment(
    caller: Caller<ReissuePayment>,
    id: Path<Id>,
    body: Body<TransitionReason>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, because| {
            let payment = service::reissue(tx, *id, &because.reason)?;
            let lines = payments::lines_of(tx, std::slice::from_ref(&payment))?;
            let (location, revision) = (format!("/v1/payments/{}", payment.id), payment.revision);
            Ok(Answer::created(location, &PaymentView::whole(payment, &lines, tx.language), revision))
        })
        .await
}

fn record(run: PaymentRun) -> Answer {
    let revision = run.revision;
    Answer::record(&PaymentRunView::from(run), revision)
}
