//! One partner's sales of one program and year: posted and stored, inside one unit.

use super::{
    gather::{self, Gathered, Opened, Part, Take},
    memory,
    model::{EarningRow, IneligibleRow, Tally, Whose},
    sales::{self, OpenRecord},
    state::State,
};
use crate::{
    access::Tx,
    accounting::{Entry, Months},
    earnings::{Facts, Origin, Outcome, Terms},
    platform::{
        Result,
        db::insert_many,
        values::{CalendarDate, Id},
    },
    programs::ProgramVersion,
    schema::{earnings, ineligible_records},
};
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

/// How far a part has come.
pub(super) enum Step {
    /// Nothing is left of it.
    Done(Tally, Vec<Entry>),
    /// There is more, from this day on.
    More(Tally, Vec<Entry>, CalendarDate),
}

/// Posts what is new of a part, up to a number of sales, from a day on; the first time also what is judged again.
pub(super) fn post(
    tx: &mut Tx<'_>,
    part: &Part<'_>,
    months: Months,
    from: Option<CalendarDate>,
    limit: usize,
) -> Result<Step> {
    let Some(year) = part.year() else { return Ok(Step::Done(Tally::default(), Vec::new())) };
    let new = sales::new(tx, &year, from.unwrap_or(CalendarDate::MIN), limit)?;
    let more =
        (new.len() == limit).then(|| new.last().map_or(CalendarDate::MIN, |(sale, _)| sale.occurred_on));
    let Gathered { facts, takes, records } = gather::gather(tx, part, &year, new, from.is_none())?;
    let mut posting = Posting { months, records: &records, tally: Tally::default(), entries: Vec::new() };
    for (whose, version, takes) in gather::by_books(part, takes) {
        posting.post(tx, whose, version, &facts, year.asks_before, takes)?;
    }
    let Posting { tally, entries, .. } = posting;
    Ok(match more {
        Some(day) => Step::More(tally, entries, day),
        None => Step::Done(tally, entries),
    })
}

/// What comes of one part.
struct Posting<'a> {
    months: Months,
    records: &'a [OpenRecord],
    tally: Tally,
    entries: Vec<Entry>,
}

impl Posting<'_> {
    /// Posts sales to the books of one enrollment and version.
    fn post(
        &mut self,
        tx: &mut Tx<'_>,
        whose: Whose,
        version: &ProgramVersion,
        facts: &Facts,
        asks_before: bool,
        takes: Vec<Take>,
    ) -> Result<()> {
        let terms = Terms::from(version);
        let Opened { mut books, before, customers, facts } =
            gather::open(tx, whose, version, facts, asks_before, &takes)?;
        let outcomes = gather::post(&mut books, &terms, &facts, &takes);
        self.store(tx, whose, &takes, outcomes)?;
        memory::keep(tx, whose, &terms, &takes, &books)?;
        State::of(whose, &books).replace(tx, &before, whose, &customers)
    }

    /// Stores earnings and ineligible records, and closes the records that no longer stand.
    fn store(&mut self, tx: &mut Tx<'_>, whose: Whose, takes: &[Take], outcomes: Vec<Outcome>) -> Result<()> {
        let of: HashMap<Id, &Take> = takes.iter().map(|take| (take.sale.id, take)).collect();
        let again: HashMap<(&str, Id), &OpenRecord> = self
            .records
            .iter()
            .filter_map(|record| Some(((record.lever.as_str(), record.transaction_id?), record)))
            .filter(|((_, sale), _)| of.get(sale).is_some_and(|take| take.levers.is_some()))
            .collect();
        let mut standing: HashSet<Id> = HashSet::new();
        let (mut earned, mut refused) = (Vec::new(), Vec::new());
        for outcome in outcomes {
            match outcome {
                Outcome::Earning(earning) => {
                    let posted_in = self.months.posting_for(earning.earned_in);
                    let source = gather::source(&earning.origin, &of);
                    let row = EarningRow::of(tx.new_id(), whose, earning, source, (posted_in, tx.now));
                    self.entries.push(Entry {
                        enrollment_id: whose.enrollment_id,
                        partner_id: whose.partner_id,
                        posted_in,
                        currency: row.currency,
                        earned: row.rebate,
                        adjusted: 0,
                        coop: row.coop,
                    });
                    earned.push(row);
                }
                Outcome::Ineligible(record) => {
                    let known = match (&record.origin, record.capped) {
                        (Origin::Sale(id), None) => again.get(&(record.lever.as_str(), *id)),
                        _ => None,
                    };
                    if let Some(known) = known.filter(|known| known.code == record.reason.code()) {
                        standing.insert(known.id);
                        continue;
                    }
                    let source = gather::source(&record.origin, &of);
                    refused.push(IneligibleRow::of(tx.new_id(), whose, record, source, tx.now));
                }
            }
        }
        let cured: Vec<Id> =
            again.values().map(|record| record.id).filter(|id| !standing.contains(id)).collect();
        for cured in cured.chunks(1000) {
            let records = ineligible_records::table.filter(ineligible_records::id.eq_any(cured.to_vec()));
            diesel::update(records).set(ineligible_records::cured_at.eq(tx.now)).execute(tx.conn)?;
        }
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let new = takes.iter().filter(|take| take.levers.is_none()).count();
        self.tally.sales += number(new + cured.len());
        self.tally.earnings += number(earned.len());
        self.tally.ineligible += number(refused.len());
        insert_many!(tx.conn, earnings::table, &earned);
        insert_many!(tx.conn, ineligible_records::table, &refused);
        Ok(())
    }
}
