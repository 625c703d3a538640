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
    identity::users,
    ledger::accounting::{self, Rebate, RebateState},
    network::{
        partners::{self, Partner, TRANSITION_NOT_ALLOWED},
        profiles::{self, Standing},
    },
    notifications::{About, Message},
    payouts::payments::{self, NewPayments, Payment, PaymentDraft},
    platform::{
        Error, Result,
        db::types::Json,
        values::{CalendarDate, Id},
    },
    text,
};
use std::collections::HashMap;

crate::problem_codes! {
    PAYMENT_MONTH_OPEN = "payment_month_open" 409 ["The month is not closed", "対象月が締められていません"],
        ["A run pays what was posted up to a closed month: `POST /v1/accounting-months/{month}/closure` closes it.", "支払処理は、締め済みの月までに計上された金額を支払います。月次締めは `POST /v1/accounting-months/{month}/closure` で行えます。"];
    PAYMENT_RUN_OPEN = "payment_run_open" 409 ["A run over the same is open", "同じ対象の支払処理が未決です"],
        ["`run_id` is the open run over the month and the currency, or over all currencies. Approve or cancel that one first.", "`run_id` は、同じ月と通貨、または全通貨を対象とする未決の支払処理です。先にその支払処理を承認または取り消してください。"];
    OWN_PAYMENT_RUN = "own_payment_run" 403 ["Another person approves it", "承認は別の方が行う必要があります"],
        ["Nobody approves a payment run of their own, by whichever account. Another operator approves it; `created_by` is who made it.", "自分が作成した支払処理は、どのアカウントからも承認できません。別の運営担当者が承認してください。作成者は `created_by` に示されます。"];
    PAYMENT_NOT_PAYABLE = "payment_not_payable" 409 ["The rebates of the payment are not all payable", "支払いに含まれるリベートの一部が支払対象ではありません"],
        ["A payment is made anew once each of its rebates is payable again: `rebates` lists the others. A rebate on hold waits for a profile or an operator; one in payment is paid by another payment.", "支払いは、含まれるすべてのリベートが再び支払対象となってから再作成できます。支払対象でないリベートは `rebates` に示されます。保留中のリベートは、登録情報の修正または運営担当者の解除をお待ちください。支払手続中のリベートは、別の支払いで支払われます。"];
}

/// The most partners whose profiles are looked up together.
const AT_ONCE: usize = 1000;

/// Approves another person's run: the payments may go to the bank, and their documents get numbers. Payments whose partner's
/// profiles are no longer approved, or whose bank account was changed lately, are stopped.
///
/// The unit crosses partners, and locks each that is paid.
pub(super) fn approve(tx: &mut Tx<'_>, id: Id, comment: Option<&str>) -> Result<PaymentRun> {
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
    let payments = locked(tx, id)?;
    let (ready, barred): (Vec<Payment>, Vec<Payment>) = {
        let standings = standings(tx, &payments)?;
        payments
            .into_iter()
            .partition(|payment| standings.get(&payment.partner_id) == Some(&Standing::Approved))
    };
    payments::release_all(tx, barred, "The profiles allow no payment now")?;
    payments::approve_all(tx, ready)?;
    decide(tx, before, PaymentRunState::Approved, comment)
}

/// Gives a run up that is not approved, and its rebates back.
pub(super) fn cancel(tx: &mut Tx<'_>, id: Id, reason: &str) -> Result<PaymentRun> {
    let before = to_decide(tx, id, "cancellation")?;
    let payments = locked(tx, id)?;
    payments::release_all(tx, payments, reason)?;
    decide(tx, before, PaymentRunState::Cancelled, Some(reason))
}

/// Notes that the bank got the payments of an approved run, and tells the partners.
pub(super) fn dispatch(tx: &mut Tx<'_>, id: Id, on: Option<CalendarDate>) -> Result<PaymentRun> {
    let before = to_decide(tx, id, "dispatch")?;
    let on = on.unwrap_or(tx.today());
    if on > tx.today() {
        let message = text!("a day up to {}", "{} までの日付を指定してください。", tx.today());
        return Err(Error::invalid_field("/sent_on", "range", message));
    }
    let payments = locked(tx, id)?;
    let sent = payments::dispatch_all(tx, payments, on)?;
    tell_partners(tx, &sent, on)?;
    let after = PaymentRun {
        state: PaymentRunState::Sent,
        updated_at: tx.now,
        revision: before.revision + 1,
        ..before.clone()
    };
    save(tx, before, after, None)
}

/// The payments of a run, with their partners locked.
fn locked(tx: &mut Tx<'_>, run: Id) -> Result<Vec<Payment>> {
    let found = payments::of_run(tx, run)?;
    let mut partners: Vec<Id> = found.iter().map(|payment| payment.partner_id).collect();
    partners.sort_unstable();
    partners.dedup();
    if tx.lock_partners(&partners)?.may_be_stale() { payments::of_run(tx, run) } else { Ok(found) }
}

fn standings(tx: &mut Tx<'_>, payments: &[Payment]) -> Result<HashMap<Id, Standing>> {
    let mut found = HashMap::new();
    for some in payments.chunks(AT_ONCE) {
        let partners: Vec<Id> = some.iter().map(|payment| payment.partner_id).collect();
        found.extend(profiles::standings(tx, &partners, tx.today())?);
    }
    Ok(found)
}

fn tell_partners(tx: &mut Tx<'_>, sent: &[Payment], on: CalendarDate) -> Result<()> {
    for some in sent.chunks(AT_ONCE) {
        let ids: Vec<Id> = some.iter().map(|payment| payment.partner_id).collect();
        let partners: HashMap<Id, Partner> =
            partners::many(tx, &ids)?.into_iter().map(|partner| (partner.id, partner)).collect();
        for payment in some {
            let Some(partner) = partners.get(&payment.partner_id) else { continue };
            let message = Message::PaymentSent {
                partner: partner.legal_name.clone(),
                amount: payment.money(payment.net),
                reference: payment.reference(),
                on,
            };
            users::notify_admins(tx, partner, About::new("payment", payment.id), &message)?;
        }
    }
    Ok(())
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

/// Makes a new payment for one that failed or came back, in a run of its own that another person approves.
pub(super) fn reissue(tx: &mut Tx<'_>, id: Id, reason: &str) -> Result<Payment> {
    tx.share(Guard::Books)?;
    let failed = payments::to_change(tx, id)?;
    if !failed.state.may_be_reissued() {
        return Err(payments::transition_not_allowed(&failed, "reissue"));
    }
    let rebates = payable_again(tx, &failed)?;
    let rates = payments::rates_of(tx, &[failed.partner_id])?;
    let draft = PaymentDraft::of(rebates, payments::rate_for(&rates, failed.partner_id)?)?;
    let draft = draft.ok_or_else(|| Error::internal("a payment that was made has nothing left to pay"))?;
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

/// The rebates of a payment, where all of them are payable again.
fn payable_again(tx: &mut Tx<'_>, failed: &Payment) -> Result<Vec<Rebate>> {
    let lines = payments::lines_of(tx, std::slice::from_ref(failed))?;
    let ids: Vec<Id> = lines.iter().map(|line| line.rebate_id).collect();
    let rebates = accounting::rebates_named(tx, &[failed.partner_id], &ids)?;
    let standing = profiles::standing(tx, failed.partner_id, tx.today())?;
    let waits = |rebate: &&Rebate| rebate.state != RebateState::Payable || standing != Standing::Approved;
    let waiting: Vec<Id> = rebates.iter().filter(waits).map(|rebate| rebate.id).collect();
    if !waiting.is_empty() {
        let (waiting_now, all) = (waiting.len(), rebates.len());
        let detail = text!(
            "{waiting_now} of {all} rebates are not payable now",
            "リベート {all} 件のうち {waiting_now} 件が現在支払対象ではありません。"
        );
        return Err(Error::new(&PAYMENT_NOT_PAYABLE, detail).with("rebates", waiting));
    }
    Ok(rebates)
}
