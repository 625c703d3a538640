//! Accounting: rebates by enrollment, month and currency; the months, which close one after the other; and the
//! double-entry ledger under both.
//!
//! Other slices add to rebates with [`post_to_rebates`], ask [`Months`] for the month to post in, ask
//! [`payment_standings`] whether a payment threshold is reached, and convert amounts with [`rates`].

pub mod fx_rates;
pub mod fx_rates_api;
mod model;
pub mod months_api;
mod payment_threshold;
mod rebate_view;
pub mod rebates_api;
mod service;
mod store;

use crate::slice::{Slice, Tag};
pub use fx_rates::rates;
pub use model::{
    FxRate, LedgerAccount, Months, Rebate, RebateKey, RebatePosting, RebateReason, RebateState, Transfer,
    TransferCause,
};
pub use months_api::AccountingMonthState;
pub use payment_threshold::{
    PaymentStanding, PaymentStandings, PaymentThreshold, PaymentWait, payment_standings,
};
pub use rebate_view::{RebateView, rebate_views};
pub use service::{CODES, close, follow_profiles, hold, post_to_rebates, release};
pub use store::{
    CarriedOver, carried_over, closed_at, currencies_of, enrollments_waiting, months, rebates_of_all_months,
};

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: |config| {
        rebates_api::routes(config);
        months_api::routes(config);
        fx_rates_api::routes(config);
    },
    tag: Some(Tag {
        name: "rebates",
        description: "What is owed, and the accounting months it is posted in.",
    }),
    codes: &[CODES, fx_rates::CODES],
    ..Slice::named("ledger::accounting")
};
