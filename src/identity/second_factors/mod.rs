//! Second factors: codes of an authenticator app beside the password, and recovery codes for users who have lost the app.

pub mod api;
mod model;
mod service;
mod store;

use crate::slice::Slice;
pub use model::{FactorState, SecondFactor};
pub use service::{CODES, CodeCheck, ONE_TIME_CODE_REQUIRED, check, reseal};

/// The declaration of this slice.
pub const SLICE: Slice =
    Slice { routes: api::routes, codes: &[CODES], ..Slice::named("identity::second_factors") };
