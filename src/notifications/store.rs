//! The notifications in the database.

use super::{Notification, api::NotificationFilter};
use crate::{
    access::{Actor, Tx},
    platform::{
        Error, Result,
        db::MultiBackend,
        http::{PageRequest, keyset},
        values::Id,
    },
    schema::notifications,
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
