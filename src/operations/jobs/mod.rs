//! Jobs: how background work stands, and the daily refresh.
//!
//! The **daily refresh** walks over all partners, step by step, in batches. What is due is found without holding
//! anybody up; what is found is written in one short unit, together with how far the run has come. So a crash loses
//! nothing and repeats nothing. A step more is a [`RefreshStep`] more, and its two functions in `steps`.

pub mod api;
mod model;
pub mod refresh;
mod service;
mod steps;
mod store;

use crate::slice::{Slice, Tag};
pub use model::{JobRun, JobRunState, RefreshStep};
pub use service::CODES;

/// What the composition root needs of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag {
        name: "jobs",
        description: "Work that runs in the background, and how far it has come.",
    }),
    codes: &[CODES],
    work: &[refresh::WORK],
    ..Slice::named("operations::jobs")
};
