//! What a claim would be paid, on the wire.

use super::{
    assessment::{Assessment, LimitKind},
    model::{AskedExpense, Claim, ClaimState, CutReason},
};
use crate::{
    ledger::accounting::coop_funds::CoopFund,
    participation::programs::CoopProofKind,
    platform::{
        FieldError,
        values::{CalendarDate, Id, Locale, Money, PublishedRate},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

/// What a claim would be paid today, and what lacks.
#[derive(Serialize, ToSchema)]
pub(super) struct CoopAssessment {
    /// What would be paid.
    reimbursable: Money,
    /// The expenses, in the order of the claim.
    #[schema(max_items = 50)]
    expenses: Vec<CoopAssessedExpense>,
    /// The limits, with what is left of each.
    #[schema(max_items = 3)]
    limits: Vec<CoopLimitUse>,
    /// The proofs that lack.
    #[schema(max_items = 100)]
    missing_proofs: Vec<CoopMissingProof>,
    /// Everything that keeps the claim from being submitted, beside the days for claims.
    #[schema(max_items = 200)]
    faults: Vec<CoopClaimFault>,
    /// The first day on which a claim is submitted.
    submit_from: CalendarDate,
    /// The last day on which the claim is submitted.
    submit_until: CalendarDate,
    /// Whether the claim can be submitted today.
    ready: bool,
}

/// Something that keeps a claim from being submitted.
#[derive(Serialize, ToSchema)]
struct CoopClaimFault {
    /// The place, as a JSON pointer into the claim (RFC 6901).
    #[schema(max_length = 400, examples("/activity_to"))]
    pointer: String,
    /// Stable kind of the fault.
    #[schema(max_length = 60, examples("ahead"))]
    code: String,
    /// What is wrong and how to mend it, in the language of the answer.
    #[schema(max_length = 1000, examples("the activity is not over: claim on 2019-04-12 or later"))]
    message: String,
}

impl CoopClaimFault {
    fn of(fault: &FieldError, language: Locale) -> Self {
        Self {
            pointer: fault.pointer.clone(),
            code: fault.code.clone().into_owned(),
            message: fault.message.in_language(language).to_owned(),
        }
    }
}

/// An expense in the fund's currency, within the limits.
#[derive(Serialize, ToSchema)]
pub(super) struct CoopAskedAmount {
    /// The amount that counts: net, with the tax that the partner bears.
    amount: Money,
    /// The rate by which the amount was converted; null where the expense is in the fund's currency.
    rate: Option<PublishedRate>,
    /// The part within the limits.
    reimbursable: Money,
    /// The limit that cuts the rest; null where nothing is cut.
    cut_by: Option<CutReason>,
}

/// An expense as it would be paid.
#[derive(Serialize, ToSchema)]
struct CoopAssessedExpense {
    /// The expense.
    expense_id: Id,
    /// What would be paid; null while the rate of the expense's month is not published.
    asked: Option<CoopAskedAmount>,
}

/// A limit, with what is left.
#[derive(Serialize, ToSchema)]
struct CoopLimitUse {
    /// The kind.
    kind: LimitKind,
    /// The most that is paid.
    most: Money,
    /// The part that other claims use.
    used: Money,
    /// The part that is left for this claim.
    left: Money,
}

/// A proof that lacks.
#[derive(Serialize, ToSchema)]
struct CoopMissingProof {
    /// The kinds of which one is enough.
    #[schema(max_items = 10)]
    any_of: Vec<CoopProofKind>,
    /// The expense whose document lacks; null of a proof of the activity.
    expense_id: Option<Id>,
}

impl CoopAssessment {
    /// An assessment of a day, in a language.
    pub(super) fn of(
        claim: &Claim,
        assessed: &Assessment,
        fund: &CoopFund,
        today: CalendarDate,
        language: Locale,
    ) -> Self {
        let money = |minor| claim.money(minor);
        let days = fund.half().claims();
        let until = claim.due_on.unwrap_or(days.to);
        let is_open = claim.state == ClaimState::ActionRequired || fund.takes_claims_on(today);
        Self {
            reimbursable: money(assessed.reimbursable),
            expenses: assessed
                .expenses
                .iter()
                .map(|expense| CoopAssessedExpense {
                    expense_id: expense.id,
                    asked: expense.asked.map(|asked| CoopAskedAmount::of(asked, &money)),
                })
                .collect(),
            limits: assessed
                .limits
                .iter()
                .map(|limit| CoopLimitUse {
                    kind: limit.kind,
                    most: money(limit.most),
                    used: money(limit.used),
                    left: money(limit.left),
                })
                .collect(),
            missing_proofs: assessed
                .missing
                .iter()
                .map(|missing| CoopMissingProof {
                    any_of: missing.any_of.clone(),
                    expense_id: missing.expense_id,
                })
                .collect(),
            faults: assessed.faults.iter().map(|fault| CoopClaimFault::of(fault, language)).collect(),
            submit_from: days.from,
            submit_until: until,
            ready: assessed.faults.is_empty() && is_open,
        }
    }
}

impl CoopAskedAmount {
    pub(super) fn of(asked: AskedExpense, money: &impl Fn(i64) -> Money) -> Self {
        Self {
            amount: money(asked.amount),
            rate: asked.rate,
            reimbursable: money(asked.reimbursable),
            cut_by: asked.cut_by,
        }
    }
}
