//! Imports: files of transactions, of any size, taken in constant memory and seen at once.
//!
//! A file is read while it arrives, in portions of some thousand rows. Each portion is one short unit that records its
//! good rows where nobody sees them (`transactions::batch`) and counts; other writers come in between. The last unit
//! publishes all of them at once. What a crash leaves behind is invisible, and cleared up before the next import, or
//! by another instance: one import runs on a database at a time, in its turn at the job of that name.

pub mod api;
mod csv;
mod model;
mod ndjson;
mod row;
mod service;
mod store;

use crate::slice::Slice;
pub use model::{Format, Import, ImportError, ImportState};
pub use service::{CODES, ImportOptions, WORK, errors_of, run};
pub use store::is_publishing;

/// What the composition root needs of this slice.
pub const SLICE: Slice =
    Slice { routes: api::routes, codes: &[CODES], work: &[WORK], ..Slice::named("sales::imports") };
