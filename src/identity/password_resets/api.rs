//! Resets over HTTP.

use super::service;
use crate::{
    access::{Actor, Public, Tx},
    identity::users,
    platform::{
        Result,
        http::{Answer, Body, Problem},
    },
};
use actix_web::post;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(request_password_reset).service(reset_password_by_token);
}

/// Who has forgotten the password.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"username": "admin-1@partner.example"}))]
pub struct PasswordResetRequest {
    /// The user's e-mail address, in any case.
    #[schema(min_length = 1, max_length = 254)]
    username: String,
}

/// A new password, and the token that was mailed.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token": "mF_9.B5f-4.1JqM0sVnqXkz7aYx2LrT8uWcE5bGhDpQ", "new_password": "correct horse battery staple"}))]
pub struct PasswordByToken {
    /// The token of the mail.
    #[schema(min_length = 1, max_length = 100)]
    token: String,
    /// The password as it shall be: 15 to 128 characters (code points in Unicode's normal form C), 8 beside a second
    /// factor; any characters, no rules of composition, but nothing that is guessed first (NIST SP 800-63B-4).
    #[schema(min_length = 8, max_length = 128, format = "password")]
    new_password: String,
}

/// Ask for a new password by mail
///
/// Mails a token to the user of this name, good once and for 30 minutes. Whoever asks is answered in the same way and in the
/// same time, whether or not there is such a user. Nothing is mailed to users who are barred or who sign in by an outside
/// issuer, and to one user at most one mail in five minutes.
#[utoipa::path(tag = "auth", request_body = PasswordResetRequest, responses((status = 204, description = "Taken; a user of that name is mailed.")))]
#[post("/v1/auth/password-reset-requests")]
async fn request_password_reset(public: Public, body: Body<PasswordResetRequest>) -> Result<Answer> {
    let email = users::fold(&body.value.username);
    public.count_reset_request(&email)?;
    let from = public.origin().address;
    let keep = move |tx: &mut Tx<'_>| service::request(tx, &email, from);
    public.write(Actor::NOBODY, "RequestPasswordReset", keep).await?;
    public.wake();
    Ok(Answer::nothing())
}

/// Set a new password by a token
///
/// Sets the password of the user whom the token was mailed to. The token is used up, every session of the user ends, and
/// the user is told by mail. A second factor stays: sign in with both.
#[utoipa::path(
    tag = "auth", request_body = PasswordByToken,
    responses(
        (status = 204),
        (status = 400, description = "`reset_token_invalid`: the token is wrong, used or expired.", body = Problem, content_type = "application/problem+json")
    )
)]
#[post("/v1/auth/password-resets")]
async fn reset_password_by_token(public: Public, body: Body<PasswordByToken>) -> Result<Answer> {
    let PasswordByToken { token, new_password } = body.value;
    public.count_attempt()?;
    let sought = token.clone();
    // Slow work waits until the token is known to be good.
    let user = public.snapshot(move |tx| service::owner_of(tx, &sought)).await?;
    service::refuse_weak(&user, &new_password)?;
    let hash = public.hashing(move |hasher| hasher.hash(&new_password)).await??;
    let redeem = move |tx: &mut Tx<'_>| service::redeem(tx, &token, &hash);
    public.write(Actor::NOBODY, "ResetPasswordByToken", redeem).await?;
    Ok(Answer::nothing())
}
