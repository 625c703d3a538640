//! The rounds of the keys: a new signing key by command or by the calendar, secrets sealed anew.

use crate::{
    access::{AppState, Guard, Tx, Unaudited, keys},
    audit,
    identity::second_factors,
    platform::{Result, values::Id},
    work::{End, JobName, Schedule, Turn, Work},
};

/// Makes a new signing key; it is published at once and signs ten minutes later.
pub fn rotate(app: &AppState) -> Result<Id> {
    app.write_as_system("RotateSigningKey", replace)
}

/// A new signing key where the newest is old enough by the settings.
pub const WORK: Work = Work {
    name: JobName::SigningKeyRotation,
    schedule: |schedules| match schedules.key_rotation_days {
        0 => Schedule::Never,
        _ => Schedule::Every(600),
    },
    queue: None,
    run: rotate_if_due,
};

fn rotate_if_due(turn: &Turn) -> Result<End> {
    let lease = turn.lease();
    turn.app().write_as_system("RotateSigningKey", move |tx| {
        lease.check(tx)?;
        tx.take(Guard::SigningKeys)?;
        if keys::is_due(tx, tx.schedules().key_rotation_days)? {
            replace(tx)?;
        } else {
            tx.exempt_from_audit(Unaudited::NothingWritten);
        }
        Ok(End::Done)
    })
}

/// Seals every secret that is kept with the first encryption key; how many had another one.
pub fn reseal(app: &AppState) -> Result<usize> {
    app.write_as_system("ResealSecrets", |tx| {
        tx.take(Guard::SigningKeys)?;
        let (signing_keys, users) = (keys::reseal(tx)?, second_factors::reseal(tx)?);
        for id in &signing_keys {
            audit::Event::on("signing_key", *id).record(tx)?;
        }
        for id in &users {
            audit::Event::on("user", *id).record(tx)?;
        }
        if signing_keys.is_empty() && users.is_empty() {
            tx.exempt_from_audit(Unaudited::NothingWritten);
        }
        Ok(signing_keys.len() + users.len())
    })
}

fn replace(tx: &mut Tx<'_>) -> Result<Id> {
    tx.take(Guard::SigningKeys)?;
    let id = keys::rotate(tx)?;
    audit::Event::on("signing_key", id).record(tx)?;
    Ok(id)
}
