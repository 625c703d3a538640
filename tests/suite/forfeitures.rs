//! Forfeitures: what nobody can pay is announced, averted or lost, and every figure tells so.

use crate::{
    suite::{
        calculation::{Story, text},
        payments::{Payer, following, triple, usd},
        profiles,
    },
    support::{Client, World, statements::behind_the_service},
};
use diesel::{RunQueryDsl, sql_query};
use partner_incentives::{
    access::Unaudited,
    operations::{
        jobs::{JobRunState, refresh},
        verify,
    },
};
use serde_json::{Value, json};

fn refresh_on(world: &World, day: &str) {
    world.on(day);
    let run = refresh::run_now(&world.service.app, |_| ()).unwrap();
    assert_eq!(run.state, JobRunState::Succeeded, "{:?}", run.error);
}

fn told(client: &Client, kind: &str) -> usize {
    let told = client.get("/v1/notifications?limit=200").send().ok();
    told["items"].as_array().unwrap().iter().filter(|notice| notice["kind"] == kind).count()
}

fn rebates(story: &Story<'_>) -> Vec<(String, String, String)> {
    let rebates = story.list(&format!("/v1/rebates?partner_id={}", story.partner));
    let told = |rebate: &Value| {
        triple(&text(&rebate["posted_in"]), &text(&rebate["amount"]["amount"]), &text(&rebate["state"]))
    };
    rebates.iter().map(told).collect()
}

/// What the summary says is about to be lost.
fn loss(client: &Client, story: &Story<'_>) -> Value {
    let summary = client.get(&format!("/v1/partners/{}/summary", story.partner)).send().ok();
    summary["enrollments"][0]["next_payment"][0]["loss"].clone()
}

fn balance(client: &Client, story: &Story<'_>, month: &str) -> Value {
    let statement = client.get(&format!("/v1/partners/{}/statements/{month}", story.partner)).send().ok();
    statement["programs"][0]["balances"][0].clone()
}

#[test]
fn what_waits_for_a_profile_for_over_180_days_is_announced_and_then_lost() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    let careful = payer.story.another(2);
    world.on("2018-07-20");
    payer.story.sale("1", "2018-07-10", "5000.00");
    careful.sale("2", "2018-07-10", "3000.00");
    payer.close("2018-07");
    for story in [&payer.story, &careful] {
        let rejection = format!("/v1/partners/{}/tax-profile/rejection", story.partner);
        payer.maker.post(&rejection, json!({"reason": "Not signed"})).send().ok();
    }
    let (admin, other) = (world.admin_of(&payer.story.partner), world.admin_of(&careful.partner));
    refresh_on(&world, "2018-12-31");
    assert_eq!((told(&admin, "forfeiture_announced"), loss(&admin, &payer.story)), (0, Value::Null));
    refresh_on(&world, "2019-01-01");
    refresh_on(&world, "2019-01-02");
    let announced = [told(&admin, "forfeiture_announced"), told(&other, "forfeiture_announced")];
    assert_eq!(announced, [1, 1], "each is told once");
    let loss_of = loss(&admin, &payer.story);
    assert_eq!(
        (&loss_of["cause"], &loss_of["amount"], &loss_of["forfeits_on"]),
        (&json!("held_too_long"), &usd("500.00"), &json!("2019-01-31"))
    );
    let open = balance(&admin, &payer.story, "2018-08");
    assert_eq!((&open["to_be_lost"], &open["lost_from"]), (&usd("500.00"), &json!("2019-01-31")));
    // One partner files anew, and loses nothing.
    profiles::are_filed(&other, &careful.partner);
    let approval = format!("/v1/partners/{}/tax-profile/approval", careful.partner);
    payer.maker.post(&approval, json!({})).send().ok();
    refresh_on(&world, "2019-01-30");
    assert_eq!(rebates(&payer.story)[0].2, "on_hold");
    refresh_on(&world, "2019-01-31");
    assert_eq!(rebates(&payer.story), [triple("2018-07", "500.00", "forfeited")]);
    assert_eq!(rebates(&careful), [triple("2018-07", "300.00", "payable")]);
    assert_eq!((told(&admin, "rebate_forfeited"), told(&other, "rebate_forfeited")), (1, 0));
    assert_eq!((loss(&other, &careful), loss(&admin, &payer.story)), (Value::Null, Value::Null));
    let lost = balance(&admin, &payer.story, "2018-08");
    assert_eq!(
        (&lost["carried_in"], &lost["forfeited"], &lost["carried_out"]),
        (&usd("500.00"), &usd("500.00"), &usd("0.00"))
    );
    let table = format!("/v1/partners/{}/statements/2018-08", payer.story.partner);
    let table = admin.get(&table).header("accept", "text/csv").send().ok();
    let table = String::from_utf8(table.bytes).unwrap();
    assert!(table.lines().any(|row| row.starts_with("forfeited,") && row.ends_with(",500.00")), "{table}");
    refresh_on(&world, "2019-02-01");
    assert_eq!(told(&admin, "rebate_forfeited"), 1, "a repeat takes nothing");
    payer.story.verify();
}

#[test]
fn what_is_below_the_threshold_when_the_year_has_ended_is_lost_once_its_last_month_is_closed() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    let late = payer.story.another(2);
    world.on("2018-07-20");
    payer.story.sale("1", "2018-07-10", "1500.00");
    late.sale("2", "2018-07-10", "1500.00");
    payer.close("2018-07");
    let (admin, other) = (world.admin_of(&payer.story.partner), world.admin_of(&late.partner));
    refresh_on(&world, "2019-05-30");
    assert_eq!(told(&admin, "forfeiture_announced"), 0);
    refresh_on(&world, "2019-05-31");
    let loss_of = loss(&admin, &payer.story);
    assert_eq!(
        (&loss_of["cause"], &loss_of["amount"], &loss_of["forfeits_on"]),
        (&json!("below_threshold"), &usd("150.00"), &json!("2019-07-01"))
    );
    assert_eq!([told(&admin, "forfeiture_announced"), told(&other, "forfeiture_announced")], [1, 1]);
    // The year is over, and its last month is open: sales may still come to light.
    refresh_on(&world, "2019-07-01");
    late.sale("3", "2019-06-20", "600.00");
    assert_eq!(rebates(&payer.story)[0].2, "payable");
    payer.story.calculate();
    world.on("2019-07-03");
    for month in 8..=18 {
        let month = format!("{}-{:02}", 2018 + (month - 1) / 12, (month - 1) % 12 + 1);
        payer.story.close(&month).ok();
    }
    assert_eq!(following("2019-06"), "2019-07-03");
    refresh_on(&world, "2019-07-03");
    assert_eq!(rebates(&payer.story), [triple("2018-07", "150.00", "forfeited")]);
    assert!(rebates(&late).iter().all(|(.., state)| state == "payable"), "{:?}", rebates(&late));
    assert_eq!([told(&admin, "rebate_forfeited"), told(&other, "rebate_forfeited")], [1, 0]);
    let run = payer.run("2019-06");
    assert_eq!((&run["totals"][0]["payments"], &run["totals"][0]["gross"]), (&json!(1), &usd("210.00")));
    let lost = balance(&admin, &payer.story, "2019-06");
    assert_eq!(lost["to_be_lost"], usd("150.00"), "the statement of the closed month stays as it was told");
    payer.story.verify();
}

#[test]
fn nothing_is_lost_that_was_not_announced() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    world.on("2018-07-20");
    payer.story.sale("1", "2018-07-10", "1500.00");
    payer.close("2018-07");
    let admin = world.admin_of(&payer.story.partner);
    refresh_on(&world, "2019-05-31");
    assert_eq!(told(&admin, "forfeiture_announced"), 1);
    // More of the year comes to light, and still less than the threshold.
    world.on("2019-06-20");
    payer.story.sale("2", "2019-06-10", "300.00");
    payer.story.calculate();
    world.on("2019-07-03");
    for month in 8..=18 {
        payer.story.close(&format!("{}-{:02}", 2018 + (month - 1) / 12, (month - 1) % 12 + 1)).ok();
    }
    refresh_on(&world, "2019-07-03");
    refresh_on(&world, "2019-07-04");
    assert_eq!(told(&admin, "forfeiture_announced"), 2, "the larger amount is announced, once");
    let loss_of = loss(&admin, &payer.story);
    assert_eq!(
        (&loss_of["amount"], &loss_of["forfeits_on"]),
        (&usd("180.00"), &json!("2019-08-02")),
        "{loss_of}"
    );
    refresh_on(&world, "2019-08-01");
    assert!(rebates(&payer.story).iter().all(|(.., state)| state == "payable"));
    refresh_on(&world, "2019-08-02");
    assert!(rebates(&payer.story).iter().all(|(.., state)| state == "forfeited"));
    payer.story.verify();
}

#[test]
fn a_forfeiture_that_was_changed_behind_the_service_s_back_is_found() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    payer.month("2018-07", &["5000.00"]);
    let rejection = format!("/v1/partners/{}/tax-profile/rejection", payer.story.partner);
    payer.maker.post(&rejection, json!({"reason": "Not signed"})).send().ok();
    refresh_on(&world, "2019-01-01");
    refresh_on(&world, "2019-01-31");
    let tamper = |tx: &mut partner_incentives::access::Tx<'_>| {
        tx.exempt_from_audit(Unaudited::NotPublished);
        behind_the_service(|| sql_query("UPDATE forfeitures SET amount = amount + 1").execute(tx.conn))?;
        Ok(())
    };
    payer.story.verify();
    world.service.app.write_as_system("Test", tamper).unwrap();
    let sums = world.service.app.read_as_system(verify::sums_of_payments).unwrap();
    let broken: Vec<&str> = sums.iter().filter(|sum| sum.difference.is_some()).map(|sum| sum.name).collect();
    assert_eq!(broken, ["the ledger lost what was announced"]);
}
