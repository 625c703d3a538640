//! Enrollments: a partner takes part in a program for a program year.
//!
//! The states and what leads from one to another stand in [`State::after`]; every change leaves a row of the history
//! with its cause, its actor and the evaluation it rests on. This slice keeps the records and shows them; whether a
//! partner is let in, and what happens to it afterwards, is decided by admission.

pub mod api;
mod model;
mod store;
mod tenure;
mod view;

use crate::slice::{Slice, Tag};
pub use model::{
    Cause, Cure, Enrollment, EnrollmentEvent, EnrollmentHistory, EnrollmentKey, EnrollmentKeys,
    Participation, State, StateChange, WithCurrencies,
};
pub use store::{
    add_change, earning_days, enrolled_in, get, histories, insert, of_every_year, of_partners, open_or_since,
    participations, partner_of, payment_terms_of, programs_of, refers_to, until, update, with_currencies,
    with_history,
};
pub(crate) use store::{in_program, of_enrollment, of_one};
pub use tenure::{Tenure, earning_window, earning_windows, tenures};
pub use view::{EnrollmentView, ProgramEnrollment, show};

/// What the composition root needs of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag { name: "enrollments", description: "A partner's part in a program for a program year." }),
    refers_to_partner: Some(|tx, partner| Ok(store::refers_to(tx.conn, partner)?.then_some("enrollment"))),
    ..Slice::named("participation::enrollments")
};
