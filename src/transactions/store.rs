//! The transactions in the database.

use super::{Transaction, api::TransactionFilter};
use crate::{
    access::{Scope, Tx},
    partners::in_scope,
    platform::{
        Error, Result,
        db::MultiBackend,
        http::{PageRequest, keyset},
        values::Id,
    },
    schema::transactions,
};
use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Nullable},
};

fn visible(scope: Scope) -> transactions::BoxedQuery<'static, MultiBackend> {
    in_scope!(transactions::table.into_boxed(), transactions::partner_id, scope)
}

fn matching(scope: Scope, filter: &TransactionFilter) -> transactions::BoxedQuery<'static, MultiBackend> {
    let mut query = visible(scope);
    if let Some(id) = filter.partner_id {
        query = query.filter(transactions::partner_id.eq(id));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(transactions::kind.eq(kind));
    }
    if let Some(source) = &filter.source {
        query = query.filter(transactions::source.eq(source.clone()));
    }
    if let Some(external_id) = &filter.external_id {
        query = query.filter(transactions::external_id.eq(external_id.clone()));
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
    query
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<TransactionFilter>) -> Result<Vec<Transaction>> {
    let query = matching(tx.scope(), &page.filter);
    Ok(keyset!(query, page, transactions, newest).select(Transaction::as_select()).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &TransactionFilter) -> Result<i64> {
    Ok(matching(tx.scope(), filter).count().get_result(tx.conn)?)
}

pub(super) fn find(tx: &mut Tx<'_>, id: Id) -> Result<Option<Transaction>> {
    let query = visible(tx.scope()).filter(transactions::id.eq(id)).select(Transaction::as_select());
    Ok(query.get_result(tx.conn).optional()?)
}

pub(super) fn get(tx: &mut Tx<'_>, id: Id) -> Result<Transaction> {
    find(tx, id)?.ok_or(Error::not_found("transaction"))
}

pub(super) fn find_by_external_id(
    tx: &mut Tx<'_>,
    source: &str,
    external_id: &str,
) -> Result<Option<Transaction>> {
    let query = transactions::table
        .filter(transactions::source.eq(source))
        .filter(transactions::external_id.eq(external_id));
    Ok(query.select(Transaction::as_select()).get_result(tx.conn).optional()?)
}

/// The sum of a purchase's refunds, in minor units: zero or below.
pub(super) fn refunded(tx: &mut Tx<'_>, purchase: Id) -> Result<i64> {
    let sum = sql::<Nullable<BigInt>>("CAST(SUM(transactions.amount) AS BIGINT)");
    let query = transactions::table.filter(transactions::original_transaction_id.eq(purchase)).select(sum);
    Ok(query.get_result::<Option<i64>>(tx.conn)?.unwrap_or(0))
}

/// Everything these partners sold and took back, by partner, then by day. One statement; ask for some thousand
/// partners at most, each is a bound value.
pub fn sales_of(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<Transaction>> {
    let query = transactions::table.filter(transactions::partner_id.eq_any(partners.to_vec()));
    let order = (transactions::partner_id, transactions::occurred_on, transactions::id);
    Ok(query.order(order).select(Transaction::as_select()).load(tx.conn)?)
}

pub(super) fn insert(tx: &mut Tx<'_>, transaction: &Transaction) -> Result<()> {
    diesel::insert_into(transactions::table).values(transaction).execute(tx.conn)?;
    Ok(())
}
