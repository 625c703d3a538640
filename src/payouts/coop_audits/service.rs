//! What operators decide on audits, and the way back where another person turns a recovery down.

use super::{
    model::{CoopAudit, CoopAuditEvent, CoopAuditState, ORIGINALS_DAYS},
    notices, store,
    view::CoopAuditView,
};
use crate::{
    access::{Changes, Tx},
    audit,
    ledger::{
        accounting::coop_funds,
        adjustments::{self, AdjustmentReason, NewAdjustment},
    },
    network::partners::TRANSITION_NOT_ALLOWED,
    participation::programs::{self, business_days_after},
    payouts::coop_claims::{self, Claim, ClaimState},
    platform::{
        Error, Result,
        values::{Id, Money},
    },
    text,
};

crate::problem_codes! {
    COOP_AUDIT_OWN_APPROVAL = "coop_audit_own_approval" 403 ["Another person decides on the audit", "監査の決定は別の方が行う必要があります"],
        ["Nobody decides on the audit of a claim that they have approved themselves. `approved_by` is who approved the claim.", "自分が承認した申請の監査を自分で決定することはできません。承認した方は `approved_by` に示されます。"];
    COOP_AUDIT_NOT_PAID = "coop_audit_not_paid" 409 ["The claim is not paid at present", "この申請は現在支払われていません"],
        ["The payment has come back since the claim was drawn, so that nothing can be recovered. Hold the claim back from payment: `POST /v1/coop-claims/{id}/hold`.", "抽出後に支払いが返戻されたため、回収する金額がありません。支払いを保留してください：`POST /v1/coop-claims/{id}/hold`"];
}

/// Finds the originals in order.
pub fn pass(tx: &mut Tx<'_>, id: Id, comment: Option<&str>) -> Result<CoopAudit> {
    let ClaimAudit { audit: before, claim } = to_decide(tx, id, CoopAuditEvent::Pass, "pass")?;
    let after = decided(tx, &before, CoopAuditState::Passed, comment);
    let after = save(tx, &before, after, comment)?;
    notices::tell_decision(tx, &after, &claim)?;
    Ok(after)
}

/// Recovers what was paid, or a part, by an adjustment of the rebate, which another person approves.
pub fn recover(tx: &mut Tx<'_>, id: Id, reason: &str, amount: Option<Money>) -> Result<CoopAudit> {
    let ClaimAudit { audit: before, claim } = to_decide(tx, id, CoopAuditEvent::Recovery, "recovery")?;
    if claim.state != ClaimState::Paid {
        let detail = text!("the claim is {} again", "申請の状態は {} に戻っています。", claim.state);
        return Err(Error::new(&COOP_AUDIT_NOT_PAID, detail).with("claim_id", claim.id));
    }
    let recovered = recovered(&before, amount)?;
    let adjustment_id = tx.new_id();
    let proposal = NewAdjustment {
        enrollment_id: claim.enrollment_id,
        amount: before.money(-recovered),
        // The money was earned in the fund's half-year, whose months lie in the enrollment's program year.
        earned_in: coop_funds::get(tx, claim.fund_id)?.last_month,
        reason_code: AdjustmentReason::Compliance,
        comment: reason.to_owned(),
        dispute_id: None,
    };
    adjustments::propose(tx, adjustment_id, proposal)?;
    let after = CoopAudit {
        recovered: Some(recovered),
        adjustment_id: Some(adjustment_id),
        ..decided(tx, &before, CoopAuditState::Recovered, Some(reason))
    };
    let after = save(tx, &before, after, Some(reason))?;
    notices::tell_decision(tx, &after, &claim)?;
    Ok(after)
}

/// The amount to recover: the whole payment, unless less is told.
fn recovered(audit: &CoopAudit, told: Option<Money>) -> Result<i64> {
    let paid = audit.money(audit.paid);
    let amount = told.unwrap_or(paid);
    if amount.currency != paid.currency {
        let message = text!("the claim is in {}", "この申請の通貨は {} です。", paid.currency);
        return Err(Error::invalid_field("/amount/currency", "currency", message));
    }
    if !(1..=paid.minor).contains(&amount.minor) {
        let message = text!(
            "above zero, and {paid} at most, which was paid",
            "0 より大きく、支払額の {paid} 以下の金額を指定してください。"
        );
        return Err(Error::invalid_field("/amount/amount", "range", message));
    }
    Ok(amount.minor)
}

/// Asks for the originals again where another person has turned the adjustment of a recovery down in this unit, which has locked
/// the partner.
pub(super) fn follow_up(tx: &mut Tx<'_>, changes: &Changes) -> Result<()> {
    for adjustment in &changes.rejected_adjustments {
        let Some(before) = store::of_adjustment(tx, *adjustment)? else { continue };
        let Some(state) = before.state.after(CoopAuditEvent::RecoveryRejection) else { continue };
        let claim = coop_claims::get(tx, before.claim_id)?;
        let program = programs::get(tx, before.program_id)?;
        let after = CoopAudit {
            state,
            due_on: business_days_after(tx.today(), ORIGINALS_DAYS, &program.holidays.0),
            recovered: None,
            adjustment_id: None,
            comment: None,
            decided_by: None,
            decided_at: None,
            ..before.clone()
        };
        let after = save(tx, &before, after, Some("Another operator has turned the adjustment down"))?;
        notices::tell_request(tx, &after, &claim)?;
    }
    Ok(())
}

/// An audit and its claim.
struct ClaimAudit {
    audit: CoopAudit,
    claim: Claim,
}

/// The audit with its claim and its partner locked, where its state allows the event and the operator has not approved the claim.
fn to_decide(tx: &mut Tx<'_>, id: Id, event: CoopAuditEvent, name: &str) -> Result<ClaimAudit> {
    let mut audit = store::get(tx, id)?;
    if tx.lock_partner(audit.partner_id)?.may_be_stale() {
        audit = store::get(tx, id)?;
    }
    if audit.state.after(event).is_none() {
        let state = audit.state;
        let detail = text!(
            "an audit that is {state} is decided and allows no {name}",
            "監査の状態が {state} のため、決定済みであり、{name} は実行できません。"
        );
        let error = Error::new(&TRANSITION_NOT_ALLOWED, detail).with("from", state);
        return Err(error.with("allowed", state.allowed()));
    }
    let claim = coop_claims::get(tx, audit.claim_id)?;
    for approver in claim.approvers().collect::<Vec<_>>() {
        if tx.acts_as(approver)? {
            let detail = text!(
                "you have approved this claim yourself, by this account or by another account of yours",
                "この申請は、このアカウントまたはご自身の別のアカウントで承認されたものです。"
            );
            return Err(Error::new(&COOP_AUDIT_OWN_APPROVAL, detail).with("approved_by", approver));
        }
    }
    Ok(ClaimAudit { audit, claim })
}

fn decided(tx: &Tx<'_>, before: &CoopAudit, state: CoopAuditState, comment: Option<&str>) -> CoopAudit {
    CoopAudit {
        state,
        comment: comment.map(str::to_owned),
        decided_by: tx.actor.id(),
        decided_at: Some(tx.now),
        ..before.clone()
    }
}

/// Writes the next revision of an audit.
fn save(tx: &mut Tx<'_>, before: &CoopAudit, changed: CoopAudit, words: Option<&str>) -> Result<CoopAudit> {
    let after = CoopAudit { updated_at: tx.now, revision: before.revision + 1, ..changed };
    store::update(tx, &after)?;
    audit::Event::on("coop_audit", after.id)
        .of_partner(after.partner_id)
        .before(&CoopAuditView::plain(before))
        .after(&CoopAuditView::plain(&after))
        .because(words)
        .record(tx)?;
    Ok(after)
}
