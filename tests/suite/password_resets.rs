//! Whoever has forgotten a password asks for a token by mail, and sets a new password with it.

use crate::{
    suite::{mail::world, second_factors::enroll},
    support::{Answer, Client, MailServer, PASSWORD, World, wait_for},
};
use diesel::prelude::*;
use partner_incentives::{
    access::Role,
    platform::db::Conn,
    schema::{audit_events, notifications, password_reset_requests, password_resets, users},
};
use serde_json::{Value, json};

const AUDITOR: &str = "auditor@vendor.example";
const NEW: &str = "violets in the window box";

fn ask(world: &World, name: &str) -> Answer {
    world.nobody().post("/v1/auth/password-reset-requests", json!({"username": name})).send()
}

fn set(world: &World, token: &str, password: &str) -> Answer {
    by_token(&world.nobody(), token, password)
}

fn by_token(client: &Client, token: &str, password: &str) -> Answer {
    let body = json!({"token": token, "new_password": password});
    client.post("/v1/auth/password-resets", body).send()
}

fn sign_in(world: &World, password: &str) -> Answer {
    let body = json!({"username": AUDITOR, "password": password});
    world.nobody().post("/v1/auth/login", body).send()
}

fn signed_in(world: &World, answer: &Answer) -> Client {
    world.nobody().with_token(answer["access_token"].as_str().unwrap())
}

/// The token in a mail: 43 characters without a space.
fn token(mail: &Value) -> String {
    let is_token = |word: &&str| {
        word.len() == 43 && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    let words = mail["text"].as_str().unwrap().split_whitespace();
    words.into_iter().find(is_token).unwrap_or_else(|| panic!("no token: {mail:#}")).to_owned()
}

/// Waits until every request is answered.
fn answered(world: &World) {
    wait_for("every request is answered", || {
        let count = |conn: &mut Conn| Ok(password_reset_requests::table.count().get_result::<i64>(conn)?);
        match world.service.db.query(count).unwrap() {
            0 => Ok(()),
            more => Err(format!("{more} wait")),
        }
    });
}

/// The outcomes in the audit trail, in their order.
fn outcomes(world: &World) -> Vec<String> {
    let trail = world.operator().get("/v1/audit-events").query("operation", "MailPasswordReset").send().ok();
    let items = trail["items"].as_array().unwrap().iter().rev();
    items.map(|event| event["after"]["outcome"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_forgotten_password_is_set_anew_by_a_token_that_is_mailed() {
    let Some(server) = MailServer::running() else { return };
    let world = world(&server);
    let before = sign_in(&world, PASSWORD).ok();
    assert_eq!(ask(&world, "Auditor@Vendor.example").status, 204);
    let mail = server.wait_for(1).remove(0);
    let token = token(&mail);
    assert!(mail["subject"].as_str().unwrap().contains("set a new password"), "{mail:#}");
    let kept = |conn: &mut Conn| Ok(password_resets::table.select(password_resets::digest).load(conn)?);
    let kept: Vec<Vec<u8>> = world.service.db.query(kept).unwrap();
    assert!(kept.len() == 1 && !kept[0].windows(8).any(|bytes| token.as_bytes().starts_with(bytes)));

    // The old password is good until the token is used; a refused password does not use the token up.
    sign_in(&world, PASSWORD).ok();
    let weak = set(&world, &token, "passwordpassword").refused(422, "invalid");
    assert_eq!(weak["errors"][0]["pointer"], "/new_password");
    assert_eq!(set(&world, &token, NEW).status, 204);
    signed_in(&world, &before).get("/v1/me").send().refused(401, "unauthenticated");
    let renewal = json!({"grant_type": "refresh_token", "refresh_token": before["refresh_token"]});
    let form = serde_urlencoded::to_string(renewal.as_object().unwrap()).unwrap();
    let renewed =
        world.nobody().ask("POST", "/v1/auth/token").bytes("application/x-www-form-urlencoded", form);
    renewed.send().refused(400, "invalid_grant");
    sign_in(&world, PASSWORD).refused(401, "sign_in_failed");
    let after = sign_in(&world, NEW).ok();
    assert_eq!(after["must_change_password"], false);
    let told = server.wait_for(2).remove(1);
    assert!(told["subject"].as_str().unwrap().contains("password was changed"), "{told:#}");

    set(&world, &token, "another window box of violets").refused(400, "reset_token_invalid");
    sign_in(&world, NEW).ok();
    let trail =
        world.operator().get("/v1/audit-events").query("operation", "ResetPasswordByToken").send().ok();
    let me = signed_in(&world, &after).get("/v1/me").send().ok().id();
    assert!(trail["items"].as_array().unwrap().iter().any(|event| event["actor_id"] == json!(me)), "{trail}");
    assert!(!trail.to_string().contains(&token));
}

#[test]
fn a_name_that_nobody_can_have_is_answered_like_any_other() {
    let world = World::with(|settings| settings.log_mails = true);
    // Folded, the names are empty, or longer than they were.
    for name in [" ", "\t", "\u{a0}", &"\u{130}".repeat(254), "nobody"] {
        assert_eq!(ask(&world, name).status, 204, "{name:?}");
    }
    answered(&world);
    assert!(outcomes(&world).iter().all(|outcome| outcome == "unknown_user"), "{:?}", outcomes(&world));
}

#[test]
fn a_token_is_good_for_thirty_minutes_and_the_newest_one_alone() {
    let Some(server) = MailServer::running() else { return };
    let world = world(&server);
    let began = world.clock.now();
    ask(&world, AUDITOR);
    let first = token(&server.wait_for(1).remove(0));
    answered(&world);
    // Whoever clicks twice, or wants to fill a mailbox, gets one mail in five minutes.
    ask(&world, AUDITOR);
    answered(&world);
    assert_eq!(outcomes(&world), ["mailed", "mailed_before"]);
    world.clock.set(began.plus_seconds(5 * 60));
    ask(&world, AUDITOR);
    let second = token(&server.wait_for(2).remove(1));
    set(&world, &first, NEW).refused(400, "reset_token_invalid");
    world.clock.set(began.plus_seconds(35 * 60));
    set(&world, &second, NEW).refused(400, "reset_token_invalid");
    sign_in(&world, PASSWORD).ok();
    world.clock.set(began.plus_seconds(35 * 60 - 1));
    assert_eq!(set(&world, &second, NEW).status, 204);
    sign_in(&world, NEW).ok();
    for wrong in ["x", &second, "mF_9.B5f-4.1JqM0sVnqXkz7aYx2LrT8uWcE5bGhDpQ"] {
        set(&world, wrong, "another window box of violets").refused(400, "reset_token_invalid");
    }
}

#[test]
fn one_token_used_twice_at_the_same_moment_sets_one_password() {
    let Some(server) = MailServer::running() else { return };
    let world = world(&server);
    ask(&world, AUDITOR);
    let token = token(&server.wait_for(1).remove(0));
    let nobody = world.nobody();
    let passwords: Vec<String> = (0..4).map(|n| format!("{NEW} number {n}")).collect();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let all: Vec<_> =
            passwords.iter().map(|new| scope.spawn(|| by_token(&nobody, &token, new).status)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [204, 400].contains(status)), "{statuses:?}");
    let good = passwords.iter().filter(|new| sign_in(&world, new).status == 200).count();
    assert_eq!(good, 1);
}

#[test]
fn everybody_is_answered_alike_and_who_may_not_is_not_mailed() {
    let Some(server) = MailServer::running() else { return };
    let world = world(&server);
    let user = |email: &str| {
        let body = json!({"email": email, "name": "Noor", "role": "auditor"});
        world.operator().post("/v1/users", body).send().ok().id()
    };
    let barred = user("barred@vendor.example");
    let path = format!("/v1/users/{barred}/deactivation");
    world.operator().post(&path, json!({"reason": "left"})).send().ok();
    let elsewhere =
        user("elsewhere@vendor.example").parse::<partner_incentives::platform::values::Id>().unwrap();
    let vouched = move |conn: &mut Conn| {
        let vouched = users::issuer.eq("https://login.example.com");
        diesel::update(users::table.find(elsewhere)).set(vouched).execute(conn)?;
        Ok(())
    };
    world.service.db.write(vouched).unwrap();
    world.api_client(Role::Operator, None, "partners:read");
    let rows = || -> (i64, i64) {
        let read = |conn: &mut Conn| {
            let asked = audit_events::operation.eq("RequestPasswordReset");
            let events = audit_events::table.filter(asked).count().get_result(conn)?;
            Ok((events, notifications::table.count().get_result(conn)?))
        };
        world.service.db.query(read).unwrap()
    };
    let names = ["nobody@vendor.example", "barred@vendor.example", "elsewhere@vendor.example", "Integration"];
    let mut before = rows();
    for name in names {
        // The request does the same work whoever is named: it keeps one row, with one event.
        let answer = ask(&world, name);
        assert_eq!((answer.status, answer.bytes.len()), (204, 0), "{name}");
        answered(&world);
        let after = rows();
        assert_eq!((after.0 - before.0, after.1 - before.1), (1, 0), "{name}");
        before = after;
    }
    assert_eq!(outcomes(&world), ["unknown_user", "disabled", "signs_in_elsewhere", "unknown_user"]);
    ask(&world, AUDITOR);
    let mails = server.wait_for(1);
    assert_eq!((mails.len(), mails[0]["to"].to_string().contains(AUDITOR)), (1, true), "{mails:#?}");
    let trail =
        world.operator().get("/v1/audit-events").query("operation", "RequestPasswordReset").send().ok();
    assert!(names.iter().all(|name| !trail.to_string().contains(name)), "the trail names nobody: {trail}");
}

#[test]
fn a_flood_of_requests_is_braked_for_known_and_unknown_names_alike() {
    for name in [AUDITOR, "nobody@vendor.example"] {
        let world = World::with(|settings| settings.sign_ins_per_minute = 5);
        let statuses: Vec<u16> = (0..8).map(|_| ask(&world, name).status).collect();
        assert_eq!(statuses, [204, 204, 204, 204, 204, 429, 429, 429], "{name}");
        ask(&world, name).refused(429, "too_many_requests");
        ask(&world, "somebody.else@vendor.example");
        // An address that asks for many names is braked as well.
        let names = (0..30).map(|n| ask(&world, &format!("name-{n}@vendor.example")).status);
        assert!(names.into_iter().any(|status| status == 429));
    }
}

#[test]
fn a_second_factor_stays_and_is_asked_for_with_the_new_password() {
    let Some(server) = MailServer::running() else { return };
    let world = world(&server);
    let auditor = signed_in(&world, &sign_in(&world, PASSWORD).ok());
    enroll(&world, &auditor);
    ask(&world, AUDITOR);
    let token = token(&server.wait_for(1).remove(0));
    assert_eq!(set(&world, &token, NEW).status, 204);
    sign_in(&world, NEW).refused(401, "one_time_code_required");
}

#[test]
fn the_mail_is_in_the_language_of_the_account_and_its_token_is_gone_once_sent() {
    use partner_incentives::schema::deliveries;
    let Some(server) = MailServer::running() else { return };
    let world = world(&server);
    let auditor = signed_in(&world, &sign_in(&world, PASSWORD).ok());
    auditor.patch("/v1/me", json!({"locale": "ja"})).if_match("*").send().ok();
    ask(&world, AUDITOR);
    let mail = server.wait_for(1).remove(0);
    assert!(mail["subject"].as_str().unwrap().contains("パスワード再設定"), "{mail:#}");
    let token = token(&mail);
    wait_for("the mail is noted as sent", || {
        let read = |conn: &mut Conn| {
            let kept = deliveries::table.select((deliveries::secret, deliveries::html));
            Ok(kept.first::<(Option<Vec<u8>>, String)>(conn)?)
        };
        let (secret, html) = world.service.db.query(read).unwrap();
        assert!(!html.contains(&token));
        if secret.is_none() { Ok(()) } else { Err("the secret is kept".to_owned()) }
    });
    let shown = world.operator().get("/v1/notifications?kind=password_reset").send().ok();
    assert!(shown["items"][0].is_object() && !shown.to_string().contains(&token), "{shown}");
}

#[test]
fn without_a_mail_server_nobody_gets_a_token_and_the_answer_is_the_same() {
    let world = World::new();
    assert_eq!(ask(&world, AUDITOR).status, 204);
    answered(&world);
    assert_eq!(outcomes(&world), ["no_mail_server"]);
    let count = |conn: &mut Conn| Ok(password_resets::table.count().get_result::<i64>(conn)?);
    assert_eq!(world.service.db.query(count).unwrap(), 0);
}
