//! The limits of a plan, and what keeps a plan from being submitted. No I/O, no clock, no HTTP.

use super::model::Plan;
use crate::{
    ledger::accounting::coop_funds::CoopFund,
    participation::programs::{CoopActivity, CoopLimit},
    payouts::coop_claims::{in_fund, most_of},
    platform::{
        FieldError,
        values::{CalendarDate, ExchangeRates},
    },
    text,
};
use std::collections::HashMap;

/// The facts a plan is assessed by.
#[derive(Clone, Copy)]
pub(super) struct PlanFacts<'a> {
    /// The fund.
    pub fund: &'a CoopFund,
    /// The catalogue of activities.
    pub activities: &'a [CoopActivity],
    /// The part of the fund that claims use, by activity.
    pub used: &'a HashMap<String, i64>,
    /// The published rates of the last month of the fund's half-year.
    pub rates: &'a ExchangeRates,
    /// The day.
    pub today: CalendarDate,
}

/// The limit of the fund, or of an activity, beside what is planned. Amounts are minor units of the fund's currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PlanLimit {
    /// The code of the activity; none of the fund's own limit.
    pub activity: Option<String>,
    /// The most that is paid.
    pub most: i64,
    /// The part that claims use, and that the fund has lost.
    pub used: i64,
    /// The part that is left for the plan.
    pub left: i64,
    /// The part that the plan asks for.
    pub budget: i64,
}

/// The limits of a plan and its faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PlanAssessment {
    /// The fund's limit first, then those of the planned activities that have one, by code.
    pub limits: Vec<PlanLimit>,
    /// Everything that keeps the plan from being submitted, beside the days for plans.
    pub faults: Vec<FieldError>,
}

impl PlanAssessment {
    pub(super) fn of(plan: &Plan, facts: PlanFacts<'_>) -> Self {
        let limits = limits(plan, facts);
        let mut faults = faults(plan, facts);
        for limit in limits.iter().filter(|limit| limit.budget > limit.left) {
            faults.push(exceeded(plan, limit));
        }
        faults.sort_by(|one, other| one.pointer.cmp(&other.pointer));
        Self { limits, faults }
    }
}

fn limits(plan: &Plan, facts: PlanFacts<'_>) -> Vec<PlanLimit> {
    let fund = facts.fund;
    let left = fund.remaining.max(0);
    let of_fund = PlanLimit {
        activity: None,
        most: fund.claimable,
        used: fund.claimable.saturating_sub(left),
        left,
        budget: plan.budget,
    };
    let of_activities = plan.budgets().into_iter().filter_map(|planned| {
        let limit = activity(facts, &planned.activity)?.limit.as_ref()?;
        let (most, used) = (most_of(limit, fund, facts.rates), facts.used.get(&planned.activity));
        let used = used.copied().unwrap_or_default();
        let left = most.saturating_sub(used).max(0);
        Some(PlanLimit { activity: Some(planned.activity), most, used, left, budget: planned.amount })
    });
    [of_fund].into_iter().chain(of_activities).collect()
}

fn activity<'a>(facts: PlanFacts<'a>, code: &str) -> Option<&'a CoopActivity> {
    facts.activities.iter().find(|one| one.code == code)
}

fn exceeded(plan: &Plan, limit: &PlanLimit) -> FieldError {
    let left = plan.money(limit.left);
    let Some(code) = &limit.activity else {
        let message = text!("the fund has {left} left for plans", "計画に使える資金の残高は {left} です。");
        return FieldError::new("/activities", "fund_exhausted", message);
    };
    let place = plan.activities.0.iter().rposition(|planned| planned.activity == *code).unwrap_or_default();
    let message = text!(
        "of this activity {left} can still be paid from the fund",
        "この活動に対してこの資金から支払える残額は {left} です。"
    );
    FieldError::new(format!("/activities/{place}/budget/amount"), "activity_limit", message)
}

fn faults(plan: &Plan, facts: PlanFacts<'_>) -> Vec<FieldError> {
    let mut faults = Vec::new();
    if plan.activities.0.is_empty() {
        let message = text!("a plan has an activity", "計画には活動を一つ以上指定してください。");
        faults.push(FieldError::new("/activities", "required", message));
    }
    let usage = facts.fund.half().usage();
    for (n, planned) in plan.activities.0.iter().enumerate() {
        let mut fault = |member: &str, code: &'static str, message| {
            faults.push(FieldError::new(format!("/activities/{n}/{member}"), code, message));
        };
        for (member, day) in [("from", planned.from), ("to", planned.to)] {
            if !usage.contains(day) {
                let message = text!(
                    "the fund pays activities from {} to {}",
                    "この資金の対象となる活動期間は {} から {} までです。",
                    usage.from,
                    usage.to
                );
                fault(member, "outside_usage_period", message);
            }
        }
        if planned.to < facts.today {
            let message = text!(
                "the activity is over: claim the activity instead",
                "活動はすでに終了しています。計画ではなく申請を行ってください。"
            );
            fault("to", "over", message);
        }
        let Some(known) = activity(facts, &planned.activity) else {
            let message = text!(
                "the program version pays no activity with this code: `GET /v1/coop-activities` lists those it pays",
                "この活動コードはプログラムの版にありません。対象の活動は `GET /v1/coop-activities` で確認できます。"
            );
            fault("activity", "unknown", message);
            continue;
        };
        if !matches!(known.limit, Some(CoopLimit::People { .. })) {
            continue;
        }
        let Some(people) = planned.people else {
            let message = text!(
                "the limit counts the people who take part",
                "上限額は参加人数によって決まります。人数を指定してください。"
            );
            fault("people", "required", message);
            continue;
        };
        let of_event = known.limit.as_ref().and_then(|limit| limit.most_of_event(people));
        let most = of_event.and_then(|most| in_fund(facts.fund, facts.rates, most));
        if let Some(most) = most.filter(|most| planned.budget.minor > most.minor) {
            let message = text!(
                "for {people} people {most} are paid at most",
                "{people} 名に対して支払われる上限額は {most} です。"
            );
            fault("budget/amount", "people_limit", message);
        }
    }
    faults
}
