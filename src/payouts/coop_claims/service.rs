//! What the partner's people do: draft, change, submit, recall, cancel and dispute; and the end of the time for both.

use super::{
    model::{
        AskedExpense, Claim, ClaimEvent, ClaimState, Expense, ExpenseSource, MOST_EXPENSES, REVIEW_DAYS,
    },
    notices,
    steps::{Step, allowing, commit, not_allowed, save, step},
    store,
    terms::ClaimTerms,
    view::CoopClaimView,
};
use crate::{
    access::Tx,
    audit,
    ledger::accounting::coop_funds::{self, CoopFund, CoopFundState, FundPart},
    participation::programs::business_days_after,
    platform::{
        Error, FieldError, Result,
        db::types::Json,
        values::{CalendarDate, Id, Money},
    },
    text,
};

crate::problem_codes! {
    COOP_CLAIMS_CLOSED = "coop_claims_closed" 409 ["The fund takes no claims now", "この資金は現在、申請を受け付けていません"],
        ["A fund takes drafts once its half-year is closed, and claims from `from` to `until`. `state` is the state of the fund.", "下書きは対象半期の締め後に作成でき、申請は `from` から `until` までに提出できます。資金の状態は `state` に示されます。"];
    COOP_CLAIM_DISPUTE_TOO_LATE = "coop_claim_dispute_too_late" 409 ["The time for a dispute is over", "異議の申立期間が終了しています"],
        ["A rejection is disputed within 30 days. `until` was the last day.", "却下に対する異議は 30 日以内に申し立てる必要があります。最終日は `until` に示されます。"];
    COOP_CLAIM_TAKEN = "coop_claim_taken" 409 ["Another reviewer has the claim", "この申請は別の担当者が審査中です"],
        ["`reviewer_id` has taken the claim. Wait for the decision, or hand the claim back to the queue and take it.", "この申請は `reviewer_id` が審査中です。決定を待つか、申請を差し戻してから自分で審査を開始してください。"];
    COOP_CLAIM_OWN_DECISION = "coop_claim_own_decision" 403 ["Another person decides", "決定は別の方が行う必要があります"],
        ["Two people approve a claim with a risk or above the program's amount, and nobody decides on a dispute of an own rejection. `decided_by` is who decided first.", "リスクのある申請や基準額を超える申請は二名の承認が必要で、自分が却下した申請への異議は自分で決定できません。先に決定した方は `decided_by` に示されます。"];
}

/// What the partner's people write of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimWords {
    /// The code of the activity.
    pub activity: String,
    /// The first day of the activity.
    pub activity_from: CalendarDate,
    /// The last day of the activity.
    pub activity_to: CalendarDate,
    /// The activity in own words.
    pub description: String,
    /// The address of a page that proves the activity.
    pub web_address: Option<String>,
    /// The number that the activity is asked for.
    pub metric: Option<i64>,
    /// The people who took part.
    pub people: Option<i32>,
    /// The expenses.
    pub expenses: Vec<ExpenseWords>,
}

/// What the partner's people write of an expense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpenseWords {
    /// The expense on record that the words replace; none of a new one.
    pub id: Option<Id>,
    /// The subject.
    pub description: String,
    /// The day.
    pub on: CalendarDate,
    /// Who has issued the document.
    pub source: ExpenseSource,
    /// The amount without tax.
    pub net: Money,
    /// The tax.
    pub tax: Money,
    /// Whether the partner recovers the tax.
    pub recovers_tax: bool,
}

impl From<&Claim> for ClaimWords {
    fn from(claim: &Claim) -> Self {
        let expense = |expense: &Expense| ExpenseWords {
            id: Some(expense.id),
            description: expense.description.clone(),
            on: expense.on,
            source: expense.source.clone(),
            net: expense.net,
            tax: expense.tax,
            recovers_tax: expense.recovers_tax,
        };
        Self {
            activity: claim.activity.clone(),
            activity_from: claim.activity_from,
            activity_to: claim.activity_to,
            description: claim.description.clone(),
            web_address: claim.web_address.clone(),
            metric: claim.metric,
            people: claim.people,
            expenses: claim.expenses.0.iter().map(expense).collect(),
        }
    }
}

/// Makes a draft on a fund.
pub fn draft(tx: &mut Tx<'_>, fund: Id, words: ClaimWords) -> Result<Claim> {
    let fund = coop_funds::to_change(tx, fund)?;
    let until = fund.half().claims().to;
    if fund.state != CoopFundState::Claimable || until < tx.today() {
        return Err(closed(&fund));
    }
    let expenses = written(tx, &words, &[])?;
    let claim = Claim {
        id: tx.new_id(),
        partner_id: fund.partner_id,
        fund_id: fund.id,
        enrollment_id: fund.enrollment_id,
        activity: words.activity,
        activity_from: words.activity_from,
        activity_to: words.activity_to,
        description: words.description,
        web_address: words.web_address,
        metric: words.metric,
        people: words.people,
        expenses: Json(expenses),
        currency: fund.currency,
        state: ClaimState::Draft,
        committed: 0,
        approved: None,
        due_on: Some(until),
        review_due_on: None,
        submitted_at: None,
        decided_at: None,
        reviewer_id: None,
        proposer_id: None,
        is_risky: false,
        risks: Json(Vec::new()),
        history: Json(vec![step(tx, Step::named("draft"))]),
        created_at: tx.now,
        updated_at: tx.now,
        revision: 1,
        payment_id: None,
        held_because: None,
        plan_id: None,
        from_plan: 0,
    };
    store::insert(tx, &claim)?;
    let event = audit::Event::on("coop_claim", claim.id).of_partner(claim.partner_id);
    event.after(&CoopClaimView::plain(claim.clone())).record(tx)?;
    Ok(claim)
}

fn closed(fund: &CoopFund) -> Error {
    let days = fund.half().claims();
    let detail = text!(
        "claims on this fund are submitted from {} to {}",
        "この資金への申請期間は {} から {} までです。",
        days.from,
        days.to
    );
    let error = Error::new(&COOP_CLAIMS_CLOSED, detail).with("state", fund.state);
    error.with("from", days.from).with("until", days.to)
}

/// The expenses as written, each with an id; those on record keep theirs.
fn written(tx: &Tx<'_>, words: &ClaimWords, known: &[Expense]) -> Result<Vec<Expense>> {
    let mut faults = Vec::new();
    let mut fault = |pointer: String, code: &'static str, message| {
        faults.push(FieldError::new(pointer, code, message));
    };
    if words.activity_to < words.activity_from {
        let message = text!(
            "an activity ends on or after the day it begins",
            "活動の終了日は開始日以降にしてください。"
        );
        fault("/activity_to".into(), "order", message);
    }
    let mut seen = Vec::new();
    for (n, expense) in words.expenses.iter().enumerate().take(MOST_EXPENSES) {
        if let Some(id) = expense.id {
            if seen.contains(&id) || known.iter().all(|one| one.id != id) {
                let message = text!(
                    "the claim has no such expense, or the id stands twice: leave the id of a new expense out",
                    "この費用は申請にないか、ID が重複しています。新しい費用の ID は省略してください。"
                );
                fault(format!("/expenses/{n}/id"), "unknown", message);
            }
            seen.push(id);
        }
        if expense.net.minor <= 0 {
            let message = text!("an expense is above zero", "費用は 0 より大きい額にしてください。");
            fault(format!("/expenses/{n}/net/amount"), "range", message);
        }
        if expense.tax.minor < 0 || expense.net.minor.checked_add(expense.tax.minor).is_none() {
            let message = text!("tax is zero or more", "税額は 0 以上にしてください。");
            fault(format!("/expenses/{n}/tax/amount"), "range", message);
        }
        if expense.tax.currency != expense.net.currency {
            let message = text!(
                "write the tax in {}, as the net amount",
                "税額は正味額と同じ {} で指定してください。",
                expense.net.currency
            );
            fault(format!("/expenses/{n}/tax/currency"), "currency", message);
        }
    }
    if !faults.is_empty() {
        return Err(Error::invalid(faults));
    }
    let expense = |words: &ExpenseWords| Expense {
        id: words.id.unwrap_or_else(|| tx.new_id()),
        description: words.description.clone(),
        on: words.on,
        source: words.source.clone(),
        net: words.net,
        tax: words.tax,
        recovers_tax: words.recovers_tax,
        asked: None,
        decision: None,
    };
    Ok(words.expenses.iter().map(expense).collect())
}

/// Changes a draft, or a claim about which a reviewer has asked something.
pub(super) fn change(tx: &mut Tx<'_>, before: &Claim, words: ClaimWords) -> Result<Claim> {
    refuse_unwritten(before)?;
    let expenses = written(tx, &words, &before.expenses.0)?;
    let after = Claim {
        activity: words.activity,
        activity_from: words.activity_from,
        activity_to: words.activity_to,
        description: words.description,
        web_address: words.web_address,
        metric: words.metric,
        people: words.people,
        expenses: Json(expenses),
        ..before.clone()
    };
    // What the claim has committed comes from the plan of another activity now.
    let fund = coop_funds::get(tx, before.fund_id)?;
    let after = commit(tx, &fund, before, after)?;
    save(tx, before, after, None)
}

/// Refuses to touch a claim that is not being written.
pub fn refuse_unwritten(claim: &Claim) -> Result<()> {
    if claim.state.is_written() { Ok(()) } else { Err(not_allowed(claim, "change")) }
}

/// Submits a claim: commits what would be paid, and finds the risks.
pub fn submit(tx: &mut Tx<'_>, id: Id, comment: Option<&str>) -> Result<Claim> {
    let before = allowing(tx, id, "submission", |_| ClaimEvent::Submission)?;
    let terms = ClaimTerms::load(tx, &before)?;
    if before.state == ClaimState::Draft && !terms.fund.takes_claims_on(tx.today()) {
        return Err(closed(&terms.fund));
    }
    let assessed = terms.assess(&before, tx.today());
    if !assessed.faults.is_empty() {
        return Err(Error::invalid(assessed.faults));
    }
    let asked: Vec<Option<AskedExpense>> = assessed.expenses.iter().map(|expense| expense.asked).collect();
    let expenses = before.expenses.0.iter().zip(asked);
    let expenses = expenses.map(|(expense, asked)| Expense { asked, decision: None, ..expense.clone() });
    let found = terms.risks(tx, &before)?;
    let after = Claim {
        expenses: Json(expenses.collect()),
        state: ClaimState::Submitted,
        committed: assessed.reimbursable,
        due_on: None,
        review_due_on: Some(business_days_after(tx.today(), REVIEW_DAYS, &terms.holidays)),
        submitted_at: Some(tx.now),
        reviewer_id: None,
        proposer_id: None,
        is_risky: !found.risks.is_empty(),
        risks: Json(found.risks),
        ..before.clone()
    };
    let after = commit(tx, &terms.fund, &before, after)?;
    store::put_marks(tx, after.id, &found.marks)?;
    let step = Step { words: comment, amount: Some(after.committed), ..Step::named("submission") };
    save(tx, &before, after, Some(step))
}

/// Takes a claim back that nobody reviews; the budget is given back.
pub(super) fn recall(tx: &mut Tx<'_>, id: Id, reason: Option<&str>) -> Result<Claim> {
    let before = allowing(tx, id, "recall", |_| ClaimEvent::Recall)?;
    let fund = coop_funds::get(tx, before.fund_id)?;
    let as_written = |expense: &Expense| Expense { asked: None, decision: None, ..expense.clone() };
    let after = Claim {
        expenses: Json(before.expenses.0.iter().map(as_written).collect()),
        state: ClaimState::Draft,
        committed: 0,
        due_on: Some(fund.half().claims().to),
        review_due_on: None,
        submitted_at: None,
        proposer_id: None,
        is_risky: false,
        risks: Json(Vec::new()),
        ..before.clone()
    };
    let after = commit(tx, &fund, &before, after)?;
    store::put_marks(tx, after.id, &[])?;
    let step = Step { words: reason, amount: Some(before.committed), ..Step::named("recall") };
    save(tx, &before, after, Some(step))
}

/// Throws a draft away.
pub fn cancel(tx: &mut Tx<'_>, id: Id, reason: Option<&str>) -> Result<Claim> {
    let before = allowing(tx, id, "cancellation", |_| ClaimEvent::Cancellation)?;
    let after = Claim { state: ClaimState::Cancelled, due_on: None, ..before.clone() };
    save(tx, &before, after, Some(Step { words: reason, ..Step::named("cancellation") }))
}

/// Disputes a rejection, once: the budget is committed again, as far as the fund holds it.
pub fn dispute(tx: &mut Tx<'_>, id: Id, reason: &str) -> Result<Claim> {
    let before = allowing(tx, id, "dispute", Claim::dispute)?;
    if let Some(until) = before.disputed_until().filter(|until| *until < tx.today()) {
        let detail = text!("the last day was {until}", "異議の申し立ては {until} までとなっていました。");
        return Err(Error::new(&COOP_CLAIM_DISPUTE_TOO_LATE, detail).with("until", until));
    }
    let terms = ClaimTerms::load(tx, &before)?;
    let asked: i64 =
        before.expenses.0.iter().filter_map(|one| one.asked).map(|asked| asked.reimbursable).sum();
    let held = match terms.fund.given_back_to() {
        FundPart::Forfeited => terms.fund.forfeited,
        _ => terms.fund.remaining + terms.fund.planned_for(&before.activity),
    };
    let after = Claim {
        state: ClaimState::Disputed,
        // Where the fund holds nothing, the refusal says so.
        committed: if held > 0 { asked.min(held) } else { asked },
        review_due_on: Some(business_days_after(tx.today(), REVIEW_DAYS, &terms.holidays)),
        ..before.clone()
    };
    let after = commit(tx, &terms.fund, &before, after)?;
    let step = Step { words: Some(reason), amount: Some(after.committed), ..Step::named("dispute") };
    save(tx, &before, after, Some(step))
}

/// The partners, of these, that have a claim whose time is over.
pub fn overdue(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<Id>> {
    let today = tx.today();
    Ok(store::overdue(tx, partners, today)?.into_iter().map(|claim| claim.partner_id).collect())
}

/// Ends the claims of these partners that were not submitted, or not answered, in time; returns their number. The unit holds the
/// locks of the partners.
pub fn expire(tx: &mut Tx<'_>, partners: &[Id]) -> Result<usize> {
    let today = tx.today();
    let overdue = store::overdue(tx, partners, today)?;
    for before in &overdue {
        let after = Claim { state: ClaimState::Expired, committed: 0, due_on: None, ..before.clone() };
        let terms = ClaimTerms::load(tx, before)?;
        let after = commit(tx, &terms.fund, before, after)?;
        let step = Step { amount: Some(before.committed), ..Step::named("expiry") };
        let after = save(tx, before, after, Some(step))?;
        notices::tell_expiry(tx, &after, terms.name_of_activity(before), before.committed)?;
    }
    Ok(overdue.len())
}
