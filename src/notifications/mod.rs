//! Notifications: what the service tells people, as an outbox written in the same unit as the change it tells of.
//!
//! Other slices call [`tell`] with a [`Message`]. It is put into words for each reader, and a mail with them is
//! queued; [`post`] sends what is due, at least once, each mail under a message id of its own.

pub mod api;
mod carrier;
mod message;
mod model;
pub mod post;
mod service;
mod store;
mod words;

pub use message::Message;
pub use model::{Delivery, DeliveryState, Locale, Notification, NotificationKind, Recipient};
pub use service::tell;
pub use store::refers_to;
pub use words::{day, instant};

/// Where the secret of a mail is sealed.
fn place_of(notification: crate::platform::values::Id) -> String {
    format!("deliveries/{notification}")
}
