//! Passwords: hashing and the random ones the service hands out.

use crate::platform::{Error, Result};
use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};

/// Letters and digits that cannot be taken for one another.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A random password of 20 characters, 100 bits.
pub fn temporary() -> Result<String> {
    let mut bytes = [0; 20];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::internal("no randomness"))?;
    let mut letters =
        bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte % 32))).map(|b| char::from(*b));
    let mut password = String::new();
    for group in 0..4 {
        if group > 0 {
            password.push('-');
        }
        password.extend(letters.by_ref().take(5));
    }
    Ok(password)
}

/// Stands in for the hash of a user who does not exist.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$XU5TO8O6P7bSbkqqY1l4iTZgcJoYq0zUpVzbEN0vj6g";

/// Hashes a password with argon2id; the parameters stand in the hash. Takes about 20 ms and 19 MiB.
pub fn hash(password: &str) -> Result<String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| Error::internal(error.to_string()))
}

/// Whether the password is the one hashed. An unknown user's is compared with a hash of nothing, which takes
/// as long.
#[must_use]
pub fn verify(password: &str, hash: Option<&str>) -> bool {
    let known = hash.is_some();
    let Ok(hash) = PasswordHash::new(hash.unwrap_or(NOBODY)) else { return false };
    Argon2::default().verify_password(password.as_bytes(), &hash).is_ok() && known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_hashed_is_accepted() {
        let password = temporary().unwrap();
        let hash = hash(&password).unwrap();
        assert!(verify(&password, Some(&hash)));
        assert!(!verify("wrong", Some(&hash)));
        assert!(!verify(&password, None));
        assert_eq!(password.len(), 23);
        assert_ne!(password, temporary().unwrap());
    }

    #[test]
    fn the_hash_of_nobody_costs_as_much_as_a_real_one() {
        let (real, nobody) = (hash("x").unwrap(), PasswordHash::new(NOBODY).unwrap());
        let real = PasswordHash::new(&real).unwrap();
        assert_eq!(
            (real.algorithm, real.version, &real.params),
            (nobody.algorithm, nobody.version, &nobody.params)
        );
        assert_eq!(real.hash.unwrap().len(), nobody.hash.unwrap().len());
    }
}
