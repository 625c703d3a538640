//! The commands that take and restore backups.

use crate::say::say_line;
use console::Term;
use partner_incentives::{
    app::backups::{self, Manifest, Replacing},
    config::Settings,
    platform::{Error, Result, passphrase_file::SHORTEST},
};
use std::path::PathBuf;

/// The variable that may hold the passphrase. There is no flag: everybody on a machine sees the arguments of its commands.
const VARIABLE: &str = "BACKUP_PASSPHRASE";

/// The file to write.
#[derive(clap::Args)]
pub struct BackupCommand {
    /// The new file.
    path: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseSource,
}

/// The file to read, and what may be replaced.
#[derive(clap::Args)]
pub struct RestoreCommand {
    /// The file that `backup` wrote.
    path: PathBuf,
    /// Puts a database and a key that are there aside, under new names.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    passphrase: PassphraseSource,
}

/// Where the passphrase comes from: a file, else the variable `BACKUP_PASSPHRASE`, else it is asked for.
#[derive(clap::Args)]
struct PassphraseSource {
    /// File with the passphrase in its first line; without it the passphrase is taken from `BACKUP_PASSPHRASE`, else asked
    /// for.
    #[arg(long, env = "BACKUP_PASSPHRASE_FILE", value_name = "PATH")]
    passphrase_file: Option<PathBuf>,
}

impl PassphraseSource {
    fn read(&self, is_new: bool) -> Result<String> {
        if let Some(path) = &self.passphrase_file {
            let text = std::fs::read_to_string(path)
                .map_err(|error| Error::internal(format!("{}: {error}", path.display())))?;
            return Ok(text.lines().next().unwrap_or_default().to_owned());
        }
        if let Some(text) = std::env::var_os(VARIABLE) {
            let text = text.into_string().map_err(|_| Error::internal(format!("{VARIABLE} is not UTF-8")))?;
            return Ok(text);
        }
        let terminal = Term::stderr();
        if !terminal.is_term() {
            return Err(Error::internal(format!(
                "say the passphrase: in a file (--passphrase-file), in {VARIABLE}, or on a terminal"
            )));
        }
        let ask = |question: &str| -> Result<String> {
            terminal.write_str(question).map_err(Error::internal)?;
            terminal.read_secure_line().map_err(Error::internal)
        };
        let passphrase = ask(&format!("Passphrase, at least {SHORTEST} characters: "))?;
        if is_new && ask("Once more: ")? != passphrase {
            return Err(Error::internal("the two passphrases differ; nothing was written"));
        }
        Ok(passphrase)
    }
}

/// Takes a backup, and prints what it holds.
pub fn backup(settings: &Settings, command: &BackupCommand) -> Result<()> {
    let manifest = backups::take(settings, &command.path, &command.passphrase.read(true)?)?;
    let what = if manifest.holds_database { "database and key" } else { "key and proofs, not the database" };
    say_line!("Without the proofs of claims: copy {} too", settings.proof_store())?;
    say_line!("{}: {what}; {}", command.path.display(), told(&manifest))?;
    Ok(())
}

/// Restores a backup, and prints how to prove it.
pub fn restore(settings: &Settings, command: &RestoreCommand) -> Result<()> {
    let replacing = if command.replace { Replacing::WhatIsThere } else { Replacing::Nothing };
    let manifest = backups::restore(settings, &command.path, &command.passphrase.read(false)?, replacing)?;
    say_line!("{} is as it was: {}", settings.database_url, told(&manifest))?;
    say_line!("Put the proofs of claims back into {}", settings.proof_store())?;
    if let Some(head) = &manifest.head {
        say_line!("Prove it: partner-incentives verify --expect {head}")?;
    }
    Ok(())
}

fn told(manifest: &Manifest) -> String {
    let Manifest { taken_at, kind, schema_version, head, .. } = manifest;
    let head = head.as_deref().unwrap_or("none");
    format!("taken {taken_at}, {kind}, schema {schema_version}, {} rows, audit head {head}", manifest.rows())
}
