//! The end of half-years: what becomes of co-op funds once the last month is closed, reminders of what is about to be lost, and
//! what is lost when the time for claims is over. A step of the daily refresh does it, partner by partner.
//!
//! | file | holds |
//! |---|---|
//! | `model` | which step is due for a fund on a day; pure |
//! | `service` | the steps, with their transfers, notices and audit events |

mod model;
mod service;

use crate::slice::{Slice, Tag};
pub use service::{due, perform};

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    tag: Some(Tag {
        name: "coop",
        description: "What partners have for marketing: funds by half-year, and claims with their proofs.",
    }),
    ..Slice::named("payouts::half_years")
};
