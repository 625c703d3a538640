//! Marketing plans for co-op funds: from the draft to the budgets set aside, the claims that use them first, and their end.

use crate::{
    suite::{
        calculation::text,
        coop_claims::{Claimant, faults, said, tell},
        coop_funds::{on, quarter},
        payments::usd,
        tampering::{everything_is_allowed, tamper},
    },
    support::{Answer, Client, World},
};
use partner_incentives::operations::verify;
use serde_json::{Value, json};

/// An activity of March to plan.
fn planned(activity: &str, budget: &str) -> Value {
    json!({
        "activity": activity, "from": "2019-03-11", "to": "2019-03-12", "description": "Backup for the cloud",
        "budget": usd(budget),
    })
}

fn draft(client: &Client, fund: &str, activities: &[Value]) -> Answer {
    client.post("/v1/coop-plans", json!({"fund_id": fund, "activities": activities})).send()
}

fn move_on(client: &Client, plan: &str, step: &str, body: Value) -> Answer {
    client.post(&format!("/v1/coop-plans/{plan}/{step}"), body).send()
}

impl Claimant<'_> {
    fn plan(&self, id: &str) -> Answer {
        self.admin.get(&format!("/v1/coop-plans/{id}")).send().ok()
    }

    /// A plan whose budgets are set aside.
    pub fn approved_plan(&self, activities: &[(&str, &str)]) -> String {
        let activities: Vec<Value> =
            activities.iter().map(|(activity, budget)| planned(activity, budget)).collect();
        let plan = draft(&self.admin, &self.fund, &activities).ok().id();
        move_on(&self.admin, &plan, "submission", Value::Null).ok();
        move_on(&self.checker, &plan, "approval", json!({})).ok();
        plan
    }

    /// What the fund has set aside, by activity.
    fn planned_for(&self) -> Vec<(String, String)> {
        let fund = self.admin.get(&format!("/v1/coop-funds/{}", self.fund)).send().ok();
        let planned = fund["planned_for"].as_array().unwrap().iter();
        planned.map(|one| (text(&one["activity"]), text(&one["amount"]["amount"]))).collect()
    }
}

#[test]
fn a_plan_goes_from_a_viewer_s_draft_to_the_budgets_set_aside_and_shows_its_limits_meanwhile() {
    let world = World::new();
    let it = Claimant::new(&world);
    let offers = [planned("customer-offer", "2000.00"), planned("customer-offer", "600.00")];
    let drafted = draft(&it.viewer, &it.fund, &offers).ok();
    let (id, form) = (drafted.id(), &drafted["assessment"]);
    assert_eq!((&drafted["state"], &drafted["budget"]), (&json!("draft"), &usd("2600.00")));
    assert_eq!((&form["submit_until"], &form["ready"]), (&json!("2019-06-30"), &json!(false)));
    // A quarter of the fund pays offers.
    let limit = |activity: Value, most: &str, left: &str, budget: &str| {
        let (most, left, budget) = (usd(most), usd(left), usd(budget));
        json!({"activity": activity, "most": most, "used": usd("0.00"), "left": left, "budget": budget})
    };
    assert_eq!(
        form["limits"],
        json!([
            limit(Value::Null, "10000.00", "10000.00", "2600.00"),
            limit(json!("customer-offer"), "2500.00", "2500.00", "2600.00"),
        ])
    );
    move_on(&it.viewer, &id, "submission", Value::Null).refused(403, "forbidden");
    let lacking = move_on(&it.admin, &id, "submission", Value::Null).refused(422, "invalid");
    assert_eq!(faults(&lacking), said(&[("/activities/1/budget/amount", "activity_limit")]));
    let seminar = planned("customer-seminar", "1500.00");
    let change = json!({"activities": [planned("customer-offer", "2500.00"), seminar]});
    let changed = it.viewer.patch(&format!("/v1/coop-plans/{id}"), change).if_match(&it.plan(&id).etag());
    let changed = changed.send().ok();
    assert_eq!((&changed["budget"], &changed["assessment"]["ready"]), (&usd("4000.00"), &json!(true)));
    let sent = move_on(&it.admin, &id, "submission", Value::Null).ok();
    assert_eq!(
        (&sent["state"], &sent["allowed_transitions"]),
        (&json!("submitted"), &json!(["approval", "rejection", "cancellation"]))
    );
    assert_eq!(it.parts(), ["0.00", "0.00", "0.00", "0.00", "10000.00"], "nothing is set aside yet");
    let change = it.admin.patch(&format!("/v1/coop-plans/{id}"), json!({"activities": []})).if_match("*");
    assert_eq!(change.send().refused(409, "transition_not_allowed")["from"], "submitted");
    move_on(&it.admin, &id, "approval", json!({})).refused(403, "forbidden");
    // The partner mends what an operator does not like, and sends the plan again.
    let said_no = move_on(&it.checker, &id, "rejection", json!({"reason": "Fewer offers"})).ok();
    assert_eq!((&said_no["state"], &said_no["reason"]), (&json!("rejected"), &json!("Fewer offers")));
    let change =
        json!({"activities": [planned("customer-offer", "1000.00"), planned("customer-seminar", "1500.00")]});
    it.admin.patch(&format!("/v1/coop-plans/{id}"), change).if_match("*").send().ok();
    move_on(&it.admin, &id, "submission", Value::Null).ok();
    let done = move_on(&it.checker, &id, "approval", json!({"comment": "Good"})).ok();
    assert_eq!((&done["state"], &done["assessment"]), (&json!("approved"), &Value::Null));
    assert_eq!(it.parts(), ["2500.00", "0.00", "0.00", "0.00", "7500.00"]);
    assert_eq!(
        it.planned_for(),
        [("customer-offer".into(), "1000.00".into()), ("customer-seminar".into(), "1500.00".into())]
    );
    assert_eq!(it.told("coop_plan_decided"), 2);
    it.story.verify();
}

#[test]
fn a_claim_uses_the_plan_of_its_activity_first_and_gives_back_to_the_plan_last() {
    let world = World::new();
    let it = Claimant::new(&world);
    let plan = it.approved_plan(&[("website-search", "1000.00"), ("print-advertising", "9000.00")]);
    assert_eq!(it.parts(), ["10000.00", "0.00", "0.00", "0.00", "0.00"]);
    // What is planned for another activity is not free.
    let other = it.draft("demo-units", &["50.00"]).ok();
    assert_eq!(other["assessment"]["limits"][0]["left"], usd("0.00"));
    let drafted = it.draft("website-search", &["600.00", "500.00"]).ok();
    assert_eq!(drafted["assessment"]["reimbursable"], usd("1000.00"));
    assert_eq!(drafted["assessment"]["expenses"][1]["asked"]["cut_by"], "fund_exhausted");
    let id = it.submitted("website-search", &["800.00"]);
    let sent = it.claim(&id);
    assert_eq!(
        [&sent["committed"], &sent["from_plan"], &sent["plan_id"]],
        [&usd("800.00"), &usd("800.00"), &json!(plan)]
    );
    assert_eq!(it.parts(), ["9200.00", "800.00", "0.00", "0.00", "0.00"]);
    it.story.verify();
    // A part that is not approved goes back to the plan.
    let expense = it.claim(&id)["expenses"][0]["id"].clone();
    let line = json!({"expense_id": expense, "approved": usd("300.00"), "reason": "amount_not_proved"});
    tell(&it.checker, &id, "approval", json!({"lines": [line]})).ok();
    assert_eq!(it.planned_for()[1], ("website-search".into(), "700.00".into()));
    assert_eq!(it.parts(), ["9700.00", "300.00", "0.00", "0.00", "0.00"]);
    // So does what is recalled; a plan that was cancelled gets nothing back.
    let recalled = it.submitted("website-search", &["700.00"]);
    assert_eq!(it.planned_for(), [("print-advertising".into(), "9000.00".into())]);
    tell(&it.admin, &recalled, "recall", json!({})).ok();
    assert_eq!(it.planned_for().len(), 2);
    tell(&it.admin, &recalled, "submission", json!({})).ok();
    move_on(&it.admin, &plan, "cancellation", json!({"comment": "Another year"})).ok();
    assert_eq!(it.parts(), ["0.00", "1000.00", "0.00", "0.00", "9000.00"]);
    assert_eq!(it.claim(&id)["from_plan"], usd("300.00"), "claims keep what they have taken");
    it.story.verify();
    let next = it.approved_plan(&[("website-search", "100.00")]);
    tell(&it.admin, &recalled, "recall", json!({})).ok();
    assert_eq!(it.parts(), ["100.00", "300.00", "0.00", "0.00", "9600.00"]);
    assert_eq!(it.plan(&next)["state"], "approved");
    it.story.verify();
}

#[test]
fn a_claim_about_which_a_reviewer_asks_changes_its_activity_and_with_it_its_part_of_the_plan() {
    let world = World::new();
    let it = Claimant::new(&world);
    it.approved_plan(&[("website-search", "1000.00"), ("demo-units", "400.00")]);
    let id = it.submitted("website-search", &["800.00"]);
    tell(&it.checker, &id, "information-request", json!({"question": "Were units shown?"})).ok();
    let change = it.viewer.patch(&format!("/v1/coop-claims/{id}"), json!({"activity": "demo-units"}));
    let changed = change.if_match("*").send().ok();
    assert_eq!((&changed["committed"], &changed["from_plan"]), (&usd("800.00"), &usd("400.00")));
    assert_eq!(it.planned_for(), [("website-search".into(), "1000.00".into())]);
    assert_eq!(it.parts(), ["1000.00", "800.00", "0.00", "0.00", "8200.00"]);
    it.story.verify();
}

#[test]
fn a_plan_ends_with_its_fund_and_what_nobody_claimed_is_lost() {
    let world = World::new();
    let it = Claimant::new(&world);
    let plan = it.approved_plan(&[("website-search", "1000.00")]);
    let claim = it.submitted("website-search", &["400.00"]);
    on(&world, "2019-08-15");
    assert_eq!(it.plan(&plan)["state"], "approved", "the last day for claims counts");
    on(&world, "2019-08-16");
    let ended = it.plan(&plan);
    assert_eq!((&ended["state"], &ended["allowed_transitions"]), (&json!("ended"), &json!([])));
    assert_eq!(it.parts(), ["0.00", "400.00", "0.00", "9600.00", "0.00"]);
    move_on(&it.admin, &plan, "cancellation", json!({})).refused(409, "transition_not_allowed");
    let reason = json!({"reason_code": "duplicate", "reason": "Claimed in January"});
    tell(&it.checker, &claim, "rejection", reason).ok();
    assert_eq!(it.parts(), ["0.00", "0.00", "0.00", "10000.00", "0.00"]);
    it.story.verify();
}

#[test]
fn a_fund_has_one_plan_from_its_first_day_to_the_last_day_for_activities() {
    let world = World::new();
    let story = quarter(&world);
    let checker = world.another_operator();
    world.on("2018-12-20");
    story.sale("1", "2018-12-10", "100000.00");
    story.calculate();
    let (admin, viewer) = (world.admin_of(&story.partner), world.viewer_of(&story.partner));
    let fund = text(&story.list("/v1/coop-funds")[0]["id"]);
    // The half-year is not closed: the plan is written ahead.
    let plan = draft(&admin, &fund, &[planned("website-search", "9000.00")]).ok().id();
    let early = move_on(&admin, &plan, "submission", Value::Null).refused(409, "coop_plans_closed");
    assert_eq!((&early["state"], &early["until"]), (&json!("estimated"), &json!("2019-06-30")));
    let another = draft(&admin, &fund, &[]).refused(409, "coop_plan_exists");
    assert_eq!(another["plan_id"], json!(plan));
    crate::suite::coop_funds::close(&story, &["2018-12"], "2019-01-04");
    move_on(&admin, &plan, "submission", Value::Null).ok();
    // A claim that came first leaves too little.
    world.on("2019-02-20");
    let it = Claimant { story, admin, viewer, checker, fund };
    it.submitted("demo-units", &["900.00"]);
    it.submitted("print-advertising", &["200.00"]);
    let refused = move_on(&it.checker, &plan, "approval", json!({})).refused(409, "coop_fund_exhausted");
    assert_eq!(refused["missing"], usd("100.00"));
    assert_eq!(it.plan(&plan)["state"], "submitted", "nothing is half done");
    // A plan that was cancelled makes room for another one, up to the end of June.
    move_on(&it.admin, &plan, "cancellation", json!({})).ok();
    world.on("2019-06-30");
    let last = draft(&it.admin, &it.fund, &[planned("website-search", "10.00")]).ok().id();
    let over = move_on(&it.admin, &last, "submission", Value::Null).refused(422, "invalid");
    assert_eq!(faults(&over), said(&[("/activities/0/to", "over")]));
    move_on(&it.admin, &last, "cancellation", json!({})).ok();
    world.on("2019-07-01");
    draft(&it.admin, &it.fund, &[]).refused(409, "coop_plans_closed");
    it.story.verify();
}

#[test]
fn everything_that_lacks_in_a_plan_is_told_at_once() {
    let world = World::new();
    let it = Claimant::new(&world);
    let empty = draft(&it.admin, &it.fund, &[]).ok().id();
    let lacking = move_on(&it.admin, &empty, "submission", Value::Null).refused(422, "invalid");
    assert_eq!(faults(&lacking), said(&[("/activities", "required")]));
    let wrong = |change: Value| {
        let mut one = planned("website-search", "10.00");
        one.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        one
    };
    let never = json!({"activities": [
        wrong(json!({"to": "2019-03-10"})), wrong(json!({"budget": usd("0.00")})),
        wrong(json!({"budget": {"amount": "10", "currency": "JPY"}})),
    ]});
    let path = format!("/v1/coop-plans/{empty}");
    let refused = it.admin.patch(&path, never).if_match("*").send().refused(422, "invalid");
    assert_eq!(
        faults(&refused),
        said(&[
            ("/activities/0/to", "order"),
            ("/activities/1/budget/amount", "range"),
            ("/activities/2/budget/currency", "currency"),
        ])
    );
    let ahead = json!({"activities": [
        wrong(json!({"activity": "skywriting"})), wrong(json!({"from": "2018-12-31"})),
        wrong(json!({"to": "2019-07-01"})), wrong(json!({"activity": "hosted-conference"})),
        wrong(json!({"activity": "hosted-conference", "people": 1, "budget": usd("5000.01")})),
        wrong(json!({"budget": usd("5000.00")})),
    ]});
    it.admin.patch(&path, ahead).if_match("*").send().ok();
    let refused = move_on(&it.admin, &empty, "submission", Value::Null).refused(422, "invalid");
    assert_eq!(
        faults(&refused),
        said(&[
            ("/activities", "fund_exhausted"),
            ("/activities/0/activity", "unknown"),
            ("/activities/1/from", "outside_usage_period"),
            ("/activities/2/to", "outside_usage_period"),
            ("/activities/3/people", "required"),
            ("/activities/4/budget/amount", "people_limit"),
        ])
    );
}

#[test]
fn nobody_sees_or_touches_the_plan_of_another_partner() {
    let world = World::new();
    let it = Claimant::new(&world);
    let id = it.approved_plan(&[("website-search", "100.00")]);
    let other = it.story.another(2);
    let (admin, viewer) = (world.admin_of(&other.partner), world.viewer_of(&other.partner));
    for client in [&admin, &viewer] {
        client.get(&format!("/v1/coop-plans/{id}")).send().refused(404, "not_found");
        for query in
            [String::new(), format!("fund_id={}", it.fund), format!("partner_id={}", it.story.partner)]
        {
            let listed = client.get(&format!("/v1/coop-plans?{query}")).send().ok();
            assert_eq!(listed["items"], json!([]), "{query}");
        }
        let change = client.patch(&format!("/v1/coop-plans/{id}"), json!({"activities": []}));
        change.if_match("*").send().refused(404, "not_found");
        draft(client, &it.fund, &[]).refused(404, "not_found");
    }
    move_on(&admin, &id, "cancellation", json!({})).refused(404, "not_found");
    move_on(&admin, &id, "submission", Value::Null).refused(404, "not_found");
    let listed = it.story.list(&format!("/v1/coop-plans?state=approved&fund_id={}&program=rewards", it.fund));
    assert_eq!((listed.len(), &listed[0]["id"]), (1, &json!(id)));
}

/// Somebody with all rights on the database changes what is planned: `verify` says which fund.
#[test]
fn a_planned_amount_that_was_changed_behind_the_service_is_found() {
    let world = World::new();
    let it = Claimant::new(&world);
    it.approved_plan(&[("website-search", "1000.00")]);
    it.submitted("website-search", &["400.00"]);
    let mut conn = everything_is_allowed(&world);
    let changes = [
        (
            "funds have planned what they have set aside by activity",
            "coop_funds SET planned_for = '[{\"activity\":\"website-search\",\"amount\":60001}]'",
            "coop_funds SET planned_for = '[{\"activity\":\"website-search\",\"amount\":60000}]'",
        ),
        (
            "funds have planned what approved plans have left",
            "coop_plans SET budget = budget + 1",
            "coop_plans SET budget = budget - 1",
        ),
        (
            "funds follow the plan that is approved",
            "coop_plans SET state = 'cancelled'",
            "coop_plans SET state = 'approved'",
        ),
    ];
    for (check, change, undoing) in changes {
        tamper(&mut conn, &format!("UPDATE {change}")).unwrap();
        let sums = world.service.app.read_as_system(verify::sums_of_coop).unwrap();
        let found = sums.into_iter().find(|sum| sum.name == check).and_then(|sum| sum.difference);
        assert_eq!(found, Some(it.fund.clone()), "{check}");
        tamper(&mut conn, &format!("UPDATE {undoing}")).unwrap();
        it.story.verify();
    }
}
