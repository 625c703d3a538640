//! Runs: units that post what partners earn who wait, one unit after the other, until none waits; and the proof that what is
//! posted is right.
//!
//! | file | holds |
//! |---|---|
//! | `model`, `store` | runs as they are stored |
//! | `run` | a run from its beginning to its end; one that was broken off is gone on with |
//! | `unit` | what is posted together; a partner whose calculation fails is put aside |
//! | `runs_api` | runs that people ask for |
//! | `proof`, `recalculation_api` | every enrollment year computed again, beside what is posted |
//! | `second_look` | one line of the books computed again |

mod model;
pub mod proof;
pub mod recalculation_api;
mod run;
pub mod runs_api;
mod second_look;
mod store;
mod unit;

pub use model::{Run, RunState};
pub use run::{WORK, calculate, calculate_in, follow_up, is_due, recalculate, start};
pub use runs_api::run_at_work;
pub use second_look::{LookedAt, SecondLine, second_look};
pub use store::{last_calculated, measures, refers_to};
