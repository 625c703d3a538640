//! How a caller stands at the moment: looked up in the unit of every request, so that barring somebody takes effect
//! at once although the token is good for a quarter of an hour.

use super::{Actor, Role, refusal::Standing, token::Claims};
use crate::{
    config::Accounts,
    platform::{
        Error, Result, codes,
        db::Conn,
        values::{Id, Timestamp},
    },
};

/// The questions `access` asks of the slices that keep users, API clients and partners. Each is one statement.
#[derive(Clone, Copy)]
pub struct Directory {
    /// How a user stands, and whether a session of the user has ended; none where the user is unknown.
    pub user: fn(&mut Conn, user: Id, session: Option<Id>) -> Result<Option<UserStanding>>,
    /// How an API client stands; none where the client is unknown.
    pub client: fn(&mut Conn, client: Id) -> Result<Option<ClientStanding>>,
    /// Whether the set-up of a partner, or of its headquarters, is completed (S11).
    pub set_up: fn(&mut Conn, partner: Id) -> Result<bool>,
    /// The partners whose records the people of a partner may see: the partner and its locations.
    pub family: fn(&mut Conn, partner: Id) -> Result<Vec<Id>>,
    /// Locks partners until the end of the unit.
    pub lock: LockPartners,
}

/// Locks partners until the end of a unit; tells whether others may have changed their records before.
pub type LockPartners = fn(&mut Conn, &[Id]) -> Result<bool>;

/// How a user stands.
#[derive(Clone, Copy, Debug)]
pub struct UserStanding {
    /// Whether the user is barred, or the session has ended.
    pub is_out: bool,
    /// The user's role.
    pub role: Role,
    /// The user's partner; none for programme staff.
    pub partner: Option<Id>,
    /// The number of revocations of the user's tokens.
    pub epoch: i64,
    /// Whether the password is a temporary one.
    pub temporary_password: bool,
    /// Whether the user, or the issuer that vouches for the user, asks for a second factor.
    pub has_second_factor: bool,
}

/// How an API client stands.
#[derive(Clone, Copy, Debug)]
pub struct ClientStanding {
    /// Whether the client is barred.
    pub barred: bool,
    /// The client's role.
    pub role: Role,
    /// The client's partner; none for the programme's own clients.
    pub partner: Option<Id>,
    /// The number of revocations of the client's tokens.
    pub epoch: i64,
    /// The instant from which on the client is barred; none for never.
    pub expires_at: Option<Timestamp>,
}

impl Directory {
    /// The caller as of now; whoever is barred, or whose tokens were revoked, is out although the token is good.
    pub(super) fn standing(
        &self,
        conn: &mut Conn,
        claims: &Claims,
        accounts: Accounts,
        now: Timestamp,
    ) -> Result<Standing> {
        if claims.is_of_client() {
            self.of_client(conn, claims, now)
        } else {
            self.of_user(conn, claims, accounts)
        }
    }

    fn of_user(&self, conn: &mut Conn, claims: &Claims, accounts: Accounts) -> Result<Standing> {
        let user = (self.user)(conn, claims.sub, claims.sid)?
            .ok_or_else(|| Error::new(&codes::UNAUTHENTICATED, "the access token's user is unknown"))?;
        if user.is_out || user.epoch != claims.epoch || user.role != claims.role {
            return Err(revoked());
        }
        Ok(Standing {
            actor: Actor::of_user(claims.sub, user.role, user.partner),
            temporary_password: user.temporary_password,
            lacks_second_factor: accounts.operators_need_second_factor
                && user.role == Role::Operator
                && !user.has_second_factor,
        })
    }

    fn of_client(&self, conn: &mut Conn, claims: &Claims, now: Timestamp) -> Result<Standing> {
        let client = (self.client)(conn, claims.sub)?
            .ok_or_else(|| Error::new(&codes::UNAUTHENTICATED, "the access token's client is unknown"))?;
        let expired = client.expires_at.is_some_and(|end| end <= now);
        if client.barred || client.epoch != claims.epoch || client.role != claims.role || expired {
            return Err(revoked());
        }
        let actor = Actor::of_client(claims.sub, client.role, client.partner);
        Ok(Standing { actor, temporary_password: false, lacks_second_factor: false })
    }

    /// Whether the set-up of the actor's partner is completed; who has no partner has none to complete.
    pub(super) fn is_set_up(&self, conn: &mut Conn, actor: Actor) -> Result<bool> {
        actor.partner.map_or(Ok(true), |partner| (self.set_up)(conn, partner))
    }
}

fn revoked() -> Error {
    Error::new(&codes::UNAUTHENTICATED, "the access token was revoked; sign in again")
}
