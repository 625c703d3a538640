//! Users whom an outside issuer vouches for.

use super::{calculation::text, partners::partner};
use crate::support::{Answer, Client, Issuer, PASSWORD, World, person};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use partner_incentives::{
    access::Role,
    identity::users::{self, NewUser},
    platform::values::Id,
    schema::{deliveries, notifications},
};
use serde_json::{Value, json};

const EMAIL: &str = "noor@programme.example";

/// A world that trusts a new issuer, and a user there.
fn trusting(role: &str) -> (World, Issuer, String) {
    let issuer = Issuer::new();
    let name = issuer.name.clone();
    let world = World::with(|settings| {
        settings.oidc_issuer = Some(name);
        settings.oidc_audience = Some("incentives".into());
    });
    let body = json!({"email": EMAIL, "name": "Noor Haddad", "role": role, "issuer": issuer.name});
    let made = world.operator().post("/v1/users", body).send().ok();
    assert_eq!((&made["temporary_password"], &made["must_change_password"]), (&Value::Null, &json!(false)));
    let id = made.id();
    (world, issuer, id)
}

/// What a good token says.
fn claims(world: &World, issuer: &Issuer) -> Value {
    let now = world.clock.now().as_seconds();
    json!({
        "iss": issuer.name, "aud": "incentives", "sub": "noor-at-home", "email": "Noor@Programme.example",
        "email_verified": true, "iat": now, "exp": now + 3600,
    })
}

fn exchange(world: &World, token: &str) -> Answer {
    let pairs = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
        ("subject_token", token),
    ];
    super::oauth::form(&world.nobody(), "/v1/auth/token", &pairs)
}

fn with(claims: &Value, member: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    claims[member] = value;
    claims
}

#[test]
fn the_issuer_says_who_it_is_and_the_role_stays_here() {
    let (world, issuer, id) = trusting("auditor");
    let good = claims(&world, &issuer);
    let granted = exchange(&world, &issuer.sign("first", &good)).ok();
    assert_eq!(granted["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
    let noor = world.nobody().with_token(granted["access_token"].as_str().unwrap());
    let me = noor.get("/v1/me").send().ok();
    assert_eq!((&me["id"], &me["role"]), (&json!(id), &json!("auditor")));
    noor.get("/v1/audit-events").send().ok();
    noor.post("/v1/partners", json!({})).send().refused(403, "forbidden");
    // A claim of a role is nothing to us, and the time of the issuer's clock may differ a little.
    let now = world.clock.now().as_seconds();
    let boasting = with(&with(&good, "role", json!("operator")), "iat", json!(now + 4));
    let granted = exchange(&world, &issuer.sign("first", &boasting)).ok();
    let again = world.nobody().with_token(granted["access_token"].as_str().unwrap());
    assert_eq!(again.get("/v1/me").send().ok()["role"], "auditor");

    let refresh = granted["refresh_token"].as_str().unwrap();
    let renew = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    super::oauth::form(&world.nobody(), "/v1/auth/token", &renew).ok();
    world.clock.set(world.clock.now().plus_seconds(10));
    super::oauth::form(&world.nobody(), "/v1/auth/token", &renew).refused(400, "invalid_grant");
}

#[test]
fn whatever_is_wrong_with_a_token_the_answer_is_the_same() {
    let (world, issuer, _) = trusting("auditor");
    issuer.add_key("other", Algorithm::ES256, true);
    issuer.add_key("foreign", Algorithm::EdDSA, false);
    let good = claims(&world, &issuer);
    let now = world.clock.now().as_seconds();
    let of = |member: &str, value: Value| issuer.sign("first", &with(&good, member, value));
    let signed = |header: Header, key: &EncodingKey| jsonwebtoken::encode(&header, &good, key).unwrap();
    let named = |kid: &str, algorithm| Header { kid: Some(kid.into()), ..Header::new(algorithm) };
    let text = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let unsigned = format!("{}.{}.", text(json!({"alg": "none", "kid": "first"})), text(good.clone()));
    let other_signature = {
        let es256 = issuer.sign("other", &good);
        let (_, rest) = es256.split_once('.').unwrap();
        format!("{}.{rest}", text(json!({"alg": "ES256", "kid": "first"})))
    };
    let mut mailless = good.clone();
    mailless.as_object_mut().unwrap().remove("email_verified");
    let cases = [
        ("garbage", "nonsense".to_owned()),
        ("unsigned", unsigned),
        ("another algorithm than the key's", other_signature),
        ("a shared secret", signed(named("first", Algorithm::HS256), &EncodingKey::from_secret(b"first"))),
        ("a key nobody shows", issuer.sign("foreign", &good)),
        ("another issuer", of("iss", json!("https://evil.example"))),
        ("the issuer with a slash", of("iss", json!(format!("{}/", issuer.name)))),
        ("another audience", of("aud", json!("payroll"))),
        ("several audiences without the party", of("aud", json!(["incentives", "payroll"]))),
        ("given to another party", of("azp", json!("payroll"))),
        ("expired", of("exp", json!(now - 5))),
        ("issued in the future", of("iat", json!(now + 6))),
        ("not valid yet", of("nbf", json!(now + 6))),
        ("issued long ago and found somewhere", of("iat", json!(now - 605))),
        ("an address not verified", of("email_verified", json!(false))),
        ("an address said to be verified", of("email_verified", json!("true"))),
        ("an address nobody speaks of", issuer.sign("first", &mailless)),
        ("no subject", of("sub", json!(""))),
        ("somebody unknown", of("email", json!("eve@programme.example"))),
        ("somebody with a password", of("email", json!("operator@vendor.example"))),
    ];
    let first = exchange(&world, "a.b.c").refused(400, "invalid_grant");
    for (what, token) in cases {
        let refusal = exchange(&world, &token);
        assert_eq!((refusal.status, &refusal["detail"]), (400, &first["detail"]), "{what}: {refusal}");
        assert_eq!(refusal["error"], "invalid_grant", "{what}");
    }
    let tampered =
        issuer.sign("first", &good).replacen(&text(good.clone()), &text(with(&good, "x", json!(1))), 1);
    exchange(&world, &tampered).refused(400, "invalid_grant");
    for token in [of("aud", json!(["incentives"])), of("azp", json!("incentives"))] {
        exchange(&world, &token).ok();
    }
    let operator = world.operator();
    let events =
        operator.get("/v1/audit-events").query("operation", "TokenExchange").query("limit", 200).send();
    let reasons =
        events.ok()["items"].as_array().unwrap().iter().filter(|e| e["after"]["reason"].is_string()).count();
    assert_eq!(reasons, 22, "each refusal leaves a trace");
}

#[test]
fn a_user_is_bound_to_the_name_at_the_issuer_and_barring_counts() {
    let (world, issuer, id) = trusting("auditor");
    let good = claims(&world, &issuer);
    exchange(&world, &issuer.sign("first", &good)).ok();
    let newcomer = with(&good, "sub", json!("who-has-the-address-now"));
    exchange(&world, &issuer.sign("first", &newcomer)).refused(400, "invalid_grant");
    exchange(&world, &issuer.sign("first", &good)).ok();
    let because = json!({"reason": "left"});
    world.operator().post(&format!("/v1/users/{id}/deactivation"), because).send().ok();
    exchange(&world, &issuer.sign("first", &good)).refused(400, "invalid_grant");
}

#[test]
fn a_user_is_known_by_the_subject_and_a_changed_address_follows() {
    let (world, issuer, id) = trusting("auditor");
    let good = claims(&world, &issuer);
    exchange(&world, &issuer.sign("first", &good)).ok();
    let user = || world.operator().get(&format!("/v1/users/{id}")).send().ok();
    let married = with(&good, "email", json!("Noor.Haddad@programme.example"));
    exchange(&world, &issuer.sign("first", &married)).ok();
    assert_eq!(user()["email"], "noor.haddad@programme.example");
    assert_eq!(told_of_new_address(&world), ["noor.haddad@programme.example", "noor@programme.example"]);
    // The address of somebody else here is not taken over, and the user comes in all the same.
    let other = json!({"email": "omar@programme.example", "name": "Omar", "role": "auditor"});
    world.operator().post("/v1/users", other).send().ok();
    let taken = with(&good, "email", json!("omar@programme.example"));
    exchange(&world, &issuer.sign("first", &taken)).ok();
    assert_eq!(user()["email"], "noor.haddad@programme.example");
    // Nobody else comes in by the address of before.
    let successor = with(&good, "sub", json!("who-has-the-address-now"));
    exchange(&world, &issuer.sign("first", &successor)).refused(400, "invalid_grant");
}

fn told_of_new_address(world: &World) -> Vec<String> {
    let mails = world.service.app.read_as_system(|tx| {
        let told = notifications::table.filter(notifications::kind.eq("user_name_changed"));
        let told: Vec<Id> = told.select(notifications::id).load(tx.conn)?;
        let mails = deliveries::table.filter(deliveries::notification_id.eq_any(told));
        Ok(mails.order(deliveries::recipient).select(deliveries::recipient).load(tx.conn)?)
    });
    mails.unwrap()
}

#[test]
fn an_operator_corrects_an_address_and_what_went_to_the_wrong_one_opens_nothing() {
    let world = World::new();
    let operator = world.operator();
    let partner = operator.post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    let admin = world.admin_of(&partner);
    let new = json!({"email": "mai@partner.example", "name": "Mia", "role": "viewer", "partner_id": partner});
    let user = operator.post("/v1/users", new).send().ok();
    let path = format!("/v1/users/{}", user.id());
    let change =
        |client: &Client, path: &str, body: Value| client.patch(path, body).header("if-match", "*").send();
    let right = json!({"email": "Mia@Partner.example"});
    change(&admin, &path, right.clone()).refused(403, "forbidden");
    let taken = json!({"email": text(&admin.get("/v1/me").send().ok()["email"]).to_uppercase()});
    change(&operator, &path, taken).refused(409, "email_taken");
    let corrected = change(&operator, &path, right).ok();
    assert_eq!(corrected["email"], "mia@partner.example");
    let sign_in = |email: &str| {
        let by = json!({"username": email, "password": user["temporary_password"]});
        world.nobody().post("/v1/auth/login", by).send()
    };
    sign_in("mai@partner.example").refused(401, "sign_in_failed");
    sign_in("mia@partner.example").ok();
    assert_eq!(told_of_new_address(&world), ["mai@partner.example", "mia@partner.example"]);
    let own = format!("/v1/users/{}", text(&operator.get("/v1/me").send().ok()["id"]));
    change(&operator, &own, json!({"email": "me@programme.example"})).refused(409, "not_oneself");
}

#[test]
fn a_new_key_is_found_a_withdrawn_one_is_forgotten_and_nobody_makes_us_ask_without_end() {
    let (world, issuer, _) = trusting("auditor");
    exchange(&world, &issuer.sign("first", &claims(&world, &issuer))).ok();
    assert_eq!(issuer.asked(), 1);
    issuer.add_key("second", Algorithm::ES256, true);
    issuer.add_key("foreign", Algorithm::EdDSA, false);
    let later = |seconds| world.clock.set(world.clock.now().plus_seconds(seconds));
    later(10);
    for _ in 0..5 {
        exchange(&world, &issuer.sign("foreign", &claims(&world, &issuer))).refused(400, "invalid_grant");
    }
    assert_eq!(issuer.asked(), 2);
    exchange(&world, &issuer.sign("second", &claims(&world, &issuer))).ok();
    assert_eq!(issuer.asked(), 2);
    let of_the_first = issuer
        .sign("first", &with(&claims(&world, &issuer), "iat", json!(world.clock.now().as_seconds() + 590)));
    issuer.withdraw("first");
    later(600);
    exchange(&world, &of_the_first).refused(400, "invalid_grant");
    exchange(&world, &issuer.sign("second", &claims(&world, &issuer))).ok();
}

#[test]
fn revoking_either_token_ends_the_session() {
    let (world, issuer, _) = trusting("auditor");
    let nobody = world.nobody();
    let send = |path: &str, pairs: &[(&str, &str)]| super::oauth::form(&nobody, path, pairs);
    for revoked in ["access_token", "refresh_token"] {
        let granted = exchange(&world, &issuer.sign("first", &claims(&world, &issuer))).ok();
        let token = |name: &str| granted[name].as_str().unwrap().to_owned();
        let inside = nobody.with_token(&token("access_token"));
        inside.get("/v1/me").send().ok();
        for _ in 0..2 {
            send("/v1/auth/revoke", &[("token", &token(revoked)), ("token_type_hint", "whatever")]).ok();
        }
        inside.get("/v1/me").send().refused(401, "unauthenticated");
        let renew = [("grant_type", "refresh_token"), ("refresh_token", &token("refresh_token"))];
        send("/v1/auth/token", &renew).refused(400, "invalid_grant");
    }
}

#[test]
fn who_has_an_issuer_has_no_password() {
    let (world, issuer, _) = trusting("auditor");
    let operator = world.operator();
    let body = json!({"email": "x@programme.example", "name": "X", "role": "auditor", "issuer": "https://evil.example"});
    let refusal = operator.post("/v1/users", body).send().refused(422, "invalid");
    assert_eq!(refusal["errors"][0]["pointer"], "/issuer");

    // Somebody who had one until now.
    let auditor = world.auditor();
    let me = auditor.get("/v1/me").send().ok();
    let email = me["email"].as_str().unwrap();
    let sign_in =
        || world.nobody().post("/v1/auth/login", json!({"username": email, "password": PASSWORD})).send();
    let before = sign_in().ok();
    let inside = world.nobody().with_token(before["access_token"].as_str().unwrap());
    let path = format!("/v1/users/{}", me.id());
    let changed = operator.patch(&path, json!({"issuer": issuer.name})).if_match("*").send().ok();
    assert_eq!(changed["issuer"], issuer.name.as_str());
    inside.get("/v1/me").send().refused(401, "unauthenticated");
    sign_in().refused(401, "sign_in_failed");
    let token = with(&claims(&world, &issuer), "email", json!(email));
    let granted = exchange(&world, &issuer.sign("first", &token)).ok();
    let inside = world.nobody().with_token(granted["access_token"].as_str().unwrap());
    let change = json!({"current_password": PASSWORD, "new_password": "another horse, another battery"});
    inside.put("/v1/me/password", change).send().refused(409, "signs_in_elsewhere");
    operator.patch(&path, json!({"issuer": null})).if_match("*").send().ok();
    inside.get("/v1/me").send().refused(401, "unauthenticated");
    exchange(&world, &issuer.sign("first", &token)).refused(400, "invalid_grant");
}

#[test]
fn an_operator_comes_in_with_several_factors_where_they_are_needed() {
    let issuer = Issuer::new();
    let name = issuer.name.clone();
    let world = World::with(|settings| {
        settings.oidc_issuer = Some(name);
        settings.oidc_audience = Some("incentives".into());
        settings.operators_need_second_factor = true;
    });
    let noor = NewUser { issuer: Some(issuer.name.clone()), ..person(EMAIL, "Noor", Role::Operator, None) };
    users::provision(&world.service.app, noor).expect("add a user");
    let good = claims(&world, &issuer);
    exchange(&world, &issuer.sign("first", &good)).refused(400, "invalid_grant");
    let stronger = with(&good, "amr", json!(["pwd", "mfa"]));
    let granted = exchange(&world, &issuer.sign("first", &stronger)).ok();
    let noor = world.nobody().with_token(granted["access_token"].as_str().unwrap());
    noor.get("/v1/users").send().ok();
}

#[test]
fn an_issuer_that_does_not_answer_is_no_refusal() {
    let (world, issuer, _) = trusting("auditor");
    let token = issuer.sign("first", &claims(&world, &issuer));
    let silent = World::with(|settings| {
        settings.oidc_issuer = Some("http://127.0.0.1:9".into());
        settings.oidc_audience = Some("incentives".into());
    });
    exchange(&silent, &token).refused(503, "unavailable");
    exchange(&world, &token).ok();
}
