//! Payment runs in the database.

use super::{
    api::PaymentRunFilter,
    model::{PaymentRun, PaymentRunState},
};
use crate::{
    access::Tx,
    platform::{
        Error, Result,
        db::{MultiBackend, lock_rows},
        http::{PageRequest, keyset},
        values::{Currency, Id, Month},
    },
    schema::payment_runs,
    slice::Measure,
};
use diesel::prelude::*;

fn matching(filter: &PaymentRunFilter) -> payment_runs::BoxedQuery<'static, MultiBackend> {
    let mut query = payment_runs::table.into_boxed();
    if let Some(state) = filter.state {
        query = query.filter(payment_runs::state.eq(state));
    }
    if let Some(month) = filter.month {
        query = query.filter(payment_runs::month.eq(month));
    }
    query
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<PaymentRunFilter>) -> Result<Vec<PaymentRun>> {
    let query = matching(&page.filter).select(PaymentRun::as_select());
    Ok(keyset!(query, page, payment_runs, newest).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &PaymentRunFilter) -> Result<i64> {
    Ok(matching(filter).count().get_result(tx.conn)?)
}

/// A payment run.
pub fn get(tx: &mut Tx<'_>, id: Id) -> Result<PaymentRun> {
    let found = payment_runs::table.find(id).select(PaymentRun::as_select()).get_result(tx.conn);
    found.optional()?.ok_or(Error::not_found("payment run", "支払処理"))
}

/// A run as it is once no other unit changes it; it stays so until the end of this unit.
pub fn lock(tx: &mut Tx<'_>, id: Id) -> Result<PaymentRun> {
    lock_rows!(tx.conn, for_no_key_update, payment_runs::table.find(id).select(payment_runs::id));
    get(tx, id)
}

/// The first run that is to be prepared.
pub(super) fn preparing(tx: &mut Tx<'_>) -> Result<Option<PaymentRun>> {
    let query = payment_runs::table.filter(payment_runs::state.eq(PaymentRunState::Preparing));
    Ok(query.order(payment_runs::id).select(PaymentRun::as_select()).first(tx.conn).optional()?)
}

/// An open run over what is payable that pays a month in a currency, or in all.
pub(super) fn open(tx: &mut Tx<'_>, month: Month, currency: Option<Currency>) -> Result<Option<PaymentRun>> {
    let states = vec![PaymentRunState::Preparing, PaymentRunState::Created];
    let query = payment_runs::table
        .filter(payment_runs::state.eq_any(states))
        .filter(payment_runs::month.eq(month))
        .filter(payment_runs::reissues.is_null())
        .order(payment_runs::id)
        .select(PaymentRun::as_select());
    let found: Vec<PaymentRun> = query.load(tx.conn)?;
    let meets = |run: &PaymentRun| run.currency == currency || run.currency.is_none() || currency.is_none();
    Ok(found.into_iter().find(meets))
}

pub(super) fn insert(tx: &mut Tx<'_>, run: &PaymentRun) -> Result<()> {
    diesel::insert_into(payment_runs::table).values(run).execute(tx.conn)?;
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, run: &PaymentRun) -> Result<()> {
    diesel::update(payment_runs::table.find(run.id)).set(run).execute(tx.conn)?;
    Ok(())
}

/// The numbers of runs for monitors.
pub(super) fn measures(tx: &mut Tx<'_>) -> Result<Vec<Measure>> {
    let in_state = |state| payment_runs::table.filter(payment_runs::state.eq(state)).count();
    let preparing = in_state(PaymentRunState::Preparing).get_result(tx.conn)?;
    let created = in_state(PaymentRunState::Created).get_result(tx.conn)?;
    Ok(vec![
        Measure::of("payment_runs_preparing", "Payment runs that gather what is payable", preparing),
        Measure::of("payment_runs_to_approve", "Payment runs that wait for approval", created),
    ])
}
