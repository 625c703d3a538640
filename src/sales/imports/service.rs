//! Imports a file: receives the rows in portions, and publishes all rows at once.

use super::{
    Format, Import, ImportError, ImportState,
    api::ImportView,
    portion::{BadRow, FilePortion, HeldBack, PORTION},
    roomy::Roomy,
    row::rows,
    store,
};
use crate::{
    access::{BackgroundContext, Tx, Unaudited},
    audit,
    platform::{Error, Result, codes, cut, http::Contract, values::Id},
    sales::transactions::{
        NewTransaction,
        backlog::{self, Waiting},
        batch::{self, Range, RowOutcome},
    },
    work::{End, JobName, Lease, Queue, Schedule, Turn, Work, retry},
};
use std::{
    collections::BTreeMap,
    io::Read,
    sync::{Arc, mpsc::sync_channel},
    time::Duration,
};

crate::problem_codes! {
    IMPORT_UNDER_WAY = "import_under_way" 409 "Another import is under way",
        "One import runs at a time. `GET /v1/transaction-imports?state=receiving` shows it; send the file again when it has ended.";
}

/// Rows whose sellers one statement gathers.
const TOGETHER: u32 = 50_000;
/// Partners that one unit queues for the calculation.
const PARTNERS: usize = 200;
/// The time an import waits for the import before.
const PATIENCE: Duration = Duration::from_secs(10);

/// Ends imports that were broken off. Every import takes a turn of this job, so that one import runs at a time.
pub const WORK: Work = Work {
    name: JobName::TransactionImports,
    schedule: |_| Schedule::Never,
    queue: Some(Queue { waits: |tx| Ok(!store::unfinished(tx)?.is_empty()), every: 5 }),
    run: |turn| {
        let own = turn.app().background("FinishTransactionImport");
        end_broken_off(&own, turn.lease()).map(|()| End::Done)
    },
};

/// The options of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportOptions {
    /// The format of the file.
    pub format: Format,
    /// Whether the import only checks the rows and records none.
    pub dry_run: bool,
}

/// Imports a file, and returns the import as stored. The threads of the import end before the function returns.
pub fn import_file(
    background: &BackgroundContext,
    contract: &Contract,
    options: ImportOptions,
    file: impl Read + Send,
) -> Result<Import> {
    let turn = Turn::wait_for(&background.app(), JobName::TransactionImports, PATIENCE)?;
    let turn = turn.ok_or_else(under_way)?;
    let file = Roomy::new(file, background);
    let imported = turn.renewed(|| import_in_turn(background, turn.lease(), contract, options, file));
    // A faulty file is the sender's trouble: the job itself has succeeded.
    turn.close(Ok(imported), |_| End::Done)?
}

/// The refusal of a file while others are received.
pub(super) fn under_way() -> Error {
    let detail = "another import is under way; send this file again when it has ended";
    Error { retry_after: Some(60), ..Error::new(&IMPORT_UNDER_WAY, detail) }
}

fn import_in_turn(
    background: &BackgroundContext,
    lease: Lease,
    contract: &Contract,
    options: ImportOptions,
    file: impl Read + Send,
) -> Result<Import> {
    let own = background.of_service("FinishTransactionImport");
    end_broken_off(&own, lease)?;
    let import = begin(background, lease, options)?;
    let received = receive(background, lease, contract, &import, file);
    match received.and_then(|()| publish(background, &own, lease, import.id)) {
        Ok(import) => Ok(import),
        Err(error) => {
            log::warn!("import {} failed: {error}", import.id);
            if own.read(|tx| store::get(tx, import.id))?.state == ImportState::Publishing {
                return complete(&own, lease, import.id);
            }
            fail(&own, lease, import.id, &error.detail)?;
            Err(error.with("import_id", import.id))
        }
    }
}

/// The next thousand errors of an import after the error `after`, in the order of the lines; the first ones where
/// `after` is none.
pub fn errors_of(background: &BackgroundContext, import: Id, after: Option<Id>) -> Result<Vec<ImportError>> {
    background.read(|tx| store::errors_after(tx, import, after, 1000))
}

/// Ends imports that were broken off: completes a published import, and removes the rows of any other.
fn end_broken_off(own: &BackgroundContext, lease: Lease) -> Result<()> {
    for import in own.read(store::unfinished)? {
        match import.state {
            ImportState::Publishing => complete(own, lease, import.id).map(drop)?,
            _ => fail(own, lease, import.id, "the service stopped while the file was being received")?,
        }
    }
    Ok(())
}

fn begin(background: &BackgroundContext, lease: Lease, options: ImportOptions) -> Result<Import> {
    background.write(move |tx| {
        lease.check(tx)?;
        let import = Import::begun(tx.new_id(), options.format, options.dry_run, tx.now);
        batch::hide(tx, Range::of(import.id))?;
        store::insert(tx, &import)?;
        record_event(tx, None, &import)?;
        tx.conn.expect_bulk(true)?;
        Ok(import)
    })
}

/// Records the good rows, hidden, and counts all rows. One thread reads the next portion while a portion is recorded.
fn receive(
    background: &BackgroundContext,
    lease: Lease,
    contract: &Contract,
    import: &Import,
    file: impl Read + Send,
) -> Result<()> {
    let (id, format, most_errors) = (import.id, import.format, background.import_errors_kept());
    let record = |portion: &Arc<FilePortion>, room: usize| {
        retry(|| {
            let portion = Arc::clone(portion);
            background.write(move |tx| {
                lease.check(tx)?;
                record_portion(tx, id, &portion, Limits { most_errors, room })
            })
        })
    };
    std::thread::scope(|scope| {
        let (tell, hear) = sync_channel(1);
        scope.spawn(move || {
            let mut rows = rows(format, file, contract);
            while let Some(portion) = FilePortion::of(&mut rows).transpose() {
                let over = portion.is_err();
                if tell.send(portion).is_err() || over {
                    break;
                }
            }
        });
        let mut held = HeldBack::default();
        for portion in hear {
            let portion = Arc::new(held.behind(portion?));
            for place in record(&portion, held.room())? {
                portion.good.get(place).cloned().into_iter().for_each(|row| held.keep(row));
            }
        }
        for portion in held.left() {
            record(&Arc::new(portion), 0)?;
        }
        Ok(())
    })
}

/// The limits of what an import keeps.
#[derive(Clone, Copy)]
struct Limits {
    /// The most errors that are stored of an import.
    most_errors: i64,
    /// The refunds that can be held back until their purchases come.
    room: usize,
}

/// Records a portion, and returns the places of the rows to hold back; these are not counted yet.
fn record_portion(tx: &mut Tx<'_>, id: Id, portion: &FilePortion, limits: Limits) -> Result<Vec<usize>> {
    let before = store::get(tx, id)?;
    let mut import = before.clone();
    if import.state != ImportState::Receiving {
        return Err(Error::new(&codes::CONFLICT, "this import was ended by somebody else"));
    }
    let range = Range::of(id);
    let (mut bad, mut held) = (portion.bad.clone(), Vec::new());
    import.invalid += i64::try_from(bad.len()).unwrap_or(0);
    import.rows_read += i64::try_from(bad.len()).unwrap_or(0);
    let rows: Vec<&NewTransaction> = portion.good.iter().map(|row| &row.new).collect();
    let outcomes = batch::record(tx, range, import.created.unsigned_abs(), &rows)?;
    for (place, (outcome, row)) in outcomes.into_iter().zip(&portion.good).enumerate() {
        if matches!(outcome, RowOutcome::PurchaseUnknown(_)) && held.len() < limits.room {
            held.push(place);
            continue;
        }
        import.count(&outcome);
        match outcome {
            RowOutcome::Created | RowOutcome::Unchanged => {}
            RowOutcome::Conflict(faults)
            | RowOutcome::Invalid(faults)
            | RowOutcome::PurchaseUnknown(faults) => bad.push(BadRow { line: row.line, faults }),
        }
    }
    bad.sort_unstable_by_key(|row| row.line);
    let room = usize::try_from(limits.most_errors - import.errors_kept).unwrap_or(0);
    let errors = bad.into_iter().flat_map(|BadRow { line, faults }| {
        (0u64..256).zip(faults).map(move |(nth, fault)| ImportError {
            id: range.at((line << 8) | nth),
            import_id: id,
            line: i64::try_from(line).unwrap_or(i64::MAX),
            pointer: fault.pointer,
            code: fault.code.into_owned(),
            message: fault.message,
        })
    });
    let errors: Vec<ImportError> = errors.take(room).collect();
    import.errors_kept += i64::try_from(errors.len()).unwrap_or(0);
    store::insert_errors(tx, &errors)?;
    let after = store::update(tx, import)?;
    record_event(tx, Some(before), &after)?;
    Ok(held)
}

/// Publishes the rows of an import in one short unit; of a dry run, removes the rows.
fn publish(background: &BackgroundContext, own: &BackgroundContext, lease: Lease, id: Id) -> Result<Import> {
    if background.read(|tx| store::get(tx, id))?.dry_run {
        discard(own, lease, id)?;
        return background.write(move |tx| {
            lease.check(tx)?;
            batch::publish(tx)?;
            move_to(tx, id, ImportState::Completed, None)
        });
    }
    let published = retry(|| {
        background.write(move |tx| {
            lease.check(tx)?;
            batch::publish(tx)?;
            move_to(tx, id, ImportState::Publishing, None)
        })
    })?;
    // The rows are published. Where their sellers cannot be queued now, the next turn of the job queues them.
    Ok(complete(own, lease, id).unwrap_or_else(|error| {
        log::error!(
            "import {id} is published, and its sellers are not queued for the calculation yet: {error}"
        );
        published
    }))
}

/// Queues the sellers of the rows for the calculation, notes their sales for follow-ups such as invitations, and ends
/// the import.
fn complete(own: &BackgroundContext, lease: Lease, id: Id) -> Result<Import> {
    let rows = own.read(|tx| store::get(tx, id))?.rows_read;
    let mut sellers: BTreeMap<Id, Waiting> = BTreeMap::new();
    for part in Range::of(id).parts(rows.unsigned_abs(), TOGETHER) {
        for waiting in own.read(|tx| batch::sellers(tx, part))? {
            let first = sellers.entry(waiting.partner_id).or_insert(waiting);
            *first = waiting.min(*first);
        }
    }
    let sellers: Vec<Waiting> = sellers.into_values().collect();
    for sellers in sellers.chunks(PARTNERS) {
        retry(|| {
            let sellers = sellers.to_vec();
            own.write(move |tx| {
                lease.check(tx)?;
                let ids: Vec<Id> = sellers.iter().map(|seller| seller.partner_id).collect();
                tx.lock_partners(&ids)?;
                backlog::note_sales(tx, &sellers)?;
                tx.sales_came_to_light(sellers.iter().map(|seller| seller.partner_id));
                Ok(())
            })
        })?;
    }
    own.write(move |tx| {
        lease.check(tx)?;
        move_to(tx, id, ImportState::Completed, None)
    })
}

fn fail(own: &BackgroundContext, lease: Lease, id: Id, reason: &str) -> Result<()> {
    discard(own, lease, id)?;
    let reason = cut(reason, 1000).to_owned();
    own.write(move |tx| {
        lease.check(tx)?;
        batch::publish(tx)?;
        move_to(tx, id, ImportState::Failed, Some(reason.clone())).map(drop)
    })
}

/// Removes the hidden rows of an import, in portions.
fn discard(own: &BackgroundContext, lease: Lease, id: Id) -> Result<()> {
    let range = Range::of(id);
    let most = i64::try_from(PORTION).unwrap_or(i64::MAX);
    let portion = move |tx: &mut Tx<'_>| {
        tx.exempt_from_audit(Unaudited::NotPublished);
        lease.check(tx)?;
        batch::remove_latest(tx, range, most)
    };
    while retry(|| own.write(portion))? > 0 {}
    Ok(())
}

fn move_to(tx: &mut Tx<'_>, id: Id, state: ImportState, failure: Option<String>) -> Result<Import> {
    let before = store::get(tx, id)?;
    let after = store::update(tx, before.clone().now_in(state, failure, tx.now))?;
    record_event(tx, Some(before), &after)?;
    tx.conn.expect_bulk(after.finished_at.is_none())?;
    Ok(after)
}

fn record_event(tx: &mut Tx<'_>, before: Option<Import>, after: &Import) -> Result<()> {
    let event = audit::Event::on("transaction_import", after.id).after(&ImportView::from(after.clone()));
    match before {
        Some(before) => event.before(&ImportView::from(before)).record(tx),
        None => event.record(tx),
    }
}
