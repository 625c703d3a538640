//! What the service owns cannot be set by sending it along.

use crate::{
    suite::{
        authority::{Operation, ask, nobodys, operations},
        partners::partner,
    },
    support::{Client, World},
};
use partner_incentives::app;
use serde_json::{Value, json};

/// What somebody might try, with a value that would do harm.
fn smuggled() -> [(&'static str, Value); 9] {
    [
        ("role", json!("operator")),
        ("partner_id", json!("01936f2e-4b00-7000-8000-00000000dead")),
        ("state", json!("approved")),
        ("status", json!("active")),
        ("amount", json!({"amount": "1000000.00", "currency": "EUR"})),
        ("id", json!("01936f2e-4b00-7000-8000-00000000dead")),
        ("revision", json!(1)),
        ("created_at", json!("2018-07-01T00:00:00Z")),
        ("token_epoch", json!(1)),
    ]
}

/// The members that the body of an operation has.
fn members(operation: &Operation) -> Vec<String> {
    let document = &app::contract().document;
    let object = &document["paths"][&operation.path][operation.method.to_lowercase()];
    let schema = &object["requestBody"]["content"]["application/json"]["schema"];
    let name = schema["$ref"].as_str().expect("a named schema").rsplit('/').next().unwrap();
    let properties = document["components"]["schemas"][name]["properties"].as_object();
    // A body may have none at all.
    properties.map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
}

fn pointers(answer: &crate::support::Answer) -> Vec<&str> {
    let errors = answer["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    errors.iter().filter_map(|error| error["pointer"].as_str()).collect()
}

#[test]
fn no_body_takes_what_it_does_not_declare() {
    let world = World::new();
    let id = world.operator().post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    let (operator, admin, nobody) = (world.operator(), world.admin_of(&id), world.nobody());
    let written =
        || operator.get("/v1/audit-events").query("include_total", true).send().ok()["total"].clone();
    let before = written();
    let mut tried = 0;
    for operation in operations().iter().filter(|operation| operation.example.is_some()) {
        let client: &Client = match &operation.roles {
            None => &nobody,
            Some(_) if operation.admits("operator") => &operator,
            Some(_) => &admin,
        };
        let known = members(operation);
        for (member, value) in smuggled() {
            if known.iter().any(|known| known == member) {
                continue;
            }
            let mut body = operation.example.clone().unwrap();
            body[member] = value;
            let answer = ask(client, operation, &nobodys(&operation.path), Some(&body));
            assert_eq!(answer.status, 422, "{}: {member} is taken: {answer}", operation.id);
            assert!(pointers(&answer).contains(&format!("/{member}").as_str()), "{answer}");
            tried += 1;
        }
        for (part, inner) in operation.example.as_ref().unwrap().as_object().unwrap() {
            if !inner.is_object() {
                continue;
            }
            let mut body = operation.example.clone().unwrap();
            body[part]["token_epoch"] = json!(1);
            let answer = ask(client, operation, &nobodys(&operation.path), Some(&body));
            assert_eq!(answer.status, 422, "{}: {part} takes anything: {answer}", operation.id);
            assert!(pointers(&answer).contains(&format!("/{part}/token_epoch").as_str()), "{answer}");
        }
    }
    assert!(tried >= 200, "only {tried} bodies were tried");
    assert_eq!(written(), before, "something was written");
}

#[test]
fn nobody_gives_oneself_or_others_more_than_one_has() {
    let world = World::new();
    let operator = world.operator();
    let ours = operator.post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    let theirs = operator.post("/v1/partners", partner(2, "direct_bill")).send().ok().id();
    let (admin, viewer) = (world.admin_of(&ours), world.viewer_of(&ours));
    let path = |client: &Client| format!("/v1/users/{}", client.get("/v1/me").send().ok().id());
    let (own, other) = (path(&admin), path(&viewer));
    let stranger = path(&world.viewer_of(&theirs));
    let before = operator.get(&other).send().ok().body.clone();
    let change = |client: &Client, path: &str, body: Value| client.patch(path, body).if_match("*").send();
    for role in ["operator", "auditor"] {
        change(&admin, &other, json!({"role": role})).refused(403, "forbidden");
        change(&admin, &own, json!({"role": role})).refused(409, "not_oneself");
        let new = json!({"email": "eve@x.example", "name": "Eve", "role": role});
        admin.post("/v1/users", new).send().refused(403, "forbidden");
    }
    change(&admin, &other, json!({"partner_id": theirs})).refused(422, "invalid");
    change(&admin, &stranger, json!({"role": "incentive_admin"})).refused(404, "not_found");
    change(&viewer, &other, json!({"role": "incentive_admin"})).refused(403, "forbidden");
    change(&viewer, &other, json!({"name": "Vera"})).refused(403, "forbidden");
    let new = json!({"email": "eve@x.example", "name": "Eve", "role": "viewer", "partner_id": theirs});
    admin.post("/v1/users", new).send().refused(422, "invalid");
    // An operator does not make a partner's user one of the staff, nor the other way round.
    change(&operator, &other, json!({"role": "operator"})).refused(422, "invalid");
    assert_eq!(operator.get(&other).send().ok().body, before, "something was changed");
    let made = operator.get("/v1/users").query("email", "eve@x.example").send().ok();
    assert_eq!(made["items"], json!([]));
}
