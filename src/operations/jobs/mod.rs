//! Jobs: the state of background work, and the daily refresh.
//!
//! The **daily refresh** walks over all partners, step by step, in batches. Each batch finds the partners with due
//! changes in a snapshot, then writes the changes in one short unit together with the progress of the run. So a crash
//! loses nothing and repeats nothing. A new step is a new [`RefreshStep`] with its two functions in `steps`.

pub mod api;
mod model;
pub mod refresh;
mod service;
mod steps;
mod store;

use crate::slice::{Slice, Tag};
pub use model::{JobRun, JobRunState, RefreshStep};
pub use service::CODES;

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag {
        name: "jobs",
        description: "Work that runs in the background, and how far it has come.",
    }),
    codes: &[CODES],
    work: &[refresh::WORK],
    measures: Some(store::measures),
    ..Slice::named("operations::jobs")
};
