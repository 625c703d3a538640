//! The commands on sessions.

use super::{
    Session,
    store::{self, RefreshToken},
    throttle,
};
use crate::{
    access::{Actor, RequestOrigin, Tx, Unaudited, opaque},
    audit,
    identity::users::{self, User, UserStatus},
    platform::{
        Result,
        db::Conn,
        values::{Id, Timestamp},
    },
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::json;

/// How long a refresh token that was exchanged gives the same successor again.
const GRACE_SECONDS: i64 = 10;

/// A session that has begun.
#[derive(Debug)]
pub struct StartedSession {
    /// The id of the session.
    pub id: Id,
    /// The first refresh token.
    pub refresh_token: String,
}

/// The result of renewing a session by its refresh token.
#[derive(Debug)]
pub enum SessionRenewal {
    /// The refresh token was exchanged for its successor.
    Renewed {
        /// The user of the session.
        user: Box<User>,
        /// The id of the session.
        session: Id,
        /// The new refresh token, the only valid one of the session.
        refresh_token: String,
        /// The seconds until a session that is not renewed again ends.
        refresh_expires_in: i64,
    },
    /// The refresh token is not valid. The unit must be committed all the same: a token used twice has ended its session.
    Refused,
}

/// Begins a session, in the audited unit of the sign-in.
pub fn start(tx: &mut Tx<'_>, user: &User, from: &RequestOrigin) -> Result<StartedSession> {
    let session = Session {
        id: tx.new_id(),
        user_id: user.id,
        address: from.address.to_string(),
        user_agent: from.user_agent.clone(),
        epoch: user.token_epoch,
        created_at: tx.now,
        last_used_at: tx.now,
        expires_at: Session::latest_end(tx.now),
        ended_at: None,
        ended_because: None,
    };
    store::insert(tx, &session)?;
    Ok(StartedSession { id: session.id, refresh_token: issue(tx, session.id)? })
}

/// Exchanges a refresh token for its successor.
///
/// A refresh token is valid once. A client that did not get the answer, or asks in two windows, may ask again for
/// 10 seconds and gets the same successor, as long as nobody has used the successor. Any other second use may come
/// from a thief, or from the user after a thief: the session ends for both.
pub fn renew(tx: &mut Tx<'_>, sent: &str) -> Result<SessionRenewal> {
    store::lock_token(tx, &opaque::digest(sent))?;
    let Some((token, session)) = store::find_by_token(tx, &opaque::digest(sent))? else {
        tx.exempt_from_audit(Unaudited::NothingWritten);
        return Ok(SessionRenewal::Refused);
    };
    let user = users::load(tx, session.user_id)?;
    if !session.is_live(user.token_epoch, tx.now) || user.status == UserStatus::Disabled {
        tx.exempt_from_audit(Unaudited::NothingWritten);
        return Ok(SessionRenewal::Refused);
    }
    let refresh_token = successor(tx, sent)?;
    if let Some(used_at) = token.used_at {
        let is_repeat = used_at.plus_seconds(GRACE_SECONDS) > tx.now;
        if is_repeat && store::is_unused(tx, &opaque::digest(&refresh_token))? {
            tx.exempt_from_audit(Unaudited::NothingWritten);
            return Ok(renewed(tx, user, &session, refresh_token));
        }
        finish(tx, &user, &session, "refresh_token_used_twice")?;
        return Ok(SessionRenewal::Refused);
    }
    tx.actor = Actor::of_user(user.id, user.role, user.partner_id);
    store::mark_used(tx, &token)?;
    keep(tx, session.id, &refresh_token)?;
    let shown = |at: Timestamp| json!({"user_id": user.id, "last_used_at": at});
    event(&user, session.id).before(&shown(session.last_used_at)).after(&shown(tx.now)).record(tx)?;
    let session = Session { last_used_at: tx.now, ..session };
    Ok(renewed(tx, user, &session, refresh_token))
}

fn renewed(tx: &Tx<'_>, user: User, session: &Session, refresh_token: String) -> SessionRenewal {
    SessionRenewal::Renewed {
        user: Box::new(user),
        session: session.id,
        refresh_token,
        refresh_expires_in: session.renewable_until().as_seconds() - tx.now.as_seconds(),
    }
}

/// The successor of a refresh token: always the same, and nobody without the encryption key can tell the successor from the
/// token.
fn successor(tx: &Tx<'_>, token: &str) -> Result<String> {
    let mark = tx.vault().mark(format!("the successor of {token}").as_bytes())?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(mark))
}

/// Ends the session of a refresh token, used or not; an unknown token ends nothing.
pub fn end(tx: &mut Tx<'_>, token: &str) -> Result<()> {
    match store::find_by_token(tx, &opaque::digest(token))? {
        Some((_, session)) if session.ended_at.is_none() => {
            let user = users::load(tx, session.user_id)?;
            tx.actor = Actor::of_user(user.id, user.role, user.partner_id);
            finish(tx, &user, &session, "revoked")
        }
        _ => {
            tx.exempt_from_audit(Unaudited::NothingWritten);
            Ok(())
        }
    }
}

/// Ends the session that an access token names.
pub(super) fn end_one(tx: &mut Tx<'_>, id: Id) -> Result<()> {
    match store::find(tx, id)? {
        Some(session) if session.ended_at.is_none() => {
            let user = users::load(tx, session.user_id)?;
            tx.actor = Actor::of_user(user.id, user.role, user.partner_id);
            finish(tx, &user, &session, "revoked")
        }
        _ => {
            tx.exempt_from_audit(Unaudited::NothingWritten);
            Ok(())
        }
    }
}

/// Ends every session of a user; access tokens issued before open nothing.
pub fn end_all(tx: &mut Tx<'_>, user: &User, because: &'static str) -> Result<User> {
    store::end_all(tx, user.id, because)?;
    users::revoke_sessions(tx, user)
}

/// Ends one of a user's sessions.
pub(super) fn sign_out(tx: &mut Tx<'_>, user: &User, id: Id) -> Result<()> {
    let session = store::get(tx, user, id)?;
    finish(tx, user, &session, "signed_out")
}

/// Removes failed sign-ins after a day, and sessions that have been over for a month; returns the number of removed rows.
pub fn sweep(conn: &mut Conn, now: Timestamp) -> Result<usize> {
    Ok(throttle::sweep(conn, now)? + store::sweep(conn, now)?)
}

fn finish(tx: &mut Tx<'_>, user: &User, session: &Session, because: &'static str) -> Result<()> {
    store::end(tx, session.id, because)?;
    let ended = |because: Option<&str>| json!({"user_id": user.id, "ended_because": because});
    event(user, session.id).before(&ended(None)).after(&ended(Some(because))).record(tx)
}

fn issue(tx: &mut Tx<'_>, session_id: Id) -> Result<String> {
    let token = opaque::random()?;
    keep(tx, session_id, &token)?;
    Ok(token)
}

fn keep(tx: &mut Tx<'_>, session_id: Id, token: &str) -> Result<()> {
    let row = RefreshToken { digest: opaque::digest(token), session_id, created_at: tx.now, used_at: None };
    store::insert_token(tx, &row)
}

fn event(user: &User, session: Id) -> audit::Event {
    audit::Event::on("session", session).seen_by(user.partner_id)
}
