//! What is done with sessions.

use super::{
    Session, brakes,
    store::{self, RefreshToken},
};
use crate::{
    access::{Actor, RequestOrigin, Tx, opaque},
    audit,
    identity::users::{self, User, UserStatus},
    platform::{
        Result,
        db::Conn,
        values::{Id, Timestamp},
    },
};
use serde_json::json;

/// What became of a refresh token.
#[derive(Debug)]
pub enum Renewal {
    /// It was exchanged for its successor.
    Renewed {
        /// Whose session it is.
        user: Box<User>,
        /// The session.
        session: Id,
        /// The successor; the only one that is good now.
        refresh_token: String,
        /// Seconds until the session ends where it is not renewed again.
        refresh_expires_in: i64,
    },
    /// It opens nothing. The unit must be committed all the same: a token used twice has ended its session.
    Refused,
}

/// Begins a session; its id and its first refresh token. It is part of the audited sign-in.
pub fn start(tx: &mut Tx<'_>, user: &User, from: &RequestOrigin) -> Result<(Id, String)> {
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
    Ok((session.id, issue(tx, session.id)?))
}

/// Exchanges a refresh token for its successor.
///
/// Each is good for once. Who shows a used one may be a thief, or may have been robbed by whoever used it: the session
/// ends for both. So it does where one client renews twice at the same moment; there is no grace.
pub fn renew(tx: &mut Tx<'_>, token: &str) -> Result<Renewal> {
    store::lock_token(tx, &opaque::digest(token))?;
    let Some((token, session)) = store::find_by_token(tx, &opaque::digest(token))? else {
        tx.changed_nothing();
        return Ok(Renewal::Refused);
    };
    let user = users::load(tx, session.user_id)?;
    if !session.is_live(user.token_epoch, tx.now) || user.status == UserStatus::Disabled {
        tx.changed_nothing();
        return Ok(Renewal::Refused);
    }
    if token.used_at.is_some() {
        finish(tx, &user, &session, "refresh_token_used_twice")?;
        return Ok(Renewal::Refused);
    }
    tx.actor = Actor::of_user(user.id, user.role, user.partner_id);
    store::mark_used(tx, &token)?;
    let refresh_token = issue(tx, session.id)?;
    let shown = |at: Timestamp| json!({"user_id": user.id, "last_used_at": at});
    event(&user, session.id).before(&shown(session.last_used_at)).after(&shown(tx.now)).record(tx)?;
    let renewed = Session { last_used_at: tx.now, ..session };
    Ok(Renewal::Renewed {
        user: Box::new(user),
        session: renewed.id,
        refresh_token,
        refresh_expires_in: renewed.renewable_until().as_seconds() - tx.now.as_seconds(),
    })
}

/// Ends the session of a refresh token, used or not. One that nobody knows ends nothing.
pub fn end(tx: &mut Tx<'_>, token: &str) -> Result<()> {
    match store::find_by_token(tx, &opaque::digest(token))? {
        Some((_, session)) if session.ended_at.is_none() => {
            let user = users::load(tx, session.user_id)?;
            tx.actor = Actor::of_user(user.id, user.role, user.partner_id);
            finish(tx, &user, &session, "revoked")
        }
        _ => {
            tx.changed_nothing();
            Ok(())
        }
    }
}

/// Ends a session by its id, as an access token names it.
pub(super) fn end_one(tx: &mut Tx<'_>, id: Id) -> Result<()> {
    match store::find(tx, id)? {
        Some(session) if session.ended_at.is_none() => {
            let user = users::load(tx, session.user_id)?;
            tx.actor = Actor::of_user(user.id, user.role, user.partner_id);
            finish(tx, &user, &session, "revoked")
        }
        _ => {
            tx.changed_nothing();
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

/// Forgets failed sign-ins of yesterday, and sessions that have been over for a month.
pub fn sweep(conn: &mut Conn, now: Timestamp) -> Result<usize> {
    Ok(brakes::sweep(conn, now)? + store::sweep(conn, now)?)
}

fn finish(tx: &mut Tx<'_>, user: &User, session: &Session, because: &'static str) -> Result<()> {
    store::end(tx, session.id, because)?;
    let ended = |because: Option<&str>| json!({"user_id": user.id, "ended_because": because});
    event(user, session.id).before(&ended(None)).after(&ended(Some(because))).record(tx)
}

fn issue(tx: &mut Tx<'_>, session_id: Id) -> Result<String> {
    let token = opaque::random()?;
    let row = RefreshToken { digest: opaque::digest(&token), session_id, created_at: tx.now, used_at: None };
    store::insert_token(tx, &row)?;
    Ok(token)
}

fn event(user: &User, session: Id) -> audit::Event {
    audit::Event::on("session", session).seen_by(user.partner_id)
}
