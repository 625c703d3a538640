//! Stored answers of repeatable requests, kept in the same transaction as the effect.

use super::unit::Tx;
use crate::{
    platform::{
        Error, Result, codes,
        http::{Answer, IdempotencyKey},
        values::{Id, Timestamp},
    },
    schema::idempotency_keys,
};
use diesel::prelude::*;

/// How long an answer is kept.
const KEPT_SECONDS: i64 = 24 * 3600;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = idempotency_keys)]
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
pub(super) fn recall(
    tx: &mut Tx<'_>,
    caller: Id,
    key: &IdempotencyKey,
    fingerprint: &[u8],
) -> Result<Option<Answer>> {
    let found: Option<Stored> = idempotency_keys::table
        .filter(idempotency_keys::caller_id.eq(caller))
        .filter(idempotency_keys::idempotency_key.eq(&key.0))
        .filter(idempotency_keys::created_at.gt(tx.now.plus_seconds(-KEPT_SECONDS)))
        .select(Stored::as_select())
        .first(tx.conn)
        .optional()?;
    match found {
        None => Ok(None),
        Some(stored) if stored.fingerprint == fingerprint => Ok(Some(Answer {
            status: u16::try_from(stored.status).unwrap_or(200),
            body: stored.body,
            etag: stored.etag,
            location: stored.location,
            next: None,
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
    let expired = idempotency_keys::created_at.le(tx.now.plus_seconds(-KEPT_SECONDS));
    diesel::delete(idempotency_keys::table.filter(idempotency_keys::caller_id.eq(caller)).filter(expired))
        .execute(tx.conn)?;
    let stored = Stored {
        caller_id: caller,
        idempotency_key: key.0.clone(),
        fingerprint: fingerprint.to_vec(),
        status: i32::from(answer.status),
        location: answer.location.clone(),
        etag: answer.etag.clone(),
        body: answer.body.clone(),
        created_at: tx.now,
    };
    diesel::insert_into(idempotency_keys::table).values(&stored).execute(tx.conn)?;
    Ok(())
}
