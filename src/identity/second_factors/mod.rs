//! Second factors: codes of an authenticator app beside the password, and recovery codes for when it is lost.

pub mod api;
mod model;
mod service;
mod store;

use crate::slice::Slice;
pub use model::{FactorState, SecondFactor};
pub use service::{CODES, Check, ONE_TIME_CODE_REQUIRED, check, reseal};

/// What the composition root needs of this slice.
pub const SLICE: Slice =
    Slice { routes: api::routes, codes: &[CODES], ..Slice::named("identity::second_factors") };
