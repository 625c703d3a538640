//! Withheld tax: a table of rates with the days they hold on, by the payee's country, what is known of its tax form, and the
//! kind of earning. A rate is never typed beside a payment: [`of`] chooses the row for each partner, and the payment keeps
//! the row's id.

pub mod api;
mod model;
mod service;
mod store;

use crate::slice::{Slice, Tag};
pub use model::{
    EarningKind, FormState, NewWithholdingRate, WithholdingKey, WithholdingKind, WithholdingRate,
};
pub use service::{CODES, Withholding, add, of};

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag {
        name: "withholding",
        description: "The tax that is withheld of payments, by whom it is paid to.",
    }),
    codes: &[CODES],
    ..Slice::named("payouts::withholding")
};
