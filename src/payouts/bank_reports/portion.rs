//! The lines of one unit: the payments that they are about, by a constant number of statements.

use super::{
    lines::{About, BankLine, LineAt},
    model::{BankException, BankReport, ExceptionReason},
    reading::{self, ReadOn, Reading},
    store,
};
use crate::{
    access::{Guard, Tx},
    payouts::{
        bank_files::{Amount, BankEntry, Direction},
        payment_files,
        payments::{self, Payment, PaymentNews, PaymentSet, PaymentState, ShownPayment, ToldPayment},
    },
    platform::{
        Error, Result,
        values::{CalendarDate, Id, Money},
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// A line with its place in the report, counted from one.
#[derive(Clone, Debug)]
pub(super) struct NumberedLine {
    pub number: i64,
    pub line: BankLine,
}

/// Applies lines about one payment each, or about nothing of ours.
pub(super) fn apply_lines(tx: &mut Tx<'_>, report: &mut BankReport, lines: &[NumberedLine]) -> Result<()> {
    tx.share(Guard::Books)?;
    let of_file = report.payment_file_id;
    let named = |line: &NumberedLine| match line.line.about(of_file) {
        About::Payment(id) => Some(id),
        About::File { .. } | About::Nothing => None,
    };
    let ids: BTreeSet<Id> = lines.iter().filter_map(named).collect();
    let ids: Vec<Id> = ids.into_iter().collect();
    let mut unit = Unit::of(locked(tx, |tx| payments::many(tx, &ids))?);
    for line in lines {
        let payment = named(line).and_then(|id| unit.payments.get(&id));
        // A payment of another file is not what the report is of.
        let is_of_file =
            |payment: &&Payment| report.payment_file_id.is_none_or(|file| payment.file_id == Some(file));
        if let Some(payment) = payment.filter(is_of_file) {
            let id = payment.id;
            let reading = read(payment, &line.line, read_on(tx, report));
            unit.note(tx, report, line, id, reading)?;
        } else {
            let reason = line.line.unmatched(of_file);
            unit.add_exception(tx, report, line, None, reason);
        }
    }
    report.position = lines.last().map_or(report.position, |line| line.number);
    unit.end(tx, report)
}

/// Applies a line about a whole file to the next payments of the file; whether these were the last.
pub(super) fn apply_to_file(
    tx: &mut Tx<'_>,
    report: &mut BankReport,
    line: &NumberedLine,
    at_once: usize,
) -> Result<bool> {
    tx.share(Guard::Books)?;
    let About::File { file, group } = line.line.about(report.payment_file_id) else {
        return Err(Error::internal("a line about a file names none"));
    };
    let set = PaymentSet::OfFile { file, group };
    if report.within.is_none()
        && let Some(reason) = fault_of_file(tx, set, file, &line.line)?
    {
        let mut unit = Unit::of(Vec::new());
        unit.add_exception(tx, report, line, None, reason);
        report.position = line.number;
        unit.end(tx, report)?;
        return Ok(true);
    }
    let most = i64::try_from(at_once).map_err(Error::internal)?;
    let after = report.within;
    let found = locked(tx, |tx| set.next(tx, after, most))?;
    let is_last = found.len() < at_once;
    report.within = found.last().map(|payment| payment.id).filter(|_| !is_last);
    let ids: Vec<Id> = found.iter().map(|payment| payment.id).collect();
    let leaves_out_failed = leaves_out_failed(tx, set, &found, &line.line)?;
    let mut unit = Unit::of(found);
    for id in ids {
        let Some(payment) = unit.payments.get(&id) else { continue };
        if leaves_out_failed && payment.state == PaymentState::Failed {
            report.unchanged += 1;
            continue;
        }
        let reading = read_of_file(payment, &line.line, read_on(tx, report));
        unit.note(tx, report, line, id, reading)?;
    }
    if is_last {
        report.position = line.number;
    }
    unit.end(tx, report)?;
    Ok(is_last)
}

/// Why a line about a whole file is left to a person: no such file, or another amount than that of its payments.
fn fault_of_file(
    tx: &mut Tx<'_>,
    set: PaymentSet,
    file: Id,
    line: &BankLine,
) -> Result<Option<ExceptionReason>> {
    let Some(file) = payment_files::named(tx, file)? else { return Ok(Some(ExceptionReason::Unmatched)) };
    let BankLine::Entry(entry) = line else { return Ok(None) };
    if entry.direction != Some(Direction::Debit) || entry.is_reversal {
        return Ok(Some(ExceptionReason::Unmatched));
    }
    let is_sum = |minor| is_amount(entry, Money { minor, currency: file.currency });
    // What the bank rejected before is not in its booking.
    let agrees = is_sum(set.sum(tx)?.1) || is_sum(set.sum_not_failed(tx)?);
    Ok((!agrees).then_some(ExceptionReason::AmountDiffers))
}

/// Whether an entry is of an amount.
fn is_amount(entry: &BankEntry, due: Money) -> bool {
    match &entry.amount {
        Some(Amount::Read(money)) => *money == due,
        Some(Amount::Unread(_)) | None => false,
    }
}

/// Whether a booking of a whole file leaves out the payments that failed.
fn leaves_out_failed(tx: &mut Tx<'_>, set: PaymentSet, found: &[Payment], line: &BankLine) -> Result<bool> {
    let failed = found.iter().find(|payment| payment.state == PaymentState::Failed);
    match (failed, line) {
        (Some(payment), BankLine::Entry(entry)) => {
            let (_, minor) = set.sum(tx)?;
            Ok(!is_amount(entry, payment.money(minor)))
        }
        (None, _) | (_, BankLine::Status(_)) => Ok(false),
    }
}

fn read_on(tx: &Tx<'_>, report: &BankReport) -> ReadOn {
    ReadOn { statement: report.id, today: tx.today() }
}

fn read(payment: &Payment, line: &BankLine, on: ReadOn) -> Reading {
    match line {
        BankLine::Status(line) => reading::of_status(payment, line),
        BankLine::Entry(entry) => reading::of_entry(payment, entry, on),
    }
}

/// What a line about a whole file means for one of its payments: the amount of the line is that of the file.
fn read_of_file(payment: &Payment, line: &BankLine, on: ReadOn) -> Reading {
    match line {
        BankLine::Status(line) => reading::of_status(payment, line),
        BankLine::Entry(entry) => {
            let amount = Some(Amount::Read(payment.money(payment.net)));
            reading::of_entry(payment, &BankEntry { amount, ..entry.clone() }, on)
        }
    }
}

/// Payments with their partners locked.
fn locked(tx: &mut Tx<'_>, find: impl Fn(&mut Tx<'_>) -> Result<Vec<Payment>>) -> Result<Vec<Payment>> {
    let found = find(tx)?;
    let partners: BTreeSet<Id> = found.iter().map(|payment| payment.partner_id).collect();
    let partners: Vec<Id> = partners.into_iter().collect();
    if tx.lock_partners(&partners)?.may_be_stale() { find(tx) } else { Ok(found) }
}

/// What a bank tells of a payment, kept until the unit tells it.
struct News {
    event: payments::PaymentEvent,
    on: CalendarDate,
    code: Option<String>,
    words: Option<String>,
}

/// An entry that shows a payment.
struct Shown {
    entry: i64,
    bank_reference: Option<String>,
}

struct Unit {
    /// The payments as the lines before leave them.
    payments: BTreeMap<Id, Payment>,
    /// The payments as they are on record.
    recorded: BTreeMap<Id, Payment>,
    /// What happened to each payment, in order.
    news: BTreeMap<Id, Vec<News>>,
    shown: BTreeMap<Id, Shown>,
    exceptions: Vec<BankException>,
    /// The payments whose return the bank took back.
    undone: BTreeSet<Id>,
}

impl Unit {
    fn of(found: Vec<Payment>) -> Self {
        let payments: BTreeMap<Id, Payment> =
            found.into_iter().map(|payment| (payment.id, payment)).collect();
        Self {
            recorded: payments.clone(),
            payments,
            news: BTreeMap::new(),
            shown: BTreeMap::new(),
            exceptions: Vec::new(),
            undone: BTreeSet::new(),
        }
    }

    /// Notes what a line means for a payment, so that the next line meets the payment as it will be.
    fn note(
        &mut self,
        tx: &mut Tx<'_>,
        report: &mut BankReport,
        line: &NumberedLine,
        id: Id,
        reading: Reading,
    ) -> Result<()> {
        if reading.is_nothing() {
            report.unchanged += 1;
        }
        if let Some(reason) = reading.exception {
            self.add_exception(tx, report, line, Some(id), reason);
            if reason == ExceptionReason::ReturnUndone {
                self.undone.insert(id);
            }
        }
        let Some(payment) = self.payments.get_mut(&id) else { return Ok(()) };
        for event in reading.events {
            payment.state = payment.state.after(event).ok_or_else(|| {
                Error::internal("what a bank tells does not follow from the payment's state")
            })?;
            let (on, code, words) = (
                line.line.on(tx.today()),
                line.line.code().map(|code| crate::platform::cut(code, 64).to_owned()),
                line.line.words(),
            );
            report.changed += 1;
            let (code, words) = match event {
                payments::PaymentEvent::Failure | payments::PaymentEvent::Return => (code, words),
                _ => (None, None),
            };
            self.news.entry(id).or_default().push(News { event, on, code, words });
        }
        if reading.is_shown {
            let bank_reference = match &line.line {
                BankLine::Entry(entry) => entry.bank_reference.clone(),
                BankLine::Status(_) => None,
            };
            payment.reconciliation = payments::Reconciliation::Matched;
            payment.statement_id = Some(report.id);
            payment.bank_reference.clone_from(&bank_reference);
            self.shown.insert(id, Shown { entry: line.number, bank_reference });
        }
        Ok(())
    }

    fn add_exception(
        &mut self,
        tx: &mut Tx<'_>,
        report: &mut BankReport,
        line: &NumberedLine,
        payment_id: Option<Id>,
        reason: ExceptionReason,
    ) {
        let at = LineAt { report_id: report.id, entry: line.number, payment_id };
        self.exceptions.push(line.line.exception(at, reason, tx));
        report.exceptions += 1;
    }

    /// Tells the payments, matches the entries that show them, and keeps the exceptions.
    fn end(mut self, tx: &mut Tx<'_>, report: &BankReport) -> Result<()> {
        let rounds = self.news.values().map(Vec::len).max().unwrap_or(0);
        for round in 0..rounds {
            let mut told = Vec::new();
            for (id, news) in &self.news {
                let (Some(news), Some(payment)) = (news.get(round), self.recorded.get(id)) else { continue };
                let (code, reason) = (news.code.as_deref(), news.words.as_deref());
                let news = PaymentNews { event: news.event, on: news.on, code, reason };
                told.push(ToldPayment { payment: payment.clone(), news });
            }
            for payment in payments::tell_all(tx, told)? {
                self.recorded.insert(payment.id, payment);
            }
        }
        let mut shown = Vec::new();
        for (id, Shown { entry, bank_reference }) in self.shown {
            let Some(payment) = self.recorded.get(&id).cloned() else { continue };
            shown.push(ShownPayment { payment, statement_id: report.id, entry, bank_reference });
        }
        payments::match_all(tx, shown)?;
        for payment in self.undone.iter().filter_map(|id| self.recorded.get(id)) {
            payments::hold_given_back(tx, payment, &return_undone(payment))?;
        }
        store::insert_exceptions(tx, &self.exceptions)
    }
}

/// The words of the hold of what came back, and is with the payee after all.
fn return_undone(payment: &Payment) -> String {
    let reference = payment.reference();
    format!("The bank took the return of {reference} back / 銀行が返金を取り消しました（{reference}）")
}
