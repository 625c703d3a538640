//! Asking for a token, mailing tokens, and setting a password with one.

use super::{
    model::{GOOD_SECONDS, PasswordReset, ResetRequest, barred},
    store,
};
use crate::{
    access::{
        Actor, Tx, opaque,
        password::{self, Owner},
    },
    audit,
    config::MailRoute,
    identity::users::{self, User},
    notifications::{self, About, Message},
    platform::{Error, Result},
    text,
    work::{End, JobName, Queue, Schedule, Turn, Work},
};
use serde_json::json;
use std::net::IpAddr;

crate::problem_codes! {
    RESET_TOKEN_INVALID = "reset_token_invalid" 400 ["The token opens nothing", "トークンが無効です"],
        ["The token is wrong, was used before, or is older than 30 minutes. Ask for another one at `POST /v1/auth/password-reset-requests`.", "トークンが誤っているか、使用済み、または発行から 30 分を過ぎています。`POST /v1/auth/password-reset-requests` で再度お申し込みください。"];
}

/// The answering of requests: a user who may set a new password is mailed a token.
pub const WORK: Work = Work {
    name: JobName::PasswordResets,
    schedule: |_| Schedule::Never,
    queue: Some(Queue { waits: store::any_request, every: 5 }),
    run: answer_all,
};

/// How many requests are looked up at once.
const AT_ONCE: i64 = 100;

/// Keeps a request, whether or not the name has a user.
pub(super) fn request(tx: &mut Tx<'_>, email: &str, from: IpAddr) -> Result<()> {
    let request = ResetRequest { id: tx.new_id(), email: email.to_owned(), requested_at: tx.now };
    store::insert_request(tx, &request)?;
    audit::Event::on("password_reset_request", request.id).after(&json!({"address": from})).record(tx)
}

fn answer_all(turn: &Turn) -> Result<End> {
    let lease = turn.lease();
    while !turn.is_ending() {
        let requests = turn.app().query_as_system(|tx| store::first_requests(tx, AT_ONCE))?;
        if requests.is_empty() {
            return Ok(End::Done);
        }
        for request in requests {
            turn.app().write_as_system("MailPasswordReset", move |tx| {
                lease.check(tx)?;
                answer(tx, &request)
            })?;
        }
    }
    Ok(End::Interrupted)
}

/// Mails a token to the user of the name, where there is one who may set a new password.
fn answer(tx: &mut Tx<'_>, request: &ResetRequest) -> Result<()> {
    store::remove_request(tx, request.id)?;
    let user = users::find_to_change(tx, &request.email)?;
    let outcome = match &user {
        None => "unknown_user",
        Some(user) => match barred(user) {
            Some(reason) => reason,
            None => mail(tx, user)?,
        },
    };
    let event = audit::Event::on("password_reset_request", request.id);
    let event = event.seen_by(user.as_ref().and_then(|user| user.partner_id));
    event.after(&json!({"outcome": outcome, "user_id": user.map(|user| user.id)})).record(tx)
}

fn mail(tx: &mut Tx<'_>, user: &User) -> Result<&'static str> {
    if matches!(tx.mail().route, MailRoute::None) {
        return Ok("no_mail_server");
    }
    if store::of_user(tx, user.id)?.is_some_and(|earlier| earlier.stands_alone(tx.now)) {
        return Ok("mailed_before");
    }
    let token = opaque::random()?;
    let expires_at = tx.now.plus_seconds(GOOD_SECONDS);
    let reset =
        PasswordReset { user_id: user.id, digest: opaque::digest(&token), mailed_at: tx.now, expires_at };
    store::replace(tx, &reset)?;
    let message = Message::PasswordReset { token, expires_at };
    notifications::notify(tx, &[user.recipient()], user.partner_id, About::new("user", user.id), &message)?;
    Ok("mailed")
}

/// The user whose password a token sets; refuses a token that opens nothing.
pub(super) fn owner_of(tx: &mut Tx<'_>, token: &str) -> Result<User> {
    let reset = good(tx, token)?;
    let user = users::load(tx, reset.user_id)?;
    if barred(&user).is_some() { Err(invalid()) } else { Ok(user) }
}

/// Refuses a password that its user may not choose.
pub(super) fn refuse_weak(user: &User, password: &str) -> Result<()> {
    let owner = Owner { email: &user.email, name: &user.name, has_second_factor: user.has_second_factor };
    let fault = password::check(password, owner, "/new_password");
    fault.map_or(Ok(()), |fault| Err(Error::invalid(vec![fault])))
}

/// Sets the password of the token's user; the token is used up, and every session of the user ends.
pub(super) fn redeem(tx: &mut Tx<'_>, token: &str, password_hash: &str) -> Result<()> {
    let holder = owner_of(tx, token)?;
    // Of two callers with the same token the second waits here, and finds the token used up.
    users::load_to_change(tx, holder.id)?;
    let user = owner_of(tx, token)?;
    tx.actor = Actor::of_user(user.id, user.role, user.partner_id);
    store::remove(tx, user.id)?;
    tx.end_other_sessions(user.id, None, "password_reset")?;
    users::set_password(tx, &user, password_hash).map(drop)
}

fn good(tx: &mut Tx<'_>, token: &str) -> Result<PasswordReset> {
    let found = store::find(tx, &opaque::digest(token))?;
    found.filter(|reset| reset.is_good(tx.now)).ok_or_else(invalid)
}

fn invalid() -> Error {
    Error::new(
        &RESET_TOKEN_INVALID,
        text!(
            "the token is wrong, was used before, or has expired; ask for another one",
            "トークンが誤っているか、使用済み、または有効期限切れです。再度お申し込みください。"
        ),
    )
}
