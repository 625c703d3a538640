//! The imports in the database.

use super::{
    Import, ImportError, ImportState,
    api::ImportFilter,
    model::{FilePiece, KeptRow},
};
use crate::{
    access::Tx,
    platform::{
        Error, Result,
        db::{Conn, MultiBackend, insert_many, native},
        http::{PageRequest, keyset},
        values::{Id, Timestamp},
    },
    sales::transactions::batch::Range,
    schema::{
        transaction_import_errors, transaction_import_pieces, transaction_import_rows, transaction_imports,
    },
    slice::Measure,
};
use diesel::{
    dsl::{exists, not},
    prelude::*,
};

/// How long pieces of a file stay that no import at work reads, in seconds since the last piece: longer than any file takes to
/// arrive between one piece and the next, and longer than the import of a file whose sender waits.
const PIECES_STAY: i64 = 24 * 3600;
/// The most pieces that one sweep removes.
const SWEPT: i64 = 256;

diesel::alias!(transaction_import_pieces as younger: Younger);

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
    query.get_result(tx.conn).optional()?.ok_or(Error::not_found("transaction import", "インポート"))
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

/// The errors of the rows from one line to another.
pub(super) fn errors_of_lines(
    tx: &mut Tx<'_>,
    import: Id,
    first: i64,
    last: i64,
) -> Result<Vec<ImportError>> {
    let range = Range::of(import);
    let at = |line: i64, nth: u64| range.at((line.unsigned_abs() << 8) | nth);
    let query = transaction_import_errors::table
        .filter(transaction_import_errors::import_id.eq(import))
        .filter(transaction_import_errors::id.between(at(first, 0), at(last, 255)));
    Ok(query.order(transaction_import_errors::id).select(ImportError::as_select()).load(tx.conn)?)
}

fn kept_rows(import: Id, waits: bool) -> transaction_import_rows::BoxedQuery<'static, MultiBackend> {
    let of_import = transaction_import_rows::table.filter(transaction_import_rows::import_id.eq(import));
    of_import.filter(transaction_import_rows::waits.eq(waits)).into_boxed()
}

/// The first refunds of an import that wait, up to `most`, in the order of the lines.
pub(super) fn waiting(tx: &mut Tx<'_>, import: Id, most: usize) -> Result<Vec<KeptRow>> {
    let query = kept_rows(import, true).order(transaction_import_rows::line);
    let query = query.limit(i64::try_from(most).unwrap_or(i64::MAX));
    Ok(query.select(KeptRow::as_select()).load(tx.conn)?)
}

/// Up to `most` rejected rows of an import behind a line, in the order of the lines.
pub(super) fn rejected(tx: &mut Tx<'_>, import: Id, after: i64, most: i64) -> Result<Vec<KeptRow>> {
    let query = kept_rows(import, false).filter(transaction_import_rows::line.gt(after));
    let query = query.order(transaction_import_rows::line).limit(most);
    Ok(query.select(KeptRow::as_select()).load(tx.conn)?)
}

pub(super) fn insert_rows(tx: &mut Tx<'_>, rows: &[KeptRow]) -> Result<()> {
    insert_many!(tx.conn, transaction_import_rows::table, rows);
    Ok(())
}

/// Removes the refunds of an import that wait, up to a line; returns how many were removed.
pub(super) fn remove_waiting(tx: &mut Tx<'_>, import: Id, last: i64) -> Result<usize> {
    let waiting = transaction_import_rows::table
        .filter(transaction_import_rows::import_id.eq(import))
        .filter(transaction_import_rows::waits.eq(true))
        .filter(transaction_import_rows::line.le(last));
    Ok(diesel::delete(waiting).execute(tx.conn)?)
}

/// Removes the first refunds of an import that wait, up to `most`; returns how many were removed.
pub(super) fn remove_next_waiting(tx: &mut Tx<'_>, import: Id, most: usize) -> Result<usize> {
    let lines = kept_rows(import, true).select(transaction_import_rows::line);
    let lines = lines.order(transaction_import_rows::line).limit(i64::try_from(most).unwrap_or(i64::MAX));
    match lines.load::<i64>(tx.conn)?.last() {
        Some(last) => remove_waiting(tx, import, *last),
        None => Ok(0),
    }
}

pub(super) fn insert_piece(tx: &mut Tx<'_>, piece: &FilePiece) -> Result<()> {
    native!(tx.conn, conn => diesel::insert_into(transaction_import_pieces::table).values(piece).execute(conn)?);
    Ok(())
}

/// The bytes of a piece of a file.
pub(super) fn piece(tx: &mut Tx<'_>, import: Id, place: i64) -> Result<Option<Vec<u8>>> {
    let piece = transaction_import_pieces::table.find((import, place));
    Ok(piece.select(transaction_import_pieces::bytes).get_result(tx.conn).optional()?)
}

/// Removes the first pieces of a file, up to `most`; returns how many were removed.
pub(super) fn remove_pieces(tx: &mut Tx<'_>, import: Id, most: i64) -> Result<usize> {
    remove_pieces_of(tx.conn, import, most)
}

fn remove_pieces_of(conn: &mut Conn, import: Id, most: i64) -> Result<usize> {
    let pieces = || transaction_import_pieces::table.filter(transaction_import_pieces::import_id.eq(import));
    let places = pieces().select(transaction_import_pieces::place);
    let first: Vec<i64> = places.order(transaction_import_pieces::place).limit(most).load(conn)?;
    let Some(last) = first.last() else { return Ok(0) };
    Ok(diesel::delete(pieces().filter(transaction_import_pieces::place.le(*last))).execute(conn)?)
}

/// Removes pieces that a crash has left behind: no import at work reads them. One file at a time.
pub(super) fn sweep_pieces(conn: &mut Conn, now: Timestamp) -> Result<usize> {
    let is_read = transaction_imports::table
        .filter(transaction_imports::id.eq(transaction_import_pieces::import_id))
        .filter(transaction_imports::finished_at.is_null())
        .filter(transaction_imports::file_pieces.is_not_null());
    let old = now.plus_seconds(-PIECES_STAY);
    let is_arriving = younger
        .filter(younger.field(transaction_import_pieces::import_id).eq(transaction_import_pieces::import_id))
        .filter(younger.field(transaction_import_pieces::kept_at).ge(old));
    let left_behind = transaction_import_pieces::table
        .filter(transaction_import_pieces::kept_at.lt(old))
        .filter(not(exists(is_read)))
        .filter(not(exists(is_arriving)))
        .select(transaction_import_pieces::import_id)
        .order(transaction_import_pieces::import_id)
        .limit(1);
    match left_behind.get_result::<Id>(conn).optional()? {
        Some(import) => remove_pieces_of(conn, import, SWEPT),
        None => Ok(0),
    }
}
