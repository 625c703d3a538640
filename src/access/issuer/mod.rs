//! The outside issuer of identities (OpenID Connect) that the settings may name as trusted.

mod keys;

use super::INVALID_GRANT;
use crate::{
    config::Trust,
    platform::{Error, Result, values::Timestamp},
    text,
};
use jsonwebtoken::Validation;
use keys::IssuerKeys;
use serde::Deserialize;

/// The most seconds by which the clocks of the issuer and of this service may differ.
const LEEWAY_SECONDS: i64 = 5;
/// How old an identity token may be: an honest client exchanges the token at once.
const OLDEST_SECONDS: i64 = 600;

/// The trusted issuer.
pub(super) struct Issuer {
    trust: Trust,
    keys: IssuerKeys,
}

/// A person whom the issuer has identified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The address of the issuer.
    pub issuer: String,
    /// The person's permanent identifier at the issuer.
    pub subject: String,
    /// The person's e-mail address, which the issuer has verified.
    pub email: String,
    /// Whether the person has proved more than one factor to the issuer.
    pub by_several_factors: bool,
}

/// The checked members of an identity token (OpenID Connect Core, 2).
#[derive(Deserialize)]
struct IdToken {
    iss: String,
    sub: String,
    aud: Audience,
    #[serde(default)]
    azp: Option<String>,
    exp: i64,
    iat: i64,
    #[serde(default)]
    nbf: Option<i64>,
    email: String,
    email_verified: bool,
    #[serde(default)]
    amr: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Issuer {
    pub(super) fn open(trust: Trust) -> Result<Self> {
        let keys = IssuerKeys::open(trust.clone())?;
        Ok(Self { trust, keys })
    }

    pub(super) fn name(&self) -> &str {
        &self.trust.issuer
    }

    /// The person of an identity token; refuses a token that is not the issuer's, not for this service, or not valid now,
    /// with the reason in the log alone. May ask the issuer for its keys, and so must not run inside a unit.
    pub(super) async fn verify(&self, token: &str, now: Timestamp) -> Result<Identity> {
        let header = jsonwebtoken::decode_header(token).map_err(refused)?;
        let is_jwt = header.typ.as_deref().is_none_or(|typ| typ.eq_ignore_ascii_case("jwt"));
        if !is_jwt || header.crit.is_some() {
            return Err(refused("this is no identity token"));
        }
        let kid = header.kid.ok_or_else(|| refused("the token names no key"))?;
        let key = self.keys.find(&kid, now).await?;
        // The key decides the algorithm, not the token.
        let key = key.filter(|key| key.algorithm == header.alg);
        let key = key.ok_or_else(|| refused("the token's key and algorithm are none of the issuer's"))?;
        let mut only_the_signature = Validation::new(key.algorithm);
        // `accept` compares the times with the injected clock.
        only_the_signature.validate_exp = false;
        only_the_signature.validate_aud = false;
        only_the_signature.required_spec_claims.clear();
        let read = jsonwebtoken::decode::<IdToken>(token, &key.verifying, &only_the_signature);
        self.accept(read.map_err(refused)?.claims, now.as_seconds())
    }

    fn accept(&self, token: IdToken, now: i64) -> Result<Identity> {
        let audience = &self.trust.audience;
        let (for_us, for_others) = match &token.aud {
            Audience::One(one) => (one == audience, false),
            Audience::Many(many) => (many.contains(audience), many.len() > 1),
        };
        // A token for several audiences must name this service as the party it was issued to.
        let given_to_us = token.azp.as_ref().map_or(!for_others, |party| party == audience);
        let faults = [
            (token.iss != self.trust.issuer, "another issuer"),
            (!for_us || !given_to_us, "for another audience"),
            (token.exp + LEEWAY_SECONDS <= now, "expired"),
            (token.iat - LEEWAY_SECONDS > now, "issued in the future"),
            (token.iat + OLDEST_SECONDS + LEEWAY_SECONDS <= now, "too old"),
            (token.nbf.is_some_and(|from| from - LEEWAY_SECONDS > now), "not valid yet"),
            (!token.email_verified, "the e-mail address is not verified"),
            (token.sub.is_empty() || token.sub.len() > 255, "no subject"),
        ];
        if let Some((_, fault)) = faults.iter().find(|(applies, _)| *applies) {
            return Err(refused(*fault));
        }
        Ok(Identity {
            issuer: token.iss,
            subject: token.sub,
            email: token.email,
            // `mfa` stands for several factors (RFC 8176).
            by_several_factors: token.amr.iter().any(|method| method == "mfa"),
        })
    }
}

/// The one answer for every fault of an identity token or of its person; the reason goes to the log.
pub fn refused(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    let detail = text!(
        "the identity token is not accepted, or its owner may not sign in here",
        "ID トークンを受け付けられないか、その所有者は本サービスにサインインできません。"
    );
    Error { source: Some(reason.into()), ..Error::new(&INVALID_GRANT, detail) }
}
