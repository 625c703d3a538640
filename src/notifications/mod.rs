//! Notifications: what the service tells people, as an outbox written in the same unit as the change it tells of.
//!
//! Other slices call [`tell`] with a [`Message`]. It is put into words for each reader, and a mail with them is
//! queued; the dispatch sends what is due, at least once, each mail under a message id of its own.

pub mod api;
mod dispatch;
mod message;
mod model;
mod service;
mod store;
mod transport;
mod words;

use crate::slice::{Slice, Tag};
pub use dispatch::{WORK, check_settings};
pub use message::Message;
pub use model::{Delivery, DeliveryState, Locale, Notification, NotificationKind, Recipient};
pub use service::tell;
pub use store::refers_to;
pub use words::{day, instant};

/// What the composition root needs of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag {
        name: "notifications",
        description: "What the service tells a partner's incentive admins.",
    }),
    work: &[WORK],
    settings: Some(check_settings),
    refers_to_partner: Some(|tx, partner| Ok(store::refers_to(tx.conn, partner)?.then_some("notification"))),
    ..Slice::named("notifications")
};

/// Where the secret of a mail is sealed.
fn place_of(notification: crate::platform::values::Id) -> String {
    format!("deliveries/{notification}")
}
