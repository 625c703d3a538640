//! Key rotation: a new signing key by command or by schedule, and sealing secrets with a new encryption key.

use crate::{
    access::{AppState, Guard, Tx, Unaudited, keys},
    audit,
    platform::{Result, values::Id},
    work::{End, JobName, Schedule, Turn, Work},
};

/// Makes a new signing key, which is published at once and signs ten minutes later.
pub fn rotate(app: &AppState) -> Result<Id> {
    let id = app.write_as_system("RotateSigningKey", replace)?;
    app.refresh_keys()?;
    Ok(id)
}

/// The rotation of the signing key once the newest key is as old as the settings say.
pub const WORK: Work = Work {
    name: JobName::SigningKeyRotation,
    schedule: |schedules| match schedules.key_rotation_days {
        0 => Schedule::Never,
        _ => Schedule::Every(600),
    },
    queue: None,
    run: rotate_in_turn,
};

/// Makes a new signing key if the newest key is as old as the settings say.
pub fn rotate_if_due(app: &AppState) -> Result<()> {
    app.write_as_system("RotateSigningKey", replace_if_due)?;
    app.refresh_keys()
}

fn rotate_in_turn(turn: &Turn) -> Result<End> {
    let lease = turn.lease();
    turn.app().write_as_system("RotateSigningKey", move |tx| {
        lease.check(tx)?;
        replace_if_due(tx)?;
        Ok(End::Done)
    })
}

fn replace_if_due(tx: &mut Tx<'_>) -> Result<()> {
    tx.take(Guard::SigningKeys)?;
    let days = tx.schedules().key_rotation_days;
    if days != 0 && keys::is_due(tx, days)? {
        replace(tx).map(drop)
    } else {
        tx.exempt_from_audit(Unaudited::NothingWritten);
        Ok(())
    }
}

/// Seals every stored secret with the first encryption key; returns the number of secrets that had another key.
pub fn reseal(app: &AppState) -> Result<usize> {
    app.write_as_system("ResealSecrets", |tx| {
        tx.take(Guard::SigningKeys)?;
        let sealed = tx.seal_anew()?;
        for (record, id) in &sealed {
            audit::Event::on(record, *id).record(tx)?;
        }
        if sealed.is_empty() {
            tx.exempt_from_audit(Unaudited::NothingWritten);
        }
        Ok(sealed.len())
    })
}

fn replace(tx: &mut Tx<'_>) -> Result<Id> {
    tx.take(Guard::SigningKeys)?;
    let id = keys::rotate(tx)?;
    audit::Event::on("signing_key", id).record(tx)?;
    Ok(id)
}
