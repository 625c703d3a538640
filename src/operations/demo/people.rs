//! The people of the demo, in whose names units run.

use crate::{
    access::{Actor, Tx},
    identity::users,
    platform::{Error, Result},
};

/// Runs `work` as the incentive admin of the n-th partner.
pub(super) fn as_admin<T>(tx: &mut Tx<'_>, n: usize, work: impl Fn(&mut Tx<'_>) -> Result<T>) -> Result<T> {
    as_user(tx, &admin_of(n), work)
}

/// The e-mail address of the incentive admin of the n-th partner.
pub(super) fn admin_of(n: usize) -> String {
    format!("admin-{n}@partner.example")
}

/// Runs `work` as the user with this e-mail address.
pub(super) fn as_user<T>(tx: &mut Tx<'_>, email: &str, work: impl Fn(&mut Tx<'_>) -> Result<T>) -> Result<T> {
    let user = actor(tx, email)?;
    let system = std::mem::replace(&mut tx.actor, user);
    let done = work(tx);
    tx.actor = system;
    done
}

/// The user with this e-mail address.
pub(super) fn actor(tx: &mut Tx<'_>, email: &str) -> Result<Actor> {
    let user = users::find_by_email(tx.conn, email)?.ok_or(Error::not_found("user", "利用者"))?;
    Ok(Actor::of_user(user.id, user.role, user.partner_id))
}

pub(super) fn parsed<T: std::str::FromStr>(text: &str) -> Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    text.parse().map_err(Error::internal)
}
