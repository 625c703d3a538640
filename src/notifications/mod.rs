//! Notifications to people: an outbox that is written in the same unit as the change a notification reports.
//!
//! Other slices call [`notify`] with a [`Message`]. The message is put into words for each recipient, and a mail with the
//! words is queued; the dispatch sends due mails, at least once, each mail under a message id of its own.

pub mod api;
mod dispatch;
mod message;
mod model;
mod service;
mod store;
mod transport;
mod words;

use crate::{
    access::SealedColumn,
    platform::db::BytesColumn,
    slice::{Slice, Tag},
};
pub use dispatch::{WORK, check_settings};
pub use message::{ListedUser, Message, PaymentEnd};
pub use model::{DeliveryState, MailDelivery, Notification, NotificationKind, Recipient};
pub use service::{About, Notice, notify, notify_each};
pub use store::refers_to;
pub use words::{day, instant, month};

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag {
        name: "notifications",
        description: "What the service tells a partner's incentive admins.",
    }),
    work: &[WORK],
    measures: Some(store::measures),
    settings: Some(check_settings),
    sealed: &[SEALED],
    refers_to_partner: Some(|tx, partner| Ok(store::refers_to(tx.conn, partner)?.then_some("notification"))),
    ..Slice::named("notifications")
};

/// The temporary passwords of mails that have not gone yet.
const SEALED: SealedColumn = SealedColumn {
    at: BytesColumn { table: "deliveries", row: "notification_id", column: "secret" },
    record: "notification",
    once_clear: false,
};
