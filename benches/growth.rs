//! Whether requests stay as quick as history grows, and how fast a list becomes a file.
//!
//! `cargo bench --bench growth -- [--large] [--size N]... [--rounds N] [--only sqlite|postgres] [--check]`
//!
//! The same requests over HTTP on databases with more and more sales and as many earnings, all of them open at once and
//! asked in turn, so that what the machine does beside meets all alike. The first table holds medians in milliseconds,
//! and the last against the smallest size. The second is the export of all transactions as CSV beside what the shell of
//! the database makes of the same columns in the same order: `sqlite3 -csv` and `psql`'s `\copy`. `--check` fails where
//! a request grows by more than 15 % (a tenth of a millisecond is noise), and where an export has less than half the
//! shell's speed. What names something rare among all partners' records, and no month, is shown and not judged.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot run says why and ends")]
#![expect(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "likewise; and it prints a table"
)]

#[path = "ground.rs"]
mod ground;
#[path = "calculation/world.rs"]
mod world;

use diesel::connection::SimpleConnection;
use ground::{Engine, Options, median, with_peak};
use partner_incentives::{
    access::Role,
    app::{self, Service},
    config::Settings,
    identity::users,
    platform::{
        db::{Conn, Target},
        values::{Clock, Id, Ids, Locale},
    },
};
use serde_json::Value;
use std::{
    io::Read,
    net::TcpListener,
    process::{Command, Stdio},
    time::Instant,
};
use world::World;

/// What is added to the world of the calculation.
const ADDED: &str = include_str!("growth.sql");
/// Requests of each kind; of what walks a list, a few.
const REQUESTS: usize = 61;
const WALKS: usize = 3;
/// How much a request may grow.
const GROWTH: f64 = 1.15;
/// Seconds that are noise.
const NOISE: f64 = 0.0001;
/// The least part of the shell's speed that an export has.
const LEAST: f64 = 0.5;

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// The vendor's operator, who sees all partners.
    Staff,
    /// A viewer of the partner whose sales are the oldest.
    Partner,
}

/// What is asked, by whom, and whether it has to be flat: `P` is the partner whose records lie farthest back, `E` its
/// enrollment. Not flat is what names something rare among all partners' records without a month.
const ASKED: &[(By, &str, bool)] = &[
    (By::Staff, "earnings", true),
    (By::Staff, "earnings?deep", true),
    (By::Staff, "earnings?partner_id=P", true),
    (By::Staff, "earnings?enrollment_id=E", true),
    (By::Staff, "earnings?partner_id=P&earned_in=2019-03", true),
    (By::Staff, "earnings?partner_id=P&lever=core", true),
    (By::Staff, "earnings?partner_id=P&customer_id=C-rare", true),
    (By::Staff, "earnings?earned_in=2019-03", true),
    (By::Staff, "earnings?earned_in=2018-06", true),
    (By::Staff, "earnings?from=2019-03&to=2019-03", true),
    (By::Staff, "earnings?program=rewards", false),
    (By::Staff, "earnings?program=rewards&earned_in=2019-03", true),
    (By::Staff, "earnings?lever=core", true),
    (By::Staff, "earnings?lever=none", false),
    (By::Staff, "earnings?customer_id=C-rare", false),
    (By::Staff, "ineligible-records?partner_id=P", true),
    (By::Staff, "ineligible-records?earned_in=2018-06", true),
    (By::Staff, "ineligible-records?code=customer_not_new", true),
    (By::Staff, "ineligible-records?code=none", false),
    (By::Staff, "rebates?state=accruing", true),
    (By::Staff, "rebates?partner_id=P&state=accruing", true),
    (By::Staff, "rebates?from=2018-09&to=2018-09", true),
    (By::Staff, "transactions", true),
    (By::Staff, "transactions?deep", true),
    (By::Staff, "transactions?partner_id=P", true),
    (By::Staff, "transactions?partner_id=P&customer_id=C-rare", true),
    (By::Staff, "transactions?customer_id=C-rare", true),
    (By::Staff, "transactions?source=billing", true),
    (By::Staff, "transactions?external_id=N77", true),
    (By::Staff, "partners/P/summary", true),
    (By::Staff, "partners/P/statements/2018-08", true),
    (By::Partner, "earnings", true),
    (By::Partner, "earnings?earned_in=2019-03", true),
    (By::Partner, "ineligible-records", true),
    (By::Partner, "rebates", true),
    (By::Partner, "transactions", true),
    (By::Partner, "transactions?customer_id=C-rare", true),
    (By::Partner, "partners/P/summary", true),
];

fn main() {
    let mut options = Options::read();
    if !std::env::args().any(|argument| argument == "--size") {
        options.sizes.insert(0, 10_000);
    }
    let mut missed = Vec::new();
    for engine in options.engines() {
        let worlds: Vec<(u32, World, Target)> =
            options.sizes.iter().map(|sales| filled(engine, *sales)).collect();
        let servers: Vec<Server> = worlds.iter().map(|(_, _, target)| Server::on(target)).collect();
        let sizes: Vec<String> = options.sizes.iter().map(|sales| format!("{sales} |")).collect();
        println!("\n| {} | {} growth |\n|{}", engine.name(), sizes.join(" "), "---|".repeat(sizes.len() + 2));
        for &(by, asked, flat) in ASKED {
            let times = in_turn(&servers, by, asked, if flat { REQUESTS } else { WALKS });
            let (first, last) = (times[0], times[times.len() - 1]);
            let cells: Vec<String> = times.iter().map(|time| format!("{:.2} |", time * 1000.0)).collect();
            let name = if by == By::Partner { format!("{asked}, by a partner") } else { asked.to_owned() };
            println!("| `/{name}` | {} {:.2} |", cells.join(" "), last / first);
            if flat && last > first * GROWTH && last - first > NOISE {
                missed.push(format!(
                    "{}: /{name}: {:.2} times the smallest size",
                    engine.name(),
                    last / first
                ));
            }
        }
        println!(
            "\n| {} | rows | shell | export | ratio of speeds | rows/s | memory |\n|{}",
            engine.name(),
            "---|".repeat(7)
        );
        for ((rows, _, target), server) in worlds.iter().zip(&servers) {
            let (mut ours, mut shell, mut memory) = (Vec::new(), Vec::new(), 0);
            for _ in 0..options.rounds(*rows) {
                shell.push(by_shell(engine, target));
                let (seconds, peak) = with_peak(|| server.export("transactions"));
                ours.push(seconds);
                memory = memory.max(peak);
            }
            let (ours, shell) = (median(ours), median(shell));
            let (ratio, speed) = (shell / ours, f64::from(*rows) / ours);
            println!(
                "| export | {rows} | {shell:.2} s | {ours:.2} s | {ratio:.2} | {speed:.0} | {memory} MB |"
            );
            if *rows >= 1_000_000 && ratio < LEAST {
                missed.push(format!("{}: export: {ratio:.2} of the shell's speed", engine.name()));
            }
        }
    }
    options.judge(&missed);
}

/// A database with so many sales and what follows from them.
fn filled(engine: Engine, sales: u32) -> (u32, World, Target) {
    let world = World::filled(engine, sales, world::SALES);
    let target = world.fresh();
    World::by_hand(&target);
    let mut conn = target.open().unwrap();
    let sqlite = matches!(conn, Conn::Sqlite(_));
    let mut sql = ADDED.to_owned();
    for prefix in ["06", "07", "08"] {
        let flipped = if sqlite {
            format!("unhex('{prefix}' || substr(hex(id), 3))")
        } else {
            format!("('{prefix}' || substr(id::text, 3))::uuid")
        };
        sql = sql.replace(&format!("{{{prefix} id}}"), &flipped);
    }
    for column in ["base", "amount", "rebate", "coop"] {
        sql = sql.replace(&format!("{{sum {column}}}"), &format!("CAST(sum({column}) AS bigint)"));
    }
    let words = if sqlite {
        [("{yes}", "1"), ("{new}", "randomblob(16)"), ("{then}", "1")]
    } else {
        [("{yes}", "true"), ("{new}", "gen_random_uuid()"), ("{then}", "timestamptz 'epoch'")]
    };
    sql = words.iter().fold(sql, |sql, (word, by)| sql.replace(word, by));
    conn.batch_execute(&sql).unwrap();
    if !sqlite {
        conn.batch_execute("VACUUM ANALYZE").unwrap();
    }
    (sales, world, target)
}

/// Medians of the same request to each, asked in turn.
fn in_turn(servers: &[Server], by: By, asked: &str, times: usize) -> Vec<f64> {
    let paths: Vec<String> = servers.iter().map(|server| server.path(asked)).collect();
    let mut seconds = vec![Vec::new(); servers.len()];
    for round in 0..=times + times / 6 {
        for ((server, path), seconds) in servers.iter().zip(&paths).zip(&mut seconds) {
            let start = Instant::now();
            server.text(by, path);
            // The first fill caches and prepare statements.
            if round > times / 6 {
                seconds.push(start.elapsed().as_secs_f64());
            }
        }
    }
    seconds.into_iter().map(median).collect()
}

/// The service, listening in this process.
struct Server {
    address: String,
    operator: String,
    viewer: String,
    partner: String,
    enrollment: String,
}

impl Server {
    fn on(target: &Target) -> Self {
        // A day of the year after the sales, whose first half is closed.
        let clock = Clock::standing_at("2019-06-30T12:00:00Z".parse().unwrap());
        let service = Service::open(Settings {
            requests_per_minute: u32::MAX,
            ..Settings::for_tests(target.clone(), clock, Ids::random())
        });
        let service = service.unwrap();
        let operator = person(&service, Role::Operator, None);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/v1", listener.local_addr().unwrap());
        let opened = service.clone();
        std::thread::spawn(move || {
            let run = async { app::listen(opened, listener).unwrap().until_stopped().await };
            actix_web::rt::System::new().block_on(run)
        });
        let mut server = Self {
            address,
            operator,
            viewer: String::new(),
            partner: String::new(),
            enrollment: String::new(),
        };
        let farthest: Value =
            serde_json::from_str(&server.text(By::Staff, "earnings?earned_in=2018-06&limit=1")).unwrap();
        let id = |member: &str| farthest["items"][0][member].as_str().expect("an id").to_owned();
        (server.partner, server.enrollment) = (id("partner_id"), id("enrollment_id"));
        server.viewer = person(&service, Role::Viewer, Some(server.partner.parse().unwrap()));
        server
    }

    fn text(&self, by: By, path: &str) -> String {
        let token = if by == By::Partner { &self.viewer } else { &self.operator };
        let request = ureq::get(format!("{}/{path}", self.address));
        let request = request.header("authorization", format!("Bearer {token}"));
        request.call().unwrap().body_mut().read_to_string().unwrap()
    }

    /// The address of what is asked, on this server.
    fn path(&self, asked: &str) -> String {
        if let Some(list) = asked.strip_suffix("?deep") {
            return self.deep(list);
        }
        let named = [("=P", &self.partner), ("=E", &self.enrollment)];
        let path =
            named.iter().fold(asked.to_owned(), |path, (word, id)| path.replace(word, &format!("={id}")));
        path.replace("/P/", &format!("/{}/", self.partner))
    }

    /// The page after some thousand records.
    fn deep(&self, list: &str) -> String {
        let mut path = format!("{list}?limit=200");
        for _ in 0..25 {
            let page: Value = serde_json::from_str(&self.text(By::Staff, &path)).unwrap();
            let cursor = page["next_cursor"].as_str().expect("a next page");
            path = format!("{list}?limit=200&cursor={cursor}");
        }
        path.replace("limit=200", "limit=50")
    }

    fn export(&self, list: &str) -> f64 {
        let start = Instant::now();
        let request = ureq::get(format!("{}/{list}", self.address));
        let request = request.header("authorization", format!("Bearer {}", self.operator));
        let mut answer = request.header("accept", "text/csv").call().unwrap();
        drain(answer.body_mut().as_reader());
        start.elapsed().as_secs_f64()
    }
}

/// Somebody new; gives the access token.
fn person(service: &Service, role: Role, partner_id: Option<Id>) -> String {
    let new = users::NewUser {
        email: format!("{role}@example.com"),
        name: role.as_str().into(),
        role,
        partner_id,
        password_hash: "none".into(),
        must_change_password: false,
        issuer: None,
        locale: Locale::En,
    };
    let id = users::provision(&service.app, new).unwrap();
    service.token_for(id).unwrap()
}

fn drain(mut from: impl Read) {
    let mut buffer = vec![0; 64 * 1024];
    while from.read(&mut buffer).unwrap() > 0 {}
}

/// Seconds the shell takes for the transactions, newest first, as CSV.
fn by_shell(engine: Engine, target: &Target) -> f64 {
    let rest = "external_id, %partner_id%, %provider_id%, customer_id, customer_country, customer_public_sector, product,
        product_family, kind, %original_transaction_id%, occurred_on, amount / 100.0, currency, units, created_at
        FROM transactions ORDER BY id DESC";
    let query = format!("SELECT %id%, source, {rest}");
    let mut command = match target {
        Target::Sqlite(path) => {
            let parts = query.split('%').enumerate().map(|(n, part)| match n % 2 {
                0 => part.to_owned(),
                _ => format!(
                    "lower(substr(hex({part}),1,8)||'-'||substr(hex({part}),9,4)||'-'||substr(hex({part}),13,4)||'-'\
                     ||substr(hex({part}),17,4)||'-'||substr(hex({part}),21))"
                ),
            });
            let mut shell = Command::new("sqlite3");
            shell.arg("-csv").arg(path).arg(parts.collect::<String>());
            shell
        }
        Target::Postgres(url) => {
            let copy = format!("COPY ({}) TO STDOUT CSV", query.replace('%', ""));
            let mut shell = Command::new("psql");
            shell.args([url, "-qc", &copy]);
            shell
        }
    };
    let start = Instant::now();
    let mut shell = command.stdout(Stdio::piped()).spawn().unwrap();
    drain(shell.stdout.take().unwrap());
    assert!(shell.wait().unwrap().success(), "{} exports", engine.name());
    start.elapsed().as_secs_f64()
}
