//! The transactions in the database.

use super::{
    Transaction, TransactionKind,
    api::TransactionFilter,
    backlog::{CalculationCause, Since, Waiting},
    batch::Range,
    model::source_name,
};
use crate::{
    access::{Scope, Tx},
    network::partners::in_scope,
    platform::{
        Error, Result,
        db::{Conn, MultiBackend, insert_many, native},
        http::{PageRequest, keyset, unindexed},
        values::{CalendarDate, Country, Currency, Id, Timestamp},
    },
    schema::{transaction_numbers, transaction_records, transactions, unpublished_transactions},
};
use diesel::{
    dsl::{exists, min, sql},
    prelude::*,
    select,
    sql_types::{BigInt, Bool, Nullable},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

diesel::alias!(transaction_records as bought: Bought);

fn visible(scope: Scope) -> transactions::BoxedQuery<'static, MultiBackend> {
    in_scope!(transactions::table.into_boxed(), transactions::partner_id, scope)
}

fn matching(
    tx: &mut Tx<'_>,
    filter: &TransactionFilter,
) -> Result<transactions::BoxedQuery<'static, MultiBackend>> {
    let mut query = visible(tx.scope());
    if let Some(partner) = &filter.partner_id {
        query = query.filter(transactions::partner_id.eq(partner.id(tx)?));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(transactions::kind.eq(kind));
    }
    let source = filter.source.clone().map(source_name);
    if let Some(external_id) = &filter.external_id {
        let numbered = transaction_numbers::table
            .filter(transaction_numbers::external_id.eq(external_id.clone()))
            .select(transaction_numbers::transaction_id);
        query = match &source {
            Some(source) => {
                let named = numbered.filter(transaction_numbers::source.eq(source.clone()));
                query.filter(transactions::id.eq_any(named))
            }
            None => query.filter(transactions::id.eq_any(numbered.filter(sql::<Bool>(OF_ANY_SOURCE)))),
        };
    }
    if let Some(source) = source {
        query = query.filter(transactions::source.eq(source));
    }
    if let Some(from) = filter.from {
        query = query.filter(transactions::occurred_on.ge(from));
    }
    if let Some(to) = filter.to {
        query = query.filter(transactions::occurred_on.le(to));
    }
    if let Some(family) = &filter.product_family {
        query = query.filter(transactions::product_family.eq(family.clone()));
    }
    if let Some(customer) = &filter.customer_id {
        query = query.filter(transactions::customer_id.eq(customer.clone()));
    }
    Ok(query)
}

/// Numbers of any source. The index leads with the source, so the statement looks into the index once for each source.
const OF_ANY_SOURCE: &str = "transaction_numbers.source IN (WITH RECURSIVE known (source) AS (\
    SELECT min(source) FROM transaction_numbers \
    UNION ALL SELECT (SELECT min(source) FROM transaction_numbers WHERE source > known.source) \
    FROM known WHERE known.source IS NOT NULL) SELECT source FROM known)";

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<TransactionFilter>) -> Result<Vec<Transaction>> {
    let query = keyset!(matching(tx, &page.filter)?, page, transactions, newest);
    // A customer has few transactions, far apart: the database gathers them by the customer's index, then sorts.
    let query = match page.filter.customer_id {
        Some(_) => query.order(unindexed!(transactions::id).desc()),
        None => query,
    };
    Ok(query.select(Transaction::as_select()).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &TransactionFilter) -> Result<i64> {
    Ok(matching(tx, filter)?.count().get_result(tx.conn)?)
}

pub(super) fn find(tx: &mut Tx<'_>, id: Id) -> Result<Option<Transaction>> {
    let query = visible(tx.scope()).filter(transactions::id.eq(id)).select(Transaction::as_select());
    Ok(query.get_result(tx.conn).optional()?)
}

pub(super) fn get(tx: &mut Tx<'_>, id: Id) -> Result<Transaction> {
    find(tx, id)?.ok_or(Error::not_found("transaction", "取引"))
}

pub(super) fn find_by_external_id(
    tx: &mut Tx<'_>,
    source: &str,
    external_id: &str,
) -> Result<Option<Transaction>> {
    let numbered = transactions::partner_id
        .eq(transaction_numbers::partner_id)
        .and(transactions::id.eq(transaction_numbers::transaction_id));
    let query = transaction_numbers::table
        .inner_join(transactions::table.on(numbered))
        .filter(transaction_numbers::source.eq(source))
        .filter(transaction_numbers::external_id.eq(external_id));
    Ok(query.select(Transaction::as_select()).get_result(tx.conn).optional()?)
}

/// The sum of a purchase's refunds, in minor units: zero or below.
pub(super) fn refunded(tx: &mut Tx<'_>, purchase: &Transaction) -> Result<i64> {
    let sums = refunded_of(tx, purchase.partner_id, &[purchase.id])?;
    Ok(sums.get(&purchase.id).copied().unwrap_or_default())
}

/// The sums of the refunds of a partner's purchases, by purchase, in minor units: zero or below. Hidden refunds count
/// too, so that no part of a purchase is taken back twice.
pub fn refunded_of(tx: &mut Tx<'_>, partner: Id, purchases: &[Id]) -> Result<HashMap<Id, i64>> {
    let sum = sql::<Nullable<BigInt>>("CAST(SUM(transaction_records.amount) AS BIGINT)");
    let original = transaction_records::original_transaction_id;
    let purchases = purchases.iter().copied().map(Some).collect::<Vec<_>>();
    let query = transaction_records::table
        .filter(transaction_records::partner_id.eq(partner))
        .filter(original.eq_any(purchases))
        .group_by(original);
    let sums: Vec<(Option<Id>, Option<i64>)> = query.select((original, sum)).load(tx.conn)?;
    Ok(sums.into_iter().filter_map(|(id, sum)| Some((id?, sum.unwrap_or(0)))).collect())
}

/// The sums of the refunds of purchases of any partner, by the purchases' numbers in a source, in minor units; ask for
/// some thousand numbers at most.
pub(super) fn refunded_by_number(tx: &mut Tx<'_>, source: &str, numbers: &[&str]) -> Result<Vec<(Id, i64)>> {
    let sum = sql::<Nullable<BigInt>>("CAST(SUM(transaction_records.amount) AS BIGINT)");
    let refunds = transaction_records::partner_id
        .eq(transaction_numbers::partner_id)
        .and(transaction_records::original_transaction_id.eq(transaction_numbers::transaction_id.nullable()));
    let query = transaction_numbers::table
        .inner_join(transaction_records::table.on(refunds))
        .filter(transaction_numbers::source.eq(source))
        .filter(transaction_numbers::external_id.eq_any(numbers.to_vec()))
        .group_by(transaction_numbers::transaction_id);
    let sums: Vec<(Id, Option<i64>)> =
        query.select((transaction_numbers::transaction_id, sum)).load(tx.conn)?;
    Ok(sums.into_iter().map(|(id, sum)| (id, sum.unwrap_or(0))).collect())
}

/// The purchases and refunds of these partners, by partner, then by day. One statement in which each partner is a bound
/// value; ask for some thousand partners at most.
pub fn sales_of(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<Transaction>> {
    let query = transactions::table.filter(transactions::partner_id.eq_any(partners.to_vec()));
    let order = (transactions::partner_id, transactions::occurred_on, transactions::id);
    Ok(query.order(order).select(Transaction::as_select()).load(tx.conn)?)
}

/// The partner that made a sale; none where the sale does not exist.
pub fn seller_of(tx: &mut Tx<'_>, sale: Id) -> Result<Option<Id>> {
    let query = transactions::table.filter(transactions::id.eq(sale)).select(transactions::partner_id);
    Ok(query.get_result(tx.conn).optional()?)
}

/// Whether a transaction, hidden or not, refers to a partner, as its seller or as the provider of another seller. No
/// index leads to providers, so the statement about providers comes last.
pub fn refers_to(conn: &mut Conn, partner: Id) -> Result<bool> {
    let sold = transaction_records::table.filter(transaction_records::partner_id.eq(partner));
    let provided = transaction_records::table.filter(transaction_records::provider_id.eq(partner));
    Ok(select(exists(sold)).get_result(conn)? || select(exists(provided)).get_result(conn)?)
}

pub(super) fn insert(tx: &mut Tx<'_>, transaction: &Transaction) -> Result<()> {
    let record = NewRecord::from(transaction);
    let number = NewNumber::from(transaction);
    native!(tx.conn, conn => {
        diesel::insert_into(transaction_numbers::table).values(&number).execute(conn)?;
        diesel::insert_into(transaction_records::table).values(&record).execute(conn)?
    });
    Ok(())
}

/// Adds many transactions in the way that is fastest on each database.
pub(super) fn insert_all(tx: &mut Tx<'_>, transactions: &[Transaction]) -> Result<()> {
    let records: Vec<NewRecord<'_>> = transactions.iter().map(NewRecord::from).collect();
    let numbers: Vec<NewNumber<'_>> = transactions.iter().map(NewNumber::from).collect();
    insert_many!(tx.conn, transaction_numbers::table, &numbers);
    insert_many!(tx.conn, transaction_records::table, &records);
    Ok(())
}

/// The number that a new record claims.
#[derive(Insertable)]
#[diesel(table_name = transaction_numbers, treat_none_as_default_value = false)]
struct NewNumber<'a> {
    source: &'a str,
    external_id: &'a str,
    partner_id: Id,
    transaction_id: Id,
}

impl<'a> From<&'a Transaction> for NewNumber<'a> {
    fn from(transaction: &'a Transaction) -> Self {
        Self {
            source: &transaction.source,
            external_id: &transaction.external_id,
            partner_id: transaction.partner_id,
            transaction_id: transaction.id,
        }
    }
}

/// A new record.
#[derive(Insertable)]
#[diesel(table_name = transaction_records, treat_none_as_default_value = false)]
struct NewRecord<'a> {
    id: Id,
    source: &'a str,
    external_id: &'a str,
    partner_id: Id,
    provider_id: Option<Id>,
    customer_id: &'a str,
    customer_country: Country,
    customer_public_sector: bool,
    product: &'a str,
    product_family: &'a str,
    kind: TransactionKind,
    original_transaction_id: Option<Id>,
    occurred_on: CalendarDate,
    amount: i64,
    currency: Currency,
    units: Option<i32>,
    created_at: Timestamp,
}

impl<'a> From<&'a Transaction> for NewRecord<'a> {
    fn from(transaction: &'a Transaction) -> Self {
        Self {
            id: transaction.id,
            source: &transaction.source,
            external_id: &transaction.external_id,
            partner_id: transaction.partner_id,
            provider_id: transaction.provider_id,
            customer_id: &transaction.customer.id,
            customer_country: transaction.customer.country,
            customer_public_sector: transaction.customer.public_sector,
            product: &transaction.product,
            product_family: &transaction.product_family,
            kind: transaction.kind,
            original_transaction_id: transaction.original_transaction_id,
            occurred_on: transaction.occurred_on,
            amount: transaction.minor,
            currency: transaction.currency,
            units: transaction.units,
            created_at: transaction.created_at,
        }
    }
}

/// The columns of a record, hidden or not, in the order of [`Transaction`]'s members.
macro_rules! columns {
    () => {
        (
            transaction_records::id,
            transaction_records::source,
            transaction_records::external_id,
            transaction_records::partner_id,
            transaction_records::provider_id,
            (
                transaction_records::customer_id,
                transaction_records::customer_country,
                transaction_records::customer_public_sector,
            ),
            transaction_records::product,
            transaction_records::product_family,
            transaction_records::kind,
            transaction_records::original_transaction_id,
            transaction_records::occurred_on,
            transaction_records::amount,
            transaction_records::currency,
            transaction_records::units,
            transaction_records::created_at,
        )
    };
}

/// The records of a source with these numbers, hidden or not; ask for some thousand at most.
pub(super) fn numbered(tx: &mut Tx<'_>, source: &str, numbers: &[&str]) -> Result<Vec<Transaction>> {
    let numbered = transaction_records::partner_id
        .eq(transaction_numbers::partner_id)
        .and(transaction_records::id.eq(transaction_numbers::transaction_id));
    let query = transaction_numbers::table
        .inner_join(transaction_records::table.on(numbered))
        .filter(transaction_numbers::source.eq(source))
        .filter(transaction_numbers::external_id.eq_any(numbers.to_vec()));
    Ok(query.select(columns!()).load(tx.conn)?)
}

/// The records with these ids, hidden or not; ask for some thousand at most.
pub(super) fn identified(tx: &mut Tx<'_>, ids: &[Id]) -> Result<Vec<Transaction>> {
    let query = transaction_records::table.filter(transaction_records::id.eq_any(ids.to_vec()));
    Ok(query.select(columns!()).load(tx.conn)?)
}

/// Hides the records with ids of the range, until [`show`].
pub(super) fn hide(tx: &mut Tx<'_>, range: Range) -> Result<()> {
    let hidden = (
        unpublished_transactions::slot.eq(1),
        unpublished_transactions::first_id.eq(range.first),
        unpublished_transactions::last_id.eq(range.last),
    );
    diesel::insert_into(unpublished_transactions::table).values(hidden).execute(tx.conn)?;
    Ok(())
}

/// The range whose records are hidden; none where every record is seen.
pub(super) fn hidden(tx: &mut Tx<'_>) -> Result<Option<Range>> {
    let ends = (unpublished_transactions::first_id, unpublished_transactions::last_id);
    let found = unpublished_transactions::table.select(ends).get_result::<(Id, Id)>(tx.conn).optional()?;
    Ok(found.map(|(first, last)| Range { first, last }))
}

/// Shows the hidden records.
pub(super) fn show(tx: &mut Tx<'_>) -> Result<()> {
    diesel::delete(unpublished_transactions::table).execute(tx.conn)?;
    Ok(())
}

/// Removes the latest records of a range with their numbers, up to `most`: a refund is later than its purchase, and
/// goes first. Returns how many were removed.
pub(super) fn remove_latest(tx: &mut Tx<'_>, range: Range, most: i64) -> Result<usize> {
    let Range { first, last } = range;
    let latest: Vec<(Id, Id, String, String)> = transaction_records::table
        .filter(transaction_records::id.between(first, last))
        .order(transaction_records::id.desc())
        .limit(most)
        .select((
            transaction_records::id,
            transaction_records::partner_id,
            transaction_records::source,
            transaction_records::external_id,
        ))
        .load(tx.conn)?;
    let Some((lowest, ..)) = latest.last() else { return Ok(0) };
    let lowest = *lowest;
    let mut partners = BTreeSet::new();
    let mut numbers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (_, partner, source, external_id) in latest {
        partners.insert(partner);
        numbers.entry(source).or_default().push(external_id);
    }
    let doomed = transaction_records::table
        .filter(transaction_records::partner_id.eq_any(partners))
        .filter(transaction_records::id.between(lowest, last));
    let removed = diesel::delete(doomed).execute(tx.conn)?;
    for (source, numbers) in numbers {
        let claimed = transaction_numbers::table
            .filter(transaction_numbers::source.eq(source))
            .filter(transaction_numbers::external_id.eq_any(numbers));
        diesel::delete(claimed).execute(tx.conn)?;
    }
    Ok(removed)
}

/// The sellers of the records in a range, each with the day of the seller's first purchase: once by the purchases of
/// the range, once by the purchases that the refunds of the range take back.
pub(super) fn sellers(tx: &mut Tx<'_>, range: Range) -> Result<Vec<Waiting>> {
    // A seller with the day of its first purchase.
    type Seller = (Id, Option<CalendarDate>);
    let of_range =
        || transaction_records::table.filter(transaction_records::id.between(range.first, range.last));
    let sold = of_range()
        .group_by(transaction_records::partner_id)
        .select((transaction_records::partner_id, min(transaction_records::occurred_on)));
    let purchase = bought
        .field(transaction_records::id)
        .nullable()
        .eq(transaction_records::original_transaction_id)
        .and(bought.field(transaction_records::partner_id).eq(transaction_records::partner_id));
    let taken_back = of_range()
        .inner_join(bought.on(purchase))
        .group_by(transaction_records::partner_id)
        .select((transaction_records::partner_id, min(bought.field(transaction_records::occurred_on))));
    let waiting = |(partner_id, day): Seller, cause| {
        day.map(|day| Waiting { partner_id, since: Since::Day(day), cause })
    };
    let sold = sold.load::<Seller>(tx.conn)?.into_iter();
    let sold = sold.filter_map(|seller| waiting(seller, CalculationCause::Sale));
    let mut sellers: Vec<Waiting> = sold.collect();
    let taken_back = taken_back.load::<Seller>(tx.conn)?.into_iter();
    sellers.extend(taken_back.filter_map(|seller| waiting(seller, CalculationCause::Refund)));
    Ok(sellers)
}
