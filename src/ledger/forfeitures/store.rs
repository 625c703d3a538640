//! The forfeitures in the database.

use super::model::{Forfeiture, ForfeitureState};
use crate::{
    access::Tx,
    platform::{Result, db::insert_many, values::Id},
    schema::forfeitures,
};
use diesel::prelude::*;

/// The forfeitures of these partners that are announced, by the day of the loss.
pub fn announced(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<Forfeiture>> {
    let query = forfeitures::table
        .filter(forfeitures::partner_id.eq_any(partners.to_vec()))
        .filter(forfeitures::state.eq(ForfeitureState::Announced))
        .order((forfeitures::forfeits_on, forfeitures::id));
    Ok(query.select(Forfeiture::as_select()).load(tx.conn)?)
}

pub(super) fn insert(tx: &mut Tx<'_>, forfeitures: &[Forfeiture]) -> Result<()> {
    insert_many!(tx.conn, forfeitures::table, forfeitures);
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, forfeiture: &Forfeiture) -> Result<()> {
    let key = (forfeiture.partner_id, forfeiture.id);
    diesel::update(forfeitures::table.find(key)).set(forfeiture).execute(tx.conn)?;
    Ok(())
}
