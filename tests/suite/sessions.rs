//! Signing in, access tokens and everything that is wrong with a token.

use crate::support::World;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use diesel::prelude::*;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use partner_incentives::{platform::values::Id, schema::signing_keys};
use serde_json::{Value, json};

use crate::support::PASSWORD;

fn token_of(world: &World) -> String {
    let body = json!({"username": "Operator@Vendor.Example ", "password": PASSWORD});
    let answer = world.nobody().post("/v1/auth/login", body).send().ok();
    assert_eq!((answer["token_type"].as_str(), answer["expires_in"].as_i64()), (Some("Bearer"), Some(900)));
    answer["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn a_user_signs_in_by_address_in_any_case() {
    let world = World::new();
    let me = world.nobody().with_token(&token_of(&world)).get("/v1/me").send().ok();
    assert_eq!((me["role"].as_str(), &me["partner_id"]), (Some("operator"), &Value::Null));
}

#[test]
fn an_unknown_user_and_a_wrong_password_get_the_same_answer() {
    let world = World::new();
    let answers = ["operator@vendor.example", "nobody@vendor.example"].map(|username| {
        let body = json!({"username": username, "password": "wrong"});
        let mut answer =
            world.nobody().post("/v1/auth/login", body).send().refused(401, "sign_in_failed").body.clone();
        answer.as_object_mut().unwrap().remove("request_id");
        answer
    });
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn a_token_expires_and_five_seconds_of_clock_difference_are_forgiven() {
    let world = World::new();
    let client = world.nobody().with_token(&token_of(&world));
    let issued = world.clock.now();
    for (after, status) in [(0, 200), (904, 200), (905, 401), (-5, 200), (-6, 401)] {
        world.clock.set(issued.plus_seconds(after));
        assert_eq!(client.get("/v1/me").send().status, status, "{after} s after it was issued");
    }
}

/// A token signed with the service's own key, so that only what it says can be wrong.
fn forge(world: &World, header: impl FnOnce(&mut Header), claims: impl FnOnce(&mut Value)) -> String {
    let (kid, private): (Id, Vec<u8>) = world
        .service
        .db
        .glance(|conn| {
            Ok(signing_keys::table.select((signing_keys::id, signing_keys::private_key)).first(conn)?)
        })
        .unwrap();
    let genuine = token_of(world);
    let body = BASE64_URL_SAFE_NO_PAD.decode(genuine.split('.').nth(1).unwrap()).unwrap();
    let mut says: Value = serde_json::from_slice(&body).unwrap();
    let mut head =
        Header { typ: Some("at+jwt".into()), kid: Some(kid.to_string()), ..Header::new(Algorithm::EdDSA) };
    header(&mut head);
    claims(&mut says);
    jsonwebtoken::encode(&head, &says, &EncodingKey::from_ed_der(&private)).unwrap()
}

#[test]
fn a_token_that_says_anything_else_than_ours_is_refused() {
    let world = World::new();
    let now = world.clock.now().as_seconds();
    let accepted = |token: &str| world.nobody().with_token(token).get("/v1/me").send().status == 200;
    assert!(accepted(&forge(&world, |_| {}, |_| {})), "the forgery itself works");
    let wrong: [(&str, Value); 9] = [
        ("iss", json!("evil")),
        ("aud", json!("evil")),
        ("aud", json!(["evil"])),
        ("exp", json!(now - 3600)),
        ("exp", json!("never")),
        ("nbf", json!(now + 3600)),
        ("sub", json!("01936f2e-4b00-7000-8000-00000000dead")),
        ("role", json!("auditor")),
        ("epoch", json!(99)),
    ];
    for (claim, value) in wrong {
        let token = forge(&world, |_| {}, |says| says[claim] = value.clone());
        assert!(!accepted(&token), "{claim} = {value}");
    }
    for claim in ["iss", "aud", "sub", "exp", "nbf", "role", "epoch"] {
        let token = forge(&world, |_| {}, |says| drop(says.as_object_mut().unwrap().remove(claim)));
        assert!(!accepted(&token), "without {claim}");
    }
    assert!(!accepted(&forge(&world, |head| head.typ = Some("JWT".into()), |_| {})), "typ JWT");
    assert!(!accepted(&forge(&world, |head| head.typ = None, |_| {})), "no typ");
    assert!(!accepted(&forge(&world, |head| head.kid = Some("other".into()), |_| {})), "foreign kid");
    assert!(!accepted(&forge(&world, |head| head.kid = None, |_| {})), "no kid");
    assert!(!accepted(&forge(&world, |head| head.crit = Some(vec!["x".into()]), |_| {})), "crit");
}

#[test]
fn other_algorithms_and_no_signature_are_refused() {
    let world = World::new();
    let genuine = token_of(&world);
    let parts: Vec<&str> = genuine.split('.').collect();
    let head = |alg: &str| {
        let mut head: Value =
            serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(parts[0]).unwrap()).unwrap();
        head["alg"] = json!(alg);
        BASE64_URL_SAFE_NO_PAD.encode(head.to_string())
    };
    for alg in ["none", "None", "NONE", "", "HS256", "RS256", "ES256"] {
        for signature in ["", parts[2]] {
            let token = format!("{}.{}.{signature}", head(alg), parts[1]);
            assert_eq!(world.nobody().with_token(&token).get("/v1/me").send().status, 401, "{alg}");
        }
    }
    let cut = &genuine[..genuine.len() - 4];
    assert_eq!(world.nobody().with_token(cut).get("/v1/me").send().status, 401);
}

#[test]
fn keys_rotate_with_overlap() {
    let world = World::new();
    let before = token_of(&world);
    world.service.gate.tokens().rotate().unwrap();
    let after = token_of(&world);
    for token in [&before, &after] {
        world.nobody().with_token(token).get("/v1/me").send().ok();
    }
    let kid = |token: &str| {
        let head = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
        serde_json::from_slice::<Value>(&head).unwrap()["kid"].clone()
    };
    assert_ne!(kid(&before), kid(&after));
    let listed =
        || world.nobody().get("/.well-known/jwks.json").send().ok()["keys"].as_array().unwrap().len();
    assert_eq!(listed(), 2);
    world.clock.set(world.clock.now().plus_seconds(2 * 3600));
    assert_eq!(listed(), 1);
}

#[test]
fn a_new_user_changes_the_temporary_password_before_anything_else() {
    let world = World::new();
    let body = json!({"email": "Noor@Vendor.example", "name": "Noor", "role": "auditor"});
    let made = world.operator().post("/v1/users", body).send().ok();
    assert_eq!(
        (made["email"].as_str(), made["status"].as_str()),
        (Some("noor@vendor.example"), Some("provisioned"))
    );
    let temporary = made["temporary_password"].as_str().unwrap();
    let sign_in = |password: &str| {
        let body = json!({"username": "noor@vendor.example", "password": password});
        let answer = world.nobody().post("/v1/auth/login", body).send().ok();
        world.nobody().with_token(answer["access_token"].as_str().unwrap())
    };
    let noor = sign_in(temporary);
    noor.get("/v1/partners").send().refused(403, "password_change_required");
    let change = |current: &str, new: &str| {
        noor.put("/v1/me/password", json!({"current_password": current, "new_password": new})).send()
    };
    change(temporary, "too short").refused(422, "invalid");
    change(temporary, "aaaaaaaaaaaaaaaaaaaa").refused(422, "invalid");
    change("not it at all", "a much longer passphrase").refused(422, "wrong_password");
    assert_eq!(change(temporary, "a much longer passphrase").status, 204);
    noor.get("/v1/partners").send().refused(401, "unauthenticated");
    sign_in("a much longer passphrase").get("/v1/partners").send().ok();
    let shown = world.operator().get(&format!("/v1/users/{}", made.id())).send().ok();
    assert_eq!((shown["status"].as_str(), &shown["temporary_password"]), (Some("active"), &Value::Null));
}

#[test]
fn a_revoked_token_is_told_nothing_about_the_password() {
    let world = World::new();
    let stale = world.nobody().with_token(&token_of(&world));
    let change = |current: &str, new: &str| json!({"current_password": current, "new_password": new});
    stale.put("/v1/me/password", change(PASSWORD, "another long passphrase")).send().ok();
    for guess in ["another long passphrase", "a wrong guess"] {
        let answer = stale.put("/v1/me/password", change(guess, "yet another passphrase")).send();
        answer.refused(401, "unauthenticated");
    }
}
