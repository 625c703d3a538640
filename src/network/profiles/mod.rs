//! Payout and tax profiles: where a partner's money goes, and how it is taxed. One of each per partner; the partner
//! files it, an operator approves or rejects it. Two tables, one logic: [`Profile`] over its terms.
//!
//! Account numbers and tax ids are [`Secret`]s: shown masked, to everybody. Enrollments ask [`standing`].

pub mod api;
mod model;
mod secret;
mod service;
mod store;
mod view;

use crate::slice::{Slice, Tag};
pub use model::{Decision, PayoutTerms, Profile, ProfileState, Standing, Standings, TaxForm, TaxTerms};
pub use secret::Secret;
pub use service::{decide_payout, decide_tax, file_both, standing, standings, standings_of_each};

/// What the composition root needs of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag { name: "profiles", description: "Where a partner's money goes, and how it is taxed." }),
    refers_to_partner: Some(|tx, partner| Ok(store::any_of_partner(tx, partner)?.then_some("profile"))),
    ..Slice::named("network::profiles")
};
