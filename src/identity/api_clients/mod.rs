//! API clients: the machines that may call the service, what each may do, and the secrets they prove themselves by.
//!
//! Signing in gives them tokens with [`authenticate`] and [`used`].

pub mod api;
mod model;
mod service;
mod store;

pub use model::{ApiClient, ApiClientStatus};
pub use service::{authenticate, event_of, used};
pub use store::{refers_to, standing};
