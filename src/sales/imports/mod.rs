//! Imports: files of transactions of any size. An import needs constant memory, and all rows become visible at once.
//!
//! The service reads a file in portions of some thousand rows once the file has arrived, and a long one, or one whose sender
//! prefers an answer at once, from the pieces in which the file was kept. Each portion is one short unit that records and counts the
//! good rows, still hidden (`transactions::batch`); other writers come in between. A refund may stand before its purchase:
//! its row waits in a table of the import until the file has ended. The last unit publishes all rows.
//!
//! One import runs on a database at a time, in a turn of the job `transaction-imports`. Where a crash breaks off an import
//! whose file was kept, the next turn goes on after the rows that were recorded; the rows of any other import that was
//! broken off stay hidden, and the next turn removes them.

pub mod api;
mod arriving;
mod columns;
mod csv;
mod kept_file;
mod model;
mod ndjson;
mod portion;
mod recording;
mod rejected;
mod roomy;
mod row;
mod service;
mod store;
mod view;
mod words;

use crate::slice::Slice;
pub use model::{Format, Import, ImportError, ImportOptions, ImportState};
pub use service::{CODES, WORK, errors_of, import_file};
pub use store::is_publishing;
pub use words::remedy;

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    codes: &[CODES],
    work: &[WORK],
    sweep: Some(store::sweep_pieces),
    measures: Some(store::measures),
    ..Slice::named("sales::imports")
};
