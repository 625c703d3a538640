//! Three instances, each restarted three times under load: nobody notices.

use crate::{
    operator::{Operator, started, url_in},
    running::Running,
};
use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

/// A client that asks another instance where a connection is refused; any other failure is a lost request.
struct Client<'a> {
    addresses: &'a Mutex<Vec<String>>,
    bearer: &'a str,
    keeps_alive: bool,
    turn: usize,
    open: Option<TcpStream>,
}

impl Client<'_> {
    /// Asks once; the status.
    fn ask(&mut self) -> Result<u16, String> {
        let mut socket = match self.open.take() {
            Some(socket) => socket,
            None => self.connected()?,
        };
        let connection = if self.keeps_alive { "keep-alive" } else { "close" };
        let path = if self.turn.is_multiple_of(2) { "/v1/partners?limit=1" } else { "/health/live" };
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nConnection: {connection}\r\n\r\n",
            self.bearer
        );
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
                    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                    return Ok(socket);
                }
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
                Err(error) => return Err(format!("connecting: {error}")),
            }
        }
        Err("nobody lets us in".into())
    }
}

#[test]
fn nine_restarts_of_three_instances_lose_no_request() {
    let folder = tempfile::tempdir().unwrap();
    let url = url_in(folder.path());
    let (first, Operator { bearer, .. }) = started(&url);
    drop(first);
    let start =
        || Running::start_on(&url, &["--requests-per-minute", "1000000000", "--drain-milliseconds", "100"]);
    let mut instances: Vec<Running> = (0..3).map(|_| start()).collect();
    let addresses = Mutex::new(instances.iter().map(|instance| instance.address.clone()).collect());
    let (over, served, lost) = (AtomicBool::new(false), AtomicU32::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for number in 0..16 {
            let mut client = Client {
                addresses: &addresses,
                bearer: &bearer,
                keeps_alive: number % 4 == 0,
                turn: number,
                open: None,
            };
            let (over, served, lost) = (&over, &served, &lost);
            scope.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    match client.ask() {
                        Ok(200) => _ = served.fetch_add(1, Ordering::SeqCst),
                        Ok(status) => lost.lock().unwrap().push(status.to_string()),
                        Err(how) => lost.lock().unwrap().push(how),
                    }
                }
            });
        }
        for restart in 0..9 {
            let place = restart % 3;
            std::thread::sleep(Duration::from_millis(300));
            instances[place].signal("TERM");
            assert!(instances[place].wait().success());
            let anew = start();
            addresses.lock().unwrap()[place] = anew.address.clone();
            instances[place] = anew;
        }
        over.store(true, Ordering::SeqCst);
    });
    let lost = lost.into_inner().unwrap();
    assert!(
        lost.is_empty(),
        "of {} requests {} were lost: {lost:?}",
        served.load(Ordering::SeqCst),
        lost.len()
    );
    assert!(served.load(Ordering::SeqCst) > 1000);
}
