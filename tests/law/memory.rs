//! The law itself, in memory: thousands of random programmes beside the independent calculator, computed as a whole and again
//! from any month on.

use super::{
    oracle::{Known, Reported, Sums},
    year::{COMPETENCIES, CURRENCIES, CUSTOMERS, Draft, Happens, Year, currency, some_year},
};
use partner_incentives::{
    earnings::engine::{
        self, Attained, EarningFacts, EarningTarget, Purchase, Refund, SoldMonths, YearToDate,
    },
    participation::programs::{Lever, NewVersion, ProgramVersion, founding_version},
    platform::values::{CalendarDate, Currency, ExchangeRate, ExchangeRates, Id, Money, Month, Period},
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};
use std::collections::{BTreeMap, BTreeSet};

fn day(text: &str) -> CalendarDate {
    text.parse().unwrap()
}

fn id(n: usize) -> Id {
    format!("01936f2e-4b00-7000-8000-{n:012}").parse().unwrap()
}

fn versions(year: &Year) -> Vec<ProgramVersion> {
    let made = day("2018-06-01").midnight();
    let version = |(number, (days, levers)): (i32, (Period, &[Lever]))| {
        let terms = NewVersion {
            levers: levers.to_vec(),
            rebate_rate: year.rebate_rate,
            payment_threshold: Money { minor: 1, currency: year.currency },
            ..founding_version(2019)
        };
        terms.drafted(id(0), id(0), number, days, made)
    };
    (1..).zip(year.versions()).map(version).collect()
}

/// What happens in a year, as it is reported.
fn reported(year: &Year) -> Vec<Reported> {
    let mut reported: Vec<Reported> = Vec::new();
    let mut left: BTreeMap<Id, i64> = BTreeMap::new();
    for happens in year.autumn.iter().chain(&year.later) {
        let n = reported.len() + 1;
        match happens {
            Happens::Sold(draft) => {
                let Draft {
                    source,
                    day: place,
                    minor,
                    customer,
                    country,
                    public_sector,
                    product,
                    family,
                    ..
                } = draft;
                left.insert(id(n), *minor);
                reported.push(Reported {
                    id: id(n),
                    refund_of: None,
                    source: (*source).into(),
                    external_id: n.to_string(),
                    on: day("2018-05-01").plus_days(i32::try_from(place % 425).unwrap()),
                    amount: Money { minor: *minor, currency: currency(draft.currency) },
                    customer: (*customer).into(),
                    country: country.parse().unwrap(),
                    public_sector: *public_sector,
                    customer_is_partner: customer == CUSTOMERS.last().unwrap(),
                    product: (*product).into(),
                    family: (*family).into(),
                });
            }
            Happens::Refunded(of, part, ..) => {
                let open: Vec<Id> = left.iter().filter(|(_, left)| **left > 0).map(|(id, _)| *id).collect();
                if open.is_empty() {
                    continue;
                }
                let bought = open[of.index(open.len())];
                let bought = reported.iter().find(|sale| sale.id == bought).unwrap().clone();
                let share = i128::from(bought.amount.minor) * i128::from(*part) / 1_000_000;
                let minor = i64::try_from(share).unwrap().clamp(1, left[&bought.id]);
                *left.get_mut(&bought.id).unwrap() -= minor;
                let amount = Money { minor: -minor, ..bought.amount };
                let (refund_of, external_id) = (Some(bought.id), n.to_string());
                reported.push(Reported { id: id(n), refund_of, external_id, amount, ..bought });
            }
            Happens::Calculated
            | Happens::MonthClosed
            | Happens::RatesPublished(_)
            | Happens::AgreementRenewed
            | Happens::AgreementEnded(_)
            | Happens::Attained(..) => {}
        }
    }
    reported
}

/// The days of the year on which a competency is attained, and those on which a rule is not met.
fn days_of(year: &Year) -> (Vec<Attained>, BTreeSet<CalendarDate>) {
    let of_year = |place: &u32| day("2018-07-01").plus_days(i32::try_from(place % 365).unwrap());
    let (mut attained, mut lost) = (Vec::new(), BTreeSet::new());
    for happens in year.autumn.iter().chain(&year.later) {
        match happens {
            Happens::Attained(which, place) => {
                let competency = COMPETENCIES[which.index(COMPETENCIES.len())].to_owned();
                attained.push(Attained { on: of_year(place), competency });
            }
            Happens::AgreementEnded(place) => lost.extend((0..20).map(|n| of_year(place).plus_days(n))),
            Happens::Sold(_)
            | Happens::Refunded(..)
            | Happens::Calculated
            | Happens::MonthClosed
            | Happens::RatesPublished(_)
            | Happens::AgreementRenewed => {}
        }
    }
    attained.sort_unstable();
    (attained, lost)
}

/// The purchases in the order of their dates and external ids, with their refunds.
fn purchases(reported: &[Reported]) -> Vec<Purchase> {
    let mut bought: Vec<&Reported> = reported.iter().filter(|sale| sale.refund_of.is_none()).collect();
    bought.sort_by_key(|sale| (sale.on, sale.source.as_bytes(), sale.external_id.as_bytes()));
    let refunds = |of: Id| {
        let refunds = reported.iter().filter(move |refund| refund.refund_of == Some(of));
        refunds.map(|refund| Refund { id: refund.id, amount: refund.amount.minor }).collect()
    };
    let purchase = |sale: &Reported| Purchase {
        id: sale.id,
        on: sale.on,
        customer: sale.customer.clone(),
        country: sale.country,
        public_sector: sale.public_sector,
        customer_is_partner: sale.customer_is_partner,
        product: sale.product.clone(),
        product_family: sale.family.clone(),
        currency: sale.amount.currency,
        amount: sale.amount.minor,
        refunds: refunds(sale.id),
    };
    bought.into_iter().map(purchase).collect()
}

/// Computes the months of the year from one on; what the months before pass on stands in `to_date`.
fn computed<'a>(
    law: engine::Year<'a>,
    purchases: &[Purchase],
    months: impl Iterator<Item = Month>,
    to_date: &mut YearToDate,
) -> Vec<EarningTarget<'a>> {
    let mut targets = Vec::new();
    for month in months {
        let of_month: Vec<Purchase> =
            purchases.iter().filter(|purchase| Month::of(purchase.on) == month).cloned().collect();
        let before = purchases.iter().filter(|purchase| Month::of(purchase.on) < month);
        let kept = before.filter(|purchase| purchase.net().unwrap() > 0);
        to_date.last_bought = kept.map(|purchase| (purchase.customer.clone(), purchase.on)).collect();
        targets.extend(law.month(month, &of_month, to_date).unwrap());
    }
    targets
}

/// What is known at a time: what was reported until then, and the months whose rates are published.
struct Told<'y> {
    year: &'y Year,
    reported: Vec<Reported>,
    published: Vec<bool>,
}

impl Told<'_> {
    fn rates(&self) -> BTreeMap<(Month, Currency, Currency), ExchangeRate> {
        let mut rates = BTreeMap::new();
        for (n, _) in (0..).zip(&self.published).filter(|(_, published)| **published) {
            let month = Month::of(day("2018-05-01")).plus(n);
            let others = CURRENCIES.map(currency).into_iter().filter(|other| *other != self.year.currency);
            for (other, (there, rate)) in others.zip(&self.year.rates) {
                let (base, quote) =
                    if *there { (self.year.currency, other) } else { (other, self.year.currency) };
                rates.insert((month, base, quote), *rate);
            }
        }
        rates
    }

    fn facts(&self, versions: &[ProgramVersion], purchases: &[Purchase]) -> EarningFacts {
        let mut rates = ExchangeRates::default();
        for ((month, base, quote), rate) in self.rates() {
            rates.publish(month, base, quote, rate);
        }
        let mut sold = SoldMonths::default();
        for purchase in purchases {
            for version in versions {
                for lever in version.levers.0.iter().filter(|lever| purchase.passes(lever.applies_to())) {
                    let (month, net) = (Month::of(purchase.on), purchase.net().unwrap());
                    sold.add(version.version, lever.code(), month, purchase.currency, net).unwrap();
                }
            }
        }
        let (attained, lost) = days_of(self.year);
        let lost = lost.into_iter().map(|day| (day, "mpn_agreement".to_owned())).collect();
        EarningFacts { windows: vec![self.window()], rates, sold, attained, lost }
    }

    fn window(&self) -> Period {
        Period { from: day(self.year.enrolled_on).first_of_month(), to: day("2019-06-30") }
    }
}

/// What the months before one pass on, of a year that was computed further.
fn before(whole: YearToDate, month: Month) -> YearToDate {
    let mut before = whole;
    for lever in before.levers.values_mut() {
        lever.months.retain(|of, _| *of < month);
        lever.used_in.retain(|of, _| *of < month);
        lever.used.clear();
        for (holder, used) in lever.used_in.values().flatten() {
            let sum = lever.used.entry(holder.clone()).or_default();
            *sum = sum.plus(*used);
        }
    }
    before
}

/// The first month that what was told later belongs to. A month's rates and sales count for the growth of later months too,
/// so a month before the year changes the year from its beginning.
fn first_changed(early: &Told<'_>, late: &Told<'_>) -> Month {
    let bought_in = |sale: &Reported| {
        let bought = sale.refund_of.and_then(|of| late.reported.iter().find(|other| other.id == of));
        Month::of(bought.unwrap_or(sale).on)
    };
    let sales = late.reported.iter().skip(early.reported.len()).map(bought_in);
    let published = (0..).zip(late.published.iter().zip(&early.published));
    let rates = published.filter(|(_, (late, early))| late != early);
    let rates = rates.map(|(n, _)| Month::of(day("2018-05-01")).plus(n));
    let first = Month::of(day("2018-07-01"));
    sales.chain(rates).min().unwrap_or(first.plus(12)).clamp(first, first.plus(12))
}

/// A year as a whole is that of the independent calculator; and a year of which some was known early, computed again from
/// the first month that something late belongs to, is the year as a whole.
fn prove(year: &Year, known_early: usize) -> Result<(), TestCaseError> {
    let days = Period { from: day("2018-07-01"), to: day("2019-06-30") };
    let (reported, versions) = (reported(year), versions(year));
    let late = Told { year, published: year.published.clone(), reported };
    let bought = purchases(&late.reported);
    let facts = late.facts(&versions, &bought);
    let law = engine::Year { versions: &versions, facts: &facts };
    let months = || (0..12).map(|n| Month::of(days.from).plus(n));
    let targets = computed(law, &bought, months(), &mut YearToDate::default());
    let mut sums = Sums::new();
    for target in &targets {
        let place = (target.lever.code().to_owned(), target.earned_in, target.currency);
        let sum = sums.entry(place).or_default();
        *sum = (sum.0 + target.amount, sum.1 + target.rebate);
    }
    sums.retain(|_, sum| *sum != (0, 0));
    let known = Known {
        versions: year.versions(),
        rebate_rate: year.rebate_rate,
        currency: year.currency,
        days,
        windows: vec![late.window()],
        lost: days_of(year).1,
        rates: late.rates(),
        reported: late.reported.clone(),
        attained: facts.attained.iter().map(|of| (of.competency.clone(), of.on)).collect(),
    };
    prop_assert_eq!(&sums, &known.sums());

    let early = Told {
        year,
        reported: late.reported[..known_early.min(late.reported.len())].to_vec(),
        published: (0..).zip(&year.published).map(|(n, there)| *there && n % 5 != known_early % 5).collect(),
    };
    let bought_early = purchases(&early.reported);
    let facts_early = early.facts(&versions, &bought_early);
    let law_early = engine::Year { versions: &versions, facts: &facts_early };
    let mut to_date = YearToDate::default();
    let changed = first_changed(&early, &late);
    let mut pieces = computed(law_early, &bought_early, months(), &mut to_date);
    pieces.retain(|target| target.earned_in < changed);
    let mut to_date = before(to_date, changed);
    pieces.extend(computed(law, &bought, months().filter(|month| *month >= changed), &mut to_date));
    prop_assert_eq!(targets, pieces, "{} known early, changed from {} on", known_early, changed);
    Ok(())
}

#[test]
fn thousands_of_years_are_those_of_the_independent_calculator() {
    let config = Config::default();
    let config = Config {
        cases: if std::env::var_os("PROPTEST_CASES").is_some() { config.cases } else { 10_000 },
        failure_persistence: None,
        ..config
    };
    TestRunner::new(config).run(&(some_year(), 0..40_usize), |(year, known)| prove(&year, known)).unwrap();
}
