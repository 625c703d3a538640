//! The binary as a process: first start, second start, commands, wrong settings, stopping.

use crate::running::{Running, command};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use partner_incentives::platform::{db::Target, http::Doorway};
use serde_json::{Value, json};
use std::{
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

fn login(address: &str, username: &str, password: &str) -> (u16, Value) {
    let body = json!({"username": username, "password": password});
    let mut answer = agent().post(format!("http://{address}/v1/auth/login")).send_json(body).unwrap();
    (answer.status().as_u16(), answer.body_mut().read_json().unwrap())
}

fn after<'a>(text: &'a str, label: &str) -> &'a str {
    text.split_once(label)
        .unwrap_or_else(|| panic!("no {label:?} in {text}"))
        .1
        .lines()
        .next()
        .unwrap()
        .trim()
}

#[test]
fn the_first_start_prints_an_operator_once_whose_password_must_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("new/data.db").display());
    let mut first = Running::start_on(&url, &[]);
    let email = after(&first.printed, "First operator: ").to_owned();
    let password = after(&first.printed, "shown this once: ").to_owned();
    let (status, session) = login(&first.address, &email, &password);
    assert_eq!((status, &session["must_change_password"]), (200, &json!(true)));
    let bearer = format!("Bearer {}", session["access_token"].as_str().unwrap());
    let get = |path: &str, bearer: &str| {
        let url = format!("http://{}{path}", first.address);
        agent().get(url).header("authorization", bearer).call().unwrap().status().as_u16()
    };
    assert_eq!(get("/v1/programs", &bearer), 403);
    let change = json!({"current_password": password, "new_password": "a much longer passphrase"});
    let url_of_change = format!("http://{}/v1/me/password", first.address);
    let changed = agent().put(url_of_change).header("authorization", &bearer).send_json(change).unwrap();
    assert_eq!(changed.status().as_u16(), 204);
    assert_eq!(get("/v1/programs", &bearer), 401);
    let (_, session) = login(&first.address, &email, "a much longer passphrase");
    assert_eq!(get("/v1/programs", &format!("Bearer {}", session["access_token"].as_str().unwrap())), 200);
    first.signal("TERM");
    assert!(first.wait().success());
    let log = std::fs::metadata(folder.path().join("new/data.db-wal")).map_or(0, |file| file.len());
    assert_eq!(log, 0, "SQLite's log is folded into its file");

    let second = Running::start_on(&url, &["serve"]);
    assert!(!second.printed.contains("First operator"), "{}", second.printed);
    assert_eq!(login(&second.address, &email, "a much longer passphrase").0, 200);
}

#[test]
fn the_commands_answer() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("data.db").display());
    let run = |arguments: &[&str]| {
        let output = command(&url).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
        said
    };
    assert!(run(&["migrate"]).contains("is up to date"));
    let document: Value = serde_json::from_str(&run(&["openapi"])).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let made =
        run(&["user", "create", "--email", "Olga@Programme.example", "--name", "Olga", "--role", "operator"]);
    let password = after(&made, "shown this once: ").to_owned();
    assert!(run(&["keys", "rotate"]).contains("new signing key"));
    assert!(run(&["keys", "reseal"]).contains("0 secrets were sealed anew"));
    let service = Running::start_on(&url, &[]);
    assert_eq!(login(&service.address, "olga@programme.example", &password).0, 200);
    let keys: Value = agent()
        .get(format!("http://{}/.well-known/jwks.json", service.address))
        .call()
        .unwrap()
        .body_mut()
        .read_json()
        .unwrap();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2, "the old key still verifies: {keys}");
}

#[test]
fn verify_tells_by_its_exit_code_what_was_done_behind_the_service_s_back() {
    use diesel::connection::SimpleConnection;
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    let verify = |arguments: &[&str]| {
        let output = command(&url).arg("verify").args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, printed) = verify(&[]);
    assert_eq!(code, Some(0), "{printed}");
    let head = after(&printed, "head ").to_owned();
    let rotated = command(&url).args(["keys", "rotate"]).output().unwrap();
    assert!(rotated.status.success());
    assert_eq!(verify(&["--expect", &head]).0, Some(0), "an earlier head stays part of the chain");
    assert_eq!(verify(&["--expect", "head"]).0, Some(2));
    let mut conn = url.parse::<Target>().unwrap().open().unwrap();
    conn.batch_execute(
        "DROP TRIGGER audit_events_are_never_changed; UPDATE audit_events SET reason = 'x' WHERE sequence = 2",
    )
    .unwrap();
    let (code, printed) = verify(&["--expect", &head]);
    assert_eq!(code, Some(1));
    assert!(printed.starts_with("audit chain: BROKEN, sequence 2, event "), "{printed}");
}

#[test]
fn another_encryption_key_stops_the_start_with_a_sentence_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("data.db").display());
    let run = |keys: &str, arguments: &[&str]| {
        let output = command(&url).env("ENCRYPTION_KEY", keys).args(arguments).output().unwrap();
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code(), said)
    };
    let [old, new] = ["A", "B"].map(|letter| format!("{}=", letter.repeat(42) + "A"));
    assert_eq!(run(&old, &["migrate"]).0, Some(0));
    let (code, said) = run(&new, &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(code, Some(1), "{said}");
    for named in ["sealed with another encryption key", "ENCRYPTION_KEY", "ENCRYPTION_KEY_FILE"] {
        assert!(said.contains(named), "{said}");
    }
    assert!(!said.contains(&new) && !said.contains(&old), "no key is written anywhere: {said}");
    let (code, said) = run("c2hvcnQ=", &["migrate"]);
    assert!(code == Some(1) && said.contains("32 random bytes"), "{said}");
    assert_eq!(run(&format!("{new},{old}"), &["keys", "reseal"]).0, Some(0));
    assert_eq!(run(&new, &["migrate"]).0, Some(0));
    assert_eq!(run(&old, &["migrate"]).0, Some(1));
}

#[test]
fn stopping_drops_no_request() {
    let settings = ["--requests-per-minute", "1000000000", "--drain-milliseconds", "4000"];
    let mut service = Running::start(&settings);
    let served = Arc::new(AtomicU32::new(0));
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let (address, served) = (service.address.clone(), Arc::clone(&served));
            std::thread::spawn(move || {
                let agent = agent();
                // A client behind a balancer: it stops asking once the service says that it is not ready.
                loop {
                    match agent.get(format!("http://{address}/health/ready")).call() {
                        Ok(answer) if answer.status() == 200 => served.fetch_add(1, Ordering::SeqCst),
                        Ok(answer) if answer.status() == 503 => return,
                        other => panic!("a request was dropped: {other:?}"),
                    };
                }
            })
        })
        .collect();
    let start = Instant::now();
    while served.load(Ordering::SeqCst) < 400 {
        assert!(start.elapsed() < Duration::from_secs(120), "the load does not come up");
        std::thread::sleep(Duration::from_millis(10));
    }
    service.signal("TERM");
    for worker in workers {
        worker.join().expect("no request was dropped");
    }
    assert!(service.wait().success());
}

#[test]
fn only_the_origins_named_may_call_from_a_browser() {
    let service = Running::start(&["--allowed-origins", "https://app.example,https://ops.example"]);
    let allowed = |origin: &str| {
        let answer = agent()
            .options(format!("http://{}/v1/partners", service.address))
            .header("origin", origin)
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "authorization")
            .call()
            .unwrap();
        answer.headers().get("access-control-allow-origin").map(|field| field.to_str().unwrap().to_owned())
    };
    for origin in ["https://app.example", "https://ops.example"] {
        assert_eq!(allowed(origin).as_deref(), Some(origin));
    }
    for origin in ["https://evil.example", "null", "http://app.example"] {
        assert_eq!(allowed(origin), None, "{origin}");
    }
    let closed = Running::start(&[]);
    let answer =
        agent().get(format!("http://{}/health/live", closed.address)).header("origin", "https://app.example");
    assert!(answer.call().unwrap().headers().get("access-control-allow-origin").is_none());
}

#[test]
fn tokens_and_metadata_name_the_address_that_is_really_listened_on() {
    let issuer_of = |service: &Running| {
        let url = format!("http://{}/.well-known/oauth-authorization-server", service.address);
        let metadata: Value = agent().get(url).call().unwrap().body_mut().read_json().unwrap();
        let password = after(&service.printed, "shown this once: ");
        let (_, session) = login(&service.address, after(&service.printed, "First operator: "), password);
        let claims = session["access_token"].as_str().unwrap().split('.').nth(1).unwrap();
        let claims: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        assert_eq!(claims["iss"], metadata["issuer"]);
        metadata
    };
    // Port 0 is a free port.
    let service = Running::start(&[]);
    let metadata = issuer_of(&service);
    assert_eq!(metadata["issuer"], format!("http://{}", service.address));
    let token = metadata["token_endpoint"].as_str().unwrap();
    let refused = agent().post(token).send_form([("grant_type", "x")]).unwrap();
    assert_eq!(refused.status().as_u16(), 400, "{token}");
    let everywhere = Running::start(&["--listen", "0.0.0.0:0"]);
    let port = everywhere.address.rsplit(':').next().unwrap();
    assert_eq!(issuer_of(&everywhere)["issuer"], format!("http://127.0.0.1:{port}"));

    let told = Running::start(&["--public-url", "https://pi.example/incentives"]);
    assert_eq!(issuer_of(&told)["issuer"], "https://pi.example/incentives");
}

#[test]
fn an_address_that_is_taken_and_not_listened_on_yet_refuses_whoever_comes() {
    let doorway = Doorway::at("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = doorway.address().unwrap();
    assert_ne!(address.port(), 0);
    let refused = TcpStream::connect(address).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    let listener = doorway.open().unwrap();
    let _client = TcpStream::connect(address).unwrap();
    assert_eq!(listener.accept().unwrap().0.local_addr().unwrap(), address);
    assert!(Doorway::at(address).is_err(), "somebody listens there");
}
