//! The books as the pure module keeps them: in memory, never stored, told the same facts.

use partner_incentives::{
    earnings::{
        calculation::{EarningRow, IneligibleRow},
        engine::{Books, Earning, Facts, Gap, Ineligible, Origin, Outcome, Reason, Sale, Terms},
    },
    ledger::accounting::Months,
    participation::programs::Lever,
    platform::values::{CalendarDate, Currency, Id, Money, Month, Period},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A refusal that stands: by which lever and of which sale.
#[derive(Clone, Debug)]
pub struct Refusal {
    enrollment: Id,
    record: Ineligible,
}

/// What is expected of the service.
pub struct Pure {
    pub books: Books,
    pub taken: BTreeSet<Id>,
    /// Earnings, each with its enrollment and the month it is posted in.
    pub earnings: Vec<(Id, Month, Earning)>,
    pub refusals: Vec<Refusal>,
}

/// What the calculation is told of a run.
pub struct Told<'a> {
    pub terms: Terms<'a>,
    pub year: Period,
    pub facts: Facts,
    pub months: Months,
    pub enrollment: Id,
}

/// A sale that is posted, and by which levers where it is judged again.
struct Take {
    sale: Sale,
    levers: Option<BTreeSet<String>>,
}

impl Pure {
    pub fn new() -> Self {
        Self { books: Books::default(), taken: BTreeSet::new(), earnings: Vec::new(), refusals: Vec::new() }
    }

    /// One run over everything that was reported.
    pub fn calculate(&mut self, told: &Told<'_>, reported: &[Sale]) {
        let of: HashMap<Id, &Sale> = reported.iter().map(|sale| (sale.id, sale)).collect();
        let bought_on = |sale: &Sale| of[&sale.refund_of.unwrap_or(sale.id)].occurred_on;
        let mut again: BTreeMap<Id, BTreeSet<String>> = BTreeMap::new();
        for refusal in &self.refusals {
            let Origin::Sale(id) = refusal.record.origin else { continue };
            let (day, currency) = (bought_on(of[&id]), of[&id].amount.currency);
            let mended = match refusal.record.reason {
                Reason::ExchangeRateMissing => {
                    told.facts.rates.knows(Month::of(day), currency, told.terms.currency)
                }
                _ => may_earn(&told.facts, day),
            };
            if refusal.record.capped.is_none() && refusal.record.reason.is_curable() && mended {
                again.entry(id).or_default().insert(refusal.record.lever.clone());
            }
        }
        let mut takes: Vec<Take> = Vec::new();
        for sale in reported.iter().filter(|sale| told.year.contains(bought_on(sale))) {
            let levers = again.remove(&sale.id);
            if levers.is_some() || !self.taken.contains(&sale.id) {
                takes.push(Take { sale: sale.clone(), levers });
            }
        }
        takes.sort_by_key(|take| (take.sale.occurred_on, take.sale.refund_of.is_some(), take.sale.id));
        self.post(told, &takes);
    }

    fn post(&mut self, told: &Told<'_>, takes: &[Take]) {
        let enrollment = told.enrollment;
        let sales: Vec<Sale> = takes.iter().map(|take| take.sale.clone()).collect();
        let is_for =
            |lever: &str, at: usize| takes[at].levers.as_ref().is_none_or(|levers| levers.contains(lever));
        let mut outcomes = self.books.post_where(&told.terms, &told.facts, &sales, is_for);
        outcomes.extend(self.books.post_growth(&told.terms, &told.facts));
        let again: BTreeSet<(String, Id)> = takes
            .iter()
            .flat_map(|take| {
                let levers = take.levers.iter().flatten();
                levers.map(|lever| (lever.clone(), take.sale.id))
            })
            .collect();
        let is_again = |record: &Ineligible| match record.origin {
            Origin::Sale(id) => record.capped.is_none() && again.contains(&(record.lever.clone(), id)),
            // What a month is compared with is looked up every time.
            _ => record.reason == Reason::ExchangeRateMissing,
        };
        let (cured, standing): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.refusals).into_iter().partition(|refusal| is_again(&refusal.record));
        self.refusals = standing;
        for outcome in outcomes {
            match outcome {
                Outcome::Earning(earning) => {
                    self.earnings.push((enrollment, told.months.posting_for(earning.earned_in), earning));
                }
                Outcome::Ineligible(record) => {
                    // What is refused again for the same reason stands as it was.
                    let same = |old: &&Refusal| is_again(&record) && old.record == record;
                    let refusal = cured.iter().find(same).cloned();
                    self.refusals.push(refusal.unwrap_or(Refusal { enrollment, record }));
                }
            }
        }
        self.taken.extend(takes.iter().map(|take| take.sale.id));
    }

    /// The earnings and refusals, a line each, in an order of their own.
    pub fn lines(&self) -> Vec<String> {
        let earnings = self.earnings.iter().map(|(enrollment, posted_in, earning)| {
            let unrounded = earning.unrounded.text(earning.currency);
            earning_line(*enrollment, *posted_in, earning, &unrounded)
        });
        let refusals = self.refusals.iter().map(|refusal| refusal_line(refusal.enrollment, &refusal.record));
        sorted(earnings.chain(refusals))
    }

    /// Rebate and co-op by enrollment, month and currency.
    pub fn rebates(&self) -> BTreeMap<(Id, Month, Currency), (i64, i64)> {
        let mut sums: BTreeMap<_, (i64, i64)> = BTreeMap::new();
        for (enrollment, posted_in, earning) in &self.earnings {
            let sum = sums.entry((*enrollment, *posted_in, earning.currency)).or_default();
            *sum = (sum.0 + earning.rebate, sum.1 + earning.coop);
        }
        sums
    }

    /// What the levers named have given by month.
    pub fn sums(&self, levers: &BTreeSet<String>) -> BTreeMap<(String, Month, Currency), i64> {
        let mut sums = BTreeMap::new();
        for (_, _, earning) in self.earnings.iter().filter(|(.., e)| levers.contains(&e.lever)) {
            let key = (earning.lever.clone(), earning.earned_in, earning.currency);
            *sums.entry(key).or_default() += earning.amount;
        }
        sums.retain(|_, sum| *sum != 0);
        sums
    }

    /// The first cap that is exceeded.
    pub fn exceeded(&self, levers: &[Lever], customers: &[&str]) -> Option<String> {
        let holders: Vec<Option<&str>> = customers.iter().copied().map(Some).chain([None]).collect();
        levers.iter().find_map(|lever| {
            let mut left = holders.iter().filter_map(|holder| self.books.balance(lever, *holder));
            left.find(|left| left.minor < 0).map(|left| format!("{}: {left}", lever.code()))
        })
    }
}

/// What each lever would have counted before a day, by month and currency: whatever passes its filter, less what was
/// taken back of it at any time.
pub fn history(
    terms: &Terms<'_>,
    sales: &[Sale],
    before: CalendarDate,
) -> BTreeMap<(String, Month), Vec<Money>> {
    let mut sums: BTreeMap<(String, Month), BTreeMap<Currency, i64>> = BTreeMap::new();
    for lever in terms.levers {
        let filter = lever.applies_to();
        let listed =
            |list: &Option<Vec<String>>, value| list.as_ref().is_none_or(|list| list.contains(value));
        for sale in sales {
            let bought = sales.iter().find(|it| it.id == sale.refund_of.unwrap_or(sale.id)).unwrap();
            let countries = &filter.customers.countries;
            let counts = bought.occurred_on < before
                && (filter.customers.partners || !bought.customer_is_partner)
                && (filter.customers.public_sector || !bought.public_sector)
                && countries.as_ref().is_none_or(|list| list.contains(&bought.country))
                && listed(&filter.products, &bought.product)
                && listed(&filter.product_families, &bought.product_family);
            if counts {
                let key = (lever.code().to_owned(), Month::of(bought.occurred_on));
                *sums.entry(key).or_default().entry(sale.amount.currency).or_default() += sale.amount.minor;
            }
        }
    }
    let money = |(currency, minor)| Money { minor, currency };
    let filled = |sums: BTreeMap<Currency, i64>| {
        sums.into_iter().filter(|(_, minor)| *minor != 0).map(money).collect()
    };
    sums.into_iter().map(|(key, sums)| (key, filled(sums))).collect()
}

fn may_earn(facts: &Facts, day: CalendarDate) -> bool {
    facts.windows.iter().any(|window| window.contains(day))
        && !facts.gaps.iter().any(|gap: &Gap| gap.days.contains(day))
}

fn sorted(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = lines.collect();
    lines.sort_unstable();
    lines
}

fn earning_line(enrollment: Id, posted_in: Month, earning: &Earning, unrounded: &str) -> String {
    let Earning { lever, origin, earned_in, currency, base, amount, rebate, coop, figures, .. } = earning;
    format!(
        "{lever} {earned_in} {origin:?} earns {currency} {amount} = {rebate} + {coop}, in {posted_in} for \
         {enrollment}: {base} gives {unrounded}, {figures:?}"
    )
}

fn refusal_line(enrollment: Id, record: &Ineligible) -> String {
    let Ineligible { lever, origin, earned_in, reason, capped } = record;
    format!("{lever} {earned_in} {origin:?} is refused for {enrollment}: {} {capped:?}", reason.code())
}

/// Outcomes posted in the month they are of, in the same words.
pub fn outcome_lines(enrollment: Id, outcomes: &[Outcome]) -> Vec<String> {
    sorted(outcomes.iter().map(|outcome| match outcome {
        Outcome::Earning(earning) => {
            let unrounded = earning.unrounded.text(earning.currency);
            earning_line(enrollment, earning.earned_in, earning, &unrounded)
        }
        Outcome::Ineligible(record) => refusal_line(enrollment, record),
    }))
}

/// What the database holds, in the same words.
pub fn stored(earnings: &[EarningRow], records: &[IneligibleRow]) -> Vec<String> {
    let earnings = earnings
        .iter()
        .map(|row| earning_line(row.enrollment_id, row.posted_in, &row.earning(), &row.unrounded));
    let records = records.iter().filter(|row| row.cured_at.is_none()).map(|row| {
        let origin = match (row.transaction_id, &row.customer_id) {
            (Some(id), _) => Origin::Sale(id),
            (None, Some(customer)) => Origin::CustomerMonth(customer.clone()),
            (None, None) => Origin::Month,
        };
        let record = Ineligible {
            lever: row.lever.clone(),
            origin,
            earned_in: row.earned_in,
            reason: row.reason(),
            capped: row.capped(),
        };
        refusal_line(row.enrollment_id, &record)
    });
    sorted(earnings.chain(records))
}
