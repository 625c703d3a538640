//! Commands on payment files: note a download, dispatch, withdraw.

use super::{
    model::{FileContent, PaymentFile, PaymentFileState},
    store,
    view::PaymentFileView,
};
use crate::{
    access::{Guard, Tx},
    audit,
    network::partners::TRANSITION_NOT_ALLOWED,
    payouts::{
        payment_runs,
        payments::{self, PaymentSet},
    },
    platform::{
        Error, Result, codes,
        values::{CalendarDate, Id},
    },
    text,
};

crate::problem_codes! {
    PAYMENT_FILE_OUTDATED = "payment_file_outdated" 409 ["Accounts have changed since the file was made", "ファイル作成後に口座情報が変更されています"],
        ["`payments` lists the payments to partners that may not be paid now, or that have changed their payout profiles since the file was made, and the payments that the bank has booked already. Nobody has downloaded the file: withdraw it by `POST /v1/payment-files/{id}/withdrawal`, and make it again: a payment goes to the account of now, or is stopped.", "現在支払いができないパートナー、またはファイル作成後に支払先情報を変更したパートナーへの支払い、および銀行がすでに記帳した支払いが `payments` に示されます。このファイルはまだダウンロードされていません。`POST /v1/payment-files/{id}/withdrawal` で取り下げてから再度作成してください。支払いは現在の口座へ行われるか、停止されます。"];
    PAYMENT_FILE_WITHDRAWN = "payment_file_withdrawn" 409 ["The file was withdrawn", "ファイルは取り下げられています"],
        ["Its payments can stand in another file, and must not go to a bank twice. `GET /v1/payment-files?run_id=` lists the run's files.", "支払いが別のファイルに含まれている可能性があるため、二重に銀行へ送信することはできません。作成済みのファイルは `GET /v1/payment-files?run_id=` で確認できます。"];
}

/// The payments that are looked at together.
const PORTION: i64 = 1000;

/// Notes a download, before the first of which the accounts are looked at once more.
///
/// The unit crosses partners, and locks each that is paid before the first download.
pub(super) fn note_download(tx: &mut Tx<'_>, id: Id, content: Option<FileContent>) -> Result<()> {
    let before = store::lock(tx, id)?;
    if before.state == PaymentFileState::Withdrawn {
        let detail = text!("the file was withdrawn", "このファイルは取り下げられています。");
        return Err(Error::new(&PAYMENT_FILE_WITHDRAWN, detail));
    }
    let content = content.unwrap_or(before.usual_content());
    if before.content_id(content).is_none() {
        let detail = text!(
            "the bank of the payer account takes no pain.001: ask for text/csv",
            "支払元口座の銀行は pain.001 に対応していません。text/csv を指定してください。"
        );
        return Err(Error::new(&codes::NOT_ACCEPTABLE, detail));
    }
    let mut after = before.clone();
    if before.downloaded_at.is_none() {
        if before.state == PaymentFileState::Made {
            let partners = PaymentSet::OfFile { file: id, group: None }.partners(tx)?;
            tx.lock_partners(&partners)?;
            refuse_outdated(tx, &before)?;
        }
        after.downloaded_at = Some(tx.now);
        after.updated_at = tx.now;
        after.revision += 1;
        store::update(tx, &after)?;
    }
    audit::Event::on("payment_file", id)
        .before(&PaymentFileView::from(before))
        .after(&PaymentFileView::from(after))
        .record(tx)
}

/// Refuses that a file nobody has downloaded goes to a bank, where an account was changed since the file was made. The unit holds
/// the partners.
fn refuse_outdated(tx: &mut Tx<'_>, file: &PaymentFile) -> Result<()> {
    let (mut barred, mut after) = (Vec::new(), None);
    let set = PaymentSet::OfFile { file: file.id, group: None };
    loop {
        let portion = set.next(tx, after, PORTION)?;
        let Some(last) = portion.last() else { break };
        after = Some(last.id);
        barred.extend(payments::outdated(tx, &portion)?);
    }
    if barred.is_empty() {
        return Ok(());
    }
    let count = barred.len();
    barred.truncate(usize::try_from(PORTION).unwrap_or(usize::MAX));
    let detail = text!(
        "{count} payments go to partners that may not be paid now, or that have changed their payout profiles since the file was made, or the bank has booked them already; withdraw the file, and make it again",
        "現在支払いができないパートナー、またはファイル作成後に支払先情報を変更したパートナーへの支払い、または銀行がすでに記帳した支払いが {count} 件あります。ファイルを取り下げて、再度作成してください。"
    );
    Err(Error::new(&PAYMENT_FILE_OUTDATED, detail).with("payments", barred))
}

/// Notes that the bank has the file: the payments are sent, and the partners are told.
///
/// The unit crosses partners, and locks each that is paid.
pub fn dispatch(tx: &mut Tx<'_>, id: Id, on: Option<CalendarDate>) -> Result<PaymentFile> {
    let before = to_change(tx, id, "dispatch")?;
    let on = on.unwrap_or(tx.today());
    if on > tx.today() {
        let message = text!("a day up to {}", "{} までの日付を指定してください。", tx.today());
        return Err(Error::invalid_field("/sent_on", "range", message));
    }
    if before.downloaded_at.is_none() {
        refuse_outdated(tx, &before)?;
    }
    each_portion(tx, &before, |tx, portion| {
        let sent = payments::dispatch_all(tx, portion, on)?;
        payments::tell_partners(tx, &sent, on)
    })?;
    let after = PaymentFile { state: PaymentFileState::Sent, sent_on: Some(on), ..before.clone() };
    let file = save(tx, before, after, None)?;
    payment_runs::note_sent(tx, file.run_id)?;
    Ok(file)
}

/// Gives a file up that nobody has downloaded: its payments are approved again, and can go into another file.
///
/// The unit crosses partners, and locks each that is paid.
pub(super) fn withdraw(tx: &mut Tx<'_>, id: Id, reason: &str) -> Result<PaymentFile> {
    let before = to_change(tx, id, "withdrawal")?;
    let state = PaymentFileState::Withdrawn;
    let after = PaymentFile { state, withdrawal_reason: Some(reason.to_owned()), ..before.clone() };
    // A payment that the bank has booked, whoever told it of the payment, stays as it is.
    each_portion(tx, &before, payments::unfile_all)?;
    for content in [before.xml_content_id, Some(before.csv_content_id)].into_iter().flatten() {
        while crate::payouts::sealed_files::remove(tx, content)? > 0 {}
    }
    save(tx, before, after, Some(reason))
}

fn each_portion(
    tx: &mut Tx<'_>,
    file: &PaymentFile,
    work: impl Fn(&mut Tx<'_>, Vec<payments::Payment>) -> Result<()>,
) -> Result<()> {
    let mut after = None;
    loop {
        let portion = PaymentSet::OfFile { file: file.id, group: None }.next(tx, after, PORTION)?;
        let Some(last) = portion.last() else { return Ok(()) };
        after = Some(last.id);
        work(tx, portion)?;
    }
}

/// A file as it is once no other unit changes it or its run; both stay so until the end of this unit. Every unit locks the run
/// first.
pub fn lock_with_run(tx: &mut Tx<'_>, id: Id) -> Result<PaymentFile> {
    let run = store::get(tx, id)?.run_id;
    payment_runs::lock(tx, run)?;
    store::lock(tx, id)
}

/// The file with its run and partners locked, where its state allows the transition.
fn to_change(tx: &mut Tx<'_>, id: Id, transition: &'static str) -> Result<PaymentFile> {
    let file = lock_with_run(tx, id)?;
    tx.share(Guard::Books)?;
    let allowed = file.allowed();
    if !allowed.contains(&transition) {
        let (state, can) = (file.state, allowed.join(", "));
        let detail = if allowed.is_empty() {
            text!(
                "a payment file that is {state} allows no {transition}; it allows: nothing",
                "支払ファイルの状態が {state} のため、{transition} は実行できません。実行できる操作はありません。"
            )
        } else {
            text!(
                "a payment file that somebody has downloaded allows no {transition}, since a bank may have it; it allows: {can}",
                "このファイルはダウンロード済みで銀行に送信された可能性があるため、{transition} は実行できません。実行できる操作は次のとおりです：{can}"
            )
        };
        let error = Error::new(&TRANSITION_NOT_ALLOWED, detail);
        return Err(error.with("from", state).with("allowed", allowed));
    }
    let partners = PaymentSet::OfFile { file: id, group: None }.partners(tx)?;
    tx.lock_partners(&partners)?;
    Ok(file)
}

fn save(
    tx: &mut Tx<'_>,
    before: PaymentFile,
    after: PaymentFile,
    reason: Option<&str>,
) -> Result<PaymentFile> {
    let after = PaymentFile { updated_at: tx.now, revision: before.revision + 1, ..after };
    store::update(tx, &after)?;
    audit::Event::on("payment_file", after.id)
        .before(&PaymentFileView::from(before))
        .after(&PaymentFileView::from(after.clone()))
        .because(reason)
        .record(tx)?;
    Ok(after)
}
