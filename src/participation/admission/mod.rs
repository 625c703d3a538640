//! Admission: who is invited, let in, barred and let go, each change with its grounds.
//!
//! Enrollments are moved here and nowhere else: by what people do, by facts that change, by the clock.

pub mod api;
mod change;
mod model;
mod reassess;
mod reminders;
mod service;
mod store;

use crate::slice::Slice;
pub use model::Stage;
pub use reassess::{Invitations, follow_up, reassess, unsettled};
pub use reminders::{remind, unwarned};
pub use service::{CODES, Outcome, accept, discontinue, open_of, opt_out, request};

/// What the composition root needs of this slice.
pub const SLICE: Slice =
    Slice { routes: api::routes, codes: &[CODES], ..Slice::named("participation::admission") };
