//! Payment files: what a bank is told to pay. A file holds the approved payments of a run in one currency; what would keep the
//! bank from paying is found before the file exists. A file is made once, kept sealed, and every download has the same bytes.
//!
//! | file | holds |
//! |---|---|
//! | `model` | the file, and its states |
//! | `orders` | payments and accounts as a bank reads them |
//! | `making` | the check and the writing of a file, payment by payment |
//! | `service` | download, dispatch and withdrawal |

pub mod api;
mod making;
mod model;
mod orders;
mod service;
mod store;
mod view;

use crate::slice::{Slice, Tag};
pub use making::{CODES, NewFile, make};
pub use model::{FileContent, PaymentFile, PaymentFileState};
pub use orders::{group, order, payer, scheme};
pub use service::{dispatch, lock_with_run};
pub use store::{get, named};

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag {
        name: "payment_files",
        description: "Files for banks, what banks report of them, and the statements that show what was paid.",
    }),
    codes: &[CODES, service::CODES],
    measures: Some(store::measures),
    ..Slice::named("payouts::payment_files")
};
