//! Calculation: posts what sales earn to the books. [`crate::earnings::engine`] is the law; here is what it is told, what is
//! posted of its answers, and the runs that go through the partners that wait.
//!
//! Each part may use those before it.
//!
//! | part | holds |
//! |---|---|
//! | `records` | earnings and ineligible records as they are kept and listed, and their sums by month |
//! | `posting` | one enrollment year: computed by the law from a month on, less what is posted already |
//! | `runs` | units of posting, one after the other, and the proof of what is posted |
//! | `simulation` | what would be earned; nothing of it is kept |
//!
//! Which partners wait, and from which day on, stands in [`crate::sales::transactions::backlog`]; a unit takes them out with what
//! it posts. Within the open month and before, a day that changes is computed anew from its month on.

mod records;

mod posting;

mod runs;

mod simulation;

use crate::slice::{Slice, Tag};
pub use posting::{CapUsed, LeverVolume, cap_uses, volumes};
pub use records::{
    EarningRow, EarningView, Grain, IneligibleMonth, IneligibleRow, LeverMonth, LeverRate, RateWait,
    TraceStep, earning, ineligible_months, ineligible_record, lever_months, lever_rates, message,
    partners_refused_in, rate_waits, remedy, terms_of, trace_view,
};
pub use runs::{
    LookedAt, Run, RunState, SecondLine, WORK, calculate, calculate_in, follow_up, is_due, last_calculated,
    proof, recalculate, refers_to, run_at_work, second_look, start,
};
pub use simulation::CODES;

/// What the composition root needs of this slice.
pub const SLICE: Slice = Slice {
    routes: |config| {
        records::earnings_api::routes(config);
        records::ineligible_api::routes(config);
        simulation::simulation_api::routes(config);
        runs::runs_api::routes(config);
        runs::recalculation_api::routes(config);
    },
    tag: Some(Tag {
        name: "earnings",
        description: "What sales earned, what did not, and the calculation that says so.",
    }),
    codes: &[CODES, runs::runs_api::CODES],
    work: &[WORK],
    measures: Some(runs::measures),
    refers_to_partner: Some(|tx, partner| Ok(refers_to(tx.conn, partner)?.then_some("calculation run"))),
    follow_up: Some(follow_up),
    ..Slice::named("earnings::calculation")
};
