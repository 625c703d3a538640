//! The binary, killed at any moment: what it was at is finished by the next one, as if nothing had been.

use crate::{
    suite::{
        calculation::{Story, flat, verify},
        partners::partner,
    },
    support::{Database, World},
};
use diesel::{QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text};
use partner_incentives::{
    app::Service,
    config::Settings,
    platform::{
        db::Target,
        values::{Clock, Ids},
    },
};
use serde_json::json;
use std::{
    fmt::Write as _,
    hash::{BuildHasher, RandomState},
    io::Write as _,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::NamedTempFile;

const HEAD: &str = "source,external_id,partner_id,customer_id,customer_country,product,product_family,kind,\
                    original_external_id,occurred_on,amount,currency\n";
const SALES: u32 = 6_500;

/// Three enrolled partners, and a file of their sales. The same each time, to the last id.
fn programme() -> (Database, NamedTempFile) {
    let world = World::new();
    let mut capped = flat("capped", "0.10");
    capped["cap"] = json!({"scope": "partner", "amount": {"amount": "90000.00", "currency": "USD"}});
    let tier = |from: &str, rate: &str| json!({"from": {"amount": from, "currency": "USD"}, "rate": rate});
    let tiers = json!([tier("0.00", "0.02"), tier("50000.00", "0.04")]);
    let slices = json!({"type": "core", "code": "slices", "name": "Slices",
        "scale": {"type": "marginal", "period": "half_year", "tiers": tiers}});
    let mut customers = flat("customers", "0.035");
    customers["grain"] = json!("customer_month");
    let story = Story::new(&world, &json!([capped, slices, customers]));
    let mut sellers = vec![story.partner.clone()];
    for n in 2..=3 {
        let id = story.operator.post("/v1/partners", partner(n, "direct_bill")).send().ok().id();
        let asked = json!({"partner_id": id, "program": "rewards", "reason": "By telephone"});
        story.operator.post("/v1/enrollments", asked).send().ok();
        sellers.push(id);
    }
    drop(story);
    let mut rows = HEAD.to_owned();
    for n in 0..SALES {
        let (seller, customer) = (&sellers[n as usize % 3], n * 7919 % 200);
        let on = format!(
            "{}-{:02}-{:02}",
            if n % 2 == 0 { 2018 } else { 2019 },
            n / 2 % 6 + if n % 2 == 0 { 7 } else { 1 },
            n % 28 + 1
        );
        let cents = 1000 + n * 7907 % 90_000;
        let amount = format!("{}.{:02}", cents / 100, cents % 100);
        writeln!(rows, "billing,N{n},{seller},C-{customer},DE,SKU-1,azure,purchase,,{on},{amount},USD")
            .unwrap();
        if n % 17 == 0 {
            writeln!(
                rows,
                "billing,R{n},{seller},C-{customer},DE,SKU-1,azure,refund,N{n},2019-07-15,-5.55,USD"
            )
            .unwrap();
        }
    }
    let mut file = NamedTempFile::with_suffix(".csv").unwrap();
    file.write_all(rows.as_bytes()).unwrap();
    (world.leave(), file)
}

fn start(database: &Database, arguments: &[&str]) -> Child {
    let url = match &database.target {
        Target::Sqlite(path) => format!("sqlite://{}", path.display()),
        Target::Postgres(url) => url.clone(),
    };
    Command::new(env!("CARGO_BIN_EXE_partner-incentives"))
        .args(arguments)
        .env("DATABASE_URL", url)
        .env("ENCRYPTION_KEY", settings(database).encryption_key.unwrap())
        .env_remove("SMTP_URL")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn settings(database: &Database) -> Settings {
    Settings::for_tests(database.target.clone(), Clock::System, Ids::random())
}

/// Runs it to its end; says how long that took.
fn finish(database: &Database, arguments: &[&str]) -> Duration {
    let begun = Instant::now();
    assert!(start(database, arguments).wait().unwrap().success(), "{arguments:?}");
    begun.elapsed()
}

/// Starts it some times, and kills it each time at a random moment of the time it takes; says how often it was in time.
fn kill(database: &Database, arguments: &[&str], takes: Duration) -> u32 {
    let chance = || (RandomState::new().hash_one(0) % 600) as u32;
    (0..4)
        .map(|_| {
            let mut child = start(database, arguments);
            std::thread::sleep(takes * chance() / 1000);
            let killed = child.try_wait().unwrap().is_none();
            child.kill().unwrap();
            child.wait().unwrap();
            give_back(database);
            u32::from(killed)
        })
        .sum()
}

/// Nobody waits here until the leases of a process that was killed have run out.
fn give_back(database: &Database) {
    let give_back = "UPDATE jobs SET holder = NULL, leased_until = NULL";
    database.target.open().unwrap().batch_execute(give_back).unwrap();
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Every sale, what it earned or why not, and what is owed: without ids and instants.
fn books(database: &Database) -> Vec<String> {
    let service = Service::open(settings(database)).unwrap();
    verify(&service);
    let lines = "
        SELECT 'sale ' || external_id || ' ' || CAST(amount AS text) || CAST(occurred_on AS text) AS line
            FROM transactions
        UNION ALL SELECT 'import ' || state FROM transaction_imports WHERE state IN ('receiving', 'publishing')
        UNION ALL SELECT 'earned ' || coalesce(t.external_id, x.customer_id, '') || ' ' || x.lever
            || CAST(x.earned_in AS text) || CAST(x.posted_in AS text) || ' ' || CAST(x.amount AS text)
            || '/' || CAST(x.rebate AS text) || ' of ' || CAST(x.net AS text)
            FROM earnings x LEFT JOIN transaction_records t ON t.partner_id = x.partner_id AND t.id = x.transaction_id
        UNION ALL SELECT 'refused ' || coalesce(t.external_id, r.customer_id, '') || ' ' || r.lever || r.code
            || coalesce(CAST(r.capped AS text), '')
            FROM ineligible_records r LEFT JOIN transaction_records t ON t.partner_id = r.partner_id AND t.id = r.transaction_id
        UNION ALL SELECT 'owed ' || p.mpn_id || CAST(r.posted_in AS text) || ' ' || CAST(r.earned AS text)
            || '/' || CAST(r.coop AS text) || r.state FROM rebates r JOIN partners p ON p.id = r.partner_id
        UNION ALL SELECT 'moved ' || p.mpn_id || CAST(l.month AS text) || l.debit || l.credit || CAST(SUM(l.amount) AS text)
            FROM ledger_transfers l JOIN partners p ON p.id = l.partner_id
            GROUP BY p.mpn_id, l.month, l.debit, l.credit
        UNION ALL SELECT 'enrolled ' || p.mpn_id || e.state FROM enrollments e JOIN partners p ON p.id = e.partner_id
        UNION ALL SELECT 'waits ' || p.mpn_id FROM calculation_backlog b JOIN partners p ON p.id = b.partner_id
        ORDER BY 1";
    let lines = service.app.read_as_system(|tx| Ok(sql_query(lines).load::<Line>(tx.conn)?)).unwrap();
    service.close();
    lines.into_iter().map(|line| line.line).collect()
}

#[track_caller]
fn same(whole: &[String], broken: &[String]) {
    let only = |these: &[String], those: &[String]| {
        these.iter().filter(|line| !those.contains(line)).take(5).cloned().collect::<Vec<_>>()
    };
    assert!(whole == broken, "undisturbed: {:#?}, killed: {:#?}", only(whole, broken), only(broken, whole));
}

#[test]
fn what_was_killed_in_the_middle_is_finished_by_the_next_as_if_nothing_had_been() {
    let ((whole, file), (broken, _)) = (programme(), programme());
    let file = file.path().to_str().unwrap();
    let mut killed = 0;
    for arguments in [&["import", file][..], &["calculate"]] {
        let takes = finish(&whole, arguments);
        killed += kill(&broken, arguments, takes);
        finish(&broken, arguments);
        same(&books(&whole), &books(&broken));
    }
    assert!(killed > 0, "it was too fast to be killed");
    assert!(books(&whole).len() > 20_000, "{}", books(&whole).len());
    // Once more changes nothing.
    let before = books(&broken);
    finish(&broken, &["import", file]);
    finish(&broken, &["calculate"]);
    same(&before, &books(&broken));
}

#[test]
fn a_daily_refresh_that_is_killed_is_finished_by_the_next() {
    let ((whole, file), (broken, _)) = (programme(), programme());
    let file = file.path().to_str().unwrap();
    for database in [&whole, &broken] {
        finish(database, &["import", file]);
    }
    let refresh = ["jobs", "run", "daily-refresh"];
    let takes = finish(&whole, &refresh);
    let mut killed = 0;
    for _ in 0..4 {
        killed += kill(&broken, &refresh, takes);
        give_back(&broken);
    }
    assert!(killed > 0, "it was too fast to be killed");
    finish(&broken, &refresh);
    same(&books(&whole), &books(&broken));
    assert!(books(&whole).len() > 20_000);
}
