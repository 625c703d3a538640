//! Plans over HTTP.

use super::{
    body::{CoopPlanComment, CoopPlanCreate, CoopPlanUpdate},
    model::{Plan, PlanState},
    service, store,
    view::CoopPlanView,
};
use crate::{
    access::{
        Caller, PartnerKey, Tx,
        policy::{
            ApproveCoopPlan, CancelCoopPlan, CreateCoopPlan, GetCoopPlan, ListCoopPlans, RejectCoopPlan,
            SubmitCoopPlan, UpdateCoopPlan,
        },
    },
    ledger::accounting::coop_funds,
    network::partners::TransitionReason,
    participation::programs::ProgramKey,
    platform::{
        Result,
        http::{Answer, Body, Cursor, IfMatch, Listing, PageParams, PageRequest, Path, page_of},
        values::Id,
    },
};
use actix_web::{get, patch, post};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of plans.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_coop_plans)
        .service(create_coop_plan)
        .service(get_coop_plan)
        .service(update_coop_plan)
        .service(submit_coop_plan)
        .service(cancel_coop_plan)
        .service(approve_coop_plan)
        .service(reject_coop_plan);
}

page_of!(
    /// One page of plans.
    pub CoopPlanPage of CoopPlanView
);

/// Which plans to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CoopPlanFilter {
    /// Of this partner.
    pub partner_id: Option<PartnerKey>,
    /// Of this program: its code or its id.
    pub program: Option<ProgramKey>,
    /// For this fund.
    pub fund_id: Option<Id>,
    /// In this state.
    #[param(inline)]
    pub state: Option<PlanState>,
}

/// List co-op plans
///
/// The plans of the partners that the caller may see, the newest first.
#[utoipa::path(tag = "coop-plans", params(CoopPlanFilter, PageParams), responses((status = 200, body = CoopPlanPage)))]
#[get("/v1/coop-plans")]
async fn list_coop_plans(
    caller: Caller<ListCoopPlans>,
    page: PageRequest<CoopPlanFilter>,
) -> Result<Listing> {
    caller
        .list_plainly(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let found = store::list(tx, page)?;
            let cursor = |plan: &Plan| Cursor { key: None, id: plan.id };
            Ok(page.answer(found, total, cursor, CoopPlanView::plain))
        })
        .await
}

/// Draft a co-op plan
///
/// One for each fund, from the fund's first day on. The answer says what is left of each limit; nothing is set aside before the
/// approval.
#[utoipa::path(tag = "coop-plans", request_body = CoopPlanCreate, responses((status = 201, body = CoopPlanView)))]
#[post("/v1/coop-plans")]
async fn create_coop_plan(caller: Caller<CreateCoopPlan>, body: Body<CoopPlanCreate>) -> Result<Answer> {
    caller
        .write(body, |tx, new| {
            let plan = service::draft(tx, new.fund_id, new.activities())?;
            let location = format!("/v1/coop-plans/{}", plan.id);
            Ok(record(tx, plan)?.made_at(location))
        })
        .await
}

/// Read a co-op plan
///
/// Until the decision with its limits, and with everything that keeps the plan from being submitted.
#[utoipa::path(tag = "coop-plans", responses((status = 200, body = CoopPlanView)))]
#[get("/v1/coop-plans/{id}")]
async fn get_coop_plan(caller: Caller<GetCoopPlan>, id: Path<Id>) -> Result<Answer> {
    caller
        .snapshot(move |tx| {
            let plan = store::get(tx, *id)?;
            record(tx, plan)
        })
        .await
}

/// Change a co-op plan
///
/// A draft, or a plan that was rejected.
#[utoipa::path(tag = "coop-plans", request_body = CoopPlanUpdate, responses((status = 200, body = CoopPlanView)))]
#[patch("/v1/coop-plans/{id}")]
async fn update_coop_plan(
    caller: Caller<UpdateCoopPlan>,
    id: Path<Id>,
    body: Body<CoopPlanUpdate>,
    revision: IfMatch,
) -> Result<Answer> {
    caller
        .write(body, move |tx, change| {
            let before = store::to_change(tx, *id)?;
            revision.permits(before.revision)?;
            service::refuse_unwritten(&before)?;
            let Some(activities) = change.activities() else {
                let answer = record(tx, before)?;
                return tx.unchanged(answer);
            };
            let plan = service::change(tx, &before, activities)?;
            record(tx, plan)
        })
        .await
}

/// Submit a co-op plan
///
/// Once the half-year of the fund is closed. Refused with everything that lacks at once.
#[utoipa::path(tag = "coop-plans", responses((status = 200, body = CoopPlanView)))]
#[post("/v1/coop-plans/{id}/submission")]
async fn submit_coop_plan(caller: Caller<SubmitCoopPlan>, id: Path<Id>) -> Result<Answer> {
    caller
        .act_once(move |tx| {
            let plan = service::submit(tx, *id)?;
            record(tx, plan)
        })
        .await
}

/// Cancel a co-op plan
///
/// What was set aside and not claimed is in the fund again. Claims keep what they have taken from the plan.
#[utoipa::path(tag = "coop-plans", request_body = CoopPlanComment, responses((status = 200, body = CoopPlanView)))]
#[post("/v1/coop-plans/{id}/cancellation")]
async fn cancel_coop_plan(
    caller: Caller<CancelCoopPlan>,
    id: Path<Id>,
    body: Body<CoopPlanComment>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, told| {
            let plan = service::cancel(tx, *id, told.comment.as_deref())?;
            record(tx, plan)
        })
        .await
}

/// Approve a co-op plan
///
/// The budgets are set aside in the fund, for the claims of the planned activities. Refused where the fund has less left.
#[utoipa::path(tag = "coop-plans", request_body = CoopPlanComment, responses((status = 200, body = CoopPlanView)))]
#[post("/v1/coop-plans/{id}/approval")]
async fn approve_coop_plan(
    caller: Caller<ApproveCoopPlan>,
    id: Path<Id>,
    body: Body<CoopPlanComment>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, told| {
            let plan = service::approve(tx, *id, told.comment.as_deref())?;
            record(tx, plan)
        })
        .await
}

/// Reject a co-op plan
///
/// The partner's people read the reason; they may change the plan and submit it again.
#[utoipa::path(tag = "coop-plans", request_body = TransitionReason, responses((status = 200, body = CoopPlanView)))]
#[post("/v1/coop-plans/{id}/rejection")]
async fn reject_coop_plan(
    caller: Caller<RejectCoopPlan>,
    id: Path<Id>,
    body: Body<TransitionReason>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, because| {
            let plan = service::reject(tx, *id, &because.reason)?;
            record(tx, plan)
        })
        .await
}

/// The answer with a plan, beside its limits until the decision.
fn record(tx: &mut Tx<'_>, plan: Plan) -> Result<Answer> {
    let revision = plan.revision;
    let view = if plan.state.is_written() || plan.state == PlanState::Submitted {
        let fund = coop_funds::get(tx, plan.fund_id)?;
        let assessed = service::assess(tx, &plan, &fund)?;
        CoopPlanView::with_assessment(plan, &assessed, &fund, tx.today(), tx.language)
    } else {
        CoopPlanView::plain(plan)
    };
    Ok(Answer::record(&view, revision))
}
