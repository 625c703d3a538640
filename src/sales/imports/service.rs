//! Imports a file: receives the rows in portions, and publishes all rows at once.

use super::{
    Import, ImportError, ImportOptions, ImportState,
    kept_file::{self, KeptFile},
    portion::{FilePortion, PORTION},
    recording::{Terms, record_portion, settle_portion},
    roomy::Roomy,
    row::rows,
    store,
    view::record_event,
};
use crate::{
    access::{BackgroundContext, Tx, Unaudited},
    network::partners,
    platform::{
        Error, Result, codes, cut,
        values::{Id, Locale, Text},
    },
    sales::transactions::{
        backlog::{self, Waiting},
        batch::{self, Range},
    },
    text,
    work::{End, JobName, Lease, Queue, Schedule, Turn, Work, retry},
};
use std::{
    collections::BTreeMap,
    io::Read,
    sync::{Arc, mpsc::sync_channel},
    time::Duration,
};

crate::problem_codes! {
    IMPORT_UNDER_WAY = "import_under_way" 409 ["Another import is under way", "別のインポートが実行中です"],
        ["One import runs at a time. `GET /v1/transaction-imports?state=receiving` shows it; send the file again when it has ended.", "インポートは同時に 1 件のみ実行されます。実行中のものは `GET /v1/transaction-imports?state=receiving` で確認し、終了後にファイルを再送してください。"];
}

/// Rows whose sellers one statement gathers.
const TOGETHER: u32 = 50_000;
/// Partners that one unit queues for the calculation.
const PARTNERS: usize = 200;
/// The time an import waits for the import before.
const PATIENCE: Duration = Duration::from_secs(10);

/// Imports the files that were kept, and ends imports that were broken off. Every import takes a turn of this job, so that
/// one import runs at a time.
pub const WORK: Work = Work {
    name: JobName::TransactionImports,
    schedule: |_| Schedule::Never,
    queue: Some(Queue { waits: |tx| Ok(!store::unfinished(tx)?.is_empty()), every: 5 }),
    run: |turn| {
        let own = turn.app().background("FinishTransactionImport");
        settle_unfinished(&own, turn)
    },
};

/// Imports a file, and returns the import as stored. The threads of the import end before the function returns.
pub fn import_file(
    background: &BackgroundContext,
    options: ImportOptions,
    file: impl Read + Send,
) -> Result<Import> {
    let id = background.read(|tx| Ok(tx.new_id()))?;
    import_as(background, id, options, file)
}

/// Imports a file that is there, as the import with this id.
pub(super) fn import_as(
    background: &BackgroundContext,
    id: Id,
    options: ImportOptions,
    file: impl Read + Send,
) -> Result<Import> {
    let turn = Turn::wait_for(&background.app(), JobName::TransactionImports, PATIENCE)?;
    let turn = turn.ok_or_else(under_way)?;
    let file = Roomy::new(file, background);
    let imported = turn.renewed(|| import_in_turn(background, &turn, id, options, file));
    // A faulty file is the sender's trouble: the job itself has succeeded.
    turn.close(Ok(imported), |_| End::Done)?
}

/// The refusal of a file while others are received.
pub(super) fn under_way() -> Error {
    let detail = text!(
        "another import is under way; send this file again when it has ended",
        "別のインポートが実行中です。終了後にファイルを再送してください。"
    );
    Error { retry_after: Some(60), ..Error::new(&IMPORT_UNDER_WAY, detail) }
}

/// Keeps a file, which a turn of the job will import.
pub(super) fn keep_file(
    background: &BackgroundContext,
    options: ImportOptions,
    file: impl Read,
) -> Result<Import> {
    let import = kept_file::keep(background, options, file)?;
    background.app().wake();
    Ok(import)
}

fn import_in_turn(
    background: &BackgroundContext,
    turn: &Turn,
    id: Id,
    options: ImportOptions,
    file: impl Read + Send,
) -> Result<Import> {
    let own = background.of_service("FinishTransactionImport");
    // The files that came before.
    if settle_unfinished(&own, turn)? != End::Done {
        return Err(Error::unavailable("the service is about to stop"));
    }
    let lease = turn.lease();
    let import = begin(background, lease, id, options)?;
    let received = receive(background, lease, &import, file, &|| false);
    match received.and_then(|_| publish(background, &own, lease, import.id)) {
        Ok(import) => Ok(import),
        Err(error) => {
            log::warn!("import {} failed: {error}", import.id);
            if own.read(|tx| store::get(tx, import.id))?.state == ImportState::Publishing {
                return complete(&own, lease, import.id);
            }
            fail(&own, lease, import.id, &error.detail, language_of(background))?;
            Err(error.with("import_id", import.id))
        }
    }
}

/// The next thousand errors of an import after the error `after`, in the order of the lines; the first ones where
/// `after` is none.
pub fn errors_of(background: &BackgroundContext, import: Id, after: Option<Id>) -> Result<Vec<ImportError>> {
    background.read(|tx| store::errors_after(tx, import, after, 1000))
}

/// Ends the imports that have not ended: completes a published import, imports a file that was kept, and removes the rows of
/// any other. The import whose rows are hidden comes first: the rows of one import are hidden at a time.
fn settle_unfinished(own: &BackgroundContext, turn: &Turn) -> Result<End> {
    let lease = turn.lease();
    let (mut unfinished, hidden) = own.read(|tx| Ok((store::unfinished(tx)?, batch::hidden(tx)?)))?;
    unfinished.sort_by_key(|import| hidden != Some(Range::of(import.id)));
    for import in unfinished {
        match (import.state, import.file_pieces) {
            (ImportState::Publishing, _) => complete(own, lease, import.id).map(drop)?,
            (_, Some(_)) if turn.is_ending() => return Ok(End::Interrupted),
            (_, Some(pieces)) => {
                if import_kept(own, turn, &import, pieces)? == Received::InPart {
                    return Ok(End::Interrupted);
                }
            }
            (_, None) => {
                let reason = text!(
                    "the service stopped while the file was being imported",
                    "ファイルのインポート中にサービスが停止しました。"
                );
                fail(own, lease, import.id, &reason, Locale::default())?;
            }
        }
        kept_file::remove(own, import.id)?;
    }
    Ok(End::Done)
}

/// Imports a file that was kept, behind the rows that an earlier turn has recorded.
fn import_kept(own: &BackgroundContext, turn: &Turn, import: &Import, pieces: i64) -> Result<Received> {
    let (lease, id) = (turn.lease(), import.id);
    let background = own.of_service("CreateTransactionImport");
    own.write(move |tx| {
        lease.check(tx)?;
        tx.exempt_from_audit(Unaudited::NotPublished);
        if batch::hidden(tx)? != Some(Range::of(id)) {
            batch::hide(tx, Range::of(id))?;
        }
        Ok(tx.conn.expect_bulk(true)?)
    })?;
    let file = Roomy::new(KeptFile::of(own, id, pieces), own);
    let received = receive(&background, lease, import, file, &|| turn.is_ending());
    let done = received.and_then(|received| match received {
        Received::Whole => publish(&background, own, lease, id).map(|_| received),
        Received::InPart => Ok(received),
    });
    match done {
        Err(error) if error.code.status < 503 && *error.code != codes::CONFLICT => {
            log::warn!("import {id} failed: {error}");
            // A turn that takes over from here removes the rest, and does not go on with the file.
            own.write(move |tx| {
                lease.check(tx)?;
                tx.exempt_from_audit(Unaudited::NotPublished);
                let import = store::get(tx, id)?;
                store::update(tx, Import { file_pieces: None, ..import }).map(drop)
            })?;
            fail(own, lease, id, &error.detail, language_of(&background))?;
            Ok(Received::Whole)
        }
        done => done,
    }
}

/// How much of a file was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Received {
    /// All rows, with the refunds that waited.
    Whole,
    /// The beginning: the turn ends, and another goes on.
    InPart,
}

fn begin(background: &BackgroundContext, lease: Lease, id: Id, options: ImportOptions) -> Result<Import> {
    background.write(move |tx| {
        lease.check(tx)?;
        let import = Import::begun(id, options, tx.now);
        batch::hide(tx, Range::of(import.id))?;
        store::insert(tx, &import)?;
        record_event(tx, None, &import)?;
        tx.conn.expect_bulk(true)?;
        Ok(import)
    })
}

/// Records the good rows, hidden, and counts all rows; skips the rows that were taken before. One thread reads the next
/// portion while a portion is recorded.
fn receive(
    background: &BackgroundContext,
    lease: Lease,
    import: &Import,
    file: impl Read + Send,
    is_ending: &dyn Fn() -> bool,
) -> Result<Received> {
    let (id, options, taken) = (import.id, import.options(), import.rows_taken());
    let families = background.product_families()?;
    let terms = Terms { most_errors: background.import_errors_kept(), families: Arc::new(families) };
    let contract = background.app().contract();
    let record = |portion: Arc<FilePortion>| {
        retry(|| {
            let (portion, terms) = (Arc::clone(&portion), terms.clone());
            background.write(move |tx| {
                lease.check(tx)?;
                record_portion(tx, id, &portion, &terms)
            })
        })
    };
    let recorded = std::thread::scope(|scope| -> Result<Received> {
        let (tell, hear) = sync_channel(1);
        let contract = &contract;
        scope.spawn(move || {
            let mut rows = rows(options, file, contract).skip(taken);
            let numbered = |numbers: &[&str]| background.read(|tx| partners::all_numbered(tx, numbers));
            while let Some(portion) = FilePortion::of(rows.by_ref(), numbered).transpose() {
                let over = portion.is_err();
                if tell.send(portion).is_err() || over {
                    break;
                }
            }
        });
        for portion in hear {
            if is_ending() {
                return Ok(Received::InPart);
            }
            record(Arc::new(portion?))?;
        }
        Ok(Received::Whole)
    })?;
    if recorded == Received::Whole {
        let settle = || {
            let terms = terms.clone();
            background.write(move |tx| {
                lease.check(tx)?;
                settle_portion(tx, id, &terms)
            })
        };
        while retry(settle)? {
            if is_ending() {
                return Ok(Received::InPart);
            }
        }
    }
    Ok(recorded)
}

/// Publishes the rows of an import in one short unit; of a dry run, removes the rows. An import without a good row fails.
fn publish(background: &BackgroundContext, own: &BackgroundContext, lease: Lease, id: Id) -> Result<Import> {
    let import = background.read(|tx| store::get(tx, id))?;
    if !import.has_good_rows() {
        let reason = match import.rows_read {
            0 => text!("the file has no row", "ファイルに行がありません。"),
            _ => text!(
                "no row of the file is good; the errors say why",
                "取り込める行がありません。理由はエラーを確認してください。"
            ),
        };
        fail(own, lease, id, &reason, language_of(background))?;
        return own.read(|tx| store::get(tx, id));
    }
    if import.dry_run {
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

/// What is stored of a file is in the language of its sender.
fn language_of(sender: &BackgroundContext) -> Locale {
    sender.read(|tx| Ok(tx.language)).unwrap_or_default()
}

fn fail(own: &BackgroundContext, lease: Lease, id: Id, reason: &Text, language: Locale) -> Result<()> {
    discard(own, lease, id)?;
    let portion = move |tx: &mut Tx<'_>| {
        tx.exempt_from_audit(Unaudited::NotPublished);
        lease.check(tx)?;
        store::remove_next_waiting(tx, id, PORTION)
    };
    while retry(|| own.write(portion))? > 0 {}
    let reason = cut(reason.in_language(language), 1000).to_owned();
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
