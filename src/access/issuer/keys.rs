//! The keys of the outside issuer: found by discovery, cached, and loaded again when a token names an unknown key.

use crate::{
    config::Trust,
    platform::{Error, Result, codes, values::Timestamp},
    text,
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

/// How long loaded keys are used; a key that the issuer has withdrawn stays valid here for at most that long.
const FRESH_SECONDS: i64 = 600;
/// How long loaded keys are used while the issuer does not answer.
const LAST_RESORT_SECONDS: i64 = 3600;
/// The shortest time between two requests to the issuer, however many unknown keys tokens name.
const PAUSE_SECONDS: i64 = 10;
/// The longest time of one request to the issuer.
const DEADLINE: Duration = Duration::from_secs(5);
const MOST_BYTES: u64 = 256 * 1024;
const MOST_KEYS: usize = 100;

/// A key of the issuer, and the only algorithm the key verifies.
#[derive(Clone)]
pub(super) struct IssuerKey {
    pub algorithm: Algorithm,
    pub verifying: DecodingKey,
}

/// The cache of the issuer's keys.
pub(super) struct IssuerKeys {
    trust: Trust,
    agent: Agent,
    loaded: RwLock<Arc<LoadedKeys>>,
    asked_at: AtomicI64,
    /// One request loads the keys, other requests wait for the result.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct LoadedKeys {
    loaded_at: i64,
    keys: HashMap<String, IssuerKey>,
}

/// The discovery document of the issuer (OpenID Connect Discovery, 3).
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

impl IssuerKeys {
    pub(super) fn open(trust: Trust) -> Result<Self> {
        let agent = agent(&trust)?;
        let (loaded, asked_at, turn) =
            (RwLock::default(), AtomicI64::new(i64::MIN / 2), tokio::sync::Mutex::default());
        Ok(Self { trust, agent, loaded, asked_at, turn })
    }

    /// The issuer's key with the id `kid`; `None` where the issuer has no such key.
    pub(super) async fn find(&self, kid: &str, now: Timestamp) -> Result<Option<IssuerKey>> {
        let now = now.as_seconds();
        if let Some(key) = self.loaded().fresh_key(kid, now) {
            return Ok(Some(key));
        }
        let waited = tokio::time::timeout(DEADLINE, self.turn.lock()).await;
        let _turn = waited.map_err(|_| silent("too many ask at once"))?;
        let loaded = self.loaded();
        if let Some(key) = loaded.fresh_key(kid, now) {
            return Ok(Some(key));
        }
        if is_soon_after(PAUSE_SECONDS, self.asked_at.load(Ordering::Relaxed), now) {
            return loaded.key(kid, now);
        }
        self.asked_at.store(now, Ordering::Relaxed);
        let (agent, trust) = (self.agent.clone(), self.trust.clone());
        match tokio::task::spawn_blocking(move || load(&agent, &trust)).await.map_err(Error::internal)? {
            Ok(keys) => {
                let loaded = Arc::new(LoadedKeys { loaded_at: now, keys });
                *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&loaded);
                loaded.key(kid, now)
            }
            Err(error) => {
                log::warn!("the issuer {} does not say its keys: {error}", self.trust.issuer);
                loaded.key(kid, now)
            }
        }
    }

    fn loaded(&self) -> Arc<LoadedKeys> {
        Arc::clone(&self.loaded.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl LoadedKeys {
    fn fresh_key(&self, kid: &str, now: i64) -> Option<IssuerKey> {
        self.keys.get(kid).filter(|_| is_soon_after(FRESH_SECONDS, self.loaded_at, now)).cloned()
    }

    fn key(&self, kid: &str, now: i64) -> Result<Option<IssuerKey>> {
        if is_soon_after(LAST_RESORT_SECONDS, self.loaded_at, now) {
            return Ok(self.keys.get(kid).cloned());
        }
        Err(silent("no keys are known"))
    }
}

/// Whether less than `seconds` have passed since `noted`; never where `noted` lies ahead, because the clock has been put
/// back since.
fn is_soon_after(seconds: i64, noted: i64, now: i64) -> bool {
    (noted..noted.saturating_add(seconds)).contains(&now)
}

type LoadError = Box<dyn std::error::Error + Send + Sync>;

fn load(agent: &Agent, trust: &Trust) -> std::result::Result<HashMap<String, IssuerKey>, LoadError> {
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

fn read<T: DeserializeOwned>(agent: &Agent, address: &str) -> std::result::Result<T, LoadError> {
    let mut answer = agent.get(address).header("accept", "application/json").call()?;
    Ok(answer.body_mut().with_config().limit(MOST_BYTES).read_json()?)
}

/// The id and the key of a JSON Web Key; none of a key for another purpose or with another algorithm than those below.
fn key_of(key: serde_json::Value) -> Option<(String, IssuerKey)> {
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
    Some((key.common.key_id?, IssuerKey { algorithm, verifying }))
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
        ..Error::new(
            &codes::UNAVAILABLE,
            text!(
                "the identity provider does not answer; nothing was changed",
                "ID プロバイダーが応答しません。何も変更されていません。"
            ),
        )
    }
}
