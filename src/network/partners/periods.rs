//! How partners stood on days gone by. A change counts from its day on; what was before stays on record.

use super::{Partner, PartnerPeriod};
use crate::{
    access::Tx,
    platform::{
        Result,
        values::{CalendarDate, Id, Period},
    },
    schema::{partner_periods, partners},
};
use diesel::{dsl::exists, prelude::*, select};
use std::collections::HashMap;

/// Days in a row on which a partner was a location of a headquarters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Membership {
    pub headquarters_id: Id,
    pub days: Period,
}

/// The memberships of a partner that are over, in the order of their days.
pub(super) fn former_memberships(tx: &mut Tx<'_>, partner: &Partner) -> Result<Vec<Membership>> {
    // A partner that has never been changed has no past.
    if partner.revision == 1 {
        return Ok(Vec::new());
    }
    let periods = periods_of(tx, &[partner.id])?.remove(&partner.id).unwrap_or_default();
    let today = partner.headquarters_id.zip(partner.headquarters_since);
    let mut found: Vec<Membership> = Vec::new();
    for period in periods {
        let belonging = period.headquarters_id.zip(period.headquarters_since);
        let Some((headquarters_id, from)) = belonging.filter(|now| Some(*now) != today) else { continue };
        let is_same =
            |last: &&mut Membership| (last.headquarters_id, last.days.from) == (headquarters_id, from);
        if let Some(last) = found.last_mut().filter(is_same) {
            last.days.to = period.last_day;
        } else {
            let days = Period { from, to: period.last_day };
            found.push(Membership { headquarters_id, days });
        }
    }
    Ok(found)
}

/// Corrects since when a partner is a location of its headquarters: what was kept of the same membership says so too.
pub(super) fn correct_membership(tx: &mut Tx<'_>, before: &Partner, since: CalendarDate) -> Result<()> {
    let kept = partner_periods::table
        .filter(partner_periods::partner_id.eq(before.id))
        .filter(partner_periods::headquarters_id.eq(before.headquarters_id))
        .filter(partner_periods::headquarters_since.eq(before.headquarters_since));
    diesel::update(kept).set(partner_periods::headquarters_since.eq(since)).execute(tx.conn)?;
    Ok(())
}

/// Keeps how a partner stood up to yesterday, before its record is changed today.
pub(super) fn keep_past(tx: &mut Tx<'_>, before: &Partner, after: &Partner) -> Result<()> {
    let yesterday = tx.today().plus_days(-1);
    let mut kept = before.period_to(yesterday);
    if before.headquarters_id == after.headquarters_id {
        // A day that is corrected has never been another one.
        kept.headquarters_since = after.headquarters_since;
    }
    if kept == after.period_to(yesterday) || yesterday < before.created_at.date() {
        return Ok(());
    }
    // Of several changes on one day, the first one knows how the day before was.
    let known = partner_periods::table.find((before.id, yesterday));
    if !select(exists(known)).get_result(tx.conn)? {
        diesel::insert_into(partner_periods::table).values(&kept).execute(tx.conn)?;
    }
    Ok(())
}

/// The partners that were locations of these partners before.
pub(super) fn former_locations(tx: &mut Tx<'_>, headquarters: &[Id]) -> Result<Vec<Id>> {
    let these: Vec<Option<Id>> = headquarters.iter().copied().map(Some).collect();
    let query = partner_periods::table
        .filter(partner_periods::headquarters_id.eq_any(these).assume_not_null())
        .select(partner_periods::partner_id)
        .distinct();
    Ok(query.load(tx.conn)?)
}

/// How these partners stood before, each partner's periods in the order of their days.
pub fn periods_of(tx: &mut Tx<'_>, partners: &[Id]) -> Result<HashMap<Id, Vec<PartnerPeriod>>> {
    let query = partner_periods::table
        .filter(partner_periods::partner_id.eq_any(partners.to_vec()))
        .order((partner_periods::partner_id, partner_periods::last_day))
        .select(PartnerPeriod::as_select());
    let mut found: HashMap<Id, Vec<PartnerPeriod>> = HashMap::new();
    for period in query.load(tx.conn)? {
        found.entry(period.partner_id).or_default().push(period);
    }
    Ok(found)
}

/// The days on which other partners named these partners as their headquarters, in any order.
pub fn days_as_headquarters(tx: &mut Tx<'_>, named: &[Id]) -> Result<HashMap<Id, Vec<Period>>> {
    type Belonging = (Option<Id>, Option<CalendarDate>);
    let these: Vec<Option<Id>> = named.iter().copied().map(Some).collect();
    let today: Vec<Belonging> = partners::table
        .filter(partners::headquarters_id.eq_any(these.clone()).assume_not_null())
        .select((partners::headquarters_id, partners::headquarters_since))
        .distinct()
        .load(tx.conn)?;
    let before: Vec<(Belonging, CalendarDate)> = partner_periods::table
        .filter(partner_periods::headquarters_id.eq_any(these).assume_not_null())
        .select((
            (partner_periods::headquarters_id, partner_periods::headquarters_since),
            partner_periods::last_day,
        ))
        .load(tx.conn)?;
    let goes_on = today.into_iter().map(|belonging| (belonging, CalendarDate::MAX));
    let mut found: HashMap<Id, Vec<Period>> = HashMap::new();
    for ((headquarters, since), to) in goes_on.chain(before) {
        if let (Some(headquarters), Some(from)) = (headquarters, since) {
            found.entry(headquarters).or_default().push(Period { from, to });
        }
    }
    Ok(found)
}
