//! The partners whose earnings have to be looked at, and from which day on.
//!
//! Sales put their partner here by [`note_sales`] in the unit that records or publishes them, other facts by [`note`].

use crate::{
    access::Tx,
    platform::{
        Result,
        db::upsert_many,
        values::{CalendarDate, Id},
    },
    schema::calculation_backlog as backlog,
};
use diesel::{
    dsl::{case_when, count_star},
    prelude::*,
    upsert::excluded,
};
use std::collections::BTreeMap;

/// Notes that something about these partners has changed that may concern sales of any day.
pub fn note(tx: &mut Tx<'_>, partners: &[Id]) -> Result<()> {
    let any_day: Vec<_> = partners.iter().map(|partner| (*partner, CalendarDate::MIN)).collect();
    note_sales(tx, &any_day)
}

/// Notes that these partners have new sales, and the day of the first one; a refund counts as its purchase does.
pub fn note_sales(tx: &mut Tx<'_>, sellers: &[(Id, CalendarDate)]) -> Result<()> {
    let mut first: BTreeMap<Id, CalendarDate> = BTreeMap::new();
    for (partner, day) in sellers {
        first.entry(*partner).and_modify(|known| *known = *day.min(known)).or_insert(*day);
    }
    let rows: Vec<_> = first
        .into_iter()
        .map(|(partner, day)| (backlog::partner_id.eq(partner), backlog::from_day.eq(day)))
        .collect();
    let earlier = || {
        case_when(excluded(backlog::from_day).lt(backlog::from_day), excluded(backlog::from_day))
            .otherwise(backlog::from_day)
    };
    upsert_many!(tx.conn, backlog::table, &rows, backlog::partner_id, backlog::from_day.eq(earlier()));
    Ok(())
}

/// The next partners after one, in the order of their ids, each with the day from which on.
pub fn next(
    tx: &mut Tx<'_>,
    only: Option<Id>,
    after: Option<Id>,
    limit: i64,
) -> Result<Vec<(Id, CalendarDate)>> {
    let mut query = backlog::table.into_boxed().order(backlog::partner_id).limit(limit);
    if let Some(partner) = only {
        query = query.filter(backlog::partner_id.eq(partner));
    }
    if let Some(after) = after {
        query = query.filter(backlog::partner_id.gt(after));
    }
    Ok(query.load(tx.conn)?)
}

/// How many partners wait, of all or of one.
pub fn length(tx: &mut Tx<'_>, only: Option<Id>) -> Result<i64> {
    let mut query = backlog::table.into_boxed().select(count_star());
    if let Some(partner) = only {
        query = query.filter(backlog::partner_id.eq(partner));
    }
    Ok(query.get_result(tx.conn)?)
}

/// Takes out partners that are about to be looked at; gives those that waited, each with the day from which on, in the
/// order of their ids. Whoever notes something about one of them meanwhile puts it in again.
pub fn take(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<(Id, CalendarDate)>> {
    let these = backlog::table.filter(backlog::partner_id.eq_any(partners.to_vec()));
    let columns = (backlog::partner_id, backlog::from_day);
    let mut taken: Vec<(Id, CalendarDate)> = diesel::delete(these).returning(columns).load(tx.conn)?;
    taken.sort_unstable();
    Ok(taken)
}
