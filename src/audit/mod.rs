//! Audit: who did what, when and why. Append-only, in the database itself; kept for ever.

pub mod api;
mod model;
mod store;

pub use model::{AuditEvent, Event};
pub use store::last_role;
