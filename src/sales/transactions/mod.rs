//! Transactions: the purchases that partners sold, and the refunds that took purchases back. A transaction never
//! changes; a correction is a refund.
//!
//! Other slices record transactions with [`create`] and read them with [`sales_of`]. Whoever changes a fact queues its partner
//! for the calculation in [`backlog`].

pub mod api;
pub mod backlog;
pub mod batch;
mod history;
mod model;
mod service;
mod sold;
mod store;

use crate::slice::{Slice, Tag};
pub use history::{
    DaySum, Recorded, SalesFilter, first_kept, own_among, recorded, recorded_after, sums_by_day,
};
pub use model::{Customer, NewTransaction, SourceNumber, Transaction, TransactionKind};
pub use service::{CODES, REFUND_EXCEEDS_PURCHASE, TRANSACTION_CONFLICT, create};
pub use sold::{
    SoldPurchase, SoldRefund, last_kept_before, newest_of, purchases, purchases_named, refunds_of,
};
pub use store::{refers_to, refunded_of, sales_of, seller_of};

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag {
        name: "transactions",
        description: "What partners sold, and what of it was taken back.",
    }),
    codes: &[CODES],
    measures: Some(backlog::measures),
    refers_to_partner: Some(|tx, partner| Ok(store::refers_to(tx.conn, partner)?.then_some("transaction"))),
    ..Slice::named("sales::transactions")
};
