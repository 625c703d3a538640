//! The standing of a caller, looked up in the unit of every request: barring a user or an API client takes effect at
//! once, although access tokens are valid for a quarter of an hour.

use super::{Actor, EarlierReads, Role, Tx, refusal::CallerStanding, token::Claims};
use crate::{
    config::Accounts,
    platform::{
        Error, Result, codes,
        db::Conn,
        values::{Id, Locale, Timestamp},
    },
    text,
};

/// The questions `access` asks of the slices that keep users, API clients and partners, each by few statements, and
/// what it has them do.
#[derive(Clone, Copy)]
pub struct Directory {
    /// The standing of a user, and whether `session` has ended; none where the user is unknown.
    pub user: fn(&mut Conn, user: Id, session: Option<Id>) -> Result<Option<UserStanding>>,
    /// The standing of an API client; none where the client is unknown.
    pub client: fn(&mut Conn, client: Id) -> Result<Option<ClientStanding>>,
    /// Whether the set-up of a partner, or of the partner's headquarters, is completed (S11).
    pub set_up: fn(&mut Conn, partner: Id) -> Result<bool>,
    /// The partners whose records the people of a partner may see: the partner and its locations.
    pub family: fn(&mut Conn, partner: Id) -> Result<Vec<Id>>,
    /// The partner with an MPN id, whatever the caller may see.
    pub numbered: fn(&mut Conn, mpn_id: &str) -> Result<Option<Id>>,
    /// Locks partners until the end of the unit.
    pub lock: LockPartners,
    /// Counts a guess of a signed-in user at the user's own password or code; refuses a guess that has to wait.
    pub guess: fn(&mut Conn, user: Id, now: Timestamp) -> Result<()>,
    /// Forgets the guesses of a user who has sent what was right.
    pub forget_guesses: fn(&mut Conn, user: Id) -> Result<()>,
    /// Whether two accounts are of one person.
    pub one_person: fn(&mut Conn, one: Id, other: Id) -> Result<bool>,
    /// Ends the sessions of a user, but for the session `kept`.
    pub end_sessions:
        fn(&mut Conn, user: Id, kept: Option<Id>, now: Timestamp, because: &'static str) -> Result<()>,
}

impl Tx<'_> {
    /// Whether the unit's actor is the person behind an account, by that account or by another one.
    pub fn acts_as(&mut self, account: Id) -> Result<bool> {
        let Some(actor) = self.actor.id() else { return Ok(false) };
        (self.state.directory.one_person)(self.conn, account, actor)
    }

    /// Forgets the guesses of a user who has sent the right password or code.
    pub fn forget_guesses(&mut self, user: Id) -> Result<()> {
        (self.state.directory.forget_guesses)(self.conn, user)
    }

    /// Ends the sessions of a user, but for the session `kept`; `because` is what the sessions show as the reason.
    pub fn end_other_sessions(&mut self, user: Id, kept: Option<Id>, because: &'static str) -> Result<()> {
        (self.state.directory.end_sessions)(self.conn, user, kept, self.now, because)
    }
}

/// Locks partners until the end of a unit, and says whether the unit has to read their records again.
pub type LockPartners = fn(&mut Conn, &[Id]) -> Result<EarlierReads>;

/// The facts about a user that decide what the user's token opens.
#[derive(Clone, Copy, Debug)]
pub struct UserStanding {
    /// Whether the user is barred, or the session has ended.
    pub is_out: bool,
    /// The user's role.
    pub role: Role,
    /// The user's partner; none for programme staff.
    pub partner: Option<Id>,
    /// The number of times the user's tokens were revoked.
    pub epoch: i64,
    /// Whether the user's password is a temporary one.
    pub temporary_password: bool,
    /// Whether the user, or the issuer that vouches for the user, asks for a second factor.
    pub has_second_factor: bool,
    /// The language of the user's account.
    pub locale: Locale,
}

/// The facts about an API client that decide what the client's token opens.
#[derive(Clone, Copy, Debug)]
pub struct ClientStanding {
    /// Whether the client is barred.
    pub barred: bool,
    /// The client's role.
    pub role: Role,
    /// The client's partner; none for the programme's own clients.
    pub partner: Option<Id>,
    /// The number of times the client's tokens were revoked.
    pub epoch: i64,
    /// The instant at which the client expires; none of a client without an end.
    pub expires_at: Option<Timestamp>,
}

impl Directory {
    /// The standing of a caller with a valid token; refuses a caller who is barred, or whose tokens were revoked.
    pub(super) fn standing(
        &self,
        conn: &mut Conn,
        claims: &Claims,
        accounts: Accounts,
        now: Timestamp,
    ) -> Result<CallerStanding> {
        if claims.is_of_client() {
            self.of_client(conn, claims, now)
        } else {
            self.of_user(conn, claims, accounts)
        }
    }

    fn of_user(&self, conn: &mut Conn, claims: &Claims, accounts: Accounts) -> Result<CallerStanding> {
        let user = (self.user)(conn, claims.sub, claims.sid)?.ok_or_else(|| {
            Error::new(
                &codes::UNAUTHENTICATED,
                text!("the access token's user is unknown", "アクセストークンの利用者が存在しません。"),
            )
        })?;
        if user.is_out || user.epoch != claims.epoch || user.role != claims.role {
            return Err(revoked());
        }
        Ok(CallerStanding {
            actor: Actor::of_user(claims.sub, user.role, user.partner),
            temporary_password: user.temporary_password,
            lacks_second_factor: accounts.operators_need_second_factor
                && user.role == Role::Operator
                && !user.has_second_factor,
            locale: user.locale,
        })
    }

    fn of_client(&self, conn: &mut Conn, claims: &Claims, now: Timestamp) -> Result<CallerStanding> {
        let client = (self.client)(conn, claims.sub)?.ok_or_else(|| {
            Error::new(
                &codes::UNAUTHENTICATED,
                text!(
                    "the access token's client is unknown",
                    "アクセストークンのクライアントが存在しません。"
                ),
            )
        })?;
        let expired = client.expires_at.is_some_and(|end| end <= now);
        if client.barred || client.epoch != claims.epoch || client.role != claims.role || expired {
            return Err(revoked());
        }
        let actor = Actor::of_client(claims.sub, client.role, client.partner);
        let locale = Locale::default();
        Ok(CallerStanding { actor, temporary_password: false, lacks_second_factor: false, locale })
    }

    /// Whether the set-up of the actor's partner is completed; true of an actor without a partner.
    pub(super) fn is_set_up(&self, conn: &mut Conn, actor: Actor) -> Result<bool> {
        actor.partner.map_or(Ok(true), |partner| (self.set_up)(conn, partner))
    }
}

fn revoked() -> Error {
    Error::new(
        &codes::UNAUTHENTICATED,
        text!(
            "the access token was revoked; sign in again",
            "アクセストークンは失効しています。再度サインインしてください。"
        ),
    )
}
