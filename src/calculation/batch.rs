//! One partner's sales of one program and year: posted and stored, inside one unit.

use super::{
    gather::{self, Gathered, Opened, Part, RECORDS_AT_ONCE, Take},
    memory,
    model::{EarningRow, IneligibleRow, Tally, Whose},
    sales::{self, OpenRecord},
    state::State,
    sums::{Sums, Told},
};
use crate::{
    access::Tx,
    accounting::{Entry, Months},
    earnings::{Facts, Origin, Outcome, Terms},
    platform::{
        Result,
        db::insert_many,
        values::{CalendarDate, Id, Money},
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

/// Posts what is new of a part, up to a number of sales, from a day on; from the first day on also what is judged again.
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
    let first_look = from.is_none_or(|day| day == CalendarDate::MIN);
    let added = number(new.len());
    let Gathered { facts, takes, records } = gather::gather(tx, part, &year, new, first_look)?;
    let mut posting = Posting { months, records: &records, tally: Tally::default(), entries: Vec::new() };
    for (whose, version, takes) in gather::by_books(part, takes) {
        posting.post(tx, whose, version, &facts, year.asks_before, takes)?;
    }
    let Posting { tally, entries, .. } = posting;
    // Where there may be more to mend, it is looked at from the beginning, as long as that mends something.
    let all_seen = number(records.len()) < RECORDS_AT_ONCE || tally.sales <= added;
    // Sales of days without a version are taken in by nobody: the next unit goes on behind them.
    let more = more.map(|day| if tally.sales == 0 { day.plus_days(1) } else { day });
    let more = if all_seen { more } else { Some(CalendarDate::MIN) };
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
        self.store(tx, (whose, &terms), &takes, outcomes)?;
        memory::keep(tx, whose, &terms, &takes, &books)?;
        State::of(whose, &books).replace(tx, &before, whose, &customers)
    }

    /// Stores earnings and ineligible records, and closes the records that no longer stand.
    fn store(
        &mut self,
        tx: &mut Tx<'_>,
        (whose, terms): (Whose, &Terms<'_>),
        takes: &[Take],
        outcomes: Vec<Outcome>,
    ) -> Result<()> {
        let of: HashMap<Id, &Take> = takes.iter().map(|take| (take.sale.id, take)).collect();
        let again: HashMap<(&str, Id), &OpenRecord> = self
            .records
            .iter()
            .filter_map(|record| Some(((record.lever.as_str(), record.transaction_id?), record)))
            .filter(|((_, sale), _)| of.get(sale).is_some_and(|take| take.levers.is_some()))
            .collect();
        let mut standing: HashSet<Id> = HashSet::new();
        let (mut earned, mut refused, mut sums) = (Vec::new(), Vec::new(), Sums::default());
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
                    sums.earned(&row);
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
                    let row = IneligibleRow::of(tx.new_id(), whose, record, source, tx.now);
                    let billed = row.transaction_id.and_then(|id| of.get(&id)).map(|take| take.sale.amount);
                    let nothing = Money { minor: 0, currency: terms.currency };
                    let posted_in = self.months.posting_for(row.earned_in);
                    sums.refused(&row, posted_in, billed.unwrap_or(nothing));
                    refused.push(row);
                }
            }
        }
        let cured = again.values().copied().filter(|record| !standing.contains(&record.id));
        let cured: Vec<&OpenRecord> = cured.collect();
        for record in &cured {
            let Some(take) = record.transaction_id.and_then(|id| of.get(&id)) else { continue };
            sums.cured(&Told::from(*record), self.months.posting_for(record.earned_in), take.sale.amount);
        }
        cure(tx, &cured)?;
        let new = takes.iter().filter(|take| take.levers.is_none()).count();
        self.tally.sales += number(new + cured.len());
        self.tally.earnings += number(earned.len());
        self.tally.ineligible += number(refused.len());
        insert_many!(tx.conn, earnings::table, &earned);
        insert_many!(tx.conn, ineligible_records::table, &refused);
        sums.keep(tx)
    }
}

/// Closes records that no longer stand.
fn cure(tx: &mut Tx<'_>, records: &[&OpenRecord]) -> Result<()> {
    for records in records.chunks(1000) {
        let ids: Vec<Id> = records.iter().map(|record| record.id).collect();
        let cured = ineligible_records::table.filter(ineligible_records::id.eq_any(ids));
        diesel::update(cured).set(ineligible_records::cured_at.eq(tx.now)).execute(tx.conn)?;
    }
    Ok(())
}

fn number(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
