//! What a posting of one partner, program and year rests on: which sales it takes, by whose books, and the facts they
//! are judged by. It reads only: [`super::batch`] keeps what comes of it, [`super::simulation`] shows it.

use super::{
    curable::{self, OpenRecord},
    memory,
    model::{Source, Whose},
    sales::{self, Dated},
    state::State,
};
use crate::{
    access::Tx,
    earnings::engine::{Books, Facts, Gap, Origin, Outcome, Sale, Terms},
    ledger::accounting,
    network::partners::Partner,
    participation::{
        eligibility::{self, UnmetDay},
        enrollments::{Change, Enrollment, EnrollmentKeys, earning_windows},
        programs::{Lever, Program, ProgramVersion},
    },
    platform::{
        Result,
        values::{CalendarDate, Id, Period},
    },
    sales::transactions::{self, Counting, SalesOfYear},
};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// One partner's enrollments in one program for one program year, the newest last.
pub(super) struct Part<'a> {
    pub partner: &'a Partner,
    pub program: &'a Program,
    pub versions: &'a [ProgramVersion],
    pub enrolled: &'a [(Enrollment, Vec<Change>)],
    /// Days on which it is taken for enrolled and every rule for met, whatever is on record: a what-if.
    pub supposed: Option<Period>,
}

/// A sale to post: which levers take it, and by whose books.
pub(super) struct Take {
    pub sale: Sale,
    pub bought_on: CalendarDate,
    pub enrollment: Id,
    /// None where all do: it is new.
    pub levers: Option<BTreeSet<String>>,
}

impl<'a> Part<'a> {
    /// The enrollments.
    pub fn ids(&self) -> Vec<Id> {
        self.enrolled.iter().map(|(enrollment, _)| enrollment.id).collect()
    }

    /// The days of the versions; none where there are none.
    pub fn year(&self) -> Option<SalesOfYear> {
        let (first, last) = (self.versions.first()?, self.versions.last()?);
        let days = Period { from: first.effective_from, to: last.effective_to };
        let asks_before = asks_before(self.versions);
        Some(SalesOfYear { partner_id: self.partner.id, enrollments: self.ids(), days, asks_before })
    }

    /// The days of earning, of every enrollment together.
    pub fn windows(&self) -> Vec<Period> {
        let on_record = self.enrolled.iter().flat_map(|(it, history)| earning_windows(it, history));
        on_record.chain(self.supposed).collect()
    }

    /// Whose books take a sale that none has taken yet: the newest enrollment's.
    pub fn home(&self) -> Option<Id> {
        self.enrolled.last().map(|(enrollment, _)| enrollment.id)
    }

    /// The version in effect on a day.
    fn version_on(&self, day: CalendarDate) -> Option<&'a ProgramVersion> {
        self.versions.iter().find(|version| version.period().contains(day))
    }

    /// The rules not met on some of these days.
    fn gaps(&self, tx: &mut Tx<'_>, days: &BTreeSet<CalendarDate>) -> Result<Vec<Gap>> {
        let mut gaps: Vec<Gap> = Vec::new();
        for version in self.versions {
            let judged = |day: &CalendarDate| {
                version.period().contains(*day) && !self.supposed.is_some_and(|days| days.contains(*day))
            };
            let days: Vec<_> = days.iter().copied().filter(judged).collect();
            let unmet = eligibility::unmet_on(tx, self.partner, self.program, version, &days)?;
            for UnmetDay { day, code } in unmet {
                gaps.push(Gap { days: Period { from: day, to: day }, code: code.to_string() });
            }
        }
        Ok(gaps)
    }
}

/// Sales to post, and what is known about them.
pub(super) struct Gathered {
    pub facts: Facts,
    /// In the order they are posted in.
    pub takes: Vec<Take>,
    /// The records that stand for those judged again.
    pub records: Vec<OpenRecord>,
}

/// Whether a lever asks when the customer bought before.
pub(super) fn asks_before(versions: &[ProgramVersion]) -> bool {
    let mut levers = versions.iter().flat_map(|version| &version.levers.0);
    levers.any(|lever| matches!(lever, Lever::Fixed { .. }))
}

/// Gathers what is known about sales that are new, and, where asked for, about those to be judged again: so many of both
/// at most, those judged again first.
pub(super) fn gather(
    tx: &mut Tx<'_>,
    part: &Part<'_>,
    year: &SalesOfYear,
    mut new: Vec<Dated>,
    (again, limit): (bool, usize),
) -> Result<Gathered> {
    let ids = part.ids();
    let enrollments = EnrollmentKeys { partner_id: year.partner_id, ids: &ids };
    let windows = part.windows();
    let mut days: BTreeSet<CalendarDate> = new.iter().map(|(_, on)| *on).collect();
    let mut waiting = if again { curable::days(tx, enrollments)? } else { Vec::new() };
    waiting.retain(|day| windows.iter().any(|window| window.contains(*day)));
    days.extend(&waiting);
    let gaps = if days.is_empty() { Vec::new() } else { part.gaps(tx, &days)? };
    let bad: HashSet<CalendarDate> = gaps.iter().map(|gap| gap.days.from).collect();
    let good: Vec<_> = waiting.into_iter().filter(|day| !bad.contains(day)).collect();
    let rates = accounting::rates(tx, Period { from: year.days.from.plus_months(-24), to: year.days.to })?;
    let mut records = Vec::new();
    if again {
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        records = curable::on_days(tx, enrollments, &good, most)?;
        let left = most.saturating_sub(i64::try_from(records.len()).unwrap_or(i64::MAX));
        records.extend(curable::with_rates(tx, enrollments, part.versions, &rates, left)?);
    }
    new.truncate(limit - records.len());
    let takes = takes(tx, part, year, new, &records)?;
    let facts = Facts { windows, gaps, rates, history: BTreeMap::new() };
    Ok(Gathered { facts, takes, records })
}

/// The sales of each book: of one enrollment and version.
pub(super) fn by_books<'a>(
    part: &Part<'a>,
    takes: Vec<Take>,
) -> impl Iterator<Item = (Whose, &'a ProgramVersion, Vec<Take>)> + use<'a> {
    let mut by_books: BTreeMap<(Id, i32), (&ProgramVersion, Vec<Take>)> = BTreeMap::new();
    for take in takes {
        let Some(version) = part.version_on(take.bought_on) else { continue };
        let (_, of_book) =
            by_books.entry((take.enrollment, version.version)).or_insert((version, Vec::new()));
        of_book.push(take);
    }
    let partner_id = part.partner.id;
    by_books.into_iter().map(move |((enrollment_id, number), (version, takes))| {
        (Whose { enrollment_id, partner_id, version: number }, version, takes)
    })
}

/// Books opened where they stood.
pub(super) struct Opened {
    pub books: Books,
    /// What was loaded of them, and for which customers.
    pub before: State,
    pub customers: Vec<String>,
}

/// Opens the books that some sales belong to, with the purchases in them that those sales take back.
pub(super) fn open(
    tx: &mut Tx<'_>,
    whose: Whose,
    version: &ProgramVersion,
    facts: &Facts,
    asks_before: bool,
    takes: &[Take],
) -> Result<Opened> {
    let mut customers: Vec<String> = takes.iter().map(|take| take.sale.customer.clone()).collect();
    customers.sort_unstable();
    customers.dedup();
    let before = State::load(tx, whose, &customers)?;
    let mut books = before.books()?;
    memory::recall(tx, whose, &Terms::from(version), facts, asks_before, takes, &mut books)?;
    Ok(Opened { books, before, customers })
}

/// Posts sales to books: to each lever those it is to take.
pub(super) fn post(books: &mut Books, terms: &Terms<'_>, facts: &Facts, takes: &[Take]) -> Vec<Outcome> {
    let sales: Vec<Sale> = takes.iter().map(|take| take.sale.clone()).collect();
    books.post_where(terms, facts, &sales, |lever, at| {
        takes.get(at).is_some_and(|take| take.levers.as_ref().is_none_or(|levers| levers.contains(lever)))
    })
}

/// New sales and those judged again, each with the books it belongs to, in the order they are posted in.
fn takes(
    tx: &mut Tx<'_>,
    part: &Part<'_>,
    year: &SalesOfYear,
    new: Vec<Dated>,
    records: &[OpenRecord],
) -> Result<Vec<Take>> {
    let home = part.home().unwrap_or(Id(uuid::Uuid::nil()));
    let mut levers: HashMap<Id, BTreeSet<String>> = HashMap::new();
    for record in records {
        let Some(sale) = record.transaction_id else { continue };
        levers.entry(sale).or_default().insert(record.lever.clone());
    }
    let again: Vec<Id> = levers.keys().copied().collect();
    let again = sales::of_ids(tx, year.partner_id, &again, year.asks_before)?;
    let mut takes: Vec<Take> = new
        .into_iter()
        .map(|dated| (dated, None))
        .chain(again.into_iter().map(|dated| {
            let levers = levers.remove(&dated.0.id);
            (dated, levers)
        }))
        .map(|((sale, bought_on), levers)| Take { sale, bought_on, enrollment: home, levers })
        .collect();
    takes.sort_unstable_by_key(|take| (take.sale.occurred_on, take.sale.refund_of.is_some(), take.sale.id));
    if part.enrolled.len() > 1 {
        let here: HashSet<Id> = takes.iter().map(|take| take.sale.id).collect();
        let elsewhere = takes.iter().filter_map(|take| take.sale.refund_of).filter(|id| !here.contains(id));
        let elsewhere: Vec<Id> = elsewhere.collect();
        let counting = Counting { partner_id: year.partner_id, enrollments: &part.ids() };
        let counted = transactions::counted(tx, counting, &elsewhere)?;
        for take in &mut takes {
            if let Some(purchase) = take.sale.refund_of.and_then(|purchase| counted.get(&purchase)) {
                take.enrollment = purchase.enrollment_id;
            }
        }
    }
    Ok(takes)
}

/// Where an outcome comes from.
pub(super) fn source(origin: &Origin, of: &HashMap<Id, &Take>) -> Source {
    match origin {
        Origin::Sale(id) => {
            let take = of.get(id);
            Source {
                transaction_id: Some(*id),
                purchase_id: Some(take.and_then(|take| take.sale.refund_of).unwrap_or(*id)),
                customer_id: take.map(|take| take.sale.customer.clone()),
                bought_on: take.map(|take| take.bought_on),
                billed_in: take.map(|take| take.sale.amount.currency),
            }
        }
        Origin::CustomerMonth(customer) => {
            Source { customer_id: Some(customer.clone()), ..Source::default() }
        }
        Origin::Month => Source::default(),
    }
}
