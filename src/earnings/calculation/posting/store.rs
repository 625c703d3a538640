//! Writes what a computation changes: earnings, ineligible records, groups, and the sums of the months.

use super::{
    Difference, Tally,
    difference::{Correction, Cured, Dropped},
    posted::{PostedSums, StoredGroup, origin_text},
    rows::kept,
};
use crate::{
    access::Tx,
    earnings::{
        calculation::records::{EarningRow, IneligibleRow, RecordKey, Sums},
        engine::{Exact, Origin},
    },
    ledger::accounting::{Months, RebatePosting},
    participation::enrollments::EnrollmentKey,
    platform::{
        Result,
        db::{insert_many, upsert_many},
        values::{Id, Money},
    },
    schema::{earnings, ineligible_records, posted_groups},
};
use diesel::{prelude::*, upsert::excluded};

/// What a computation writes.
struct Written<'t, 'c> {
    key: EnrollmentKey,
    months: Months,
    earned: Vec<EarningRow>,
    refused: Vec<IneligibleRow>,
    groups: Vec<StoredGroup>,
    entries: Vec<RebatePosting>,
    sums: Sums,
    tx: &'t mut Tx<'c>,
}

/// Stores a difference; gives the tally and the entries of the ledger.
pub(super) fn keep(
    tx: &mut Tx<'_>,
    key: EnrollmentKey,
    months: Months,
    difference: Difference<'_>,
) -> Result<(Tally, Vec<RebatePosting>)> {
    let Difference { corrections, dropped, cured, new_sales } = difference;
    let mut written = Written {
        key,
        months,
        earned: Vec::new(),
        refused: Vec::new(),
        groups: Vec::new(),
        entries: Vec::new(),
        sums: Sums::default(),
        tx,
    };
    let judged_again = i64::try_from(cured.len()).unwrap_or(i64::MAX);
    for correction in corrections {
        written.correct(correction)?;
    }
    for dropped in &dropped {
        written.take_back(dropped)?;
    }
    for Cured { record, billed } in &cured {
        let posted_in = months.posting_for(record.earned_in);
        let record_key = RecordKey {
            enrollment: key,
            version: record.version,
            lever: &record.lever,
            earned_in: record.earned_in,
            code: &record.code,
        };
        let Some(billed) = billed.or(record.currency.map(|currency| Money { minor: 0, currency })) else {
            continue;
        };
        written.sums.cured(&record_key, posted_in, record.capped(), billed)?;
    }
    let Written { earned, refused, groups, entries, sums, .. } = written;
    cure(tx, key, &cured)?;
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let tally = Tally {
        partners: 0,
        sales: new_sales + judged_again,
        earnings: count(earned.len()),
        ineligible: count(refused.len()),
    };
    insert_many!(tx.conn, earnings::table, &earned);
    insert_many!(tx.conn, ineligible_records::table, &refused);
    keep_groups(tx, &groups)?;
    sums.keep(tx)?;
    Ok((tally, entries))
}

impl Written<'_, '_> {
    fn correct(&mut self, correction: Correction<'_>) -> Result<()> {
        let posted_in = self.months.posting_for(correction.target.earned_in);
        if correction.is_moved {
            let row = EarningRow::of(self.tx.new_id(), self.key, &correction, posted_in, self.tx.now);
            self.post(row)?;
        }
        let record_id = self.refuse(&correction)?.or(correction.standing);
        match correction.target.origin {
            Origin::Sale { .. } => {}
            Origin::CustomerMonth(_) | Origin::Month => {
                self.groups.push(group(self.key, &correction, record_id));
            }
        }
        Ok(())
    }

    fn post(&mut self, row: EarningRow) -> Result<()> {
        self.entries.push(RebatePosting {
            enrollment_id: row.enrollment_id,
            partner_id: row.partner_id,
            posted_in: row.posted_in,
            currency: row.currency,
            earned: row.rebate,
            adjusted: 0,
            coop: row.coop,
            converted: 0,
        });
        self.sums.earned(&row)?;
        self.earned.push(row);
        Ok(())
    }

    fn refuse(&mut self, correction: &Correction<'_>) -> Result<Option<Id>> {
        let Some(row) = IneligibleRow::of(self.tx.new_id(), self.key, correction, self.tx.now) else {
            return Ok(None);
        };
        let posted_in = self.months.posting_for(row.earned_in);
        let nothing = Money { minor: 0, currency: correction.target.currency };
        let billed = correction.sale.as_ref().map_or(nothing, |sale| sale.billed);
        self.sums.refused(&row, posted_in, billed)?;
        let id = row.id;
        self.refused.push(row);
        Ok(Some(id))
    }

    /// Takes back what is posted for a group that has no target any more.
    fn take_back(&mut self, dropped: &Dropped) -> Result<()> {
        let Dropped { place, group, .. } = dropped;
        if (group.sums.amount, group.sums.rebate) != (0, 0) {
            let posted_in = self.months.posting_for(place.month);
            let row = EarningRow::taken_back(self.tx.new_id(), self.key, dropped, posted_in, self.tx.now);
            self.post(row)?;
        }
        self.groups.push(StoredGroup {
            partner_id: self.key.partner_id,
            enrollment_id: self.key.id,
            month: place.month,
            lever: place.lever.clone(),
            origin: origin_text(&place.origin),
            currency: place.currency,
            version: group.version,
            base: 0,
            unrounded: Exact::ZERO.text(place.currency),
            amount: 0,
            rebate: 0,
            record_id: None,
            by_rate: None,
        });
        Ok(())
    }
}

/// A group as it is stored after a correction. Figures that are not posted are not stored either.
fn group(key: EnrollmentKey, correction: &Correction<'_>, record_id: Option<Id>) -> StoredGroup {
    let target = &correction.target;
    let sums = if correction.is_moved { PostedSums::of(target) } else { correction.posted.clone() };
    StoredGroup {
        partner_id: key.partner_id,
        enrollment_id: key.id,
        month: target.earned_in,
        lever: target.lever.code().to_owned(),
        origin: origin_text(&target.origin),
        currency: target.currency,
        version: target.version.version,
        base: sums.base,
        unrounded: sums.unrounded.text(target.currency),
        amount: sums.amount,
        rebate: sums.rebate,
        record_id,
        by_rate: kept(sums.by_rate),
    }
}

fn keep_groups(tx: &mut Tx<'_>, groups: &[StoredGroup]) -> Result<()> {
    use posted_groups as g;
    upsert_many!(
        tx.conn,
        g::table,
        groups,
        (g::partner_id, g::enrollment_id, g::month, g::lever, g::origin, g::currency),
        (
            g::version.eq(excluded(g::version)),
            g::base.eq(excluded(g::base)),
            g::unrounded.eq(excluded(g::unrounded)),
            g::amount.eq(excluded(g::amount)),
            g::rebate.eq(excluded(g::rebate)),
            g::record_id.eq(excluded(g::record_id)),
            g::by_rate.eq(excluded(g::by_rate)),
        )
    );
    Ok(())
}

/// Closes records that stand no longer.
fn cure(tx: &mut Tx<'_>, key: EnrollmentKey, records: &[Cured]) -> Result<()> {
    for records in records.chunks(1000) {
        let ids: Vec<Id> = records.iter().map(|cured| cured.record.id).collect();
        let cured = ineligible_records::table
            .filter(ineligible_records::partner_id.eq(key.partner_id))
            .filter(ineligible_records::id.eq_any(ids));
        diesel::update(cured).set(ineligible_records::cured_at.eq(tx.now)).execute(tx.conn)?;
    }
    Ok(())
}
