//! Changes of the bank account: who is told, how long money waits, and who ends the wait.

use crate::{
    suite::{
        adjustments::vouched_for,
        calculation::{Story, flat},
        enrollments_by_day::refresh_on,
        profiles::{payout, payout_to, vat},
    },
    support::{Answer, World, person, statements::behind_the_service},
};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, connection::SimpleConnection};
use partner_incentives::{
    access::Role,
    identity::users,
    schema::{deliveries, notifications},
};
use serde_json::{Value, json};

const OTHER: &str = "DE02120300000000202051";

/// A partner with a payable rebate of July, on 2018-08-02, a Thursday.
fn owed(world: &World) -> Story<'_> {
    let story = Story::new(world, &json!([flat("core", "0.08")]));
    world.on("2018-07-20");
    story.sale("1", "2018-07-05", "10000.00");
    story.calculate();
    world.on("2018-08-02");
    story.close("2018-07").ok();
    story
}

fn path(story: &Story<'_>) -> String {
    format!("/v1/partners/{}/payout-profile", story.partner)
}

/// The state of the rebate, and the reason it waits.
fn rebate(story: &Story<'_>) -> (Value, Value) {
    let rebate = &story.list("/v1/rebates")[0];
    (rebate["state"].clone(), rebate["state_reason"]["code"].clone())
}

fn waits(reason: &str) -> (Value, Value) {
    (json!("on_hold"), json!(reason))
}

fn payable() -> (Value, Value) {
    (json!("payable"), Value::Null)
}

fn change(story: &Story<'_>, body: Value) -> Answer {
    story.world.admin_of(&story.partner).put(&path(story), body).send().ok()
}

fn approve(story: &Story<'_>) -> Answer {
    story.world.operator().post(&format!("{}/approval", path(story)), json!({})).send().ok()
}

#[test]
fn after_a_change_of_the_account_money_waits_for_three_business_days() {
    let world = World::new();
    let story = owed(&world);
    assert_eq!(rebate(&story), payable());
    let first = world.operator().get(&path(&story)).send().ok();
    assert_eq!((&first["cooling_off_until"], &first["missing"]), (&Value::Null, &json!([])));

    // Another street is no other account.
    let mut moved = payout();
    moved["address"]["street"] = json!("Neuer Wall");
    assert_eq!(change(&story, moved)["cooling_off_until"], Value::Null);
    approve(&story);
    assert_eq!(rebate(&story), payable());

    let changed = change(&story, payout_to("Contoso Cloud GmbH", OTHER));
    assert_eq!((&changed["state"], &changed["cooling_off_until"]), (&json!("pending"), &json!("2018-08-07")));
    assert_eq!(rebate(&story), waits("profile_pending"));
    let approved = approve(&story);
    assert_eq!(approved["allowed_transitions"], json!(["rejection", "cooling-off-release"]));
    assert_eq!(rebate(&story), waits("cooling_off"));
    let enrollment = world.operator().get(&format!("/v1/enrollments/{}", story.enrollment)).send().ok();
    assert_eq!(enrollment["state"], "enrolled", "earning goes on");

    // Saturday and Sunday do not count.
    refresh_on(&world, "2018-08-07");
    assert_eq!(rebate(&story), waits("cooling_off"));
    refresh_on(&world, "2018-08-08");
    assert_eq!(rebate(&story), payable());
    let over = world.operator().get(&path(&story)).send().ok();
    assert_eq!(
        (&over["cooling_off_until"], &over["allowed_transitions"]),
        (&Value::Null, &json!(["rejection"]))
    );
    story.verify();
}

#[test]
fn one_person_with_two_accounts_does_not_end_the_wait_for_what_they_have_approved() {
    let world = World::new();
    let story = owed(&world);
    let account = |email: &str| {
        let new = person(email, "Olga Operator", Role::Operator, None);
        world.signed_in(users::provision(&world.service.app, new).unwrap())
    };
    let mailbox = ["olga@vendor.example", "Olga+two@Vendor.example"].map(account);
    let vouched = vouched_for(&world, ["o.operator@vendor.example", "olga@another.example"]);
    let (approval, release) =
        (format!("{}/approval", path(&story)), format!("{}/cooling-off-release", path(&story)));
    let because = json!({"reason": "Confirmed by telephone, at the number on record"});
    for ([first, alias], to) in [(mailbox, OTHER), (vouched, "DE89370400440532013000")] {
        let changed = change(&story, payout_to("Contoso Cloud GmbH", to));
        assert_eq!(
            (&changed["state"], &changed["cooling_off_until"]),
            (&json!("pending"), &json!("2018-08-07"))
        );
        first.post(&approval, json!({})).send().ok();
        for own in [&first, &alias] {
            own.post(&release, because.clone()).send().refused(403, "own_approval");
        }
        assert_eq!(rebate(&story), waits("cooling_off"));
        world.operator().post(&release, because.clone()).send().ok();
        assert_eq!(rebate(&story), payable());
    }
    story.verify();
}

#[test]
fn a_second_operator_ends_the_wait() {
    let world = World::new();
    let story = owed(&world);
    let release = format!("{}/cooling-off-release", path(&story));
    let because = json!({"reason": "Confirmed by telephone, at the number on record"});
    let second = world.another_operator();
    second.post(&release, because.clone()).send().refused(409, "transition_not_allowed");
    change(&story, payout_to("Contoso Cloud GmbH", OTHER));
    let early = second.post(&release, because.clone()).send().refused(409, "transition_not_allowed");
    assert_eq!((&early["from"], &early["allowed"]), (&json!("pending"), &json!(["approval", "rejection"])));
    approve(&story);
    world.operator().post(&release, because.clone()).send().refused(403, "own_approval");
    world.admin_of(&story.partner).post(&release, because.clone()).send().refused(403, "forbidden");
    second.post(&release, json!({})).send().refused(422, "invalid");
    assert_eq!(rebate(&story), waits("cooling_off"));
    let released = second.post(&release, because.clone()).send().ok();
    assert_eq!((&released["state"], &released["cooling_off_until"]), (&json!("approved"), &Value::Null));
    assert_eq!(rebate(&story), payable());
    let events = second
        .get("/v1/audit-events")
        .query("operation", "releaseCoolingOff")
        .query("resource_type", "payout_profile")
        .send()
        .ok();
    assert_eq!(events["items"][0]["reason"], because["reason"]);
    second.post(&release, because).send().refused(409, "transition_not_allowed");
    // The next change waits anew.
    assert_eq!(change(&story, payout())["cooling_off_until"], "2018-08-07");
    story.verify();
}

#[test]
fn a_setting_says_how_long_money_waits() {
    for (days, until) in [(0, Value::Null), (1, json!("2018-08-03")), (10, json!("2018-08-16"))] {
        let world = World::with(|settings| settings.cooling_off_days = days);
        let story = owed(&world);
        let changed = change(&story, payout_to("Contoso Cloud GmbH", OTHER));
        assert_eq!(changed["cooling_off_until"], until);
    }
}

#[test]
fn every_admin_and_the_old_and_the_new_contact_are_told_of_another_account() {
    let world = World::new();
    let story = owed(&world);
    let partner = format!("/v1/partners/{}", story.partner);
    let new = json!({
        "email": "second@partner.example", "name": "Second", "role": "incentive_admin", "partner_id": story.partner
    });
    let operator = world.operator();
    operator.post("/v1/users", new).send().ok();
    let old = operator.get(&partner).send().ok()["contact_email"].clone();
    let contact = json!({"contact_email": "lately@partner.example"});
    operator.patch(&partner, contact).if_match("*").send().ok();
    let told = || -> Vec<String> {
        let written = notifications::table
            .filter(notifications::kind.eq("bank_account_changed"))
            .select(notifications::id);
        let mails = deliveries::table
            .filter(deliveries::notification_id.eq_any(written))
            .order(deliveries::recipient)
            .select(deliveries::recipient);
        world.service.db.read(|conn| Ok(mails.load(conn)?)).unwrap()
    };
    assert_eq!(told(), Vec::<String>::new(), "nobody is told of a first account");
    change(&story, payout_to("Contoso Cloud GmbH", OTHER));
    let users = operator.get("/v1/users").query("partner_id", &story.partner).send().ok();
    let admins = users["items"].as_array().unwrap().iter().filter(|user| user["role"] == "incentive_admin");
    let mut all: Vec<String> = admins.map(|user| text(&user["email"]).to_owned()).collect();
    assert!(all.len() > 1 && all.contains(&"second@partner.example".to_owned()), "{all:?}");
    all.extend([text(&old).to_owned(), "lately@partner.example".to_owned()]);
    all.sort();
    assert_eq!(told(), all);
    let listed = operator.get("/v1/notifications").query("kind", "bank_account_changed").send().ok();
    let one = &listed["items"][0];
    let read = operator.get(&format!("/v1/notifications/{}", one["id"].as_str().unwrap())).send().ok();
    let body = text(&read["body"]);
    assert!(body.contains("****2051") && body.contains("7 August 2018") && !body.contains(OTHER), "{body}");
}

#[test]
fn an_account_of_an_earlier_version_is_filed_again_with_what_is_missing() {
    let world = World::new();
    let story = owed(&world);
    let mut conn = world.service.db.target().open().unwrap();
    // As the migration leaves what was filed before: a number, and no address.
    behind_the_service(|| {
        let before = "UPDATE payout_profiles SET state = 'action_required', approved_by = NULL, \
             account_number = account, account = NULL, town = NULL, address_country = NULL, street = NULL, \
             building_number = NULL, revision = revision + 1";
        conn.batch_execute(before).unwrap();
    });
    let admin = world.admin_of(&story.partner);
    let parts = |language: &str| {
        let shown = admin.get(&path(&story)).header("accept-language", language).send().ok();
        assert_eq!((&shown["state"], &shown["rejection_reason"]), (&json!("action_required"), &Value::Null));
        assert_eq!(shown["allowed_transitions"], json!([]));
        shown["missing"].as_array().unwrap().clone()
    };
    let (english, japanese) = (parts("en"), parts("ja"));
    let named = |parts: &[Value]| -> Vec<String> {
        parts.iter().map(|part| format!("{} {}", text(&part["field"]), text(&part["code"]))).collect()
    };
    assert_eq!(named(&english), ["/account account_missing", "/address/town town_missing"]);
    assert_eq!(named(&japanese), named(&english));
    assert!(text(&english[1]["detail"]).contains("town"));
    assert!(text(&japanese[1]["detail"]).contains("市区町村"));
    let listed = world.operator().get("/v1/payout-profiles").query("state", "action_required").send().ok();
    assert_eq!(listed["items"][0]["missing"].as_array().unwrap().len(), 2);
    refresh_on(&world, "2018-08-03");
    assert_eq!(rebate(&story), waits("profile_action_required"));
    let enrollment = admin.get(&format!("/v1/enrollments/{}", story.enrollment)).send().ok();
    assert_eq!(enrollment["state"], "action_required");
    // The same account, with what was missing: nothing has changed that money should wait for.
    let filed = change(&story, payout());
    assert_eq!((&filed["missing"], &filed["cooling_off_until"]), (&json!([]), &Value::Null));
    approve(&story);
    assert_eq!(rebate(&story), payable());
}

#[test]
fn the_answer_about_a_tax_number_is_noted_and_asked_anew_for_another_number() {
    let world = World::new();
    let story = owed(&world);
    let (admin, operator) = (world.admin_of(&story.partner), world.operator());
    let path = format!("/v1/partners/{}/tax-profile", story.partner);
    let noted = format!("{path}/tin-status");
    assert_eq!(admin.get(&path).send().ok()["tin_status"], "unverified");
    let first = operator.put(&noted, json!({"tin_status": "mismatched"})).send().ok();
    assert_eq!((&first["tin_status"], &first["state"]), (&json!("mismatched"), &json!("approved")));
    let same = operator.put(&noted, json!({"tin_status": "mismatched"})).send().ok();
    assert_eq!(same.etag(), first.etag());
    admin.put(&noted, json!({"tin_status": "matched"})).send().refused(403, "forbidden");
    operator.put(&noted, json!({"tin_status": "good"})).send().refused(422, "invalid");
    // Signed again, it is the same number; another number is unknown.
    let mut again = vat("DE123456789");
    again["signed_on"] = json!("2018-08-01");
    assert_eq!(admin.put(&path, again).send().ok()["tin_status"], "mismatched");
    assert_eq!(admin.put(&path, vat("DE987654321")).send().ok()["tin_status"], "unverified");
    let approval = json!({"tin_status": "matched"});
    let approved = operator.post(&format!("{path}/approval"), approval).send().ok();
    assert_eq!((&approved["state"], &approved["tin_status"]), (&json!("approved"), &json!("matched")));
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
