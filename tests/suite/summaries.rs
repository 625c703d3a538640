//! Summaries: where a partner stands.

use crate::{
    suite::calculation::{Story, flat},
    support::{Answer, World},
};
use serde_json::{Value, json};

fn summary(story: &Story<'_>) -> Answer {
    story.operator.get(&format!("/v1/partners/{}/summary", story.partner)).send().ok()
}

fn usd(amount: &str) -> Value {
    json!({"amount": amount, "currency": "USD"})
}

fn levers() -> Value {
    let tier = |from: &str, rate: &str| json!({"from": usd(from), "rate": rate});
    let tiers = json!([tier("0.00", "0.02"), tier("50000.00", "0.04"), tier("150000.00", "0.06")]);
    let mut each = flat("each", "0.10");
    each["cap"] = json!({"scope": "customer", "amount": usd("4000.00")});
    let mut all = flat("all", "0.01");
    all["cap"] = json!({"scope": "partner", "amount": usd("500.00")});
    json!([
        {"type": "core", "code": "core", "name": "Core", "grain": "month",
         "scale": {"type": "retroactive", "period": "half_year", "tiers": tiers}},
        each,
        all,
    ])
}

#[test]
fn a_summary_says_what_is_earned_what_is_left_and_what_is_next() {
    let world = World::new();
    let story = Story::new(&world, &levers());
    world.on("2018-07-20");
    let empty = summary(&story);
    assert_eq!((&empty["as_of"], &empty["calculation_pending"]), (&json!(null), &json!(true)));
    assert_eq!(empty["enrollments"][0]["this_year"], json!([]));
    for (n, (customer, amount)) in
        [("C-1", "30000.00"), ("C-2", "9000.00"), ("C-3", "1000.00")].iter().enumerate()
    {
        let customer = json!({"customer": {"id": customer, "country": "DE"}});
        story.report(&n.to_string(), "2018-07-05", amount, &customer).ok();
    }
    assert_eq!(summary(&story)["calculation_pending"], true);
    story.calculate();
    let now = summary(&story);
    assert_eq!((&now["month"], &now["program_year"]), (&json!("2018-07"), &json!(2019)));
    assert_eq!(
        (&now["calculation_pending"], &now["as_of"]),
        (&json!(false), &json!("2018-07-20T12:00:00.000000Z"))
    );
    let one = &now["enrollments"][0];
    assert_eq!(
        (&one["enrollment"]["state"], &one["enrollment"]["id"]),
        (&json!("enrolled"), &json!(story.enrollment))
    );
    // 2 % of 40,000 and 10 % of it, and 1 %.
    let earned = json!({
        "rebate": usd("3120.00"), "coop": usd("2080.00"), "adjusted": usd("0.00"), "total": usd("5200.00"),
    });
    assert_eq!((&one["this_month"], &one["this_year"]), (&json!([earned]), &json!([earned])));
    assert_eq!(
        one["tiers"],
        json!([{
            "lever": "core", "name": "Core", "period": "half_year", "period_from": "2018-07-01",
            "volume": usd("40000.00"), "rate": "0.02",
            "next": {"from": usd("50000.00"), "missing": usd("10000.00"), "rate": "0.04"},
        }])
    );
    let used = |customer: &str, used: &str, left: &str| json!({"customer_id": customer, "used": usd(used), "left": usd(left)});
    assert_eq!(
        one["caps"],
        json!([
            {"lever": "each", "name": "each", "scope": "customer", "amount": usd("4000.00"), "used": null, "left": null,
             "customers": [used("C-1", "3000.00", "1000.00"), used("C-2", "900.00", "3100.00"), used("C-3", "100.00", "3900.00")]},
            {"lever": "all", "name": "all", "scope": "partner", "amount": usd("500.00"),
             "used": usd("400.00"), "left": usd("100.00"), "customers": []},
        ])
    );
    assert_eq!(
        one["next_payment"],
        json!([{
            "payable": usd("0.00"), "paid_in": "2018-07", "accruing": usd("3120.00"), "accruing_from": "2018-08-01",
            "in_payment": usd("0.00"), "threshold": usd("200.00"), "missing": null,
            "reason": null, "on_hold": [], "loss": null,
        }])
    );
    // The next half-year begins at nothing; what was earned in July is of the year and not of the month.
    world.on("2019-01-10");
    let later = summary(&story);
    let later = &later["enrollments"][0];
    assert_eq!((&later["this_month"], &later["this_year"]), (&json!([]), &json!([earned])));
    assert_eq!(later["tiers"][0]["volume"], usd("0.00"));
    story.verify();
}

#[test]
fn the_next_payment_says_what_is_missing_and_what_waits() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.08")]));
    world.on("2018-08-01");
    story.sale("1", "2018-07-05", "2500.00");
    story.calculate();
    story.close("2018-07").ok();
    let next = || summary(&story)["enrollments"][0]["next_payment"].clone();
    assert_eq!(
        next(),
        json!([{
            "payable": usd("120.00"), "paid_in": "2018-08", "accruing": usd("0.00"), "accruing_from": null,
            "in_payment": usd("0.00"), "threshold": usd("200.00"), "missing": usd("80.00"),
            "reason": "below_payment_threshold", "on_hold": [], "loss": null,
        }])
    );
    let rebate = story.list("/v1/rebates")[0]["id"].as_str().unwrap().to_owned();
    let because = json!({"reason": "Figures are being clarified"});
    story.operator.post(&format!("/v1/rebates/{rebate}/hold"), because).send().ok();
    let now = next();
    assert_eq!((&now[0]["payable"], &now[0]["missing"]), (&usd("0.00"), &json!(null)));
    let hold = &now[0]["on_hold"][0];
    assert_eq!(
        (&hold["reason"], &hold["amount"], &hold["since"]),
        (&json!("held_by_operator"), &usd("120.00"), &json!("2018-08-01"))
    );
    // Years later it still waits, and is still told.
    world.on("2021-02-01");
    assert_eq!(next()[0]["on_hold"][0]["amount"], usd("120.00"));
}

#[test]
fn a_summary_tells_what_lapses_and_what_is_to_be_done() {
    let world = World::new();
    let case = crate::suite::enrollments::eligible_direct_bill(&world, 1);
    world.on("2018-11-01");
    let (admin, viewer) = (world.admin_of(&case.id), world.viewer_of(&case.id));
    case.ask(&admin, "csp-direct-bill").ok();
    let path = format!("/v1/partners/{}/summary", case.id);
    let (full, less) = (admin.get(&path).send().ok(), viewer.get(&path).send().ok());
    assert!(!full["enrollments"][0]["enrollment"]["next_actions"].as_array().unwrap().is_empty());
    assert_eq!(less["enrollments"][0]["enrollment"]["next_actions"], json!([]));
    assert_eq!(full["enrollments"][0]["lapse"], json!(null));
    world.on("2019-05-20");
    let lapse = admin.get(&path).send().ok()["enrollments"][0]["lapse"].clone();
    assert!(lapse["firm_until"].is_string() && !lapse["lapsing"].as_array().unwrap().is_empty(), "{lapse}");
}
