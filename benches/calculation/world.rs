//! Enrolled partners with sales, and the statement a run is measured against.

#![expect(unreachable_pub, reason = "`pub` is what the parts of a benchmark offer to each other")]

use crate::ground::{self, Engine, postgres};
use diesel::{RunQueryDsl, connection::SimpleConnection, sql_query};
use partner_incentives::{
    app::Service,
    config::Settings,
    platform::{
        db::{Conn, Target},
        values::{Clock, Ids},
    },
};
use std::{path::PathBuf, time::Instant};

/// The same world as the process test's, in another size.
const SQLITE: &str = include_str!("../../tests/process/calculating.sql");
const POSTGRES: &str = include_str!("postgres.sql");
const STATEMENT: &str = include_str!("statement.sql");
/// Sales of a partner.
pub const SALES: u32 = 500;
/// The service on a database.
pub fn open(target: &Target) -> Service {
    Service::open(Settings {
        requests_per_minute: u32::MAX,
        ..Settings::for_tests(target.clone(), Clock::System, Ids::random())
    })
    .unwrap()
}

/// Enrolled partners with sales and books without an entry.
pub enum World {
    /// A file, which is copied for each round.
    Sqlite { folder: tempfile::TempDir, filled: PathBuf },
    /// A database, whose books are emptied for each round.
    Postgres(postgres::Lease),
}

impl World {
    /// So many sales, so many of each partner.
    pub fn filled(engine: Engine, sales: u32, of_each: u32) -> Self {
        let of_size = |sql: &str| {
            sql.replace("10 /*partners*/", &(sales / of_each).to_string())
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
    pub fn fresh(&self) -> Target {
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
                    "TRUNCATE earnings, ineligible_records, calculated_enrollments, lever_volumes, cap_uses, cap_months,
                         posted_groups, lever_months, lever_rates, ineligible_months, rebates, ledger_transfers, calculation_runs,
                         calculation_backlog CASCADE;
                     INSERT INTO calculation_backlog (partner_id, from_day, cause, failure, failed_at)
                         SELECT partner_id, min(occurred_on), 'sale', NULL, NULL FROM transaction_records
                             GROUP BY partner_id;
                     CHECKPOINT",
                )
                .unwrap();
                lease.target()
            }
        }
    }

    /// Runs the statement; gives its seconds and how many earnings it posted.
    pub fn by_hand(target: &Target) -> (f64, usize) {
        let mut conn = target.open().unwrap();
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
}
