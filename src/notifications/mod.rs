//! Notifications: what the service tells a partner's incentive admins, as an outbox written in the same unit as
//! the change it tells of. Other slices call [`notify_admins`].

pub mod api;
mod model;
mod service;
mod store;

pub use model::{Notification, NotificationKind};
pub use service::{Notice, notify_admins};
