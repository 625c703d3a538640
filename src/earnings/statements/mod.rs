//! Statements: the summary of a partner's enrollments today, and the statement of each month as JSON, as CSV and as a
//! page to print.
//!
//! Summary and statement read sums that are kept with the books, never the single earnings, so both stay as quick as on
//! the first day. The statement of a closed month never changes, except for the states of its rebates.
//!
//! | file | holds |
//! |---|---|
//! | `summary`, `summary_view` | each enrollment today: earned, tiers, caps, the next payment, lapsing facts |
//! | `statement`, `statement_view` | one month, program by program |
//! | `table` | the statement as CSV |
//! | `page`, `words`, `chart` | the statement as a page: the template's facts, the texts in each language, the chart |

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

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag {
        name: "statements",
        description: "Where a partner stands, and its statement of each month.",
    }),
    ..Slice::named("earnings::statements")
};
