//! Claims on the wire.

use super::{
    assessment::Assessment,
    assessment_view::{CoopAskedAmount, CoopAssessment},
    model::{Claim, ClaimSide, ClaimState, CutReason, Expense, ExpenseDecision, ExpenseSource, HistoryStep},
    risk::{Risk, RiskKind},
};
use crate::{
    access::{Scope, Tx},
    ledger::accounting::coop_funds::CoopFund,
    network::partners::Transition,
    platform::values::{CalendarDate, Currency, Id, Money, Timestamp},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a partner asks to be paid back from a co-op fund for one activity.
#[derive(Serialize, ToSchema)]
#[schema(as = CoopClaim)]
pub struct CoopClaimView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The partner that claims.
    partner_id: Id,
    /// The fund.
    fund_id: Id,
    /// The enrollment of the fund.
    enrollment_id: Id,
    /// The code of the activity, from `GET /v1/coop-activities`.
    #[schema(max_length = 64, examples("customer-seminar"))]
    activity: String,
    /// The first day of the activity.
    activity_from: CalendarDate,
    /// The last day of the activity.
    activity_to: CalendarDate,
    /// The activity in the partner's words.
    #[schema(max_length = 2000, examples("Seminar on cloud backup in Nagoya"))]
    description: String,
    /// The address of a page that proves the activity; null where none is given.
    #[schema(max_length = 2000, examples("https://contoso.example/seminar"))]
    web_address: Option<String>,
    /// The number that the activity is asked for, such as the people who took part; null where none is given.
    #[schema(minimum = 0, examples(42))]
    metric: Option<i64>,
    /// The people whose cost is claimed, where the limit counts them; null where none are given.
    #[schema(minimum = 1, examples(2))]
    people: Option<i32>,
    /// The expenses.
    #[schema(max_items = 50)]
    expenses: Vec<CoopExpense>,
    /// The currency of the fund, and of all amounts that are not an expense's own.
    currency: Currency,
    /// The state.
    state: ClaimState,
    /// The part of the fund that waits for the decision or the payment.
    committed: Money,
    /// The part of the amount that comes from the plan of the fund, which is used first.
    from_plan: Money,
    /// The plan that this part comes from; null where no part does.
    plan_id: Option<Id>,
    /// The approved amount; null before the decision, and of a rejection.
    approved: Option<Money>,
    /// The last day to submit a draft, or to answer a question; null where nothing waits for the partner.
    due_on: Option<CalendarDate>,
    /// The last day for the decision; null where none is to be made.
    review_due_on: Option<CalendarDate>,
    /// The last day to dispute the rejection; null of another state, and of a final rejection.
    disputable_until: Option<CalendarDate>,
    /// When the claim was last submitted; null before.
    submitted_at: Option<Timestamp>,
    /// When the last decision was made; null before.
    decided_at: Option<Timestamp>,
    /// The payment that has paid the claim; null before.
    payment_id: Option<Id>,
    /// The words by which an operator holds the claim back from payment; null where nobody does.
    #[schema(max_length = 1000, examples("The supplier has called in doubt that the seminar took place"))]
    held_because: Option<String>,
    /// While the claim is written: what would be paid, and what lacks. Null in lists and of other states.
    assessment: Option<CoopAssessment>,
    /// For the review, to programme staff; null for a partner's people.
    review: Option<CoopReview>,
    /// The steps, the oldest first.
    #[schema(max_items = 1000)]
    history: Vec<CoopClaimStep>,
    /// The sub-resources that can be posted to now.
    #[schema(max_items = 9, examples(json!(["submission", "cancellation"])))]
    allowed_transitions: Vec<Transition>,
    /// When the record was made.
    created_at: Timestamp,
    /// When the record was last changed.
    updated_at: Timestamp,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 1)]
    revision: i64,
}

/// An expense of a claim.
#[derive(Serialize, ToSchema)]
struct CoopExpense {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The subject in the partner's words.
    #[schema(max_length = 500, examples("Room and catering"))]
    description: String,
    /// The day of the invoice or of the own service.
    on: CalendarDate,
    /// Who has issued the document.
    source: CoopExpenseSource,
    /// The amount without tax.
    net: Money,
    /// The tax.
    tax: Money,
    /// Whether the partner recovers the tax, which is not paid back then.
    recovers_tax: bool,
    /// What the submission made of the expense; null before.
    asked: Option<CoopAskedAmount>,
    /// The decision; null before.
    decision: Option<CoopExpenseDecision>,
}

/// Who has issued the document behind an expense: a supplier by an invoice, or the partner, which certifies its own service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[schema(example = json!({"type": "invoice", "supplier": "Nagoya Congress Center", "number": "NCC-2019-0412"}))]
pub enum CoopExpenseSource {
    /// Somebody else, by an invoice.
    Invoice {
        /// The supplier's name.
        #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$")]
        supplier: String,
        /// The number of the invoice.
        #[schema(min_length = 1, max_length = 100, pattern = r"^\S(.*\S)?$")]
        number: String,
    },
    /// The partner, which certifies its own service.
    OwnService,
}

/// The decision on an expense.
#[derive(Serialize, ToSchema)]
struct CoopExpenseDecision {
    /// The approved amount.
    approved: Money,
    /// The limit or the reason that cuts the rest; null where nothing is cut.
    reason: Option<CutReason>,
    /// What the partner can do, in the reviewer's words; null where nothing was said.
    #[schema(max_length = 1000, examples("Send the invoice of the caterer"))]
    remedy: Option<String>,
}

/// What a reviewer looks at.
#[derive(Serialize, ToSchema)]
struct CoopReview {
    /// The reviewer who has taken the claim; null while nobody has.
    reviewer_id: Option<Id>,
    /// The first of two reviewers, whose decision waits for another person; null where nobody has approved.
    first_reviewer_id: Option<Id>,
    /// What makes the claim look twice at. With any of them two people decide.
    #[schema(max_items = 100)]
    risks: Vec<CoopRisk>,
}

/// What makes a claim look twice at.
#[derive(Serialize, ToSchema)]
struct CoopRisk {
    /// The kind.
    kind: RiskKind,
    /// The expense; null of a risk of the whole claim.
    expense_id: Option<Id>,
    /// The other claim; null where no other claim is concerned.
    other_claim_id: Option<Id>,
}

/// A step of a claim's history.
#[derive(Serialize, ToSchema)]
struct CoopClaimStep {
    /// The instant.
    at: Timestamp,
    /// The side that made the step.
    side: ClaimSide,
    /// The user or API client, for the own side and for programme staff; null for others, and of the service itself.
    by: Option<Id>,
    /// The step: a sub-resource, `draft`, `proof`, `proof-removal`, `first-approval`, `expiry`, `payment` or `payment-return`.
    #[schema(max_length = 40, examples("submission"))]
    step: String,
    /// The words of whoever made the step; null where nothing was said.
    #[schema(max_length = 2000, examples("Here is the invoice"))]
    words: Option<String>,
    /// The amount of the step; null of a step without one.
    amount: Option<Money>,
}

/// Who reads a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Programme,
    Partner,
}

impl CoopClaimView {
    /// A claim as it stands in a list.
    #[must_use]
    pub fn listed(tx: &Tx<'_>, claim: Claim) -> Self {
        let reader = if tx.scope() == Scope::All { Reader::Programme } else { Reader::Partner };
        Self::of(claim, reader)
    }

    /// The claim's own record for the audit trail, as the partner's people may read it.
    #[must_use]
    pub fn plain(claim: Claim) -> Self {
        Self::of(claim, Reader::Partner)
    }

    /// The claim beside what it would be paid.
    pub(super) fn with_assessment(
        tx: &Tx<'_>,
        claim: Claim,
        assessment: &Assessment,
        fund: &CoopFund,
    ) -> Self {
        let shown = CoopAssessment::of(&claim, assessment, fund, tx.today(), tx.language);
        Self { assessment: Some(shown), ..Self::listed(tx, claim) }
    }

    fn of(claim: Claim, reader: Reader) -> Self {
        let money = |minor| claim.money(minor);
        let is_programme = reader == Reader::Programme;
        let review = is_programme.then(|| CoopReview {
            reviewer_id: claim.reviewer_id,
            first_reviewer_id: claim.proposer_id,
            risks: claim.risks.0.iter().map(CoopRisk::of).collect(),
        });
        // A first approval is nobody's business but the programme's until another person has agreed.
        let steps = claim.history.0.iter().filter(|step| is_programme || step.step != "first-approval");
        let is_decided = is_programme || !claim.state.waits_for_review();
        Self {
            id: claim.id,
            partner_id: claim.partner_id,
            fund_id: claim.fund_id,
            enrollment_id: claim.enrollment_id,
            activity_from: claim.activity_from,
            activity_to: claim.activity_to,
            metric: claim.metric,
            people: claim.people,
            expenses: claim.expenses.0.iter().map(|one| CoopExpense::of(one, &money, is_decided)).collect(),
            currency: claim.currency,
            state: claim.state,
            committed: money(claim.committed),
            from_plan: money(claim.from_plan),
            plan_id: claim.plan_id,
            approved: claim.approved.map(money),
            due_on: claim.due_on,
            review_due_on: claim.review_due_on,
            disputable_until: claim.disputed_until().filter(|_| !claim.was_disputed()),
            submitted_at: claim.submitted_at,
            decided_at: claim.decided_at,
            // What a run has made for the bank is told once the payment has arrived.
            payment_id: claim.payment_id.filter(|_| claim.state == ClaimState::Paid),
            held_because: claim.held_because.clone(),
            assessment: None,
            review,
            history: steps.map(|step| CoopClaimStep::of(step, &money, reader)).collect(),
            allowed_transitions: claim.allowed().into_iter().map(Transition).collect(),
            created_at: claim.created_at,
            updated_at: claim.updated_at,
            revision: claim.revision,
            activity: claim.activity,
            description: claim.description,
            web_address: claim.web_address,
        }
    }
}

impl CoopExpense {
    fn of(expense: &Expense, money: &impl Fn(i64) -> Money, is_decided: bool) -> Self {
        let decision = expense.decision.as_ref().filter(|_| is_decided);
        Self {
            id: expense.id,
            description: expense.description.clone(),
            on: expense.on,
            source: CoopExpenseSource::from(&expense.source),
            net: expense.net,
            tax: expense.tax,
            recovers_tax: expense.recovers_tax,
            asked: expense.asked.map(|asked| CoopAskedAmount::of(asked, money)),
            decision: decision.map(|decision| CoopExpenseDecision::of(decision, money)),
        }
    }
}

impl From<&ExpenseSource> for CoopExpenseSource {
    fn from(source: &ExpenseSource) -> Self {
        match source {
            ExpenseSource::Invoice { supplier, number } => {
                Self::Invoice { supplier: supplier.clone(), number: number.clone() }
            }
            ExpenseSource::OwnService => Self::OwnService,
        }
    }
}

impl From<CoopExpenseSource> for ExpenseSource {
    fn from(source: CoopExpenseSource) -> Self {
        match source {
            CoopExpenseSource::Invoice { supplier, number } => Self::Invoice { supplier, number },
            CoopExpenseSource::OwnService => Self::OwnService,
        }
    }
}

impl CoopExpenseDecision {
    fn of(decision: &ExpenseDecision, money: &impl Fn(i64) -> Money) -> Self {
        Self { approved: money(decision.approved), reason: decision.reason, remedy: decision.remedy.clone() }
    }
}

impl CoopRisk {
    fn of(risk: &Risk) -> Self {
        Self { kind: risk.kind, expense_id: risk.expense_id, other_claim_id: risk.other_claim_id }
    }
}

impl CoopClaimStep {
    fn of(step: &HistoryStep, money: &impl Fn(i64) -> Money, reader: Reader) -> Self {
        let shows_who = reader == Reader::Programme || step.side == ClaimSide::Partner;
        Self {
            at: step.at,
            side: step.side,
            by: step.by.filter(|_| shows_who),
            step: step.step.clone(),
            words: step.words.clone(),
            amount: step.amount.map(money),
        }
    }
}
