//! The conventions of the API, seen from outside.

use crate::{suite::partners::partner, support::World};
use serde_json::{Value, json};

#[test]
fn every_field_that_is_wrong_is_reported_at_once() {
    let world = World::new();
    let body = json!({
        "mpn_id": "12", "legal_name": "", "country": "ZZ", "currency": "XXX", "partner_type": "friend",
        "contact_email": 7, "surprise": true, "headquarters_id": "x",
    });
    let refusal = world.operator().post("/v1/partners", body).send().refused(422, "invalid");
    let mut pointers: Vec<_> = refusal["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["pointer"].as_str().unwrap().to_owned())
        .collect();
    pointers.sort();
    pointers.dedup();
    let all = [
        "contact_email",
        "country",
        "currency",
        "headquarters_id",
        "legal_name",
        "mpn_id",
        "partner_type",
        "surprise",
    ];
    assert_eq!(pointers, all.map(|name| format!("/{name}")));
    let text = refusal.body.to_string();
    assert!(!text.contains("secret") && !text.contains("src/"), "{text}");
}

#[test]
fn what_cannot_be_read_is_told_apart_from_what_is_not_valid() {
    let world = World::new();
    let operator = world.operator();
    let send = |media: &str, bytes: &[u8]| operator.ask("POST", "/v1/partners").bytes(media, bytes).send();
    send("application/json", b"{\"a\":").refused(400, "malformed");
    send("application/json", b"").refused(400, "malformed");
    send("application/json", b"{\"legal_name\":\"\xff\"}").refused(400, "malformed");
    send("application/json", b"[]").refused(422, "invalid");
    send("text/plain", b"hello").refused(415, "unsupported_media_type");
    send("application/merge-patch+json", b"{}").refused(415, "unsupported_media_type");
    let twice = partner(1, "direct_bill").to_string().replacen('{', "{\"mpn_id\":\"4000009\",", 1);
    send("application/json", twice.as_bytes()).refused(422, "invalid");
    let nul = json!({"legal_name": "a\u{0}b"}).to_string();
    assert!(
        send("application/json", nul.as_bytes())
            .refused(422, "invalid")
            .body
            .to_string()
            .contains("control_character")
    );
    let turned = json!({"legal_name": "a\u{202e}b"}).to_string();
    let answer = send("application/json", turned.as_bytes()).refused(422, "invalid");
    assert!(answer.body.to_string().contains("control_character"));
    let large = vec![b' '; 1024 * 1024 + 1];
    send("application/json", &large).refused(413, "too_large");
    let nested = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    send("application/json", &nested).refused(400, "malformed");
}

#[test]
fn a_method_an_address_does_not_take_is_405_with_those_it_takes() {
    let world = World::new();
    let refused = world.operator().ask("PUT", "/v1/partners").send().refused(405, "method_not_allowed");
    assert_eq!(refused.header("allow"), Some("GET, HEAD, OPTIONS, POST"));
    let options = world.nobody().ask("OPTIONS", "/v1/partners/x").send();
    assert_eq!((options.status, options.header("allow")), (204, Some("DELETE, GET, HEAD, OPTIONS, PATCH")));
    world.operator().get("/v1/nothing").send().refused(404, "not_found");
}

#[test]
fn head_is_get_without_the_body() {
    let world = World::new();
    let get = world.operator().get("/v1/partners").send().ok();
    let head = world.operator().ask("HEAD", "/v1/partners").send();
    assert_eq!((head.status, head.bytes.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some(get.bytes.len().to_string().as_str()));
}

#[test]
fn a_record_one_has_already_is_not_sent_again() {
    let world = World::new();
    let operator = world.operator();
    let made = operator.post("/v1/partners", partner(1, "direct_bill")).send().ok();
    let path = format!("/v1/partners/{}", made.id());
    for tag in [made.etag(), format!("W/{}", made.etag()), format!("\"x\", {}", made.etag()), "*".into()] {
        let again = operator.get(&path).header("if-none-match", &tag).send();
        assert_eq!((again.status, again.bytes.len(), again.etag()), (304, 0, made.etag()), "{tag}");
    }
    assert_eq!(operator.get(&path).header("if-none-match", "\"0\"").send().status, 200);
}

#[test]
fn a_tag_that_a_compressing_proxy_has_changed_still_names_the_revision() {
    let world = World::new();
    let operator = world.operator();
    let path =
        format!("/v1/partners/{}", operator.post("/v1/partners", partner(1, "direct_bill")).send().ok().id());
    let change = |tag: &str| operator.patch(&path, json!({"legal_name": tag})).if_match(tag).send();
    change("W/\"1\"").ok();
    change("\"2-gzip\"").ok();
    change("W/\"3;br\"").ok();
    change("\"3-gzip\"").refused(412, "precondition_failed");
    change("W/\"40\"").refused(412, "precondition_failed");
}

#[test]
fn lists_refuse_what_they_do_not_know() {
    let world = World::new();
    let operator = world.operator();
    for (name, value) in [
        ("limit", "0"),
        ("limit", "201"),
        ("limit", "x"),
        ("surprise", "1"),
        ("status", "happy"),
        ("sort", "shoe_size"),
    ] {
        operator.get("/v1/partners").query(name, value).send().refused(400, "unknown_parameter");
    }
    operator.get("/v1/partners").query("cursor", "nonsense").send().refused(400, "invalid_cursor");
    for n in 0..3 {
        operator.post("/v1/partners", partner(n, "direct_bill")).send().ok();
    }
    let page = operator.get("/v1/partners").query("limit", 2).query("include_total", true).send().ok();
    assert_eq!((page["items"].as_array().unwrap().len(), &page["total"]), (2, &json!(3)));
    let link = page.header("link").unwrap();
    assert!(
        link.starts_with(&format!("<{}/v1/partners?", world.base)) && link.ends_with("rel=\"next\""),
        "{link}"
    );
    let cursor = page["next_cursor"].as_str().unwrap();
    operator
        .get("/v1/partners")
        .query("cursor", cursor)
        .query("status", "active")
        .send()
        .refused(400, "invalid_cursor");
    let last = operator.get("/v1/partners").query("cursor", cursor).send().ok();
    assert_eq!((last["items"].as_array().unwrap().len(), &last["next_cursor"]), (1, &Value::Null));
}

#[test]
fn an_idempotency_key_gives_the_stored_answer_again() {
    let world = World::new();
    let operator = world.operator();
    let first = operator.post("/v1/partners", partner(1, "direct_bill")).key("k-1").send().ok();
    let again = operator.post("/v1/partners", partner(1, "direct_bill")).key("k-1").send().ok();
    assert_eq!((again.status, &again.body, again.etag()), (201, &first.body, first.etag()));
    assert_eq!(
        (first.header("idempotent-replayed"), again.header("idempotent-replayed")),
        (None, Some("true"))
    );
    operator
        .post("/v1/partners", partner(2, "direct_bill"))
        .key("k-1")
        .send()
        .refused(422, "idempotency_key_reused");
    for bad in ["", "a b", &"x".repeat(129)] {
        operator.post("/v1/partners", partner(3, "direct_bill")).key(bad).send().refused(400, "malformed");
    }
    world.clock.set(world.clock.now().plus_seconds(24 * 3600 + 1));
    world.operator().post("/v1/partners", partner(4, "direct_bill")).key("k-1").send().ok();
}

#[test]
fn every_answer_carries_its_request_id_and_the_security_fields() {
    let world = World::new();
    let answer = world.operator().get("/v1/partners").header("x-request-id", "trace-1").send().ok();
    assert_eq!(answer.header("x-request-id"), Some("trace-1"));
    let refused = world
        .nobody()
        .get("/v1/partners")
        .header("x-request-id", "bad id")
        .send()
        .refused(401, "unauthenticated");
    assert_eq!(refused["request_id"].as_str(), refused.header("x-request-id"));
    assert_ne!(refused.header("x-request-id"), Some("bad id"));
    for answer in [&answer, &refused] {
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(answer.header(name), Some(value));
        }
    }
    assert!(refused.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Bearer ")));
    assert!(answer.header("ratelimit").is_some() && answer.header("ratelimit-policy").is_some());
}

#[test]
fn every_problem_code_has_a_page() {
    let world = World::new();
    for code in partner_incentives::app::problem_codes() {
        let page = world.nobody().get(&format!("/problems/{}", code.code)).send().ok();
        assert!(String::from_utf8_lossy(&page.bytes).contains(code.title.en), "{}", code.code);
    }
    world.nobody().get("/problems/no-such").send().refused(404, "not_found");
}

#[test]
fn who_accepts_nothing_we_have_is_told_so() {
    let world = World::new();
    world.operator().get("/v1/partners").header("accept", "image/png").send().refused(406, "not_acceptable");
    world.operator().get("/v1/partners").header("accept", "text/html, */*;q=0.1").send().ok();
}

#[test]
fn a_problem_stays_within_the_contract_however_long_the_request() {
    let world = World::new();
    let operator = world.operator();
    let long = "x".repeat(3000);
    for ask in [
        operator.get("/v1/partners").query("limit", &long),
        operator.get("/v1/partners").query(&long, 1),
        operator.get("/v1/partners").query("status", &long),
    ] {
        ask.send().refused(400, "unknown_parameter");
    }
    let mut body = json!({});
    body[long] = json!(1);
    operator.post("/v1/partners", body).send().refused(422, "invalid");
}

#[test]
fn a_chunked_body_that_never_ends_does_not_hold_a_connection_that_was_refused() {
    use std::io::{Read, Write};
    let world = World::new();
    let mut socket = std::net::TcpStream::connect(world.base.trim_start_matches("http://")).unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_millis(200))).unwrap();
    let head = "POST /v1/partners HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                Transfer-Encoding: chunked\r\n\r\n";
    socket.write_all(head.as_bytes()).unwrap();
    let (mut answer, mut part) = (Vec::new(), [0; 4096]);
    let closed = (0..300).any(|_| {
        let written = socket.write_all(b"1\r\n \r\n");
        match socket.read(&mut part) {
            Ok(0) => true,
            Ok(length) => {
                answer.extend_from_slice(&part[..length]);
                false
            }
            Err(error) => written.is_err() || error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    });
    assert!(answer.starts_with(b"HTTP/1.1 401"), "{}", String::from_utf8_lossy(&answer));
    assert!(closed, "after 8 s the connection is still open");
}

#[test]
fn audit_events_are_found_by_their_time() {
    let world = World::new();
    let made: Vec<String> = ["2018-11-01", "2018-11-02", "2018-11-03"]
        .iter()
        .zip(801..)
        .map(|(day, n)| {
            world.on(day);
            world.operator().post("/v1/partners", partner(n, "direct_bill")).send().ok().id()
        })
        .collect();
    let found = |from: &str, to: &str| -> Vec<String> {
        let ask = world.operator().get("/v1/audit-events").query("operation", "CreatePartner");
        let page = ask.query("from", from).query("to", to).send().ok();
        let items = page["items"].as_array().unwrap();
        items.iter().map(|event| event["resource_id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(found("2018-11-02T00:00:00Z", "2018-11-03T00:00:00Z"), made[1..2]);
    assert_eq!(found("2018-11-01T00:00:00Z", "2018-11-04T00:00:00Z").len(), 3);
    assert!(found("2018-11-04T00:00:00Z", "2018-11-05T00:00:00Z").is_empty());
}

#[test]
fn audit_events_are_found_by_the_operation_ids_of_the_contract() {
    let world = World::new();
    let operator = world.operator();
    let id = operator.post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    for written in ["createPartner", "CreatePartner"] {
        let page = operator.get("/v1/audit-events").query("operation", written).send().ok();
        let found: Vec<_> = page["items"].as_array().unwrap().iter().map(|e| &e["resource_id"]).collect();
        assert_eq!(found, [id.as_str()], "{written}");
        assert_eq!(page["items"][0]["operation"], "createPartner", "{written}");
        let event = operator.get(&format!("/v1/audit-events/{}", page["items"][0]["id"].as_str().unwrap()));
        assert_eq!(event.send().ok()["operation"], "createPartner");
    }
    let permissions = operator.get("/v1/me/permissions").send().ok();
    let named = |item: &Value| item["operation"] == "createPartner";
    assert!(permissions["items"].as_array().unwrap().iter().any(named), "the same name everywhere");
}
