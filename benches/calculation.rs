//! What a run of the calculation costs beside one hand-written statement that does tiers, cap and split by itself,
//! over the same sales, into the same table with the same indexes (`calculation/statement.sql`).
//!
//! `cargo bench --bench calculation -- [--large] [--size N]... [--rounds N] [--only sqlite|postgres] [--check]`
//!
//! Rounds are interleaved and the table holds medians; each begins on books without an entry. `--check` fails where a
//! run of a million sales takes more than twice as long as the statement, or is not linear from the smallest size on.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot run says why and ends")]
#![expect(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "likewise; and it prints a table"
)]

#[path = "ground.rs"]
#[expect(dead_code, reason = "each benchmark uses what it needs")]
mod ground;

use diesel::{RunQueryDsl, connection::SimpleConnection, sql_query};
use ground::{Engine, Options, median, postgres, with_peak};
use partner_incentives::{
    accounting,
    app::Service,
    calculation,
    config::Settings,
    platform::{
        db::{Conn, Target},
        values::{Clock, Ids},
    },
};
use std::{ops::ControlFlow, path::PathBuf, time::Instant};

/// The same world as the process test's, in another size.
const SQLITE: &str = include_str!("../tests/process/calculating.sql");
const POSTGRES: &str = include_str!("calculation/postgres.sql");
const STATEMENT: &str = include_str!("calculation/statement.sql");
/// Sales of a partner.
const SALES: u32 = 500;
/// How many times the statement's time a run may take.
const MOST: f64 = 2.0;
/// How much a sale may cost more than one of the smallest size.
const GROWTH: f64 = 1.25;

fn main() {
    let options = Options::read();
    let mut missed = Vec::new();
    println!("| | sales | statement | run | ratio | sales/s | seconds a sale, smallest = 1 | memory |");
    println!("|---|---|---|---|---|---|---|---|");
    for engine in options.engines() {
        let mut smallest = None;
        for &sales in &options.sizes {
            let world = World::filled(engine, sales);
            let (mut by_hand, mut ours, mut memory) = (Vec::new(), Vec::new(), 0);
            for _ in 0..options.rounds(sales) {
                let (seconds, posted) = world.by_hand();
                by_hand.push(seconds);
                let (seconds, peak) = world.run(posted);
                ours.push(seconds);
                memory = memory.max(peak);
            }
            let (by_hand, ours) = (median(by_hand), median(ours));
            let each = ours / f64::from(sales);
            let (ratio, growth) = (ours / by_hand, each / *smallest.get_or_insert(each));
            println!(
                "| {} | {sales} | {by_hand:.2} s | {ours:.2} s | {ratio:.2} | {:.0} | {growth:.2} | {memory} MB |",
                engine.name(),
                1.0 / each
            );
            if sales >= 1_000_000 && ratio > MOST {
                missed.push(format!("{}: {ratio:.2} times the statement, {MOST} at most", engine.name()));
            }
            if growth > GROWTH {
                missed.push(format!("{}: {sales} sales: {growth:.2} times the smallest size", engine.name()));
            }
        }
    }
    options.judge(&missed);
}

fn open(target: &Target) -> Service {
    Service::open(Settings::for_tests(target.clone(), Clock::System, Ids::random())).unwrap()
}

/// Enrolled partners with sales and books without an entry.
enum World {
    Sqlite { folder: tempfile::TempDir, filled: PathBuf },
    Postgres(postgres::Lease),
}

impl World {
    fn filled(engine: Engine, sales: u32) -> Self {
        let of_size = |sql: &str| {
            sql.replace("10 /*partners*/", &(sales / SALES).to_string())
                .replace("20000 /*sales*/", &sales.to_string())
        };
        match engine {
            Engine::Sqlite => {
                let folder = tempfile::Builder::new().prefix("calculation-").tempdir().unwrap();
                let filled = folder.path().join("filled.db");
                let target = Target::Sqlite(filled.clone());
                open(&target).close();
                let purchases = SQLITE.split("-- refunds").next().unwrap();
                target.open().unwrap().batch_execute(&of_size(purchases)).unwrap();
                Self::Sqlite { folder, filled }
            }
            Engine::Postgres => {
                let lease = postgres::empty();
                open(&lease.target()).close();
                let mut conn = lease.target().open().unwrap();
                conn.batch_execute(&of_size(POSTGRES)).unwrap();
                conn.batch_execute("VACUUM ANALYZE").unwrap();
                Self::Postgres(lease)
            }
        }
    }

    /// A database with empty books.
    fn fresh(&self) -> Target {
        match self {
            Self::Sqlite { folder, filled } => {
                let file = folder.path().join("round.db");
                ground::remove(&file);
                std::fs::copy(filled, &file).unwrap();
                Target::Sqlite(file)
            }
            Self::Postgres(lease) => {
                let mut conn = lease.target().open().unwrap();
                conn.batch_execute(
                    "TRUNCATE earnings, ineligible_records, counted_sales, lever_volumes, cap_uses, lever_groups,
                         rebates, ledger_transfers, calculation_runs, calculation_backlog;
                     INSERT INTO calculation_backlog
                         SELECT partner_id, min(occurred_on) FROM transaction_records GROUP BY partner_id;
                     CHECKPOINT",
                )
                .unwrap();
                lease.target()
            }
        }
    }

    /// Runs the statement; gives its seconds and how many earnings it posted.
    fn by_hand(&self) -> (f64, usize) {
        let mut conn = self.fresh().open().unwrap();
        let words = match conn {
            Conn::Sqlite(_) => [
                ("{id}", "unhex(printf('%032x', row_number() OVER ()))"),
                ("{month}", "date(t.occurred_on, 'start of month')"),
                ("{exact}", "CAST(exact AS text)"),
                ("{least}", "min"),
                ("{greatest}", "max"),
                ("{now}", "1"),
            ],
            Conn::Postgres(_) => [
                ("{id}", "lpad(to_hex(row_number() OVER ()), 32, '0')::uuid"),
                ("{month}", "date_trunc('month', t.occurred_on)::date"),
                ("{exact}", "CAST(exact AS text)"),
                ("{least}", "least"),
                ("{greatest}", "greatest"),
                ("{now}", "now()"),
            ],
        };
        let statement = words.iter().fold(STATEMENT.to_owned(), |sql, (word, by)| sql.replace(word, by));
        let start = Instant::now();
        let posted = sql_query(statement).execute(&mut conn).unwrap();
        (start.elapsed().as_secs_f64(), posted)
    }

    /// Runs the calculation, which has to post as many; gives its seconds and the memory it held.
    fn run(&self, posted: usize) -> (f64, u64) {
        let service = open(&self.fresh());
        let start = Instant::now();
        let calculate = || calculation::calculate(&service.gate, None, |_| ControlFlow::Continue(())).unwrap();
        let (done, memory) = with_peak(calculate);
        let seconds = start.elapsed().as_secs_f64();
        assert_eq!(usize::try_from(done.earnings).unwrap(), posted, "both post the same earnings");
        let findings = service.gate.read_as_system(accounting::verify).unwrap();
        assert!(findings.iter().all(|finding| finding.difference.is_none()), "{findings:#?}");
        service.close();
        (seconds, memory)
    }
}
