//! What is posted already for the origins of a chunk, and which ineligible records of them stand.

use super::{Chunk, standing::Calculated};
use crate::{
    access::Tx,
    earnings::engine::{ByRate, EarningTarget, Exact, Origin},
    participation::enrollments::EnrollmentKey,
    platform::{
        Error, Result,
        db::types::Json,
        values::{Currency, Id, Money, Month},
    },
    schema::{earnings, ineligible_records, posted_groups},
};
use diesel::prelude::*;
use std::collections::HashMap;

/// The columns of a standing record.
macro_rules! columns {
    () => {
        (
            ineligible_records::id,
            ineligible_records::version,
            ineligible_records::lever,
            ineligible_records::earned_in,
            ineligible_records::code,
            ineligible_records::capped,
            ineligible_records::currency,
            ineligible_records::transaction_id,
        )
    };
}
/// How many ids a statement names at most. Many: where the planner knows too little of a table that has just grown, a
/// statement reads everything of the enrollment, and better once than once for each thousand.
const AT_ONCE: usize = 10_000;

/// The sums of what is posted for one origin; minor units of its currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::earnings::calculation) struct PostedSums {
    pub base: i64,
    pub unrounded: Exact,
    pub amount: i64,
    pub rebate: i64,
    pub by_rate: ByRate,
}

impl PostedSums {
    /// The sums once a target is posted.
    pub fn of(target: &EarningTarget<'_>) -> Self {
        let EarningTarget { base, unrounded, amount, rebate, .. } = *target;
        Self { base, unrounded, amount, rebate, by_rate: target.by_rate.clone() }
    }
}

/// An ineligible record that stands.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub(in crate::earnings::calculation) struct StandingRecord {
    pub id: Id,
    pub version: i32,
    pub lever: String,
    pub earned_in: Month,
    pub code: String,
    pub capped: Option<i64>,
    pub currency: Option<Currency>,
    pub transaction_id: Option<Id>,
}

impl StandingRecord {
    /// What a cap cut off.
    pub fn capped(&self) -> Option<Money> {
        Some(Money { minor: self.capped?, currency: self.currency? })
    }
}

/// A transaction and a lever.
pub(super) type SaleLever = (Id, String);

/// A month's origin that is more than a transaction, and a lever.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::earnings::calculation) struct GroupLever {
    pub month: Month,
    pub lever: String,
    pub origin: Origin,
    pub currency: Currency,
}

/// What is posted for a group, and its standing record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::earnings::calculation) struct PostedGroup {
    /// The version of the last posting.
    pub version: i32,
    pub sums: PostedSums,
    pub record: Option<StandingRecord>,
}

/// What is posted for the origins of a chunk.
#[derive(Debug, Default)]
pub(in crate::earnings::calculation) struct Posted {
    pub(super) sales: HashMap<SaleLever, PostedSums>,
    pub(super) records: HashMap<SaleLever, StandingRecord>,
    pub(super) groups: HashMap<GroupLever, PostedGroup>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = posted_groups, treat_none_as_default_value = false)]
pub(super) struct StoredGroup {
    pub partner_id: Id,
    pub enrollment_id: Id,
    pub month: Month,
    pub lever: String,
    pub origin: String,
    pub currency: Currency,
    pub version: i32,
    pub base: i64,
    pub unrounded: String,
    pub amount: i64,
    pub rebate: i64,
    pub record_id: Option<Id>,
    pub by_rate: Option<Json<ByRate>>,
}

/// The months of an enrollment in which a group has a posting or a record.
pub(in crate::earnings::calculation) fn months(tx: &mut Tx<'_>, key: EnrollmentKey) -> Result<Vec<Month>> {
    let query = posted_groups::table
        .filter(posted_groups::partner_id.eq(key.partner_id))
        .filter(posted_groups::enrollment_id.eq(key.id))
        .select(posted_groups::month)
        .distinct();
    Ok(query.load(tx.conn)?)
}

impl Posted {
    /// Loads what is posted for the months of a chunk, as far as they were calculated before.
    pub fn load(
        tx: &mut Tx<'_>,
        key: EnrollmentKey,
        chunk: &Chunk,
        calculated: Option<Calculated>,
    ) -> Result<Self> {
        let mut posted = Self::default();
        let Some(Calculated { through, .. }) = calculated else { return Ok(posted) };
        let again = chunk.months.range(..=through);
        let purchases: Vec<Id> = again.clone().flat_map(|(_, of)| of).map(|purchase| purchase.id).collect();
        for purchases in purchases.chunks(AT_ONCE) {
            posted.load_sales(tx, key, purchases)?;
            posted.load_records(tx, key, purchases)?;
        }
        let months: Vec<Month> = again.map(|(month, _)| *month).collect();
        if let (Some(first), Some(last)) = (months.first(), months.last()) {
            posted.load_groups(tx, key, *first, *last)?;
        }
        Ok(posted)
    }

    fn load_sales(&mut self, tx: &mut Tx<'_>, key: EnrollmentKey, purchases: &[Id]) -> Result<()> {
        type Earned = (Id, String, Currency, i64, String, i64, i64, Option<Json<ByRate>>);
        let purchases: Vec<Option<Id>> = purchases.iter().copied().map(Some).collect();
        let query = earnings::table
            .filter(earnings::partner_id.eq(key.partner_id))
            .filter(earnings::purchase_id.eq_any(purchases).assume_not_null())
            .filter(earnings::enrollment_id.eq(key.id))
            .select((
                earnings::transaction_id.assume_not_null(),
                earnings::lever,
                earnings::currency,
                earnings::base,
                earnings::unrounded,
                earnings::amount,
                earnings::rebate,
                earnings::by_rate,
            ));
        for (transaction, lever, currency, base, unrounded, amount, rebate, by_rate) in
            query.load::<Earned>(tx.conn)?
        {
            let sums = self.sales.entry((transaction, lever)).or_default();
            sums.base += base;
            sums.unrounded = sums.unrounded + exact(&unrounded, currency)?;
            sums.amount += amount;
            sums.rebate += rebate;
            if let Some(Json(by_rate)) = by_rate {
                sums.by_rate = sums.by_rate.plus(&by_rate);
            }
        }
        Ok(())
    }

    fn load_records(&mut self, tx: &mut Tx<'_>, key: EnrollmentKey, purchases: &[Id]) -> Result<()> {
        let purchases: Vec<Option<Id>> = purchases.iter().copied().map(Some).collect();
        let query = ineligible_records::table
            .filter(ineligible_records::partner_id.eq(key.partner_id))
            .filter(ineligible_records::purchase_id.eq_any(purchases).assume_not_null())
            .filter(ineligible_records::enrollment_id.eq(key.id))
            .filter(ineligible_records::cured_at.is_null())
            .select(columns!());
        for record in query.load::<StandingRecord>(tx.conn)? {
            if let Some(transaction) = record.transaction_id {
                self.records.insert((transaction, record.lever.clone()), record);
            }
        }
        Ok(())
    }

    fn load_groups(&mut self, tx: &mut Tx<'_>, key: EnrollmentKey, first: Month, last: Month) -> Result<()> {
        let query = posted_groups::table
            .filter(posted_groups::partner_id.eq(key.partner_id))
            .filter(posted_groups::enrollment_id.eq(key.id))
            .filter(posted_groups::month.between(first, last))
            .select(StoredGroup::as_select());
        let groups: Vec<StoredGroup> = query.load(tx.conn)?;
        let ids: Vec<Id> = groups.iter().filter_map(|group| group.record_id).collect();
        let mut records = HashMap::new();
        for ids in ids.chunks(AT_ONCE) {
            let query = ineligible_records::table
                .filter(ineligible_records::partner_id.eq(key.partner_id))
                .filter(ineligible_records::id.eq_any(ids.to_vec()))
                .select(columns!());
            records
                .extend(query.load::<StandingRecord>(tx.conn)?.into_iter().map(|record| (record.id, record)));
        }
        for group in groups {
            let sums = PostedSums {
                base: group.base,
                unrounded: exact(&group.unrounded, group.currency)?,
                amount: group.amount,
                rebate: group.rebate,
                by_rate: group.by_rate.map(|Json(by_rate)| by_rate).unwrap_or_default(),
            };
            let record = group.record_id.and_then(|id| records.remove(&id));
            let place = GroupLever {
                month: group.month,
                lever: group.lever,
                origin: origin_of(&group.origin),
                currency: group.currency,
            };
            self.groups.insert(place, PostedGroup { version: group.version, sums, record });
        }
        Ok(())
    }
}

fn exact(text: &str, currency: Currency) -> Result<Exact> {
    Exact::parse(text, currency).ok_or_else(|| Error::internal(format!("{text:?} is no unrounded amount")))
}

const MONTH: &str = "month";
const CUSTOMER: &str = "customer:";

/// The text in which the origin of a group is stored: `month`, or `customer:` and the customer's number.
pub(super) fn origin_text(origin: &Origin) -> String {
    match origin {
        Origin::CustomerMonth(customer) => format!("{CUSTOMER}{customer}"),
        Origin::Month | Origin::Sale { .. } => MONTH.to_owned(),
    }
}

fn origin_of(text: &str) -> Origin {
    let customer = text.strip_prefix(CUSTOMER);
    customer.map_or(Origin::Month, |customer| Origin::CustomerMonth(customer.to_owned()))
}
