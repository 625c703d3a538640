//! How a caller stands at the moment: looked up in the unit of every request, so that barring somebody takes effect
//! at once although the token is good for a quarter of an hour.

use super::{Actor, Role, refusal::Standing, token::Claims};
use crate::{
    config::Accounts,
    platform::{
        Error, Result, codes,
        db::{Conn, native},
        values::{Id, Timestamp},
    },
    schema::{api_clients, partner_setups, partners, sessions, users},
};
use diesel::prelude::*;

/// The caller as of now; whoever is barred, or whose tokens were revoked, is out although the token is good.
pub(super) fn of(conn: &mut Conn, claims: &Claims, accounts: Accounts, now: Timestamp) -> Result<Standing> {
    if claims.is_of_client() { of_client(conn, claims, now) } else { of_user(conn, claims, accounts) }
}

fn of_user(conn: &mut Conn, claims: &Claims, accounts: Accounts) -> Result<Standing> {
    type Row = (String, Role, Option<Id>, i64, bool, bool, Option<Timestamp>);
    // At every request: natively, the statement is found again without its text being written first.
    let found: Option<Row> = native!(conn, conn => users::table
        .left_join(sessions::table.on(sessions::id.nullable().eq(claims.sid)))
        .filter(users::id.eq(claims.sub))
        .select((
            users::status,
            users::role,
            users::partner_id,
            users::token_epoch,
            users::must_change_password,
            // An issuer that vouches for the user has asked for its own.
            users::has_second_factor.or(users::issuer.is_not_null()),
            sessions::ended_at.nullable(),
        ))
        .get_result(conn)
        .optional()?);
    let (status, role, partner, epoch, must_change, has_second_factor, ended_at) =
        found.ok_or_else(|| Error::new(&codes::UNAUTHENTICATED, "the access token's user is unknown"))?;
    if status == "disabled" || epoch != claims.epoch || role != claims.role || ended_at.is_some() {
        return Err(revoked());
    }
    Ok(Standing {
        actor: Actor::of_user(claims.sub, role, partner),
        temporary_password: must_change,
        lacks_second_factor: accounts.operators_need_second_factor
            && role == Role::Operator
            && !has_second_factor,
    })
}

fn of_client(conn: &mut Conn, claims: &Claims, now: Timestamp) -> Result<Standing> {
    type Row = (String, Role, Option<Id>, i64, Option<Timestamp>);
    let found: Option<Row> = native!(conn, conn => api_clients::table
        .find(claims.sub)
        .select((
            api_clients::status,
            api_clients::role,
            api_clients::partner_id,
            api_clients::token_epoch,
            api_clients::expires_at,
        ))
        .get_result(conn)
        .optional()?);
    let (status, role, partner, epoch, expires_at) =
        found.ok_or_else(|| Error::new(&codes::UNAUTHENTICATED, "the access token's client is unknown"))?;
    let expired = expires_at.is_some_and(|end| end <= now);
    if status != "active" || epoch != claims.epoch || role != claims.role || expired {
        return Err(revoked());
    }
    let actor = Actor::of_client(claims.sub, role, partner);
    Ok(Standing { actor, temporary_password: false, lacks_second_factor: false })
}

/// Whether the set-up of the actor's partner, or of its headquarters, is completed (S11); who has no partner has
/// none to complete.
pub(super) fn set_up(conn: &mut Conn, actor: Actor) -> Result<bool> {
    let Some(partner) = actor.partner else { return Ok(true) };
    let completed: Option<Id> = native!(conn, conn => {
        let above = partners::table.find(partner).select(partners::headquarters_id).single_value();
        partner_setups::table
            .filter(partner_setups::state.eq("completed"))
            .filter(partner_setups::partner_id.eq(partner).or(partner_setups::partner_id.nullable().eq(above)))
            .select(partner_setups::partner_id)
            .first(conn)
            .optional()?
    });
    Ok(completed.is_some())
}

fn revoked() -> Error {
    Error::new(&codes::UNAUTHENTICATED, "the access token was revoked; sign in again")
}
