//! The imports in the database.

use super::{Import, ImportError, ImportState, api::ImportFilter};
use crate::{
    access::Tx,
    platform::{
        Error, Result,
        db::{MultiBackend, insert_many},
        http::{PageRequest, keyset},
        values::Id,
    },
    schema::{transaction_import_errors, transaction_imports},
    slice::Measure,
};
use diesel::prelude::*;

fn matching(filter: &ImportFilter) -> transaction_imports::BoxedQuery<'static, MultiBackend> {
    let query = transaction_imports::table.into_boxed();
    match filter.state {
        Some(state) => query.filter(transaction_imports::state.eq(state)),
        None => query,
    }
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<ImportFilter>) -> Result<Vec<Import>> {
    let query = matching(&page.filter);
    Ok(keyset!(query, page, transaction_imports, newest).select(Import::as_select()).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &ImportFilter) -> Result<i64> {
    Ok(matching(filter).count().get_result(tx.conn)?)
}

pub(super) fn get(tx: &mut Tx<'_>, id: Id) -> Result<Import> {
    let query = transaction_imports::table.find(id).select(Import::as_select());
    query.get_result(tx.conn).optional()?.ok_or(Error::not_found("transaction import"))
}

pub(super) fn unfinished(tx: &mut Tx<'_>) -> Result<Vec<Import>> {
    let query = transaction_imports::table.filter(transaction_imports::finished_at.is_null());
    Ok(query.order(transaction_imports::id).select(Import::as_select()).load(tx.conn)?)
}

/// The numbers of imports for monitors.
pub(super) fn measures(tx: &mut Tx<'_>) -> Result<Vec<Measure>> {
    let at_work = transaction_imports::table.filter(transaction_imports::finished_at.is_null());
    let help = "Imports that arrive or are being published";
    Ok(vec![Measure::of("imports_at_work", help, at_work.count().get_result(tx.conn)?)])
}

/// Whether an import has published rows and not yet queued all their sellers for the calculation.
pub fn is_publishing(tx: &mut Tx<'_>) -> Result<bool> {
    let publishing = transaction_imports::state.eq(ImportState::Publishing);
    let query =
        transaction_imports::table.filter(transaction_imports::finished_at.is_null()).filter(publishing);
    Ok(query.count().get_result::<i64>(tx.conn)? > 0)
}

pub(super) fn insert(tx: &mut Tx<'_>, import: &Import) -> Result<()> {
    diesel::insert_into(transaction_imports::table).values(import).execute(tx.conn)?;
    Ok(())
}

/// Writes the next revision of an import.
pub(super) fn update(tx: &mut Tx<'_>, import: Import) -> Result<Import> {
    let import = Import { revision: import.revision + 1, ..import };
    diesel::update(transaction_imports::table.find(import.id)).set(&import).execute(tx.conn)?;
    Ok(import)
}

pub(super) fn list_errors<F>(tx: &mut Tx<'_>, import: Id, page: &PageRequest<F>) -> Result<Vec<ImportError>> {
    let query = transaction_import_errors::table
        .filter(transaction_import_errors::import_id.eq(import))
        .into_boxed::<MultiBackend>();
    let query = keyset!(query, page, transaction_import_errors, oldest);
    Ok(query.select(ImportError::as_select()).load(tx.conn)?)
}

pub(super) fn count_errors(tx: &mut Tx<'_>, import: Id) -> Result<i64> {
    let query = transaction_import_errors::table.filter(transaction_import_errors::import_id.eq(import));
    Ok(query.count().get_result(tx.conn)?)
}

/// Up to `most` errors of an import after the error `after`, in the order of the lines.
pub(super) fn errors_after(
    tx: &mut Tx<'_>,
    import: Id,
    after: Option<Id>,
    most: i64,
) -> Result<Vec<ImportError>> {
    let query = transaction_import_errors::table
        .filter(transaction_import_errors::import_id.eq(import))
        .into_boxed::<MultiBackend>();
    let query = match after {
        Some(after) => query.filter(transaction_import_errors::id.gt(after)),
        None => query,
    };
    let query = query.order(transaction_import_errors::id).limit(most);
    Ok(query.select(ImportError::as_select()).load(tx.conn)?)
}

pub(super) fn insert_errors(tx: &mut Tx<'_>, errors: &[ImportError]) -> Result<()> {
    insert_many!(tx.conn, transaction_import_errors::table, errors);
    Ok(())
}
