//! The books over time: what is late, what is mended, what is held, and who sees it.

use crate::{
    suite::{
        calculation::{Story, flat, version},
        profiles,
    },
    support::World,
};
use diesel::{Connection, connection::InstrumentationEvent};
use partner_incentives::{
    access::{Tx, Unaudited},
    ledger::accounting::{self, RebatePosting, TransferCause},
    operations::verify,
    platform::values::{Id, Month},
};
use serde_json::json;
use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

fn refused(code: &str) -> (String, String) {
    (code.into(), String::new())
}

#[test]
fn a_sale_before_the_enrollment_earns_once_the_enrollment_covers_it() {
    let world = World::new();
    world.on("2018-08-10");
    let story = Story::new(&world, &json!([flat("core", "0.08")]));
    let early = story.sale("1", "2018-07-31", "100.00");
    story.sale("2", "2018-08-01", "200.00");
    story.calculate();
    assert_eq!(
        (story.amounts(), story.refusals()),
        (vec!["16.00".into()], vec![refused("outside_enrollment")])
    );
    let record = story.list("/v1/ineligible-records")[0].clone();
    assert_eq!((&record["transaction_id"], &record["curable"]), (&json!(early), &json!(true)));
    assert!(record["remedy"].is_string() && record["message"].is_string() && record["cured_at"].is_null());
    // A refund of what does not earn takes nothing back, and says so.
    story.refund("3", &early, "2018-08-10", "-40.00");
    story.calculate();
    assert_eq!(story.refusals(), [refused("outside_enrollment"), refused("outside_enrollment")]);
    story.verify();
}

#[test]
fn a_late_renewal_mends_what_was_refused_and_the_books_keep_both() {
    let world = World::new();
    let mut asks = version(&json!([flat("core", "0.08")]));
    asks["requirements"] = json!([{"rule": "partner_active"}, {"rule": "mpn_agreement"}]);
    let operator = world.operator();
    let paper = |partner: &str, number: &str, from: &str, to: &str| {
        let body = json!({
            "partner_id": partner, "agreement_number": number, "signed_by": "Sam Signer", "signed_on": from,
            "effective_on": from, "expires_on": to, "membership_level": "silver", "grace_days": 0,
        });
        operator.post("/v1/mpn-agreements", body).send().ok();
    };
    let story = Story::with(&world, &asks, |partner| paper(partner, "A-1", "2018-07-01", "2018-09-30"));
    world.on("2018-10-20");
    story.sale("1", "2018-09-30", "100.00");
    let lapsed = story.sale("2", "2018-10-10", "1000.00");
    story.calculate();
    assert_eq!(
        (story.amounts(), story.refusals()),
        (vec!["8.00".into()], vec![refused("mpn_agreement_expired")])
    );
    story.refund("3", &lapsed, "2018-10-20", "-250.00");
    story.calculate();
    // The renewal is registered late, and covers every day.
    paper(&story.partner, "A-2", "2018-10-01", "2019-09-30");
    let run = story.calculate();
    assert_eq!((&run["earnings"], &run["ineligible_records"]), (&json!(2), &json!(0)));
    assert_eq!(story.amounts(), ["8.00", "80.00", "-20.00"]);
    assert!(story.refusals().is_empty());
    let cured = story.list("/v1/ineligible-records?cured=true");
    assert_eq!(cured.len(), 2);
    // What is taken back later is found, although it was refused at first.
    story.refund("4", &lapsed, "2018-10-20", "-750.00");
    story.calculate();
    assert_eq!(story.amounts().last().unwrap(), "-60.00");
    story.verify();
}

#[test]
fn what_is_mended_is_judged_again_in_every_program_however_much_is_new() {
    let world = World::new();
    let mut asks = version(&json!([flat("core", "0.08")]));
    asks["requirements"] = json!([{"rule": "partner_active"}, {"rule": "mpn_agreement"}]);
    let operator = world.operator();
    let paper = |partner: &str, number: &str, from: &str, to: &str| {
        let body = json!({
            "partner_id": partner, "agreement_number": number, "signed_by": "Sam Signer", "signed_on": from,
            "effective_on": from, "expires_on": to, "membership_level": "silver", "grace_days": 0,
        });
        operator.post("/v1/mpn-agreements", body).send().ok();
    };
    let story = Story::with(&world, &asks, |partner| paper(partner, "A-1", "2018-07-01", "2018-09-30"));
    let second = json!({"code": "bonus", "name": "Bonus", "partner_types": ["direct_bill"]});
    operator.post("/v1/programs", second).send().ok();
    operator.post("/v1/programs/bonus/versions", asks.clone()).send().ok();
    operator.post("/v1/programs/bonus/versions/1/publication", json!({})).if_match("*").send().ok();
    let asked = json!({"partner_id": story.partner, "program": "bonus", "reason": "By telephone"});
    operator.post("/v1/enrollments", asked).send().ok();
    world.on("2018-10-20");
    story.sale("lapsed", "2018-10-10", "1000.00");
    story.calculate();
    assert_eq!(story.refusals(), [refused("mpn_agreement_expired"), refused("mpn_agreement_expired")]);
    // More than one unit takes in, so that the second program is left to the next one.
    let mut file = "source,external_id,partner_id,customer_id,customer_country,product,product_family,kind,\
                    occurred_on,amount,currency\n"
        .to_owned();
    for n in 0..4001 {
        writeln!(file, "billing,N{n},{},C-1,DE,SKU-1,azure,purchase,2018-07-05,1.00,USD", story.partner)
            .unwrap();
    }
    operator.ask("POST", "/v1/transaction-imports").bytes("text/csv", file).send().ok();
    paper(&story.partner, "A-2", "2018-10-01", "2019-09-30");
    let run = story.calculate();
    assert_eq!((&run["earnings"], &run["ineligible_records"]), (&json!(8004), &json!(0)));
    assert!(story.refusals().is_empty());
    story.verify();
}

#[test]
fn a_sale_waits_for_its_exchange_rate_and_earns_when_it_is_published() {
    let world = World::new();
    let mut lever = flat("core", "0.10");
    lever["cap"] = json!({"scope": "partner", "amount": {"amount": "4000.00", "currency": "USD"}});
    let story = Story::new(&world, &json!([lever]));
    world.on("2018-11-30");
    story.sale("1", "2018-11-05", "10000000 JPY");
    story.calculate();
    assert_eq!((story.amounts().len(), story.refusals()), (0, vec![refused("exchange_rate_missing")]));
    let rates = json!({"rates": [{"base": "USD", "quote": "JPY", "rate": "113.27"}]});
    story.operator.put("/v1/fx-rates/2018-11", rates).send().ok();
    story.calculate();
    // USD 4,000 are JPY 453,080: the cap cuts the million.
    assert_eq!(story.amounts(), ["453080"]);
    assert_eq!(story.refusals(), [("cap_partially_applied".into(), "546920".into())]);
    story.verify();
}

#[test]
fn a_refund_under_another_customer_s_number_takes_back_from_whoever_bought() {
    let world = World::new();
    let mut lever = flat("core", "0.10");
    lever["grain"] = json!("customer_month");
    lever["cap"] = json!({"scope": "customer", "amount": {"amount": "50.00", "currency": "USD"}});
    let story = Story::new(&world, &json!([lever]));
    world.on("2018-08-20");
    let sale = story.sale("1", "2018-08-01", "600.00");
    story.calculate();
    let other = json!({"kind": "refund", "original_transaction_id": sale, "customer": {"id": "C-2", "country": "DE"}});
    story.report("2", "2018-08-02", "-200.00", &other).ok();
    story.calculate();
    assert_eq!(story.amounts(), ["50.00", "-10.00"]);
    assert_eq!(story.list("/v1/earnings")[1]["customer_id"], "C-1");
    story.verify();
}

#[test]
fn a_month_is_closed_in_its_turn_and_with_nothing_left_to_calculate() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.08")]));
    world.on("2018-09-30");
    story.sale("1", "2018-07-05", "10000.00");
    world.on("2018-10-01");
    story.close("2018-07").refused(409, "calculation_needed");
    story.calculate();
    let refusal = story.close("2018-08").refused(409, "month_not_next");
    assert_eq!(refusal["next"], "2018-07");
    story.close("2018-07").ok();
    story.close("2018-08").ok();
    let months = story.operator.get("/v1/accounting-months").send().ok();
    let states: Vec<_> =
        months["items"].as_array().unwrap().iter().map(|m| (&m["month"], &m["state"])).collect();
    let open = |month| (json!(month), json!("open"));
    let closed = |month| (json!(month), json!("closed"));
    let expected = [open("2018-10"), open("2018-09"), closed("2018-08"), closed("2018-07")];
    assert_eq!(states, expected.iter().map(|(m, s)| (m, s)).collect::<Vec<_>>());
    story.verify();
}

#[test]
fn a_rebate_waits_for_profiles_the_threshold_or_an_operator() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.08")]));
    world.on("2018-08-01");
    story.sale("1", "2018-07-05", "2500.00");
    story.calculate();
    story.close("2018-07").ok();
    let id = story.list("/v1/rebates")[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/rebates/{id}");
    let read = || story.operator.get(&path).send().ok();
    // USD 120.00 of 200.00.
    let wait = read()["state_reason"].clone();
    assert_eq!(
        (&wait["code"], &wait["missing"]["amount"]),
        (&json!("below_payment_threshold"), &json!("80.00"))
    );
    let because = json!({"reason": "Figures are being clarified"});
    let post = |what: &str| story.operator.post(&format!("{path}/{what}"), because.clone()).send();
    post("release").refused(409, "transition_not_allowed");
    let held = post("hold").ok();
    assert_eq!(
        (&held["state"], &held["state_reason"]["code"]),
        (&json!("on_hold"), &json!("held_by_operator"))
    );
    assert_eq!(held["state_reason"]["comment"], "Figures are being clarified");
    assert_eq!(post("release").ok()["state"], "payable");
    // The profile is refused, and mended.
    let profile = format!("/v1/partners/{}/tax-profile", story.partner);
    story
        .operator
        .post(&format!("{profile}/rejection"), json!({"reason": "The form is too old"}))
        .send()
        .ok();
    assert_eq!(read()["state_reason"]["code"], "profile_action_required");
    let tax = profiles::vat("DE987654321");
    world.admin_of(&story.partner).put(&profile, tax).if_match("*").send().ok();
    assert_eq!(read()["state_reason"]["code"], "profile_pending");
    story.operator.post(&format!("{profile}/approval"), json!({})).send().ok();
    assert_eq!(read()["state"], "payable");
    story.verify();
}

#[test]
fn a_month_of_many_rebates_closes_by_as_few_statements_as_one_of_few() {
    const CURRENCIES: &str = "EUR GBP JPY CHF SEK NOK DKK PLN CZK HUF RON BGN TRY ILS ZAR AED SAR INR CNY HKD SGD MYR \
        THB IDR PHP KRW TWD AUD NZD CAD MXN BRL ARS CLP COP PEN UYU";
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.08")]));
    let month = |text: &str| text.parse::<Month>().unwrap();
    let (enrollment_id, partner_id): (Id, Id) =
        (story.enrollment.parse().unwrap(), story.partner.parse().unwrap());
    let owe = |posted_in: Month, currencies: &str| {
        let entries: Vec<RebatePosting> = currencies
            .split_whitespace()
            .map(|currency| RebatePosting {
                currency: currency.parse().unwrap(),
                earned: 40_000,
                adjusted: 0,
                coop: 100,
                converted: 0,
                enrollment_id,
                partner_id,
                posted_in,
            })
            .collect();
        let post = move |tx: &mut Tx<'_>| {
            tx.exempt_from_audit(Unaudited::NotPublished);
            accounting::post_to_rebates(tx, &entries, TransferCause::Calculation, None)
        };
        world.service.app.write_as_system("Test", post).unwrap();
    };
    story.calculate();
    owe(month("2018-07"), "USD");
    owe(month("2018-08"), CURRENCIES);
    world.on("2018-09-10");
    let changes = |closed: &str| {
        let (count, closed) = (Arc::new(AtomicUsize::new(0)), month(closed));
        let counted = Arc::clone(&count);
        let close = move |tx: &mut Tx<'_>| {
            let counted = Arc::clone(&counted);
            tx.conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
                if let InstrumentationEvent::StartQuery { query, .. } = event
                    && query.to_string().starts_with("UPDATE")
                {
                    counted.fetch_add(1, Ordering::SeqCst);
                }
            });
            let done = accounting::close(tx, closed, None);
            tx.conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});
            done
        };
        world.service.app.write_as_system("CloseAccountingMonth", close).unwrap();
        count.load(Ordering::SeqCst)
    };
    assert_eq!((changes("2018-07"), changes("2018-08")), (1, 1));
    let rebates = story.list("/v1/rebates?from=2018-08");
    assert_eq!(rebates.len(), 37);
    for rebate in rebates {
        assert_eq!((&rebate["state"], &rebate["revision"]), (&json!("payable"), &json!(2)));
    }
    // Nothing was sold: what the books say of the ledger and its months is what counts here.
    let findings = world.service.app.read_as_system(verify::sums_of_books).unwrap();
    for name in ["the ledger owes what the rebates say", "what is accrued is of open months"] {
        let finding = findings.iter().find(|finding| finding.name == name).unwrap();
        assert_eq!(finding.difference, None);
    }
}

#[test]
fn a_partner_sees_its_own_earnings_and_nobody_else_s() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.08")]));
    world.on("2018-08-01");
    story.sale("1", "2018-07-05", "2500.00");
    story.sale("2", "2018-06-05", "2500.00");
    story.calculate();
    let other = crate::suite::partners::partner(2, "direct_bill");
    let other = story.operator.post("/v1/partners", other).send().ok().id();
    let stranger = world.admin_of(&other);
    let own = story.list("/v1/earnings")[0]["id"].as_str().unwrap().to_owned();
    for path in ["/v1/earnings", "/v1/rebates", "/v1/ineligible-records"] {
        let seen = stranger.get(path).query("include_total", true).send().ok();
        assert_eq!(seen["total"], 0, "{path}");
        let seen = world.auditor().get(path).query("partner_id", &story.partner).send().ok();
        assert!(!seen["items"].as_array().unwrap().is_empty() || path == "/v1/ineligible-records");
    }
    stranger.get(&format!("/v1/earnings/{own}")).send().refused(404, "not_found");
    stranger.post("/v1/calculation-runs", json!({})).send().refused(403, "forbidden");
    let july = story.list(
        "/v1/earnings?program=rewards&lever=core&earned_in=2018-07&currency=USD&from=2018-07&to=2018-07",
    );
    assert_eq!(july.len(), 1);
    assert!(story.list("/v1/earnings?program=csp-direct-bill").is_empty());
    assert!(story.list("/v1/rebates?state=payable").is_empty());
}

#[test]
fn many_runs_give_what_one_gives() {
    let sales = [
        ("2018-09-03", "61000.00"),
        ("2018-09-20", "45000.50"),
        ("2018-10-02", "12345.67"),
        ("2018-11-11", "99999.99"),
    ];
    let levers = || {
        let tier =
            |from: &str, rate: &str| json!({"from": {"amount": from, "currency": "USD"}, "rate": rate});
        let tiers = json!([tier("0.00", "0.02"), tier("50000.00", "0.04"), tier("150000.00", "0.06")]);
        let scale = |kind: &str| json!({"type": kind, "period": "half_year", "tiers": tiers});
        let baseline = json!({"type": "fixed", "amount": {"amount": "50000.00", "currency": "USD"}});
        json!([
            {"type": "core", "code": "slices", "name": "S", "scale": scale("marginal"), "grain": "transaction"},
            {"type": "core", "code": "months", "name": "M", "scale": scale("marginal"), "grain": "month"},
            {"type": "core", "code": "lifts", "name": "L", "scale": scale("retroactive"), "grain": "month"},
            {"type": "growth", "code": "growth", "name": "G", "rate": "0.10", "baseline": baseline},
        ])
    };
    let rebates = |each: bool| {
        let world = World::new();
        let story = Story::new(&world, &levers());
        world.on("2018-11-30");
        let mut ids = Vec::new();
        for (n, (on, amount)) in sales.iter().enumerate() {
            ids.push(story.sale(&n.to_string(), on, amount));
            if each {
                story.calculate();
            }
        }
        story.refund("r1", &ids[0], "2018-11-12", "-61000.00");
        if each {
            story.calculate();
        }
        story.refund("r2", &ids[1], "2018-11-12", "-5000.25");
        story.calculate();
        let idle = story.calculate();
        assert_eq!((&idle["sales"], &idle["done"]), (&json!(0), &json!(0)));
        story.verify();
        story.rebates()
    };
    let (one, many) = (rebates(false), rebates(true));
    assert!(one.len() >= 3);
    assert_eq!(one, many);
}
