//! Payments: what a partner is paid in one currency by one run, with the rebates or the co-op claims that the amount is made of.
//!
//! | file | holds |
//! |---|---|
//! | `model` | the payment, its state table and its lines |
//! | `draft` | the lines of a payment that is about to be made, pure |
//! | `owed` | the rebate or the claim that a line pays |
//! | `moves` | the steps that payments bring about for what they pay |
//! | `payees` | whether partners may be paid now |
//! | `withholding` | the tax that is withheld from a line |
//! | `service` | what operators and banks tell of a payment |
//! | `at_bank` | the files that hold payments, and the statements that show them |
//! | `notices` | what the partner is told of a payment |
//! | `remittance`, `remittance_page` | what a payment pays, in the words of the partner's statement |

pub mod api;
mod at_bank;
mod draft;
mod model;
mod moves;
mod notices;
mod owed;
mod payees;
mod remittance;
mod remittance_page;
mod service;
mod store;
mod view;
mod withholding;

use crate::slice::{Slice, Tag};
pub use at_bank::{Filing, ShownPayment, file_all, match_all, tell_partners, unfile_all};
pub use draft::{PaymentDraft, PaymentSums, out_of_range};
pub use model::{
    DocumentKind, FileGroup, PaidRecord, PayeeBar, Payment, PaymentEvent, PaymentKey, PaymentLine,
    PaymentState, Reconciliation, StopReason,
};
pub use moves::records;
pub use owed::Owed;
pub use payees::{PartedPayments, bars, outdated, part};
pub use service::{
    NewPayments, PaymentNews, ToldPayment, approve_all, dispatch_all, hold_given_back, make, release_all,
    release_barred, tell, tell_all, to_change, transition_not_allowed,
};
pub use store::{
    PaymentCount, PaymentSet, counts_of_run, currencies_of_run, files_of_run, get, lines_of, many,
    of_partner, of_run, waits_for_bank,
};
pub use view::PaymentView;
pub use withholding::{rates_for, rates_of};

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag {
        name: "payments",
        description: "What partners are paid: runs that gather what is payable, and payments with their lines.",
    }),
    refers_to_partner: Some(|tx, partner| Ok(store::refers_to(tx, partner)?.then_some("payment"))),
    expected_payments: Some(store::expected),
    ..Slice::named("payouts::payments")
};
