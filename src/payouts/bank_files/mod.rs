//! The files that go to banks and come from them. Pure: no database, no clock, no network.
//!
//! A payment file is made in two passes over the same payments, so that it needs the memory of one payment. A [`Check`] finds
//! all faults before a file exists, each a [`Fault`] with a field, a code and a remedy; the [`CheckedFile`] that it gives is
//! then written by a [`Pain001`] (ISO 20022 pain.001.001.09) or a [`PaymentTable`] (comma-separated values). A writer takes
//! nothing but the payments that were checked, in the same order.
//!
//! Numbers of accounts and banks are checked by the crate `sepa`; names and addresses are brought into the letters of banks as
//! they were when their profile was accepted. The crate's own
//! writer is not used: it holds all payments in memory, knows euro alone, and tells one fault at a time.
//!
//! A [`StatusReport`] (pain.002) and a [`Statement`] (camt.053, camt.054) read what the bank says, line by line, in bounded
//! memory; [`Meaning`] and [`BankReason`] say what the codes mean and whose task comes next. What a bank leaves out stays
//! missing; nothing is guessed.

mod account;
mod banking_day;
mod check;
mod fault;
mod meaning;
mod model;
mod pain001;
mod pass;
mod reader;
mod reason;
mod reported;
mod statement;
mod status_report;
mod table;
mod total;
mod unreadable;

pub use banking_day::{banking_day_from, is_banking_day};
pub use check::{Check, CheckedFile, FoundFaults};
pub use fault::{Fault, FaultCode, Field, Owner, Part, Subject};
pub use meaning::{Meaning, NameCheck};
pub use model::{
    Account, Address, CreditorAgentWithoutBic, FileHeader, Group, Payee, PayerAccount, Payment, Routing,
    RoutingKind, Scheme, reference,
};
pub use pain001::Pain001;
pub use pass::WriteError;
pub use reason::{BankReason, Task};
pub use reported::Amount;
pub use statement::{BankEntry, Direction, Statement};
pub use status_report::{Level, StatusLine, StatusReport};
pub use table::PaymentTable;
pub use unreadable::{Unreadable, Why};
