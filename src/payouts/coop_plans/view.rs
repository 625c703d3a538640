//! Plans on the wire.

use super::{
    assessment::{PlanAssessment, PlanLimit},
    model::{Plan, PlanState, PlannedActivity},
};
use crate::{
    ledger::accounting::coop_funds::{CoopFund, CoopFundState},
    network::partners::Transition,
    platform::{
        FieldError,
        values::{CalendarDate, Currency, Id, Locale, Money, Timestamp},
    },
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The marketing plan of a partner for one co-op fund.
#[derive(Serialize, ToSchema)]
#[schema(as = CoopPlan)]
pub struct CoopPlanView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The partner that plans.
    partner_id: Id,
    /// The fund.
    fund_id: Id,
    /// The enrollment of the fund.
    enrollment_id: Id,
    /// The currency of the fund.
    currency: Currency,
    /// The state.
    state: PlanState,
    /// The activities.
    #[schema(max_items = 50)]
    activities: Vec<CoopPlannedActivity>,
    /// The sum of the budgets.
    budget: Money,
    /// When the plan was last submitted; null before.
    submitted_at: Option<Timestamp>,
    /// When the last decision was made; null before.
    decided_at: Option<Timestamp>,
    /// The words of the last decision, or of the cancellation; null where nothing was said.
    #[schema(max_length = 1000, examples("The seminar fits the campaign of the spring"))]
    reason: Option<String>,
    /// Until the decision: the limits, and what keeps the plan from being submitted. Null in lists and of other states.
    assessment: Option<CoopPlanAssessment>,
    /// The sub-resources that can be posted to now.
    #[schema(max_items = 4, examples(json!(["submission", "cancellation"])))]
    allowed_transitions: Vec<Transition>,
    /// When the record was made.
    created_at: Timestamp,
    /// When the record was last changed.
    updated_at: Timestamp,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 1)]
    revision: i64,
}

/// An activity that a partner plans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "activity": "customer-seminar", "from": "2019-04-12", "to": "2019-04-12",
    "description": "Seminar on cloud backup in Nagoya", "people": null, "budget": {"amount": "1200.00", "currency": "USD"}
}))]
pub struct CoopPlannedActivity {
    /// The code of the activity, from `GET /v1/coop-activities`.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$")]
    activity: String,
    /// The first day.
    from: CalendarDate,
    /// The last day.
    to: CalendarDate,
    /// The activity in your own words.
    #[schema(min_length = 1, max_length = 2000, pattern = r"^\S(.|\n)*$")]
    description: String,
    /// The people whose cost is planned, where the limit counts them; null where none are given.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1000)]
    people: Option<i32>,
    /// What the activity is to cost the fund, in the fund's currency.
    budget: Money,
}

impl From<PlannedActivity> for CoopPlannedActivity {
    fn from(planned: PlannedActivity) -> Self {
        let PlannedActivity { activity, from, to, description, people, budget } = planned;
        Self { activity, from, to, description, people, budget }
    }
}

impl From<CoopPlannedActivity> for PlannedActivity {
    fn from(told: CoopPlannedActivity) -> Self {
        let CoopPlannedActivity { activity, from, to, description, people, budget } = told;
        Self { activity, from, to, description, people, budget }
    }
}

/// The limits of a plan today, and what keeps the plan from being submitted.
#[derive(Serialize, ToSchema)]
struct CoopPlanAssessment {
    /// The fund's limit first, then those of the planned activities that have one.
    #[schema(max_items = 51)]
    limits: Vec<CoopPlanLimit>,
    /// Everything that keeps the plan from being submitted, beside the days for plans.
    #[schema(max_items = 300)]
    faults: Vec<CoopPlanFault>,
    /// The last day on which the plan is submitted.
    submit_until: CalendarDate,
    /// Whether the plan can be submitted today.
    ready: bool,
}

/// A limit beside what is planned.
#[derive(Serialize, ToSchema)]
struct CoopPlanLimit {
    /// The code of the activity; null of the fund's own limit.
    #[schema(max_length = 64, examples("customer-offer"))]
    activity: Option<String>,
    /// The most that is paid.
    most: Money,
    /// The part that is used already.
    used: Money,
    /// The part that is left for the plan.
    left: Money,
    /// The part that the plan asks for.
    budget: Money,
}

/// Something that keeps a plan from being submitted.
#[derive(Serialize, ToSchema)]
struct CoopPlanFault {
    /// The place, as a JSON pointer into the plan (RFC 6901).
    #[schema(max_length = 400, examples("/activities/0/budget/amount"))]
    pointer: String,
    /// Stable kind of the fault.
    #[schema(max_length = 60, examples("activity_limit"))]
    code: String,
    /// What is wrong and how to mend it, in the language of the answer.
    #[schema(max_length = 1000, examples("of this activity 250.00 USD can still be paid from the fund"))]
    message: String,
}

impl CoopPlanView {
    /// The plan's own record, as it stands in lists and in the audit trail.
    #[must_use]
    pub fn plain(plan: Plan) -> Self {
        Self {
            id: plan.id,
            partner_id: plan.partner_id,
            fund_id: plan.fund_id,
            enrollment_id: plan.enrollment_id,
            currency: plan.currency,
            state: plan.state,
            budget: plan.money(plan.budget),
            submitted_at: plan.submitted_at,
            decided_at: plan.decided_at,
            assessment: None,
            allowed_transitions: plan.allowed().into_iter().map(Transition).collect(),
            created_at: plan.created_at,
            updated_at: plan.updated_at,
            revision: plan.revision,
            activities: plan.activities.0.into_iter().map(CoopPlannedActivity::from).collect(),
            reason: plan.reason,
        }
    }

    /// The plan beside its limits of a day, in a language.
    pub(super) fn with_assessment(
        plan: Plan,
        assessed: &PlanAssessment,
        fund: &CoopFund,
        today: CalendarDate,
        language: Locale,
    ) -> Self {
        let submit_until = fund.half().usage().to;
        let is_open = fund.state == CoopFundState::Claimable && today <= submit_until;
        let limit = |limit: &PlanLimit| CoopPlanLimit {
            activity: limit.activity.clone(),
            most: fund.money(limit.most),
            used: fund.money(limit.used),
            left: fund.money(limit.left),
            budget: fund.money(limit.budget),
        };
        let fault = |fault: &FieldError| CoopPlanFault {
            pointer: fault.pointer.clone(),
            code: fault.code.clone().into_owned(),
            message: fault.message.in_language(language).to_owned(),
        };
        let shown = CoopPlanAssessment {
            limits: assessed.limits.iter().map(limit).collect(),
            faults: assessed.faults.iter().map(fault).collect(),
            submit_until,
            ready: assessed.faults.is_empty() && is_open && plan.state.is_written(),
        };
        Self { assessment: Some(shown), ..Self::plain(plan) }
    }
}
