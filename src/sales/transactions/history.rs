//! What partners have sold and taken back, for rules that look at their history.

use super::TransactionKind;
use crate::{
    access::Tx,
    network::partners::{each_of, is_mpn_id},
    platform::{
        Result,
        db::types::Guid,
        values::{CalendarDate, Country, Currency, Id, Period},
    },
    schema::transactions,
};
use diesel::{
    dsl::{not, sql},
    prelude::*,
    sql_types::{BigInt, Bool, Date},
};

diesel::alias!(transactions as taken_back: TakenBack);

/// A sale as far as rules about partners look at it.
#[derive(Clone, Copy, Debug, Queryable)]
pub struct Recorded {
    /// The seller.
    pub partner_id: Id,
    /// The transaction.
    pub id: Id,
    /// Made or taken back.
    pub kind: TransactionKind,
    /// The purchase a refund takes back.
    pub original_id: Option<Id>,
    /// The day it counts on.
    pub occurred_on: CalendarDate,
    /// The amount, in minor units; negative for a refund.
    pub minor: i64,
    /// The currency of the amount.
    pub currency: Currency,
}

macro_rules! recorded_columns {
    () => {
        (
            transactions::partner_id,
            transactions::id,
            transactions::kind,
            transactions::original_transaction_id,
            transactions::occurred_on,
            transactions::amount,
            transactions::currency,
        )
    };
}

/// Of each partner the first purchase of which nothing was taken back, where it was not after the day.
pub fn first_kept(tx: &mut Tx<'_>, partners: &[Id], as_of: CalendarDate) -> Result<Vec<Recorded>> {
    let first = sql::<Guid>(&format!(
        "(SELECT f.id FROM transactions f WHERE f.partner_id = partners.id AND f.kind = '{}' \
         AND NOT EXISTS (SELECT 1 FROM transactions r \
         WHERE r.partner_id = f.partner_id AND r.original_transaction_id = f.id) AND f.occurred_on <= ",
        TransactionKind::Purchase
    ))
    .bind::<Date, _>(as_of)
    .sql(" ORDER BY f.occurred_on, f.id LIMIT 1)");
    // By way of the partners, so that the first is looked up once for each and not once for every sale.
    let query = transactions::table
        .filter(transactions::partner_id.eq_any(partners.to_vec()))
        .filter(transactions::id.eq_any(each_of(partners.to_vec()).select(first)));
    Ok(query.select(recorded_columns!()).load(tx.conn)?)
}

/// Every sale of these partners.
pub fn recorded(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<Recorded>> {
    let query = transactions::table.filter(transactions::partner_id.eq_any(partners.to_vec()));
    Ok(query.select(recorded_columns!()).load(tx.conn)?)
}

/// The sales of these partners after a day.
pub fn recorded_after(tx: &mut Tx<'_>, partners: &[Id], day: CalendarDate) -> Result<Vec<Recorded>> {
    let query = transactions::table
        .filter(transactions::partner_id.eq_any(partners.to_vec()))
        .filter(transactions::occurred_on.gt(day));
    Ok(query.select(recorded_columns!()).load(tx.conn)?)
}

/// Those of the sales that a partner made.
pub fn own_among(tx: &mut Tx<'_>, partner: Id, ids: Vec<Id>) -> Result<Vec<Id>> {
    let own = transactions::table
        .filter(transactions::partner_id.eq(partner))
        .filter(transactions::id.eq_any(ids))
        .select(transactions::id);
    Ok(own.load(tx.conn)?)
}

/// Which sales are summed; none of a list stands for every value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SalesFilter {
    /// Only these products.
    pub products: Option<Vec<String>>,
    /// Only products of these families.
    pub product_families: Option<Vec<String>>,
    /// Only customers in these countries.
    pub countries: Option<Vec<Country>>,
    /// Whether sales to the public sector count.
    pub to_public_sector: bool,
    /// Whether sales to partners count.
    pub to_partners: bool,
}

/// A sum of sales.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Queryable)]
pub struct DaySum {
    /// The day of the purchases.
    pub day: CalendarDate,
    /// The currency of the sales.
    pub currency: Currency,
    /// The sum, in minor units.
    pub minor: i64,
}

/// Sums by day and currency; a refund is judged by its purchase.
macro_rules! by_day {
    ($query:expr, $filter:expr, $sum:literal) => {{
        let SalesFilter { products, product_families, countries, to_public_sector, to_partners } = $filter;
        let any = |list: bool| list.into_sql::<Bool>();
        $query
            .filter(any(*to_public_sector).or(transactions::customer_public_sector.eq(false)))
            .filter(any(*to_partners).or(not(is_mpn_id!(transactions::customer_id))))
            .filter(
                any(countries.is_none())
                    .or(transactions::customer_country.eq_any(countries.clone().unwrap_or_default())),
            )
            .filter(
                any(products.is_none())
                    .or(transactions::product.eq_any(products.clone().unwrap_or_default())),
            )
            .filter(
                any(product_families.is_none())
                    .or(transactions::product_family.eq_any(product_families.clone().unwrap_or_default())),
            )
            .group_by((transactions::occurred_on, transactions::currency))
            .select((transactions::occurred_on, transactions::currency, sql::<BigInt>($sum)))
    }};
}

/// What a partner sold between two days that passes a filter, less what was taken back of it at any time: by the day of
/// the purchase and currency. A day may be there twice. Two statements.
pub fn sums_by_day(tx: &mut Tx<'_>, partner: Id, days: Period, filter: &SalesFilter) -> Result<Vec<DaySum>> {
    let bought = transactions::table
        .filter(transactions::partner_id.eq(partner))
        .filter(transactions::occurred_on.between(days.from, days.to))
        .filter(transactions::kind.eq(TransactionKind::Purchase));
    let bought = by_day!(bought, filter, "CAST(SUM(transactions.amount) AS BIGINT)");
    let mut sums: Vec<DaySum> = bought.load(tx.conn)?;
    let of = taken_back
        .field(transactions::original_transaction_id)
        .eq(transactions::id.nullable())
        .and(taken_back.field(transactions::partner_id).eq(transactions::partner_id));
    let refunds = transactions::table
        .inner_join(taken_back.on(of))
        .filter(transactions::partner_id.eq(partner))
        .filter(transactions::occurred_on.between(days.from, days.to));
    let refunds = by_day!(refunds, filter, "CAST(SUM(taken_back.amount) AS BIGINT)");
    sums.extend(refunds.load::<DaySum>(tx.conn)?);
    Ok(sums)
}
