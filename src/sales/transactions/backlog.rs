//! The partners whose earnings have to be looked at: from which day on, and why.
//!
//! Sales put their partner here by [`note_sales`] in the unit that records or publishes them, other facts by [`note`]. A partner
//! whose calculation failed is put aside with a code: a run over all partners goes on without it, and whoever mends the cause
//! asks for a run over that partner.

use crate::{
    access::Tx,
    platform::{
        Result,
        db::upsert_many,
        values::{CalendarDate, Id, Timestamp, text_enum},
    },
    schema::calculation_backlog as backlog,
    slice::Measure,
};
use diesel::{
    dsl::{case_when, count_star, min},
    prelude::*,
    upsert::excluded,
};
use std::collections::BTreeMap;

text_enum! {
    /// Why earnings are looked at: what came, or changed.
    pub enum CalculationCause {
        /// A purchase.
        Sale = "sale",
        /// A refund.
        Refund = "refund",
        /// A fact about the partner or its enrollment.
        Fact = "fact",
        /// An exchange rate.
        Rate = "rate",
        /// A program version.
        Version = "version",
        /// Somebody asked for a computation from the beginning.
        Recalculation = "recalculation",
    }
}

/// The first day whose sales have to be looked at; the earlier is the lesser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Since {
    /// Sales of every day.
    Beginning,
    /// Sales of a day and of those after.
    Day(CalendarDate),
}

/// A partner whose earnings have to be looked at. The earlier day, with its cause, is the lesser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Waiting {
    /// The partner.
    pub partner_id: Id,
    /// From which day on.
    pub since: Since,
    /// Why, as of the earliest day.
    pub cause: CalculationCause,
}

/// A partner that was put aside, because its calculation failed.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct PutAside {
    /// The partner.
    pub partner_id: Id,
    /// The stable code of the failure.
    pub failure: String,
    /// When the calculation failed.
    pub failed_at: Timestamp,
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
    fn of_row((partner_id, day, cause): (Id, CalendarDate, CalculationCause)) -> Self {
        let since = if day == CalendarDate::MIN { Since::Beginning } else { Since::Day(day) };
        Self { partner_id, since, cause }
    }
}

/// Notes that a change about these partners may concern sales of any day.
pub fn note(tx: &mut Tx<'_>, partners: &[Id], cause: CalculationCause) -> Result<()> {
    let since = Since::Beginning;
    let waiting: Vec<_> = partners.iter().map(|id| Waiting { partner_id: *id, since, cause }).collect();
    note_sales(tx, &waiting)
}

/// Notes that these partners have new sales, and the day of the first one; a refund counts as its purchase does. A partner
/// that was put aside waits again.
pub fn note_sales(tx: &mut Tx<'_>, sellers: &[Waiting]) -> Result<()> {
    let mut first: BTreeMap<Id, Waiting> = BTreeMap::new();
    for waiting in sellers {
        first.entry(waiting.partner_id).and_modify(|known| *known = *waiting.min(known)).or_insert(*waiting);
    }
    let rows: Vec<_> = first
        .into_values()
        .map(|Waiting { partner_id, since, cause }| {
            (
                backlog::partner_id.eq(partner_id),
                backlog::from_day.eq(since.first_day()),
                backlog::cause.eq(cause),
                backlog::waits_since.eq(tx.now),
            )
        })
        .collect();
    let is_earlier = || excluded(backlog::from_day).lt(backlog::from_day);
    let day = || case_when(is_earlier(), excluded(backlog::from_day)).otherwise(backlog::from_day);
    // A version that changes the state of enrollments is noted after those facts, and lies behind them.
    let says_more = || {
        let same_day = excluded(backlog::from_day).eq(backlog::from_day);
        is_earlier().or(same_day.and(backlog::cause.eq(CalculationCause::Fact)))
    };
    let cause = || case_when(says_more(), excluded(backlog::cause)).otherwise(backlog::cause);
    let waits_anew = || backlog::failure.is_not_null().or(backlog::waits_since.is_null());
    let waits_since =
        || case_when(waits_anew(), excluded(backlog::waits_since)).otherwise(backlog::waits_since);
    let waits_again = || backlog::failure.eq(None::<String>);
    upsert_many!(
        tx.conn,
        backlog::table,
        &rows,
        backlog::partner_id,
        (
            backlog::from_day.eq(day()),
            backlog::cause.eq(cause()),
            backlog::waits_since.eq(waits_since()),
            waits_again(),
            backlog::failed_at.eq(None::<Timestamp>)
        )
    );
    Ok(())
}

/// Which partners of the backlog are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// All that wait and have not been put aside.
    All,
    /// One partner, put aside or not.
    Only(Id),
}

impl Whom {
    /// One partner, where one is named; else all.
    #[must_use]
    pub fn of(partner: Option<Id>) -> Self {
        partner.map_or(Self::All, Self::Only)
    }
}

/// Restricts a query to the partners asked for.
macro_rules! asked_for {
    ($query:expr, $whom:expr) => {
        match $whom {
            Whom::All => $query.filter(backlog::failure.is_null()),
            Whom::Only(partner) => $query.filter(backlog::partner_id.eq(partner)),
        }
    };
}

/// The next partners after one, in the order of their ids.
pub fn next(tx: &mut Tx<'_>, whom: Whom, after: Option<Id>, limit: i64) -> Result<Vec<Waiting>> {
    let mut query = asked_for!(backlog::table.into_boxed(), whom).order(backlog::partner_id).limit(limit);
    if let Some(after) = after {
        query = query.filter(backlog::partner_id.gt(after));
    }
    let columns = (backlog::partner_id, backlog::from_day, backlog::cause);
    let found: Vec<(Id, CalendarDate, CalculationCause)> = query.select(columns).load(tx.conn)?;
    Ok(found.into_iter().map(Waiting::of_row).collect())
}

/// How many partners wait, of those asked for.
pub fn length(tx: &mut Tx<'_>, whom: Whom) -> Result<i64> {
    Ok(asked_for!(backlog::table.into_boxed(), whom).select(count_star()).get_result(tx.conn)?)
}

/// Takes out partners that are about to be looked at; gives those that waited, in the order of their ids. Whoever notes a
/// change about one of them meanwhile puts it in again.
pub fn take(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<Waiting>> {
    let these = backlog::table.filter(backlog::partner_id.eq_any(partners.to_vec()));
    let columns = (backlog::partner_id, backlog::from_day, backlog::cause);
    let mut taken: Vec<(Id, CalendarDate, CalculationCause)> =
        diesel::delete(these).returning(columns).load(tx.conn)?;
    taken.sort_unstable();
    Ok(taken.into_iter().map(Waiting::of_row).collect())
}

/// Puts a waiting partner aside: the calculation failed with a code.
pub fn put_aside(tx: &mut Tx<'_>, partner: Id, failure: &str) -> Result<()> {
    diesel::update(backlog::table.find(partner))
        .set((backlog::failure.eq(failure), backlog::failed_at.eq(tx.now)))
        .execute(tx.conn)?;
    Ok(())
}

/// The partners that are put aside, in the order of their ids; `limit` at most.
pub fn set_aside(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<PutAside>> {
    let query =
        backlog::table.filter(backlog::failure.is_not_null()).order(backlog::partner_id).limit(limit).select(
            (backlog::partner_id, backlog::failure.assume_not_null(), backlog::failed_at.assume_not_null()),
        );
    Ok(query.load(tx.conn)?)
}

/// How many partners are put aside.
pub fn count_set_aside(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(backlog::table.filter(backlog::failure.is_not_null()).count().get_result(tx.conn)?)
}

/// The numbers of the backlog for monitors.
pub(super) fn measures(tx: &mut Tx<'_>) -> Result<Vec<Measure>> {
    let waiting = backlog::table.filter(backlog::failure.is_null());
    let (length, oldest): (i64, Option<Timestamp>) =
        waiting.select((count_star(), min(backlog::waits_since))).get_result(tx.conn)?;
    let aside = count_set_aside(tx)?;
    Ok(vec![
        Measure::of("calculation_backlog_partners", "Partners that wait for the calculation", length),
        Measure::of(
            "calculation_backlog_oldest_age_seconds",
            "Seconds that the partner that has waited longest waits; 0 where none waits",
            oldest.map_or(0, |since| tx.now.seconds_since(since)),
        ),
        Measure::of("calculation_partners_put_aside", "Partners whose calculation failed", aside),
    ])
}
