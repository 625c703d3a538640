//! How a file is taken: received in portions, published at once.

use super::{
    Format, Import, ImportError, ImportState,
    api::ImportView,
    row::{FileRow, Rows, rows},
    store,
};
use crate::{
    access::{BackgroundContext, Tx, Unaudited},
    audit,
    platform::{Error, FieldError, Result, codes, cut, http::Contract, values::Id},
    sales::transactions::{
        NewTransaction,
        backlog::{self, Since, Waiting},
        batch::{self, RowOutcome, Range},
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

/// Rows recorded, or removed, in one unit: others write after some tens of milliseconds.
const PORTION: usize = 5_000;
/// Rows whose sellers are gathered in one statement.
const TOGETHER: u32 = 50_000;
/// Partners looked at again in one unit.
const PARTNERS: usize = 200;
/// How long an import waits for the one before.
const PATIENCE: Duration = Duration::from_secs(10);

/// Clears up after imports that were broken off. An import takes its own turn at this job, so that one runs at a time.
pub const WORK: Work = Work {
    name: JobName::TransactionImports,
    schedule: |_| Schedule::Never,
    queue: Some(Queue { waits: |tx| Ok(!store::unfinished(tx)?.is_empty()), every: 5 }),
    run: |turn| {
        let own = turn.app().background("FinishTransactionImport");
        clear_up(&own, turn.lease()).map(|()| End::Done)
    },
};

/// How a file is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportOptions {
    /// How its rows are written.
    pub format: Format,
    /// Whether only to try.
    pub dry_run: bool,
}

/// Takes a file to its end; what it tells of the import is what is stored. Every thread of it ends with it.
pub fn run(
    background: &BackgroundContext,
    contract: &Contract,
    order: ImportOptions,
    file: impl Read + Send,
) -> Result<Import> {
    let turn = Turn::wait_for(&background.app(), JobName::TransactionImports, PATIENCE)?;
    let turn = turn.ok_or_else(|| {
        let detail = "another import is under way; send this file again when it has ended";
        Error { retry_after: Some(60), ..Error::new(&IMPORT_UNDER_WAY, detail) }
    })?;
    let taken = turn.renewed(|| take_file(&turn, background, contract, (order, file)));
    // What is wrong with a file is its sender's trouble.
    turn.close(Ok(taken), |_| End::Done)?
}

fn take_file(
    turn: &Turn,
    background: &BackgroundContext,
    contract: &Contract,
    (order, file): (ImportOptions, impl Read + Send),
) -> Result<Import> {
    let (own, lease) = (background.of_service("FinishTransactionImport"), turn.lease());
    clear_up(&own, lease)?;
    let import = begin(background, lease, order)?;
    let received = receive((background, lease), contract, &import, file);
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

/// The errors of an import after one of them, in the order of the lines; some thousand at most.
pub fn errors_of(background: &BackgroundContext, import: Id, after: Option<Id>) -> Result<Vec<ImportError>> {
    background.read(|tx| store::errors_after(tx, import, after, 1000))
}

/// Ends what was broken off.
fn clear_up(own: &BackgroundContext, lease: Lease) -> Result<()> {
    for import in own.read(store::unfinished)? {
        match import.state {
            ImportState::Publishing => complete(own, lease, import.id).map(drop)?,
            _ => fail(own, lease, import.id, "the service stopped while the file was being received")?,
        }
    }
    Ok(())
}

fn begin(background: &BackgroundContext, lease: Lease, order: ImportOptions) -> Result<Import> {
    background.write(move |tx| {
        lease.check(tx)?;
        let import = Import::begun(tx.new_id(), order.format, order.dry_run, tx.now);
        batch::hide(tx, Range::of(import.id))?;
        store::insert(tx, &import)?;
        record(tx, None, &import)?;
        tx.conn.expect_bulk(true)?;
        Ok(import)
    })
}

/// Rows that go together in one unit.
#[derive(Debug, Default)]
struct FilePortion {
    /// The good ones, with their places among all good ones of the file.
    rows: Vec<(u64, NewTransaction)>,
    /// The lines they begin on.
    lines: Vec<u64>,
    /// The bad ones.
    bad: Vec<(u64, Vec<FieldError>)>,
}

impl FilePortion {
    /// The next rows of a file; none at its end.
    fn of(rows: &mut Rows<'_>, place: &mut u64) -> Result<Option<Self>> {
        let mut portion = Self::default();
        for row in rows.take(PORTION) {
            let FileRow { line, content } = row?;
            match content {
                Ok(new) => {
                    portion.rows.push((*place, new));
                    portion.lines.push(line);
                    *place += 1;
                }
                Err(faults) => portion.bad.push((line, faults)),
            }
        }
        Ok(if portion.rows.is_empty() && portion.bad.is_empty() { None } else { Some(portion) })
    }
}

/// Records the good rows where nobody sees them, and counts. The next portion is read while one is being recorded.
fn receive(
    (background, lease): (&BackgroundContext, Lease),
    contract: &Contract,
    import: &Import,
    file: impl Read + Send,
) -> Result<()> {
    let (id, format, most_errors) = (import.id, import.format, background.import_errors_kept());
    std::thread::scope(|scope| {
        let (tell, hear) = sync_channel(1);
        scope.spawn(move || {
            let mut rows = rows(format, file, contract);
            let mut place = 0;
            while let Some(portion) = FilePortion::of(&mut rows, &mut place).transpose() {
                let over = portion.is_err();
                if tell.send(portion).is_err() || over {
                    break;
                }
            }
        });
        for portion in hear {
            let portion = Arc::new(portion?);
            retry(|| {
                let portion = Arc::clone(&portion);
                background.write(move |tx| {
                    lease.check(tx)?;
                    take(tx, id, &portion, most_errors)
                })
            })?;
        }
        Ok(())
    })
}

fn take(tx: &mut Tx<'_>, id: Id, portion: &FilePortion, most_errors: i64) -> Result<()> {
    let mut import = store::get(tx, id)?;
    if import.state != ImportState::Receiving {
        return Err(Error::new(&codes::CONFLICT, "this import was ended by somebody else"));
    }
    let range = Range::of(id);
    let mut bad: Vec<(u64, Vec<FieldError>)> = portion.bad.clone();
    import.invalid += i64::try_from(bad.len()).unwrap_or(0);
    import.rows_read += i64::try_from(bad.len()).unwrap_or(0);
    for (outcome, line) in batch::record(tx, range, &portion.rows)?.into_iter().zip(&portion.lines) {
        import.count(&outcome);
        if let RowOutcome::Conflict(faults) | RowOutcome::Invalid(faults) = outcome {
            bad.push((*line, faults));
        }
    }
    bad.sort_unstable_by_key(|(line, _)| *line);
    let room = usize::try_from(most_errors - import.errors_kept).unwrap_or(0);
    let errors = bad.into_iter().flat_map(|(line, faults)| {
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
    store::update(tx, import)?;
    tx.exempt_from_audit(Unaudited::NotPublished);
    Ok(())
}

/// Lets everybody see the rows, in one short unit; one that only tried is taken back.
fn publish(background: &BackgroundContext, own: &BackgroundContext, lease: Lease, id: Id) -> Result<Import> {
    if background.read(|tx| store::get(tx, id))?.dry_run {
        discard(own, lease, id)?;
        return background.write(move |tx| {
            lease.check(tx)?;
            batch::publish(tx)?;
            enter(tx, id, ImportState::Completed, None)
        });
    }
    let published = retry(|| {
        background.write(move |tx| {
            lease.check(tx)?;
            batch::publish(tx)?;
            enter(tx, id, ImportState::Publishing, None)
        })
    })?;
    // The rows are there; what rests on them is looked at by whoever comes next, if it must be.
    Ok(complete(own, lease, id).unwrap_or_else(|error| {
        log::error!("import {id} is published, and what rests on it not looked at yet: {error}");
        published
    }))
}

/// Looks at what rests on the rows, such as an indirect reseller's first purchase.
fn complete(own: &BackgroundContext, lease: Lease, id: Id) -> Result<Import> {
    let rows = own.read(|tx| store::get(tx, id))?.rows_read;
    let mut sellers: BTreeMap<Id, Since> = BTreeMap::new();
    for part in Range::of(id).parts(rows.unsigned_abs(), TOGETHER) {
        for Waiting { partner_id, since } in own.read(|tx| batch::sellers(tx, part))? {
            sellers.entry(partner_id).and_modify(|first| *first = since.min(*first)).or_insert(since);
        }
    }
    let sellers: Vec<Waiting> =
        sellers.into_iter().map(|(partner_id, since)| Waiting { partner_id, since }).collect();
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
        enter(tx, id, ImportState::Completed, None)
    })
}

fn fail(own: &BackgroundContext, lease: Lease, id: Id, why: &str) -> Result<()> {
    discard(own, lease, id)?;
    let why = cut(why, 1000).to_owned();
    own.write(move |tx| {
        lease.check(tx)?;
        batch::publish(tx)?;
        enter(tx, id, ImportState::Failed, Some(why.clone())).map(drop)
    })
}

/// Removes what was recorded and not published, in portions.
fn discard(own: &BackgroundContext, lease: Lease, id: Id) -> Result<()> {
    let range = Range::of(id);
    let most = i64::try_from(PORTION).unwrap_or(i64::MAX);
    let some = move |tx: &mut Tx<'_>| {
        tx.exempt_from_audit(Unaudited::NotPublished);
        lease.check(tx)?;
        batch::discard_some(tx, range, most)
    };
    while retry(|| own.write(some))? > 0 {}
    Ok(())
}

fn enter(tx: &mut Tx<'_>, id: Id, state: ImportState, failure: Option<String>) -> Result<Import> {
    let before = store::get(tx, id)?;
    let after = store::update(tx, before.clone().now_in(state, failure, tx.now))?;
    record(tx, Some(before), &after)?;
    tx.conn.expect_bulk(after.finished_at.is_none())?;
    Ok(after)
}

fn record(tx: &mut Tx<'_>, before: Option<Import>, after: &Import) -> Result<()> {
    let event = audit::Event::on("transaction_import", after.id).after(&ImportView::from(after.clone()));
    match before {
        Some(before) => event.before(&ImportView::from(before)).record(tx),
        None => event.record(tx),
    }
}
