//! The words in the columns of closed sets, as the statements of checks spell them.

use crate::{
    ledger::{
        accounting::{LedgerAccount, RebateReason, RebateState, TransferCause},
        adjustments::AdjustmentState,
    },
    participation::programs::LeverGrain,
    payouts::{
        coop_audits::CoopAuditState,
        coop_claims::ClaimState,
        coop_plans::PlanState,
        disputes::DisputeState,
        payment_files::PaymentFileState,
        payments::{DocumentKind, PaymentState, Reconciliation},
    },
};

/// A check's statement with each mark in braces replaced by the word of the value, or the list of the words, that the
/// mark stands for. A mark that is not known stays, and the database refuses it.
pub(super) fn spelled(statement: &str) -> String {
    let words = [
        ("approved", AdjustmentState::Approved.as_str()),
        ("programme_expense", LedgerAccount::ProgrammeExpense.as_str()),
        ("rebate_accrued", LedgerAccount::RebateAccrued.as_str()),
        ("rebate_payable", LedgerAccount::RebatePayable.as_str()),
        ("rebate_in_payment", LedgerAccount::RebateInPayment.as_str()),
        ("rebate_paid", LedgerAccount::RebatePaid.as_str()),
        ("rebate_withheld", LedgerAccount::RebateWithheld.as_str()),
        ("rebate_returned", LedgerAccount::RebateReturned.as_str()),
        ("rebate_forfeited", LedgerAccount::RebateForfeited.as_str()),
        ("coop_available", LedgerAccount::CoopAvailable.as_str()),
        ("coop_planned", LedgerAccount::CoopPlanned.as_str()),
        ("coop_committed", LedgerAccount::CoopCommitted.as_str()),
        ("coop_in_payment", LedgerAccount::CoopInPayment.as_str()),
        ("coop_paid", LedgerAccount::CoopPaid.as_str()),
        ("coop_withheld", LedgerAccount::CoopWithheld.as_str()),
        ("coop_forfeited", LedgerAccount::CoopForfeited.as_str()),
        ("coop_converted", LedgerAccount::CoopConverted.as_str()),
        ("in_payment", RebateState::InPayment.as_str()),
        ("forfeited", RebateState::Forfeited.as_str()),
        ("settled", PaymentState::Settled.as_str()),
        ("credit_note", DocumentKind::CreditNote.as_str()),
        ("self_billed_invoice", DocumentKind::SelfBilledInvoice.as_str()),
        ("plan_approved", PlanState::Approved.as_str()),
        ("claim_paid", ClaimState::Paid.as_str()),
        ("in_file", PaymentState::InFile.as_str()),
        ("made", PaymentFileState::Made.as_str()),
        ("withdrawn", PaymentFileState::Withdrawn.as_str()),
        ("matched", Reconciliation::Matched.as_str()),
        ("on_hold", RebateState::OnHold.as_str()),
        ("disputed", RebateReason::Disputed.as_str()),
        ("upheld", DisputeState::Upheld.as_str()),
        ("recovered", CoopAuditState::Recovered.as_str()),
        ("turned_down", AdjustmentState::Rejected.as_str()),
        ("calculation", TransferCause::Calculation.as_str()),
        ("adjustment", TransferCause::Adjustment.as_str()),
        ("transaction", LeverGrain::Transaction.as_str()),
    ];
    let live: Vec<&str> =
        PaymentState::ALL.iter().filter(|state| state.is_live()).map(|state| state.as_str()).collect();
    let lists = [
        ("rebate_accounts", names(&LedgerAccount::OF_REBATES)),
        ("coop_accounts", names(&LedgerAccount::OF_COOP)),
        ("settled_accounts", names(&LedgerAccount::SETTLED)),
        ("waiting", [RebateState::Payable, RebateState::OnHold].map(RebateState::as_str).to_vec()),
        ("paid_or_offset", [RebateState::Paid, RebateState::Offset].map(RebateState::as_str).to_vec()),
        ("live_states", live),
    ];
    let mut spelled = statement.to_owned();
    for (mark, word) in words {
        spelled = spelled.replace(&format!("{{{mark}}}"), &format!("'{word}'"));
    }
    for (mark, words) in lists {
        let words: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        spelled = spelled.replace(&format!("{{{mark}}}"), &format!("({})", words.join(", ")));
    }
    spelled
}

fn names(accounts: &[LedgerAccount]) -> Vec<&'static str> {
    accounts.iter().map(|account| account.as_str()).collect()
}
