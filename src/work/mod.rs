//! Background work: one engine for everything that no request waits for.
//!
//! A slice registers [`Work`]: a [`JobName`], a [`Schedule`] or a [`Queue`] to look into, and a function that does what
//! waits, unit by unit. The [`Engine`] of every instance looks once a second, with a few small statements, what is due.
//!
//! - **One at a time.** Whoever works has a [`Turn`]: a lease in the job's row, renewed while its holder works. A command
//!   takes its turn the same way.
//! - **Resumption.** How far work has come stands in its own rows, written with what it did. The turn after one that was
//!   broken off goes on there; each unit checks the [`Lease`], so that whoever was only slow leaves its hands off.
//! - **Retry.** A unit that the database cannot do just now is tried again by [`retry`]; a run that failed is begun again
//!   after a wait that doubles up to five minutes. What the work has dealt with itself ends as [`End::Troubled`].
//! - **Drain.** When the service stops, nothing is begun, what is under way ends with its unit, and leases are given back.
//!
//! Leases and schedules go by the injected clock, which may jump: what is stamped in the future counts for nothing.

mod engine;
mod metrics;
mod model;
mod store;
mod turn;

pub use engine::{Engine, Queue, Work};
pub use model::{End, JobName, LEASE_SECONDS, Record, Schedule, wait_after};
pub use turn::{Lease, Turn, in_short, passes, retry};
