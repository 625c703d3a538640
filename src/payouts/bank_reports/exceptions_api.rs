//! Exceptions over HTTP.

use super::{
    model::{BankException, ExceptionReason, ExceptionState},
    service, store,
    view::BankExceptionView,
};
use crate::{
    access::{
        Caller,
        policy::{GetBankException, ListBankExceptions, ResolveBankException},
    },
    platform::{
        Result,
        http::{Answer, Body, Cursor, Listing, PageParams, PageRequest, Path, page_of},
        values::{Id, Locale},
    },
};
use actix_web::{get, post};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of exceptions.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_bank_exceptions).service(get_bank_exception).service(resolve_bank_exception);
}

page_of!(
    /// One page of exceptions.
    pub BankExceptionPage of BankExceptionView
);

/// Which exceptions to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BankExceptionFilter {
    /// Of this report.
    pub report_id: Option<Id>,
    /// In this state.
    #[param(inline)]
    pub state: Option<ExceptionState>,
    /// For this reason.
    #[param(inline)]
    pub reason: Option<ExceptionReason>,
}

/// How an exception is settled.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"resolution": "A fee of the bank"}))]
pub struct BankExceptionResolution {
    /// In your own words.
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    resolution: String,
    /// The payment that the booked entry shows; left out where the entry shows none. The amounts have to be the same.
    #[serde(default)]
    payment_id: Option<Id>,
}

/// List the lines of banks that a person looks at
///
/// The latest first.
#[utoipa::path(
    tag = "payment_files",
    params(BankExceptionFilter, PageParams),
    responses((status = 200, body = BankExceptionPage))
)]
#[get("/v1/bank-exceptions")]
async fn list_bank_exceptions(
    caller: Caller<ListBankExceptions>,
    page: PageRequest<BankExceptionFilter>,
) -> Result<Listing> {
    caller
        .list_plainly(page, move |tx, page| {
            let total = page.include_total.then(|| store::count_exceptions(tx, &page.filter)).transpose()?;
            let found = store::list_exceptions(tx, page)?;
            let (cursor, language) =
                (|exception: &BankException| Cursor { key: None, id: exception.id }, tx.language);
            Ok(page.answer(found, total, cursor, |exception| BankExceptionView::of(exception, language)))
        })
        .await
}

/// Read a line of a bank that a person looks at
///
/// With the reason, and what a person does.
#[utoipa::path(tag = "payment_files", responses((status = 200, body = BankExceptionView)))]
#[get("/v1/bank-exceptions/{id}")]
async fn get_bank_exception(caller: Caller<GetBankException>, id: Path<Id>) -> Result<Answer> {
    caller
        .read(move |tx| {
            let language = tx.language;
            store::exception(tx, *id).map(|exception| record(exception, language))
        })
        .await
}

/// Settle an exception
///
/// In your own words. Where the line is a booked entry of a statement that shows a payment of ours, name the payment: a debit
/// settles it and is matched with it, a credit gives it back. Where a payment has to be told something else, tell the payment
/// first: `POST /v1/payments/{id}/confirmation`, `/failure` or `/return`.
#[utoipa::path(
    tag = "payment_files",
    request_body = BankExceptionResolution,
    responses((status = 200, body = BankExceptionView))
)]
#[post("/v1/bank-exceptions/{id}/resolution")]
async fn resolve_bank_exception(
    caller: Caller<ResolveBankException>,
    id: Path<Id>,
    body: Body<BankExceptionResolution>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, told| {
            let language = tx.language;
            service::resolve(tx, *id, &told.resolution, told.payment_id)
                .map(|exception| record(exception, language))
        })
        .await
}

fn record(exception: BankException, language: Locale) -> Answer {
    let revision = exception.revision;
    Answer::record(&BankExceptionView::of(exception, language), revision)
}
