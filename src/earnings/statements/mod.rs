//! What a partner is told about its money: the summary of where it stands, and the statement of each month as JSON, CSV
//! and a page to be printed.
//!
//! Both read sums that are kept with the books, never the earnings themselves, so they stay as quick as on the first
//! day. A statement of a closed month never changes, but for what has become of its payment.
//!
//! | file | holds |
//! |---|---|
//! | `summary`, `summary_view` | where each enrollment stands: earned, tiers, caps, the next payment, what lapses |
//! | `statement`, `statement_view` | one month, program by program |
//! | `table` | the statement as CSV |
//! | `page`, `words`, `chart` | the statement as a page: its template's facts, its words, its drawing |

pub mod api;
mod chart;
mod page;
mod statement;
mod statement_view;
mod summary;
mod summary_view;
mod table;
mod words;

use crate::slice::{Slice, Tag};

/// What the composition root needs of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag {
        name: "statements",
        description: "Where a partner stands, and its statement of each month.",
    }),
    ..Slice::named("earnings::statements")
};
