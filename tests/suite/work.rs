//! Background work: each piece is done once, by whoever is there; what fails is tried again; what is under way ends well.

use super::{
    calculation::{Story, flat},
    coop_proofs::{kept, left_over},
    mail, payment_files,
};
use crate::support::{MailServer, World, wait_for};
use diesel::prelude::*;
use partner_incentives::{
    access::{Role, Tx, Unaudited},
    app::Service,
    audit,
    earnings::calculation,
    payouts::{
        bank_reports::{BankReport, BankReportKind, BankReportState},
        payment_runs::{PaymentRun, PaymentRunState},
        sealed_files,
    },
    platform::{
        Error, Result,
        db::types::Json,
        values::{Id, Timestamp},
    },
    sales::imports::{Format, Import, ImportOptions},
    schema::{
        bank_reports, calculation_runs, job_runs, jobs, payment_runs, signing_keys, transaction_imports,
    },
    work::{End, Engine, JobName, JobRecord, LEASE_SECONDS, Queue, Schedule, Turn, Work},
};
use prometheus::Registry;
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// Another instance on a world's database, which refreshes at two and replaces keys that are thirty days old.
fn instance(world: &World) -> Service {
    let mut settings = world.service.settings.clone();
    settings.daily_refresh_at = "02:00".parse().unwrap();
    settings.key_rotation_days = 30;
    Service::open(settings).unwrap()
}

fn engine(service: &Service) -> Engine {
    service.engine(&Registry::new()).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn wait(world: &World, seconds: i64) {
    world.clock.set(world.clock.now().plus_seconds(seconds));
}

/// Leaves something to do for every job. The world's own server takes no part.
fn something_for_everybody(world: &World) {
    world.service.closing.begin();
    let story = Story::new(world, &json!([flat("core", "0.08")]));
    world.clock.set(at("2018-09-01T02:00:00Z"));
    story.sale("1", "2018-07-05", "1000.00");
    mail::tell_password(world);
    let forgotten = json!({"username": "auditor@vendor.example"});
    world.nobody().post("/v1/auth/password-reset-requests", forgotten).send().ok();
    let begin = |tx: &mut Tx<'_>| calculation::start(tx, None).map(drop);
    world.service.app.write_as_system("StartCalculationRun", begin).unwrap();
    let (id, now) = (world.ids.next(world.clock.now()), world.clock.now());
    let broken_off = move |conn: &mut _| {
        let options = ImportOptions { format: Format::Csv, dry_run: false, ignore_unknown_columns: false };
        let import = Import::begun(id, options, now);
        Ok(diesel::insert_into(transaction_imports::table).values(import).execute(conn)?)
    };
    world.service.db.write(broken_off).unwrap();
    let unprepared = PaymentRun {
        id: world.ids.next(now),
        month: "2018-07".parse().unwrap(),
        currency: None,
        paid_in: "2018-08".parse().unwrap(),
        reissues: None,
        state: PaymentRunState::Preparing,
        position: None,
        done: 0,
        total: 0,
        totals: Json(Vec::new()),
        created_by: None,
        decided_by: None,
        decided_at: None,
        decision_comment: None,
        created_at: now,
        updated_at: now,
        revision: 1,
    };
    let begin = move |conn: &mut _| {
        Ok(diesel::insert_into(payment_runs::table).values(unprepared.clone()).execute(conn)?)
    };
    world.service.db.write(begin).unwrap();
    a_statement_waits(world);
    left_over(world, &story.partner, now.plus_seconds(-2 * 86_400));
}

/// A statement that nobody has applied.
fn a_statement_waits(world: &World) {
    let (now, xml) = (world.clock.now(), payment_files::camt053("FEE", &[payment_files::Entry::fee()]));
    let report = BankReport {
        id: world.ids.next(now),
        kind: BankReportKind::Statement,
        payment_file_id: None,
        sha256: "0".repeat(64),
        bytes: i64::try_from(xml.len()).unwrap(),
        bank_id: None,
        state: BankReportState::Applying,
        entries: 1,
        position: 0,
        within: None,
        changed: 0,
        unchanged: 0,
        exceptions: 0,
        created_by: None,
        created_at: now,
        updated_at: now,
        revision: 1,
        next_try_at: None,
        problem: None,
    };
    let begin = move |tx: &mut Tx<'_>| {
        tx.exempt_from_audit(Unaudited::NotPublished);
        sealed_files::keep(tx, report.id, 0, xml.as_bytes())?;
        sealed_files::make_whole(tx, report.id)?;
        diesel::insert_into(bank_reports::table).values(&report).execute(tx.conn)?;
        Ok(())
    };
    world.service.app.write_as_system("Test", begin).unwrap();
}

fn record(world: &World, name: JobName) -> JobRecord {
    let one = |conn: &mut _| Ok(jobs::table.find(name).select(JobRecord::as_select()).get_result(conn)?);
    world.service.db.query(one).unwrap()
}

/// How many runs of a job the engines have counted.
fn runs(registries: &[Registry], job: JobName) -> f64 {
    let families = registries.iter().flat_map(Registry::gather);
    let runs = families.filter(|family| family.name() == "partner_incentives_job_runs_total");
    let of_job = runs.flat_map(|family| family.get_metric().to_vec());
    of_job
        .filter(|metric| metric.get_label().iter().any(|label| label.value() == job.as_str()))
        .map(|metric| metric.get_counter().get_value())
        .sum()
}

/// How the service shows a job.
fn shown(world: &World, name: JobName) -> Value {
    let listed = world.auditor().get("/v1/jobs").send().ok();
    let mut items = listed["items"].as_array().unwrap().iter();
    items.find(|job| job["name"] == name.as_str()).unwrap().clone()
}

#[test]
fn of_two_instances_one_does_each_piece_of_work() {
    let Some(server) = MailServer::running() else { return };
    let world = mail::world(&server);
    something_for_everybody(&world);
    let (services, registries) = ([instance(&world), instance(&world)], [Registry::new(), Registry::new()]);
    let engines: Vec<Engine> = services
        .iter()
        .zip(&registries)
        .map(|(service, registry)| service.engine(registry).unwrap())
        .collect();
    std::thread::scope(|scope| {
        for engine in &engines {
            // Losing a race is no fault; the next look comes a second later.
            scope.spawn(|| (0..4).for_each(|_| drop(engine.tick())));
        }
    });
    while engines[0].tick().unwrap() > 0 {}
    let all_once = [
        JobName::DailyRefresh,
        JobName::CoopProofSweep,
        JobName::CoopAudits,
        JobName::ExpirySweep,
        JobName::SigningKeyRotation,
    ];
    for once in all_once {
        assert!((runs(&registries, once) - 1.0).abs() < 0.1, "{once}: {}", runs(&registries, once));
    }
    assert!(kept(&world).is_empty(), "what was left over is swept");
    assert_eq!(server.mails().len(), 2, "the temporary password, and the token for a forgotten one");
    let counts = |conn: &mut _| {
        let open = calculation_runs::state.ne("succeeded");
        Ok((
            signing_keys::table.count().get_result::<i64>(conn)?,
            job_runs::table.count().get_result::<i64>(conn)?,
            calculation_runs::table.filter(open).count().get_result::<i64>(conn)?,
            transaction_imports::table.select(transaction_imports::state).load::<String>(conn)?,
        ))
    };
    let counted = world.service.db.query(counts).unwrap();
    assert_eq!(counted, (2, 1, 0, vec!["failed".to_owned()]));
    assert_eq!(world.operator().get("/v1/earnings").send().ok()["items"].as_array().unwrap().len(), 1);
    let chain = |tx: &mut Tx<'_>| audit::verify(tx, None, |_, _| ());
    assert!(matches!(world.service.app.read_as_system(chain).unwrap(), audit::ChainVerdict::Sound(_)));
    services.iter().for_each(Service::close);
}

#[test]
fn every_job_of_an_instance_that_died_is_taken_over_when_its_lease_has_run_out() {
    let world = World::with(|settings| settings.log_mails = true);
    something_for_everybody(&world);
    let (dead, alive) = (instance(&world), instance(&world));
    let turns: Vec<Turn> =
        JobName::ALL.iter().map(|job| Turn::take(&dead.app, *job).unwrap().unwrap()).collect();
    let engine = engine(&alive);
    wait(&world, LEASE_SECONDS - 10);
    turns[0].renew().unwrap();
    wait(&world, 9);
    assert_eq!(engine.tick().unwrap(), 0, "nobody is taken for dead before the time");
    wait(&world, 1);
    // The clock has passed the time of the scheduled ones for today; what was begun then was never finished.
    world.clock.set(at("2018-09-02T02:00:00Z"));
    while engine.tick().unwrap() > 0 {}
    for job in JobName::ALL {
        let record = record(&world, *job);
        assert_eq!((record.holder, record.failures), (None, 0), "{job}: {record:?}");
        assert_eq!(record.succeeded_at, Some(world.clock.now()), "{job}");
    }
    for turn in turns {
        assert_eq!(turn.renew().unwrap_err().code.code, "conflict", "whoever was only slow notices");
        turn.close(Ok(()), |()| End::Done).unwrap();
    }
    assert_eq!(record(&world, JobName::Mail).finished_at, Some(world.clock.now()));
    dead.close();
    alive.close();
}

#[test]
fn a_lease_that_is_renewed_is_not_taken_over() {
    let world = World::new();
    world.service.closing.begin();
    let app = &world.service.app;
    let turn = Turn::take(app, JobName::Mail).unwrap().unwrap();
    for _ in 0..3 {
        wait(&world, LEASE_SECONDS - 1);
        turn.renew().unwrap();
    }
    wait(&world, LEASE_SECONDS - 1);
    assert!(Turn::take(app, JobName::Mail).unwrap().is_none());
    turn.close(Ok(()), |()| End::Done).unwrap();
    assert!(Turn::take(app, JobName::Mail).unwrap().is_some());
}

fn broken(_: &Turn) -> Result<End> {
    Err(Error::unavailable("the disk is full"))
}

fn panicking(_: &Turn) -> Result<End> {
    panic!("as a bug does")
}

#[expect(clippy::unnecessary_wraps, reason = "work answers a result")]
fn troubled(_: &Turn) -> Result<End> {
    Ok(End::Troubled("nobody answers".into()))
}

#[expect(clippy::unnecessary_wraps, reason = "work answers a result")]
fn mended(_: &Turn) -> Result<End> {
    Ok(End::Done)
}

/// An engine with one job, which is due every ten minutes.
fn engine_of(world: &World, run: fn(&Turn) -> Result<End>) -> Engine {
    let work = Work { name: JobName::ExpirySweep, schedule: |_| Schedule::Every(600), queue: None, run };
    Engine::new(world.service.app.clone(), [work], &Registry::new()).unwrap()
}

#[test]
fn what_failed_is_tried_again_later_and_later_and_operators_see_why_until_it_succeeds() {
    let world = World::new();
    world.service.closing.begin();
    let began = world.clock.now();
    let failing = engine_of(&world, broken);
    let mut waits = Vec::new();
    for failures in 1..=5 {
        failing.tick().unwrap();
        let job = shown(&world, JobName::ExpirySweep);
        assert_eq!(job["failures"], failures);
        assert_eq!(
            job["last_error"], "unavailable: the database is busy or out of reach; nothing was changed",
            "what a driver says is for the log alone"
        );
        assert_eq!((&job["as_of"], &job["running"]), (&Value::Null, &json!(false)));
        let retry_at = record(&world, JobName::ExpirySweep).retry_at.unwrap();
        assert_eq!(job["next_run_at"], json!(retry_at));
        waits.push((retry_at.as_micros() - world.clock.now().as_micros()) / 1_000_000);
        failing.tick().unwrap();
        assert_eq!(shown(&world, JobName::ExpirySweep)["failures"], failures, "not before its time");
        world.clock.set(retry_at);
    }
    for (wait, least) in waits.iter().zip([1, 2, 4, 8, 16]) {
        assert!((least..=least + least / 4 + 1).contains(wait), "{waits:?}");
    }
    engine_of(&world, panicking).tick().unwrap();
    let job = shown(&world, JobName::ExpirySweep);
    assert_eq!(
        (&job["failures"], &job["last_error"]),
        (&json!(6), &json!("internal: an unexpected fault; nothing was changed"))
    );
    world.clock.set(record(&world, JobName::ExpirySweep).retry_at.unwrap());
    engine_of(&world, mended).tick().unwrap();
    let job = shown(&world, JobName::ExpirySweep);
    assert_eq!((&job["failures"], &job["last_error"]), (&json!(0), &Value::Null));
    assert_eq!((&job["as_of"], &job["every_seconds"]), (&json!(world.clock.now()), &json!(600)));
    // What the work has dealt with itself is shown, and left to the schedule.
    world.clock.set(began.plus_seconds(600));
    engine_of(&world, troubled).tick().unwrap();
    let job = shown(&world, JobName::ExpirySweep);
    assert_eq!(
        (&job["last_error"], &job["next_run_at"]),
        (&json!("nobody answers"), &json!(began.plus_seconds(1200)))
    );
}

#[test]
fn all_jobs_are_listed_with_how_they_went() {
    let world = World::new();
    let listed = world.auditor().get("/v1/jobs").send().ok();
    let names: Vec<_> = listed["items"].as_array().unwrap().iter().map(|job| job["name"].clone()).collect();
    assert_eq!(
        names,
        JobName::ALL.iter().map(|name| json!(name)).collect::<Vec<_>>(),
        "each is registered once"
    );
    let turn = Turn::take(&world.service.app, JobName::TransactionImports).unwrap().unwrap();
    assert_eq!(shown(&world, JobName::TransactionImports)["running"], true);
    wait(&world, 2);
    turn.close(Ok(()), |()| End::Done).unwrap();
    let job = shown(&world, JobName::TransactionImports);
    assert_eq!((&job["running"], &job["last_duration_ms"]), (&json!(false), &json!(2000)));
    assert_eq!(job["last_finished_at"], json!(world.clock.now()));
    assert_eq!((&job["next_run_at"], &job["last_run"]), (&Value::Null, &Value::Null));
}

/// Work that goes on until it is told that the service stops.
fn until_the_end(turn: &Turn) -> Result<End> {
    while !turn.is_ending() {
        std::thread::sleep(Duration::from_millis(5));
    }
    // The unit under way.
    std::thread::sleep(Duration::from_millis(50));
    turn.renew()?;
    Ok(End::Interrupted)
}

#[test]
fn a_service_that_stops_ends_the_unit_under_way_and_gives_its_leases_back() {
    let world = World::new();
    world.service.closing.begin();
    let here = instance(&world);
    let queue = Some(Queue { waits: |_| Ok(true), every: 1 });
    let work = Work { name: JobName::Mail, schedule: |_| Schedule::Never, queue, run: until_the_end };
    let engine = Engine::new(here.app.clone(), [work], &Registry::new()).unwrap();
    let running = std::thread::spawn(move || actix_web::rt::System::new().block_on(engine.run()));
    let holder = |conn: &mut _| {
        let mail = jobs::table.find(JobName::Mail).select(jobs::holder);
        Ok(mail.get_result::<Option<Id>>(conn).optional()?.flatten())
    };
    wait_for("the work", || {
        world.service.db.query(holder).unwrap().ok_or_else(|| "nobody is at it".to_owned())
    });
    here.closing.begin();
    here.app.wake();
    running.join().unwrap();
    let record = record(&world, JobName::Mail);
    assert_eq!((record.holder, record.failures), (None, 0));
    here.close();
}

/// How often the work of the next story was done.
static TURNS: AtomicUsize = AtomicUsize::new(0);

/// Work that is called again during its first turn.
#[expect(clippy::unnecessary_wraps, reason = "work answers a result")]
fn called_once_more(turn: &Turn) -> Result<End> {
    if TURNS.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) {
        turn.app().wake();
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(End::Done)
}

#[test]
fn a_queue_that_never_empties_gets_one_turn_for_each_call_and_not_one_after_the_other() {
    let world = World::new();
    world.service.closing.begin();
    let here = instance(&world);
    // The engine looks into this queue only when it is called.
    let queue = Some(Queue { waits: |_| Ok(true), every: 1_000_000 });
    let work = Work { name: JobName::Mail, schedule: |_| Schedule::Never, queue, run: called_once_more };
    let engine = Engine::new(here.app.clone(), [work], &Registry::new()).unwrap();
    let before = TURNS.load(Ordering::SeqCst);
    let running = std::thread::spawn(move || actix_web::rt::System::new().block_on(engine.run()));
    here.app.wake();
    let turns = || TURNS.load(Ordering::SeqCst) - before;
    wait_for("the second turn", || if turns() < 2 { Err(format!("{} turns", turns())) } else { Ok(()) });
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(turns(), 2, "the turn of the start, and the turn of the call during that turn");
    here.closing.begin();
    here.app.wake();
    running.join().unwrap();
    here.close();
}

#[test]
fn whatever_refers_to_a_partner_keeps_it_from_being_deleted() {
    let world = World::new();
    let operator = world.operator();
    let made = operator.post("/v1/partners", super::partners::partner(1, "direct_bill")).send().ok();
    world.api_client(Role::Viewer, Some(&made.id()), "partners:read");
    let path = format!("/v1/partners/{}", made.id());
    let refused = operator.delete(&path).if_match("*").send();
    assert_eq!(refused.refused(409, "partner_referred_to")["referred_by"], "API client");
}
