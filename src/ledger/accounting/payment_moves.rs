//! The way of rebates through payments: taken, settled, given back. Each step is one balanced transfer for each account
//! that the rebate leaves, in the unit that changes the rebate's state.

use super::{
    LedgerAccount as Account, Rebate, RebateReason, RebateState, Transfer, TransferCause, hold_notices,
    payment_store,
    service::{TransferAccounts, standings, transfer},
    store,
};
use crate::{
    access::Tx,
    network::profiles::Standing,
    platform::{
        Result,
        values::{Id, Timestamp},
    },
};
use std::collections::BTreeMap;

/// A step of a rebate, or of the claimed part of a co-op fund, on the way through a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentStep {
    /// A payment takes the amount.
    Take,
    /// The payment has arrived.
    Settle(SettledParts),
    /// The payment has not arrived, and gives the amount back.
    Release,
    /// The payment had arrived, and came back.
    Return(SettledParts),
}

/// The parts of an amount that did not go to the bank, in minor units; the rest was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettledParts {
    /// The part that was withheld as tax.
    pub withheld: i64,
    /// The part that was set off against other rebates of the payment; all that is left of a rebate below zero.
    pub set_off: i64,
}

/// A rebate and its step.
#[derive(Clone, Debug)]
pub struct PaymentMove {
    /// The rebate before the step.
    pub rebate: Rebate,
    /// The payment.
    pub payment_id: Id,
    /// The step.
    pub step: PaymentStep,
}

/// The state that a step leaves a rebate in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RebateOutcome {
    pub state: RebateState,
    pub reason: Option<RebateReason>,
    pub comment: Option<String>,
}

impl RebateOutcome {
    /// A rebate in the state.
    fn of(&self, rebate: &Rebate) -> Rebate {
        Rebate {
            state: self.state,
            state_reason: self.reason,
            state_comment: self.comment.clone(),
            ..rebate.clone()
        }
    }
}

impl PaymentStep {
    pub(super) const fn cause(self) -> TransferCause {
        match self {
            Self::Take => TransferCause::Payment,
            Self::Settle(_) => TransferCause::Settlement,
            Self::Release => TransferCause::Release,
            Self::Return(_) => TransferCause::Return,
        }
    }

    /// The transfers of a rebate's amount: from which account to which, and how much.
    fn transfers(self, amount: i64) -> Vec<(Account, Account, i64)> {
        let paid = |parts: SettledParts| amount - parts.withheld - parts.set_off;
        match self {
            Self::Take => vec![(Account::RebatePayable, Account::RebateInPayment, amount)],
            Self::Release => vec![(Account::RebateInPayment, Account::RebatePayable, amount)],
            Self::Settle(parts) => vec![
                (Account::RebateInPayment, Account::RebatePaid, paid(parts)),
                (Account::RebateInPayment, Account::RebateWithheld, parts.withheld),
                (Account::RebateInPayment, Account::RebateOffset, parts.set_off),
            ],
            Self::Return(parts) => vec![
                (Account::RebatePaid, Account::RebateReturned, paid(parts)),
                (Account::RebateReturned, Account::RebatePayable, paid(parts)),
                (Account::RebateWithheld, Account::RebatePayable, parts.withheld),
                (Account::RebateOffset, Account::RebatePayable, parts.set_off),
            ],
        }
    }
}

/// Moves rebates by their steps. A rebate that is given back is payable, or waits for the partner's profiles; with words of
/// an operator in `held`, the operator holds the rebate. The partners of rebates that are on hold now are told. A constant number of
/// statements, however many there are, and some more for each notice. The unit
/// shares the books and holds the locks of the partners, and records the audit event of the payments.
pub fn move_rebates(tx: &mut Tx<'_>, moves: &[PaymentMove], held: Option<&str>) -> Result<()> {
    let given_back = |one: &&PaymentMove| matches!(one.step, PaymentStep::Release | PaymentStep::Return(_));
    let returning: Vec<Rebate> = moves.iter().filter(given_back).map(|one| one.rebate.clone()).collect();
    let standings = standings(tx, &returning)?;
    let posted_at = posted_at(tx)?;
    let mut transfers: Vec<Transfer> = Vec::new();
    let mut states: BTreeMap<RebateOutcome, Vec<&Rebate>> = BTreeMap::new();
    for PaymentMove { rebate, payment_id, step } in moves {
        for (debit, credit, amount) in step.transfers(rebate.amount().minor) {
            if amount != 0 {
                let accounts = TransferAccounts { debit, credit };
                let plain = transfer(tx, rebate.key(), amount, accounts, step.cause());
                transfers.push(Transfer { cause_id: Some(*payment_id), posted_at, ..plain });
            }
        }
        let standing = standings.get(&rebate.partner_id).copied().unwrap_or(Standing::Missing);
        states.entry(after(rebate, *step, standing, held)).or_default().push(rebate);
    }
    let mut held_now = Vec::new();
    for (outcome, rebates) in &states {
        payment_store::put(tx, rebates, outcome)?;
        if outcome.reason.is_some_and(hold_notices::is_told) {
            held_now.extend(rebates.iter().map(|rebate| outcome.of(rebate)));
        }
    }
    hold_notices::tell(tx, &held_now)?;
    store::insert_transfers(tx, &transfers)
}

/// The instant of the transfers: later than the last closing, whose statements tell what was paid before. A unit that
/// waited for the closing has begun before it.
pub(super) fn posted_at(tx: &mut Tx<'_>) -> Result<Timestamp> {
    let Some(last) = store::months(tx)?.last_closed else { return Ok(tx.now) };
    let later = |closed: Timestamp| Timestamp::from_micros(closed.as_micros() + 1);
    Ok(store::closed_at(tx, last)?.map_or(tx.now, |closed| tx.now.max(later(closed))))
}

fn after(rebate: &Rebate, step: PaymentStep, standing: Standing, held: Option<&str>) -> RebateOutcome {
    let plain = |state| RebateOutcome { state, reason: None, comment: None };
    match (step, held) {
        (PaymentStep::Take, _) => plain(RebateState::InPayment),
        (PaymentStep::Settle(_), _) if rebate.amount().minor < 0 => plain(RebateState::Offset),
        (PaymentStep::Settle(_), _) => plain(RebateState::Paid),
        (PaymentStep::Release | PaymentStep::Return(_), Some(words)) => RebateOutcome {
            state: RebateState::OnHold,
            reason: Some(RebateReason::HeldByOperator),
            comment: Some(words.to_owned()),
        },
        (PaymentStep::Release | PaymentStep::Return(_), None) => {
            let reason = RebateReason::of(standing);
            RebateOutcome { state: RebateState::of_closed_month(reason), reason, comment: None }
        }
    }
}
