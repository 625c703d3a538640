//! Payer accounts in the database.

use super::{PayerAccount, PayerAccountState, api::PayerAccountFilter, rows::PayerAccountRow};
use crate::{
    access::Tx,
    platform::{
        Error, Result,
        db::{MultiBackend, lock_rows},
        http::{PageRequest, keyset, unindexed},
        values::{Currency, Id},
    },
    schema::payer_accounts,
};
use diesel::prelude::*;

// Only programme staff sees payer accounts, so the query needs no scope.
fn matching(filter: &PayerAccountFilter) -> payer_accounts::BoxedQuery<'static, MultiBackend> {
    let mut query = payer_accounts::table.into_boxed();
    if let Some(state) = filter.state {
        query = query.filter(payer_accounts::state.eq(state));
    }
    if let Some(currency) = filter.currency {
        query = query.filter(unindexed!(payer_accounts::currency).eq(currency));
    }
    query
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<PayerAccountFilter>) -> Result<Vec<PayerAccount>> {
    let query = keyset!(matching(&page.filter), page, payer_accounts, newest);
    let rows: Vec<PayerAccountRow> = query.select(PayerAccountRow::as_select()).load(tx.conn)?;
    rows.into_iter().map(|row| row.opened(tx.vault())).collect()
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &PayerAccountFilter) -> Result<i64> {
    Ok(matching(filter).count().get_result(tx.conn)?)
}

/// A payer account.
pub fn get(tx: &mut Tx<'_>, id: Id) -> Result<PayerAccount> {
    let found = payer_accounts::table.find(id).select(PayerAccountRow::as_select()).get_result(tx.conn);
    let row: PayerAccountRow = found.optional()?.ok_or(Error::not_found("payer account", "支払元口座"))?;
    row.opened(tx.vault())
}

/// A payer account, locked until the end of the unit.
pub(super) fn to_change(tx: &mut Tx<'_>, id: Id) -> Result<PayerAccount> {
    lock_rows!(tx.conn, for_no_key_update, payer_accounts::table.find(id).select(payer_accounts::id));
    get(tx, id)
}

/// The active payer accounts of a currency, the oldest first.
pub fn of_currency(tx: &mut Tx<'_>, currency: Currency) -> Result<Vec<PayerAccount>> {
    let query = payer_accounts::table
        .filter(payer_accounts::currency.eq(currency))
        .filter(unindexed!(payer_accounts::state).eq(PayerAccountState::Active))
        .order(payer_accounts::id);
    let rows: Vec<PayerAccountRow> = query.select(PayerAccountRow::as_select()).load(tx.conn)?;
    rows.into_iter().map(|row| row.opened(tx.vault())).collect()
}

pub(super) fn insert(tx: &mut Tx<'_>, payer: &PayerAccount) -> Result<()> {
    let row = PayerAccountRow::sealed(tx.vault(), payer)?;
    diesel::insert_into(payer_accounts::table).values(&row).execute(tx.conn)?;
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, payer: &PayerAccount) -> Result<()> {
    let row = PayerAccountRow::sealed(tx.vault(), payer)?;
    diesel::update(payer_accounts::table.find(payer.id)).set(&row).execute(tx.conn)?;
    Ok(())
}
