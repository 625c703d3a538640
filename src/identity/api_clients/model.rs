//! The API client and its secrets; no I/O, no clock, no HTTP.

use crate::{
    access::Role,
    platform::{
        db::types::Json,
        values::{Id, Timestamp, text_enum},
    },
    schema::{api_client_secrets, api_clients},
};
use diesel::prelude::*;

text_enum! {
    /// Where an API client stands.
    pub enum ApiClientStatus {
        /// The client may fetch access tokens until the client expires.
        Active = "active",
        /// The client is barred for good.
        Revoked = "revoked",
    }
}

/// A machine that may call the service.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = api_clients, treat_none_as_null = true)]
pub struct ApiClient {
    /// UUID of version 7; the `client_id` of OAuth.
    pub id: Id,
    /// The name, as shown to people.
    pub name: String,
    /// The role, which bounds the scopes.
    pub role: Role,
    /// The client's partner; none for the programme's own clients.
    pub partner_id: Option<Id>,
    /// The scopes of the client, in alphabetical order.
    pub scopes: Json<Vec<String>>,
    /// The status of the client.
    pub status: ApiClientStatus,
    /// When the client expires; none for never.
    pub expires_at: Option<Timestamp>,
    /// When the client last fetched an access token.
    pub last_used_at: Option<Timestamp>,
    /// Counts the revocations of the client's tokens.
    pub token_epoch: i64,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of the record; the entity tag.
    pub revision: i64,
}

impl ApiClient {
    /// Whether the client may fetch access tokens.
    #[must_use]
    pub fn may_enter(&self, now: Timestamp) -> bool {
        self.status == ApiClientStatus::Active && self.expires_at.is_none_or(|end| end > now)
    }
}

/// The stored digest of a client's secret, from which nobody can compute the secret.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = api_client_secrets, treat_none_as_default_value = false)]
pub(super) struct ClientSecret {
    /// The SHA-256 of the secret; the secret has 32 random bytes, so that no slow hash is needed.
    pub digest: Vec<u8>,
    /// The client.
    pub client_id: Id,
    /// When the secret was made.
    pub created_at: Timestamp,
    /// When a replaced secret expires; none of the current secret.
    pub expires_at: Option<Timestamp>,
}
