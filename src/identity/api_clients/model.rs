//! What an API client is; no I/O, no clock, no HTTP.

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
        /// It may fetch access tokens until it expires.
        Active = "active",
        /// Barred for good.
        Revoked = "revoked",
    }
}

/// A machine that may call the service.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = api_clients, treat_none_as_null = true)]
pub struct ApiClient {
    /// Identifier; the client id it proves itself with.
    pub id: Id,
    /// Name shown to people.
    pub name: String,
    /// What it may do at most.
    pub role: Role,
    /// Whose client; none for the programme's own.
    pub partner_id: Option<Id>,
    /// Which of that it is given, in the order of the alphabet.
    pub scopes: Json<Vec<String>>,
    /// Where it stands.
    pub status: ApiClientStatus,
    /// When it stops; none for never.
    pub expires_at: Option<Timestamp>,
    /// When it last fetched an access token.
    pub last_used_at: Option<Timestamp>,
    /// Counts revocations of its tokens.
    pub token_epoch: i64,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts changes; the entity tag.
    pub revision: i64,
}

impl ApiClient {
    /// Whether it may fetch access tokens.
    #[must_use]
    pub fn may_enter(&self, now: Timestamp) -> bool {
        self.status == ApiClientStatus::Active && self.expires_at.is_none_or(|end| end > now)
    }
}

/// A secret of a client as it is kept: nobody can read it back.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = api_client_secrets, treat_none_as_default_value = false)]
pub(super) struct Secret {
    /// SHA-256 of the text; the text is 32 random bytes, so that no slow hash is needed.
    pub digest: Vec<u8>,
    /// Whose.
    pub client_id: Id,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops, once it has been replaced; none for the current one.
    pub expires_at: Option<Timestamp>,
}
