//! Audit: who did what, when and why. Append-only, in the database itself; kept for ever; chained by hash.

pub mod api;
mod chain;
mod model;
mod service;
mod store;

use crate::slice::{Check, Slice, Tag};
pub use chain::Seal;
pub use model::{AuditEvent, Event};
use service::check_chain;
pub use service::{Verdict, WORK, seal, seal_batch, verify};
pub use store::{has_begun, last_role};

/// What the composition root needs of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag { name: "audit", description: "Who did what, when and why." }),
    work: &[WORK],
    checks: &[Check { name: "audit chain", run: check_chain }],
    ..Slice::named("audit")
};
