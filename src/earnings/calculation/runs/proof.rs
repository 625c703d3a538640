//! Proof of the calculation: every enrollment year computed again by the law, from everything on record, beside what is
//! posted and what is passed on.

use crate::{
    access::Tx,
    earnings::{
        calculation::posting::{
            self, Chunk, Difference, EnrollmentYear, LeverVolume, Naming, Posted, StoredYearToDate,
        },
        engine::{CapUse, LeverMonthToDate, LeverToDate, YearToDate},
    },
    network::partners::{self, Partner},
    participation::{
        enrollments::{self, Enrollment, EnrollmentHistory, EnrollmentKeys},
        programs,
    },
    platform::{
        Result,
        values::{Currency, Id, Money, Month, Period},
    },
    sales::transactions::backlog::{self, CalculationCause, Whom},
};
use std::collections::BTreeMap;

/// Partners looked at together.
const PARTNERS: i64 = 200;
/// Purchases computed together.
const PURCHASES: usize = 20_000;

/// What is posted for a lever and month differs from what everything on record gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostedDifference {
    /// The enrollment.
    pub enrollment_id: Id,
    /// The code of the lever.
    pub lever: String,
    /// The month the amounts apply to.
    pub earned_in: Month,
    /// What is posted less than it should be; negative where it is more. None where no amount differs but what the month passes
    /// on to later ones.
    pub missing: Option<Money>,
    /// Records that should not stand, or are missing.
    pub records: usize,
}

/// Computes the enrollment years of all partners again, or of one; gives the differences, a hundred at most. Partners that wait
/// for the calculation are left out unless one is named.
pub fn differences(tx: &mut Tx<'_>, only: Option<Id>) -> Result<Vec<PostedDifference>> {
    let mut found = Vec::new();
    if let Some(partner) = only {
        let partner = partners::get(tx, partner)?;
        of_partner(tx, &partner, &mut found)?;
        return Ok(found);
    }
    let mut after = None;
    loop {
        let some = partners::after(tx, after, PARTNERS)?;
        let Some(last) = some.last() else { return Ok(found) };
        after = Some(last.id);
        for partner in &some {
            if backlog::length(tx, Whom::Only(partner.id))? == 0 {
                of_partner(tx, partner, &mut found)?;
            }
            if found.len() >= 100 {
                return Ok(found);
            }
        }
    }
}

fn of_partner(tx: &mut Tx<'_>, partner: &Partner, found: &mut Vec<PostedDifference>) -> Result<()> {
    let all = enrollments::with_history(tx, partner.id, i32::MIN)?;
    let mut years: BTreeMap<(i32, Id), Vec<EnrollmentHistory>> = BTreeMap::new();
    for enrolled in all {
        let Enrollment { program_year, program_id, .. } = enrolled.enrollment;
        years.entry((program_year, program_id)).or_default().push(enrolled);
    }
    for ((number, program), enrolled) in years {
        let Some(days) = programs::program_year(number) else { continue };
        let program = programs::get(tx, program)?;
        let versions = programs::versions_of_year(tx, program.id, number)?;
        let year = EnrollmentYear::new(partner, &program, &versions, &enrolled, days);
        of_year(tx, year, days, found)?;
    }
    Ok(())
}

fn of_year(
    tx: &mut Tx<'_>,
    mut year: EnrollmentYear<'_>,
    days: Period,
    found: &mut Vec<PostedDifference>,
) -> Result<()> {
    let Some(home) = year.home() else { return Ok(()) };
    let key = year.key(home);
    let calculated = posting::calculated(tx, key)?;
    let mut standing = YearToDate::default();
    let mut from = days.from;
    let end = loop {
        let mut chunk = Chunk::load(tx, key.partner_id, Period { from, ..days }, PURCHASES)?;
        chunk.open(posting::months_of_groups(tx, key)?);
        chunk.open(year.months_of_attainments(tx)?);
        year.gather(tx, &chunk)?;
        let (targets, end) = posting::compute(tx, &year, &chunk, standing)?;
        let posted = Posted::load(tx, key, &chunk, calculated)?;
        let naming = Naming { cause: CalculationCause::Recalculation, calculated };
        let difference = Difference::between(&chunk, targets, posted, naming);
        tell(home, &difference, found);
        if let Some(lever) = StoredYearToDate::load(tx, &year, key, &chunk)?.differs_from(&end, &chunk) {
            found.push(PostedDifference::passed_on(home, lever, chunk.last()));
        }
        match chunk.rest {
            Some(rest) => from = rest.first_day(),
            None => break end,
        }
        standing = end;
    };
    let mut stored: BTreeMap<(String, Month), LeverMonthToDate> = BTreeMap::new();
    for volume in posting::volumes(tx, EnrollmentKeys { partner_id: key.partner_id, ids: &[home] })? {
        let LeverVolume { lever, month, counted, given, .. } = volume;
        stored.insert((lever, month), LeverMonthToDate { counted, given });
    }
    let of_lever = |(lever, of): (&String, &LeverToDate)| {
        let months = of.months.clone().into_iter();
        months.map(|(month, of)| ((lever.clone(), month), of)).collect::<Vec<_>>()
    };
    let right: BTreeMap<_, _> = end.levers.iter().flat_map(of_lever).collect();
    let nothing = LeverMonthToDate::default();
    let places = right.keys().chain(stored.keys());
    let differs = |place: &&(String, Month)| {
        right.get(*place).unwrap_or(&nothing) != stored.get(*place).unwrap_or(&nothing)
    };
    if let Some((lever, earned_in)) = places.into_iter().find(differs) {
        found.push(PostedDifference::passed_on(home, lever.clone(), *earned_in));
    }
    Ok(())
}

impl PostedDifference {
    /// What a month passes on to later ones differs.
    fn passed_on(enrollment_id: Id, lever: String, earned_in: Month) -> Self {
        Self { enrollment_id, lever, earned_in, missing: None, records: 0 }
    }
}

/// The difference of a lever, month and currency.
#[derive(Default)]
struct SummedDifference {
    /// What is posted less than it should be, in minor units.
    missing: i64,
    /// Records that should not stand, or are missing.
    records: usize,
}

/// Adds what differs, summed by lever, month and currency. A difference of the split alone is one of zero.
fn tell(enrollment_id: Id, difference: &Difference<'_>, found: &mut Vec<PostedDifference>) {
    let mut sums: BTreeMap<(String, Month, Currency), SummedDifference> = BTreeMap::new();
    for correction in &difference.corrections {
        let target = &correction.target;
        let place = (target.lever.code().to_owned(), target.earned_in, target.currency);
        let sum = sums.entry(place).or_default();
        sum.missing = sum.missing.saturating_add(target.amount - correction.posted.amount);
        sum.records += usize::from(target.shortfall.is_some());
    }
    for dropped in &difference.dropped {
        let place = (dropped.place.lever.clone(), dropped.place.month, dropped.place.currency);
        let sum = sums.entry(place).or_default();
        sum.missing = sum.missing.saturating_sub(dropped.group.sums.amount);
        sum.records += usize::from(dropped.group.record.is_some());
    }
    for cured in &difference.cured {
        let record = &cured.record;
        let currency =
            record.currency.or(cured.billed.map(|billed| billed.currency)).unwrap_or(Currency::USD);
        sums.entry((record.lever.clone(), record.earned_in, currency)).or_default().records += 1;
    }
    found.extend(sums.into_iter().map(|((lever, earned_in, currency), sum)| PostedDifference {
        enrollment_id,
        lever,
        earned_in,
        missing: Some(Money { minor: sum.missing, currency }),
        records: sum.records,
    }));
}

impl StoredYearToDate {
    /// The first lever of which what a chunk passes on is not what is stored; none where all is.
    fn differs_from(&self, end: &YearToDate, chunk: &Chunk) -> Option<String> {
        let used = |uses: Option<&CapUse>| uses.copied().unwrap_or(CapUse::NONE);
        end.levers.iter().find_map(|(lever, of)| {
            let wrong = of.used_in.range(chunk.from..=chunk.last()).any(|(month, uses)| {
                uses.iter().any(|(holder, use_of)| used(self.used_in(*month, lever, holder)) != *use_of)
            });
            wrong.then(|| lever.clone())
        })
    }
}
