//! API clients: the machines that may call the service, with their roles, scopes and secrets.
//!
//! `sessions` gives a client its tokens with [`authenticate`] and [`used`].

pub mod api;
mod model;
mod service;
mod store;

use crate::slice::{Slice, Tag};
pub use model::{ApiClient, ApiClientStatus};
pub use service::{authenticate, event_of, used};
pub use store::standing;

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag {
        name: "api-clients",
        description: "The machines that may call the service, and what each may do.",
    }),
    refers_to_partner: Some(|tx, partner| Ok(store::refers_to(tx.conn, partner)?.then_some("API client"))),
    ..Slice::named("identity::api_clients")
};
