//! The words in the columns of closed sets, as the statements of checks spell them.

use crate::{
    ledger::{
        accounting::{LedgerAccount, TransferCause},
        adjustments::AdjustmentState,
    },
    participation::programs::LeverGrain,
};

/// A check's statement with each mark in braces replaced by the word of the value, or the list of the words, that the
/// mark stands for. A mark that is not known stays, and the database refuses it.
pub(super) fn spelled(statement: &str) -> String {
    let words = [
        ("approved", AdjustmentState::Approved.as_str()),
        ("programme_expense", LedgerAccount::ProgrammeExpense.as_str()),
        ("rebate_accrued", LedgerAccount::RebateAccrued.as_str()),
        ("calculation", TransferCause::Calculation.as_str()),
        ("adjustment", TransferCause::Adjustment.as_str()),
        ("transaction", LeverGrain::Transaction.as_str()),
    ];
    let lists =
        [("rebate_accounts", &LedgerAccount::OF_REBATES[..]), ("coop_accounts", &LedgerAccount::OF_COOP[..])];
    let mut spelled = statement.to_owned();
    for (mark, word) in words {
        spelled = spelled.replace(&format!("{{{mark}}}"), &format!("'{word}'"));
    }
    for (mark, accounts) in lists {
        let words: Vec<String> = accounts.iter().map(|account| format!("'{account}'")).collect();
        spelled = spelled.replace(&format!("{{{mark}}}"), &format!("({})", words.join(", ")));
    }
    spelled
}
