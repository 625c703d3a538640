//! Whether partners may be paid now: asked before each step that brings money nearer to them.

use super::model::{PayeeBar, Payment, PaymentState};
use crate::{
    access::Tx,
    network::{
        partners::{self, PartnerStatus},
        profiles::{self, PayoutRevisions, Standing},
    },
    platform::{Result, values::Id},
};
use std::collections::{BTreeMap, HashMap};

/// The most partners that are looked up together.
const AT_ONCE: usize = 1000;

/// What keeps these partners from being paid now; a partner that may be paid is not in the answer. The unit holds the locks of
/// the partners where it goes on to pay.
pub fn bars(tx: &mut Tx<'_>, partners: &[Id]) -> Result<BTreeMap<Id, PayeeBar>> {
    let mut bars = BTreeMap::new();
    for some in partners.chunks(AT_ONCE) {
        let statuses: HashMap<Id, PartnerStatus> =
            partners::many(tx, some)?.into_iter().map(|partner| (partner.id, partner.status)).collect();
        let standings = profiles::standings(tx, some, tx.today())?;
        for id in some {
            let is_suspended = match statuses.get(id) {
                Some(PartnerStatus::Suspended) | None => true,
                // A closed partner gets what a run has made for it.
                Some(PartnerStatus::Pending | PartnerStatus::Active | PartnerStatus::Closed) => false,
            };
            let bar = if standings.get(id) == Some(&Standing::Approved) {
                is_suspended.then_some(PayeeBar::PartnerSuspended)
            } else {
                Some(PayeeBar::ProfileNotApproved)
            };
            bars.extend(bar.map(|bar| (*id, bar)));
        }
    }
    Ok(bars)
}

/// Payments, told apart by whether their partners may be paid now.
#[derive(Debug, Default)]
pub struct PartedPayments {
    /// The payments to partners that may be paid.
    pub payable: Vec<Payment>,
    /// The others, by what keeps their partners from being paid.
    pub barred: BTreeMap<PayeeBar, Vec<Payment>>,
}

/// Tells payments apart by whether their partners may be paid now.
pub fn part(tx: &mut Tx<'_>, payments: Vec<Payment>) -> Result<PartedPayments> {
    let bars = bars(tx, &partners_of(&payments))?;
    let mut parted = PartedPayments::default();
    for payment in payments {
        match bars.get(&payment.partner_id) {
            None => parted.payable.push(payment),
            Some(bar) => parted.barred.entry(*bar).or_default().push(payment),
        }
    }
    Ok(parted)
}

/// The payments of a file that the file should not bring to a bank any more: their partners may not be paid now, or have filed
/// their payout profiles anew since the file was made, or a bank has told of the payments already.
pub fn outdated(tx: &mut Tx<'_>, payments: &[Payment]) -> Result<Vec<Id>> {
    let partners = partners_of(payments);
    let bars = bars(tx, &partners)?;
    let revisions = profiles::payout_revisions(tx, &partners)?;
    let is_outdated = |payment: &&Payment| {
        let now = revisions.get(&payment.partner_id).map(|revisions| revisions.now);
        payment.state != PaymentState::InFile
            || bars.contains_key(&payment.partner_id)
            || payment.payout_revision.is_some_and(|filed| now != Some(filed))
    };
    Ok(payments.iter().filter(is_outdated).map(|payment| payment.id).collect())
}

/// Whether a payment went to an account that the partner has replaced since.
pub(super) fn went_elsewhere(tx: &mut Tx<'_>, payment: &Payment) -> Result<bool> {
    let revisions = profiles::payout_revisions(tx, &[payment.partner_id])?;
    let now = revisions.get(&payment.partner_id).copied();
    Ok(payment
        .payout_revision
        .zip(now)
        .is_some_and(|(paid, now): (i64, PayoutRevisions)| now.led_elsewhere(paid)))
}

/// The partners of payments, each once.
pub(super) fn partners_of(payments: &[Payment]) -> Vec<Id> {
    let mut partners: Vec<Id> = payments.iter().map(|payment| payment.partner_id).collect();
    partners.sort_unstable();
    partners.dedup();
    partners
}
