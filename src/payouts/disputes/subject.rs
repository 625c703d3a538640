//! The disputed record: whose it is, its figure, the days for which it may be disputed, and its second calculation.

use super::model::{CalculatedLine, Dispute, DisputeSubject};
use crate::{
    access::Tx,
    earnings::calculation::{self, LookedAt, SecondLine},
    ledger::{accounting, adjustments},
    participation::enrollments::{self, EnrollmentKey},
    payouts::payments,
    platform::{
        Result,
        values::{CalendarDate, Currency, Id, Month, Timestamp},
    },
};
use std::collections::{BTreeMap, HashMap};

/// A record that a partner disputes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DisputedRecord {
    pub partner_id: Id,
    /// The enrollment; none of a payment for several.
    pub enrollment_id: Option<Id>,
    /// The last month that the figure applies to.
    pub earned_in: Month,
    /// The currencies in which the figure can stand; one, but for a sale that earned nothing.
    pub currencies: Vec<Currency>,
    /// The figure in minor units.
    pub figure: i64,
    /// The day from which the days for a dispute count; none while the figure still grows.
    pub since: Option<CalendarDate>,
    /// The rebate that pays the figure; none where no rebate is left to hold.
    pub rebate_id: Option<Id>,
}

/// The record, of those that the unit may see.
pub(super) fn find(tx: &mut Tx<'_>, subject: DisputeSubject, id: Id) -> Result<DisputedRecord> {
    match subject {
        DisputeSubject::Earning => earning(tx, id),
        DisputeSubject::IneligibleRecord => ineligible_record(tx, id),
        DisputeSubject::Rebate => rebate(tx, id),
        DisputeSubject::Payment => payment(tx, id),
    }
}

fn earning(tx: &mut Tx<'_>, id: Id) -> Result<DisputedRecord> {
    let row = calculation::earning(tx, id)?;
    let key = EnrollmentKey { partner_id: row.partner_id, id: row.enrollment_id };
    let paid_with = accounting::rebate_of(tx, key, row.posted_in, row.currency)?;
    Ok(DisputedRecord {
        partner_id: row.partner_id,
        enrollment_id: Some(row.enrollment_id),
        earned_in: row.earned_in,
        currencies: vec![row.currency],
        figure: row.rebate,
        since: Some(row.calculated_at.date()),
        rebate_id: paid_with.map(|rebate| rebate.id),
    })
}

fn ineligible_record(tx: &mut Tx<'_>, id: Id) -> Result<DisputedRecord> {
    let row = calculation::ineligible_record(tx, id)?;
    let key = EnrollmentKey { partner_id: row.partner_id, id: row.enrollment_id };
    let mut currencies: Vec<Currency> = row.currency.into_iter().collect();
    if currencies.is_empty() {
        currencies = accounting::currencies_of(tx, key)?;
        let of = enrollments::with_currencies(tx, row.enrollment_id)?;
        currencies.extend(of.into_iter().flat_map(|of| [of.of_version, of.of_partner]));
        currencies.sort_unstable();
        currencies.dedup();
    }
    Ok(DisputedRecord {
        partner_id: row.partner_id,
        enrollment_id: Some(row.enrollment_id),
        earned_in: row.earned_in,
        currencies,
        figure: 0,
        since: Some(row.recorded_at.date()),
        rebate_id: None,
    })
}

fn rebate(tx: &mut Tx<'_>, id: Id) -> Result<DisputedRecord> {
    let rebate = accounting::rebate(tx, id)?;
    let months = months_of(tx, rebate.partner_id, rebate.enrollment_id, (rebate.posted_in, rebate.currency))?;
    let closed = accounting::closed_at(tx, rebate.posted_in)?;
    Ok(DisputedRecord {
        partner_id: rebate.partner_id,
        enrollment_id: Some(rebate.enrollment_id),
        earned_in: months.last().copied().unwrap_or(rebate.posted_in),
        currencies: vec![rebate.currency],
        figure: rebate.amount().minor,
        since: closed.map(Timestamp::date),
        rebate_id: Some(rebate.id),
    })
}

fn payment(tx: &mut Tx<'_>, id: Id) -> Result<DisputedRecord> {
    let payment = payments::get(tx, id)?;
    let lines = payments::lines_of(tx, std::slice::from_ref(&payment))?;
    let first = lines.first().map(|line| line.enrollment_id);
    let enrollment_id = first.filter(|first| lines.iter().all(|line| line.enrollment_id == *first));
    let mut earned_in = Vec::new();
    if let Some(enrollment) = enrollment_id {
        for line in lines.iter().filter(|line| line.rebate_id.is_some()) {
            let place = (line.posted_in, payment.currency);
            earned_in.extend(months_of(tx, payment.partner_id, enrollment, place)?);
        }
    }
    let posted_in = lines.iter().map(|line| line.posted_in).max();
    let told_on = payment.settled_on.or(payment.sent_on).unwrap_or_else(|| payment.created_at.date());
    Ok(DisputedRecord {
        partner_id: payment.partner_id,
        enrollment_id,
        earned_in: earned_in.into_iter().max().or(posted_in).unwrap_or(Month::of(told_on)),
        currencies: vec![payment.currency],
        figure: payment.gross,
        since: Some(told_on),
        rebate_id: None,
    })
}

/// The months that a rebate's earnings and adjustments apply to, in order.
fn months_of(
    tx: &mut Tx<'_>,
    partner: Id,
    enrollment: Id,
    (posted_in, currency): (Month, Currency),
) -> Result<Vec<Month>> {
    let given = calculation::lever_months(tx, &[partner], &[enrollment], (posted_in, posted_in))?;
    let given = given.into_iter().filter(|given| given.currency == currency).map(|given| given.earned_in);
    let mut months: Vec<Month> = given.collect();
    let adjusted = adjustments::posted_between(tx, partner, (posted_in, posted_in))?;
    let own = adjusted.iter().filter(|one| one.enrollment_id == enrollment && one.currency == currency);
    months.extend(own.map(|adjustment| adjustment.earned_in));
    months.sort_unstable();
    months.dedup();
    Ok(months)
}

/// The second calculation of the disputed line: the engine computes it again from everything on record.
pub(super) fn calculate(tx: &mut Tx<'_>, dispute: &Dispute) -> Result<Vec<CalculatedLine>> {
    let looks = looks(tx, dispute)?;
    let enrolled: Vec<Id> = looks.keys().copied().collect();
    let programs: HashMap<Id, String> = enrollments::programs_of(tx, &enrolled)?
        .into_iter()
        .map(|(enrollment, program)| (enrollment, program.code))
        .collect();
    let mut lines = Vec::new();
    for (enrollment_id, looked_at) in looks {
        let key = EnrollmentKey { partner_id: dispute.partner_id, id: enrollment_id };
        let line = |line: SecondLine| CalculatedLine {
            enrollment_id,
            program: programs.get(&enrollment_id).cloned().unwrap_or_default(),
            version: line.version,
            lever: line.lever,
            earned_in: line.earned_in,
            posted: line.posted,
            computed: line.computed,
            code: line.code,
            trace: line.trace,
        };
        let found = calculation::second_look(tx, key, dispute.currency, &looked_at)?;
        lines.extend(found.into_iter().map(line));
    }
    Ok(lines)
}

/// The parts of the books that the disputed record is made of, by enrollment.
fn looks(tx: &mut Tx<'_>, dispute: &Dispute) -> Result<BTreeMap<Id, LookedAt>> {
    let mut months: BTreeMap<Id, Vec<Month>> = BTreeMap::new();
    match dispute.subject {
        DisputeSubject::Earning => {
            let row = calculation::earning(tx, dispute.subject_id)?;
            return Ok(BTreeMap::from([(row.enrollment_id, LookedAt::of_earning(&row))]));
        }
        DisputeSubject::IneligibleRecord => {
            let row = calculation::ineligible_record(tx, dispute.subject_id)?;
            return Ok(BTreeMap::from([(row.enrollment_id, LookedAt::of_record(&row))]));
        }
        DisputeSubject::Rebate => {
            let rebate = accounting::rebate(tx, dispute.subject_id)?;
            let place = (rebate.posted_in, rebate.currency);
            let own = months.entry(rebate.enrollment_id).or_default();
            own.extend(months_of(tx, rebate.partner_id, rebate.enrollment_id, place)?);
            own.push(rebate.posted_in);
        }
        DisputeSubject::Payment => {
            let payment = payments::get(tx, dispute.subject_id)?;
            let lines = payments::lines_of(tx, std::slice::from_ref(&payment))?;
            // The engine calculates rebates; a claim is what a reviewer approved.
            for line in lines.iter().filter(|line| line.rebate_id.is_some()) {
                let place = (line.posted_in, payment.currency);
                let own = months.entry(line.enrollment_id).or_default();
                own.extend(months_of(tx, payment.partner_id, line.enrollment_id, place)?);
                own.push(line.posted_in);
            }
        }
    }
    Ok(months.into_iter().map(|(enrollment, months)| (enrollment, LookedAt::Months(months))).collect())
}
