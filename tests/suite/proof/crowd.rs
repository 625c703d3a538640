//! Thirty people report sales and refunds at once while several runs calculate: at no moment is a cap exceeded or a
//! sum wrong, and in the end the books are those of the independent calculator.

use super::oracle::{Known, Reported, Sums};
use crate::{
    suite::calculation::{Story, flat, verify},
    support::{Client, World},
};
use diesel::{QueryDsl, RunQueryDsl};
use partner_incentives::{
    app::Service,
    earnings::calculation,
    participation::programs::Lever,
    platform::{
        db::Target,
        values::{Currency, Id, Money, Month, Period, Rate},
    },
    schema::earnings,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::atomic::{AtomicBool, Ordering},
    thread::ScopedJoinHandle,
};

const PEOPLE: usize = 30;
/// What each reports: how much of it is taken back, in cents.
const SALES: [(i64, i64); 4] = [(12_345, 0), (50_000, 50_000), (31_999, 12_345), (7, 0)];

fn levers() -> Value {
    let cap =
        |scope: &str, amount: &str| json!({"scope": scope, "amount": {"amount": amount, "currency": "USD"}});
    let mut together = flat("together", "0.10");
    together["cap"] = cap("partner", "900.00");
    let mut each = flat("each", "0.07");
    each["cap"] = cap("customer", "150.00");
    json!([together, each, flat("free", "0.08")])
}

/// Reports until it is done: whoever loses a race is asked to try again.
fn report(operator: &Client, body: &Value) -> Id {
    loop {
        let answer = operator.post("/v1/transactions", body.clone()).send();
        if answer.status != 503 {
            return answer.ok().id().parse().unwrap();
        }
    }
}

/// One of many: some sales, and a refund of each that is to be taken back.
fn person(operator: &Client, partner: &str, n: usize) -> Vec<Reported> {
    let mut sales = Vec::new();
    for (m, (minor, back)) in SALES.into_iter().enumerate() {
        let money = |minor: i64| Money { minor, currency: Currency::USD };
        let sale = |id: Id, refund_of: Option<Id>, minor: i64| Reported {
            id,
            refund_of,
            source: "billing".into(),
            external_id: format!("{n}-{m}"),
            on: format!("2018-{:02}-{:02}", 7 + n % 3, 1 + m).parse().unwrap(),
            amount: money(minor),
            customer: format!("C-{}", n % 3),
            country: "DE".parse().unwrap(),
            public_sector: false,
            customer_is_partner: false,
            product: "SKU-1".into(),
            family: "azure".into(),
        };
        let body = |number: String, kind: &str, minor: i64, of: Option<Id>| {
            json!({
                "source": "billing", "external_id": number, "partner_id": partner,
                "customer": {"id": format!("C-{}", n % 3), "country": "DE"}, "product": "SKU-1",
                "product_family": "azure", "kind": kind, "original_transaction_id": of,
                "occurred_on": format!("2018-{:02}-{:02}", 7 + n % 3, 1 + m), "amount": money(minor),
            })
        };
        let bought = report(operator, &body(format!("{n}-{m}"), "purchase", minor, None));
        sales.push(sale(bought, None, minor));
        if back > 0 {
            let refund = report(operator, &body(format!("{n}-{m}-back"), "refund", -back, Some(bought)));
            sales.push(sale(refund, Some(bought), -back));
        }
    }
    sales
}

#[test]
fn thirty_writers_and_several_runs_never_exceed_a_cap() {
    let world = World::new();
    let story = Story::new(&world, &levers());
    world.on("2018-10-10");
    let done = AtomicBool::new(false);
    // The embedded database has one instance alone; there the runs share it.
    let instances: Vec<Service> = match world.service.db.target() {
        Target::Sqlite(_) => vec![world.service.clone(), world.service.clone()],
        Target::Postgres(_) => {
            vec![world.service.clone(), Service::open(world.service.settings.clone()).unwrap()]
        }
    };
    let calculate = |service: &Service| {
        calculation::calculate(&service.app, None, |_| ControlFlow::Continue(())).map(drop)
    };
    let reported: Vec<Reported> = std::thread::scope(|scope| {
        for service in &instances {
            let done = &done;
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    // Losing a race is no fault: what waits is left to the next run.
                    let _ = calculate(service);
                }
            });
        }
        let (service, done) = (&world.service, &done);
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                verify(service);
            }
        });
        let people: Vec<_> = (0..PEOPLE)
            .map(|n| {
                let (operator, partner) = (world.operator(), &story.partner);
                scope.spawn(move || person(&operator, partner, n))
            })
            .collect();
        let sales: Vec<_> = people.into_iter().map(ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Relaxed);
        sales.into_iter().flat_map(Result::unwrap).collect()
    });
    story.calculate();
    story.verify();
    let runs = story.list("/v1/calculation-runs");
    let at_work = runs.iter().filter(|run| run["earnings"].as_i64().unwrap() > 0).count();
    assert!(at_work > 1, "the runs came too late: {runs:#?}");
    let rows: Vec<(String, Month, Currency, i64, i64)> = world
        .service
        .app
        .read_as_system(|tx| {
            let columns = (
                earnings::lever,
                earnings::earned_in,
                earnings::currency,
                earnings::amount,
                earnings::rebate,
            );
            Ok(earnings::table.select(columns).load(tx.conn)?)
        })
        .unwrap();
    let mut posted = Sums::new();
    for (lever, month, currency, amount, rebate) in rows {
        let sum = posted.entry((lever, month, currency)).or_default();
        *sum = (sum.0 + amount, sum.1 + rebate);
    }
    posted.retain(|_, sum| *sum != (0, 0));
    let levers: Vec<Lever> = serde_json::from_value(levers()).unwrap();
    let year = Period { from: "2018-07-01".parse().unwrap(), to: "2019-06-30".parse().unwrap() };
    let known = Known {
        versions: vec![(year, &levers)],
        rebate_rate: Rate::percent(60),
        currency: Currency::USD,
        days: year,
        windows: vec![year],
        lost: BTreeSet::new(),
        rates: BTreeMap::new(),
        reported,
        attained: Vec::new(),
    };
    assert_eq!(posted, known.sums());
    if let Some(second) =
        instances.get(1).filter(|_| matches!(world.service.db.target(), Target::Postgres(_)))
    {
        second.close();
    }
}
