//! Payments at the bank: the files that hold them, the entries of statements that show them, and the word to the partners.

use super::{
    model::{FileGroup, Payment, PaymentEvent, Reconciliation},
    service::{after, event_of},
    store,
    view::PaymentView,
};
use crate::{
    access::Tx,
    audit,
    identity::users::{self, AdminNotice},
    network::partners::{self, Partner},
    notifications::{About, Message},
    platform::{
        Result,
        values::{CalendarDate, Id},
    },
};
use std::collections::HashMap;

/// The most partners that are looked up together.
const AT_ONCE: usize = 1000;

/// The file for the bank that payments go into.
#[derive(Clone, Copy, Debug)]
pub struct Filing {
    /// The file.
    pub file: Id,
    /// The group of the file.
    pub group: FileGroup,
    /// The day on which the bank is told to pay.
    pub execution_on: CalendarDate,
}

/// Puts these approved payments into a file for the bank, each with the revision of the payout profile that the file was made
/// by, and returns them.
pub fn file_all(tx: &mut Tx<'_>, filing: Filing, payments: Vec<Payment>) -> Result<Vec<Payment>> {
    let filed = payments.into_iter().filter_map(|payment| after(tx, payment, PaymentEvent::Filing));
    let Filing { file, group, execution_on } = filing;
    let into = |payment| Payment {
        file_id: Some(file),
        file_group: Some(group),
        execution_on: Some(execution_on),
        ..payment
    };
    let filed: Vec<Payment> = filed.map(into).collect();
    store::update_all(tx, &filed)?;
    Ok(filed)
}

/// Takes these payments out of a file that is withdrawn.
pub fn unfile_all(tx: &mut Tx<'_>, payments: Vec<Payment>) -> Result<()> {
    let back = payments.into_iter().filter_map(|payment| after(tx, payment, PaymentEvent::Withdrawal));
    let out = |payment| Payment {
        file_id: None,
        file_group: None,
        payout_revision: None,
        execution_on: None,
        ..payment
    };
    let back: Vec<Payment> = back.map(out).collect();
    store::update_all(tx, &back)
}

/// An entry of a bank's statement that shows a payment.
#[derive(Clone, Debug)]
pub struct ShownPayment {
    /// The payment, whose partner the unit holds.
    pub payment: Payment,
    /// The statement.
    pub statement_id: Id,
    /// The place of the entry in the statement, counted from one.
    pub entry: i64,
    /// The bank's own reference of the booking.
    pub bank_reference: Option<String>,
}

/// Notes the entries of statements that show these payments.
pub fn match_all(tx: &mut Tx<'_>, shown: Vec<ShownPayment>) -> Result<()> {
    let (mut matched, mut events) = (Vec::new(), Vec::new());
    for ShownPayment { payment: before, statement_id, entry, bank_reference } in shown {
        let payment = Payment {
            reconciliation: Reconciliation::Matched,
            statement_id: Some(statement_id),
            statement_entry: Some(entry),
            bank_reference,
            updated_at: tx.now,
            revision: before.revision + 1,
            ..before.clone()
        };
        let event = event_of(&payment).before(&PaymentView::from(before));
        events.push(event.after(&PaymentView::from(payment.clone())));
        matched.push(payment);
    }
    store::update_all(tx, &matched)?;
    audit::Event::record_all(events, tx)
}

/// Tells the partners that the bank has their payments.
pub fn tell_partners(tx: &mut Tx<'_>, sent: &[Payment], on: CalendarDate) -> Result<()> {
    for some in sent.chunks(AT_ONCE) {
        let ids: Vec<Id> = some.iter().map(|payment| payment.partner_id).collect();
        let partners: HashMap<Id, Partner> =
            partners::many(tx, &ids)?.into_iter().map(|partner| (partner.id, partner)).collect();
        let mut notices = Vec::new();
        for payment in some {
            let Some(partner) = partners.get(&payment.partner_id) else { continue };
            let message = Message::PaymentSent {
                partner: partner.legal_name.clone(),
                amount: payment.money(payment.net),
                reference: payment.reference(),
                on,
            };
            notices.push(AdminNotice { partner, about: About::new("payment", payment.id), message });
        }
        users::notify_admins_of_each(tx, &notices)?;
    }
    Ok(())
}
