//! Passwords: the rules for chosen passwords, hashing, and the temporary passwords the service hands out.

mod rules;

pub use rules::{Owner, check};

use crate::platform::{Error, Result};
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use unicode_normalization::UnicodeNormalization;

/// How long a temporary password is valid: 72 hours.
pub const TEMPORARY_SECONDS: i64 = 72 * 3600;
/// Letters and digits that readers do not mistake for each other.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A random temporary password of 20 characters in groups of five, 100 bits.
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

/// Hashes and compares passwords with argon2id; each hash names its parameters.
///
/// A password is hashed in Unicode's normal form C, so that two ways to type a letter make the same password.
#[derive(Clone, Debug)]
pub struct Hasher {
    argon2: Argon2<'static>,
    /// The hash of a password nobody knows; compared where a user does not exist.
    decoy: String,
}

/// The result of comparing a password with a hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Whether the password belongs to the hash.
    pub good: bool,
    /// The hash of the password with the current parameters, where the parameters of the stored hash are smaller.
    pub stronger: Option<String>,
}

impl Hasher {
    /// A hasher that uses `memory_kib` KiB for one hash, and `passes` passes over that memory.
    pub fn new(memory_kib: u32, passes: u32) -> Result<Self> {
        let params = Params::new(memory_kib, passes, Params::DEFAULT_P_COST, None)
            .map_err(|error| Error::internal(format!("the password parameters cannot be used: {error}")))?;
        let mut this =
            Self { argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params), decoy: String::new() };
        this.decoy = this.hash(&temporary()?)?;
        Ok(this)
    }

    /// Hashes a password; takes about 20 ms and 19 MiB with the default parameters.
    pub fn hash(&self, password: &str) -> Result<String> {
        self.argon2
            .hash_password(normal(password).as_bytes())
            .map(|hash| hash.to_string())
            .map_err(|error| Error::internal(error.to_string()))
    }

    /// Compares a password with a stored hash. Without a hash of this service the password is compared with the hash of an
    /// unknown password, so that the answer takes as long.
    pub fn compare(&self, password: &str, stored: Option<&str>) -> Result<Comparison> {
        let ours =
            |text| PasswordHash::new(text).ok().filter(|hash| hash.algorithm == Algorithm::Argon2id.ident());
        let known = stored.and_then(ours);
        let decoy = PasswordHash::new(&self.decoy).map_err(|error| Error::internal(error.to_string()))?;
        let same = self
            .argon2
            .verify_password(normal(password).as_bytes(), known.as_ref().unwrap_or(&decoy))
            .is_ok();
        let good = same && known.is_some();
        let weak = good && known.as_ref().is_some_and(|hash| self.outgrew(hash));
        Ok(Comparison { good, stronger: weak.then(|| self.hash(password)).transpose()? })
    }

    fn outgrew(&self, hash: &PasswordHash) -> bool {
        let now = self.argon2.params();
        Params::try_from(hash).is_ok_and(|then| then.m_cost() < now.m_cost() || then.t_cost() < now.t_cost())
    }
}

/// Unicode's normal form C.
fn normal(password: &str) -> String {
    password.nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher() -> Hasher {
        Hasher::new(64, 1).unwrap()
    }

    fn good(hasher: &Hasher, password: &str, hash: Option<&str>) -> bool {
        hasher.compare(password, hash).unwrap().good
    }

    #[test]
    fn only_the_password_hashed_is_accepted() {
        let (hasher, password) = (hasher(), temporary().unwrap());
        let hash = hasher.hash(&password).unwrap();
        assert!(good(&hasher, &password, Some(&hash)));
        assert!(!good(&hasher, "wrong", Some(&hash)));
        assert!(!good(&hasher, &password, None));
        assert_eq!(password.len(), 23);
        assert_ne!(password, temporary().unwrap());
    }

    #[test]
    fn two_ways_to_write_an_umlaut_are_one_password() {
        let hasher = hasher();
        let hash = hasher.hash("gr\u{fc}ne Wiesen im Fr\u{fc}hling").unwrap();
        assert!(good(&hasher, "gru\u{308}ne Wiesen im Fru\u{308}hling", Some(&hash)));
    }

    #[test]
    fn what_is_no_hash_of_ours_fits_nothing() {
        let hasher = hasher();
        for foreign in ["", "none", "$2b$10$abcdefghijklmnopqrstuv", "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ"]
        {
            assert!(!good(&hasher, "", Some(foreign)), "{foreign}");
        }
    }

    #[test]
    fn the_hash_of_nobody_costs_as_much_as_a_real_one() {
        let hasher = Hasher::new(128, 3).unwrap();
        let (real, nobody) = (hasher.hash("x").unwrap(), PasswordHash::new(&hasher.decoy).unwrap());
        let real = PasswordHash::new(&real).unwrap();
        assert_eq!(
            (real.algorithm, real.version, &real.params),
            (nobody.algorithm, nobody.version, &nobody.params)
        );
        assert_eq!(real.hash.unwrap().len(), nobody.hash.unwrap().len());
    }

    #[test]
    fn a_hash_grows_with_the_parameters_and_never_shrinks() {
        let (small, large) = (hasher(), Hasher::new(128, 2).unwrap());
        let hash = small.hash("secret").unwrap();
        let stronger = large.compare("secret", Some(&hash)).unwrap().stronger.unwrap();
        assert!(stronger.contains("m=128,t=2,p=1"), "{stronger}");
        assert_eq!(large.compare("guess", Some(&hash)).unwrap().stronger, None);
        assert_eq!(
            small.compare("secret", Some(&stronger)).unwrap(),
            Comparison { good: true, stronger: None }
        );
    }
}
