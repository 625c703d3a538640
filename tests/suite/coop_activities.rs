//! The catalogue of activities that co-op pays, and the business days of a program.

use crate::{
    suite::calculation::{flat, text, version},
    support::World,
};
use serde_json::json;

#[test]
fn founding_programs_ship_the_whole_catalogue_in_both_languages() {
    let world = World::new();
    let operator = world.operator();
    let listed = operator.get("/v1/coop-activities").query("program", "csp-direct-bill").send().ok();
    let items = listed["items"].as_array().unwrap();
    let codes: Vec<String> = items.iter().map(|item| text(&item["code"])).collect();
    assert_eq!(
        codes,
        [
            "print-advertising",
            "digital-advertising",
            "direct-mail-email-sms",
            "website-search",
            "syndicated-content",
            "multi-touch-campaign",
            "telemarketing",
            "customer-seminar",
            "tradeshow",
            "customer-offer",
            "internal-incentive",
            "on-site-champ",
            "proof-of-concept",
            "program-membership",
            "exams-tuition",
            "internal-training",
            "hosted-conference",
            "demo-units"
        ]
    );
    assert_eq!((&items[0]["limit"], &items[0]["version"]), (&json!(null), &json!(1)));
    assert_eq!(items[3]["proofs"], json!([{"any_of": ["web_address", "screenshot"]}]));
    assert_eq!(
        items[4]["limit"],
        json!({"type": "amount", "amount": {"amount": "18750.00", "currency": "USD"}})
    );
    assert_eq!(items[7]["title"], "Customer seminar");
    let japanese = operator.get("/v1/coop-activities").header("accept-language", "ja").send().ok();
    assert_eq!(japanese["items"].as_array().unwrap().len(), 3 * 18, "three founding programs");
    assert_eq!(japanese["items"][7]["title"], "顧客向けセミナー");
    assert_eq!(operator.get("/v1/coop-activities?program=none").send().status, 404);
    let before = operator.get("/v1/coop-activities?on=2017-01-01").send().ok();
    assert_eq!(before["items"], json!([]));
}

#[test]
fn a_version_has_activities_of_its_own_that_are_looked_at_first() {
    let world = World::new();
    let operator = world.operator();
    let program = json!({"code": "rewards", "name": "Rewards", "partner_types": ["direct_bill"]});
    operator.post("/v1/programs", program).send().ok();
    let activity = |code: &str, amount: &str| {
        json!({
            "code": code, "name": {"en": "Billboard", "ja": "看板"},
            "limit": {"type": "amount", "amount": {"amount": amount, "currency": "USD"}},
            "proofs": [{"any_of": ["photo"]}], "metric": "views",
        })
    };
    let mut new = version(&json!([flat("core", "0.08")]));
    new["coop_activities"] = json!([activity("billboard", "0.00"), activity("billboard", "10.00")]);
    let refused = operator.post("/v1/programs/rewards/versions", new.clone()).send();
    let pointers: Vec<String> =
        refused["errors"].as_array().unwrap().iter().map(|error| text(&error["pointer"])).collect();
    assert_eq!((refused.status, pointers.len()), (422, 2), "{refused}");
    assert!(pointers.contains(&"/coop_activities/0/limit".into()), "{refused}");
    assert!(pointers.contains(&"/coop_activities/1/code".into()), "{refused}");
    new["coop_activities"] = json!([activity("billboard", "10.00")]);
    let made = operator.post("/v1/programs/rewards/versions", new).send().ok();
    assert_eq!(made["coop_activities"].as_array().unwrap().len(), 1);
    let path = "/v1/programs/rewards/versions/1";
    let change = json!({"coop_activities": [activity("poster", "20.00")]});
    operator.patch(path, change).if_match("*").send().ok();
    operator.post(&format!("{path}/publication"), json!({})).if_match("*").send().ok();
    let listed = operator.get("/v1/coop-activities?program=rewards").send().ok();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&listed["items"][0]["code"], &listed["items"][0]["metric"]),
        (&json!("poster"), &json!("views"))
    );
}

#[test]
fn a_program_lists_its_holidays_in_order_and_once() {
    let world = World::new();
    let operator = world.operator();
    let path = "/v1/programs/csp-direct-bill";
    assert_eq!(operator.get(path).send().ok()["holidays"], json!([]));
    let change = json!({"holidays": ["2019-01-01", "2018-12-25", "2019-01-01"]});
    let changed = operator.patch(path, change).if_match("*").send().ok();
    assert_eq!(changed["holidays"], json!(["2018-12-25", "2019-01-01"]));
    assert_eq!(changed["coop_audit_size"], 5);
}
