//! What slows somebody down who guesses passwords, and leaves everybody else alone.

use crate::support::{Answer, PASSWORD, World};
use diesel::prelude::*;
use partner_incentives::schema::{known_addresses, sign_in_throttles, users};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::SocketAddr,
};

const OPERATOR: &str = "operator@vendor.example";
const NOBODY: &str = "nobody@vendor.example";

fn sign_in(world: &World, username: &str, password: &str) -> Answer {
    world.nobody().post("/v1/auth/login", json!({"username": username, "password": password})).send()
}

/// Signs in from another address of the loopback network; the status, and the header field `Retry-After`.
fn sign_in_from(world: &World, address: &str, username: &str, password: &str) -> (u16, Option<u64>) {
    let body = json!({"username": username, "password": password}).to_string();
    let there: SocketAddr = world.base.trim_start_matches("http://").parse().unwrap();
    let here: SocketAddr = format!("{address}:0").parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(here).unwrap();
        socket.connect(there).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    let mut stream = stream;
    write!(
        stream,
        "POST /v1/auth/login HTTP/1.1\r\nHost: {there}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let retry = answer.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("retry-after").then(|| value.trim().parse().ok())?
    });
    (status, retry)
}

fn retry_after(answer: &Answer) -> i64 {
    answer.header("retry-after").unwrap_or_else(|| panic!("no Retry-After: {answer}")).parse().unwrap()
}

#[test]
fn five_failures_are_free_then_waits_double_and_the_right_password_waits_too() {
    let world = World::new();
    for name in [OPERATOR, NOBODY] {
        for _ in 0..6 {
            sign_in(&world, name, "a guess").refused(401, "sign_in_failed");
        }
        for seconds in [15, 30, 60, 120, 240, 480, 900, 900] {
            let braked = sign_in(&world, name, PASSWORD).refused(429, "too_many_requests");
            let wait = retry_after(&braked);
            assert!((seconds..=seconds + 1).contains(&wait), "{name}: {wait} s instead of {seconds} s");
            world.clock.set(world.clock.now().plus_seconds(seconds - 1));
            sign_in(&world, name, PASSWORD).refused(429, "too_many_requests");
            world.clock.set(world.clock.now().plus_seconds(1));
            sign_in(&world, name, "a guess").refused(401, "sign_in_failed");
        }
    }
    world.clock.set(world.clock.now().plus_seconds(900));
    sign_in(&world, OPERATOR, PASSWORD).ok();
    for _ in 0..5 {
        sign_in(&world, OPERATOR, "a guess").refused(401, "sign_in_failed");
    }
    sign_in(&world, OPERATOR, PASSWORD).ok();
}

#[test]
fn failures_are_forgotten_after_a_day() {
    let world = World::new();
    for _ in 0..6 {
        sign_in(&world, OPERATOR, "a guess").refused(401, "sign_in_failed");
    }
    sign_in(&world, OPERATOR, "a guess").refused(429, "too_many_requests");
    world.clock.set(world.clock.now().plus_seconds(24 * 3600));
    for _ in 0..6 {
        sign_in(&world, OPERATOR, "a guess").refused(401, "sign_in_failed");
    }
    sign_in(&world, OPERATOR, "a guess").refused(429, "too_many_requests");
}

#[test]
fn a_wait_that_began_while_the_clock_was_ahead_ends_when_the_clock_is_put_back() {
    let world = World::new();
    let now = world.clock.now();
    world.clock.set(now.plus_seconds(40 * 24 * 3600));
    for _ in 0..6 {
        sign_in(&world, OPERATOR, "a guess").refused(401, "sign_in_failed");
    }
    sign_in(&world, OPERATOR, PASSWORD).refused(429, "too_many_requests");
    world.clock.set(now);
    sign_in(&world, OPERATOR, PASSWORD).ok();
}

#[test]
fn behind_a_trusted_proxy_everybody_has_an_address_of_their_own() {
    let guess_from = |world: &World, address: &str| {
        let body = json!({"username": NOBODY, "password": "a guess"});
        world.nobody().post("/v1/auth/login", body).header("x-forwarded-for", address).send()
    };
    let trusting = World::with(|settings| settings.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]);
    for world in [&trusting, &World::new()] {
        for _ in 0..6 {
            guess_from(world, "198.51.100.1").refused(401, "sign_in_failed");
        }
        guess_from(world, "198.51.100.1").refused(429, "too_many_requests");
    }
    guess_from(&trusting, "192.0.2.66, 198.51.100.1").refused(429, "too_many_requests");
    guess_from(&trusting, "198.51.100.2").refused(401, "sign_in_failed");
    // A proxy may write the port behind the address, which is the same address all the same.
    for (hop, plainly) in [
        ("203.0.113.7:PORT", "203.0.113.7"),
        ("\"[2001:db8::7]:PORT\"", "2001:db8::7"),
        ("[2001:db8::9]", "2001:db8::9"),
    ] {
        let trusting =
            World::with(|settings| settings.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]);
        for port in 50_001..50_007 {
            guess_from(&trusting, &hop.replace("PORT", &port.to_string())).refused(401, "sign_in_failed");
        }
        guess_from(&trusting, plainly).refused(429, "too_many_requests");
    }
    let plain = World::new();
    for n in 0..6 {
        guess_from(&plain, &format!("198.51.100.{n}")).refused(401, "sign_in_failed");
    }
    guess_from(&plain, "198.51.100.99").refused(429, "too_many_requests");
}

#[test]
fn nobody_locks_a_user_out_from_elsewhere() {
    let world = World::new();
    sign_in(&world, OPERATOR, PASSWORD).ok();
    // Each from a few addresses that stay below the brake of their own.
    let mut refused = 0;
    for guess in 0..30 {
        let (status, retry) =
            sign_in_from(&world, &format!("127.0.0.{}", 2 + guess % 6), OPERATOR, "a guess");
        assert!(status == 401 || (status == 429 && retry.is_some()), "{status}");
        refused += u32::from(status == 429);
    }
    assert_eq!(refused, 9, "twenty are free, the next one pulls the brake");
    assert_eq!(sign_in_from(&world, "127.0.0.99", OPERATOR, PASSWORD).0, 429, "nor in from a new place");
    sign_in(&world, OPERATOR, PASSWORD).ok();
    world.clock.set(world.clock.now().plus_seconds(15));
    assert_eq!(
        sign_in_from(&world, "127.0.0.99", OPERATOR, PASSWORD).0,
        200,
        "who waits gets in from anywhere"
    );
    for _ in 0..3 {
        assert_eq!(
            sign_in_from(&world, "127.0.0.99", OPERATOR, "a slip").0,
            401,
            "and the place is the user's now"
        );
    }
}

#[test]
fn an_address_is_the_user_s_own_for_thirty_days() {
    let world = World::new();
    sign_in(&world, OPERATOR, PASSWORD).ok();
    world.clock.set(world.clock.now().plus_seconds(30 * 24 * 3600));
    for guess in 0..21 {
        let address = format!("127.0.0.{}", 2 + guess % 6);
        assert_eq!(sign_in_from(&world, &address, OPERATOR, "a guess").0, 401);
    }
    sign_in(&world, OPERATOR, PASSWORD).refused(429, "too_many_requests");
}

#[test]
fn the_same_name_in_another_spelling_is_braked_too_and_other_names_are_not() {
    let world = World::new();
    for name in [OPERATOR, "OPERATOR@vendor.example", " Operator@Vendor.Example "].iter().cycle().take(6) {
        sign_in(&world, name, "a guess").refused(401, "sign_in_failed");
    }
    sign_in(&world, OPERATOR, "a guess").refused(429, "too_many_requests");
    sign_in(&world, "auditor@vendor.example", PASSWORD).ok();
}

#[test]
fn every_failure_leaves_a_trace_that_names_nobody_unknown() {
    let world = World::new();
    sign_in(&world, OPERATOR, "a guess").refused(401, "sign_in_failed");
    sign_in(&world, NOBODY, "another guess").refused(401, "sign_in_failed");
    let auditor = world.auditor().get("/v1/me").send().ok().id();
    let path = format!("/v1/users/{auditor}/deactivation");
    world.operator().post(&path, json!({"reason": "left"})).send().ok();
    sign_in(&world, "auditor@vendor.example", PASSWORD).refused(401, "sign_in_failed");
    let trail = world.operator().get("/v1/audit-events").query("operation", "Login").send().ok();
    let items = trail["items"].as_array().unwrap();
    let reasons: Vec<_> = items
        .iter()
        .map(|event| {
            assert_eq!((&event["actor_role"], &event["actor_id"]), (&json!("nobody"), &Value::Null));
            assert_eq!(event["after"]["address"], "127.0.0.1");
            (event["resource_type"].as_str().unwrap(), event["after"]["reason"].as_str().unwrap())
        })
        .collect();
    assert_eq!(reasons, [("user", "disabled"), ("sign_in", "unknown_user"), ("user", "wrong_password")]);
    assert_eq!(items[0]["resource_id"], auditor);
    let text = trail.body.to_string();
    assert!(!text.contains(NOBODY) && !text.contains("guess"), "{text}");
}

#[test]
fn whom_an_issuer_vouches_for_has_no_password_any_more() {
    let world = World::new();
    let vouch = |conn: &mut _| {
        let operator = users::table.filter(users::email.eq(OPERATOR));
        Ok(diesel::update(operator).set(users::issuer.eq("https://login.vendor.example")).execute(conn)?)
    };
    world.service.db.write(vouch).unwrap();
    sign_in(&world, OPERATOR, PASSWORD).refused(401, "sign_in_failed");
}

#[test]
fn a_sign_in_from_a_new_place_is_told_but_not_the_very_first() {
    let world = World::new();
    let told = || {
        let listed = world.operator().get("/v1/notifications").query("kind", "new_sign_in").send().ok();
        listed["items"].as_array().unwrap().len()
    };
    for (address, expected) in [("127.0.0.1", 0), ("127.0.0.1", 0), ("127.0.0.7", 1), ("127.0.0.7", 1)] {
        assert_eq!(sign_in_from(&world, address, OPERATOR, PASSWORD).0, 200);
        assert_eq!(told(), expected, "{address}");
    }
}

#[test]
fn a_name_nobody_has_takes_the_same_steps() {
    let world = World::new();
    let rows = || -> (i64, i64, usize) {
        let read = |conn: &mut _| {
            Ok((
                sign_in_throttles::table.count().get_result(conn)?,
                known_addresses::table.count().get_result(conn)?,
            ))
        };
        let (brakes, addresses) = world.service.db.query(read).unwrap();
        let trail = world.operator().get("/v1/audit-events").query("operation", "Login").send().ok();
        (brakes, addresses, trail["items"].as_array().unwrap().len())
    };
    let mut before = rows();
    for name in [OPERATOR, NOBODY] {
        sign_in(&world, name, "a guess").refused(401, "sign_in_failed");
        let after = rows();
        assert_eq!((after.0 - before.0, after.1 - before.1, after.2 - before.2), (2, 0, 1), "{name}");
        before = after;
    }
}
