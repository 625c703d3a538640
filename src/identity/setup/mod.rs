//! Set-up: before a partner's incentive data is shown, its incentive admin has seen who its people are (S10, S11).
//!
//! `access` asks this slice at every gated operation; here is how a partner gets past it.

pub mod api;
mod model;
mod service;
mod store;

pub use model::{Missing, Setup, SetupState};
pub use service::{CODES, Status, complete, send_list, status};
pub use store::{is_completed, refers_to};
