//! Access tokens after RFC 9068, checked as RFC 8725 asks.

use super::{
    JsonWebKeySet, Role,
    keys::{self, Keys},
};
use crate::platform::{
    Error, Result, Vault, codes,
    db::Db,
    values::{Clock, Id, Ids},
};
use jsonwebtoken::{Algorithm, Validation};
use serde::{Deserialize, Serialize};
use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicI64, Ordering},
};

/// How long an access token lives.
pub const ACCESS_TOKEN_SECONDS: i64 = 15 * 60;
/// How far apart two clocks may be.
const LEEWAY_SECONDS: i64 = 5;
/// How long an instance trusts its list of keys.
const KEYS_SECONDS: i64 = 30;
/// Whom the tokens are for.
const AUDIENCE: &str = "partner-incentives";
/// The client of a user's token: this service's own sign-in. No API client has such an id.
const OWN_CLIENT: &str = "partner-incentives";
/// More than any token of ours has.
const LONGEST_TOKEN: usize = 4096;

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
    /// Who asked for the token (RFC 9068, 2.2): the API client, which is then the subject too, or this service's own
    /// sign-in for a user.
    client_id: String,
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
    /// Whether an API client is the subject.
    #[must_use]
    pub fn is_of_client(&self) -> bool {
        self.client_id == self.sub.to_string()
    }

    /// A user's token has no scope, a client's has one and no session: one never passes for the other.
    fn is_consistent(&self) -> bool {
        if self.is_of_client() {
            self.scope.is_some() && self.sid.is_none()
        } else {
            self.client_id == OWN_CLIENT && self.scope.is_none()
        }
    }

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
    vault: Vault,
    /// Who issues the tokens: where people reach the service.
    issuer: String,
    keys: RwLock<Arc<Keys>>,
    /// When a foreign key id last made us look for new keys, in seconds; whether or not the database answered.
    asked_at: AtomicI64,
    /// Tokens whose signature has been verified; expiry and revocation are looked at each time.
    verified: quick_cache::sync::Cache<String, Arc<Claims>>,
}

impl Tokens {
    /// Opens the keys of the database; makes the first one where there is none.
    pub fn open(db: Db, (clock, ids): (Clock, Ids), vault: Vault, issuer: String) -> Result<Self> {
        let (now, source, seal) = (clock.now(), ids.clone(), vault.clone());
        db.write(move |conn| keys::prepare(conn, &seal, &source, now))?;
        let keys = RwLock::new(Arc::new(Keys::load(&db, &vault, now)?));
        let verified = quick_cache::sync::Cache::new(10_000);
        Ok(Self { db, clock, ids, vault, issuer, keys, asked_at: AtomicI64::new(0), verified })
    }

    /// Issues an access token.
    pub fn issue(&self, subject: Subject, role: Role, epoch: i64) -> Result<String> {
        let now = self.clock.now();
        let seconds = now.as_seconds();
        let (id, sid, client_id, scope) = match subject {
            Subject::User { id, session } => (id, session, OWN_CLIENT.to_owned(), None),
            Subject::Client { id, scope } => (id, None, id.to_string(), Some(scope)),
        };
        let claims = Claims {
            iss: self.issuer.clone(),
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
        let key = keys.signing(now)?;
        jsonwebtoken::encode(&key.header, &claims, &key.signing).map_err(Error::internal)
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
        Ok(self.fresh()?.public())
    }

    /// The header must be, letter by letter, one that we write: no other algorithm or type, no key or address of a key
    /// brought along, no extension, no member twice can be in it. Only then the signature is looked at.
    fn verify_signature(&self, token: &str) -> Result<Claims> {
        let (header, _) = token
            .split_once('.')
            .filter(|_| token.len() <= LONGEST_TOKEN)
            .ok_or_else(|| refused("this is not an access token"))?;
        // Not any older: a key that was retired must not go on here.
        let mut keys = self.fresh()?;
        if keys.of_header(header).is_none() && self.may_ask_again() {
            // Another instance may have made a new key.
            keys = self.reload()?;
        }
        let key = keys.of_header(header).ok_or_else(|| {
            refused("this is not an access token of this service, or its key has been retired")
        })?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub", "nbf"]);
        // Times are compared with the injected clock, above.
        validation.validate_exp = false;
        jsonwebtoken::decode::<Claims>(token, &key.verifying, &validation)
            .ok()
            .map(|token| token.claims)
            .filter(Claims::is_consistent)
            .ok_or_else(|| refused("the access token's signature or claims are not accepted"))
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
        let keys = Arc::new(Keys::load(&self.db, &self.vault, self.clock.now())?);
        // A key that has gone must not live on in what it once verified.
        self.verified.clear();
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&keys);
        Ok(keys)
    }
}

fn refused(detail: &'static str) -> Error {
    Error::new(&codes::UNAUTHENTICATED, detail)
}
