//! The set-ups in the database.

use super::{Setup, SetupState};
use crate::{
    access::Tx,
    network::partners::headquarters_of,
    platform::{
        Result,
        db::{Conn, native},
        values::Id,
    },
    schema::partner_setups,
};
use diesel::{dsl::exists, prelude::*, select};

/// Whether the set-up of a partner, or of its headquarters, is completed; runs at every gated request.
pub fn is_completed(conn: &mut Conn, partner: Id) -> Result<bool> {
    let completed: Option<Id> = native!(conn, conn => {
        let above = partner_setups::partner_id.nullable().eq(headquarters_of(partner));
        partner_setups::table
            .filter(partner_setups::state.eq(SetupState::Completed))
            .filter(partner_setups::partner_id.eq(partner).or(above))
            .select(partner_setups::partner_id)
            .first(conn)
            .optional()?
    });
    Ok(completed.is_some())
}

/// Whether a set-up refers to a partner.
pub fn refers_to(conn: &mut Conn, partner: Id) -> Result<bool> {
    Ok(select(exists(partner_setups::table.filter(partner_setups::partner_id.eq(partner))))
        .get_result(conn)?)
}

/// The set-up of a partner; none where the set-up has not started.
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
