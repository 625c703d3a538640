//! Enrollments: a partner takes part in a program for a program year.
//!
//! The states and what leads from one to another stand in [`State::after`]; every change writes a history row
//! with its cause, its actor and the evaluation it rests on.

pub mod api;
mod change;
mod model;
mod reassess;
mod reminders;
mod service;
mod store;
mod view;

use crate::slice::{Slice, Tag};
pub use model::{Cause, Change, Cure, Enrollment, Event, Stage, State, earning_windows};
pub use reassess::{Invitations, follow_up, reassess, unsettled};
pub use reminders::{remind, unwarned};
pub use service::{CODES, Outcome, accept, discontinue, open_of, opt_out, request};
pub use store::with_history;
pub use view::{EnrollmentView, show};

/// What the composition root needs of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag { name: "enrollments", description: "A partner's part in a program for a program year." }),
    codes: &[CODES],
    refers_to_partner: Some(|tx, partner| Ok(store::any_of_partner(tx, partner)?.then_some("enrollment"))),
    follow_up: Some(follow_up),
    ..Slice::named("participation::enrollments")
};
