//! The keys of the outside issuer: found by discovery, kept for a while, asked for again when a token names a new one.

use crate::{
    config::Trust,
    platform::{Error, Result, codes, values::Timestamp},
};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use ureq::{
    Agent,
    tls::{Certificate, RootCerts, TlsConfig, TlsProvider},
};

/// How long the keys are used without a look at the issuer: a key it has withdrawn is good for no longer.
const FRESH_SECONDS: i64 = 600;
/// How long they are used while the issuer does not answer.
const LAST_RESORT_SECONDS: i64 = 3600;
/// Between two questions at least, whatever strange keys tokens name.
const PAUSE_SECONDS: i64 = 10;
/// For discovery and for the keys, each.
const DEADLINE: Duration = Duration::from_secs(5);
const MOST_BYTES: u64 = 256 * 1024;
const MOST_KEYS: usize = 100;

/// A key, and the only algorithm it verifies.
#[derive(Clone)]
pub(super) struct Key {
    pub algorithm: Algorithm,
    pub verifying: DecodingKey,
}

/// The issuer's keys as far as they are known.
pub(super) struct Keys {
    trust: Trust,
    agent: Agent,
    known: RwLock<Arc<Known>>,
    asked_at: AtomicI64,
    /// One asks, the others wait for what it learns.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    loaded_at: i64,
    keys: HashMap<String, Key>,
}

/// What discovery tells (OpenID Connect Discovery, 3).
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

impl Keys {
    pub(super) fn open(trust: Trust) -> Result<Self> {
        let agent = agent(&trust)?;
        let (known, asked_at, turn) =
            (RwLock::default(), AtomicI64::new(i64::MIN / 2), tokio::sync::Mutex::default());
        Ok(Self { trust, agent, known, asked_at, turn })
    }

    /// The key of that id; `None` where the issuer has none.
    pub(super) async fn find(&self, kid: &str, now: Timestamp) -> Result<Option<Key>> {
        let now = now.as_seconds();
        if let Some(key) = self.known().fresh_key(kid, now) {
            return Ok(Some(key));
        }
        let waited = tokio::time::timeout(DEADLINE, self.turn.lock()).await;
        let _turn = waited.map_err(|_| silent("too many ask at once"))?;
        let known = self.known();
        if let Some(key) = known.fresh_key(kid, now) {
            return Ok(Some(key));
        }
        if now < self.asked_at.load(Ordering::Relaxed) + PAUSE_SECONDS {
            return known.key(kid, now);
        }
        self.asked_at.store(now, Ordering::Relaxed);
        let (agent, trust) = (self.agent.clone(), self.trust.clone());
        match tokio::task::spawn_blocking(move || load(&agent, &trust)).await.map_err(Error::internal)? {
            Ok(keys) => {
                let known = Arc::new(Known { loaded_at: now, keys });
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&known);
                known.key(kid, now)
            }
            Err(error) => {
                log::warn!("the issuer {} does not say its keys: {error}", self.trust.issuer);
                known.key(kid, now)
            }
        }
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Known {
    fn fresh_key(&self, kid: &str, now: i64) -> Option<Key> {
        self.keys.get(kid).filter(|_| now < self.loaded_at + FRESH_SECONDS).cloned()
    }

    fn key(&self, kid: &str, now: i64) -> Result<Option<Key>> {
        if now < self.loaded_at + LAST_RESORT_SECONDS {
            return Ok(self.keys.get(kid).cloned());
        }
        Err(silent("no keys are known"))
    }
}

type Fault = Box<dyn std::error::Error + Send + Sync>;

fn load(agent: &Agent, trust: &Trust) -> std::result::Result<HashMap<String, Key>, Fault> {
    let address = format!("{}/.well-known/openid-configuration", trust.issuer.trim_end_matches('/'));
    let discovery: Discovery = read(agent, &address)?;
    if discovery.issuer != trust.issuer {
        return Err(format!("it calls itself {:?}", discovery.issuer).into());
    }
    if !trust.may_ask(&discovery.jwks_uri) {
        return Err("it keeps its keys where anybody could change them on the way".into());
    }
    let set: KeySet = read(agent, &discovery.jwks_uri)?;
    Ok(set.keys.into_iter().take(MOST_KEYS).filter_map(key_of).collect())
}

fn read<T: DeserializeOwned>(agent: &Agent, address: &str) -> std::result::Result<T, Fault> {
    let mut answer = agent.get(address).header("accept", "application/json").call()?;
    Ok(answer.body_mut().with_config().limit(MOST_BYTES).read_json()?)
}

/// A key that can be used here; an issuer may have others besides.
fn key_of(key: serde_json::Value) -> Option<(String, Key)> {
    let key: Jwk = serde_json::from_value(key).ok()?;
    if key.common.public_key_use.as_ref().is_some_and(|purpose| *purpose != PublicKeyUse::Signature) {
        return None;
    }
    let algorithm = match (&key.algorithm, key.common.key_algorithm) {
        (AlgorithmParameters::RSA(_), None | Some(KeyAlgorithm::RS256)) => Algorithm::RS256,
        (AlgorithmParameters::RSA(_), Some(KeyAlgorithm::PS256)) => Algorithm::PS256,
        (AlgorithmParameters::EllipticCurve(on), None | Some(KeyAlgorithm::ES256))
            if on.curve == EllipticCurve::P256 =>
        {
            Algorithm::ES256
        }
        (AlgorithmParameters::OctetKeyPair(on), None | Some(KeyAlgorithm::EdDSA))
            if on.curve == EllipticCurve::Ed25519 =>
        {
            Algorithm::EdDSA
        }
        _ => return None,
    };
    let verifying = DecodingKey::from_jwk(&key).ok()?;
    Some((key.common.key_id?, Key { algorithm, verifying }))
}

fn agent(trust: &Trust) -> Result<Agent> {
    let config = Agent::config_builder().timeout_global(Some(DEADLINE)).max_redirects(0);
    if trust.is_on_this_machine() {
        return Ok(config.proxy(None).build().into());
    }
    let found = rustls_native_certs::load_native_certs();
    let roots: Vec<_> =
        found.certs.iter().map(|root| Certificate::from_der(root.as_ref()).to_owned()).collect();
    if roots.is_empty() {
        return Err(Error::internal("OIDC_ISSUER needs TLS and this machine has no root certificates"));
    }
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .root_certs(RootCerts::new_with_certs(&roots));
    Ok(config.https_only(true).tls_config(tls.build()).build().into())
}

fn silent(reason: &'static str) -> Error {
    Error {
        source: Some(reason.into()),
        retry_after: Some(5),
        ..Error::new(&codes::UNAVAILABLE, "the identity provider does not answer; nothing was changed")
    }
}
