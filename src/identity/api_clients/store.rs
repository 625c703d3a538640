//! The API clients in the database.

use super::{ApiClient, ApiClientStatus, api::ApiClientFilter, model::ClientSecret};
use crate::{
    access::{ClientStanding, PartnerKey, Role, Tx},
    platform::{
        Error, Result,
        db::{Conn, MultiBackend, lock_rows, native},
        http::{PageRequest, keyset},
        values::{Id, Timestamp},
    },
    schema::{api_client_secrets, api_clients},
};
use diesel::prelude::*;

// Only programme staff sees API clients, so the query needs no scope.
fn matching(
    tx: &mut Tx<'_>,
    filter: &ApiClientFilter,
) -> Result<api_clients::BoxedQuery<'static, MultiBackend>> {
    let partner = PartnerKey::asked_for(filter.partner_id.as_ref(), tx)?;
    let mut query = api_clients::table.into_boxed();
    if let Some(id) = partner {
        query = query.filter(api_clients::partner_id.eq(id));
    }
    if let Some(status) = filter.status {
        query = query.filter(api_clients::status.eq(status));
    }
    Ok(query)
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<ApiClientFilter>) -> Result<Vec<ApiClient>> {
    let query = matching(tx, &page.filter)?;
    Ok(keyset!(query, page, api_clients, newest).select(ApiClient::as_select()).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &ApiClientFilter) -> Result<i64> {
    Ok(matching(tx, filter)?.count().get_result(tx.conn)?)
}

/// The standing of a client, by one statement, which runs at every request of a client.
pub fn standing(conn: &mut Conn, id: Id) -> Result<Option<ClientStanding>> {
    type Row = (ApiClientStatus, Role, Option<Id>, i64, Option<Timestamp>);
    let found: Option<Row> = native!(conn, conn => api_clients::table
        .find(id)
        .select((
            api_clients::status,
            api_clients::role,
            api_clients::partner_id,
            api_clients::token_epoch,
            api_clients::expires_at,
        ))
        .get_result(conn)
        .optional()?);
    Ok(found.map(|(status, role, partner, epoch, expires_at)| ClientStanding {
        barred: status != ApiClientStatus::Active,
        role,
        partner,
        epoch,
        expires_at,
    }))
}

pub(super) fn find(tx: &mut Tx<'_>, id: Id) -> Result<Option<ApiClient>> {
    Ok(api_clients::table.find(id).select(ApiClient::as_select()).get_result(tx.conn).optional()?)
}

pub(super) fn get(tx: &mut Tx<'_>, id: Id) -> Result<ApiClient> {
    find(tx, id)?.ok_or(Error::not_found("API client", "API クライアント"))
}

/// A client, locked until the end of the unit.
pub(super) fn to_change(tx: &mut Tx<'_>, id: Id) -> Result<ApiClient> {
    lock_rows!(tx.conn, for_no_key_update, api_clients::table.find(id).select(api_clients::id));
    get(tx, id)
}

/// The client with this id and the digest of a secret that has not expired.
pub(super) fn find_by_secret(tx: &mut Tx<'_>, id: Id, digest: &[u8]) -> Result<Option<ApiClient>> {
    let valid = api_client_secrets::expires_at.is_null().or(api_client_secrets::expires_at.gt(tx.now));
    let query = api_clients::table
        .inner_join(api_client_secrets::table.on(api_client_secrets::client_id.eq(api_clients::id)))
        .filter(api_clients::id.eq(id))
        .filter(api_client_secrets::digest.eq(digest.to_vec()))
        .filter(valid);
    Ok(query.select(ApiClient::as_select()).get_result(tx.conn).optional()?)
}

pub(super) fn insert(tx: &mut Tx<'_>, client: &ApiClient) -> Result<()> {
    diesel::insert_into(api_clients::table).values(client).execute(tx.conn)?;
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, client: &ApiClient) -> Result<()> {
    diesel::update(api_clients::table.find(client.id)).set(client).execute(tx.conn)?;
    Ok(())
}

/// Notes the use of a client without a new revision: a caller who edits the client need not read the client again.
pub(super) fn touch(tx: &mut Tx<'_>, id: Id) -> Result<()> {
    let used = api_clients::last_used_at.eq(Some(tx.now));
    diesel::update(api_clients::table.find(id)).set(used).execute(tx.conn)?;
    Ok(())
}

pub(super) fn insert_secret(tx: &mut Tx<'_>, secret: &ClientSecret) -> Result<()> {
    diesel::insert_into(api_client_secrets::table).values(secret).execute(tx.conn)?;
    Ok(())
}

/// Lets the current secret of a client expire at an instant, and deletes secrets that were replaced before, so that at
/// most two secrets are valid.
pub(super) fn retire_secrets(tx: &mut Tx<'_>, client: Id, end: Timestamp) -> Result<()> {
    let own = api_client_secrets::client_id.eq(client);
    let replaced = api_client_secrets::expires_at.is_not_null();
    diesel::delete(api_client_secrets::table.filter(own).filter(replaced)).execute(tx.conn)?;
    diesel::update(api_client_secrets::table.filter(own))
        .set(api_client_secrets::expires_at.eq(Some(end)))
        .execute(tx.conn)?;
    Ok(())
}

pub(super) fn delete_secrets(tx: &mut Tx<'_>, client: Id) -> Result<()> {
    let own = api_client_secrets::client_id.eq(client);
    diesel::delete(api_client_secrets::table.filter(own)).execute(tx.conn)?;
    Ok(())
}

/// Whether an API client refers to a partner.
pub fn refers_to(conn: &mut Conn, partner: Id) -> Result<bool> {
    let clients = api_clients::table.filter(api_clients::partner_id.eq(partner));
    Ok(diesel::select(diesel::dsl::exists(clients)).get_result(conn)?)
}
