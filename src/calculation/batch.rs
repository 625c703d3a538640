//! One partner's sales of one program and year: gathered, posted and stored, inside one unit.

use super::{
    memory,
    model::{EarningRow, IneligibleRow, Source, Tally, Whose},
    sales::{self, Dated, OpenRecord, Year},
    state::State,
    sums::{Sums, Told},
};
use crate::{
    access::Tx,
    accounting::{self, Entry, Months},
    earnings::{Books, Facts, Gap, Origin, Outcome, Sale, Terms},
    eligibility,
    enrollments::{Change, Enrollment, earning_windows},
    partners::Partner,
    platform::{
        Result,
        db::insert_many,
        values::{CalendarDate, Id, Money, Period},
    },
    programs::{GrowthBaseline, Lever, Program, ProgramVersion},
    schema::{earnings, ineligible_records},
};
use diesel::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// How many refused sales a unit judges again at most.
const RECORDS_AT_ONCE: i64 = 20_000;

/// One partner's enrollments in one program for one program year, the newest last.
pub(super) struct Part<'a> {
    pub partner: &'a Partner,
    pub program: &'a Program,
    pub versions: &'a [ProgramVersion],
    pub enrolled: &'a [(Enrollment, Vec<Change>)],
}

/// How far a part has come.
pub(super) enum Step {
    /// Nothing is left of it.
    Done(Tally, Vec<Entry>),
    /// There is more, from this day on.
    More(Tally, Vec<Entry>, CalendarDate),
}

/// A sale to post: which levers take it, and by whose books.
pub(super) struct Take {
    pub sale: Sale,
    pub bought_on: CalendarDate,
    pub enrollment: Id,
    /// None where all do: it is new.
    pub levers: Option<BTreeSet<String>>,
}

impl Part<'_> {
    fn ids(&self) -> Vec<Id> {
        self.enrolled.iter().map(|(enrollment, _)| enrollment.id).collect()
    }

    /// The days of the versions; none where there are none.
    fn year(&self) -> Option<Year> {
        let days =
            Period { from: self.versions.first()?.effective_from, to: self.versions.last()?.effective_to };
        let (home, _) = self.enrolled.last()?;
        let mut levers = self.versions.iter().flat_map(|version| &version.levers.0);
        let asks_before = levers.any(|lever| matches!(lever, Lever::Fixed { .. }));
        Some(Year {
            partner_id: self.partner.id,
            program_id: home.program_id,
            named: home.program_year,
            days,
            asks_before,
        })
    }

    /// The days of earning, of every enrollment together.
    fn windows(&self) -> Vec<Period> {
        self.enrolled.iter().flat_map(|(enrollment, history)| earning_windows(enrollment, history)).collect()
    }

    /// The version in effect on a day.
    fn version_on(&self, day: CalendarDate) -> Option<&ProgramVersion> {
        self.versions.iter().find(|version| version.period().contains(day))
    }

    /// The rules not met on some of these days.
    fn gaps(&self, tx: &mut Tx<'_>, days: &BTreeSet<CalendarDate>) -> Result<Vec<Gap>> {
        let mut gaps: Vec<Gap> = Vec::new();
        for version in self.versions {
            let days: Vec<_> = days.iter().copied().filter(|day| version.period().contains(*day)).collect();
            for (day, code) in eligibility::unmet_on(tx, self.partner, self.program, version, &days)? {
                gaps.push(Gap { days: Period { from: day, to: day }, code: code.to_string() });
            }
        }
        Ok(gaps)
    }
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
    let ids = part.ids();
    let windows = part.windows();
    let mut days: BTreeSet<CalendarDate> = new.iter().map(|(_, on)| *on).collect();
    let first_look = from.is_none_or(|day| day == CalendarDate::MIN);
    let mut waiting = if first_look { sales::open_days(tx, &ids)? } else { Vec::new() };
    waiting.retain(|day| windows.iter().any(|window| window.contains(*day)));
    days.extend(&waiting);
    let gaps = if days.is_empty() { Vec::new() } else { part.gaps(tx, &days)? };
    let bad: HashSet<CalendarDate> = gaps.iter().map(|gap| gap.days.from).collect();
    let good: Vec<_> = waiting.into_iter().filter(|day| !bad.contains(day)).collect();
    let records =
        if first_look { sales::open_records(tx, &ids, &good, RECORDS_AT_ONCE)? } else { Vec::new() };
    let taken = i64::try_from(new.len()).unwrap_or(i64::MAX);
    let takes = takes(tx, part, &year, new, &records)?;
    let rates = accounting::rates(tx, (year.days.from.plus_months(-24), year.days.to))?;
    let facts = Facts { windows, gaps, rates, history: BTreeMap::new() };
    let mut by_books: BTreeMap<(Id, i32), Vec<Take>> = BTreeMap::new();
    for take in takes {
        let Some(version) = part.version_on(take.bought_on) else { continue };
        by_books.entry((take.enrollment, version.version)).or_default().push(take);
    }
    let mut posting = Posting { months, records: &records, tally: Tally::default(), entries: Vec::new() };
    for ((enrollment_id, number), takes) in by_books {
        let Some(version) = part.versions.iter().find(|version| version.version == number) else { continue };
        let whose = Whose { enrollment_id, partner_id: part.partner.id, version: number };
        posting.post(tx, whose, version, &facts, year.asks_before, takes)?;
    }
    let Posting { tally, entries, .. } = posting;
    // Where there may be more to mend, it is looked at from the beginning, as long as that mends something.
    let all_seen = i64::try_from(records.len()).unwrap_or(i64::MAX) < RECORDS_AT_ONCE || tally.sales <= taken;
    let more = if all_seen { more } else { Some(CalendarDate::MIN) };
    Ok(match more {
        Some(day) => Step::More(tally, entries, day),
        None => Step::Done(tally, entries),
    })
}

/// New sales and those judged again, each with the books it belongs to, in the order they are posted in.
fn takes(
    tx: &mut Tx<'_>,
    part: &Part<'_>,
    year: &Year,
    new: Vec<Dated>,
    records: &[OpenRecord],
) -> Result<Vec<Take>> {
    let Some((home, _)) = part.enrolled.last() else { return Ok(Vec::new()) };
    let mut levers: HashMap<Id, BTreeSet<String>> = HashMap::new();
    for record in records {
        let Some(sale) = record.transaction_id else { continue };
        levers.entry(sale).or_default().insert(record.lever.clone());
    }
    let again: Vec<Id> = levers.keys().copied().collect();
    let again = sales::of_ids(tx, &again, year.asks_before)?;
    let mut takes: Vec<Take> = new
        .into_iter()
        .map(|dated| (dated, None))
        .chain(again.into_iter().map(|dated| {
            let levers = levers.remove(&dated.0.id);
            (dated, levers)
        }))
        .map(|((sale, bought_on), levers)| Take { sale, bought_on, enrollment: home.id, levers })
        .collect();
    takes.sort_unstable_by_key(|take| (take.sale.occurred_on, take.sale.refund_of.is_some(), take.sale.id));
    if part.enrolled.len() > 1 {
        let here: HashSet<Id> = takes.iter().map(|take| take.sale.id).collect();
        let elsewhere = takes.iter().filter_map(|take| take.sale.refund_of).filter(|id| !here.contains(id));
        let elsewhere: Vec<Id> = elsewhere.collect();
        let counted = sales::counted(tx, &part.ids(), &elsewhere)?;
        for take in &mut takes {
            if let Some((enrollment, _)) = take.sale.refund_of.and_then(|purchase| counted.get(&purchase)) {
                take.enrollment = *enrollment;
            }
        }
    }
    Ok(takes)
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
        let facts = with_history(tx, whose, version, facts)?;
        let mut customers: Vec<String> = takes.iter().map(|take| take.sale.customer.clone()).collect();
        customers.sort_unstable();
        customers.dedup();
        let before = State::load(tx, whose, &customers)?;
        let mut books = before.books()?;
        memory::recall(tx, whose, &terms, &facts, asks_before, &takes, &mut books)?;
        let sales: Vec<Sale> = takes.iter().map(|take| take.sale.clone()).collect();
        let is_for = |lever: &str, at: usize| {
            takes.get(at).is_some_and(|take| take.levers.as_ref().is_none_or(|levers| levers.contains(lever)))
        };
        let outcomes = books.post_where(&terms, &facts, &sales, is_for);
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
                    let source = source(&earning.origin, &of);
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
                    let source = source(&record.origin, &of);
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
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
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

fn source(origin: &Origin, of: &HashMap<Id, &Take>) -> Source {
    match origin {
        Origin::Sale(id) => {
            let take = of.get(id);
            Source {
                transaction_id: Some(*id),
                purchase_id: Some(take.and_then(|take| take.sale.refund_of).unwrap_or(*id)),
                customer_id: take.map(|take| take.sale.customer.clone()),
                bought_on: take.map(|take| take.bought_on),
            }
        }
        Origin::CustomerMonth(customer) => {
            Source { customer_id: Some(customer.clone()), ..Source::default() }
        }
        Origin::Month => Source::default(),
    }
}

/// What was sold before the version's days, where a lever compares with it.
fn with_history(tx: &mut Tx<'_>, whose: Whose, version: &ProgramVersion, facts: &Facts) -> Result<Facts> {
    let back = version.levers.0.iter().filter_map(|lever| match lever {
        Lever::Growth { baseline: GrowthBaseline::SameMonthLastYear {}, .. } => Some(12),
        Lever::Growth { baseline: GrowthBaseline::TrailingAverage { months }, .. } => {
            i32::try_from(*months).ok()
        }
        _ => None,
    });
    let Some(back) = back.max() else { return Ok(facts.clone()) };
    let from = version.effective_from;
    let days = Period { from: from.plus_months(-back).first_of_month(), to: from.plus_days(-1) };
    let sold = sales::sold(tx, whose.partner_id, days)?;
    Ok(Facts { history: Books::history(&Terms::from(version), facts, &sold), ..facts.clone() })
}
