//! The set-ups in the database.

use super::{
    Setup, SetupState,
    lists_api::{ListedSetupView, SetupFilter},
};
use crate::{
    access::Tx,
    network::partners::{headquarters_of, in_scope, page_of_ids, without_record},
    platform::{
        Result,
        db::{Conn, MultiBackend, native},
        http::{PageRequest, keyset},
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

/// One page of set-ups of the partners that the unit may see. A partner without a record has not started.
pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<SetupFilter>) -> Result<Vec<ListedSetupView>> {
    if page.filter.state == Some(SetupState::NotStarted) {
        let waiting = without_record!(partner_setups::table, partner_setups::partner_id);
        let waiting: Vec<Id> = page_of_ids!(waiting, page).load(tx.conn)?;
        return Ok(waiting.into_iter().map(ListedSetupView::not_started).collect());
    }
    let query = keyset!(started(tx, &page.filter), page, partner_setups, newest by partner_id);
    let found: Vec<Setup> = query.select(Setup::as_select()).load(tx.conn)?;
    Ok(found.into_iter().map(ListedSetupView::from).collect())
}

/// How many set-ups match.
pub(super) fn count(tx: &mut Tx<'_>, filter: &SetupFilter) -> Result<i64> {
    Ok(if filter.state == Some(SetupState::NotStarted) {
        let waiting = without_record!(partner_setups::table, partner_setups::partner_id);
        waiting.count().get_result(tx.conn)?
    } else {
        started(tx, filter).count().get_result(tx.conn)?
    })
}

fn started(tx: &Tx<'_>, filter: &SetupFilter) -> partner_setups::BoxedQuery<'static, MultiBackend> {
    let query = in_scope!(partner_setups::table.into_boxed(), partner_setups::partner_id, tx.scope());
    match filter.state {
        Some(state) => query.filter(partner_setups::state.eq(state)),
        None => query,
    }
}
