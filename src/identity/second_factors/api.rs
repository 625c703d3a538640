//! Second factors over HTTP.

use super::{FactorState, SecondFactor, model::AppSecret, service, store};
use crate::{
    access::{
        Caller, password,
        policy::{
            ConfirmSecondFactor, EnrollSecondFactor, GetSecondFactor, Policy, RemoveSecondFactor,
            RenewRecoveryCodes, ResetSecondFactor,
        },
    },
    identity::users::{self, User, api::UserView},
    network::partners::TransitionReason,
    platform::{
        Error, Result,
        http::{Answer, Body, Path},
        values::{Id, Timestamp},
    },
    text,
};
use actix_web::{get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(get_second_factor)
        .service(enroll_second_factor)
        .service(confirm_second_factor)
        .service(renew_recovery_codes)
        .service(remove_second_factor)
        .service(reset_second_factor);
}

/// Where one's own second factor stands.
#[derive(Serialize, ToSchema)]
#[schema(as = SecondFactor)]
pub struct FactorView {
    /// Where it stands.
    state: FactorState,
    /// Since when every sign-in asks for it; null before.
    confirmed_at: Option<Timestamp>,
    /// How many recovery codes have not been used.
    #[schema(minimum = 0, maximum = 10)]
    recovery_codes_left: i64,
}

/// Proof that it is the user who asks.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"current_password": "demo-operator-passphrase"}))]
pub struct SecondFactorEnrollment {
    /// The password as it is.
    #[schema(min_length = 1, max_length = 512, format = "password")]
    current_password: String,
}

/// What an authenticator app needs; shown this once.
#[derive(Serialize, ToSchema)]
pub struct SecondFactorSecret {
    /// The secret in base32, to type in.
    #[schema(max_length = 64, examples("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"))]
    secret: String,
    /// The same as a URI, to show as a QR code.
    #[schema(
        max_length = 1000,
        examples(
            "otpauth://totp/Partner%20Incentives:mia%40contoso.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Partner%20Incentives"
        )
    )]
    uri: String,
}

/// A code of the second factor.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "287082"}))]
pub struct OneTimeCode {
    /// Six digits of the authenticator app, or a recovery code.
    #[schema(min_length = 6, max_length = 40)]
    code: String,
}

/// Password and code together.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"current_password": "demo-operator-passphrase", "code": "287082"}))]
pub struct SecondFactorRemoval {
    /// The password as it is.
    #[schema(min_length = 1, max_length = 512, format = "password")]
    current_password: String,
    /// Six digits of the authenticator app, or a recovery code.
    #[schema(min_length = 6, max_length = 40)]
    code: String,
}

/// Recovery codes, each good for one sign-in without the app; shown this once.
#[derive(Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// The codes.
    #[schema(max_items = 10, examples(json!(["h7k2m-9pqrs-3tuvw-x4yza"])))]
    recovery_codes: Vec<RecoveryCode>,
}

/// A recovery code. Dashes and case do not matter.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(min_length = 6, max_length = 40, examples("h7k2m-9pqrs-3tuvw-x4yza"))]
pub struct RecoveryCode(String);

/// Read where one's second factor stands
///
/// The secret is never shown again.
#[utoipa::path(tag = "auth", responses((status = 200, body = FactorView)))]
#[get("/v1/me/second-factor")]
async fn get_second_factor(caller: Caller<GetSecondFactor>) -> Result<Answer> {
    let id = caller.id();
    caller
        .snapshot(move |tx| {
            let factor = store::find(tx, id)?;
            Ok(Answer::ok(&FactorView {
                state: factor.as_ref().map_or(FactorState::None, SecondFactor::state),
                confirmed_at: factor.and_then(|factor| factor.confirmed_at),
                recovery_codes_left: store::codes_left(tx, id)?,
            }))
        })
        .await
}

/// Enrol a second factor
///
/// Answers with a new secret for an authenticator app (TOTP, RFC 6238). It counts once its first code is confirmed;
/// until then it can be enrolled anew.
#[utoipa::path(tag = "auth", request_body = SecondFactorEnrollment, responses((status = 200, body = SecondFactorSecret)))]
#[post("/v1/me/second-factor")]
async fn enroll_second_factor(
    caller: Caller<EnrollSecondFactor>,
    body: Body<SecondFactorEnrollment>,
) -> Result<Answer> {
    expect_password(&caller, body.value.current_password).await?;
    let secret = service::secret()?;
    // The units of second factors run without the body, so that no answer with a secret is stored for a repeat.
    caller
        .act(move |tx| {
            let AppSecret { base32, uri } = service::enroll(tx, &secret)?;
            Ok(Answer::ok(&SecondFactorSecret { secret: base32, uri }))
        })
        .await
}

/// Confirm the second factor
///
/// Takes the first code and answers with ten recovery codes. From now on every sign-in asks for a code, and the user's
/// other sessions end.
#[utoipa::path(tag = "auth", request_body = OneTimeCode, responses((status = 200, body = RecoveryCodes)))]
#[post("/v1/me/second-factor/confirmation")]
async fn confirm_second_factor(
    caller: Caller<ConfirmSecondFactor>,
    body: Body<OneTimeCode>,
) -> Result<Answer> {
    caller.count_guess().await?;
    let (code, recovery_codes) = (body.value.code, service::recovery_codes()?);
    let own = caller.session();
    caller
        .act(move |tx| {
            service::confirm(tx, &code, &recovery_codes, own)?;
            Ok(shown(&recovery_codes))
        })
        .await
}

/// Make new recovery codes
///
/// Takes a code. The recovery codes before open nothing any more.
#[utoipa::path(tag = "auth", request_body = OneTimeCode, responses((status = 200, body = RecoveryCodes)))]
#[post("/v1/me/second-factor/recovery-codes")]
async fn renew_recovery_codes(caller: Caller<RenewRecoveryCodes>, body: Body<OneTimeCode>) -> Result<Answer> {
    caller.count_guess().await?;
    let (code, recovery_codes) = (body.value.code, service::recovery_codes()?);
    caller
        .act(move |tx| {
            service::renew_recovery_codes(tx, &code, &recovery_codes)?;
            Ok(shown(&recovery_codes))
        })
        .await
}

/// Remove the second factor
///
/// Takes password and code, and ends the user's other sessions. Refused where operators need a second factor, and where
/// the password is too weak to stand alone.
#[utoipa::path(tag = "auth", request_body = SecondFactorRemoval, responses((status = 204)))]
#[post("/v1/me/second-factor/removal")]
async fn remove_second_factor(
    caller: Caller<RemoveSecondFactor>,
    body: Body<SecondFactorRemoval>,
) -> Result<Answer> {
    let SecondFactorRemoval { current_password, code } = body.value;
    let user = expect_password(&caller, current_password.clone()).await?;
    let alone = password::Owner { email: &user.email, name: &user.name, has_second_factor: false };
    let may_stand_alone = password::check(&current_password, alone, "/current_password").is_none();
    let own = caller.session();
    caller
        .act(move |tx| {
            service::remove(tx, &code, may_stand_alone, own)?;
            Ok(Answer::nothing())
        })
        .await
}

/// Reset a user's second factor
///
/// For a user who has lost it: the next sign-in asks for the password alone, which has to be changed then, and the
/// user's sessions end. An incentive admin does it for users of the own partner and its locations.
#[utoipa::path(tag = "users", request_body = TransitionReason, responses((status = 200, body = UserView)))]
#[post("/v1/users/{id}/second-factor-reset")]
async fn reset_second_factor(
    caller: Caller<ResetSecondFactor>,
    id: Path<Id>,
    body: Body<TransitionReason>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, because| {
            let user = service::reset(tx, *id, &because.reason)?;
            let revision = user.revision;
            Ok(Answer::record(&UserView::from(user), revision))
        })
        .await
}

fn shown(recovery_codes: &[String]) -> Answer {
    Answer::ok(&RecoveryCodes { recovery_codes: recovery_codes.iter().cloned().map(RecoveryCode).collect() })
}

/// Refuses a caller who does not know the user's password, such as the thief of an open session.
async fn expect_password<P: Policy>(caller: &Caller<P>, password: String) -> Result<User> {
    let id = caller.id();
    caller.count_guess().await?;
    let user = caller.peek(move |tx| users::load(tx, id)).await?;
    let known = user.password_hash.clone();
    let comparison = caller.hashing(move |hasher| hasher.compare(&password, Some(&known))).await??;
    if comparison.good {
        Ok(user)
    } else {
        Err(Error::new(
            &users::WRONG_PASSWORD,
            text!("the current password is wrong", "現在のパスワードが正しくありません。"),
        ))
    }
}
