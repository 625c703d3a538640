//! Admission: who is invited, let in, barred and let go, each change with its grounds.
//!
//! Enrollments are moved here and nowhere else: by what people do, by facts that change, by the clock. Whenever an
//! enrollment is looked at, its record is brought to where everything known puts it: the order in which facts were
//! learned, and the days on which somebody looked, make no difference.
//!
//! | file | holds |
//! |---|---|
//! | `settling` | where an enrollment stands by everything known, and what is due until its record says so |
//! | `survey` | what is due for many partners, found by a constant number of queries |
//! | `reassess` | doing what is due: when facts have changed, and day by day |
//! | `change` | how a change of state is written |
//! | `service`, `api` | what people do with enrollments |
//! | `model`, `reminders`, `store` | telling a partner in time that its eligibility is about to end |

pub mod api;
mod change;
mod model;
mod reassess;
mod reminders;
mod service;
mod settling;
mod store;
mod survey;

#[cfg(test)]
mod properties;

use crate::slice::Slice;
pub use model::Stage;
pub use reassess::{Occasion, follow_up, reassess, unsettled};
pub use reminders::{remind, unwarned};
pub use service::{CODES, RequestOutcome, accept, discontinue, open_of, opt_out, request};

/// What the composition root needs of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    codes: &[CODES],
    follow_up: Some(reassess::follow_up_elsewhere),
    ..Slice::named("participation::admission")
};
