//! Posting: the sales of one enrollment year, computed by the law, less what is posted already.
//!
//! | file | holds |
//! |---|---|
//! | `year` | the enrollment year: whose, by which versions, on which days, by which facts |
//! | `purchases` | its purchases with their refunds, in whole months |
//! | `standing` | what the months before pass on, as it is stored |
//! | `posted` | what is posted for an origin already, and which records stand |
//! | `difference` | targets less what is posted: new earnings, new records, records that cease to stand |
//! | `rows`, `tally` | the earnings and records that a difference makes, and how many |
//! | `store` | writes the difference with its sums |

mod difference;
mod posted;
mod purchases;
mod rows;
mod standing;
mod store;
mod tally;
mod year;

pub(super) use difference::{Correction, Difference, Dropped, Naming};
pub(super) use posted::{Posted, months as months_of_groups};
pub(super) use purchases::Chunk;
pub use standing::{CapUsed, LeverVolume, cap_uses, volumes};
pub(super) use standing::{StoredYearToDate, calculated};
pub(super) use tally::Tally;
pub(super) use year::EnrollmentYear;

use crate::{
    access::Tx,
    earnings::engine::{EarningTarget, OutOfRange, YearToDate},
    ledger::accounting::{Months, RebatePosting},
    platform::{Error, Result},
    sales::transactions::backlog::CalculationCause,
};

/// What a unit has posted of an enrollment year.
#[derive(Default)]
pub(super) struct Posting {
    pub tally: Tally,
    pub entries: Vec<RebatePosting>,
}

/// A code for what leaves the range of amounts; operators see it beside the partner that is put aside.
pub(super) fn out_of_range(_: OutOfRange) -> Error {
    Error::amount_out_of_range()
}

/// Computes the months of a chunk in order.
pub(super) fn compute<'a>(
    tx: &mut Tx<'_>,
    year: &'a EnrollmentYear<'a>,
    chunk: &Chunk,
    mut standing: YearToDate,
) -> Result<(Vec<EarningTarget<'a>>, YearToDate)> {
    let mut targets = Vec::new();
    let law = year.law();
    standing.last_bought = year.last_bought(tx, chunk)?;
    for (month, purchases) in &chunk.months {
        targets.extend(law.month(*month, purchases, &mut standing).map_err(out_of_range)?);
    }
    Ok((targets, standing))
}

/// Posts the months of a chunk to an enrollment year. Nothing is posted of a year that nobody accepted.
pub(super) fn post(
    tx: &mut Tx<'_>,
    mut year: EnrollmentYear<'_>,
    chunk: &mut Chunk,
    cause: CalculationCause,
    months: Months,
) -> Result<Posting> {
    let Some(home) = year.home() else { return Ok(Posting::default()) };
    let key = year.key(home);
    let calculated = calculated(tx, key)?;
    if calculated.is_some_and(|calculated| calculated.through >= chunk.from) {
        chunk.open(posted::months(tx, key)?);
    }
    chunk.open(year.months_of_attainments(tx)?);
    year.gather(tx, chunk)?;
    let year = &year;
    let stored = StoredYearToDate::load(tx, year, key, chunk)?;
    let (targets, standing) = compute(tx, year, chunk, stored.standing())?;
    let posted = Posted::load(tx, key, chunk, calculated)?;
    let naming = Naming { cause, calculated };
    let difference = Difference::between(chunk, targets, posted, naming);
    let (tally, entries) = store::keep(tx, key, months, difference)?;
    stored.replace(tx, key, chunk, &standing)?;
    standing::advance(tx, key, calculated, chunk)?;
    Ok(Posting { tally, entries })
}
