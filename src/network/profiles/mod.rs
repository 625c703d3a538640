//! Payout and tax profiles: the account a partner is paid to, and the partner's tax document. A partner files one
//! profile of each kind; an operator approves or rejects the profile. Two tables, one logic: [`Profile`] over its
//! terms.
//!
//! A payout profile is a [`BankAccount`] that can feed a bank file, or is refused with all of its faults. A change of the
//! account tells the partner's admins, and money waits some business days. Account numbers and tax ids are [`Secret`]s: the
//! database keeps them sealed, and everybody sees them masked. Enrollments ask [`standing`].

pub mod api;
mod bank_account;
mod body;
mod decisions_api;
mod fault;
mod letters;
pub mod lists_api;
mod model;
mod rows;
mod secret;
mod service;
mod store;
mod tax;
mod view;

use crate::slice::{Slice, Tag};
pub use bank_account::{BankAccount, PostalAddress, Routing, RoutingKind};
pub use body::{PostalAddressBody, RoutingBody};
pub use fault::{AccountFault, AccountFaultCode};
pub use letters::{is_kept, is_legible, latin};
pub use model::{
    Decision, PayoutNotes, PayoutRevisions, Profile, ProfileState, ProfileTerms, Standing, Standings,
};
pub use secret::Secret;
pub use service::{
    CODES, bank_accounts, decide_payout, decide_tax, file_both, file_payout, payout_profile, payout_profiles,
    standing, standings, standings_of_each, tax_profiles,
};
pub use store::{approvals, payout_revisions};
pub use tax::{TaxForm, TaxNotes, TaxTerms, TinStatus};

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: |config| {
        api::routes(config);
        decisions_api::routes(config);
        lists_api::routes(config);
    },
    tag: Some(Tag { name: "profiles", description: "Where a partner's money goes, and how it is taxed." }),
    codes: &[CODES],
    sealed: &[rows::ACCOUNTS, rows::ACCOUNT_NUMBERS, rows::TAX_IDS],
    refers_to_partner: Some(|tx, partner| Ok(store::any_of_partner(tx, partner)?.then_some("profile"))),
    ..Slice::named("network::profiles")
};
