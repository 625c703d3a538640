//! Reads what moved on an account of the payer: ISO 20022 camt.053, a statement, and camt.054, a notification. An entry that
//! lists its payments gives a line for each, any other entry one line.

use super::{
    reader::{Node, XmlReader},
    reported::{Amount, identifier, said},
    status_report::body,
    unreadable::Unreadable,
};
use crate::platform::values::CalendarDate;
use std::io::BufRead;

const BODIES: [&str; 2] = ["Document/BkToCstmrStmt", "Document/BkToCstmrDbtCdtNtfctn"];
const STATEMENTS: [&str; 2] = ["Document/BkToCstmrStmt/Stmt", "Document/BkToCstmrDbtCdtNtfctn/Ntfctn"];

/// The way money moved, seen from the payer's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Onto the account: a payment came back, or somebody paid.
    Credit,
    /// Off the account.
    Debit,
}

/// A movement on an account, as a bank tells it. What the bank does not say is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BankEntry {
    /// The statement's identifier.
    pub statement_id: Option<String>,
    /// The account, an IBAN or a number.
    pub account: Option<String>,
    /// The bank's own reference of the entry.
    pub bank_reference: Option<String>,
    /// The file's identifier, as it was sent to the bank.
    pub message_id: Option<String>,
    /// The group's identifier.
    pub group_id: Option<String>,
    /// The payment's identifier; one of the payer's files, or of somebody else.
    pub end_to_end_id: Option<String>,
    /// The amount of the payment, or of the entry where it lists no payments.
    pub amount: Option<Amount>,
    /// The way the money moved.
    pub direction: Option<Direction>,
    /// Whether the entry takes an earlier one back.
    pub is_reversal: bool,
    /// `BOOK` where the entry is booked, `PDNG` while it is pending, `INFO` of what is told and not booked.
    pub status: Option<String>,
    /// The day of the booking.
    pub booked_on: Option<CalendarDate>,
    /// The day from which the money counts.
    pub valued_on: Option<CalendarDate>,
    /// Why the payment came back, such as `AC04`.
    pub return_reason: Option<String>,
    /// What the bank adds in words.
    pub additional_info: Option<String>,
    /// The text that came with the payment.
    pub remittance: Option<String>,
    /// The place of the entry in the file, counted from one.
    pub entry: u64,
    /// The place of the payment in the entry, counted from one; zero of an entry that lists none.
    pub payment: u64,
}

/// The movements of a statement, one after the other. After the first fault there are no more.
pub struct Statement<R> {
    xml: XmlReader<R>,
    id: Option<String>,
    account: Option<String>,
    entries: u64,
    entry: BankEntry,
    payment: Option<BankEntry>,
    /// The payment before, which is the entry's only one unless another follows.
    before: Option<BankEntry>,
    is_over: bool,
}

impl<R: BufRead> Statement<R> {
    /// Begins to read a statement or notification; a file that is none is refused.
    pub fn read(file: R) -> Result<Self, Unreadable> {
        Ok(Self {
            xml: body(file, &BODIES)?,
            id: None,
            account: None,
            entries: 0,
            entry: BankEntry::default(),
            payment: None,
            before: None,
            is_over: false,
        })
    }

    fn line(&mut self) -> Result<Option<BankEntry>, Unreadable> {
        while let Some(node) = self.xml.next()? {
            let line = match node {
                Node::Open => {
                    let path = within(self.xml.path()).map(str::to_owned);
                    path.and_then(|path| self.opened(&path))
                }
                Node::Close { path, text, currency } => {
                    within(&path).and_then(|path| self.closed(path, &text, currency.as_deref()))
                }
            };
            if line.is_some() {
                return Ok(line);
            }
        }
        Ok(None)
    }

    fn opened(&mut self, path: &str) -> Option<BankEntry> {
        match path {
            "" => {
                self.id = None;
                self.account = None;
            }
            "Ntry" => {
                self.entries += 1;
                self.entry = BankEntry {
                    statement_id: self.id.clone(),
                    account: self.account.clone(),
                    entry: self.entries,
                    ..BankEntry::default()
                };
            }
            "Ntry/NtryDtls/TxDtls" => {
                self.entry.payment += 1;
                let own = BankEntry { amount: None, additional_info: None, ..self.entry.clone() };
                self.payment = Some(own);
                return self.before.take();
            }
            _ => {}
        }
        None
    }

    fn closed(&mut self, path: &str, text: &str, currency: Option<&str>) -> Option<BankEntry> {
        if let Some(within) = path.strip_prefix("Ntry/NtryDtls/TxDtls/") {
            of_payment(self.payment.as_mut()?, within, text, currency);
            return None;
        }
        match path {
            "Id" => self.id = identifier(text),
            "Acct/Id/IBAN" | "Acct/Id/Othr/Id" => self.account = identifier(text),
            "Ntry/NtryDtls/TxDtls" => self.before = self.payment.take(),
            "Ntry" => return Some(self.ended()),
            _ => of_entry(&mut self.entry, path.strip_prefix("Ntry/")?, text, currency),
        }
        None
    }

    /// The last payment of an entry, or the entry itself. Where the only payment has no amount, it is the entry's.
    fn ended(&mut self) -> BankEntry {
        let entry = std::mem::take(&mut self.entry);
        match self.before.take() {
            Some(only) if only.payment == 1 => {
                let amount = only.amount.or(entry.amount);
                let additional_info = only.additional_info.or(entry.additional_info);
                BankEntry { amount, additional_info, ..only }
            }
            Some(last) => last,
            None => entry,
        }
    }
}

impl<R: BufRead> Iterator for Statement<R> {
    type Item = Result<BankEntry, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let line = self.line().transpose();
        self.is_over = !matches!(line, Some(Ok(_)));
        line
    }
}

/// The path below a statement.
fn within(path: &str) -> Option<&str> {
    let below = STATEMENTS.iter().find_map(|statement| path.strip_prefix(statement))?;
    if below.is_empty() { Some(below) } else { below.strip_prefix('/') }
}

fn of_entry(entry: &mut BankEntry, path: &str, text: &str, currency: Option<&str>) {
    match path {
        "Amt" => entry.amount = Amount::of(text, currency),
        "CdtDbtInd" => entry.direction = direction(text),
        "RvslInd" => entry.is_reversal = matches!(text, "true" | "1"),
        // The status has a code of its own since 2018.
        "Sts" | "Sts/Cd" | "Sts/Prtry" => entry.status = identifier(text).or(entry.status.take()),
        "BookgDt/Dt" | "BookgDt/DtTm" => entry.booked_on = day(text),
        "ValDt/Dt" | "ValDt/DtTm" => entry.valued_on = day(text),
        "AcctSvcrRef" => entry.bank_reference = identifier(text),
        "NtryDtls/Btch/MsgId" => entry.message_id = identifier(text),
        "NtryDtls/Btch/PmtInfId" => entry.group_id = identifier(text),
        "AddtlNtryInf" => said(&mut entry.additional_info, text),
        _ => {}
    }
}

fn of_payment(payment: &mut BankEntry, path: &str, text: &str, currency: Option<&str>) {
    let or_before = |before: &mut Option<String>| {
        *before = identifier(text).or(before.take());
    };
    match path {
        "Refs/MsgId" => or_before(&mut payment.message_id),
        "Refs/PmtInfId" => or_before(&mut payment.group_id),
        "Refs/EndToEndId" => payment.end_to_end_id = identifier(text),
        "Refs/AcctSvcrRef" => or_before(&mut payment.bank_reference),
        "Amt" => payment.amount = Amount::of(text, currency),
        // Where the amount stood until 2018.
        "AmtDtls/TxAmt/Amt" if payment.amount.is_none() => payment.amount = Amount::of(text, currency),
        "CdtDbtInd" => payment.direction = direction(text),
        "RtrInf/Rsn/Cd" | "RtrInf/Rsn/Prtry" => payment.return_reason = identifier(text),
        "RtrInf/AddtlInf" | "AddtlTxInf" => said(&mut payment.additional_info, text),
        "RmtInf/Ustrd" => said(&mut payment.remittance, text),
        _ => {}
    }
}

fn direction(text: &str) -> Option<Direction> {
    match text {
        "CRDT" => Some(Direction::Credit),
        "DBIT" => Some(Direction::Debit),
        _ => None,
    }
}

/// The day of a date, or of an instant.
fn day(text: &str) -> Option<CalendarDate> {
    text.get(..10)?.parse().ok()
}
