//! Accounting: rebates by enrollment, month and currency; co-op funds by enrollment, half-year and currency; the months, which close one after the other; and the
//! double-entry ledger under both.
//!
//! Other slices add to rebates with [`post_to_rebates`], ask [`Months`] for the month to post in, ask
//! [`payment_standings`] or [`PaymentThresholds`] whether a payment threshold is reached, take rebates into payments with
//! [`move_rebates`], take what is lost with [`forfeit`], ask [`month_of_books`] what is owed around a month, and convert amounts with [`rates`].

mod balance;
pub mod coop_funds;
mod falling_due;
mod forfeit;
pub mod fx_rates;
pub mod fx_rates_api;
mod hold_notices;
mod model;
mod payment_moves;
mod payment_store;
mod payment_threshold;
mod rebate_view;
pub mod rebates_api;
mod service;
mod store;

use crate::slice::{Slice, Tag};
pub use balance::{Balance, BookedPayment, MonthOfBooks, month_of_books, payment_reference};
pub use forfeit::forfeit;
pub use fx_rates::rates;
pub use model::{
    AccountingMonthState, FxRate, LedgerAccount, Months, Rebate, RebateKey, RebatePosting, RebateReason,
    RebateState, Transfer, TransferCause,
};
pub use payment_moves::{PaymentMove, PaymentStep, SettledParts, move_rebates};
pub use payment_store::{
    WaitingRange, count_among, count_within, partners_accruing, partners_within, rebates_named,
    rebates_within, unpaid,
};
pub use payment_threshold::{
    PaymentStanding, PaymentStandings, PaymentThreshold, PaymentThresholds, PaymentWait, payment_standings,
};
pub use rebate_view::{RebateView, WaitingRebate};
pub use service::{
    CODES, behind_profiles, close, follow_profiles, hold, hold_disputed, post_to_rebates, refuse_closure,
    release, release_disputed,
};
pub use store::{
    ClosedMonth, closed_at, closed_months, currencies_of, enrollments_waiting, first_posted, get as rebate,
    months, partners_owed_with, rebate_of, rebates_of_all_months,
};

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: |config| {
        rebates_api::routes(config);
        fx_rates_api::routes(config);
        coop_funds::api::routes(config);
    },
    tag: Some(Tag {
        name: "rebates",
        description: "What is owed, and the accounting months it is posted in.",
    }),
    codes: &[CODES, fx_rates::CODES, coop_funds::CODES],
    ..Slice::named("ledger::accounting")
};
