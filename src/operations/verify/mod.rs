//! `verify`: whether the records still are what the service wrote. Each slice declares its checks; those that read the
//! tables of several slices are declared here. A check writes nothing.

mod books;
mod calculation;
mod coop;
mod disputes;
mod payments;
mod words;

pub use books::sums_of_books;
pub use calculation::{sums_of_calculation, told};
pub use coop::sums_of_coop;
pub use disputes::sums_of_disputes;
pub use payments::sums_of_payments;

use crate::{
    access::{AppState, Tx},
    audit::{self, Seal},
    payouts::coop_proofs,
    platform::Result,
    slice::{Slice, VerifyCheck, VerifyFinding},
};

/// What the composition root needs of this slice.
pub const SLICE: Slice = Slice {
    checks: &[
        VerifyCheck { name: "books", run: |tx, _| Ok(first_difference(&sums_of_books(tx)?)) },
        VerifyCheck { name: "calculation", run: |tx, _| calculation(tx) },
        VerifyCheck { name: "disputes", run: |tx, _| Ok(first_difference(&sums_of_disputes(tx)?)) },
        VerifyCheck { name: "co-op", run: |tx, _| Ok(first_difference(&sums_of_coop(tx)?)) },
        VerifyCheck { name: "payments", run: |tx, _| Ok(first_difference(&sums_of_payments(tx)?)) },
    ],
    ..Slice::named("operations::verify")
};

/// Sums that were computed again from their parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Which sums.
    pub name: &'static str,
    /// The first difference; none where everything is as it should be.
    pub difference: Option<String>,
}

/// Runs every check, told in the order of their names, also after one that found a difference; `noted` is an earlier head of
/// the audit chain.
pub fn run<'a>(
    app: &AppState,
    checks: impl Iterator<Item = &'a VerifyCheck>,
    noted: Option<Seal>,
) -> Result<Vec<(&'static str, VerifyFinding)>> {
    // What was written last is to be checked too. A chain that cannot go on is broken: its check says where.
    if let Err(error) = audit::seal(app) {
        log::warn!("the newest audit events could not be sealed: {error}");
    }
    let noted = noted.map(|seal| seal.to_string());
    let look = |check: &VerifyCheck| {
        let found = app.read_as_system(|tx| (check.run)(tx, noted.as_deref()))?;
        Ok((check.name, found))
    };
    let mut findings: Vec<(&'static str, VerifyFinding)> = checks.map(look).collect::<Result<_>>()?;
    // Files lie outside of the snapshot of the database.
    findings.push(("co-op proofs", coop_proofs::verify(app)?));
    findings.sort_by_key(|(name, _)| *name);
    Ok(findings)
}

fn calculation(tx: &mut Tx<'_>) -> Result<VerifyFinding> {
    let found = first_difference(&sums_of_calculation(tx)?);
    Ok(match (found, calculation::left_out(tx)?) {
        (VerifyFinding::Sound(summary), Some(left_out)) => {
            VerifyFinding::Sound(format!("{summary}; {left_out}"))
        }
        (found, _) => found,
    })
}

fn first_difference(sums: &[Sum]) -> VerifyFinding {
    let broken = |sum: &Sum| {
        let difference = sum.difference.as_ref()?;
        Some(format!("{}: {difference}", sum.name))
    };
    match sums.iter().find_map(broken) {
        Some(difference) => VerifyFinding::Broken(difference),
        None => VerifyFinding::Sound(format!("{} sums computed again", sums.len())),
    }
}
