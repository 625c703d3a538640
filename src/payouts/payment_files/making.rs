//! The making of a file in one unit: the payments are checked, written into pieces, and put into the file. The payments pass by in
//! portions, three times, so that a file of any length needs the memory of one portion.

use super::{
    model::{PaymentFile, PaymentFileState},
    orders, store,
    view::PaymentFileView,
};
use crate::{
    access::{Guard, Tx},
    audit,
    network::profiles::{self, BankAccount},
    payouts::{
        bank_files::{
            self, Check, CheckedFile, Fault, FileHeader, FoundFaults, Group, Pain001, PaymentTable, Subject,
            WriteError, banking_day_from, reference,
        },
        payer_accounts::{self, PayerAccount, PayerAccountState},
        payment_runs::{self, PaymentRunState},
        payments::{self, FileGroup, Filing, Payment, PaymentSet},
        sealed_files::{self, Hashed, Sum},
    },
    platform::{
        Error, Result,
        values::{CalendarDate, Currency, Id},
    },
    text,
};
use serde::Serialize;
use std::collections::BTreeMap;

crate::problem_codes! {
    PAYMENT_RUN_NOT_APPROVED = "payment_run_not_approved" 409 ["The run is not approved", "支払処理が承認されていません"],
        ["A file is made of the payments of an approved run: `POST /v1/payment-runs/{id}/approval`, by another person than the run's maker.", "支払ファイルは、承認済みの支払処理から作成されます。作成者とは別の担当者が `POST /v1/payment-runs/{id}/approval` で承認してください。"];
    PAYMENTS_MISSING = "payments_missing" 409 ["The run has no payment for a file", "ファイルに含める支払いがありません"],
        ["The run has no approved payment in the currency that no file holds yet. `GET /v1/payment-files?run_id=` lists the run's files.", "この通貨で承認済みかつファイルに含まれていない支払いがありません。作成済みのファイルは `GET /v1/payment-files?run_id=` で確認できます。"];
    PAYMENT_FILE_FAULTY = "payment_file_faulty" 422 ["The bank would refuse these payments", "銀行に拒否される支払いがあります"],
        ["No file was made. `faults` lists all that a bank would refuse, each with the payment, the field, a code and a remedy. Mend the accounts, or stop the payments, and make the file again.", "ファイルは作成されていません。銀行に拒否される項目が、支払い、項目名、コード、対処方法とともに `faults` に示されます。口座情報を修正するか該当する支払いを停止してから、ファイルを再度作成してください。"];
}

/// The payments of a portion.
const PORTION: i64 = 1000;

/// A file to make.
#[derive(Clone, Copy, Debug)]
pub struct NewFile {
    /// The approved run.
    pub run_id: Id,
    /// The currency; needed where the run has payments in several.
    pub currency: Option<Currency>,
    /// The account that pays; left out, the oldest one of the currency.
    pub payer_account_id: Option<Id>,
    /// The day of execution; left out, today or the next banking day.
    pub execution_on: Option<CalendarDate>,
}

/// Makes a file of a run's approved payments in a currency, and puts the payments into it. Payments to partners that
/// may not be paid now are stopped. Whatever a bank would refuse is refused here, all of it together, and nothing is stored.
///
/// The unit crosses partners, and locks each that is paid.
pub fn make(tx: &mut Tx<'_>, new: NewFile) -> Result<PaymentFile> {
    let unknown = || text!("there is no such payment run", "該当する支払処理が存在しません。");
    let run = payment_runs::lock(tx, new.run_id).map_err(|e| e.as_fault_at("/run_id", unknown()))?;
    tx.share(Guard::Books)?;
    if !matches!(run.state, PaymentRunState::Approved | PaymentRunState::Sent) {
        let detail = text!(
            "the run is {}; a file is made of an approved run",
            "支払処理の状態は {} です。ファイルを作成するには承認が必要です。",
            run.state
        );
        return Err(Error::new(&PAYMENT_RUN_NOT_APPROVED, detail).with("state", run.state));
    }
    let currency = currency_of(tx, &new)?;
    let payments = PaymentSet::Approved { run: run.id, currency };
    let partners = payments.partners(tx)?;
    tx.lock_partners(&partners)?;
    stop_barred(tx, payments)?;
    let making = Making {
        id: tx.new_id(),
        currency,
        execution_on: new.execution_on.unwrap_or_else(|| banking_day_from(tx.today(), currency)),
        payer: payer_of(tx, new.payer_account_id, currency)?,
    };
    let groups = making.groups(tx, payments)?;
    if groups.values().all(Vec::is_empty) {
        let detail = text!(
            "the run has no approved payment in {currency} for a file",
            "この支払処理には、{currency} でファイルに含められる承認済みの支払いがありません。"
        );
        return Err(Error::new(&PAYMENTS_MISSING, detail));
    }
    let checked = making.check(tx, &groups)?;
    let payer = making.payer.as_ref().ok_or_else(|| Error::internal("a checked file without a payer"))?;
    let written = making.write(tx, &groups, &checked, payer.speaks_pain001)?;
    let (count, total) = PaymentSet::OfFile { file: making.id, group: None }.sum(tx)?;
    let file = PaymentFile {
        id: making.id,
        run_id: run.id,
        payer_account_id: payer.id,
        currency,
        execution_on: making.execution_on,
        state: PaymentFileState::Made,
        payments: count,
        total,
        xml_content_id: written.xml.as_ref().map(|kept| kept.content_id),
        xml_bytes: written.xml.as_ref().map(|kept| kept.sum.bytes),
        xml_sha256: written.xml.map(|kept| kept.sum.sha256),
        csv_content_id: written.csv.content_id,
        csv_bytes: written.csv.sum.bytes,
        csv_sha256: written.csv.sum.sha256,
        downloaded_at: None,
        sent_on: None,
        withdrawal_reason: None,
        created_by: tx.actor.id(),
        created_at: tx.now,
        updated_at: tx.now,
        revision: 1,
    };
    store::insert(tx, &file)?;
    audit::Event::on("payment_file", file.id).after(&PaymentFileView::from(file.clone())).record(tx)?;
    Ok(file)
}

/// The currency of the file: the one asked for, or the only one there is.
fn currency_of(tx: &mut Tx<'_>, new: &NewFile) -> Result<Currency> {
    if let Some(currency) = new.currency {
        return Ok(currency);
    }
    let currencies = payments::currencies_of_run(tx, new.run_id)?;
    match currencies.as_slice() {
        [currency] => Ok(*currency),
        [] => {
            let detail = text!(
                "the run has no approved payment for a file",
                "この支払処理には、ファイルに含められる承認済みの支払いがありません。"
            );
            Err(Error::new(&PAYMENTS_MISSING, detail))
        }
        several => {
            let codes: Vec<&str> = several.iter().map(Currency::as_str).collect();
            let list = codes.join(", ");
            let message = text!(
                "the run has payments in {list}: name the currency of the file",
                "この支払処理には {list} の支払いがあります。ファイルの通貨を指定してください。"
            );
            Err(Error::invalid_field("/currency", "required", message))
        }
    }
}

/// The account that pays, where there is an active one.
fn payer_of(tx: &mut Tx<'_>, asked: Option<Id>, currency: Currency) -> Result<Option<PayerAccount>> {
    let unknown = || text!("there is no such payer account", "該当する支払元口座が存在しません。");
    let payer = match asked {
        Some(id) => {
            Some(payer_accounts::get(tx, id).map_err(|e| e.as_fault_at("/payer_account_id", unknown()))?)
        }
        None => payer_accounts::of_currency(tx, currency)?.into_iter().next(),
    };
    Ok(payer.filter(|payer| payer.state == PayerAccountState::Active))
}

/// Stops the payments to partners that may not be paid now: the account was changed since the approval, or the partner was
/// suspended.
fn stop_barred(tx: &mut Tx<'_>, payments: PaymentSet) -> Result<()> {
    let mut after = None;
    loop {
        let portion = payments.next(tx, after, PORTION)?;
        let Some(last) = portion.last() else { return Ok(()) };
        after = Some(last.id);
        let parted = payments::part(tx, portion)?;
        payments::release_barred(tx, parted.barred)?;
    }
}

/// The payments of each group, in the order in which they were made.
type Groups = BTreeMap<FileGroup, Vec<Id>>;

struct Making {
    id: Id,
    currency: Currency,
    execution_on: CalendarDate,
    payer: Option<PayerAccount>,
}

/// A representation that is kept.
struct Kept {
    content_id: Id,
    sum: Sum,
}

struct Written {
    xml: Option<Kept>,
    csv: Kept,
}

impl Making {
    fn groups(&self, tx: &mut Tx<'_>, payments: PaymentSet) -> Result<Groups> {
        let (mut groups, mut after) = (Groups::new(), None);
        loop {
            let portion = payments.next(tx, after, PORTION)?;
            let Some(last) = portion.last() else { return Ok(groups) };
            after = Some(last.id);
            for Order { payment, account, .. } in with_accounts(tx, portion)? {
                let group = orders::group(&payment, &account, self.payer.as_ref());
                groups.entry(group).or_default().push(payment.id);
            }
        }
    }

    /// Checks everything a bank would refuse.
    fn check(&self, tx: &mut Tx<'_>, groups: &Groups) -> Result<CheckedFile> {
        let header = FileHeader { message_id: reference(self.id), created_at: tx.now };
        let mut check = Check::of(header, tx.today());
        let mut partners: BTreeMap<Id, Id> = BTreeMap::new();
        for (group, ids) in groups {
            check.group(Group {
                id: group_id(self.id, *group),
                payer: self.payer.as_ref().map(orders::payer),
                execution_on: self.execution_on,
                currency: self.currency,
                scheme: orders::scheme(*group),
            });
            for some in portions(ids) {
                for Order { payment, account, .. } in orders_of(tx, some)? {
                    partners.insert(payment.id, payment.partner_id);
                    check.payment(&orders::order(&payment, &account));
                }
            }
        }
        check.end().map_err(|faults| refused(&faults, &partners, tx))
    }

    /// Writes the file as the bank takes it, and as a table, and puts the payments into it.
    fn write(
        &self,
        tx: &mut Tx<'_>,
        groups: &Groups,
        checked: &CheckedFile,
        with_xml: bool,
    ) -> Result<Written> {
        let mut xml_pieces = with_xml.then(|| Pieces::of(tx.new_id()));
        let mut csv_pieces = Pieces::of(tx.new_id());
        let mut xml = xml_pieces.as_ref().map(|pieces| Pain001::begin(pieces.bytes.clone(), checked));
        let mut xml = xml.take().transpose().map_err(unwritten)?;
        let mut csv = PaymentTable::begin(csv_pieces.bytes.clone(), checked).map_err(unwritten)?;
        let filing = |group| Filing { file: self.id, group, execution_on: self.execution_on };
        for (group, ids) in groups {
            for some in portions(ids) {
                let orders = orders_of(tx, some)?;
                for Order { payment, account, .. } in &orders {
                    let order = orders::order(payment, account);
                    xml.as_mut().map_or(Ok(()), |xml| xml.payment(&order)).map_err(unwritten)?;
                    csv.payment(&order).map_err(unwritten)?;
                }
                let payments = orders.into_iter().map(Order::filed).collect();
                payments::file_all(tx, filing(*group), payments)?;
                for pieces in xml_pieces.iter_mut().chain([&mut csv_pieces]) {
                    pieces.keep(tx, sealed_files::PIECE)?;
                }
            }
        }
        xml.map(Pain001::end).transpose().map_err(unwritten)?;
        csv.end().map_err(unwritten)?;
        let xml = xml_pieces.map(|pieces| pieces.end(tx)).transpose()?;
        Ok(Written { xml, csv: csv_pieces.end(tx)? })
    }
}

/// The pieces of a representation that is being written.
struct Pieces {
    content_id: Id,
    place: i64,
    bytes: Hashed,
}

impl Pieces {
    fn of(content_id: Id) -> Self {
        Self { content_id, place: 0, bytes: Hashed::default() }
    }

    /// Keeps what was written since the last piece, where that is so many bytes at least.
    fn keep(&mut self, tx: &mut Tx<'_>, least: usize) -> Result<()> {
        if let Some(bytes) = self.bytes.take(least) {
            for piece in bytes.chunks(sealed_files::PIECE) {
                sealed_files::keep(tx, self.content_id, self.place, piece)?;
                self.place += 1;
            }
        }
        Ok(())
    }

    fn end(mut self, tx: &mut Tx<'_>) -> Result<Kept> {
        self.keep(tx, 0)?;
        sealed_files::make_whole(tx, self.content_id)?;
        Ok(Kept { content_id: self.content_id, sum: self.bytes.sum() })
    }
}

/// A payment with the account it goes to.
struct Order {
    payment: Payment,
    account: BankAccount,
    /// The revision of the payout profile that names the account.
    payout_revision: i64,
}

impl Order {
    /// The payment, as it goes into the file.
    fn filed(self) -> Payment {
        Payment { payout_revision: Some(self.payout_revision), ..self.payment }
    }
}

fn portions(ids: &[Id]) -> std::slice::Chunks<'_, Id> {
    ids.chunks(usize::try_from(PORTION).unwrap_or(usize::MAX))
}

/// The payments with their accounts, in this order.
fn orders_of(tx: &mut Tx<'_>, ids: &[Id]) -> Result<Vec<Order>> {
    let mut found = payments::many(tx, ids)?;
    found.sort_unstable_by_key(|payment| payment.id);
    with_accounts(tx, found)
}

fn with_accounts(tx: &mut Tx<'_>, payments: Vec<Payment>) -> Result<Vec<Order>> {
    let partners: Vec<Id> = payments.iter().map(|payment| payment.partner_id).collect();
    let profiles = profiles::payout_profiles(tx, &partners)?;
    let with_account = |payment: Payment| {
        let profile = profiles.get(&payment.partner_id);
        let profile = profile.ok_or_else(|| Error::internal("a payment to a partner without an account"))?;
        Ok(Order { payment, account: profile.terms.clone(), payout_revision: profile.revision })
    };
    payments.into_iter().map(with_account).collect()
}

/// The identifier of a group at the bank (`PmtInfId`): that of the file, and the name of the group.
pub(super) fn group_id(file: Id, group: FileGroup) -> String {
    let name = match group {
        FileGroup::Sepa => "S",
        FileGroup::Other => "O",
    };
    format!("{}-{name}", reference(file))
}

/// A fault of a payment file.
#[derive(Serialize)]
struct FaultView {
    /// The payment; none where the fault is in the file or the account that pays.
    payment_id: Option<Id>,
    /// The partner that would be paid.
    partner_id: Option<Id>,
    /// The field.
    field: String,
    /// What is wrong with the field.
    code: bank_files::FaultCode,
    /// What mends it.
    remedy: &'static str,
}

fn refused(faults: &FoundFaults, partners: &BTreeMap<Id, Id>, tx: &Tx<'_>) -> Error {
    let view = |fault: &Fault| {
        let payment_id = match fault.subject {
            Subject::Payment(id) => Some(id),
            Subject::File | Subject::Group(_) => None,
        };
        FaultView {
            payment_id,
            partner_id: payment_id.and_then(|id| partners.get(&id).copied()),
            field: fault.field.to_string(),
            code: fault.code,
            remedy: tx.language.of(fault.remedy()),
        }
    };
    let listed: Vec<FaultView> = faults.listed.iter().map(view).collect();
    let count = faults.count;
    let detail = text!(
        "no file was made: a bank would refuse {count} fields",
        "ファイルは作成されませんでした。銀行に拒否される項目が {count} 件あります。"
    );
    Error::new(&PAYMENT_FILE_FAULTY, detail).with("fault_count", count).with("faults", listed)
}

fn unwritten(error: WriteError) -> Error {
    Error::internal(error)
}
