//! Transactions: what partners sold, and what of it was taken back. They are never changed; a correction is a refund.
//!
//! Other slices read them with [`sales_of`], and record them with [`create`].

pub mod api;
pub mod backlog;
pub mod batch;
mod model;
mod service;
mod store;

use crate::slice::{Slice, Tag};
pub use model::{Customer, NewTransaction, Transaction, TransactionKind};
pub use service::{CODES, REFUND_EXCEEDS_PURCHASE, TRANSACTION_CONFLICT, create};
pub use store::{refunded_of, sales_of};

/// What the composition root needs of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag {
        name: "transactions",
        description: "What partners sold, and what of it was taken back.",
    }),
    codes: &[CODES],
    refers_to_partner: Some(|tx, partner| Ok(store::any_of_partner(tx, partner)?.then_some("transaction"))),
    ..Slice::named("sales::transactions")
};
