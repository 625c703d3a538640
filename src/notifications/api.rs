//! Notifications over HTTP: read only.

use super::{DeliveryState, MailDelivery, Notification, NotificationKind, store};
use crate::{
    access::{
        Caller, PartnerKey, Tx,
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
use std::collections::HashMap;
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
    /// Identifier, a UUID of version 7 (RFC 9562).
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
    #[schema(max_length = 20000, examples("Contoso Cloud GmbH can enroll until 31 July 2026."))]
    body: String,
    /// What has become of the mail with it; null where it was written by a version that sent none.
    delivery: Option<DeliveryView>,
    /// When it was written.
    created_at: Timestamp,
}

/// What has become of a mail.
#[derive(Serialize, ToSchema)]
#[schema(as = MailDelivery)]
pub struct DeliveryView {
    /// Where it stands.
    state: DeliveryState,
    /// Tries so far.
    #[schema(minimum = 0, maximum = 1000)]
    attempts: i64,
    /// When the mail server took it; null before.
    sent_at: Option<Timestamp>,
    /// The mail's `Message-ID`, the same at every try.
    #[schema(max_length = 320, examples("<01936f2e-4b00-7000-8000-000000000001@programme.example>"))]
    message_id: String,
    /// What went wrong at the last try, for programme staff; else null.
    #[schema(max_length = 500, examples("451 4.7.1 try again later"))]
    last_error: Option<String>,
}

impl DeliveryView {
    fn of(delivery: MailDelivery, for_staff: bool) -> Self {
        Self {
            state: delivery.state,
            attempts: delivery.attempts,
            sent_at: delivery.sent_at,
            message_id: delivery.message_id,
            last_error: delivery.last_error.filter(|_| for_staff),
        }
    }
}

impl NotificationView {
    fn of(notification: Notification, delivery: Option<DeliveryView>) -> Self {
        Self {
            id: notification.id,
            user_id: notification.user_id,
            partner_id: notification.partner_id,
            kind: notification.kind,
            resource_type: notification.resource_type,
            resource_id: notification.resource_id,
            subject: notification.subject,
            body: notification.body,
            delivery,
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
    pub partner_id: Option<PartnerKey>,
    /// To this user.
    pub user_id: Option<Id>,
    /// Whose mail stands there.
    #[param(inline)]
    pub delivery_state: Option<DeliveryState>,
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
            let shown = with_deliveries(tx, notifications)?;
            let cursor = |shown: &NotificationView| Cursor { key: None, id: shown.id };
            Ok(page.answer(shown, total, cursor, std::convert::identity))
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
        .snapshot(move |tx| {
            let found = store::get(tx, *id)?;
            let delivery = store::deliveries_of(tx, &[*id])?.pop();
            let revision = delivery.as_ref().map_or(1, MailDelivery::revision);
            let for_staff = tx.actor.partner.is_none();
            let delivery = delivery.map(|delivery| DeliveryView::of(delivery, for_staff));
            Ok(Answer::record(&NotificationView::of(found, delivery), revision))
        })
        .await
}

fn with_deliveries(tx: &mut Tx<'_>, notifications: Vec<Notification>) -> Result<Vec<NotificationView>> {
    let ids: Vec<Id> = notifications.iter().map(|notification| notification.id).collect();
    let for_staff = tx.actor.partner.is_none();
    let deliveries = store::deliveries_of(tx, &ids)?.into_iter();
    let mut views: HashMap<Id, DeliveryView> = deliveries
        .map(|delivery| (delivery.notification_id, DeliveryView::of(delivery, for_staff)))
        .collect();
    Ok(notifications
        .into_iter()
        .map(|notification| {
            let delivery = views.remove(&notification.id);
            NotificationView::of(notification, delivery)
        })
        .collect())
}
