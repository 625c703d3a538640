//! The rates of withheld tax, and which of them holds for a partner.

use crate::{
    suite::{partners::partner, profiles::vat},
    support::{Client, World},
};
use partner_incentives::{
    payouts::withholding,
    platform::values::{CalendarDate, Id},
};
use serde_json::{Value, json};

fn treaty(valid_from: &str, rate: &str) -> Value {
    json!({
        "payee_country": "DE", "form_state": "vat", "earning": "co_op", "kind": "treaty", "rate": rate,
        "valid_from": valid_from
    })
}

#[test]
fn a_rate_is_added_and_ends_the_one_before() {
    let world = World::new();
    let operator = world.operator();
    let first = operator.post("/v1/withholding-rates", treaty("2018-07-01", "0.1")).send().ok();
    let path = format!("/v1/withholding-rates/{}", first.id());
    assert_eq!((first.status, first.header("location")), (201, Some(&*path)));
    assert_eq!((&first["rate"], &first["valid_to"]), (&json!("0.1"), &Value::Null));
    let refused = operator.post("/v1/withholding-rates", treaty("2018-07-01", "0.05")).send();
    assert_eq!(refused.refused(409, "withholding_rate_earlier")["valid_from"], "2018-07-01");
    let next = operator.post("/v1/withholding-rates", treaty("2019-01-01", "0.05")).send().ok();
    let ended = operator.get(&path).send().ok();
    assert_eq!((&ended["valid_to"], &ended["rate"]), (&json!("2018-12-31"), &json!("0.1")));
    assert_ne!(ended.etag(), first.etag());
    let on = |day: &str| -> Vec<Value> {
        let page =
            operator.get("/v1/withholding-rates").query("payee_country", "DE").query("on", day).send().ok();
        page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect()
    };
    assert_eq!(on("2018-06-30"), Vec::<Value>::new());
    assert_eq!((on("2018-12-31"), on("2019-01-01")), (vec![first["id"].clone()], vec![next["id"].clone()]));
    let faults = |body: Value| {
        let refused = operator.post("/v1/withholding-rates", body).send().refused(422, "invalid");
        refused["errors"].as_array().unwrap().iter().map(|fault| fault["code"].clone()).collect::<Vec<_>>()
    };
    let mut nothing = treaty("2018-06-30", "0.1");
    nothing["kind"] = json!("none");
    assert_eq!(faults(nothing), ["nothing_withheld", "in_the_past"]);
    let mut statutory = treaty("2018-07-02", "0");
    statutory["kind"] = json!("statutory");
    assert_eq!(faults(statutory), ["rate_missing"]);
    let events = world.auditor().get("/v1/audit-events").query("resource_id", first.id()).send().ok();
    assert_eq!(events["items"].as_array().unwrap().len(), 2, "added, and ended");
    let id = operator.post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    world.auditor().get("/v1/withholding-rates").send().ok();
    world
        .auditor()
        .post("/v1/withholding-rates", treaty("2020-01-01", "0.1"))
        .send()
        .refused(403, "forbidden");
    world.admin_of(&id).get("/v1/withholding-rates").send().refused(403, "forbidden");
}

#[test]
fn of_rates_that_are_added_at_once_each_begins_after_the_one_before() {
    let world = World::new();
    let operator = world.operator();
    operator.post("/v1/withholding-rates", treaty("2018-07-01", "0.1")).send().ok();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let adding: Vec<_> = (1..=6)
            .map(|n| {
                let (operator, body) = (operator.clone(), treaty(&format!("2019-0{n}-01"), "0.05"));
                scope.spawn(move || operator.post("/v1/withholding-rates", body).send().status)
            })
            .collect();
        adding.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    let page = operator.get("/v1/withholding-rates").query("payee_country", "DE").send().ok();
    let rates = page["items"].as_array().unwrap();
    assert_eq!(rates.len(), 1 + statuses.iter().filter(|status| **status == 201).count());
    let mut days: Vec<(String, Value)> = rates
        .iter()
        .map(|rate| (rate["valid_from"].as_str().unwrap().to_owned(), rate["valid_to"].clone()))
        .collect();
    days.sort_by(|one, other| one.0.cmp(&other.0));
    for pair in days.windows(2) {
        let next: CalendarDate = pair[1].0.parse().unwrap();
        assert_eq!(pair[0].1, json!(next.plus_days(-1)), "{days:?}");
    }
    assert_eq!(days.last().unwrap().1, Value::Null);
}

#[test]
fn what_is_withheld_of_a_partner_follows_its_form_and_the_answer_about_its_number() {
    let world = World::new();
    let operator = world.operator();
    let of_country = |n: u32, country: &str| -> (Id, Client, String) {
        let mut body = partner(n, "direct_bill");
        body["country"] = json!(country);
        let id = operator.post("/v1/partners", body).send().ok().id();
        let path = format!("/v1/partners/{id}/tax-profile");
        (id.parse().unwrap(), world.admin_of(&id), path)
    };
    let (us, american, us_path) = of_country(1, "US");
    let (de, german, de_path) = of_country(2, "DE");
    let withheld = |day: &str| -> Vec<String> {
        let day: CalendarDate = day.parse().unwrap();
        let all = world.service.app.read_as_system(|tx| withholding::of(tx, &[us, de], day)).unwrap();
        [us, de]
            .map(|id| format!("{} {} {}", all[&id].rebate.kind, all[&id].rebate.rate, all[&id].co_op.rate))
            .into()
    };
    assert_eq!(withheld("2018-07-01"), ["statutory 0.3 0.3", "none 0 0"], "nothing is filed");
    let w9 = json!({"form": "w9", "tax_country": "US", "tax_id": "12-3456789", "signed_on": "2018-01-15"});
    american.put(&us_path, w9).send().ok();
    german.put(&de_path, vat("DE123456789")).send().ok();
    assert_eq!(withheld("2018-07-01"), ["statutory 0.3 0.3", "none 0 0"], "nothing is approved");
    for path in [&us_path, &de_path] {
        operator.post(&format!("{path}/approval"), json!({})).send().ok();
    }
    assert_eq!(withheld("2018-07-01"), ["backup 0.24 0.24", "none 0 0"]);
    operator.put(&format!("{us_path}/tin-status"), json!({"tin_status": "matched"})).send().ok();
    operator.post("/v1/withholding-rates", treaty("2018-08-01", "0.1")).send().ok();
    assert_eq!(withheld("2018-07-31"), ["none 0 0", "none 0 0"]);
    assert_eq!(withheld("2018-08-01"), ["none 0 0", "none 0 0.1"], "the country's own rate, for co-op alone");
    operator.put(&format!("{us_path}/tin-status"), json!({"tin_status": "mismatched"})).send().ok();
    assert_eq!(withheld("2018-08-01"), ["backup 0.24 0.24", "none 0 0.1"]);
}
