//! One line of the books computed a second time, by the law and from everything on record, beside what is posted.

use crate::{
    access::Tx,
    earnings::{
        calculation::{
            posting::{self, Chunk, Correction, Difference, Dropped, EnrollmentYear, Naming, Posted},
            records::{EarningRow, Grain, IneligibleRow, TraceStep, trace_view},
        },
        engine::{EarningTarget, Origin, Traced, YearToDate},
    },
    network::partners,
    participation::{
        enrollments::{self, EnrollmentHistory, EnrollmentKey},
        programs,
    },
    platform::{
        Error, Result,
        values::{Currency, Id, Month, Period},
    },
    sales::transactions::backlog::CalculationCause,
};
use std::collections::BTreeMap;

/// Purchases computed together.
const PURCHASES: usize = 20_000;

/// The part of an enrollment's books that is computed a second time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookedAt {
    /// What a lever gives for one origin.
    Origin {
        /// The code of the lever.
        lever: String,
        /// What the lever earns on.
        origin: Origin,
        /// The month it applies to.
        earned_in: Month,
    },
    /// Everything that applies to some months.
    Months(Vec<Month>),
}

/// What a lever gives for the part that is looked at, in one month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondLine {
    /// The program version whose terms count.
    pub version: i32,
    /// The code of the lever.
    pub lever: String,
    /// The month it applies to.
    pub earned_in: Month,
    /// The rebate part that is posted, in minor units.
    pub posted: i64,
    /// The rebate part by the second calculation, in minor units.
    pub computed: i64,
    /// The reason for which an origin earns nothing, or not all of it.
    pub code: Option<String>,
    /// The steps of the second calculation of an origin.
    pub trace: Vec<TraceStep>,
}

impl LookedAt {
    /// The origin of an earning.
    #[must_use]
    pub fn of_earning(row: &EarningRow) -> Self {
        Self::Origin {
            lever: row.lever.clone(),
            origin: origin(row.grain, [row.transaction_id, row.purchase_id], row.customer_id.as_deref()),
            earned_in: row.earned_in,
        }
    }

    /// The origin of an ineligible record.
    #[must_use]
    pub fn of_record(row: &IneligibleRow) -> Self {
        Self::Origin {
            lever: row.lever.clone(),
            origin: origin(row.grain, [row.transaction_id, row.purchase_id], row.customer_id.as_deref()),
            earned_in: row.earned_in,
        }
    }

    /// The last month that is looked at.
    fn last(&self) -> Option<Month> {
        match self {
            Self::Origin { earned_in, .. } => Some(*earned_in),
            Self::Months(months) => months.iter().max().copied(),
        }
    }

    fn covers(&self, lever: &str, origin: &Origin, month: Month) -> bool {
        match self {
            Self::Origin { lever: of_lever, origin: looked_at, earned_in } => {
                lever == of_lever && origin == looked_at && month == *earned_in
            }
            Self::Months(months) => months.contains(&month),
        }
    }

    fn covers_target(&self, target: &EarningTarget<'_>) -> bool {
        self.covers(target.lever.code(), &target.origin, target.earned_in)
    }
}

fn origin(grain: Grain, sale: [Option<Id>; 2], customer: Option<&str>) -> Origin {
    match (grain, sale) {
        (Grain::Transaction, [Some(transaction), Some(purchase)]) => Origin::Sale { transaction, purchase },
        (Grain::CustomerMonth, _) => Origin::CustomerMonth(customer.unwrap_or_default().to_owned()),
        (Grain::Transaction | Grain::Month, _) => Origin::Month,
    }
}

/// The lines by version, lever and month.
type Lines = BTreeMap<(i32, String, Month), SecondLine>;

/// Computes a part of the books of an enrollment in one currency again, up to the last month that is looked at.
pub fn second_look(
    tx: &mut Tx<'_>,
    enrollment: EnrollmentKey,
    currency: Currency,
    looked_at: &LookedAt,
) -> Result<Vec<SecondLine>> {
    let Some(last) = looked_at.last() else { return Ok(Vec::new()) };
    let partner = partners::get(tx, enrollment.partner_id)?;
    let all = enrollments::with_history(tx, partner.id, i32::MIN)?;
    let own = all.iter().find(|history| history.enrollment.id == enrollment.id);
    let own = own.map(|history| (history.enrollment.program_year, history.enrollment.program_id));
    let (number, program) = own.ok_or_else(|| Error::internal("an enrollment without a history"))?;
    let of_year = |history: &EnrollmentHistory| {
        (history.enrollment.program_year, history.enrollment.program_id) == (number, program)
    };
    let enrolled: Vec<EnrollmentHistory> = all.into_iter().filter(of_year).collect();
    let days = programs::program_year(number).ok_or_else(|| Error::internal("no such program year"))?;
    let program = programs::get(tx, program)?;
    let versions = programs::versions_of_year(tx, program.id, number)?;
    let mut year = EnrollmentYear::new(&partner, &program, &versions, &enrolled, days);
    let Some(home) = year.home() else { return Ok(Vec::new()) };
    let key = year.key(home);
    let (calculated, mut standing) = (posting::calculated(tx, key)?, YearToDate::default());
    let (mut lines, mut from) = (Lines::new(), days.from);
    let to = last.last_day().min(days.to);
    loop {
        let mut chunk = Chunk::load(tx, key.partner_id, Period { from, to }, PURCHASES)?;
        chunk.open(posting::months_of_groups(tx, key)?);
        chunk.open(year.months_of_attainments(tx)?);
        year.gather(tx, &chunk)?;
        let (targets, end) = posting::compute(tx, &year, &chunk, standing)?;
        let seen =
            |target: &&EarningTarget<'_>| target.currency == currency && looked_at.covers_target(target);
        for target in targets.iter().filter(seen) {
            compute(&mut lines, target, looked_at);
        }
        let naming = Naming { cause: CalculationCause::Recalculation, calculated };
        let posted = Posted::load(tx, key, &chunk, calculated)?;
        let difference = Difference::between(&chunk, targets, posted, naming);
        take_off_what_is_missing(&mut lines, &difference, currency, looked_at);
        match chunk.rest {
            Some(rest) => from = rest.first_day(),
            None => return Ok(lines.into_values().collect()),
        }
        standing = end;
    }
}

/// Adds what the law gives, as if all of it were posted.
fn compute(lines: &mut Lines, target: &EarningTarget<'_>, looked_at: &LookedAt) {
    let line = line_of(lines, target.version.version, target.lever.code(), target.earned_in);
    line.posted += target.rebate;
    line.computed += target.rebate;
    if matches!(looked_at, LookedAt::Origin { .. }) {
        line.code = target.shortfall.as_ref().map(|shortfall| shortfall.reason.code().to_owned());
        let traced = Traced {
            version: target.version,
            lever: target.lever,
            currency: target.currency,
            figures: target.figures,
            slices: &target.slices,
            corrects: 0,
            rebate: target.rebate,
            coop: target.coop,
        };
        line.trace = trace_view(traced.steps(), target.currency);
    }
}

/// Takes off what is not posted, and adds what is posted and nothing gives any more.
fn take_off_what_is_missing(
    lines: &mut Lines,
    difference: &Difference<'_>,
    currency: Currency,
    looked_at: &LookedAt,
) {
    let seen = |it: &&Correction<'_>| it.target.currency == currency && looked_at.covers_target(&it.target);
    for Correction { target, posted, .. } in difference.corrections.iter().filter(seen) {
        let line = line_of(lines, target.version.version, target.lever.code(), target.earned_in);
        line.posted -= target.rebate - posted.rebate;
    }
    for Dropped { place, group, .. } in &difference.dropped {
        if place.currency == currency && looked_at.covers(&place.lever, &place.origin, place.month) {
            line_of(lines, group.version, &place.lever, place.month).posted += group.sums.rebate;
        }
    }
}

fn line_of<'a>(lines: &'a mut Lines, version: i32, lever: &str, earned_in: Month) -> &'a mut SecondLine {
    lines.entry((version, lever.to_owned(), earned_in)).or_insert_with(|| SecondLine {
        version,
        lever: lever.to_owned(),
        earned_in,
        posted: 0,
        computed: 0,
        code: None,
        trace: Vec::new(),
    })
}
