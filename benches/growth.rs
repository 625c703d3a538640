//! Whether lists stay as quick as history grows, and how fast a list becomes a file.
//!
//! `cargo bench --bench growth -- [--large] [--size N]... [--rounds N] [--only sqlite|postgres] [--check]`
//!
//! The same requests over HTTP, one after the other, on databases with more and more sales and as many earnings; the
//! first table holds medians in milliseconds, and the last against the smallest size. The second is the export of all
//! transactions as CSV beside what the shell of the database makes of the same columns in the same order: `sqlite3
//! -csv` and `psql`'s `\copy`. `--check` fails where a list of one partner or enrollment, or a page, grows by more than
//! half (a millisecond is noise), and where an export has less than half the shell's speed.

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
    app,
    notifications::Locale,
    platform::db::{Conn, Target},
    users,
};
use serde_json::Value;
use std::{
    io::Read,
    net::TcpListener,
    process::{Command, Stdio},
    time::Instant,
};
use world::{World, open};

/// Requests of each kind.
const REQUESTS: usize = 15;
/// How much a page may grow.
const GROWTH: f64 = 1.5;
/// The least part of the shell's speed that an export has.
const LEAST: f64 = 0.5;

/// What is asked, and whether it has to be flat: not where it names a thing that is rare among all partners'.
const LISTS: &[(&str, bool)] = &[
    ("earnings", true),
    ("earnings?partner_id=P", true),
    ("earnings?enrollment_id=E", true),
    ("earnings?partner_id=P&earned_in=2019-03", true),
    ("earnings?partner_id=P&lever=core", true),
    ("earnings?partner_id=P&customer_id=C-rare", true),
    ("earnings?earned_in=2019-03", true),
    ("earnings?lever=core", true),
    ("earnings?lever=none", false),
    ("earnings?customer_id=C-rare", false),
    ("ineligible-records?partner_id=P", true),
    ("ineligible-records?code=customer_not_new", true),
    ("ineligible-records?code=none", false),
    ("rebates?state=accruing", true),
    ("transactions", true),
    ("transactions?partner_id=P", true),
    ("transactions?partner_id=P&customer_id=C-rare", true),
    ("transactions?customer_id=C-rare", false),
];

fn main() {
    let mut options = Options::read();
    if !std::env::args().any(|argument| argument == "--size") {
        options.sizes.insert(0, 10_000);
    }
    let mut missed = Vec::new();
    for engine in options.engines() {
        let (mut times, mut exports) = (Vec::new(), Vec::new());
        for &sales in &options.sizes {
            let world = World::filled(engine, sales);
            let target = world.fresh();
            World::by_hand(&target);
            add(&target);
            let server = Server::on(&target);
            let mut lists: Vec<(String, f64)> =
                LISTS.iter().map(|(list, _)| (format!("/{list}"), server.time(list))).collect();
            for list in ["earnings", "transactions"] {
                let deep = server.deep(list);
                lists.push((format!("/{list}, deep"), server.time(&deep)));
            }
            times.push(lists);
            let (mut ours, mut shell, mut memory) = (Vec::new(), Vec::new(), 0);
            for _ in 0..options.rounds(sales) {
                shell.push(by_shell(engine, &target));
                let (seconds, peak) = with_peak(|| server.export("transactions"));
                ours.push(seconds);
                memory = memory.max(peak);
            }
            exports.push((sales, median(ours), median(shell), memory));
        }
        let sizes: Vec<String> = options.sizes.iter().map(|sales| format!("{sales} |")).collect();
        println!("\n| {} | {} growth |\n|{}", engine.name(), sizes.join(" "), "---|".repeat(sizes.len() + 2));
        for row in 0..times[0].len() {
            let of_sizes: Vec<f64> = times.iter().map(|lists| lists[row].1).collect();
            let (first, last) = (of_sizes[0], of_sizes[of_sizes.len() - 1]);
            let cells: Vec<String> = of_sizes.iter().map(|time| format!("{:.2} |", time * 1000.0)).collect();
            let (name, growth) = (&times[0][row].0, last / first);
            println!("| `{name}` | {} {growth:.2} |", cells.join(" "));
            let flat = LISTS.get(row).is_none_or(|(_, flat)| *flat);
            if flat && growth > GROWTH && last - first > 0.001 {
                missed.push(format!("{}: {name}: {growth:.2} times the smallest size", engine.name()));
            }
        }
        println!(
            "\n| {} | rows | shell | export | ratio of speeds | rows/s | memory |\n|{}",
            engine.name(),
            "---|".repeat(7)
        );
        for (rows, ours, shell, memory) in exports {
            let ratio = shell / ours;
            let speed = f64::from(rows) / ours;
            println!(
                "| export | {rows} | {shell:.2} s | {ours:.2} s | {ratio:.2} | {speed:.0} | {memory} MB |"
            );
            if rows >= 1_000_000 && ratio < LEAST {
                missed.push(format!("{}: export: {ratio:.2} of the shell's speed", engine.name()));
            }
        }
    }
    options.judge(&missed);
}

/// What the statement does not write: records of what does not earn, rebates, and a customer that bought once.
fn add(target: &Target) {
    let mut conn = target.open().unwrap();
    let (flip, yes, null) = match conn {
        Conn::Sqlite(_) => ("unhex('07' || substr(hex(id), 3))", "1", "NULL"),
        Conn::Postgres(_) => ("('07' || substr(id::text, 3))::uuid", "true", "NULL::timestamptz"),
    };
    let rare = match conn {
        Conn::Sqlite(_) => ("unhex('08' || substr(hex(id), 3))", "(SELECT min(id) FROM transaction_records)"),
        Conn::Postgres(_) => (
            "('08' || substr(id::text, 3))::uuid",
            "(SELECT id FROM transaction_records ORDER BY id LIMIT 1)",
        ),
    };
    let analyze = if matches!(conn, Conn::Postgres(_)) { "ANALYZE;" } else { "" };
    conn.batch_execute(&format!(
        "INSERT INTO ineligible_records SELECT {flip}, enrollment_id, partner_id, version, lever, grain, transaction_id,
             purchase_id, customer_id, earned_in, 'customer_not_new', NULL, {yes}, NULL, NULL, calculated_at, {null}
             FROM earnings WHERE amount % 10 = 0;
         INSERT INTO rebates SELECT {first}, e.enrollment_id, e.partner_id, e.posted_in, 'USD', e.rebate, 0, e.coop,
             'accruing', NULL, NULL, NULL, e.calculated_at, e.calculated_at, e.calculated_at, 1
             FROM (SELECT {id} AS id, enrollment_id, partner_id, posted_in, sum(rebate) AS rebate, sum(coop) AS coop,
                 min(calculated_at) AS calculated_at FROM earnings GROUP BY enrollment_id, partner_id, posted_in) e;
         INSERT INTO transaction_records SELECT {rare}, source, 'rare', partner_id, NULL, 'C-rare', customer_country,
             customer_public_sector, product, product_family, kind, NULL, occurred_on, amount, currency, units, created_at
             FROM transaction_records WHERE id = {one};
         {analyze}",
        first = "e.id",
        id = if matches!(conn, Conn::Postgres(_)) { "gen_random_uuid()" } else { "randomblob(16)" },
        rare = rare.0,
        one = rare.1,
    ))
    .unwrap();
}

/// The service, listening in this process.
struct Server {
    address: String,
    token: String,
    names: [(&'static str, String); 2],
}

impl Server {
    fn on(target: &Target) -> Self {
        let service = open(target);
        let operator = users::NewUser {
            email: "operator@vendor.example".into(),
            name: "Olga Operator".into(),
            role: Role::Operator,
            partner_id: None,
            password_hash: "none".into(),
            must_change_password: false,
            issuer: None,
            locale: Locale::En,
        };
        let operator = users::provision(&service.gate, operator).unwrap();
        let token = service.token_for(operator).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/v1", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let run = async { app::listen(service, listener).unwrap().await };
            actix_web::rt::System::new().block_on(run)
        });
        let mut server = Self { address, token, names: [("=P", String::new()), ("=E", String::new())] };
        let one = &server.page("earnings?limit=1")["items"][0];
        let id = |member: &str| format!("={}", one[member].as_str().expect("an id"));
        server.names = [("=P", id("partner_id")), ("=E", id("enrollment_id"))];
        server
    }

    fn page(&self, list: &str) -> Value {
        let list = self.names.iter().fold(list.to_owned(), |list, (word, by)| {
            if by.is_empty() { list } else { list.replace(word, by) }
        });
        let request = ureq::get(format!("{}/{list}", self.address));
        let request = request.header("authorization", format!("Bearer {}", self.token));
        request.call().unwrap().body_mut().read_json().unwrap()
    }

    fn time(&self, list: &str) -> f64 {
        let once = || {
            let start = Instant::now();
            self.page(list);
            start.elapsed().as_secs_f64()
        };
        once();
        median((0..REQUESTS).map(|_| once()).collect())
    }

    /// The page after some thousand records.
    fn deep(&self, list: &str) -> String {
        let mut path = format!("{list}?limit=200");
        for _ in 0..25 {
            let page = self.page(&path);
            let cursor = page["next_cursor"].as_str().expect("a next page");
            path = format!("{list}?limit=200&cursor={cursor}");
        }
        path.replace("limit=200", "limit=50")
    }

    fn export(&self, list: &str) -> f64 {
        let start = Instant::now();
        let request = ureq::get(format!("{}/{list}", self.address));
        let request = request.header("authorization", format!("Bearer {}", self.token));
        let mut answer = request.header("accept", "text/csv").call().unwrap();
        drain(answer.body_mut().as_reader());
        start.elapsed().as_secs_f64()
    }
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
