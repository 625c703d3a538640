//! The partners whose earnings have to be looked at, and from which day on.
//!
//! Sales put their partner here by [`note_sales`] in the unit that records or publishes them, exchange rates by
//! [`note_rates`]; other facts by [`note`].

use crate::{
    access::Tx,
    platform::{
        Result,
        db::{native, upsert_many},
        values::{CalendarDate, Id, Month},
    },
    schema::calculation_backlog as backlog,
};
use diesel::{
    dsl::{case_when, count_star},
    prelude::*,
    sql_query,
    sql_types::Date,
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

/// Notes that exchange rates of a month were published: whoever has a sale of that month that waits for one, or a later
/// month that waits for the rate of one it is compared with.
pub fn note_rates(tx: &mut Tx<'_>, month: Month) -> Result<()> {
    const WAITING: &str = "INSERT INTO calculation_backlog (partner_id, from_day) \
        SELECT partner_id, MIN(earned_in) FROM ( \
            SELECT DISTINCT partner_id, earned_in FROM ineligible_records WHERE code = 'exchange_rate_missing' \
                AND cured_at IS NULL AND transaction_id IS NOT NULL AND earned_in = $1 \
            UNION ALL SELECT partner_id, earned_in FROM ineligible_records WHERE code = 'exchange_rate_missing' \
                AND cured_at IS NULL AND transaction_id IS NULL AND earned_in > $1 \
        ) waiting GROUP BY partner_id \
        ON CONFLICT (partner_id) DO UPDATE SET from_day = excluded.from_day \
        WHERE excluded.from_day < calculation_backlog.from_day";
    native!(tx.conn, conn => sql_query(WAITING).bind::<Date, _>(month).execute(conn)?);
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
