//! The log as operators read it.

use crate::running::Running;
use serde_json::{Value, json};
use std::{
    fs::{File, read_to_string},
    io::{Read, Write},
    net::TcpStream,
};

/// The lines that a service wrote while `requests` were sent to its address.
fn lines(format: &str, requests: impl FnOnce(&Running)) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    let path = folder.path().join("log");
    let log = File::create(&path).unwrap();
    let mut service = Running::start_with_log(&url, &["--log-format", format], log.into());
    requests(&service);
    service.signal("TERM");
    assert!(service.wait().success());
    read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

/// Signs the first operator in, and asks for a program.
fn signed_in(service: &Running) {
    let said = |label: &str| {
        let rest = service.printed.split_once(label).unwrap().1;
        rest.lines().next().unwrap().to_owned()
    };
    let name = said("First operator: ");
    let body = json!({"username": name, "password": said("shown this once: ")});
    let url = format!("http://{}/v1/auth/login", service.address);
    let session: Value = agent().post(url).send_json(body).unwrap().body_mut().read_json().unwrap();
    let bearer = format!("Bearer {}", session["access_token"].as_str().unwrap());
    let url = format!("http://{}/v1/programs/nothing", service.address);
    agent().get(url).header("authorization", bearer).call().unwrap();
}

#[test]
fn a_line_of_a_request_names_user_route_duration_and_client_in_both_formats() {
    let found = lines("json", signed_in);
    let line = found.iter().find(|line| line.contains("/v1/programs/nothing")).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!((&line["target"], &line["client"]), (&json!("access"), &json!("127.0.0.1")), "{line}");
    assert!(line["route"].as_str().is_some_and(|route| route.starts_with("/v1/programs/{")), "{line}");
    assert!(line["micros"].is_u64() && line["user"].as_str().is_some_and(|id| id.len() == 36), "{line}");

    let found = lines("human", signed_in);
    let line = found.iter().find(|line| line.contains("/v1/programs/nothing")).unwrap();
    for named in ["user=", "client=127.0.0.1", "route=/v1/programs/{", "micros="] {
        assert!(line.contains(named), "{named}: {line}");
    }
    let user = line.split_once("user=").unwrap().1;
    assert!(user.split(' ').next().is_some_and(|id| id.len() == 36), "{line}");
}

#[test]
fn nothing_a_client_sends_is_an_error_of_the_service() {
    let found = lines("json", |service| {
        let requests: [&[u8]; 7] = [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"NONSENSE\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
            b"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
            b"GET /v1/partners HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer nonsense\r\nConnection: close\r\n\r\n",
        ];
        for request in requests {
            let mut socket = TcpStream::connect(&service.address).unwrap();
            socket.write_all(request).unwrap();
            socket.shutdown(std::net::Shutdown::Write).unwrap();
            // Whatever the answer is, or none.
            let _ = socket.read_to_end(&mut Vec::new());
        }
        // A request line that has no end.
        let mut socket = TcpStream::connect(&service.address).unwrap();
        let endless = vec![b'a'; 1 << 20];
        let _ = socket.write_all(&endless);
        let _ = socket.read_to_end(&mut Vec::new());
    });
    let errors: Vec<_> = found.iter().filter(|line| line.contains("\"ERROR\"")).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert!(found.iter().any(|line| line.contains("\"access\"")), "{found:#?}");
}

#[test]
fn a_token_in_an_address_stays_out_of_the_log() {
    let lines = lines("json", |service| {
        let url = format!("http://{}/v1/statement-pages/c2VjcmV0LXRva2Vu", service.address);
        assert_eq!(agent().get(url).call().unwrap().status().as_u16(), 404);
    });
    let asked: Vec<_> = lines.iter().filter(|line| line.contains("/v1/statement-pages/")).collect();
    assert!(!asked.is_empty() && asked.iter().all(|line| line.contains("{token}")), "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains("c2VjcmV0")), "{lines:?}");
}
