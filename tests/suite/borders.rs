//! Pages of other origins, proxies, and callers who invent: what the service says to whom.

use super::partners::partner;
use crate::support::{Answer, Ask, World};
use serde_json::json;
use std::{
    io::{Read, Write},
    net::TcpStream,
};

const PORTAL: &str = "https://portal.example";

/// The answer to a request that no client library sends, head and body.
fn plain(world: &World, method: &str, path: &str) -> String {
    let mut socket = TcpStream::connect(world.base.trim_start_matches("http://")).unwrap();
    write!(socket, "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

/// A page of another origin reads an answer only where the answer names that origin.
#[track_caller]
fn readable(ask: Ask, status: u16) -> Answer {
    let answer = ask.header("origin", PORTAL).send();
    assert_eq!(answer.status, status, "{answer}");
    assert_eq!(answer.header("access-control-allow-origin"), Some(PORTAL), "{answer}");
    let exposed = answer.header("access-control-expose-headers").unwrap_or_default();
    assert!(exposed.contains("x-request-id") && exposed.contains("retry-after"), "{exposed}");
    assert!(answer.header("vary").is_some_and(|vary| vary.to_lowercase().contains("origin")), "{answer}");
    answer
}

#[test]
fn a_page_of_another_origin_reads_every_answer_also_the_refusals() {
    let world = World::with(|settings| {
        settings.allowed_origins = vec![PORTAL.into()];
        settings.requests_per_minute = 100;
    });
    let (operator, nobody) = (world.operator(), world.nobody());
    let made = readable(operator.post("/v1/partners", partner(1, "direct_bill")), 201);
    let path = format!("/v1/partners/{}", made.id());
    let viewer = world.viewer_of(&made.id());
    let raw = |body: &[u8]| operator.ask("POST", "/v1/partners").bytes("application/json", body);
    readable(operator.get(&path), 200);
    readable(raw(b"{"), 400);
    readable(operator.get("/v1/partners?limit=none"), 400);
    readable(nobody.get(&path), 401);
    let wrong = json!({"username": "operator@vendor.example", "password": "a guess"});
    readable(nobody.post("/v1/auth/login", wrong), 401);
    readable(viewer.post("/v1/partners", partner(2, "direct_bill")), 403);
    readable(operator.get(&format!("/v1/partners/{}", world.ids.next(world.clock.now()))), 404);
    readable(operator.get("/v1/nothing"), 404);
    assert!(readable(operator.ask("PUT", "/v1/partners"), 405).header("allow").is_some());
    readable(operator.get(&path).header("accept", "image/png"), 406);
    readable(operator.post("/v1/partners", partner(1, "direct_bill")), 409);
    readable(operator.patch(&path, json!({"legal_name": "New"})).if_match("\"7\""), 412);
    readable(raw(&vec![b' '; 1024 * 1024 + 1]), 413);
    readable(operator.get(&format!("/v1/partners?q={}", "x".repeat(9000))), 414);
    readable(
        operator.post("/v1/partners", partner(3, "direct_bill")).header("content-type", "text/plain"),
        415,
    );
    readable(operator.post("/v1/partners", json!({})), 422);
    readable(operator.patch(&path, json!({"legal_name": "New"})), 428);
    let refused =
        (0..200).map(|_| operator.get(&path).header("origin", PORTAL).send()).find(|it| it.status == 429);
    let refused = refused.expect("the limit is reached");
    assert_eq!(refused.header("access-control-allow-origin"), Some(PORTAL), "{refused}");
}

#[test]
fn a_page_of_another_origin_reads_that_the_body_came_too_late() {
    let world = World::with(|settings| {
        settings.allowed_origins = vec![PORTAL.into()];
        settings.body_seconds = 1;
    });
    let mut socket = TcpStream::connect(world.base.trim_start_matches("http://")).unwrap();
    let head = format!(
        "POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nOrigin: {PORTAL}\r\nAccept-Language: ja\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    );
    socket.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    let head = answer.split("\r\n\r\n").next().unwrap().to_lowercase();
    assert!(head.contains(&format!("access-control-allow-origin: {PORTAL}")), "{answer}");
    assert!(head.contains("content-language: ja") && answer.contains("制限時間内"), "{answer}");
}

#[test]
fn a_page_of_another_origin_reads_that_the_service_cannot_answer_now() {
    let world = World::with(|settings| settings.allowed_origins = vec![PORTAL.into()]);
    readable(world.nobody().get("/health/ready"), 200);
    world.service.app.closing().begin();
    let refused = readable(world.nobody().get("/health/ready"), 503);
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
}

#[test]
fn a_preflight_says_who_may_ask_what() {
    let world = World::with(|settings| settings.allowed_origins = vec![PORTAL.into()]);
    let preflight = |origin: &str| {
        let ask = world.nobody().ask("OPTIONS", "/v1/partners").header("origin", origin);
        ask.header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type,idempotency-key,prefer")
            .send()
    };
    let allowed = preflight(PORTAL);
    assert_eq!(allowed.status, 200, "{allowed}");
    assert_eq!(allowed.header("access-control-allow-origin"), Some(PORTAL));
    let refused = preflight("https://evil.example");
    assert_eq!(refused.header("access-control-allow-origin"), None, "{refused}");
    assert_eq!(refused.refused(400, "malformed").header("content-type"), Some("application/problem+json"));
    let foreign = world.operator().get("/v1/partners").header("origin", "https://evil.example").send();
    assert_eq!(foreign.header("access-control-allow-origin"), None, "{foreign}");
}

#[test]
fn links_lead_to_where_the_service_is_and_not_to_where_a_header_says() {
    let forged =
        [("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "https"), ("host", "evil.example")];
    let link = |world: &World| {
        for number in 1..=2 {
            world.operator().post("/v1/partners", partner(number, "direct_bill")).send().ok();
        }
        let ask = world.operator().get("/v1/partners?limit=1");
        let ask = forged.iter().fold(ask, |ask, (name, value)| ask.header(name, value));
        ask.send().ok().header("link").expect("a link to the next page").to_owned()
    };
    let world = World::new();
    assert!(
        link(&world).starts_with(&format!("<{}/v1/partners?limit=1&cursor=", world.base)),
        "{}",
        link(&world)
    );
    let told = World::with(|settings| settings.public_url = Some("https://pi.example/incentives".into()));
    assert!(link(&told).starts_with("<https://pi.example/incentives/v1/partners?limit=1&cursor="));
    let trusting = World::with(|settings| settings.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]);
    assert!(link(&trusting).starts_with("<https://evil.example/v1/partners?"), "as the trusted proxy says");
}

#[test]
fn below_a_path_of_a_proxy_the_pages_and_the_document_find_each_other() {
    let world = World::with(|settings| settings.public_url = Some("https://pi.example/incentives".into()));
    let nobody = world.nobody();
    for path in ["/", "/docs"] {
        let answer = plain(&world, "GET", path);
        assert!(answer.to_lowercase().contains("\r\nlocation: docs/\r\n"), "{answer}");
    }
    let text = |path: &str| String::from_utf8(nobody.get(path).send().ok().bytes).unwrap();
    assert!(text("/docs/swagger-initializer.js").contains("url: \"../openapi.json\""));
    for page in ["/docs/", "/problems", "/problems/not_found"] {
        assert!(!text(page).contains("=\"/"), "{page} has a link from the root: {}", text(page));
    }
    let document = nobody.get("/openapi.json").send().ok();
    assert_eq!(document["servers"][0]["url"], "https://pi.example/incentives");
    assert!(
        document
            .header("link")
            .is_some_and(|link| link.contains("https://pi.example/incentives/openapi.json"))
    );
    assert_ne!(document.etag(), World::new().nobody().get("/openapi.json").send().ok().etag());
}

#[test]
fn invented_methods_share_one_label_and_count_against_the_limit() {
    let world = World::with(|settings| settings.requests_per_minute = 50);
    let nobody = world.nobody();
    let lines = || String::from_utf8(nobody.get("/metrics").send().ok().bytes).unwrap().lines().count();
    let ask = |method: &str| {
        let answer = plain(&world, method, "/v1/partners");
        answer.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok())
    };
    assert_eq!(ask("INVENTED"), Some(405));
    let before = lines();
    let statuses: Vec<_> = (0..60).filter_map(|number| ask(&format!("M{number}"))).collect();
    assert!(statuses.contains(&405) && statuses.contains(&429), "{statuses:?}");
    // Now and then a request is free again.
    let is_braked = (0..20).any(|_| plain(&world, "GET", "/v1/nothing").starts_with("HTTP/1.1 429 "));
    assert!(is_braked, "an address that is not there counts too");
    // Each status has its series of one label.
    assert!(lines() - before < 60, "{} lines more", lines() - before);
}

#[test]
fn invented_addresses_share_one_label() {
    let world = World::new();
    let nobody = world.nobody();
    let series = || {
        let shown = String::from_utf8(nobody.get("/metrics").send().ok().bytes).unwrap();
        let of_requests = shown.lines().filter(|line| line.contains("http_requests_total{"));
        of_requests.map(str::to_owned).collect::<Vec<_>>()
    };
    // The metrics count themselves when they have been shown.
    series();
    let before = series().len();
    for number in 0..60 {
        nobody.get(&format!("/invented/{number}/by?somebody={number}")).send().refused(404, "not_found");
    }
    let after = series();
    assert_eq!(after.len(), before + 1, "{after:#?}");
    assert!(!after.iter().any(|line| line.contains("invented")), "{after:#?}");
}
