//! The accounts of the ledger.

use crate::platform::values::text_enum;

text_enum! {
    /// An account of the ledger. Each enrollment has one of each, for each month and currency.
    pub enum LedgerAccount {
        /// The cost of the programme.
        ProgrammeExpense = "programme_expense",
        /// Rebates of months that are open.
        RebateAccrued = "rebate_accrued",
        /// Rebates of months that are closed.
        RebatePayable = "rebate_payable",
        /// Rebates that a payment carries.
        RebateInPayment = "rebate_in_payment",
        /// Rebates that were paid.
        RebatePaid = "rebate_paid",
        /// Rebates whose payment came back.
        RebateReturned = "rebate_returned",
        /// The part of paid rebates that was withheld as tax.
        RebateWithheld = "rebate_withheld",
        /// The part of paid rebates that was set off against rebates below zero.
        RebateOffset = "rebate_offset",
        /// Rebates that were lost.
        RebateForfeited = "rebate_forfeited",
        /// Co-op funds nobody has claimed.
        CoopAvailable = "coop_available",
        /// Co-op funds set aside for a plan.
        CoopPlanned = "coop_planned",
        /// Co-op funds of claims under way.
        CoopCommitted = "coop_committed",
        /// Co-op funds that a payment carries.
        CoopInPayment = "coop_in_payment",
        /// Co-op funds that were paid.
        CoopPaid = "coop_paid",
        /// The part of paid co-op funds that was withheld as tax.
        CoopWithheld = "coop_withheld",
        /// Co-op funds that were lost.
        CoopForfeited = "coop_forfeited",
        /// Co-op funds that became rebate: what leaves the funds here, comes to rebates from here.
        CoopConverted = "coop_converted",
    }
}

impl LedgerAccount {
    /// The accounts of rebates of closed months that are still owed.
    pub const OWED: [Self; 3] = [Self::RebatePayable, Self::RebateInPayment, Self::RebateReturned];
    /// The accounts of rebates that a payment has settled.
    pub const SETTLED: [Self; 3] = [Self::RebatePaid, Self::RebateWithheld, Self::RebateOffset];
    /// The accounts of rebates: owed, settled and lost.
    pub const OF_REBATES: [Self; 8] = [
        Self::RebateAccrued,
        Self::RebatePayable,
        Self::RebateInPayment,
        Self::RebatePaid,
        Self::RebateReturned,
        Self::RebateWithheld,
        Self::RebateOffset,
        Self::RebateForfeited,
    ];
    /// The accounts of co-op funds: available, planned, claimed, paid, lost and turned into rebate.
    pub const OF_COOP: [Self; 8] = [
        Self::CoopAvailable,
        Self::CoopPlanned,
        Self::CoopCommitted,
        Self::CoopInPayment,
        Self::CoopPaid,
        Self::CoopWithheld,
        Self::CoopForfeited,
        Self::CoopConverted,
    ];
}
