//! Commands on disputes: raise, answer, ask, reply, escalate, withdraw; and the way back where the settlement is turned down.

use super::{
    model::{
        AnswerClock, Dispute, DisputeEvent, DisputeState, DisputeSubject, GivenAnswer, Question, Verdict,
    },
    notices, store,
    subject::{self, DisputedRecord},
    view::DisputeView,
};
use crate::{
    access::{Changes, Tx},
    audit,
    ledger::{
        accounting,
        adjustments::{self, AdjustmentReason, NewAdjustment},
    },
    network::partners::TRANSITION_NOT_ALLOWED,
    platform::{
        Error, FieldError, Result,
        db::types::Json,
        values::{Currency, Id, Locale, Money, Month},
    },
    text,
};

crate::problem_codes! {
    ALREADY_DISPUTED = "already_disputed" 409 ["The record is disputed already", "この記録にはすでに異議が申し立てられています"],
        ["A record is disputed once. `dispute_id` is the dispute; one that was rejected can be escalated once.", "一つの記録に対する異議の申し立ては一度のみです。既存の異議は `dispute_id` に示されます。却下された異議は、一度だけ上申できます。"];
    DISPUTE_TOO_LATE = "dispute_too_late" 409 ["The time for a dispute is over", "異議の申立期間が終了しています"],
        ["Payments and rebates are disputed within 30 days, earnings and ineligible records within 90. `until` was the last day.", "支払いとリベートは 30 日以内、獲得額と対象外の記録は 90 日以内に異議を申し立てる必要があります。最終日は `until` に示されます。"];
}

/// The most questions about one dispute.
const MOST_QUESTIONS: usize = 20;

/// What a partner objects to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection<'a> {
    /// The kind of the disputed record.
    pub subject: DisputeSubject,
    /// The disputed record.
    pub subject_id: Id,
    /// The figure that the partner expects.
    pub expected: Money,
    /// The reason in the partner's words.
    pub reason: &'a str,
}

/// Raises a dispute. Where the partner expects less, the rebate that has the disputed amount in it is held; where it expects
/// more, the disputed amount is in no rebate yet, and what nobody disputes is paid as ever.
pub fn raise(tx: &mut Tx<'_>, objection: &Objection<'_>) -> Result<Dispute> {
    let Objection { subject, subject_id, expected, reason } = *objection;
    let mut record = subject::find(tx, subject, subject_id)?;
    if tx.lock_partner(record.partner_id)?.may_be_stale() {
        record = subject::find(tx, subject, subject_id)?;
    }
    refuse(tx, objection, &record)?;
    let clock = AnswerClock::begun(tx.today());
    let mut dispute = Dispute {
        id: tx.new_id(),
        partner_id: record.partner_id,
        subject,
        subject_id,
        enrollment_id: record.enrollment_id,
        earned_in: record.earned_in,
        currency: expected.currency,
        figure: record.figure,
        expected: expected.minor,
        reason: reason.to_owned(),
        state: DisputeState::Open,
        due_on: clock.due_on,
        days_left: clock.days_left.into(),
        held_rebate_id: None,
        questions: Json(Vec::new()),
        answers: Json(Vec::new()),
        adjustment_id: None,
        escalation_reason: None,
        raised_by: tx.actor.id(),
        created_at: tx.now,
        updated_at: tx.now,
        revision: 1,
    };
    dispute.held_rebate_id = hold(tx, &dispute, record.rebate_id)?;
    store::insert(tx, &dispute)?;
    let event = audit::Event::on("dispute", dispute.id).of_partner(dispute.partner_id);
    event
        .after(&DisputeView::of(dispute.clone(), tx.today(), Locale::En))
        .because(Some(reason))
        .record(tx)?;
    notices::tell_operators(tx, &dispute, reason)?;
    Ok(dispute)
}

fn refuse(tx: &mut Tx<'_>, objection: &Objection<'_>, record: &DisputedRecord) -> Result<()> {
    let Objection { subject, subject_id, expected, .. } = *objection;
    if let Some(dispute) = store::of_record(tx, record.partner_id, subject, subject_id)? {
        let detail =
            text!("this record was disputed before", "この記録に対する異議はすでに申し立てられています。");
        return Err(Error::new(&ALREADY_DISPUTED, detail).with("dispute_id", dispute));
    }
    let until = record.since.map(|since| since.plus_days(subject.days()));
    if let Some(until) = until.filter(|until| *until < tx.today()) {
        let detail = text!(
            "the last day for a dispute was {until}",
            "異議の申し立ては {until} までとなっていました。"
        );
        return Err(Error::new(&DISPUTE_TOO_LATE, detail).with("until", until));
    }
    let mut faults = Vec::new();
    if !record.currencies.contains(&expected.currency) {
        let known: Vec<&str> = record.currencies.iter().map(Currency::as_str).collect();
        let message = text!("the figure is in {}", "この記録の金額の通貨は {} です。", known.join(", "));
        faults.push(FieldError::new("/expected/currency", "currency", message));
    } else if expected.minor == record.figure {
        let message = text!(
            "this is the figure on record: write the one that you expect",
            "記録されている金額と同じです。あるべき金額を指定してください。"
        );
        faults.push(FieldError::new("/expected/amount", "same", message));
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::invalid(faults)) }
}

/// Holds the rebate that has the disputed amount in it; none where the amount is in no rebate that could be paid.
fn hold(tx: &mut Tx<'_>, dispute: &Dispute, rebate: Option<Id>) -> Result<Option<Id>> {
    let Some(rebate) = rebate.filter(|_| dispute.expects_less()) else { return Ok(None) };
    Ok(accounting::hold_disputed(tx, rebate)?.then_some(rebate))
}

/// Holds again what an answer had released.
fn hold_again(tx: &mut Tx<'_>, dispute: &Dispute) -> Result<Option<Id>> {
    let record = subject::find(tx, dispute.subject, dispute.subject_id)?;
    hold(tx, dispute, record.rebate_id)
}

/// The answer of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NewAnswer<'a> {
    pub verdict: Verdict,
    pub reason: &'a str,
    /// The amount that is added to what is owed; none for the disputed amount.
    pub amount: Option<Money>,
    /// The enrollment whose rebate is corrected; none for that of the record.
    pub enrollment_id: Option<Id>,
    /// The month that the correction applies to; none for that of the record.
    pub earned_in: Option<Month>,
}

/// Answers a dispute, beside the second calculation of the disputed line. An answer that upholds the dispute proposes the
/// adjustment that settles it; another person approves the adjustment.
pub(super) fn answer(tx: &mut Tx<'_>, id: Id, new: &NewAnswer<'_>) -> Result<Dispute> {
    let event = DisputeEvent::Answer(new.verdict);
    let before = to_change(tx, id, event, "answer")?;
    let lines = subject::calculate(tx, &before)?;
    let mut given = GivenAnswer {
        verdict: new.verdict,
        reason: new.reason.to_owned(),
        granted: None,
        adjustment_id: None,
        lines,
        answered_by: tx.actor.id(),
        answered_at: tx.now,
    };
    let mut after = before.clone();
    match new.verdict {
        Verdict::Upheld => {
            let proposal = settlement(&before, new)?;
            given.granted = Some(proposal.amount.minor);
            let adjustment = tx.new_id();
            adjustments::propose(tx, adjustment, proposal)?;
            (given.adjustment_id, after.adjustment_id) = (Some(adjustment), Some(adjustment));
        }
        Verdict::Rejected => refuse_settlement(new)?,
    }
    after.answers.0.push(given);
    let after = save(tx, &before, after, event, new.reason)?;
    notices::tell_answer(tx, &after, new.verdict, new.reason)?;
    Ok(after)
}

/// The adjustment that settles a dispute.
fn settlement(dispute: &Dispute, new: &NewAnswer<'_>) -> Result<NewAdjustment> {
    let enrollment_id = new.enrollment_id.or(dispute.enrollment_id).ok_or_else(|| {
        let message = text!(
            "the payment is of several enrollments: name the one whose rebate is corrected",
            "この支払いには複数の参加が含まれます。リベートを訂正する参加を指定してください。"
        );
        Error::invalid_field("/enrollment_id", "required", message)
    })?;
    let amount = new.amount.unwrap_or(dispute.money(dispute.expected - dispute.figure));
    if amount.currency != dispute.currency {
        let message = text!("the dispute is in {}", "この異議の通貨は {} です。", dispute.currency.as_str());
        return Err(Error::invalid_field("/amount/currency", "currency", message));
    }
    Ok(NewAdjustment {
        enrollment_id,
        amount,
        earned_in: new.earned_in.unwrap_or(dispute.earned_in),
        reason_code: AdjustmentReason::Dispute,
        comment: new.reason.to_owned(),
        dispute_id: Some(dispute.id),
    })
}

/// A rejection settles nothing, so that it names no amount.
fn refuse_settlement(new: &NewAnswer<'_>) -> Result<()> {
    let named = [
        ("/amount", new.amount.is_some()),
        ("/enrollment_id", new.enrollment_id.is_some()),
        ("/earned_in", new.earned_in.is_some()),
    ];
    let fault = |(pointer, _): (&str, bool)| {
        let message = text!("only with an answer that upholds", "異議を認める回答にのみ指定できます。");
        FieldError::new(pointer, "unexpected", message)
    };
    let faults: Vec<FieldError> = named.into_iter().filter(|(_, is)| *is).map(fault).collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::invalid(faults)) }
}

/// Asks the partner something; the clock of the answer stops.
pub(super) fn ask(tx: &mut Tx<'_>, id: Id, question: &str) -> Result<Dispute> {
    let before = to_change(tx, id, DisputeEvent::InformationRequest, "information-request")?;
    if before.questions.0.len() >= MOST_QUESTIONS {
        let message = text!(
            "{MOST_QUESTIONS} questions were asked: answer the dispute",
            "質問は {MOST_QUESTIONS} 件までです。異議に回答してください。"
        );
        return Err(Error::invalid_field("/question", "too_many", message));
    }
    let mut after = before.clone();
    after.questions.0.push(Question {
        asked: question.to_owned(),
        asked_at: tx.now,
        reply: None,
        replied_at: None,
    });
    let after = save(tx, &before, after, DisputeEvent::InformationRequest, question)?;
    notices::tell_question(tx, &after, question)?;
    Ok(after)
}

/// Replies to the last question; the clock of the answer goes on.
pub(super) fn reply(tx: &mut Tx<'_>, id: Id, words: &str) -> Result<Dispute> {
    let before = to_change(tx, id, DisputeEvent::Reply, "reply")?;
    let mut after = before.clone();
    if let Some(last) = after.questions.0.last_mut() {
        (last.reply, last.replied_at) = (Some(words.to_owned()), Some(tx.now));
    }
    let after = save(tx, &before, after, DisputeEvent::Reply, words)?;
    notices::tell_operators(tx, &after, words)?;
    Ok(after)
}

/// Asks for a final answer; what was held is held again.
pub(super) fn escalate(tx: &mut Tx<'_>, id: Id, reason: &str) -> Result<Dispute> {
    let before = to_change(tx, id, DisputeEvent::Escalation, "escalation")?;
    let after = Dispute {
        escalation_reason: Some(reason.to_owned()),
        held_rebate_id: hold_again(tx, &before)?,
        ..before.clone()
    };
    let after = save(tx, &before, after, DisputeEvent::Escalation, reason)?;
    notices::tell_operators(tx, &after, reason)?;
    Ok(after)
}

/// Takes a dispute back.
pub(super) fn withdraw(tx: &mut Tx<'_>, id: Id, reason: &str) -> Result<Dispute> {
    let before = to_change(tx, id, DisputeEvent::Withdrawal, "withdrawal")?;
    let after = save(tx, &before, before.clone(), DisputeEvent::Withdrawal, reason)?;
    notices::tell_operators(tx, &after, reason)?;
    Ok(after)
}

/// Opens the disputes again whose adjustment another person has turned down in this unit, which has locked the partner, and ends
/// the holds of those whose adjustment was approved.
pub(super) fn follow_up(tx: &mut Tx<'_>, changes: &Changes) -> Result<()> {
    for id in &changes.settled {
        let before = store::get(tx, *id)?;
        if before.held_rebate_id.is_some() {
            let event = DisputeEvent::SettlementApproval;
            save(tx, &before, before.clone(), event, "Another operator has approved the adjustment")?;
        }
    }
    for id in &changes.unsettled {
        let before = store::get(tx, *id)?;
        let event = DisputeEvent::SettlementRejection(before.round());
        if before.state.after(event).is_none() {
            continue;
        }
        let after =
            Dispute { adjustment_id: None, held_rebate_id: hold_again(tx, &before)?, ..before.clone() };
        save(tx, &before, after, event, "Another operator has turned the adjustment down")?;
    }
    Ok(())
}

/// The dispute with its partner locked, where its state allows the event.
fn to_change(tx: &mut Tx<'_>, id: Id, event: DisputeEvent, name: &str) -> Result<Dispute> {
    let mut dispute = store::get(tx, id)?;
    if tx.lock_partner(dispute.partner_id)?.may_be_stale() {
        dispute = store::get(tx, id)?;
    }
    if dispute.state.after(event).is_some() {
        return Ok(dispute);
    }
    let allowed = dispute.state.allowed();
    let (state, can) = (dispute.state, allowed.join(", "));
    let detail = if allowed.is_empty() {
        text!(
            "a dispute that is {state} allows no {name}; it allows: nothing",
            "異議の状態が {state} のため、{name} は実行できません。実行できる操作はありません。"
        )
    } else {
        text!(
            "a dispute that is {state} allows no {name}; it allows: {can}",
            "異議の状態が {state} のため、{name} は実行できません。実行できる操作は次のとおりです：{can}"
        )
    };
    Err(Error::new(&TRANSITION_NOT_ALLOWED, detail).with("from", state).with("allowed", allowed))
}

/// Writes the next revision of a dispute after an event: state and clock follow, and what is held is released where nothing
/// waits any more.
fn save(
    tx: &mut Tx<'_>,
    before: &Dispute,
    changed: Dispute,
    event: DisputeEvent,
    words: &str,
) -> Result<Dispute> {
    let state = before.state.after(event).unwrap_or(before.state);
    let clock = before.clock().after(event, tx.today());
    let held = changed.held_rebate_id;
    let after = Dispute {
        state,
        due_on: clock.due_on,
        days_left: clock.days_left.into(),
        held_rebate_id: held.filter(|_| state.holds_after(event)),
        updated_at: tx.now,
        revision: before.revision + 1,
        ..changed
    };
    store::update(tx, &after)?;
    if let Some(rebate) = held.filter(|_| !state.holds_after(event))
        && !store::holds(tx, after.partner_id, rebate)?
    {
        accounting::release_disputed(tx, rebate)?;
    }
    let today = tx.today();
    audit::Event::on("dispute", after.id)
        .of_partner(after.partner_id)
        .before(&DisputeView::of(before.clone(), today, Locale::En))
        .after(&DisputeView::of(after.clone(), today, Locale::En))
        .because(Some(words))
        .record(tx)?;
    Ok(after)
}
