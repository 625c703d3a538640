//! Two sweeps over the contract: who may call what, and that nobody reaches another partner's records.

use crate::{
    suite::enrollments::eligible_direct_bill,
    support::{Answer, Client, World},
};
use partner_incentives::app;
use serde_json::{Value, json};
use std::fmt::Write;

/// An operation of the contract.
pub struct Operation {
    pub id: String,
    pub method: String,
    pub path: String,
    /// Who may call it; none where it is open to everybody.
    pub roles: Option<Vec<String>>,
    /// The body the contract shows, where it takes one.
    pub example: Option<Value>,
}

impl Operation {
    pub fn admits(&self, role: &str) -> bool {
        self.roles.as_ref().is_none_or(|roles| roles.iter().any(|allowed| allowed == role))
    }
}

pub fn operations() -> Vec<Operation> {
    let contract = app::contract();
    let mut operations: Vec<_> = contract
        .operations()
        .map(|operation| Operation {
            id: operation.object["operationId"].as_str().unwrap().to_owned(),
            method: operation.method.to_uppercase(),
            path: operation.path.to_owned(),
            roles: operation.object["x-roles"]
                .as_array()
                .map(|roles| roles.iter().map(|role| role.as_str().unwrap().to_owned()).collect()),
            example: operation.object["requestBody"]["content"]["application/json"].get("example").cloned(),
        })
        .collect();
    operations.sort_by(|a, b| (&a.path, &a.method).cmp(&(&b.path, &b.method)));
    operations
}

/// The address with something in its gaps that is nobody's.
pub fn nobodys(path: &str) -> String {
    path.replace("{id}", "01936f2e-4b00-7000-8000-00000000dead")
        .replace("{version}", "1")
        .replace("{month}", "2099-01")
        .replace("{code}", "nothing")
}

pub fn ask(client: &Client, operation: &Operation, path: &str, body: Option<&Value>) -> Answer {
    let request = client.ask(&operation.method, path).if_match("*");
    match body {
        Some(body) => request.bytes("application/json", body.to_string()).send(),
        None => request.send(),
    }
}

fn send(client: &Client, operation: &Operation, path: &str, body: Option<&Value>) -> u16 {
    ask(client, operation, path, body).status
}

#[test]
fn the_permission_matrix() {
    let world = World::new();
    let case = eligible_direct_bill(&world, 1);
    let callers = [
        ("nobody", world.nobody()),
        ("operator", world.operator()),
        ("auditor", world.auditor()),
        ("incentive_admin", world.admin_of(&case.id)),
        ("viewer", world.viewer_of(&case.id)),
    ];
    let mut table = format!(
        "{:32} {:>8} {:>8} {:>8} {:>15} {:>8}\n",
        "", "nobody", "operator", "auditor", "incentive_admin", "viewer"
    );
    for operation in operations() {
        // Everybody has a new token for each: one of the operations signs out everywhere.
        world.clock.set(world.clock.now().plus_seconds(1));
        let path = nobodys(&operation.path);
        let body = operation.example.as_ref().map(|_| json!({}));
        write!(table, "{:32}", operation.id).unwrap();
        for (name, client) in &callers {
            let status = send(client, &operation, &path, body.as_ref());
            let let_in = !matches!(status, 401 | 403);
            let documented =
                operation.roles.as_ref().is_none_or(|roles| roles.iter().any(|role| role == name));
            // Signing in with no credentials is 422, not 401: the door itself is open to everybody.
            assert_eq!(let_in, documented, "{name} {} {path}: {status}", operation.method);
            let width = if *name == "incentive_admin" { 15 } else { 8 };
            write!(table, " {:>width$}", if let_in { "yes" } else { "-" }).unwrap();
        }
        table.push('\n');
    }
    insta::assert_snapshot!("permission_matrix", table);
}

#[test]
fn a_foreign_partner_sees_nothing() {
    let world = World::new();
    let (ours, theirs) = (eligible_direct_bill(&world, 1), eligible_direct_bill(&world, 2));
    world.on("2018-11-01");
    let sale = theirs.sale(1, "2018-10-01", "100.00", None);
    let made = theirs.ask(&world.admin_of(&theirs.id), "csp-direct-bill").ok();
    theirs.approve_profiles();
    let operator = world.operator();
    let first = |path: &str| {
        let listed = operator.get(path).query("partner_id", &theirs.id).send().ok();
        listed["items"][0]["id"].as_str().unwrap_or_else(|| panic!("nothing in {path}")).to_owned()
    };
    // What is theirs, by the address it is under; the rest is common property.
    let records = [
        ("/v1/partners/{id}", theirs.id.clone()),
        ("/v1/users/{id}", first("/v1/users")),
        ("/v1/mpn-agreements/{id}", first("/v1/mpn-agreements")),
        ("/v1/reseller-agreements/{id}", first("/v1/reseller-agreements")),
        ("/v1/eligibility/evaluations/{id}", first("/v1/eligibility/evaluations")),
        ("/v1/enrollments/{id}", made.id()),
        ("/v1/transactions/{id}", sale.id()),
        ("/v1/notifications/{id}", first("/v1/notifications")),
        ("/v1/audit-events/{id}", first("/v1/audit-events")),
    ];
    let strangers = [("incentive_admin", world.admin_of(&ours.id)), ("viewer", world.viewer_of(&ours.id))];
    let mut reached = 0;
    for operation in operations() {
        let Some((prefix, id)) = records.iter().find(|(prefix, _)| operation.path.starts_with(prefix)) else {
            continue;
        };
        let path = operation.path.replacen("{id}", id, 1).replace("{code}", "cloud-productivity");
        let path = if operation.path.ends_with("/eligibility") {
            format!("{path}?program=csp-direct-bill")
        } else {
            path
        };
        for (role, client) in &strangers {
            if operation.roles.as_ref().is_some_and(|roles| roles.iter().any(|allowed| allowed == role)) {
                let status = send(client, &operation, &path, operation.example.as_ref());
                assert_eq!(status, 404, "{role} {} {path} (under {prefix})", operation.method);
                reached += 1;
            }
        }
    }
    assert!(reached >= 20, "only {reached} operations were tried");
    for path in [
        "/v1/partners",
        "/v1/users",
        "/v1/mpn-agreements",
        "/v1/enrollments",
        "/v1/transactions",
        "/v1/audit-events",
    ] {
        let listed = strangers[0].1.get(path).send().ok();
        for item in listed["items"].as_array().unwrap() {
            assert!(
                item["partner_id"] != theirs.id.as_str() && item["id"] != theirs.id.as_str(),
                "{path} shows {item}"
            );
        }
    }
}
