//! Enrollments: the worked examples E1 to E9 over HTTP, and the state table.

use crate::{
    suite::{partners::partner, profiles},
    support::{Answer, Client, World},
};
use serde_json::{Value, json};

/// A partner of a type, with what is given as agreements and competency.
pub struct Case<'w> {
    pub world: &'w World,
    pub id: String,
}

impl<'w> Case<'w> {
    pub fn new(world: &'w World, n: u32, partner_type: &str) -> Self {
        let id = world.operator().post("/v1/partners", partner(n, partner_type)).send().ok().id();
        Self { world, id }
    }

    pub fn agreement(self, kind: &str, effective_on: &str, expires_on: Option<&str>) -> Self {
        let mut body = json!({
            "partner_id": self.id, "agreement_number": format!("{kind}-{}-{effective_on}", self.id),
            "signed_by": "Sam Signer", "signed_on": effective_on, "effective_on": effective_on,
            "expires_on": expires_on,
        });
        match kind {
            "mpn" => body["membership_level"] = json!("silver"),
            "distributor" => {
                body["region"] = json!("EMEA");
                body["distributor_authorization"] = json!(true);
            }
            _ => body["region"] = json!("EMEA"),
        }
        self.world.operator().post(&format!("/v1/{kind}-agreements"), body).send().ok();
        self
    }

    pub fn competency(self, code: &str, level: &str, attained_on: &str) -> Self {
        let body = json!({"level": level, "attained_on": attained_on, "expires_on": "2030-12-31"});
        let path = format!("/v1/partners/{}/competencies/{code}", self.id);
        self.world.operator().put(&path, body).send().ok();
        self
    }

    pub fn sale(&self, n: u32, occurred_on: &str, amount: &str, refunds: Option<&str>) -> Answer {
        let mut body = json!({
            "source": "billing", "external_id": format!("{}-{n}", self.id), "partner_id": self.id,
            "customer": {"id": "C-1", "country": "DE", "public_sector": false}, "product": "SKU-1",
            "product_family": "azure", "kind": if refunds.is_some() { "refund" } else { "purchase" },
            "occurred_on": occurred_on, "amount": {"amount": amount, "currency": "EUR"},
        });
        if let Some(original) = refunds {
            body["original_transaction_id"] = json!(original);
        }
        self.world.operator().post("/v1/transactions", body).send().ok()
    }

    pub fn eligibility(&self, program: &str, as_of: &str) -> Answer {
        let path = format!("/v1/partners/{}/eligibility", self.id);
        self.world.operator().get(&path).query("program", program).query("as_of", as_of).send().ok()
    }

    pub fn ask(&self, client: &Client, program: &str) -> Answer {
        client.post("/v1/enrollments", json!({"partner_id": self.id, "program": program})).send()
    }

    pub fn approve_profiles(&self) {
        profiles::are_filed(&self.world.admin_of(&self.id), &self.id);
        profiles::are_approved(&self.world.operator(), &self.id);
    }
}

/// E1's partner: everything a direct bill partner needs.
pub fn eligible_direct_bill(world: &World, n: u32) -> Case<'_> {
    Case::new(world, n, "direct_bill")
        .agreement("mpn", "2018-07-01", Some("2019-06-30"))
        .agreement("reseller", "2018-07-01", None)
        .competency("cloud-productivity", "silver", "2018-07-01")
}

pub fn unmet(answer: &Answer) -> Vec<String> {
    let checks = answer["checks"].as_array().expect("checks");
    checks.iter().filter(|c| c["status"] == "unmet").map(|c| c["code"].as_str().unwrap().to_owned()).collect()
}

fn check<'a>(answer: &'a Answer, rule: &str) -> &'a Value {
    answer["checks"].as_array().unwrap().iter().find(|check| check["rule"] == rule).expect(rule)
}

#[test]
fn e1_a_direct_bill_partner_with_every_paper_is_eligible_and_enrolls() {
    let world = World::new();
    let case = eligible_direct_bill(&world, 1);
    world.on("2018-11-01");
    let verdict = case.eligibility("csp-direct-bill", "2018-11-01");
    assert_eq!(verdict["outcome"], "eligible");
    assert_eq!(check(&verdict, "distributor_agreement")["status"], "not_applicable");
    assert_eq!(check(&verdict, "first_transaction")["status"], "not_applicable");
    let made = case.ask(&world.admin_of(&case.id), "csp-direct-bill").ok();
    assert_eq!((made.status, made["state"].as_str()), (201, Some("action_required")));
    case.approve_profiles();
    let enrolled = world.operator().get(&format!("/v1/enrollments/{}", made.id())).send().ok();
    assert_eq!(enrolled["state"], "enrolled");
    assert_eq!(enrolled["earnings_start_on"], "2018-11-01");
    let history = world.operator().get(&format!("/v1/enrollments/{}/history", made.id())).send().ok();
    let states: Vec<_> =
        history["items"].as_array().unwrap().iter().rev().map(|c| c["to"].as_str().unwrap()).collect();
    assert_eq!(states, ["action_required", "validating", "enrolled"]);
}

#[test]
fn e2_an_indirect_reseller_without_a_sale_lacks_exactly_that() {
    let world = World::new();
    let case = Case::new(&world, 2, "indirect_reseller")
        .agreement("mpn", "2018-07-01", Some("2019-06-30"))
        .competency("cloud-platform", "gold", "2018-07-01");
    world.on("2018-11-01");
    let admin = world.admin_of(&case.id);
    let refusal = case.ask(&admin, "csp-indirect-reseller").refused(422, "not_eligible");
    assert_eq!(unmet(&refusal), ["first_transaction_missing"]);
    let evaluation = format!("/v1/eligibility/evaluations/{}", refusal["evaluation_id"].as_str().unwrap());
    assert_eq!(admin.get(&evaluation).send().ok()["outcome"], "ineligible");
    assert_eq!(admin.get("/v1/enrollments").send().ok()["items"], json!([]));
}

#[test]
fn e3_the_first_sale_invites_an_indirect_reseller_and_its_refund_takes_the_invitation_back() {
    let world = World::new();
    let case = Case::new(&world, 3, "indirect_reseller")
        .agreement("mpn", "2018-07-01", Some("2019-06-30"))
        .competency("cloud-platform", "gold", "2018-07-01");
    let (one, two) = (world.admin_of(&case.id), world.admin_of(&case.id));
    world.on("2018-11-20");
    let purchase = case.sale(1, "2018-11-20", "100.00", None);
    let listed = one.get("/v1/enrollments").send().ok();
    let enrollment = &listed["items"][0];
    assert_eq!(
        (enrollment["state"].as_str(), enrollment["invited_on"].as_str()),
        (Some("invited"), Some("2018-11-20"))
    );
    let notices = |client: &Client| {
        let answer = client.get("/v1/notifications").query("kind", "enrollment_invited").send().ok();
        answer["items"].as_array().unwrap().len()
    };
    assert_eq!((notices(&one), notices(&two)), (1, 1));

    let second = case.sale(2, "2018-11-20", "50.00", None);
    assert_eq!(one.get("/v1/enrollments").send().ok()["items"][0]["revision"], enrollment["revision"]);
    assert_eq!((notices(&one), notices(&two)), (1, 1));

    // Nobody has accepted: the sales are neither paid nor refused.
    let begun = world.operator().post("/v1/calculation-runs", json!({})).send().ok();
    let run = || world.operator().get(begun.header("location").unwrap()).send().ok();
    while run()["state"] == "running" {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    for list in ["/v1/earnings", "/v1/ineligible-records"] {
        assert_eq!(one.get(list).send().ok()["items"], json!([]), "{list}");
    }

    case.sale(3, "2018-11-20", "-50.00", Some(&second.id()));
    case.sale(4, "2018-11-20", "-100.00", Some(&purchase.id()));
    assert_eq!(one.get("/v1/enrollments").send().ok()["items"][0]["state"], "ineligible");
}

#[test]
fn e4_a_reseller_agreement_does_not_fit_an_indirect_provider() {
    let world = World::new();
    let case = Case::new(&world, 4, "indirect_provider").agreement("mpn", "2018-07-01", None).competency(
        "cloud-platform",
        "gold",
        "2018-07-01",
    );
    let body = json!({
        "partner_id": case.id, "agreement_number": "R-1", "signed_by": "Sam Signer", "signed_on": "2018-07-01",
        "effective_on": "2018-07-01", "region": "EMEA",
    });
    let refusal = world.operator().post("/v1/reseller-agreements", body).send();
    assert_eq!(refusal.status, 409);
    world.on("2018-11-01");
    let verdict = case.eligibility("csp-indirect-provider", "2018-11-01");
    assert_eq!(unmet(&verdict), ["distributor_agreement_missing"]);
}

#[test]
fn e6_three_rules_are_refused_in_one_answer() {
    let world = World::new();
    let case = Case::new(&world, 6, "direct_bill").agreement("mpn", "2017-07-01", Some("2018-06-30"));
    world.on("2018-11-01");
    let refusal = case.ask(&world.admin_of(&case.id), "csp-direct-bill").refused(422, "not_eligible");
    assert_eq!(
        unmet(&refusal),
        ["mpn_agreement_expired", "reseller_agreement_missing", "competency_missing"]
    );
}

#[test]
fn e7_an_mpn_agreement_counts_through_its_grace_and_no_day_longer() {
    let world = World::new();
    let case = Case::new(&world, 7, "direct_bill")
        .agreement("mpn", "2018-07-01", Some("2019-09-01"))
        .agreement("reseller", "2018-07-01", None)
        .competency("cloud-productivity", "silver", "2018-07-01");
    let on = |day: &str| check(&case.eligibility("csp-direct-bill", day), "mpn_agreement").clone();
    let first = on("2019-09-02");
    assert_eq!((first["status"].as_str(), first["warning"].as_str()), (Some("met"), Some("in_grace")));
    assert_eq!(first["lapses_on"], "2019-10-02");
    assert_eq!(on("2019-10-01")["status"], "met");
    assert_eq!(on("2019-10-02")["status"], "unmet");
}

#[test]
fn e8_a_competency_counts_from_the_day_it_was_attained() {
    let world = World::new();
    let case = Case::new(&world, 8, "direct_bill").competency("devops", "silver", "2019-01-10");
    let on = |day: &str| check(&case.eligibility("csp-direct-bill", day), "competency")["status"].clone();
    assert_eq!((on("2019-01-09"), on("2019-01-10")), (json!("unmet"), json!("met")));
}

#[test]
fn e9_a_viewer_may_not_enroll_and_nobody_sees_another_partner() {
    let world = World::new();
    let (ours, theirs) = (eligible_direct_bill(&world, 9), eligible_direct_bill(&world, 10));
    case_refused(&ours, &world.viewer_of(&ours.id));
    let admin = world.admin_of(&ours.id);
    admin.get(&format!("/v1/partners/{}", theirs.id)).send().refused(404, "not_found");
    let made = theirs.ask(&world.admin_of(&theirs.id), "csp-direct-bill").ok();
    admin.get(&format!("/v1/enrollments/{}", made.id())).send().refused(404, "not_found");
}

fn case_refused(case: &Case<'_>, viewer: &Client) {
    case.ask(viewer, "csp-direct-bill").refused(403, "forbidden");
}

#[test]
fn two_requests_at_once_give_one_enrollment() {
    let world = World::new();
    let case = eligible_direct_bill(&world, 11);
    world.on("2018-11-01");
    let admin = world.admin_of(&case.id);
    let admin = &admin;
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let body = json!({"partner_id": case.id, "program": "csp-direct-bill"});
        let ask = |body: Value| admin.post("/v1/enrollments", body).send().status;
        let asks: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn({
                    let body = body.clone();
                    move || ask(body)
                })
            })
            .collect();
        asks.into_iter().map(|ask| ask.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|status| **status == 201).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|status| [201, 409].contains(status)), "{answers:?}");
    let listed = admin.get("/v1/enrollments").query("include_total", true).send().ok();
    assert_eq!(listed["total"], 1);
}

#[test]
fn one_idempotency_key_twenty_times_at_once_has_one_effect() {
    let world = World::with(|settings| settings.database_connections = 20);
    let case = eligible_direct_bill(&world, 12);
    world.on("2018-11-01");
    let admin = world.admin_of(&case.id);
    let body = json!({"partner_id": case.id, "program": "csp-direct-bill"});
    let ids: Vec<String> = std::thread::scope(|scope| {
        let ask = || admin.post("/v1/enrollments", body.clone()).key("the-same").send().ok().id();
        let asks: Vec<_> = (0..20).map(|_| scope.spawn(ask)).collect();
        asks.into_iter().map(|ask| ask.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let history = admin.get(&format!("/v1/enrollments/{}/history", ids[0])).send().ok();
    assert_eq!(history["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_viewer_sees_a_simpler_state() {
    let world = World::new();
    let case = eligible_direct_bill(&world, 13);
    world.on("2018-11-01");
    let made = case.ask(&world.admin_of(&case.id), "csp-direct-bill").ok();
    let viewer = world.viewer_of(&case.id);
    let seen = viewer.get(&format!("/v1/enrollments/{}", made.id())).send().ok();
    assert_eq!((seen["state"].as_str(), &seen["next_actions"]), (Some("enrolling"), &json!([])));
    let asked = |state: &str| {
        viewer.get("/v1/enrollments").query("state", state).send().ok()["items"].as_array().unwrap().len()
    };
    assert_eq!((asked("enrolling"), asked("action_required")), (1, 0));
}

#[test]
fn a_lost_rule_ends_earning_and_a_backdated_renewal_cures_it_without_a_gap() {
    let world = World::new();
    let case = eligible_direct_bill(&world, 14);
    world.on("2018-11-01");
    let made = case.ask(&world.admin_of(&case.id), "csp-direct-bill").ok();
    case.approve_profiles();
    let path = format!("/v1/enrollments/{}", made.id());
    let operator = world.operator();
    let mpn = operator.get("/v1/mpn-agreements").query("partner_id", &case.id).send().ok()["items"][0]["id"]
        .clone();
    let mpn = format!("/v1/mpn-agreements/{}", mpn.as_str().unwrap());
    world.on("2019-03-01");
    operator
        .post(&format!("{mpn}/termination"), json!({"terminated_on": "2019-03-01", "reason": "fee not paid"}))
        .send()
        .ok();
    let lost = operator.get(&path).send().ok();
    assert_eq!(
        (lost["state"].as_str(), lost["ineligible_since"].as_str()),
        (Some("ineligible"), Some("2019-03-01"))
    );
    world.on("2019-03-05");
    let _case = case.agreement("mpn", "2019-03-01", Some("2020-02-28"));
    let cured = operator.get(&path).send().ok();
    assert_eq!(
        (cured["state"].as_str(), cured["earnings_start_on"].as_str()),
        (Some("enrolled"), Some("2018-11-01"))
    );
}

#[test]
fn a_cure_with_a_gap_invites_anew() {
    let world = World::new();
    let case = eligible_direct_bill(&world, 15);
    world.on("2018-11-01");
    let admin = world.admin_of(&case.id);
    let made = case.ask(&admin, "csp-direct-bill").ok();
    case.approve_profiles();
    let path = format!("/v1/enrollments/{}", made.id());
    let competency = format!("/v1/partners/{}/competencies/cloud-productivity", case.id);
    world.on("2019-03-01");
    world.operator().delete(&competency).send().ok();
    assert_eq!(admin.get(&path).send().ok()["state"], "ineligible");
    world.on("2019-03-10");
    let _case = case.competency("devops", "gold", "2019-03-10");
    assert_eq!(admin.get(&path).send().ok()["state"], "invited");
    let back = admin.post(&format!("{path}/acceptance"), json!({})).send().ok();
    assert_eq!(
        (back["state"].as_str(), back["earnings_start_on"].as_str()),
        (Some("enrolled"), Some("2019-03-01"))
    );
}

#[test]
fn who_opted_out_stays_out_for_the_year() {
    let world = World::new();
    let case = eligible_direct_bill(&world, 16);
    world.on("2018-11-01");
    let admin = world.admin_of(&case.id);
    let made = case.ask(&admin, "csp-direct-bill").ok();
    let path = format!("/v1/enrollments/{}", made.id());
    admin.post(&format!("{path}/opt-out"), json!({})).send().ok();
    let again =
        admin.post(&format!("{path}/opt-out"), json!({})).send().refused(409, "transition_not_allowed");
    assert_eq!(
        (&again["from"], &again["to"], &again["allowed"]),
        (&json!("opted_out"), &json!("opted_out"), &json!([]))
    );
    let refusal = case.ask(&admin, "csp-direct-bill").refused(422, "not_eligible");
    assert_eq!(unmet(&refusal), ["opted_out_this_year"]);
}

#[test]
fn staff_who_act_for_a_partner_say_why() {
    let world = World::new();
    let case = eligible_direct_bill(&world, 17);
    world.on("2018-11-01");
    let operator = world.operator();
    case.ask(&operator, "csp-direct-bill").refused(422, "invalid");
    let body = json!({"partner_id": case.id, "program": "csp-direct-bill", "reason": "by telephone"});
    let made = operator.post("/v1/enrollments", body.clone()).send().ok();
    operator.post("/v1/enrollments", body).send().refused(409, "transition_not_allowed");
    let path = format!("/v1/enrollments/{}/discontinuation", made.id());
    world.admin_of(&case.id).post(&path, json!({"reason": "not mine"})).send().refused(403, "forbidden");
    let ended = operator.post(&path, json!({"reason": "fraud, case 12"})).send().ok();
    assert_eq!(
        (ended["state"].as_str(), ended["ended_on"].as_str()),
        (Some("discontinued"), Some("2018-11-01"))
    );
    let events = operator.get("/v1/audit-events").query("resource_id", made.id()).send().ok();
    assert_eq!(events["items"][0]["reason"], "fraud, case 12");
}
