//! Encryption at rest: secrets that a reader of the database alone cannot open.

use super::{Error, Result};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    digest,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use std::{fs::OpenOptions, io::Write, path::Path, sync::Arc};

/// The layout of a sealed secret: this byte, the key's name, the nonce, the ciphertext with its tag.
const LAYOUT: u8 = 1;
const NAME_LENGTH: usize = 4;
const KEY_LENGTH: usize = 32;

/// Seals and opens secrets with AES-256-GCM. The first key seals; the others open the secrets that older keys sealed.
/// Cheap to clone.
#[derive(Clone)]
pub struct Vault(Arc<Vec<NamedKey>>);

struct NamedKey {
    /// The beginning of the key's SHA-256.
    name: [u8; NAME_LENGTH],
    key: RandomizedNonceKey,
}

impl Vault {
    /// Takes keys of 32 bytes in base64, separated by commas, spaces or lines; the first key seals.
    pub fn from_text(text: &str) -> Result<Self> {
        let keys = text
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter(|key| !key.is_empty())
            .map(|key| {
                let bytes = BASE64_STANDARD.decode(key).ok().filter(|bytes| bytes.len() == KEY_LENGTH);
                bytes.as_deref().and_then(named).ok_or_else(|| {
                    Error::internal("an encryption key is 32 random bytes in base64: openssl rand -base64 32")
                })
            })
            .collect::<Result<Vec<_>>>()?;
        if keys.is_empty() {
            return Err(Error::internal("there is no encryption key: write 32 random bytes in base64"));
        }
        Ok(Self(Arc::new(keys)))
    }

    /// Takes the keys of a file; where there is no file, makes one with a single key, readable by its owner alone.
    pub fn from_file(path: &Path) -> Result<Self> {
        let fault = |error: std::io::Error| {
            Error::internal(format!("the encryption keys in {} cannot be used: {error}", path.display()))
        };
        match std::fs::read_to_string(path) {
            Ok(text) => Self::from_text(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                make(path).map_err(fault)?;
                Self::from_text(&std::fs::read_to_string(path).map_err(fault)?)
            }
            Err(error) => Err(fault(error)),
        }
    }

    /// Seals a secret. `place` names the table and row that keep the secret; the secret opens for no other place.
    pub fn seal(&self, place: &str, secret: &[u8]) -> Result<Vec<u8>> {
        let NamedKey { name, key } =
            self.0.first().ok_or_else(|| Error::internal("there is no encryption key"))?;
        let mut text = secret.to_vec();
        let nonce = key
            .seal_in_place_append_tag(Aad::from(place), &mut text)
            .map_err(|_| Error::internal("a secret could not be sealed"))?;
        Ok([&[LAYOUT][..], name, nonce.as_ref(), &text].concat())
    }

    /// Opens a secret that was sealed for this place.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        self.try_open(place, sealed).ok_or_else(|| {
            Error::internal(format!(
                "{place} was sealed with another encryption key: start with the key it was sealed with \
                 (ENCRYPTION_KEY or ENCRYPTION_KEY_FILE), a new one before it where keys are being replaced"
            ))
        })
    }

    /// Whether the secret was sealed with the key that seals now.
    #[must_use]
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        self.0.first().is_some_and(|current| {
            sealed.first() == Some(&LAYOUT) && sealed.get(1..=NAME_LENGTH) == Some(current.name.as_slice())
        })
    }

    fn try_open(&self, place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (&LAYOUT, rest) = sealed.split_first()? else { return None };
        let (name, rest) = rest.split_at_checked(NAME_LENGTH)?;
        let (nonce, text) = rest.split_at_checked(NONCE_LEN)?;
        let NamedKey { key, .. } = self.0.iter().find(|known| known.name == name)?;
        let mut text = text.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let length = key.open_in_place(nonce, Aad::from(place), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }
}

fn named(key: &[u8]) -> Option<NamedKey> {
    let name = digest::digest(&digest::SHA256, key).as_ref().first_chunk().copied()?;
    Some(NamedKey { name, key: RandomizedNonceKey::new(&AES_256_GCM, key).ok()? })
}

fn make(path: &Path) -> std::io::Result<()> {
    let mut key = [0; KEY_LENGTH];
    aws_lc_rs::rand::fill(&mut key).map_err(|_| std::io::Error::other("no randomness"))?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension(format!("key.{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    writeln!(file, "{}", BASE64_STANDARD.encode(key))?;
    file.sync_all()?;
    // The key file appears whole or not at all; where another instance was faster, all use that instance's key.
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> String {
        BASE64_STANDARD.encode([byte; KEY_LENGTH])
    }

    #[test]
    fn a_secret_opens_in_its_place_alone() {
        let vault = Vault::from_text(&key(1)).unwrap();
        let sealed = vault.seal("totp/1", b"secret").unwrap();
        assert_eq!(vault.open("totp/1", &sealed).unwrap(), b"secret");
        assert!(vault.open("totp/2", &sealed).is_err());
        assert_ne!(sealed, vault.seal("totp/1", b"secret").unwrap(), "every time with a nonce of its own");
        for bit in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[bit] ^= 1;
            assert!(vault.open("totp/1", &changed).is_err(), "byte {bit}");
            assert!(vault.open("totp/1", &sealed[..bit]).is_err(), "cut at {bit}");
        }
    }

    #[test]
    fn a_new_key_seals_and_the_old_one_still_opens() {
        let old = Vault::from_text(&key(1)).unwrap();
        let both = Vault::from_text(&format!("{}\n{}", key(2), key(1))).unwrap();
        let sealed = old.seal("x", b"secret").unwrap();
        assert_eq!(both.open("x", &sealed).unwrap(), b"secret");
        assert!(!both.is_current(&sealed) && old.is_current(&sealed));
        assert!(old.open("x", &both.seal("x", b"secret").unwrap()).is_err());
    }

    #[test]
    fn a_key_is_32_bytes_and_the_first_start_makes_one() {
        assert!(Vault::from_text("").is_err());
        assert!(Vault::from_text("c2hvcnQ=").is_err());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deeper/data.key");
        let first = Vault::from_file(&path).unwrap();
        let sealed = first.seal("x", b"secret").unwrap();
        assert_eq!(Vault::from_file(&path).unwrap().open("x", &sealed).unwrap(), b"secret");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
