//! The law itself, in memory: thousands of random programmes beside the independent calculator, computed as a whole and again
//! from any month on.

use super::{
    oracle::{Known, Reported, Sums},
    year::{CURRENCIES, CUSTOMERS, Draft, Happens, Year, currency, some_year},
};
use partner_incentives::{
    earnings::engine::{self, EarningFacts, EarningTarget, Purchase, Refund, SoldMonths, YearToDate},
    participation::programs::{NewVersion, ProgramVersion, founding_version},
    platform::values::{CalendarDate, ExchangeRates, Id, Money, Month, Period},
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

fn version(year: &Year) -> ProgramVersion {
    let (made, days) =
        (day("2018-06-01").midnight(), Period { from: day("2018-07-01"), to: day("2019-06-30") });
    let terms = NewVersion {
        levers: year.levers.clone(),
        rebate_rate: year.rebate_rate,
        payment_threshold: Money { minor: 1, currency: year.currency },
        ..founding_version(2019)
    };
    terms.drafted(id(0), id(0), 1, days, made)
}

/// What happens in a year, as it is reported.
fn reported(year: &Year) -> Vec<Reported> {
    let mut reported: Vec<Reported> = Vec::new();
    let mut left: BTreeMap<Id, i64> = BTreeMap::new();
    for happens in year.autumn.iter().chain(&year.later) {
        let n = reported.len() + 1;
        match happens {
            Happens::Sold(draft) => {
                let Draft { day: place, minor, customer, country, public_sector, product, family, .. } =
                    draft;
                left.insert(id(n), *minor);
                reported.push(Reported {
                    id: id(n),
                    refund_of: None,
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
            _ => {}
        }
    }
    reported
}

/// The purchases in the order of their dates and external ids, with their refunds.
fn purchases(reported: &[Reported]) -> Vec<Purchase> {
    let mut bought: Vec<&Reported> = reported.iter().filter(|sale| sale.refund_of.is_none()).collect();
    bought.sort_by_key(|sale| (sale.on, sale.external_id.as_bytes()));
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

fn prove(year: &Year, cut: usize) -> Result<(), TestCaseError> {
    let days = Period { from: day("2018-07-01"), to: day("2019-06-30") };
    let (reported, versions) = (reported(year), [version(year)]);
    let (mut rates, mut known_rates) = (ExchangeRates::default(), BTreeMap::new());
    for (n, _) in (0..).zip(&year.published).filter(|(_, published)| **published) {
        let month = Month::of(day("2018-05-01")).plus(n);
        let others = CURRENCIES.map(currency).into_iter().filter(|other| *other != year.currency);
        for (other, (there, rate)) in others.zip(&year.rates) {
            let (base, quote) = if *there { (year.currency, other) } else { (other, year.currency) };
            rates.publish(month, base, quote, *rate);
            known_rates.insert((month, base, quote), *rate);
        }
    }
    let purchases = purchases(&reported);
    let mut sold = SoldMonths::default();
    for purchase in &purchases {
        for lever in year.levers.iter().filter(|lever| purchase.passes(lever.applies_to())) {
            let (month, net) = (Month::of(purchase.on), purchase.net().unwrap());
            sold.add(1, lever.code(), month, purchase.currency, net).unwrap();
        }
    }
    let window = Period { from: day(year.enrolled_on).first_of_month(), to: days.to };
    let facts = EarningFacts { windows: vec![window], rates, sold, ..EarningFacts::default() };
    let law = engine::Year { versions: &versions, facts: &facts };
    let months = || (0..12).map(|n| Month::of(days.from).plus(n));
    let targets = computed(law, &purchases, months(), &mut YearToDate::default());
    let mut sums = Sums::new();
    for target in &targets {
        let place = (target.lever.code().to_owned(), target.earned_in, target.currency);
        let sum = sums.entry(place).or_default();
        *sum = (sum.0 + target.amount, sum.1 + target.rebate);
    }
    sums.retain(|_, sum| *sum != (0, 0));
    let known = Known {
        levers: &year.levers,
        rebate_rate: year.rebate_rate,
        currency: year.currency,
        days,
        windows: vec![window],
        lost: BTreeSet::new(),
        rates: known_rates,
        reported,
    };
    prop_assert_eq!(&sums, &known.sums());
    let mut to_date = YearToDate::default();
    let mut pieces = computed(law, &purchases, months().take(cut), &mut to_date);
    pieces.extend(computed(law, &purchases, months().skip(cut), &mut to_date));
    prop_assert_eq!(targets, pieces, "cut before month {}", cut);
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
    TestRunner::new(config).run(&(some_year(), 0..12_usize), |(year, cut)| prove(&year, cut)).unwrap();
}
