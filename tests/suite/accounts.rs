//! Accounts: sessions and their renewal, one's own record, passwords lost and chosen.

use crate::support::{Answer, Client, PASSWORD, World};
use diesel::prelude::*;
use partner_incentives::{
    access::password::Hasher,
    app::Service,
    identity::sessions::{self, SessionRenewal},
    schema::{idempotency_keys, refresh_tokens, sessions as rows, sign_in_throttles, users},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const OPERATOR: &str = "operator@vendor.example";
const DAY: i64 = 24 * 3600;

fn sign_in(world: &World, username: &str, password: &str) -> Answer {
    world.nobody().post("/v1/auth/login", json!({"username": username, "password": password})).send()
}

fn member(answer: &Answer, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name}: {answer}")).to_owned()
}

fn client(world: &World, signed_in: &Answer) -> Client {
    world.nobody().with_token(&member(signed_in, "access_token"))
}

fn refresh_token(world: &World) -> String {
    member(&sign_in(world, OPERATOR, PASSWORD).ok(), "refresh_token")
}

/// The successor, and the seconds it is good for; none where the token opens nothing.
fn renew(world: &World, token: &str) -> Option<(String, i64)> {
    renew_at(&world.service, token)
}

fn renew_at(service: &Service, token: &str) -> Option<(String, i64)> {
    let token = token.to_owned();
    let renewal = service.app.write_as_system("RenewSession", move |tx| sessions::renew(tx, &token));
    match renewal.expect("a unit") {
        SessionRenewal::Renewed { refresh_token, refresh_expires_in, .. } => {
            Some((refresh_token, refresh_expires_in))
        }
        SessionRenewal::Refused => None,
    }
}

fn audited(world: &World, kind: &str) -> Vec<Value> {
    let listed = world.operator().get("/v1/audit-events").query("resource_type", kind).send().ok();
    listed["items"].as_array().unwrap().clone()
}

#[test]
fn a_refresh_token_is_good_for_one_renewal() {
    let world = World::new();
    let answer = sign_in(&world, OPERATOR, PASSWORD).ok();
    assert_eq!(answer["refresh_expires_in"], 7 * DAY);
    let first = member(&answer, "refresh_token");
    let (second, seconds) = renew(&world, &first).unwrap();
    assert_eq!((seconds, first == second), (7 * DAY, false));
    let (third, _) = renew(&world, &second).unwrap();
    assert!(renew(&world, &third).is_some());
    assert_eq!(audited(&world, "session").len(), 3);
    assert!(renew(&world, "nobody-has-ever-seen-this").is_none());
}

#[test]
fn the_database_holds_no_refresh_token() {
    let world = World::new();
    let token = refresh_token(&world);
    let digests: Vec<Vec<u8>> = world
        .service
        .db
        .query(|conn| Ok(refresh_tokens::table.select(refresh_tokens::digest).load(conn)?))
        .unwrap();
    assert_eq!(digests.len(), 1);
    assert!(digests[0] != token.as_bytes() && digests[0].len() == 32);
}

#[test]
fn a_refresh_token_used_twice_ends_its_session_and_no_other() {
    let world = World::new();
    let (robbed, other) =
        (sign_in(&world, OPERATOR, PASSWORD).ok(), sign_in(&world, OPERATOR, PASSWORD).ok());
    let stolen = member(&robbed, "refresh_token");
    let (successor, _) = renew(&world, &stolen).unwrap();
    client(&world, &robbed).get("/v1/me").send().ok();
    world.clock.set(world.clock.now().plus_seconds(10));
    assert!(renew(&world, &stolen).is_none());
    assert!(renew(&world, &successor).is_none(), "the one it was exchanged for is gone too");
    client(&world, &robbed).get("/v1/me").send().refused(401, "unauthenticated");
    client(&world, &other).get("/v1/me").send().ok();
    assert!(renew(&world, &member(&other, "refresh_token")).is_some());
    let told = audited(&world, "session");
    assert!(
        told.iter().any(|event| event["after"]["ended_because"] == "refresh_token_used_twice"),
        "{told:?}"
    );
}

#[test]
fn a_second_window_and_a_lost_answer_get_the_same_successor() {
    let world = World::new();
    let (token, service) = (refresh_token(&world), &world.service);
    let renewals: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| renew_at(service, &token))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let successors: BTreeSet<String> = renewals.into_iter().map(|renewal| renewal.unwrap().0).collect();
    assert_eq!(successors.len(), 1, "{successors:?}");
    assert_eq!(audited(&world, "session").len(), 1, "renewed once");
    world.clock.set(world.clock.now().plus_seconds(9));
    let successor = renew(&world, &token).unwrap().0;
    assert!(successors.contains(&successor));
    // Once somebody goes on with the successor, nobody can have missed the answer.
    assert!(renew(&world, &successor).is_some());
    assert!(renew(&world, &token).is_none());
    assert!(renew(&world, &successor).is_none(), "the session is over");
}

#[test]
fn a_session_ends_after_seven_idle_days_and_after_thirty_in_all() {
    let world = World::new();
    let began = world.clock.now();
    let (mut token, idle) = (refresh_token(&world), refresh_token(&world));
    for day in [6, 12, 18, 24, 29] {
        world.clock.set(began.plus_seconds(day * DAY));
        let (next, seconds) = renew(&world, &token).unwrap_or_else(|| panic!("day {day}"));
        assert_eq!(seconds, (7 * DAY).min((30 - day) * DAY), "day {day}");
        token = next;
        if day == 12 {
            assert!(renew(&world, &idle).is_none());
        }
    }
    world.clock.set(began.plus_seconds(30 * DAY));
    assert!(renew(&world, &token).is_none());
}

#[test]
fn a_person_sees_where_they_are_signed_in_and_signs_out_there() {
    let world = World::new();
    let (here, there) = (sign_in(&world, OPERATOR, PASSWORD).ok(), sign_in(&world, OPERATOR, PASSWORD).ok());
    let me = client(&world, &here);
    let listed = me.get("/v1/me/sessions").query("include_total", true).send().ok();
    let items = listed["items"].as_array().unwrap();
    assert_eq!((listed["total"].as_i64(), items.len()), (Some(2), 2));
    assert_eq!(items.iter().filter(|session| session["current"] == true).count(), 1);
    assert_eq!(items[0]["address"], "127.0.0.1");
    let other = items.iter().find(|session| session["current"] == false).unwrap()["id"].as_str().unwrap();
    let path = format!("/v1/me/sessions/{other}");
    world.auditor().delete(&path).send().refused(404, "not_found");
    assert_eq!(me.delete(&path).send().status, 204);
    me.delete(&path).send().refused(404, "not_found");
    client(&world, &there).get("/v1/me").send().refused(401, "unauthenticated");
    assert!(renew(&world, &member(&there, "refresh_token")).is_none());
    me.get("/v1/me").send().ok();
}

#[test]
fn signing_out_everywhere_ends_every_session_at_once() {
    let world = World::new();
    let signed_in = [(); 3].map(|()| sign_in(&world, OPERATOR, PASSWORD).ok());
    assert_eq!(client(&world, &signed_in[0]).delete("/v1/me/sessions").send().status, 204);
    for answer in &signed_in {
        client(&world, answer).get("/v1/me").send().refused(401, "unauthenticated");
        assert!(renew(&world, &member(answer, "refresh_token")).is_none());
    }
    let listed = world.operator().get("/v1/me/sessions").send().ok();
    assert_eq!(listed["items"], json!([]));
}

#[test]
fn who_is_barred_or_gets_another_role_cannot_renew() {
    let world = World::new();
    let operator = world.operator();
    let auditor = || sign_in(&world, "auditor@vendor.example", PASSWORD).ok();
    let path = format!("/v1/users/{}", world.auditor().get("/v1/me").send().ok().id());
    let token = member(&auditor(), "refresh_token");
    operator.patch(&path, json!({"role": "operator"})).if_match("*").send().ok();
    assert!(renew(&world, &token).is_none());
    let token = member(&auditor(), "refresh_token");
    operator.post(&format!("{path}/deactivation"), json!({"reason": "left"})).send().ok();
    operator.post(&format!("{path}/reactivation"), json!({"reason": "came back"})).send().ok();
    assert!(renew(&world, &token).is_none(), "a bar that was lifted ended the sessions all the same");
}

#[test]
fn a_person_changes_the_own_name_and_language() {
    let world = World::new();
    let me = world.auditor();
    let before = me.get("/v1/me").send().ok();
    assert_eq!((&before["locale"], &before["must_change_password"]), (&json!("en"), &json!(false)));
    assert_eq!((&before["has_second_factor"], &before["password_expires_at"]), (&json!(false), &Value::Null));
    let after =
        me.patch("/v1/me", json!({"name": "Arno B.", "locale": "ja"})).if_match(&before.etag()).send().ok();
    assert_eq!((&after["name"], &after["locale"]), (&json!("Arno B."), &json!("ja")));
    me.patch("/v1/me", json!({"name": "Other"}))
        .if_match(&before.etag())
        .send()
        .refused(412, "precondition_failed");
    me.patch("/v1/me", json!({"name": "Other"})).send().refused(428, "precondition_required");
    me.patch("/v1/me", json!({"role": "operator"})).if_match("*").send().refused(422, "invalid");
}

#[test]
fn a_lost_password_is_reset_by_somebody_else_and_ends_every_session() {
    let world = World::new();
    let (operator, signed_in) = (world.operator(), sign_in(&world, "auditor@vendor.example", PASSWORD).ok());
    let path =
        format!("/v1/users/{}/password-reset", client(&world, &signed_in).get("/v1/me").send().ok().id());
    let own = format!("/v1/users/{}/password-reset", operator.get("/v1/me").send().ok().id());
    operator.post(&own, json!({"reason": "forgot it"})).send().refused(409, "not_oneself");
    let reset = operator.post(&path, json!({"reason": "forgot it"})).send().ok();
    assert_eq!(reset["must_change_password"], true);
    client(&world, &signed_in).get("/v1/me").send().refused(401, "unauthenticated");
    assert!(renew(&world, &member(&signed_in, "refresh_token")).is_none());
    sign_in(&world, "auditor@vendor.example", PASSWORD).refused(401, "sign_in_failed");
    let temporary = member(&reset, "temporary_password");
    let answer = sign_in(&world, "auditor@vendor.example", &temporary).ok();
    assert_eq!((&answer["refresh_token"], &answer["refresh_expires_in"]), (&Value::Null, &Value::Null));
    let me = client(&world, &answer);
    for path in ["/v1/me", "/v1/me/sessions", "/v1/partners"] {
        me.get(path).send().refused(403, "password_change_required");
    }
    let change = json!({"current_password": temporary, "new_password": "violets in the window box"});
    assert_eq!(me.put("/v1/me/password", change).send().status, 204);
    me.get("/v1/me").send().refused(401, "unauthenticated");
    let after = sign_in(&world, "auditor@vendor.example", "violets in the window box").ok();
    let me = client(&world, &after).get("/v1/me").send().ok();
    assert_eq!(me["password_expires_at"], Value::Null);
}

#[test]
fn a_temporary_password_opens_nothing_after_72_hours() {
    let world = World::new();
    let body = json!({"email": "noor@vendor.example", "name": "Noor", "role": "auditor", "locale": "ja"});
    let made = world.operator().post("/v1/users", body).send().ok();
    assert_eq!(
        (&made["password_expires_at"], &made["locale"]),
        (&json!("2018-07-04T12:00:00.000000Z"), &json!("ja"))
    );
    let temporary = member(&made, "temporary_password");
    let began = world.clock.now();
    world.clock.set(began.plus_seconds(3 * DAY - 1));
    sign_in(&world, "noor@vendor.example", &temporary).ok();
    world.clock.set(began.plus_seconds(3 * DAY));
    sign_in(&world, "noor@vendor.example", &temporary).refused(401, "temporary_password_expired");
    sign_in(&world, "noor@vendor.example", "a guess").refused(401, "sign_in_failed");
    let path = format!("/v1/users/{}/password-reset", made.id());
    let reset = world.operator().post(&path, json!({"reason": "too late"})).send().ok();
    sign_in(&world, "noor@vendor.example", &member(&reset, "temporary_password")).ok();
}

#[test]
fn a_temporary_password_is_mailed_where_that_is_asked_for() {
    let body = json!({"email": "noor@vendor.example", "name": "Noor", "role": "auditor", "deliver": "mail"});
    // Where no mail is sent it would reach nobody: nothing is done.
    World::new().operator().post("/v1/users", body.clone()).send().refused(409, "mail_not_sent");
    let world = World::with(|settings| settings.log_mails = true);
    let made = world.operator().post("/v1/users", body).send().ok();
    assert_eq!(made.body.get("temporary_password"), Some(&Value::Null));
    let path = format!("/v1/users/{}/password-reset", made.id());
    let reset = world.operator().post(&path, json!({"reason": "lost", "deliver": "mail"})).send().ok();
    assert_eq!(reset.body.get("temporary_password"), Some(&Value::Null));
    let told = world.operator().get("/v1/notifications").query("user_id", made.id()).send().ok();
    let kinds: Vec<_> = told["items"].as_array().unwrap().iter().map(|item| &item["kind"]).collect();
    assert_eq!(kinds, ["temporary_password", "temporary_password"]);
}

#[test]
fn a_repeated_answer_shows_no_password_and_none_is_stored() {
    let world = World::new();
    let body = json!({"email": "noor@vendor.example", "name": "Noor", "role": "auditor"});
    let ask = || world.operator().post("/v1/users", body.clone()).key("0b54a2f1-once").send().ok();
    let (first, again) = (ask(), ask());
    let temporary = member(&first, "temporary_password");
    assert_eq!((first.id(), again.header("idempotent-replayed")), (again.id(), Some("true")));
    assert_eq!(again.body.get("temporary_password"), Some(&Value::Null));
    let stored: Vec<Vec<u8>> = world
        .service
        .db
        .query(|conn| Ok(idempotency_keys::table.select(idempotency_keys::body).load(conn)?))
        .unwrap();
    assert_eq!(stored.len(), 1);
    assert!(!String::from_utf8_lossy(&stored[0]).contains(&temporary));
    let trail = world.operator().get("/v1/audit-events").query("resource_id", first.id()).send().ok();
    assert!(!trail.body.to_string().contains(&temporary));
}

#[test]
fn a_new_password_keeps_the_rules_and_every_refusal_says_which() {
    let world = World::new();
    let signed_in = sign_in(&world, "auditor@vendor.example", PASSWORD).ok();
    let change = |new: &str| {
        let body = json!({"current_password": PASSWORD, "new_password": new});
        client(&world, &signed_in).put("/v1/me/password", body).send()
    };
    for (password, code) in [
        ("fourteen chars", "too_short"),
        ("passwordpassword", "repetitive"),
        ("arno auditor vendor", "too_personal"),
        (PASSWORD, "unchanged"),
    ] {
        let refusal = change(password).refused(422, "invalid");
        assert_eq!(
            (&refusal["errors"][0]["code"], &refusal["errors"][0]["pointer"]),
            (&json!(code), &json!("/new_password"))
        );
    }
    change(&"x".repeat(129)).refused(422, "invalid");
    // 128 characters are 512 bytes here: length is counted in code points.
    let long: String = ('\u{1f400}'..).take(128).collect();
    assert_eq!(change(&long).status, 204);
    sign_in(&world, "auditor@vendor.example", &long).ok();
    let told = world.auditor().get("/v1/notifications").query("kind", "password_changed").send().ok();
    assert_eq!(told["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_hash_grows_at_the_next_sign_in() {
    let world = World::new();
    let hash = || -> String {
        let read = |conn: &mut _| {
            Ok(users::table.filter(users::email.eq(OPERATOR)).select(users::password_hash).first(conn)?)
        };
        world.service.db.query(read).unwrap()
    };
    let weak = Hasher::new(16, 1).unwrap().hash(PASSWORD).unwrap();
    let keep = weak.clone();
    world
        .service
        .db
        .write(move |conn| {
            let operator = users::table.filter(users::email.eq(OPERATOR));
            Ok(diesel::update(operator).set(users::password_hash.eq(&keep)).execute(conn)?)
        })
        .unwrap();
    sign_in(&world, OPERATOR, "a guess").refused(401, "sign_in_failed");
    assert_eq!(hash(), weak);
    let before = world.operator().get("/v1/me").send().ok().etag();
    let signed_in = sign_in(&world, OPERATOR, PASSWORD).ok();
    assert!(hash().contains("m=64,t=1,p=1"), "{}", hash());
    assert_eq!(client(&world, &signed_in).get("/v1/me").send().ok().etag(), before);
    sign_in(&world, OPERATOR, PASSWORD).ok();
}

#[test]
fn what_is_long_over_is_swept_away() {
    let world = World::new();
    refresh_token(&world);
    sign_in(&world, "nobody@vendor.example", "a guess").refused(401, "sign_in_failed");
    // Brakes, sessions, refresh tokens.
    let left = || -> [i64; 3] {
        let count = |conn: &mut _| {
            let brakes = sign_in_throttles::table.count().get_result(conn)?;
            let sessions = rows::table.count().get_result(conn)?;
            Ok([brakes, sessions, refresh_tokens::table.count().get_result(conn)?])
        };
        world.service.db.query(count).unwrap()
    };
    let began = world.clock.now();
    let swept_at = |instant| {
        world.clock.set(instant);
        // The service's own engine may have been first.
        world.service.app.sweep().unwrap();
        left()
    };
    assert_eq!(swept_at(began), [2, 1, 1], "the brakes of a name and of a name from here");
    assert_eq!(swept_at(began.plus_seconds(DAY)), [0, 1, 1]);
    assert_eq!(swept_at(began.plus_seconds(60 * DAY - 1)), [0, 1, 1]);
    assert_eq!(swept_at(began.plus_seconds(60 * DAY)), [0, 0, 0]);
}
