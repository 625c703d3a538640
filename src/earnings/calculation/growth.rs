//! Growth: what months are compared with. It is posted when everything that was reported is taken in, once for a partner
//! in a run, from sums the database makes; nobody goes through the sales of the years before.

use super::{
    curable::{self, OpenRecord, Waiting},
    model::Whose,
};
use crate::{
    access::Tx,
    earnings::engine::{Books, Facts, Outcome, Terms},
    participation::programs::{GrowthBaseline, Lever, LeverFilter, ProgramVersion},
    platform::{
        Result,
        values::{Currency, Id, Money, Month, Period},
    },
    sales::transactions::{self, DaySum, SalesFilter},
};
use std::collections::BTreeMap;

/// Whether a version has a lever that pays growth.
pub(super) fn grows(version: &ProgramVersion) -> bool {
    version.levers.0.iter().any(|lever| matches!(lever, Lever::Growth { .. }))
}

/// Notes in opened books which of their months hold sales that wait for a rate. Gives the records of the months that
/// wait because of what they are compared with.
pub(super) fn open(tx: &mut Tx<'_>, whose: Whose, books: &mut Books) -> Result<Vec<OpenRecord>> {
    for Waiting { version, lever, month, currency } in
        curable::waiting(tx, whose.enrollments(&[whose.enrollment_id]))?
    {
        if version == whose.version {
            books.note_waiting(&lever, month, currency);
        }
    }
    curable::months(tx, whose)
}

/// Posts what the months in the books have grown by. Two statements for each lever that looks back.
pub(super) fn post(
    tx: &mut Tx<'_>,
    partner: Id,
    version: &ProgramVersion,
    facts: &Facts,
    books: &mut Books,
) -> Result<Vec<Outcome>> {
    let mut facts = facts.clone();
    for lever in version.levers.0.iter().filter(|lever| books.has_months(lever)) {
        let Some(back) = looks_back(lever) else { continue };
        let from = version.effective_from;
        let days = Period { from: from.plus_months(-back).first_of_month(), to: from.plus_days(-1) };
        for ((month, currency), minor) in sold(tx, partner, days, lever.applies_to())? {
            let sums = facts.history.entry((lever.code().to_owned(), month)).or_default();
            sums.push(Money { minor, currency });
        }
    }
    Ok(books.post_growth(&Terms::from(version), &facts))
}

/// How many months back a lever compares, where it does.
fn looks_back(lever: &Lever) -> Option<i32> {
    match lever {
        Lever::Growth { baseline: GrowthBaseline::SameMonthLastYear {}, .. } => Some(12),
        Lever::Growth { baseline: GrowthBaseline::TrailingAverage { months }, .. } => {
            i32::try_from(*months).ok()
        }
        _ => None,
    }
}

/// What a partner sold between two days that passes a filter, less what was taken back of it at any time: by month and
/// currency, in minor units.
fn sold(
    tx: &mut Tx<'_>,
    partner: Id,
    days: Period,
    filter: &LeverFilter,
) -> Result<BTreeMap<(Month, Currency), i64>> {
    let LeverFilter { products, product_families, customers } = filter.clone();
    let filter = SalesFilter {
        products,
        product_families,
        countries: customers.countries,
        to_public_sector: customers.public_sector,
        to_partners: customers.partners,
    };
    let mut sums = BTreeMap::new();
    for DaySum { day, currency, minor } in transactions::sums_by_day(tx, partner, days, &filter)? {
        *sums.entry((Month::of(day), currency)).or_default() += minor;
    }
    sums.retain(|_, minor| *minor != 0);
    Ok(sums)
}
