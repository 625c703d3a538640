//! One partner's sales of one program and year: posted and stored, inside one unit.

use super::{
    curable::OpenRecord,
    gather::{self, Gathered, Opened, Part, Take},
    growth, memory,
    model::{EarningRow, IneligibleRow, Tally, Whose},
    sales,
    state::State,
    sums::{Sums, Told},
};
use crate::{
    access::Tx,
    earnings::engine::{Facts, Origin, Outcome, Terms},
    ledger::accounting::{Months, RebatePosting},
    participation::programs::ProgramVersion,
    platform::{
        Result,
        db::insert_many,
        values::{CalendarDate, Id, Money, Month},
    },
    schema::{earnings, ineligible_records},
};
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

/// How far a part has come.
pub(super) enum Step {
    /// Nothing is left of it.
    Done(Tally, Vec<RebatePosting>),
    /// There is more, from this day on.
    More(Tally, Vec<RebatePosting>, CalendarDate),
}

/// Posts what is new of a part, up to a number of sales, from a day on; from the first day on before it what is judged
/// again. What months have grown by is posted with the last of them.
pub(super) fn post(
    tx: &mut Tx<'_>,
    part: &Part<'_>,
    months: Months,
    from: Option<CalendarDate>,
    limit: usize,
) -> Result<Step> {
    let Some(year) = part.year() else { return Ok(Step::Done(Tally::default(), Vec::new())) };
    let new = sales::new(tx, &year, from.unwrap_or(CalendarDate::MIN), limit)?;
    let first_look = from.is_none_or(|day| day == CalendarDate::MIN);
    let Gathered { facts, takes, records } = gather::gather(tx, part, &year, new, (first_look, limit))?;
    let again = records.len();
    let last_new = takes.iter().rfind(|take| take.levers.is_none()).map(|take| take.sale.occurred_on);
    let added = takes.iter().filter(|take| take.levers.is_none()).count();
    let mut posting = Posting { months, records, tally: Tally::default(), entries: Vec::new() };
    for (whose, version, takes) in gather::by_books(part, takes) {
        posting.post(tx, whose, version, &facts, year.asks_before, takes)?;
    }
    let sales = posting.tally.sales;
    let more = match last_new {
        // There may be more to mend: it is looked at from the beginning, as long as that mends something.
        _ if again == limit => Some(if sales == 0 { year.days.from } else { CalendarDate::MIN }),
        // Sales of days without a version are taken in by nobody: the next unit goes on behind them.
        Some(day) if again + added == limit => Some(if sales == 0 { day.plus_days(1) } else { day }),
        _ => None,
    };
    if more.is_none() {
        posting.grow(tx, part, &facts)?;
    }
    let Posting { tally, entries, .. } = posting;
    Ok(match more {
        Some(day) => Step::More(tally, entries, day),
        None => Step::Done(tally, entries),
    })
}

/// What comes of one part.
struct Posting {
    months: Months,
    /// The records that stand for what is judged again.
    records: Vec<OpenRecord>,
    tally: Tally,
    entries: Vec<RebatePosting>,
}

impl Posting {
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
        let Opened { mut books, before, customers } =
            gather::open(tx, whose, version, facts, asks_before, &takes)?;
        let outcomes = gather::post(&mut books, &terms, facts, &takes);
        self.store(tx, (whose, &terms), &takes, outcomes)?;
        memory::keep(tx, whose, &terms, &takes, &books)?;
        State::of(whose, &books).replace(tx, &before, whose, &customers)
    }

    /// Posts what months have grown by: of every enrollment, since what they are compared with may have moved.
    fn grow(&mut self, tx: &mut Tx<'_>, part: &Part<'_>, facts: &Facts) -> Result<()> {
        let partner_id = part.partner.id;
        for version in part.versions.iter().filter(|version| growth::grows(version)) {
            for enrollment_id in part.ids() {
                let whose = Whose { enrollment_id, partner_id, version: version.version };
                let before = State::load(tx, whose, &[])?;
                if before == State::default() {
                    continue;
                }
                let mut books = before.books()?;
                self.records = growth::open(tx, whose, &mut books)?;
                let outcomes = growth::post(tx, partner_id, version, facts, &mut books)?;
                self.store(tx, (whose, &Terms::from(version)), &[], outcomes)?;
                State::of(whose, &books).replace(tx, &before, whose, &[])?;
            }
        }
        Ok(())
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
        let is_again = |sale: Id| of.get(&sale).is_some_and(|take| take.levers.is_some());
        let again: HashMap<(&str, Option<Id>, Month), &OpenRecord> = self
            .records
            .iter()
            .filter(|record| record.transaction_id.is_none_or(is_again))
            .map(|record| ((record.lever.as_str(), record.transaction_id, record.earned_in), record))
            .collect();
        let nothing = Money { minor: 0, currency: terms.currency };
        let mut standing: HashSet<Id> = HashSet::new();
        let (mut earned, mut refused, mut sums) = (Vec::new(), Vec::new(), Sums::default());
        for outcome in outcomes {
            match outcome {
                Outcome::Earning(earning) => {
                    let posted_in = self.months.posting_for(earning.earned_in);
                    let source = gather::source(&earning.origin, &of);
                    let row = EarningRow::of(tx.new_id(), whose, earning, source, (posted_in, tx.now));
                    self.entries.push(RebatePosting {
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
                    let sale = match record.origin {
                        Origin::Sale(id) => Some(id),
                        _ => None,
                    };
                    let known = again.get(&(record.lever.as_str(), sale, record.earned_in));
                    let known = known.filter(|_| record.capped.is_none());
                    if let Some(known) = known.filter(|known| known.code == record.reason.code()) {
                        standing.insert(known.id);
                        continue;
                    }
                    let source = gather::source(&record.origin, &of);
                    let row = IneligibleRow::of(tx.new_id(), whose, record, source, tx.now);
                    let billed = row.transaction_id.and_then(|id| of.get(&id)).map(|take| take.sale.amount);
                    let posted_in = self.months.posting_for(row.earned_in);
                    sums.refused(&row, posted_in, billed.unwrap_or(nothing));
                    refused.push(row);
                }
            }
        }
        let cured = again.values().copied().filter(|record| !standing.contains(&record.id));
        let cured: Vec<&OpenRecord> = cured.collect();
        for record in &cured {
            let billed = record.transaction_id.and_then(|id| of.get(&id)).map(|take| take.sale.amount);
            let posted_in = self.months.posting_for(record.earned_in);
            sums.cured(&Told::from(*record), posted_in, billed.unwrap_or(nothing));
        }
        cure(tx, whose.partner_id, &cured)?;
        let new = takes.iter().filter(|take| take.levers.is_none()).count();
        self.tally.sales += number(new + cured.len());
        self.tally.earnings += number(earned.len());
        self.tally.ineligible += number(refused.len());
        insert_many!(tx.conn, earnings::table, &earned);
        insert_many!(tx.conn, ineligible_records::table, &refused);
        sums.keep(tx)
    }
}

/// Closes records of a partner that no longer stand.
fn cure(tx: &mut Tx<'_>, partner: Id, records: &[&OpenRecord]) -> Result<()> {
    for records in records.chunks(1000) {
        let ids: Vec<Id> = records.iter().map(|record| record.id).collect();
        let cured = ineligible_records::table
            .filter(ineligible_records::partner_id.eq(partner))
            .filter(ineligible_records::id.eq_any(ids));
        diesel::update(cured).set(ineligible_records::cured_at.eq(tx.now)).execute(tx.conn)?;
    }
    Ok(())
}

fn number(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
