//! Rebates over HTTP.

use super::{
    Rebate, RebateState,
    rebate_view::{self, RebatePage, RebateView},
    service, store,
};
use crate::{
    access::{
        Caller, PartnerKey, Tx,
        policy::{GetRebate, HoldRebate, ListRebates, ReleaseRebate},
    },
    network::partners::TransitionReason,
    participation::programs::ProgramKey,
    platform::{
        Error, Result,
        http::{Answer, Body, Cursor, Listing, PageParams, PageRequest, Path},
        values::{Currency, Id, Month},
    },
};
use actix_web::{get, post};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of rebates.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_rebates).service(get_rebate).service(hold_rebate).service(release_rebate);
}

/// Which rebates to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RebateFilter {
    /// Of this partner.
    pub partner_id: Option<PartnerKey>,
    /// Of this enrollment.
    pub enrollment_id: Option<Id>,
    /// Of this program: its code or its id.
    pub program: Option<ProgramKey>,
    /// In this state.
    #[param(inline)]
    pub state: Option<RebateState>,
    /// In this currency.
    pub currency: Option<Currency>,
    /// Posted in this month or later.
    pub from: Option<Month>,
    /// Posted in this month or earlier.
    pub to: Option<Month>,
}

/// List rebates
///
/// The rebates of the partners that the caller may see, the newest record first.
#[utoipa::path(tag = "rebates", params(RebateFilter, PageParams), responses((status = 200, body = RebatePage)))]
#[get("/v1/rebates")]
async fn list_rebates(caller: Caller<ListRebates>, page: PageRequest<RebateFilter>) -> Result<Listing> {
    caller
        .list(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let found = store::list(tx, page)?;
            let ids: Vec<Id> = found.iter().map(|rebate| rebate.id).collect();
            let views: Vec<_> = ids.into_iter().zip(rebate_view::views(tx, found)?).collect();
            Ok(page.answer(views, total, |(id, _)| Cursor { key: None, id: *id }, |(_, view)| view))
        })
        .await
}

/// Read a rebate
///
/// The rebate, with the reason it is not paid for now.
#[utoipa::path(tag = "rebates", responses((status = 200, body = RebateView)))]
#[get("/v1/rebates/{id}")]
async fn get_rebate(caller: Caller<GetRebate>, id: Path<Id>) -> Result<Answer> {
    caller
        .snapshot(move |tx| {
            let rebate = store::get(tx, *id)?;
            record(tx, rebate)
        })
        .await
}

/// Hold a rebate
///
/// The rebate is not paid until an operator releases it.
#[utoipa::path(tag = "rebates", request_body = TransitionReason, responses((status = 200, body = RebateView)))]
#[post("/v1/rebates/{id}/hold")]
async fn hold_rebate(
    caller: Caller<HoldRebate>,
    id: Path<Id>,
    body: Body<TransitionReason>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, because| {
            let rebate = service::hold(tx, *id, &because.reason)?;
            record(tx, rebate)
        })
        .await
}

/// Release a rebate that was held
///
/// The month and the partner's profiles decide the state of the rebate again.
#[utoipa::path(tag = "rebates", request_body = TransitionReason, responses((status = 200, body = RebateView)))]
#[post("/v1/rebates/{id}/release")]
async fn release_rebate(
    caller: Caller<ReleaseRebate>,
    id: Path<Id>,
    body: Body<TransitionReason>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, because| {
            let rebate = service::release(tx, *id, &because.reason)?;
            record(tx, rebate)
        })
        .await
}

fn record(tx: &mut Tx<'_>, rebate: Rebate) -> Result<Answer> {
    let revision = rebate.revision;
    let view = rebate_view::views(tx, vec![rebate])?.pop().ok_or(Error::not_found("rebate", "リベート"))?;
    Ok(Answer::record(&view, revision))
}
