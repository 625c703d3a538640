//! How fast a file of transactions is taken, beside the least that its rows cost: `sqlite3 .import` and `COPY`, of
//! the same rows into the same two tables with the same indexes and constraints.
//!
//! `cargo bench --bench import -- [--large] [--size N]... [--rounds N] [--only sqlite|postgres] [--check]`
//!
//! What is beside it only copies: it checks no row, follows up nothing, and gives no record an id. Runs are
//! interleaved and the table holds medians; each begins on an empty table. The shell and `psql` are the reference:
//! where one is missing, its database is left out, and the run says so. `--check` fails where a million rows are
//! taken at less than half the speed of `.import`, or 0.6 of `COPY`, or where a larger file is slower by the row.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot run says why and ends")]
#![expect(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "likewise; and it prints a table"
)]

#[path = "ground.rs"]
mod ground;

use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};
use ground::{Engine, Options, median, postgres, remove, with_peak};
use partner_incentives::{
    app::Service,
    config::Settings,
    network::partners::{Partner, PartnerStatus, PartnerType},
    platform::{
        db::Target,
        values::{Clock, Id, Ids},
    },
    sales::imports::{self, Format, ImportOptions},
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

/// The least part of a shell's speed, and how much slower a row of a larger file may be.
const LEAST: [(Engine, &str, f64); 2] = [(Engine::Sqlite, "sqlite3", 0.5), (Engine::Postgres, "psql", 0.6)];
const GROWTH: f64 = 1.25;

fn main() {
    let options = Options::read();
    let folder = tempfile::Builder::new().prefix("import-").tempdir().unwrap();
    let mut missed = Vec::new();
    println!(
        "| | rows | beside it | import | ratio of speeds | rows/s | seconds a row, smallest = 1 | memory |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for engine in options.engines() {
        let (_, shell, least) = LEAST[LEAST.iter().position(|(of, ..)| *of == engine).unwrap()];
        if Command::new(shell).arg("--version").output().is_err() {
            println!("SKIPPED: {}; there is no {shell} on the path", engine.name());
            continue;
        }
        let mut smallest = None;
        for &rows in &options.sizes {
            let files = Files::of(folder.path(), rows);
            let (mut ours, mut beside, mut memory) = (Vec::new(), Vec::new(), 0);
            for _ in 0..options.rounds(rows) {
                beside.push(reference(engine, folder.path(), &files));
                let (seconds, peak) = import(engine, folder.path(), &files, rows);
                ours.push(seconds);
                memory = memory.max(peak);
            }
            let (ours, beside) = (median(ours), median(beside));
            let each = ours / f64::from(rows);
            let (ratio, growth) = (beside / ours, each / *smallest.get_or_insert(each));
            println!(
                "| {} | {rows} | {beside:.2} s | {ours:.2} s | {ratio:.2} | {:.0} | {growth:.2} | {memory} MB |",
                engine.name(),
                1.0 / each
            );
            if rows >= 1_000_000 && ratio < least {
                missed
                    .push(format!("{}: {ratio:.2} of the speed of {shell}, {least} at least", engine.name()));
            }
            if growth > GROWTH {
                missed.push(format!("{}: {rows} rows: {growth:.2} times the smallest size", engine.name()));
            }
        }
    }
    options.judge(&missed);
}

/// The same rows twice: as the service takes them, and with every column of both tables for either shell.
struct Files {
    ours: PathBuf,
    sqlite: Copied,
    postgres: Copied,
}

/// What a shell copies, a file for each table.
struct Copied {
    records: PathBuf,
    numbers: PathBuf,
}

impl Files {
    fn of(folder: &Path, rows: u32) -> Self {
        let path = |name: String| folder.join(format!("{rows}-{name}.csv"));
        let copied = |shell: &str| Copied {
            records: path(format!("{shell}-records")),
            numbers: path(format!("{shell}-numbers")),
        };
        let files =
            Self { ours: path("ours".into()), sqlite: copied("sqlite"), postgres: copied("postgres") };
        let (sqlite, postgres) = (&files.sqlite, &files.postgres);
        let mut out = [&files.ours, &sqlite.records, &postgres.records, &sqlite.numbers, &postgres.numbers]
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
            writeln!(out[3], "{number}{partner:016},{n:016}").unwrap();
            writeln!(out[4], "{number}{},01936f2e-4b01-7000-8000-{n:012x}", id_of(partner)).unwrap();
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
        headquarters_since: None,
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

fn import(engine: Engine, folder: &Path, files: &Files, rows: u32) -> (f64, u64) {
    let lease = (engine == Engine::Postgres).then(postgres::empty);
    let file = folder.join("ours.db");
    let target = lease.as_ref().map_or_else(|| Target::Sqlite(file.clone()), postgres::Lease::target);
    let service = opened(&target);
    let background = service.app.background("CreateTransactionImport");
    let options = ImportOptions { format: Format::Csv, dry_run: false, ignore_unknown_columns: false };
    let start = Instant::now();
    let take = || imports::import_file(&background, options, File::open(&files.ours).unwrap()).unwrap();
    let (import, memory) = with_peak(take);
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(import.created, i64::from(rows), "{import:?}");
    service.close();
    remove(&file);
    (seconds, memory)
}

/// An empty text would have to be the id of a purchase.
const REFUNDS: &str =
    "FOREIGN KEY (partner_id, original_transaction_id) REFERENCES transaction_records (partner_id, id),";

fn reference(engine: Engine, folder: &Path, files: &Files) -> f64 {
    match engine {
        Engine::Sqlite => {
            let file = folder.join("beside.db");
            // The shell reads text only, and an empty cell is an empty text: the same tables with the same indexes, but
            // ids of 16 letters may stand for 16 bytes, and an empty text for nothing.
            let mut set_up = definitions(&folder.join("ours.db"))
                .replace(") STRICT, WITHOUT ROWID;", ") WITHOUT ROWID;")
                .replace(") STRICT;", ");")
                .replace("provider_id BLOB CHECK (length(provider_id) = 16)", "provider_id BLOB")
                .replace("BLOB CHECK (length(original_transaction_id) = 16)", "BLOB")
                .replace(REFUNDS, "")
                .replace("original_transaction_id IS NOT NULL", "original_transaction_id <> ''");
            set_up.push_str("PRAGMA journal_mode = WAL;BEGIN;");
            for n in 0..PARTNERS {
                write!(set_up, "INSERT INTO partners VALUES (printf('%016d', {n}), {}, 'Partner', 'US', 'USD', 'direct_bill', NULL, NULL, 'a@b.example', 'active', 0, 0, 1, '');", 1_000_000 + n).unwrap();
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
                "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384; PRAGMA mmap_size = 268435456;",
                &format!(".import --csv {} transaction_records", files.sqlite.records.display()),
                &format!(".import --csv {} transaction_numbers", files.sqlite.numbers.display()),
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
            let copy = |table: &str, file: &Path| format!("\\copy {table} FROM '{}' CSV", file.display());
            let start = Instant::now();
            let output = Command::new("psql")
                .args([&url, "-q", "-c", &copy("transaction_records", &files.postgres.records)])
                .args(["-c", &copy("transaction_numbers", &files.postgres.numbers)])
                .output()
                .unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            start.elapsed().as_secs_f64()
        }
    }
}

/// How the tables of an import are made, as the migrations leave them.
fn definitions(file: &Path) -> String {
    #[derive(QueryableByName)]
    struct Made {
        #[diesel(sql_type = Text)]
        sql: String,
    }
    let target = Target::Sqlite(file.to_owned());
    opened(&target).close();
    let tables = "SELECT sql || ';' AS sql FROM sqlite_master WHERE sql IS NOT NULL
        AND tbl_name IN ('partners', 'transaction_records', 'transaction_numbers') ORDER BY rowid";
    let made: Vec<Made> = sql_query(tables).load(&mut target.open().unwrap()).unwrap();
    remove(file);
    made.into_iter().map(|made| made.sql + "\n").collect()
}
