//! Users over HTTP.

use super::{NewUser, User, UserStatus, service, store};
use crate::{
    access::{
        Caller, Role, password,
        policy::{CreateUser, DeactivateUser, GetUser, ListUsers, ReactivateUser, UpdateUser},
    },
    partners::Reason,
    platform::{
        Result,
        http::{Answer, Body, Cursor, IfMatch, Listing, PageParams, PageRequest, Path, page_of},
        values::{Id, Timestamp},
    },
};
use actix_web::{get, patch, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_users)
        .service(create_user)
        .service(get_user)
        .service(update_user)
        .service(deactivate_user)
        .service(reactivate_user);
}

/// A person who may sign in.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserView {
    /// Identifier.
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
    /// The first password; only in the answer that makes the user, shown this once.
    #[schema(max_length = 40, nullable = false, examples("h7k2m-9pqrs-3tuvw-x4yza"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    temporary_password: Option<String>,
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
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
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
    partner_id: Option<Id>,
}

/// A change of a user: the members given replace those on record.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Mia Mertens-Okafor"}))]
pub struct UserUpdate {
    /// Name shown to people.
    #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$", nullable = false)]
    name: Option<String>,
    /// What the user may do; a change ends the user's sessions.
    #[schema(nullable = false)]
    role: Option<Role>,
}

/// Which users to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UserFilter {
    /// Of this partner.
    pub partner_id: Option<Id>,
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
/// Answers with a temporary password, shown this once; the user must change it at the first sign-in.
#[utoipa::path(tag = "users", request_body = UserCreate, responses((status = 201, body = UserView)))]
#[post("/v1/users")]
async fn create_user(caller: Caller<CreateUser>, body: Body<UserCreate>) -> Result<Answer> {
    let (password, hash) = caller
        .hashing(|| -> Result<(String, String)> {
            let password = password::temporary()?;
            let hash = password::hash(&password)?;
            Ok((password, hash))
        })
        .await??;
    caller
        .write(body, move |tx, new| {
            let new = NewUser {
                email: new.email.clone(),
                name: new.name.clone(),
                role: new.role,
                partner_id: new.partner_id,
                password_hash: hash.clone(),
                must_change_password: true,
            };
            let user = service::create(tx, new)?;
            let (location, revision) = (format!("/v1/users/{}", user.id), user.revision);
            let made = UserView { temporary_password: Some(password.clone()), ..UserView::from(user) };
            Ok(Answer::created(location, &made, revision))
        })
        .await
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
/// A merge patch of name or role. A new role takes effect on the user's next request, which must sign in again.
#[utoipa::path(tag = "users", request_body = UserUpdate, responses((status = 200, body = UserView)))]
#[patch("/v1/users/{id}")]
async fn update_user(
    caller: Caller<UpdateUser>,
    id: Path<Id>,
    body: Body<UserUpdate>,
    revision: IfMatch,
) -> Result<Answer> {
    caller
        .write(body, move |tx, change| {
            let before = store::get(tx, *id)?;
            revision.permits(before.revision)?;
            service::update(tx, before, change.name.as_deref(), change.role).map(record)
        })
        .await
}

/// Bar a user
///
/// Takes effect on the user's next request: tokens issued before open nothing.
#[utoipa::path(tag = "users", request_body = Reason, responses((status = 200, body = UserView)))]
#[post("/v1/users/{id}/deactivation")]
async fn deactivate_user(caller: Caller<DeactivateUser>, id: Path<Id>, body: Body<Reason>) -> Result<Answer> {
    caller
        .write(body, move |tx, because| {
            let before = store::get(tx, *id)?;
            service::deactivate(tx, before, &because.reason).map(record)
        })
        .await
}

/// Let a barred user back in
///
/// The user signs in again with the password as it was.
#[utoipa::path(tag = "users", request_body = Reason, responses((status = 200, body = UserView)))]
#[post("/v1/users/{id}/reactivation")]
async fn reactivate_user(caller: Caller<ReactivateUser>, id: Path<Id>, body: Body<Reason>) -> Result<Answer> {
    caller
        .write(body, move |tx, because| {
            let before = store::get(tx, *id)?;
            service::reactivate(tx, before, &because.reason).map(record)
        })
        .await
}

fn record(user: User) -> Answer {
    let revision = user.revision;
    Answer::record(&UserView::from(user), revision)
}
