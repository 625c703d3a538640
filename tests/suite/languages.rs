//! What people read follows the language that the request asks for, then that of the caller's account, then English.

use crate::{
    suite::enrollments::Case,
    support::{Answer, Client, World},
};
use partner_incentives::access::Role;
use serde_json::{Value, json};

/// Asserts that texts of an answer are in Japanese, or in English, and that the answer says so.
#[track_caller]
fn is_in(language: &str, answer: &Answer, pointers: &[&str]) {
    assert_eq!(answer.header("content-language"), Some(language), "{answer}");
    assert!(answer.header("vary").is_some_and(|vary| vary.contains("accept-language")), "{answer}");
    for pointer in pointers {
        let text = answer.body.pointer(pointer).and_then(Value::as_str);
        let text = text.unwrap_or_else(|| panic!("no {pointer}: {answer}"));
        assert_eq!(text.is_ascii(), language == "en", "{pointer}: {text}");
    }
}

/// A Japanese admin of a partner that lacks a purchase, and an English one.
fn readers(case: &Case<'_>) -> [(&'static str, Client); 2] {
    let japanese = case.world.admin_of(&case.id);
    japanese.patch("/v1/me", json!({"locale": "ja"})).if_match("*").send().ok();
    // The next token knows the new language, for faults that are found before the account is read.
    case.world.clock.set(case.world.clock.now().plus_seconds(1));
    [("ja", japanese), ("en", case.world.admin_of(&case.id))]
}

fn reseller(world: &World) -> Case<'_> {
    Case::new(world, 1, "indirect_reseller").agreement("mpn", "2018-07-01", Some("2019-06-30")).competency(
        "cloud-platform",
        "gold",
        "2018-07-01",
    )
}

#[test]
fn everybody_is_refused_in_the_language_of_the_own_account() {
    let world = World::new();
    let case = reseller(&world);
    for (language, admin) in readers(&case) {
        let refusal = case.ask(&admin, "csp-indirect-reseller").refused(422, "not_eligible");
        let checks = ["/title", "/detail", "/checks/0/message", "/checks/1/message"];
        is_in(language, &refusal, &checks);
        let missing = refusal["checks"].as_array().unwrap().iter().find(|check| check["status"] == "unmet");
        for member in ["message", "remedy"] {
            let text = missing.unwrap()[member].as_str().unwrap();
            assert_eq!(text.is_ascii(), language == "en", "{text}");
        }
        let kept = format!("/v1/eligibility/evaluations/{}", refusal["evaluation_id"].as_str().unwrap());
        is_in(language, &admin.get(&kept).send().ok(), &["/checks/0/message"]);

        // A fault of the body is found before the account is read: the token names the language.
        let faulty = admin.post("/v1/enrollments", json!({"partner_id": "x"})).send().refused(422, "invalid");
        is_in(language, &faulty, &["/title", "/detail", "/errors/0/message", "/errors/1/message"]);
        let nothing = admin.get("/v1/enrollments/01936f2e-4b00-7000-8000-00000000dead").send();
        is_in(language, &nothing.refused(404, "not_found"), &["/title", "/detail"]);
        let nowhere = admin.get("/v1/nowhere").send().refused(404, "not_found");
        // Nobody knows who asks for an address that does not exist.
        is_in("en", &nowhere, &["/title", "/detail"]);
        let forbidden = admin.post("/v1/programs", json!({})).send().refused(403, "forbidden");
        is_in(language, &forbidden, &["/title", "/detail"]);
        let unmatched = admin.patch("/v1/me", json!({"name": "New Name"})).send();
        is_in(language, &unmatched.refused(428, "precondition_required"), &["/title", "/detail"]);
        let unknown = admin.get("/v1/enrollments?colour=red").send().refused(400, "unknown_parameter");
        is_in(language, &unknown, &["/title", "/detail"]);
        let permissions = admin.get("/v1/me/permissions").send().ok();
        let refused = permissions["items"].as_array().unwrap().iter().find(|it| it["allowed"] == false);
        assert_eq!(refused.unwrap()["detail"].as_str().unwrap().is_ascii(), language == "en");
    }
}

#[test]
fn the_request_asks_for_a_language_and_wins_over_the_account() {
    let world = World::new();
    let case = reseller(&world);
    for (_, admin) in readers(&case) {
        for (asked, language) in [("ja-JP, en;q=0.5", "ja"), ("en-GB, ja;q=0.5", "en")] {
            let asked = |path: &str| admin.get(path).header("accept-language", asked).send();
            is_in(language, &asked("/v1/enrollments?limit=x").refused(400, "unknown_parameter"), &["/title"]);
            is_in(language, &asked("/v1/nowhere").refused(404, "not_found"), &["/title", "/detail"]);
            let verdict =
                asked(&format!("/v1/partners/{}/eligibility?program=csp-indirect-reseller", case.id));
            is_in(language, &verdict.ok(), &["/checks/0/message"]);
            let page = asked("/problems/not_eligible").ok();
            assert_eq!(page.header("content-language"), Some(language));
            assert!(page.bytes.is_ascii() == (language == "en"), "{page}");
        }
    }
}

#[test]
fn who_has_not_signed_in_is_told_so_in_the_language_asked_for() {
    let world = World::new();
    for (asked, language) in
        [(None, "en"), (Some("ja"), "ja"), (Some("fr, ja;q=0.1"), "ja"), (Some("fr"), "en")]
    {
        let ask = |client: Client, path: &str| {
            let ask = client.get(path);
            asked.map_or(ask, |asked| client.get(path).header("accept-language", asked)).send()
        };
        for client in [world.nobody(), world.nobody().with_token("no.token.at-all")] {
            is_in(language, &ask(client, "/v1/me").refused(401, "unauthenticated"), &["/title", "/detail"]);
        }
        let sign_in = json!({"username": "nobody@partner.example", "password": "no such password"});
        let sign_in = world.nobody().post("/v1/auth/login", sign_in);
        let sign_in = match asked {
            Some(asked) => sign_in.header("accept-language", asked),
            None => sign_in,
        };
        is_in(language, &sign_in.send().refused(401, "sign_in_failed"), &["/title", "/detail"]);
    }
}

#[test]
fn a_repeated_request_gets_the_stored_answer_in_the_language_of_the_first() {
    let world = World::new();
    let case = reseller(&world);
    let admin = world.admin_of(&case.id);
    let ask = |language: &str| {
        let body = json!({"partner_id": case.id, "program": "csp-indirect-reseller"});
        let ask = admin.post("/v1/enrollments", body).key("once").header("accept-language", language);
        ask.send().refused(422, "not_eligible")
    };
    let first = ask("ja");
    let again = ask("en");
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.bytes, first.bytes);
    is_in("ja", &again, &["/title", "/checks/0/message"]);
}

#[test]
fn the_next_actions_of_an_enrollment_are_told_in_the_readers_language() {
    let world = World::new();
    let case = crate::suite::enrollments::eligible_direct_bill(&world, 1);
    let made = case.ask(&world.admin_of(&case.id), "csp-direct-bill").ok().id();
    let tags = readers(&case).map(|(language, admin)| {
        let shown = admin.get(&format!("/v1/enrollments/{made}")).send().ok();
        is_in(language, &shown, &["/next_actions/0/detail", "/next_actions/1/detail"]);
        shown.header("etag").unwrap().to_owned()
    });
    assert_ne!(tags[0], tags[1]);
}

#[test]
fn an_api_client_is_answered_in_english_unless_it_asks_for_another_language() {
    let world = World::new();
    let client = world.api_client(Role::Operator, None, "partners:read");
    let nothing = || client.get("/v1/partners/01936f2e-4b00-7000-8000-00000000dead");
    is_in("en", &nothing().send().refused(404, "not_found"), &["/title", "/detail"]);
    let asked = nothing().header("accept-language", "ja").send().refused(404, "not_found");
    is_in("ja", &asked, &["/title", "/detail"]);
}

#[test]
fn the_faults_of_a_file_are_kept_in_the_language_of_its_sender() {
    let world = World::new();
    let operator = world.operator();
    let row = br#"{"source":"billing","external_id":"1"}"#;
    let send = |language: &str| {
        let ask = operator.ask("POST", "/v1/transaction-imports").bytes("application/x-ndjson", row.to_vec());
        ask.header("accept-language", language).send().ok().id()
    };
    for language in ["ja", "en"] {
        let errors = format!("/v1/transaction-imports/{}/errors", send(language));
        let kept = operator.get(&errors).send().ok();
        assert_eq!(kept["items"][0]["message"].as_str().unwrap().is_ascii(), language == "en", "{kept}");
    }
}
