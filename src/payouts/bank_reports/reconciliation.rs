//! How far a run agrees with what banks say.

use crate::{
    access::Tx,
    payouts::payments::{self, PaymentCount, PaymentState, Reconciliation},
    platform::{
        Result,
        values::{Currency, Id, Money},
    },
};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How far a payment run agrees with the statements of the bank.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentRunReconciliation)]
pub(super) struct ReconciliationView {
    /// The run.
    run_id: Id,
    /// Whether nothing is open: no payment waits for the bank, and statements show each that arrived.
    is_reconciled: bool,
    /// By currency.
    #[schema(max_items = 200)]
    currencies: Vec<CurrencyReconciliation>,
}

/// The payments of a run in one currency.
#[derive(Serialize, ToSchema)]
#[schema(as = CurrencyReconciliation)]
struct CurrencyReconciliation {
    /// The currency.
    currency: Currency,
    /// All payments of the run.
    all: PaymentTotal,
    /// Before the bank: created, approved or in a file.
    before_bank: PaymentTotal,
    /// At the bank: sent or pending.
    at_bank: PaymentTotal,
    /// Arrived, and shown by a statement.
    matched: PaymentTotal,
    /// Arrived as reported or told, and not shown by a statement yet.
    unmatched: PaymentTotal,
    /// Stopped, failed, returned or reversed: the rebates are owed again.
    not_paid: PaymentTotal,
}

/// Payments and their sum.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentTotal)]
struct PaymentTotal {
    /// The number of payments.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    payments: i64,
    /// The sum of what the bank is told to pay.
    net: Money,
}

pub(super) fn of_run(tx: &mut Tx<'_>, run: Id) -> Result<ReconciliationView> {
    let mut by_currency: BTreeMap<Currency, CurrencyReconciliation> = BTreeMap::new();
    for count in payments::counts_of_run(tx, run)? {
        let of_currency =
            by_currency.entry(count.currency).or_insert_with(|| CurrencyReconciliation::none(count.currency));
        of_currency.add(count)?;
    }
    let currencies: Vec<CurrencyReconciliation> = by_currency.into_values().collect();
    let is_reconciled = currencies.iter().all(CurrencyReconciliation::is_closed);
    Ok(ReconciliationView { run_id: run, is_reconciled, currencies })
}

impl CurrencyReconciliation {
    fn none(currency: Currency) -> Self {
        let none = || PaymentTotal { payments: 0, net: Money { minor: 0, currency } };
        Self {
            currency,
            all: none(),
            before_bank: none(),
            at_bank: none(),
            matched: none(),
            unmatched: none(),
            not_paid: none(),
        }
    }

    fn add(&mut self, count: PaymentCount) -> Result<()> {
        let part = match count.state {
            PaymentState::Created | PaymentState::Approved | PaymentState::InFile => &mut self.before_bank,
            PaymentState::Sent | PaymentState::PendingAtBank => &mut self.at_bank,
            PaymentState::Settled if count.reconciliation == Reconciliation::Matched => &mut self.matched,
            PaymentState::Settled => &mut self.unmatched,
            PaymentState::Stopped
            | PaymentState::Failed
            | PaymentState::Returned
            | PaymentState::Reversed => &mut self.not_paid,
        };
        part.add(count)?;
        self.all.add(count)
    }

    fn is_closed(&self) -> bool {
        [&self.before_bank, &self.at_bank, &self.unmatched].iter().all(|open| open.payments == 0)
    }
}

impl PaymentTotal {
    fn add(&mut self, count: PaymentCount) -> Result<()> {
        self.net.minor = self.net.minor.checked_add(count.net).ok_or_else(payments::out_of_range)?;
        self.payments += count.payments;
        Ok(())
    }
}
