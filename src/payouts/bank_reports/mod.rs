//! What banks say: status reports of payment files (pain.002) and statements of accounts (camt.053, camt.054). A report is kept as
//! it arrived, and applied to payments line by line. A line that no rule settles becomes an exception, which a person looks at;
//! nothing is guessed, and nothing is dropped. The same report sent again changes nothing.
//!
//! | file | holds |
//! |---|---|
//! | `model` | the report and the exception |
//! | `reading` | what a line means for a payment, pure |
//! | `lines` | the lines of either kind of report |
//! | `receiving` | a report from its arrival until it is kept |
//! | `applying` | the lines of a report, portion by portion |
//! | `portion` | the lines of one unit |
//! | `reconciliation` | how far a run agrees with the statements |

pub mod api;
mod applying;
pub mod exceptions_api;
mod lines;
mod model;
mod portion;
mod reading;
mod receiving;
mod reconciliation;
mod service;
mod store;
mod view;

use crate::slice::Slice;
pub use applying::{WORK, apply_in};
pub use model::{
    BankException, BankReport, BankReportKind, BankReportState, ExceptionReason, ExceptionState,
};
pub use receiving::take_statement;

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: |config| {
        api::routes(config);
        exceptions_api::routes(config);
    },
    codes: &[receiving::CODES, service::CODES],
    work: &[WORK],
    measures: Some(store::measures),
    ..Slice::named("payouts::bank_reports")
};
