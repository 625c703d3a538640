//! The daily refresh: what it moves, whom it reminds, and that repeating it changes nothing.

use crate::{
    suite::enrollments::{Case, eligible_direct_bill},
    support::{Answer, World},
};
use diesel::{QueryDsl, RunQueryDsl};
use partner_incentives::{
    operations::jobs::{JobRun, JobRunState, refresh},
    schema::{enrollment_changes, enrollments, evaluations, notifications, reminders},
    work::{End, JobName, Turn},
};
use serde_json::{Value, json};

/// Refreshes, as the clock or the command line does.
fn refreshed(world: &World) -> JobRun {
    let run = refresh::run_now(&world.service.app, |_| ()).unwrap();
    assert_eq!(run.state, JobRunState::Succeeded);
    run
}

/// Refreshes on a day.
fn refresh_on(world: &World, day: &str) {
    world.on(day);
    refreshed(world);
}

/// How many records there are of what a refresh can make.
fn counts(world: &World) -> [i64; 5] {
    let count = |conn: &mut _| {
        Ok([
            enrollments::table.count().get_result(conn)?,
            enrollment_changes::table.count().get_result(conn)?,
            evaluations::table.count().get_result(conn)?,
            notifications::table.count().get_result(conn)?,
            reminders::table.count().get_result(conn)?,
        ])
    };
    world.service.db.read(count).unwrap()
}

/// The enrollments of a partner, oldest first.
fn enrollments_of(case: &Case<'_>) -> Vec<Value> {
    let listed = case.world.operator().get("/v1/enrollments").query("partner_id", &case.id).send().ok();
    listed["items"].as_array().unwrap().iter().rev().cloned().collect()
}

fn states_of(case: &Case<'_>) -> Vec<(i64, String)> {
    let state = |e: &Value| (e["program_year"].as_i64().unwrap(), e["state"].as_str().unwrap().to_owned());
    enrollments_of(case).iter().map(state).collect()
}

/// What each of its admins was told, oldest first.
fn told(case: &Case<'_>, kind: &str) -> Vec<String> {
    let operator = case.world.operator();
    let listed =
        operator.get("/v1/notifications").query("partner_id", &case.id).query("kind", kind).send().ok();
    let items = listed["items"].as_array().unwrap();
    let one = items.first().map(|item| &item["user_id"]);
    let body = |item: &Value| item["body"].as_str().unwrap().to_owned();
    items.iter().rev().filter(|item| Some(&item["user_id"]) == one).map(body).collect()
}

/// E1's partner, enrolled since November, with an MPN agreement that ends on a day.
fn enrolled_until<'w>(world: &'w World, n: u32, mpn_expires_on: &str) -> Case<'w> {
    let case = Case::new(world, n, "direct_bill")
        .agreement("mpn", "2018-07-01", Some(mpn_expires_on))
        .agreement("reseller", "2018-07-01", None)
        .competency("cloud-productivity", "silver", "2018-07-01");
    world.on("2018-11-01");
    case.ask(&world.admin_of(&case.id), "csp-direct-bill").ok();
    case.approve_profiles();
    assert_eq!(states_of(&case), [(2019, "enrolled".into())]);
    case
}

#[test]
fn who_turned_eligible_is_invited_once_and_the_invitation_runs_out() {
    let world = World::new();
    let case = eligible_direct_bill(&world, 1);
    let outsider = Case::new(&world, 2, "direct_bill");
    let admin = world.admin_of(&case.id);
    world.on("2018-11-01");
    assert_eq!(states_of(&case), []);
    refreshed(&world);
    assert_eq!(states_of(&case), [(2019, "invited".into())]);
    assert_eq!(states_of(&outsider), []);
    assert_eq!(told(&case, "enrollment_invited").len(), 1);
    let before = counts(&world);
    refreshed(&world);
    assert_eq!(counts(&world), before, "the same day again");
    let last = enrollments_of(&case)[0]["invitation_expires_on"].as_str().unwrap().to_owned();
    refresh_on(&world, &last);
    assert_eq!(states_of(&case), [(2019, "invited".into())]);
    world.clock.set(world.clock.now().plus_seconds(24 * 3600));
    refreshed(&world);
    assert_eq!(states_of(&case), [(2019, "expired".into())]);
    world.clock.set(world.clock.now().plus_seconds(24 * 3600));
    refreshed(&world);
    assert_eq!(states_of(&case), [(2019, "expired".into())], "nobody is invited twice in a year");
    drop(admin);
}

#[test]
fn the_first_of_july_takes_enrollments_over_into_the_new_year() {
    let world = World::new();
    let case = enrolled_until(&world, 3, "2020-06-30");
    let waiting = eligible_direct_bill(&world, 4);
    waiting.ask(&world.admin_of(&waiting.id), "csp-direct-bill").ok();
    refresh_on(&world, "2019-06-30");
    assert_eq!(states_of(&case), [(2019, "enrolled".into())]);
    refresh_on(&world, "2019-07-01");
    assert_eq!(states_of(&case), [(2019, "expired".into()), (2020, "enrolled".into())]);
    assert_eq!(enrollments_of(&case)[1]["earnings_start_on"], "2019-07-01");
    // Who has accepted and lacks profiles goes on too: payment waits, earning does not.
    assert_eq!(states_of(&waiting), [(2019, "expired".into()), (2020, "action_required".into())]);
    let before = counts(&world);
    refreshed(&world);
    assert_eq!(counts(&world), before, "the same day again");
}

#[test]
fn what_is_lost_and_cured_by_the_calendar_alone_is_found() {
    let world = World::new();
    let case = enrolled_until(&world, 5, "2018-12-31");
    let case = case.agreement("mpn", "2019-02-10", Some("2020-06-30"));
    refresh_on(&world, "2019-01-30");
    assert_eq!(states_of(&case), [(2019, "enrolled".into())]);
    refresh_on(&world, "2019-02-03");
    assert_eq!(states_of(&case), [(2019, "ineligible".into())]);
    assert_eq!(
        enrollments_of(&case)[0]["ineligible_since"],
        "2019-01-31",
        "found late, it counts from its day"
    );
    assert_eq!(told(&case, "eligibility_lost").len(), 1);
    refresh_on(&world, "2019-02-10");
    assert_eq!(states_of(&case), [(2019, "invited".into())], "there was a gap, so the partner accepts anew");
}

#[test]
fn e7_reminders_come_before_and_in_grace_and_then_the_loss() {
    let world = World::new();
    let case = enrolled_until(&world, 7, "2019-09-01");
    refresh_on(&world, "2019-07-01");
    let reminded_by = |day: &str| {
        refresh_on(&world, day);
        let before = counts(&world);
        refreshed(&world);
        assert_eq!(counts(&world), before, "{day}: the same day again");
        told(&case, "eligibility_at_risk").len()
    };
    let days = [
        ("2019-08-02", 0),
        ("2019-08-03", 1),
        ("2019-08-04", 1),
        ("2019-08-26", 2),
        ("2019-09-01", 3),
        ("2019-09-02", 4),
        ("2019-09-24", 4),
        ("2019-09-25", 5),
        ("2019-10-01", 6),
    ];
    for (day, number) in days {
        assert_eq!(reminded_by(day), number, "{day}");
    }
    let reminders = told(&case, "eligibility_at_risk");
    assert!(
        reminders.iter().all(|text| text.contains("Last day: 1 October 2019")),
        "the last day: {reminders:#?}"
    );
    assert!(reminders[0].contains("is active until 2019-09-01"), "{}", reminders[0]);
    assert!(reminders[3].contains("by a period of grace only"), "{}", reminders[3]);
    assert_eq!(told(&case, "eligibility_lost").len(), 0);
    refresh_on(&world, "2019-10-02");
    assert_eq!(states_of(&case).last(), Some(&(2020, "ineligible".into())));
    assert_eq!((told(&case, "eligibility_at_risk").len(), told(&case, "eligibility_lost").len()), (6, 1));
}

#[test]
fn who_renews_in_time_is_left_in_peace() {
    let world = World::new();
    let case = enrolled_until(&world, 8, "2019-03-31");
    refresh_on(&world, "2019-03-01");
    assert_eq!(told(&case, "eligibility_at_risk").len(), 0);
    refresh_on(&world, "2019-03-02");
    assert_eq!(told(&case, "eligibility_at_risk").len(), 1);
    // It begins a while after the old one has ended; grace carries until then.
    let case = case.agreement("mpn", "2019-04-10", Some("2020-06-30"));
    for day in ["2019-03-25", "2019-03-31", "2019-04-01", "2019-04-05", "2019-04-10"] {
        refresh_on(&world, day);
        assert_eq!(told(&case, "eligibility_at_risk").len(), 1, "{day}");
    }
    assert_eq!(states_of(&case), [(2019, "enrolled".into())]);
}

/// Reads a run until it has ended.
fn followed(world: &World, path: &str) -> Answer {
    for _ in 0..600 {
        let run = world.operator().get(path).send().ok();
        if run["state"] != "running" {
            return run;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("{path} does not end");
}

#[test]
fn an_operator_starts_a_refresh_and_follows_it() {
    let world = World::new();
    let case = eligible_direct_bill(&world, 9);
    let operator = world.operator();
    let jobs = operator.get("/v1/jobs").send().ok();
    let job = &jobs["items"][0];
    assert_eq!(
        (&job["as_of"], &job["last_run"], &job["next_run_at"]),
        (&json!(null), &json!(null), &json!(null))
    );
    let path = "/v1/jobs/daily-refresh/runs";
    let started = operator.post(path, json!({})).key("once").send().ok();
    assert_eq!((started.status, started["state"].as_str()), (202, Some("running")));
    let location = started.header("location").unwrap().to_owned();
    assert_eq!(location, format!("/v1/jobs/runs/{}", started.id()));
    let run = followed(&world, &location);
    assert_eq!((run["state"].as_str(), run["step"].as_str()), (Some("succeeded"), Some("reminders")));
    assert_eq!((&run["done"], &run["total"]), (&json!(1), &json!(1)));
    assert_eq!(states_of(&case), [(2019, "invited".into())]);
    let again = operator.post(path, json!({})).key("once").send().ok();
    assert_eq!((again.id(), again.header("idempotent-replayed")), (started.id(), Some("true")));
    let jobs = world.auditor().get("/v1/jobs").send().ok();
    assert_eq!(jobs["items"][0]["as_of"], run["finished_at"]);
    assert_eq!(jobs["items"][0]["last_run"]["id"], run["id"]);
    let events = operator.get("/v1/audit-events").query("resource_id", run.id()).send().ok();
    let made: Vec<_> = events["items"].as_array().unwrap().iter().map(|e| &e["operation"]).collect();
    let (beginning, steps) = made.split_last().unwrap();
    assert_eq!(**beginning, "startDailyRefresh");
    assert!(
        steps.len() > 1 && steps.iter().all(|step| **step == "dailyRefresh"),
        "each step has its event: {made:?}"
    );
    let by_run = |event: &Value| event["operation"] == "dailyRefresh" && event["request_id"] == run["id"];
    assert!(events["items"].as_array().unwrap().iter().any(by_run));
}

#[test]
fn one_run_goes_at_a_time() {
    let world = World::new();
    let app = &world.service.app;
    let turn = Turn::take(app, JobName::DailyRefresh).unwrap().unwrap();
    let at_work = refresh::open(&turn).unwrap();
    let operator = world.operator();
    let path = "/v1/jobs/daily-refresh/runs";
    let refused = operator.post(path, json!({})).send().refused(409, "run_in_progress");
    assert_eq!(refused["run_id"], at_work.id.to_string());
    let running = operator.get("/v1/jobs/runs").query("state", "running").send().ok();
    assert_eq!(running["items"].as_array().unwrap().len(), 1);
    assert_eq!(refresh::run_now(app, |_| ()).unwrap_err().code.code, "run_in_progress");
    turn.close(Ok(()), |()| End::Interrupted).unwrap();
    assert_eq!(followed(&world, &format!("/v1/jobs/runs/{}", at_work.id))["state"], "succeeded");
    assert_eq!(operator.post(path, json!({})).send().ok().status, 202);
}
