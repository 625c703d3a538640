//! Access tokens, everything that is wrong with one, and the keys behind them.

use crate::support::{PASSWORD, World, wait_for};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use diesel::prelude::*;
use jsonwebtoken::{EncodingKey, Header};
use partner_incentives::{
    access::{Role, TokenSubject},
    app::Service,
    config::Settings,
    identity::sessions::keys,
    platform::values::{Clock, Id, Locale, Timestamp},
    schema::{audit_events, signing_keys},
};
use prometheus::Registry;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn token_of(world: &World) -> String {
    let body = json!({"username": "operator@vendor.example", "password": PASSWORD});
    world.nobody().post("/v1/auth/login", body).send().ok()["access_token"].as_str().unwrap().to_owned()
}

fn encoded(text: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(text)
}

/// A part of a token.
fn part(token: &str, at: usize) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(at).unwrap()).unwrap())
        .unwrap()
}

fn kid(token: &str) -> String {
    part(token, 0)["kid"].as_str().unwrap().to_owned()
}

/// Makes tokens with the service's own key, so that only what they say can be wrong.
struct Forger<'a> {
    world: &'a World,
    head: Value,
    claims: Value,
    private: Vec<u8>,
    public: Vec<u8>,
}

impl<'a> Forger<'a> {
    fn of(world: &'a World) -> Self {
        let genuine = token_of(world);
        let (head, claims) = (part(&genuine, 0), part(&genuine, 1));
        let id: Id = kid(&genuine).parse().unwrap();
        let columns = (signing_keys::private_key, signing_keys::public_key);
        let (sealed, public): (Vec<u8>, Vec<u8>) = world
            .service
            .db
            .query(|conn| Ok(signing_keys::table.find(id).select(columns).get_result(conn)?))
            .unwrap();
        let private = world.service.app.vault().open(&format!("signing_keys/{id}"), &sealed).unwrap();
        Self { world, head, claims, private, public }
    }

    /// Signs texts as they are.
    fn sign(&self, head: &str, claims: &str) -> String {
        let signed = format!("{}.{}", encoded(head), encoded(claims));
        let signature = Ed25519KeyPair::from_pkcs8(&self.private).unwrap().sign(signed.as_bytes());
        format!("{signed}.{}", encoded(signature.as_ref()))
    }

    fn with_head(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut head = self.head.clone();
        change(&mut head);
        self.sign(&head.to_string(), &self.claims.to_string())
    }

    fn with_claims(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = self.claims.clone();
        change(&mut claims);
        self.sign(&self.head.to_string(), &claims.to_string())
    }

    #[track_caller]
    fn refused(&self, token: &str, why: &str) {
        let answer = self.world.nobody().with_token(token).get("/v1/me").send();
        assert_eq!(
            (answer.status, answer["code"].as_str()),
            (401, Some("unauthenticated")),
            "{why}: {answer}"
        );
    }

    fn accepted(&self, token: &str) {
        self.world.nobody().with_token(token).get("/v1/me").send().ok();
    }
}

#[test]
fn a_token_says_what_rfc_9068_asks() {
    let world = World::new();
    let forger = Forger::of(&world);
    assert_eq!(forger.head["typ"], "at+jwt");
    for claim in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
        assert!(!forger.claims[claim].is_null(), "{claim}");
    }
    forger.accepted(&forger.with_head(|_| {}));
    forger.accepted(&forger.with_claims(|_| {}));
    assert_eq!(forger.claims["iss"], *world.base);
    let told = World::with(|settings| settings.public_url = Some("https://pi.example/incentives".into()));
    assert_eq!(Forger::of(&told).claims["iss"], "https://pi.example/incentives");
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

#[test]
fn an_algorithm_other_than_ours_is_refused() {
    let world = World::new();
    let forger = Forger::of(&world);
    let others = [
        "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384",
        "PS512", "ES256K", "Ed25519", "Ed448", "eddsa", "EDDSA", "", " EdDSA",
    ];
    for alg in others {
        forger.refused(&forger.with_head(|head| head["alg"] = json!(alg)), alg);
    }
    for alg in [Value::Null, json!(1), json!(["EdDSA"]), json!({"EdDSA": "EdDSA"})] {
        forger.refused(&forger.with_head(|head| head["alg"] = alg.clone()), &alg.to_string());
    }
    forger.refused(&forger.with_head(|head| drop(head.as_object_mut().unwrap().remove("alg"))), "no alg");
}

#[test]
fn no_signature_is_refused_however_none_is_spelled() {
    let world = World::new();
    let forger = Forger::of(&world);
    for alg in ["none", "None", "NONE", "nOnE", "none ", "EdDSA"] {
        let token = forger.with_head(|head| head["alg"] = json!(alg));
        let (unsigned, signature) = token.rsplit_once('.').unwrap();
        forger.refused(&format!("{unsigned}."), alg);
        forger.refused(unsigned, alg);
        if alg != "EdDSA" {
            forger.refused(&format!("{unsigned}.{signature}"), alg);
        }
    }
}

#[test]
fn a_changed_signature_or_claim_is_refused() {
    let world = World::new();
    let forger = Forger::of(&world);
    let genuine = token_of(&world);
    let (signed, signature) = genuine.rsplit_once('.').unwrap();
    forger.refused(&genuine[..genuine.len() - 4], "cut");
    forger.refused(&format!("{signed}.{}", encoded([0; 64])), "zeros");
    forger.refused(&format!("{genuine}.{signature}"), "four parts");
    let mut claims = forger.claims.clone();
    claims["role"] = json!("auditor");
    let head = genuine.split('.').next().unwrap();
    forger.refused(&format!("{head}.{}.{signature}", encoded(claims.to_string())), "another role");
}

#[test]
fn the_public_key_as_a_shared_secret_is_refused() {
    let world = World::new();
    let forger = Forger::of(&world);
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        BASE64_STANDARD
            .encode([&b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"[..], &forger.public].concat())
    );
    for algorithm in
        [jsonwebtoken::Algorithm::HS256, jsonwebtoken::Algorithm::HS384, jsonwebtoken::Algorithm::HS512]
    {
        let head = Header {
            typ: Some("at+jwt".into()),
            kid: Some(forger.head["kid"].as_str().unwrap().into()),
            ..Header::new(algorithm)
        };
        for secret in [forger.public.as_slice(), encoded(&forger.public).as_bytes(), pem.as_bytes(), b""] {
            let key = EncodingKey::from_secret(secret);
            let token = jsonwebtoken::encode(&head, &forger.claims, &key).unwrap();
            forger.refused(&token, &format!("{algorithm:?}"));
        }
    }
}

#[test]
fn a_foreign_key_is_refused_whatever_it_calls_itself() {
    let world = World::new();
    let mut forger = Forger::of(&world);
    let foreign = [
        json!("01936f2e-4b00-7000-8000-00000000dead"),
        json!(forger.head["kid"].as_str().unwrap().to_uppercase()),
        json!("' OR '1'='1"),
        json!("x' UNION SELECT private_key FROM signing_keys --"),
        json!("../../../../dev/null"),
        json!("/proc/self/environ"),
        json!("http://evil.example/jwks.json"),
        json!("\u{0}"),
        json!("k".repeat(2000)),
        json!(""),
        json!(7),
        Value::Null,
    ];
    for kid in foreign {
        forger.refused(&forger.with_head(|head| head["kid"] = kid.clone()), &kid.to_string());
    }
    forger.refused(&forger.with_head(|head| drop(head.as_object_mut().unwrap().remove("kid"))), "no kid");
    // Our kid, somebody else's key.
    forger.private = Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap().as_ref().to_vec();
    forger.refused(&forger.with_head(|_| {}), "somebody else's key");
}

#[test]
fn a_key_brought_along_is_refused() {
    let world = World::new();
    let mut forger = Forger::of(&world);
    let pair = Ed25519KeyPair::generate().unwrap();
    let x = encoded(aws_lc_rs::signature::KeyPair::public_key(&pair).as_ref());
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": forger.head["kid"]});
    let own = forger.private.clone();
    for private in [own, pair.to_pkcs8v1().unwrap().as_ref().to_vec()] {
        forger.private = private;
        for (name, value) in [
            ("jwk", jwk.clone()),
            ("jku", json!("https://evil.example/jwks.json")),
            ("x5u", json!("https://evil.example/chain.pem")),
            ("x5c", json!(["MIIB"])),
            ("x5t", json!("abc")),
            ("x5t#S256", json!("abc")),
        ] {
            forger.refused(&forger.with_head(|head| head[name] = value.clone()), name);
        }
    }
}

#[test]
fn an_extension_or_another_type_is_refused() {
    let world = World::new();
    let forger = Forger::of(&world);
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
        ("cty", json!("JWT")),
        ("typ", json!("JWT")),
        ("typ", json!("at+JWT")),
        ("typ", json!("id+jwt")),
        ("typ", json!("logout+jwt")),
        ("typ", json!("")),
        ("typ", Value::Null),
    ] {
        forger.refused(&forger.with_head(|head| head[name] = value.clone()), &format!("{name} = {value}"));
    }
    forger.refused(&forger.with_head(|head| drop(head.as_object_mut().unwrap().remove("typ"))), "no typ");
}

#[test]
fn a_wrong_claim_is_refused() {
    let world = World::new();
    let forger = Forger::of(&world);
    let now = world.clock.now().as_seconds();
    let wrong: [(&str, Value); 24] = [
        ("iss", json!("evil")),
        ("iss", json!([world.base])),
        ("iss", json!("")),
        ("aud", json!("evil")),
        ("aud", json!(["evil"])),
        ("aud", json!(["partner-incentives", "evil"])),
        ("aud", json!([])),
        ("exp", json!(now - 3600)),
        ("exp", json!(0)),
        ("exp", json!(-1)),
        ("exp", json!("never")),
        ("exp", json!(1e300)),
        ("nbf", json!(now + 3600)),
        ("nbf", json!("now")),
        ("iat", json!("now")),
        ("sub", json!("01936f2e-4b00-7000-8000-00000000dead")),
        ("sub", json!("operator@vendor.example")),
        ("sub", json!("")),
        ("jti", json!("")),
        ("role", json!("auditor")),
        ("role", json!("root")),
        ("epoch", json!(0)),
        ("epoch", json!(99)),
        ("sid", json!("operator")),
    ];
    for (claim, value) in wrong {
        let token = forger.with_claims(|says| says[claim] = value.clone());
        forger.refused(&token, &format!("{claim} = {value}"));
    }
}

#[test]
fn a_missing_claim_is_refused() {
    let world = World::new();
    let forger = Forger::of(&world);
    for claim in ["iss", "aud", "sub", "client_id", "iat", "nbf", "exp", "jti", "role", "epoch"] {
        let token = forger.with_claims(|says| drop(says.as_object_mut().unwrap().remove(claim)));
        forger.refused(&token, claim);
        forger.refused(&forger.with_claims(|says| says[claim] = Value::Null), claim);
    }
}

#[test]
fn a_member_that_stands_twice_is_refused() {
    let world = World::new();
    let forger = Forger::of(&world);
    let (head, claims) = (forger.head.to_string(), forger.claims.to_string());
    let twice = |text: &str, name: &str, value: &Value| {
        [
            format!("{{\"{name}\":{value},{}", &text[1..]),
            format!("{},\"{name}\":{value}}}", &text[..text.len() - 1]),
        ]
    };
    for name in ["alg", "typ", "kid"] {
        for head in twice(&head, name, &forger.head[name]) {
            forger.refused(&forger.sign(&head, &claims), name);
        }
    }
    for name in ["iss", "aud", "sub", "exp", "nbf", "role", "epoch", "client_id"] {
        for claims in twice(&claims, name, &forger.claims[name]) {
            forger.refused(&forger.sign(&head, &claims), name);
        }
    }
}

#[test]
fn what_is_no_token_at_all_is_refused() {
    let world = World::new();
    let forger = Forger::of(&world);
    forger.refused(&forger.with_claims(|says| says["padding"] = json!("x".repeat(4096))), "oversized");
    for claims in ["", "null", "[]", "\"claims\"", "{", "{}", "7"] {
        forger.refused(&forger.sign(&forger.head.to_string(), claims), claims);
    }
    for head in ["", "null", "[]", "{}", "{"] {
        forger.refused(&forger.sign(head, &forger.claims.to_string()), head);
    }
    for token in [".", "..", "...", "a.b.c", "a.b.c.d.e", "no"] {
        forger.refused(token, token);
    }
}

#[test]
fn a_users_token_never_passes_for_a_clients_nor_a_clients_for_a_users() {
    let world = World::new();
    let forger = Forger::of(&world);
    let user = forger.claims["sub"].clone();
    let other = json!("01936f2e-4b00-7000-8000-00000000dead");
    // Signed by us, and still inconsistent: nobody but a fault of our own could make them.
    for (client_id, scope, sid) in [
        (user.clone(), None, None),
        (user.clone(), Some("partners:read"), Some(other.clone())),
        (other.clone(), None, None),
        (other.clone(), Some("partners:read"), None),
        (json!("partner-incentives"), Some("partners:read"), None),
        (json!("Partner-Incentives"), None, None),
        (json!(""), None, None),
    ] {
        let token = forger.with_claims(|says| {
            says["client_id"] = client_id.clone();
            says.as_object_mut().unwrap().remove("sid");
            if let Some(scope) = scope {
                says["scope"] = json!(scope);
            }
            if let Some(sid) = &sid {
                says["sid"] = sid.clone();
            }
        });
        forger.refused(&token, &format!("client_id {client_id}, scope {scope:?}, sid {sid:?}"));
    }
    // A client's token for the id of a user opens nothing: there is no such client.
    let id: Id = user.as_str().unwrap().parse().unwrap();
    let scope = "partners:read users:read".to_owned();
    let token =
        world.service.app.tokens().issue(TokenSubject::Client { id, scope }, Role::Operator, 1).unwrap();
    assert_eq!(part(&token, 1)["client_id"], user);
    world.nobody().with_token(&token).get("/v1/partners").send().refused(401, "unauthenticated");
}

#[test]
fn a_token_of_a_user_who_was_barred_or_has_a_new_role_opens_nothing() {
    let world = World::new();
    let operator = world.operator();
    for (email, change) in [("a@vendor.example", "deactivation"), ("b@vendor.example", "role")] {
        let body = json!({"email": email, "name": "Noor", "role": "auditor"});
        let made = operator.post("/v1/users", body).send().ok();
        let id: Id = made.id().parse().unwrap();
        let noor = world.nobody().with_token(&world.service.token_for(id).unwrap());
        noor.get("/v1/me").send().refused(403, "password_change_required");
        let path = format!("/v1/users/{id}");
        match change {
            "role" => operator.patch(&path, json!({"role": "operator"})).if_match("*").send().ok(),
            _ => operator.post(&format!("{path}/{change}"), json!({"reason": "left"})).send().ok(),
        };
        noor.get("/v1/me").send().refused(401, "unauthenticated");
    }
}

#[test]
fn a_token_of_an_older_epoch_or_of_an_ended_session_opens_nothing() {
    let world = World::new();
    let sessions = [(), ()].map(|()| world.nobody().with_token(&token_of(&world)));
    let listed = sessions[0].get("/v1/me/sessions").send().ok();
    for session in listed["items"].as_array().unwrap().iter().filter(|session| session["current"] == false) {
        let path = format!("/v1/me/sessions/{}", session["id"].as_str().unwrap());
        sessions[0].delete(&path).send().ok();
    }
    sessions[1].get("/v1/me").send().refused(401, "unauthenticated");
    sessions[0].get("/v1/me").send().ok();
    let change =
        json!({"current_password": PASSWORD, "new_password": "a much longer passphrase than before"});
    sessions[0].put("/v1/me/password", change).send().ok();
    sessions[0].get("/v1/me").send().refused(401, "unauthenticated");
}

#[test]
fn a_new_key_is_published_before_it_signs_and_the_old_one_verifies_on() {
    let world = World::new();
    let start = world.clock.now();
    let listed = || {
        let set = world.nobody().get("/.well-known/jwks.json").send().ok();
        let kids = set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned());
        kids.collect::<Vec<_>>()
    };
    let after = |seconds| world.clock.set(start.plus_seconds(seconds));
    let old = kid(&token_of(&world));
    let new = keys::rotate(&world.service.app).unwrap().to_string();
    after(30);
    assert_eq!(listed(), [new.clone(), old.clone()]);
    after(599);
    let last = token_of(&world);
    assert_eq!(kid(&last), old, "others may still hold a key set without the new one");
    after(600);
    assert_eq!(kid(&token_of(&world)), new);
    for token in [&last, &token_of(&world)] {
        world.nobody().with_token(token).get("/v1/me").send().ok();
    }
    after(599 + 904);
    world.nobody().with_token(&last).get("/v1/me").send().ok();
    after(2 * 3600);
    assert_eq!(listed(), [new]);
    let rotations: i64 = world
        .service
        .db
        .query(|conn| {
            let events = audit_events::table.filter(audit_events::operation.eq("RotateSigningKey"));
            Ok(events.count().get_result(conn)?)
        })
        .unwrap();
    assert_eq!(rotations, 1);
}

#[test]
fn keys_rotate_by_the_calendar_and_one_of_many_instances_does_it() {
    let world = World::with(|settings| settings.key_rotation_days = 30);
    let made = world.clock.now();
    let count = || {
        let count = |conn: &mut _| Ok(signing_keys::table.count().get_result::<i64>(conn)?);
        world.service.db.query(count).unwrap()
    };
    let look = || {
        std::thread::scope(|scope| {
            for _ in 0..8 {
                // Losing a race is no fault; the next look comes a second later.
                scope.spawn(|| drop(world.service.engine(&Registry::new()).unwrap().tick()));
            }
        });
        // Whoever was at the rotation has ended.
        world.service.engine(&Registry::new()).unwrap().tick().unwrap();
    };
    // The template's key was made half a day before the story.
    world.clock.set(made.plus_seconds(29 * 24 * 3600));
    look();
    assert_eq!(count(), 1);
    world.clock.set(made.plus_seconds(30 * 24 * 3600));
    look();
    wait_for("the rotation", || match count() {
        2 => Ok(()),
        keys => Err(format!("{keys} keys")),
    });
    look();
    assert_eq!(count(), 2);
    let settings = world.service.settings.clone();
    let clock = Clock::standing_at(world.clock.now().plus_seconds(31 * 24 * 3600));
    let tick = |days| {
        let settings = Settings { key_rotation_days: days, clock: clock.clone(), ..settings.clone() };
        let other = Service::open(settings).unwrap();
        other.engine(&Registry::new()).unwrap().tick().unwrap();
        other.close();
    };
    tick(0);
    assert_eq!(count(), 2, "0 days: never");
    tick(30);
    assert_eq!(count(), 3);
}

#[test]
fn the_key_set_is_cached_for_five_minutes_and_asked_for_by_its_tag() {
    let world = World::new();
    let set = world.nobody().get("/.well-known/jwks.json").send().ok();
    assert_eq!(set.header("cache-control"), Some("public, max-age=300"));
    let again = || world.nobody().get("/.well-known/jwks.json").header("if-none-match", &set.etag()).send();
    assert_eq!(again().status, 304);
    assert_eq!(again().header("cache-control"), Some("public, max-age=300"));
    let head = world.nobody().ask("HEAD", "/.well-known/jwks.json").send();
    assert_eq!((head.status, head.bytes.len(), head.etag()), (200, 0, set.etag()));
    keys::rotate(&world.service.app).unwrap();
    world.clock.set(world.clock.now().plus_seconds(30));
    assert_eq!(again().status, 200);
    for key in set["keys"].as_array().unwrap() {
        assert!(key.get("d").is_none(), "a private key: {key}");
    }
}

#[test]
fn a_key_found_in_plain_text_is_sealed_at_the_next_start() {
    let world = World::new();
    let forger = Forger::of(&world);
    let token = token_of(&world);
    let (id, plain): (Id, Vec<u8>) = (kid(&token).parse().unwrap(), forger.private.clone());
    let kept = || -> Vec<u8> {
        let query = signing_keys::table.find(id).select(signing_keys::private_key);
        world.service.db.query(|conn| Ok(query.get_result(conn)?)).unwrap()
    };
    assert!(!contains(&kept(), &plain[16..]), "it is sealed from the first day");
    let written = plain.clone();
    world
        .service
        .db
        .write(move |conn| {
            let row = signing_keys::table.find(id);
            Ok(diesel::update(row).set(signing_keys::private_key.eq(&written)).execute(conn)?)
        })
        .unwrap();
    let next = Service::open(world.service.settings.clone()).unwrap();
    assert!(!contains(&kept(), &plain[16..]) && next.app.vault().is_current(&kept()));
    next.app.tokens().verify(&token).unwrap();
    next.close();
}

#[test]
fn the_encryption_key_is_replaced_without_losing_a_signing_key() {
    let world = World::new();
    let token = token_of(&world);
    let key = |byte: u8| BASE64_STANDARD.encode([byte; 32]);
    let open = |keys: &[String]| {
        let settings = Settings { encryption_key: Some(keys.join(",")), ..world.service.settings.clone() };
        Service::open(settings)
    };
    let refusal = open(&[key(1)]).err().expect("the key it was sealed with is missing");
    assert!(refusal.to_string().contains("sealed with another encryption key"), "{refusal}");
    let both = open(&[key(1), key(0)]).unwrap();
    both.app.tokens().verify(&token).unwrap();
    assert_eq!(keys::reseal(&both.app).unwrap(), 0, "the start has sealed the signing keys anew");
    both.close();
    let new = open(&[key(1)]).unwrap();
    new.app.tokens().verify(&token).unwrap();
    new.close();
    assert!(open(&[key(0)]).is_err());
}

#[test]
fn an_instance_learns_the_keys_of_another_one() {
    let world = World::new();
    let later: Timestamp = world.clock.now().plus_seconds(700);
    let clock = Clock::standing_at(world.clock.now());
    let other = Service::open(Settings { clock: clock.clone(), ..world.service.settings.clone() }).unwrap();
    let new = keys::rotate(&other.app).unwrap().to_string();
    clock.set(later);
    world.clock.set(later);
    let subject = TokenSubject::User { id: world.ids.next(later), session: None, locale: Locale::En };
    let token = other.app.tokens().issue(subject, Role::Operator, 1).unwrap();
    assert_eq!(kid(&token), new);
    // A token with an unknown key asks for nothing: the keys are learnt in the background.
    let begun = Instant::now();
    while world.service.app.tokens().verify(&token).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the key is not learnt");
        std::thread::sleep(Duration::from_millis(50));
    }
    other.close();
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
