//! Sign-in and the caller's own account over HTTP.

use crate::{
    access::{
        ACCESS_TOKEN_SECONDS, Actor, Caller, JsonWebKeySet, Public, Role, SIGN_IN_FAILED, Subject, opaque,
        password,
        policy::{ChangePassword, GetMe},
    },
    audit,
    platform::{
        Error, Result,
        http::{Answer, Body},
        values::{Id, Timestamp},
    },
    schema::users as table,
    users::{self, User, UserStatus},
};
use actix_web::{HttpResponse, Responder, get, http::header, post, put};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(login).service(get_key_set).service(get_me).service(change_password);
}

/// Who signs in.
#[derive(Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"username": "olivia@programme.example", "password": "demo-operator-passphrase"}))]
pub struct Credentials {
    /// The user's e-mail address, in any case.
    #[schema(min_length = 1, max_length = 254)]
    username: String,
    /// The password.
    #[schema(min_length = 1, max_length = 512, format = "password")]
    password: String,
}

/// An access token. Send it as `Authorization: Bearer <access_token>`.
#[derive(Serialize, ToSchema)]
pub struct Session {
    /// A signed JWT (RFC 9068); opaque to the client.
    #[schema(max_length = 4096, examples("eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.e30.c2ln"))]
    access_token: String,
    /// How it is sent.
    #[schema(max_length = 10, examples("Bearer"))]
    token_type: &'static str,
    /// Seconds until it expires.
    #[schema(minimum = 1, maximum = 86400, examples(900))]
    expires_in: i64,
    /// Whether it opens nothing but the change of the temporary password.
    must_change_password: bool,
}

/// Sign in
///
/// Gives an access token for a user name and a password. The answer is the same for an unknown user and a wrong
/// password, and takes as long. Executing this in Swagger UI authorises the page.
#[utoipa::path(tag = "auth", request_body = Credentials, responses((status = 200, body = Session), (status = 401, description = "User name or password is wrong.", body = crate::platform::http::Problem, content_type = "application/problem+json")))]
#[post("/v1/auth/login")]
async fn login(public: Public, body: Body<Credentials>) -> Result<Answer> {
    let Credentials { username, password } = body.value;
    let name = users::fold(&username);
    public.count_sign_in(&name)?;
    let found = public.read(move |conn| users::find_by_email(conn, &name)).await?;
    let hash = found.as_ref().map(|user| user.password_hash.clone());
    let good = public.hashing(move || password::verify(&password, hash.as_deref())).await?;
    match found.filter(|user| good && user.status != UserStatus::Disabled) {
        Some(user) => welcome(&public, user).await,
        None => Err(Error::new(&SIGN_IN_FAILED, "user name or password is wrong")),
    }
}

async fn welcome(public: &Public, user: User) -> Result<Answer> {
    let access_token =
        public.issue(Subject::User { id: user.id, session: None }, user.role, user.token_epoch)?;
    let actor = Actor::of_user(user.id, user.role, user.partner_id);
    public.write(actor, "Login", move |tx| audit::Event::on("user", user.id).record(tx)).await?;
    Ok(Answer::ok(&Session {
        access_token,
        token_type: "Bearer",
        expires_in: ACCESS_TOKEN_SECONDS,
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

/// Whom the access token belongs to.
#[derive(Serialize, ToSchema)]
pub struct Me {
    /// The user.
    id: Id,
    /// E-mail address; the user name.
    #[schema(format = "email", max_length = 254, examples("mia@contoso.example"))]
    email: String,
    /// Name shown to people.
    #[schema(max_length = 200, examples("Mia Mertens"))]
    name: String,
    /// What the user may do.
    role: Role,
    /// Whose user; null for programme staff.
    partner_id: Option<Id>,
    /// When the account was made.
    created_at: Timestamp,
}

/// Read one's own account
///
/// The user the access token belongs to.
#[utoipa::path(tag = "auth", responses((status = 200, body = Me)))]
#[get("/v1/me")]
async fn get_me(caller: Caller<GetMe>) -> Result<Answer> {
    let id = caller.id();
    caller
        .read(move |tx| {
            let user: User = table::table.find(id).select(User::as_select()).get_result(tx.conn)?;
            Ok(Answer::record(
                &Me {
                    id: user.id,
                    email: user.email,
                    name: user.name,
                    role: user.role,
                    partner_id: user.partner_id,
                    created_at: user.created_at,
                },
                user.revision,
            ))
        })
        .await
}

/// A new password.
#[derive(Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"current_password": "h7k2m-9pqrs-3tuvw-x4yza", "new_password": "correct horse battery staple"}))]
pub struct PasswordChange {
    /// The password as it is.
    #[schema(min_length = 1, max_length = 512, format = "password")]
    current_password: String,
    /// The password as it shall be: 15 to 128 characters, any of them, no rules of composition (NIST 800-63B-4).
    #[schema(min_length = 15, max_length = 128, format = "password")]
    #[validate(custom(function = "hard_to_guess"))]
    new_password: String,
}

/// Change one's own password
///
/// Ends all sessions of the user: sign in again with the new password.
#[utoipa::path(tag = "auth", request_body = PasswordChange, responses((status = 204)))]
#[put("/v1/me/password")]
async fn change_password(caller: Caller<ChangePassword>, body: Body<PasswordChange>) -> Result<Answer> {
    let PasswordChange { current_password, new_password } = body.value;
    let id = caller.id();
    caller.count_guess()?;
    let known = caller.peek(move |tx| {
        Ok(table::table.find(id).select(table::password_hash).get_result::<String>(tx.conn)?)
    });
    let known = known.await?;
    let hash = caller
        .hashing(move || {
            password::verify(&current_password, Some(&known)).then(|| password::hash(&new_password))
        })
        .await?
        .ok_or_else(|| Error::new(&users::WRONG_PASSWORD, "the current password is wrong"))??;
    // Without the body: no fingerprint of a password is kept for a repeat.
    caller
        .act(move |tx| {
            users::change_password(tx, &hash)?;
            Ok(Answer::nothing())
        })
        .await
}

fn hard_to_guess(password: &str) -> std::result::Result<(), validator::ValidationError> {
    let mut characters = password.chars();
    let first = characters.next();
    if characters.all(|c| Some(c) == first) {
        let message = "choose a password that is not one repeated character";
        return Err(validator::ValidationError::new("too_common").with_message(message.into()));
    }
    Ok(())
}
