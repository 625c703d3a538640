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

pub use model::{
    Cause, Change, Cure, Enrollment, EnrollmentKey, EnrollmentKeys, Event, Stage, State, earning_windows,
};
pub use reassess::{Invitations, follow_up, reassess, unsettled};
pub use reminders::{remind, unwarned};
pub use service::{CODES, Outcome, accept, discontinue, open_of, opt_out, request};
pub use store::with_history;
pub use view::{EnrollmentView, show};
