//! Files that come or go slowly: nobody blocks another person's work.

use crate::{
    operator::{Operator, started, timed, url_in, wait_until},
    running::{Running, command},
};
use diesel::{QueryDsl, RunQueryDsl, connection::SimpleConnection};
use partner_incentives::{
    platform::db::{Conn, Target},
    schema::transaction_import_pieces,
};
use serde_json::json;
use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

const HEAD: &str = "source,external_id,partner_id,customer_id,customer_country,product,product_family,kind,\
                    occurred_on,amount,currency\n";

/// A service with more sales than fit between it and a reader.
fn with_sales(folder: &tempfile::TempDir, arguments: &[&str]) -> (Running, Operator) {
    let url = url_in(folder.path());
    let (service, mut operator) = started(&url);
    let partner = operator.partner();
    drop(service);
    let mut rows = HEAD.to_owned();
    for n in 0..60_000 {
        writeln!(rows, "billing,INV-{n:08},{partner},C-1,DE,SKU-1,azure,purchase,2018-07-01,12.50,EUR")
            .unwrap();
    }
    let file = folder.path().join("file.csv");
    std::fs::write(&file, rows).unwrap();
    assert!(command(&url).arg("import").arg(&file).output().unwrap().status.success());
    let arguments = [&["--requests-per-minute", "1000000000"], arguments].concat();
    let service = Running::start_on(&url, &arguments);
    operator.address.clone_from(&service.address);
    (service, operator)
}

/// A reader who has begun with a file, and takes no more of it for now.
fn slow_reader(operator: &Operator) -> (TcpStream, String) {
    let mut socket = TcpStream::connect(&operator.address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let request = format!(
        "GET /v1/transactions HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nAccept: text/csv\r\nConnection: close\r\n\r\n",
        operator.bearer
    );
    socket.write_all(request.as_bytes()).unwrap();
    let mut begin = [0; 256];
    let read = socket.read(&mut begin).unwrap();
    (socket, String::from_utf8_lossy(&begin[..read]).into_owned())
}

/// Reads to the end; whether the file was broken off before its end.
fn is_broken_off(mut socket: TcpStream) -> bool {
    let mut rest = Vec::new();
    socket.read_to_end(&mut rest).is_err() || !rest.ends_with(b"0\r\n\r\n")
}

fn status(head: &str) -> &str {
    head.split(' ').nth(1).unwrap_or_default()
}

fn another_operator(operator: &Operator) -> (Operator, String) {
    let new = json!({"email": "otto@programme.example", "name": "Otto", "role": "operator"});
    let made = operator.post("/v1/users", "application/json", new.to_string());
    let (id, temporary) = (made["id"].as_str().unwrap(), made["temporary_password"].as_str().unwrap());
    let nobody = Operator { address: operator.address.clone(), bearer: String::new() };
    let sign_in = |password: &str| {
        let body = json!({"username": "otto@programme.example", "password": password});
        let session = nobody.post("/v1/auth/login", "application/json", body.to_string());
        let bearer = format!("Bearer {}", session["access_token"].as_str().unwrap());
        Operator { address: operator.address.clone(), bearer }
    };
    let change = json!({"current_password": temporary, "new_password": "a much longer passphrase"});
    let url = format!("http://{}/v1/me/password", operator.address);
    let first = sign_in(temporary);
    crate::operator::agent().put(url).header("authorization", &first.bearer).send_json(change).unwrap();
    (sign_in("a much longer passphrase"), id.to_owned())
}

#[test]
fn slow_readers_take_no_place_of_others_and_are_broken_off() {
    let folder = tempfile::tempdir().unwrap();
    let (_service, operator) = with_sales(&folder, &["--body-seconds", "8"]);
    let (other, _) = another_operator(&operator);
    let readers: Vec<_> = (0..2).map(|_| slow_reader(&operator)).collect();
    assert!(readers.iter().all(|(_, head)| status(head) == "200"), "{readers:?}");
    let (_, third) = slow_reader(&operator);
    assert_eq!(status(&third), "429", "{third}");
    let (reader, head) = slow_reader(&other);
    assert_eq!(status(&head), "200", "{head}");
    assert!(!is_broken_off(reader), "who reads has the whole file");
    let both = || -> Vec<_> { (0..2).map(|_| slow_reader(&operator)).collect() };
    operator.within(Duration::from_secs(14), "their places are free", || {
        both().iter().all(|(_, head)| status(head) == "200")
    });
    for (reader, _) in readers {
        assert!(is_broken_off(reader));
    }
    operator.within(Duration::from_secs(2), "a whole file", || {
        let (reader, head) = slow_reader(&operator);
        status(&head) == "200" && !is_broken_off(reader)
    });
}

/// The database of `with_sales`.
fn database_in(folder: &tempfile::TempDir) -> Conn {
    url_in(folder.path()).parse::<Target>().unwrap().open().unwrap()
}

#[test]
fn slow_readers_do_not_let_the_log_grow_for_ever() {
    const MIB: u64 = 1 << 20;
    let folder = tempfile::tempdir().unwrap();
    let (_service, operator) = with_sales(&folder, &["--body-seconds", "600"]);
    let log = folder.path().join("data.db-wal");
    let mebibytes = || std::fs::metadata(&log).map_or(0, |log| log.len()) / MIB;
    let mut conn = database_in(&folder);
    conn.batch_execute("CREATE TABLE filler (bytes BLOB)").unwrap();
    let mut fill = || {
        conn.batch_execute("INSERT INTO filler VALUES (randomblob(1048576)); DELETE FROM filler").unwrap();
        std::thread::sleep(Duration::from_millis(10));
    };
    (0..20).for_each(|_| fill());
    assert!(mebibytes() < 16, "{} MiB while nobody reads", mebibytes());
    let readers: Vec<_> = (0..2).map(|_| slow_reader(&operator)).collect();
    assert!(readers.iter().all(|(_, head)| status(head) == "200"), "{readers:?}");
    while mebibytes() < 193 {
        fill();
    }
    // Whoever reads is asked every second: meanwhile the log goes on growing.
    let begun = Instant::now();
    let mut limit = Duration::from_secs(5);
    while mebibytes() > 16 {
        if begun.elapsed() > limit {
            limit = limit.max(operator.limit(Duration::from_secs(5)));
            assert!(begun.elapsed() < limit, "the log has {} MiB, and grows", mebibytes());
        }
        fill();
    }
    for (reader, _) in readers {
        assert!(is_broken_off(reader));
    }
    let (reader, head) = slow_reader(&operator);
    assert!(status(&head) == "200" && !is_broken_off(reader), "{head}");
}

#[test]
fn a_file_ends_when_its_reader_is_barred() {
    let folder = tempfile::tempdir().unwrap();
    let (_service, operator) = with_sales(&folder, &["--body-seconds", "60"]);
    let (other, id) = another_operator(&operator);
    let (reader, head) = slow_reader(&other);
    assert_eq!(status(&head), "200", "{head}");
    let reason = json!({"reason": "Left"});
    let path = format!("/v1/users/{id}/deactivation");
    assert_eq!(operator.status_of("POST", &path, Some(&reason)), Some(200));
    std::thread::sleep(operator.limit(Duration::from_secs(3)));
    assert!(is_broken_off(reader));
}

#[test]
fn a_slow_reader_does_not_hold_up_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let (mut service, operator) = with_sales(&folder, &["--body-seconds", "60"]);
    let (reader, head) = slow_reader(&operator);
    assert_eq!(status(&head), "200", "{head}");
    let end = |service: &mut Running| {
        timed(|| {
            service.signal("TERM");
            assert!(service.wait().success());
        })
    };
    let took = end(&mut service);
    // What the end takes on this machine where nobody reads.
    let calm = end(&mut Running::start_on(&url_in(folder.path()), &[]));
    assert!(took < Duration::from_secs(7) + 3 * calm, "it took {took:?}, and with no reader {calm:?}");
    assert!(is_broken_off(reader));
}

fn upload(operator: &Operator, rows: &str) -> TcpStream {
    let mut socket = TcpStream::connect(&operator.address).unwrap();
    let head = format!(
        "POST /v1/transaction-imports HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nContent-Type: text/csv\r\n\
         Transfer-Encoding: chunked\r\n\r\n",
        operator.bearer
    );
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(format!("{:x}\r\n{rows}\r\n", rows.len()).as_bytes()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    socket
}

#[test]
fn a_file_that_trickles_is_given_up_and_many_of_them_hold_no_threads() {
    let folder = tempfile::tempdir().unwrap();
    let url = url_in(folder.path());
    let (service, mut operator) = started(&url);
    drop(service);
    let service = Running::start_on(&url, &["--body-seconds", "3", "--requests-per-minute", "1000000000"]);
    operator.address.clone_from(&service.address);
    let before = service.threads();
    let mut trickle = upload(&operator, HEAD);
    wait_until("a place for the file", || service.threads_named("upload") == 1);
    let begun = Instant::now();
    let limit = operator.limit(Duration::from_secs(10));
    let others: Vec<_> = (0..100).map(|_| upload(&operator, HEAD)).collect();
    std::thread::sleep(Duration::from_secs(1));
    let most = service.threads();
    assert!(most < before + 40, "{before} threads, and {most} with 101 files");
    // A byte now and then keeps the connection alive, and not the import.
    let mut answer = [0; 12];
    while begun.elapsed() < 2 * limit && trickle.write_all(b"1\r\nx\r\n").is_ok() {
        trickle.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        if trickle.read_exact(&mut answer).is_ok() {
            break;
        }
    }
    assert_eq!(&answer, b"HTTP/1.1 408");
    assert!(begun.elapsed() < limit, "{:?}, and the limit is {limit:?}", begun.elapsed());
    let refused = others.into_iter().filter(|other| {
        let (mut other, mut answer) = (other, [0; 12]);
        other.read_exact(&mut answer).is_ok() && &answer == b"HTTP/1.1 409"
    });
    assert!(refused.count() >= 98);
}

/// The pieces of files that are kept.
fn pieces_in(folder: &tempfile::TempDir) -> i64 {
    transaction_import_pieces::table.count().get_result(&mut database_in(folder)).unwrap()
}

#[test]
fn nobody_waits_for_a_file_of_somebody_else_that_trickles() {
    let folder = tempfile::tempdir().unwrap();
    let url = url_in(folder.path());
    let (service, mut operator) = started(&url);
    drop(service);
    let service = Running::start_on(&url, &["--body-seconds", "600", "--requests-per-minute", "1000000000"]);
    operator.address.clone_from(&service.address);
    let (partner, (other, _)) = (operator.partner(), another_operator(&operator));
    let row =
        |n: u32| format!("billing,INV-{n:08},{partner},C-1,DE,SKU-1,azure,purchase,2018-07-01,12.50,EUR\n");
    // One that has hardly begun, and one that is too long to be held in memory.
    let long = format!("{HEAD}{}", (0..30_000).map(row).collect::<String>());
    let trickles = [upload(&operator, HEAD), upload(&operator, &long)];
    wait_until("both files have a place", || service.threads_named("upload") == 2);
    wait_until("the long one is kept", || pieces_in(&folder) >= 2);
    for number in 1..=2 {
        let file = format!("{HEAD}{}", row(50_000 + number));
        let done = other.post("/v1/transaction-imports", "text/csv", file);
        assert_eq!((&done["state"], &done["created"]), (&json!("completed"), &json!(1)), "{done}");
        assert_eq!(other.total(), i64::from(number), "nothing of the others is recorded");
    }
    // What has arrived is recorded, and its pieces are gone.
    for mut trickle in trickles {
        trickle.write_all(b"0\r\n\r\n").unwrap();
        let mut answer = [0; 12];
        trickle.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 201");
    }
    assert_eq!(other.total(), 30_002);
    wait_until("no piece is kept", || pieces_in(&folder) == 0);
}
