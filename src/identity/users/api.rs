//! Users over HTTP.

use super::{Delivery, NewUser, SignInBy, User, UserChange, UserStatus, passwords, service, store};
use crate::{
    access::{
        Caller, PartnerKey, Role, Tx, password,
        policy::{
            CreateUser, DeactivateUser, GetUser, ListUsers, Policy, ReactivateUser, ResetPassword, UpdateUser,
        },
    },
    network::partners::TransitionReason,
    platform::{
        Error, Result,
        http::{
            Answer, Body, Cursor, IfMatch, Listing, PageParams, PageRequest, Path, double_option, page_of,
        },
        values::{Id, Locale, Timestamp},
    },
    text,
};
use actix_web::{get, patch, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_users)
        .service(create_user)
        .service(get_user)
        .service(update_user)
        .service(deactivate_user)
        .service(reactivate_user)
        .service(reset_password);
}

/// A person who may sign in.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// E-mail address, in lower case; the user name.
    #[schema(format = "email", max_length = 254, examples("mia@contoso.example"))]
    email: String,
    /// Name shown to people.
    #[schema(max_length = 200, examples("Mia Mertens"))]
    name: String,
    /// What the user may do.
    role: Role,
    /// Whose user; null for programme staff.
    partner_id: Option<Id>,
    /// Where the account stands.
    status: UserStatus,
    /// Whether the password is a temporary one, which opens nothing but its own change.
    must_change_password: bool,
    /// When the temporary password stops opening anything; null for one's own.
    password_expires_at: Option<Timestamp>,
    /// Whether a second factor has been confirmed.
    has_second_factor: bool,
    /// In which language the user is written to.
    locale: Locale,
    /// Who vouches for the user instead of a password: an OpenID Connect issuer; null where there is a password.
    #[schema(max_length = 400, examples("https://login.example.com"))]
    issuer: Option<String>,
    /// The temporary password; only in the answer that makes it, shown this once. Null where it was mailed, and in a
    /// repeated answer: it is stored nowhere.
    #[schema(value_type = Option<String>, required = false, max_length = 40, examples("h7k2m-9pqrs-3tuvw-x4yza"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    temporary_password: Option<Option<String>>,
    /// When the record was made.
    created_at: Timestamp,
    /// When it was last changed.
    updated_at: Timestamp,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 1)]
    revision: i64,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            email: user.email,
            name: user.name,
            role: user.role,
            partner_id: user.partner_id,
            status: user.status,
            must_change_password: user.must_change_password,
            issuer: user.issuer,
            password_expires_at: user.password_expires_at,
            has_second_factor: user.has_second_factor,
            locale: user.locale,
            temporary_password: None,
            created_at: user.created_at,
            updated_at: user.updated_at,
            revision: user.revision,
        }
    }
}

page_of!(
    /// One page of users.
    pub UserPage of UserView
);

/// A user to make.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "noor@programme.example", "name": "Noor Haddad", "role": "auditor"}))]
pub struct UserCreate {
    /// E-mail address; the user name.
    #[schema(format = "email", min_length = 3, max_length = 254)]
    email: String,
    /// Name shown to people.
    #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$")]
    name: String,
    /// What the user may do. An incentive admin makes incentive admins and viewers of the own partner.
    role: Role,
    /// Whose user; for `incentive_admin` and `viewer`, and only for them.
    #[serde(default)]
    partner_id: Option<PartnerKey>,
    /// In which language the user is written to.
    #[schema(default = "en")]
    #[serde(default)]
    locale: Locale,
    /// How the temporary password reaches the user.
    #[schema(default = "show")]
    #[serde(default)]
    deliver: Delivery,
    /// The OpenID Connect issuer that vouches for the user, who then has no password; the one the service trusts.
    #[serde(default)]
    #[schema(max_length = 400)]
    issuer: Option<String>,
}

/// Why a password is reset, and where the new one goes.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Forgot it, called in person"}))]
pub struct PasswordReset {
    /// In your own words, for the audit trail.
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    reason: String,
    /// How the temporary password reaches the user.
    #[schema(default = "show")]
    #[serde(default)]
    deliver: Delivery,
}

/// A change of a user: the members given replace those on record.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Mia Mertens-Okafor"}))]
pub struct UserUpdate {
    /// E-mail address; the user name. Operators correct an address: the user's sessions end, and both addresses are told. A temporary
    /// password that went to the wrong address is reset as well.
    #[schema(format = "email", min_length = 3, max_length = 254, nullable = false)]
    email: Option<String>,
    /// Name shown to people.
    #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$", nullable = false)]
    name: Option<String>,
    /// What the user may do; a change ends the user's sessions.
    #[schema(nullable = false)]
    role: Option<Role>,
    /// In which language the user is written to.
    #[schema(nullable = false)]
    locale: Option<Locale>,
    /// The OpenID Connect issuer that vouches for the user, the one the service trusts; null for a password. A change
    /// ends the user's sessions; without an issuer the user is back at the password of before, and must change it.
    #[serde(default, deserialize_with = "double_option::deserialize")]
    #[schema(max_length = 400, value_type = Option<String>)]
    issuer: Option<Option<String>>,
}

/// Which users to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UserFilter {
    /// Of this partner.
    pub partner_id: Option<PartnerKey>,
    /// With this role.
    #[param(inline)]
    pub role: Option<Role>,
    /// With this status.
    #[param(inline)]
    pub status: Option<UserStatus>,
    /// With this e-mail address.
    #[param(max_length = 254, example = "mia@contoso.example")]
    pub email: Option<String>,
}

/// List users
///
/// All of them for programme staff; for an incentive admin those of the own partner and its locations.
#[utoipa::path(tag = "users", params(UserFilter, PageParams), responses((status = 200, body = UserPage)))]
#[get("/v1/users")]
async fn list_users(caller: Caller<ListUsers>, page: PageRequest<UserFilter>) -> Result<Listing> {
    caller
        .list_plainly(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let users = store::list(tx, page)?;
            Ok(page.answer(users, total, |user| Cursor { key: None, id: user.id }, UserView::from))
        })
        .await
}

/// Make a user
///
/// Answers with a temporary password, shown this once, or mails it; the user must change it at the first sign-in,
/// within 72 hours. The answer to a repeated request (`Idempotent-Replayed`) has null in its place: it is stored
/// nowhere. Whoever missed it resets it. A user with an `issuer` has none.
#[utoipa::path(tag = "users", request_body = UserCreate, responses((status = 201, body = UserView)))]
#[post("/v1/users")]
async fn create_user(caller: Caller<CreateUser>, body: Body<UserCreate>) -> Result<Answer> {
    known_issuer(body.value.issuer.as_deref(), caller.issuer())?;
    let NewPassword { text: password, hash } = new_password(&caller).await?;
    caller
        .write(body, move |tx, new| {
            let deliver = new.deliver;
            let new = NewUser {
                email: new.email.clone(),
                name: new.name.clone(),
                role: new.role,
                partner_id: new.partner_id.as_ref().map(|partner| partner.id(tx)).transpose()?,
                password_hash: hash.clone(),
                must_change_password: new.issuer.is_none(),
                locale: new.locale,
                issuer: new.issuer.clone(),
            };
            let user = service::create(tx, new)?;
            let location = format!("/v1/users/{}", user.id);
            if user.issuer.is_some() {
                return Ok(record(user).made_at(location));
            }
            Ok(hand_over(tx, user, &password, deliver)?.made_at(location))
        })
        .await
}

/// A temporary password.
struct NewPassword {
    text: String,
    hash: String,
}

async fn new_password<P: Policy>(caller: &Caller<P>) -> Result<NewPassword> {
    let made = caller.hashing(|hasher| -> Result<NewPassword> {
        let text = password::temporary()?;
        Ok(NewPassword { hash: hasher.hash(&text)?, text })
    });
    made.await?
}

/// Hands over a temporary password in the answer or by mail; the stored answer for a repeat has no password.
fn hand_over(tx: &mut Tx<'_>, user: User, password: &str, deliver: Delivery) -> Result<Answer> {
    if deliver == Delivery::Mail {
        passwords::mail_password(tx, &user, password)?;
    }
    let shown = (deliver == Delivery::Show).then(|| password.to_owned());
    let with = |password| UserView { temporary_password: Some(password), ..UserView::from(user.clone()) };
    Ok(Answer::record(&with(shown), user.revision).kept_as(&with(None), user.revision))
}

/// Read a user
///
/// One user; the password is never shown.
#[utoipa::path(tag = "users", responses((status = 200, body = UserView)))]
#[get("/v1/users/{id}")]
async fn get_user(caller: Caller<GetUser>, id: Path<Id>) -> Result<Answer> {
    caller.read(move |tx| store::get(tx, *id).map(record)).await
}

/// Change a user
///
/// A merge patch of address, name, role, language or issuer. A new role takes effect on the user's next request, which must
/// sign in again.
#[utoipa::path(tag = "users", request_body = UserUpdate, responses((status = 200, body = UserView)))]
#[patch("/v1/users/{id}")]
async fn update_user(
    caller: Caller<UpdateUser>,
    id: Path<Id>,
    body: Body<UserUpdate>,
    revision: IfMatch,
) -> Result<Answer> {
    known_issuer(body.value.issuer.as_ref().and_then(Option::as_deref), caller.issuer())?;
    caller
        .write(body, move |tx, change| {
            let before = store::to_change(tx, *id)?;
            revision.permits(before.revision)?;
            if *change == UserUpdate::default() {
                return tx.unchanged(record(before));
            }
            let change = UserChange {
                email: change.email.as_deref(),
                name: change.name.as_deref(),
                role: change.role,
                locale: change.locale,
                sign_in_by: change.issuer.as_ref().map(|issuer| SignInBy::of(issuer.as_deref())),
            };
            service::update(tx, before, change).map(record)
        })
        .await
}

/// Bar a user
///
/// Takes effect on the user's next request: tokens issued before open nothing.
#[utoipa::path(tag = "users", request_body = TransitionReason, responses((status = 200, body = UserView)))]
#[post("/v1/users/{id}/deactivation")]
async fn deactivate_user(
    caller: Caller<DeactivateUser>,
    id: Path<Id>,
    body: Body<TransitionReason>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, because| {
            let before = store::to_change(tx, *id)?;
            service::deactivate(tx, before, &because.reason).map(record)
        })
        .await
}

/// Let a barred user back in
///
/// The user signs in again with the password as it was.
#[utoipa::path(tag = "users", request_body = TransitionReason, responses((status = 200, body = UserView)))]
#[post("/v1/users/{id}/reactivation")]
async fn reactivate_user(
    caller: Caller<ReactivateUser>,
    id: Path<Id>,
    body: Body<TransitionReason>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, because| {
            let before = store::to_change(tx, *id)?;
            service::reactivate(tx, before, &because.reason).map(record)
        })
        .await
}

/// Reset a user's password
///
/// Gives the user a temporary password, shown this once or mailed; the user must change it at the next sign-in, within
/// 72 hours. The old password opens nothing any more and every session ends. The answer to a repeated request
/// (`Idempotent-Replayed`) has null in the password's place: it is stored nowhere. Nobody resets one's own.
#[utoipa::path(tag = "users", request_body = PasswordReset, responses((status = 200, body = UserView)))]
#[post("/v1/users/{id}/password-reset")]
async fn reset_password(
    caller: Caller<ResetPassword>,
    id: Path<Id>,
    body: Body<PasswordReset>,
) -> Result<Answer> {
    let NewPassword { text: password, hash } = new_password(&caller).await?;
    caller
        .write(body, move |tx, reset| {
            let before = store::to_change(tx, *id)?;
            let user = passwords::reset_password(tx, &before, &hash, &reset.reason)?;
            hand_over(tx, user, &password, reset.deliver)
        })
        .await
}

/// Refuses an issuer that the service does not trust.
fn known_issuer(given: Option<&str>, trusted: Option<&str>) -> Result<()> {
    if given.is_none() || given == trusted {
        return Ok(());
    }
    let message = match trusted {
        Some(trusted) => text!(
            "the service trusts {trusted} only",
            "本サービスが信頼する ID プロバイダーは {trusted} のみです。"
        ),
        None => text!(
            "the service is told to trust no issuer; leave it out",
            "本サービスは外部の ID プロバイダーを信頼しない設定です。この項目を省略してください。"
        ),
    };
    Err(Error::invalid_field("/issuer", "unknown", message))
}

fn record(user: User) -> Answer {
    let revision = user.revision;
    Answer::record(&UserView::from(user), revision)
}
