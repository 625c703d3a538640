//! Reads a status report of a bank, ISO 20022 pain.002: a line for each status it tells, as it tells it. Nothing is guessed:
//! what a line does not say is missing.

use super::{
    reader::{Node, XmlReader},
    reported::{Amount, identifier, said},
    unreadable::{Unreadable, Why},
};
use std::io::BufRead;

/// The most reasons of a line that are kept, and the most pieces of text.
const MOST: usize = 20;
const BODY: &str = "Document/CstmrPmtStsRpt";

/// What a status is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// The file as a whole.
    File,
    /// A group of the file.
    Group,
    /// One payment.
    Payment,
}

/// One status, as a bank tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusLine {
    /// What the status is of.
    pub level: Level,
    /// The file's identifier, as it was sent to the bank.
    pub original_message_id: Option<String>,
    /// The group's identifier.
    pub original_group_id: Option<String>,
    /// The payment's identifier.
    pub end_to_end_id: Option<String>,
    /// The code of the status, such as `ACSC` or `RJCT`.
    pub transaction_status: Option<String>,
    /// The codes of the reasons, such as `AC04`; a bank's own among them.
    pub reasons: Vec<String>,
    /// What the bank adds in words; the payee's real name where the name check found another.
    pub additional_info: Option<String>,
    /// The amount of the payment.
    pub amount: Option<Amount>,
}

impl StatusLine {
    fn at(level: Level) -> Self {
        Self {
            level,
            original_message_id: None,
            original_group_id: None,
            end_to_end_id: None,
            transaction_status: None,
            reasons: Vec::new(),
            additional_info: None,
            amount: None,
        }
    }

    fn says_something(&self) -> bool {
        self.level == Level::Payment
            || self.transaction_status.is_some()
            || !self.reasons.is_empty()
            || self.additional_info.is_some()
    }
}

/// The lines of a report, one after the other. After the first fault there are no more.
pub struct StatusReport<R> {
    xml: XmlReader<R>,
    report_id: Option<String>,
    message_id: Option<String>,
    group_id: Option<String>,
    /// The lines whose elements are open, by their level.
    file: Option<StatusLine>,
    group: Option<StatusLine>,
    payment: Option<StatusLine>,
    is_over: bool,
}

impl<R: BufRead> StatusReport<R> {
    /// Begins to read a report; a file that is none is refused.
    pub fn read(file: R) -> Result<Self, Unreadable> {
        let xml = body(file, &[BODY])?;
        Ok(Self {
            xml,
            report_id: None,
            message_id: None,
            group_id: None,
            file: None,
            group: None,
            payment: None,
            is_over: false,
        })
    }

    /// The identifier of the report itself, once the first line is read.
    #[must_use]
    pub fn report_id(&self) -> Option<&str> {
        self.report_id.as_deref()
    }

    fn line(&mut self) -> Result<Option<StatusLine>, Unreadable> {
        while let Some(node) = self.xml.next()? {
            let line = match node {
                Node::Open => self.opened(),
                Node::Close { path, text, currency } => {
                    let Some(within) = path.strip_prefix(BODY) else { continue };
                    self.closed(within.trim_start_matches('/'), &text, currency.as_deref())
                }
            };
            if let Some(line) = line.filter(StatusLine::says_something) {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    fn opened(&mut self) -> Option<StatusLine> {
        match self.xml.path().strip_prefix(BODY)?.trim_start_matches('/') {
            "OrgnlGrpInfAndSts" => self.file = Some(StatusLine::at(Level::File)),
            "OrgnlPmtInfAndSts" => {
                self.group_id = None;
                self.group = Some(StatusLine::at(Level::Group));
            }
            "OrgnlPmtInfAndSts/TxInfAndSts" => {
                self.payment = Some(StatusLine::at(Level::Payment));
                // The group's own status stands before its payments.
                let group = self.group.take();
                return group.map(|line| self.named(line));
            }
            _ => {}
        }
        None
    }

    fn closed(&mut self, path: &str, text: &str, currency: Option<&str>) -> Option<StatusLine> {
        if let Some(within) = path.strip_prefix("OrgnlPmtInfAndSts/TxInfAndSts/") {
            of_payment(self.payment.as_mut()?, within, text, currency);
            return None;
        }
        match path {
            "GrpHdr/MsgId" => self.report_id = identifier(text),
            "OrgnlGrpInfAndSts/OrgnlMsgId" => self.message_id = identifier(text),
            "OrgnlPmtInfAndSts/OrgnlPmtInfId" => self.group_id = identifier(text),
            "OrgnlGrpInfAndSts" => return self.file.take().map(|line| self.named(line)),
            "OrgnlPmtInfAndSts" => return self.group.take().map(|line| self.named(line)),
            "OrgnlPmtInfAndSts/TxInfAndSts" => return self.payment.take().map(|line| self.named(line)),
            _ => {
                if let Some(within) = path.strip_prefix("OrgnlGrpInfAndSts/") {
                    of_any(self.file.as_mut()?, within, text);
                } else if let Some(within) = path.strip_prefix("OrgnlPmtInfAndSts/") {
                    of_any(self.group.as_mut()?, within, text);
                }
            }
        }
        None
    }

    fn named(&self, line: StatusLine) -> StatusLine {
        let group = if line.level == Level::File { None } else { self.group_id.clone() };
        StatusLine { original_message_id: self.message_id.clone(), original_group_id: group, ..line }
    }
}

impl<R: BufRead> Iterator for StatusReport<R> {
    type Item = Result<StatusLine, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let line = self.line().transpose();
        self.is_over = !matches!(line, Some(Ok(_)));
        line
    }
}

/// Reads up to the body of a message, which must be one of those expected.
pub(super) fn body<R: BufRead>(file: R, expected: &[&str]) -> Result<XmlReader<R>, Unreadable> {
    let mut xml = XmlReader::of(file);
    loop {
        match xml.next()? {
            Some(Node::Open) if xml.path() == "Document" => {}
            Some(Node::Open) if expected.contains(&xml.path()) => return Ok(xml),
            _ => return Err(xml.wrong(Why::OtherMessage)),
        }
    }
}

fn of_payment(line: &mut StatusLine, path: &str, text: &str, currency: Option<&str>) {
    match path {
        "OrgnlEndToEndId" => line.end_to_end_id = identifier(text),
        "OrgnlTxRef/Amt/InstdAmt" => line.amount = Amount::of(text, currency),
        _ => of_any(line, path, text),
    }
}

fn of_any(line: &mut StatusLine, path: &str, text: &str) {
    match path {
        "GrpSts" | "PmtInfSts" | "TxSts" => line.transaction_status = identifier(text),
        "StsRsnInf/Rsn/Cd" | "StsRsnInf/Rsn/Prtry" if line.reasons.len() < MOST => {
            line.reasons.extend(identifier(text));
        }
        "StsRsnInf/AddtlInf" => said(&mut line.additional_info, text),
        _ => {}
    }
}
