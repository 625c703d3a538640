//! Payments: what a partner is paid in one currency by one run, with the rebates that the amount is made of.
//!
//! | file | holds |
//! |---|---|
//! | `model` | the payment, its state table and its lines |
//! | `draft` | the lines of a payment that is about to be made, pure |
//! | `withholding` | the tax that is withheld from a line |
//! | `service` | what operators and banks tell of a payment |
//! | `remittance` | what a payment pays, in the words of the partner's statement |

pub mod api;
mod draft;
mod model;
mod remittance;
mod service;
mod store;
mod view;
mod withholding;

use crate::slice::{Slice, Tag};
pub use draft::{PaymentDraft, PaymentSums, out_of_range};
pub use model::{DocumentKind, Payment, PaymentEvent, PaymentKey, PaymentLine, PaymentState, Reconciliation};
pub use service::{
    NewPayments, PaymentNews, approve_all, dispatch_all, make, release_all, tell, to_change,
    transition_not_allowed,
};
pub use store::{get, lines_of, of_run};
pub use view::PaymentView;
pub use withholding::{rate_for, rates_of};

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag {
        name: "payments",
        description: "What partners are paid: runs that gather what is payable, and payments with their lines.",
    }),
    refers_to_partner: Some(|tx, partner| Ok(store::refers_to(tx, partner)?.then_some("payment"))),
    ..Slice::named("payouts::payments")
};
