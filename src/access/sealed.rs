//! The secrets in the database: which columns hold them, and with which encryption keys they are sealed.

use super::Tx;
use crate::platform::{
    Error, Result, Vault,
    db::{BytesColumn, Conn},
    values::Id,
};

/// A column of secrets. Each secret is sealed for its row, and opens in no other row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedColumn {
    /// The column in the database.
    pub at: BytesColumn,
    /// The kind of record in audit events.
    pub record: &'static str,
    /// Whether databases of earlier versions hold secrets of this column in the clear, which the next start seals.
    pub once_clear: bool,
}

impl SealedColumn {
    fn place(&self, row: Id) -> String {
        format!("{}/{row}", self.at.table)
    }

    /// Seals the secret of a row.
    pub fn seal(&self, vault: &Vault, row: Id, secret: &[u8]) -> Result<Vec<u8>> {
        vault.seal(&self.place(row), secret)
    }

    /// Opens the secret of a row.
    pub fn open(&self, vault: &Vault, row: Id, sealed: &[u8]) -> Result<Vec<u8>> {
        vault.open(&self.place(row), sealed)
    }

    /// Seals with the current encryption key the secrets that are in the clear or sealed with an older key; returns the
    /// ids of their rows. A secret that changes meanwhile is left to whoever changes the secret.
    pub(super) fn seal_anew(&self, conn: &mut Conn, vault: &Vault) -> Result<Vec<Id>> {
        self.seal_those(conn, vault, |secret| !vault.is_current(secret))
    }

    /// Seals the secrets that are in the clear; returns the ids of their rows.
    pub(super) fn seal_what_is_clear(&self, conn: &mut Conn, vault: &Vault) -> Result<Vec<Id>> {
        if !self.once_clear {
            return Ok(Vec::new());
        }
        self.seal_those(conn, vault, |secret| !Vault::is_sealed(secret))
    }

    fn seal_those(&self, conn: &mut Conn, vault: &Vault, due: impl Fn(&[u8]) -> bool) -> Result<Vec<Id>> {
        let mut done = Vec::new();
        for kept in conn.bytes_of(self.at)?.into_iter().filter(|kept| due(&kept.bytes)) {
            let is_clear = self.once_clear && !Vault::is_sealed(&kept.bytes);
            let secret = if is_clear { kept.bytes.clone() } else { self.open(vault, kept.id, &kept.bytes)? };
            let sealed = self.seal(vault, kept.id, &secret)?;
            if conn.exchange_bytes(self.at, &kept, &sealed)? {
                done.push(kept.id);
            }
        }
        Ok(done)
    }

    /// Whether every sealed secret names a key of the vault; without a vault, whether none is sealed.
    fn is_known(&self, conn: &mut Conn, vault: Option<&Vault>) -> Result<bool> {
        let beginnings = conn.beginnings_of(self.at, Vault::BEGINNING)?;
        let knows = |beginning: &[u8]| vault.is_some_and(|vault| vault.knows(beginning));
        Ok(beginnings.iter().all(|beginning| !Vault::is_sealed(beginning) || knows(beginning)))
    }
}

impl Tx<'_> {
    /// Seals with the current encryption key every secret that is in the clear or sealed with an older key; returns the
    /// kind and the id of each record.
    pub fn seal_anew(&mut self) -> Result<Vec<(&'static str, Id)>> {
        let mut done = Vec::new();
        for column in &self.state.hooks.sealed {
            let rows = column.seal_anew(self.conn, &self.state.vault)?;
            done.extend(rows.into_iter().map(|row| (column.record, row)));
        }
        Ok(done)
    }
}

/// Refuses keys that cannot open what the database keeps, before anything is written.
pub(super) fn refuse_other_keys(
    conn: &mut Conn,
    vault: Option<&Vault>,
    columns: impl Iterator<Item = SealedColumn>,
) -> Result<()> {
    for column in columns {
        if !column.is_known(conn, vault)? {
            return Err(Error::internal(match vault {
                Some(_) => format!(
                    "{} was sealed with another encryption key: start with the key it was sealed with (ENCRYPTION_KEY or \
                     ENCRYPTION_KEY_FILE), a new one before it where keys are being replaced; nothing was written",
                    column.at.table
                ),
                None => "the database was sealed with an encryption key that is not here: put it back where \
                         ENCRYPTION_KEY_FILE says or into ENCRYPTION_KEY, or restore a backup, which holds the key; \
                         nothing was written"
                    .into(),
            }));
        }
    }
    Ok(())
}
