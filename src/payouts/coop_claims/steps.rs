//! A step of a claim: whether the state allows the step, what the fund commits with the step, and the next revision with its history.

use super::{
    draw::Draw,
    model::{Claim, ClaimEvent, ClaimSide, HistoryStep},
    store,
    view::CoopClaimView,
};
use crate::{
    access::{Role, Tx},
    audit,
    ledger::accounting::{
        TransferCause,
        coop_funds::{self, CoopFund, FundMove, move_funds},
    },
    network::partners::TRANSITION_NOT_ALLOWED,
    platform::{Error, Result, values::Id},
    text,
};

/// The most steps of a claim's history.
const MOST_STEPS: usize = 1000;

/// The claim with its partner locked, where its state allows the event.
pub(super) fn allowing(
    tx: &mut Tx<'_>,
    id: Id,
    name: &str,
    event: impl FnOnce(&Claim) -> ClaimEvent,
) -> Result<Claim> {
    let claim = store::to_change(tx, id)?;
    if claim.state.after(event(&claim)).is_some() { Ok(claim) } else { Err(not_allowed(&claim, name)) }
}

pub(super) fn not_allowed(claim: &Claim, name: &str) -> Error {
    let allowed = claim.allowed();
    let (state, can) = (claim.state, allowed.join(", "));
    let detail = if allowed.is_empty() {
        text!(
            "a claim that is {state} allows no {name}; it allows: nothing",
            "申請の状態が {state} のため、{name} は実行できません。実行できる操作はありません。"
        )
    } else {
        text!(
            "a claim that is {state} allows no {name}; it allows: {can}",
            "申請の状態が {state} のため、{name} は実行できません。実行できる操作は次のとおりです：{can}"
        )
    };
    Error::new(&TRANSITION_NOT_ALLOWED, detail).with("from", state).with("allowed", allowed)
}

/// Commits a part of the fund, or gives a part back, so that the fund follows the claim; returns the claim with the part that
/// comes from the plan of the fund, which is used first and given back last.
pub(super) fn commit(tx: &mut Tx<'_>, fund: &CoopFund, before: &Claim, after: Claim) -> Result<Claim> {
    let draw = Draw::of(fund, before, &after);
    let after = Claim { from_plan: draw.from_plan, plan_id: draw.plan_id, ..after };
    if !draw.parts.is_empty() {
        let (cause, cause_id) = (TransferCause::Claim, after.id);
        let step = FundMove { fund: draw.fund, parts: draw.parts, cause, cause_id };
        for fund_after in move_funds(tx, &[step])? {
            audit::Event::on("coop_fund", fund_after.id)
                .of_partner(fund_after.partner_id)
                .before(&coop_funds::CoopFundView::plain(fund))
                .after(&coop_funds::CoopFundView::plain(&fund_after))
                .record(tx)?;
        }
    }
    Ok(after)
}
/// A step to note in the history of a claim.
#[derive(Clone, Copy)]
pub struct Step<'a> {
    /// The name: a sub-resource, or another name that the history knows.
    pub name: &'static str,
    /// The words of whoever makes the step.
    pub words: Option<&'a str>,
    /// The amount in minor units of the fund's currency.
    pub amount: Option<i64>,
    /// Who reads the audit event of the step.
    pub readers: StepReaders,
}

/// Who reads the audit event of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepReaders {
    /// The partner's people and the programme's staff.
    Both,
    /// The programme's staff alone: what the first of two reviewers has decided is told once another one agrees.
    Programme,
}

impl Step<'_> {
    /// A step without words and amount.
    #[must_use]
    pub const fn named(name: &'static str) -> Self {
        Step { name, words: None, amount: None, readers: StepReaders::Both }
    }
}

pub(super) fn step(tx: &Tx<'_>, step: Step<'_>) -> HistoryStep {
    let side = match tx.actor.role {
        Some(Role::Operator | Role::Auditor) => ClaimSide::Programme,
        Some(Role::IncentiveAdmin | Role::Viewer) => ClaimSide::Partner,
        None => ClaimSide::Service,
    };
    HistoryStep {
        at: tx.now,
        side,
        by: tx.actor.id(),
        step: step.name.to_owned(),
        words: step.words.map(str::to_owned),
        amount: step.amount,
    }
}

/// Notes a step of a claim that another record belongs to, such as a proof.
pub fn note(tx: &mut Tx<'_>, before: &Claim, noted: Step<'_>) -> Result<Claim> {
    save(tx, before, before.clone(), Some(noted))
}

/// Writes the next revision of a claim.
pub(super) fn save(
    tx: &mut Tx<'_>,
    before: &Claim,
    changed: Claim,
    noted: Option<Step<'_>>,
) -> Result<Claim> {
    let mut after = Claim { updated_at: tx.now, revision: before.revision + 1, ..changed };
    if let Some(noted) = noted {
        if after.history.0.len() >= MOST_STEPS {
            let message = text!(
                "the claim has {MOST_STEPS} steps: make another claim",
                "申請の履歴が {MOST_STEPS} 件に達しました。新しい申請を作成してください。"
            );
            return Err(Error::invalid_field("", "too_many", message));
        }
        after.history.0.push(step(tx, noted));
    }
    store::update(tx, &after)?;
    let event = audit::Event::on("coop_claim", after.id);
    let event = match noted.map(|noted| noted.readers) {
        Some(StepReaders::Programme) => event,
        Some(StepReaders::Both) | None => event.of_partner(after.partner_id),
    };
    event
        .before(&CoopClaimView::plain(before.clone()))
        .after(&CoopClaimView::plain(after.clone()))
        .because(noted.and_then(|noted| noted.words))
        .record(tx)?;
    Ok(after)
}
