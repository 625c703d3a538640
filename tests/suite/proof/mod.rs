//! Proof of the money: whatever is sold, in whatever order, and however often it is calculated, the books in this
//! database are those of an independent calculator that knows everything at once, to the minor unit.

mod again;
mod crowd;
mod oracle;
mod year;

use self::{
    oracle::{Known, Reported, Sums},
    year::{COMPETENCIES, CURRENCIES, CUSTOMERS, Draft, Happens, Year, currency, some_year},
};
use crate::{suite::calculation::Story, support::World};
use diesel::{QueryDsl, RunQueryDsl};
use partner_incentives::{
    access::{Tx, Unaudited},
    earnings::calculation,
    ledger::accounting::Months,
    network::partners,
    participation::{
        eligibility,
        enrollments::{self, EnrollmentHistory},
        programs,
    },
    platform::{
        Result,
        values::{CalendarDate, Currency, ExchangeRate, Id, Money, Month, Period},
    },
    sales::transactions::{self, Customer, NewTransaction, TransactionKind},
    schema::{earnings, rebates},
};
use proptest::{
    prelude::*,
    test_runner::{Config, FileFailurePersistence, TestCaseError, TestError, TestRunner},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

/// One year told to the service and to the pure module.
struct Telling<'w> {
    story: Story<'w>,
    year: &'w Year,
    partner: Id,
    today: CalendarDate,
    reported: Vec<(Reported, NewTransaction)>,
    /// What was reported and not told to the service yet.
    unsent: usize,
    left: BTreeMap<Id, i64>,
    rates: BTreeMap<(Month, Currency, Currency), ExchangeRate>,
    published: BTreeSet<Month>,
    renewed: bool,
    ended: bool,
    corrected: bool,
    attained: BTreeMap<&'static str, CalendarDate>,
    months: Months,
}

fn day(text: &str) -> CalendarDate {
    text.parse().unwrap()
}

fn money(minor: i64, currency: Currency) -> Value {
    serde_json::to_value(Money { minor, currency }).unwrap()
}

impl<'w> Telling<'w> {
    fn begin(world: &'w World, year: &'w Year) -> Self {
        let version = version(year, 0);
        world.on(year.enrolled_on);
        let story =
            Story::with(world, &version, |partner| paper(world, partner, "A-1", "2018-07-01", "2018-08-31"));
        let partner = story.partner.parse().unwrap();
        let mut telling = Self {
            story,
            year,
            partner,
            today: day("2018-11-01"),
            reported: Vec::new(),
            unsent: 0,
            left: BTreeMap::new(),
            rates: BTreeMap::new(),
            published: BTreeSet::new(),
            renewed: false,
            ended: false,
            corrected: false,
            attained: BTreeMap::new(),
            months: Months { last_closed: None },
        };
        world.on("2018-11-01");
        telling.publish_first();
        telling
    }

    fn tell(&mut self, happens: &Happens) -> std::result::Result<(), TestCaseError> {
        match happens {
            Happens::Sold(draft) => self.sell(draft),
            Happens::Refunded(of, part, days, customer) => {
                let open: Vec<Id> =
                    self.left.iter().filter(|(_, left)| **left > 0).map(|(id, _)| *id).collect();
                if !open.is_empty() {
                    let customer = CUSTOMERS[customer.index(CUSTOMERS.len())];
                    self.refund(open[of.index(open.len())], (*part, *days), customer);
                }
            }
            Happens::Calculated => self.calculate()?,
            Happens::MonthClosed => self.close()?,
            Happens::RatesPublished(month) => self.publish(i32::try_from(month.index(15)).unwrap()),
            Happens::AgreementRenewed => self.renew(),
            Happens::AgreementEnded(place) => self.end(*place),
            Happens::Attained(which, place) => {
                self.attain(COMPETENCIES[which.index(COMPETENCIES.len())], *place);
            }
        }
        Ok(())
    }

    fn sell(&mut self, draft: &Draft) {
        let on = self.some_day(day("2018-05-01"), draft.day);
        let amount = Money { minor: draft.minor, currency: currency(draft.currency) };
        let new = NewTransaction {
            source: draft.source.into(),
            external_id: self.reported.len().to_string(),
            partner_id: self.partner,
            provider_id: None,
            customer: Customer {
                id: draft.customer.into(),
                country: draft.country.parse().unwrap(),
                public_sector: draft.public_sector,
            },
            product: draft.product.into(),
            product_family: draft.family.into(),
            kind: TransactionKind::Purchase,
            original_transaction_id: None,
            original_external_id: None,
            occurred_on: on,
            amount,
            units: None,
        };
        self.report(new, None);
    }

    fn refund(&mut self, of: Id, (part, days): (i64, i32), customer: &str) {
        let (bought, new) = self.reported.iter().find(|(sale, _)| sale.id == of).unwrap().clone();
        let share = i128::from(bought.amount.minor) * i128::from(part) / 1_000_000;
        let minor = i64::try_from(share).unwrap().clamp(1, self.left[&of]);
        let on = bought.on.plus_days(days).min(self.today);
        let new = NewTransaction {
            external_id: self.reported.len().to_string(),
            customer: Customer { id: customer.into(), ..new.customer },
            kind: TransactionKind::Refund,
            original_transaction_id: Some(of),
            occurred_on: on,
            amount: Money { minor: -minor, ..bought.amount },
            ..new
        };
        self.report(new, Some(&bought));
    }

    fn report(&mut self, new: NewTransaction, bought: Option<&Reported>) {
        let id = self.story.world.ids.next(self.story.world.clock.now());
        *self.left.entry(bought.map_or(id, |bought| bought.id)).or_default() += new.amount.minor;
        let sale = Reported {
            id,
            refund_of: bought.map(|bought| bought.id),
            source: new.source.clone(),
            external_id: new.external_id.clone(),
            on: new.occurred_on,
            amount: new.amount,
            customer: bought.map_or(&new.customer.id, |bought| &bought.customer).clone(),
            country: new.customer.country,
            public_sector: new.customer.public_sector,
            customer_is_partner: new.customer.id == *CUSTOMERS.last().unwrap(),
            product: new.product.clone(),
            family: new.product_family.clone(),
        };
        self.reported.push((sale, new));
        self.unsent += 1;
    }

    /// Reports to the service what it does not know yet, in one unit.
    fn send(&mut self) {
        let from = self.reported.len() - std::mem::take(&mut self.unsent);
        let sales: Vec<_> = self.reported[from..].iter().map(|(sale, new)| (sale.id, new.clone())).collect();
        self.record(sales);
    }

    fn record(&self, sales: Vec<(Id, NewTransaction)>) {
        let record = move |tx: &mut Tx<'_>| {
            tx.exempt_from_audit(Unaudited::NotPublished);
            for (id, new) in &sales {
                let recorded = transactions::create(tx, *id, new.clone())?;
                assert_eq!(recorded.id, *id);
            }
            Ok(())
        };
        self.story.world.service.app.write_as_system("CreateTransaction", record).unwrap();
    }

    fn run(&self) {
        calculation::calculate(&self.story.world.service.app, None, |_| ControlFlow::Continue(())).unwrap();
    }

    fn calculate(&mut self) -> std::result::Result<(), TestCaseError> {
        self.send();
        self.run();
        self.compare()
    }

    fn read<T>(&self, read: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> T {
        self.story.world.service.app.read_as_system(read).unwrap()
    }

    fn enrolled(&self) -> Vec<EnrollmentHistory> {
        self.read(|tx| enrollments::with_history(tx, self.partner, 2019))
    }

    /// Everything known; enrollment and rules as the service knows them, since neither is under proof here.
    fn known(&self) -> Known<'w> {
        let enrolled = self.enrolled();
        let windows = enrolled.iter().flat_map(EnrollmentHistory::earning_windows).collect();
        let Year { rebate_rate, currency, .. } = self.year;
        let days_of_year = Period { from: day("2018-07-01"), to: day("2019-06-30") };
        let published = if self.corrected { 2 } else { 1 };
        let versions: Vec<_> = self.year.versions().into_iter().take(published).collect();
        self.read(|tx| {
            let partner = partners::get(tx, self.partner)?;
            let program = programs::find(tx, &"rewards".parse().unwrap())?;
            let sold = self.reported.iter().map(|(sale, _)| sale.on);
            let days: BTreeSet<CalendarDate> = sold.chain(self.attained.values().copied()).collect();
            let mut lost = BTreeSet::new();
            for number in (1..).take(versions.len()) {
                let version = programs::get_version(tx, program.id, number)?;
                let days: Vec<_> =
                    days.iter().copied().filter(|day| version.period().contains(*day)).collect();
                let unmet = eligibility::unmet_on(tx, &partner, &program, &version, &days)?;
                lost.extend(unmet.into_iter().map(|unmet| unmet.day));
            }
            let open = |day: &CalendarDate| versions.iter().any(|(days, _)| days.contains(*day));
            lost.extend(days.into_iter().filter(|day| !open(day)));
            Ok(Known {
                versions,
                rebate_rate: *rebate_rate,
                currency: *currency,
                days: days_of_year,
                windows,
                lost,
                rates: self.rates.clone(),
                attained: self.attained.iter().map(|(code, day)| ((*code).to_owned(), *day)).collect(),
                reported: self.reported.iter().map(|(sale, _)| sale.clone()).collect(),
            })
        })
    }

    fn compare(&self) -> std::result::Result<(), TestCaseError> {
        type Row = (String, Month, Currency, i64, i64);
        let rows: Vec<Row> = self.read(|tx| {
            let columns = (
                earnings::lever,
                earnings::earned_in,
                earnings::currency,
                earnings::amount,
                earnings::rebate,
            );
            Ok(earnings::table.select(columns).load(tx.conn)?)
        });
        let mut posted = Sums::new();
        for (lever, month, currency, amount, rebate) in &rows {
            let sum = posted.entry((lever.clone(), *month, *currency)).or_default();
            *sum = (sum.0 + amount, sum.1 + rebate);
        }
        posted.retain(|_, sum| *sum != (0, 0));
        let known = self.known();
        let right = known.sums();
        prop_assert!(
            posted == right,
            "posted and not right:\n{:#?}\nright and not posted:\n{:#?}\nof {:#?}",
            posted.iter().filter(|(key, sum)| right.get(key) != Some(sum)).collect::<Vec<_>>(),
            right.iter().filter(|(key, sum)| posted.get(key) != Some(sum)).collect::<Vec<_>>(),
            known.reported
        );
        let owed: i64 = self.read(|tx| {
            let parts: Vec<i64> = rebates::table.select(rebates::earned).load(tx.conn)?;
            Ok(parts.into_iter().sum())
        });
        prop_assert_eq!(rows.iter().map(|(.., rebate)| rebate).sum::<i64>(), owed);
        self.story.verify();
        Ok(())
    }

    fn first_posted(&self) -> Option<Month> {
        let months: Vec<Month> =
            self.read(|tx| Ok(earnings::table.select(earnings::posted_in).load(tx.conn)?));
        months.into_iter().min()
    }

    /// Closes the month whose turn it is.
    fn close(&mut self) -> std::result::Result<(), TestCaseError> {
        self.calculate()?;
        let next = self.months.last_closed.map(|closed| closed.plus(1));
        let month = next.or(self.first_posted()).unwrap_or(Month::of(day("2018-07-01")));
        if month.last_day() < self.today {
            self.story.close(&month.to_string()).ok();
            self.months = Months { last_closed: Some(month) };
        }
        Ok(())
    }

    /// Publishes the rates that come in time.
    fn publish_first(&mut self) {
        for (n, published) in (0..).zip(&self.year.published) {
            if *published {
                self.publish(n);
            }
        }
    }

    /// Publishes the rates of a month, counted from May 2018, once, and not before it begins.
    fn publish(&mut self, n: i32) {
        let month = Month::of(day("2018-05-01")).plus(n);
        if month.first_day() > self.today || !self.published.insert(month) {
            return;
        }
        let others = CURRENCIES.map(currency).into_iter().filter(|other| *other != self.year.currency);
        let mut rates = Vec::new();
        for (other, (there, rate)) in others.zip(&self.year.rates) {
            let (base, quote) =
                if *there { (self.year.currency, other) } else { (other, self.year.currency) };
            self.rates.insert((month, base, quote), *rate);
            rates.push(json!({"base": base, "quote": quote, "rate": rate}));
        }
        self.story.operator.put(&format!("/v1/fx-rates/{month}"), json!({"rates": rates})).send().ok();
    }

    /// Registers the renewal of the agreement, late: it leaves some days of October uncovered.
    fn renew(&mut self) {
        if !std::mem::replace(&mut self.renewed, true) {
            paper(self.story.world, &self.story.partner, "A-2", "2018-10-10", "2019-12-31");
        }
    }

    /// Ends the renewed agreement with a day in the past, once.
    fn end(&mut self, place: u32) {
        if !self.renewed || std::mem::replace(&mut self.ended, true) {
            return;
        }
        let papers = self.story.list(&format!("/v1/mpn-agreements?partner_id={}", self.story.partner));
        let renewed = papers.iter().find(|paper| paper["agreement_number"] == "A-2").unwrap();
        let path = format!("/v1/mpn-agreements/{}/termination", renewed["id"].as_str().unwrap());
        let on = self.some_day(day("2018-10-10"), place);
        self.story.operator.post(&path, json!({"terminated_on": on, "reason": "Fraud"})).send().ok();
    }

    /// Registers a competency, once.
    fn attain(&mut self, code: &'static str, place: u32) {
        let on = self.some_day(day("2018-07-01"), place);
        if self.attained.contains_key(code) {
            return;
        }
        self.attained.insert(code, on);
        let body = json!({"level": "silver", "attained_on": on, "expires_on": "2020-12-31"});
        let path = format!("/v1/partners/{}/competencies/{code}", self.story.partner);
        self.story.operator.put(&path, body).send().ok();
    }

    /// A day that is not to come.
    fn some_day(&self, first: CalendarDate, place: u32) -> CalendarDate {
        let span = u32::try_from(first.days_until(self.today)).unwrap() + 1;
        first.plus_days(i32::try_from(place % span).unwrap())
    }

    /// Publishes the corrected version, where there is one.
    fn correct(&mut self) {
        if self.year.corrected.is_some() {
            let path = "/v1/programs/rewards/versions";
            self.story.operator.post(path, version(self.year, 1)).send().ok();
            let publication = format!("{path}/2/publication");
            self.story.operator.post(&publication, json!({})).if_match("*").send().ok();
            self.corrected = true;
        }
    }

    /// The year goes by; the partner may leave in it.
    fn wait(&mut self) {
        let world = self.story.world;
        if !self.year.corrected_late {
            self.correct();
        }
        if self.year.leaves {
            self.renew();
            let path = format!("/v1/enrollments/{}/opt-out", self.story.enrollment);
            self.story.operator.post(&path, json!({"reason": "By telephone"})).send().ok();
        }
        world.on("2019-08-15");
        self.today = day("2019-08-15");
        if self.year.corrected_late {
            self.correct();
        }
        self.publish_first();
    }

    /// What was reported before changes nothing when it is reported again, as far as it may go.
    fn told_again(&self) -> std::result::Result<(), TestCaseError> {
        let before = again::dump(self.story.world);
        let half = self.reported.len() / 2;
        self.record(self.reported[..half].iter().map(|(sale, new)| (sale.id, new.clone())).collect());
        self.run();
        prop_assert!(again::dump(self.story.world) == before, "what was told again has changed something");
        Ok(())
    }
}

/// A version of the year as the service takes it.
fn version(year: &Year, place: usize) -> Value {
    let (days, levers) = year.versions()[place];
    json!({
        "program_year": 2019,
        "effective_from": days.from,
        "effective_to": days.to,
        "requirements": [{"rule": "partner_active"}, {"rule": "mpn_agreement"}],
        "levers": levers,
        "split": {"rebate_rate": year.rebate_rate},
        "payment_threshold": money(20_000, year.currency),
        "coop_threshold": money(1_000_000, year.currency),
    })
}

/// An agreement with 30 days of grace.
fn paper(world: &World, partner: &str, number: &str, from: &str, to: &str) {
    let body = json!({
        "partner_id": partner, "agreement_number": number, "signed_by": "Sam Signer", "signed_on": from,
        "effective_on": from, "expires_on": to, "membership_level": "silver", "grace_days": 30,
    });
    world.operator().post("/v1/mpn-agreements", body).send().ok();
}

fn prove(year: &Year) -> std::result::Result<(), TestCaseError> {
    let world = World::new();
    let mut telling = Telling::begin(&world, year);
    for happens in &year.autumn {
        telling.tell(happens)?;
    }
    telling.calculate()?;
    telling.wait();
    for happens in &year.later {
        telling.tell(happens)?;
    }
    telling.calculate()?;
    telling.told_again()
}

#[test]
fn whatever_is_sold_in_whatever_order_the_books_are_those_of_one_computation_over_everything() {
    let file = "proptest-regressions/suite/proof.txt";
    let config = Config::default();
    let config = Config {
        cases: if std::env::var_os("PROPTEST_CASES").is_some() { config.cases } else { 8 },
        max_shrink_iters: 60,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(file))),
        ..config
    };
    let outcome = TestRunner::new(config).run(&some_year(), |year| prove(&year));
    match outcome {
        Err(TestError::Fail(reason, year)) => panic!("{reason}\n{year:?}"),
        outcome => outcome.unwrap(),
    }
}
