//! `verify`: whether the records still are what the service wrote. A check is a line of `CHECKS`; checks read the
//! tables of every slice, and write none.

mod books;
mod calculation;
mod words;

pub use books::sums_of_books;
pub use calculation::sums_of_calculation;

use crate::{
    access::{AppState, Tx},
    audit::{self, Seal, Verdict},
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

/// Sums that were computed again from their parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Which sums.
    pub name: &'static str,
    /// The first difference; none where everything is as it should be.
    pub difference: Option<String>,
}

/// A check reads in one snapshot of the database.
type Check = fn(&mut Tx<'_>, Option<Seal>) -> Result<Finding>;

/// Every check, with the name people know it by.
const CHECKS: &[(&str, Check)] = &[
    ("audit chain", audit_chain),
    ("books", |tx, _| Ok(first_difference(&sums_of_books(tx)?))),
    ("calculation", |tx, _| Ok(first_difference(&sums_of_calculation(tx)?))),
];

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

fn first_difference(sums: &[Sum]) -> Finding {
    let broken = |sum: &Sum| {
        let difference = sum.difference.as_ref()?;
        Some(format!("{}: {difference}", sum.name))
    };
    match sums.iter().find_map(broken) {
        Some(difference) => Finding::Broken(difference),
        None => Finding::Sound(format!("{} sums computed again", sums.len())),
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
