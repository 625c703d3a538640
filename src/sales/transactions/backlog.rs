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
}

impl Waiting {
    fn of_row((partner_id, day): (Id, CalendarDate)) -> Self {
        let since = if day == CalendarDate::MIN { Since::Beginning } else { Since::Day(day) };
        Self { partner_id, since }
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
    Ok(found.into_iter().map(Waiting::of_row).collect())
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
pub fn take(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<Waiting>> {
    let these = backlog::table.filter(backlog::partner_id.eq_any(partners.to_vec()));
    let columns = (backlog::partner_id, backlog::from_day);
    let mut taken: Vec<(Id, CalendarDate)> = diesel::delete(these).returning(columns).load(tx.conn)?;
    taken.sort_unstable();
    Ok(taken.into_iter().map(Waiting::of_row).collect())
}
