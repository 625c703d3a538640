//! The closing of months: the preview, the closing with the statements of the month, and the report that is kept.

pub mod api;
mod report;
mod store;

use crate::slice::Slice;
pub use report::{MonthClosing, close};

/// The declaration of this slice.
pub const SLICE: Slice = Slice { routes: api::routes, ..Slice::named("earnings::closing") };
