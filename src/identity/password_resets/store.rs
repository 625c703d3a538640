//! Requests and tokens in the database.

use super::model::{PasswordReset, ResetRequest};
use crate::{
    access::Tx,
    platform::{
        Result,
        db::Conn,
        values::{Id, Timestamp},
    },
    schema::{password_reset_requests, password_resets},
};
use diesel::{dsl::exists, prelude::*, select};

pub(super) fn insert_request(tx: &mut Tx<'_>, request: &ResetRequest) -> Result<()> {
    diesel::insert_into(password_reset_requests::table).values(request).execute(tx.conn)?;
    Ok(())
}

/// Whether a request waits for its answer.
pub(super) fn any_request(tx: &mut Tx<'_>) -> Result<bool> {
    let all = password_reset_requests::table.select(password_reset_requests::id);
    Ok(select(exists(all)).get_result(tx.conn)?)
}

/// The first requests that wait, in the order in which they came.
pub(super) fn first_requests(tx: &mut Tx<'_>, most: i64) -> Result<Vec<ResetRequest>> {
    let query = password_reset_requests::table.order(password_reset_requests::id).limit(most);
    Ok(query.select(ResetRequest::as_select()).load(tx.conn)?)
}

/// Removes a request that is answered.
pub(super) fn remove_request(tx: &mut Tx<'_>, id: Id) -> Result<()> {
    diesel::delete(password_reset_requests::table.find(id)).execute(tx.conn)?;
    Ok(())
}

pub(super) fn of_user(tx: &mut Tx<'_>, user: Id) -> Result<Option<PasswordReset>> {
    let query = password_resets::table.find(user).select(PasswordReset::as_select());
    Ok(query.get_result(tx.conn).optional()?)
}

/// The token with a digest.
pub(super) fn find(tx: &mut Tx<'_>, digest: &[u8]) -> Result<Option<PasswordReset>> {
    let query = password_resets::table.filter(password_resets::digest.eq(digest));
    Ok(query.select(PasswordReset::as_select()).get_result(tx.conn).optional()?)
}

/// Stores a user's token in place of an earlier one.
pub(super) fn replace(tx: &mut Tx<'_>, reset: &PasswordReset) -> Result<()> {
    remove(tx, reset.user_id)?;
    diesel::insert_into(password_resets::table).values(reset).execute(tx.conn)?;
    Ok(())
}

pub(super) fn remove(tx: &mut Tx<'_>, user: Id) -> Result<()> {
    diesel::delete(password_resets::table.find(user)).execute(tx.conn)?;
    Ok(())
}

/// Removes tokens that are good no more; returns their number.
pub(super) fn sweep(conn: &mut Conn, now: Timestamp) -> Result<usize> {
    Ok(diesel::delete(password_resets::table.filter(password_resets::expires_at.le(now))).execute(conn)?)
}
