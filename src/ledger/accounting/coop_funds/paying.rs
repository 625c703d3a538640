//! The way of claimed parts of funds through payments: taken, settled, given back. Each step is one balanced transfer for each
//! account that the amount leaves, in the unit that changes the fund.

use super::{CoopFund, FundPart, moves, store};
use crate::{
    access::Tx,
    ledger::accounting::{
        LedgerAccount as Account, PaymentStep, Transfer,
        payment_moves::posted_at,
        service::{TransferAccounts, transfer},
        store as ledger,
    },
    platform::{Error, Result, values::Id},
};
use std::collections::{BTreeMap, BTreeSet};

/// The claimed part of a fund and its step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FundPayment {
    /// The partner of the fund.
    pub partner_id: Id,
    /// The fund.
    pub fund_id: Id,
    /// The payment.
    pub payment_id: Id,
    /// The amount in minor units.
    pub amount: i64,
    /// The step. Nothing of a claim is set off.
    pub step: PaymentStep,
}

impl FundPayment {
    /// The part that gives and the part that takes; none where the amount stays in its part: what a payment carries stays
    /// committed until the payment has arrived.
    const fn parts(self) -> Option<(FundPart, FundPart)> {
        match self.step {
            PaymentStep::Take | PaymentStep::Release => None,
            PaymentStep::Settle(_) => Some((FundPart::Committed, FundPart::Paid)),
            PaymentStep::Return(_) => Some((FundPart::Paid, FundPart::Committed)),
        }
    }

    /// The transfers: from which account to which, and how much.
    fn transfers(self) -> Vec<(Account, Account, i64)> {
        match self.step {
            PaymentStep::Take => vec![(Account::CoopCommitted, Account::CoopInPayment, self.amount)],
            PaymentStep::Release => vec![(Account::CoopInPayment, Account::CoopCommitted, self.amount)],
            PaymentStep::Settle(parts) => vec![
                (Account::CoopInPayment, Account::CoopPaid, self.amount - parts.withheld),
                (Account::CoopInPayment, Account::CoopWithheld, parts.withheld),
            ],
            PaymentStep::Return(parts) => vec![
                (Account::CoopPaid, Account::CoopCommitted, self.amount - parts.withheld),
                (Account::CoopWithheld, Account::CoopCommitted, parts.withheld),
            ],
        }
    }
}

/// Moves claimed parts of funds by their steps. A constant number of statements, however many there are. The unit shares the books
/// and holds the locks of the partners, and records the audit event of the payments.
pub fn move_payments(tx: &mut Tx<'_>, steps: &[FundPayment]) -> Result<()> {
    let partners: BTreeSet<Id> = steps.iter().map(|one| one.partner_id).collect();
    let ids: BTreeSet<Id> = steps.iter().map(|one| one.fund_id).collect();
    let before =
        store::many(tx, &partners.into_iter().collect::<Vec<_>>(), &ids.into_iter().collect::<Vec<_>>())?;
    let mut funds: BTreeMap<Id, CoopFund> = before.into_iter().map(|fund| (fund.id, fund)).collect();
    let posted_at = posted_at(tx)?;
    let (mut transfers, mut moved) = (Vec::new(), BTreeSet::new());
    for one in steps {
        let fund = funds.get_mut(&one.fund_id).ok_or_else(|| Error::internal("a claim without its fund"))?;
        for (debit, credit, amount) in one.transfers().into_iter().filter(|(_, _, amount)| *amount != 0) {
            let plain = transfer(
                tx,
                fund.account_key(),
                amount,
                TransferAccounts { debit, credit },
                one.step.cause(),
            );
            transfers.push(Transfer { cause_id: Some(one.payment_id), posted_at, ..plain });
        }
        if let Some((from, to)) = one.parts() {
            *fund = fund.moved(one.amount, from, to).ok_or_else(moves::out_of_range)?;
            moved.insert(one.fund_id);
        }
    }
    let changed: Vec<CoopFund> =
        moved.iter().filter_map(|id| funds.remove(id)).map(|fund| moves::next(tx, fund)).collect();
    store::put(tx, &[], &changed)?;
    ledger::insert_transfers(tx, &transfers)
}
