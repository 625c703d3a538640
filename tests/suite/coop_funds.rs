//! Co-op funds: from the first posting to the end of the half-year, and to the end of the time for claims.

use crate::{
    suite::{
        calculation::{Story, flat, text, version},
        partners::partner,
    },
    support::{Answer, World},
};
use partner_incentives::operations::jobs::refresh;
use serde_json::{Value, json};

/// A quarter of each sale is earned: 100,000.00 give a fund of 10,000.00, the threshold.
pub fn quarter(world: &World) -> Story<'_> {
    Story::by(world, &version(&json!([flat("core", "0.25")])))
}

/// Does what the day brings, at noon of a date.
pub fn on(world: &World, date: &str) {
    world.on(date);
    refresh::run_now(&world.service.app, |_| ()).unwrap();
}

/// Closes months one after the other, on a date.
pub fn close(story: &Story<'_>, months: &[&str], date: &str) {
    story.world.on(date);
    story.calculate();
    for month in months {
        story.close(month).ok();
    }
    on(story.world, date);
}

fn usd(amount: &str) -> Value {
    json!({"amount": amount, "currency": "USD"})
}

fn fund(story: &Story<'_>) -> Answer {
    let listed = story.list("/v1/coop-funds");
    assert_eq!(listed.len(), 1, "{listed:?}");
    story.operator.get(&format!("/v1/coop-funds/{}", text(&listed[0]["id"]))).send().ok()
}

fn parts(fund: &Value) -> [String; 8] {
    ["earned", "converted", "claimable", "planned", "committed", "paid", "forfeited", "remaining"]
        .map(|part| text(&fund[part]["amount"]))
}

fn subjects(client: &crate::support::Client, kind: &str) -> Vec<String> {
    let listed = client.get("/v1/notifications").query("limit", 200).send().ok();
    let items = listed["items"].as_array().unwrap().iter();
    items.filter(|one| one["kind"] == kind).map(|one| text(&one["subject"])).collect()
}

#[test]
fn p4_one_cent_below_the_threshold_everything_becomes_rebate() {
    let world = World::new();
    let story = quarter(&world);
    let admin = world.admin_of(&story.partner);
    world.on("2018-12-20");
    // 24,999.98 are earned: 14,999.99 of rebate, and 9,999.99 of co-op.
    story.sale("1", "2018-12-10", "99999.90");
    story.calculate();
    let shown = fund(&story);
    assert_eq!((&shown["state"], &shown["estimated"]), (&json!("estimated"), &json!(true)));
    assert_eq!((&shown["half_year"], &shown["last_month"]), (&json!("2018-07"), &json!("2018-12")));
    assert_eq!((&shown["threshold"], &shown["projected_below_threshold"]), (&usd("10000.00"), &json!(true)));
    assert_eq!(parts(&shown.body), ["9999.99", "0.00", "9999.99", "0.00", "0.00", "0.00", "0.00", "9999.99"]);
    // The end of the half-year is not its closing.
    on(&world, "2019-01-03");
    assert_eq!(fund(&story)["state"], "estimated");
    close(&story, &["2018-12"], "2019-01-04");
    let shown = fund(&story);
    assert_eq!((&shown["state"], &shown["converted_in"]), (&json!("converted"), &json!("2019-01")));
    assert_eq!((&shown["estimated"], &shown["projected_below_threshold"]), (&json!(false), &Value::Null));
    assert_eq!(parts(&shown.body), ["9999.99", "9999.99", "0.00", "0.00", "0.00", "0.00", "0.00", "0.00"]);
    let rebate = story.list("/v1/rebates?from=2019-01")[0].clone();
    assert_eq!(
        (&rebate["converted"], &rebate["amount"], &rebate["state"]),
        (&usd("9999.99"), &usd("9999.99"), &json!("accruing"))
    );
    assert_eq!(
        subjects(&admin, "coop_fund_closed"),
        ["Partner 1: co-op of July 2018 to December 2018 became rebate"]
    );
    story.verify();
    // Nothing happens twice; the next month is closed with what came to it, and its statement says so.
    on(&world, "2019-01-05");
    close(&story, &["2019-01"], "2019-02-04");
    let path = format!("/v1/partners/{}/statements/2019-01", story.partner);
    let statement = story.operator.get(&path).send().ok();
    let program = &statement["programs"][0];
    assert_eq!(program["rebates"][0]["converted"], usd("9999.99"));
    assert_eq!(
        (&program["totals"][0]["owed"], &program["balances"][0]["new"]),
        (&usd("9999.99"), &usd("9999.99"))
    );
    let page = story.operator.get(&path).header("accept", "text/html").send().ok();
    assert!(String::from_utf8_lossy(&page.bytes).contains("Co-op below the threshold, now rebate"));
    let table = story.operator.get(&path).header("accept", "text/csv").send().ok();
    assert!(String::from_utf8_lossy(&table.bytes).contains("converted,rewards,2019"), "{table}");
    story.verify();
}

#[test]
fn p4_what_meets_the_threshold_can_be_claimed_until_the_rest_is_lost() {
    let world = World::new();
    let story = quarter(&world);
    let admin = world.admin_of(&story.partner);
    world.on("2018-12-20");
    story.sale("1", "2018-12-10", "100000.00");
    story.calculate();
    assert_eq!(fund(&story)["projected_below_threshold"], false);
    close(&story, &["2018-12"], "2019-01-04");
    let shown = fund(&story);
    assert_eq!((&shown["state"], &shown["claimable"]), (&json!("claimable"), &usd("10000.00")));
    let days = ["usage_from", "usage_until", "claims_from", "claims_until"].map(|day| text(&shown[day]));
    assert_eq!(days, ["2019-01-01", "2019-06-30", "2019-02-16", "2019-08-15"]);
    let summary = admin.get(&format!("/v1/partners/{}/summary", story.partner)).send().ok();
    assert_eq!(summary["enrollments"][0]["coop_funds"][0]["remaining"], usd("10000.00"));
    for (date, told) in
        [("2019-06-15", 0), ("2019-06-16", 1), ("2019-06-17", 1), ("2019-07-16", 2), ("2019-08-08", 3)]
    {
        on(&world, date);
        assert_eq!(subjects(&admin, "coop_fund_expiring").len(), told, "{date}");
    }
    assert_eq!(
        subjects(&admin, "coop_fund_expiring")[0],
        "Partner 1: claim USD 10,000.00 of co-op until 15 August 2019"
    );
    on(&world, "2019-08-15");
    assert_eq!(fund(&story)["state"], "claimable", "the last day counts");
    on(&world, "2019-08-16");
    let shown = fund(&story);
    assert_eq!(shown["state"], "ended");
    assert_eq!(
        parts(&shown.body),
        ["10000.00", "0.00", "10000.00", "0.00", "0.00", "0.00", "10000.00", "0.00"]
    );
    assert_eq!(
        subjects(&admin, "coop_fund_forfeited"),
        ["Partner 1: USD 10,000.00 of co-op was not claimed in time"]
    );
    story.verify();
}

#[test]
fn a_refund_of_an_earlier_half_year_lowers_the_next_fund_and_then_a_rebate() {
    let world = World::new();
    let story = quarter(&world);
    world.on("2018-12-20");
    let sale = story.sale("1", "2018-12-10", "120000.00");
    close(&story, &["2018-12"], "2019-01-04");
    world.on("2019-02-20");
    story.refund("2", &sale, "2019-02-10", "-50000.00");
    story.calculate();
    let funds = story.list("/v1/coop-funds");
    assert_eq!(parts(&funds[0])[7], "12000.00", "what can be claimed is not taken back");
    assert_eq!((&funds[1]["half_year"], &funds[1]["remaining"]), (&json!("2019-01"), &usd("-5000.00")));
    story.verify();
    // The next half-year earns less than the refund took: the rest lowers a rebate.
    world.on("2019-06-20");
    story.sale("3", "2019-06-10", "30000.00");
    story.calculate();
    assert_eq!(story.list("/v1/coop-funds")[1]["remaining"], usd("-2000.00"));
    close(&story, &["2019-01", "2019-02", "2019-03", "2019-04", "2019-05", "2019-06"], "2019-07-04");
    let funds = story.list("/v1/coop-funds?half_year=2019-01");
    assert_eq!((&funds[0]["state"], &funds[0]["converted"]), (&json!("converted"), &usd("-2000.00")));
    let rebate = story.list("/v1/rebates?from=2019-07")[0].clone();
    assert_eq!((&rebate["converted"], &rebate["amount"]), (&usd("-2000.00"), &usd("-2000.00")));
    story.verify();
}

#[test]
fn a_fund_in_another_currency_waits_for_the_rate_of_the_last_month() {
    let world = World::new();
    let story = quarter(&world);
    world.on("2018-12-20");
    story.report("1", "2018-12-10", "90000.00 EUR", &json!({})).ok();
    story.calculate();
    let shown = fund(&story);
    assert_eq!((&shown["threshold"], &shown["projected_below_threshold"]), (&Value::Null, &Value::Null));
    close(&story, &["2018-12"], "2019-01-04");
    assert_eq!(fund(&story)["state"], "estimated", "nobody knows the threshold");
    let rates = json!({"rates": [{"base": "EUR", "quote": "USD", "rate": "1.25"}]});
    story.operator.put("/v1/fx-rates/2018-12", rates).if_match("*").send().ok();
    let shown = fund(&story);
    assert_eq!(shown["threshold"], json!({"amount": "8000.00", "currency": "EUR"}));
    on(&world, "2019-01-05");
    assert_eq!(fund(&story)["state"], "claimable");
    story.verify();
}

#[test]
fn funds_are_listed_filtered_and_exported_and_seen_by_their_people_alone() {
    let world = World::new();
    let story = quarter(&world);
    let other = story.another(2);
    world.on("2018-12-20");
    story.sale("1", "2018-12-10", "120000.00");
    other.sale("2", "2018-12-10", "1000.00");
    close(&story, &["2018-12"], "2019-01-04");
    assert_eq!(story.list("/v1/coop-funds").len(), 2);
    for (query, found) in [
        (format!("partner_id={}", story.partner), 1),
        (format!("enrollment_id={}", other.enrollment), 1),
        ("program=rewards&state=claimable".into(), 1),
        ("state=converted&half_year=2018-07".into(), 1),
        ("currency=EUR".into(), 0),
        ("half_year=2019-01".into(), 0),
    ] {
        assert_eq!(story.list(&format!("/v1/coop-funds?{query}")).len(), found, "{query}");
    }
    let export = story.operator.get("/v1/coop-funds").header("accept", "text/csv").send().ok();
    assert_eq!(String::from_utf8_lossy(&export.bytes).lines().count(), 3);
    let viewer = world.viewer_of(&other.partner);
    let seen = viewer.get("/v1/coop-funds").query("include_total", "true").send().ok();
    assert_eq!((&seen["total"], &seen["items"][0]["partner_id"]), (&json!(1), &json!(other.partner)));
    let theirs = text(&story.list("/v1/coop-funds")[0]["id"]);
    assert_eq!(viewer.get(&format!("/v1/coop-funds/{theirs}")).send().status, 404);
    let shown = story.operator.get(&format!("/v1/coop-funds/{theirs}")).send().ok();
    let again = story
        .operator
        .get(&format!("/v1/coop-funds/{theirs}"))
        .header("if-none-match", shown.header("etag").unwrap())
        .send();
    assert_eq!(again.status, 304);
    // A partner without earnings has none.
    let third = story.operator.post("/v1/partners", partner(3, "direct_bill")).send().ok().id();
    assert!(story.list(&format!("/v1/coop-funds?partner_id={third}")).is_empty());
}

/// An amount as people write it, in cents.
fn cents(amount: &str) -> i64 {
    amount.replace(['.', ','], "").replace('\u{2212}', "-").parse().unwrap()
}

/// The records behind a part of a remittance, summed up.
fn behind(story: &Story<'_>, part: &Value) -> i64 {
    let path = text(&part["records"]);
    let sum = |items: Vec<Value>, name: &str| -> i64 {
        items.iter().map(|item| cents(item[name]["amount"].as_str().unwrap())).sum()
    };
    match part["kind"].as_str().unwrap() {
        "earning" => sum(story.list(&path), "rebate"),
        "adjustment" => sum(vec![story.operator.get(&path).send().ok().body], "amount"),
        _ => sum(story.list(&path), "converted"),
    }
}

#[test]
fn p4_a_remittance_of_converted_co_op_names_every_part_and_the_parts_sum_to_gross() {
    let world = World::new();
    let story = quarter(&world);
    let checker = world.another_operator();
    world.on("2018-12-20");
    story.sale("1", "2018-12-10", "60000.00");
    story.sale("2", "2018-12-11", "39999.90");
    close(&story, &["2018-12"], "2019-01-04");
    world.on("2019-01-20");
    story.sale("3", "2019-01-10", "1000.00");
    story.calculate();
    let proposal = json!({
        "enrollment_id": story.enrollment, "amount": usd("12.34"), "earned_in": "2018-12",
        "reason_code": "goodwill", "comment": "For the delay",
    });
    let proposed = story.operator.post("/v1/adjustments", proposal).send().ok().id();
    checker.post(&format!("/v1/adjustments/{proposed}/approval"), json!({})).send().ok();
    close(&story, &["2019-01"], "2019-02-04");
    let run = story.operator.post("/v1/payment-runs", json!({"month": "2019-01"})).send().ok();
    checker.post(&format!("/v1/payment-runs/{}/approval", run.id()), json!({})).send().ok();
    let payment = story.list(&format!("/v1/payments?run_id={}", run.id())).remove(0);
    let path = format!("/v1/payments/{}/remittance", text(&payment["id"]));
    let remittance = story.operator.get(&path).send().ok();
    let lines = remittance["lines"].as_array().unwrap();
    let parts: Vec<&Value> = lines.iter().flat_map(|line| line["parts"].as_array().unwrap()).collect();
    let kinds: Vec<String> = parts.iter().map(|part| text(&part["kind"])).collect();
    assert_eq!(kinds, ["earning", "earning", "adjustment", "coop_conversion"], "{remittance}");
    assert_eq!(parts[3]["amount"], usd("9999.99"));
    let gross = cents(remittance["gross"]["amount"].as_str().unwrap());
    let amount = |value: &Value| cents(value["amount"]["amount"].as_str().unwrap());
    assert_eq!(parts.iter().map(|part| amount(part)).sum::<i64>(), gross);
    for line in lines {
        let of_line = line["parts"].as_array().unwrap();
        assert_eq!(of_line.iter().map(amount).sum::<i64>(), amount(line), "{line}");
    }
    // Each part is the sum of the records that it names, down to the sales.
    for part in &parts {
        assert_eq!(behind(&story, part), amount(part), "{part}");
    }
    let sales: Vec<Value> = story.list(&text(&parts[0]["records"]));
    assert_eq!(sales.len(), 2);
    assert!(sales.iter().all(|earning| earning["purchase_id"].is_string()), "{sales:?}");
    // The table and the page say the same.
    let table = story.operator.get(&path).header("accept", "text/csv").send().ok();
    let table = String::from_utf8(table.bytes).unwrap();
    let rows = table.lines().filter(|row| row.starts_with("line,"));
    assert_eq!(rows.map(|row| cents(row.rsplit(',').next().unwrap())).sum::<i64>(), gross, "{table}");
    for (language, words) in
        [("en", "Co-op below the threshold, now rebate"), ("ja", "リベートに振り替えた Co-op")]
    {
        let page =
            story.operator.get(&path).header("accept", "text/html").header("accept-language", language);
        let page = String::from_utf8(page.send().ok().bytes).unwrap();
        assert!(page.contains(words), "{page}");
        let cells = page.split("<td class=\"n\">").skip(1).map(|cell| cents(cell.split('<').next().unwrap()));
        assert_eq!(cells.take(parts.len()).sum::<i64>(), gross, "{page}");
    }
    story.verify();
}
