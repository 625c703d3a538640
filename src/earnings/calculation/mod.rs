//! Calculation: posts what sales earn to the books. [`crate::earnings::engine`] is the law; here is what it is told, what is
//! posted of its answers, and the runs that go through the partners that wait.
//!
//! | file | holds |
//! |---|---|
//! | `posting` | one enrollment year: computed by the law from a month on, less what is posted already |
//! | `run`, `unit`, `runs_api` | the units of a run, one after the other; repeated without effect; a partner that fails is put aside |
//! | `simulation` and its view | what would be earned; nothing of it is kept |
//! | `model`, `store`, `sums` | earnings, ineligible records and runs as they are stored, and their sums by month |
//! | `earnings_api`, `ineligible_api` | the lists of them, with traces, reasons and remedies |
//! | `proof`, `recalculation_api` | every enrollment year computed again, beside what is posted |
//!
//! Which partners wait, and from which day on, stands in [`crate::sales::transactions::backlog`]; a unit takes them out with what
//! it posts. Within the open month and before, a day that changes is computed anew from its month on.

mod earning_view;
pub mod earnings_api;
mod hypothetical;
pub mod ineligible_api;
mod lever_view;
mod model;
mod posting;
pub mod proof;
pub mod recalculation_api;
mod run;
pub mod runs_api;
mod simulation;
pub mod simulation_api;
mod simulation_view;
mod store;
mod sums;
mod unit;
mod words;

use crate::slice::{Slice, Tag};
pub use earning_view::{EarningView, TraceStep, trace_view};
pub use model::{EarningRow, Grain, IneligibleRow, Run, RunState};
pub use posting::{CapUsed, LeverVolume, cap_uses, volumes};
pub use run::{WORK, calculate, calculate_in, follow_up, is_due, recalculate, start};
pub use simulation::CODES;
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
        recalculation_api::routes(config);
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
