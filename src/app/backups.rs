//! Backups: one file with the encryption keys and, of an embedded database, the database; encrypted with a passphrase.
//!
//! The file holds the length of a [`Manifest`] in JSON, 4 bytes with the most significant first, and the manifest; the length
//! of the encryption keys and the keys; then the database file of SQLite to the end. A PostgreSQL server is copied by its own
//! tools: its backup holds the keys, and what proves that the server has the same records again.

use super::sealed;
use crate::{
    access::AppState,
    audit::{self, Seal},
    config::{DatabaseKind, Settings},
    platform::{
        Error, Result, Vault,
        db::{Conn, Db, Target},
        files,
        passphrase_file::{Opening, Sealing},
        values::Timestamp,
    },
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// The longest manifest, and the longest text of encryption keys, in bytes.
const LONGEST: u32 = 1 << 20;

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// When the backup was taken.
    pub taken_at: Timestamp,
    /// The release that took the backup.
    pub release: String,
    /// The version of the database's schema.
    pub schema_version: String,
    /// The kind of the database.
    pub kind: DatabaseKind,
    /// Whether the file holds the database, as of SQLite; of PostgreSQL it holds keys and proofs.
    pub holds_database: bool,
    /// The head of the audit chain, as `verify --expect` takes it; none of a database without a sealed event.
    pub head: Option<String>,
    /// The number of rows of every table.
    pub counts: BTreeMap<String, i64>,
}

impl Manifest {
    fn of(conn: &mut Conn, kind: DatabaseKind, taken_at: Timestamp) -> Result<Self> {
        Ok(Self {
            taken_at,
            release: env!("CARGO_PKG_VERSION").into(),
            schema_version: conn.schema_version()?,
            kind,
            holds_database: false,
            head: audit::head(conn)?.map(|head| head.to_string()),
            counts: conn.counts()?,
        })
    }

    /// The number of rows of all tables.
    #[must_use]
    pub fn rows(&self) -> i64 {
        self.counts.values().sum()
    }
}

/// A file that is removed unless it was kept.
struct Draft(Option<PathBuf>);

impl Draft {
    /// A new file beside the one it will be.
    fn beside(path: &Path) -> Result<(Self, File)> {
        let draft = files::beside(path, &format!(".{}", std::process::id()));
        files::make_folder(path.parent().unwrap_or(Path::new(""))).map_err(|error| named(path, &error))?;
        let file = files::create_new(&draft).map_err(|error| named(&draft, &error))?;
        Ok((Self(Some(draft)), file))
    }

    fn path(&self) -> &Path {
        self.0.as_deref().unwrap_or(Path::new(""))
    }

    fn become_file(mut self, path: &Path) -> Result<()> {
        std::fs::rename(self.path(), path).map_err(|error| named(path, &error))?;
        self.0 = None;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // A draft that stays is private, and named after the process that left it.
            let _ = std::fs::remove_file(path);
            let _ = std::fs::remove_file(files::beside(path, "-journal"));
        }
    }
}

/// Takes a backup into a new file; the service may run meanwhile. Nothing of the database is changed.
pub fn take(settings: &Settings, path: &Path, passphrase: &str) -> Result<Manifest> {
    super::refuse_plaintext(settings)?;
    if path.exists() {
        return Err(Error::internal(format!("{} is there already: name a new file", path.display())));
    }
    let (target, vault) = (&settings.database_url, settings.vault()?);
    let nothing = || Error::internal(format!("there is nothing to back up at {target}"));
    let keys = settings.keys()?;
    let (draft, file) = Draft::beside(path)?;
    let manifest = Db::look(target, |conn| {
        let kind = look(conn, vault.as_ref(), DatabaseKind::Production)?.ok_or_else(nothing)?;
        let mut out = Sealing::begin(io::BufWriter::new(file), passphrase)?;
        let (taken_at, keys) = (settings.clock.now(), keys.clone().unwrap_or_default());
        let head = |manifest: &Manifest, out: &mut dyn Write| -> Result<()> {
            write_part(out, &serde_json::to_vec(manifest).map_err(Error::internal)?)?;
            write_part(out, keys.as_bytes())
        };
        let manifest = if let Target::Sqlite(_) = target {
            let (copy, _) = Draft::beside(&files::beside(path, ".db"))?;
            conn.copy_into(copy.path())?;
            let copied = Target::Sqlite(copy.path().to_owned());
            let proofs = Db::look(&copied, |conn| Manifest::of(conn, kind, taken_at))?.ok_or_else(nothing)?;
            let manifest = Manifest { holds_database: true, ..proofs };
            head(&manifest, &mut out)?;
            let mut copy = File::open(copy.path()).map_err(|error| named(path, &error))?;
            io::copy(&mut copy, &mut out).map_err(|error| named(path, &error))?;
            manifest
        } else {
            let manifest = conn.in_one_snapshot(|conn| Manifest::of(conn, kind, taken_at))?;
            head(&manifest, &mut out)?;
            manifest
        };
        let ended = out.finish().and_then(|out| out.into_inner().map_err(io::IntoInnerError::into_error));
        ended.and_then(|file| file.sync_all()).map_err(|error| named(path, &error))?;
        Ok(manifest)
    })?;
    let manifest = manifest.ok_or_else(nothing)?;
    draft.become_file(path)?;
    Ok(manifest)
}

/// Whether what is there may be replaced by a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacing {
    /// A database or a key that is there stops the restoring.
    Nothing,
    /// A database and a key that are there are put aside, under new names.
    WhatIsThere,
}

/// Puts a backup back: the encryption keys, and the database of SQLite; of PostgreSQL it proves that the server has the
/// records of the backup again.
pub fn restore(settings: &Settings, path: &Path, passphrase: &str, replacing: Replacing) -> Result<Manifest> {
    super::refuse_plaintext(settings)?;
    let file = File::open(path).map_err(|error| named(path, &error))?;
    let mut from = Opening::begin(io::BufReader::new(file), passphrase)?;
    let damaged = |error: io::Error| named(path, &error);
    let manifest: Manifest =
        serde_json::from_slice(&read_part(&mut from).map_err(damaged)?).map_err(Error::internal)?;
    let keys = String::from_utf8(read_part(&mut from).map_err(damaged)?).map_err(Error::internal)?;
    if !Db::knows_version(&manifest.schema_version)? {
        return Err(Error::internal(format!(
            "the backup has version {} of the schema, which this binary does not know: restore it with release {} or a \
             newer one",
            manifest.schema_version, manifest.release
        )));
    }
    match (&settings.database_url, manifest.holds_database) {
        (Target::Sqlite(database), true) => restore_file(settings, database, &keys, &mut from, replacing)?,
        (target @ Target::Postgres(_), false) => {
            let key = KeyToPlace::of(settings, &keys, replacing)?;
            prove(target, &key, &manifest)?;
            key.place(settings)?;
        }
        (target, holds_database) => {
            let of = if holds_database { "sqlite://PATH" } else { "the PostgreSQL server" };
            return Err(Error::internal(format!(
                "DATABASE_URL: {target} is not the kind of database that the backup was taken of: name {of}"
            )));
        }
    }
    Ok(manifest)
}

fn restore_file(
    settings: &Settings,
    database: &Path,
    keys: &str,
    from: &mut impl Read,
    replacing: Replacing,
) -> Result<()> {
    let is_there = std::fs::metadata(database).is_ok_and(|file| file.len() > 0);
    if is_there && replacing == Replacing::Nothing {
        return Err(Error::internal(format!(
            "there is a database at {} already: name another DATABASE_URL, or say --replace to put it aside",
            database.display()
        )));
    }
    let key = KeyToPlace::of(settings, keys, replacing)?;
    let (draft, mut file) = Draft::beside(database)?;
    io::copy(from, &mut file).and_then(|_| file.sync_all()).map_err(|error| named(database, &error))?;
    let restored = Target::Sqlite(draft.path().to_owned());
    let looked = Db::look(&restored, |conn| {
        conn.refuse_damaged()?;
        look(conn, Some(&key.vault), DatabaseKind::Production)
    })?;
    looked.ok_or_else(|| Error::internal("the backup holds no database"))?;
    if is_there {
        settings.database_url.fold()?;
        put_aside(database, settings)?;
    }
    key.place(settings)?;
    draft.become_file(database)
}

/// The encryption keys of a backup, and whether the file of the keys must be written.
struct KeyToPlace {
    vault: Vault,
    /// The text for the file; none where a setting or the file holds the keys already.
    text: Option<String>,
    replaces: bool,
}

impl KeyToPlace {
    fn of(settings: &Settings, keys: &str, replacing: Replacing) -> Result<Self> {
        let restored = Vault::from_text(keys)?;
        let there = settings.keys()?;
        // Sealed with the key of the backup, a text opens with the keys there exactly if they hold that key.
        let probe = restored.seal("backup", b"")?;
        let vault = there.as_deref().map(Vault::from_text).transpose()?;
        match vault.filter(|vault| vault.knows(&probe)) {
            Some(vault) => Ok(Self { vault, text: None, replaces: false }),
            None if settings.encryption_key.is_some() => Err(Error::internal(
                "ENCRYPTION_KEY is not the key of the backup: leave it out, and the key of the backup is put into the \
                 file of ENCRYPTION_KEY_FILE",
            )),
            None if there.is_some() && replacing == Replacing::Nothing => Err(Error::internal(format!(
                "{} holds another key than the backup: name another ENCRYPTION_KEY_FILE, or say --replace to put it aside",
                settings.key_file().display()
            ))),
            None => Ok(Self { vault: restored, text: Some(keys.to_owned()), replaces: there.is_some() }),
        }
    }

    fn place(&self, settings: &Settings) -> Result<()> {
        let Some(text) = &self.text else { return Ok(()) };
        let file = settings.key_file();
        if self.replaces {
            put_aside(&file, settings)?;
        }
        Vault::write_file(&file, text)
    }
}

/// Renames a file to a name that tells when it was replaced.
fn put_aside(path: &Path, settings: &Settings) -> Result<()> {
    let aside = files::beside(path, &format!(".replaced-{}", settings.clock.now().as_micros()));
    log::warn!("{} was put aside as {}", path.display(), aside.display());
    std::fs::rename(path, &aside).map_err(|error| named(path, &error))
}

/// Proves that a server has the records of a backup, and that the keys of the backup open them.
fn prove(target: &Target, key: &KeyToPlace, manifest: &Manifest) -> Result<()> {
    let proven = Db::look(target, |conn| {
        look(conn, Some(&key.vault), DatabaseKind::Production)?;
        let noted = manifest.head.as_deref().map(str::parse::<Seal>).transpose().map_err(Error::internal)?;
        match noted {
            Some(noted) if !audit::holds(conn, noted)? => Err(Error::internal(format!(
                "the audit chain of {target} does not hold {noted}, the head when the backup was taken: the server was \
                 restored to an earlier time, or to other records"
            ))),
            _ => Ok(()),
        }
    })?;
    proven.ok_or_else(|| {
        Error::internal(format!(
            "{target} is empty: restore the database first, with pg_restore or from a base backup, then repeat this"
        ))
    })
}

fn look(conn: &mut Conn, vault: Option<&Vault>, asked: DatabaseKind) -> Result<Option<DatabaseKind>> {
    AppState::look(conn, vault, sealed(), asked, audit::has_begun)
}

fn write_part(out: &mut dyn Write, bytes: &[u8]) -> Result<()> {
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length <= LONGEST);
    let length = length.ok_or_else(|| Error::internal("a part of the backup is too long"))?;
    out.write_all(&length.to_be_bytes()).and_then(|()| out.write_all(bytes)).map_err(Error::internal)
}

fn read_part(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a part of the backup is too long"));
    }
    let mut bytes = Vec::new();
    from.take(u64::from(length)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn named(path: &Path, error: &io::Error) -> Error {
    Error::internal(format!("{}: {error}", path.display()))
}
