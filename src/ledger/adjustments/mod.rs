//! Adjustments: corrections by hand of the amounts owed. One person proposes an adjustment, another decides on it; an
//! approved adjustment enters the rebate and the ledger of the first open month.

pub mod api;
mod model;
mod service;
mod store;

use crate::slice::Slice;
pub use model::{Adjustment, AdjustmentReason, AdjustmentState, NewAdjustment};
pub use service::{CODES, approve, propose, reject};
pub use store::{count_proposed, posted_between, posted_in};

/// The declaration of this slice.
pub const SLICE: Slice =
    Slice { routes: api::routes, codes: &[CODES], ..Slice::named("ledger::adjustments") };
