//! The caller's own account over HTTP.

use crate::{
    access::{
        Caller, Role, password,
        policy::{ChangePassword, GetMe, UpdateMe},
    },
    identity::users::{self, User},
    platform::{
        Error, FieldError, Result,
        http::{Answer, Body, Checked, IfMatch, faultless},
        values::{Id, Locale, Timestamp},
    },
    text,
};
use actix_web::{get, patch, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::{Validate, ValidationError};

/// The routes of one's own account.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_me).service(update_me).service(change_password);
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
    /// In which language the user is written to.
    locale: Locale,
    /// Whether the password is a temporary one.
    must_change_password: bool,
    /// When the temporary password stops opening anything; null for one's own.
    password_expires_at: Option<Timestamp>,
    /// Whether a second factor has been confirmed; a password may be shorter beside it.
    has_second_factor: bool,
    /// When the account was made.
    created_at: Timestamp,
}

/// A change of one's own account: the members given replace those on record.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"locale": "ja"}))]
pub struct MeUpdate {
    /// Name shown to people.
    #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$", nullable = false)]
    name: Option<String>,
    /// In which language you are written to.
    #[schema(nullable = false)]
    locale: Option<Locale>,
}

/// A new password.
#[derive(Clone, Deserialize, ToSchema, Validate)]
#[validate(schema(function = is_new))]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"current_password": "h7k2m-9pqrs-3tuvw-x4yza", "new_password": "correct horse battery staple"}))]
pub struct PasswordChange {
    /// The password as it is.
    #[schema(min_length = 1, max_length = 512, format = "password")]
    current_password: String,
    /// The password as it shall be: 15 to 128 characters (code points in Unicode's normal form C), 8 beside a second
    /// factor; any characters, no rules of composition, but nothing that is guessed first (NIST SP 800-63B-4).
    #[schema(min_length = 8, max_length = 128, format = "password")]
    new_password: String,
}

fn is_new(change: &PasswordChange) -> std::result::Result<(), ValidationError> {
    let message = text!(
        "it is the password you have; take another one",
        "現在のパスワードと同じです。別のパスワードを指定してください。"
    );
    let same = change.current_password == change.new_password;
    faultless(same.then(|| FieldError::new("/new_password", "unchanged", message)).into_iter().collect())
}

/// Read one's own account
///
/// The user the access token belongs to.
#[utoipa::path(tag = "auth", responses((status = 200, body = Me)))]
#[get("/v1/me")]
async fn get_me(caller: Caller<GetMe>) -> Result<Answer> {
    let id = caller.id();
    caller.read(move |tx| users::load(tx, id).map(record)).await
}

/// Change one's own account
///
/// A merge patch of name or language.
#[utoipa::path(tag = "auth", request_body = MeUpdate, responses((status = 200, body = Me)))]
#[patch("/v1/me")]
async fn update_me(caller: Caller<UpdateMe>, body: Body<MeUpdate>, revision: IfMatch) -> Result<Answer> {
    let id = caller.id();
    caller
        .write(body, move |tx, change| {
            let before = users::load(tx, id)?;
            revision.permits(before.revision)?;
            if *change == MeUpdate::default() {
                return tx.unchanged(record(before));
            }
            let change = users::UserChange {
                name: change.name.as_deref(),
                locale: change.locale,
                ..Default::default()
            };
            users::update(tx, before, change).map(record)
        })
        .await
}

/// Change one's own password
///
/// Ends all sessions of the user: sign in again with the new password.
#[utoipa::path(tag = "auth", request_body = PasswordChange, responses((status = 204)))]
#[put("/v1/me/password")]
async fn change_password(
    caller: Caller<ChangePassword>,
    Checked(body): Checked<PasswordChange>,
) -> Result<Answer> {
    let PasswordChange { current_password, new_password } = body.value;
    let id = caller.id();
    caller.count_guess().await?;
    let user = caller.peek(move |tx| users::load(tx, id)).await?;
    users::refuse_elsewhere(&user)?;
    keeps_the_rules(&user, &new_password)?;
    let hash = caller
        .hashing(move |hasher| {
            let comparison = hasher.compare(&current_password, Some(&user.password_hash))?;
            comparison.good.then(|| hasher.hash(&new_password)).transpose()
        })
        .await??
        .ok_or_else(|| {
            Error::new(
                &users::WRONG_PASSWORD,
                text!("the current password is wrong", "現在のパスワードが正しくありません。"),
            )
        })?;
    // The unit runs without the body, so that no fingerprint of a password is stored for a repeat.
    caller
        .act(move |tx| {
            users::change_password(tx, &hash)?;
            tx.forget_guesses(id)?;
            Ok(Answer::nothing())
        })
        .await
}

fn keeps_the_rules(user: &User, new: &str) -> Result<()> {
    let owner =
        password::Owner { email: &user.email, name: &user.name, has_second_factor: user.has_second_factor };
    password::check(new, owner, "/new_password").map_or(Ok(()), |fault| Err(Error::invalid(vec![fault])))
}

fn record(user: User) -> Answer {
    let me = Me {
        id: user.id,
        email: user.email,
        name: user.name,
        role: user.role,
        partner_id: user.partner_id,
        locale: user.locale,
        must_change_password: user.must_change_password,
        password_expires_at: user.password_expires_at,
        has_second_factor: user.has_second_factor,
        created_at: user.created_at,
    };
    Answer::record(&me, user.revision)
}
