//! Three instances, each restarted three times under load: nobody notices, and what was answered is there.

use crate::{
    operator::{Operator, started, url_in},
    postgres::{Postgres, url_at},
    running::Running,
};
use serde_json::json;
use std::{
    collections::HashMap,
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// A client that asks another instance where a connection is refused; any other failure is a lost request.
struct Client<'a> {
    addresses: &'a Mutex<Vec<String>>,
    bearer: &'a str,
    keeps_alive: bool,
    turn: usize,
    open: Option<TcpStream>,
    /// The numbers of the partners that this client makes: those from here on.
    number: u32,
    /// The partners whose making was answered.
    made: Vec<String>,
}

/// Every so many requests make a partner.
const WRITES: usize = 4;

impl Client<'_> {
    /// Asks once, or makes a partner.
    fn ask(&mut self) -> Result<(), String> {
        self.turn += 1;
        let head = format!("Host: x\r\nAuthorization: {}\r\n", self.bearer);
        let path = if self.turn.is_multiple_of(2) { "/v1/partners?limit=1" } else { "/health/live" };
        if !self.turn.is_multiple_of(WRITES) {
            return self
                .exchange(&format!("GET {path} HTTP/1.1\r\n{head}"), "")
                .and_then(|status| expect(status, 200));
        }
        self.number += 1;
        let mpn_id = self.number.to_string();
        let partner = json!({
            "mpn_id": mpn_id, "legal_name": "Contoso Ltd", "country": "DE", "currency": "EUR",
            "partner_type": "direct_bill", "contact_email": "partner@contoso.example",
        });
        let body = partner.to_string();
        let request = format!(
            "POST /v1/partners HTTP/1.1\r\n{head}Content-Type: application/json\r\nIdempotency-Key: made-{mpn_id}\r\n\
             Content-Length: {}\r\n",
            body.len()
        );
        self.exchange(&request, &body).and_then(|status| expect(status, 201))?;
        self.made.push(mpn_id);
        Ok(())
    }

    /// Sends a request; the status of the answer.
    fn exchange(&mut self, head: &str, body: &str) -> Result<u16, String> {
        let mut socket = match self.open.take() {
            Some(socket) => socket,
            None => self.connected()?,
        };
        let connection = if self.keeps_alive { "keep-alive" } else { "close" };
        let request = format!("{head}Connection: {connection}\r\n\r\n{body}");
        socket.write_all(request.as_bytes()).map_err(|error| format!("sending: {error}"))?;
        let mut answer = Vec::new();
        let (head, length) = loop {
            let mut bytes = [0; 4096];
            let read = socket.read(&mut bytes).map_err(|error| format!("the answer: {error}"))?;
            if read == 0 {
                return Err(format!("closed after {} bytes of an answer", answer.len()));
            }
            answer.extend_from_slice(&bytes[..read]);
            let Some(at) = answer.windows(4).position(|end| end == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&answer[..at]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            break (head.clone(), at + 4 + length.map_or(0, |length| length.parse::<usize>().unwrap()));
        };
        while answer.len() < length {
            let mut bytes = [0; 4096];
            match socket.read(&mut bytes).map_err(|error| format!("the body: {error}"))? {
                0 => return Err("closed within the body".into()),
                read => answer.extend_from_slice(&bytes[..read]),
            }
        }
        if self.keeps_alive && !head.contains("connection: close") {
            self.open = Some(socket);
        }
        head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(|| head.clone())
    }

    fn connected(&mut self) -> Result<TcpStream, String> {
        for _ in 0..100 {
            self.turn += 1;
            let address = {
                let addresses = self.addresses.lock().unwrap();
                addresses[self.turn % addresses.len()].clone()
            };
            match TcpStream::connect_timeout(&address.parse().unwrap(), Duration::from_secs(5)) {
                Ok(socket) => {
                    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
                    return Ok(socket);
                }
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
                Err(error) => return Err(format!("connecting: {error}")),
            }
        }
        Err("nobody lets us in".into())
    }
}

fn expect(status: u16, wanted: u16) -> Result<(), String> {
    if status == wanted { Ok(()) } else { Err(status.to_string()) }
}

/// The numbers of all partners, and how often each is listed.
fn listed(operator: &Operator) -> HashMap<String, u32> {
    let (mut found, mut cursor) = (HashMap::new(), String::new());
    loop {
        let page = operator.get(&format!("/v1/partners?limit=200{cursor}"));
        for partner in page["items"].as_array().unwrap() {
            *found.entry(partner["mpn_id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

fn nine_restarts_lose_nothing(url: &str) {
    let (first, Operator { bearer, .. }) = started(url);
    drop(first);
    // As long as a client of a busy machine may need to hear of the end.
    let start =
        || Running::start_on(url, &["--requests-per-minute", "1000000000", "--drain-milliseconds", "1500"]);
    let mut instances: Vec<Running> = (0..3).map(|_| start()).collect();
    let addresses = Mutex::new(instances.iter().map(|instance| instance.address.clone()).collect());
    let (over, served, lost) = (AtomicBool::new(false), AtomicU32::new(0), Mutex::new(Vec::new()));
    let made = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for number in 0..16 {
            let mut client = Client {
                addresses: &addresses,
                bearer: &bearer,
                keeps_alive: number % 4 == 0,
                turn: usize::try_from(number).unwrap(),
                open: None,
                number: 500_000_000 + number * 1_000_000,
                made: Vec::new(),
            };
            let (over, served, lost, made) = (&over, &served, &lost, &made);
            scope.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    match client.ask() {
                        Ok(()) => _ = served.fetch_add(1, Ordering::SeqCst),
                        Err(how) => lost.lock().unwrap().push(how),
                    }
                }
                made.lock().unwrap().append(&mut client.made);
            });
        }
        for restart in 0..9 {
            let place = restart % 3;
            std::thread::sleep(Duration::from_millis(300));
            // However slow this machine is, there is load.
            let before = served.load(Ordering::SeqCst);
            let begun = Instant::now();
            while served.load(Ordering::SeqCst) < before + 40 && begun.elapsed() < Duration::from_secs(60) {
                std::thread::sleep(Duration::from_millis(20));
            }
            instances[place].signal("TERM");
            assert!(instances[place].wait().success());
            let anew = start();
            addresses.lock().unwrap()[place] = anew.address.clone();
            instances[place] = anew;
        }
        over.store(true, Ordering::SeqCst);
    });
    let (lost, served) = (lost.into_inner().unwrap(), served.into_inner());
    assert!(lost.is_empty(), "of {served} requests {} were lost: {lost:?}", lost.len());
    let made = made.into_inner().unwrap();
    assert!(served > 360 && made.len() > 40, "{served} requests, {} partners", made.len());
    let listed = listed(&Operator { address: instances[0].address.clone(), bearer });
    let gone: Vec<&String> = made.iter().filter(|number| listed.get(*number) != Some(&1)).collect();
    assert!(gone.is_empty(), "of {} partners {} are gone: {gone:?}", made.len(), gone.len());
    assert_eq!(listed.len(), made.len(), "nobody was told of a partner that is there");
}

#[test]
fn nine_restarts_of_three_instances_lose_no_request() {
    let folder = tempfile::tempdir().unwrap();
    nine_restarts_lose_nothing(&url_in(folder.path()));
}

#[test]
fn nine_restarts_of_three_instances_before_a_server_lose_no_request() {
    let Some(server) = Postgres::start() else { return };
    nine_restarts_lose_nothing(&url_at(server.port));
}
