//! Audit: who did what, when and why. Append-only, in the database itself; kept for ever; chained by hash.

pub mod api;
mod chain;
mod model;
mod service;
mod store;

pub use chain::Seal;
pub use model::{AuditEvent, Event};
pub use service::{Verdict, seal, verify};
pub use store::{has_begun, last_role};
