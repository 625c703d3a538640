//! Agreements: the papers a partner signs. Three kinds, one shape, one table; on the wire three resources.
//!
//! One record is one period. The status of an agreement follows from its dates, so a read can ask for any day. Periods
//! of one kind and partner never overlap; a renewal is a new period, and a gap stays on record. An agreement of a
//! headquarters counts for the locations too: callers ask [`held_by`] for both.
//!
//! - `model.rs`: the agreement, and its status on a day
//! - `change.rs`: corrections, renewals and terminations, and the records that result
//! - `filter.rs`, `body.rs`, `view.rs`: query parameters, bodies and views; `api.rs`: the operations

pub mod api;
mod body;
mod change;
mod filter;
pub mod model;
mod service;
mod store;
mod view;

use crate::slice::{Slice, Tag};
pub use change::{AgreementTerms, ChangedTerms, Correction, NewAgreement, Renewal, Termination};
pub use model::{Agreement, AgreementStatus, AgreementTransition, Kind, MembershipLevel};
pub use service::{CODES, create, renew, terminate};
pub use store::{held_by, refers_to};

/// The declaration of this slice.
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
