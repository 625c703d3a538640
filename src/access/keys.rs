//! The keys that sign access tokens: sealed in the database, rotated with overlap.

use super::{Guard, SealedColumn, Tx, token::ACCESS_TOKEN_SECONDS};
use crate::{
    platform::{
        Error, Result, Vault,
        db::{BytesColumn, Conn, Db},
        values::{Id, Ids, Timestamp},
    },
    schema::signing_keys,
};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use diesel::prelude::*;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use serde::Serialize;
use utoipa::ToSchema;

/// How long a new key is published before the key signs: other services cache the key set for five minutes, instances of
/// this service for half a minute.
pub const PUBLISHED_FIRST_SECONDS: i64 = 600;
/// How long a replaced key goes on verifying: until its successor signs, the lifetime of a token, and an hour for
/// instances that have not loaded the successor.
const OVERLAP_SECONDS: i64 = PUBLISHED_FIRST_SECONDS + ACCESS_TOKEN_SECONDS + 3600;
/// The private keys.
pub const SEALED: SealedColumn = SealedColumn {
    at: BytesColumn { table: "signing_keys", row: "id", column: "private_key" },
    record: "signing_key",
    once_clear: true,
};
const TYPE: &str = "at+jwt";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = signing_keys)]
struct SigningKey {
    id: Id,
    private_key: Vec<u8>,
    public_key: Vec<u8>,
    created_at: Timestamp,
    retires_at: Option<Timestamp>,
}

/// The signing keys that are valid at the instant of loading.
pub(super) struct KeyRing {
    pub loaded_at: Timestamp,
    /// The keys, the newest first.
    keys: Vec<OpenedKey>,
}

/// A signing key, opened for signing and verifying.
pub(super) struct OpenedKey {
    pub header: Header,
    /// The encoded header of every token the key signs.
    first_segment: String,
    pub signing: EncodingKey,
    pub verifying: DecodingKey,
    public: Vec<u8>,
    signs_from: Timestamp,
    retires_at: Option<Timestamp>,
}

impl KeyRing {
    /// Loads the valid keys of the database.
    pub(super) fn load(db: &Db, vault: &Vault, now: Timestamp) -> Result<Self> {
        let rows: Vec<SigningKey> = db.query(|conn| {
            let valid = signing_keys::retires_at.is_null().or(signing_keys::retires_at.gt(now));
            let newest_first = (signing_keys::created_at.desc(), signing_keys::id.desc());
            let query = signing_keys::table.filter(valid).order(newest_first);
            Ok(query.select(SigningKey::as_select()).load(conn)?)
        })?;
        let keys = rows.iter().map(|row| OpenedKey::open(row, vault)).collect::<Result<_>>()?;
        Ok(Self { loaded_at: now, keys })
    }

    /// The newest key that has been published for long enough; the oldest key where none has.
    pub(super) fn signing(&self, now: Timestamp) -> Result<&OpenedKey> {
        let ready = self.keys.iter().find(|key| key.signs_from <= now);
        ready.or(self.keys.last()).ok_or_else(|| Error::internal("there is no signing key"))
    }

    /// The key whose tokens have exactly this encoded header; none where the key has been retired.
    pub(super) fn of_header(&self, first_segment: &str, now: Timestamp) -> Option<&OpenedKey> {
        let verifies = |key: &&OpenedKey| key.retires_at.is_none_or(|retires_at| retires_at > now);
        self.keys.iter().find(|key| key.first_segment == first_segment).filter(verifies)
    }

    /// The public keys, for the published key set.
    pub(super) fn public(&self) -> JsonWebKeySet {
        JsonWebKeySet { keys: self.keys.iter().map(JsonWebKey::of).collect() }
    }
}

impl OpenedKey {
    fn open(row: &SigningKey, vault: &Vault) -> Result<Self> {
        let private = SEALED.open(vault, row.id, &row.private_key)?;
        // The public key is computed, not loaded: an attacker who writes into the database alone cannot add a key.
        let public = pair(&private)?.public_key().as_ref().to_vec();
        let header =
            Header { typ: Some(TYPE.into()), kid: Some(row.id.to_string()), ..Header::new(Algorithm::EdDSA) };
        let text = serde_json::to_vec(&header).map_err(Error::internal)?;
        Ok(Self {
            header,
            first_segment: BASE64_URL_SAFE_NO_PAD.encode(text),
            signing: EncodingKey::from_ed_der(&private),
            verifying: DecodingKey::from_ed_der(&public),
            public,
            signs_from: row.created_at.plus_seconds(PUBLISHED_FIRST_SECONDS),
            retires_at: row.retires_at,
        })
    }
}

/// Makes the first signing key of a new database; seals keys that are plain, or sealed with an older encryption key.
pub(super) fn prepare(conn: &mut Conn, vault: &Vault, ids: &Ids, now: Timestamp) -> Result<()> {
    Guard::SigningKeys.take(conn)?;
    if signing_keys::table.count().get_result::<i64>(conn)? == 0 {
        return add(conn, vault, ids.next(now), now);
    }
    SEALED.seal_anew(conn, vault).map(drop)
}

/// Makes a new signing key; the older keys go on verifying until their tokens have expired. Belongs into an audited unit.
pub fn rotate(tx: &mut Tx<'_>) -> Result<Id> {
    diesel::update(signing_keys::table.filter(signing_keys::retires_at.is_null()))
        .set(signing_keys::retires_at.eq(tx.now.plus_seconds(OVERLAP_SECONDS)))
        .execute(tx.conn)?;
    let (id, now, vault) = (tx.new_id(), tx.now, tx.vault());
    add(tx.conn, vault, id, now)?;
    Ok(id)
}

/// Whether the newest signing key is at least `days` old.
pub fn is_due(tx: &mut Tx<'_>, days: u16) -> Result<bool> {
    let newest = signing_keys::table.order(signing_keys::created_at.desc()).select(signing_keys::created_at);
    let newest: Option<Timestamp> = newest.first(tx.conn).optional()?;
    Ok(newest.is_none_or(|made| made.plus_seconds(i64::from(days) * 24 * 3600) <= tx.now))
}

fn add(conn: &mut Conn, vault: &Vault, id: Id, now: Timestamp) -> Result<()> {
    let made = Ed25519KeyPair::generate()
        .and_then(|pair| pair.to_pkcs8v1())
        .map_err(|_| Error::internal("no key could be made"))?;
    let key = SigningKey {
        id,
        private_key: SEALED.seal(vault, id, made.as_ref())?,
        public_key: pair(made.as_ref())?.public_key().as_ref().to_vec(),
        created_at: now,
        retires_at: None,
    };
    diesel::insert_into(signing_keys::table).values(&key).execute(conn)?;
    Ok(())
}

fn pair(private: &[u8]) -> Result<Ed25519KeyPair> {
    Ed25519KeyPair::from_pkcs8(private).map_err(|_| Error::internal("a signing key cannot be read"))
}

/// The public keys that verify access tokens (RFC 7517).
#[derive(Debug, Serialize, ToSchema)]
pub struct JsonWebKeySet {
    /// The keys, the newest first.
    #[schema(max_items = 100)]
    pub keys: Vec<JsonWebKey>,
}

/// A public key (RFC 8037).
#[derive(Debug, Serialize, ToSchema)]
pub struct JsonWebKey {
    /// Key type.
    #[schema(max_length = 10, examples("OKP"))]
    kty: &'static str,
    /// Curve.
    #[schema(max_length = 10, examples("Ed25519"))]
    crv: &'static str,
    /// Algorithm.
    #[schema(max_length = 10, examples("EdDSA"))]
    alg: &'static str,
    /// Use: signatures.
    #[schema(max_length = 10, examples("sig"))]
    r#use: &'static str,
    /// Key id.
    #[schema(max_length = 64, examples("01936f2e-4b00-7000-8000-000000000001"))]
    kid: String,
    /// The public key, base64url.
    #[schema(max_length = 64, examples("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"))]
    x: String,
}

impl JsonWebKey {
    fn of(key: &OpenedKey) -> Self {
        let kid = key.header.kid.clone().unwrap_or_default();
        let x = BASE64_URL_SAFE_NO_PAD.encode(&key.public);
        Self { kty: "OKP", crv: "Ed25519", alg: "EdDSA", r#use: "sig", kid, x }
    }
}
