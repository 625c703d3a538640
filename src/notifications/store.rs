//! The notifications in the database.

use super::{DeliveryState, MailDelivery, Notification, api::NotificationFilter};
use crate::{
    access::{Actor, PartnerKey, Tx},
    platform::{
        Error, Result,
        db::{Conn, MultiBackend, insert_many},
        http::{PageRequest, keyset},
        values::{Id, Timestamp},
    },
    schema::{deliveries, notifications},
    slice::Measure,
};
use diesel::prelude::*;

/// An attempt to send the mail of a notification.
#[derive(Clone, Copy)]
pub(super) struct DeliveryAttempt {
    pub notification_id: Id,
    /// The number of attempts including this one.
    pub number: i64,
}

/// The notifications an actor may see: a partner's user sees the notifications addressed to that user alone.
fn visible(actor: Actor) -> notifications::BoxedQuery<'static, MultiBackend> {
    let all = notifications::table.into_boxed();
    match (actor.partner, actor.id()) {
        (Some(_), Some(user)) => all.filter(notifications::user_id.eq(user)),
        _ => all,
    }
}

fn matching(
    tx: &mut Tx<'_>,
    filter: &NotificationFilter,
) -> Result<notifications::BoxedQuery<'static, MultiBackend>> {
    let partner = PartnerKey::asked_for(filter.partner_id.as_ref(), tx)?;
    let mut query = visible(tx.actor);
    if let Some(kind) = filter.kind {
        query = query.filter(notifications::kind.eq(kind));
    }
    if let Some(id) = partner {
        query = query.filter(notifications::partner_id.eq(id));
    }
    if let Some(id) = filter.user_id {
        query = query.filter(notifications::user_id.eq(id));
    }
    if let Some(state) = filter.delivery_state {
        let mails = deliveries::table.filter(deliveries::state.eq(state)).select(deliveries::notification_id);
        query = query.filter(notifications::id.eq_any(mails));
    }
    Ok(query)
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<NotificationFilter>) -> Result<Vec<Notification>> {
    let query = matching(tx, &page.filter)?;
    Ok(keyset!(query, page, notifications, newest).select(Notification::as_select()).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &NotificationFilter) -> Result<i64> {
    Ok(matching(tx, filter)?.count().get_result(tx.conn)?)
}

pub(super) fn get(tx: &mut Tx<'_>, id: Id) -> Result<Notification> {
    let query = visible(tx.actor).filter(notifications::id.eq(id)).select(Notification::as_select());
    query.get_result(tx.conn).optional()?.ok_or(Error::not_found("notification", "通知"))
}

pub(super) fn insert(tx: &mut Tx<'_>, notification: &Notification) -> Result<()> {
    diesel::insert_into(notifications::table).values(notification).execute(tx.conn)?;
    Ok(())
}

/// Adds notifications with their mails, by a constant number of statements.
pub(super) fn insert_all(
    tx: &mut Tx<'_>,
    notifications: &[Notification],
    mails: &[MailDelivery],
) -> Result<()> {
    insert_many!(tx.conn, notifications::table, notifications);
    insert_many!(tx.conn, deliveries::table, mails);
    Ok(())
}

/// The mails of these notifications; a notification from before the service sent mails has none.
pub(super) fn deliveries_of(tx: &mut Tx<'_>, notifications: &[Id]) -> Result<Vec<MailDelivery>> {
    let these = deliveries::table.filter(deliveries::notification_id.eq_any(notifications.to_vec()));
    Ok(these.select(MailDelivery::as_select()).load(tx.conn)?)
}

pub(super) fn insert_delivery(tx: &mut Tx<'_>, delivery: &MailDelivery) -> Result<()> {
    diesel::insert_into(deliveries::table).values(delivery).execute(tx.conn)?;
    Ok(())
}

/// The due mail that has waited longest, with its notification.
pub(super) fn next_due(tx: &mut Tx<'_>) -> Result<Option<(MailDelivery, Notification)>> {
    let due = deliveries::table
        .inner_join(notifications::table.on(notifications::id.eq(deliveries::notification_id)))
        .filter(deliveries::state.eq(DeliveryState::Queued))
        .filter(deliveries::due_at.le(tx.now))
        .order(deliveries::due_at)
        .limit(1);
    Ok(due.select((MailDelivery::as_select(), Notification::as_select())).get_result(tx.conn).optional()?)
}

/// The numbers of mails for monitors.
pub(super) fn measures(tx: &mut Tx<'_>) -> Result<Vec<Measure>> {
    let mut counted = |state: DeliveryState| {
        deliveries::table.filter(deliveries::state.eq(state)).count().get_result::<i64>(tx.conn)
    };
    Ok(vec![
        Measure::of(
            "mails_waiting",
            "Mails that wait for their next attempt",
            counted(DeliveryState::Queued)?,
        ),
        Measure::of("mails_failed", "Mails that were given up", counted(DeliveryState::Failed)?),
    ])
}

/// Whether a mail is due.
pub(super) fn is_due(tx: &mut Tx<'_>) -> Result<bool> {
    let due = deliveries::table
        .filter(deliveries::state.eq(DeliveryState::Queued))
        .filter(deliveries::due_at.le(tx.now));
    Ok(diesel::select(diesel::dsl::exists(due)).get_result(tx.conn)?)
}

/// Notes that `attempt` was the last one, and deletes the secret of the mail.
pub(super) fn finish(
    conn: &mut Conn,
    attempt: DeliveryAttempt,
    state: DeliveryState,
    sent_at: Option<Timestamp>,
    error: Option<&str>,
) -> Result<()> {
    let end = (
        deliveries::state.eq(state),
        deliveries::sent_at.eq(sent_at),
        deliveries::last_error.eq(error),
        deliveries::secret.eq(None::<Vec<u8>>),
        deliveries::attempts.eq(attempt.number),
    );
    diesel::update(deliveries::table.find(attempt.notification_id)).set(end).execute(conn)?;
    Ok(())
}

/// Notes that `attempt` failed with `error`, and when the next attempt is due.
pub(super) fn put_off(
    conn: &mut Conn,
    attempt: DeliveryAttempt,
    due_at: Timestamp,
    error: &str,
) -> Result<()> {
    let next = (
        deliveries::due_at.eq(due_at),
        deliveries::attempts.eq(attempt.number),
        deliveries::last_error.eq(error),
    );
    diesel::update(deliveries::table.find(attempt.notification_id)).set(next).execute(conn)?;
    Ok(())
}

/// Whether a notification is about a partner.
pub fn refers_to(conn: &mut Conn, partner: Id) -> Result<bool> {
    let told = notifications::table.filter(notifications::partner_id.eq(partner));
    Ok(diesel::select(diesel::dsl::exists(told)).get_result(conn)?)
}
