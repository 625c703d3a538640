//! The notifications in the database.

use super::{Delivery, DeliveryState, Notification, api::NotificationFilter};
use crate::{
    access::{Actor, Tx},
    platform::{
        Error, Result,
        db::{Conn, MultiBackend},
        http::{PageRequest, keyset},
        values::{Id, Timestamp},
    },
    schema::{deliveries, notifications},
};
use diesel::prelude::*;

/// A partner's user sees what is addressed to that user, and nothing else.
fn visible(actor: Actor) -> notifications::BoxedQuery<'static, MultiBackend> {
    let all = notifications::table.into_boxed();
    match (actor.partner, actor.id()) {
        (Some(_), Some(user)) => all.filter(notifications::user_id.eq(user)),
        _ => all,
    }
}

fn matching(actor: Actor, filter: &NotificationFilter) -> notifications::BoxedQuery<'static, MultiBackend> {
    let mut query = visible(actor);
    if let Some(kind) = filter.kind {
        query = query.filter(notifications::kind.eq(kind));
    }
    if let Some(id) = filter.partner_id {
        query = query.filter(notifications::partner_id.eq(id));
    }
    if let Some(id) = filter.user_id {
        query = query.filter(notifications::user_id.eq(id));
    }
    if let Some(state) = filter.delivery_state {
        let mails = deliveries::table.filter(deliveries::state.eq(state)).select(deliveries::notification_id);
        query = query.filter(notifications::id.eq_any(mails));
    }
    query
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<NotificationFilter>) -> Result<Vec<Notification>> {
    let query = matching(tx.actor, &page.filter);
    Ok(keyset!(query, page, notifications, newest).select(Notification::as_select()).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &NotificationFilter) -> Result<i64> {
    Ok(matching(tx.actor, filter).count().get_result(tx.conn)?)
}

pub(super) fn get(tx: &mut Tx<'_>, id: Id) -> Result<Notification> {
    let query = visible(tx.actor).filter(notifications::id.eq(id)).select(Notification::as_select());
    query.get_result(tx.conn).optional()?.ok_or(Error::not_found("notification"))
}

pub(super) fn insert(tx: &mut Tx<'_>, notification: &Notification) -> Result<()> {
    diesel::insert_into(notifications::table).values(notification).execute(tx.conn)?;
    Ok(())
}

/// What became of the mails of these notifications; one written by a version without mails has none.
pub(super) fn deliveries_of(tx: &mut Tx<'_>, notifications: &[Id]) -> Result<Vec<Delivery>> {
    let these = deliveries::table.filter(deliveries::notification_id.eq_any(notifications.to_vec()));
    Ok(these.select(Delivery::as_select()).load(tx.conn)?)
}

pub(super) fn insert_delivery(tx: &mut Tx<'_>, delivery: &Delivery) -> Result<()> {
    diesel::insert_into(deliveries::table).values(delivery).execute(tx.conn)?;
    Ok(())
}

/// The mail that has waited longest of those that are due, and the notification that is carried.
pub(super) fn next_due(tx: &mut Tx<'_>) -> Result<Option<(Delivery, Notification)>> {
    let due = deliveries::table
        .inner_join(notifications::table.on(notifications::id.eq(deliveries::notification_id)))
        .filter(deliveries::state.eq(DeliveryState::Queued))
        .filter(deliveries::due_at.le(tx.now))
        .order(deliveries::due_at)
        .limit(1);
    Ok(due.select((Delivery::as_select(), Notification::as_select())).get_result(tx.conn).optional()?)
}

/// Whether a mail is due.
pub(super) fn is_due(tx: &mut Tx<'_>) -> Result<bool> {
    let due = deliveries::table
        .filter(deliveries::state.eq(DeliveryState::Queued))
        .filter(deliveries::due_at.le(tx.now));
    Ok(diesel::select(diesel::dsl::exists(due)).get_result(tx.conn)?)
}

/// Notes that a mail has gone after so many attempts, to be tried no more; what was secret in it goes too.
pub(super) fn finish(
    conn: &mut Conn,
    (id, attempts): (Id, i64),
    state: DeliveryState,
    sent_at: Option<Timestamp>,
    error: Option<&str>,
) -> Result<()> {
    let end = (
        deliveries::state.eq(state),
        deliveries::sent_at.eq(sent_at),
        deliveries::last_error.eq(error),
        deliveries::secret.eq(None::<Vec<u8>>),
        deliveries::attempts.eq(attempts),
    );
    diesel::update(deliveries::table.find(id)).set(end).execute(conn)?;
    Ok(())
}

/// Notes when to try again, and why that is needed.
pub(super) fn put_off(
    conn: &mut Conn,
    (id, attempts): (Id, i64),
    due_at: Timestamp,
    error: &str,
) -> Result<()> {
    let again =
        (deliveries::due_at.eq(due_at), deliveries::attempts.eq(attempts), deliveries::last_error.eq(error));
    diesel::update(deliveries::table.find(id)).set(again).execute(conn)?;
    Ok(())
}

/// Whether a notification is about a partner.
pub fn refers_to(conn: &mut Conn, partner: Id) -> Result<bool> {
    let told = notifications::table.filter(notifications::partner_id.eq(partner));
    Ok(diesel::select(diesel::dsl::exists(told)).get_result(conn)?)
}
