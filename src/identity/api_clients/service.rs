//! The commands on API clients.

use super::{
    ApiClient, ApiClientStatus,
    api::{ApiClientCreate, ApiClientUpdate, ApiClientView},
    model::ClientSecret,
    store,
};
use crate::{
    access::{Tx, opaque},
    audit,
    identity::users,
    network::partners::{self, TRANSITION_NOT_ALLOWED},
    platform::{
        Error, Result,
        db::types::Json,
        values::{Id, Timestamp},
    },
    text,
};
use serde_json::json;

/// A client with its new secret, which is shown once.
pub(super) struct WithSecret {
    pub client: ApiClient,
    pub secret: String,
}

/// The beginning of every secret, so that scanners recognise a leaked secret.
const PREFIX: &str = "pis_";

/// Makes a client with its first secret.
pub(super) fn create(tx: &mut Tx<'_>, new: &ApiClientCreate) -> Result<WithSecret> {
    let partner_id = new.partner_id.as_ref().map(|partner| partner.id(tx)).transpose()?;
    if let Some(partner) = partner_id {
        tx.lock_partner(partner)?;
    }
    if let Some(partner) = users::may_give(tx, new.role, partner_id)? {
        partners::refuse_closed(&partner)?;
    }
    refuse_past(tx, new.expires_at)?;
    let client = ApiClient {
        id: tx.new_id(),
        name: new.name.clone(),
        role: new.role,
        partner_id,
        scopes: Json(ordered(&new.scopes)),
        status: ApiClientStatus::Active,
        expires_at: new.expires_at,
        last_used_at: None,
        token_epoch: 1,
        created_at: tx.now,
        updated_at: tx.now,
        revision: 1,
    };
    store::insert(tx, &client)?;
    let secret = add_secret(tx, client.id)?;
    event(&client).after(&ApiClientView::from(client.clone())).record(tx)?;
    Ok(WithSecret { client, secret })
}

/// Changes a client; another role or other scopes revoke the client's tokens.
pub(super) fn update(tx: &mut Tx<'_>, before: ApiClient, change: &ApiClientUpdate) -> Result<ApiClient> {
    refuse_revoked(&before)?;
    let role = change.role.unwrap_or(before.role);
    if role != before.role {
        users::may_give(tx, role, before.partner_id)?;
    }
    let scopes = change.scopes.as_ref().map_or_else(|| before.scopes.0.clone(), |given| ordered(given));
    let expires_at = change.expires_at.unwrap_or(before.expires_at);
    if expires_at != before.expires_at {
        refuse_past(tx, expires_at)?;
    }
    let narrowed = role != before.role || scopes != before.scopes.0;
    let client = ApiClient {
        name: change.name.clone().unwrap_or_else(|| before.name.clone()),
        role,
        scopes: Json(scopes),
        expires_at,
        token_epoch: before.token_epoch + i64::from(narrowed),
        ..before.clone()
    };
    save(tx, &before, client, None)
}

/// Gives a client another secret; the one before works on for so many hours.
pub(super) fn rotate(tx: &mut Tx<'_>, before: ApiClient, overlap_hours: i64) -> Result<WithSecret> {
    refuse_revoked(&before)?;
    if overlap_hours == 0 {
        store::delete_secrets(tx, before.id)?;
    } else {
        store::retire_secrets(tx, before.id, tx.now.plus_seconds(overlap_hours * 3600))?;
    }
    let secret = add_secret(tx, before.id)?;
    // Without an overlap the old secret is taken for stolen, and so is what was fetched with it.
    let token_epoch = before.token_epoch + i64::from(overlap_hours == 0);
    let client = save(tx, &before, ApiClient { token_epoch, ..before.clone() }, None)?;
    Ok(WithSecret { client, secret })
}

/// Bars a client for good: its secrets and its tokens open nothing from now on.
pub(super) fn revoke(tx: &mut Tx<'_>, before: ApiClient, reason: &str) -> Result<ApiClient> {
    refuse_revoked(&before)?;
    store::delete_secrets(tx, before.id)?;
    let epoch = before.token_epoch + 1;
    let client = ApiClient { status: ApiClientStatus::Revoked, token_epoch: epoch, ..before.clone() };
    save(tx, &before, client, Some(reason))
}

/// The client with this id and secret, where the client may fetch access tokens.
pub fn authenticate(tx: &mut Tx<'_>, id: Id, secret: &str) -> Result<Option<ApiClient>> {
    let found = store::find_by_secret(tx, id, &opaque::digest(secret))?;
    Ok(found.filter(|client| client.may_enter(tx.now)))
}

/// An audit event about the client with this id; none where there is no such client.
pub fn event_of(tx: &mut Tx<'_>, id: Id) -> Result<Option<audit::Event>> {
    Ok(store::find(tx, id)?.as_ref().map(event))
}

/// Records that a client has fetched an access token.
pub fn used(tx: &mut Tx<'_>, client: &ApiClient) -> Result<()> {
    store::touch(tx, client.id)?;
    let used = |at: Option<Timestamp>| json!({"last_used_at": at});
    event(client).before(&used(client.last_used_at)).after(&used(Some(tx.now))).record(tx)
}

fn add_secret(tx: &mut Tx<'_>, client_id: Id) -> Result<String> {
    let text = format!("{PREFIX}{}", opaque::random()?);
    let digest = opaque::digest(&text);
    store::insert_secret(tx, &ClientSecret { digest, client_id, created_at: tx.now, expires_at: None })?;
    Ok(text)
}

fn save(tx: &mut Tx<'_>, before: &ApiClient, client: ApiClient, reason: Option<&str>) -> Result<ApiClient> {
    let client = ApiClient { updated_at: tx.now, revision: before.revision + 1, ..client };
    store::update(tx, &client)?;
    let views = (ApiClientView::from(before.clone()), ApiClientView::from(client.clone()));
    event(&client).before(&views.0).after(&views.1).because(reason).record(tx)?;
    Ok(client)
}

fn event(client: &ApiClient) -> audit::Event {
    audit::Event::on("api_client", client.id).seen_by(client.partner_id)
}

/// The scopes given, each once and in order.
fn ordered(given: &[String]) -> Vec<String> {
    let mut scopes = given.to_vec();
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}

fn refuse_past(tx: &Tx<'_>, expires_at: Option<Timestamp>) -> Result<()> {
    if expires_at.is_some_and(|end| end <= tx.now) {
        let message = text!(
            "must lie in the future; to bar the client now, revoke it",
            "将来の日時を指定してください。直ちに停止する場合は、クライアントを失効させてください。"
        );
        return Err(Error::invalid_field("/expires_at", "past", message));
    }
    Ok(())
}

fn refuse_revoked(client: &ApiClient) -> Result<()> {
    if client.status == ApiClientStatus::Revoked {
        let detail = text!(
            "this client is revoked for good; make another one",
            "このクライアントは失効しており、再開できません。新しいクライアントを作成してください。"
        );
        let nothing: [&str; 0] = [];
        return Err(Error::new(&TRANSITION_NOT_ALLOWED, detail)
            .with("from", client.status)
            .with("allowed", nothing));
    }
    Ok(())
}
