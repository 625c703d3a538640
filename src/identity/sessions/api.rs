//! Signing in and sessions over HTTP.

use super::{
    Session, service,
    sign_in::{SignInAttempt, SignInResult},
    store,
};
use crate::{
    access::{
        ACCESS_TOKEN_SECONDS, Actor, Caller, JsonWebKeySet, Public, TokenSubject, opaque,
        policy::{EndSession, EndSessions, ListSessions},
    },
    identity::users,
    platform::{
        Error, Result,
        http::{Answer, Body, Cursor, Listing, PageParams, PageRequest, Path, page_of},
        values::{Id, Timestamp},
    },
};
use actix_web::{HttpResponse, Responder, delete, get, http::header, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of signing in.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(login)
        .service(get_key_set)
        .service(list_sessions)
        .service(end_sessions)
        .service(end_session);
}

/// Who signs in.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"username": "olivia@programme.example", "password": "demo-operator-passphrase"}))]
pub struct Credentials {
    /// The user's e-mail address, in any case.
    #[schema(min_length = 1, max_length = 254)]
    username: String,
    /// The password.
    #[schema(min_length = 1, max_length = 512, format = "password")]
    password: String,
    /// What the second factor shows, for a user who has one.
    #[schema(min_length = 6, max_length = 40, nullable = false)]
    code: Option<String>,
}

/// An access token, and a refresh token to renew it with. Send the access token as
/// `Authorization: Bearer <access_token>`.
#[derive(Serialize, ToSchema)]
pub struct SignedIn {
    /// A signed JWT (RFC 9068); opaque to the client.
    #[schema(max_length = 4096, examples("eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.e30.c2ln"))]
    access_token: String,
    /// How it is sent.
    #[schema(max_length = 10, examples("Bearer"))]
    token_type: &'static str,
    /// Seconds until it expires.
    #[schema(minimum = 1, maximum = 86400, examples(900))]
    expires_in: i64,
    /// Good for one renewal, which gives the next one; null with a temporary password.
    #[schema(max_length = 100, examples("mF_9.B5f-4.1JqM0sVnqXkz7aYx2LrT8uWcE5bGhDpQ"))]
    refresh_token: Option<String>,
    /// Seconds until the session ends where it is not renewed; null with a temporary password.
    #[schema(minimum = 1, maximum = 2_592_000, examples(604_800))]
    refresh_expires_in: Option<i64>,
    /// Whether the access token opens nothing but the change of the temporary password.
    must_change_password: bool,
}

/// Sign in
///
/// Gives an access token for a user name and a password, and a refresh token, which renews it for 30 days at most and
/// as long as it is used at least every 7 days. The answer is the same for an unknown user and a wrong password, and
/// takes as long. Five failures are free; from then on each makes the next attempt from that address wait, 15 seconds
/// at first, 15 minutes at most, the right password too. A temporary password opens nothing but its own change; after
/// 72 hours it is refused as `temporary_password_expired`. A user with a second factor sends `code` as well, and is
/// asked for it by `one_time_code_required`. Executing this in Swagger UI authorises the page.
#[utoipa::path(tag = "auth", request_body = Credentials, responses((status = 200, body = SignedIn), (status = 401, description = "User name or password is wrong, or a temporary password has expired.", body = crate::platform::http::Problem, content_type = "application/problem+json")))]
#[post("/v1/auth/login")]
async fn login(public: Public, body: Body<Credentials>) -> Result<Answer> {
    let Credentials { username, password, code } = body.value;
    let name = users::fold(&username);
    public.count_sign_in(&name)?;
    let attempt = SignInAttempt::new(name, code, public.origin().clone());
    let (attempt, hash) = public.snapshot(move |tx| attempt.approach(tx).map(|hash| (attempt, hash))).await?;
    let (hash, comparison) = public
        .hashing(move |hasher| {
            hasher.compare(&password, hash.as_deref()).map(|comparison| (hash, comparison))
        })
        .await??;
    let conclude =
        public.write(Actor::NOBODY, "Login", move |tx| attempt.conclude(tx, hash.as_deref(), &comparison));
    answer(&public, conclude.await?)
}

fn answer(public: &Public, result: SignInResult) -> Result<Answer> {
    let (user, session, refresh_expires_in) = match result {
        SignInResult::SignedIn { user, session, refresh_expires_in } => (user, session, refresh_expires_in),
        SignInResult::Refused(refusal) => return Err(refusal.error()),
    };
    let session_id = session.as_ref().map(|session| session.id);
    let subject = TokenSubject::User { id: user.id, session: session_id, locale: user.locale };
    Ok(Answer::ok(&SignedIn {
        access_token: public.issue(subject, user.role, user.token_epoch)?,
        token_type: "Bearer",
        expires_in: ACCESS_TOKEN_SECONDS,
        refresh_expires_in: session.as_ref().map(|_| refresh_expires_in),
        refresh_token: session.map(|session| session.refresh_token),
        must_change_password: user.must_change_password,
    }))
}

/// The keys that verify access tokens
///
/// A JSON Web Key Set (RFC 7517). Keys rotate with overlap, and a new one stands here ten minutes before it signs: keep
/// the set for five minutes, and read it again when a token names a key you do not know. Answers 304 where
/// `If-None-Match` names the current one.
#[utoipa::path(tag = "auth", responses((status = 200, body = JsonWebKeySet), (status = 304, description = "You have the current one.")))]
#[get("/.well-known/jwks.json")]
async fn get_key_set(public: Public) -> Result<impl Responder> {
    let keys = serde_json::to_string(&public.key_set().await?).map_err(Error::internal)?;
    let digest =
        opaque::digest(&keys).iter().take(9).fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .insert_header((header::ETAG, format!("\"{digest}\"")))
        .content_type("application/json")
        .body(keys))
}

/// Somewhere the caller is signed in.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// Whether it is the one this request is made in.
    current: bool,
    /// The network address of the sign-in.
    #[schema(max_length = 45, examples("203.0.113.7"))]
    address: String,
    /// With what, as it called itself; null where it did not.
    #[schema(max_length = 200, examples("Mozilla/5.0 (X11; Linux x86_64)"))]
    user_agent: Option<String>,
    /// When it began.
    created_at: Timestamp,
    /// When it was last renewed.
    last_used_at: Timestamp,
    /// Until when it can be renewed.
    expires_at: Timestamp,
}

page_of!(
    /// One page of sessions.
    pub SessionPage of SessionView
);

/// Sessions take no filter.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct SessionFilter {}

/// List one's own sessions
///
/// Where the caller is signed in, newest first.
#[utoipa::path(tag = "auth", params(PageParams), responses((status = 200, body = SessionPage)))]
#[get("/v1/me/sessions")]
async fn list_sessions(caller: Caller<ListSessions>, page: PageRequest<SessionFilter>) -> Result<Listing> {
    let (id, current) = (caller.id(), caller.session());
    caller
        .list(page, move |tx, page| {
            let user = users::load(tx, id)?;
            let total = page.include_total.then(|| store::count(tx, &user)).transpose()?;
            let sessions = store::list(tx, &user, page)?;
            let cursor = |session: &Session| Cursor { key: None, id: session.id };
            Ok(page.answer(sessions, total, cursor, |session| view(session, current)))
        })
        .await
}

fn view(session: Session, current: Option<Id>) -> SessionView {
    SessionView {
        id: session.id,
        current: current == Some(session.id),
        expires_at: session.renewable_until(),
        address: session.address,
        user_agent: session.user_agent,
        created_at: session.created_at,
        last_used_at: session.last_used_at,
    }
}

/// Sign out everywhere
///
/// Ends every session of the caller, this one too: access tokens and refresh tokens issued before open nothing.
#[utoipa::path(tag = "auth", responses((status = 204)))]
#[delete("/v1/me/sessions")]
async fn end_sessions(caller: Caller<EndSessions>) -> Result<Answer> {
    let id = caller.id();
    caller
        .act(move |tx| {
            let user = users::load_to_change(tx, id)?;
            service::end_all(tx, &user, "signed_out_everywhere")?;
            Ok(Answer::nothing())
        })
        .await
}

/// Sign out somewhere
///
/// Ends one session of the caller: its access tokens and its refresh token open nothing.
#[utoipa::path(tag = "auth", responses((status = 204)))]
#[delete("/v1/me/sessions/{id}")]
async fn end_session(caller: Caller<EndSession>, id: Path<Id>) -> Result<Answer> {
    let own = caller.id();
    caller
        .act(move |tx| {
            let user = users::load(tx, own)?;
            service::sign_out(tx, &user, *id)?;
            Ok(Answer::nothing())
        })
        .await
}
