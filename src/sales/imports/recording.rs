//! Recording the portions of a file: each in one unit that counts its rows, and keeps the faults and the rows that are
//! left out.

use super::{
    Import, ImportError, ImportState,
    columns::RowCells,
    model::KeptRow,
    portion::{BadRow, FilePortion, GoodRow, PORTION},
    row::FileRow,
    store,
    view::record_event,
};
use crate::{
    access::{Tx, Unaudited},
    network::partners,
    platform::{
        Error, FieldError, Result, codes, cut,
        db::types::Json,
        values::{Id, Locale},
    },
    sales::transactions::{
        NewTransaction,
        batch::{self, Range, RowOutcome},
    },
    text,
};
use std::{collections::HashSet, sync::Arc};

/// The terms on which an import records its rows.
#[derive(Clone)]
pub(super) struct Terms {
    /// The most errors that are stored of an import.
    pub(super) most_errors: i64,
    /// The product families that programs name; empty where no program names any.
    pub(super) families: Arc<HashSet<String>>,
}

/// Records a portion of a file. A refund whose purchase is not on record waits until the file has ended.
pub(super) fn record_portion(tx: &mut Tx<'_>, id: Id, portion: &FilePortion, terms: &Terms) -> Result<()> {
    let before = store::get(tx, id)?;
    record(tx, before, portion, terms, Refunds::Wait)
}

/// Records the next refunds that have waited for the end of the file, in the order of the lines; returns whether more of
/// them wait. A refund whose purchase has not come is rejected.
pub(super) fn settle_portion(tx: &mut Tx<'_>, id: Id, terms: &Terms) -> Result<bool> {
    let mut before = store::get(tx, id)?;
    let waiting = store::waiting(tx, id, PORTION)?;
    let Some(last) = waiting.last().map(|row| row.line) else {
        tx.exempt_from_audit(Unaudited::NothingWritten);
        return Ok(false);
    };
    before.waiting -= i64::try_from(store::remove_waiting(tx, id, last)?).unwrap_or(0);
    let more = before.waiting > 0;
    let rows = waiting.into_iter().map(|KeptRow { line, cells: Json(cells), .. }| {
        let content =
            cells.transaction().ok_or_else(|| Error::internal("a waiting refund cannot be read"))?;
        Ok(FileRow::good(line.unsigned_abs(), content))
    });
    let portion = FilePortion::of(rows, |numbers| partners::all_numbered(tx, numbers))?;
    record(tx, before, &portion.unwrap_or_default(), terms, Refunds::AreSettled)?;
    Ok(more)
}

/// What becomes of refunds whose purchases are not on record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refunds {
    /// They wait for the end of the file.
    Wait,
    /// They are rejected: the file has ended.
    AreSettled,
}

fn record(
    tx: &mut Tx<'_>,
    before: Import,
    portion: &FilePortion,
    terms: &Terms,
    refunds: Refunds,
) -> Result<()> {
    let mut import = before.clone();
    if import.state != ImportState::Receiving {
        return Err(Error::new(
            &codes::CONFLICT,
            text!("this import was ended by somebody else", "このインポートは別の処理により終了しています。"),
        ));
    }
    let (mut bad, mut kept) = (portion.bad.clone(), Vec::new());
    import.invalid += i64::try_from(bad.len()).unwrap_or(0);
    import.rows_read += i64::try_from(bad.len()).unwrap_or(0);
    let rows: Vec<&NewTransaction> = portion.good.iter().map(|row| &row.new).collect();
    let outcomes = batch::record(tx, Range::of(import.id), import.created.unsigned_abs(), &rows)?;
    for (outcome, row) in outcomes.into_iter().zip(&portion.good) {
        if refunds == Refunds::Wait && matches!(outcome, RowOutcome::PurchaseUnknown(_)) {
            kept.push(kept_row(import.id, row.line, true, row.cells()));
            import.waiting += 1;
            continue;
        }
        import.count(&outcome);
        let faults = match outcome {
            RowOutcome::Created | RowOutcome::Unchanged => {
                import.note_family(&row.new.product_family, &terms.families);
                continue;
            }
            RowOutcome::Conflict(faults) | RowOutcome::Invalid(faults) => faults,
            RowOutcome::PurchaseUnknown(faults) => never_came(faults, row),
        };
        bad.push(BadRow { line: row.line, cells: row.cells(), faults });
    }
    bad.sort_unstable_by_key(|row| row.line);
    let room = usize::try_from(terms.most_errors - import.errors_kept).unwrap_or(0);
    // The language of whoever sent the file.
    let language = tx.language;
    let errors = bad.iter().flat_map(|row| errors_of(import.id, row, language));
    let errors: Vec<ImportError> = errors.take(room).collect();
    import.errors_kept += i64::try_from(errors.len()).unwrap_or(0);
    let last = errors.last().map_or(0, |error| error.line.unsigned_abs());
    let rejected = bad.into_iter().take_while(|row| row.line <= last);
    kept.extend(rejected.map(|row| kept_row(import.id, row.line, false, row.cells)));
    store::insert_errors(tx, &errors)?;
    store::insert_rows(tx, &kept)?;
    let after = store::update(tx, import)?;
    record_event(tx, Some(before), &after)
}

fn kept_row(import_id: Id, line: u64, waits: bool, cells: RowCells) -> KeptRow {
    KeptRow { import_id, line: i64::try_from(line).unwrap_or(i64::MAX), waits, cells: Json(cells) }
}

/// The faults of a refund whose purchase has not come: the file says no more about the purchase.
fn never_came(mut faults: Vec<FieldError>, row: &GoodRow) -> Vec<FieldError> {
    for fault in faults.iter_mut().filter(|fault| fault.code == "unknown") {
        if let (Some(number), "/original_external_id") = (&row.new.original_external_id, &*fault.pointer) {
            let source = &row.new.source;
            fault.message = text!(
                "the purchase {number} of {source} is neither on record nor in this file",
                "{source} の購入 {number} は、登録済みのデータにもこのファイルにもありません。"
            );
        }
    }
    faults
}

/// The errors of a row that is left out.
fn errors_of(import_id: Id, row: &BadRow, language: Locale) -> impl Iterator<Item = ImportError> {
    let (range, line) = (Range::of(import_id), row.line);
    let external_id = Some(cut(row.cells.get("external_id"), 128)).filter(|id| !id.is_empty());
    (0u64..256).zip(&row.faults).map(move |(nth, fault)| ImportError {
        id: range.at((line << 8) | nth),
        import_id,
        line: i64::try_from(line).unwrap_or(i64::MAX),
        pointer: fault.pointer.clone(),
        code: fault.code.clone().into_owned(),
        message: fault.message.in_language(language).to_owned(),
        external_id: external_id.map(str::to_owned),
    })
}
