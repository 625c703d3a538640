//! What a body says, however a client writes the body: members, numbers, texts, and changes of nothing.

use super::{
    calculation::{flat, version},
    coop_claims::Claimant,
    partners::partner,
    payer_accounts::payer,
};
use crate::support::{Client, World};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use partner_incentives::app;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A record for each address that takes changes: the address as the contract writes it, and the record's.
fn changeable(world: &World) -> BTreeMap<String, String> {
    let operator = world.operator();
    let mut records = BTreeMap::from([("/v1/me".to_owned(), "/v1/me".to_owned())]);
    let mut make = |collection: &str, body: Value| {
        let id = operator.post(collection, body).send().ok().id();
        records.insert(format!("{collection}/{{id}}"), format!("{collection}/{id}"));
        id
    };
    make("/v1/users", json!({"email": "noor@programme.example", "name": "Noor", "role": "auditor"}));
    make("/v1/api-clients", json!({"name": "Warehouse", "role": "auditor", "scopes": ["partners:read"]}));
    make("/v1/competencies", json!({"code": "quantum", "name": "Quantum Computing"}));
    make("/v1/payer-accounts", payer());
    let provider = operator.post("/v1/partners", partner(1, "indirect_provider")).send().ok().id();
    let seller = make("/v1/partners", partner(2, "direct_bill"));
    let papers = [("mpn", &seller), ("distributor", &provider), ("reseller", &seller)];
    for (number, (kind, partner)) in papers.into_iter().enumerate() {
        let mut paper = json!({
            "partner_id": partner, "agreement_number": format!("P-{number}"), "signed_by": "Ada",
            "signed_on": "2018-07-01", "effective_on": "2018-07-01", "expires_on": null,
        });
        if kind == "mpn" {
            paper["membership_level"] = json!("gold");
        } else {
            paper["region"] = json!("EMEA");
        }
        make(&format!("/v1/{kind}-agreements"), paper);
    }
    let program = json!({"code": "rewards", "name": "Rewards", "partner_types": ["direct_bill"]});
    make("/v1/programs", program);
    operator.post("/v1/programs/rewards/versions", version(&json!([flat("core", "0.10")]))).send().ok();
    let (address, record) = ("/v1/programs/{id}/versions/{version}", "/v1/programs/rewards/versions/1");
    records.insert(address.to_owned(), record.to_owned());
    records
}

#[test]
fn a_change_without_a_member_changes_nothing_whatever_the_record() {
    let world = World::new();
    let records = changeable(&world);
    let document = app::document();
    let take_changes =
        document["paths"].as_object().unwrap().iter().filter(|(_, item)| item.get("patch").is_some());
    let known: Vec<&String> = take_changes
        .map(|(path, _)| path)
        .filter(|path| !records.contains_key(*path) && !OF_PARTNERS.contains(&path.as_str()))
        .collect();
    assert!(known.is_empty(), "a record for each of {known:?}");
    let operator = world.operator();
    for record in records.values() {
        nothing_changes(&operator, &operator, record);
    }
}

/// The addresses whose records a partner's people change, not an operator.
const OF_PARTNERS: [&str; 2] = ["/v1/coop-claims/{id}", "/v1/coop-plans/{id}"];

#[test]
fn a_change_of_a_claim_or_plan_without_a_member_changes_nothing() {
    let world = World::new();
    let claimant = Claimant::new(&world);
    let draft = claimant.draft("website-search", &["10.00"]).ok().id();
    nothing_changes(&claimant.admin, &claimant.story.operator, &format!("/v1/coop-claims/{draft}"));
    let plan = claimant.admin.post("/v1/coop-plans", json!({"fund_id": claimant.fund})).send().ok().id();
    nothing_changes(&claimant.admin, &claimant.story.operator, &format!("/v1/coop-plans/{plan}"));
}

fn nothing_changes(client: &Client, operator: &Client, record: &str) {
    let events =
        || operator.get("/v1/audit-events").query("include_total", true).send().ok()["total"].clone();
    let (before, told) = (client.get(record).send().ok(), events());
    let after = client.patch(record, json!({})).if_match(&before.etag()).send().ok();
    assert_eq!((after.etag(), &after.body), (before.etag(), &before.body), "{record}");
    assert_eq!(events(), told, "{record}: nothing happened");
    client.patch(record, json!({})).if_match("\"99\"").send().refused(412, "precondition_failed");
}

#[test]
fn a_whole_number_is_an_integer_however_a_client_writes_the_number() {
    let world = World::new();
    let operator = world.operator();
    let mut body = version(&json!([flat("core", "0.10")])).to_string();
    let program = json!({"code": "rewards", "name": "Rewards", "partner_types": ["direct_bill"]});
    operator.post("/v1/programs", program).send().ok();
    body = body.replace("\"program_year\":2019", "\"program_year\":2019.0");
    let made =
        operator.ask("POST", "/v1/programs/rewards/versions").bytes("application/json", body).send().ok();
    assert_eq!(made["program_year"], 2019);
}

#[test]
fn a_repeat_is_known_in_whatever_order_its_members_stand() {
    let world = World::new();
    let operator = world.operator();
    let body = partner(1, "direct_bill");
    let members = body.as_object().unwrap();
    let turned: serde_json::Map<String, Value> = members.clone().into_iter().rev().collect();
    assert_ne!(body.to_string(), Value::Object(turned.clone()).to_string());
    let first = operator.post("/v1/partners", body).key("k-1").send().ok();
    let again = operator.post("/v1/partners", Value::Object(turned)).key("k-1").send().ok();
    assert_eq!((first.id(), again.header("idempotent-replayed")), (again.id(), Some("true")));
}

#[test]
fn a_name_that_nobody_can_see_is_refused() {
    let world = World::new();
    let operator = world.operator();
    for name in ["\u{200b}", "Contoso\u{200b}", "\u{feff}Contoso", "\u{3164}", "\u{2800}\u{2800}"] {
        let mut body = partner(1, "direct_bill");
        body["legal_name"] = json!(name);
        let refused = operator.post("/v1/partners", body).send().refused(422, "invalid");
        let told = json!({"pointer": "/legal_name", "code": "invisible_character"});
        let is_told = |fault: &Value| ["pointer", "code"].iter().all(|name| fault[*name] == told[*name]);
        assert!(refused["errors"].as_array().unwrap().iter().any(is_told), "{name:?}: {}", refused.body);
    }
    // Inside a text such characters join and part letters, as in Persian names and family emoji.
    let mut body = partner(1, "direct_bill");
    body["legal_name"] = json!("نرم\u{200c}افزار 👩\u{200d}💻");
    operator.post("/v1/partners", body).send().ok();
}

#[test]
fn a_cursor_that_no_page_gave_is_refused() {
    let world = World::new();
    let operator = world.operator();
    for n in 0..3 {
        operator.post("/v1/partners", partner(n, "direct_bill")).send().ok();
    }
    let sorted = || operator.get("/v1/partners").query("sort", "legal_name").query("limit", 1);
    let page = sorted().send().ok();
    let cursor = BASE64_URL_SAFE_NO_PAD.decode(page["next_cursor"].as_str().unwrap()).unwrap();
    let mut inside: Value = serde_json::from_slice(&cursor).unwrap();
    inside["k"] = json!("a\0b");
    let forged = BASE64_URL_SAFE_NO_PAD.encode(inside.to_string());
    sorted().query("cursor", forged).send().refused(400, "invalid_cursor");
}

#[test]
fn somebody_else_s_account_is_never_not_modified() {
    let world = World::new();
    let (operator, auditor) = (world.operator(), world.auditor());
    let tag = operator.get("/v1/me").send().ok().etag();
    assert_eq!(operator.get("/v1/me").header("if-none-match", &tag).send().status, 304);
    let other = auditor.get("/v1/me").header("if-none-match", &tag).send().ok();
    assert_eq!(other["role"], "auditor");
}
