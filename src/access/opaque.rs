//! Opaque secrets: random texts without content. The database stores the digest alone, which is enough for a secret that
//! nobody can guess.

use crate::platform::{Error, Result};
use aws_lc_rs::{digest, rand};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

/// A random secret of 43 characters, 256 bits.
pub fn random() -> Result<String> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| Error::internal("no randomness"))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// The stored digest of a secret: its SHA-256.
#[must_use]
pub fn digest(text: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, text.as_bytes()).as_ref().to_vec()
}
