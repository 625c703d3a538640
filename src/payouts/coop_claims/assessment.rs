//! What a claim would be paid: each expense converted and cut by the limits, the proofs that lack, and what keeps the claim from
//! being submitted. No I/O, no clock, no HTTP.

use super::model::{AskedExpense, Claim, CutReason, Expense, ExpenseSource};
use crate::{
    ledger::accounting::coop_funds::CoopFund,
    participation::programs::{CoopActivity, CoopLimit, CoopProofKind},
    platform::{
        FieldError,
        values::{CalendarDate, ExchangeRates, Id, Leftover, Money, text_enum},
    },
    text,
};

/// A proof of a claim, as the limits and the risks know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofFact {
    /// The kind.
    pub kind: CoopProofKind,
    /// The expense that the proof belongs to; none of a proof of the activity.
    pub expense_id: Option<Id>,
    /// The SHA-256 hash of the bytes in hexadecimal digits.
    pub sha256: String,
}

/// The facts a claim is assessed by.
#[derive(Clone, Copy)]
pub struct ClaimFacts<'a> {
    /// The fund, as it is without this claim.
    pub fund: &'a CoopFund,
    /// The part of the fund that the claim itself has committed, in minor units.
    pub own: i64,
    /// The activity in the catalogue; none where the catalogue does not know the code.
    pub activity: Option<&'a CoopActivity>,
    /// The part of the fund that other claims of the activity use, in minor units.
    pub used: i64,
    /// The published rates of the months of the expenses, and of the last month of the fund's half-year.
    pub rates: &'a ExchangeRates,
    /// The proofs.
    pub proofs: &'a [ProofFact],
    /// The day.
    pub today: CalendarDate,
}

text_enum! {
    /// The kind of a limit.
    pub enum LimitKind {
        /// What the fund holds.
        Fund = "fund",
        /// The limit of the activity, for the whole usage period.
        Activity = "activity",
        /// The limit for the people of the event.
        People = "people",
    }
}

impl LimitKind {
    const fn reason(self) -> CutReason {
        match self {
            Self::Fund => CutReason::FundExhausted,
            Self::Activity => CutReason::ActivityLimit,
            Self::People => CutReason::PeopleLimit,
        }
    }
}

/// A limit, with what is left of it. Amounts are minor units of the fund's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitUse {
    /// The kind.
    pub kind: LimitKind,
    /// The most that is paid.
    pub most: i64,
    /// The part that other claims use.
    pub used: i64,
    /// The part that is left for this claim.
    pub left: i64,
}

/// Kinds of proof of which one lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingProof {
    /// The kinds of which one is enough.
    pub any_of: Vec<CoopProofKind>,
    /// The expense whose document lacks; none of a proof of the activity.
    pub expense_id: Option<Id>,
}

/// An expense of an assessed claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssessedExpense {
    /// The expense.
    pub id: Id,
    /// What the expense would be paid; none while the rate of its month is not published.
    pub asked: Option<AskedExpense>,
}

/// What a claim would be paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// The expenses, in the order of the claim.
    pub expenses: Vec<AssessedExpense>,
    /// The limits, the fund first.
    pub limits: Vec<LimitUse>,
    /// The sum of what would be paid, in minor units of the fund's currency.
    pub reimbursable: i64,
    /// The proofs that lack.
    pub missing: Vec<MissingProof>,
    /// Everything that keeps the claim from being submitted, beside the days for claims.
    pub faults: Vec<FieldError>,
}

impl Assessment {
    /// Assesses a claim.
    #[must_use]
    pub fn of(claim: &Claim, facts: ClaimFacts<'_>) -> Self {
        let limits = limits(claim, facts);
        let expenses = cut(claim, &limits, facts.rates);
        let reimbursable =
            expenses.iter().filter_map(|expense| expense.asked).map(|asked| asked.reimbursable).sum();
        let missing = missing(claim, facts);
        let mut assessed = Self { expenses, limits, reimbursable, missing, faults: Vec::new() };
        assessed.faults = faults(claim, facts, &assessed);
        assessed.faults.sort_by(|one, other| one.pointer.cmp(&other.pointer));
        assessed
    }
}

/// The limits of a claim. An activity's limit whose rate is not published has nothing left.
fn limits(claim: &Claim, facts: ClaimFacts<'_>) -> Vec<LimitUse> {
    let free = facts.fund.remaining + facts.fund.planned_for(&claim.activity);
    let left_of_fund = free.saturating_add(facts.own).max(0);
    let used_of_fund = facts.fund.claimable.saturating_sub(left_of_fund);
    let mut limits = vec![LimitUse {
        kind: LimitKind::Fund,
        most: facts.fund.claimable,
        used: used_of_fund,
        left: left_of_fund,
    }];
    let Some(limit) = facts.activity.and_then(|activity| activity.limit.as_ref()) else { return limits };
    let converted = |amount| in_fund(facts.fund, facts.rates, amount);
    let most = most_of(limit, facts.fund, facts.rates);
    let left = most.saturating_sub(facts.used).max(0);
    limits.push(LimitUse { kind: LimitKind::Activity, most, used: facts.used, left });
    if let Some(of_event) = limit.most_of_event(claim.people.unwrap_or_default()) {
        let most = converted(of_event).map_or(0, |most| most.minor);
        limits.push(LimitUse { kind: LimitKind::People, most, used: 0, left: most });
    }
    limits
}

/// The most that an activity is paid from a fund; nothing while the rate that converts the limit is not published.
#[must_use]
pub fn most_of(limit: &CoopLimit, fund: &CoopFund, rates: &ExchangeRates) -> i64 {
    let converted = |amount| in_fund(fund, rates, amount);
    limit.most(fund.money(fund.claimable), converted).map_or(0, |most| most.minor)
}

/// An amount of a limit in the currency of a fund, by the rate of the last month of the half-year; none without the rate.
#[must_use]
pub fn in_fund(fund: &CoopFund, rates: &ExchangeRates, amount: Money) -> Option<Money> {
    let minor = rates.convert(fund.last_month, amount, fund.currency, Leftover::Down)?;
    Some(Money { minor: i64::try_from(minor).ok()?, currency: fund.currency })
}

/// Converts the expenses, and cuts them by the limits, the first expense last.
fn cut(claim: &Claim, limits: &[LimitUse], rates: &ExchangeRates) -> Vec<AssessedExpense> {
    let tightest = limits.iter().min_by_key(|limit| limit.left);
    let mut left = tightest.map_or(0, |limit| limit.left);
    let assessed = claim.expenses.0.iter().map(|expense| {
        let asked = converted(expense, claim, rates).map(|amount| {
            let reimbursable = amount.clamp(0, left);
            left -= reimbursable;
            AskedExpense {
                amount,
                rate: rates.published(expense.month(), expense.net.currency, claim.currency),
                reimbursable,
                cut_by: tightest.filter(|_| reimbursable < amount).map(|limit| limit.kind.reason()),
            }
        });
        AssessedExpense { id: expense.id, asked }
    });
    assessed.collect()
}

/// An expense in the currency of the fund, rounded to the nearer minor unit; none without a rate.
fn converted(expense: &Expense, claim: &Claim, rates: &ExchangeRates) -> Option<i64> {
    let minor = rates.convert(expense.month(), expense.counts()?, claim.currency, Leftover::Nearest)?;
    i64::try_from(minor).ok()
}

fn missing(claim: &Claim, facts: ClaimFacts<'_>) -> Vec<MissingProof> {
    let has = |kinds: &[CoopProofKind]| {
        facts.proofs.iter().any(|proof| kinds.contains(&proof.kind))
            || (kinds.contains(&CoopProofKind::WebAddress) && claim.web_address.is_some())
    };
    let wanted = facts.activity.iter().flat_map(|activity| &activity.proofs);
    let of_activity = wanted
        .filter(|wanted| !has(&wanted.any_of))
        .map(|wanted| MissingProof { any_of: wanted.any_of.clone(), expense_id: None });
    let of_expenses = claim.expenses.0.iter().filter_map(|expense| {
        let document = match expense.source {
            ExpenseSource::Invoice { .. } => CoopProofKind::Invoice,
            ExpenseSource::OwnService => CoopProofKind::Certification,
        };
        let has =
            facts.proofs.iter().any(|proof| proof.kind == document && proof.expense_id == Some(expense.id));
        (!has).then(|| MissingProof { any_of: vec![document], expense_id: Some(expense.id) })
    });
    of_activity.chain(of_expenses).collect()
}

/// Everything that keeps a claim from being submitted.
fn faults(claim: &Claim, facts: ClaimFacts<'_>, assessed: &Assessment) -> Vec<FieldError> {
    let mut faults = days(claim, facts);
    let mut fault =
        |pointer: &str, code: &'static str, message| faults.push(FieldError::new(pointer, code, message));
    match facts.activity {
        None => {
            let message = text!(
                "the program version pays no activity with this code: `GET /v1/coop-activities` lists those it pays",
                "この活動コードはプログラムの版にありません。対象の活動は `GET /v1/coop-activities` で確認できます。"
            );
            fault("/activity", "unknown", message);
        }
        Some(activity) => {
            if let Some(metric) = activity.metric.filter(|_| claim.metric.is_none()) {
                let message = text!(
                    "this activity is asked for its {metric}",
                    "この活動では {metric} の数値が必要です。"
                );
                fault("/metric", "required", message);
            }
            if matches!(activity.limit, Some(CoopLimit::People { .. })) && claim.people.is_none() {
                let message = text!(
                    "the limit counts the people who took part",
                    "上限額は参加人数によって決まります。人数を指定してください。"
                );
                fault("/people", "required", message);
            }
        }
    }
    if claim.expenses.0.is_empty() {
        fault("/expenses", "required", text!("a claim has an expense", "費用を一つ以上指定してください。"));
    }
    for (n, expense) in assessed.expenses.iter().enumerate().filter(|(_, expense)| expense.asked.is_none()) {
        let on = claim.expenses.0.get(n).filter(|one| one.id == expense.id).map(Expense::month);
        let month = on.map(|month| month.to_string()).unwrap_or_default();
        let message = text!(
            "the rate of {month} that converts this expense is not published yet",
            "この費用を換算する {month} の為替レートはまだ公表されていません。"
        );
        fault(&format!("/expenses/{n}/net/currency"), "rate_missing", message);
    }
    if !claim.expenses.0.is_empty() && assessed.reimbursable == 0 {
        let message = text!(
            "nothing of this would be paid: `limits` says what is left",
            "支払われる金額がありません。残額は `limits` に示されます。"
        );
        fault("/expenses", "nothing_reimbursable", message);
    }
    for lacking in &assessed.missing {
        let kinds: Vec<&str> = lacking.any_of.iter().map(|kind| kind.as_str()).collect();
        let message = text!("a proof lacks: {}", "証憑がありません：{}", kinds.join(", "));
        let place = claim.expenses.0.iter().position(|expense| Some(expense.id) == lacking.expense_id);
        let pointer = place.map_or_else(|| "/proofs".to_owned(), |n| format!("/expenses/{n}"));
        fault(&pointer, "proof_missing", message);
    }
    faults
}

fn days(claim: &Claim, facts: ClaimFacts<'_>) -> Vec<FieldError> {
    let usage = facts.fund.half().usage();
    let mut faults = Vec::new();
    for (pointer, day) in [("/activity_from", claim.activity_from), ("/activity_to", claim.activity_to)] {
        if !usage.contains(day) {
            let message = text!(
                "the fund pays activities from {} to {}",
                "この資金の対象となる活動期間は {} から {} までです。",
                usage.from,
                usage.to
            );
            faults.push(FieldError::new(pointer, "outside_usage_period", message));
        }
    }
    if claim.activity_to > facts.today {
        let message = text!(
            "the activity is not over: claim on {} or later",
            "活動が終了していません。{} 以降に申請してください。",
            claim.activity_to
        );
        faults.push(FieldError::new("/activity_to", "ahead", message));
    }
    faults
}

#[cfg(test)]
pub(super) mod tests;
