//! Statements: the summary of a partner's enrollments today, and the statement of each month as JSON, as CSV and as a
//! page to print.
//!
//! Summary and statement read sums that are kept with the books, never the single earnings, so both stay as quick as on
//! the first day. The statements of a month are stored in the unit that closes the month, in every language, and never
//! change: JSON, table and page are made from what is stored. Later facts go on later statements.
//!
//! | file | holds |
//! |---|---|
//! | `summary`, `summary_view` | each enrollment today: earned, tiers, caps, the next payment, lapsing facts |
//! | `statement`, `statement_view`, `owed_view` | one month, program by program |
//! | `kept`, `languages` | the statements of closed months, stored in every language, and their hashes |
//! | `link` | a link that opens a statement as a page for a few minutes |
//! | `table` | the statement as CSV |
//! | `page`, `words`, `chart` | the statement as a page: the template's facts, the texts in each language, the chart |

pub mod api;
mod chart;
mod kept;
mod languages;
mod link;
mod owed_view;
mod page;
mod statement;
mod statement_view;
mod summary;
mod summary_view;
mod table;
mod words;

use crate::slice::{Slice, Tag, VerifyCheck};
pub use kept::{keep, partners_told};
pub use page::{STYLE, figure};

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag {
        name: "statements",
        description: "Where a partner stands, and its statement of each month.",
    }),
    codes: &[link::CODES],
    checks: &[VerifyCheck { name: "statements", run: |tx, _| kept::check(tx) }],
    ..Slice::named("earnings::statements")
};
