//! Commands on adjustments: propose, approve, reject.

use super::{Adjustment, AdjustmentState, NewAdjustment, api::AdjustmentView, store};
use crate::{
    access::{Guard, Scope, Tx},
    audit,
    ledger::accounting::{self, RebatePosting, TransferCause},
    network::partners::TRANSITION_NOT_ALLOWED,
    participation::{
        enrollments::{self, Enrollment, WithCurrencies},
        programs,
    },
    platform::{
        Error, FieldError, Result,
        values::{Currency, Id, Month},
    },
    text,
};

crate::problem_codes! {
    OWN_PROPOSAL = "own_proposal" 403 ["Another person decides on it", "承認または却下は別の方が行う必要があります"],
        ["Nobody decides on an adjustment of their own. Another operator approves or rejects it; `proposed_by` is who proposed it.", "自分が起案した個別調整を自分で承認または却下することはできません。別の運営担当者が行ってください。起案者は `proposed_by` に示されます。"];
}

/// The largest amount of an adjustment, in minor units; a slip of the keyboard exceeds the limit.
const MOST: i64 = 10_000_000_000;

/// Proposes an adjustment. No rebate changes before the approval.
pub fn propose(tx: &mut Tx<'_>, id: Id, new: NewAdjustment) -> Result<Adjustment> {
    let no_such = || {
        Error::invalid(vec![FieldError::new(
            "/enrollment_id",
            "unknown",
            text!("there is no such enrollment", "該当する参加が存在しません。"),
        )])
    };
    let found = enrollments::with_currencies(tx, new.enrollment_id)?.ok_or_else(no_such)?;
    tx.lock_partner(found.enrollment.partner_id)?;
    let WithCurrencies { enrollment, of_version, of_partner } =
        enrollments::with_currencies(tx, new.enrollment_id)?.ok_or_else(no_such)?;
    let mut currencies = accounting::currencies_of(tx, enrollment.key())?;
    currencies.extend([of_version, of_partner]);
    currencies.sort_unstable();
    currencies.dedup();
    let faults = faults(&new, &enrollment, &currencies, Month::of(tx.today()));
    if !faults.is_empty() {
        return Err(Error::invalid(faults));
    }
    let adjustment = Adjustment {
        id,
        enrollment_id: enrollment.id,
        partner_id: enrollment.partner_id,
        minor: new.amount.minor,
        currency: new.amount.currency,
        earned_in: new.earned_in,
        posted_in: None,
        reason_code: new.reason_code,
        comment: new.comment,
        state: AdjustmentState::Proposed,
        proposed_by: tx.actor.id(),
        decided_by: None,
        decision_comment: None,
        decided_at: None,
        dispute_id: new.dispute_id,
        created_at: tx.now,
        updated_at: tx.now,
        revision: 1,
    };
    store::insert(tx, &adjustment)?;
    audit::Event::on("adjustment", id).after(&AdjustmentView::from(adjustment.clone())).record(tx)?;
    Ok(adjustment)
}

fn faults(
    new: &NewAdjustment,
    enrollment: &Enrollment,
    currencies: &[Currency],
    this_month: Month,
) -> Vec<FieldError> {
    let mut faults = Vec::new();
    let mut fault = |pointer, code, message| faults.push(FieldError::new(pointer, code, message));
    if enrollment.earnings_start_on.is_none() {
        let message = text!(
            "this enrollment has never earned; there is nothing to adjust",
            "この参加には獲得額がないため、調整できるものがありません。"
        );
        fault("/enrollment_id", "never_earned", message);
    }
    if new.amount.minor == 0 || new.amount.minor.abs() > MOST {
        fault(
            "/amount/amount",
            "range",
            text!(
                "an amount other than zero, of {MOST} minor units at most",
                "0 以外で、最小通貨単位で {MOST} 以下の金額を指定してください。"
            ),
        );
    }
    if !currencies.contains(&new.amount.currency) {
        let known: Vec<&str> = currencies.iter().map(Currency::as_str).collect();
        let message = text!(
            "this enrollment is owed in {}",
            "この参加に対する支払の通貨は {} です。",
            known.join(", ")
        );
        fault("/amount/currency", "currency", message);
    }
    let year = programs::program_year(enrollment.program_year);
    let within =
        year.is_some_and(|year| Month::of(year.from) <= new.earned_in && new.earned_in <= Month::of(year.to));
    if !within || new.earned_in > this_month {
        let message = text!(
            "a month of program year {}, not after {this_month}",
            "プログラム年度 {} の、{this_month} 以前の月を指定してください。",
            enrollment.program_year
        );
        fault("/earned_in", "range", message);
    }
    faults
}

/// Approves another person's adjustment, and adds the amount to the rebate of `earned_in`, or of the first open month
/// after.
pub fn approve(tx: &mut Tx<'_>, id: Id, comment: Option<&str>) -> Result<Adjustment> {
    // The guard keeps the month open until the adjustment is posted in it.
    tx.share(Guard::Books)?;
    let before = to_decide(tx, id, "approval")?;
    let posted_in = accounting::months(tx)?.posting_for(before.earned_in);
    let after =
        Adjustment { posted_in: Some(posted_in), ..decided(tx, &before, AdjustmentState::Approved, comment) };
    let posting = RebatePosting {
        enrollment_id: after.enrollment_id,
        partner_id: after.partner_id,
        posted_in,
        currency: after.currency,
        earned: 0,
        adjusted: after.minor,
        coop: 0,
        converted: 0,
    };
    accounting::post_to_rebates(tx, &[posting], TransferCause::Adjustment, Some(id))?;
    let after = save(tx, &before, after)?;
    if let Some(dispute) = after.dispute_id {
        tx.settlement_approved(dispute);
    }
    Ok(after)
}

/// Rejects another person's adjustment, for good.
pub fn reject(tx: &mut Tx<'_>, id: Id, comment: &str) -> Result<Adjustment> {
    let before = to_decide(tx, id, "rejection")?;
    let after = decided(tx, &before, AdjustmentState::Rejected, Some(comment));
    let after = save(tx, &before, after)?;
    match after.dispute_id {
        Some(dispute) => tx.settlement_rejected(dispute),
        None => tx.adjustment_rejected(id),
    }
    Ok(after)
}

fn to_decide(tx: &mut Tx<'_>, id: Id, transition: &'static str) -> Result<Adjustment> {
    let mut adjustment = store::get(tx, id)?;
    if tx.lock_partner(adjustment.partner_id)?.may_be_stale() {
        adjustment = store::get(tx, id)?;
    }
    if !adjustment.allowed().contains(&transition) {
        let detail = text!(
            "an adjustment that is {} is decided",
            "個別調整の状態が {} のため、すでに決定済みです。",
            adjustment.state
        );
        let error = Error::new(&TRANSITION_NOT_ALLOWED, detail);
        return Err(error.with("from", adjustment.state).with("allowed", adjustment.allowed()));
    }
    let own = match adjustment.proposed_by {
        Some(proposer) => tx.acts_as(proposer)?,
        None => tx.actor.id().is_none(),
    };
    if own {
        let detail = text!(
            "you proposed this adjustment yourself, by this account or by another account of yours",
            "この個別調整は、このアカウントまたはご自身の別のアカウントで起案されたものです。"
        );
        return Err(Error::new(&OWN_PROPOSAL, detail).with("proposed_by", adjustment.proposed_by));
    }
    Ok(adjustment)
}

fn decided(tx: &Tx<'_>, before: &Adjustment, state: AdjustmentState, comment: Option<&str>) -> Adjustment {
    Adjustment {
        state,
        decided_by: tx.actor.id(),
        decision_comment: comment.map(str::to_owned),
        decided_at: Some(tx.now),
        updated_at: tx.now,
        revision: before.revision + 1,
        ..before.clone()
    }
}

fn save(tx: &mut Tx<'_>, before: &Adjustment, after: Adjustment) -> Result<Adjustment> {
    store::update(tx, &after)?;
    audit::Event::on("adjustment", after.id)
        .before(&AdjustmentView::from(before.clone()))
        .after(&AdjustmentView::from(after.clone()))
        .because(after.decision_comment.as_deref())
        .record(tx)?;
    if after.state == AdjustmentState::Approved {
        // A partner's people see the approved adjustment in their audit trail as in the list. They get an event of
        // their own: the event above names the decider and the comment.
        let shown = AdjustmentView::seen_in(Scope::Partner(after.partner_id), after.clone());
        let event = audit::Event::on("adjustment", after.id).of_partner(after.partner_id);
        event.after(&shown).by_the_programme().record(tx)?;
    }
    Ok(after)
}
