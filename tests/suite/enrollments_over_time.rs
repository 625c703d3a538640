//! Enrollments when what they rest on changes.

use crate::{
    suite::{
        enrollments::{Case, eligible_direct_bill, unmet},
        partners::partner,
        profiles,
    },
    support::{Answer, Client, World},
};
use serde_json::json;

/// An indirect reseller that is invited, and whose only competency runs out on 2018-11-30.
fn invited_for_a_while(world: &World, n: u32) -> (Case<'_>, Client, String) {
    let case = Case::new(world, n, "indirect_reseller").agreement("mpn", "2018-07-01", None);
    let body =
        json!({"level": "gold", "attained_on": "2018-07-01", "expires_on": "2018-11-30", "grace_days": 0});
    world.operator().put(&format!("/v1/partners/{}/competencies/devops", case.id), body).send().ok();
    world.on("2018-11-20");
    case.sale(1, "2018-11-20", "100.00", None);
    let admin = world.admin_of(&case.id);
    let listed = admin.get("/v1/enrollments").send().ok();
    assert_eq!(listed["items"][0]["state"], "invited");
    let path = format!("/v1/enrollments/{}", listed["items"][0]["id"].as_str().unwrap());
    world.on("2018-12-05");
    let admin = world.admin_of(&case.id);
    (case, admin, path)
}

#[test]
fn who_accepts_after_a_rule_has_lapsed_is_told_which() {
    let world = World::new();
    let (_case, admin, path) = invited_for_a_while(&world, 30);
    let refusal = admin.post(&format!("{path}/acceptance"), json!({})).send().refused(422, "not_eligible");
    assert_eq!(unmet(&refusal), ["competency_expired"]);
    let lost = admin.get(&path).send().ok();
    assert_eq!(
        (lost["state"].as_str(), lost["ineligible_since"].as_str()),
        (Some("ineligible"), Some("2018-12-01"))
    );
}

#[test]
fn who_asks_with_an_invitation_after_a_rule_has_lapsed_is_told_which() {
    let world = World::new();
    let (case, admin, path) = invited_for_a_while(&world, 31);
    let refusal = case.ask(&admin, "csp-indirect-reseller").refused(422, "not_eligible");
    assert_eq!(unmet(&refusal), ["competency_expired"]);
    assert_eq!(admin.get(&path).send().ok()["state"], "ineligible");
}

#[test]
fn an_entity_tag_covers_what_is_to_be_done_next() {
    let world = World::new();
    let case = eligible_direct_bill(&world, 32);
    world.on("2018-11-01");
    let admin = world.admin_of(&case.id);
    let made = case.ask(&admin, "csp-direct-bill").ok();
    let path = format!("/v1/enrollments/{}", made.id());
    let seen = admin.get(&path).send().ok();
    let actions = |answer: &Answer| answer["next_actions"].as_array().unwrap().len();
    assert_eq!((actions(&made), actions(&seen), made.etag()), (2, 2, seen.etag()));
    admin.get(&path).header("if-none-match", &seen.etag()).send();
    let tax = profiles::vat("DE123456789");
    admin.put(&format!("/v1/partners/{}/tax-profile", case.id), tax).send().ok();
    let again = admin.get(&path).header("if-none-match", &seen.etag()).send().ok();
    assert_eq!((actions(&again), &again["revision"]), (1, &seen["revision"]));
}

#[test]
fn a_headquarters_whose_last_location_is_deleted_stands_alone_again() {
    let world = World::new();
    let case = eligible_direct_bill(&world, 33);
    world.on("2018-11-01");
    let made = case.ask(&world.admin_of(&case.id), "csp-direct-bill").ok();
    case.approve_profiles();
    let operator = world.operator();
    let mut mistaken = partner(34, "direct_bill");
    mistaken["headquarters_id"] = json!(case.id);
    let mistaken = operator.post("/v1/partners", mistaken).send().ok().id();
    let state = || operator.get(&format!("/v1/enrollments/{}", made.id())).send().ok()["state"].clone();
    assert_eq!(state(), "ineligible");
    operator.delete(&format!("/v1/partners/{mistaken}")).send().ok();
    assert_eq!(state(), "enrolled");
}

#[test]
fn who_was_suspended_for_days_is_invited_anew() {
    let world = World::new();
    let case = eligible_direct_bill(&world, 35);
    world.on("2018-11-01");
    let made = case.ask(&world.admin_of(&case.id), "csp-direct-bill").ok();
    case.approve_profiles();
    let partner = format!("/v1/partners/{}", case.id);
    let told = |event: &str| {
        world.operator().post(&format!("{partner}/{event}"), json!({"reason": "ticket 4711"})).send().ok();
        world.operator().get(&format!("/v1/enrollments/{}", made.id())).send().ok()
    };
    assert_eq!(told("suspension")["state"], "ineligible");
    let same_day = told("reinstatement");
    assert_eq!(
        (&same_day["state"], &same_day["earnings_start_on"]),
        (&json!("enrolled"), &json!("2018-11-01"))
    );
    world.on("2018-11-05");
    let lost = told("suspension");
    assert_eq!((&lost["state"], &lost["ineligible_since"]), (&json!("ineligible"), &json!("2018-11-05")));
    world.on("2018-11-10");
    assert_eq!(told("reinstatement")["state"], "invited");
}

#[test]
fn a_discontinued_program_ends_what_rests_on_it() {
    let world = World::new();
    let case = eligible_direct_bill(&world, 36);
    world.on("2018-11-01");
    let made = case.ask(&world.admin_of(&case.id), "csp-direct-bill").ok();
    case.approve_profiles();
    let body = json!({"reason": "replaced by another"});
    world.operator().post("/v1/programs/csp-direct-bill/discontinuation", body).send().ok();
    let seen = world.operator().get(&format!("/v1/enrollments/{}", made.id())).send().ok();
    assert_eq!(seen["state"], "discontinued");
}

#[test]
fn a_loss_found_late_counts_from_its_own_day() {
    let world = World::new();
    let case = eligible_direct_bill(&world, 40);
    world.on("2018-11-01");
    let made = case.ask(&world.admin_of(&case.id), "csp-direct-bill").ok();
    case.approve_profiles();
    let operator = world.operator();
    world.on("2018-12-10");
    // The record changes again, after the day from which the agreement will turn out to be ended.
    let tax = profiles::vat("DE987654321");
    world.admin_of(&case.id).put(&format!("/v1/partners/{}/tax-profile", case.id), tax).send().ok();
    world.on("2019-01-15");
    let listed = operator.get("/v1/mpn-agreements").query("partner_id", &case.id).send().ok();
    let mpn = format!("/v1/mpn-agreements/{}/termination", listed["items"][0]["id"].as_str().unwrap());
    operator.post(&mpn, json!({"terminated_on": "2018-11-20", "reason": "found late"})).send().ok();
    let lost = operator.get(&format!("/v1/enrollments/{}", made.id())).send().ok();
    assert_eq!(
        (lost["state"].as_str(), lost["ineligible_since"].as_str()),
        (Some("ineligible"), Some("2018-11-20"))
    );
}
