//! Opaque secrets: random text that means nothing by itself. The database holds its digest alone, which suffices
//! where there is nothing to guess.

use crate::platform::{Error, Result};
use aws_lc_rs::{digest, rand};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

/// A random text of 43 characters, 256 bits.
pub fn random() -> Result<String> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| Error::internal("no randomness"))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// What is stored of it: its SHA-256.
#[must_use]
pub fn digest(text: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, text.as_bytes()).as_ref().to_vec()
}
