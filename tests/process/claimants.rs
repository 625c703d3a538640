//! Partners with co-op funds of half-years that are closed, and the people who claim from the funds and decide.
//!
//! The service of the tests has the clock of the machine, so that what leads to the funds is done before, in this process, by a
//! clock that stands in the past.

use crate::{
    operator::agent,
    running::{Running, command},
};
use aws_lc_rs::digest::{Context, SHA256, digest};
use diesel::{
    QueryDsl, QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::BigInt,
};
use partner_incentives::{
    access::{Role, password::Hasher},
    app::Service,
    config::Settings,
    earnings::{calculation, closing},
    identity::{sessions, users},
    ledger::accounting::coop_funds::HalfYear,
    participation::programs::{program_year, program_year_of},
    platform::{
        db::{Conn, Target},
        objects::StoreAddress,
        values::{CalendarDate, Clock, Id, Ids, Locale, Month, Timestamp},
    },
    schema::{coop_loose_objects as loose, coop_proofs as proofs},
    work::JobName,
};
use prometheus::Registry;
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{Read, Write},
    net::TcpStream,
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const WORLD: &str = include_str!("claimants.sql");
const PASSWORD: &str = "a much longer passphrase";
/// What SQLite has and PostgreSQL has not.
const FUNCTIONS: &str = "
    CREATE FUNCTION printf(text, bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lpad(to_hex($2), 32, '0') $$;
    CREATE FUNCTION unhex(text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT $1::uuid $$;";
/// The reviewers of the programme.
pub const REVIEWERS: [&str; 2] = ["olga@programme.example", "otto@programme.example"];

/// A database and a store of proofs that outlive the service.
pub struct Claimants {
    /// The address of the database.
    pub url: String,
    /// The folder of the proofs.
    pub proofs: PathBuf,
    /// The half-year whose funds are claimed today.
    pub half: HalfYear,
    partners: u32,
    key: String,
}

impl Claimants {
    /// So many partners, each with a fund of the half-year that is claimed today and of the one before; every third partner's
    /// funds are below the threshold. Both half-years are closed, and nothing is done about their end yet.
    pub fn prepared(url: String, folder: &Path, partners: u32) -> Self {
        let target: Target = url.parse().expect("an address");
        let today = Clock::System.now().date();
        // The windows for claims follow each other: each begins seven months and 15 days behind its half-year's beginning.
        let half = HalfYear::of(Month::of(today.plus_days(-15)).plus(-7));
        let settings = Settings::for_tests(target, Clock::standing_at(noon(today)), Ids::random());
        let key = settings.encryption_key.clone().expect("the tests' key");
        let made = Self { url, proofs: folder.join("proofs"), half, partners, key };
        made.fill(settings);
        made
    }

    fn fill(&self, settings: Settings) {
        let clock = settings.clock.clone();
        let now = clock.now();
        let halves = [HalfYear::of(self.half.first_month().plus(-1)), self.half];
        clock.set(noon(halves[0].first_month().first_day()));
        let service = Service::open(settings).expect("open");
        for email in REVIEWERS {
            users::provision(&service.app, person(email, Role::Operator, None)).expect("hire");
        }
        self.open().batch_execute(&self.world(halves)).expect("fill");
        let mut month = halves[0].last_month();
        while month <= self.half.last_month() {
            clock.set(noon(month.last_day()));
            let sold = "INSERT INTO calculation_backlog (partner_id, from_day, cause) SELECT partner_id, MIN(occurred_on), 'sale'
                FROM transaction_records WHERE occurred_on BETWEEN";
            let days = format!("'{}' AND '{}'", month.first_day(), month.last_day());
            self.open().batch_execute(&format!("{sold} {days} GROUP BY partner_id")).expect("sell");
            calculation::calculate(&service.app, None, |_| ControlFlow::Continue(())).expect("calculate");
            clock.set(noon(month.last_day().plus_days(4)));
            let close =
                move |tx: &mut partner_incentives::access::Tx<'_>| closing::close(tx, month, None).map(drop);
            service.app.write_as_system("CloseMonth", close).expect("close");
            month = month.plus(1);
        }
        clock.set(now);
        sessions::keys::rotate_if_due(&service.app).expect("a key of today");
        service.close();
    }

    fn world(&self, halves: [HalfYear; 2]) -> String {
        let (base, rest) = WORLD.split_once("-- a year").expect("a year");
        let (year, sales) = rest.split_once("-- a half-year").expect("a half-year");
        let mut years = halves.map(|half| program_year_of(half.first_month().first_day())).to_vec();
        years.dedup();
        let mut world = base.to_owned();
        for (number, version) in years.into_iter().zip(1..) {
            let days = program_year(number).expect("a program year");
            let year =
                year.replace("{version}", &i32::to_string(&version)).replace("{year}", &number.to_string());
            world += &year.replace("{first}", &days.from.to_string()).replace("{last}", &days.to.to_string());
        }
        for (half, sale) in halves.iter().zip(1..) {
            let day = half.last_month().first_day().plus_days(9).to_string();
            world += &sales.replace("{sale}", &i32::to_string(&sale)).replace("{day}", &day);
        }
        let world = world.replace("{partners}", &self.partners.to_string());
        if self.is_sqlite() {
            return world.replace("{then}", "1").replace("{no}", "0");
        }
        FUNCTIONS.to_owned() + &world.replace("{then}", "TIMESTAMPTZ 'epoch'").replace("{no}", "FALSE")
    }

    fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite")
    }

    /// A connection of the test's own.
    pub fn open(&self) -> Conn {
        self.url.parse::<Target>().expect("an address").open().expect("open")
    }

    /// The service in this process, by a clock that stands so many days from now.
    pub fn in_process(&self, days: i32) -> Service {
        let target = self.url.parse().expect("an address");
        let clock = Clock::standing_at(noon(Clock::System.now().date().plus_days(days)));
        let mut settings = Settings::for_tests(target, clock, Ids::random());
        settings.proof_store = Some(StoreAddress::Folder(self.proofs.clone()));
        Service::open(settings).expect("open")
    }

    fn settings(&self) -> [&str; 4] {
        ["--encryption-key", &self.key, "--proof-store", self.proofs.to_str().expect("a path")]
    }

    /// Starts the service, with variables of its environment.
    pub fn start_with(&self, environment: &[(&str, &Path)]) -> Running {
        let settings = self.settings();
        let limits = ["--requests-per-minute", "1000000000", "--sign-ins-per-minute", "10000"];
        let arguments = [&settings[..], &limits, &["--body-seconds", "60"]];
        Running::start_with(&self.url, &arguments.concat(), environment)
    }

    /// Starts the service.
    pub fn start(&self) -> Running {
        self.start_with(&[])
    }

    /// Another command of the binary.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(&self.url);
        command.args(self.settings()).args(arguments);
        command
    }

    /// Does what the day brings, to its end.
    pub fn refresh(&self) {
        let done = self.command(&["jobs", "run", "daily-refresh"]).output().expect("run");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// Compares the books.
    pub fn verify(&self) {
        let verified = self.command(&["verify"]).output().expect("run");
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    }

    /// Makes an incentive admin of a partner, counted from 1; the user name.
    pub fn admin_of(&self, partner: u32) -> String {
        let email = format!("admin-{partner}@partner.example");
        let service = self.in_process(0);
        let partner = format!("00000000-0000-0000-0000-{:012x}", 4096 + partner).parse().expect("an id");
        users::provision(&service.app, person(&email, Role::IncentiveAdmin, Some(partner))).expect("hire");
        service.close();
        email
    }

    /// Makes an incentive admin of every partner.
    pub fn admins_of_all(&self) {
        let service = self.in_process(0);
        let partners = self.partners;
        let hire = move |tx: &mut partner_incentives::access::Tx<'_>| {
            for n in 1..=partners {
                let partner = format!("00000000-0000-0000-0000-{:012x}", 4096 + n).parse().expect("an id");
                users::create(
                    tx,
                    person(&format!("admin-{n}@partner.example"), Role::IncentiveAdmin, Some(partner)),
                )?;
            }
            Ok(())
        };
        service.app.write_as_system("Hire", hire).expect("hire");
        service.close();
    }
}

fn noon(day: CalendarDate) -> Timestamp {
    format!("{day}T12:00:00Z").parse().expect("noon")
}

fn person(email: &str, role: Role, partner_id: Option<Id>) -> users::NewUser {
    static HASH: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| Hasher::new(64, 1).and_then(|it| it.hash(PASSWORD)).expect("a hash"));
    users::NewUser {
        email: email.into(),
        name: "Olga".into(),
        role,
        partner_id,
        password_hash: HASH.clone(),
        must_change_password: false,
        issuer: None,
        locale: Locale::En,
    }
}

/// Signs in; the `Authorization` field.
pub fn bearer(address: &str, email: &str) -> String {
    let body = json!({"username": email, "password": PASSWORD});
    let url = format!("http://{address}/v1/auth/login");
    let session: Value =
        agent().post(url).send_json(body).expect("an answer").body_mut().read_json().expect("JSON");
    format!("Bearer {}", session["access_token"].as_str().unwrap_or_else(|| panic!("{session}")))
}

/// A proof on record.
pub struct Known {
    /// The partner, and the folder of the file.
    pub partner: Id,
    /// The id, and the name of the file.
    pub id: Id,
    /// The SHA-256 of the file.
    pub sha256: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

impl Claimants {
    /// What a statement counts.
    pub fn count(&self, query: &str) -> i64 {
        let found: Count = sql_query(query).get_result(&mut self.open()).expect("a count");
        found.count
    }

    /// The proofs on record.
    pub fn proofs(&self) -> Vec<Known> {
        let columns = (proofs::partner_id, proofs::id, proofs::sha256);
        let found: Vec<(Id, Id, String)> =
            proofs::table.select(columns).load(&mut self.open()).expect("the proofs");
        found.into_iter().map(|(partner, id, sha256)| Known { partner, id, sha256 }).collect()
    }

    fn path_of(&self, partner: Id, id: Id) -> PathBuf {
        self.proofs.join(partner.to_string()).join(id.to_string())
    }

    /// Nobody waits here until the leases of a process that was killed have run out.
    pub fn give_back(&self) {
        let give_back = "UPDATE jobs SET holder = NULL, leased_until = NULL";
        sql_query(give_back).execute(&mut self.open()).expect("give back");
    }

    /// Every proof has its whole file, and every other file is known to be loose or is not whole.
    pub fn expect_files_of_proofs(&self) {
        let mut files = files(&self.proofs);
        for Known { partner, id, sha256 } in self.proofs() {
            let path = self.path_of(partner, id);
            let bytes =
                std::fs::read(&path).unwrap_or_else(|error| panic!("the file of the proof {id}: {error}"));
            assert_eq!(hex(&bytes), sha256, "the file of the proof {id}");
            files.retain(|file| *file != path);
        }
        let columns = (loose::partner_id, loose::id);
        let known: Vec<(Id, Id)> =
            loose::table.select(columns).load(&mut self.open()).expect("the loose objects");
        let known: Vec<PathBuf> = known.into_iter().map(|(partner, id)| self.path_of(partner, id)).collect();
        for file in files.iter().filter(|file| !is_unfinished(file)) {
            assert!(known.contains(file), "{} belongs to nobody, and nobody will sweep it", file.display());
        }
    }

    /// Sweeps as of the day after tomorrow: nothing is left but the files of proofs.
    pub fn expect_nothing_loose_after_the_sweep(&self) {
        for file in files(&self.proofs).iter().filter(|file| is_unfinished(file)) {
            let file = File::options().write(true).open(file).expect("a file");
            let written = file.metadata().and_then(|about| about.modified()).expect("its age");
            file.set_modified(written - Duration::from_secs(90_000)).expect("another age");
        }
        let service = self.in_process(2);
        service
            .engine(&Registry::new())
            .and_then(|engine| engine.run_now(JobName::CoopProofSweep))
            .expect("sweep");
        service.close();
        let mut left = files(&self.proofs);
        left.sort();
        let mut wanted: Vec<_> =
            self.proofs().iter().map(|proof| self.path_of(proof.partner, proof.id)).collect();
        wanted.sort();
        assert_eq!(left, wanted, "the files of proofs and no other");
        assert_eq!(self.count("SELECT COUNT(*) AS count FROM coop_loose_objects"), 0);
    }
}

/// Whether a file is one that was being written.
pub fn is_unfinished(file: &Path) -> bool {
    file.to_string_lossy().contains('#')
}

/// The files in a folder and in those below.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// A PDF of so many bytes and a few more, unlike all others.
pub fn document(number: u64, length: u64) -> Vec<u8> {
    let mut file = format!("%PDF-1.4\n% {number} ").into_bytes();
    file.resize(file.len() + usize::try_from(length).expect("a length"), b'.');
    file.extend(b"\n%%EOF\n");
    file
}

/// The SHA-256 as a proof has it.
pub fn hex(bytes: &[u8]) -> String {
    digits(digest(&SHA256, bytes).as_ref())
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// A claim on a fund: a stand at a trade show, by one invoice of so many cents.
pub fn stand(fund: &Value, day: &str, number: u64, cents: u64) -> Value {
    let money =
        |minor: u64| json!({"amount": format!("{}.{:02}", minor / 100, minor % 100), "currency": "USD"});
    json!({
        "fund_id": fund["id"], "activity": "tradeshow", "activity_from": day, "activity_to": day,
        "description": "A stand", "metric": 40,
        "expenses": [{
            "description": "Stand", "on": day, "net": money(cents), "tax": money(0), "recovers_tax": true,
            "source": {"type": "invoice", "supplier": "Hall", "number": format!("A-{number}")},
        }],
    })
}

/// An incentive admin of a running service.
#[derive(Clone)]
pub struct Admin {
    /// Where the service listens.
    pub address: String,
    /// The `Authorization` field.
    pub bearer: String,
}

/// An answer of the service.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The seconds after which the service wants to be asked again.
    pub retry_after: Option<u64>,
    /// The body.
    pub body: Value,
}

impl Admin {
    /// The admin of a partner, signed in.
    pub fn of(service: &Running, email: &str) -> Self {
        Self { address: service.address.clone(), bearer: bearer(&service.address, email) }
    }

    /// Reads.
    pub fn get(&self, path: &str) -> Value {
        let ask = agent().get(format!("http://{}{path}", self.address)).header("authorization", &self.bearer);
        Answer::of(ask.call().expect("an answer")).body
    }

    /// Sends.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        let ask =
            agent().post(format!("http://{}{path}", self.address)).header("authorization", &self.bearer);
        Answer::of(ask.send_json(body).expect("an answer"))
    }

    /// A draft of a claim on the partner's fund; its id.
    pub fn draft(&self, kept: &Claimants, cents: u64) -> String {
        let fund = &self.get("/v1/coop-funds?state=claimable")["items"][0];
        let made = self.post("/v1/coop-claims", &stand(fund, &kept.half.usage().from.to_string(), 1, cents));
        made.body["id"].as_str().unwrap_or_else(|| panic!("{}", made.body)).to_owned()
    }

    /// Sends a proof of a claim, by its kind and its expense, and nothing else. A service that puts the file off answers before the
    /// file has come to its end, and closes the connection.
    pub fn prove(&self, claim: &str, what: &str, file: &[u8]) -> Answer {
        let mut socket = TcpStream::connect(&self.address).expect("a connection");
        let head = format!(
            "POST /v1/coop-claims/{claim}/proofs?name=proof.pdf&{what} HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\n\
             Content-Type: application/pdf\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.bearer,
            file.len()
        );
        let sent = socket.write_all(head.as_bytes()).and_then(|()| socket.write_all(file));
        let mut told = Vec::new();
        let read = socket.read_to_end(&mut told);
        let told = String::from_utf8_lossy(&told);
        let (head, body) =
            told.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{sent:?}, {read:?}: {told}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let after = head.lines().find_map(|line| line.strip_prefix("retry-after: "));
        let retry_after = after.and_then(|after| after.parse().ok());
        Answer { status, retry_after, body: serde_json::from_str(body).unwrap_or_else(|_| panic!("{told}")) }
    }

    /// What a claim lacks, as `prove` wants it.
    pub fn missing(&self, claim: &str) -> Vec<String> {
        let shown = self.get(&format!("/v1/coop-claims/{claim}"));
        let missing = shown["assessment"]["missing_proofs"].as_array().cloned().unwrap_or_default();
        let words = |one: &Value| {
            let expense = one["expense_id"].as_str().map_or(String::new(), |id| format!("&expense_id={id}"));
            format!("kind={}{expense}", one["any_of"][0].as_str().expect("a kind"))
        };
        missing.iter().map(words).collect()
    }

    /// Downloads a proof; how many bytes came, and their SHA-256. An answer where the service refuses.
    pub fn download(&self, proof: &str) -> Result<(u64, String), Answer> {
        let url = format!("http://{}/v1/coop-proofs/{proof}/content", self.address);
        let mut answer = agent().get(url).header("authorization", &self.bearer).call().expect("an answer");
        if answer.status().as_u16() != 200 {
            return Err(Answer::of(answer));
        }
        let (mut bytes, mut from) = (0, answer.body_mut().as_reader());
        let (mut context, mut buffer) = (Context::new(&SHA256), vec![0; 1 << 16]);
        loop {
            match from.read(&mut buffer).expect("the rest of a file") {
                0 => return Ok((bytes, digits(context.finish().as_ref()))),
                count => {
                    bytes += count as u64;
                    context.update(&buffer[..count]);
                }
            }
        }
    }
}

impl Answer {
    fn of(mut answer: ureq::http::Response<ureq::Body>) -> Self {
        let retry_after =
            answer.headers().get("retry-after").and_then(|after| after.to_str().ok()?.parse().ok());
        Self {
            status: answer.status().as_u16(),
            retry_after,
            body: answer.body_mut().read_json().unwrap_or_default(),
        }
    }
}
