//! The rounds of the keys: a new signing key by command or by the calendar, secrets sealed anew.

use crate::{
    access::{AppState, Tx, Unaudited, keys},
    audit,
    identity::second_factors,
    platform::{Result, values::Id},
};

/// Makes a new signing key; it is published at once and signs ten minutes later.
pub fn rotate(app: &AppState) -> Result<Id> {
    app.write_as_system("RotateSigningKey", replace)
}

/// Makes a new signing key where the newest is that many days old; 0 never does. Of instances that look at the same
/// time one rotates: the others find its key.
pub fn rotate_if_due(app: &AppState, days: u16) -> Result<()> {
    if days == 0 {
        return Ok(());
    }
    app.write_as_system("RotateSigningKey", move |tx| {
        if keys::is_due(tx, days)? {
            replace(tx)?;
        } else {
            tx.exempt_from_audit(Unaudited::NothingWritten);
        }
        Ok(())
    })
}

/// Seals every secret that is kept with the first encryption key; how many had another one.
pub fn reseal(app: &AppState) -> Result<usize> {
    app.write_as_system("ResealSecrets", |tx| {
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
    let id = keys::rotate(tx)?;
    audit::Event::on("signing_key", id).record(tx)?;
    Ok(id)
}
