//! Each day of an enrollment is judged by the version and the facts of that day, whenever somebody looks.

use crate::{
    suite::{
        calculation::{Story, flat, version},
        enrollments::Case,
        partners::partner,
        profiles,
    },
    support::World,
};
use partner_incentives::{
    network::partners,
    operations::jobs::refresh,
    participation::{
        eligibility::{self, UnmetDay},
        enrollments::{self, EnrollmentHistory},
        programs,
    },
    platform::values::{CalendarDate, Id, Period},
};
use serde_json::{Value, json};

fn day(text: &str) -> CalendarDate {
    text.parse().unwrap()
}

/// A version of the program of the stories that asks for something on some days.
pub fn asking(requirements: &Value, from: &str, to: &str) -> Value {
    let mut version = version(&json!([flat("core", "0.08")]));
    version["requirements"] = requirements.clone();
    version["effective_from"] = json!(from);
    version["effective_to"] = json!(to);
    version["program_year"] = json!(if from < "2019-07-01" { 2019 } else { 2020 });
    version["invitation_days"] = json!(365);
    version
}

fn active() -> Value {
    json!([{"rule": "partner_active"}])
}

pub fn publish(story: &Story<'_>, number: u32, version: Value) {
    let versions = format!("/v1/programs/{}/versions", story.program);
    story.operator.post(&versions, version).send().ok();
    story.operator.post(&format!("{versions}/{number}/publication"), json!({})).if_match("*").send().ok();
}

pub fn refresh_on(world: &World, day: &str) {
    world.on(day);
    refresh::run_now(&world.service.app, |_| ()).unwrap();
}

/// The state of the partner's newest enrollment, the start of its earning, and since when a rule is lost.
pub fn newest(story: &Story<'_>) -> (String, Value, Value) {
    let listed =
        story.world.operator().get("/v1/enrollments").query("partner_id", &story.partner).send().ok();
    let one = &listed["items"][0];
    let state = one["state"].as_str().unwrap().to_owned();
    (state, one["earnings_start_on"].clone(), one["ineligible_since"].clone())
}

pub fn stands(state: &str, start: &str) -> (String, Value, Value) {
    (state.into(), json!(start), Value::Null)
}

pub fn lost(start: &str, since: &str) -> (String, Value, Value) {
    ("ineligible".into(), json!(start), json!(since))
}

/// The days of earning of the partner's enrollments, the oldest first.
pub fn windows(story: &Story<'_>) -> Vec<Period> {
    let partner: Id = story.partner.parse().unwrap();
    let all = story.world.service.app.read_as_system(|tx| enrollments::with_history(tx, partner, 2019));
    all.unwrap().iter().flat_map(EnrollmentHistory::earning_windows).collect()
}

pub fn window(from: &str, to: &str) -> Period {
    Period { from: day(from), to: if to.is_empty() { CalendarDate::MAX } else { day(to) } }
}

/// The first reason against on each of some days.
fn unmet(story: &Story<'_>, days: &[&str]) -> Vec<(String, String)> {
    let days: Vec<CalendarDate> = days.iter().map(|text| day(text)).collect();
    let partner: Id = story.partner.parse().unwrap();
    let found = story.world.service.app.read_as_system(|tx| {
        let partner = partners::get(tx, partner)?;
        let program = programs::find(tx, &story.program.parse().unwrap())?;
        let version = programs::get_version(tx, program.id, 1)?;
        eligibility::unmet_on(tx, &partner, &program, &version, &days)
    });
    let told = |unmet: UnmetDay| (unmet.day.to_string(), unmet.code.to_string());
    found.unwrap().into_iter().map(told).collect()
}

fn told(days: &[(&str, &str)]) -> Vec<(String, String)> {
    days.iter().map(|(day, code)| ((*day).into(), (*code).into())).collect()
}

pub fn paper(story: &Story<'_>, number: &str, from: &str, to: &str) -> String {
    let body = json!({
        "partner_id": story.partner, "agreement_number": number, "signed_by": "Sam Signer",
        "signed_on": from, "effective_on": from, "expires_on": to, "membership_level": "silver",
        "grace_days": 0,
    });
    story.world.operator().post("/v1/mpn-agreements", body).send().ok().id()
}

fn suspended(story: &Story<'_>, event: &str) {
    let path = format!("/v1/partners/{}/{event}", story.partner);
    story.world.operator().post(&path, json!({"reason": "ticket 4711"})).send().ok();
}

#[test]
fn a_version_in_the_middle_of_the_year_takes_nothing_of_the_days_before() {
    let world = World::new();
    let story = Story::by(&world, &asking(&active(), "2018-07-01", "2018-12-31"));
    publish(&story, 2, asking(&json!([{"rule": "mpn_agreement"}]), "2019-01-01", "2019-06-30"));
    refresh_on(&world, "2019-01-05");
    assert_eq!(newest(&story), lost("2018-07-01", "2019-01-01"));
    assert_eq!(windows(&story), [window("2018-07-01", "2018-12-31")]);
    assert_eq!(
        unmet(&story, &["2018-12-31", "2019-01-01", "2019-01-05"]),
        told(&[("2019-01-01", "mpn_agreement_missing"), ("2019-01-05", "mpn_agreement_missing")])
    );
}

#[test]
fn a_loss_that_was_cured_under_the_version_before_is_no_gap() {
    let world = World::new();
    let mpn = json!([{"rule": "partner_active"}, {"rule": "mpn_agreement"}]);
    let first = asking(&mpn, "2018-07-01", "2018-12-31");
    let story = Story::with(&world, &first, |partner| {
        let body = json!({
            "partner_id": partner, "agreement_number": "A-1", "signed_by": "Sam Signer",
            "signed_on": "2018-07-01", "effective_on": "2018-07-01", "expires_on": "2018-12-20",
            "membership_level": "silver", "grace_days": 0,
        });
        world.operator().post("/v1/mpn-agreements", body).send().ok();
    });
    publish(&story, 2, asking(&mpn, "2019-01-01", "2019-06-30"));
    refresh_on(&world, "2019-01-10");
    assert_eq!(newest(&story), lost("2018-07-01", "2018-12-21"));
    paper(&story, "A-2", "2018-12-21", "2019-12-31");
    assert_eq!(newest(&story), stands("enrolled", "2018-07-01"));
    assert_eq!(windows(&story), [window("2018-07-01", "")]);
}

#[test]
fn a_day_without_a_version_is_lost_until_one_is_published_for_it() {
    let world = World::new();
    let story = Story::by(&world, &asking(&active(), "2018-07-01", "2018-12-31"));
    publish(&story, 2, asking(&active(), "2019-01-02", "2019-06-30"));
    refresh_on(&world, "2019-01-01");
    assert_eq!(newest(&story), lost("2018-07-01", "2019-01-01"));
    assert_eq!(unmet(&story, &["2018-12-31", "2019-01-01"]), told(&[("2019-01-01", "program_not_open")]));
    refresh_on(&world, "2019-01-05");
    assert_eq!(newest(&story).0, "invited", "the day was a gap");
    publish(&story, 3, asking(&active(), "2019-01-01", "2019-01-01"));
    assert_eq!(newest(&story), stands("enrolled", "2018-07-01"));
    assert_eq!(windows(&story), [window("2018-07-01", "")]);
}

#[test]
fn who_is_cured_without_a_gap_goes_on_where_the_profiles_put_it() {
    let world = World::new();
    let story = Story::by(&world, &asking(&active(), "2018-07-01", "2019-06-30"));
    world.on("2018-11-05");
    suspended(&story, "suspension");
    assert_eq!(newest(&story), lost("2018-07-01", "2018-11-05"));
    let tax = profiles::vat("DE987654321");
    world
        .admin_of(&story.partner)
        .put(&format!("/v1/partners/{}/tax-profile", story.partner), tax)
        .send()
        .ok();
    suspended(&story, "reinstatement");
    assert_eq!(newest(&story), stands("validating", "2018-07-01"));
    assert_eq!(windows(&story), [window("2018-07-01", "")], "payment waits, earning does not");
}

#[test]
fn a_day_under_suspension_or_abroad_stays_lost_with_its_reason() {
    let world = World::new();
    let asks = json!([{"rule": "partner_active"}, {"rule": "country", "countries": ["DE"]}]);
    let story = Story::by(&world, &asking(&asks, "2018-07-01", "2019-06-30"));
    world.on("2018-11-05");
    suspended(&story, "suspension");
    world.on("2018-11-08");
    suspended(&story, "reinstatement");
    assert_eq!(newest(&story).0, "invited");
    let admin = world.admin_of(&story.partner);
    let path = format!("/v1/enrollments/{}", story.enrollment);
    let back = admin.post(&format!("{path}/acceptance"), json!({})).send().ok();
    assert_eq!(back["earnings_start_on"], "2018-11-01");
    world.on("2018-12-01");
    let move_to = |country: &str| {
        let body = json!({"country": country});
        world.operator().patch(&format!("/v1/partners/{}", story.partner), body).if_match("*").send().ok();
    };
    move_to("JP");
    assert_eq!(newest(&story), lost("2018-11-01", "2018-12-01"));
    world.on("2018-12-03");
    move_to("DE");
    let days = ["2018-11-04", "2018-11-05", "2018-11-07", "2018-11-08", "2018-12-01", "2018-12-03"];
    let found = [
        ("2018-11-05", "partner_not_active"),
        ("2018-11-07", "partner_not_active"),
        ("2018-12-01", "country_not_covered"),
    ];
    assert_eq!(unmet(&story, &days), told(&found));
}

#[test]
fn a_sale_on_a_lost_day_says_which_rule_whether_the_loss_is_told_before_or_after() {
    for told_late in [false, true] {
        let world = World::new();
        let asks = json!([{"rule": "partner_active"}, {"rule": "country", "countries": ["DE"]}]);
        let story = Story::by(&world, &asking(&asks, "2018-07-01", "2018-12-31"));
        world.on("2018-11-05");
        suspended(&story, "suspension");
        world.on("2018-11-06");
        suspended(&story, "reinstatement");
        let path = format!("/v1/enrollments/{}/acceptance", story.enrollment);
        world.admin_of(&story.partner).post(&path, json!({})).send().ok();
        let sell = || {
            for (number, on) in
                [("1", "2018-11-04"), ("2", "2018-11-05"), ("3", "2018-12-01"), ("4", "2019-01-01")]
            {
                story.sale(number, on, "100.00");
            }
        };
        let lose = || {
            world.on("2018-12-01");
            let body = json!({"country": "JP"});
            let path = format!("/v1/partners/{}", story.partner);
            world.operator().patch(&path, body).if_match("*").send().ok();
            world.on("2019-01-05");
        };
        if told_late {
            world.on("2019-01-05");
            sell();
            story.calculate();
            lose();
        } else {
            lose();
            sell();
        }
        story.calculate();
        let mut refused: Vec<String> = story.refusals().into_iter().map(|(code, _)| code).collect();
        refused.sort_unstable();
        assert_eq!(
            refused,
            ["country_not_covered", "partner_not_active", "program_not_open"],
            "told late: {told_late}"
        );
        let earned: i64 =
            story.amounts().iter().map(|amount| amount.replace('.', "").parse::<i64>().unwrap()).sum();
        assert_eq!(earned, 800, "told late: {told_late}");
        story.verify();
    }
}

#[test]
fn a_sale_before_the_first_version_says_so() {
    let world = World::new();
    world.on("2018-09-05");
    let story = Story::by(&world, &asking(&active(), "2018-09-01", "2019-06-30"));
    world.on("2018-10-05");
    story.sale("1", "2018-08-31", "100.00");
    story.calculate();
    assert_eq!(story.refusals(), [("program_not_open".to_owned(), String::new())]);
    story.verify();
}

#[test]
fn a_location_that_leaves_its_headquarters_keeps_its_past() {
    let world = World::new();
    let operator = world.operator();
    let headquarters = operator.post("/v1/partners", partner(50, "direct_bill")).send().ok().id();
    let owner = Case { world: &world, id: headquarters.clone() };
    let _owner = owner.agreement("mpn", "2018-07-01", None);
    let mut body = partner(51, "direct_bill");
    body["headquarters_id"] = json!(headquarters);
    let made = operator.post("/v1/partners", body).send().ok();
    assert_eq!(made["headquarters_since"], "2018-07-01");
    let case = Case { world: &world, id: made.id() }.agreement("reseller", "2018-07-01", None).competency(
        "devops",
        "gold",
        "2018-07-01",
    );
    world.on("2018-11-01");
    let enrolled = case.ask(&world.admin_of(&case.id), "csp-direct-bill").ok();
    case.approve_profiles();
    world.on("2019-02-01");
    let alone = json!({"headquarters_id": null});
    let path = format!("/v1/partners/{}", case.id);
    let alone = world.operator().patch(&path, alone).if_match("*").send().ok();
    assert_eq!(alone["headquarters_since"], Value::Null);
    let lost = world.operator().get(&format!("/v1/enrollments/{}", enrolled.id())).send().ok();
    assert_eq!((&lost["state"], &lost["ineligible_since"]), (&json!("ineligible"), &json!("2019-02-01")));
    let on = |day: &str| case.eligibility("csp-direct-bill", day)["outcome"].clone();
    assert_eq!((on("2019-01-31"), on("2019-02-01")), (json!("eligible"), json!("ineligible")));
    // What becomes of the headquarters' papers for the days before still concerns it.
    world.on("2019-02-10");
    let listed = world.operator().get("/v1/mpn-agreements").query("partner_id", &headquarters).send().ok();
    let mpn = format!("/v1/mpn-agreements/{}/termination", listed["items"][0]["id"].as_str().unwrap());
    let end = json!({"terminated_on": "2019-01-20", "reason": "found late"});
    world.operator().post(&mpn, end).send().ok();
    let lost = world.operator().get(&format!("/v1/enrollments/{}", enrolled.id())).send().ok();
    assert_eq!(lost["ineligible_since"], "2019-01-20");
}

#[test]
fn a_program_may_ask_for_active_users() {
    let world = World::new();
    // The story makes one admin itself.
    let asks = json!([{"rule": "minimum_users", "min_count": 3}]);
    let story = Story::with(&world, &asking(&asks, "2018-07-01", "2019-06-30"), |partner| {
        world.admin_of(partner);
        world.viewer_of(partner);
    });
    let listed = story.operator.get("/v1/users").query("partner_id", &story.partner).send().ok();
    let users = listed["items"].as_array().unwrap();
    let viewer = users.iter().find(|user| user["role"] == "viewer" && user["status"] == "active").unwrap();
    let path = format!("/v1/users/{}", viewer["id"].as_str().unwrap());
    world.on("2018-11-05");
    let because = json!({"reason": "has left"});
    world.operator().post(&format!("{path}/deactivation"), because.clone()).send().ok();
    assert_eq!(newest(&story), lost("2018-07-01", "2018-11-05"));
    world.on("2018-11-08");
    world.operator().post(&format!("{path}/reactivation"), because).send().ok();
    assert_eq!(newest(&story).0, "invited");
    let days = ["2018-11-04", "2018-11-05", "2018-11-07", "2018-11-08"];
    assert_eq!(
        unmet(&story, &days),
        told(&[("2018-11-05", "too_few_users"), ("2018-11-07", "too_few_users")])
    );
}

#[test]
fn facts_that_come_late_lead_to_where_one_look_at_everything_would() {
    let world = World::new();
    let mpn = json!([{"rule": "partner_active"}, {"rule": "mpn_agreement"}]);
    let story = Story::with(&world, &asking(&mpn, "2018-07-01", "2019-06-30"), |partner| {
        let body = json!({
            "partner_id": partner, "agreement_number": "A-1", "signed_by": "Sam Signer",
            "signed_on": "2018-07-01", "effective_on": "2018-07-01", "expires_on": "2018-09-30",
            "membership_level": "silver", "grace_days": 0,
        });
        world.operator().post("/v1/mpn-agreements", body).send().ok();
    });
    // Nobody has looked while the agreement had lapsed, and the next one has begun.
    world.on("2018-11-10");
    paper(&story, "A-3", "2018-11-01", "2019-12-31");
    assert_eq!(newest(&story).0, "invited", "there was a gap");
    assert_eq!(windows(&story), [window("2018-07-01", "2018-09-30")]);
    let path = format!("/v1/enrollments/{}", story.enrollment);
    let admin = world.admin_of(&story.partner);
    admin.post(&format!("{path}/acceptance"), json!({})).send().ok();
    let both = [window("2018-07-01", "2018-09-30"), window("2018-11-01", "")];
    assert_eq!(windows(&story), both);
    // A paper for a part of the gap, then for the rest of it: the new beginning was none.
    world.on("2018-12-01");
    paper(&story, "A-2", "2018-10-01", "2018-10-14");
    assert_eq!(windows(&story), [window("2018-07-01", "2018-10-14"), window("2018-11-01", "")]);
    assert_eq!(newest(&story), stands("enrolled", "2018-11-01"));
    paper(&story, "A-4", "2018-10-15", "2018-10-31");
    assert_eq!(newest(&story), stands("enrolled", "2018-07-01"));
    assert_eq!(windows(&story), [window("2018-07-01", "")]);
}

/// What each of the partner's admins was told about changed states, oldest first.
fn mails(story: &Story<'_>) -> Vec<String> {
    let kind = "enrollment_state_changed";
    let ask = story.world.operator().get("/v1/notifications").query("partner_id", &story.partner);
    let listed = ask.query("kind", kind).send().ok();
    let items = listed["items"].as_array().unwrap();
    let one = items.first().map(|item| &item["user_id"]);
    let subject = |item: &Value| item["subject"].as_str().unwrap().to_owned();
    items.iter().rev().filter(|item| Some(&item["user_id"]) == one).map(subject).collect()
}

#[test]
fn a_tax_form_that_has_lapsed_makes_payment_wait_and_not_the_new_year() {
    let world = World::new();
    let story = Story::by(&world, &asking(&active(), "2018-07-01", "2019-06-30"));
    publish(&story, 2, asking(&active(), "2019-07-01", "2020-06-30"));
    let tax = profiles::until("2019-06-30");
    let path = format!("/v1/partners/{}/tax-profile", story.partner);
    world.admin_of(&story.partner).put(&path, tax).send().ok();
    story.operator.post(&format!("{path}/approval"), json!({})).send().ok();
    let before = mails(&story).len();
    refresh_on(&world, "2019-07-03");
    assert_eq!(newest(&story), stands("action_required", "2019-07-01"));
    assert_eq!(windows(&story), [window("2018-07-01", "2019-06-30"), window("2019-07-01", "")]);
    story.sale("1", "2019-07-02", "100.00");
    story.calculate();
    assert_eq!(story.amounts(), ["8.00"], "payment waits, and July earns");
    let told = mails(&story);
    assert_eq!(told.len(), before + 1, "{told:?}");
    assert!(told.last().unwrap().contains("FY2020"), "{told:?}");
}

#[test]
fn a_version_that_is_published_late_takes_over_from_the_first_of_july() {
    let world = World::new();
    let story = Story::by(&world, &asking(&active(), "2018-07-01", "2019-06-30"));
    let before = mails(&story).len();
    refresh_on(&world, "2019-07-01");
    assert_eq!(newest(&story).0, "expired");
    world.on("2019-07-10");
    publish(&story, 2, asking(&active(), "2019-07-01", "2020-06-30"));
    assert_eq!(newest(&story), stands("enrolled", "2019-07-01"));
    assert_eq!(windows(&story), [window("2018-07-01", "2019-06-30"), window("2019-07-01", "")]);
    assert_eq!(mails(&story).len(), before + 1, "{:?}", mails(&story));
}

#[test]
fn who_lost_a_rule_before_the_year_was_over_does_not_go_on() {
    let world = World::new();
    let mpn = json!([{"rule": "mpn_agreement"}]);
    let story = Story::with(&world, &asking(&mpn, "2018-07-01", "2019-06-30"), |partner| {
        let body = json!({
            "partner_id": partner, "agreement_number": "A-1", "signed_by": "Sam Signer",
            "signed_on": "2018-07-01", "effective_on": "2018-07-01", "expires_on": "2019-06-20",
            "membership_level": "silver", "grace_days": 0,
        });
        world.operator().post("/v1/mpn-agreements", body).send().ok();
    });
    publish(&story, 2, asking(&active(), "2019-07-01", "2020-06-30"));
    refresh_on(&world, "2019-07-05");
    assert_eq!(newest(&story).0, "invited");
    assert_eq!(windows(&story), [window("2018-07-01", "2019-06-20")]);
}

#[test]
fn who_keeps_its_revenue_while_enrolled_has_kept_it_on_the_day_before_it_left() {
    let world = World::new();
    let asks = |keep: bool| {
        let amount = json!({"amount": "100.00", "currency": "USD"});
        json!([{"rule": "any_of", "requirements": [
            {"rule": "trailing_revenue", "days": 30, "amount": amount, "keep_once_enrolled": keep},
            {"rule": "mpn_agreement"},
        ]}])
    };
    let story = Story::with(&world, &asking(&asks(true), "2018-07-01", "2019-06-30"), |partner| {
        let body = json!({
            "source": "billing", "external_id": "first", "partner_id": partner,
            "customer": {"id": "C-1", "country": "DE"}, "product": "SKU-1", "product_family": "azure",
            "kind": "purchase", "occurred_on": "2018-07-01",
            "amount": {"amount": "100.00", "currency": "USD"},
        });
        world.operator().post("/v1/transactions", body).send().ok();
    });
    world.on("2018-11-20");
    let leaves = format!("/v1/enrollments/{}/opt-out", story.enrollment);
    world.operator().post(&leaves, json!({"reason": "By telephone"})).send().ok();
    assert_eq!(windows(&story), [window("2018-07-01", "2018-11-19")]);
    assert_eq!(
        unmet(&story, &["2018-11-18", "2018-11-19", "2018-11-20"]),
        told(&[("2018-11-20", "opted_out_this_year")])
    );
}
