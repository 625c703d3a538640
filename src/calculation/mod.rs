//! Calculation: posts what sales earn to the books. [`crate::earnings`] does the sums; here is what it is told, what
//! is kept of its answers, and the run that goes through the partners that wait.
//!
//! | file | holds |
//! |---|---|
//! | `model` | an earning, an ineligible record and a run as they are kept |
//! | `sales` | which sales are new, which are judged again, what is known of purchases |
//! | `memory` | what is remembered of sales, for refunds of them |
//! | `state` | where each lever stands: volumes, caps, groups |
//! | `sums` | earnings and ineligible records in sums, by lever and month |
//! | `batch` | one partner: gathers, posts and stores, inside one unit |
//! | `run` | the units of a run, one after the other; it resumes after a crash and repeats without effect |
//! | `verify` | everything that is kept, computed again |
//! | `words` | why something does not earn, and what to do about it |
//!
//! Which partners wait stands in [`crate::transactions::backlog`]; a unit takes them out with what it posts.

mod batch;
mod earning_view;
pub mod earnings_api;
pub mod ineligible_api;
mod memory;
mod model;
mod run;
pub mod runs_api;
mod sales;
mod state;
mod store;
mod sums;
mod verify;
mod words;

pub use earning_view::{EarningView, TraceStep, trace_view};
pub use model::{EarningRow, Grain, IneligibleRow, Run, RunState};
pub use run::{calculate, follow_up, is_due, start, work};
pub use store::{last_calculated, terms_of};
pub use sums::{IneligibleMonth, LeverMonth, ineligible_months, lever_months};
pub use verify::verify;
pub use words::{message, remedy};
