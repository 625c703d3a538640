//! Sales as levers look at them: many at once, each with the purchase a refund takes back.

use super::TransactionKind;
use crate::{
    access::Tx,
    network::partners::is_mpn_id,
    platform::{
        Result,
        db::native,
        values::{CalendarDate, Country, Currency, Id, Period},
    },
    schema::{counted_sales, transaction_records, transactions},
};
use diesel::{
    dsl::{exists, not, sql},
    prelude::*,
    sql_types::{Date, Nullable},
};

/// How many ids a statement names at most.
const AT_ONCE: usize = 1000;

diesel::alias!(transaction_records as bought: Bought);

/// A sale with what levers ask about it.
#[derive(Clone, Debug, Queryable)]
pub struct Sold {
    /// The transaction.
    pub id: Id,
    /// The purchase a refund takes back; none for a purchase.
    pub refund_of: Option<Id>,
    /// The day it was made.
    pub occurred_on: CalendarDate,
    /// The amount, in minor units; negative for a refund.
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
    /// The day of the customer's last purchase before, where that is asked for.
    pub bought_before_on: Option<CalendarDate>,
    /// The day of the purchase a refund takes back; none for a purchase.
    pub purchase_on: Option<CalendarDate>,
    /// The customer of the purchase a refund takes back; none for a purchase.
    pub purchase_customer_id: Option<String>,
}

/// The sales of a partner that count for some enrollments of a program year.
#[derive(Clone, Debug)]
pub struct SalesOfYear {
    /// The seller.
    pub partner_id: Id,
    /// The enrollments that count its sales: those of one program and year.
    pub enrollments: Vec<Id>,
    /// The days on which purchases count.
    pub days: Period,
    /// Whether a lever asks when the customer bought before.
    pub asks_before: bool,
}

/// Sales with what the levers ask about them: natively, since they are many.
macro_rules! sales {
    ($tx:expr, $asks_before:expr, $query:ident => $rest:expr) => {{
        let before = sql::<Nullable<Date>>(&bought_before($asks_before));
        let purchase = bought
            .field(transaction_records::id)
            .nullable()
            .eq(transactions::original_transaction_id)
            .and(bought.field(transaction_records::partner_id).eq(transactions::partner_id));
        let $query = transactions::table.left_join(bought.on(purchase)).select((
            transactions::id,
            transactions::original_transaction_id,
            transactions::occurred_on,
            transactions::amount,
            transactions::currency,
            transactions::customer_id,
            transactions::customer_country,
            transactions::customer_public_sector,
            transactions::product,
            transactions::product_family,
            is_mpn_id!(transactions::customer_id),
            before,
            bought.field(transaction_records::occurred_on).nullable(),
            bought.field(transaction_records::customer_id).nullable(),
        ));
        let rows: Vec<Sold> = native!($tx.conn, conn => $rest.load(conn)?);
        rows
    }};
}

/// The day of the customer's last purchase before a sale, where that is asked for.
fn bought_before(is_asked: bool) -> String {
    if !is_asked {
        return "CAST(NULL AS date)".to_owned();
    }
    format!(
        "(SELECT b.occurred_on FROM transactions b WHERE b.partner_id = transactions.partner_id \
         AND b.customer_id = transactions.customer_id AND b.kind = '{}' \
         AND (b.occurred_on, b.id) < (transactions.occurred_on, transactions.id) \
         ORDER BY b.occurred_on DESC, b.id DESC LIMIT 1)",
        TransactionKind::Purchase
    )
}

/// Whether none of these enrollments has counted a sale.
macro_rules! uncounted {
    ($enrollments:expr) => {
        not(exists(
            counted_sales::table
                .filter(counted_sales::partner_id.eq(transactions::partner_id))
                .filter(counted_sales::transaction_id.eq(transactions::id))
                .filter(counted_sales::enrollment_id.eq_any($enrollments.clone()))
                .select(counted_sales::transaction_id),
        ))
    };
}

/// The first sales of a year that none of its enrollments has counted, from a day on: purchases by day with the refunds
/// of the year, then the refunds that came later.
pub fn uncounted(tx: &mut Tx<'_>, year: &SalesOfYear, from: CalendarDate, limit: usize) -> Result<Vec<Sold>> {
    let Period { from: first, to } = year.days;
    let mut found = uncounted_within(tx, year, from, limit)?;
    let left = limit - found.len();
    if left > 0 {
        found.extend(sales!(tx, year.asks_before, query => query
            .filter(transactions::partner_id.eq(year.partner_id))
            .filter(transactions::kind.eq(TransactionKind::Refund))
            .filter(transactions::occurred_on.gt(to))
            .filter(bought.field(transaction_records::occurred_on).nullable().between(first, to).assume_not_null())
            .filter(uncounted!(year.enrollments))
            .order((transactions::occurred_on, transactions::id))
            .limit(most(left))));
    }
    Ok(found)
}

/// The first of them that lie within the days of the year, purchase and refund.
pub fn uncounted_within(
    tx: &mut Tx<'_>,
    year: &SalesOfYear,
    from: CalendarDate,
    limit: usize,
) -> Result<Vec<Sold>> {
    let Period { from: first, to } = year.days;
    let is_purchase = || bought.field(transaction_records::occurred_on).nullable().is_null();
    let in_year =
        || is_purchase().or(bought.field(transaction_records::occurred_on).nullable().between(first, to));
    Ok(sales!(tx, year.asks_before, query => query
        .filter(transactions::partner_id.eq(year.partner_id))
        .filter(transactions::occurred_on.between(first.max(from), to))
        .filter(in_year().assume_not_null())
        .filter(uncounted!(year.enrollments))
        .order((transactions::occurred_on, transactions::kind, transactions::id))
        .limit(most(limit))))
}

/// The first sales of the days of a year, whoever has counted them.
pub fn sold(tx: &mut Tx<'_>, year: &SalesOfYear, limit: usize) -> Result<Vec<Sold>> {
    Ok(sales!(tx, year.asks_before, query => query
        .filter(transactions::partner_id.eq(year.partner_id))
        .filter(transactions::occurred_on.between(year.days.from, year.days.to))
        .order((transactions::occurred_on, transactions::id))
        .limit(most(limit))))
}

fn most(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// The sales of a partner with these ids.
pub fn sold_as(tx: &mut Tx<'_>, partner: Id, ids: &[Id], asks_before: bool) -> Result<Vec<Sold>> {
    let mut found = Vec::new();
    for ids in ids.chunks(AT_ONCE) {
        found.extend(sales!(tx, asks_before, query => query
            .filter(transactions::partner_id.eq(partner))
            .filter(transactions::id.eq_any(ids.to_vec()))));
    }
    Ok(found)
}
