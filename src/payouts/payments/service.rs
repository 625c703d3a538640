//! Commands on payments: make, approve, send and give back many; and what operators and banks tell of one.

use super::{
    draft::PaymentDraft,
    model::{DocumentKind, Payment, PaymentEvent, PaymentLine, PaymentState, Reconciliation},
    store,
    view::PaymentView,
};
use crate::{
    access::{Guard, Tx},
    audit,
    ledger::accounting::{self, PaymentMove, PaymentStep, Rebate},
    network::{
        partners::TRANSITION_NOT_ALLOWED,
        profiles::{self, Decision, Standing},
    },
    platform::{
        Error, Result,
        values::{CalendarDate, Id},
    },
    text,
};
use std::collections::HashMap;

/// The codes of banks for a fault of the payee's account or address (ISO 20022, external status reasons): the payout
/// profile has to be mended.
const FAULTS_OF_PROFILES: [&str; 8] = ["AC01", "AC04", "AC06", "AG01", "BE04", "RC01", "RR03", "CNOR"];
/// The code of banks for a regulatory reason: nobody pays again before an operator has looked.
const REGULATORY: &str = "RR04";

/// Payments of a run that are about to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewPayments {
    /// The run.
    pub run_id: Id,
    /// The payment that the only new payment replaces.
    pub replaces: Option<Id>,
}

/// Makes payments, which take their rebates. The unit holds the locks of the partners, and records the event of the run. A
/// constant number of statements, however many there are.
pub fn make(tx: &mut Tx<'_>, new: NewPayments, drafts: &[PaymentDraft]) -> Result<Vec<Payment>> {
    let (mut made, mut lines, mut moves) = (Vec::new(), Vec::new(), Vec::new());
    for draft in drafts {
        let payment = Payment {
            id: tx.new_id(),
            partner_id: draft.partner_id,
            run_id: new.run_id,
            currency: draft.currency,
            state: PaymentState::Created,
            reconciliation: Reconciliation::Unreconciled,
            document_kind: DocumentKind::CreditNote,
            document_number: None,
            gross: draft.sums.gross,
            withheld: draft.sums.withheld,
            withholding_rate_id: draft.withholding_rate_id,
            net: draft.sums.net,
            replaces: new.replaces,
            sent_on: None,
            settled_on: None,
            state_code: None,
            state_comment: None,
            created_at: tx.now,
            updated_at: tx.now,
            revision: 1,
        };
        lines.extend(draft.rows(payment.id));
        moves.extend(draft.lines.iter().map(|line| PaymentMove {
            rebate: line.rebate.clone(),
            payment_id: payment.id,
            step: PaymentStep::Take,
        }));
        made.push(payment);
    }
    store::insert(tx, &made, &lines)?;
    accounting::move_rebates(tx, &moves, None)?;
    Ok(made)
}

/// Approves the created ones among these payments, and numbers their documents in order, without a gap.
pub fn approve_all(tx: &mut Tx<'_>, payments: Vec<Payment>) -> Result<()> {
    let mut approved: Vec<Payment> =
        payments.into_iter().filter_map(|payment| after(tx, payment, PaymentEvent::Approval)).collect();
    let count = i64::try_from(approved.len()).map_err(Error::internal)?;
    let first = store::take_numbers(tx, DocumentKind::CreditNote, count)?;
    for (payment, number) in approved.iter_mut().zip(first..) {
        payment.document_number = Some(number);
    }
    store::update_all(tx, &approved)
}

/// Notes that the bank got the approved ones among these payments; returns those.
pub fn dispatch_all(tx: &mut Tx<'_>, payments: Vec<Payment>, on: CalendarDate) -> Result<Vec<Payment>> {
    let sent = payments.into_iter().filter_map(|payment| after(tx, payment, PaymentEvent::Dispatch));
    let sent: Vec<Payment> = sent.map(|payment| Payment { sent_on: Some(on), ..payment }).collect();
    store::update_all(tx, &sent)?;
    Ok(sent)
}

/// Stops the created ones among these payments for a reason, and gives their rebates back.
pub fn release_all(tx: &mut Tx<'_>, payments: Vec<Payment>, reason: &str) -> Result<()> {
    let stopped = payments.into_iter().filter_map(|payment| after(tx, payment, PaymentEvent::Stop));
    let words = |payment| Payment { state_comment: Some(reason.to_owned()), ..payment };
    let stopped: Vec<Payment> = stopped.map(words).collect();
    give_back(tx, &stopped, |_| PaymentStep::Release, None)?;
    store::update_all(tx, &stopped)
}

/// The next revision of a payment after an event; none where the state does not allow the event.
fn after(tx: &Tx<'_>, payment: Payment, event: PaymentEvent) -> Option<Payment> {
    let state = payment.state.after(event)?;
    Some(Payment { state, updated_at: tx.now, revision: payment.revision + 1, ..payment })
}

/// Ends the lines of payments, and moves their rebates by a step. A constant number of statements.
fn give_back(
    tx: &mut Tx<'_>,
    payments: &[Payment],
    step: impl Fn(&PaymentLine) -> PaymentStep,
    held: Option<&str>,
) -> Result<()> {
    let moves = moves(tx, payments, step)?;
    store::end_lines(tx, payments)?;
    accounting::move_rebates(tx, &moves, held)
}

fn moves(
    tx: &mut Tx<'_>,
    payments: &[Payment],
    step: impl Fn(&PaymentLine) -> PaymentStep,
) -> Result<Vec<PaymentMove>> {
    let lines = store::lines_of(tx, payments)?;
    let mut partners: Vec<Id> = lines.iter().map(|line| line.partner_id).collect();
    partners.sort_unstable();
    partners.dedup();
    let ids: Vec<Id> = lines.iter().map(|line| line.rebate_id).collect();
    let rebates = accounting::rebates_named(tx, &partners, &ids)?;
    let rebates: HashMap<Id, Rebate> = rebates.into_iter().map(|rebate| (rebate.id, rebate)).collect();
    let moved = |line: &PaymentLine| {
        let rebate = rebates.get(&line.rebate_id)?.clone();
        Some(PaymentMove { rebate, payment_id: line.payment_id, step: step(line) })
    };
    Ok(lines.iter().filter_map(moved).collect())
}

/// What is told of a payment.
#[derive(Clone, Copy, Debug)]
pub struct PaymentNews<'a> {
    /// What happened.
    pub event: PaymentEvent,
    /// The day it happened.
    pub on: CalendarDate,
    /// The bank's code for a failure or a return.
    pub code: Option<&'a str>,
    /// The reason in words.
    pub reason: Option<&'a str>,
}

/// Notes what is told of a payment: the payment's state, its rebates and the ledger follow. Where the bank found a fault in
/// the account, the partner has to mend the payout profile, and until then the rebates wait for the profile.
pub fn tell(tx: &mut Tx<'_>, id: Id, news: PaymentNews<'_>) -> Result<Payment> {
    // Whether a month's statement tells of the payment is settled before.
    tx.share(Guard::Books)?;
    let name = PaymentEvent::TOLD.iter().find(|(event, _)| *event == news.event).map(|(_, name)| *name);
    let before = to_change(tx, id)?;
    let Some(payment) = after(tx, before.clone(), news.event) else {
        return Err(transition_not_allowed(&before, name.unwrap_or("event")));
    };
    let mut payment = Payment {
        state_code: news.code.map(str::to_owned),
        state_comment: news.reason.map(str::to_owned),
        ..payment
    };
    let one = std::slice::from_ref(&before);
    match news.event {
        PaymentEvent::Confirmation => {
            refuse_day(tx, &before, news.on)?;
            payment.settled_on = Some(news.on);
            let moves = moves(tx, one, |line| PaymentStep::Settle(line.parts()))?;
            accounting::move_rebates(tx, &moves, None)?;
        }
        PaymentEvent::Failure | PaymentEvent::Stop => {
            reject_profile(tx, &payment)?;
            give_back(tx, one, |_| PaymentStep::Release, held(news))?;
        }
        PaymentEvent::Return | PaymentEvent::Reversal => {
            reject_profile(tx, &payment)?;
            give_back(tx, one, |line| PaymentStep::Return(line.parts()), held(news))?;
        }
        PaymentEvent::Dispatch => payment.sent_on = Some(news.on),
        PaymentEvent::Approval | PaymentEvent::Filing | PaymentEvent::Delay => {}
    }
    store::update(tx, &payment)?;
    event_of(&payment)
        .before(&PaymentView::from(before))
        .after(&PaymentView::from(payment.clone()))
        .because(news.reason)
        .record(tx)?;
    Ok(payment)
}

/// The words by which an operator holds the rebates of a payment that was taken back, or that the bank may not pay.
fn held(news: PaymentNews<'_>) -> Option<&str> {
    let by_hand = news.event == PaymentEvent::Reversal || news.code == Some(REGULATORY);
    news.reason.filter(|_| by_hand)
}

/// Sends the payout profile back to the partner where the bank found a fault in it.
fn reject_profile(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    let Some(code) = payment.state_code.as_deref().filter(|code| FAULTS_OF_PROFILES.contains(code)) else {
        return Ok(());
    };
    let partner = payment.partner_id;
    let standings = profiles::standings_of_each(tx, &[partner], tx.today())?;
    let payout = standings.get(&partner).map(|standings| standings.payout);
    if matches!(payout, Some(Standing::Pending | Standing::CoolingOff | Standing::Approved)) {
        let comment = payment.state_comment.as_deref().unwrap_or_default();
        let reason = format!("The bank could not pay to this account ({code}): {comment}");
        profiles::decide_payout(tx, partner, Decision::Rejection(&reason))?;
    }
    Ok(())
}

fn refuse_day(tx: &Tx<'_>, payment: &Payment, on: CalendarDate) -> Result<()> {
    let first = payment.sent_on.unwrap_or(on);
    if on < first || tx.today() < on {
        let today = tx.today();
        let message = text!(
            "a day from {first} on, when the bank got the payment, to {today}",
            "銀行が支払いを受け付けた {first} から {today} までの日付を指定してください。"
        );
        return Err(Error::invalid_field("/settled_on", "range", message));
    }
    Ok(())
}

/// The payment with its partner locked.
pub fn to_change(tx: &mut Tx<'_>, id: Id) -> Result<Payment> {
    let payment = store::get(tx, id)?;
    if tx.lock_partner(payment.partner_id)?.may_be_stale() {
        return store::get(tx, id);
    }
    Ok(payment)
}

/// The refusal of a transition that the state of a payment does not allow.
#[must_use]
pub fn transition_not_allowed(payment: &Payment, transition: &str) -> Error {
    let allowed = payment.state.allowed();
    let (state, can) = (payment.state, allowed.join(", "));
    let detail = if allowed.is_empty() {
        text!(
            "a payment that is {state} allows no {transition}; it allows: nothing",
            "支払いの状態が {state} のため、{transition} は実行できません。実行できる操作はありません。"
        )
    } else {
        text!(
            "a payment that is {state} allows no {transition}; it allows: {can}",
            "支払いの状態が {state} のため、{transition} は実行できません。実行できる操作は次のとおりです：{can}"
        )
    };
    Error::new(&TRANSITION_NOT_ALLOWED, detail).with("from", payment.state).with("allowed", allowed)
}

/// An event about a payment, which the partner's people see once they see the payment.
fn event_of(payment: &Payment) -> audit::Event {
    let event = audit::Event::on("payment", payment.id);
    if payment.document_number.is_some() { event.of_partner(payment.partner_id) } else { event }
}
