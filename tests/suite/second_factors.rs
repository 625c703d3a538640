//! Second factors: enrolling, recovery codes, losing it, and operators who must have one.

use crate::{
    suite::partners::partner,
    support::{Answer, Client, PASSWORD, World},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use diesel::prelude::*;
use partner_incentives::{
    app::Service,
    config::Settings,
    identity::sessions::{self, keys},
    schema::{audit_events, second_factors},
};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};
use totp_rs::{Builder, Secret};

const ME: &str = "/v1/me/second-factor";

/// The authenticator app in somebody's pocket.
pub(super) struct App(totp_rs::Totp);

impl App {
    pub(super) fn told(secret: &str) -> Self {
        Self(Builder::new().with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap())
    }

    pub(super) fn shows(&self, world: &World) -> String {
        self.0.generate(u64::try_from(world.clock.now().as_seconds()).unwrap()).to_string()
    }
}

pub(super) fn wait(world: &World, seconds: i64) {
    world.clock.set(world.clock.now().plus_seconds(seconds));
}

fn begin(client: &Client) -> App {
    let told = client.post(ME, json!({"current_password": PASSWORD})).send().ok();
    App::told(told["secret"].as_str().unwrap())
}

fn confirm(client: &Client, code: &str) -> Answer {
    client.post(&format!("{ME}/confirmation"), json!({"code": code})).send()
}

/// Enrols, and waits for the next code.
pub(super) fn enroll(world: &World, client: &Client) -> (App, Vec<String>) {
    let app = begin(client);
    let codes = codes_of(&confirm(client, &app.shows(world)).ok());
    wait(world, 30);
    (app, codes)
}

fn codes_of(answer: &Answer) -> Vec<String> {
    let codes = answer["recovery_codes"].as_array().unwrap();
    codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect()
}

fn renew(client: &Client, code: &str) -> Answer {
    client.post(&format!("{ME}/recovery-codes"), json!({"code": code})).send()
}

fn state(client: &Client) -> (String, Value) {
    let answer = client.get(ME).send().ok();
    (answer["state"].as_str().unwrap().to_owned(), answer["recovery_codes_left"].clone())
}

#[test]
fn a_second_factor_counts_once_its_first_code_is_confirmed() {
    let world = World::new();
    let operator = world.operator();
    assert_eq!(state(&operator), ("none".into(), json!(0)));
    operator.post(ME, json!({"current_password": "guess"})).send().refused(422, "wrong_password");
    confirm(&operator, "123456").refused(409, "second_factor_state");
    let lost = begin(&operator);
    assert_eq!(state(&operator).0, "pending");
    let app = begin(&operator);
    confirm(&operator, &lost.shows(&world)).refused(422, "wrong_code");
    let codes = codes_of(&confirm(&operator, &app.shows(&world)).ok());
    assert_eq!((state(&operator), codes.len()), (("confirmed".into(), json!(10)), 10));
    assert!(codes.iter().all(|code| code.len() == 23));
    operator.post(ME, json!({"current_password": PASSWORD})).send().refused(409, "second_factor_state");
    confirm(&operator, &app.shows(&world)).refused(409, "second_factor_state");
    let me = operator.get("/v1/me").send().ok().id();
    assert_eq!(operator.get(&format!("/v1/users/{me}")).send().ok()["has_second_factor"], true);
}

#[test]
fn a_code_is_good_for_once_and_half_a_minute_of_clock_difference_is_forgiven() {
    let world = World::new();
    let operator = world.operator();
    let app = begin(&operator);
    let first = app.shows(&world);
    confirm(&operator, &first).ok();
    renew(&operator, &first).refused(422, "wrong_code");
    wait(&world, 30);
    renew(&operator, &first).refused(422, "wrong_code");
    let second = app.shows(&world);
    renew(&operator, &second).ok();
    renew(&operator, &second).refused(422, "wrong_code");
    wait(&world, 60);
    let slow = app.shows(&world);
    wait(&world, 30);
    renew(&operator, &slow).ok();
    wait(&world, 60);
    let too_slow = app.shows(&world);
    wait(&world, 60);
    renew(&operator, &too_slow).refused(422, "wrong_code");
    wait(&world, 30);
    let fast = app.shows(&world);
    wait(&world, -30);
    renew(&operator, &fast).ok();
    wait(&world, 30);
    renew(&operator, &fast).refused(422, "wrong_code");
}

#[test]
fn of_many_requests_with_one_code_one_is_accepted() {
    let world = World::new();
    let operator = world.operator();
    let (app, recovery) = enroll(&world, &operator);
    let code = app.shows(&world);
    let once = |code: &str| {
        let accepted = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| match renew(&operator, code).status {
                    200 => _ = accepted.fetch_add(1, Ordering::SeqCst),
                    status => assert!(matches!(status, 422 | 429 | 503), "{status}"),
                });
            }
        });
        accepted.into_inner()
    };
    assert_eq!(once(&recovery[0]), 1);
    // Those that came second were guesses, and the next one waits.
    wait(&world, 31);
    assert_eq!(once(&code), 1);
}

#[test]
fn a_recovery_code_is_good_for_once_and_new_ones_replace_the_old() {
    let world = World::new();
    let operator = world.operator();
    let (_, codes) = enroll(&world, &operator);
    let new = codes_of(&renew(&operator, &codes[3].to_uppercase().replace('-', " ")).ok());
    assert_eq!(state(&operator).1, 10, "ten new ones");
    for old in &codes {
        renew(&operator, old).refused(422, "wrong_code");
        wait(&world, 15 * 60 + 1);
    }
    let newer = codes_of(&renew(&operator, &new[0]).ok());
    assert!(newer.iter().all(|code| !new.contains(code)));
}

#[test]
fn removing_it_takes_password_and_code() {
    let world = World::new();
    let operator = world.operator();
    let (app, _) = enroll(&world, &operator);
    let remove = |password: &str, code: &str| {
        operator.post(&format!("{ME}/removal"), json!({"current_password": password, "code": code})).send()
    };
    remove("guess", &app.shows(&world)).refused(422, "wrong_password");
    remove(PASSWORD, "000000").refused(422, "wrong_code");
    remove(PASSWORD, &app.shows(&world)).ok();
    assert_eq!(state(&operator), ("none".into(), json!(0)));
    remove(PASSWORD, &app.shows(&world)).refused(409, "second_factor_state");
    let me = operator.get("/v1/me").send().ok().id();
    assert_eq!(operator.get(&format!("/v1/users/{me}")).send().ok()["has_second_factor"], false);
}

#[test]
fn a_lost_factor_is_reset_by_who_may_and_ends_the_sessions() {
    let world = World::new();
    let operator = world.operator();
    let [ours, theirs] = [1, 2].map(|n| {
        let id = operator.post("/v1/partners", partner(n, "direct_bill")).send().ok().id();
        (world.admin_of(&id), world.viewer_of(&id))
    });
    let (admin, viewer) = (&ours.0, &ours.1);
    let id = |client: &Client| client.get("/v1/me").send().ok().id();
    let (of_viewer, of_operator, of_admin) = (id(viewer), id(&operator), id(admin));
    let reset = |client: &Client, user: &str| {
        client
            .post(&format!("/v1/users/{user}/second-factor-reset"), json!({"reason": "lost the phone"}))
            .send()
    };
    reset(admin, &of_viewer).refused(409, "second_factor_state");
    enroll(&world, viewer);
    enroll(&world, admin);
    enroll(&world, &operator);
    let session = world.nobody().with_token(&world.service.token_for(of_viewer.parse().unwrap()).unwrap());
    session.get("/v1/me").send().ok();
    reset(&theirs.0, &of_viewer).refused(404, "not_found");
    reset(viewer, &of_viewer).refused(403, "forbidden");
    reset(admin, &of_operator).refused(404, "not_found");
    reset(admin, &of_admin).refused(409, "not_oneself");
    reset(&operator, &of_operator).refused(409, "not_oneself");
    assert_eq!(reset(admin, &of_viewer).ok()["has_second_factor"], false);
    session.get("/v1/me").send().refused(401, "unauthenticated");
    // What was good enough beside a second factor may be too weak alone.
    let again = world.nobody().with_token(&world.service.token_for(of_viewer.parse().unwrap()).unwrap());
    again.get("/v1/partners").send().refused(403, "password_change_required");
    reset(&operator, &of_admin).ok();
    let events = operator.get("/v1/audit-events").query("resource_id", &of_viewer).send().ok();
    let event = &events["items"][0];
    assert_eq!(
        (event["operation"].as_str(), event["reason"].as_str()),
        (Some("resetSecondFactor"), Some("lost the phone"))
    );
}

#[test]
fn an_operator_who_needs_a_second_factor_gets_no_further_without_one() {
    let world = World::with(|settings| settings.operators_need_second_factor = true);
    let operator = world.operator();
    let refusal = operator.get("/v1/partners").send().refused(403, "second_factor_required");
    assert_eq!(refusal["next"], ME);
    operator.get("/v1/me").send().ok();
    world.auditor().get("/v1/partners").send().ok();
    let app = begin(&operator);
    operator.get("/v1/partners").send().refused(403, "second_factor_required");
    confirm(&operator, &app.shows(&world)).ok();
    operator.get("/v1/partners").send().ok();
    wait(&world, 30);
    let body = json!({"current_password": PASSWORD, "code": app.shows(&world)});
    operator.post(&format!("{ME}/removal"), body).send().refused(403, "second_factor_required");
    renew(&operator, &app.shows(&world)).ok();
}

fn sign_in(nobody: &Client, code: Option<&str>) -> Answer {
    let mut body = json!({"username": "operator@vendor.example", "password": PASSWORD});
    if let Some(code) = code {
        body["code"] = json!(code);
    }
    nobody.post("/v1/auth/login", body).send()
}

#[test]
fn a_sign_in_takes_a_code_once_the_password_is_right() {
    let world = World::new();
    let operator = world.operator();
    sign_in(&world.nobody(), Some("123456")).ok();
    let (app, recovery) = enroll(&world, &operator);
    sign_in(&world.nobody(), None).refused(401, "one_time_code_required");
    let wrong = json!({"username": "operator@vendor.example", "password": "a guess"});
    world.nobody().post("/v1/auth/login", wrong).send().refused(401, "sign_in_failed");
    sign_in(&world.nobody(), Some("000000")).refused(401, "sign_in_failed");
    let code = app.shows(&world);
    let session = sign_in(&world.nobody(), Some(&code)).ok();
    let me = world.nobody().with_token(session["access_token"].as_str().unwrap());
    assert_eq!(me.get("/v1/me").send().ok()["has_second_factor"], true);
    sign_in(&world.nobody(), Some(&code)).refused(401, "sign_in_failed");
    sign_in(&world.nobody(), Some(&recovery[0])).ok();
    sign_in(&world.nobody(), Some(&recovery[0])).refused(401, "sign_in_failed");
    assert_eq!(state(&operator).1, 9);
    let events = operator.get("/v1/audit-events").query("operation", "Login").query("limit", 50).send().ok();
    let reasons: Vec<&str> = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|event| event["after"]["reason"].as_str())
        .collect();
    for reason in ["no_second_factor", "wrong_second_factor"] {
        assert!(reasons.contains(&reason), "{reasons:?}");
    }
}

#[test]
fn of_many_sign_ins_with_one_code_one_succeeds() {
    let world = World::new();
    let (app, _) = enroll(&world, &world.operator());
    let (code, nobody) = (app.shows(&world), world.nobody());
    let accepted = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| match sign_in(&nobody, Some(&code)).status {
                200 => _ = accepted.fetch_add(1, Ordering::SeqCst),
                status => assert!(matches!(status, 401 | 429 | 503), "{status}"),
            });
        }
    });
    assert_eq!(accepted.into_inner(), 1);
}

#[test]
fn wrong_codes_at_a_sign_in_are_braked_like_wrong_passwords() {
    let world = World::new();
    let (app, _) = enroll(&world, &world.operator());
    for n in 0..6 {
        sign_in(&world.nobody(), Some(&format!("{n:06}"))).refused(401, "sign_in_failed");
        sign_in(&world.nobody(), None);
    }
    sign_in(&world.nobody(), Some(&app.shows(&world))).refused(429, "too_many_requests");
    wait(&world, 30);
    sign_in(&world.nobody(), Some(&app.shows(&world))).ok();
}

#[test]
fn a_password_too_weak_to_stand_alone_keeps_its_second_factor() {
    let world = World::new();
    let client = world.operator();
    let (app, _) = enroll(&world, &client);
    let short = "kolibri7";
    client.put("/v1/me/password", json!({"current_password": PASSWORD, "new_password": short})).send().ok();
    let operator = world.operator();
    let remove = |password: &str| {
        let body = json!({"current_password": password, "code": app.shows(&world)});
        operator.post(&format!("{ME}/removal"), body).send()
    };
    let refusal = remove(short).refused(409, "password_too_weak");
    assert_eq!(refusal["next"], "/v1/me/password");
    assert_eq!(state(&operator).0, "confirmed");
}

#[test]
fn codes_cannot_be_guessed() {
    let world = World::with(|settings| settings.sign_ins_per_minute = 5);
    let operator = world.operator();
    begin(&operator);
    let statuses: Vec<u16> = (0..12).map(|n| confirm(&operator, &format!("{n:06}")).status).collect();
    assert!(statuses.contains(&429), "{statuses:?}");
}

#[test]
fn no_secret_lies_open_in_the_database_or_in_the_audit_trail() {
    let world = World::new();
    let operator = world.operator();
    let told = operator.post(ME, json!({"current_password": PASSWORD})).key("twice").send().ok();
    let again = operator.post(ME, json!({"current_password": PASSWORD})).key("twice").send().ok();
    assert_ne!(told["secret"], again["secret"], "an answer with a secret is not kept for a repeat");
    let app = App::told(again["secret"].as_str().unwrap());
    let codes = codes_of(&confirm(&operator, &app.shows(&world)).ok());
    let kept: Vec<u8> = world
        .service
        .db
        .query(|conn| Ok(second_factors::table.select(second_factors::secret).first(conn)?))
        .unwrap();
    let secret = app.0.secret().as_bytes();
    assert!(!kept.windows(secret.len()).any(|window| window == secret));
    let trail: Vec<partner_incentives::audit::AuditEvent> = world
        .service
        .db
        .query(|conn| {
            let all = audit_events::table.select(partner_incentives::audit::AuditEvent::as_select());
            Ok(all.load(conn)?)
        })
        .unwrap();
    let trail = format!("{trail:?}");
    assert!(
        !trail.contains(again["secret"].as_str().unwrap()) && codes.iter().all(|code| !trail.contains(code))
    );
}

#[test]
fn the_encryption_key_is_replaced_without_losing_a_second_factor() {
    let world = World::new();
    let operator = world.operator();
    let (app, _) = enroll(&world, &operator);
    let key = |byte: u8| BASE64_STANDARD.encode([byte; 32]);
    let settings =
        Settings { encryption_key: Some(format!("{},{}", key(1), key(0))), ..world.service.settings.clone() };
    let both = Service::open(settings).unwrap();
    assert_eq!((keys::reseal(&both.app).unwrap(), keys::reseal(&both.app).unwrap()), (1, 0));
    let kept: (partner_incentives::platform::values::Id, Vec<u8>) = both
        .db
        .query(|conn| {
            Ok(second_factors::table.select((second_factors::user_id, second_factors::secret)).first(conn)?)
        })
        .unwrap();
    let opened = both.app.vault().open(&format!("second_factors/{}", kept.0), &kept.1).unwrap();
    assert!(both.app.vault().is_current(&kept.1) && opened == app.0.secret().as_bytes());
    both.close();
}

#[test]
fn guesses_of_somebody_who_is_signed_in_wait_and_no_restart_forgets_them() {
    let world = World::new();
    let operator = world.operator();
    let guess = || operator.post(ME, json!({"current_password": "a guess"})).send();
    for _ in 0..6 {
        guess().refused(422, "wrong_password");
    }
    let braked = guess().refused(429, "too_many_requests");
    assert!(braked.header("retry-after").is_some(), "{braked}");
    // The right password waits too, and so does a code.
    operator.post(ME, json!({"current_password": PASSWORD})).send().refused(429, "too_many_requests");
    confirm(&operator, "123456").refused(429, "too_many_requests");
    let user = operator.get("/v1/me").send().ok().id().parse().unwrap();
    let again = Service::open(world.service.settings.clone()).unwrap();
    let now = world.clock.now();
    let after_a_restart = again.db.query(|conn| sessions::count_guess(conn, user, now));
    assert_eq!(after_a_restart.unwrap_err().code.code, "too_many_requests");
    wait(&world, 16);
    let app = begin(&operator);
    // What is right makes the guesses before forgotten.
    for _ in 0..6 {
        confirm(&operator, "000000").refused(422, "wrong_code");
    }
    confirm(&operator, &app.shows(&world)).refused(429, "too_many_requests");
    wait(&world, 16);
    confirm(&operator, &app.shows(&world)).ok();
}

#[test]
fn other_sessions_end_where_a_second_factor_comes_or_goes() {
    let world = World::new();
    let nobody = world.nobody();
    let session = |code: Option<&str>| {
        let signed_in = sign_in(&nobody, code).ok();
        nobody.with_token(signed_in["access_token"].as_str().unwrap())
    };
    let (own, other) = (session(None), session(None));
    let app = begin(&own);
    confirm(&own, &app.shows(&world)).ok();
    other.get("/v1/me").send().refused(401, "unauthenticated");
    own.get("/v1/me").send().ok();
    wait(&world, 30);
    let third = session(Some(&app.shows(&world)));
    wait(&world, 30);
    let removal = json!({"current_password": PASSWORD, "code": app.shows(&world)});
    own.post(&format!("{ME}/removal"), removal).send().ok();
    third.get("/v1/me").send().refused(401, "unauthenticated");
    own.get("/v1/me").send().ok();
}
