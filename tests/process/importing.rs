//! Imports of a process: killed in the middle, and never larger for a larger file.

use crate::{
    operator::{Operator, agent, started, timed, url_in, wait_until},
    running::{Running, command},
};
use diesel::{QueryDsl, RunQueryDsl};
use partner_incentives::{platform::db::Target, schema::transaction_import_pieces};
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

const HEAD: &str = "source,external_id,partner_id,customer_id,customer_country,product,product_family,kind,\
                    occurred_on,amount,currency\n";

fn rows(partner: &str, numbers: std::ops::Range<u32>) -> String {
    let mut rows = String::new();
    for n in numbers {
        writeln!(
            rows,
            "billing,INV-{n:08},{partner},C-{},DE,SKU-1,azure,purchase,2018-07-01,12.50,EUR",
            n % 100
        )
        .unwrap();
    }
    rows
}

/// Sends the beginning of a file, and leaves the rest open.
fn half_sent(operator: &Operator, rows: &str) -> TcpStream {
    let mut socket = TcpStream::connect(&operator.address).unwrap();
    let head = format!(
        "POST /v1/transaction-imports HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nContent-Type: text/csv\r\n\
         Transfer-Encoding: chunked\r\n\r\n",
        operator.bearer
    );
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(format!("{:x}\r\n{HEAD}{rows}\r\n", HEAD.len() + rows.len()).as_bytes()).unwrap();
    socket
}

/// Sends a file, and does not wait for the answer.
fn sent(operator: &Operator, rows: &str) -> TcpStream {
    let mut socket = half_sent(operator, rows);
    socket.write_all(b"0\r\n\r\n").unwrap();
    socket
}

#[test]
fn what_a_killed_import_leaves_is_seen_by_nobody_and_the_file_is_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let url = url_in(folder.path());
    let (mut service, operator) = started(&url);
    let partner = operator.partner();
    let socket = sent(&operator, &rows(&partner, 0..60_000));
    let import = operator.wait_for(|import| import["rows_read"].as_i64().is_some_and(|rows| rows > 0));
    assert_eq!((&import["state"], &import["created"]), (&json!("receiving"), &import["rows_read"]));
    assert_eq!(operator.total(), 0, "nobody sees a row of it");
    service.signal("KILL");
    service.wait();
    drop(socket);

    let service = Running::start_on(&url, &[]);
    let operator = Operator::of(&service);
    assert_eq!(operator.total(), 0);
    let import = operator.wait_for(|import| import["state"] != "receiving");
    assert_eq!(import["state"], "failed", "{import}");
    assert_eq!(pieces_in(&url), 0, "what was kept of the file is gone with it");
    let file = format!("{HEAD}{}", rows(&partner, 0..12_000));
    let done = operator.post("/v1/transaction-imports", "text/csv", file.clone());
    assert_eq!((&done["state"], &done["created"]), (&json!("completed"), &json!(12_000)), "{done}");
    assert_eq!(operator.total(), 12_000);

    // Killed before anything of it was cleared up, and sent again at once.
    let socket = sent(&operator, &rows(&partner, 12_000..72_000));
    operator.wait_for(|import| import["state"] == "receiving" && import["rows_read"].as_i64() > Some(0));
    service.signal("KILL");
    drop((service, socket));
    let path = folder.path().join("file.csv");
    std::fs::write(&path, format!("{HEAD}{}", rows(&partner, 11_000..23_000))).unwrap();
    let output = command(&url).arg("import").arg(&path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("11000 recorded, 1000 unchanged"), "{said}");
}

/// The pieces of files that are kept in a database.
fn pieces_in(url: &str) -> i64 {
    let mut conn = url.parse::<Target>().unwrap().open().unwrap();
    transaction_import_pieces::table.count().get_result(&mut conn).unwrap()
}

#[test]
fn a_sender_who_goes_away_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let url = url_in(folder.path());
    let (service, operator) = started(&url);
    let partner = operator.partner();
    let write = |number: &str| {
        let body = json!({
            "source": "billing", "external_id": number, "partner_id": partner, "customer": {"id": "C", "country": "DE"},
            "product": "SKU-1", "product_family": "azure", "kind": "purchase", "occurred_on": "2018-07-01",
            "amount": {"amount": "1.00", "currency": "EUR"},
        });
        timed(|| {
            let made = operator.post("/v1/transactions", "application/json", body.to_string());
            assert!(made["id"].is_string(), "{made}");
        })
    };
    let calm = write("OTHER-1");
    let socket = half_sent(&operator, &rows(&partner, 0..30_000));
    wait_until("some of the file is kept", || pieces_in(&url) >= 2);
    // While it is on its way, others write.
    assert!(operator.get("/v1/partners")["items"][0]["id"] == partner.as_str());
    let beside = write("OTHER-2");
    assert!(beside < Duration::from_secs(2) + 10 * calm, "it took {beside:?}, and with no import {calm:?}");
    drop(socket);
    wait_until("nobody waits for the rest", || service.threads_named("upload") == 0);
    assert_eq!(operator.get("/v1/transaction-imports")["items"], json!([]));
    assert_eq!((pieces_in(&url), operator.total()), (0, 2));
}

#[test]
fn a_body_that_stops_arriving_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let url = url_in(folder.path());
    let (service, _) = started(&url);
    drop(service);
    let service = Running::start_on(&url, &["--body-seconds", "3"]);
    let operator = Operator::of(&service);
    let partner = operator.partner();
    let mut socket = half_sent(&operator, &rows(&partner, 0..10));
    let mut answer = String::new();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let _ = socket.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("the body stopped arriving"), "{answer}");
    assert_eq!(operator.get("/v1/transaction-imports")["items"], json!([]));
}

#[test]
fn memory_does_not_grow_with_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (service, operator) = started(&url_in(folder.path()));
    let partner = operator.partner();
    let taken = |numbers: std::ops::Range<u32>| {
        let path = folder.path().join("file.csv");
        std::fs::write(&path, format!("{HEAD}{}", rows(&partner, numbers))).unwrap();
        std::thread::scope(|scope| {
            let upload = scope.spawn(|| {
                let file = std::fs::File::open(&path).unwrap();
                operator.post("/v1/transaction-imports", "text/csv", file)
            });
            let mut most = 0;
            while !upload.is_finished() {
                most = most.max(service.memory());
                std::thread::sleep(Duration::from_millis(10));
            }
            let done = upload.join().unwrap();
            assert_eq!(done["state"], "completed", "{done}");
            most
        })
    };
    let (small, large) = (taken(0..90_000), taken(90_000..300_000));
    // Caches may still fill; the rows themselves would take more than twice as much.
    assert!(large < small + 64 * 1024, "{small} KiB for 90,000 rows, {large} KiB for 210,000");
    // Nor does it with the file of a list. What the import's caches held is kept for the next.
    let before = service.memory();
    let url = format!("http://{}/v1/transactions", operator.address);
    let ask = agent().get(url).header("authorization", &operator.bearer).header("accept", "text/csv");
    let mut reader = ask.call().unwrap().into_body().into_reader();
    let (mut buffer, mut lines, mut most) = (vec![0; 1 << 16], 0, 0);
    loop {
        let read = reader.read(&mut buffer).unwrap();
        if read == 0 {
            break;
        }
        lines += buffer[..read].split(|byte| *byte == b'\n').count() - 1;
        most = most.max(service.memory());
    }
    assert_eq!(lines, 300_001);
    assert!(most < before + 32 * 1024, "{before} KiB before, {most} KiB while a list of 300,000 was written");
}

#[test]
fn a_file_that_was_answered_at_once_is_imported_once_although_the_service_stops_and_dies() {
    let folder = tempfile::tempdir().unwrap();
    let url = url_in(folder.path());
    let (mut service, operator) = started(&url);
    let partner = operator.partner();
    let file = format!("{HEAD}{}", rows(&partner, 0..60_000));
    let ask = agent().post(format!("http://{}/v1/transaction-imports", operator.address));
    let ask = ask.header("authorization", &operator.bearer).header("content-type", "text/csv");
    let answer = ask.header("prefer", "respond-async").send(file).unwrap();
    assert_eq!(answer.status().as_u16(), 202);
    let mut seen = 0;
    for signal in ["TERM", "KILL"] {
        let operator = Operator::of(&service);
        let import = operator.wait_for(|import| import["rows_read"].as_i64().unwrap() > seen);
        assert_eq!((&import["state"], operator.total()), (&json!("receiving"), 0), "{import}");
        seen = import["rows_read"].as_i64().unwrap();
        service.signal(signal);
        service.wait();
        service = Running::start_on(&url, &["--requests-per-minute", "1000000000"]);
        let begun = Operator::of(&service).wait_for(|_| true);
        assert!(begun["rows_read"].as_i64().unwrap() >= seen, "it goes on where it was: {begun}");
    }
    let operator = Operator::of(&service);
    let import = operator.wait_for(|import| import["finished_at"].is_string());
    let counts = [&import["created"], &import["unchanged"], &import["invalid"]];
    assert_eq!((&import["state"], counts), (&json!("completed"), [&json!(60_000), &json!(0), &json!(0)]));
    assert_eq!(operator.total(), 60_000);
}

#[test]
fn refunds_before_their_purchases_are_settled_once_although_the_service_dies_at_it() {
    const PAIRS: u32 = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let url = url_in(folder.path());
    let (mut service, operator) = started(&url);
    let partner = operator.partner();
    let mut file = HEAD.replace("kind,", "kind,original_external_id,");
    for n in 0..PAIRS {
        writeln!(file, "billing,R-{n},{partner},C-1,DE,SKU-1,azure,refund,P-{n},2018-07-02,-2.50,EUR")
            .unwrap();
    }
    for n in 0..PAIRS {
        writeln!(file, "billing,P-{n},{partner},C-1,DE,SKU-1,azure,purchase,,2018-07-01,12.50,EUR").unwrap();
    }
    let ask = agent().post(format!("http://{}/v1/transaction-imports", operator.address));
    let ask = ask.header("authorization", &operator.bearer).header("content-type", "text/csv");
    assert_eq!(ask.header("prefer", "respond-async").send(file).unwrap().status().as_u16(), 202);
    // The refunds are settled when the purchases are recorded.
    let mut seen = i64::from(PAIRS);
    for _ in 0..2 {
        let operator = Operator::of(&service);
        let import = operator.wait_for(|import| import["rows_read"].as_i64().unwrap() > seen);
        assert_eq!((&import["state"], operator.total()), (&json!("receiving"), 0), "{import}");
        assert!(import["waiting"].as_i64().unwrap() > 0, "some refunds wait: {import}");
        seen = import["rows_read"].as_i64().unwrap();
        service.signal("KILL");
        service.wait();
        service = Running::start_on(&url, &["--requests-per-minute", "1000000000"]);
    }
    let operator = Operator::of(&service);
    let import = operator.wait_for(|import| import["finished_at"].is_string());
    let counts =
        ["created", "unchanged", "conflicts", "invalid", "waiting"].map(|count| import[count].clone());
    assert_eq!((&import["state"], counts), (&json!("completed"), [2 * PAIRS, 0, 0, 0, 0].map(|n| json!(n))));
    let total = |kind: &str| {
        let page = operator.get(&format!("/v1/transactions?limit=1&include_total=true&kind={kind}"));
        page["total"].as_u64().unwrap()
    };
    assert_eq!([total("purchase"), total("refund")], [u64::from(PAIRS); 2]);
}

#[test]
fn a_file_that_would_fill_the_disk_leaves_nothing_and_locks_nobody_out() {
    // The disk of others may become fuller or emptier meanwhile.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let url = url_in(folder.path());
    let (first, operator) = started(&url);
    let partner = operator.partner();
    drop(first);
    let free = rustix::fs::statvfs(folder.path()).unwrap();
    let room_for = |mebibytes: u64| {
        let reserve = free.f_bavail * free.f_frsize - mebibytes * 1024 * 1024;
        let arguments = ["--disk-reserve-bytes", &reserve.to_string(), "--requests-per-minute", "1000000000"];
        Running::start_on(&url, &arguments)
    };
    let send = |operator: &Operator, numbers: std::ops::Range<u32>| {
        let file = format!("{HEAD}{}", rows(&partner, numbers));
        let ask = agent().post(format!("http://{}/v1/transaction-imports", operator.address));
        let ask = ask.header("authorization", &operator.bearer).header("content-type", "text/csv");
        let mut answer = ask.send(file).unwrap();
        let told: Value = answer.body_mut().read_json().unwrap();
        assert_eq!(answer.status().as_u16(), 503, "{told}");
        assert!(told["detail"].as_str().unwrap().contains("the disk of the database"), "{told}");
        told
    };
    // There is no room for the file.
    let service = room_for(8);
    let operator = Operator::of(&service);
    send(&operator, 0..240_000);
    assert_eq!(operator.get("/v1/transaction-imports")["items"], json!([]));
    assert_eq!((pieces_in(&url), operator.total()), (0, 0));
    assert_eq!(Operator::of(&service).write(1), Some(201), "people sign in and write");
    drop(service);

    // There is room for the file, and not for its rows.
    let service = room_for(48);
    let operator = Operator::of(&service);
    let told = send(&operator, 0..120_000);
    let import = operator.get(&format!("/v1/transaction-imports/{}", told["import_id"].as_str().unwrap()));
    assert_eq!((&import["state"], operator.total()), (&json!("failed"), 0), "{import}");
    let read = import["rows_read"].as_i64().unwrap();
    assert!(0 < read && read < 120_000, "in the middle of it: {import}");
    assert_eq!(pieces_in(&url), 0);
    assert_eq!(Operator::of(&service).write(2), Some(201), "people sign in and write");
}

#[test]
fn the_command_ignores_unknown_columns_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let url = url_in(folder.path());
    let (service, operator) = started(&url);
    let partner = operator.partner();
    drop(service);
    let path = folder.path().join("file.csv");
    let file = format!("{HEAD}{}", rows(&partner, 0..2));
    std::fs::write(&path, file.replace('\n', ",memo\n")).unwrap();
    let import = |arguments: &[&str]| {
        let output = command(&url).arg("import").arg(&path).args(arguments).output().unwrap();
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.success(), said)
    };
    let (done, said) = import(&[]);
    assert!(!done && said.contains("memo") && said.contains("ignore"), "{said}");
    let (done, said) = import(&["--ignore-unknown-columns"]);
    assert!(done && said.contains("2 recorded"), "{said}");
}

#[test]
fn the_file_of_errors_is_opened_before_the_work_begins() {
    let folder = tempfile::tempdir().unwrap();
    let (service, operator) = started(&url_in(folder.path()));
    let partner = operator.partner();
    drop(service);
    let url = url_in(folder.path());
    let path = folder.path().join("file.csv");
    std::fs::write(&path, format!("{HEAD}{}", rows(&partner, 0..2).replacen("purchase", "gift", 1))).unwrap();
    let import = |errors: &std::path::Path| {
        let output = command(&url).arg("import").arg(&path).arg("--errors").arg(errors).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr))
    };
    for (errors, why) in [
        (folder.path().join("no/such/folder.csv"), "cannot be written"),
        (path.clone(), "the file to import"),
    ] {
        let (said, told) = import(&errors);
        assert!(told.contains("--errors") && told.contains(why), "{told}");
        assert!(!said.contains("rows;"), "nothing was imported: {said}");
    }
    let errors = folder.path().join("errors.csv");
    let (said, _) = import(&errors);
    assert!(said.contains("2 rows; 1 recorded"), "{said}");
    let written = std::fs::read_to_string(&errors).unwrap();
    assert!(written.starts_with("line,external_id,pointer,code,message,remedy"), "{written}");
    assert!(written.contains("2,INV-00000000,/kind,not_listed,"), "{written}");
    std::fs::write(&path, HEAD).unwrap();
    let (_, told) = import(&errors);
    assert!(told.contains("the file has no row"), "{told}");
}
