//! A connection that is cut while the server commits: nobody is told that nothing was changed over a row that stands.

use crate::{
    suite::partners::partner,
    support::{Client, World},
};
use partner_incentives::platform::db::Target;
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::net::UnixStream,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// What becomes of the next `COMMIT` that passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum Cut {
    Nothing = 0,
    /// The server commits, and its answer is lost.
    Answer = 1,
    /// The server never hears of it.
    Request = 2,
    /// As the first, and nobody reaches the server for a while.
    AnswerAndServer = 3,
}

/// Stands between a service and its PostgreSQL, and cuts connections at a `COMMIT`.
struct Proxy {
    url: String,
    next: Arc<AtomicU8>,
    cuts: Arc<AtomicU32>,
}

/// Every connection there is.
type Open = Arc<Mutex<Vec<TcpStream>>>;

impl Proxy {
    /// For a server on a socket in a folder.
    fn before(url: &str) -> Self {
        let host = url.split_once("host=").unwrap().1.split('&').next().unwrap();
        let socket = format!("{host}/.s.PGSQL.5432");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let name = url.split_once("://").unwrap().1.trim_start_matches('/').split('?').next().unwrap();
        let url = format!("postgres://postgres@{}/{name}", listener.local_addr().unwrap());
        let (next, cuts) = (Arc::new(AtomicU8::new(0)), Arc::new(AtomicU32::new(0)));
        let proxy = Self { url, next: Arc::clone(&next), cuts: Arc::clone(&cuts) };
        let open = Open::default();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), socket) = (client, socket.clone()) else { return };
                let (next, cuts, open) = (Arc::clone(&next), Arc::clone(&cuts), Arc::clone(&open));
                let is_away = next.load(Ordering::SeqCst) == Cut::AnswerAndServer as u8;
                if is_away && cuts.load(Ordering::SeqCst) > 0 {
                    continue;
                }
                open.lock().unwrap().push(client.try_clone().unwrap());
                std::thread::spawn(move || {
                    if let Ok(server) = UnixStream::connect(socket) {
                        serve(client, server, (&next, &cuts), &open);
                    }
                });
            }
        });
        proxy
    }

    fn cut(&self, cut: Cut) {
        self.cuts.store(0, Ordering::SeqCst);
        self.next.store(cut as u8, Ordering::SeqCst);
    }
}

fn serve(mut client: TcpStream, mut server: UnixStream, (next, cuts): (&AtomicU8, &AtomicU32), open: &Open) {
    let (mut to_client, mut from_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let silent = Arc::new(AtomicU8::new(0));
    let muted = Arc::clone(&silent);
    let back = std::thread::spawn(move || {
        let mut bytes = [0; 16384];
        while let Ok(read @ 1..) = from_server.read(&mut bytes) {
            if muted.load(Ordering::SeqCst) == 1 {
                // The server has answered, so the commit is done; now the client loses the connection.
                break;
            }
            if to_client.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        _ = to_client.shutdown(std::net::Shutdown::Both);
    });
    let mut bytes = [0; 16384];
    while let Ok(read @ 1..) = client.read(&mut bytes) {
        let cut = next.load(Ordering::SeqCst);
        let commits = bytes[..read].windows(7).any(|window| window == b"COMMIT\0");
        if commits && cut != 0 && cuts.fetch_add(1, Ordering::SeqCst) == 0 {
            if cut == Cut::Request as u8 {
                break;
            }
            silent.store(1, Ordering::SeqCst);
            if cut == Cut::AnswerAndServer as u8 {
                let this = client.peer_addr().ok();
                let others = open.lock().unwrap();
                let others = others.iter().filter(|other| other.peer_addr().ok() != this);
                others.for_each(|other| _ = other.shutdown(std::net::Shutdown::Both));
            }
        }
        if server.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    if silent.load(Ordering::SeqCst) == 0 {
        _ = server.shutdown(std::net::Shutdown::Both);
    }
    _ = back.join();
    _ = client.shutdown(std::net::Shutdown::Both);
}

/// A world whose service reaches its database through a proxy; none on SQLite, which has no wire to cut.
fn through_a_proxy() -> Option<(World, Arc<Proxy>)> {
    let mut proxy = None;
    let world = World::with(|settings| {
        if let Target::Postgres(url) = &settings.database_url {
            let before = Proxy::before(url);
            settings.database_url = Target::Postgres(before.url.clone());
            proxy = Some(Arc::new(before));
        }
    });
    let proxy = proxy?;
    // No work of the service itself takes the cut.
    world.service.closing.begin();
    Some((world, proxy))
}

fn known(operator: &Client, n: u32) -> usize {
    let number = partner(n, "direct_bill")["mpn_id"].as_str().unwrap().to_owned();
    operator.get("/v1/partners").query("mpn_id", number).send().ok()["items"].as_array().unwrap().len()
}

#[test]
fn an_answer_to_commit_that_is_lost_is_looked_for() {
    let Some((world, proxy)) = through_a_proxy() else { return };
    let operator = world.operator();
    for n in 0..10 {
        proxy.cut(Cut::Answer);
        let made = operator.post("/v1/partners", partner(n, "direct_bill")).send();
        assert_eq!(proxy.cuts.load(Ordering::SeqCst).min(1), 1, "nothing was cut");
        made.ok();
        assert_eq!(known(&operator, n), 1);
    }
}

#[test]
fn a_commit_that_never_came_is_made_again() {
    let Some((world, proxy)) = through_a_proxy() else { return };
    let operator = world.operator();
    for n in 0..10 {
        proxy.cut(Cut::Request);
        operator.post("/v1/partners", partner(n, "direct_bill")).send().ok();
        assert_eq!(known(&operator, n), 1);
    }
}

#[test]
fn where_nobody_can_say_whether_it_was_done_a_repeat_with_the_same_key_finds_out() {
    let Some((world, proxy)) = through_a_proxy() else { return };
    let operator = world.operator();
    let ask = || operator.post("/v1/partners", partner(1, "direct_bill")).key("k1").send();
    proxy.cut(Cut::AnswerAndServer);
    let told = ask().refused(503, "outcome_unknown");
    assert!(told.header("retry-after").is_some(), "{told}");
    proxy.cut(Cut::Nothing);
    // The pool finds the server again by itself.
    let begun = Instant::now();
    let again = loop {
        let again = ask();
        if again.status != 503 || begun.elapsed() > Duration::from_secs(15) {
            break again.ok();
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(again.header("idempotent-replayed"), Some("true"), "{again}");
    assert_eq!(known(&operator, 1), 1);
}
