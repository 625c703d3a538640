//! What the partner's incentive admins are told of a payment: that it has arrived, or why it has not, with the remedy.

use super::{
    model::{PayeeBar, Payment, PaymentEvent},
    payees,
};
use crate::{
    access::Tx,
    identity::users,
    network::partners,
    notifications::{About, Message, PaymentEnd},
    payouts::bank_files::{BankReason, Task},
    platform::{
        Result,
        values::{Text, Words},
    },
};

/// Tells of what has happened to a payment.
pub(super) fn tell(tx: &mut Tx<'_>, payment: &Payment, event: PaymentEvent) -> Result<()> {
    match event {
        PaymentEvent::Confirmation => tell_settled(tx, payment),
        PaymentEvent::Failure => tell_failed(tx, payment, PaymentEnd::Rejected),
        PaymentEvent::Return => tell_failed(tx, payment, PaymentEnd::CameBack),
        PaymentEvent::Stop => tell_stopped(tx, payment),
        // A reversal is told by the hold of the rebates.
        PaymentEvent::Approval
        | PaymentEvent::Filing
        | PaymentEvent::Dispatch
        | PaymentEvent::Delay
        | PaymentEvent::Reversal
        | PaymentEvent::Withdrawal => Ok(()),
    }
}

fn tell_settled(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    let partner = partners::get(tx, payment.partner_id)?;
    let message = Message::PaymentSettled {
        partner: partner.legal_name.clone(),
        amount: payment.money(payment.net),
        reference: payment.reference(),
        on: payment.settled_on.unwrap_or(tx.today()),
        payment: payment.id,
    };
    users::notify_admins(tx, &partner, About::new("payment", payment.id), &message)
}

fn tell_failed(tx: &mut Tx<'_>, payment: &Payment, end: PaymentEnd) -> Result<()> {
    let reason = payment.state_code.as_deref().and_then(BankReason::of);
    let is_mended = payees::went_elsewhere(tx, payment)?;
    tell_end(tx, payment, end, remedy(reason, is_mended))
}

/// Tells that a payment was stopped, where the partner's people had seen it.
fn tell_stopped(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    if payment.document_number.is_none() {
        return Ok(());
    }
    let bar = payment.state_code.as_deref().and_then(|code| code.parse::<PayeeBar>().ok());
    let words = match bar {
        Some(PayeeBar::ProfileNotApproved) => Words::new(
            "The payout and tax profiles allow no payment now. It is paid once both are approved, and no change of the account is recent.",
            "現在、支払先情報または税務情報によりお支払いができません。両方が承認され、口座変更後の待機期間が終了した後にお支払いします。",
        ),
        Some(PayeeBar::PartnerSuspended) => Words::new(
            "Nothing is paid while the partner is suspended. The programme's operators will be in touch.",
            "利用停止中はお支払いができません。プログラム運営担当者よりご連絡いたします。",
        ),
        None => Words::new(
            "You need to do nothing: a later payment run pays it, unless it is on hold.",
            "お手続きは不要です。保留されている場合を除き、次回以降の支払処理でお支払いします。",
        ),
    };
    tell_end(tx, payment, PaymentEnd::Stopped, Text::from(words))
}

fn tell_end(tx: &mut Tx<'_>, payment: &Payment, end: PaymentEnd, remedy: Text) -> Result<()> {
    let partner = partners::get(tx, payment.partner_id)?;
    let message = Message::PaymentFailed {
        partner: partner.legal_name.clone(),
        amount: payment.money(payment.net),
        reference: payment.reference(),
        end,
        remedy,
        partner_id: partner.id,
    };
    users::notify_admins(tx, &partner, About::new("payment", payment.id), &message)
}

/// The next step, in the words of the partner; the fault of an account that was replaced since is mended.
fn remedy(reason: Option<&'static BankReason>, is_mended: bool) -> Text {
    let words = match reason.map(|reason| reason.task) {
        Some(Task::Partner) if is_mended => Some(Words::new(
            "The payment went to the account that you had given before. You need to do nothing: it is made again to the account that you have given since.",
            "変更前の口座への支払いでした。お手続きは不要です。変更後の口座へ再度お支払いいたします。",
        )),
        Some(Task::Partner) => reason.map(|reason| reason.remedy),
        Some(Task::Compliance) => Some(Words::new(
            "A regulation has to be looked at first. You need to do nothing; the programme's operators will be in touch.",
            "規制に関する確認が必要です。お手続きは不要です。プログラム運営担当者よりご連絡いたします。",
        )),
        Some(Task::Operator) | None => None,
    };
    Text::from(words.unwrap_or(Words::new(
        "You need to do nothing: the programme's operators mend the cause and pay again.",
        "お手続きは不要です。プログラム運営担当者が原因に対応し、再度お支払いいたします。",
    )))
}
