//! Set-up: a partner's data is visible once its incentive admin has completed it.

use crate::{
    suite::{
        enrollments::{Case, eligible_direct_bill},
        partners::partner,
    },
    support::{Answer, Client, World},
};
use partner_incentives::access::Role;
use serde_json::{Value, json};

fn codes(setup: &Answer) -> Vec<&str> {
    setup["missing"].as_array().unwrap().iter().map(|step| step["code"].as_str().unwrap()).collect()
}

fn post(client: &Client, path: &str) -> Answer {
    client.ask("POST", path).send()
}

fn sign_in(world: &World, email: &str, password: &str) -> Client {
    let body = json!({"username": email, "password": password});
    let session = world.nobody().post("/v1/auth/login", body).send().ok();
    world.nobody().with_token(session["access_token"].as_str().unwrap())
}

#[test]
fn a_step_without_a_body_is_repeated_safely_with_a_key() {
    let world = World::new();
    let partner = Case::new(&world, 77, "direct_bill").id;
    let admin = world.newcomer_of(&partner, Role::IncentiveAdmin);
    let path = format!("/v1/partners/{partner}/setup");
    let send = |step: &str, key: &str| admin.ask("POST", &format!("{path}/{step}")).key(key).send();
    let first = send("notification", "list").ok();
    let again = send("notification", "list").ok();
    assert_eq!((&first.body, again.header("idempotent-replayed")), (&again.body, Some("true")));
    let told = admin.get("/v1/notifications?kind=user_list").send().ok();
    assert_eq!(told["items"].as_array().unwrap().len(), 1);
    send("completion", "list").refused(422, "idempotency_key_reused");
    send("completion", "done").ok();
    assert_eq!(send("completion", "done").ok().header("idempotent-replayed"), Some("true"));
    send("completion", "another").refused(409, "transition_not_allowed");
}

#[test]
fn e10_the_data_is_visible_once_the_incentive_admin_has_completed_the_set_up() {
    let world = World::new();
    let operator = world.operator();
    let case = eligible_direct_bill(&world, 1);
    let path = format!("/v1/partners/{}/setup", case.id);
    let viewer = world.newcomer_of(&case.id, Role::Viewer);
    let refusal = viewer.get("/v1/enrollments").send().refused(403, "setup_incomplete");
    assert_eq!(refusal["next"], path.as_str());
    let setup = viewer.get(&path).send().ok();
    assert_eq!(setup["state"], "not_started");
    assert_eq!(codes(&setup), ["incentive_admin_missing", "user_list_not_sent", "completion_not_confirmed"]);
    post(&operator, &format!("{path}/notification")).refused(409, "incentive_admin_missing");

    let new = json!({
        "email": "mia@contoso.example", "name": "Mia Mertens", "role": "incentive_admin", "partner_id": case.id,
    });
    let made = operator.post("/v1/users", new).send().ok();
    let temporary = made["temporary_password"].as_str().unwrap();
    assert_eq!(codes(&viewer.get(&path).send().ok())[0], "temporary_password_not_changed");
    let admin = sign_in(&world, "mia@contoso.example", temporary);
    for (method, to) in [("GET", path.clone()), ("POST", format!("{path}/completion"))] {
        let refusal = admin.ask(method, &to).send().refused(403, "password_change_required");
        assert_eq!(refusal["next"], "/v1/me/password");
    }
    let chosen = "seven swans a-swimming by";
    let change = json!({"current_password": temporary, "new_password": chosen});
    admin.put("/v1/me/password", change).send().ok();
    let admin = sign_in(&world, "mia@contoso.example", chosen);

    admin.get("/v1/enrollments").send().refused(403, "setup_incomplete");
    let early = post(&admin, &format!("{path}/completion")).refused(409, "transition_not_allowed");
    assert_eq!((&early["from"], &early["allowed"]), (&json!("not_started"), &json!(["notification"])));
    let sent = post(&admin, &format!("{path}/notification")).ok();
    assert_eq!((sent["state"].as_str(), codes(&sent)), (Some("list_sent"), vec!["completion_not_confirmed"]));
    let told = admin.get("/v1/notifications").query("kind", "user_list").send().ok();
    assert_eq!(told["items"][0]["partner_id"], case.id.as_str());
    let done = post(&admin, &format!("{path}/completion")).ok();
    assert_eq!((done["state"].as_str(), done["missing"].as_array().unwrap().len()), (Some("completed"), 0));
    assert_eq!((&done["completed_by"], &done["revision"]), (&json!(made.id()), &json!(2)));
    assert_eq!(done["allowed_transitions"], json!([]));

    viewer.get("/v1/enrollments").send().ok();
    admin.get("/v1/transactions").send().ok();
    case.ask(&admin, "csp-direct-bill").ok();
    for step in ["completion", "notification"] {
        post(&admin, &format!("{path}/{step}")).refused(409, "transition_not_allowed");
    }
    let events = operator.get("/v1/audit-events").query("resource_id", &case.id).send().ok();
    let events = events["items"].as_array().unwrap();
    let of_setup = |event: &&Value| event["resource_type"] == "partner_setup";
    let operations: Vec<_> = events.iter().filter(of_setup).map(|event| &event["operation"]).collect();
    assert_eq!(operations, ["completePartnerSetup", "sendUserList"]);
}

#[test]
fn only_the_partner_s_own_incentive_admin_completes_it() {
    let world = World::new();
    let id = world.operator().post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    let path = format!("/v1/partners/{id}/setup");
    let admin = world.newcomer_of(&id, Role::IncentiveAdmin);
    post(&world.operator(), &format!("{path}/notification")).ok();
    post(&world.operator(), &format!("{path}/notification")).ok();
    let told = admin.get("/v1/notifications").send().ok();
    assert_eq!(told["items"].as_array().unwrap().len(), 2, "the list is sent as often as asked for");
    let viewer = world.newcomer_of(&id, Role::Viewer);
    let client = world.api_client(Role::IncentiveAdmin, Some(&id), "partners:write partners:read");
    for other in [world.operator(), world.auditor(), viewer] {
        post(&other, &format!("{path}/completion")).refused(403, "forbidden");
    }
    post(&client, &format!("{path}/completion")).refused(403, "insufficient_scope");
    let other = world.operator().post("/v1/partners", partner(2, "direct_bill")).send().ok().id();
    let foreign = world.newcomer_of(&other, Role::IncentiveAdmin);
    for step in ["completion", "notification"] {
        post(&foreign, &format!("{path}/{step}")).refused(404, "not_found");
    }
    foreign.get(&path).send().refused(404, "not_found");
    post(&admin, &format!("{path}/completion")).ok();
}

#[test]
fn a_headquarters_set_up_covers_its_locations() {
    let world = World::new();
    let operator = world.operator();
    let headquarters = operator.post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    let mut body = partner(2, "direct_bill");
    body["headquarters_id"] = json!(headquarters);
    let location = operator.post("/v1/partners", body).send().ok().id();
    let viewer = world.newcomer_of(&location, Role::Viewer);
    viewer.get("/v1/enrollments").send().refused(403, "setup_incomplete");
    let admin = world.newcomer_of(&headquarters, Role::IncentiveAdmin);
    let path = format!("/v1/partners/{headquarters}/setup");
    post(&admin, &format!("{path}/notification")).ok();
    post(&admin, &format!("{path}/completion")).ok();
    viewer.get("/v1/enrollments").send().ok();
    let setup = viewer.get(&format!("/v1/partners/{location}/setup")).send().ok();
    assert_eq!((&setup["state"], &setup["covered_by"]), (&json!("not_started"), &json!(headquarters)));
    assert_eq!(setup["missing"], json!([]));
    // A location's own set-up opens nothing of its headquarters.
    let other = operator.post("/v1/partners", partner(3, "direct_bill")).send().ok().id();
    let mut body = partner(4, "direct_bill");
    body["headquarters_id"] = json!(other);
    let below = operator.post("/v1/partners", body).send().ok().id();
    world.viewer_of(&below).get("/v1/enrollments").send().ok();
    let above = world.newcomer_of(&other, Role::Viewer);
    above.get("/v1/enrollments").send().refused(403, "setup_incomplete");
}

#[test]
fn an_api_client_of_a_partner_waits_for_the_set_up_too() {
    let world = World::new();
    let id = world.operator().post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    let client = world.api_client(Role::Viewer, Some(&id), "enrollments:read partners:read");
    client.get(&format!("/v1/partners/{id}")).send().ok();
    client.get("/v1/enrollments").send().refused(403, "setup_incomplete");
    let staff = world.api_client(Role::Operator, None, "enrollments:read");
    staff.get("/v1/enrollments").send().ok();
    world.admin_of(&id);
    client.get("/v1/enrollments").send().ok();
}

#[test]
fn what_was_answered_once_is_told_to_nobody_the_gate_keeps_out() {
    let world = World::new();
    let case = eligible_direct_bill(&world, 1);
    let location = world.newcomer_of(&case.id, Role::IncentiveAdmin);
    let body = json!({"partner_id": case.id, "program": "csp-direct-bill"});
    let once = |client: &Client| client.post("/v1/enrollments", body.clone()).key("k-1").send();
    once(&location).refused(403, "setup_incomplete");
    world.admin_of(&case.id);
    let made = once(&location).ok();
    assert_eq!(once(&location).ok().id(), made.id());
}

#[test]
fn a_partner_with_a_set_up_is_closed_not_deleted() {
    let world = World::new();
    let operator = world.operator();
    let headquarters = operator.post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    let mut body = partner(2, "direct_bill");
    body["headquarters_id"] = json!(headquarters);
    let location = operator.post("/v1/partners", body).send().ok().id();
    world.newcomer_of(&headquarters, Role::IncentiveAdmin);
    post(&operator, &format!("/v1/partners/{location}/setup/notification")).ok();
    let refusal = operator.delete(&format!("/v1/partners/{location}")).if_match("*").send();
    assert_eq!(refusal.refused(409, "partner_referred_to")["referred_by"], "set-up");
}

#[test]
fn operators_list_the_set_ups_that_are_not_completed() {
    let world = World::new();
    let operator = world.operator();
    let partners: Vec<String> =
        (1..=4).map(|n| operator.post("/v1/partners", partner(n, "direct_bill")).send().ok().id()).collect();
    world.admin_of(&partners[0]);
    world.newcomer_of(&partners[1], Role::IncentiveAdmin);
    operator.post(&format!("/v1/partners/{}/setup/notification", partners[1]), Value::Null).send().ok();
    let closure = json!({"reason": "Has left the programme"});
    operator.post(&format!("/v1/partners/{}/closure", partners[3]), closure).send().ok();
    let listed = |state: &str| -> Vec<String> {
        let page = operator.get("/v1/partner-setups").query("state", state);
        let page = page.query("include_total", true).send().ok();
        let items = page["items"].as_array().unwrap();
        assert_eq!(page["total"], items.len());
        assert!(items.iter().all(|item| item["state"] == state), "{page}");
        items.iter().map(|item| item["partner_id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(listed("completed"), partners[..1]);
    assert_eq!(listed("list_sent"), partners[1..2]);
    assert_eq!(listed("not_started"), partners[2..3], "and no closed partner");
    let first = operator.get("/v1/partner-setups").query("limit", 1).send().ok();
    assert_eq!(first["items"][0]["partner_id"], json!(partners[1]));
    let rest = operator.get("/v1/partner-setups").query("cursor", first["next_cursor"].as_str().unwrap());
    assert_eq!(rest.send().ok()["items"][0]["partner_id"], json!(partners[0]));
    world.admin_of(&partners[0]).get("/v1/partner-setups").send().refused(403, "forbidden");
}
