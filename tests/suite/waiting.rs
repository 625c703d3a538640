//! What waits for an exchange rate: it costs nothing while it waits, holds up nothing else, and nothing is paid for a
//! growth that is not known yet.

use crate::{
    suite::calculation::{Story, flat, text},
    support::World,
};
use partner_incentives::earnings::calculation;
use serde_json::{Value, json};
use std::{ops::ControlFlow, time::Duration};

/// A growth lever of a tenth, compared with this.
fn growth(baseline: &Value) -> Value {
    json!({"type": "growth", "code": "growth", "name": "Growth", "rate": "0.1", "baseline": baseline})
}

fn last_year() -> Value {
    json!({"type": "same_month_last_year"})
}

fn publish(story: &Story<'_>, month: &str, rates: &[(&str, &str)]) {
    let rates: Vec<_> =
        rates.iter().map(|(base, rate)| json!({"base": base, "quote": "USD", "rate": rate})).collect();
    story.operator.put(&format!("/v1/fx-rates/{month}"), json!({"rates": rates})).send().ok();
}

/// Code, grain and month of what stands and can be mended.
fn waiting(story: &Story<'_>) -> Vec<[String; 3]> {
    let records = story.list("/v1/ineligible-records?cured=false&curable=true");
    records.iter().map(|record| ["code", "grain", "earned_in"].map(|name| text(&record[name]))).collect()
}

/// Month, month of payment and amount of what was earned by growth.
fn grown(story: &Story<'_>) -> Vec<[String; 3]> {
    let earnings = story.list("/v1/earnings?lever=growth");
    let shown = |e: &Value| [text(&e["earned_in"]), text(&e["posted_in"]), text(&e["amount"]["amount"])];
    earnings.iter().map(shown).collect()
}

/// Runs the calculation in units of so many sales; gives how many each took in.
fn in_units_of(story: &Story<'_>, at_once: usize) -> Vec<i64> {
    let mut taken = vec![0];
    let app = &story.world.service.app;
    calculation::calculate_in(app, None, at_once, |run| {
        taken.push(run.sales);
        ControlFlow::Continue(())
    })
    .unwrap();
    taken.windows(2).map(|two| two[1] - two[0]).filter(|sales| *sales > 0).collect()
}

#[test]
fn a_sale_whose_rate_has_come_does_not_wait_behind_those_whose_rate_has_not() {
    let world = World::new();
    let mut capped = flat("capped", "0.10");
    capped["cap"] = json!({"scope": "partner", "amount": {"amount": "50000.00", "currency": "USD"}});
    let story = Story::new(&world, &json!([capped, flat("free", "0.01")]));
    world.on("2018-09-10");
    for n in 1..=7 {
        story.sale(&format!("e{n}"), &format!("2018-07-0{n}"), "100.00 EUR");
    }
    for n in 1..=4 {
        story.sale(&format!("g{n}"), &format!("2018-07-1{n}"), "100.00 GBP");
        story.sale(&format!("j{n}"), &format!("2018-08-1{n}"), "100.00 EUR");
    }
    assert_eq!(in_units_of(&story, 3).iter().sum::<i64>(), 15);
    assert_eq!(waiting(&story).len(), 15);
    publish(&story, "2018-08", &[("EUR", "1.2")]);
    publish(&story, "2018-07", &[("GBP", "1.3")]);
    // Seven more wait before them.
    let taken = in_units_of(&story, 3);
    assert_eq!(taken.iter().sum::<i64>(), 8, "{taken:?}");
    let rest = waiting(&story);
    assert_eq!(rest.len(), 7);
    assert!(rest.iter().all(|[code, _, month]| code == "exchange_rate_missing" && month == "2018-07"));
    // What waits is not taken up again with something new.
    story.sale("new", "2018-09-01", "10.00");
    assert_eq!(in_units_of(&story, 3), [1]);
    // What is new and what is judged again share a unit.
    publish(&story, "2018-07", &[("GBP", "1.3"), ("EUR", "1.1")]);
    for n in 1..=4 {
        story.sale(&format!("n{n}"), "2018-09-02", "10.00");
    }
    let taken = in_units_of(&story, 3);
    assert_eq!(taken.iter().sum::<i64>(), 11, "{taken:?}");
    assert_eq!(waiting(&story).len(), 0);
    assert_eq!(story.list("/v1/earnings?lever=capped").len(), 20);
    story.verify();
}

#[test]
fn whoever_asks_for_a_run_at_work_is_looked_at_even_where_it_has_passed() {
    let world = World::new();
    let mut capped = flat("capped", "0.10");
    capped["cap"] = json!({"scope": "partner", "amount": {"amount": "50000.00", "currency": "USD"}});
    let story = Story::new(&world, &json!([capped]));
    let app = &world.service.app;
    world.on("2018-09-10");
    story.sale("1", "2018-07-01", "100.00 EUR");
    let mut units = 0;
    let done = calculation::calculate_in(app, None, 100, |run| {
        units += 1;
        if units == 1 {
            publish(&story, "2018-07", &[("EUR", "1.2")]);
            let asked = story.operator.post("/v1/calculation-runs", json!({})).send().ok();
            assert_eq!((asked.id(), &asked["asked_again"]), (run.id.to_string(), &json!(true)));
        }
        ControlFlow::Continue(())
    });
    assert_eq!((done.unwrap().asked_again, waiting(&story).len(), story.amounts().len()), (false, 0, 1));
    // The same of the service itself, where another instance is at the run.
    story.sale("2", "2018-08-01", "100.00 EUR");
    std::thread::scope(|scope| {
        let mut follower = None;
        let done = calculation::calculate_in(app, None, 100, |run| {
            if follower.is_none() {
                publish(&story, "2018-08", &[("EUR", "1.2")]);
                follower =
                    Some(scope.spawn(|| calculation::calculate(app, None, |_| ControlFlow::Continue(()))));
                let path = format!("/v1/calculation-runs/{}", run.id);
                while story.operator.get(&path).send().ok()["asked_again"] == false {
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
            ControlFlow::Continue(())
        });
        let joined = follower.unwrap().join().unwrap().unwrap();
        assert_eq!((joined.id, waiting(&story).len()), (done.unwrap().id, 0));
    });
    assert_eq!(story.amounts().len(), 2);
    story.verify();
}

#[test]
fn a_month_earns_no_growth_before_the_rate_of_what_it_is_compared_with_is_published() {
    let world = World::new();
    let story = Story::new(&world, &json!([growth(&last_year())]));
    world.on("2018-11-10");
    story.sale("before", "2017-09-05", "1000.00 EUR");
    story.sale("now", "2018-09-05", "1500.00");
    story.calculate();
    assert_eq!(grown(&story).len(), 0, "nobody knows yet what September has grown by");
    let waits = ["exchange_rate_missing", "month", "2018-09"].map(str::to_owned);
    assert_eq!(waiting(&story), std::slice::from_ref(&waits));
    story.sale("more", "2018-09-06", "500.00");
    story.calculate();
    assert_eq!((grown(&story).len(), waiting(&story)), (0, vec![waits.clone()]), "it is said once");
    publish(&story, "2017-08", &[("EUR", "9")]);
    story.calculate();
    assert_eq!((grown(&story).len(), waiting(&story).len()), (0, 1), "that is another month's");
    publish(&story, "2017-09", &[("EUR", "1.2")]);
    story.calculate();
    assert_eq!(grown(&story), [["2018-09", "2018-09", "80.00"].map(str::to_owned)]);
    assert_eq!(waiting(&story).len(), 0);
    let earned = &story.list("/v1/earnings?lever=growth")[0];
    assert_eq!(earned["base"]["amount"], "2000.00");
    story.verify();
    // A sale that comes late into the baseline and has no rate makes the growth unknown, until the rate comes.
    story.sale("late", "2017-09-06", "100.00 GBP");
    story.sale("again", "2018-09-07", "10.00");
    story.calculate();
    assert_eq!(grown(&story)[1], ["2018-09", "2018-09", "-80.00"].map(str::to_owned));
    assert_eq!(waiting(&story), [waits]);
    publish(&story, "2017-09", &[("EUR", "1.2"), ("GBP", "1.3")]);
    story.calculate();
    assert_eq!(grown(&story)[2], ["2018-09", "2018-09", "68.00"].map(str::to_owned));
    assert_eq!(waiting(&story).len(), 0);
    story.verify();
}

#[test]
fn a_month_is_not_compared_with_months_of_its_year_whose_sales_wait_for_a_rate() {
    let world = World::new();
    let trailing = json!({"type": "trailing_average", "months": 2});
    let story = Story::new(&world, &json!([growth(&trailing)]));
    world.on("2018-11-10");
    story.sale("july", "2018-07-05", "1000.00 EUR");
    story.sale("august", "2018-08-05", "1500.00");
    story.sale("october", "2018-10-05", "2000.00");
    story.calculate();
    // October has August and September before it, and knows both: 2000.00 - 750.00.
    assert_eq!(grown(&story), [["2018-10", "2018-10", "125.00"].map(str::to_owned)]);
    let waits = |grain: &str, month: &str| ["exchange_rate_missing", grain, month].map(str::to_owned);
    assert_eq!(waiting(&story), [waits("transaction", "2018-07"), waits("month", "2018-08")]);
    publish(&story, "2018-07", &[("EUR", "1.2")]);
    story.calculate();
    let more = [["2018-07", "2018-07", "120.00"], ["2018-08", "2018-08", "90.00"]];
    assert_eq!(grown(&story)[1..], more.map(|earned| earned.map(str::to_owned)));
    assert_eq!(waiting(&story).len(), 0);
    story.verify();
}

#[test]
fn a_month_s_growth_is_posted_once_however_many_units_its_sales_take() {
    let world = World::new();
    let trailing = json!({"type": "trailing_average", "months": 1});
    let story = Story::new(&world, &json!([growth(&trailing), flat("free", "0.01")]));
    world.on("2018-11-10");
    for n in 1..=5 {
        story.sale(&format!("j{n}"), &format!("2018-07-0{n}"), "100.00 EUR");
        story.sale(&format!("a{n}"), &format!("2018-08-0{n}"), "200.00");
    }
    let taken = in_units_of(&story, 2);
    assert_eq!(taken, [5, 5], "a unit takes whole months");
    assert_eq!((grown(&story).len(), waiting(&story).len()), (0, 6));
    publish(&story, "2018-07", &[("EUR", "1.2")]);
    in_units_of(&story, 2);
    let posted = [["2018-07", "2018-07", "60.00"], ["2018-08", "2018-08", "40.00"]];
    assert_eq!(grown(&story), posted.map(|earned| earned.map(str::to_owned)));
    assert_eq!(waiting(&story).len(), 0);
    let bases: Vec<_> =
        story.list("/v1/earnings?lever=growth").iter().map(|e| text(&e["base"]["amount"])).collect();
    assert_eq!(bases, ["600.00", "1000.00"]);
    story.verify();
}

#[test]
fn what_comes_late_into_a_baseline_is_settled_in_the_first_open_month() {
    let world = World::new();
    let story = Story::new(&world, &json!([growth(&last_year())]));
    world.on("2018-11-10");
    let before = story.sale("before", "2017-09-05", "1000.00");
    story.sale("now", "2018-09-05", "1500.00");
    story.calculate();
    assert_eq!(grown(&story), [["2018-09", "2018-09", "50.00"].map(str::to_owned)]);
    story.close("2018-09").ok();
    story.sale("late", "2017-09-20", "200.00");
    story.calculate();
    assert_eq!(grown(&story)[1..], [["2018-09", "2018-10", "-20.00"].map(str::to_owned)]);
    story.close("2018-10").ok();
    // What is taken back was not sold last year either, whenever that turns out.
    story.refund("back", &before, "2018-11-02", "-600.00");
    story.calculate();
    assert_eq!(grown(&story)[2..], [["2018-09", "2018-11", "60.00"].map(str::to_owned)]);
    story.verify();
}

#[test]
fn a_baseline_counts_what_the_lever_earns_on_less_what_was_taken_back() {
    let world = World::new();
    let mut lever = growth(&last_year());
    lever["applies_to"] = json!({
        "products": ["SKU-1", "SKU-2"], "product_families": ["azure"],
        "customers": {"countries": ["DE"], "public_sector": false, "partners": false},
    });
    let story = Story::new(&world, &json!([lever]));
    world.on("2018-11-10");
    let own = json!({"customer": {"id": "4000001", "country": "DE"}});
    let others = [
        json!({"product": "SKU-3"}),
        json!({"product_family": "office"}),
        json!({"customer": {"id": "C-1", "country": "FR"}}),
        json!({"customer": {"id": "C-1", "country": "DE", "public_sector": true}}),
        own,
    ];
    for (n, other) in others.iter().enumerate() {
        let id = story.report(&n.to_string(), "2017-09-05", "5000.00", other).ok().id();
        // Whatever a refund says of itself, it takes back from its purchase.
        story.refund(&format!("back-{n}"), &id, "2017-10-02", "-100.00");
    }
    story.sale("first", "2017-09-01", "300.00");
    let last = story.report("last", "2017-09-30", "300.00", &json!({"product": "SKU-2"})).ok().id();
    story.refund("last-back", &last, "2017-10-02", "-100.00");
    story.sale("day before", "2017-08-31", "7000.00");
    story.sale("day after", "2017-10-01", "7000.00");
    story.sale("now", "2018-09-05", "1500.00");
    story.calculate();
    assert_eq!(grown(&story), [["2018-09", "2018-09", "100.00"].map(str::to_owned)]);
    let question = json!({"partner_id": story.partner, "program": "rewards", "month": "2018-09", "sales": [
        {"kind": "purchase", "reference": "p", "occurred_on": "2018-09-20",
            "amount": {"amount": "100.00", "currency": "USD"}, "customer": {"id": "C-9", "country": "DE"},
            "product": "SKU-1", "product_family": "azure"},
    ]});
    let answer = story.operator.post("/v1/earning-simulations", question).send().ok();
    assert_eq!(answer["totals"][0]["difference"]["amount"]["amount"], "10.00");
    story.verify();
}
