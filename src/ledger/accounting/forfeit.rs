//! The loss of rebates: each is one transfer from what is payable to what is forfeited.

use super::{
    LedgerAccount, Rebate, RebateState, Transfer, TransferCause,
    payment_moves::{RebateOutcome, posted_at},
    payment_store,
    service::{TransferAccounts, transfer},
    store,
};
use crate::{
    access::Tx,
    platform::{Result, values::Id},
};

/// Takes unpaid rebates of closed months for good; `cause_id` is the record behind. The unit shares the books and holds the
/// locks of the partners, and records the audit event.
pub fn forfeit(tx: &mut Tx<'_>, rebates: &[Rebate], cause_id: Id) -> Result<()> {
    let posted_at = posted_at(tx)?;
    let accounts =
        TransferAccounts { debit: LedgerAccount::RebatePayable, credit: LedgerAccount::RebateForfeited };
    let lost = rebates.iter().filter(|rebate| rebate.amount().minor != 0);
    let transfers: Vec<Transfer> = lost
        .map(|rebate| {
            let amount = rebate.amount().minor;
            let plain = transfer(tx, rebate.key(), amount, accounts, TransferCause::Forfeiture);
            Transfer { cause_id: Some(cause_id), posted_at, ..plain }
        })
        .collect();
    let outcome = RebateOutcome { state: RebateState::Forfeited, reason: None, comment: None };
    payment_store::put(tx, &rebates.iter().collect::<Vec<_>>(), &outcome)?;
    store::insert_transfers(tx, &transfers)
}
