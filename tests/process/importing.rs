//! Imports of a process: killed in the middle, and never larger for a larger file.

use crate::running::{Running, command};
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    time::{Duration, Instant},
};

const HEAD: &str = "source,external_id,partner_id,customer_id,customer_country,product,product_family,kind,\
                    occurred_on,amount,currency\n";

/// An operator of a running service.
struct Operator {
    address: String,
    bearer: String,
}

impl Operator {
    const NAME: &str = "olga@programme.example";
    const PASSWORD: &str = "a much longer passphrase";

    /// The first one, with a password of its own.
    fn first_of(service: &Running, temporary: &str) -> Self {
        let nobody = Self { address: service.address.clone(), bearer: String::new() };
        let bearer = nobody.token(temporary);
        let change = json!({"current_password": temporary, "new_password": Self::PASSWORD});
        let url = format!("http://{}/v1/me/password", nobody.address);
        let changed = agent().put(url).header("authorization", &bearer).send_json(change).unwrap();
        assert_eq!(changed.status().as_u16(), 204);
        Self::of(service)
    }

    fn of(service: &Running) -> Self {
        let nobody = Self { address: service.address.clone(), bearer: String::new() };
        Self { bearer: nobody.token(Self::PASSWORD), ..nobody }
    }

    fn token(&self, password: &str) -> String {
        let body = json!({"username": Self::NAME, "password": password});
        let url = format!("http://{}/v1/auth/login", self.address);
        let session: Value = agent().post(url).send_json(body).unwrap().body_mut().read_json().unwrap();
        format!("Bearer {}", session["access_token"].as_str().unwrap())
    }

    fn get(&self, path: &str) -> Value {
        let ask = agent().get(format!("http://{}{path}", self.address)).header("authorization", &self.bearer);
        ask.call().unwrap().body_mut().read_json().unwrap()
    }

    fn post(&self, path: &str, media: &str, body: impl ureq::AsSendBody) -> Value {
        let ask = agent().post(format!("http://{}{path}", self.address));
        let ask = ask.header("authorization", &self.bearer).header("content-type", media);
        ask.send(body).unwrap().body_mut().read_json().unwrap()
    }

    fn partner(&self) -> String {
        let partner = json!({
            "mpn_id": "4711001", "legal_name": "Contoso Ltd", "country": "DE", "currency": "EUR",
            "partner_type": "direct_bill", "contact_email": "partner@contoso.example",
        });
        let made = self.post("/v1/partners", "application/json", partner.to_string());
        made["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    }

    fn total(&self) -> i64 {
        self.get("/v1/transactions?limit=1&include_total=true")["total"].as_i64().unwrap()
    }

    /// Waits until the latest import is as wanted.
    fn wait_for(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let import = self.get("/v1/transaction-imports?limit=1")["items"][0].clone();
            if wanted(&import) {
                return import;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "still {import}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

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

fn url_in(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("data.db").display())
}

/// A service on a fresh database with an operator of its own.
fn started(url: &str) -> (Running, Operator) {
    let made = command(url)
        .args(["user", "create", "--email", Operator::NAME, "--name", "Olga", "--role", "operator"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&made.stdout).into_owned();
    let temporary = said.split("shown this once: ").nth(1).unwrap_or_else(|| panic!("{said}")).trim();
    let service = Running::start_on(url, &[]);
    let operator = Operator::first_of(&service, temporary);
    (service, operator)
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

#[test]
fn what_a_killed_import_leaves_is_seen_by_nobody_and_the_file_is_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let url = url_in(folder.path());
    let (mut service, operator) = started(&url);
    let partner = operator.partner();
    let socket = half_sent(&operator, &rows(&partner, 0..12_000));
    let import = operator.wait_for(|import| import["rows_read"] == 10_000);
    assert_eq!((&import["state"], &import["created"]), (&json!("receiving"), &json!(10_000)));
    assert_eq!(operator.total(), 0, "nobody sees a row of it");
    service.signal("KILL");
    service.wait();
    drop(socket);

    let service = Running::start_on(&url, &[]);
    let operator = Operator::of(&service);
    assert_eq!(operator.total(), 0);
    let import = operator.wait_for(|import| import["state"] != "receiving");
    assert_eq!(import["state"], "failed", "{import}");
    let file = format!("{HEAD}{}", rows(&partner, 0..12_000));
    let done = operator.post("/v1/transaction-imports", "text/csv", file.clone());
    assert_eq!((&done["state"], &done["created"]), (&json!("completed"), &json!(12_000)), "{done}");
    assert_eq!(operator.total(), 12_000);

    // Killed before anything of it was cleared up, and sent again at once.
    let socket = half_sent(&operator, &rows(&partner, 12_000..23_000));
    operator.wait_for(|import| import["rows_read"] == 10_000);
    service.signal("KILL");
    drop((service, socket));
    let path = folder.path().join("file.csv");
    std::fs::write(&path, format!("{HEAD}{}", rows(&partner, 11_000..23_000))).unwrap();
    let output = command(&url).arg("import").arg(&path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("11000 recorded, 1000 unchanged"), "{said}");
}

#[test]
fn a_sender_who_goes_away_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (_service, operator) = started(&url_in(folder.path()));
    let partner = operator.partner();
    let socket = half_sent(&operator, &rows(&partner, 0..12_000));
    operator.wait_for(|import| import["rows_read"] == 10_000);
    // While it is on its way, others write.
    assert!(operator.get("/v1/partners")["items"][0]["id"] == partner.as_str());
    let start = Instant::now();
    let body = json!({
        "source": "billing", "external_id": "OTHER-1", "partner_id": partner, "customer": {"id": "C", "country": "DE"},
        "product": "SKU-1", "product_family": "azure", "kind": "purchase", "occurred_on": "2018-07-01",
        "amount": {"amount": "1.00", "currency": "EUR"},
    });
    let made = operator.post("/v1/transactions", "application/json", body.to_string());
    assert!(made["id"].is_string() && start.elapsed() < Duration::from_secs(2), "{made}");
    drop(socket);
    let import = operator.wait_for(|import| import["state"] != "receiving");
    assert_eq!((&import["state"], operator.total()), (&json!("failed"), 1), "{import}");
}

#[test]
fn a_body_that_stops_arriving_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let url = url_in(folder.path());
    let (service, _) = started(&url);
    drop(service);
    let service = Running::start_on(&url, &["--body-seconds", "1"]);
    let operator = Operator::of(&service);
    let partner = operator.partner();
    let mut socket = half_sent(&operator, &rows(&partner, 0..10));
    let mut answer = String::new();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let _ = socket.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    let import = operator.wait_for(|import| import["state"] == "failed");
    assert_eq!(import["failure"], "the body stopped arriving");
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
    let (small, large) = (taken(0..30_000), taken(30_000..300_000));
    // Caches may still fill; the rows themselves would take more than twice as much.
    assert!(large < small + 64 * 1024, "{small} KiB for 30,000 rows, {large} KiB for 270,000");
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
