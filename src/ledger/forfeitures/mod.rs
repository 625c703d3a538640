//! Forfeitures: rebates that nobody can pay are lost, after a notice. What waits for the partner's profiles for over 180 days is
//! lost, and what is below the payment threshold when its program year has ended. The daily refresh announces a loss 30 days
//! before, takes an announcement back where the partner has averted the loss, and moves what is lost to its ledger account.
//!
//! | file | holds |
//! |---|---|
//! | `model` | the rules, pure, and the forfeiture |
//! | `service` | what the daily refresh does |
//! | `words` | the rules in words |

mod model;
mod service;
mod store;
mod words;

use crate::slice::Slice;
pub use model::{
    Candidate, Forfeiture, ForfeitureCause, ForfeitureKey, ForfeitureState, UpcomingLoss, YearEnd, candidates,
};
pub use service::{due, follow};
pub use store::announced;

/// The declaration of this slice.
pub const SLICE: Slice = Slice::named("ledger::forfeitures");
