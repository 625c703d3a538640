//! Signing in.

use crate::support::World;
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
