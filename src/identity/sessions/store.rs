//! Sessions and their refresh tokens in the database.

use super::{Session, api::SessionFilter};
use crate::{
    access::{Tx, UserStanding},
    identity::users::{self, User, UserStatus},
    platform::{
        Error, Result,
        db::{Conn, MultiBackend, lock_rows, native},
        http::{PageRequest, keyset},
        values::{Id, Timestamp},
    },
    schema::{refresh_tokens, sessions},
};
use diesel::prelude::*;

/// How long a session is kept after its end: 30 days.
const KEPT_SECONDS: i64 = 30 * 24 * 3600;

/// A refresh token, stored by its digest.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = refresh_tokens, treat_none_as_default_value = false)]
pub(super) struct RefreshToken {
    pub digest: Vec<u8>,
    pub session_id: Id,
    pub created_at: Timestamp,
    /// When the token was exchanged for its successor.
    pub used_at: Option<Timestamp>,
}

/// The standing of a user and of the session, by one statement, which runs at every request of a user.
pub fn standing(conn: &mut Conn, user: Id, session: Option<Id>) -> Result<Option<UserStanding>> {
    type Row = (users::UserAccess, Option<Timestamp>);
    // On the native connection diesel finds the prepared statement without building its text.
    let found: Option<Row> = native!(conn, conn => users::with_id(user)
        .left_join(sessions::table.on(sessions::id.nullable().eq(session)))
        .select((users::UserAccess::as_select(), sessions::ended_at.nullable()))
        .get_result(conn)
        .optional()?);
    Ok(found.map(|(user, ended_at)| UserStanding {
        is_out: user.status == UserStatus::Disabled || ended_at.is_some(),
        role: user.role,
        partner: user.partner_id,
        epoch: user.token_epoch,
        temporary_password: user.must_change_password,
        // The issuer of the user has asked for a second factor of its own.
        has_second_factor: user.has_second_factor || user.issuer.is_some(),
        locale: user.locale,
    }))
}

pub(super) fn insert(tx: &mut Tx<'_>, session: &Session) -> Result<()> {
    diesel::insert_into(sessions::table).values(session).execute(tx.conn)?;
    Ok(())
}

pub(super) fn insert_token(tx: &mut Tx<'_>, token: &RefreshToken) -> Result<()> {
    diesel::insert_into(refresh_tokens::table).values(token).execute(tx.conn)?;
    Ok(())
}

/// Locks a refresh token until the end of the unit: of two callers with the same token the second finds the token used.
pub(super) fn lock_token(tx: &mut Tx<'_>, digest: &[u8]) -> Result<()> {
    lock_rows!(tx.conn, for_update, refresh_tokens::table.find(digest).select(refresh_tokens::session_id));
    Ok(())
}

/// The token with a digest, and its session.
pub(super) fn find_by_token(tx: &mut Tx<'_>, digest: &[u8]) -> Result<Option<(RefreshToken, Session)>> {
    let query = refresh_tokens::table
        .inner_join(sessions::table.on(sessions::id.eq(refresh_tokens::session_id)))
        .filter(refresh_tokens::digest.eq(digest));
    Ok(query.select((RefreshToken::as_select(), Session::as_select())).get_result(tx.conn).optional()?)
}

/// Whether a refresh token was given, and was not exchanged yet.
pub(super) fn is_unused(tx: &mut Tx<'_>, digest: &[u8]) -> Result<bool> {
    let unused = refresh_tokens::table.find(digest).filter(refresh_tokens::used_at.is_null());
    Ok(diesel::select(diesel::dsl::exists(unused)).get_result(tx.conn)?)
}

pub(super) fn find(tx: &mut Tx<'_>, id: Id) -> Result<Option<Session>> {
    Ok(sessions::table.find(id).select(Session::as_select()).get_result(tx.conn).optional()?)
}

pub(super) fn mark_used(tx: &mut Tx<'_>, token: &RefreshToken) -> Result<()> {
    diesel::update(refresh_tokens::table.find(&token.digest))
        .set(refresh_tokens::used_at.eq(tx.now))
        .execute(tx.conn)?;
    diesel::update(sessions::table.find(token.session_id))
        .set(sessions::last_used_at.eq(tx.now))
        .execute(tx.conn)?;
    Ok(())
}

pub(super) fn end(tx: &mut Tx<'_>, session: Id, because: &str) -> Result<()> {
    let going_on = sessions::table.filter(sessions::id.eq(session)).filter(sessions::ended_at.is_null());
    diesel::update(going_on)
        .set((sessions::ended_at.eq(tx.now), sessions::ended_because.eq(because)))
        .execute(tx.conn)?;
    Ok(())
}

pub(super) fn end_all(tx: &mut Tx<'_>, user: Id, because: &str) -> Result<()> {
    let going_on = sessions::table.filter(sessions::user_id.eq(user)).filter(sessions::ended_at.is_null());
    diesel::update(going_on)
        .set((sessions::ended_at.eq(tx.now), sessions::ended_because.eq(because)))
        .execute(tx.conn)?;
    Ok(())
}

/// Ends the sessions of a user, but for the session `kept`.
pub fn end_others(
    conn: &mut Conn,
    user: Id,
    kept: Option<Id>,
    now: Timestamp,
    because: &'static str,
) -> Result<()> {
    let mut others = diesel::update(sessions::table)
        .filter(sessions::user_id.eq(user))
        .filter(sessions::ended_at.is_null())
        .set((sessions::ended_at.eq(now), sessions::ended_because.eq(because)))
        .into_boxed();
    if let Some(kept) = kept {
        others = others.filter(sessions::id.ne(kept));
    }
    others.execute(conn)?;
    Ok(())
}

/// The sessions of a user that can be renewed.
fn live(user: &User, now: Timestamp) -> sessions::BoxedQuery<'static, MultiBackend> {
    sessions::table
        .filter(sessions::user_id.eq(user.id))
        .filter(sessions::epoch.eq(user.token_epoch))
        .filter(sessions::ended_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .filter(sessions::last_used_at.gt(Session::idle_before(now)))
        .into_boxed()
}

pub(super) fn list(tx: &mut Tx<'_>, user: &User, page: &PageRequest<SessionFilter>) -> Result<Vec<Session>> {
    let query = live(user, tx.now);
    Ok(keyset!(query, page, sessions, newest).select(Session::as_select()).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, user: &User) -> Result<i64> {
    Ok(live(user, tx.now).count().get_result(tx.conn)?)
}

pub(super) fn get(tx: &mut Tx<'_>, user: &User, id: Id) -> Result<Session> {
    let found =
        live(user, tx.now).filter(sessions::id.eq(id)).select(Session::as_select()).get_result(tx.conn);
    found.optional()?.ok_or(Error::not_found("session", "セッション"))
}

/// Removes the sessions that ended a month ago at the latest, with their tokens; returns the number of removed sessions.
pub(super) fn sweep(conn: &mut Conn, now: Timestamp) -> Result<usize> {
    let long_over = sessions::expires_at.le(now.plus_seconds(-KEPT_SECONDS));
    Ok(diesel::delete(sessions::table.filter(long_over)).execute(conn)?)
}
