//! Who works on a run, and what becomes of it when that one dies.

use crate::{
    suite::records::{agreement, attainment, partner},
    support::World,
};
use diesel::{QueryDsl, RunQueryDsl, SelectableHelper};
use partner_incentives::{
    app::Service,
    network::agreements::Kind,
    operations::jobs::{JobRun, JobRunState, RefreshStep, refresh},
    platform::values::{Clock, Timestamp},
    schema::{enrollments, job_runs},
    work::{End, Engine, JobName, LEASE_SECONDS, Turn},
};
use prometheus::Registry;
use serde_json::json;

/// A world at half past midnight with partners that turn eligible. Its own server takes no part in jobs.
fn programme(partners: u32) -> World {
    let world = World::new();
    world.service.closing.begin();
    for n in 0..partners {
        let id = partner(&world, n, "direct_bill", None);
        agreement(&world, id, Kind::Mpn, "2018-07-01", "2019-06-30", false);
        agreement(&world, id, Kind::Reseller, "2018-07-01", "", false);
        attainment(&world, id, "cloud-productivity", "silver", "2018-07-01", "2020-06-30");
    }
    world.clock.set(at("2018-11-01T00:30:00Z"));
    world
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// An instance on the world's database that refreshes at two in the morning.
fn instance(world: &World) -> Service {
    let mut settings = world.service.settings.clone();
    settings.daily_refresh_at = "02:00".parse().unwrap();
    Service::open(settings).unwrap()
}

fn wait(world: &World, seconds: i64) {
    world.clock.set(world.clock.now().plus_seconds(seconds));
}

fn runs(world: &World) -> Vec<JobRun> {
    let all =
        |conn: &mut _| Ok(job_runs::table.order(job_runs::id).select(JobRun::as_select()).load(conn)?);
    world.service.db.read(all).unwrap()
}

fn invited(world: &World) -> i64 {
    world.service.db.read(|conn| Ok(enrollments::table.count().get_result(conn)?)).unwrap()
}

fn engine(service: &Service) -> Engine {
    service.engine(&Registry::new()).unwrap()
}

/// Works until nothing is due, as the server does second by second.
fn work(engine: &Engine) {
    while engine.tick().unwrap() > 0 {}
}

/// Begins a refresh on an instance that dies, or is stopped, before it has come to an end.
fn begun(service: &Service) -> (Turn, JobRun) {
    let turn = Turn::take(&service.app, JobName::DailyRefresh).unwrap().unwrap();
    let run = refresh::open(&turn).unwrap();
    (turn, run)
}

#[test]
fn a_refresh_begins_when_its_time_has_come_and_once_a_day() {
    let world = programme(1);
    let here = instance(&world);
    let engine = engine(&here);
    work(&engine);
    assert_eq!(runs(&world).len(), 0, "half past midnight");
    wait(&world, 89 * 60);
    work(&engine);
    assert_eq!(runs(&world).len(), 0, "a minute before two");
    wait(&world, 60);
    work(&engine);
    assert_eq!((runs(&world).len(), invited(&world)), (1, 1), "two o'clock");
    wait(&world, 3600);
    work(&engine);
    assert_eq!(runs(&world).len(), 1, "three o'clock");
    // Whoever was away at two is late, not out.
    world.clock.set(at("2018-11-02T09:00:00Z"));
    work(&engine);
    let all = runs(&world);
    assert_eq!(all.iter().map(|run| run.day.to_string()).collect::<Vec<_>>(), ["2018-11-01", "2018-11-02"]);
    assert!(all.iter().all(|run| run.state == JobRunState::Succeeded && run.requested_by.is_none()));
    here.close();
}

#[test]
fn a_run_of_a_time_when_the_clock_was_ahead_holds_up_nobody() {
    let world = programme(1);
    let here = instance(&world);
    let engine = engine(&here);
    world.clock.set(at("2018-12-11T02:00:00Z"));
    work(&engine);
    // Whoever was at work then has died.
    let (dead, run) = begun(&here);
    wait(&world, 1);
    refresh::advance(&dead, run, 1).unwrap();
    world.clock.set(at("2018-11-01T02:00:00Z"));
    work(&engine);
    let days: Vec<_> = runs(&world).iter().map(|run| (run.day.to_string(), run.state)).collect();
    assert!(days.contains(&("2018-11-01".into(), JobRunState::Succeeded)), "{days:?}");
    assert!(days.iter().all(|(_, state)| *state != JobRunState::Running), "{days:?}");
    here.close();
}

#[test]
fn a_run_of_forty_days_ahead_neither_counts_as_done_nor_is_shown() {
    let world = programme(1);
    let here = instance(&world);
    let engine = engine(&here);
    world.clock.set(at("2018-12-11T02:00:00Z"));
    work(&engine);
    // Another run was requested, and nobody had begun it.
    let (turn, ahead) = begun(&here);
    turn.close(Ok(()), |()| End::Interrupted).unwrap();
    let shown = || {
        let listed = world.operator().get("/v1/jobs").send().ok();
        assert_eq!(listed["held_back_seconds"], json!(null), "whoever sets this clock means it");
        let jobs = listed["items"].as_array().unwrap();
        let refresh = jobs.iter().find(|job| job["name"] == "daily-refresh").unwrap();
        (refresh["as_of"].clone(), refresh["last_run"]["day"].clone())
    };
    world.clock.set(at("2018-11-01T01:59:00Z"));
    assert_eq!(shown(), (json!(null), json!(null)));
    for day in ["2018-11-01", "2018-11-02"] {
        world.clock.set(at(&format!("{day}T02:00:00Z")));
        work(&engine);
        assert_eq!(shown(), (json!(format!("{day}T02:00:00.000000Z")), json!(day)));
    }
    let left = runs(&world).into_iter().find(|run| run.id == ahead.id).unwrap();
    assert_eq!(left.error.as_deref(), Some("begun while the clock was ahead"));
    here.close();
}

#[test]
fn no_work_begins_by_a_clock_that_has_just_jumped() {
    let now = Clock::System.now();
    for (first_shown, trusted) in [(now, true), (now.plus_seconds(40 * 24 * 3600), false)] {
        let world = World::with(|settings| settings.clock = Clock::watched_since(first_shown));
        world.service.closing.begin();
        let listed = world.operator().get("/v1/jobs").send().ok();
        assert_eq!(listed["held_back_seconds"].is_null(), trusted, "{listed}");
        assert!(listed["held_back_seconds"].as_u64().is_none_or(|left| (200..=300).contains(&left)));
        let mut settings = world.service.settings.clone();
        settings.daily_refresh_at = "00:00".parse().unwrap();
        let here = Service::open(settings).unwrap();
        work(&engine(&here));
        assert_eq!(runs(&world).len(), usize::from(trusted));
        let turn = Turn::take(&here.app, JobName::ExpirySweep).unwrap().unwrap();
        assert_eq!(turn.is_ending(), !trusted, "work under way ends with its unit");
        let lease = turn.lease();
        let unit = here.app.write_in_turn(move |tx| lease.check(tx));
        assert_eq!(unit.is_ok(), trusted, "a unit begun by a clock that has jumped writes nothing");
        here.close();
    }
}

#[test]
fn of_many_instances_one_refreshes() {
    let world = programme(30);
    world.clock.set(at("2018-11-01T02:00:00Z"));
    let instances: Vec<Service> = (0..3).map(|_| instance(&world)).collect();
    std::thread::scope(|scope| {
        for here in &instances {
            scope.spawn(|| {
                let engine = engine(here);
                for _ in 0..3 {
                    // Losing a race is no fault; the next look comes a second later.
                    let _ = engine.tick();
                }
            });
        }
    });
    for here in &instances {
        work(&engine(here));
    }
    let all = runs(&world);
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!((all[0].state, all[0].done, all[0].total), (JobRunState::Succeeded, 30, Some(30)));
    assert_eq!(invited(&world), 30);
    instances.iter().for_each(Service::close);
}

#[test]
fn what_crashed_in_the_middle_is_gone_on_with_where_it_stopped() {
    let world = programme(7);
    world.clock.set(at("2018-11-01T02:00:00Z"));
    let (one, two) = (instance(&world), instance(&world));
    let (first, run) = begun(&one);
    let half = refresh::advance(&first, run.clone(), 2).unwrap();
    assert_eq!((half.done, half.step, invited(&world)), (2, RefreshStep::Enrollments, 2));
    // It is gone now. While its lease lasts, nobody takes it for dead.
    wait(&world, LEASE_SECONDS - 1);
    work(&engine(&two));
    assert_eq!((runs(&world), invited(&world)), (vec![half.clone()], 2));
    assert!(Turn::take(&two.app, JobName::DailyRefresh).unwrap().is_none());
    wait(&world, 1);
    let (second, taken) = begun(&two);
    assert_eq!(taken, half, "it goes on where the other one stopped");
    // The first one was only slow: it notices, and leaves its hands off.
    assert_eq!(refresh::advance(&first, half, 2).unwrap_err().code.code, "conflict");
    assert_eq!((runs(&world), invited(&world)), (vec![taken], 2));
    second.close(Ok(()), |()| End::Interrupted).unwrap();
    work(&engine(&two));
    let all = runs(&world);
    assert_eq!((all.len(), all[0].id, all[0].state, all[0].done), (1, run.id, JobRunState::Succeeded, 7));
    assert_eq!(invited(&world), 7);
    one.close();
    two.close();
}

#[test]
fn what_was_interrupted_yesterday_is_left_to_the_run_of_today() {
    let world = programme(5);
    world.clock.set(at("2018-11-01T02:00:00Z"));
    let here = instance(&world);
    let (turn, run) = begun(&here);
    wait(&world, 1);
    refresh::advance(&turn, run, 2).unwrap();
    world.clock.set(at("2018-11-02T00:10:00Z"));
    work(&engine(&instance(&world)));
    let all = runs(&world);
    let states: Vec<_> = all.iter().map(|run| (run.day.to_string(), run.state)).collect();
    assert_eq!(
        states,
        [("2018-11-01".into(), JobRunState::Failed), ("2018-11-02".into(), JobRunState::Succeeded)]
    );
    assert!(all[0].error.as_deref().unwrap().starts_with("interrupted"));
    assert_eq!(invited(&world), 5);
    here.close();
}

#[test]
fn a_service_that_stops_leaves_its_run_to_others_at_once() {
    let world = programme(3);
    world.clock.set(at("2018-11-01T02:00:00Z"));
    let (one, two) = (instance(&world), instance(&world));
    one.closing.begin();
    engine(&one).tick().unwrap();
    let left = runs(&world);
    assert_eq!((left.len(), left[0].state), (1, JobRunState::Running));
    work(&engine(&two));
    let all = runs(&world);
    assert_eq!((all.len(), all[0].id, all[0].state), (1, left[0].id, JobRunState::Succeeded));
    one.close();
    two.close();
}
