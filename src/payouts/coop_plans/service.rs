//! The steps of a plan: written, submitted, decided, withdrawn; and its end with the fund.

use super::{
    assessment::{PlanAssessment, PlanFacts},
    model::{Plan, PlanEvent, PlanState, PlannedActivity},
    store,
    view::CoopPlanView,
};
use crate::{
    access::Tx,
    audit,
    identity::users,
    ledger::accounting::{
        self, TransferCause,
        coop_funds::{self, CoopFund, CoopFundState, FundMove, FundPart, PartMove, move_funds},
    },
    network::partners::{self, TRANSITION_NOT_ALLOWED},
    notifications::{About, Message},
    participation::{enrollments, programs},
    payouts::coop_claims,
    platform::{
        Error, FieldError, Result,
        db::types::Json,
        values::{Id, Period},
    },
    text,
};

crate::problem_codes! {
    COOP_PLANS_CLOSED = "coop_plans_closed" 409 ["The fund takes no plans now", "この資金は現在、計画を受け付けていません"],
        ["A plan is written up to `until`, the last day for activities, and submitted once the half-year is closed. `state` is the state of the fund.", "計画は活動期間の最終日 `until` まで作成でき、対象半期の締め後に提出できます。資金の状態は `state` に示されます。"];
    COOP_PLAN_EXISTS = "coop_plan_exists" 409 ["The fund has a plan", "この資金にはすでに計画があります"],
        ["A fund has one plan: change `plan_id`, or cancel that plan first.", "計画は資金ごとに一つです。`plan_id` の計画を変更するか、先に取り消してください。"];
}

/// Makes a draft for a fund.
pub fn draft(tx: &mut Tx<'_>, fund: Id, activities: Vec<PlannedActivity>) -> Result<Plan> {
    let fund = coop_funds::to_change(tx, fund)?;
    if fund.state != CoopFundState::Estimated {
        refuse_closed(tx, &fund)?;
    }
    if let Some(plan) = store::live(tx, &[fund.partner_id], &[fund.id])?.first() {
        let detail = text!("the fund has a plan already", "この資金にはすでに計画があります。");
        return Err(Error::new(&COOP_PLAN_EXISTS, detail).with("plan_id", plan.id));
    }
    let plan = Plan {
        id: tx.new_id(),
        partner_id: fund.partner_id,
        fund_id: fund.id,
        enrollment_id: fund.enrollment_id,
        currency: fund.currency,
        state: PlanState::Draft,
        budget: budget_of(&fund, &activities)?,
        activities: Json(activities),
        submitted_at: None,
        decided_at: None,
        decided_by: None,
        reason: None,
        created_at: tx.now,
        created_by: tx.actor.id(),
        updated_at: tx.now,
        revision: 1,
    };
    store::insert(tx, &plan)?;
    let event = audit::Event::on("coop_plan", plan.id).of_partner(plan.partner_id);
    event.after(&CoopPlanView::plain(plan.clone())).record(tx)?;
    Ok(plan)
}

/// Refuses a plan for a fund whose half-year is not closed, and for one whose days for activities are over.
fn refuse_closed(tx: &Tx<'_>, fund: &CoopFund) -> Result<()> {
    let until = fund.half().usage().to;
    if fund.state == CoopFundState::Claimable && tx.today() <= until {
        return Ok(());
    }
    let detail = text!(
        "plans for this fund are submitted once its half-year is closed, up to {until}",
        "この資金の計画は、対象半期の締め後から {until} まで提出できます。"
    );
    Err(Error::new(&COOP_PLANS_CLOSED, detail).with("state", fund.state).with("until", until))
}

/// The sum of the budgets of activities that a plan for a fund can have on record.
fn budget_of(fund: &CoopFund, activities: &[PlannedActivity]) -> Result<i64> {
    let mut faults = Vec::new();
    let mut sum: i64 = 0;
    for (n, planned) in activities.iter().enumerate() {
        let mut fault = |member: &str, code: &'static str, message| {
            faults.push(FieldError::new(format!("/activities/{n}/{member}"), code, message));
        };
        if planned.to < planned.from {
            let message = text!(
                "an activity ends on or after the day it begins",
                "活動の終了日は開始日以降にしてください。"
            );
            fault("to", "order", message);
        }
        if planned.budget.currency != fund.currency {
            let message = text!("the fund is in {}", "この資金の通貨は {} です。", fund.currency);
            fault("budget/currency", "currency", message);
        }
        if let Some(more) = sum.checked_add(planned.budget.minor).filter(|_| planned.budget.minor > 0) {
            sum = more;
        } else {
            let message = text!(
                "a budget is above zero, and all together are an amount",
                "予算は 0 より大きく、合計が金額の範囲に収まる額にしてください。"
            );
            fault("budget/amount", "range", message);
        }
    }
    if faults.is_empty() { Ok(sum) } else { Err(Error::invalid(faults)) }
}

/// Changes a plan that is being written.
pub(super) fn change(tx: &mut Tx<'_>, before: &Plan, activities: Vec<PlannedActivity>) -> Result<Plan> {
    let fund = coop_funds::get(tx, before.fund_id)?;
    let budget = budget_of(&fund, &activities)?;
    save(tx, before, Plan { activities: Json(activities), budget, ..before.clone() }, None)
}

/// Refuses to change a plan that is not being written.
pub(super) fn refuse_unwritten(plan: &Plan) -> Result<()> {
    if plan.state.is_written() { Ok(()) } else { Err(not_allowed(plan, "change")) }
}

/// The limits of a plan today, and what keeps the plan from being submitted.
pub(super) fn assess(tx: &mut Tx<'_>, plan: &Plan, fund: &CoopFund) -> Result<PlanAssessment> {
    let enrollment = enrollments::get(tx, plan.enrollment_id)?.enrollment;
    let version = programs::get_version(tx, enrollment.program_id, enrollment.version)?;
    let (from, to) = (fund.last_month.first_day(), fund.last_month.last_day());
    let rates = accounting::rates(tx, Period { from, to })?;
    let facts = PlanFacts {
        fund,
        activities: &version.coop_activities.0,
        used: &coop_claims::used(tx, fund, None)?,
        rates: &rates,
        today: tx.today(),
    };
    Ok(PlanAssessment::of(plan, facts))
}

/// Submits a plan.
pub fn submit(tx: &mut Tx<'_>, id: Id) -> Result<Plan> {
    let before = allowing(tx, id, "submission", PlanEvent::Submission)?;
    let fund = coop_funds::get(tx, before.fund_id)?;
    refuse_closed(tx, &fund)?;
    let assessed = assess(tx, &before, &fund)?;
    if !assessed.faults.is_empty() {
        return Err(Error::invalid(assessed.faults));
    }
    let after = Plan { state: PlanState::Submitted, submitted_at: Some(tx.now), ..before.clone() };
    save(tx, &before, after, None)
}

/// Approves a plan: its budgets are set aside in the fund.
pub fn approve(tx: &mut Tx<'_>, id: Id, comment: Option<&str>) -> Result<Plan> {
    let before = allowing(tx, id, "approval", PlanEvent::Approval)?;
    let fund = coop_funds::get(tx, before.fund_id)?;
    let planned = CoopFund { plan_id: Some(before.id), planned_for: Json(before.budgets()), ..fund.clone() };
    let part = PartMove { from: FundPart::Remaining, to: FundPart::Planned, amount: before.budget };
    set_aside(tx, &fund, planned, part, before.id)?;
    let after = decided(tx, &before, PlanState::Approved, comment)?;
    tell_decision(tx, &after)?;
    Ok(after)
}

/// Rejects a plan; the partner's people may change the plan and submit it again.
pub(super) fn reject(tx: &mut Tx<'_>, id: Id, reason: &str) -> Result<Plan> {
    let before = allowing(tx, id, "rejection", PlanEvent::Rejection)?;
    let after = decided(tx, &before, PlanState::Rejected, Some(reason))?;
    tell_decision(tx, &after)?;
    Ok(after)
}

fn decided(tx: &mut Tx<'_>, before: &Plan, state: PlanState, words: Option<&str>) -> Result<Plan> {
    let after = Plan {
        state,
        decided_at: Some(tx.now),
        decided_by: tx.actor.id(),
        reason: words.map(str::to_owned),
        ..before.clone()
    };
    save(tx, before, after, words)
}

/// Withdraws a plan; what was set aside and not claimed is in the fund again.
pub fn cancel(tx: &mut Tx<'_>, id: Id, reason: Option<&str>) -> Result<Plan> {
    let before = allowing(tx, id, "cancellation", PlanEvent::Cancellation)?;
    if before.state == PlanState::Approved {
        let fund = coop_funds::get(tx, before.fund_id)?;
        let part = PartMove { from: FundPart::Planned, to: FundPart::Remaining, amount: fund.planned };
        set_aside(tx, &fund, fund.without_plan(), part, before.id)?;
    }
    let words = reason.map(str::to_owned).or_else(|| before.reason.clone());
    let after = Plan { state: PlanState::Cancelled, reason: words, ..before.clone() };
    save(tx, &before, after, reason)
}

/// Moves what a fund sets aside for a plan, with its audit event.
fn set_aside(tx: &mut Tx<'_>, before: &CoopFund, planned: CoopFund, part: PartMove, plan: Id) -> Result<()> {
    let step = FundMove { fund: planned, parts: vec![part], cause: TransferCause::Plan, cause_id: plan };
    for after in move_funds(tx, &[step])? {
        audit::Event::on("coop_fund", after.id)
            .of_partner(after.partner_id)
            .before(&coop_funds::CoopFundView::plain(before))
            .after(&coop_funds::CoopFundView::plain(&after))
            .record(tx)?;
    }
    Ok(())
}

/// Ends the plans of funds that are over. The unit holds the locks of the partners. A constant number of statements, however many
/// funds there are, and an audit event for each plan.
pub fn end(tx: &mut Tx<'_>, funds: &[&CoopFund]) -> Result<()> {
    let mut partners: Vec<Id> = funds.iter().map(|fund| fund.partner_id).collect();
    partners.dedup();
    let ids: Vec<Id> = funds.iter().map(|fund| fund.id).collect();
    let live = store::live(tx, &partners, &ids)?;
    let ended: Vec<Plan> = live
        .iter()
        .map(|plan| Plan {
            state: plan.state.after(PlanEvent::End).unwrap_or(plan.state),
            updated_at: tx.now,
            revision: plan.revision + 1,
            ..plan.clone()
        })
        .collect();
    store::update_ended(tx, &ended)?;
    for (before, after) in live.into_iter().zip(ended) {
        record(tx, before, after, None)?;
    }
    Ok(())
}

/// The plan with its partner locked, where its state allows the event.
fn allowing(tx: &mut Tx<'_>, id: Id, name: &str, event: PlanEvent) -> Result<Plan> {
    let plan = store::to_change(tx, id)?;
    if plan.state.after(event).is_some() { Ok(plan) } else { Err(not_allowed(&plan, name)) }
}

fn not_allowed(plan: &Plan, name: &str) -> Error {
    let (state, allowed) = (plan.state, plan.allowed());
    let can = allowed.join(", ");
    let detail = if allowed.is_empty() {
        text!(
            "a plan that is {state} allows no {name}; it allows: nothing",
            "計画の状態が {state} のため、{name} は実行できません。実行できる操作はありません。"
        )
    } else {
        text!(
            "a plan that is {state} allows no {name}; it allows: {can}",
            "計画の状態が {state} のため、{name} は実行できません。実行できる操作は次のとおりです：{can}"
        )
    };
    Error::new(&TRANSITION_NOT_ALLOWED, detail).with("from", state).with("allowed", allowed)
}

/// Writes the next revision of a plan.
fn save(tx: &mut Tx<'_>, before: &Plan, changed: Plan, words: Option<&str>) -> Result<Plan> {
    let after = Plan { updated_at: tx.now, revision: before.revision + 1, ..changed };
    store::update(tx, &after)?;
    record(tx, before.clone(), after.clone(), words)?;
    Ok(after)
}

fn record(tx: &mut Tx<'_>, before: Plan, after: Plan, words: Option<&str>) -> Result<()> {
    audit::Event::on("coop_plan", after.id)
        .of_partner(after.partner_id)
        .before(&CoopPlanView::plain(before))
        .after(&CoopPlanView::plain(after))
        .because(words)
        .record(tx)
}

fn tell_decision(tx: &mut Tx<'_>, plan: &Plan) -> Result<()> {
    let partner = partners::get(tx, plan.partner_id)?;
    let message = Message::CoopPlanDecided {
        partner: partner.legal_name.clone(),
        set_aside: (plan.state == PlanState::Approved).then(|| plan.money(plan.budget)),
        reason: plan.reason.clone(),
        plan: plan.id,
    };
    users::notify_admins(tx, &partner, About::new("coop_plan", plan.id), &message)
}
