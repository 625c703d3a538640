//! Purchases with their refunds, as the calculation counts them: in the order of their dates, sources and external ids.

use super::TransactionKind;
use crate::{
    access::Tx,
    network::partners::is_mpn_id,
    platform::{
        Result,
        db::native,
        values::{CalendarDate, Country, Currency, Id, Period},
    },
    schema::{transaction_records, transactions},
};
use diesel::{
    dsl::{max, sql},
    prelude::*,
    sql_types::Bool,
};
use std::collections::HashMap;

/// How many customers a statement names at most.
const AT_ONCE: usize = 1000;

diesel::alias!(transaction_records as bought: Bought);

/// A purchase, as levers look at it.
#[derive(Clone, Debug, Queryable)]
pub struct SoldPurchase {
    /// The transaction.
    pub id: Id,
    /// The day of the purchase.
    pub occurred_on: CalendarDate,
    /// The amount, in minor units.
    pub minor: i64,
    /// The currency of the amount.
    pub currency: Currency,
    /// The customer's number at the seller.
    pub customer_id: String,
    /// The customer's country.
    pub customer_country: Country,
    /// Whether the customer belongs to the public sector.
    pub customer_public_sector: bool,
    /// The product's code.
    pub product: String,
    /// The code of the product's family.
    pub product_family: String,
    /// Whether the customer's number is the MPN id of a partner.
    pub customer_is_partner: bool,
}

/// A refund of a purchase.
#[derive(Clone, Copy, Debug, Queryable)]
pub struct SoldRefund {
    /// The purchase.
    pub purchase_id: Id,
    /// The transaction.
    pub id: Id,
    /// The amount, in minor units; below zero.
    pub minor: i64,
}

/// The columns of a purchase.
macro_rules! columns {
    () => {
        (
            transactions::id,
            transactions::occurred_on,
            transactions::amount,
            transactions::currency,
            transactions::customer_id,
            transactions::customer_country,
            transactions::customer_public_sector,
            transactions::product,
            transactions::product_family,
            is_mpn_id!(transactions::customer_id),
        )
    };
}

/// The first purchases of a partner between two days, `limit` at most, in the order of dates, sources and external ids.
pub fn purchases(tx: &mut Tx<'_>, partner: Id, days: Period, limit: i64) -> Result<Vec<SoldPurchase>> {
    let query = transactions::table
        .filter(transactions::partner_id.eq(partner))
        .filter(transactions::kind.eq(TransactionKind::Purchase))
        .filter(transactions::occurred_on.between(days.from, days.to))
        .order((transactions::occurred_on, transactions::source, transactions::external_id))
        .limit(limit)
        .select(columns!());
    Ok(native!(tx.conn, conn => query.load(conn)?))
}

/// The purchases of a partner with these ids.
pub fn purchases_named(tx: &mut Tx<'_>, partner: Id, ids: &[Id]) -> Result<Vec<SoldPurchase>> {
    let query = transactions::table
        .filter(transactions::partner_id.eq(partner))
        .filter(transactions::kind.eq(TransactionKind::Purchase))
        .filter(transactions::id.eq_any(ids.to_vec()))
        .select(columns!());
    Ok(native!(tx.conn, conn => query.load(conn)?))
}

/// All refunds of the purchases of a partner between two days, whenever they were made; of each purchase in the order of
/// their dates, sources and external ids.
pub fn refunds_of(tx: &mut Tx<'_>, partner: Id, days: Period) -> Result<Vec<SoldRefund>> {
    let purchase = bought
        .field(transaction_records::id)
        .nullable()
        .eq(transactions::original_transaction_id)
        .and(bought.field(transaction_records::partner_id).eq(transactions::partner_id));
    let query = transactions::table
        .inner_join(bought.on(purchase))
        .filter(transactions::partner_id.eq(partner))
        .filter(transactions::original_transaction_id.is_not_null())
        .filter(bought.field(transaction_records::occurred_on).between(days.from, days.to))
        .order((transactions::occurred_on, transactions::source, transactions::external_id))
        .select((bought.field(transaction_records::id), transactions::id, transactions::amount));
    Ok(native!(tx.conn, conn => query.load(conn)?))
}

/// The newest transaction of a partner, by its id; none where it sold nothing.
pub fn newest_of(tx: &mut Tx<'_>, partner: Id) -> Result<Option<Id>> {
    let query = transactions::table
        .filter(transactions::partner_id.eq(partner))
        .order(transactions::id.desc())
        .select(transactions::id);
    Ok(query.first(tx.conn).optional()?)
}

/// The last day before another on which each of these customers bought something from a partner that was not wholly
/// refunded.
pub fn last_kept_before(
    tx: &mut Tx<'_>,
    partner: Id,
    customers: &[String],
    day: CalendarDate,
) -> Result<HashMap<String, CalendarDate>> {
    let mut days = HashMap::new();
    for customers in customers.chunks(AT_ONCE) {
        let left = sql::<Bool>(
            "transactions.amount + COALESCE((SELECT SUM(r.amount) FROM transactions r \
             WHERE r.partner_id = transactions.partner_id AND r.original_transaction_id = transactions.id), 0) > 0",
        );
        let query = transactions::table
            .filter(transactions::partner_id.eq(partner))
            .filter(transactions::kind.eq(TransactionKind::Purchase))
            .filter(transactions::customer_id.eq_any(customers.to_vec()))
            .filter(transactions::occurred_on.lt(day))
            .filter(left)
            .group_by(transactions::customer_id)
            .select((transactions::customer_id, max(transactions::occurred_on)));
        let found: Vec<(String, Option<CalendarDate>)> = query.load(tx.conn)?;
        days.extend(found.into_iter().filter_map(|(customer, day)| Some((customer, day?))));
    }
    Ok(days)
}
