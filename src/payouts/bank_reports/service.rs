//! Commands on exceptions: settle one.

use super::{
    lines::written,
    model::{BankException, ExceptionState, MoneyDirection},
    reading, store,
    view::BankExceptionView,
};
use crate::{
    access::{Guard, Tx},
    audit,
    network::partners::TRANSITION_NOT_ALLOWED,
    payouts::{
        bank_files::Direction,
        payments::{self, Payment, PaymentEvent, PaymentNews, ShownPayment, ToldPayment},
    },
    platform::{
        Error, Result, cut,
        values::{Id, Locale},
    },
    text,
};

crate::problem_codes! {
    PAYMENT_NOT_SHOWN = "payment_not_shown" 409 ["The entry does not show the payment", "この明細はその支払いのものではありません"],
        ["An entry shows a payment where it is booked, moves the amount of the payment, and follows from the payment's state: a debit of a payment that no entry shows yet, or a credit of one that comes back. `detail` says what differs; settle the exception without a payment where none fits.", "明細が記帳済みで、金額が支払いと一致し、支払いの状態と矛盾しない場合にのみ対応づけられます。出金はまだ明細と対応づけられていない支払い、入金は返金された支払いが対象です。相違点は `detail` に示されます。該当する支払いがない場合は、支払いを指定せずに処理済みにしてください。"];
}

/// Settles an exception in words. The payment that an operator names is told what the entry says of it.
pub(super) fn resolve(
    tx: &mut Tx<'_>,
    id: Id,
    resolution: &str,
    payment: Option<Id>,
) -> Result<BankException> {
    let before = store::exception_to_change(tx, id)?;
    if before.state == ExceptionState::Resolved {
        let detail = text!(
            "the exception is resolved, and stays as it is",
            "この例外は処理済みのため、変更できません。"
        );
        let error = Error::new(&TRANSITION_NOT_ALLOWED, detail);
        return Err(error.with("from", before.state).with("allowed", before.allowed()));
    }
    if let Some(payment) = payment {
        show(tx, &before, payment)?;
    }
    let after = BankException {
        state: ExceptionState::Resolved,
        payment_id: payment.or(before.payment_id),
        resolution: Some(resolution.to_owned()),
        resolved_by: tx.actor.id(),
        resolved_at: Some(tx.now),
        updated_at: tx.now,
        revision: before.revision + 1,
        ..before.clone()
    };
    store::update_exception(tx, &after)?;
    let view = |exception| BankExceptionView::of(exception, Locale::default());
    audit::Event::on("bank_exception", id)
        .before(&view(before))
        .after(&view(after.clone()))
        .because(Some(resolution))
        .record(tx)?;
    Ok(after)
}

/// Tells a payment what the entry of an exception says of it, and matches a debit with it.
fn show(tx: &mut Tx<'_>, exception: &BankException, id: Id) -> Result<()> {
    // Whether a month's statement tells of the payment is settled before.
    tx.share(Guard::Books)?;
    let payment = payments::to_change(tx, id)?;
    let direction = refuse_other(exception, &payment)?;
    let told = reading::of_match(&payment, direction);
    if told.exception.is_some() || told.is_nothing() {
        return Err(Error::new(
            &PAYMENT_NOT_SHOWN,
            text!(
                "a payment that is {} does not go with the entry",
                "支払いの状態が {} のため、この明細とは対応づけられません。",
                payment.state
            ),
        ));
    }
    let booked_on = exception.booked_on.filter(|day| reading::may_arrive_on(&payment, *day, tx.today()));
    let on = booked_on.unwrap_or(tx.today());
    let code = exception.codes.0.first().map(|code| cut(code, 64));
    let reason = exception.bank_words.as_deref();
    let mut now = payment;
    for event in told.events {
        let (code, reason) = match event {
            PaymentEvent::Failure | PaymentEvent::Return => (code, reason),
            PaymentEvent::Approval
            | PaymentEvent::Filing
            | PaymentEvent::Dispatch
            | PaymentEvent::Delay
            | PaymentEvent::Confirmation
            | PaymentEvent::Stop
            | PaymentEvent::Reversal
            | PaymentEvent::Withdrawal => (None, None),
        };
        let news = PaymentNews { event, on, code, reason };
        let changed = payments::tell_all(tx, vec![ToldPayment { payment: now, news }])?.pop();
        now = changed.ok_or_else(|| Error::internal("a payment was told nothing"))?;
    }
    if told.is_shown {
        let shown = ShownPayment {
            payment: now,
            statement_id: exception.report_id,
            entry: exception.entry,
            bank_reference: exception.bank_reference.clone(),
        };
        payments::match_all(tx, vec![shown])?;
    }
    Ok(())
}

/// The way that the money of a booked entry moved; refused where the entry cannot show the payment.
fn refuse_other(exception: &BankException, payment: &Payment) -> Result<Direction> {
    let due = payment.money(payment.net);
    let is_booked = matches!(exception.status.as_deref(), None | Some("BOOK"));
    let direction = match exception.direction {
        Some(MoneyDirection::Credit) => Some(Direction::Credit),
        Some(MoneyDirection::Debit) => Some(Direction::Debit),
        None => None,
    };
    let detail = if !exception.reason.may_be_matched() {
        text!(
            "an exception for {} shows no payment",
            "{} の例外は支払いと対応づけられません。",
            exception.reason
        )
    } else if exception.amount.as_deref() != Some(&written(due)) {
        text!("the amount of the payment is {}", "支払いの金額は {} です。", written(due))
    } else if let Some(direction) = direction.filter(|_| is_booked) {
        return Ok(direction);
    } else {
        text!("the line is no booked entry of a statement", "記帳済みの明細ではありません。")
    };
    Err(Error::new(&PAYMENT_NOT_SHOWN, detail))
}
