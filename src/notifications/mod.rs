//! Notifications: what the service tells people, as an outbox written in the same unit as the change it tells of.
//! Other slices call [`tell`] with a [`Message`].

pub mod api;
mod message;
mod model;
mod service;
mod store;

pub use message::Message;
pub use model::{Locale, Notification, NotificationKind, Recipient};
pub use service::tell;
