//! Background work: one engine for everything that no request waits for.
//!
//! A slice registers [`Work`]: a [`JobName`], a [`Schedule`] or a [`Queue`], and a function that does the waiting work
//! unit by unit. The [`Engine`] of every instance looks for due jobs once a second, with a few small statements.
//!
//! - **One at a time.** An instance that works on a job holds a [`Turn`]: a lease in the job's row, renewed during the
//!   work. A command takes its turn the same way.
//! - **Resumption.** Work writes its progress into rows of its own, in the unit of the change itself. The turn after an
//!   interrupted turn goes on from there; each unit checks the [`Lease`], so that an instance that was only slow changes
//!   nothing after another instance has taken over.
//! - **Retry.** [`retry`] runs a unit again that the database could not do; a failed run begins again after a wait that
//!   doubles up to five minutes. A run that has dealt with a failure itself ends as [`End::Troubled`].
//! - **Drain.** When the service stops, no job begins, running jobs end with their current unit, and leases are given back.
//!
//! Leases and schedules go by the injected clock, which may jump: an instant in the future is ignored. The engine begins
//! no job while the clock is not trusted ([`Clock::distrusted_for`]), and running jobs end with their current unit, so that
//! a clock that is ahead for a minute does not do the work of another day.
//!
//! [`Clock::distrusted_for`]: crate::platform::values::Clock::distrusted_for

mod engine;
mod metrics;
mod model;
mod store;
mod turn;

pub use engine::{Engine, Queue, Work};
pub use model::{End, JobName, JobRecord, LEASE_SECONDS, Schedule, wait_after};
pub use turn::{Lease, Turn, in_short, passes, retry};
