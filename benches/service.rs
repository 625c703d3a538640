//! How fast the service is, beside the least that the same work costs.
//!
//! `cargo bench --bench service -- [--quick] [--rounds N] [--only sqlite|postgres] [--case read|list|...]`
//!
//! Every server is a process with two workers; the load comes from another process over 32 connections on the
//! loopback. Rounds are interleaved in a random order, so that a busy machine is busy for all alike, and the table
//! holds medians. Requests per second follow the machine; processor time per request, and above all its ratios, are
//! what can be compared. The floor answers the same by hand (`service/servers.rs`).

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot run says why and ends")]
#![expect(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "likewise; and it prints a table"
)]

#[path = "service/data.rs"]
#[expect(unreachable_pub, reason = "`pub` is what the modules of the benchmark offer to each other")]
mod data;
#[path = "service/load.rs"]
#[expect(unreachable_pub, reason = "likewise")]
mod load;
#[path = "../tests/support/postgres.rs"]
#[expect(unreachable_pub, dead_code, reason = "the benchmark uses one of its two kinds of databases")]
mod postgres;
#[path = "service/servers.rs"]
#[expect(unreachable_pub, reason = "likewise")]
mod servers;
#[path = "service/statements.rs"]
#[expect(unreachable_pub, reason = "likewise")]
mod statements;

/// What the tests' support asks of its surroundings.
mod database {
    /// The staff of a story; no benchmark has one.
    #[derive(Clone, Copy)]
    pub(crate) struct Staff;

    /// Where the databases go: on a disk, which has to do what a commit promises.
    pub(crate) fn scratch() -> std::path::PathBuf {
        std::env::temp_dir()
    }
}

/// As in production: what was committed is on the disk.
const SERVER_SETTINGS: &[&str] = &["-cshared_buffers=256MB", "-cmax_wal_size=4GB"];

fn flag(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| value == "1" || value == "true")
}

// As in the service's own binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use data::Database;
use load::{Plan, Seen};
use partner_incentives::{
    app,
    platform::{
        db::{Conn, Target},
        values::{Clock, Id, Ids},
    },
};
use serde_json::Value;
use servers::Running;
use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// Connections of the load.
const CONNECTIONS: usize = 32;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.first().map(String::as_str) {
        Some("serve") => servers::serve(&arguments[1..]),
        Some("load") => load::run(&arguments[1..]),
        _ => measure(&Options::of(&arguments)),
    }
}

struct Options {
    rounds: usize,
    time: Duration,
    only: Option<String>,
    /// Only cases whose name begins so.
    case: String,
}

impl Options {
    fn of(arguments: &[String]) -> Self {
        let mut options = Self { rounds: 5, time: Duration::from_secs(1), only: None, case: String::new() };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => (options.rounds, options.time) = (2, Duration::from_millis(400)),
                "--rounds" => {
                    options.rounds = arguments.next().and_then(|n| n.parse().ok()).expect("--rounds N");
                }
                "--only" => options.only = Some(arguments.next().expect("--only sqlite|postgres").clone()),
                "--case" => options.case.clone_from(arguments.next().expect("--case NAME")),
                other => panic!("{other}: unknown; see the head of this file"),
            }
        }
        options
    }
}

/// What one round of a case gave.
#[derive(Clone, Copy)]
struct Sample {
    seen: Seen,
    /// Processor time of the server process per request, in microseconds.
    cpu: f64,
    /// The same of the database server's processes.
    database_cpu: f64,
}

type Case<'a> = (&'static str, Box<dyn FnMut() -> Sample + 'a>);

fn measure(options: &Options) {
    println!(
        "{} rounds of {:?}, interleaved; medians; {CONNECTIONS} connections; CPU is user + system time per request",
        options.rounds, options.time
    );
    let canned = Running::start("static", None);
    for name in ["sqlite", "postgres"] {
        if options.only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let make = if name == "sqlite" { Database::sqlite } else { Database::postgres };
        // Reads and writes on databases of their own: the read one stays as large as it is.
        let (shelf, desk) = (make(), make());
        let results = on(options, &canned, &shelf, &desk);
        report(name, &results);
    }
}

fn on(
    options: &Options,
    canned: &Running,
    shelf: &Database,
    desk: &Database,
) -> BTreeMap<&'static str, Vec<Sample>> {
    let start = |kind, database| Running::start(kind, Some(database));
    let (service, floor) = (start("service", shelf), start("floor", shelf));
    let (writing, writing_floor) = (start("service", desk), start("floor", desk));
    let postmaster = postmaster(&shelf.target);
    let load = |server: &Running, plan: &Plan| {
        let before = (server.cpu(), postmaster.map_or(0.0, cpu_of_family));
        let seen = load::put(server.address, &server.token, plan, CONNECTIONS, options.time);
        let after = (server.cpu(), postmaster.map_or(0.0, cpu_of_family));
        let per_request = |time: f64| time / seen.requests;
        Sample { seen, cpu: per_request(after.0 - before.0), database_cpu: per_request(after.1 - before.1) }
    };
    let one: Vec<String> = shelf.partners.iter().map(|p| format!("/v1/partners/{}", p.id)).collect();
    let one = Plan::Get(one);
    let listed = "/v1/partners?status=active&partner_type=direct_bill&limit=50";
    let list = Plan::Get((4..=7).map(|pages| deep(&service, listed, pages)).collect());
    let history = |index: usize| format!("/v1/audit-events?resource_id={}&limit=50", shelf.histories[index]);
    let first = Plan::Get(vec![history(0)]);
    let long = Plan::Get(vec![history(1)]);
    let deepest = Plan::Get(vec![deep(&service, &history(1), 75)]);
    let created = Cell::new(1);
    let creating = |server: &Running| {
        let sample = load(server, &Plan::Create(created.get()));
        created.set(created.get() + 10_000_000);
        sample
    };
    let judged = "/v1/partners/{id}/eligibility";
    let judged = app::document()["paths"].get(judged).is_some().then(|| {
        let direct = shelf.partners.iter().step_by(3);
        Plan::Get(
            direct.map(|p| format!("/v1/partners/{}/eligibility?program=csp-direct-bill", p.id)).collect(),
        )
    });
    let time = options.time / 3;
    let mut conns = [shelf, shelf, desk].map(|database| statements::connect(&database.target));
    let [reading, listing, adding] = &mut conns;
    let user = shelf.operator;
    let cursors: Vec<Id> = shelf.partners[2000..8000].iter().map(|p| p.id).collect();

    let mut cases: Vec<Case<'_>> = vec![
        ("static", Box::new(|| load(canned, &one))),
        ("read service", Box::new(|| load(&service, &one))),
        ("read floor", Box::new(|| load(&floor, &one))),
        (
            "read loop",
            Box::new(|| {
                looped(time, |turn| {
                    statements::check_user(reading, user);
                    drop(statements::read(reading, shelf.partners[turn * 7919 % shelf.partners.len()].id));
                })
            }),
        ),
        ("list service", Box::new(|| load(&service, &list))),
        ("list floor", Box::new(|| load(&floor, &list))),
        (
            "list loop",
            Box::new(|| {
                looped(time, |turn| {
                    statements::check_user(listing, user);
                    drop(statements::list(listing, cursors[turn * 7919 % cursors.len()]));
                })
            }),
        ),
        ("create service", Box::new(|| creating(&writing))),
        ("create floor", Box::new(|| creating(&writing_floor))),
        ("create loop", Box::new(|| looped_creates(time, adding, desk.operator))),
        ("pages first", Box::new(|| load(&service, &first))),
        ("pages long", Box::new(|| load(&service, &long))),
        ("pages deep", Box::new(|| load(&service, &deepest))),
    ];
    if let Some(judged) = &judged {
        cases.push(("eligibility service", Box::new(|| load(&service, judged))));
    }
    cases.retain(|(name, _)| name.starts_with(&options.case));
    let mut results = BTreeMap::<_, Vec<Sample>>::new();
    for round in 0..=options.rounds {
        shuffle(&mut cases);
        for (name, case) in &mut cases {
            let sample = case();
            // The first round only warms up.
            if round > 0 {
                results.entry(*name).or_default().push(sample);
            }
        }
    }
    results
}

/// The address of the page after so many others of a list.
fn deep(server: &Running, list: &str, pages: usize) -> String {
    let mut path = list.replace("limit=50", "limit=200");
    for _ in 0..pages {
        let request = ureq::get(format!("http://{}{path}", server.address));
        let request = request.header("authorization", format!("Bearer {}", server.token));
        let page: Value = request.call().unwrap().body_mut().read_json().unwrap();
        let cursor = page["next_cursor"].as_str().expect("a next page");
        path = format!("{}&cursor={cursor}", list.replace("limit=50", "limit=200"));
    }
    path.replace("limit=200", "limit=50")
}

/// Runs statements in this process on one thread.
fn looped(time: Duration, mut work: impl FnMut(usize)) -> Sample {
    let (started, before, mut turns) = (Instant::now(), cpu_of_thread(), 0);
    while started.elapsed() < time {
        // Whole batches, see below.
        for _ in 0..32 {
            work(turns);
            turns += 1;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let requests = turns as f64;
    let seen = Seen { rate: requests / started.elapsed().as_secs_f64(), requests, ..Seen::default() };
    Sample { seen, cpu: (cpu_of_thread() - before) / requests, database_cpu: 0.0 }
}

/// Creates in this process: on SQLite 32 to a commit, which is what 32 writers come to at best.
fn looped_creates(time: Duration, conn: &mut Conn, user: Id) -> Sample {
    use diesel::connection::SimpleConnection;
    static CREATED: AtomicU64 = AtomicU64::new(0);
    let ids = Ids::random();
    let batched = matches!(conn, Conn::Sqlite(_));
    looped(time, |turn| {
        if batched && turn % 32 == 0 {
            conn.batch_execute("BEGIN IMMEDIATE").unwrap();
        }
        let mut partner = data::partner(turn, ids.next(Clock::System.now()));
        // Nine digits, scattered; those of the load have ten.
        let number = CREATED.fetch_add(1, Ordering::Relaxed);
        partner.mpn_id = format!("{:09}", number * 618_033_987 % 1_000_000_000);
        statements::check_user(conn, user);
        statements::create(conn, &partner);
        if batched && turn % 32 == 31 {
            conn.batch_execute("COMMIT").unwrap();
        }
    })
}

fn shuffle<T>(items: &mut [T]) {
    for last in (1..items.len()).rev() {
        let random = Ids::random().next(Clock::System.now()).0.as_u128() >> 8;
        items.swap(last, usize::try_from(random % (last as u128 + 1)).unwrap());
    }
}

/// The database server's first process.
fn postmaster(target: &Target) -> Option<u32> {
    use diesel::{prelude::*, sql_types::Integer};
    let Conn::Postgres(conn) = &mut target.open().unwrap() else { return None };
    let pid: i32 = diesel::select(diesel::dsl::sql::<Integer>("pg_backend_pid()")).get_result(conn).unwrap();
    Some(stat(u32::try_from(pid).unwrap()).unwrap()[1].parse().unwrap())
}

/// The fields of a process after its name: its state, its parent and so on.
fn stat(pid: u32) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(stat.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

/// Processor time of a process in microseconds; the kernel counts hundredths of a second.
fn cpu_of(pid: u32) -> f64 {
    stat(pid).map_or(0.0, |fields| ticks(&fields[11..13]))
}

/// Processor time of a process, and of its children, those that have ended included.
fn cpu_of_family(parent: u32) -> f64 {
    let own = stat(parent).map_or(0.0, |fields| ticks(&fields[11..15]));
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let processes = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let children = processes.filter_map(stat).filter(|fields| fields[1] == parent.to_string());
    own + children.map(|fields| ticks(&fields[11..13])).sum::<f64>()
}

fn ticks(fields: &[String]) -> f64 {
    fields.iter().map(|field| field.parse::<f64>().unwrap() * 10_000.0).sum()
}

/// Processor time of this thread in microseconds.
fn cpu_of_thread() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse::<f64>().unwrap() / 1000.0
}

fn median(samples: &[Sample], figure: impl Fn(&Sample) -> f64) -> f64 {
    let mut figures: Vec<f64> = samples.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn report(database: &str, results: &BTreeMap<&'static str, Vec<Sample>>) {
    println!("\n{database}");
    println!(
        "{:<20} {:>10} {:>6} {:>8} {:>8} {:>8} {:>8} {:>9} {:>8} {:>8} {:>8}",
        "case",
        "requests/s",
        "503 %",
        "p50 ms",
        "p99 ms",
        "p99/p50",
        "CPU us",
        "server us",
        "/static",
        "/floor",
        "/loop"
    );
    let cpu = |name: &str| results.get(name).map(|samples| median(samples, |s| s.cpu));
    let order = [
        "static",
        "read service",
        "read floor",
        "read loop",
        "eligibility service",
        "list service",
        "list floor",
        "list loop",
        "create service",
        "create floor",
        "create loop",
        "pages first",
        "pages long",
        "pages deep",
    ];
    for name in order {
        let Some(samples) = results.get(name) else { continue };
        let of = |figure: fn(&Sample) -> f64| median(samples, figure);
        let (work, kind) = name.split_once(' ').unwrap_or((name, ""));
        let over = |other: &str| {
            let other =
                cpu(other).filter(|_| matches!(kind, "service" | "floor") && !other.starts_with(name));
            other.map_or_else(String::new, |other| format!("{:.2}", of(|s| s.cpu) / other))
        };
        let timed = if kind == "loop" { "-" } else { "" };
        let or_dash = |text: String| if timed.is_empty() { text } else { timed.to_owned() };
        println!(
            "{name:<20} {:>10.0} {:>6.1} {:>8} {:>8} {:>8} {:>8.1} {:>9.1} {:>8} {:>8} {:>8}",
            of(|s| s.seen.rate),
            of(|s| s.seen.shed / (s.seen.requests + s.seen.shed) * 100.0),
            or_dash(format!("{:.2}", of(|s| s.seen.p50) / 1000.0)),
            or_dash(format!("{:.2}", of(|s| s.seen.p99) / 1000.0)),
            or_dash(format!("{:.1}", of(|s| s.seen.p99 / s.seen.p50))),
            of(|s| s.cpu),
            of(|s| s.database_cpu),
            over("static"),
            if kind == "service" { over(&format!("{work} floor")) } else { String::new() },
            over(&format!("{work} loop")),
        );
    }
    println!("\n{:<58} {:>8} {:>8}", "goal", "measured", "at most");
    let goal = |what: &str, measured: Option<f64>, (sqlite, postgres): (f64, f64)| {
        let most = if database == "sqlite" { sqlite } else { postgres };
        if let Some(measured) = measured {
            let verdict = if measured <= most { "" } else { "  MISSED" };
            println!("{what:<58} {measured:>8.2} {most:>8.2}{verdict}");
        }
    };
    let ratio = |a: &str, b: &str| Some(cpu(a)? / cpu(b)?);
    goal("read by id: CPU of the service / floor", ratio("read service", "read floor"), (1.5, 2.5));
    goal("list of 50: CPU of the service / floor", ratio("list service", "list floor"), (1.3, 2.0));
    goal("create: CPU of the service / floor", ratio("create service", "create floor"), (2.0, 2.5));
    let tail = results.get("create service").map(|samples| median(samples, |s| s.seen.p99 / s.seen.p50));
    goal("create: p99 / median of 32 writers", tail, (10.0, 10.0));
    // Not a median: one is one too many.
    let share = |samples: &Vec<Sample>| {
        let sum = |figure: fn(&Sample) -> f64| samples.iter().map(figure).sum::<f64>();
        sum(|s| s.seen.shed) / sum(|s| s.seen.requests)
    };
    let shed = results.get("create service").map(share);
    goal("create: answered 503 for each that was recorded", shed, (0.0, 0.0));
    goal("eligibility: CPU / read by id", ratio("eligibility service", "read service"), (2.0, 2.0));
    goal("100 x more history: CPU / short history", ratio("pages long", "pages first"), (1.1, 1.1));
    goal("deep page: CPU / first page", ratio("pages deep", "pages long"), (1.1, 1.1));
}
