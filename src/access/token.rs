//! Access tokens after RFC 9068, checked as RFC 8725 asks.

use super::{
    JsonWebKeySet, Role,
    keys::{self, KeyRing},
};
use crate::{
    platform::{
        Error, Result, Vault, codes,
        db::Db,
        values::{Clock, Id, Ids, Locale, Text},
    },
    text,
};
use jsonwebtoken::{Algorithm, Validation};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, PoisonError, RwLock};

/// How long an access token lives.
pub const ACCESS_TOKEN_SECONDS: i64 = 15 * 60;
/// The most seconds by which the clocks of two instances may differ.
const LEEWAY_SECONDS: i64 = 5;
/// How old the loaded keys may be that an instance publishes.
const KEYS_SECONDS: i64 = 30;
/// The audience of the tokens.
const AUDIENCE: &str = "partner-incentives";
/// The client of a user's token: this service's own sign-in. No API client has such an id.
const OWN_CLIENT: &str = "partner-incentives";
/// The most bytes of a token; the service's own tokens are shorter.
const LONGEST_TOKEN: usize = 4096;

/// The claims of an access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    aud: String,
    /// The id of the user or of the API client.
    pub sub: Id,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: Id,
    /// The role of the user or of the API client.
    pub role: Role,
    /// The number of revocations before the token was issued; a token of an older epoch opens nothing.
    pub epoch: i64,
    /// The session the token was issued in; none for an API client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<Id>,
    /// The client the token was issued to (RFC 9068, 2.2): the API client, which is the subject too, or this service's
    /// own sign-in for a user.
    client_id: String,
    /// The scopes of the API client, separated by spaces (RFC 9068, 2.2.3); none for a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The language of the user's account when the token was issued; none for an API client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Locale>,
}

/// The user or API client an access token is issued to.
#[derive(Clone, Debug)]
pub enum TokenSubject {
    /// A user, in a session.
    User {
        /// The id of the user.
        id: Id,
        /// The id of the session; none for a token made without signing in.
        session: Option<Id>,
        /// The language of the user's account.
        locale: Locale,
    },
    /// An API client.
    Client {
        /// The id of the client.
        id: Id,
        /// The scopes of the client, separated by spaces.
        scope: String,
    },
}

impl Claims {
    /// Whether an API client is the subject.
    #[must_use]
    pub fn is_of_client(&self) -> bool {
        self.client_id == self.sub.to_string()
    }

    /// Whether the token is clearly a user's (without scopes) or clearly a client's (with scopes, without a session), so
    /// that neither passes for the other.
    fn is_consistent(&self) -> bool {
        if self.is_of_client() {
            self.scope.is_some() && self.sid.is_none()
        } else {
            self.client_id == OWN_CLIENT && self.scope.is_none()
        }
    }

    /// Whether the token grants a scope: a user's token grants every operation, a client's token the scopes it names.
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
    /// The issuer of the tokens: the address at which people reach the service.
    issuer: String,
    keys: RwLock<Arc<KeyRing>>,
    /// The claims of tokens whose signature has been verified; expiry and revocation are checked each time.
    verified: quick_cache::sync::Cache<String, Arc<Claims>>,
}

impl Tokens {
    /// Loads the signing keys of the database; makes the first key of a new database.
    pub fn open(db: Db, clock: Clock, ids: Ids, vault: Vault, issuer: String) -> Result<Self> {
        let (now, source, seal) = (clock.now(), ids.clone(), vault.clone());
        db.write(move |conn| keys::prepare(conn, &seal, &source, now))?;
        let keys = RwLock::new(Arc::new(KeyRing::load(&db, &vault, now)?));
        let verified = quick_cache::sync::Cache::new(10_000);
        Ok(Self { db, clock, ids, vault, issuer, keys, verified })
    }

    /// Issues an access token.
    pub fn issue(&self, subject: TokenSubject, role: Role, epoch: i64) -> Result<String> {
        let now = self.clock.now();
        let seconds = now.as_seconds();
        let (id, sid, client_id, scope, locale) = match subject {
            TokenSubject::User { id, session, locale } => {
                (id, session, OWN_CLIENT.to_owned(), None, Some(locale))
            }
            TokenSubject::Client { id, scope } => (id, None, id.to_string(), Some(scope), None),
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
            locale,
        };
        let keys = self.current();
        let key = keys.signing(now)?;
        jsonwebtoken::encode(&key.header, &claims, &key.signing).map_err(Error::internal)
    }

    /// The claims of a token of this service; refuses any other token, and a token that is not valid now. Never asks the
    /// database, whatever key a token names: the keys are loaded in the background, minutes before they sign.
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
            return Err(refused(text!(
                "the access token has expired; sign in again",
                "アクセストークンの有効期限が切れています。再度サインインしてください。"
            )));
        }
        if claims.nbf - LEEWAY_SECONDS > now {
            return Err(refused(text!(
                "the access token is not valid yet",
                "アクセストークンはまだ有効ではありません。"
            )));
        }
        Ok(claims)
    }

    /// The public keys, for services that verify the tokens themselves. May ask the database.
    pub fn key_set(&self) -> Result<JsonWebKeySet> {
        let keys = self.current();
        let due = self.clock.now() >= keys.loaded_at.plus_seconds(KEYS_SECONDS);
        Ok(if due { self.refresh()? } else { keys }.public())
    }

    /// The claims of a token with a valid signature.
    ///
    /// The header must be, letter by letter, the header of a known key: no other algorithm or type, no enclosed key or
    /// address of a key, no extension and no repeated member get as far as the check of the signature.
    fn verify_signature(&self, token: &str) -> Result<Claims> {
        let (header, _) =
            token.split_once('.').filter(|_| token.len() <= LONGEST_TOKEN).ok_or_else(|| {
                refused(text!("this is not an access token", "アクセストークンの形式ではありません。"))
            })?;
        let keys = self.current();
        let key = keys.of_header(header, self.clock.now()).ok_or_else(|| {
            refused(text!(
                "this is not an access token of this service, or its key has been retired",
                "本サービスのアクセストークンではないか、署名鍵が廃止されています。"
            ))
        })?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub", "nbf"]);
        // `verify` compares the times with the injected clock.
        validation.validate_exp = false;
        jsonwebtoken::decode::<Claims>(token, &key.verifying, &validation)
            .ok()
            .map(|token| token.claims)
            .filter(Claims::is_consistent)
            .ok_or_else(|| {
                refused(text!(
                    "the access token's signature or claims are not accepted",
                    "アクセストークンの署名または内容を受け付けられません。"
                ))
            })
    }

    fn current(&self) -> Arc<KeyRing> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Loads the keys again: another instance may have made or replaced a key.
    pub(super) fn refresh(&self) -> Result<Arc<KeyRing>> {
        let keys = Arc::new(KeyRing::load(&self.db, &self.vault, self.clock.now())?);
        // Tokens that a retired key has verified must be refused from now on.
        self.verified.clear();
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&keys);
        Ok(keys)
    }
}

fn refused(detail: Text) -> Error {
    Error::new(&codes::UNAUTHENTICATED, detail)
}
