//! Imports: files of transactions of any size. An import needs constant memory, and all rows become visible at once.
//!
//! The service reads a file while it arrives, in portions of some thousand rows. Each portion is one short unit that
//! records and counts the good rows, still hidden (`transactions::batch`); other writers come in between. The last unit
//! publishes all rows. A refund may stand before its purchase: the import holds back a bounded number of refunds until
//! their purchases come. Rows that a crash leaves behind stay hidden; the next import, or another instance, removes them.
//! One import runs on a database at a time, in a turn of the job `transaction-imports`.

pub mod api;
mod csv;
mod model;
mod ndjson;
mod portion;
mod roomy;
mod row;
mod service;
mod store;

use crate::slice::Slice;
pub use model::{Format, Import, ImportError, ImportState};
pub use service::{CODES, ImportOptions, WORK, errors_of, import_file};
pub use store::is_publishing;

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    codes: &[CODES],
    work: &[WORK],
    measures: Some(store::measures),
    ..Slice::named("sales::imports")
};
