//! What the months of an enrollment year pass on, as it is stored: volumes, uses of caps, and how far was calculated.

use super::{Chunk, EnrollmentYear};
use crate::{
    access::Tx,
    earnings::engine::{CapHolder, CapUse, LeverMonthToDate, YearToDate},
    participation::{
        enrollments::{EnrollmentKey, EnrollmentKeys},
        programs::CapScope,
    },
    platform::{
        Result,
        db::{insert_many, upsert_many},
        values::{Id, Month},
    },
    sales::transactions,
    schema::{calculated_enrollments, cap_months, cap_uses, lever_volumes},
};
use diesel::{prelude::*, upsert::excluded};
use std::collections::{BTreeMap, BTreeSet};

/// How many holders a statement names at most.
const AT_ONCE: usize = 1000;

/// How far an enrollment has been calculated.
#[derive(Clone, Copy, Debug, Queryable)]
pub(in crate::earnings::calculation) struct Calculated {
    /// The last month that may have postings.
    pub through: Month,
    /// The newest transaction that was seen, by its id.
    pub last_seen: Option<Id>,
}

/// How far an enrollment has been calculated; none where it never was.
pub(in crate::earnings::calculation) fn calculated(
    tx: &mut Tx<'_>,
    key: EnrollmentKey,
) -> Result<Option<Calculated>> {
    let query = calculated_enrollments::table
        .filter(calculated_enrollments::partner_id.eq(key.partner_id))
        .filter(calculated_enrollments::enrollment_id.eq(key.id))
        .select((calculated_enrollments::through, calculated_enrollments::last_seen));
    Ok(query.get_result(tx.conn).optional()?)
}

/// Notes that the months of a chunk have been calculated.
pub(super) fn advance(
    tx: &mut Tx<'_>,
    key: EnrollmentKey,
    before: Option<Calculated>,
    chunk: &Chunk,
) -> Result<()> {
    use calculated_enrollments as c;
    let Some(last) = chunk.months.keys().next_back().copied() else { return Ok(()) };
    let through = before.map_or(last, |before| before.through.max(last));
    // Ids grow with time: the newest transaction has the greatest.
    let last_seen = match chunk.rest {
        Some(_) => before.and_then(|before| before.last_seen),
        None => transactions::newest_of(tx, key.partner_id)?,
    };
    let row = [(
        c::partner_id.eq(key.partner_id),
        c::enrollment_id.eq(key.id),
        c::through.eq(through),
        c::last_seen.eq(last_seen),
    )];
    upsert_many!(
        tx.conn,
        c::table,
        &row,
        (c::partner_id, c::enrollment_id),
        (c::through.eq(excluded(c::through)), c::last_seen.eq(excluded(c::last_seen)))
    );
    Ok(())
}

/// A lever's volume of a month.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = lever_volumes, treat_none_as_default_value = false)]
pub struct LeverVolume {
    /// The partner.
    pub partner_id: Id,
    /// The enrollment.
    pub enrollment_id: Id,
    /// The code of the lever.
    pub lever: String,
    /// The month.
    pub month: Month,
    /// The net volume counted, in minor units of the version's currency.
    pub counted: i64,
    /// What a retroactive lever gave for the month, before its cap, in the same units.
    pub given: i64,
}

/// The volumes of every lever of these enrollments.
pub fn volumes(tx: &mut Tx<'_>, enrollments: EnrollmentKeys<'_>) -> Result<Vec<LeverVolume>> {
    let query = lever_volumes::table
        .filter(lever_volumes::partner_id.eq(enrollments.partner_id))
        .filter(lever_volumes::enrollment_id.eq_any(enrollments.ids.to_vec()));
    Ok(query.select(LeverVolume::as_select()).load(tx.conn)?)
}

/// A part of a lever's cap that is used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapUsed {
    /// Whose balance the cap is.
    pub holder: CapHolder,
    /// The amount earned under the cap, in minor units of the version's currency.
    pub used: i64,
}

/// The greatest uses of the cap of a lever, so many at most.
pub fn cap_uses(tx: &mut Tx<'_>, enrollment: EnrollmentKey, lever: &str, most: i64) -> Result<Vec<CapUsed>> {
    let query = cap_uses::table
        .filter(cap_uses::partner_id.eq(enrollment.partner_id))
        .filter(cap_uses::enrollment_id.eq(enrollment.id))
        .filter(cap_uses::lever.eq(lever.to_owned()))
        .filter(cap_uses::used.gt(0))
        .order(cap_uses::used.desc())
        .limit(most)
        .select((cap_uses::holder, cap_uses::used));
    let found: Vec<(String, i64)> = query.load(tx.conn)?;
    let used = |(holder, used): (String, i64)| CapUsed { holder: CapHolder::of_text(&holder), used };
    Ok(found.into_iter().map(used).collect())
}

/// Which balance of which lever.
type Balance = (String, CapHolder);

/// What is stored of an enrollment year's standing, as of the beginning of a month.
pub(in crate::earnings::calculation) struct StoredYearToDate {
    standing: YearToDate,
    /// The uses of caps in all months.
    totals: BTreeMap<Balance, CapUse>,
    /// The uses that are stored of the months from that month on.
    later: BTreeMap<(Month, String, CapHolder), CapUse>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = cap_uses, treat_none_as_default_value = false)]
struct StoredCapUse {
    partner_id: Id,
    enrollment_id: Id,
    lever: String,
    holder: String,
    used: i64,
    trillionths: i64,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = cap_months, treat_none_as_default_value = false)]
struct StoredCapMonth {
    partner_id: Id,
    enrollment_id: Id,
    lever: String,
    month: Month,
    holder: String,
    used: i64,
    trillionths: i64,
}

impl StoredYearToDate {
    /// Loads what the sales of a chunk rest on.
    pub fn load(
        tx: &mut Tx<'_>,
        year: &EnrollmentYear<'_>,
        key: EnrollmentKey,
        chunk: &Chunk,
    ) -> Result<Self> {
        let from = chunk.from;
        let mut stored =
            Self { standing: YearToDate::default(), totals: BTreeMap::new(), later: BTreeMap::new() };
        let before = lever_volumes::table
            .filter(lever_volumes::partner_id.eq(key.partner_id))
            .filter(lever_volumes::enrollment_id.eq(key.id))
            .filter(lever_volumes::month.lt(from))
            .select(LeverVolume::as_select());
        for LeverVolume { lever, month, counted, given, .. } in before.load(tx.conn)? {
            let of = stored.standing.levers.entry(lever).or_default();
            of.months.insert(month, LeverMonthToDate { counted, given });
        }
        let scopes: BTreeSet<CapScope> = year.caps().map(|cap| cap.scope).collect();
        if scopes.is_empty() {
            return Ok(stored);
        }
        stored.load_later(tx, key, from)?;
        let mut holders: BTreeSet<String> = stored
            .later
            .keys()
            .map(|(.., holder)| holder.text())
            .chain([CapHolder::Partner.text()])
            .collect();
        if scopes.contains(&CapScope::Customer) {
            holders
                .extend(chunk.customers().into_iter().map(|customer| CapHolder::Customer(customer).text()));
        }
        stored.load_totals(tx, key, holders.into_iter().collect())?;
        for ((lever, holder), total) in &stored.totals {
            let of = stored.standing.levers.entry(lever.clone()).or_default();
            of.used.insert(holder.clone(), *total);
        }
        for ((_, lever, holder), used) in &stored.later {
            let of = stored.standing.levers.entry(lever.clone()).or_default();
            let before = of.used.entry(holder.clone()).or_default();
            *before = before.minus(*used);
        }
        Ok(stored)
    }

    fn load_later(&mut self, tx: &mut Tx<'_>, key: EnrollmentKey, from: Month) -> Result<()> {
        let query = cap_months::table
            .filter(cap_months::partner_id.eq(key.partner_id))
            .filter(cap_months::enrollment_id.eq(key.id))
            .filter(cap_months::month.ge(from))
            .select(StoredCapMonth::as_select());
        for row in query.load(tx.conn)? {
            let place = (row.month, row.lever, CapHolder::of_text(&row.holder));
            self.later.insert(place, CapUse::of_parts(row.used, row.trillionths));
        }
        Ok(())
    }

    fn load_totals(&mut self, tx: &mut Tx<'_>, key: EnrollmentKey, holders: Vec<String>) -> Result<()> {
        for holders in holders.chunks(AT_ONCE) {
            let query = cap_uses::table
                .filter(cap_uses::partner_id.eq(key.partner_id))
                .filter(cap_uses::enrollment_id.eq(key.id))
                .filter(cap_uses::holder.eq_any(holders.to_vec()))
                .select(StoredCapUse::as_select());
            for row in query.load(tx.conn)? {
                let balance = (row.lever, CapHolder::of_text(&row.holder));
                self.totals.insert(balance, CapUse::of_parts(row.used, row.trillionths));
            }
        }
        Ok(())
    }

    /// The standing at the beginning of the month that was asked for.
    pub fn standing(&self) -> YearToDate {
        self.standing.clone()
    }

    /// The use of a cap that is stored of a month from the beginning of the chunk on.
    pub fn used_in(&self, month: Month, lever: &str, holder: &CapHolder) -> Option<&CapUse> {
        self.later.get(&(month, lever.to_owned(), holder.clone()))
    }

    /// Stores the standing at the end of a chunk in place of what was stored of its months.
    pub fn replace(
        mut self,
        tx: &mut Tx<'_>,
        key: EnrollmentKey,
        chunk: &Chunk,
        end: &YearToDate,
    ) -> Result<()> {
        let (from, last) = (chunk.from, chunk.last());
        let old = lever_volumes::table
            .filter(lever_volumes::partner_id.eq(key.partner_id))
            .filter(lever_volumes::enrollment_id.eq(key.id))
            .filter(lever_volumes::month.between(from, last));
        diesel::delete(old).execute(tx.conn)?;
        let volumes: Vec<LeverVolume> = end
            .levers
            .iter()
            .flat_map(|(lever, of)| of.months.range(from..).map(move |(month, of)| (lever, month, of)))
            .map(|(lever, month, of)| LeverVolume {
                partner_id: key.partner_id,
                enrollment_id: key.id,
                lever: lever.clone(),
                month: *month,
                counted: of.counted,
                given: of.given,
            })
            .collect();
        insert_many!(tx.conn, lever_volumes::table, &volumes);
        let used = || {
            end.levers.iter().flat_map(|(lever, of)| {
                of.used_in.iter().flat_map(move |(month, uses)| {
                    uses.iter().map(move |(holder, used)| (*month, lever.clone(), holder.clone(), *used))
                })
            })
        };
        let mut changed: BTreeSet<Balance> = BTreeSet::new();
        for ((_, lever, holder), used) in self.later.iter().filter(|((month, ..), _)| *month <= last) {
            let balance = (lever.clone(), holder.clone());
            let total = self.totals.entry(balance.clone()).or_default();
            *total = total.minus(*used);
            changed.insert(balance);
        }
        for (_, lever, holder, used) in used() {
            let balance = (lever, holder);
            let total = self.totals.entry(balance.clone()).or_default();
            *total = total.plus(used);
            changed.insert(balance);
        }
        if changed.is_empty() {
            return Ok(());
        }
        let old = cap_months::table
            .filter(cap_months::partner_id.eq(key.partner_id))
            .filter(cap_months::enrollment_id.eq(key.id))
            .filter(cap_months::month.between(from, last));
        diesel::delete(old).execute(tx.conn)?;
        let months: Vec<StoredCapMonth> = used()
            .map(|(month, lever, holder, used)| StoredCapMonth {
                partner_id: key.partner_id,
                enrollment_id: key.id,
                lever,
                month,
                holder: holder.text(),
                used: used.whole(),
                trillionths: used.trillionths(),
            })
            .collect();
        insert_many!(tx.conn, cap_months::table, &months);
        self.store_totals(tx, key, changed)
    }

    fn store_totals(&self, tx: &mut Tx<'_>, key: EnrollmentKey, changed: BTreeSet<Balance>) -> Result<()> {
        use cap_uses as c;
        let total = |balance: &Balance| self.totals.get(balance).copied().unwrap_or(CapUse::NONE);
        let rows: Vec<StoredCapUse> = changed
            .into_iter()
            .map(|balance| {
                let used = total(&balance);
                let (lever, holder) = balance;
                StoredCapUse {
                    partner_id: key.partner_id,
                    enrollment_id: key.id,
                    lever,
                    holder: holder.text(),
                    used: used.whole(),
                    trillionths: used.trillionths(),
                }
            })
            .collect();
        upsert_many!(
            tx.conn,
            c::table,
            &rows,
            (c::partner_id, c::enrollment_id, c::lever, c::holder),
            (c::used.eq(excluded(c::used)), c::trillionths.eq(excluded(c::trillionths)))
        );
        Ok(())
    }
}
