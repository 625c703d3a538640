//! What co-op costs in bulk: the end of a half-year beside SQL written by hand, one statement for each table (`coop/by_hand.sql`),
//! and the pages of the review queue beside those of the sales, over HTTP.
//!
//! `cargo bench --bench coop -- [--size N]... [--rounds N] [--only sqlite|postgres] [--check]`
//!
//! So many funds end, one of each partner, a third of them below the threshold: once where nobody is told, and once where each
//! partner has an admin. So many claims wait for a reviewer, ten of each partner. Rounds are interleaved and the tables hold
//! medians; each end begins on the same books, and both write as many rows of each table, or the benchmark ends. `--check` fails
//! where an end takes more than three times as long as by hand, or a page of the queue takes more than 15 % longer, for its bytes,
//! than one of the sales, first or deep.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot run says why and ends"
)]
#![expect(clippy::indexing_slicing, clippy::print_stdout, reason = "likewise; and it prints a table")]

#[path = "ground.rs"]
mod ground;
#[path = "words.rs"]
mod words;

use diesel::{QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::BigInt};
use ground::{Engine, Options, median, postgres, with_peak};
use partner_incentives::{
    access::Role,
    app::{self, Service},
    config::Settings,
    identity::users,
    operations::jobs::{JobRun, JobRunState, RefreshStep, refresh},
    platform::{
        db::{Conn, Target},
        values::{Clock, Ids, Locale},
    },
    work::{JobName, Turn},
};
use serde_json::Value;
use std::{net::TcpListener, path::PathBuf, time::Instant};

const WORLD: &str = include_str!("coop/world.sql");
const BY_HAND: &str = include_str!("coop/by_hand.sql");
const QUEUE: &str = include_str!("coop/queue.sql");

/// How many times the time by hand the end of a half-year may take.
const MOST: f64 = 3.0;
/// How many times as long a page may take as one of the sales.
const PAGE: f64 = 1.15;
/// The claims of a partner.
const CLAIMS: u32 = 10;
/// How often a page is asked for in a round.
const REQUESTS: usize = 101;
/// The pages behind which a page is deep: of 200 each.
const DEEP: u32 = 25;
/// The tables that the end of a half-year writes.
const WRITTEN: [&str; 6] =
    ["coop_funds", "rebates", "ledger_transfers", "audit_events", "notifications", "deliveries"];
fn open(target: &Target) -> Service {
    // The day after the half-year's last month was closed: nobody is reminded of anything yet.
    let clock = Clock::standing_at("2019-01-05T12:00:00Z".parse().unwrap());
    let settings = Settings::for_tests(target.clone(), clock, Ids::random());
    Service::open(Settings { requests_per_minute: u32::MAX, ..settings }).unwrap()
}

/// Funds whose half-year is closed, made anew for each round.
struct World<'a> {
    engine: Engine,
    fill: &'a [&'a str],
    numbers: &'a [(&'a str, u32)],
    /// A file with all of it, which is copied; for SQLite.
    filled: Option<(tempfile::TempDir, PathBuf)>,
}

/// A database of a round.
struct Ground {
    target: Target,
    lease: Option<postgres::Lease>,
}

impl<'a> World<'a> {
    fn of(engine: Engine, fill: &'a [&'a str], numbers: &'a [(&'a str, u32)]) -> Self {
        let mut world = Self { engine, fill, numbers, filled: None };
        if engine == Engine::Sqlite {
            let folder = tempfile::Builder::new().prefix("coop-").tempdir().unwrap();
            let filled = folder.path().join("filled.db");
            world.fill(&Target::Sqlite(filled.clone()));
            world.filled = Some((folder, filled));
        }
        world
    }

    fn fill(&self, target: &Target) {
        open(target).close();
        let mut conn = target.open().unwrap();
        for sql in self.fill {
            conn.batch_execute(&words::spelled(self.engine, sql, self.numbers)).unwrap();
        }
        match self.engine {
            Engine::Sqlite => conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)").unwrap(),
            Engine::Postgres => {
                conn.batch_execute("VACUUM ANALYZE").unwrap();
                conn.batch_execute("CHECKPOINT").unwrap();
            }
        }
    }

    fn fresh(&self) -> Ground {
        if let Some((folder, filled)) = &self.filled {
            let file = folder.path().join("round.db");
            ground::remove(&file);
            std::fs::copy(filled, &file).unwrap();
            return Ground { target: Target::Sqlite(file), lease: None };
        }
        let lease = postgres::empty();
        self.fill(&lease.target());
        Ground { target: lease.target(), lease: Some(lease) }
    }
}

fn seconds<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let done = work();
    (start.elapsed().as_secs_f64(), done)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn count(conn: &mut Conn, rows: &str) -> i64 {
    sql_query(format!("SELECT COUNT(*) AS count FROM {rows}")).get_result::<Count>(conn).unwrap().count
}

/// The rows of each table that the end of a half-year writes, and the funds in each state.
fn written(conn: &mut Conn) -> Vec<i64> {
    let told = "audit_events WHERE resource_type = 'coop_fund'";
    let states = ["converted", "claimable"].map(|state| format!("coop_funds WHERE state = '{state}'"));
    let tables = WRITTEN.map(|table| if table == "audit_events" { told } else { table }.to_owned());
    tables.iter().chain(&states).map(|rows| count(conn, rows)).collect()
}

/// The seconds of rounds.
#[derive(Default)]
struct Ends {
    by_hand: Vec<f64>,
    service: Vec<f64>,
    memory: u64,
}

impl Ends {
    fn add(&mut self, world: &World<'_>) {
        let ground = world.fresh();
        let mut conn = ground.target.open().unwrap();
        let by_hand = format!("BEGIN; {} COMMIT;", words::spelled(world.engine, BY_HAND, &[]));
        self.by_hand.push(seconds(|| conn.batch_execute(&by_hand).unwrap()).0);
        let wanted = written(&mut conn);
        drop((conn, ground));
        let Ground { target, lease } = world.fresh();
        let service = open(&target);
        let ((took, ()), memory) = with_peak(|| seconds(|| end(&service, &target)));
        self.service.push(took);
        self.memory = self.memory.max(memory);
        service.close();
        assert_eq!(written(&mut target.open().unwrap()), wanted, "both write the same");
        drop(lease);
    }
}

/// The step of the daily refresh that ends half-years, over all partners.
fn end(service: &Service, target: &Target) {
    let turn = Turn::take(&service.app, JobName::DailyRefresh).unwrap().expect("nobody is at work");
    refresh::open(&turn).unwrap();
    target.open().unwrap().batch_execute("UPDATE job_runs SET step = 'coop_funds'").unwrap();
    let mut run = refresh::open(&turn).unwrap();
    let is_at_it = |run: &JobRun| run.state == JobRunState::Running && run.step == RefreshStep::CoopFunds;
    assert!(is_at_it(&run));
    while is_at_it(&run) {
        run = refresh::advance(&turn, run, refresh::BATCH).unwrap();
    }
    assert_eq!((run.state, run.error), (JobRunState::Running, None), "the next step is to be done");
}

fn ends(options: &Options, engine: Engine, funds: u32, missed: &mut Vec<String>) {
    for (admins, told) in [(0, "nobody"), (funds, "an admin each")] {
        let numbers = [("partners", funds), ("admins", admins)];
        let world = World::of(engine, &[WORLD], &numbers);
        let mut ends = Ends::default();
        for _ in 0..options.rounds(funds) {
            ends.add(&world);
        }
        let [by_hand, service] = [ends.by_hand, ends.service].map(median);
        let (ratio, name) = (service / by_hand, engine.name());
        println!(
            "| {name} | {funds} | {told} | {by_hand:.2} s | {service:.2} s | {ratio:.2} | {} MB |",
            ends.memory
        );
        if funds >= 100_000 && ratio > MOST {
            missed.push(format!(
                "{name}: the end of a half-year takes {ratio:.2} times, {MOST} at most; told: {told}"
            ));
        }
    }
}

/// The service, listening in this process, and an operator.
struct Server {
    address: String,
    token: String,
}

impl Server {
    fn on(target: &Target) -> Self {
        let service = open(target);
        let new = users::NewUser {
            email: "operator@example.com".into(),
            name: "Olga".into(),
            role: Role::Operator,
            partner_id: None,
            password_hash: "none".into(),
            must_change_password: false,
            issuer: None,
            locale: Locale::En,
        };
        let token = service.token_for(users::provision(&service.app, new).unwrap()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/v1", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let run = async { app::listen(service, listener).unwrap().until_stopped().await };
            actix_web::rt::System::new().block_on(run)
        });
        Self { address, token }
    }

    fn text(&self, path: &str) -> String {
        let request = ureq::get(format!("{}/{path}", self.address));
        let request = request.header("authorization", format!("Bearer {}", self.token));
        request.call().unwrap().body_mut().read_to_string().unwrap()
    }

    /// The first page of a list, and one far behind; `list` ends as more parameters may follow.
    fn pages(&self, list: &str) -> [String; 2] {
        let mut cursor = String::new();
        for _ in 0..DEEP {
            let page: Value = serde_json::from_str(&self.text(&format!("{list}limit=200{cursor}"))).unwrap();
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        [format!("{list}limit=50"), format!("{list}limit=50{cursor}")]
    }
}

/// A page of a list: its place, and its bytes.
struct Page {
    path: String,
    bytes: usize,
    seconds: Vec<f64>,
}

fn queue(options: &Options, engine: Engine, claims: u32, missed: &mut Vec<String>) {
    let partners = claims / CLAIMS;
    let numbers = [("partners", partners), ("admins", 0), ("claims", claims)];
    let world = World::of(engine, &[WORLD, QUEUE], &numbers);
    let ground = world.fresh();
    let server = Server::on(&ground.target);
    let lists = ["coop-claims?to_review=true&", "transactions?"];
    let paths = lists.iter().flat_map(|list| server.pages(list));
    let mut pages: Vec<Page> = paths
        .map(|path| {
            let bytes = server.text(&path).len();
            Page { path, bytes, seconds: Vec::new() }
        })
        .collect();
    for _ in 0..REQUESTS * options.rounds(claims) {
        for page in &mut pages {
            page.seconds.push(seconds(|| server.text(&page.path)).0);
        }
    }
    let times: Vec<(f64, usize)> = pages.into_iter().map(|page| (median(page.seconds), page.bytes)).collect();
    for (place, name) in ["first", "deep"].into_iter().enumerate() {
        let ((ours, bytes), (sales, of_sales)) = (times[place], times[place + 2]);
        #[expect(clippy::cast_precision_loss, reason = "kilobytes")]
        let by_byte = (ours / bytes as f64) / (sales / of_sales as f64);
        println!(
            "| {} | {claims} | {name} | {:.2} ms | {:.2} ms | {:.2} | {} KB, {} KB | {by_byte:.2} |",
            engine.name(),
            ours * 1000.0,
            sales * 1000.0,
            ours / sales,
            bytes / 1000,
            of_sales / 1000
        );
        if claims >= 100_000 && by_byte > PAGE {
            let told = format!(
                "a {name} page of the queue takes {by_byte:.2} times, for its bytes, one of the sales"
            );
            missed.push(format!("{}: {told}", engine.name()));
        }
    }
    let grows = (times[1].0 / times[0].0) / (times[3].0 / times[2].0);
    if claims >= 100_000 && grows > PAGE {
        missed.push(format!(
            "{}: the queue slows down {grows:.2} times as much as the sales do",
            engine.name()
        ));
    }
}

fn main() {
    let mut options = Options::read();
    if !std::env::args().any(|argument| argument == "--size") {
        options.sizes = vec![100_000];
    }
    let mut missed = Vec::new();
    println!("| | claims | page | queue | sales | ratio | bytes | ratio for a byte |\n|{}", "---|".repeat(8));
    for engine in options.engines() {
        options.sizes.iter().for_each(|claims| queue(&options, engine, *claims, &mut missed));
    }
    println!("\n| | funds | told | by hand | service | ratio | memory |\n|{}", "---|".repeat(7));
    for engine in options.engines() {
        options.sizes.iter().for_each(|funds| ends(&options, engine, *funds, &mut missed));
    }
    options.judge(&missed);
}
