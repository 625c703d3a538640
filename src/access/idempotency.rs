//! Stored answers of repeatable requests, kept in the same transaction as the effect.

use super::unit::Tx;
use crate::{
    platform::{
        Error, Result, codes,
        db::{Conn, native},
        http::{Answer, IdempotencyKey},
        values::{Id, Timestamp},
    },
    schema::idempotency_keys,
};
use diesel::prelude::*;

/// How long an answer is kept.
const KEPT_SECONDS: i64 = 24 * 3600;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = idempotency_keys, treat_none_as_default_value = false)]
struct Stored {
    caller_id: Id,
    idempotency_key: String,
    fingerprint: Vec<u8>,
    status: i32,
    location: Option<String>,
    etag: Option<String>,
    body: Vec<u8>,
    created_at: Timestamp,
}

/// The stored answer to this request, where it was made before; refuses a key used for another request.
///
/// Looked up outside the unit: read inside it, the gap a new key falls into would make units that have nothing to do
/// with each other lose races. Two units with the same key meet at the key's insertion, and the one that loses looks
/// it up again.
pub(super) fn recall(
    conn: &mut Conn,
    now: Timestamp,
    caller: Id,
    key: &IdempotencyKey,
    fingerprint: &[u8],
) -> Result<Option<Answer>> {
    let this = idempotency_keys::table.find((caller, &key.0));
    let found: Option<Stored> =
        native!(conn, conn => this.select(Stored::as_select()).get_result(conn).optional()?);
    match found {
        None => Ok(None),
        Some(stored) if stored.created_at <= now.plus_seconds(-KEPT_SECONDS) => {
            diesel::delete(this).execute(conn)?;
            Ok(None)
        }
        Some(stored) if stored.fingerprint == fingerprint => Ok(Some(Answer {
            status: u16::try_from(stored.status).unwrap_or(200),
            body: stored.body,
            etag: stored.etag,
            location: stored.location,
            next: None,
            kept: None,
            replayed: true,
        })),
        Some(_) => Err(Error::new(
            &codes::IDEMPOTENCY_KEY_REUSED,
            "this key stands for another request you made in the last 24 hours; make a new key",
        )),
    }
}

/// Keeps the answer beside the effect.
pub(super) fn remember(
    tx: &mut Tx<'_>,
    caller: Id,
    key: &IdempotencyKey,
    fingerprint: &[u8],
    answer: &Answer,
) -> Result<()> {
    let stored = Stored {
        caller_id: caller,
        idempotency_key: key.0.clone(),
        fingerprint: fingerprint.to_vec(),
        status: i32::from(answer.status),
        location: answer.location.clone(),
        etag: answer.etag.clone(),
        body: answer.kept.as_ref().unwrap_or(&answer.body).clone(),
        created_at: tx.now,
    };
    native!(tx.conn, conn => diesel::insert_into(idempotency_keys::table).values(&stored).execute(conn)?);
    Ok(())
}

/// Forgets the answers nobody can ask for any more; returns how many there were.
pub fn sweep(conn: &mut Conn, now: Timestamp) -> Result<usize> {
    let expired = idempotency_keys::created_at.le(now.plus_seconds(-KEPT_SECONDS));
    Ok(diesel::delete(idempotency_keys::table.filter(expired)).execute(conn)?)
}
