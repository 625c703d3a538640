//! Where the encryption keys are.

use super::Settings;
use crate::platform::{Error, Result, Vault, db::Target};
use std::path::PathBuf;

impl Settings {
    /// The file of the encryption keys, where no setting holds the keys themselves.
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        self.encryption_key_file.clone().unwrap_or_else(|| match &self.database_url {
            Target::Sqlite(path) => path.with_extension("key"),
            Target::Postgres(_) => PathBuf::from("data/partner-incentives.key"),
        })
    }

    /// The encryption keys as text; none where neither a setting nor a file holds keys.
    pub fn keys(&self) -> Result<Option<String>> {
        match &self.encryption_key {
            Some(keys) => Ok(Some(keys.clone())),
            None => Vault::text_of(&self.key_file()).map_err(|error| {
                let fault =
                    error.source.as_ref().map_or_else(|| error.sentence().to_owned(), ToString::to_string);
                Error::internal(format!("ENCRYPTION_KEY_FILE: {fault}"))
            }),
        }
    }

    /// Encryption with the keys there are; none where neither a setting nor a file holds keys.
    pub fn vault(&self) -> Result<Option<Vault>> {
        self.keys()?.as_deref().map(|keys| self.vault_of(keys)).transpose()
    }

    /// Does what opens the secrets of a database; once more where there were no keys, and another start has made them since.
    pub fn with_vault<T>(&self, mut work: impl FnMut(Option<&Vault>) -> Result<T>) -> Result<T> {
        let known = self.vault()?;
        let done = work(known.as_ref());
        match (&known, done) {
            (None, Err(error)) => match self.vault()? {
                None => Err(error),
                made => work(made.as_ref()),
            },
            (_, done) => done,
        }
    }

    /// Encryption with the keys there are; makes a file with a key where there are none.
    pub fn vault_of_new_database(&self) -> Result<Vault> {
        if let Some(vault) = self.vault()? {
            return Ok(vault);
        }
        Vault::make_file(&self.key_file())?;
        self.vault_of(&self.keys()?.unwrap_or_default())
    }

    fn vault_of(&self, keys: &str) -> Result<Vault> {
        Vault::from_text(keys).map_err(|error| {
            let fault =
                error.source.as_ref().map_or_else(|| error.sentence().to_owned(), ToString::to_string);
            let named = match self.encryption_key {
                Some(_) => "ENCRYPTION_KEY".to_owned(),
                None => format!("ENCRYPTION_KEY_FILE: {}", self.key_file().display()),
            };
            Error::internal(format!("{named} cannot be used: {fault}"))
        })
    }
}
