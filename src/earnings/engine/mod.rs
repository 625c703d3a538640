//! Earnings: what sales give by the levers of a program version. A pure module: the caller gathers sales and facts
//! and stores what comes out.
//!
//! Every origin (a purchase with its refunds, a customer's month, a month; by the lever's grain) has a **target**:
//! what it gives by what is known now, rounded once and capped. What is posted is the target minus what the origin
//! has posted before. So a refund is the exact negative of what it takes back, a late sale posts what was missing,
//! a retroactive tier posts the lift, and the same sales in any cut of days give the same sum.

mod account;
mod books;
mod exact;
mod facts;
mod outcome;
pub mod scale;
mod settle;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod worked_examples;

pub use account::{Account, Group, Position, Purchase};
pub use books::{Books, Counted, Terms};
pub use exact::{Exact, split};
pub use facts::{Facts, Gap, Sale};
pub use outcome::{Earning, Figures, Ineligible, Origin, Outcome, Reason, Step};
