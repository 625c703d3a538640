//! What a payment run costs beside SQL written by hand: the preview beside one statement that groups, nets and compares with the
//! threshold (`payments/statement.sql`), and the run beside one statement for each table that the run writes
//! (`payments/by_hand.sql`), into the same tables with the same indexes.
//!
//! `cargo bench --bench payments -- [--size LINES]... [--rounds N] [--only sqlite|postgres] [--check]`
//!
//! A partner has ten lines. Rounds are interleaved and the table holds medians; each begins on books without a payment. The
//! preview has the totals of the run, or the benchmark ends. `--check` fails where a million lines take more than three times as
//! long as by hand, or memory grows with the lines.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot run says why and ends")]
#![expect(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "likewise; and it prints a table"
)]

#[path = "ground.rs"]
mod ground;
#[path = "words.rs"]
mod words;

use diesel::{QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::BigInt};
use ground::{Engine, Options, median, postgres, with_peak};
use partner_incentives::{
    app::Service,
    config::Settings,
    ledger::accounting::WaitingRange,
    payouts::payment_runs::{self, PaymentRun, PaymentRunState},
    platform::{
        db::{Conn, Target},
        values::{Clock, Ids},
    },
    work::{JobName, Turn},
};
use std::{path::PathBuf, time::Instant};

const WORLD: &str = include_str!("payments/world.sql");
const STATEMENT: &str = include_str!("payments/statement.sql");
const BY_HAND: &str = include_str!("payments/by_hand.sql");

/// How many times the time by hand a preview and a run may take.
const MOST: f64 = 3.0;
/// The lines of a partner.
const LINES: u32 = 10;
/// How many times the memory of the smallest size a run may hold.
const MEMORY: f64 = 1.5;

#[derive(QueryableByName)]
struct Payable {
    #[diesel(sql_type = BigInt)]
    payments: i64,
    #[diesel(sql_type = BigInt)]
    gross: i64,
}

/// SQL in the words of a database, for so many lines.
fn spelled(engine: Engine, sql: &str, lines: u32) -> String {
    words::spelled(engine, sql, &[("partners", lines / LINES), ("lines", lines)])
}

fn open(target: &Target) -> Service {
    Service::open(Settings::for_tests(target.clone(), Clock::System, Ids::random())).unwrap()
}

/// Partners with payable rebates, and no payment.
enum World {
    /// A file, which is copied for each round.
    Sqlite { folder: tempfile::TempDir, filled: PathBuf },
    /// A database, whose payments are thrown away for each round.
    Postgres(postgres::Lease),
}

impl World {
    fn filled(engine: Engine, lines: u32) -> Self {
        let fill = |target: &Target| {
            open(target).close();
            target.open().unwrap().batch_execute(&spelled(engine, WORLD, lines)).unwrap();
        };
        match engine {
            Engine::Sqlite => {
                let folder = tempfile::Builder::new().prefix("payments-").tempdir().unwrap();
                let filled = folder.path().join("filled.db");
                fill(&Target::Sqlite(filled.clone()));
                let flush = "PRAGMA wal_checkpoint(TRUNCATE)";
                Target::Sqlite(filled.clone()).open().unwrap().batch_execute(flush).unwrap();
                Self::Sqlite { folder, filled }
            }
            Engine::Postgres => {
                let lease = postgres::empty();
                fill(&lease.target());
                Self::Postgres(lease)
            }
        }
    }

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
                let empty = "TRUNCATE payment_lines, payments, payment_runs, ledger_transfers CASCADE;
                    UPDATE rebates SET state = 'payable', revision = 1 WHERE state <> 'payable'";
                conn.batch_execute(empty).unwrap();
                conn.batch_execute("VACUUM FULL rebates").unwrap();
                conn.batch_execute("VACUUM ANALYZE").unwrap();
                conn.batch_execute("CHECKPOINT").unwrap();
                lease.target()
            }
        }
    }
}

fn seconds<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let done = work();
    (start.elapsed().as_secs_f64(), done)
}

/// The seconds of a round.
#[derive(Default)]
struct Round {
    statement: Vec<f64>,
    preview: Vec<f64>,
    by_hand: Vec<f64>,
    run: Vec<f64>,
    memory: u64,
}

impl Round {
    fn add(&mut self, engine: Engine, world: &World, lines: u32) {
        let target = world.fresh();
        let mut conn = target.open().unwrap();
        let statement = spelled(engine, STATEMENT, lines);
        let (took, due) = seconds(|| sql_query(statement).get_result::<Payable>(&mut conn).unwrap());
        self.statement.push(took);
        let by_hand = format!("BEGIN; {} COMMIT;", spelled(engine, BY_HAND, lines));
        self.by_hand.push(seconds(|| conn.batch_execute(&by_hand).unwrap()).0);
        let made = "SELECT COUNT(*) AS payments, CAST(SUM(gross) AS BIGINT) AS gross FROM payments";
        let made: Payable = sql_query(made).get_result(&mut conn).unwrap();
        assert_eq!((made.payments, made.gross), (due.payments, due.gross), "both statements say the same");
        if let Conn::Postgres(_) = conn {
            conn.batch_execute("DROP TABLE due").unwrap();
        }
        drop(conn);
        let service = open(&world.fresh());
        let range = WaitingRange { until: "2019-04".parse().unwrap(), currency: None };
        let (took, preview) =
            seconds(|| service.app.read_as_system(|tx| payment_runs::preview(tx, range)).unwrap());
        self.preview.push(took);
        let ((took, run), memory) = with_peak(|| seconds(|| run(&service)));
        self.run.push(took);
        self.memory = self.memory.max(memory);
        assert_eq!(preview.totals, run.totals.0, "the preview is the run");
        let total = &run.totals.0[0];
        assert_eq!((total.payments, total.gross.minor), (due.payments, due.gross), "and the statement");
        service.close();
    }
}

/// Makes a run, and prepares all of it.
fn run(service: &Service) -> PaymentRun {
    let turn = Turn::take(&service.app, JobName::PaymentRuns).unwrap().expect("nobody is at work");
    let create = |tx: &mut partner_incentives::access::Tx<'_>| {
        let until = "2019-04".parse().unwrap();
        payment_runs::create(tx, until, None)
    };
    let begun = service.app.write_as_system("CreatePaymentRun", create).unwrap();
    payment_runs::prepare_in(&turn, payment_runs::PORTION).unwrap();
    let run = service.app.read_as_system(|tx| payment_runs::get(tx, begun.id)).unwrap();
    assert_eq!(run.state, PaymentRunState::Created);
    run
}

fn main() {
    let options = Options::read();
    let mut missed = Vec::new();
    println!("| | lines | statement | preview | ratio | by hand | run | ratio | memory |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for engine in options.engines() {
        let mut smallest = None;
        for &lines in &options.sizes {
            let world = World::filled(engine, lines);
            let mut round = Round::default();
            for _ in 0..options.rounds(lines) {
                round.add(engine, &world, lines);
            }
            let memory = round.memory;
            let [statement, preview, by_hand, run] =
                [round.statement, round.preview, round.by_hand, round.run].map(median);
            let (looked, made) = (preview / statement, run / by_hand);
            println!(
                "| {} | {lines} | {statement:.2} s | {preview:.2} s | {looked:.2} | {by_hand:.2} s | {run:.2} s | {made:.2} | {memory} MB |",
                engine.name()
            );
            for (name, ratio) in [("preview", looked), ("run", made)] {
                if lines >= 1_000_000 && ratio > MOST {
                    missed
                        .push(format!("{}: a {name} takes {ratio:.2} times, {MOST} at most", engine.name()));
                }
            }
            let least = *smallest.get_or_insert(memory);
            #[expect(clippy::cast_precision_loss, reason = "megabytes")]
            if memory as f64 > least.max(32) as f64 * MEMORY {
                missed.push(format!(
                    "{}: {memory} MB for {lines} lines, {least} MB for the fewest",
                    engine.name()
                ));
            }
        }
    }
    options.judge(&missed);
}
