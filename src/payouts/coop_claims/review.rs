//! What reviewers do: take and hand back, approve, reject, and ask.

use super::{
    model::{Claim, ClaimEvent, ClaimState, CutReason, Expense, ExpenseDecision, Extent, REPLY_DAYS},
    notices,
    service::{COOP_CLAIM_OWN_DECISION, COOP_CLAIM_TAKEN},
    steps::{Step, StepReaders, allowing, commit, save},
    terms::ClaimTerms,
};
use crate::{
    access::Tx,
    participation::programs::business_days_after,
    platform::{
        Error, FieldError, Result,
        db::types::Json,
        values::{Id, Money},
    },
    text,
};

/// A reviewer's decision on one expense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionLine {
    /// The expense.
    pub expense_id: Id,
    /// The approved amount.
    pub approved: Money,
    /// The reason of a cut; none where the whole amount is approved.
    pub reason: Option<CutReason>,
    /// What the partner can do.
    pub remedy: Option<String>,
}

/// Takes a claim from the queue. The risks are looked for again: claims that came later may have the same proofs.
pub fn take(tx: &mut Tx<'_>, id: Id) -> Result<Claim> {
    let before = allowing(tx, id, "review", |_| ClaimEvent::Review)?;
    let terms = ClaimTerms::load(tx, &before)?;
    let after = Claim {
        state: ClaimState::UnderReview,
        reviewer_id: tx.actor.id(),
        ..looked_at(tx, &terms, &before)?
    };
    save(tx, &before, after, Some(Step::named("review")))
}

/// Gives a claim back to the queue.
pub(super) fn hand_back(tx: &mut Tx<'_>, id: Id, reason: Option<&str>) -> Result<Claim> {
    let before = allowing(tx, id, "hand-back", |_| ClaimEvent::HandBack)?;
    let after = Claim { state: ClaimState::Submitted, reviewer_id: None, ..before.clone() };
    save(tx, &before, after, Some(Step { words: reason, ..Step::named("hand-back") }))
}

/// Approves a claim, expense by expense; without lines everything that is reimbursable, or what the first reviewer has decided.
/// Where two reviewers decide, the first approval waits for the same decision of another person.
pub fn approve(
    tx: &mut Tx<'_>,
    id: Id,
    lines: Option<&[DecisionLine]>,
    comment: Option<&str>,
) -> Result<Claim> {
    let before = allowing(tx, id, "approval", |_| ClaimEvent::Approval(Extent::Whole))?;
    refuse_taken(tx, &before)?;
    let terms = ClaimTerms::load(tx, &before)?;
    let claim = looked_at(tx, &terms, &before)?;
    let expenses = decided(&claim, lines)?;
    let approved = expenses.iter().filter_map(|one| one.decision.as_ref()).map(|one| one.approved).sum();
    refuse_sum(&claim, approved)?;
    let agrees = claim.proposer_id.is_some() && decisions(&expenses) == decisions(&claim.expenses.0);
    if !terms.one_decides(&claim) && !agrees {
        let proposer_id = tx.actor.id();
        let state = claim.state.after(ClaimEvent::FirstApproval).unwrap_or(claim.state);
        let after = Claim { expenses: Json(expenses), state, proposer_id, reviewer_id: None, ..claim };
        let step = Step { words: comment, amount: Some(approved), ..Step::named("first-approval") };
        let step = Step { readers: StepReaders::Programme, ..step };
        return save(tx, &before, after, Some(step));
    }
    if let Some(first) = claim.proposer_id.filter(|_| !terms.one_decides(&claim)) {
        refuse_own(tx, first)?;
    }
    let approval = ClaimEvent::Approval(Extent::of(&expenses));
    let state = claim.state.after(approval).unwrap_or(claim.state);
    let after = Claim {
        expenses: Json(expenses),
        state,
        committed: approved,
        approved: Some(approved),
        review_due_on: None,
        decided_at: Some(tx.now),
        reviewer_id: None,
        ..claim
    };
    let after = commit(tx, &terms.fund, &before, after)?;
    let step = Step { words: comment, amount: Some(approved), ..Step::named("approval") };
    let after = save(tx, &before, after, Some(step))?;
    notices::tell_decision(tx, &after, terms.name_of_activity(&after), comment)?;
    Ok(after)
}

/// Rejects a claim; the budget is given back.
pub fn reject(tx: &mut Tx<'_>, id: Id, cut: CutReason, reason: &str) -> Result<Claim> {
    let before = allowing(tx, id, "rejection", |_| ClaimEvent::Rejection)?;
    refuse_taken(tx, &before)?;
    let terms = ClaimTerms::load(tx, &before)?;
    let nothing = |expense: &Expense| {
        let decision = ExpenseDecision { approved: 0, reason: Some(cut), remedy: None };
        Expense { decision: Some(decision), ..expense.clone() }
    };
    let state = before.state.after(ClaimEvent::Rejection).unwrap_or(before.state);
    let after = Claim {
        expenses: Json(before.expenses.0.iter().map(nothing).collect()),
        state,
        committed: 0,
        review_due_on: None,
        decided_at: Some(tx.now),
        reviewer_id: None,
        proposer_id: None,
        ..before.clone()
    };
    let after = commit(tx, &terms.fund, &before, after)?;
    let step = Step { words: Some(reason), amount: Some(before.committed), ..Step::named("rejection") };
    let after = save(tx, &before, after, Some(step))?;
    notices::tell_decision(tx, &after, terms.name_of_activity(&after), Some(reason))?;
    Ok(after)
}

/// Asks the partner something; the partner has 14 business days to submit the claim again.
pub fn ask(tx: &mut Tx<'_>, id: Id, question: &str) -> Result<Claim> {
    let before = allowing(tx, id, "information-request", |_| ClaimEvent::InformationRequest)?;
    refuse_taken(tx, &before)?;
    let terms = ClaimTerms::load(tx, &before)?;
    let after = Claim {
        state: ClaimState::ActionRequired,
        due_on: Some(business_days_after(tx.today(), REPLY_DAYS, &terms.holidays)),
        review_due_on: None,
        reviewer_id: None,
        proposer_id: None,
        ..before.clone()
    };
    let step = Step { words: Some(question), ..Step::named("information-request") };
    let after = save(tx, &before, after, Some(step))?;
    notices::tell_question(tx, &after, terms.name_of_activity(&after), question)?;
    Ok(after)
}

/// The claim with the risks that follow from the claims there are now.
fn looked_at(tx: &mut Tx<'_>, terms: &ClaimTerms, claim: &Claim) -> Result<Claim> {
    let found = terms.risks(tx, claim)?;
    Ok(Claim { is_risky: !found.risks.is_empty(), risks: Json(found.risks), ..claim.clone() })
}

fn decisions(expenses: &[Expense]) -> Vec<Option<&ExpenseDecision>> {
    expenses.iter().map(|expense| expense.decision.as_ref()).collect()
}

/// The expenses with the decisions: those told, else those of the first reviewer, else everything.
fn decided(claim: &Claim, lines: Option<&[DecisionLine]>) -> Result<Vec<Expense>> {
    let Some(lines) = lines else {
        let of_first = |expense: &Expense| {
            let first = expense.decision.clone().filter(|_| claim.proposer_id.is_some());
            Expense { decision: first.or_else(|| whole(expense)), ..expense.clone() }
        };
        return Ok(claim.expenses.0.iter().map(of_first).collect());
    };
    let mut faults = Vec::new();
    let mut expenses: Vec<Expense> = claim
        .expenses
        .0
        .iter()
        .map(|expense| Expense { decision: whole(expense), ..expense.clone() })
        .collect();
    for (n, line) in lines.iter().enumerate() {
        let mut fault = |member: &str, code: &'static str, message| {
            faults.push(FieldError::new(format!("/lines/{n}/{member}"), code, message));
        };
        let Some(expense) = expenses.iter_mut().find(|expense| expense.id == line.expense_id) else {
            fault(
                "expense_id",
                "unknown",
                text!("the claim has no such expense", "この費用は申請にありません。"),
            );
            continue;
        };
        let most = expense.asked.map_or(0, |asked| asked.reimbursable);
        if line.approved.currency != claim.currency {
            let message = text!("the claim is in {}", "この申請の通貨は {} です。", claim.currency);
            fault("approved/currency", "currency", message);
        } else if !(0..=most).contains(&line.approved.minor) {
            let most = claim.money(most);
            let message = text!("from nothing to {most}", "0 から {most} までで指定してください。");
            fault("approved/amount", "range", message);
        } else if line.approved.minor < most && line.reason.is_none() {
            let message = text!("say why the expense is cut", "減額の理由を指定してください。");
            fault("reason", "required", message);
        }
        let cut = expense.asked.and_then(|asked| asked.cut_by);
        expense.decision = Some(ExpenseDecision {
            approved: line.approved.minor,
            reason: line.reason.or(cut),
            remedy: line.remedy.clone(),
        });
    }
    if faults.is_empty() { Ok(expenses) } else { Err(Error::invalid(faults)) }
}

/// The decision that pays everything reimbursable.
fn whole(expense: &Expense) -> Option<ExpenseDecision> {
    let asked = expense.asked?;
    Some(ExpenseDecision { approved: asked.reimbursable, reason: asked.cut_by, remedy: None })
}

/// Refuses an approval of nothing, and of more than is committed: after a dispute the fund may hold less than was asked for.
fn refuse_sum(claim: &Claim, approved: i64) -> Result<()> {
    if approved == 0 {
        let message = text!(
            "nothing is approved: reject the claim instead",
            "承認額が 0 です。申請を却下してください。"
        );
        return Err(Error::invalid_field("/lines", "nothing", message));
    }
    if approved > claim.committed {
        let committed = claim.money(claim.committed);
        let message = text!(
            "the fund holds {committed} for this claim: cut the expenses",
            "この申請のために確保されている資金は {committed} です。費用を減額してください。"
        );
        return Err(Error::invalid_field("/lines", "range", message));
    }
    Ok(())
}

/// Refuses to decide on what another reviewer has taken, and on a dispute of an own rejection.
fn refuse_taken(tx: &mut Tx<'_>, claim: &Claim) -> Result<()> {
    if let Some(reviewer) = claim.reviewer_id
        && tx.actor.id() != Some(reviewer)
    {
        let detail = text!("another reviewer has this claim", "この申請は別の担当者が審査中です。");
        return Err(Error::new(&COOP_CLAIM_TAKEN, detail).with("reviewer_id", reviewer));
    }
    let mut rejections = claim.history.0.iter().rev().filter(|step| step.step == "rejection");
    match rejections.find_map(|step| step.by) {
        Some(rejecter) if claim.state == ClaimState::Disputed => refuse_own(tx, rejecter),
        _ => Ok(()),
    }
}

fn refuse_own(tx: &mut Tx<'_>, first: Id) -> Result<()> {
    if tx.acts_as(first)? {
        let detail = text!(
            "you have decided on this claim yourself, by this account or by another account of yours",
            "この申請は、このアカウントまたはご自身の別のアカウントですでに決定されています。"
        );
        return Err(Error::new(&COOP_CLAIM_OWN_DECISION, detail).with("decided_by", first));
    }
    Ok(())
}
