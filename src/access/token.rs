//! Access tokens (RFC 9068) and the keys they are signed with.

use super::Role;
use crate::{
    platform::{
        Error, Result, codes,
        db::{Conn, Db},
        values::{Clock, Id, Ids, Timestamp},
    },
    schema::signing_keys,
};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use diesel::prelude::*;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
};
use utoipa::ToSchema;

/// How long an access token lives.
pub const ACCESS_TOKEN_SECONDS: i64 = 15 * 60;
/// How far apart two clocks may be.
const LEEWAY_SECONDS: i64 = 5;
/// How long a replaced key goes on verifying: a token's life and an hour for instances that have not noticed.
const OVERLAP_SECONDS: i64 = ACCESS_TOKEN_SECONDS + 3600;
/// How long an instance trusts its list of keys.
const KEYS_SECONDS: i64 = 30;
/// Who issues the tokens and whom they are for.
const ISSUER: &str = "partner-incentives";
const AUDIENCE: &str = "partner-incentives";
const TYPE: &str = "at+jwt";

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    aud: String,
    /// The user or the client.
    pub sub: Id,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: Id,
    /// What the user may do.
    pub role: Role,
    /// Counts the user's or client's revocations; a token of an older epoch opens nothing.
    pub epoch: i64,
    /// The session it was issued in; none for a client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<Id>,
    /// The API client it was issued to; none for a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Id>,
    /// What the client may do, separated by spaces (RFC 9068, 2.2.3); none for a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// Whom an access token is issued to.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A user, in a session.
    User {
        /// The user.
        id: Id,
        /// The session; none for a token made without signing in.
        session: Option<Id>,
    },
    /// An API client.
    Client {
        /// The client.
        id: Id,
        /// What it may do, separated by spaces.
        scope: String,
    },
}

impl Claims {
    /// Whether the scope is one of those the token names.
    #[must_use]
    pub fn has_scope(&self, scope: Option<&str>) -> bool {
        self.scope
            .as_deref()
            .is_none_or(|scopes| scope.is_some_and(|needed| scopes.split(' ').any(|held| held == needed)))
    }
}

/// Issues and verifies access tokens.
pub struct Tokens {
    db: Db,
    clock: Clock,
    ids: Ids,
    keys: RwLock<Arc<Keys>>,
    /// When a foreign key id last made us look for new keys, in seconds; whether or not the database answered.
    asked_at: AtomicI64,
    /// Tokens whose signature has been verified; expiry and revocation are looked at each time.
    verified: quick_cache::sync::Cache<String, Arc<Claims>>,
}

struct Keys {
    loaded_at: Timestamp,
    signing: Option<(String, EncodingKey)>,
    verifying: HashMap<String, (DecodingKey, Vec<u8>)>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = signing_keys)]
struct SigningKey {
    id: Id,
    private_key: Vec<u8>,
    public_key: Vec<u8>,
    created_at: Timestamp,
    retires_at: Option<Timestamp>,
}

impl Tokens {
    /// Opens the keys of the database; makes the first one where there is none.
    pub fn open(db: Db, clock: Clock, ids: Ids) -> Result<Self> {
        let (first, source) = (clock.now(), ids.clone());
        db.write(move |conn| match signing_keys::table.count().get_result::<i64>(conn)? {
            0 => add_key(conn, &source, first),
            _ => Ok(()),
        })?;
        let keys = RwLock::new(Arc::new(load(&db, clock.now())?));
        Ok(Self {
            db,
            clock,
            ids,
            keys,
            asked_at: AtomicI64::new(0),
            verified: quick_cache::sync::Cache::new(10_000),
        })
    }

    /// Makes a new signing key; the ones before go on verifying until their tokens have run out.
    pub fn rotate(&self) -> Result<()> {
        let (now, ids) = (self.clock.now(), self.ids.clone());
        self.db.write(move |conn| {
            diesel::update(signing_keys::table.filter(signing_keys::retires_at.is_null()))
                .set(signing_keys::retires_at.eq(now.plus_seconds(OVERLAP_SECONDS)))
                .execute(conn)?;
            add_key(conn, &ids, now)
        })?;
        self.reload().map(|_| ())
    }

    /// Issues an access token.
    pub fn issue(&self, subject: Subject, role: Role, epoch: i64) -> Result<String> {
        let now = self.clock.now();
        let seconds = now.as_seconds();
        let (id, sid, client_id, scope) = match subject {
            Subject::User { id, session } => (id, session, None, None),
            Subject::Client { id, scope } => (id, None, Some(id), Some(scope)),
        };
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: id,
            iat: seconds,
            nbf: seconds,
            exp: seconds + ACCESS_TOKEN_SECONDS,
            jti: self.ids.next(now),
            role,
            epoch,
            sid,
            client_id,
            scope,
        };
        let keys = self.fresh()?;
        let (kid, key) = keys.signing.as_ref().ok_or_else(|| Error::internal("there is no signing key"))?;
        let header =
            Header { typ: Some(TYPE.into()), kid: Some(kid.clone()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &claims, key).map_err(Error::internal)
    }

    /// What a token says, where it is ours and valid now.
    pub fn verify(&self, token: &str) -> Result<Arc<Claims>> {
        let claims = if let Some(known) = self.verified.get(token) {
            known
        } else {
            let claims = Arc::new(self.verify_signature(token)?);
            self.verified.insert(token.to_owned(), Arc::clone(&claims));
            claims
        };
        let now = self.clock.now().as_seconds();
        if claims.exp + LEEWAY_SECONDS <= now {
            return Err(refused("the access token has expired; sign in again"));
        }
        if claims.nbf - LEEWAY_SECONDS > now {
            return Err(refused("the access token is not valid yet"));
        }
        Ok(claims)
    }

    /// The public keys, for those who verify our tokens themselves.
    pub fn key_set(&self) -> Result<JsonWebKeySet> {
        let keys = self.fresh()?;
        let mut keys: Vec<_> = keys.verifying.iter().map(|(kid, (_, x))| JsonWebKey::new(kid, x)).collect();
        keys.sort_by(|a, b| b.kid.cmp(&a.kid));
        Ok(JsonWebKeySet { keys })
    }

    fn verify_signature(&self, token: &str) -> Result<Claims> {
        let header =
            jsonwebtoken::decode_header(token).map_err(|_| refused("this is not an access token"))?;
        if header.typ.as_deref() != Some(TYPE) || header.alg != Algorithm::EdDSA || header.crit.is_some() {
            return Err(refused("this is not an access token of this service"));
        }
        let kid = header.kid.as_deref().unwrap_or_default();
        let mut keys = self.current();
        if !keys.verifying.contains_key(kid) && self.may_ask_again() {
            // Another instance may have made a new key.
            keys = self.reload()?;
        }
        let (key, _) =
            keys.verifying.get(kid).ok_or_else(|| refused("the access token's key is not one of ours"))?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub", "nbf"]);
        // Times are compared with the injected clock, above.
        validation.validate_exp = false;
        jsonwebtoken::decode::<Claims>(token, key, &validation)
            .map(|token| token.claims)
            .map_err(|_| refused("the access token's signature or claims are not accepted"))
    }

    /// A flood of foreign key ids asks every two seconds at most.
    fn may_ask_again(&self) -> bool {
        let now = self.clock.now().as_seconds();
        let before = self.asked_at.load(Ordering::Relaxed);
        now >= before + 2
            && self.asked_at.compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    fn current(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn fresh(&self) -> Result<Arc<Keys>> {
        let keys = self.current();
        if self.clock.now() >= keys.loaded_at.plus_seconds(KEYS_SECONDS) { self.reload() } else { Ok(keys) }
    }

    fn reload(&self) -> Result<Arc<Keys>> {
        let keys = Arc::new(load(&self.db, self.clock.now())?);
        // A key that has gone must not live on in what it once verified.
        self.verified.clear();
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&keys);
        Ok(keys)
    }
}

fn refused(detail: &'static str) -> Error {
    Error::new(&codes::UNAUTHENTICATED, detail)
}

fn add_key(conn: &mut Conn, ids: &Ids, now: Timestamp) -> Result<()> {
    let private_key = Ed25519KeyPair::generate()
        .and_then(|pair| pair.to_pkcs8v1())
        .map_err(|_| Error::internal("no key could be made"))?;
    let pair = Ed25519KeyPair::from_pkcs8(private_key.as_ref())
        .map_err(|_| Error::internal("the key that was made cannot be read"))?;
    let key = SigningKey {
        id: ids.next(now),
        private_key: private_key.as_ref().to_vec(),
        public_key: pair.public_key().as_ref().to_vec(),
        created_at: now,
        retires_at: None,
    };
    diesel::insert_into(signing_keys::table).values(&key).execute(conn)?;
    Ok(())
}

fn load(db: &Db, now: Timestamp) -> Result<Keys> {
    let rows: Vec<SigningKey> = db.glance(|conn| {
        let valid = signing_keys::retires_at.is_null().or(signing_keys::retires_at.gt(now));
        let newest_first = (signing_keys::created_at.desc(), signing_keys::id.desc());
        Ok(signing_keys::table
            .filter(valid)
            .order(newest_first)
            .select(SigningKey::as_select())
            .load(conn)?)
    })?;
    let signing = rows
        .iter()
        .find(|key| key.retires_at.is_none())
        .map(|key| (key.id.to_string(), EncodingKey::from_ed_der(&key.private_key)));
    let verifying = rows
        .into_iter()
        .map(|key| (key.id.to_string(), (DecodingKey::from_ed_der(&key.public_key), key.public_key)))
        .collect();
    Ok(Keys { loaded_at: now, signing, verifying })
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
    fn new(kid: &str, public_key: &[u8]) -> Self {
        let x = BASE64_URL_SAFE_NO_PAD.encode(public_key);
        Self { kty: "OKP", crv: "Ed25519", alg: "EdDSA", r#use: "sig", kid: kid.to_owned(), x }
    }
}
