//! API clients over HTTP.

use super::{
    ApiClient, ApiClientStatus,
    service::{self, WithSecret},
    store,
};
use crate::{
    access::{
        Caller, PartnerKey, Role,
        policy::{
            self, CreateApiClient, GetApiClient, ListApiClients, RevokeApiClient, RotateApiClientSecret,
            UpdateApiClient,
        },
    },
    network::partners::TransitionReason,
    platform::{
        FieldError, Result,
        http::{
            Answer, Body, Checked, Cursor, IfMatch, Listing, PageParams, PageRequest, Path, double_option,
            faultless, page_of,
        },
        values::{Id, Timestamp},
    },
    text,
};
use actix_web::{get, patch, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::{Validate, ValidationError};

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_api_clients)
        .service(create_api_client)
        .service(get_api_client)
        .service(update_api_client)
        .service(rotate_api_client_secret)
        .service(revoke_api_client);
}

/// A machine that may call the service. Its `id` is its client id at `POST /v1/auth/token`.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiClient)]
pub struct ApiClientView {
    /// Identifier; the client id.
    id: Id,
    /// Name shown to people.
    #[schema(max_length = 200, examples("Warehouse"))]
    name: String,
    /// What it may do at most.
    role: Role,
    /// Whose client; null for the programme's own.
    partner_id: Option<Id>,
    /// Which of that it is given.
    #[schema(max_items = 100, inline)]
    #[schema(value_type = Vec<ScopeName>)]
    scopes: Vec<String>,
    /// Where it stands.
    status: ApiClientStatus,
    /// When it stops by itself; null for never.
    expires_at: Option<Timestamp>,
    /// When it last fetched an access token; null before the first.
    last_used_at: Option<Timestamp>,
    /// The secret; only in the answer that makes it, shown this once. Null in a repeated answer: it is stored nowhere.
    #[schema(value_type = Option<String>, required = false, max_length = 60, examples("pis_Zm9yIHRoZSBkb2N1bWVudCwgbm90IGEgc2VjcmV0IGF0IGFsbA"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<Option<String>>,
    /// When the record was made.
    created_at: Timestamp,
    /// When it was last changed.
    updated_at: Timestamp,
    /// Counts changes.
    #[schema(minimum = 1)]
    revision: i64,
}

/// The name of a scope, such as `partners:read`.
#[derive(ToSchema)]
#[schema(max_length = 60, pattern = "^[a-z_]+:(read|write)$", examples("partners:read"))]
#[expect(dead_code, reason = "documents the items of a list")]
pub struct ScopeName(String);

impl From<ApiClient> for ApiClientView {
    fn from(client: ApiClient) -> Self {
        Self {
            id: client.id,
            name: client.name,
            role: client.role,
            partner_id: client.partner_id,
            scopes: client.scopes.0,
            status: client.status,
            expires_at: client.expires_at,
            last_used_at: client.last_used_at,
            client_secret: None,
            created_at: client.created_at,
            updated_at: client.updated_at,
            revision: client.revision,
        }
    }
}

page_of!(
    /// One page of API clients.
    pub ApiClientPage of ApiClientView
);

/// An API client to make.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Warehouse", "role": "auditor", "scopes": ["enrollments:read", "transactions:read"]
}))]
pub struct ApiClientCreate {
    /// Name shown to people.
    #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$")]
    pub(super) name: String,
    /// What it may do at most.
    pub(super) role: Role,
    /// Whose client; for `incentive_admin` and `viewer`, and only for them. It sees what that partner's people see.
    #[serde(default)]
    pub(super) partner_id: Option<PartnerKey>,
    /// Which of that it is given; each operation names its scope.
    #[schema(min_items = 1, max_items = 100, value_type = Vec<ScopeName>)]
    #[validate(custom(function = known_scopes))]
    pub(super) scopes: Vec<String>,
    /// When it stops by itself; never where it is left out.
    #[serde(default)]
    pub(super) expires_at: Option<Timestamp>,
}

/// A change of an API client: the members given replace those on record.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"scopes": ["enrollments:read"]}))]
pub struct ApiClientUpdate {
    /// Name shown to people.
    #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$", nullable = false)]
    pub(super) name: Option<String>,
    /// What it may do at most; a change ends its access tokens.
    #[schema(nullable = false)]
    pub(super) role: Option<Role>,
    /// Which of that it is given; a change ends its access tokens.
    #[schema(min_items = 1, max_items = 100, nullable = false, value_type = Option<Vec<ScopeName>>)]
    #[validate(custom(function = known_scopes))]
    pub(super) scopes: Option<Vec<String>>,
    /// When it stops by itself; null for never.
    #[serde(default, deserialize_with = "double_option::deserialize")]
    #[schema(value_type = Option<Timestamp>)]
    pub(super) expires_at: Option<Option<Timestamp>>,
}

fn known_scopes(given: &[String]) -> std::result::Result<(), ValidationError> {
    let all = policy::scopes();
    let unknown = given.iter().enumerate().filter(|(_, scope)| !all.contains(&scope.as_str()));
    let message = text!(
        "there is no such scope; there are: {}",
        "該当するスコープは存在しません。指定できるスコープ：{}",
        all.join(", ")
    );
    faultless(unknown.map(|(at, _)| FieldError::new(format!("/{at}"), "unknown", message.clone())).collect())
}

/// How a secret is replaced.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"overlap_hours": 24}))]
pub struct SecretRotation {
    /// Hours the secret before works on, so that nothing stops while it is replaced everywhere; 0 where it has leaked.
    #[serde(default = "a_day")]
    #[schema(minimum = 0, maximum = 168, default = 24)]
    overlap_hours: i64,
}

fn a_day() -> i64 {
    24
}

/// Which API clients to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ApiClientFilter {
    /// Of this partner.
    pub partner_id: Option<PartnerKey>,
    /// With this status.
    #[param(inline)]
    pub status: Option<ApiClientStatus>,
}

/// List API clients
///
/// All of them, the newest first; no secret is ever shown.
#[utoipa::path(tag = "api-clients", params(ApiClientFilter, PageParams), responses((status = 200, body = ApiClientPage)))]
#[get("/v1/api-clients")]
async fn list_api_clients(
    caller: Caller<ListApiClients>,
    page: PageRequest<ApiClientFilter>,
) -> Result<Listing> {
    caller
        .list_plainly(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let clients = store::list(tx, page)?;
            let cursor = |client: &ApiClient| Cursor { key: None, id: client.id };
            Ok(page.answer(clients, total, cursor, ApiClientView::from))
        })
        .await
}

/// Make an API client
///
/// Answers with its secret, shown this once; whoever missed it replaces it. The client fetches access tokens at `POST /v1/auth/token` with
/// `grant_type=client_credentials`.
#[utoipa::path(tag = "api-clients", request_body = ApiClientCreate, responses((status = 201, body = ApiClientView)))]
#[post("/v1/api-clients")]
async fn create_api_client(
    caller: Caller<CreateApiClient>,
    Checked(body): Checked<ApiClientCreate>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, new| {
            let made = service::create(tx, new)?;
            let location = format!("/v1/api-clients/{}", made.client.id);
            Ok(with_secret(&made).made_at(location))
        })
        .await
}

/// Read an API client
///
/// One client; its secret is never shown.
#[utoipa::path(tag = "api-clients", responses((status = 200, body = ApiClientView)))]
#[get("/v1/api-clients/{id}")]
async fn get_api_client(caller: Caller<GetApiClient>, id: Path<Id>) -> Result<Answer> {
    caller.read(move |tx| store::get(tx, *id).map(record)).await
}

/// Change an API client
///
/// A merge patch of name, role, scopes or expiry. Another role or other scopes end the access tokens it has: it
/// fetches new ones.
#[utoipa::path(tag = "api-clients", request_body = ApiClientUpdate, responses((status = 200, body = ApiClientView)))]
#[patch("/v1/api-clients/{id}")]
async fn update_api_client(
    caller: Caller<UpdateApiClient>,
    id: Path<Id>,
    Checked(body): Checked<ApiClientUpdate>,
    revision: IfMatch,
) -> Result<Answer> {
    caller
        .write(body, move |tx, change| {
            let before = store::to_change(tx, *id)?;
            revision.permits(before.revision)?;
            if *change == ApiClientUpdate::default() {
                return tx.unchanged(record(before));
            }
            service::update(tx, before, change).map(record)
        })
        .await
}

/// Replace an API client's secret
///
/// Answers with the new secret, shown this once. The one before works on for `overlap_hours`; any older one stops now.
#[utoipa::path(tag = "api-clients", request_body = SecretRotation, responses((status = 200, body = ApiClientView)))]
#[post("/v1/api-clients/{id}/secret-rotation")]
async fn rotate_api_client_secret(
    caller: Caller<RotateApiClientSecret>,
    id: Path<Id>,
    body: Body<SecretRotation>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, rotation| {
            let before = store::to_change(tx, *id)?;
            Ok(with_secret(&service::rotate(tx, before, rotation.overlap_hours)?))
        })
        .await
}

/// Revoke an API client
///
/// For good, and at once: its secrets and the access tokens it has open nothing any more.
#[utoipa::path(tag = "api-clients", request_body = TransitionReason, responses((status = 200, body = ApiClientView)))]
#[post("/v1/api-clients/{id}/revocation")]
async fn revoke_api_client(
    caller: Caller<RevokeApiClient>,
    id: Path<Id>,
    body: Body<TransitionReason>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, because| {
            let before = store::to_change(tx, *id)?;
            service::revoke(tx, before, &because.reason).map(record)
        })
        .await
}

fn record(client: ApiClient) -> Answer {
    let revision = client.revision;
    Answer::record(&ApiClientView::from(client), revision)
}

fn with_secret(WithSecret { client, secret }: &WithSecret) -> Answer {
    let with = |secret| ApiClientView { client_secret: Some(secret), ..ApiClientView::from(client.clone()) };
    let revision = client.revision;
    Answer::record(&with(Some(secret.clone())), revision).kept_as(&with(None), revision)
}
