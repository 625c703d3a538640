//! Second factors and recovery codes in the database.

use super::SecondFactor;
use crate::{
    access::Tx,
    platform::{Result, values::Id},
    schema::{recovery_codes, second_factors},
};
use diesel::prelude::*;

pub(super) fn find(tx: &mut Tx<'_>, user: Id) -> Result<Option<SecondFactor>> {
    let found = second_factors::table.find(user).select(SecondFactor::as_select()).get_result(tx.conn);
    Ok(found.optional()?)
}

pub(super) fn insert(tx: &mut Tx<'_>, factor: &SecondFactor) -> Result<()> {
    diesel::insert_into(second_factors::table).values(factor).execute(tx.conn)?;
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, factor: &SecondFactor) -> Result<()> {
    diesel::update(second_factors::table.find(factor.user_id)).set(factor).execute(tx.conn)?;
    Ok(())
}

/// Removes the factor and the recovery codes of a user.
pub(super) fn remove(tx: &mut Tx<'_>, user: Id) -> Result<()> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(user))).execute(tx.conn)?;
    diesel::delete(second_factors::table.find(user)).execute(tx.conn)?;
    Ok(())
}

/// Replaces the recovery codes of a user.
pub(super) fn replace_codes(tx: &mut Tx<'_>, user: Id, digests: &[Vec<u8>]) -> Result<()> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(user))).execute(tx.conn)?;
    for digest in digests {
        let row = (recovery_codes::user_id.eq(user), recovery_codes::digest.eq(digest));
        diesel::insert_into(recovery_codes::table).values(row).execute(tx.conn)?;
    }
    Ok(())
}

/// Spends a recovery code; whether there was such a code, and it had not been used.
pub(super) fn spend_code(tx: &mut Tx<'_>, user: Id, digest: &[u8]) -> Result<bool> {
    let unused = recovery_codes::table.find((user, digest)).filter(recovery_codes::used_at.is_null());
    let spent = diesel::update(unused).set(recovery_codes::used_at.eq(tx.now)).execute(tx.conn)?;
    Ok(spent == 1)
}

pub(super) fn codes_left(tx: &mut Tx<'_>, user: Id) -> Result<i64> {
    let unused = recovery_codes::table
        .filter(recovery_codes::user_id.eq(user))
        .filter(recovery_codes::used_at.is_null());
    Ok(unused.count().get_result(tx.conn)?)
}
