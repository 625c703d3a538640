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

/// The first day whose sales have to be looked at; the earlier is the lesser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Since {
    /// Sales of every day.
    Beginning,
    /// Sales of a day and of those after.
    Day(CalendarDate),
}

/// A partner whose earnings have to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The partner.
    pub partner_id: Id,
    /// From which day on.
    pub since: Since,
}

impl Since {
    /// The first day; in the table, the first of all days stands for every day.
    #[must_use]
    pub const fn first_day(self) -> CalendarDate {
        match self {
            Self::Beginning => CalendarDate::MIN,
            Self::Day(day) => day,
        }
    }

    fn from_first_day(day: CalendarDate) -> Self {
        if day == CalendarDate::MIN { Self::Beginning } else { Self::Day(day) }
    }
}

/// Notes that something about these partners has changed that may concern sales of any day.
pub fn note(tx: &mut Tx<'_>, partners: &[Id]) -> Result<()> {
    let since = Since::Beginning;
    let waiting: Vec<_> = partners.iter().map(|id| Waiting { partner_id: *id, since }).collect();
    note_sales(tx, &waiting)
}

/// Notes that these partners have new sales, and the day of the first one; a refund counts as its purchase does.
pub fn note_sales(tx: &mut Tx<'_>, sellers: &[Waiting]) -> Result<()> {
    let mut first: BTreeMap<Id, Since> = BTreeMap::new();
    for Waiting { partner_id, since } in sellers {
        first.entry(*partner_id).and_modify(|known| *known = *since.min(known)).or_insert(*since);
    }
    let rows: Vec<_> = first
        .into_iter()
        .map(|(partner, since)| (backlog::partner_id.eq(partner), backlog::from_day.eq(since.first_day())))
        .collect();
    let earlier = || {
        case_when(excluded(backlog::from_day).lt(backlog::from_day), excluded(backlog::from_day))
            .otherwise(backlog::from_day)
    };
    upsert_many!(tx.conn, backlog::table, &rows, backlog::partner_id, backlog::from_day.eq(earlier()));
    Ok(())
}

/// The next partners after one, in the order of their ids, each with the day from which on.
pub fn next(tx: &mut Tx<'_>, only: Option<Id>, after: Option<Id>, limit: i64) -> Result<Vec<Waiting>> {
    let mut query = backlog::table.into_boxed().order(backlog::partner_id).limit(limit);
    if let Some(partner) = only {
        query = query.filter(backlog::partner_id.eq(partner));
    }
    if let Some(after) = after {
        query = query.filter(backlog::partner_id.gt(after));
    }
    let found: Vec<(Id, CalendarDate)> = query.load(tx.conn)?;
    let waiting = |(partner_id, day)| Waiting { partner_id, since: Since::from_first_day(day) };
    Ok(found.into_iter().map(waiting).collect())
}

/// How many partners wait, of all or of one.
pub fn length(tx: &mut Tx<'_>, only: Option<Id>) -> Result<i64> {
    let mut query = backlog::table.into_boxed().select(count_star());
    if let Some(partner) = only {
        query = query.filter(backlog::partner_id.eq(partner));
    }
    Ok(query.get_result(tx.conn)?)
}

/// Takes out partners that have been looked at.
pub fn done(tx: &mut Tx<'_>, partners: &[Id]) -> Result<()> {
    let looked_at = backlog::table.filter(backlog::partner_id.eq_any(partners.to_vec()));
    diesel::delete(looked_at).execute(tx.conn)?;
    Ok(())
}
