//! Agreements: the papers a partner signs. Three kinds, one shape, one table; shown as three resources.
//!
//! One record is one period. Its status is derived from its dates, so a read can ask for any day. Periods of
//! one kind and partner never overlap; a renewal is a new period, and a gap stays on record. An agreement of a
//! headquarters counts for its locations: [`held_by`] is asked for both.
//!
//! - `model.rs`: what an agreement is, where it stands on a day
//! - `change.rs`: what is written down about it, and the record that results
//! - `filter.rs`, `body.rs`, `view.rs`: what is asked, sent and shown; `api.rs`: the operations

pub mod api;
mod body;
mod change;
mod filter;
pub mod model;
mod service;
mod store;
mod view;

use crate::slice::{Slice, Tag};
pub use change::{Correction, NewAgreement, NewTerms, Renewal, Termination, Terms};
pub use model::{Agreement, AgreementStatus, Event, Kind, MembershipLevel};
pub use service::{CODES, create, renew, terminate};
pub use store::{held_by, refers_to};

/// What the composition root needs of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag {
        name: "agreements",
        description: "The papers a partner signs: MPN, distributor and reseller agreements.",
    }),
    codes: &[CODES],
    refers_to_partner: Some(|tx, partner| Ok(store::refers_to(tx.conn, partner)?.then_some("agreement"))),
    ..Slice::named("network::agreements")
};
