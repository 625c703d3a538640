//! Tokens as OAuth clients ask for them.

use crate::support::{Answer, Client, World};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpStream,
};

/// Sends a form.
pub fn form(client: &Client, path: &str, pairs: &[(&str, &str)]) -> Answer {
    let body = serde_urlencoded::to_string(pairs).expect("a form");
    client.ask("POST", path).bytes("application/x-www-form-urlencoded", body).send()
}

fn machine(world: &World) -> (String, String) {
    let body = json!({"name": "Warehouse", "role": "auditor", "scopes": ["audit:read", "partners:read"]});
    let made = world.operator().post("/v1/api-clients", body).send().ok();
    (made.id(), made["client_secret"].as_str().unwrap().to_owned())
}

#[test]
fn a_client_proves_itself_by_http_basic_or_in_the_form_and_may_ask_for_less() {
    let world = World::new();
    let nobody = world.nobody();
    let (id, secret) = machine(&world);
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}")));
    let ask = |body: &str| {
        let ask = nobody.ask("POST", "/v1/auth/token").header("authorization", &basic);
        ask.bytes("application/x-www-form-urlencoded", body).send()
    };
    let all = ask("grant_type=client_credentials&unknown=1&scope=").ok();
    assert_eq!((&all["scope"], &all["token_type"]), (&json!("audit:read partners:read"), &json!("Bearer")));
    assert_eq!((&all["refresh_token"], all.header("cache-control")), (&Value::Null, Some("no-store")));
    let less = ask("grant_type=client_credentials&scope=partners:read").ok();
    let inside = nobody.with_token(less["access_token"].as_str().unwrap());
    inside.get("/v1/partners").send().ok();
    inside.get("/v1/audit-events").send().refused(403, "insufficient_scope");
    ask("grant_type=client_credentials&scope=partners:write").refused(400, "invalid_scope");
    ask(&format!("grant_type=client_credentials&client_secret={secret}")).refused(400, "invalid_request");
}

#[test]
fn refusals_have_the_names_that_oauth_clients_know() {
    let world = World::new();
    let nobody = world.nobody();
    let (id, _) = machine(&world);
    let token = |pairs: &[(&str, &str)]| form(&nobody, "/v1/auth/token", pairs);
    let wrong =
        token(&[("grant_type", "client_credentials"), ("client_id", &id), ("client_secret", "pis_x")]);
    let wrong = wrong.refused(401, "invalid_client");
    assert!(wrong.header("www-authenticate").unwrap().starts_with("Basic "), "{wrong}");
    assert_eq!(wrong["error"], "invalid_client");
    assert!(wrong["error_description"].is_string());
    let unknown = "01936f2e-4b00-7000-8000-00000000dead";
    let other =
        token(&[("grant_type", "client_credentials"), ("client_id", unknown), ("client_secret", "pis_x")]);
    assert_eq!(other.refused(401, "invalid_client")["detail"], wrong["detail"]);
    token(&[("grant_type", "client_credentials")]).refused(401, "invalid_client");

    token(&[("grant_type", "password")]).refused(400, "unsupported_grant_type");
    token(&[("grant_type", "refresh_token")]).refused(400, "invalid_request");
    token(&[("grant_type", "refresh_token"), ("refresh_token", "never heard of")])
        .refused(400, "invalid_grant");
    token(&[("grant_type", "refresh_token"), ("grant_type", "refresh_token")])
        .refused(400, "invalid_request");
    token(&[("refresh_token", "x")]).refused(400, "invalid_request");
    let exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    let kind = ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token");
    token(&[("grant_type", exchange), ("subject_token", "x"), kind]).refused(400, "unsupported_grant_type");
    nobody
        .post("/v1/auth/token", json!({"grant_type": "refresh_token"}))
        .send()
        .refused(415, "unsupported_media_type");
}

/// Expects a refusal that OAuth client libraries read (RFC 6749, 5.2).
#[track_caller]
fn told(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, answer["error"].as_str()), (status, Some(error)), "{answer}");
    assert_eq!(answer.header("content-type"), Some("application/json"), "{answer}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer}");
    let description = answer["error_description"].as_str().unwrap();
    assert!(!description.is_empty() && description.is_ascii(), "{answer}");
    assert!(
        answer["code"].is_string() && answer["detail"].is_string(),
        "the problem stands beside: {answer}"
    );
}

#[test]
fn every_refusal_of_the_token_endpoint_is_one_of_oauth() {
    const FORM: &str = "application/x-www-form-urlencoded";
    let world = World::with(|settings| settings.requests_per_minute = 100);
    let nobody = world.nobody();
    let unknown = [("grant_type", "client_credentials"), ("client_id", "x"), ("client_secret", "y")];
    told(&form(&nobody, "/v1/auth/token", &unknown), 401, "invalid_client");
    told(&form(&nobody, "/v1/auth/token", &[("grant_type", "password")]), 400, "unsupported_grant_type");
    for path in ["/v1/auth/token", "/v1/auth/revoke"] {
        let ask = || nobody.ask("POST", path);
        told(&form(&nobody, path, &[]), 400, "invalid_request");
        told(&ask().header("accept-language", "ja").bytes(FORM, "").send(), 400, "invalid_request");
        told(&ask().header("accept", "image/png").bytes(FORM, "").send(), 406, "invalid_request");
        told(&ask().bytes(FORM, vec![b'a'; 1024 * 1024 + 1]).send(), 413, "invalid_request");
        told(&nobody.post(path, json!({})).send(), 415, "invalid_request");
        // Who asks in another way is no client of OAuth.
        let other = nobody.get(path).send().refused(405, "method_not_allowed");
        assert_eq!(other.header("content-type"), Some("application/problem+json"), "{other}");
    }
    for path in ["/v1/auth/token", "/v1/auth/revoke"] {
        let refused = (0..200).map(|_| form(&nobody, path, &[])).find(|answer| answer.status != 400);
        let refused = refused.expect("the limit is reached");
        told(&refused, 429, "temporarily_unavailable");
        assert!(refused.header("retry-after").is_some());
    }
}

#[test]
fn a_form_that_comes_too_late_is_refused_to_oauth_clients_as_any_other() {
    let world = World::with(|settings| settings.body_seconds = 1);
    for path in ["/v1/auth/token", "/v1/auth/revoke"] {
        let mut socket = TcpStream::connect(world.base.trim_start_matches("http://")).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: 100\r\n\r\ngrant_type"
        );
        socket.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(head.to_lowercase().contains("content-type: application/json\r\n"), "{answer}");
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["error"], "invalid_request", "{answer}");
    }
}

#[test]
fn whoever_configures_itself_by_the_metadata_finds_the_way() {
    let world = World::new();
    let nobody = world.nobody();
    let metadata = nobody.get("/.well-known/oauth-authorization-server").send().ok();
    let issuer = metadata["issuer"].as_str().unwrap();
    assert_eq!(issuer, world.base);
    let path = |member: &str| metadata[member].as_str().unwrap().strip_prefix(issuer).unwrap().to_owned();
    nobody.get(&path("jwks_uri")).send().ok();
    let scopes = metadata["scopes_supported"].as_array().unwrap();
    assert!(scopes.contains(&json!("partners:read")), "{metadata}");
    form(&nobody, &path("token_endpoint"), &[("grant_type", "x")]).refused(400, "unsupported_grant_type");
    form(&nobody, &path("revocation_endpoint"), &[("token", "never heard of")]).ok();
}

#[test]
fn a_machines_access_token_is_revoked_with_the_machine_only() {
    let world = World::new();
    let nobody = world.nobody();
    let (id, secret) = machine(&world);
    let pairs =
        [("grant_type", "client_credentials"), ("client_id", id.as_str()), ("client_secret", &secret)];
    let granted = form(&nobody, "/v1/auth/token", &pairs).ok();
    let token = granted["access_token"].as_str().unwrap();
    form(&nobody, "/v1/auth/revoke", &[("token", token)]).refused(400, "unsupported_token_type");
    nobody.with_token(token).get("/v1/partners").send().ok();
}
