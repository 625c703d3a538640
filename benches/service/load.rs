//! The load: a process of its own that keeps connections busy for a while and says what it saw.

use actix_web::rt::{System, net::TcpStream};
use serde_json::{Value, json};
use std::{
    cell::RefCell,
    io::ErrorKind,
    net::SocketAddr,
    process::{Command, Stdio},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

/// Threads of the load process; the servers have as many.
const THREADS: usize = 2;

/// Stands for the time of a request that was answered 503: come back later.
const SHED: u32 = u32::MAX;

/// What to ask for.
#[derive(Clone)]
pub enum Plan {
    /// These addresses in turn.
    Get(Vec<String>),
    /// New partners, numbered from here.
    Create(u64),
}

/// What one run of the load saw.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// Requests a second.
    pub rate: f64,
    /// Requests answered.
    pub requests: f64,
    /// Half of the requests took at most this long, in microseconds.
    pub p50: f64,
    /// 99 of 100 took at most this long, in microseconds.
    pub p99: f64,
    /// Requests answered 503; they count in none of the other figures.
    pub shed: f64,
}

/// Puts load on a server from another process.
pub fn put(address: SocketAddr, token: &str, plan: &Plan, connections: usize, time: Duration) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("paths");
    let (kind, argument) = match plan {
        Plan::Get(paths) => {
            std::fs::write(&file, paths.join("\n")).unwrap();
            ("get", file.to_string_lossy().into_owned())
        }
        Plan::Create(first) => ("create", first.to_string()),
    };
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["load", &address.to_string(), token, kind, &argument])
        .args([connections.to_string(), time.as_millis().to_string()])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "the load failed");
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let figure = |name: &str| seen[name].as_f64().unwrap();
    Seen {
        rate: figure("rate"),
        requests: figure("requests"),
        p50: figure("p50"),
        p99: figure("p99"),
        shed: figure("shed"),
    }
}

/// What the process does that `put` starts.
pub fn run(arguments: &[String]) {
    let [address, token, kind, argument, connections, millis] = arguments else { panic!("six arguments") };
    let address: SocketAddr = address.parse().unwrap();
    let (connections, millis): (usize, u64) = (connections.parse().unwrap(), millis.parse().unwrap());
    let requests: Arc<Vec<Vec<u8>>> = Arc::new(match kind.as_str() {
        "get" => std::fs::read_to_string(argument).unwrap().lines().map(|path| get(path, token)).collect(),
        _ => Vec::new(),
    });
    let first: u64 = argument.parse().unwrap_or_default();
    let started = Instant::now();
    let until = started + Duration::from_millis(millis);
    let mut took: Vec<u32> = Vec::new();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (requests, token) = (Arc::clone(&requests), token.clone());
                scope.spawn(move || {
                    let took = Rc::new(RefCell::new(Vec::with_capacity(1 << 18)));
                    System::new().block_on(async {
                        let start = |number| {
                            let next =
                                next(Arc::clone(&requests), first, (number, connections), token.clone());
                            actix_web::rt::spawn(keep_busy(address, next, until, Rc::clone(&took)))
                        };
                        let tasks: Vec<_> = (thread..connections).step_by(THREADS).map(start).collect();
                        for task in tasks {
                            task.await.unwrap();
                        }
                    });
                    took.take()
                })
            })
            .collect();
        took.extend(threads.into_iter().flat_map(|thread| thread.join().unwrap()));
    });
    let seconds = started.elapsed().as_secs_f64();
    let all = took.len();
    took.retain(|took| *took != SHED);
    let shed = all - took.len();
    took.sort_unstable();
    let at = |share: usize| took.get(took.len() * share / 100).copied().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more digits than that")]
    let rate = took.len() as f64 / seconds;
    println!("{}", json!({"rate": rate, "requests": took.len(), "p50": at(50), "p99": at(99), "shed": shed}));
}

/// Where one connection takes its requests from.
fn next(
    requests: Arc<Vec<Vec<u8>>>,
    first: u64,
    (number, connections): (usize, usize),
    token: String,
) -> impl FnMut(&mut Vec<u8>) {
    let mut turn = 0;
    move |to| {
        to.clear();
        if requests.is_empty() {
            create(first + (turn * connections + number) as u64, &token, to);
        } else {
            // A stride that meets all of a list in an order no cache can guess.
            to.extend_from_slice(&requests[(number * 7919 + turn * 104_729) % requests.len()]);
        }
        turn += 1;
    }
}

fn get(path: &str, token: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes()
}

fn create(number: u64, token: &str, to: &mut Vec<u8>) {
    // Scattered over all numbers of ten digits, as numbers that others give are; none comes twice.
    let mpn_id = u128::from(number) * 6_180_339_887 % 10_000_000_000;
    let body = format!(
        "{{\"mpn_id\":\"{mpn_id:010}\",\"legal_name\":\"Fabrikam {number} Services Ltd\",\"country\":\"GB\",\
         \"currency\":\"GBP\",\"partner_type\":\"direct_bill\",\"contact_email\":\"p{number}@fabrikam.example\"}}"
    );
    let length = body.len();
    to.extend_from_slice(
        format!(
            "POST /v1/partners HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nIdempotency-Key: {:016x}-{number}\r\n\
             Content-Length: {length}\r\n\r\n{body}",
            number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
        )
        .as_bytes(),
    );
}

async fn keep_busy(
    address: SocketAddr,
    mut next: impl FnMut(&mut Vec<u8>),
    until: Instant,
    took: Rc<RefCell<Vec<u32>>>,
) {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut request, mut answer) = (Vec::new(), Vec::with_capacity(64 * 1024));
    let mut buffer = vec![0; 32 * 1024];
    while Instant::now() < until {
        next(&mut request);
        let started = Instant::now();
        exchange(&stream, &request, &mut answer, &mut buffer).await;
        if answer.starts_with(b"HTTP/1.1 503") {
            took.borrow_mut().push(SHED);
            continue;
        }
        took.borrow_mut().push(u32::try_from(started.elapsed().as_micros()).unwrap());
        assert!(answer.starts_with(b"HTTP/1.1 20"), "{}", String::from_utf8_lossy(&answer));
    }
}

async fn exchange(stream: &TcpStream, request: &[u8], answer: &mut Vec<u8>, buffer: &mut [u8]) {
    let mut sent = 0;
    while sent < request.len() {
        match stream.try_write(&request[sent..]) {
            Ok(count) => sent += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => stream.writable().await.unwrap(),
            Err(error) => panic!("{error}"),
        }
    }
    answer.clear();
    loop {
        stream.readable().await.unwrap();
        match stream.try_read(buffer) {
            Ok(0) => panic!("the server hung up"),
            Ok(count) => answer.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            Err(error) => panic!("{error}"),
        }
        if is_whole(answer) {
            return;
        }
    }
}

fn is_whole(answer: &[u8]) -> bool {
    let Some(head) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let text = std::str::from_utf8(&answer[..head]).unwrap();
    let length = text
        .lines()
        .find_map(|line| {
            line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        })
        .map_or(0, |(_, length)| length.parse().unwrap());
    answer.len() >= head + 4 + length
}
