//! API clients: what machines may do, how long, and with which secret.

use crate::{
    suite::partners::partner,
    support::{Answer, Client, World},
};
use partner_incentives::{access::policy, app};
use serde_json::{Value, json};

/// A new client: its id and its secret.
fn client(world: &World, role: &str, partner: Option<&str>, scopes: &[&str]) -> (String, String) {
    let mut body = json!({"name": "Warehouse", "role": role, "scopes": scopes});
    if let Some(partner) = partner {
        body["partner_id"] = json!(partner);
    }
    let made = world.operator().post("/v1/api-clients", body).send().ok();
    (made.id(), secret_of(&made))
}

fn secret_of(made: &Answer) -> String {
    made["client_secret"].as_str().expect("a secret").to_owned()
}

/// What the client gets for its secret.
fn knock(world: &World, id: &str, secret: &str) -> Answer {
    let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    super::oauth::form(&world.nobody(), "/v1/auth/token", &form)
}

/// The client, with an access token.
fn inside(world: &World, (id, secret): &(String, String)) -> Client {
    let granted = knock(world, id, secret).ok();
    world.nobody().with_token(granted["access_token"].as_str().expect("a token"))
}

#[test]
fn a_client_with_one_scope_can_do_just_that() {
    let world = World::new();
    world.operator().post("/v1/partners", partner(1, "direct_bill")).send().ok();
    let machine = inside(&world, &client(&world, "operator", None, &["partners:read"]));
    assert_eq!(machine.get("/v1/partners").send().ok()["items"].as_array().unwrap().len(), 1);
    let contract = app::contract();
    let (mut open, mut closed, mut for_people) = (0, 0, 0);
    for operation in contract.operations() {
        let Some(roles) = operation.object["x-roles"].as_array() else { continue };
        let rule = policy::rule_of(operation.object["operationId"].as_str().unwrap()).unwrap();
        if rule.without_scope || !roles.iter().any(|role| role == "operator") {
            continue;
        }
        let path = operation.path.replace("{id}", "01936f2e-4b00-7000-8000-00000000dead");
        let path = path.replace("{version}", "1").replace("{code}", "nothing");
        let method = operation.method.to_uppercase();
        let answer = machine.ask(&method, &path).if_match("*").bytes("application/json", "{}").send();
        if operation.object["x-scope"] == "partners:read" {
            assert!(!matches!(answer.status, 401 | 403), "{answer}");
            open += 1;
        } else {
            let answer = answer.refused(403, "insufficient_scope");
            assert_eq!(answer["scope"], operation.object["x-scope"]);
            closed += 1;
            for_people += i32::from(answer["scope"] == Value::Null);
        }
    }
    assert!(open >= 2 && closed > 50 && for_people > 10, "{open} {closed} {for_people}");
}

#[test]
fn a_client_does_no_more_than_its_role_and_is_named_in_the_audit_trail() {
    let world = World::new();
    let scopes = ["audit:read", "partners:read", "partners:write"];
    let reader = inside(&world, &client(&world, "auditor", None, &scopes));
    reader.post("/v1/partners", partner(1, "direct_bill")).send().refused(403, "forbidden");
    let made = client(&world, "operator", None, &scopes);
    let writer = inside(&world, &made);
    let id = writer.post("/v1/partners", partner(1, "direct_bill")).key("one").send().ok().id();
    let again = writer.post("/v1/partners", partner(1, "direct_bill")).key("one").send().ok();
    assert_eq!(again.id(), id);
    let events = writer.get("/v1/audit-events").query("resource_id", &id).send().ok();
    let event = &events["items"][0];
    assert_eq!((&event["actor_role"], &event["actor_id"]), (&json!("api_client"), &json!(made.0)));
}

#[test]
fn a_partners_client_sees_what_the_partners_people_see() {
    let world = World::new();
    let operator = world.operator();
    let ours = operator.post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    let theirs = operator.post("/v1/partners", partner(2, "direct_bill")).send().ok().id();
    let machine = inside(&world, &client(&world, "viewer", Some(&ours), &["partners:read"]));
    machine.get(&format!("/v1/partners/{ours}")).send().ok();
    machine.get(&format!("/v1/partners/{theirs}")).send().refused(404, "not_found");
    assert_eq!(machine.get("/v1/partners").query("include_total", true).send().ok()["total"], 1);
    let wrong = [("viewer", None), ("operator", Some(&ours))];
    for (role, partner) in wrong {
        let mut body = json!({"name": "Wrong", "role": role, "scopes": ["partners:read"]});
        body["partner_id"] = json!(partner);
        let refusal = operator.post("/v1/api-clients", body).send().refused(422, "invalid");
        assert_eq!(refusal["errors"][0]["pointer"], "/partner_id");
    }
}

#[test]
fn a_replaced_secret_works_until_its_overlap_has_passed() {
    let world = World::new();
    let operator = world.operator();
    let (id, first) = client(&world, "auditor", None, &["partners:read"]);
    let path = format!("/v1/api-clients/{id}/secret-rotation");
    let second = secret_of(&operator.post(&path, json!({})).send().ok());
    for secret in [&first, &second] {
        knock(&world, &id, secret).ok();
    }
    // Two at most: a third one ends the first at once.
    let third = secret_of(&operator.post(&path, json!({"overlap_hours": 2})).send().ok());
    knock(&world, &id, &first).refused(401, "invalid_client");
    knock(&world, &id, &second).ok();
    world.clock.set("2018-07-01T14:00:00Z".parse().unwrap());
    knock(&world, &id, &second).refused(401, "invalid_client");
    knock(&world, &id, &third).ok();
    let fourth = secret_of(&operator.post(&path, json!({"overlap_hours": 0})).send().ok());
    knock(&world, &id, &third).refused(401, "invalid_client");
    knock(&world, &id, &fourth).ok();
    operator.post(&path, json!({"overlap_hours": 169})).send().refused(422, "invalid");
}

#[test]
fn a_revoked_client_is_out_at_once_and_for_good() {
    let world = World::new();
    let operator = world.operator();
    let (id, secret) = client(&world, "auditor", None, &["partners:read"]);
    let machine = inside(&world, &(id.clone(), secret.clone()));
    machine.get("/v1/partners").send().ok();
    let path = format!("/v1/api-clients/{id}");
    let because = json!({"reason": "the machine was sold"});
    operator.post(&format!("{path}/revocation"), because.clone()).send().ok();
    machine.get("/v1/partners").send().refused(401, "unauthenticated");
    knock(&world, &id, &secret).refused(401, "invalid_client");
    operator.post(&format!("{path}/revocation"), because).send().refused(409, "transition_not_allowed");
    operator
        .post(&format!("{path}/secret-rotation"), json!({}))
        .send()
        .refused(409, "transition_not_allowed");
    operator
        .patch(&path, json!({"name": "Again"}))
        .if_match("*")
        .send()
        .refused(409, "transition_not_allowed");
    let events = operator.get("/v1/audit-events").query("resource_id", &id).send().ok();
    let refused = &events["items"][0];
    assert_eq!(
        (&refused["operation"], &refused["actor_role"]),
        (&json!("clientCredentials"), &json!("nobody"))
    );
    assert!(!events.body.to_string().contains(&secret), "no secret in the trail");
}

#[test]
fn a_client_expires_and_less_scope_or_another_role_ends_its_tokens() {
    let world = World::new();
    let operator = world.operator();
    let (id, secret) = client(&world, "auditor", None, &["partners:read", "users:read"]);
    let path = format!("/v1/api-clients/{id}");
    let machine = inside(&world, &(id.clone(), secret.clone()));
    machine.get("/v1/users").send().ok();
    let change = |change: Value| operator.patch(&path, change).if_match("*").send();
    change(json!({"scopes": ["partners:read"]})).ok();
    machine.get("/v1/users").send().refused(401, "unauthenticated");
    let machine = inside(&world, &(id.clone(), secret.clone()));
    machine.get("/v1/users").send().refused(403, "insufficient_scope");
    change(json!({"role": "operator"})).ok();
    machine.get("/v1/partners").send().refused(401, "unauthenticated");
    change(json!({"role": "viewer"})).refused(422, "invalid");

    change(json!({"expires_at": "2018-07-01T12:00:00Z"})).refused(422, "invalid");
    change(json!({"expires_at": "2018-07-01T12:05:00Z"})).ok();
    let machine = inside(&world, &(id.clone(), secret.clone()));
    machine.get("/v1/partners").send().ok();
    world.clock.set("2018-07-01T12:05:00Z".parse().unwrap());
    machine.get("/v1/partners").send().refused(401, "unauthenticated");
    knock(&world, &id, &secret).refused(401, "invalid_client");
    change(json!({"expires_at": null})).ok();
    knock(&world, &id, &secret).ok();
}

#[test]
fn the_last_use_is_shown_and_is_no_change_of_the_record() {
    let world = World::new();
    let auditor = world.auditor();
    let (id, secret) = client(&world, "auditor", None, &["partners:read"]);
    let path = format!("/v1/api-clients/{id}");
    let before = auditor.get(&path).send().ok();
    assert_eq!((&before["last_used_at"], &before["client_secret"]), (&Value::Null, &Value::Null));
    knock(&world, &id, &secret).ok();
    let after = auditor.get(&path).header("if-none-match", &before.etag()).send().ok();
    assert_eq!(after["last_used_at"], "2018-07-01T12:00:00.000000Z");
    assert_eq!(after["revision"], before["revision"]);
    world.operator().patch(&path, json!({"name": "Depot"})).if_match(&before.etag()).send().ok();
    auditor.post("/v1/api-clients", json!({})).send().refused(403, "forbidden");
}

#[test]
fn a_scope_that_does_not_exist_is_a_fault_that_lists_those_that_do() {
    let world = World::new();
    let body = json!({"name": "Warehouse", "role": "auditor", "scopes": ["partners:read", "people:write"]});
    let refusal = world.operator().post("/v1/api-clients", body).send().refused(422, "invalid");
    assert_eq!(refusal["errors"][0]["pointer"], "/scopes/1");
    assert!(refusal["errors"][0]["message"].as_str().unwrap().contains("transactions:write"));
}
