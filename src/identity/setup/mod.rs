//! Set-up: an incentive admin has confirmed the list of the partner's people before the people see incentive data (S10,
//! S11).
//!
//! `access` asks this slice at every gated operation whether the set-up is completed.

pub mod api;
pub mod lists_api;
mod model;
mod service;
mod store;

use crate::slice::Slice;
pub use model::{Missing, Setup, SetupState};
pub use service::{CODES, SetupStatus, complete, send_list, status};
pub use store::{is_completed, refers_to};

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: |config| {
        api::routes(config);
        lists_api::routes(config);
    },
    codes: &[CODES],
    refers_to_partner: Some(|tx, partner| Ok(store::refers_to(tx.conn, partner)?.then_some("set-up"))),
    ..Slice::named("identity::setup")
};
