//! Payment files in the database.

use super::{
    api::PaymentFileFilter,
    model::{PaymentFile, PaymentFileState},
};
use crate::{
    access::Tx,
    platform::{
        Error, Result,
        db::{MultiBackend, lock_rows},
        http::{PageRequest, keyset, matches_value},
        values::Id,
    },
    schema::payment_files,
    slice::Measure,
};
use diesel::prelude::*;

// Only programme staff sees payment files, so the query needs no scope.
fn matching(filter: &PaymentFileFilter) -> payment_files::BoxedQuery<'static, MultiBackend> {
    let mut query = payment_files::table.into_boxed();
    if let Some(run) = filter.run_id {
        query = query.filter(payment_files::run_id.eq(run));
    }
    if let Some(state) = filter.state {
        query = matches_value!(query, payment_files::state, state, filter.run_id.is_some());
    }
    query
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<PaymentFileFilter>) -> Result<Vec<PaymentFile>> {
    let query = matching(&page.filter).select(PaymentFile::as_select());
    Ok(keyset!(query, page, payment_files, newest).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &PaymentFileFilter) -> Result<i64> {
    Ok(matching(filter).count().get_result(tx.conn)?)
}

/// A payment file.
pub fn get(tx: &mut Tx<'_>, id: Id) -> Result<PaymentFile> {
    let found = payment_files::table.find(id).select(PaymentFile::as_select()).get_result(tx.conn);
    found.optional()?.ok_or(Error::not_found("payment file", "支払ファイル"))
}

/// A file as it is once no other unit changes it; the file stays so until the end of this unit.
pub(super) fn lock(tx: &mut Tx<'_>, id: Id) -> Result<PaymentFile> {
    lock_rows!(tx.conn, for_no_key_update, payment_files::table.find(id).select(payment_files::id));
    get(tx, id)
}

/// The file that a bank names; none where there is no such file.
pub fn named(tx: &mut Tx<'_>, id: Id) -> Result<Option<PaymentFile>> {
    Ok(payment_files::table.find(id).select(PaymentFile::as_select()).get_result(tx.conn).optional()?)
}

pub(super) fn insert(tx: &mut Tx<'_>, file: &PaymentFile) -> Result<()> {
    diesel::insert_into(payment_files::table).values(file).execute(tx.conn)?;
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, file: &PaymentFile) -> Result<()> {
    diesel::update(payment_files::table.find(file.id)).set(file).execute(tx.conn)?;
    Ok(())
}

/// The numbers of files for monitors.
pub(super) fn measures(tx: &mut Tx<'_>) -> Result<Vec<Measure>> {
    let made = payment_files::table.filter(payment_files::state.eq(PaymentFileState::Made)).count();
    let made = made.get_result(tx.conn)?;
    Ok(vec![Measure::of("payment_files_to_send", "Payment files that the bank has not got", made)])
}
