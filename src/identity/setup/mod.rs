//! Set-up: before a partner's incentive data is shown, its incentive admin has seen who its people are (S10, S11).
//!
//! `access` asks this slice at every gated operation; here is how a partner gets past it.

pub mod api;
mod model;
mod service;
mod store;

use crate::slice::Slice;
pub use model::{Missing, Setup, SetupState};
pub use service::{CODES, Status, complete, send_list, status};
pub use store::{is_completed, refers_to};

/// What the composition root needs of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    codes: &[CODES],
    refers_to_partner: Some(|tx, partner| Ok(store::refers_to(tx.conn, partner)?.then_some("set-up"))),
    ..Slice::named("identity::setup")
};
