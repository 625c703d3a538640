//! Reports of banks and exceptions in the database.

use super::{
    api::BankReportFilter,
    exceptions_api::BankExceptionFilter,
    model::{BankException, BankReport, BankReportKind, BankReportState, ExceptionState},
    view::BankReportView,
};
use crate::{
    access::Tx,
    audit,
    platform::{
        Error, Result,
        db::{MultiBackend, insert_many, lock_rows},
        http::{PageRequest, keyset, matches_value, unindexed},
        values::Id,
    },
    schema::{bank_exceptions, bank_reports},
    slice::Measure,
};
use diesel::prelude::*;

// Only programme staff sees reports of banks and exceptions, so the queries need no scope.
fn matching(filter: BankReportFilter) -> bank_reports::BoxedQuery<'static, MultiBackend> {
    let query = bank_reports::table.into_boxed();
    match filter {
        BankReportFilter::Statements => query.filter(bank_reports::kind.eq(BankReportKind::Statement)),
        BankReportFilter::OfFile(file) => query.filter(bank_reports::payment_file_id.eq(file)),
    }
}

pub(super) fn list<F, S>(
    tx: &mut Tx<'_>,
    filter: BankReportFilter,
    page: &PageRequest<F, S>,
) -> Result<Vec<BankReport>> {
    let query = matching(filter).select(BankReport::as_select());
    Ok(keyset!(query, page, bank_reports, newest).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: BankReportFilter) -> Result<i64> {
    Ok(matching(filter).count().get_result(tx.conn)?)
}

/// A report of a kind.
pub(super) fn get(tx: &mut Tx<'_>, kind: BankReportKind, id: Id) -> Result<BankReport> {
    let query = bank_reports::table.find(id).filter(unindexed!(bank_reports::kind).eq(kind));
    query
        .select(BankReport::as_select())
        .get_result(tx.conn)
        .optional()?
        .ok_or(Error::not_found("report of a bank", "銀行のレポート"))
}

/// A report as it is now.
pub(super) fn now(tx: &mut Tx<'_>, id: Id) -> Result<BankReport> {
    Ok(bank_reports::table.find(id).select(BankReport::as_select()).get_result(tx.conn)?)
}

/// A report as it is once no other unit changes it; the report stays so until the end of this unit.
pub(super) fn lock(tx: &mut Tx<'_>, id: Id) -> Result<BankReport> {
    lock_rows!(tx.conn, for_no_key_update, bank_reports::table.find(id).select(bank_reports::id));
    now(tx, id)
}

/// The report with these bytes among those of a file, or among the statements.
pub(super) fn known(tx: &mut Tx<'_>, filter: BankReportFilter, sha256: &str) -> Result<Option<BankReport>> {
    let query = matching(filter).filter(bank_reports::sha256.eq(sha256.to_owned()));
    Ok(query.select(BankReport::as_select()).get_result(tx.conn).optional()?)
}

/// The first report that waits to be applied; one that could not be applied waits until its next try.
pub(super) fn applying(tx: &mut Tx<'_>) -> Result<Option<BankReport>> {
    let is_due =
        bank_reports::next_try_at.is_null().or(bank_reports::next_try_at.assume_not_null().le(tx.now));
    let query = bank_reports::table.filter(bank_reports::state.eq(BankReportState::Applying)).filter(is_due);
    Ok(query.order(bank_reports::id).select(BankReport::as_select()).first(tx.conn).optional()?)
}

pub(super) fn insert(tx: &mut Tx<'_>, report: &BankReport) -> Result<()> {
    diesel::insert_into(bank_reports::table).values(report).execute(tx.conn)?;
    Ok(())
}

/// Writes the next revision of a report, with its audit event.
pub(super) fn save(tx: &mut Tx<'_>, before: BankReport, after: BankReport) -> Result<()> {
    let after = BankReport { updated_at: tx.now, revision: before.revision + 1, ..after };
    diesel::update(bank_reports::table.find(after.id)).set(&after).execute(tx.conn)?;
    audit::Event::on("bank_report", after.id)
        .before(&BankReportView::from(before))
        .after(&BankReportView::from(after))
        .record(tx)
}

pub(super) fn insert_exceptions(tx: &mut Tx<'_>, exceptions: &[BankException]) -> Result<()> {
    insert_many!(tx.conn, bank_exceptions::table, exceptions);
    Ok(())
}

fn exceptions_matching(filter: &BankExceptionFilter) -> bank_exceptions::BoxedQuery<'static, MultiBackend> {
    let mut query = bank_exceptions::table.into_boxed();
    if let Some(report) = filter.report_id {
        query = query.filter(bank_exceptions::report_id.eq(report));
    }
    if let Some(state) = filter.state {
        query = matches_value!(query, bank_exceptions::state, state, filter.report_id.is_some());
    }
    if let Some(reason) = filter.reason {
        query = query.filter(bank_exceptions::reason.eq(reason));
    }
    query
}

pub(super) fn list_exceptions(
    tx: &mut Tx<'_>,
    page: &PageRequest<BankExceptionFilter>,
) -> Result<Vec<BankException>> {
    let query = exceptions_matching(&page.filter).select(BankException::as_select());
    Ok(keyset!(query, page, bank_exceptions, newest).load(tx.conn)?)
}

pub(super) fn count_exceptions(tx: &mut Tx<'_>, filter: &BankExceptionFilter) -> Result<i64> {
    Ok(exceptions_matching(filter).count().get_result(tx.conn)?)
}

pub(super) fn exception(tx: &mut Tx<'_>, id: Id) -> Result<BankException> {
    let found = bank_exceptions::table.find(id).select(BankException::as_select()).get_result(tx.conn);
    found.optional()?.ok_or(Error::not_found("exception", "例外"))
}

pub(super) fn exception_to_change(tx: &mut Tx<'_>, id: Id) -> Result<BankException> {
    lock_rows!(tx.conn, for_no_key_update, bank_exceptions::table.find(id).select(bank_exceptions::id));
    exception(tx, id)
}

pub(super) fn update_exception(tx: &mut Tx<'_>, exception: &BankException) -> Result<()> {
    diesel::update(bank_exceptions::table.find(exception.id)).set(exception).execute(tx.conn)?;
    Ok(())
}

/// The numbers of reports and exceptions for monitors.
pub(super) fn measures(tx: &mut Tx<'_>) -> Result<Vec<Measure>> {
    let applying = bank_reports::table.filter(bank_reports::state.eq(BankReportState::Applying)).count();
    let applying = applying.get_result(tx.conn)?;
    let open = bank_exceptions::table.filter(bank_exceptions::state.eq(ExceptionState::Open)).count();
    let open = open.get_result(tx.conn)?;
    Ok(vec![
        Measure::of("bank_reports_applying", "Reports of banks that are being applied", applying),
        Measure::of("bank_exceptions_open", "Lines of banks that wait for a person", open),
    ])
}
