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
mod ground;
#[path = "calculation/world.rs"]
mod world;

use diesel::connection::SimpleConnection;
use ground::{Options, median, with_peak};
use partner_incentives::{
    earnings::calculation,
    operations::verify,
    platform::db::{Conn, Target},
};
use std::{ops::ControlFlow, time::Instant};
use world::{World, open};

/// How many times the statement's time a run may take.
const MOST: f64 = 2.0;
/// Sales of the partner whose first purchase is taken back in part, and the most seconds until its year is right again.
const OF_ONE: u32 = 100_000;
const LATE: f64 = 1.0;
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
            let world = World::filled(engine, sales, world::SALES);
            let (mut by_hand, mut ours, mut memory) = (Vec::new(), Vec::new(), 0);
            for _ in 0..options.rounds(sales) {
                let (seconds, posted) = World::by_hand(&world.fresh());
                by_hand.push(seconds);
                let (seconds, peak) = run(&world, posted);
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
    println!("\n| | sales of one partner | all computed | a cent of the first taken back |");
    println!("|---|---|---|---|");
    for engine in options.engines() {
        let (all, late) = late(engine);
        println!("| {} | {OF_ONE} | {all:.2} s | {late:.2} s |", engine.name());
        if late > LATE {
            missed.push(format!("{}: {late:.2} s for a late refund, {LATE} at most", engine.name()));
        }
    }
    options.judge(&missed);
}

/// Computes the year of one large partner, and once more from its first month on; gives the seconds of both.
fn late(engine: ground::Engine) -> (f64, f64) {
    let world = World::filled(engine, OF_ONE, OF_ONE);
    let target = world.fresh();
    let service = open(&target);
    let timed = || {
        let start = Instant::now();
        calculation::calculate(&service.app, None, |_| ControlFlow::Continue(())).unwrap();
        start.elapsed().as_secs_f64()
    };
    let all = timed();
    refund_late(&target);
    let late = timed();
    service.close();
    (all, late)
}

/// A refund of the first purchase of the year, which moves every slice after it.
const REFUND: &str = "INSERT INTO transaction_records SELECT {id}, source, 'late', partner_id, NULL, customer_id,
        customer_country, customer_public_sector, product, product_family, 'refund', id, occurred_on, -1, currency, NULL,
        created_at FROM transaction_records WHERE kind = 'purchase' ORDER BY occurred_on, external_id LIMIT 1;
    INSERT INTO calculation_backlog (partner_id, from_day, cause, failure, failed_at)
        SELECT partner_id, occurred_on, 'refund', NULL, NULL FROM transaction_records WHERE external_id = 'late';";

/// Takes back a cent of the first purchase.
fn refund_late(target: &Target) {
    let mut conn = target.open().unwrap();
    let id = match conn {
        Conn::Sqlite(_) => "unhex(printf('%032x', 255))",
        Conn::Postgres(_) => "lpad(to_hex(255), 32, '0')::uuid",
    };
    conn.batch_execute(&REFUND.replace("{id}", id)).unwrap();
    // As the server does by itself within a minute.
    if matches!(conn, Conn::Postgres(_)) {
        conn.batch_execute("ANALYZE").unwrap();
    }
}

/// Runs the calculation, which has to post as many; gives its seconds and the memory it held.
fn run(world: &World, posted: usize) -> (f64, u64) {
    let service = open(&world.fresh());
    let start = Instant::now();
    let calculate = || calculation::calculate(&service.app, None, |_| ControlFlow::Continue(())).unwrap();
    let (done, memory) = with_peak(calculate);
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(usize::try_from(done.earnings).unwrap(), posted, "both post the same earnings");
    let findings = service.app.read_as_system(verify::sums_of_books).unwrap();
    assert!(findings.iter().all(|finding| finding.difference.is_none()), "{findings:#?}");
    service.close();
    (seconds, memory)
}
