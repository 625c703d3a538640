//! What one is told one may do is what one may do.

use crate::{
    suite::{
        authority::{ask, nobodys, operations},
        partners::partner,
    },
    support::{Client, World},
};
use partner_incentives::access::Role;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The permissions of a caller, by operation.
fn told(client: &Client) -> BTreeMap<String, Value> {
    let answer = client.get("/v1/me/permissions").send().ok();
    let items = answer["items"].as_array().unwrap();
    items.iter().map(|item| (item["operation"].as_str().unwrap().to_owned(), item.clone())).collect()
}

/// The problem an operation answers with where permissions give this reason.
fn problem(reason: &str) -> &str {
    match reason {
        "role_not_allowed" => "forbidden",
        "people_only" => "insufficient_scope",
        same => same,
    }
}

/// Calls everything, and holds the answers against what the caller is told; tells which reasons came up.
fn compare(name: &str, client: &Client) -> Vec<String> {
    let told = told(client);
    let mut guarded: Vec<_> = operations().into_iter().filter(|o| o.roles.is_some()).collect();
    assert_eq!(told.len(), guarded.len(), "{name}");
    // What ends one's own sessions comes last.
    guarded.sort_by_key(|operation| (operation.method == "DELETE", std::cmp::Reverse(operation.path.len())));
    let mut reasons = Vec::new();
    for operation in &guarded {
        let permission = &told[&operation.id];
        // A body that is not right would be refused before the gate is asked.
        let path = nobodys(&operation.path);
        let path = match operation.id.as_str() {
            "getEligibility" => format!("{path}?program=csp-direct-bill"),
            _ => path,
        };
        let mut body = operation.example.clone();
        if let Some(body) = body.as_mut().filter(|_| operation.id == "createUser") {
            // Whom one may make is another question than whether one may make anybody.
            body["role"] = json!("viewer");
        }
        let answer = ask(client, operation, &path, body.as_ref());
        let refused = matches!(answer.status, 401 | 403);
        assert_eq!(permission["allowed"], json!(!refused), "{name}: {permission} and {answer}");
        if refused {
            let reason = permission["reason"].as_str().unwrap();
            assert_eq!(answer["code"], problem(reason), "{name}: {permission} and {answer}");
            assert_eq!(answer["detail"], permission["detail"], "{name} {}", operation.id);
            assert_eq!(answer["next"], permission["next"], "{name} {}", operation.id);
            reasons.push(reason.to_owned());
        } else {
            assert_eq!(permission["reason"], Value::Null);
        }
    }
    reasons.sort();
    reasons.dedup();
    reasons
}

#[test]
fn everybody_is_told_what_the_guards_answer() {
    let world = World::new();
    let operator = world.operator();
    let open = operator.post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    let shut = operator.post("/v1/partners", partner(2, "direct_bill")).send().ok().id();
    let callers = [
        ("auditor", world.auditor(), &["role_not_allowed"][..]),
        ("admin", world.admin_of(&open), &["role_not_allowed"]),
        ("viewer", world.viewer_of(&open), &["role_not_allowed"]),
        (
            "admin before",
            world.newcomer_of(&shut, Role::IncentiveAdmin),
            &["role_not_allowed", "setup_incomplete"],
        ),
        ("viewer before", world.newcomer_of(&shut, Role::Viewer), &["role_not_allowed", "setup_incomplete"]),
        (
            "a vendor's client",
            world.api_client(Role::Operator, None, "partners:read programs:write"),
            &["insufficient_scope", "people_only", "role_not_allowed"],
        ),
        (
            "a partner's client before",
            world.api_client(Role::IncentiveAdmin, Some(&shut), "enrollments:read enrollments:write"),
            &["insufficient_scope", "people_only", "role_not_allowed", "setup_incomplete"],
        ),
        ("operator", world.operator(), &["role_not_allowed"]),
    ];
    for (name, client, reasons) in &callers {
        assert_eq!(compare(name, client), *reasons, "{name}");
    }
}

#[test]
fn with_a_temporary_password_one_is_told_what_to_do_first() {
    let world = World::new();
    let new = json!({"email": "noor@vendor.example", "name": "Noor", "role": "operator"});
    let made = world.operator().post("/v1/users", new).send().ok();
    let credentials = json!({"username": "noor@vendor.example", "password": made["temporary_password"]});
    let session = world.nobody().post("/v1/auth/login", credentials).send().ok();
    let newcomer = world.nobody().with_token(session["access_token"].as_str().unwrap());
    let told = told(&newcomer);
    let open: Vec<_> =
        told.values().filter(|item| item["allowed"] == true).map(|i| &i["operation"]).collect();
    assert_eq!(open, ["changePassword", "getPermissions"]);
    let refused = told.values().find(|item| item["operation"] == "listPartners").unwrap();
    assert_eq!(
        (&refused["reason"], &refused["next"]),
        (&json!("password_change_required"), &json!("/v1/me/password"))
    );
    let problem = newcomer.get("/v1/partners").send().refused(403, "password_change_required");
    assert_eq!(problem["detail"], refused["detail"]);
}

#[test]
fn an_operator_without_the_second_factor_that_is_required_is_told_so() {
    let world = World::with(|settings| settings.operators_need_second_factor = true);
    let reasons = compare("operator without a second factor", &world.operator());
    assert_eq!(reasons, ["role_not_allowed", "second_factor_required"]);
    assert_eq!(compare("auditor", &world.auditor()), ["role_not_allowed"]);
}
