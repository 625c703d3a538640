//! `verify`: whether the records still are what the service wrote. A check is a line of `CHECKS`.

use crate::{
    access::{AppState, Tx},
    audit::{self, Seal, Verdict},
    earnings::calculation,
    ledger::accounting,
    platform::{Result, db::Db},
};
use std::time::{Duration, Instant};

/// What a check found.
#[derive(Debug, PartialEq, Eq)]
pub enum Finding {
    /// In order; with what is worth noting.
    Sound(String),
    /// Not what the service wrote; the first difference.
    Broken(String),
}

/// A check reads in one snapshot of the database.
type Check = fn(&mut Tx<'_>, Option<Seal>) -> Result<Finding>;

/// Every check, with the name people know it by.
const CHECKS: &[(&str, Check)] =
    &[("audit chain", audit_chain), ("books", books), ("calculation", calculation)];

/// Runs every check, also after one that found a difference; `noted` is an earlier head of the audit chain.
pub fn run(app: &AppState, db: &Db, noted: Option<Seal>) -> Result<Vec<(&'static str, Finding)>> {
    // What was written last is to be checked too. A chain that cannot go on is broken: its check says where.
    if let Err(error) = audit::seal(db) {
        log::warn!("the newest audit events could not be sealed: {error}");
    }
    let check =
        |(name, check): &(&'static str, Check)| Ok((*name, app.read_as_system(|tx| check(tx, noted))?));
    CHECKS.iter().map(check).collect()
}

fn books(tx: &mut Tx<'_>, _: Option<Seal>) -> Result<Finding> {
    Ok(first_difference(&accounting::verify(tx)?))
}

fn calculation(tx: &mut Tx<'_>, _: Option<Seal>) -> Result<Finding> {
    Ok(first_difference(&calculation::verify(tx)?))
}

fn first_difference(findings: &[accounting::Finding]) -> Finding {
    let broken = |finding: &accounting::Finding| {
        let difference = finding.difference.as_ref()?;
        Some(format!("{}: {difference}", finding.name))
    };
    match findings.iter().find_map(broken) {
        Some(difference) => Finding::Broken(difference),
        None => Finding::Sound(format!("{} sums computed again", findings.len())),
    }
}

fn audit_chain(tx: &mut Tx<'_>, noted: Option<Seal>) -> Result<Finding> {
    let mut told = Instant::now();
    let progress = |done: i64, total: i64| {
        if told.elapsed() > Duration::from_secs(2) {
            told = Instant::now();
            log::info!("audit chain: {done} of {total} events");
        }
    };
    Ok(match audit::verify(tx, noted, progress)? {
        Verdict::Sound(head) => Finding::Sound(format!("{} events, head {head}", head.sequence)),
        Verdict::Broken(difference) => Finding::Broken(difference),
    })
}
