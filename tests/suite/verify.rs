//! The audit chain: whatever is done to the events behind the service's back, `verify` says where.

use crate::{
    suite::partners::partner,
    support::{Client, Database, World, wait_for},
};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, connection::SimpleConnection};
use partner_incentives::{
    app::{self, Service},
    audit::{self, ChainVerdict, Seal},
    config::Settings,
    operations::verify,
    platform::{
        db::{Conn, Db, Target, types::Json},
        values::{Clock, Id, Ids, Timestamp},
    },
    schema::{audit_chain, audit_events},
    slice::VerifyFinding,
};
use serde_json::{Value, json};

/// A world whose last ten events each made a partner, sealed; and its head.
fn world() -> (World, i64) {
    let world = World::new();
    for n in 1..=10 {
        world.operator().post("/v1/partners", partner(n, "direct_bill")).send().ok();
    }
    audit::seal(&world.service.app).unwrap();
    let end = head(&world.service.db).sequence;
    (world, end)
}

fn head(db: &Db) -> Seal {
    let read = |conn: &mut Conn| {
        let head = audit_chain::table.select((audit_chain::sequence, audit_chain::hash));
        Ok(head.first::<(i64, Vec<u8>)>(conn)?)
    };
    let (sequence, hash) = db.read(read).unwrap();
    Seal { sequence, hash: hash.try_into().unwrap() }
}

fn verified(world: &World, noted: Option<Seal>) -> VerifyFinding {
    let findings = verify::run(&world.service.app, app::checks(), noted).unwrap();
    findings.into_iter().find(|(check, _)| *check == "audit chain").unwrap().1
}

#[track_caller]
fn sound(world: &World, noted: Option<Seal>) {
    let found = verified(world, noted);
    assert!(matches!(found, VerifyFinding::Sound(_)), "{found:?}");
}

/// The difference that is found begins so.
#[track_caller]
fn broken(world: &World, noted: Option<Seal>, begins: &str) {
    match verified(world, noted) {
        VerifyFinding::Broken(difference) if difference.starts_with(begins) => {}
        other => panic!("should say {begins:?}: {other:?}"),
    }
}

/// Somebody with all rights on the database does something that its triggers are there to refuse.
#[track_caller]
fn tamper(world: &World, sql: &str) {
    let mut conn = world.service.db.target().open().unwrap();
    let lift = match &conn {
        Conn::Sqlite(_) => {
            "DROP TRIGGER IF EXISTS audit_events_are_never_changed; \
             DROP TRIGGER IF EXISTS audit_events_are_never_deleted"
        }
        Conn::Postgres(_) => "SET session_replication_role = replica",
    };
    conn.batch_execute(&format!("{lift}; {sql}")).unwrap();
}

fn event_at(operator: &Client, sequence: i64) -> String {
    let listed = operator.get("/v1/audit-events").query("limit", 200).send().ok();
    let events = listed["items"].as_array().unwrap();
    events.iter().find(|event| event["sequence"] == sequence).unwrap()["id"].as_str().unwrap().to_owned()
}

#[test]
fn events_are_sealed_in_the_order_in_which_they_happened() {
    let (world, end) = world();
    let operator = world.operator();
    let made = operator.post("/v1/partners", partner(11, "direct_bill")).send().ok().id();
    let rename = json!({"legal_name": "Renamed"});
    operator.patch(&format!("/v1/partners/{made}"), rename).if_match("*").send().ok();
    audit::seal(&world.service.app).unwrap();
    assert_eq!(audit::seal(&world.service.app).unwrap(), 0, "each once");
    let listed = operator.get("/v1/audit-events").query("resource_id", &made).send().ok();
    let seals = |n: usize| (&listed["items"][n]["sequence"], &listed["items"][n]["hash"]);
    let ((renamed, last), (created, before)) = (seals(0), seals(1));
    assert_eq!((created, renamed), (&json!(end + 1), &json!(end + 2)));
    assert_ne!(last, before);
    assert_eq!(head(&world.service.db).to_string(), format!("{renamed}:{}", last.as_str().unwrap()));
    sound(&world, None);
}

#[test]
fn the_running_service_seals_by_itself() {
    let world = World::new();
    let made = world.operator().post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    wait_for("the seal", || {
        let events = world.operator().get("/v1/audit-events").query("resource_id", &made).send().ok();
        events["items"][0]["hash"].as_str().map(drop).ok_or_else(|| events.to_string())
    });
}

#[test]
fn a_changed_event_is_found() {
    let (world, end) = world();
    let mut place = end;
    for change in [
        "reason = 'because'",
        "operation = 'ClosePartner'",
        "resource_type = 'user'",
        "actor_role = 'system'",
        "actor_id = NULL",
        "partner_id = NULL",
        "before = '{}'",
        "after = '{\"status\": \"closed\"}'",
        "request_id = 'another'",
        "occurred_at = (SELECT min(occurred_at) FROM audit_events)",
    ] {
        // From the last one on: the first difference is the new one each time.
        let id = event_at(&world.operator(), place);
        tamper(&world, &format!("UPDATE audit_events SET {change} WHERE sequence = {place}"));
        broken(&world, None, &format!("sequence {place}, event {id} ("));
        place -= 1;
    }
}

#[test]
fn a_changed_hash_is_found() {
    let (world, end) = world();
    let other = format!("(SELECT hash FROM audit_events WHERE sequence = {})", end - 3);
    tamper(&world, &format!("UPDATE audit_events SET hash = {other} WHERE sequence = {}", end - 2));
    broken(&world, None, &format!("sequence {}, event ", end - 2));
}

#[test]
fn an_event_removed_from_the_middle_is_found() {
    let (world, end) = world();
    let (gone, next) = (end - 4, event_at(&world.operator(), end - 3));
    tamper(&world, &format!("DELETE FROM audit_events WHERE sequence = {gone}"));
    broken(&world, None, &format!("sequence {gone} is missing: event {next} (CreatePartner of partner "));
    // Closing the gap does not help: the hashes know the places.
    for place in gone + 1..=end {
        let moved = place - 1;
        tamper(&world, &format!("UPDATE audit_events SET sequence = {moved} WHERE sequence = {place}"));
    }
    broken(&world, None, &format!("sequence {gone}, event {next} "));
}

#[test]
fn the_last_event_removed_is_found() {
    let (world, end) = world();
    tamper(&world, &format!("DELETE FROM audit_events WHERE sequence = {end}"));
    broken(&world, None, &format!("sequence {end} is missing: the chain ends at {}", end - 1));
    // Also after the service has gone on.
    world.operator().post("/v1/partners", partner(11, "direct_bill")).send().ok();
    broken(&world, None, &format!("sequence {end} is missing: event "));
}

#[test]
fn all_events_removed_is_found_and_the_database_is_not_taken_for_a_new_one() {
    let (world, end) = world();
    tamper(&world, "DELETE FROM audit_events");
    let lost = format!("sequence 1 is missing: the chain ends at 0, its head is at {end}");
    broken(&world, None, &lost);
    let again = Service::open(world.service.settings.clone()).unwrap();
    again.close();
    broken(&world, None, &lost);
}

#[test]
fn swapped_events_are_found() {
    let (world, end) = world();
    let (one, other) = (end - 5, end - 4);
    let put = |to: i64, at: i64| format!("UPDATE audit_events SET sequence = {to} WHERE sequence = {at};");
    tamper(&world, &[put(1000, one), put(one, other), put(other, 1000)].concat());
    broken(&world, None, &format!("sequence {one}, event "));
}

#[test]
fn a_forged_head_is_found() {
    let (one, end) = world();
    tamper(&one, "UPDATE audit_chain SET hash = (SELECT hash FROM audit_events WHERE sequence = 1)");
    broken(&one, None, &format!("the head is {end}:"));
    let (other, end) = world();
    tamper(&other, "UPDATE audit_chain SET sequence = sequence - 1");
    broken(&other, None, &format!("the head is {}:", end - 1));
    let (third, _) = world();
    tamper(&third, "DELETE FROM audit_chain");
    broken(&third, None, "the chain has no head");
    // Nothing can be sealed on it; the service goes on all the same.
    third.operator().post("/v1/partners", partner(11, "direct_bill")).send().ok();
    broken(&third, None, "the chain has no head");
}

#[test]
fn a_chain_that_was_cut_is_found_with_a_head_noted_earlier() {
    let (world, end) = world();
    let noted = head(&world.service.db);
    let cut = end - 4;
    tamper(
        &world,
        &format!(
            "DELETE FROM audit_events WHERE sequence > {cut}; UPDATE audit_chain SET sequence = {cut}, \
             hash = (SELECT hash FROM audit_events WHERE sequence = {cut})"
        ),
    );
    sound(&world, None);
    broken(&world, Some(noted), &format!("sequence {end} was noted, and the chain ends at {cut}"));
    // Written anew up to there and beyond.
    for n in 11..=20 {
        world.operator().post("/v1/partners", partner(n, "direct_bill")).send().ok();
    }
    sound(&world, None);
    broken(&world, Some(noted), &format!("sequence {end} has another hash than the one noted"));
    let now = head(&world.service.db);
    world.operator().post("/v1/partners", partner(21, "direct_bill")).send().ok();
    sound(&world, Some(now));
}

#[test]
fn events_that_nobody_seals_are_noticed() {
    let database = Database::empty();
    let clock = Clock::standing_at("2018-07-01T12:00:00Z".parse().unwrap());
    let settings = Settings::for_tests(database.target.clone(), clock.clone(), Ids::counting());
    let service = Service::open(settings).unwrap();
    let look = || service.app.read_as_system(|tx| audit::verify(tx, None, |_, _| ())).unwrap();
    assert_eq!(look(), ChainVerdict::Sound(Seal::START), "they are young");
    clock.set("2018-07-01T12:10:00Z".parse().unwrap());
    let found = look();
    assert!(
        matches!(&found, ChainVerdict::Broken(told) if told.contains("events are not sealed")),
        "{found:?}"
    );
    service.close();
    let service = Service::open(service.settings.clone()).unwrap();
    let found = service.app.read_as_system(|tx| audit::verify(tx, None, |_, _| ())).unwrap();
    assert_eq!(found, ChainVerdict::Sound(head(&service.db)), "closing seals what is left");
    service.close();
}

#[test]
fn many_sealers_make_one_chain_while_others_write() {
    let world = World::new();
    let target = world.service.db.target();
    std::thread::scope(|scope| {
        for n in 0..4 {
            let operator = world.operator();
            scope.spawn(move || {
                for m in 1..=10 {
                    operator.post("/v1/partners", partner(100 * n + m, "direct_bill")).send().ok();
                }
            });
        }
        for _ in 0..4 {
            // The embedded database has one instance alone.
            let sealer = match target {
                Target::Sqlite(_) => world.service.clone(),
                Target::Postgres(_) => Service::open(world.service.settings.clone()).unwrap(),
            };
            scope.spawn(move || (0..50).for_each(|_| _ = audit::seal(&sealer.app).unwrap()));
        }
    });
    sound(&world, None);
    assert!(head(&world.service.db).sequence >= 40);
}

#[test]
fn a_long_chain_is_sealed_and_walked_in_pieces() {
    const EVENTS: i64 = 2_345;
    let (world, end) = world();
    let now = world.clock.now();
    let ids: Vec<Id> = (0..EVENTS).map(|_| world.ids.next(now)).collect();
    let write = move |conn: &mut Conn| {
        for id in &ids {
            let shown = Json(json!({"name": "Partner", "status": "active", "revision": 1}));
            diesel::insert_into(audit_events::table)
                .values((
                    (audit_events::id.eq(id), audit_events::resource_id.eq(id)),
                    audit_events::occurred_at.eq(now),
                    audit_events::actor_role.eq("system"),
                    audit_events::operation.eq("Sow"),
                    audit_events::resource_type.eq("field"),
                    (audit_events::before.eq(&shown), audit_events::after.eq(&shown)),
                    audit_events::request_id.eq("request"),
                ))
                .execute(conn)?;
        }
        Ok(())
    };
    world.service.db.write(write).unwrap();
    audit::seal(&world.service.app).unwrap();
    let mut told = Vec::new();
    let app = &world.service.app;
    let found = app.read_as_system(|tx| audit::verify(tx, None, |done, total| told.push((done, total))));
    let found = found.unwrap();
    assert_eq!(found, ChainVerdict::Sound(head(&world.service.db)));
    assert!(
        told.len() >= 3 && told.is_sorted() && told.last() == Some(&(end + EVENTS, end + EVENTS)),
        "{told:?}"
    );
    let place = end + EVENTS - 7;
    tamper(&world, &format!("UPDATE audit_events SET operation = 'Reap' WHERE sequence = {place}"));
    broken(&world, None, &format!("sequence {place}, event "));
}

/// An event with documents that the two databases store each in its own way.
fn peculiar(conn: &mut Conn) -> partner_incentives::platform::Result<()> {
    let id: Id = "01936f2e-4b00-7000-8000-000000000001".parse().unwrap();
    let before: Value = serde_json::from_str(
        r#"{"z": 1, "a": [1.0, 1e2, 0.1, -0.0, 1e21, 12345678901234567890, -7], "ä": "\u00e9\n\"", "bb": null,
            "b": {"y": true, "x": {}, "": []}, "\ud83d\ude00": 1, "\ufb33": 2}"#,
    )
    .unwrap();
    diesel::insert_into(audit_events::table)
        .values((
            audit_events::id.eq(id),
            audit_events::occurred_at.eq(Timestamp::from_micros(1_530_446_400_123_456)),
            audit_events::actor_role.eq("system"),
            audit_events::operation.eq("Sow"),
            audit_events::resource_type.eq("field"),
            audit_events::resource_id.eq(id),
            audit_events::before.eq(Json(before)),
            audit_events::reason.eq("Grüße"),
            audit_events::request_id.eq("request"),
        ))
        .execute(conn)?;
    Ok(())
}

#[test]
fn an_event_has_the_same_hash_on_either_database() {
    let database = Database::empty();
    Db::migrate(&database.target).unwrap();
    let db = Db::open(&database.target, 2).unwrap();
    db.write(peculiar).unwrap();
    db.write(audit::seal_batch).unwrap();
    assert_eq!(head(&db).to_string(), "1:8fffc9275a00e215fb08396b652a51e6eb8c34fc3c6ffd7f4100a1cd76884f22");
    db.close();
}
