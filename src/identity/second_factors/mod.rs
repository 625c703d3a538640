//! Second factors: codes of an authenticator app beside the password, and recovery codes for users who have lost the app.

pub mod api;
mod model;
mod service;
mod store;

use crate::slice::Slice;
pub use model::{FactorState, SecondFactor};
use service::SEALED;
pub use service::{CODES, CodeCheck, ONE_TIME_CODE_REQUIRED, check};

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    codes: &[CODES],
    sealed: &[SEALED],
    ..Slice::named("identity::second_factors")
};
