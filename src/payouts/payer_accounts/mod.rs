//! Payer accounts: our accounts that payments leave from, and what their banks ask of a file.

pub mod api;
mod model;
mod rows;
mod service;
mod store;
mod view;

use crate::slice::{Slice, Tag};
pub use model::{CreditorAgentWithoutBic, PayerAccount, PayerAccountState};
pub use service::{NewPayerAccount, create};
pub use store::{get, of_currency};

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag { name: "payer_accounts", description: "The accounts that payments leave from." }),
    sealed: &[rows::ACCOUNTS, rows::ACCOUNT_NUMBERS],
    ..Slice::named("payouts::payer_accounts")
};
