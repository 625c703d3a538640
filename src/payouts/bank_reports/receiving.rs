//! A report from its arrival until it is kept: the whole file is there and readable before a line of it is applied.

use super::{
    api::BankReportFilter,
    applying::apply_now,
    lines::Lines,
    model::{BankReport, BankReportKind, BankReportState},
    store,
    view::BankReportView,
};
use crate::{
    access::{BackgroundContext, Tx, Unaudited},
    audit,
    payouts::{
        bank_files::{Unreadable, Why},
        payment_files::{self, PaymentFileState},
        sealed_files::{self, Hashed, KeptBytes, PIECE, Sum},
    },
    platform::{
        Error, Result, cut,
        values::{Id, Text},
    },
    text,
    work::retry,
};
use std::{
    io::{BufReader, Read, Write},
    sync::Arc,
};

crate::problem_codes! {
    BANK_FILE_UNREADABLE = "bank_file_unreadable" 422 ["The file of the bank cannot be read", "銀行のファイルを読み取れません"],
        ["Nothing was applied. `detail` says what is wrong, and at which byte. Status reports are pain.002, statements camt.053 or camt.054, as the bank gives them.", "何も反映されていません。問題の内容と位置（バイト）は `detail` に示されます。ステータスレポートは pain.002、明細は camt.053 または camt.054 を、銀行から受け取ったまま送信してください。"];
    PAYMENT_FILE_NOT_SENT = "payment_file_not_sent" 409 ["No bank can have this file", "このファイルはまだ銀行に送信されていません"],
        ["A status report is of a file that a bank has. Nobody has downloaded this one, or the file was withdrawn.", "ステータスレポートは、銀行に送信済みのファイルに対するものです。このファイルはまだダウンロードされていないか、取り下げられています。"];
}

/// A report that has arrived, and whether the same one was there before.
pub(super) struct Received {
    pub report: BankReport,
    pub is_new: bool,
}

/// Keeps a report. A file that cannot be read to its end is refused, and nothing is kept; a report that is known is not kept
/// again.
pub(super) fn receive(
    background: &BackgroundContext,
    filter: BankReportFilter,
    file: impl Read,
) -> Result<Received> {
    if let Some(id) = filter.file() {
        background.read(|tx| refuse_unsent(tx, id))?;
    }
    let id = background.read(|tx| Ok(tx.new_id()))?;
    let received = keep(background, id, file).and_then(|sum| {
        if let Some(report) = background.read(|tx| store::known(tx, filter, &sum.sha256))? {
            return Ok(Received { report, is_new: false });
        }
        let read = read_through(background, id, filter.kind())?;
        let made = move |tx: &mut Tx<'_>| record(tx, id, filter, &sum, &read);
        background.write(made)
    });
    if !matches!(&received, Ok(Received { is_new: true, .. })) {
        let removed = remove(&background.of_service("RemoveBankFile"), id);
        if let Err(error) = removed {
            // The sweep removes the pieces later.
            log::warn!("the pieces of a file of a bank were not removed: {error}");
        }
    }
    received
}

/// Takes a statement, and applies it at once where no other turn is at it.
pub fn take_statement(background: &BackgroundContext, file: impl Read) -> Result<BankReport> {
    let received = receive(background, BankReportFilter::Statements, file)?;
    apply_now(&background.app());
    background.read(|tx| store::now(tx, received.report.id))
}

fn refuse_unsent(tx: &mut Tx<'_>, id: Id) -> Result<()> {
    let file = payment_files::get(tx, id)?;
    if file.state == PaymentFileState::Withdrawn
        || file.downloaded_at.is_none() && file.state == PaymentFileState::Made
    {
        let detail = text!(
            "nobody has downloaded the file, or it was withdrawn",
            "ファイルがダウンロードされていないか、取り下げられています。"
        );
        return Err(Error::new(&PAYMENT_FILE_NOT_SENT, detail));
    }
    Ok(())
}

fn keep(background: &BackgroundContext, id: Id, mut file: impl Read) -> Result<Sum> {
    let mut hashed = Hashed::default();
    let mut place = 0;
    loop {
        let mut bytes = Vec::new();
        file.by_ref().take(PIECE as u64).read_to_end(&mut bytes).map_err(broken)?;
        if bytes.is_empty() {
            return Ok(hashed.sum());
        }
        hashed.write_all(&bytes).map_err(Error::internal)?;
        background.check_room()?;
        let bytes: Arc<[u8]> = bytes.into();
        retry(|| {
            let bytes = Arc::clone(&bytes);
            background.write(move |tx| {
                tx.exempt_from_audit(Unaudited::NotPublished);
                sealed_files::keep(tx, id, place, &bytes)
            })
        })?;
        place += 1;
    }
}

fn broken(error: std::io::Error) -> Error {
    error.downcast::<Error>().unwrap_or_else(Error::internal)
}

/// What a report says of itself.
#[derive(Clone, Debug, Default)]
struct Beginning {
    lines: i64,
    bank_id: Option<String>,
}

fn read_through(background: &BackgroundContext, id: Id, kind: BankReportKind) -> Result<Beginning> {
    let file = BufReader::new(KeptBytes::of(background, id));
    let mut lines = Lines::read(kind, file).map_err(unreadable)?;
    let mut beginning = Beginning::default();
    while let Some(line) = lines.next() {
        let line = line.map_err(unreadable)?;
        beginning.lines += 1;
        if beginning.bank_id.is_none() {
            beginning.bank_id = lines.report_id(&line).map(|id| cut(id, 140).to_owned());
        }
    }
    Ok(beginning)
}

/// The refusal of a file that cannot be read.
pub(super) fn unreadable(error: Unreadable) -> Error {
    if let Why::Io(_) = error.why {
        return Error::unavailable(error);
    }
    let (words, at) = (error.why.words(), error.at);
    let detail = Text::new(format!("{} (byte {at})", words.en), format!("{}（{at} バイト目）", words.ja));
    Error::new(&BANK_FILE_UNREADABLE, detail)
}

/// Records a report; the one that another unit has recorded meanwhile is the answer.
fn record(
    tx: &mut Tx<'_>,
    id: Id,
    filter: BankReportFilter,
    sum: &Sum,
    read: &Beginning,
) -> Result<Received> {
    // Units of one file wait for each other; statements meet in the unique index.
    if let Some(file) = filter.file() {
        let file = payment_files::lock_with_run(tx, file)?;
        if let Some(report) = store::known(tx, filter, &sum.sha256)? {
            tx.exempt_from_audit(Unaudited::NothingWritten);
            return Ok(Received { report, is_new: false });
        }
        if file.state == PaymentFileState::Made {
            // The bank speaks of the file, and so has it.
            payment_files::dispatch(tx, file.id, None)?;
        }
    }
    let report = BankReport {
        id,
        kind: filter.kind(),
        payment_file_id: filter.file(),
        sha256: sum.sha256.clone(),
        bytes: sum.bytes,
        bank_id: read.bank_id.clone(),
        state: if read.lines == 0 { BankReportState::Applied } else { BankReportState::Applying },
        entries: read.lines,
        position: 0,
        within: None,
        changed: 0,
        unchanged: 0,
        exceptions: 0,
        created_by: tx.actor.id(),
        created_at: tx.now,
        updated_at: tx.now,
        revision: 1,
        next_try_at: None,
        problem: None,
    };
    sealed_files::make_whole(tx, id)?;
    store::insert(tx, &report)?;
    audit::Event::on("bank_report", id).after(&BankReportView::from(report.clone())).record(tx)?;
    Ok(Received { report, is_new: true })
}

fn remove(own: &BackgroundContext, id: Id) -> Result<()> {
    let some = move |tx: &mut Tx<'_>| {
        tx.exempt_from_audit(Unaudited::NotPublished);
        sealed_files::remove(tx, id)
    };
    while retry(|| own.write(some))? > 0 {}
    Ok(())
}
