//! Commands on payments: make, approve, send and give back many; and what operators and banks tell of one.

use super::{
    draft::PaymentDraft,
    model::{
        DocumentKind, PayeeBar, Payment, PaymentEvent, PaymentLine, PaymentState, Reconciliation, StopReason,
    },
    moves::{Moves, records},
    notices,
    owed::Owed,
    payees::{self, partners_of},
    store,
    view::PaymentView,
};
use crate::{
    access::{Guard, Tx},
    audit,
    ledger::accounting::{self, PaymentStep},
    network::{
        partners::TRANSITION_NOT_ALLOWED,
        profiles::{self, Decision, Standing},
    },
    payouts::{
        bank_files::{BankReason, Task},
        coop_claims,
    },
    platform::{
        Error, Result,
        values::{CalendarDate, Id, Words},
    },
    text,
};
use std::collections::BTreeMap;

/// The most payments whose partners are looked up together.
const AT_ONCE: usize = 1000;

/// Payments of a run that are about to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewPayments {
    /// The run.
    pub run_id: Id,
    /// The payment that the only new payment replaces.
    pub replaces: Option<Id>,
}

/// Makes payments, which take their records. The unit holds the locks of the partners, and records the event of the run. A
/// constant number of statements, however many there are.
pub fn make(tx: &mut Tx<'_>, new: NewPayments, drafts: &[PaymentDraft]) -> Result<Vec<Payment>> {
    let (mut made, mut lines, mut moves) = (Vec::new(), Vec::new(), Moves::default());
    for draft in drafts {
        let payment = Payment {
            id: tx.new_id(),
            partner_id: draft.partner_id,
            run_id: new.run_id,
            currency: draft.currency,
            state: PaymentState::Created,
            reconciliation: Reconciliation::Unreconciled,
            document_kind: draft.document_kind,
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
            file_id: None,
            file_group: None,
            bank_reference: None,
            statement_id: None,
            statement_entry: None,
            payout_revision: None,
            execution_on: None,
        };
        lines.extend(draft.rows(payment.id));
        for line in &draft.lines {
            moves.add(line.owed.clone(), payment.id, PaymentStep::Take);
        }
        made.push(payment);
    }
    store::insert(tx, &made, &lines)?;
    moves.carry_out(tx, None)?;
    Ok(made)
}

/// Approves the created ones among these payments, and numbers their documents in order, each kind without a gap.
pub fn approve_all(tx: &mut Tx<'_>, payments: Vec<Payment>) -> Result<()> {
    let mut approved: Vec<Payment> =
        payments.into_iter().filter_map(|payment| after(tx, payment, PaymentEvent::Approval)).collect();
    for kind in DocumentKind::ALL {
        let of_kind = || approved.iter().filter(|payment| payment.document_kind == *kind);
        let count = i64::try_from(of_kind().count()).map_err(Error::internal)?;
        if count == 0 {
            continue;
        }
        let first = store::take_numbers(tx, *kind, count)?;
        let to_number = approved.iter_mut().filter(|payment| payment.document_kind == *kind);
        for (payment, number) in to_number.zip(first..) {
            payment.document_number = Some(number);
        }
    }
    store::update_all(tx, &approved)
}

/// Notes that the bank got the approved ones among these payments; returns those. A payment without a file goes to the account
/// of now.
pub fn dispatch_all(tx: &mut Tx<'_>, payments: Vec<Payment>, on: CalendarDate) -> Result<Vec<Payment>> {
    let sent = payments.into_iter().filter_map(|payment| after(tx, payment, PaymentEvent::Dispatch));
    let mut sent: Vec<Payment> = sent.map(|payment| Payment { sent_on: Some(on), ..payment }).collect();
    for some in sent.chunks_mut(AT_ONCE) {
        let revisions = profiles::payout_revisions(tx, &partners_of(some))?;
        for payment in some.iter_mut().filter(|payment| payment.file_id.is_none()) {
            payment.payout_revision = revisions.get(&payment.partner_id).map(|revisions| revisions.now);
        }
    }
    store::update_all(tx, &sent)?;
    Ok(sent)
}

/// Stops those among these payments that have not gone to a bank or into a file, for a reason, and gives their records back. The
/// partner of a payment that has a number has seen the payment, and is told.
pub fn release_all(tx: &mut Tx<'_>, payments: Vec<Payment>, reason: StopReason<'_>) -> Result<()> {
    let seen: BTreeMap<Id, Payment> = payments
        .iter()
        .filter(|payment| payment.document_number.is_some())
        .map(|payment| (payment.id, payment.clone()))
        .collect();
    let stopped = payments.into_iter().filter_map(|payment| after(tx, payment, PaymentEvent::Stop));
    let told = |payment| match reason {
        StopReason::Words(words) => Payment { state_comment: Some(words.to_owned()), ..payment },
        StopReason::Barred(bar) => Payment { state_code: Some(bar.to_string()), ..payment },
    };
    let stopped: Vec<Payment> = stopped.map(told).collect();
    give_back(tx, &stopped, |_| PaymentStep::Release, None)?;
    store::update_all(tx, &stopped)?;
    let mut events = Vec::new();
    for payment in &stopped {
        let Some(before) = seen.get(&payment.id) else { continue };
        let event = event_of(payment).before(&PaymentView::from(before.clone()));
        events
            .push(event.after(&PaymentView::from(payment.clone())).because(payment.state_comment.as_deref()));
    }
    audit::Event::record_all(events, tx)?;
    for payment in &stopped {
        notices::tell(tx, payment, PaymentEvent::Stop)?;
    }
    Ok(())
}

/// Stops the payments to partners that may not be paid now, and gives their records back.
pub fn release_barred(tx: &mut Tx<'_>, barred: BTreeMap<PayeeBar, Vec<Payment>>) -> Result<()> {
    for (bar, payments) in barred {
        release_all(tx, payments, StopReason::Barred(bar))?;
    }
    Ok(())
}

/// The next revision of a payment after an event; none where the state does not allow the event.
pub(super) fn after(tx: &Tx<'_>, payment: Payment, event: PaymentEvent) -> Option<Payment> {
    let state = payment.state.after(event)?;
    Some(Payment { state, updated_at: tx.now, revision: payment.revision + 1, ..payment })
}

/// Ends the lines of payments, and moves their records by a step. A constant number of statements.
fn give_back(
    tx: &mut Tx<'_>,
    payments: &[Payment],
    step: impl Fn(&PaymentLine) -> PaymentStep,
    held: Option<&str>,
) -> Result<()> {
    let moves = Moves::of(tx, payments, step)?;
    store::end_lines(tx, payments)?;
    moves.carry_out(tx, held)
}

/// Holds what a payment that came back has given back, where nobody has paid it again: the bank says that the payee has the
/// money. The unit holds the partner.
pub fn hold_given_back(tx: &mut Tx<'_>, payment: &Payment, words: &str) -> Result<()> {
    if payment.state.is_live() {
        return Ok(());
    }
    let lines = store::lines_of(tx, std::slice::from_ref(payment))?;
    for owed in records(tx, &[payment.partner_id], &lines)? {
        match owed {
            Owed::Rebate(rebate) if rebate.allowed().contains(&"hold") => {
                accounting::hold(tx, rebate.id, words)?;
            }
            Owed::Claim(claim) if claim.allowed().contains(&"hold") => {
                coop_claims::hold(tx, claim.id, words)?;
            }
            Owed::Rebate(_) | Owed::Claim(_) => {}
        }
    }
    Ok(())
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

/// A payment, as it is before what is told of it.
#[derive(Clone, Debug)]
pub struct ToldPayment<'a> {
    /// The payment, whose partner the unit holds.
    pub payment: Payment,
    /// What happened.
    pub news: PaymentNews<'a>,
}

/// Notes what is told of a payment: the payment's state, its records and the ledger follow. Where the bank found a fault in
/// the account, the partner has to mend the payout profile, and until then the rebates wait for the profile.
pub fn tell(tx: &mut Tx<'_>, id: Id, news: PaymentNews<'_>) -> Result<Payment> {
    // Whether a month's statement tells of the payment is settled before.
    tx.share(Guard::Books)?;
    let name = PaymentEvent::TOLD.iter().find(|(event, _)| *event == news.event).map(|(_, name)| *name);
    let payment = to_change(tx, id)?;
    if payment.state.after(news.event).is_none() {
        return Err(transition_not_allowed(&payment, name.unwrap_or("event")));
    }
    if news.event == PaymentEvent::Confirmation {
        refuse_day(tx, &payment, news.on)?;
    }
    let told = tell_all(tx, vec![ToldPayment { payment, news }])?.pop();
    told.ok_or_else(|| Error::internal("a payment was told nothing"))
}

/// Notes what is told of payments, of each one thing; a payment whose state does not allow the event stays as it is. Returns
/// those that changed. The unit shares the books and holds the partners. A constant number of statements, and some more for
/// each account that the bank found at fault.
pub fn tell_all(tx: &mut Tx<'_>, told: Vec<ToldPayment<'_>>) -> Result<Vec<Payment>> {
    let (mut changed, mut events, mut happened) = (Vec::new(), Vec::new(), Vec::new());
    let mut settled = Vec::new();
    let mut given_back: BTreeMap<GivenBack, Vec<Payment>> = BTreeMap::new();
    for ToldPayment { payment: before, news } in told {
        let Some(payment) = after(tx, before.clone(), news.event) else { continue };
        let mut payment = Payment {
            state_code: news.code.map(str::to_owned),
            state_comment: news.reason.map(str::to_owned),
            ..payment
        };
        match news.event {
            PaymentEvent::Confirmation => {
                payment.settled_on = Some(news.on);
                settled.push(before.clone());
            }
            PaymentEvent::Failure | PaymentEvent::Stop | PaymentEvent::Return | PaymentEvent::Reversal => {
                reject_profile(tx, &payment)?;
                given_back.entry(GivenBack::of(news)).or_default().push(before.clone());
            }
            PaymentEvent::Dispatch => payment.sent_on = Some(news.on),
            PaymentEvent::Approval
            | PaymentEvent::Filing
            | PaymentEvent::Delay
            | PaymentEvent::Withdrawal => {}
        }
        let event = event_of(&payment).before(&PaymentView::from(before));
        events.push(event.after(&PaymentView::from(payment.clone())).because(news.reason));
        changed.push(payment);
        happened.push(news.event);
    }
    Moves::of(tx, &settled, |line| PaymentStep::Settle(line.parts()))?.carry_out(tx, None)?;
    for (GivenBack { had_arrived, held }, payments) in given_back {
        let step = |line: &PaymentLine| {
            if had_arrived { PaymentStep::Return(line.parts()) } else { PaymentStep::Release }
        };
        give_back(tx, &payments, step, held.as_deref())?;
    }
    store::update_all(tx, &changed)?;
    audit::Event::record_all(events, tx)?;
    for (payment, event) in changed.iter().zip(happened) {
        notices::tell(tx, payment, event)?;
    }
    Ok(changed)
}

/// How a payment gives its records back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct GivenBack {
    /// Whether the payment had arrived.
    had_arrived: bool,
    /// The words by which an operator holds the records; none where they are payable again.
    held: Option<String>,
}

impl GivenBack {
    fn of(news: PaymentNews<'_>) -> Self {
        let had_arrived = matches!(news.event, PaymentEvent::Return | PaymentEvent::Reversal);
        Self { had_arrived, held: held(news).map(str::to_owned) }
    }
}

/// The words by which an operator holds the records of a payment that was taken back, or that the bank may not pay.
fn held(news: PaymentNews<'_>) -> Option<&str> {
    let is_of = |task| news.code.and_then(BankReason::of).is_some_and(|reason| reason.task == task);
    news.reason.filter(|_| news.event == PaymentEvent::Reversal || is_of(Task::Compliance))
}

/// Sends the payout profile back to the partner where the bank found a fault in it. A fault of an account that the partner has
/// replaced since says nothing of the account of now.
fn reject_profile(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    let reason = payment.state_code.as_deref().and_then(BankReason::of);
    let Some(BankReason { code, remedy, .. }) = reason.filter(|reason| reason.task == Task::Partner) else {
        return Ok(());
    };
    if payees::went_elsewhere(tx, payment)? {
        return Ok(());
    }
    let partner = payment.partner_id;
    let standings = profiles::standings_of_each(tx, &[partner], tx.today())?;
    let payout = standings.get(&partner).map(|standings| standings.payout);
    if matches!(payout, Some(Standing::Pending | Standing::CoolingOff | Standing::Approved)) {
        let Words { en, ja } = remedy;
        let reason = text!(
            "The bank could not pay to this account ({code}). {en}",
            "この口座への支払いができませんでした（{code}）。{ja}"
        );
        profiles::decide_payout(tx, partner, Decision::BankRejection(&reason))?;
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
pub(super) fn event_of(payment: &Payment) -> audit::Event {
    let event = audit::Event::on("payment", payment.id);
    if payment.document_number.is_some() { event.of_partner(payment.partner_id) } else { event }
}
