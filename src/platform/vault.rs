//! Encryption at rest: secrets that a reader of the database alone cannot open.

use super::{Error, Result, files};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    digest, hmac, rand,
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use std::{
    io::{ErrorKind, Write},
    path::Path,
    sync::Arc,
};

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
    /// Makes marks; derived from the key.
    marks: hmac::Key,
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

    /// Takes the keys of a file; none where there is no file.
    pub fn from_file(path: &Path) -> Result<Option<Self>> {
        Self::text_of(path)?.as_deref().map(Self::from_text).transpose()
    }

    /// The text of a file with keys, which becomes its owner's alone; none where there is no file.
    pub fn text_of(path: &Path) -> Result<Option<String>> {
        match files::make_private(path).and_then(|()| std::fs::read_to_string(path)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unusable(path, &error)),
        }
    }

    /// Makes a file with one new key, unless there is a file.
    pub fn make_file(path: &Path) -> Result<()> {
        let mut key = [0; KEY_LENGTH];
        rand::fill(&mut key).map_err(|_| Error::internal("there is no randomness for a key"))?;
        Self::write_file(path, &BASE64_STANDARD.encode(key))
    }

    /// Writes keys to a file for its owner alone, unless there is a file: where another instance was faster, all use that
    /// instance's keys.
    pub fn write_file(path: &Path, keys: &str) -> Result<()> {
        let write = || {
            files::make_folder(path.parent().unwrap_or(Path::new("")))?;
            let mut random = [0; 12];
            rand::fill(&mut random).map_err(|_| std::io::Error::other("no randomness"))?;
            let draft = files::beside(path, &format!(".{}", BASE64_URL_SAFE_NO_PAD.encode(random)));
            let mut file = files::create_new(&draft)?;
            writeln!(file, "{}", keys.trim())?;
            file.sync_all()?;
            // The file appears whole or not at all.
            let linked = std::fs::hard_link(&draft, path);
            std::fs::remove_file(&draft)?;
            match linked {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
                _ => Ok(()),
            }
        };
        write().map_err(|error: std::io::Error| unusable(path, &error))
    }

    /// Seals a secret. `place` names the table and row that keep the secret; the secret opens for no other place.
    pub fn seal(&self, place: &str, secret: &[u8]) -> Result<Vec<u8>> {
        let NamedKey { name, key, .. } =
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

    /// Whether the bytes have the form of a sealed secret. A text or a key in the clear never has.
    #[must_use]
    pub fn is_sealed(bytes: &[u8]) -> bool {
        bytes.first() == Some(&LAYOUT)
    }

    /// Whether one of the keys sealed a secret, by the name of the key in the secret's beginning, [`Vault::BEGINNING`]
    /// bytes.
    #[must_use]
    pub fn knows(&self, beginning: &[u8]) -> bool {
        beginning.split_first().is_some_and(|(layout, rest)| {
            *layout == LAYOUT && self.0.iter().any(|known| rest.starts_with(&known.name))
        })
    }

    /// The bytes in the beginning of a sealed secret that name its key.
    pub const BEGINNING: usize = 1 + NAME_LENGTH;

    /// A mark by which the same bytes are recognised later, and which says nothing of the bytes to readers without a key.
    pub fn mark(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        let first = self.0.first().ok_or_else(|| Error::internal("there is no encryption key"))?;
        Ok(hmac::sign(&first.marks, bytes).as_ref().to_vec())
    }

    /// Whether a mark was made of these bytes with one of the keys.
    #[must_use]
    pub fn recognises(&self, mark: &[u8], bytes: &[u8]) -> bool {
        self.0.iter().any(|known| hmac::verify(&known.marks, bytes, mark).is_ok())
    }

    /// Whether the secret was sealed with the key that seals now.
    #[must_use]
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        let name = sealed.strip_prefix(&[LAYOUT]).and_then(|rest| rest.get(..NAME_LENGTH));
        self.0.first().is_some_and(|current| name == Some(current.name.as_slice()))
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
    let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), b"marks");
    let marks = hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref());
    Some(NamedKey { name, key: RandomizedNonceKey::new(&AES_256_GCM, key).ok()?, marks })
}

fn unusable(path: &Path, error: &std::io::Error) -> Error {
    Error::internal(format!("the encryption keys in {} cannot be used: {error}", path.display()))
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
        assert!(Vault::from_file(&path).unwrap().is_none());
        Vault::make_file(&path).unwrap();
        let sealed = Vault::from_file(&path).unwrap().unwrap().seal("x", b"secret").unwrap();
        Vault::make_file(&path).unwrap();
        assert_eq!(Vault::from_file(&path).unwrap().unwrap().open("x", &sealed).unwrap(), b"secret");
        let mode =
            || std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        Vault::from_file(&path).unwrap();
        assert_eq!(mode() & 0o777, 0o600, "a key that others could read is taken from them");
    }

    #[test]
    fn a_mark_is_recognised_by_those_who_have_its_key() {
        let [old, new] = [1, 2].map(|byte| Vault::from_text(&key(byte)).unwrap());
        let both = Vault::from_text(&format!("{}\n{}", key(2), key(1))).unwrap();
        let mark = old.mark(b"12-3456789").unwrap();
        assert!(old.recognises(&mark, b"12-3456789") && both.recognises(&mark, b"12-3456789"));
        assert!(!old.recognises(&mark, b"12-3456788") && !new.recognises(&mark, b"12-3456789"));
        assert_ne!(mark, digest::digest(&digest::SHA256, b"12-3456789").as_ref());
    }

    #[test]
    fn a_secret_names_its_key() {
        let vault = Vault::from_text(&key(1)).unwrap();
        let sealed = vault.seal("x", b"secret").unwrap();
        assert!(vault.knows(&sealed[..Vault::BEGINNING]) && Vault::is_sealed(&sealed));
        assert!(!Vault::from_text(&key(2)).unwrap().knows(&sealed));
        assert!(!vault.knows(b"") && !Vault::is_sealed(b"DE89370400440532013000"));
    }
}
