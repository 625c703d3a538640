//! Users: who may make whom, and that barring takes effect at once.

use crate::{suite::partners::partner, support::World};
use serde_json::json;

#[test]
fn barring_a_user_or_changing_a_role_takes_effect_on_the_next_request() {
    let world = World::new();
    let operator = world.operator();
    let id = operator.post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    let viewer = world.viewer_of(&id);
    let user = viewer.get("/v1/me").send().ok();
    let path = format!("/v1/users/{}", user.id());
    operator.post(&format!("{path}/deactivation"), json!({"reason": "left the company"})).send().ok();
    viewer.get("/v1/partners").send().refused(401, "unauthenticated");
    operator
        .post(&format!("{path}/deactivation"), json!({"reason": "again"}))
        .send()
        .refused(409, "transition_not_allowed");
    operator.post(&format!("{path}/reactivation"), json!({"reason": "came back"})).send().ok();
    viewer.get("/v1/partners").send().refused(401, "unauthenticated");

    let other = world.viewer_of(&id);
    let user = other.get("/v1/me").send().ok();
    operator
        .patch(&format!("/v1/users/{}", user.id()), json!({"role": "incentive_admin"}))
        .if_match("*")
        .send()
        .ok();
    other.get("/v1/partners").send().refused(401, "unauthenticated");
}

#[test]
fn an_incentive_admin_manages_the_own_partner_s_people_only() {
    let world = World::new();
    let operator = world.operator();
    let ours = operator.post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    let theirs = operator.post("/v1/partners", partner(2, "direct_bill")).send().ok().id();
    let admin = world.admin_of(&ours);
    let make = |role: &str, partner: Option<&str>| {
        let mut body =
            json!({"email": format!("{role}{}@x.example", partner.is_some()), "name": "New", "role": role});
        if let Some(partner) = partner {
            body["partner_id"] = json!(partner);
        }
        admin.post("/v1/users", body).send()
    };
    make("viewer", Some(&ours)).ok();
    make("incentive_admin", Some(&ours)).ok();
    make("operator", None).refused(403, "forbidden");
    make("viewer", Some(&theirs)).refused(422, "invalid");
    make("viewer", None).refused(422, "invalid");
    let listed = admin.get("/v1/users").query("include_total", true).send().ok();
    assert_eq!(listed["total"], 3);
}

#[test]
fn an_address_is_one_user_and_somebody_is_left_to_run_the_programme() {
    let world = World::new();
    let operator = world.operator();
    let body = json!({"email": "operator@VENDOR.example", "name": "Twin", "role": "auditor"});
    operator.post("/v1/users", body).send().refused(409, "email_taken");
    let me = operator.get("/v1/me").send().ok();
    let path = format!("/v1/users/{}", me.id());
    let because = json!({"reason": "holiday"});
    operator.post(&format!("{path}/deactivation"), because.clone()).send().refused(409, "not_oneself");
    operator.patch(&path, json!({"role": "auditor"})).if_match("*").send().refused(409, "not_oneself");
    let second = json!({"email": "second@vendor.example", "name": "Second", "role": "operator"});
    let second = operator.post("/v1/users", second).send().ok().id();
    operator.post(&format!("/v1/users/{second}/deactivation"), because).send().ok();
}

#[test]
fn what_the_service_owns_cannot_be_set() {
    let world = World::new();
    let body = json!({
        "email": "eve@vendor.example", "name": "Eve", "role": "auditor", "status": "active",
        "must_change_password": false, "token_epoch": 1, "id": "01936f2e-4b00-7000-8000-00000000dead",
    });
    let refusal = world.operator().post("/v1/users", body).send().refused(422, "invalid");
    let pointers: Vec<_> =
        refusal["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/id", "/must_change_password", "/status", "/token_epoch"]);
}

#[test]
fn whom_staff_has_barred_only_staff_lets_back_in() {
    let world = World::new();
    let operator = world.operator();
    let id = operator.post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    let (admin, viewer) = (world.admin_of(&id), world.viewer_of(&id));
    let path = format!("/v1/users/{}", viewer.get("/v1/me").send().ok().id());
    let because = json!({"reason": "shared the password"});
    let ask = |client: &crate::support::Client, what: &str| {
        client.post(&format!("{path}/{what}"), because.clone()).send()
    };
    ask(&operator, "deactivation").ok();
    ask(&admin, "reactivation").refused(403, "forbidden");
    ask(&operator, "reactivation").ok();
    ask(&admin, "deactivation").ok();
    ask(&admin, "reactivation").ok();
}
