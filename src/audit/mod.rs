//! Audit: an event for every change, with its actor, instant and reason. Events are append-only by rules of the database
//! itself, kept for ever, and chained by hash.

pub mod api;
mod chain;
mod model;
mod service;
mod store;

use crate::slice::{Slice, Tag, VerifyCheck};
pub use chain::Seal;
pub use model::{AuditEvent, Event};
use service::check_chain;
pub use service::{ChainVerdict, WORK, seal, seal_batch, verify};
pub use store::{befores, has_begun, head, holds, last_actor, last_role};

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag { name: "audit", description: "Who did what, when and why." }),
    work: &[WORK],
    checks: &[VerifyCheck { name: "audit chain", run: check_chain }],
    ..Slice::named("audit")
};
