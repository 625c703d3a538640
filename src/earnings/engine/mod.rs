//! The law of earnings: what sales give by the levers of a year's program versions, by everything known. A pure module: the
//! caller gathers purchases and facts, and stores the result.
//!
//! [`Year::month`] is the one computation. It is told the months of an enrollment year in order, each with **all** purchases of
//! the month, each purchase with all of its refunds; it gives a [`EarningTarget`] for every lever and origin, and passes on what later
//! months rest on, the [`YearToDate`]. A posting is a target less what the same origin has posted. A late fact of a month is
//! computed from that month on, with the standing of the months before; so there is one way to compute, whenever it is asked.
//!
//! | file | holds |
//! |---|---|
//! | `method` | what each kind of lever does |
//! | `month` | how a purchase is judged by every lever, and what is rounded by itself |
//! | `groups` | what is rounded at the end of a month: customers' months, months, growth, activity |
//! | `caps` | rounding, caps and the split |
//! | `standing` | what a month passes on: volumes, uses of caps, known customers |
//! | `target`, `reason` | what comes out |
//! | `by_rate` | which part of an amount was given at which rate |
//! | `trace` | how an amount came about, for people |
//! | `scale`, `exact` | tiers, and amounts before rounding |

mod by_rate;
mod caps;
mod exact;
mod facts;
mod groups;
mod method;
mod month;
mod purchase;
mod reason;
pub mod scale;
mod standing;
mod target;
mod trace;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod worked_examples;

pub use by_rate::{ByRate, RatePart};
pub use exact::{Exact, split};
pub use facts::{Attained, EarningFacts, SoldMonths};
pub use month::Year;
pub use purchase::{Purchase, Refund};
pub use reason::Reason;
pub use standing::{CapHolder, CapUse, LeverMonthToDate, LeverToDate, YearToDate};
pub use target::{EarningTarget, Figures, GivenSlice, Origin, Shortfall};
pub use trace::{CalculationStep, Traced};

/// A sum or an amount that leaves the range of amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange;
