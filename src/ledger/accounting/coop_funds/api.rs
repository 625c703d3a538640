//! Co-op funds over HTTP.

use super::{
    CoopFundState, store,
    view::{self, CoopFundPage, CoopFundView},
};
use crate::{
    access::{
        Caller, PartnerKey,
        policy::{GetCoopFund, ListCoopFunds},
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

/// The routes of co-op funds.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_coop_funds).service(get_coop_fund);
}

/// Which co-op funds to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CoopFundFilter {
    /// Of this partner.
    pub partner_id: Option<PartnerKey>,
    /// Of this enrollment.
    pub enrollment_id: Option<Id>,
    /// Of this program: its code or its id.
    pub program: Option<ProgramKey>,
    /// In this state.
    #[param(inline)]
    pub state: Option<CoopFundState>,
    /// In this currency.
    pub currency: Option<Currency>,
    /// Of the half-year that begins with this month.
    pub half_year: Option<Month>,
}

/// List co-op funds
///
/// The funds of the partners that the caller may see, the newest record first. A fund is shown from its first posting on; it is
/// `estimated` until its half-year is closed.
#[utoipa::path(tag = "coop", params(CoopFundFilter, PageParams), responses((status = 200, body = CoopFundPage)))]
#[get("/v1/coop-funds")]
async fn list_coop_funds(
    caller: Caller<ListCoopFunds>,
    page: PageRequest<CoopFundFilter>,
) -> Result<Listing> {
    caller
        .list(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let found = store::list(tx, page)?;
            let ids: Vec<Id> = found.iter().map(|fund| fund.id).collect();
            let views: Vec<_> = ids.into_iter().zip(view::views(tx, found)?).collect();
            Ok(page.answer(views, total, |(id, _)| Cursor { key: None, id: *id }, |(_, view)| view))
        })
        .await
}

/// Read a co-op fund
///
/// With its parts, the days for use and claims, and the threshold below which the fund becomes rebate.
#[utoipa::path(tag = "coop", responses((status = 200, body = CoopFundView)))]
#[get("/v1/coop-funds/{id}")]
async fn get_coop_fund(caller: Caller<GetCoopFund>, id: Path<Id>) -> Result<Answer> {
    caller
        .snapshot(move |tx| {
            let fund = store::get(tx, *id)?;
            let revision = fund.revision;
            let view =
                view::views(tx, vec![fund])?.pop().ok_or(Error::not_found("co-op fund", "Co-op 資金"))?;
            Ok(Answer::record(&view, revision))
        })
        .await
}
