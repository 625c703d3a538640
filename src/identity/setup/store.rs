//! The set-ups in the database.

use super::Setup;
use crate::{
    access::Tx,
    platform::{Result, values::Id},
    schema::partner_setups,
};
use diesel::prelude::*;

/// The set-up of a partner; none where it has not started.
pub(super) fn find(tx: &mut Tx<'_>, partner: Id) -> Result<Option<Setup>> {
    let query = partner_setups::table.find(partner).select(Setup::as_select());
    Ok(query.get_result(tx.conn).optional()?)
}

pub(super) fn insert(tx: &mut Tx<'_>, setup: &Setup) -> Result<()> {
    diesel::insert_into(partner_setups::table).values(setup).execute(tx.conn)?;
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, setup: &Setup) -> Result<()> {
    diesel::update(partner_setups::table.find(setup.partner_id)).set(setup).execute(tx.conn)?;
    Ok(())
}

/// Whether one refers to a partner.
pub(super) fn any_of_partner(tx: &mut Tx<'_>, partner: Id) -> Result<bool> {
    let these = partner_setups::table.filter(partner_setups::partner_id.eq(partner));
    Ok(diesel::select(diesel::dsl::exists(these)).get_result(tx.conn)?)
}
