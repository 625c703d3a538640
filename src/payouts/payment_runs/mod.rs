//! Payment runs: each gathers what is payable up to a closed month into payments. One person makes a run, another approves
//! it; then the bank gets the payments.
//!
//! | file | holds |
//! |---|---|
//! | `model` | the run, its states and its totals |
//! | `selection` | what is paid and what waits, and why; pure |
//! | `gather` | the facts of a portion of partners, by a constant number of statements |
//! | `prepare` | a run from its beginning until it is prepared, portion by portion |
//! | `service` | approval, cancellation, dispatch, and the new payment for one that failed |

pub mod api;
mod gather;
mod model;
mod prepare;
mod selection;
mod service;
mod store;
mod view;

use crate::slice::Slice;
pub use model::{PaymentRun, PaymentRunState, RunTotal, RunWait, RunWaitReason};
pub use prepare::{PORTION, RunPreview, WORK, create, prepare_in, preview};
pub use service::{CODES, approve, dispatch, note_sent, reissue};
pub use store::{get, lock};

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    codes: &[CODES],
    work: &[WORK],
    measures: Some(store::measures),
    ..Slice::named("payouts::payment_runs")
};
