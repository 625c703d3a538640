//! How fast a file of transactions is taken, beside the least that its rows cost: `sqlite3 .import` and `COPY`, of
//! the same rows into the same table with the same indexes and constraints.
//!
//! `cargo bench --bench import -- [--quick] [--rounds N] [--only sqlite|postgres]`
//!
//! What is beside it only copies: it checks no row, follows up nothing, and gives no record an id. Runs are
//! interleaved and the table holds medians; each begins on an empty table. The shell and `psql` are the reference:
//! where one is missing, its database is left out, and the run says so.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot run says why and ends")]
#![expect(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "likewise; and it prints a table"
)]

#[path = "../tests/support/postgres.rs"]
#[expect(unreachable_pub, dead_code, reason = "the benchmark uses one of its two kinds of databases")]
mod postgres;

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

use partner_incentives::{
    app::{self, Service},
    config::Settings,
    imports::{self, Format, Order},
    partners::{Partner, PartnerStatus, PartnerType},
    platform::{
        db::Target,
        values::{Clock, Id, Ids},
    },
    schema::partners,
};
use std::{
    fmt::Write as _,
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

/// Partners whose sales are in a file.
const PARTNERS: u32 = 1000;
const HEAD: &str = "source,external_id,partner_id,customer_id,customer_country,customer_public_sector,product,product_family,kind,occurred_on,amount,currency,units";

#[derive(Clone, Copy, PartialEq)]
enum Engine {
    Sqlite,
    Postgres,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let after = |name: &str| arguments.iter().skip_while(|a| *a != name).nth(1).cloned();
    let rounds: usize = after("--rounds").map_or(3, |text| text.parse().expect("a number of rounds"));
    let sizes = if quick { [10_000, 100_000] } else { [100_000, 1_000_000] };
    let folder = tempfile::Builder::new().prefix("import-").tempdir_in(database::scratch()).unwrap();
    println!(
        "| | rows | rows/s | beside it, rows/s | ratio | rows/s of the smaller file = 1 |\n|---|---|---|---|---|---|"
    );
    for (engine, name, shell) in
        [(Engine::Sqlite, "sqlite", "sqlite3"), (Engine::Postgres, "postgres", "psql")]
    {
        if after("--only").is_some_and(|only| only != name) {
            continue;
        }
        if Command::new(shell).arg("--version").output().is_err() {
            println!("SKIPPED: {name}; there is no {shell} on the path");
            continue;
        }
        let mut smaller = None;
        for rows in sizes {
            let files = Files::of(folder.path(), rows);
            let (mut ours, mut beside) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                beside.push(reference(engine, folder.path(), &files));
                ours.push(import(engine, folder.path(), &files, rows));
            }
            let speed = |seconds: &mut Vec<f64>| {
                seconds.sort_by(f64::total_cmp);
                f64::from(rows) / seconds[seconds.len() / 2]
            };
            let (ours, beside) = (speed(&mut ours), speed(&mut beside));
            let first = *smaller.get_or_insert(ours);
            println!(
                "| {name} | {rows} | {ours:.0} | {beside:.0} | {:.2} | {:.2} |",
                ours / beside,
                ours / first
            );
        }
    }
}

/// The same rows twice: as the service takes them, and with every column of the table for either shell.
struct Files {
    ours: PathBuf,
    sqlite: PathBuf,
    postgres: PathBuf,
}

impl Files {
    fn of(folder: &Path, rows: u32) -> Self {
        let path = |name: &str| folder.join(format!("{rows}-{name}.csv"));
        let files = Self { ours: path("ours"), sqlite: path("sqlite"), postgres: path("postgres") };
        let mut out = [&files.ours, &files.sqlite, &files.postgres]
            .map(|path| BufWriter::new(File::create(path).unwrap()));
        writeln!(out[0], "{HEAD}").unwrap();
        for n in 0..rows {
            let partner = n.wrapping_mul(2_654_435_761) % PARTNERS;
            let (customer, product) = (n % 50_000, n % 300);
            let day = format!("2025-{:02}-{:02}", n % 12 + 1, n % 28 + 1);
            let (amount, cents) = (n % 9000 + 1, n % 100);
            let who = format!("C-{customer},US,");
            let what = format!("SKU-{product:05},modern-work,purchase,");
            let number = format!("billing,INV-{n:09},");
            writeln!(
                out[0],
                "{number}{},{who}false,{what}{day},{amount}.{cents:02},USD,{}",
                id_of(partner),
                n % 50
            )
            .unwrap();
            let minor = amount * 100 + cents;
            writeln!(
                out[1],
                "{n:016},{number}{partner:016},,{who}0,{what},{day},{minor},USD,{},1764000000000000",
                n % 50
            )
            .unwrap();
            writeln!(out[2], "01936f2e-4b01-7000-8000-{n:012x},{number}{},,{who}f,{what},{day},{minor},USD,{},2026-01-01T00:00:00Z", id_of(partner), n % 50).unwrap();
        }
        for file in &mut out {
            file.flush().unwrap();
        }
        files
    }
}

fn id_of(partner: u32) -> Id {
    format!("01936f2e-4b00-7000-8000-{partner:012x}").parse().unwrap()
}

/// An empty database with the partners.
fn opened(target: &Target) -> Service {
    let settings = Settings::for_tests(target.clone(), Clock::System, Ids::random());
    let service = Service::open(settings).unwrap();
    let now = service.settings.clock.now();
    let made = (0..PARTNERS).map(move |n| Partner {
        id: id_of(n),
        mpn_id: format!("{:07}", 1_000_000 + n),
        legal_name: format!("Partner {n}"),
        country: "US".parse().unwrap(),
        currency: "USD".parse().unwrap(),
        partner_type: if n % 2 == 0 { PartnerType::DirectBill } else { PartnerType::IndirectReseller },
        headquarters_id: None,
        contact_email: "partner@partner.example".into(),
        status: PartnerStatus::Active,
        created_at: now,
        updated_at: now,
        revision: 1,
    });
    let made: Vec<Partner> = made.collect();
    let insert = move |conn: &mut _| {
        for partner in &made {
            diesel::RunQueryDsl::execute(diesel::insert_into(partners::table).values(partner), conn)?;
        }
        Ok(())
    };
    service.db.write(insert).unwrap();
    service
}

fn import(engine: Engine, folder: &Path, files: &Files, rows: u32) -> f64 {
    let lease = (engine == Engine::Postgres).then(postgres::empty);
    let file = folder.join("ours.db");
    let target = lease.as_ref().map_or_else(|| Target::Sqlite(file.clone()), postgres::Lease::target);
    let service = opened(&target);
    let errand = service.gate.errand("CreateTransactionImport");
    let order = Order { format: Format::Csv, dry_run: false };
    let start = Instant::now();
    let import = imports::run(&errand, &app::contract(), order, File::open(&files.ours).unwrap()).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(import.created, i64::from(rows), "{import:?}");
    service.close();
    remove(&file);
    seconds
}

fn reference(engine: Engine, folder: &Path, files: &Files) -> f64 {
    match engine {
        Engine::Sqlite => {
            let file = folder.join("beside.db");
            let read = |number: &str| {
                let path = format!("{}/migrations/sqlite/{number}/up.sql", env!("CARGO_MANIFEST_DIR"));
                std::fs::read_to_string(path).unwrap()
            };
            // The shell reads text only, and an empty cell is an empty text: the same table, but ids of 16 letters
            // may stand for 16 bytes, and an empty text for nothing.
            let mut set_up = read("0001_base")
                .replace(") STRICT, WITHOUT ROWID;", ") WITHOUT ROWID;")
                .replace("provider_id BLOB REFERENCES partners (id)", "provider_id BLOB")
                .replace(
                    "original_transaction_id BLOB REFERENCES transactions (id)",
                    "original_transaction_id BLOB",
                )
                .replace("original_transaction_id IS NOT NULL", "original_transaction_id <> ''");
            set_up.push_str("PRAGMA journal_mode = WAL;BEGIN;");
            for n in 0..PARTNERS {
                write!(set_up, "INSERT INTO partners VALUES (printf('%016d', {n}), {}, 'Partner', 'US', 'USD', 'direct_bill', NULL, 'a@b.example', 'active', 0, 0, 1);", 1_000_000 + n).unwrap();
            }
            set_up.push_str("COMMIT;");
            let script = folder.join("set-up.sql");
            std::fs::write(&script, set_up).unwrap();
            let run = |commands: &[&str]| {
                let mut shell = Command::new("sqlite3");
                shell.arg("-bail").arg(&file);
                let output = shell.args(commands).output().unwrap();
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success() && said.is_empty(), "{said}");
            };
            run(&[&format!(".read {}", script.display())]);
            let start = Instant::now();
            run(&[
                "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384;",
                &format!(".import --csv {} transactions", files.sqlite.display()),
            ]);
            let seconds = start.elapsed().as_secs_f64();
            remove(&file);
            seconds
        }
        Engine::Postgres => {
            let lease = postgres::empty();
            let service = opened(&lease.target());
            service.close();
            let Target::Postgres(url) = lease.target() else { panic!("the target of a server") };
            let copy = format!("\\copy transaction_records FROM '{}' CSV", files.postgres.display());
            let start = Instant::now();
            let output = Command::new("psql").args([&url, "-qc", &copy]).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            start.elapsed().as_secs_f64()
        }
    }
}

fn remove(file: &Path) {
    for ending in ["db", "db-wal", "db-shm", "lock"] {
        let _ = std::fs::remove_file(file.with_extension(ending));
    }
}
