//! Stored answers of repeatable requests, written in the unit of the request itself.

use super::unit::Tx;
use crate::{
    platform::{
        Error, Result, Vault, codes,
        db::{Conn, native},
        http::{Answer, Repeatable},
        values::{Id, Locale, Timestamp},
    },
    schema::idempotency_keys,
    text,
};
use diesel::prelude::*;

/// How long an answer is stored: 24 hours.
const KEPT_SECONDS: i64 = 24 * 3600;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = idempotency_keys, treat_none_as_default_value = false)]
struct StoredAnswer {
    caller_id: Id,
    idempotency_key: String,
    fingerprint: Vec<u8>,
    status: i32,
    location: Option<String>,
    etag: Option<String>,
    body: Vec<u8>,
    language: Option<Locale>,
    created_at: Timestamp,
}

/// The stored answer to a repeated request; none for a first request. Refuses a key that was used for another request.
///
/// The answer is looked up outside the unit. Two units with the same key meet at the key's insertion, and the unit that
/// loses looks the answer up again.
pub(super) fn recall(
    conn: &mut Conn,
    vault: &Vault,
    now: Timestamp,
    caller: Id,
    repeatable: &Repeatable,
) -> Result<Option<Answer>> {
    let this = idempotency_keys::table.find((caller, &repeatable.key.0));
    let found: Option<StoredAnswer> =
        native!(conn, conn => this.select(StoredAnswer::as_select()).get_result(conn).optional()?);
    match found {
        None => Ok(None),
        Some(stored) if stored.created_at <= now.plus_seconds(-KEPT_SECONDS) => {
            diesel::delete(this).execute(conn)?;
            Ok(None)
        }
        Some(stored) if vault.recognises(&stored.fingerprint, &repeatable.fingerprint) => Ok(Some(Answer {
            status: u16::try_from(stored.status).unwrap_or(200),
            body: stored.body,
            etag: stored.etag,
            location: stored.location,
            next: None,
            kept: None,
            language: stored.language,
            replayed: true,
        })),
        Some(_) => Err(Error::new(
            &codes::IDEMPOTENCY_KEY_REUSED,
            text!(
                "this key stands for another request you made in the last 24 hours; make a new key",
                "この冪等キーは、過去 24 時間以内の別のリクエストで使用されています。新しいキーを生成してください。"
            ),
        )),
    }
}

/// Stores the answer to a repeatable request, in the unit of the request.
pub(super) fn remember(tx: &mut Tx<'_>, caller: Id, repeatable: &Repeatable, answer: &Answer) -> Result<()> {
    let stored = StoredAnswer {
        caller_id: caller,
        idempotency_key: repeatable.key.0.clone(),
        // A body may hold an account number, which its bare digest would give away to whoever tries all numbers.
        fingerprint: tx.vault().mark(&repeatable.fingerprint)?,
        status: i32::from(answer.status),
        location: answer.location.clone(),
        etag: answer.etag.clone(),
        body: answer.kept.as_ref().unwrap_or(&answer.body).clone(),
        language: answer.language,
        created_at: tx.now,
    };
    native!(tx.conn, conn => diesel::insert_into(idempotency_keys::table).values(&stored).execute(conn)?);
    Ok(())
}

/// Removes the stored answers that are older than 24 hours; returns the number of removed answers.
pub fn sweep(conn: &mut Conn, now: Timestamp) -> Result<usize> {
    let expired = idempotency_keys::created_at.le(now.plus_seconds(-KEPT_SECONDS));
    Ok(diesel::delete(idempotency_keys::table.filter(expired)).execute(conn)?)
}
