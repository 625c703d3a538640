//! What a run of the calculation costs beside one hand-written statement that does tiers, cap and split by itself,
//! over the same sales on the same tables. SQLite.
//!
//! `cargo bench --bench calculation -- [--check]`; `--check` fails above twice the statement's time.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot run says why; it prints a table"
)]

use diesel::{RunQueryDsl, connection::SimpleConnection, sql_query};
use partner_incentives::{
    accounting,
    app::Service,
    calculation,
    config::Settings,
    platform::{
        db::Target,
        values::{Clock, Ids},
    },
};
use std::{ops::ControlFlow, path::Path, time::Instant};

/// The same world as the process test's, in another size.
const FILL: &str = include_str!("../tests/process/calculating.sql");

/// Tiers, cap, rounding and split, with neither rules, windows, refunds, records of what does not earn, nor books.
const STATEMENT: &str = "INSERT INTO earnings
    SELECT unhex('06' || substr(hex(id), 3)), enrollment_id, partner_id, 1, 'core', 'transaction', id, id, customer_id,
        date(occurred_on, 'start of month'), date(occurred_on, 'start of month'), 'USD', amount, amount, amount, low,
        CAST(exact AS TEXT), whole, capacity, 0, given, (given * 600000 + 500000) / 1000000,
        given - (given * 600000 + 500000) / 1000000, 1
    FROM (
        SELECT *, max(0, 1000000 - (total - whole)) AS capacity,
            max(0, min(whole, 1000000 - (total - whole))) AS given
        FROM (
            SELECT *, (exact + 500000) / 1000000 AS whole, sum((exact + 500000) / 1000000) OVER
                (PARTITION BY enrollment_id ORDER BY occurred_on, id ROWS UNBOUNDED PRECEDING) AS total
            FROM (
                SELECT *, max(0, min(high, 5000000) - low) * 20000
                    + max(0, min(high, 15000000) - max(low, 5000000)) * 40000
                    + max(0, high - max(low, 15000000)) * 60000 AS exact
                FROM (
                    SELECT t.id, t.partner_id, t.customer_id, t.occurred_on, t.amount, e.id AS enrollment_id,
                        sum(t.amount) OVER half AS high, sum(t.amount) OVER half - t.amount AS low
                    FROM transaction_records t JOIN enrollments e ON e.partner_id = t.partner_id
                    WINDOW half AS (PARTITION BY t.partner_id, t.occurred_on < '2019-01-01'
                        ORDER BY t.occurred_on, t.id ROWS UNBOUNDED PRECEDING)
                )
            )
        )
    ) WHERE given > 0";

fn service(path: &Path) -> Service {
    Service::open(Settings::for_tests(Target::Sqlite(path.to_owned()), Clock::System, Ids::random())).unwrap()
}

/// How many kilobytes the process has held at most.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or_default()
}

fn main() {
    let check = std::env::args().any(|argument| argument == "--check");
    println!(
        "{:>9}  {:>9}  {:>9}  {:>6}  {:>9}  {:>8}",
        "sales", "statement", "run", "ratio", "sales/s", "memory"
    );
    let mut worst: f64 = 0.0;
    for (sales, partners) in [(100_000, 200), (1_000_000, 2000)] {
        let folder = tempfile::tempdir().unwrap();
        let (plain, run) = (folder.path().join("plain.db"), folder.path().join("run.db"));
        service(&plain).close();
        let fill = FILL
            .split("-- refunds")
            .next()
            .unwrap_or_default()
            .replace("10 /*partners*/", &partners.to_string())
            .replace("20000 /*sales*/", &sales.to_string());
        Target::Sqlite(plain.clone()).open().unwrap().batch_execute(&fill).unwrap();
        std::fs::copy(&plain, &run).unwrap();

        let mut conn = Target::Sqlite(plain).open().unwrap();
        let start = Instant::now();
        let by_statement = sql_query(STATEMENT).execute(&mut conn).unwrap();
        let statement = start.elapsed();
        drop(conn);

        let service = service(&run);
        let start = Instant::now();
        let done = calculation::calculate(&service.gate, None, |_| ControlFlow::Continue(())).unwrap();
        let took = start.elapsed();
        assert_eq!(usize::try_from(done.earnings).unwrap(), by_statement, "both post the same earnings");
        let findings = service.gate.read_as_system(accounting::verify).unwrap();
        assert!(findings.iter().all(|finding| finding.difference.is_none()), "{findings:#?}");
        service.close();
        let ratio = took.as_secs_f64() / statement.as_secs_f64();
        worst = worst.max(ratio);
        println!(
            "{sales:>9}  {:>7.2} s  {:>7.2} s  {ratio:>6.2}  {:>9.0}  {:>5} MB",
            statement.as_secs_f64(),
            took.as_secs_f64(),
            f64::from(sales) / took.as_secs_f64(),
            peak_memory() / 1024,
        );
    }
    assert!(!check || worst <= 2.0, "a run takes {worst:.2} times the statement");
}
