//! The files that go to banks. Pure: no database, no clock, no network.
//!
//! A payment file is made in two passes over the same payments, so that it needs the memory of one payment. A [`Check`] finds
//! all faults before a file exists, each a [`Fault`] with a field, a code and a remedy; the [`CheckedFile`] that it gives is
//! then written by a [`Pain001`] (ISO 20022 pain.001.001.09) or a [`PaymentTable`] (comma-separated values). A writer takes
//! nothing but the payments that were checked, in the same order.
//!
//! Numbers of accounts and banks are checked, and names brought into the letters of banks, by the crate `sepa`. Its own
//! writer is not used: it holds all payments in memory, knows euro alone, and tells one fault at a time.

mod account;
mod banking_day;
mod check;
mod fault;
mod latin;
mod model;
mod pain001;
mod pass;
mod table;
mod total;

pub use banking_day::{banking_day_from, is_banking_day};
pub use check::{Check, CheckedFile};
pub use fault::{Fault, FaultCode, Field, Owner, Part, Subject};
pub use model::{
    Account, Address, CreditorAgentWithoutBic, FileHeader, Group, Payee, PayerAccount, Payment, Routing,
    RoutingKind, Scheme, reference,
};
pub use pain001::Pain001;
pub use pass::WriteError;
pub use table::PaymentTable;
