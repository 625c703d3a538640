//! The accounts that payments leave from.

use crate::{suite::partners::partner, support::World};
use partner_incentives::payouts::payer_accounts;
use serde_json::{Value, json};

/// An account of ours at a German bank.
pub fn payer() -> Value {
    json!({
        "name": "Euro payouts", "holder": "Vendor Europe GmbH", "account": "DE75512108001245126199",
        "bank_country": "DE", "currency": "EUR", "speaks_pain001": true,
        "address": {"country": "DE", "town": "Frankfurt"}
    })
}

/// An account of ours at an American bank, which has no IBAN.
pub fn payer_in_america() -> Value {
    json!({
        "name": "Dollar payouts", "holder": "Vendor Inc.", "account_number": "9988776655", "bank_country": "US",
        "routing": {"kind": "aba", "number": "021000021"}, "bic": "CHASUS33", "currency": "USD",
        "speaks_pain001": false, "address": {"country": "US", "town": "Seattle"}
    })
}

#[test]
fn an_account_is_recorded_changed_and_closed() {
    let world = World::new();
    let operator = world.operator();
    let made = operator.post("/v1/payer-accounts", payer()).send().ok();
    let path = format!("/v1/payer-accounts/{}", made.id());
    assert_eq!((made.status, made.header("location")), (201, Some(&*path)));
    assert_eq!((&made["account_masked"], &made["state"]), (&json!("****6199"), &json!("active")));
    let defaults = (&made["creditor_agent_without_bic"], &made["batch_booking"]);
    assert_eq!(defaults, (&json!("omit"), &json!(false)));
    let america = operator.post("/v1/payer-accounts", payer_in_america()).send().ok();
    assert_eq!(
        (&america["account_masked"], &america["routing"]["kind"]),
        (&json!("****6655"), &json!("aba"))
    );

    let change = json!({"name": "Euro", "batch_booking": true, "bic": "sogedeff", "creditor_agent_without_bic": "notprovided"});
    operator.patch(&path, change.clone()).send().refused(428, "precondition_required");
    let changed = operator.patch(&path, change.clone()).if_match(&made.etag()).send().ok();
    assert_eq!(
        (
            &changed["name"],
            &changed["bic"],
            &changed["batch_booking"],
            &changed["creditor_agent_without_bic"]
        ),
        (&json!("Euro"), &json!("SOGEDEFF"), &json!(true), &json!("notprovided"))
    );
    operator.patch(&path, change.clone()).if_match(&made.etag()).send().refused(412, "precondition_failed");
    let town = json!({"address": {"country": "DE"}, "bic": "BNPAFRPP"});
    let refused = operator.patch(&path, town).if_match("*").send().refused(422, "invalid");
    let codes: Vec<&Value> =
        refused["errors"].as_array().unwrap().iter().map(|fault| &fault["code"]).collect();
    assert_eq!(codes, ["bank_country_mismatch", "town_missing"]);
    let bare = operator.patch(&path, json!({"bic": null})).if_match("*").send().ok();
    assert_eq!((&bare["bic"], &bare["account_masked"]), (&Value::Null, &json!("****6199")));

    let of = |currency: &str| {
        let currency = currency.parse().unwrap();
        let found = world.service.app.read_as_system(|tx| payer_accounts::of_currency(tx, currency)).unwrap();
        found
            .into_iter()
            .map(|payer| payer.account.number().unwrap().for_the_bank().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (of("EUR"), of("USD")),
        (vec!["DE75512108001245126199".into()], vec!["9988776655".to_owned()])
    );
    let closed = operator.post(&format!("{path}/closure"), json!({"reason": "The bank is left"})).send().ok();
    assert_eq!((&closed["state"], &closed["allowed_transitions"]), (&json!("closed"), &json!([])));
    assert_eq!(of("EUR"), Vec::<String>::new());
    let again = json!({"reason": "The bank is left"});
    operator.post(&format!("{path}/closure"), again).send().refused(409, "transition_not_allowed");
    operator.patch(&path, change).if_match("*").send().refused(409, "transition_not_allowed");

    let listed = |name: &str, value: &str| {
        let page =
            operator.get("/v1/payer-accounts").query(name, value).query("include_total", true).send().ok();
        page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(listed("state", "active"), [america["id"].clone()]);
    assert_eq!(listed("state", "closed"), [made["id"].clone()]);
    assert_eq!(listed("currency", "USD"), [america["id"].clone()]);
    assert_eq!(operator.get(&path).send().ok().body, closed.body);
}

#[test]
fn an_account_that_no_file_can_name_is_refused_and_a_number_is_shown_to_nobody() {
    let world = World::new();
    let operator = world.operator();
    let mut wrong = payer();
    wrong["account"] = json!("DE75512108001245126198");
    wrong["holder"] = json!("株式会社");
    let refused = operator.post("/v1/payer-accounts", wrong).send().refused(422, "invalid");
    assert_eq!(refused["errors"].as_array().unwrap().len(), 2, "{refused}");
    let made = operator.post("/v1/payer-accounts", payer()).key("once").send().ok();
    let again = operator.post("/v1/payer-accounts", payer()).key("once").send().ok();
    assert_eq!(made.id(), again.id());
    let events = world.auditor().get("/v1/audit-events").query("resource_id", made.id()).send().ok();
    assert_eq!(events["items"][0]["after"]["account_masked"], "****6199");
    for answer in [&made, &again, &events] {
        assert!(!answer.body.to_string().contains("512108001245126199"), "{answer}");
    }
    let id = operator.post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    for person in [world.admin_of(&id), world.viewer_of(&id)] {
        person.get("/v1/payer-accounts").send().refused(403, "forbidden");
        person.get(&format!("/v1/payer-accounts/{}", made.id())).send().refused(403, "forbidden");
    }
    world.auditor().post("/v1/payer-accounts", payer()).send().refused(403, "forbidden");
}
