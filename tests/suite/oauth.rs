//! Tokens as OAuth clients ask for them.

use crate::support::{Answer, Client, World};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

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
fn refusals_are_problems_that_oauth_clients_can_read() {
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

#[test]
fn whoever_configures_itself_by_the_metadata_finds_the_way() {
    let world = World::new();
    let nobody = world.nobody();
    let metadata = nobody.get("/.well-known/oauth-authorization-server").send().ok();
    let issuer = metadata["issuer"].as_str().unwrap();
    assert_eq!(issuer, world.service.settings.address());
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
