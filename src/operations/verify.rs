//! `verify`: whether the records still are what the service wrote. Each slice declares its checks.

use crate::{
    access::AppState,
    audit::{self, Seal},
    platform::Result,
    slice::{Check, Finding},
};

/// Runs every check, in the order of their names, also after one that found a difference; `noted` is an earlier head of the audit chain.
pub fn run<'a>(
    app: &AppState,
    checks: impl Iterator<Item = &'a Check>,
    noted: Option<Seal>,
) -> Result<Vec<(&'static str, Finding)>> {
    // What was written last is to be checked too. A chain that cannot go on is broken: its check says where.
    if let Err(error) = audit::seal(app) {
        log::warn!("the newest audit events could not be sealed: {error}");
    }
    let noted = noted.map(|seal| seal.to_string());
    let look = |check: &Check| {
        let found = app.read_as_system(|tx| (check.run)(tx, noted.as_deref()))?;
        Ok((check.name, found))
    };
    let mut checks: Vec<&Check> = checks.collect();
    checks.sort_by_key(|check| check.name);
    checks.into_iter().map(look).collect()
}
