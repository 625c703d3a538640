//! Audits of paid co-op claims: the sample of a month, what is asked of the partner, and what operators decide.

use crate::{
    suite::{
        adjustments::vouched_for, calculation::text, coop_claims::tell, coop_payments::Paying, payments::usd,
    },
    support::{Answer, Client, World},
};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use partner_incentives::{
    payouts::coop_audits::sample,
    platform::values::{Id, Timestamp},
    schema::{coop_audit_draws as draws, coop_audits as audits},
    work::JobName,
};
use prometheus::Registry;
use serde_json::{Value, json};

/// A claimant with claims that were paid in March 2019.
struct Audited<'w> {
    paying: Paying<'w>,
    /// The claims, in the order of their making.
    claims: Vec<String>,
    /// The payment of all claims.
    payment: Value,
}

impl<'w> Audited<'w> {
    /// Three claims of a day are approved without a second reviewer.
    fn new(world: &'w World, size: i32) -> Self {
        let paying = Paying::new(world);
        let change = paying.it.story.operator.patch("/v1/programs/rewards", json!({"coop_audit_size": size}));
        assert_eq!(change.if_match("*").send().ok()["coop_audit_size"], size);
        let mut claims: Vec<String> =
            ["600.00", "500.00", "400.00"].iter().map(|amount| paying.approved(amount)).collect();
        world.on("2019-02-21");
        claims.push(paying.approved("300.00"));
        paying.close(&["2019-01", "2019-02"]);
        let payment = paying.sent("2019-02").remove(0);
        paying.told(&payment, "confirmation", json!({})).ok();
        Self { paying, claims, payment }
    }

    /// The same, where the sample is drawn.
    fn drawn(world: &'w World, size: i32) -> Self {
        let audited = Self::new(world, size);
        draw_on(world, "2019-04-02");
        audited
    }

    fn operator(&self) -> &Client {
        &self.paying.it.story.operator
    }

    fn audits(&self) -> Vec<Value> {
        self.paying.it.story.list("/v1/coop-audits")
    }

    fn audited_claims(&self) -> Vec<String> {
        let mut claims: Vec<String> = self.audits().iter().map(|audit| text(&audit["claim_id"])).collect();
        claims.sort_unstable();
        claims
    }

    /// The claims that the sample of March has, whatever was drawn.
    fn expected(&self, size: usize) -> Vec<String> {
        let claims: Vec<Id> = self.claims.iter().map(|claim| claim.parse().unwrap()).collect();
        let drawn = sample("2019-03".parse().unwrap(), &claims, size);
        let mut drawn: Vec<String> = drawn.iter().map(Id::to_string).collect();
        drawn.sort_unstable();
        drawn
    }

    fn found(&self, query: &str) -> usize {
        self.paying.it.story.list(&format!("/v1/coop-audits?{query}")).len()
    }

    fn told(&self, kind: &str) -> usize {
        let listed = self.paying.it.admin.get("/v1/notifications").query("limit", 200).send().ok();
        listed["items"].as_array().unwrap().iter().filter(|one| one["kind"] == kind).count()
    }
}

/// Does the work of the job at noon of a date. The world's own engine may be at the job: its end is waited for.
pub fn draw_on(world: &World, date: &str) {
    world.on(date);
    world.service.engine(&Registry::new()).unwrap().run_now(JobName::CoopAudits).unwrap();
}

/// Posts to a sub-resource of an audit.
fn decide(client: &Client, audit: &Value, how: &str, body: Value) -> Answer {
    client.post(&format!("/v1/coop-audits/{}/{how}", text(&audit["id"])), body).send()
}

fn recovery(amount: &Value) -> Value {
    json!({"reason": "No originals were sent", "amount": amount})
}

#[test]
fn the_first_draw_begins_with_the_month_of_the_first_payment_however_late_the_job_is() {
    let world = World::new();
    let it = Audited::new(&world, 4);
    // Nobody has run the job in April.
    draw_on(&world, "2019-05-02");
    assert_eq!(it.audited_claims(), it.expected(4));
    assert!(it.audits().iter().all(|audit| audit["month"] == "2019-03"), "{:?}", it.audits());
    it.paying.it.story.verify();
}

#[test]
fn a_sample_of_what_was_paid_in_a_month_is_drawn_once_and_anybody_can_draw_it_again() {
    let world = World::new();
    let it = Audited::new(&world, 2);
    draw_on(&world, "2019-03-31");
    draw_on(&world, "2019-04-01");
    assert_eq!(it.audits().len(), 0, "the month is over since the second day after it");
    draw_on(&world, "2019-04-02");
    assert_eq!(it.audited_claims(), it.expected(2));
    for audit in it.audits() {
        let claim = it.paying.it.claim(&text(&audit["claim_id"]));
        assert_eq!((&audit["state"], &audit["month"]), (&json!("requested"), &json!("2019-03")));
        assert_eq!((&audit["paid"], &audit["due_on"]), (&claim["approved"], &json!("2019-04-30")));
        assert_eq!(audit["allowed_transitions"], json!(["pass", "recovery"]));
    }
    assert_eq!(it.told("coop_audit_requested"), 2);
    // Neither a repetition nor another size changes the sample of a month; months without payments have none.
    let change = it.operator().patch("/v1/programs/rewards", json!({"coop_audit_size": 4}));
    change.if_match("*").send().ok();
    for date in ["2019-04-02", "2019-04-03", "2019-05-02", "2019-06-02"] {
        draw_on(&world, date);
    }
    assert_eq!((it.audits().len(), it.told("coop_audit_requested")), (2, 2));
    let one = it.audits()[0].clone();
    let [partner, claim, program] = ["partner_id", "claim_id", "program_id"].map(|name| text(&one[name]));
    for (query, count) in [
        (format!("partner_id={partner}&program=rewards"), 2),
        (format!("claim_id={claim}"), 1),
        (format!("program={program}&month=2019-03&state=requested"), 2),
        ("program=csp-direct-bill".into(), 0),
        ("month=2019-04".into(), 0),
        ("state=passed".into(), 0),
        ("overdue=true".into(), 2),
        ("overdue=false".into(), 0),
    ] {
        assert_eq!(it.found(&query), count, "{query}");
    }
    world.on("2019-04-30");
    assert_eq!((it.found("overdue=true"), it.found("overdue=false")), (0, 2));
    it.paying.it.story.verify();
}

#[test]
fn the_size_is_the_program_s_and_nothing_is_drawn_beyond_what_was_paid() {
    let world = World::new();
    let it = Audited::drawn(&world, 0);
    assert_eq!(it.audits().len(), 0);
    let world = World::new();
    let it = Audited::drawn(&world, 5);
    assert_eq!(it.audited_claims(), it.expected(4));
    let program = || it.operator().patch("/v1/programs/rewards", json!({"coop_audit_size": 1001}));
    program().if_match("*").send().refused(422, "invalid");
}

#[test]
fn a_draw_that_was_broken_off_goes_on_with_the_same_sample() {
    let world = World::new();
    let it = Audited::drawn(&world, 3);
    let one = it.audits().remove(1);
    let [partner, audit] = ["partner_id", "id"].map(|name| text(&one[name]).parse::<Id>().unwrap());
    // As a kill leaves the records: one audit is not begun, and the draw is not completed.
    let broken_off = move |conn: &mut _| {
        diesel::delete(audits::table.find((partner, audit))).execute(conn)?;
        let open = draws::table.filter(draws::completed_at.is_not_null());
        Ok(diesel::update(open).set(draws::completed_at.eq(None::<Timestamp>)).execute(conn)?)
    };
    assert_eq!(world.service.db.write(broken_off).unwrap(), 1);
    let change = it.operator().patch("/v1/programs/rewards", json!({"coop_audit_size": 1}));
    change.if_match("*").send().ok();
    assert_eq!(it.audits().len(), 2);
    it.paying.it.story.verify();
    draw_on(&world, "2019-04-04");
    assert_eq!(it.audited_claims(), it.expected(3));
    it.paying.it.story.verify();
}

#[test]
fn an_operator_who_has_not_approved_the_claim_passes_it() {
    let world = World::new();
    let it = Audited::drawn(&world, 1);
    let (audit, people) = (it.audits().remove(0), &it.paying.it);
    let path = format!("/v1/coop-audits/{}", text(&audit["id"]));
    let passed = json!({"comment": "All originals are there"});
    for client in [&people.admin, &people.viewer, &world.auditor()] {
        assert_eq!(client.get(&path).send().ok()["state"], "requested");
        decide(client, &audit, "pass", passed.clone()).refused(403, "forbidden");
    }
    let other = world.admin_of(&people.story.another(7).partner);
    other.get(&path).send().refused(404, "not_found");
    assert_eq!(other.get("/v1/coop-audits").send().ok()["items"], json!([]));
    let own = decide(&people.checker, &audit, "pass", json!({})).refused(403, "coop_audit_own_approval");
    assert!(own["approved_by"].is_string());
    decide(&people.checker, &audit, "recovery", recovery(&Value::Null))
        .refused(403, "coop_audit_own_approval");
    let done = decide(it.operator(), &audit, "pass", passed).ok();
    assert_eq!((&done["state"], &done["comment"]), (&json!("passed"), &json!("All originals are there")));
    assert_eq!((&done["recovered"], &done["allowed_transitions"]), (&Value::Null, &json!([])));
    assert!(done["decided_by"].is_string() && done["decided_at"].is_string());
    assert_eq!(people.admin.get(&path).send().ok()["decided_by"], Value::Null);
    for (how, body) in [("pass", json!({})), ("recovery", json!({"reason": "Once more"}))] {
        let again = decide(it.operator(), &audit, how, body);
        assert_eq!(again.refused(409, "transition_not_allowed")["from"], "passed");
    }
    assert_eq!(it.told("coop_audit_decided"), 1);
    people.story.verify();
}

#[test]
fn a_recovery_lowers_the_rebate_once_another_person_approves_its_adjustment() {
    let world = World::new();
    let it = Audited::drawn(&world, 1);
    let (audit, operator, checker) = (it.audits().remove(0), it.operator(), &it.paying.it.checker);
    let paid = text(&audit["paid"]["amount"]);
    let cents: i64 = paid.replace('.', "").parse().unwrap();
    for (amount, pointer) in [
        (usd(&format!("{}.01", cents / 100)), "/amount/amount"),
        (usd("0.00"), "/amount/amount"),
        (usd("-1.00"), "/amount/amount"),
        (json!({"amount": "1.00", "currency": "EUR"}), "/amount/currency"),
    ] {
        let refused = decide(operator, &audit, "recovery", recovery(&amount)).refused(422, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{amount}");
    }
    let done = decide(operator, &audit, "recovery", recovery(&usd("120.50"))).ok();
    assert_eq!((&done["state"], &done["recovered"]), (&json!("recovered"), &usd("120.50")));
    let adjustment = format!("/v1/adjustments/{}", text(&done["adjustment_id"]));
    let proposed = operator.get(&adjustment).send().ok();
    assert_eq!((&proposed["state"], &proposed["amount"]), (&json!("proposed"), &usd("-120.50")));
    assert_eq!((&proposed["earned_in"], &proposed["reason_code"]), (&json!("2018-12"), &json!("compliance")));
    decide(operator, &audit, "pass", json!({})).refused(409, "transition_not_allowed");
    it.paying.it.story.verify();
    let by_itself = operator.post(&format!("{adjustment}/approval"), json!({})).send();
    by_itself.refused(403, "own_proposal");
    let approved = checker.post(&format!("{adjustment}/approval"), json!({})).send().ok();
    assert_eq!(approved["posted_in"], "2019-03");
    let rebates = it.paying.it.story.list("/v1/rebates?from=2019-03&to=2019-03");
    assert_eq!(rebates[0]["amount"], usd("-120.50"));
    let words = |language: &str| {
        let asked = it.paying.it.admin.get("/v1/notifications?kind=coop_audit_decided");
        text(&asked.header("accept-language", language).send().ok()["items"][0]["body"])
    };
    assert!(words("en").contains("USD 120.50") && words("en").contains("No originals were sent"));
    it.paying.it.story.verify();
}

#[test]
fn a_recovery_of_everything_that_another_person_turns_down_asks_for_the_originals_again() {
    let world = World::new();
    let it = Audited::drawn(&world, 1);
    let audit = it.audits().remove(0);
    world.on("2019-05-02");
    let reason = json!({"reason": "No originals were sent"});
    let done = decide(it.operator(), &audit, "recovery", reason.clone()).ok();
    assert_eq!(done["recovered"], audit["paid"]);
    let path = format!("/v1/adjustments/{}/rejection", text(&done["adjustment_id"]));
    it.paying.it.checker.post(&path, json!({"comment": "They have arrived"})).send().ok();
    let again = it.audits().remove(0);
    assert_eq!((&again["state"], &again["due_on"]), (&json!("requested"), &json!("2019-05-30")));
    for name in ["recovered", "adjustment_id", "comment", "decided_by", "decided_at"] {
        assert_eq!(again[name], Value::Null, "{name}");
    }
    assert_eq!(it.told("coop_audit_requested"), 2);
    it.paying.it.story.verify();
    decide(it.operator(), &audit, "recovery", reason).ok();
    it.paying.it.story.verify();
}

#[test]
fn what_is_not_paid_any_more_is_not_recovered_and_a_claim_is_drawn_once() {
    let world = World::new();
    let it = Audited::drawn(&world, 2);
    let back = json!({"reason": "Account closed"});
    it.paying.told(&it.payment, "return", back).ok();
    it.paying.it.story.verify();
    let audit = it.audits().remove(0);
    let reason = json!({"reason": "No originals were sent"});
    let refused = decide(it.operator(), &audit, "recovery", reason).refused(409, "coop_audit_not_paid");
    assert_eq!(refused["claim_id"], audit["claim_id"]);
    let held = json!({"reason": "No originals were sent"});
    tell(it.operator(), &text(&audit["claim_id"]), "hold", held).ok();
    tell(it.operator(), &text(&audit["claim_id"]), "release", json!({"reason": "They have arrived"})).ok();
    let payment = it.paying.sent("2019-02").remove(0);
    it.paying.told(&payment, "confirmation", json!({})).ok();
    draw_on(&world, "2019-05-02");
    let claims = it.audited_claims();
    assert_eq!(claims, it.expected(4), "April's sample has the two others");
    assert_eq!((it.found("month=2019-03"), it.found("month=2019-04")), (2, 2));
    it.paying.it.story.verify();
}

#[test]
fn one_person_with_two_accounts_decides_on_no_claim_of_its_own() {
    let world = World::new();
    let paying = Paying::new(&world);
    let [first, second] = vouched_for(&world, ["olga@vendor.example", "o.operator@vendor.example"]);
    let claim = paying.it.submitted("print-advertising", &["600.00"]);
    tell(&first, &claim, "approval", json!({})).ok();
    paying.close(&["2019-01", "2019-02"]);
    let payment = paying.sent("2019-02").remove(0);
    paying.told(&payment, "confirmation", json!({})).ok();
    draw_on(&world, "2019-04-02");
    let audit = paying.it.story.list("/v1/coop-audits").remove(0);
    for client in [&first, &second] {
        decide(client, &audit, "pass", json!({})).refused(403, "coop_audit_own_approval");
    }
    decide(&paying.it.checker, &audit, "pass", json!({})).ok();
}
