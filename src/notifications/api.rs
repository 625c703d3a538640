//! Notifications over HTTP: read only.

use super::{Notification, NotificationKind, store};
use crate::{
    access::{
        Caller,
        policy::{GetNotification, ListNotifications},
    },
    platform::{
        Result,
        http::{Answer, Cursor, Listing, PageParams, PageRequest, Path, page_of},
        values::{Id, Timestamp},
    },
};
use actix_web::get;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_notifications).service(get_notification);
}

/// A message of the service to one user.
#[derive(Serialize, ToSchema)]
#[schema(as = Notification)]
pub struct NotificationView {
    /// Identifier.
    id: Id,
    /// To whom.
    user_id: Id,
    /// The partner it is about; null where it is about no partner.
    partner_id: Option<Id>,
    /// What it is about.
    kind: NotificationKind,
    /// Kind of the record it is about.
    #[schema(max_length = 60, examples("enrollment"))]
    resource_type: String,
    /// The record it is about.
    resource_id: Id,
    /// One line.
    #[schema(max_length = 200, examples("You are invited to CSP Direct Bill"))]
    subject: String,
    /// The message.
    #[schema(max_length = 4000, examples("Contoso Cloud GmbH can enroll until 31 July 2026."))]
    body: String,
    /// When it was written.
    created_at: Timestamp,
}

impl From<Notification> for NotificationView {
    fn from(notification: Notification) -> Self {
        Self {
            id: notification.id,
            user_id: notification.user_id,
            partner_id: notification.partner_id,
            kind: notification.kind,
            resource_type: notification.resource_type,
            resource_id: notification.resource_id,
            subject: notification.subject,
            body: notification.body,
            created_at: notification.created_at,
        }
    }
}

page_of!(
    /// One page of notifications.
    pub NotificationPage of NotificationView
);

/// Which notifications to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NotificationFilter {
    /// About this.
    #[param(inline)]
    pub kind: Option<NotificationKind>,
    /// About this partner.
    pub partner_id: Option<Id>,
    /// To this user.
    pub user_id: Option<Id>,
}

/// List notifications
///
/// What the service has told people, newest first: a partner's user sees what is addressed to that user, programme
/// staff see all of it.
#[utoipa::path(
    tag = "notifications",
    params(NotificationFilter, PageParams),
    responses((status = 200, body = NotificationPage))
)]
#[get("/v1/notifications")]
async fn list_notifications(
    caller: Caller<ListNotifications>,
    page: PageRequest<NotificationFilter>,
) -> Result<Listing> {
    caller
        .list(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let notifications = store::list(tx, page)?;
            let cursor = |notification: &Notification| Cursor { key: None, id: notification.id };
            Ok(page.answer(notifications, total, cursor, NotificationView::from))
        })
        .await
}

/// Read a notification
///
/// One message, with the record it is about.
#[utoipa::path(tag = "notifications", responses((status = 200, body = NotificationView)))]
#[get("/v1/notifications/{id}")]
async fn get_notification(caller: Caller<GetNotification>, id: Path<Id>) -> Result<Answer> {
    caller
        .read(move |tx| store::get(tx, *id).map(|found| Answer::record(&NotificationView::from(found), 1)))
        .await
}
