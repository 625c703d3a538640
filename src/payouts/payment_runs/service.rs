//! Commands on payment runs: approve, cancel, send; and the new payment for one that failed or came back.

use super::{
    model::{PaymentRun, PaymentRunState, RunTotal},
    prepare::empty,
    store,
    view::PaymentRunView,
};
use crate::{
    access::{Guard, Tx},
    audit,
    ledger::accounting::{self, Rebate, RebateState, WaitingRange},
    network::partners::TRANSITION_NOT_ALLOWED,
    payouts::payments::{
        self, DocumentKind, NewPayments, Owed, PaidRecord, Payment, PaymentDraft, PaymentSet, PaymentState,
        StopReason,
    },
    platform::{
        Error, Result,
        db::types::Json,
        values::{CalendarDate, Id},
    },
    text,
};
use std::cell::{Cell, RefCell};

crate::problem_codes! {
    PAYMENT_MONTH_OPEN = "payment_month_open" 409 ["The month is not closed", "対象月が締められていません"],
        ["A run pays what was posted up to a closed month: `POST /v1/accounting-months/{month}/closure` closes it.", "支払処理は、締め済みの月までに計上された金額を支払います。月次締めは `POST /v1/accounting-months/{month}/closure` で行えます。"];
    PAYMENT_RUN_OPEN = "payment_run_open" 409 ["A run over the same is open", "同じ対象の支払処理が未決です"],
        ["`run_id` is the open run over the month and the currency, or over all currencies. Approve or cancel that one first.", "`run_id` は、同じ月と通貨、または全通貨を対象とする未決の支払処理です。先にその支払処理を承認または取り消してください。"];
    OWN_PAYMENT_RUN = "own_payment_run" 403 ["Another person approves it", "承認は別の方が行う必要があります"],
        ["Nobody approves a payment run of their own, by whichever account. Another operator approves it; `created_by` is who made it.", "自分が作成した支払処理は、どのアカウントからも承認できません。別の運営担当者が承認してください。作成者は `created_by` に示されます。"];
    PAYMENTS_IN_FILE = "payments_in_file" 409 ["Payments of the run stand in files", "支払いがファイルに含まれています"],
        ["`payment_files` lists the files that the bank has not got. `POST /v1/payment-files/{id}/dispatch` notes that the bank has a file, `/withdrawal` gives a file up.", "銀行に未送信のファイルが `payment_files` に示されます。`POST /v1/payment-files/{id}/dispatch` で送信済みとして記録するか、`/withdrawal` で取り下げてください。"];
    PAYMENTS_BARRED = "payments_barred" 409 ["Partners may not be paid now", "現在支払いができないパートナーがいます"],
        ["`payments` lists the approved payments to partners whose profiles allow no payment now, or who are suspended. Stop each by `POST /v1/payments/{id}/stop`, or end what keeps the partner from being paid; then send the rest.", "登録情報により現在支払いができないパートナー、または利用停止中のパートナーへの承認済みの支払いが `payments` に示されます。`POST /v1/payments/{id}/stop` で停止するか、支払いができない原因を解消してから、残りを送信してください。"];
    PAYMENT_NOT_PAYABLE = "payment_not_payable" 409 ["What the payment paid is not all payable", "支払いに含まれるリベートまたは申請の一部が支払対象ではありません"],
        ["A payment is made anew once each of its rebates or claims is payable again: `rebates` or `claims` lists the others. A rebate on hold waits for a profile or an operator; one in payment is paid by another payment. What the partner owes back by now is set off first: where nothing is left, `rebates` lists that. Nothing is paid to a partner that is suspended.", "支払いは、含まれるすべてのリベートまたは申請が再び支払対象となってから再作成できます。支払対象でないものは `rebates` または `claims` に示されます。保留中のリベートは、登録情報の修正または運営担当者の解除をお待ちください。支払手続中のリベートは、別の支払いで支払われます。回収すべき金額は先に相殺され、残額がない場合はそのリベートが `rebates` に示されます。利用停止中のパートナーへの支払いは行われません。"];
}

/// The payments that are looked at together.
const PORTION: i64 = 1000;
/// The most payments that a refusal lists.
const MOST_LISTED: usize = 1000;

/// Approves another person's run: the payments may go to the bank, and their documents get numbers. Payments whose partner's
/// profiles are no longer approved, whose bank account was changed lately, or whose partner is suspended, are stopped.
///
/// The unit crosses partners, and locks each that is paid.
pub fn approve(tx: &mut Tx<'_>, id: Id, comment: Option<&str>) -> Result<PaymentRun> {
    let before = to_decide(tx, id, "approval")?;
    let own = match before.created_by {
        Some(maker) => tx.acts_as(maker)?,
        None => tx.actor.id().is_none(),
    };
    if own {
        let detail = text!(
            "you made this run yourself, by this account or by another account of yours",
            "この支払処理は、このアカウントまたはご自身の別のアカウントで作成されたものです。"
        );
        return Err(Error::new(&OWN_PAYMENT_RUN, detail).with("created_by", before.created_by));
    }
    each_portion(tx, id, |tx, portion| {
        let parted = payments::part(tx, portion)?;
        payments::release_barred(tx, parted.barred)?;
        payments::approve_all(tx, parted.payable)
    })?;
    decide(tx, before, PaymentRunState::Approved, comment)
}

/// Gives a run up that is not approved, and its rebates and claims back.
pub(super) fn cancel(tx: &mut Tx<'_>, id: Id, reason: &str) -> Result<PaymentRun> {
    let before = to_decide(tx, id, "cancellation")?;
    each_portion(tx, id, |tx, portion| payments::release_all(tx, portion, StopReason::Words(reason)))?;
    decide(tx, before, PaymentRunState::Cancelled, Some(reason))
}

/// Notes that the bank got the payments of an approved run, and tells the partners.
pub fn dispatch(tx: &mut Tx<'_>, id: Id, on: Option<CalendarDate>) -> Result<PaymentRun> {
    let before = to_decide(tx, id, "dispatch")?;
    let on = on.unwrap_or(tx.today());
    if on > tx.today() {
        let message = text!("a day up to {}", "{} までの日付を指定してください。", tx.today());
        return Err(Error::invalid_field("/sent_on", "range", message));
    }
    refuse_files(tx, id)?;
    refuse_barred(tx, id)?;
    each_portion(tx, id, |tx, portion| {
        let sent = payments::dispatch_all(tx, portion, on)?;
        payments::tell_partners(tx, &sent, on)
    })?;
    save_sent(tx, before)
}

/// Refuses to send by the run what a file holds: the file is sent.
fn refuse_files(tx: &mut Tx<'_>, run: Id) -> Result<()> {
    let files = payments::files_of_run(tx, run)?;
    if files.is_empty() {
        return Ok(());
    }
    let detail = text!(
        "payments of the run stand in files that the bank has not got: send or withdraw the files",
        "この支払処理の支払いが、銀行に未送信のファイルに含まれています。ファイルを送信済みにするか、取り下げてください。"
    );
    Err(Error::new(&PAYMENTS_IN_FILE, detail).with("payment_files", files))
}

/// Refuses to send money to partners that may not be paid now.
fn refuse_barred(tx: &mut Tx<'_>, run: Id) -> Result<()> {
    let (count, listed) = (Cell::new(0_usize), RefCell::new(Vec::new()));
    each_portion(tx, run, |tx, portion| {
        let to_send = portion.into_iter().filter(|payment| payment.state == PaymentState::Approved).collect();
        let barred: Vec<Payment> = payments::part(tx, to_send)?.barred.into_values().flatten().collect();
        count.set(count.get() + barred.len());
        let mut listed = listed.borrow_mut();
        let room = MOST_LISTED - listed.len();
        listed.extend(barred.iter().take(room).map(|payment| payment.id));
        Ok(())
    })?;
    let (count, mut listed) = (count.get(), listed.into_inner());
    if count == 0 {
        return Ok(());
    }
    listed.sort_unstable();
    let detail = text!(
        "{count} payments go to partners that may not be paid now",
        "現在支払いができないパートナーへの支払いが {count} 件あります。"
    );
    Err(Error::new(&PAYMENTS_BARRED, detail).with("payments", listed))
}

/// Notes that a run is sent, where the bank has all of its payments now. The unit has locked the run.
pub fn note_sent(tx: &mut Tx<'_>, id: Id) -> Result<()> {
    let before = store::get(tx, id)?;
    if before.state == PaymentRunState::Approved && !payments::waits_for_bank(tx, id)? {
        save_sent(tx, before)?;
    }
    Ok(())
}

fn save_sent(tx: &mut Tx<'_>, before: PaymentRun) -> Result<PaymentRun> {
    let after = PaymentRun {
        state: PaymentRunState::Sent,
        updated_at: tx.now,
        revision: before.revision + 1,
        ..before.clone()
    };
    save(tx, before, after, None)
}

/// Works on the payments of a run, portion by portion, with the partners of all locked.
fn each_portion(
    tx: &mut Tx<'_>,
    run: Id,
    work: impl Fn(&mut Tx<'_>, Vec<Payment>) -> Result<()>,
) -> Result<()> {
    let set = PaymentSet::OfRun { run };
    let partners = set.partners(tx)?;
    tx.lock_partners(&partners)?;
    let mut after = None;
    loop {
        let portion = set.next(tx, after, PORTION)?;
        let Some(last) = portion.last() else { return Ok(()) };
        after = Some(last.id);
        work(tx, portion)?;
    }
}

/// The run, locked, where its state allows the transition; the unit shares the books.
fn to_decide(tx: &mut Tx<'_>, id: Id, transition: &'static str) -> Result<PaymentRun> {
    let run = store::lock(tx, id)?;
    tx.share(Guard::Books)?;
    let allowed = run.state.allowed();
    if allowed.contains(&transition) {
        return Ok(run);
    }
    let (state, can) = (run.state, allowed.join(", "));
    let detail = if allowed.is_empty() {
        text!(
            "a payment run that is {state} allows no {transition}; it allows: nothing",
            "支払処理の状態が {state} のため、{transition} は実行できません。実行できる操作はありません。"
        )
    } else {
        text!(
            "a payment run that is {state} allows no {transition}; it allows: {can}",
            "支払処理の状態が {state} のため、{transition} は実行できません。実行できる操作は次のとおりです：{can}"
        )
    };
    Err(Error::new(&TRANSITION_NOT_ALLOWED, detail).with("from", run.state).with("allowed", allowed))
}

fn decide(
    tx: &mut Tx<'_>,
    before: PaymentRun,
    state: PaymentRunState,
    comment: Option<&str>,
) -> Result<PaymentRun> {
    let after = PaymentRun {
        state,
        decided_by: tx.actor.id(),
        decided_at: Some(tx.now),
        decision_comment: comment.map(str::to_owned),
        updated_at: tx.now,
        revision: before.revision + 1,
        ..before.clone()
    };
    save(tx, before, after, comment)
}

fn save(tx: &mut Tx<'_>, before: PaymentRun, after: PaymentRun, reason: Option<&str>) -> Result<PaymentRun> {
    store::update(tx, &after)?;
    audit::Event::on("payment_run", after.id)
        .before(&PaymentRunView::from(before))
        .after(&PaymentRunView::from(after.clone()))
        .because(reason)
        .record(tx)?;
    Ok(after)
}

/// Makes a new payment for one that failed or came back, in a run of its own that another person approves. What the partner owes
/// back by now is set off first.
pub fn reissue(tx: &mut Tx<'_>, id: Id, reason: &str) -> Result<Payment> {
    tx.share(Guard::Books)?;
    let failed = payments::to_change(tx, id)?;
    if !failed.state.may_be_reissued() {
        return Err(payments::transition_not_allowed(&failed, "reissue"));
    }
    let mut records = payable_again(tx, &failed)?;
    let owed_back = match failed.document_kind {
        DocumentKind::CreditNote => owed_back(tx, &failed, &records)?,
        // Nothing is set off against claims.
        DocumentKind::SelfBilledInvoice => Vec::new(),
    };
    let owed_back_ids: Vec<Id> = owed_back.iter().map(|rebate| rebate.id).collect();
    records.extend(owed_back.into_iter().map(Owed::Rebate));
    let rates = payments::rates_of(tx, &[failed.partner_id])?;
    let rate = failed.document_kind.rate(payments::rates_for(&rates, failed.partner_id)?);
    let draft = PaymentDraft::of(records, &rate)?;
    let draft = draft.ok_or_else(|| {
        let detail = text!(
            "the partner owes back as much by now as the payment would pay",
            "現在パートナーから回収すべき金額が、再作成する支払いの金額以上になっています。"
        );
        Error::new(&PAYMENT_NOT_PAYABLE, detail).with("rebates", owed_back_ids)
    })?;
    let months = accounting::months(tx)?;
    let former = store::get(tx, failed.run_id)?;
    let mut total = RunTotal::none(failed.currency);
    total.payments = 1;
    total.gross.minor = draft.sums.gross;
    total.withheld.minor = draft.sums.withheld;
    total.net.minor = draft.sums.net;
    total.offset.minor = draft.sums.offset;
    let run = PaymentRun {
        currency: Some(failed.currency),
        reissues: Some(failed.id),
        state: PaymentRunState::Created,
        done: 1,
        total: 1,
        totals: Json(vec![total]),
        ..empty(tx, tx.new_id(), former.month, months.payment_month(tx.today()))
    };
    store::insert(tx, &run)?;
    let new = NewPayments { run_id: run.id, replaces: Some(failed.id) };
    let made = payments::make(tx, new, &[draft])?.pop();
    let event = audit::Event::on("payment_run", run.id);
    event.after(&PaymentRunView::from(run)).because(Some(reason)).record(tx)?;
    made.ok_or_else(|| Error::internal("no payment was made"))
}

/// What the partner owes back in the currency of a payment: the payable rebates of each enrollment whose sum is below zero without
/// those that the payment had.
fn owed_back(tx: &mut Tx<'_>, failed: &Payment, again: &[Owed]) -> Result<Vec<Rebate>> {
    let Some(until) = accounting::months(tx)?.last_closed else { return Ok(Vec::new()) };
    let range = WaitingRange { until, currency: Some(failed.currency) };
    let mut waiting = accounting::rebates_within(tx, range, &[failed.partner_id])?;
    waiting.retain(|rebate| {
        rebate.state == RebateState::Payable
            && again.iter().all(|paid| paid.record() != PaidRecord::Rebate(rebate.id))
    });
    let mut owed = Vec::new();
    for of_enrollment in waiting.chunk_by(|one, other| one.enrollment_id == other.enrollment_id) {
        let sum = of_enrollment.iter().try_fold(0_i64, |sum, rebate| sum.checked_add(rebate.amount().minor));
        if sum.ok_or_else(payments::out_of_range)? < 0 {
            owed.extend_from_slice(of_enrollment);
        }
    }
    Ok(owed)
}

/// What a payment paid, where all of it is payable again.
fn payable_again(tx: &mut Tx<'_>, failed: &Payment) -> Result<Vec<Owed>> {
    let lines = payments::lines_of(tx, std::slice::from_ref(failed))?;
    let records = payments::records(tx, &[failed.partner_id], &lines)?;
    let is_barred = !payments::bars(tx, &[failed.partner_id])?.is_empty();
    let is_payable = |owed: &Owed| match owed {
        Owed::Rebate(rebate) => rebate.state == RebateState::Payable,
        Owed::Claim(claim) => claim.waits_for_payment() && claim.held_because.is_none(),
    };
    let waiting: Vec<PaidRecord> =
        records.iter().filter(|owed| is_barred || !is_payable(owed)).map(Owed::record).collect();
    if !waiting.is_empty() {
        let (waiting_now, all) = (waiting.len(), records.len());
        let detail = text!(
            "{waiting_now} of {all} rebates or claims are not payable now",
            "リベートまたは申請 {all} 件のうち {waiting_now} 件が現在支払対象ではありません。"
        );
        let rebates: Vec<Id> = waiting.iter().filter_map(|record| record.rebate()).collect();
        let claims: Vec<Id> = waiting.iter().filter_map(|record| record.claim()).collect();
        let refusal = Error::new(&PAYMENT_NOT_PAYABLE, detail);
        return Err(if claims.is_empty() {
            refusal.with("rebates", rebates)
        } else {
            refusal.with("claims", claims)
        });
    }
    Ok(records)
}
