//! Which enrollments have counted which sales, with what a later refund of a purchase is judged by.

use crate::{
    access::Tx,
    platform::{
        Result,
        db::{insert_many, types::Json},
        values::Id,
    },
    schema::{counted_sales, transactions},
};
use diesel::prelude::*;
use std::collections::{BTreeMap, HashMap};

/// How many ids a statement names at most.
const AT_ONCE: usize = 1000;

/// What lay below a purchase in its tier period when it came, in minor units, by lever.
pub type Offsets = BTreeMap<String, i64>;

/// Enrollments of one partner, which count its sales.
#[derive(Clone, Copy, Debug)]
pub struct Counting<'a> {
    /// The partner.
    pub partner_id: Id,
    /// The enrollments.
    pub enrollments: &'a [Id],
}

/// A sale counted by an enrollment.
#[derive(Clone, Debug)]
pub struct Counted {
    /// The enrollment.
    pub enrollment_id: Id,
    /// What lay below the sale.
    pub offsets: Offsets,
}

/// The newest of these enrollments that has counted each of these sales.
pub fn counted(tx: &mut Tx<'_>, by: Counting<'_>, ids: &[Id]) -> Result<HashMap<Id, Counted>> {
    type Row = (Id, Id, Option<Json<Offsets>>);
    let mut found = HashMap::new();
    for ids in ids.chunks(AT_ONCE) {
        let query = counted_sales::table
            .filter(counted_sales::partner_id.eq(by.partner_id))
            .filter(counted_sales::enrollment_id.eq_any(by.enrollments.to_vec()))
            .filter(counted_sales::transaction_id.eq_any(ids.to_vec()))
            .order(counted_sales::enrollment_id)
            .select((counted_sales::transaction_id, counted_sales::enrollment_id, counted_sales::offsets));
        for (id, enrollment_id, offsets) in query.load::<Row>(tx.conn)? {
            let offsets = offsets.map(|offsets| offsets.0).unwrap_or_default();
            found.insert(id, Counted { enrollment_id, offsets });
        }
    }
    Ok(found)
}

/// The sums of those refunds of purchases that the enrollments have counted, by purchase, in minor units: zero or below.
/// One statement; ask for a thousand at most.
pub fn counted_refunds(tx: &mut Tx<'_>, by: Counting<'_>, purchases: &[Id]) -> Result<HashMap<Id, i64>> {
    let purchases: Vec<Option<Id>> = purchases.iter().copied().map(Some).collect();
    let counted = transactions::id
        .eq(counted_sales::transaction_id)
        .and(transactions::partner_id.eq(counted_sales::partner_id));
    let refunds = counted_sales::table
        .inner_join(transactions::table.on(counted))
        .filter(counted_sales::partner_id.eq(by.partner_id))
        .filter(counted_sales::enrollment_id.eq_any(by.enrollments.to_vec()))
        .filter(transactions::original_transaction_id.eq_any(purchases).assume_not_null())
        .select((transactions::original_transaction_id.assume_not_null(), transactions::amount));
    let mut sums: HashMap<Id, i64> = HashMap::new();
    for (purchase, minor) in refunds.load::<(Id, i64)>(tx.conn)? {
        *sums.entry(purchase).or_default() += minor;
    }
    Ok(sums)
}

#[derive(Insertable)]
#[diesel(table_name = counted_sales, treat_none_as_default_value = false)]
struct Row {
    partner_id: Id,
    enrollment_id: Id,
    transaction_id: Id,
    offsets: Option<Json<Offsets>>,
}

/// Notes the sales that an enrollment of a partner counts; those `again` it had counted before.
pub fn count(
    tx: &mut Tx<'_>,
    partner_id: Id,
    enrollment_id: Id,
    again: &[Id],
    sales: Vec<(Id, Offsets)>,
) -> Result<()> {
    for again in again.chunks(AT_ONCE) {
        let old = counted_sales::table
            .filter(counted_sales::partner_id.eq(partner_id))
            .filter(counted_sales::enrollment_id.eq(enrollment_id))
            .filter(counted_sales::transaction_id.eq_any(again.to_vec()));
        diesel::delete(old).execute(tx.conn)?;
    }
    let row = |(transaction_id, offsets): (Id, Offsets)| Row {
        partner_id,
        enrollment_id,
        transaction_id,
        offsets: (!offsets.is_empty()).then_some(Json(offsets)),
    };
    let rows: Vec<Row> = sales.into_iter().map(row).collect();
    insert_many!(tx.conn, counted_sales::table, &rows);
    Ok(())
}
