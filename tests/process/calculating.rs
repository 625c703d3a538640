//! A calculation that is killed at any moment and started again posts what one that was never disturbed posts.

use crate::running::command;
use diesel::{QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text};
use partner_incentives::{
    app::Service,
    config::Settings,
    operations::verify,
    platform::{
        db::Target,
        values::{Clock, Ids},
    },
};
use std::{path::Path, process::Stdio, time::Duration};

/// Ten enrolled partners with 2,000 sales each, some taken back.
const FILL: &str = include_str!("calculating.sql");

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn service(path: &Path) -> Service {
    let target = Target::Sqlite(path.to_owned());
    Service::open(Settings::for_tests(target, Clock::System, Ids::random())).expect("open")
}

/// Everything that is owed and why, without ids and instants.
fn books(path: &Path) -> Vec<String> {
    let service = service(path);
    let findings = service.app.read_as_system(verify::sums_of_books).expect("verify");
    assert!(findings.iter().all(|finding| finding.difference.is_none()), "{findings:#?}");
    let lines = "SELECT hex(partner_id) || posted_in || currency || earned || '/' || coop AS line FROM rebates \
        UNION ALL SELECT hex(transaction_id) || amount || '/' || rebate FROM earnings \
        UNION ALL SELECT hex(transaction_id) || code FROM ineligible_records \
        UNION ALL SELECT hex(enrollment_id) || month || debit || credit || sum(amount) FROM ledger_transfers \
        GROUP BY enrollment_id, month, debit, credit ORDER BY 1";
    let lines: Vec<Line> =
        service.app.read_as_system(|tx| Ok(sql_query(lines).load(tx.conn)?)).expect("the books");
    service.close();
    lines.into_iter().map(|line| line.line).collect()
}

/// Makes a database of partners whose sales wait, all of it in the file itself; returns its encryption key.
fn fill(path: &Path) -> String {
    let first = service(path);
    first.close();
    let key = first.settings.encryption_key.clone().expect("the tests' key");
    let fill = format!("{FILL} PRAGMA wal_checkpoint(TRUNCATE);");
    Target::Sqlite(path.to_owned()).open().expect("open").batch_execute(&fill).expect("fill");
    key.clone()
}

#[test]
fn a_calculation_tells_how_far_it_has_come() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("told.db");
    let key = fill(&path);
    let mut calculate = command(&format!("sqlite://{}", path.display()));
    let output = calculate.arg("calculate").env("ENCRYPTION_KEY", key).output().expect("run");
    let told = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<&str> = told.lines().collect();
    let (last, before) = lines.split_last().expect("some lines");
    assert!(!before.is_empty(), "it says how far it is before it is done: {told}");
    for line in before {
        let (done, rest) = line.split_once(" of 10 partners, ").unwrap_or_else(|| panic!("{told}"));
        assert!(done.parse::<u32>().is_ok_and(|done| done <= 10) && rest.ends_with(" sales"), "{line}");
    }
    assert!(last.contains(" sales of 10 partners: ") && last.contains(" earnings, "), "{told}");
}

#[test]
fn a_calculation_that_is_killed_is_finished_by_the_next() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let key = fill(&path("whole.db"));
    std::fs::copy(path("whole.db"), path("broken.db")).expect("copy");
    let calculate = |name: &str| {
        let mut command = command(&format!("sqlite://{}", path(name).display()));
        command.arg("calculate").env("ENCRYPTION_KEY", &key).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    assert!(calculate("whole.db").status().expect("run").success());
    let whole = books(&path("whole.db"));
    assert!(whole.len() > 20_000, "{}", whole.len());
    let mut killed = 0;
    for n in 1..=12_u64 {
        let mut child = calculate("broken.db").spawn().expect("start");
        std::thread::sleep(Duration::from_millis(40 * n));
        if child.try_wait().expect("its status").is_none() {
            child.kill().expect("kill -9");
            killed += 1;
        }
        child.wait().expect("its end");
        // Nobody waits here until the lease of a process that was killed has run out.
        let give_back = "UPDATE jobs SET holder = NULL, leased_until = NULL";
        Target::Sqlite(path("broken.db")).open().expect("open").batch_execute(give_back).expect("give back");
    }
    assert!(killed > 0, "it was too fast to be killed");
    assert!(calculate("broken.db").status().expect("run").success());
    assert!(books(&path("broken.db")) == whole, "the books differ");
    assert!(calculate("broken.db").status().expect("run").success());
    assert!(books(&path("broken.db")) == whole, "a repeat changes nothing");
}
