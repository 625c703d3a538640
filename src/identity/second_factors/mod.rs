//! Second factors: codes of an authenticator app beside the password, and recovery codes for when it is lost.

pub mod api;
mod model;
mod service;
mod store;

pub use model::{FactorState, SecondFactor};
pub use service::{CODES, Check, ONE_TIME_CODE_REQUIRED, check, reseal};
