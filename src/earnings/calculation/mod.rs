//! Calculation: posts what sales earn to the books. [`crate::earnings::engine`] does the sums; here is what it is told, what
//! is kept of its answers, and the run that goes through the partners that wait.
//!
//! | file | holds |
//! |---|---|
//! | `model` | an earning, an ineligible record and a run as they are kept |
//! | `sales` | which sales are new, and what is known of purchases |
//! | `curable` | which ineligible records something has mended by now |
//! | `growth` | what months are compared with |
//! | `memory` | what is remembered of sales, for refunds of them |
//! | `state` | where each lever stands: volumes, caps, groups |
//! | `sums` | earnings and ineligible records in sums, by lever and month |
//! | `gather` | what a posting of one partner rests on: sales, facts, books as they stood |
//! | `batch` | one partner: posts and stores, inside one unit |
//! | `run` | the units of a run, one after the other; it resumes after a crash and repeats without effect |
//! | `simulation_api`, `simulation`, `supposed`, `simulation_view`, `standing` | what would be earned; nothing of it is kept |
//! | `verify` | everything that is kept, computed again |
//! | `words` | why something does not earn, and what to do about it |
//!
//! Which partners wait stands in [`crate::sales::transactions::backlog`]; a unit takes them out with what it posts.

mod batch;
mod curable;
mod earning_view;
pub mod earnings_api;
mod gather;
mod growth;
pub mod ineligible_api;
mod memory;
mod model;
mod run;
pub mod runs_api;
mod sales;
mod simulation;
pub mod simulation_api;
mod simulation_view;
mod standing;
mod state;
mod store;
mod sums;
mod supposed;
mod words;

use crate::slice::{Slice, Tag};
pub use earning_view::{EarningView, TraceStep, trace_view};
pub use model::{EarningRow, Grain, IneligibleRow, Run, RunState};
pub use run::{WORK, calculate, calculate_in, follow_up, is_due, start};
pub use simulation::CODES;
pub use state::{CapUse, LeverVolume, cap_uses, volumes};
pub use store::{last_calculated, refers_to, terms_of};
pub use sums::{IneligibleMonth, LeverMonth, ineligible_months, lever_months};
pub use words::{message, remedy};

/// What the composition root needs of this slice.
pub const SLICE: Slice = Slice {
    routes: |config| {
        earnings_api::routes(config);
        ineligible_api::routes(config);
        simulation_api::routes(config);
        runs_api::routes(config);
    },
    tag: Some(Tag {
        name: "earnings",
        description: "What sales earned, what did not, and the calculation that says so.",
    }),
    codes: &[CODES, runs_api::CODES],
    work: &[WORK],
    refers_to_partner: Some(|tx, partner| {
        Ok(store::refers_to(tx.conn, partner)?.then_some("calculation run"))
    }),
    follow_up: Some(follow_up),
    ..Slice::named("earnings::calculation")
};
