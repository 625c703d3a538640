//! Payout and tax profiles: the account a partner is paid to, and the partner's tax document. A partner files one
//! profile of each kind; an operator approves or rejects the profile. Two tables, one logic: [`Profile`] over its
//! terms.
//!
//! Account numbers and tax ids are [`Secret`]s: the database keeps them sealed, and everybody sees them masked. Enrollments ask [`standing`].

pub mod api;
pub mod lists_api;
mod model;
mod secret;
mod service;
mod store;
mod view;

use crate::slice::{Slice, Tag};
pub use model::{Decision, PayoutTerms, Profile, ProfileState, Standing, Standings, TaxForm, TaxTerms};
pub use secret::Secret;
pub use service::{decide_payout, decide_tax, file_both, standing, standings, standings_of_each};
pub use store::approvals;

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: |config| {
        api::routes(config);
        lists_api::routes(config);
    },
    tag: Some(Tag { name: "profiles", description: "Where a partner's money goes, and how it is taxed." }),
    codes: &[service::CODES],
    sealed: &[store::ACCOUNT_NUMBERS, store::TAX_IDS],
    refers_to_partner: Some(|tx, partner| Ok(store::any_of_partner(tx, partner)?.then_some("profile"))),
    ..Slice::named("network::profiles")
};
