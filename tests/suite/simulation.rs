//! What-if: a month with sales that have not been made, or by a draft.

use crate::{
    suite::{
        calculation::{Story, flat, text, version},
        partners::partner,
        schema,
    },
    support::{Answer, Client, World},
};
use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::BigInt};
use partner_incentives::{access::Role, platform::db::Conn};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SIMULATIONS: &str = "/v1/earning-simulations";

fn usd(amount: &str) -> Value {
    json!({"amount": amount, "currency": "USD"})
}

/// A purchase to suppose or to report.
fn purchase(reference: &str, on: &str, amount: &str, customer: &str) -> Value {
    let (amount, currency) = amount.split_once(' ').unwrap_or((amount, "USD"));
    json!({
        "kind": "purchase", "reference": reference, "occurred_on": on,
        "amount": {"amount": amount, "currency": currency}, "customer": {"id": customer, "country": "DE"},
        "product": "SKU-1", "product_family": "azure",
    })
}

fn refund(reference: &str, on: &str, amount: &str, (member, of): (&str, &str)) -> Value {
    let mut sale =
        json!({"kind": "refund", "reference": reference, "occurred_on": on, "amount": usd(amount)});
    sale[member] = json!(of);
    sale
}

fn question(story: &Story<'_>, month: &str, sales: &[Value]) -> Value {
    json!({"partner_id": story.partner, "program": story.program, "month": month, "sales": sales})
}

fn ask(story: &Story<'_>, body: &Value) -> Answer {
    story.operator.post(SIMULATIONS, body.clone()).send()
}

/// Really reports what was supposed; gives the ids by the references.
fn report(story: &Story<'_>, sales: &[Value]) -> BTreeMap<String, String> {
    let mut ids = BTreeMap::new();
    for sale in sales.iter().filter(|sale| sale["kind"] == "purchase") {
        let amount = format!("{} {}", text(&sale["amount"]["amount"]), text(&sale["amount"]["currency"]));
        let more = json!({"customer": sale["customer"], "product_family": sale["product_family"]});
        let name = text(&sale["reference"]);
        let id = story.report(&name, &text(&sale["occurred_on"]), &amount, &more).ok().id();
        ids.insert(name, id);
    }
    for sale in sales.iter().filter(|sale| sale["kind"] == "refund") {
        let original = sale["original_reference"].as_str();
        let of = original.map_or_else(|| text(&sale["original_transaction_id"]), |name| ids[name].clone());
        let bought =
            sales.iter().find(|other| original.is_some() && other["reference"] == sale["original_reference"]);
        let customer =
            bought.map_or(json!({"id": "C-1", "country": "DE"}), |bought| bought["customer"].clone());
        let more = json!({"kind": "refund", "original_transaction_id": of, "customer": customer});
        let (name, amount) = (text(&sale["reference"]), text(&sale["amount"]["amount"]));
        let id = story.report(&name, &text(&sale["occurred_on"]), &amount, &more).ok().id();
        ids.insert(name, id);
    }
    ids
}

const EARNING: &[&str] = &[
    "lever",
    "grain",
    "customer_id",
    "earned_in",
    "posted_in",
    "base",
    "unrounded",
    "amount",
    "rebate",
    "coop",
    "trace",
];
const RECORD: &[&str] =
    &["lever", "grain", "customer_id", "earned_in", "code", "message", "curable", "remedy", "capped"];

/// What of the records the simulation shows too, in an order of its own: members, and which sale and purchase.
fn comparable(all: &[Value], members: &[&str], sales: impl Fn(&Value) -> [Value; 2]) -> Vec<String> {
    let line = |record: &Value| {
        let kept: Vec<&Value> = members.iter().map(|member| &record[*member]).collect();
        json!([kept, sales(record)]).to_string()
    };
    let mut lines: Vec<String> = all.iter().map(line).collect();
    lines.sort();
    lines
}

/// What a simulation says, with the ids its sales have been given since.
fn simulated(answer: &Answer, list: &str, members: &[&str], ids: &BTreeMap<String, String>) -> Vec<String> {
    let id = |sale: &Value| match sale["reference"].as_str() {
        Some(name) => json!(ids[name]),
        None => sale["transaction_id"].clone(),
    };
    let all = answer[list].as_array().unwrap();
    comparable(all, members, |record| [id(&record["sale"]), id(&record["purchase"])])
}

fn recorded(all: &[Value], members: &[&str]) -> Vec<String> {
    comparable(all, members, |record| [record["transaction_id"].clone(), record["purchase_id"].clone()])
}

fn tiers() -> Value {
    let tier = |from: &str, rate: &str| json!({"from": usd(from), "rate": rate});
    json!([tier("0.00", "0.02"), tier("50000.00", "0.04"), tier("150000.00", "0.06")])
}

fn tiered(code: &str, kind: &str, period: &str, grain: &str) -> Value {
    let scale = json!({"type": kind, "period": period, "tiers": tiers()});
    json!({"type": "core", "code": code, "name": code, "scale": scale, "grain": grain})
}

fn grown(code: &str, baseline: &Value) -> Value {
    json!({"type": "growth", "code": code, "name": code, "rate": "0.10", "baseline": baseline})
}

/// Levers of every kind, at every grain, with caps and without.
fn every_lever() -> Value {
    let mut capped = flat("capped", "0.10");
    capped["cap"] = json!({"scope": "customer", "amount": usd("4000.00")});
    let mut ceiling = tiered("ceiling", "marginal", "half_year", "customer_month");
    ceiling["cap"] = json!({"scope": "partner", "amount": usd("3000.00")});
    let mut by_month = flat("by-month", "0.033");
    by_month["grain"] = json!("month");
    let mut narrow = flat("narrow", "0.05");
    narrow["applies_to"] = json!({"product_families": ["modern-work"]});
    json!([
        flat("core", "0.08"), capped, ceiling, by_month, narrow,
        tiered("slices", "marginal", "program_year", "transaction"),
        tiered("lift", "retroactive", "month", "month"),
        tiered("year-lift", "retroactive", "program_year", "month"),
        grown("over-fixed", &json!({"type": "fixed", "amount": usd("50000.00")})),
        grown("over-before", &json!({"type": "trailing_average", "months": 2})),
        {"type": "fixed", "code": "add", "name": "New", "amount": usd("250.00")},
    ])
}

#[test]
fn what_is_simulated_is_what_is_posted_when_it_is_really_sold() {
    let world = World::new();
    let story = Story::new(&world, &every_lever());
    world.on("2018-11-30");
    story.sale("r1", "2018-10-05", "36500.55");
    let returned = story.sale("r2", "2018-11-02", "22222.22");
    story.report("r3", "2018-11-03", "700.00", &json!({"customer": {"id": "C-2", "country": "DE"}})).ok();
    story.calculate();
    // It waits for the calculation still, and counts too.
    story.report("r4", "2018-11-09", "1234.56", &json!({"customer": {"id": "C-4", "country": "DE"}})).ok();
    let sales = [
        purchase("a", "2018-11-05", "61234.57", "C-1"),
        purchase("b", "2018-11-05", "0.10", "C-2"),
        purchase("c", "2018-11-06", "99999.99", "C-3"),
        purchase("d", "2018-11-20", "5000.00", "C-3"),
        refund("e", "2018-11-21", "-9999.99", ("original_reference", "c")),
        refund("f", "2018-11-22", "-2222.22", ("original_transaction_id", &returned)),
    ];
    let body = question(&story, "2018-11", &sales);
    let before = (story.list("/v1/earnings").len(), story.list("/v1/ineligible-records").len());
    let answer = ask(&story, &body).ok();
    assert_eq!((&answer["basis"], &answer["assumptions"]), (&json!("books"), &json!([])));
    assert_eq!(ask(&story, &body).ok().body, answer.body, "asked again, it answers the same");

    let ids = report(&story, &sales);
    story.calculate();
    let posted = story.list("/v1/earnings").split_off(before.0);
    let refused = story.list("/v1/ineligible-records").split_off(before.1);
    assert!(posted.len() > 20 && refused.len() > 5, "{} {}", posted.len(), refused.len());
    assert_eq!(simulated(&answer, "earnings", EARNING, &ids), recorded(&posted, EARNING));
    assert_eq!(simulated(&answer, "ineligible", RECORD, &ids), recorded(&refused, RECORD));
    assert_eq!(answer["earnings_count"], json!(posted.len()));

    // Now that it is posted, nothing more would come.
    let after = ask(&story, &question(&story, "2018-11", &[])).ok();
    assert_eq!((&after["earnings_count"], &after["ineligible_count"]), (&json!(0), &json!(0)));
    assert_eq!(after["totals"][0]["posted"], answer["totals"][0]["simulated"]);
    assert_eq!(after["totals"][0]["difference"]["amount"], usd("0.00"));
    // A draft with the same terms goes through the year from its beginning, and comes to the same.
    story.operator.post("/v1/programs/rewards/versions", version(&every_lever())).send().ok();
    let mut by_draft = question(&story, "2018-11", &[]);
    by_draft["version"] = json!(2);
    let draft = ask(&story, &by_draft).ok();
    assert_eq!((&draft["basis"], &draft["version_state"]), (&json!("replay"), &json!("draft")));
    assert_eq!(draft["totals"], after["totals"]);
    for (a, b) in draft["levers"].as_array().unwrap().iter().zip(after["levers"].as_array().unwrap()) {
        assert_eq!((&a["volume"], &a["tier"], &a["next_tier"]), (&b["volume"], &b["tier"], &b["next_tier"]));
    }
    story.verify();
}

#[test]
fn each_lever_alone_earns_what_was_simulated_over_several_months() {
    for lever in every_lever().as_array().unwrap() {
        let world = World::new();
        let story = Story::new(&world, &json!([lever]));
        let mut earlier: Option<String> = None;
        for (month, volume) in [("2018-07", "30000.00"), ("2018-08", "80000.01"), ("2018-09", "60000.10")] {
            world.on(&format!("{month}-28"));
            let on = |day: u32| format!("{month}-{day:02}");
            let mut sales = vec![
                purchase(&format!("{month}-1"), &on(3), volume, "C-1"),
                purchase(&format!("{month}-2"), &on(4), "1010.10", "C-2"),
                refund(
                    &format!("{month}-3"),
                    &on(9),
                    "-10.00",
                    ("original_reference", &format!("{month}-2")),
                ),
            ];
            // It takes back from a month before, and moves that one too.
            let back = earlier.as_deref().map(|id| ("original_transaction_id", id));
            sales.extend(back.map(|of| refund(&format!("{month}-4"), &on(10), "-500.05", of)));
            let before = (story.list("/v1/earnings").len(), story.list("/v1/ineligible-records").len());
            let answer = ask(&story, &question(&story, month, &sales)).ok();
            let ids = report(&story, &sales);
            story.calculate();
            let posted = story.list("/v1/earnings").split_off(before.0);
            let refused = story.list("/v1/ineligible-records").split_off(before.1);
            let code = text(&lever["code"]);
            assert_eq!(
                simulated(&answer, "earnings", EARNING, &ids),
                recorded(&posted, EARNING),
                "{code} in {month}"
            );
            assert_eq!(
                simulated(&answer, "ineligible", RECORD, &ids),
                recorded(&refused, RECORD),
                "{code} in {month}"
            );
            earlier = Some(ids[&format!("{month}-1")].clone());
        }
        story.verify();
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// How many rows every table has.
/// What background work keeps for itself.
const NOT_OF_REQUESTS: [&str; 2] = ["audit_chain", "jobs"];

fn counts(world: &World) -> BTreeMap<String, i64> {
    let count = |conn: &mut Conn| {
        // Sealing what was audited before goes on by itself.
        let tables =
            schema::found(conn).into_keys().filter(|table| !NOT_OF_REQUESTS.contains(&table.as_str()));
        let rows = tables.map(|table| {
            let Count { n } = sql_query(format!("SELECT COUNT(*) AS n FROM {table}")).get_result(conn)?;
            Ok((table, n))
        });
        rows.collect()
    };
    world.service.db.read(count).unwrap()
}

#[test]
fn a_simulation_stores_nothing_and_leaves_no_trace() {
    let world = World::new();
    let story = Story::new(&world, &every_lever());
    world.on("2018-11-30");
    story.sale("1", "2018-11-05", "100.00");
    let admin = world.admin_of(&story.partner);
    story.operator.post("/v1/programs/rewards/versions", version(&every_lever())).send().ok();
    let before = counts(&world);
    let sales = [purchase("a", "2018-11-05", "61234.57", "C-1")];
    let body = question(&story, "2018-11", &sales);
    for ask in [story.operator.post(SIMULATIONS, body.clone()), admin.post(SIMULATIONS, body.clone())] {
        assert!(ask.send().ok()["earnings_count"].as_i64().unwrap() > 5);
    }
    let mut by_draft = body.clone();
    by_draft["version"] = json!(2);
    ask(&story, &by_draft).ok();
    assert_eq!(counts(&world), before);
    assert!(before["audit_events"] > 0 && before["earnings"] == 0);
}

#[test]
fn it_says_where_tiers_and_caps_would_stand() {
    let world = World::new();
    let mut capped = flat("capped", "0.10");
    capped["cap"] = json!({"scope": "customer", "amount": usd("4000.00")});
    let mut ceiling = flat("ceiling", "0.01");
    ceiling["cap"] = json!({"scope": "partner", "amount": usd("500.00")});
    let levers = json!([
        tiered("slices", "marginal", "half_year", "transaction"),
        tiered("lift", "retroactive", "half_year", "month"),
        capped,
        ceiling,
    ]);
    let story = Story::new(&world, &levers);
    world.on("2018-11-30");
    story.sale("1", "2018-10-05", "36500.00");
    story.calculate();
    let answer =
        ask(&story, &question(&story, "2018-11", &[purchase("a", "2018-11-05", "5000.00", "C-1")])).ok();
    let [slices, lift, capped, ceiling] = answer["levers"].as_array().unwrap().as_slice() else {
        panic!("four levers: {answer}")
    };
    let next = |adds: &str| json!({"from": usd("50000.00"), "rate": "0.04", "distance": usd("8500.00"), "adds": usd(adds)});
    // 8,500.00 at 2 %; and 50,000.00 at 4 % rather than 41,500.00 at 2 %.
    for (lever, adds) in [(slices, "170.00"), (lift, "1170.00")] {
        assert_eq!((&lever["volume"], &lever["next_tier"]), (&usd("41500.00"), &next(adds)));
        assert_eq!(lever["tier"], json!({"from": usd("0.00"), "rate": "0.02"}));
        assert_eq!(lever["caps"], json!([]));
    }
    let balance = |customer: Value, amount: &str, used: &str, left: &str| json!([{"customer_id": customer, "amount": usd(amount), "used": usd(used), "left": usd(left)}]);
    assert_eq!(capped["caps"], balance(json!("C-1"), "4000.00", "4000.00", "0.00"));
    assert_eq!(ceiling["caps"], balance(Value::Null, "500.00", "415.00", "85.00"));
    let cut = &answer["ineligible"][0];
    assert_eq!((&cut["code"], &cut["capped"]), (&json!("cap_partially_applied"), &usd("150.00")));
    assert_eq!(cut["sale"], json!({"reference": "a", "transaction_id": null}));
    // 100.00 + 100.00 + 350.00 + 50.00, of which 60 % are rebate.
    let split = |amount: &str, rebate: &str, coop: &str| json!({"amount": usd(amount), "rebate": usd(rebate), "coop": usd(coop)});
    let total = &answer["totals"][0];
    assert_eq!(
        (&total["posted"], &total["simulated"], &total["difference"]),
        (
            &split("0.00", "0.00", "0.00"),
            &split("600.00", "360.00", "240.00"),
            &split("600.00", "360.00", "240.00")
        )
    );
    // Without what is on record it is as if nothing had been sold.
    let mut alone = question(&story, "2018-11", &[purchase("a", "2018-11-05", "5000.00", "C-1")]);
    alone["include_recorded"] = json!(false);
    let answer = ask(&story, &alone).ok();
    assert_eq!(answer["assumptions"], json!(["recorded_sales_left_out"]));
    assert_eq!((&answer["levers"][0]["volume"], &answer["ineligible_count"]), (&usd("5000.00"), &json!(0)));
}

#[test]
fn a_partner_that_is_not_enrolled_is_taken_to_be() {
    let world = World::new();
    let mut asks = version(&json!([flat("core", "0.08")]));
    asks["requirements"] = json!([{"rule": "partner_active"}, {"rule": "mpn_agreement"}]);
    let operator = world.operator();
    let program = json!({"code": "rewards", "name": "Rewards", "partner_types": ["direct_bill"]});
    operator.post("/v1/programs", program).send().ok();
    operator.post("/v1/programs/rewards/versions", asks).send().ok();
    operator.post("/v1/programs/rewards/versions/1/publication", json!({})).if_match("*").send().ok();
    let bare = operator.post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    let sales = [purchase("a", "2018-11-05", "1000.00", "C-1")];
    let body = json!({"partner_id": bare, "program": "rewards", "month": "2018-11", "sales": sales});
    let answer = operator.post(SIMULATIONS, body).send().ok();
    assert_eq!(answer["assumptions"], json!(["enrolled_from_month_start", "rules_met"]));
    assert_eq!((&answer["earnings"][0]["amount"], &answer["basis"]), (&usd("80.00"), &json!("replay")));
    let hint = &answer["eligibility"];
    assert_eq!((&hint["outcome"], &hint["as_of"]), (&json!("ineligible"), &json!("2018-11-01")));
    let codes: Vec<&Value> = hint["unmet"].as_array().unwrap().iter().map(|check| &check["code"]).collect();
    assert_eq!(codes, ["mpn_agreement_missing"]);
}

#[test]
fn an_enrolled_partner_is_judged_by_what_is_on_record() {
    let world = World::new();
    let mut asks = version(&json!([flat("core", "0.08")]));
    asks["requirements"] = json!([{"rule": "partner_active"}, {"rule": "mpn_agreement"}]);
    let operator = world.operator();
    let story = Story::with(&world, &asks, |partner| {
        let body = json!({
            "partner_id": partner, "agreement_number": "A-1", "signed_by": "Sam Signer", "signed_on": "2018-07-01",
            "effective_on": "2018-07-01", "expires_on": "2018-11-15", "membership_level": "silver", "grace_days": 0,
        });
        operator.post("/v1/mpn-agreements", body).send().ok();
    });
    let sales =
        [purchase("a", "2018-11-15", "1000.00", "C-1"), purchase("b", "2018-11-16", "1000.00", "C-1")];
    let answer = ask(&story, &question(&story, "2018-11", &sales)).ok();
    assert_eq!((&answer["earnings_count"], &answer["assumptions"]), (&json!(1), &json!([])));
    let refused = &answer["ineligible"][0];
    assert_eq!(
        (&refused["code"], &refused["sale"]["reference"]),
        (&json!("mpn_agreement_expired"), &json!("b"))
    );
    assert!(refused["remedy"].is_string() && refused["curable"] == json!(true));
}

#[test]
fn what_was_mended_counts_before_the_calculation_has_posted_it() {
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
    let story = Story::with(&world, &asks, |partner| paper(partner, "A-1", "2018-07-01", "2018-10-05"));
    world.on("2018-10-20");
    let lapsed = story.sale("1", "2018-10-10", "1000.00");
    story.calculate();
    // What is on record already is not told again.
    let none = ask(&story, &question(&story, "2018-10", &[])).ok();
    assert_eq!((&none["earnings_count"], &none["ineligible_count"]), (&json!(0), &json!(0)));
    paper(&story.partner, "A-2", "2018-10-06", "2019-09-30");
    let back = refund("back", "2018-10-20", "-250.00", ("original_transaction_id", &lapsed));
    let answer = ask(&story, &question(&story, "2018-10", std::slice::from_ref(&back))).ok();
    let ids = report(&story, &[back]);
    story.calculate();
    assert_eq!(story.amounts(), ["80.00", "-20.00"]);
    assert_eq!(simulated(&answer, "earnings", EARNING, &ids), recorded(&story.list("/v1/earnings"), EARNING));
    assert_eq!(answer["totals"][0]["simulated"]["amount"], usd("60.00"));
}

#[test]
fn it_goes_through_many_recorded_sales_and_not_through_too_many() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.08")]));
    world.on("2018-11-30");
    story.sale("1", "2018-11-05", "100.00");
    let more = |from: u32, to: u32| {
        let insert = move |conn: &mut Conn| {
            let (id, numbers) = match conn {
                Conn::Sqlite(_) => (
                    "unhex(printf('%032x', i))",
                    format!(
                        "WITH RECURSIVE n(i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i < {to})"
                    ),
                ),
                Conn::Postgres(_) => (
                    "lpad(to_hex(i), 32, '0')::uuid",
                    format!("WITH n(i) AS (SELECT generate_series({from}, {to}))"),
                ),
            };
            let same = "source, partner_id, customer_id, customer_country, customer_public_sector, product, \
                product_family, kind, occurred_on, amount, currency, created_at";
            let sql = format!(
                "{numbers} INSERT INTO transaction_records (id, external_id, {same}) \
                 SELECT {id}, 'n' || i, {same} FROM transaction_records, n WHERE external_id = '1'"
            );
            sql_query(sql).execute(conn)?;
            Ok(())
        };
        world.service.db.write(insert).unwrap();
    };
    let body = question(&story, "2018-11", &[purchase("a", "2018-11-05", "1000.00", "C-1")]);
    more(1, 2500);
    let answer = ask(&story, &body).ok();
    let shown = answer["earnings"].as_array().unwrap();
    assert_eq!((shown.len(), &answer["earnings_count"]), (2000, &json!(2502)));
    assert_eq!(shown[0]["sale"]["reference"], "a", "what is supposed comes first");
    assert_eq!(answer["totals"][0]["simulated"]["amount"], usd("20088.00"), "all of it is in the sums");
    more(2501, 50_000);
    ask(&story, &body).refused(422, "simulation_too_large");
    let mut alone = body;
    alone["include_recorded"] = json!(false);
    assert_eq!(ask(&story, &alone).ok()["earnings_count"], json!(1));
}

#[test]
fn a_draft_is_simulated_by_programme_staff_and_nobody_sees_another_s_partner() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.08")]));
    let operator = &story.operator;
    operator.post("/v1/programs/rewards/versions", version(&json!([flat("core", "0.20")]))).send().ok();
    let other = operator.post("/v1/partners", partner(2, "direct_bill")).send().ok().id();
    let body = question(&story, "2018-11", &[purchase("a", "2018-11-05", "1000.00", "C-1")]);
    let mut by_draft = body.clone();
    by_draft["version"] = json!(2);
    let as_asked = |who: &Client, body: &Value| who.post(SIMULATIONS, body.clone()).send();
    for staff in [operator, &world.auditor()] {
        assert_eq!(as_asked(staff, &by_draft).ok()["earnings"][0]["amount"], usd("200.00"));
    }
    for own in [world.admin_of(&story.partner), world.viewer_of(&story.partner)] {
        assert_eq!(as_asked(&own, &body).ok()["earnings"][0]["amount"], usd("80.00"));
        as_asked(&own, &by_draft).refused(404, "not_found");
    }
    as_asked(&world.admin_of(&other), &body).refused(404, "not_found");
    let third = operator.post("/v1/partners", partner(3, "direct_bill")).send().ok().id();
    as_asked(&world.newcomer_of(&third, Role::Viewer), &body).refused(403, "setup_incomplete");
    let mut unknown = body;
    unknown["version"] = json!(7);
    as_asked(operator, &unknown).refused(404, "not_found");
}

#[test]
fn what_could_never_be_on_record_is_refused() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.08")]));
    world.on("2018-11-30");
    let real = story.sale("1", "2018-11-05", "100.00");
    story.refund("2", &real, "2018-11-06", "-60.00");
    let sales = [
        purchase("a", "2018-12-01", "100.00", "C-1"),
        purchase("b", "2018-11-05", "-1.00", "C-1"),
        purchase("c", "2018-11-10", "100.00", "C-1"),
        purchase("c", "2018-11-10", "100.00", "C-1"),
        refund("e", "2018-11-12", "5.00", ("original_reference", "c")),
        refund("f", "2018-11-09", "-5.00", ("original_reference", "c")),
        refund("g", "2018-11-12", "-40.01", ("original_transaction_id", &real)),
        refund("h", "2018-11-12", "-5.00", ("original_reference", "nobody")),
        json!({"kind": "refund", "reference": "i", "occurred_on": "2018-11-12", "amount": usd("-1.00")}),
    ];
    let refused = ask(&story, &question(&story, "2018-11", &sales)).refused(422, "invalid");
    let faults: Vec<String> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| format!("{} {}", text(&fault["pointer"]), text(&fault["code"])))
        .collect();
    assert_eq!(
        faults,
        [
            "/sales/0/occurred_on range",
            "/sales/1/amount/amount sign",
            "/sales/3/reference duplicate",
            "/sales/4/amount/amount sign",
            "/sales/5/occurred_on before_purchase",
            "/sales/6/amount/amount refund_exceeds_purchase",
            "/sales/7/original_reference unknown",
            "/sales/8/original_reference required",
        ]
    );
    let first = |body: &Value| text(&ask(&story, body).refused(422, "invalid")["errors"][0]["code"]);
    let mut alone = question(&story, "2018-11", &[sales[6].clone()]);
    alone["include_recorded"] = json!(false);
    assert_eq!(first(&alone), "unexpected");
    let mut elsewhere = question(&story, "2020-01", &[]);
    assert_eq!(first(&elsewhere), "no_version");
    elsewhere["version"] = json!(1);
    assert_eq!(first(&elsewhere), "outside_version");
}

#[test]
fn without_a_published_rate_a_sale_in_another_currency_does_not_count() {
    let world = World::new();
    let story = Story::new(&world, &json!([tiered("slices", "marginal", "month", "transaction")]));
    let sales =
        [purchase("a", "2018-11-05", "100000 JPY", "C-1"), purchase("b", "2018-11-05", "100.00", "C-1")];
    let answer = ask(&story, &question(&story, "2018-11", &sales)).ok();
    assert_eq!((&answer["earnings_count"], &answer["levers"][0]["volume"]), (&json!(1), &usd("100.00")));
    let refused = &answer["ineligible"][0];
    assert_eq!((&refused["code"], &refused["curable"]), (&json!("exchange_rate_missing"), &json!(true)));
}

#[test]
fn a_simulation_tells_nobody_who_else_is_a_partner() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.08")]));
    world.on("2018-11-20");
    let other = story.operator.post("/v1/partners", partner(2, "direct_bill")).send().ok();
    let asked =
        |customer: &str| question(&story, "2018-11", &[purchase("a", "2018-11-05", "100.00", customer)]);
    let (known, unknown) = (asked(&text(&other["mpn_id"])), asked("9999999"));
    for client in [&world.admin_of(&story.partner), &story.operator] {
        let answer = |body: &Value| {
            let answer = client.post(SIMULATIONS, body.clone()).send().ok();
            (answer["earnings_count"].clone(), answer["ineligible"].clone())
        };
        assert_eq!(answer(&known), (json!(1), json!([])));
        assert_eq!(answer(&known), answer(&unknown));
        // Who wants to know what a sale to a partner earns says that it is one.
        let mut to_partner = unknown.clone();
        to_partner["sales"][0]["customer_is_partner"] = json!(true);
        let (earnings, ineligible) = answer(&to_partner);
        assert_eq!((earnings, &ineligible[0]["code"]), (json!(0), &json!("customer_is_partner")));
    }
}

#[test]
fn a_lever_a_sale_and_a_question_mean_the_same_product_however_its_accents_are_spelled() {
    let (whole, apart) = ("caf\u{e9}", "cafe\u{301}");
    let world = World::new();
    let lever = |code: &str, applies_to: Value| {
        let mut lever = flat(code, "0.08");
        lever["applies_to"] = applies_to;
        lever
    };
    let story = Story::new(
        &world,
        &json!([
            lever("product", json!({"products": [apart]})),
            lever("family", json!({"product_families": [apart]}))
        ]),
    );
    world.on("2018-07-20");
    let sold = |reference: &str, text: &str| {
        let mut sale = purchase(reference, "2018-07-05", "100.00", text);
        sale["product"] = json!(text);
        sale["product_family"] = json!(text);
        sale
    };
    let refunded = refund(&format!("back-{whole}"), "2018-07-06", "-40.00", ("original_reference", apart));
    let answer = ask(&story, &question(&story, "2018-07", &[sold(whole, whole), refunded])).ok();
    assert_eq!((answer["earnings"].as_array().unwrap().len(), &answer["ineligible"]), (4, &json!([])));
    assert_eq!(answer["totals"][0]["simulated"]["amount"], usd("9.60"));
    let twice = question(&story, "2018-07", &[sold(whole, whole), sold(apart, whole)]);
    let refused = ask(&story, &twice).refused(422, "invalid");
    assert_eq!(refused["errors"][0]["code"], "duplicate");
    // The same of real sales, and of the lists of what they gave.
    for (number, text) in [("1", whole), ("2", apart)] {
        let more = json!({
            "customer": {"id": text, "country": "DE"}, "product": text, "product_family": text,
        });
        story.report(number, "2018-07-05", "100.00", &more).ok();
    }
    story.calculate();
    for text in [whole, apart] {
        let found = story.operator.get("/v1/earnings").query("customer_id", text).send().ok();
        assert_eq!(found["items"].as_array().unwrap().len(), 4, "{text}");
    }
    assert_eq!(story.refusals().len(), 0);
}
