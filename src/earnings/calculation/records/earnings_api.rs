//! Earnings over HTTP.

use super::{
    earning_view::{self, EarningPage, EarningView},
    store,
};
use crate::{
    access::{
        Caller, PartnerKey,
        policy::{GetEarning, ListEarnings},
    },
    participation::programs::ProgramKey,
    platform::{
        Error, Result,
        http::{Answer, Cursor, Listing, PageParams, PageRequest, Path},
        values::{Currency, Id, Month},
    },
};
use actix_web::get;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of earnings.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_earnings).service(get_earning);
}

/// Which earnings to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EarningFilter {
    /// Of this partner.
    pub partner_id: Option<PartnerKey>,
    /// Of this enrollment.
    pub enrollment_id: Option<Id>,
    /// Of this program: its code or its id.
    pub program: Option<ProgramKey>,
    /// By this lever.
    #[param(max_length = 64, example = "core")]
    pub lever: Option<String>,
    /// From this purchase and its refunds.
    pub purchase_id: Option<Id>,
    /// From this customer.
    #[param(max_length = 128, example = "C-20881")]
    pub customer_id: Option<String>,
    /// In this currency.
    pub currency: Option<Currency>,
    /// That apply to this month.
    pub earned_in: Option<Month>,
    /// Posted in this month or later.
    pub from: Option<Month>,
    /// Posted in this month or earlier.
    pub to: Option<Month>,
}

/// List earnings
///
/// What the levers of the program versions gave, each with the steps of its calculation, the latest first.
/// A lever, a customer or a span of months is looked for from the latest on: name a partner, an enrollment or the month
/// (`earned_in`) beside it, and no more than theirs is gone through.
#[utoipa::path(tag = "earnings", params(EarningFilter, PageParams), responses((status = 200, body = EarningPage)))]
#[get("/v1/earnings")]
async fn list_earnings(caller: Caller<ListEarnings>, page: PageRequest<EarningFilter>) -> Result<Listing> {
    caller
        .list(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let found = store::list(tx, page)?;
            let views = earning_view::show(tx, found)?;
            let cursor = |view: &EarningView| Cursor { key: None, id: view.id };
            Ok(page.answer(views, total, cursor, |view| view))
        })
        .await
}

/// Read an earning
///
/// With the steps of its calculation.
#[utoipa::path(tag = "earnings", responses((status = 200, body = EarningView)))]
#[get("/v1/earnings/{id}")]
async fn get_earning(caller: Caller<GetEarning>, id: Path<Id>) -> Result<Answer> {
    caller
        .snapshot(move |tx| {
            let found = store::get(tx, *id)?;
            let view =
                earning_view::show(tx, vec![found])?.pop().ok_or(Error::not_found("earning", "獲得額"))?;
            Ok(Answer::record(&view, 1))
        })
        .await
}
