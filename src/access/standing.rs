//! How a caller stands at the moment: looked up in the unit of every request, so that barring somebody takes effect
//! at once although the token is good for a quarter of an hour.

use super::{
    Actor, INSUFFICIENT_SCOPE, PASSWORD_CHANGE_REQUIRED, Role, SECOND_FACTOR_REQUIRED, SETUP_INCOMPLETE,
    policy::Rule, token::Claims,
};
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

impl Rule {
    /// Whether the role is one of those that may call it.
    pub(super) fn admits(&self, role: Role) -> Result<()> {
        if self.roles.contains(&role) {
            return Ok(());
        }
        let roles = self.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ");
        let detail = format!("{role} may not do this; it takes one of: {roles}");
        Err(Error::new(&codes::FORBIDDEN, detail))
    }

    /// Whether the token's scopes cover it; a user's token is not narrowed.
    pub(super) fn grants(&self, claims: &Claims) -> Result<()> {
        if claims.has_scope(self.scope) {
            return Ok(());
        }
        Err(match self.scope {
            Some(scope) => {
                Error::new(&INSUFFICIENT_SCOPE, format!("this takes the scope {scope}")).with("scope", scope)
            }
            None => Error::new(&INSUFFICIENT_SCOPE, "this is for people only; no API client may do it"),
        })
    }
}

/// The user as of now.
pub(super) fn of_user(conn: &mut Conn, claims: &Claims, asked: &Rule, accounts: &Accounts) -> Result<Actor> {
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
            users::has_second_factor,
            sessions::ended_at.nullable(),
        ))
        .get_result(conn)
        .optional()?);
    let (status, role, partner, epoch, must_change, has_second_factor, ended_at) =
        found.ok_or_else(|| Error::new(&codes::UNAUTHENTICATED, "the access token's user is unknown"))?;
    if status == "disabled" || epoch != claims.epoch || role != claims.role || ended_at.is_some() {
        return Err(revoked());
    }
    if must_change && !asked.with_temporary_password {
        let detail = "a temporary password opens nothing but PUT /v1/me/password; change it there first";
        return Err(Error::new(&PASSWORD_CHANGE_REQUIRED, detail).with("next", "/v1/me/password"));
    }
    let lacks_second_factor =
        accounts.operators_need_second_factor && role == Role::Operator && !has_second_factor;
    if lacks_second_factor && !asked.without_second_factor {
        let detail = "operators sign in with a second factor; enrol one at POST /v1/me/second-factor";
        return Err(Error::new(&SECOND_FACTOR_REQUIRED, detail).with("next", "/v1/me/second-factor"));
    }
    Ok(Actor::of_user(claims.sub, role, partner))
}

/// The API client as of now.
pub(super) fn of_client(conn: &mut Conn, claims: &Claims, now: Timestamp) -> Result<Actor> {
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
    Ok(Actor::of_client(claims.sub, role, partner))
}

#[expect(dead_code, reason = "the set-up slice turns the gate on")]
/// Refuses a partner's people until the set-up of their partner, or of its headquarters, is completed (S11).
pub(super) fn past_set_up(conn: &mut Conn, actor: Actor) -> Result<()> {
    let Some(partner) = actor.partner else { return Ok(()) };
    if set_up(conn, partner)? {
        return Ok(());
    }
    let next = format!("/v1/partners/{partner}/setup");
    let detail = format!("the incentive admin completes user set-up first; what is missing: GET {next}");
    Err(Error::new(&SETUP_INCOMPLETE, detail).with("next", next))
}

/// Whether the set-up of a partner, or of its headquarters, is completed.
fn set_up(conn: &mut Conn, partner: Id) -> Result<bool> {
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
