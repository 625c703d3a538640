//! The lines of either kind of report, with what they have in common.

use super::model::{BankException, BankReportKind, ExceptionReason, ExceptionState, MoneyDirection};
use crate::{
    access::Tx,
    payouts::{
        bank_files::{
            Amount, BankEntry, BankReason, Direction, Level, Statement, StatusLine, StatusReport, Task,
            Unreadable,
        },
        payments::FileGroup,
    },
    platform::{
        cut,
        db::types::Json,
        values::{CalendarDate, Id, Money},
    },
};
use std::io::BufRead;

/// A line of a report.
#[derive(Clone, Debug)]
pub(super) enum BankLine {
    Status(StatusLine),
    Entry(BankEntry),
}

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// One payment.
    Payment(Id),
    /// Each payment of a file, or of a group of the file.
    File { file: Id, group: Option<FileGroup> },
    /// Nothing of ours.
    Nothing,
}

/// The lines of a report, one after the other, of a file that is read no further than the line asked for.
pub(super) enum Lines<R> {
    Status(Box<StatusReport<R>>),
    Statement(Box<Statement<R>>),
}

impl<R: BufRead> Lines<R> {
    pub(super) fn read(kind: BankReportKind, file: R) -> Result<Self, Unreadable> {
        Ok(match kind {
            BankReportKind::StatusReport => Self::Status(Box::new(StatusReport::read(file)?)),
            BankReportKind::Statement => Self::Statement(Box::new(Statement::read(file)?)),
        })
    }

    /// The identifier that the bank gave the report, once the line is read.
    pub(super) fn report_id<'a>(&'a self, line: &'a BankLine) -> Option<&'a str> {
        match (self, line) {
            (Self::Status(report), _) => report.report_id(),
            (Self::Statement(_), BankLine::Entry(entry)) => entry.statement_id.as_deref(),
            (Self::Statement(_), BankLine::Status(_)) => None,
        }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<BankLine, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Status(report) => report.next().map(|line| line.map(BankLine::Status)),
            Self::Statement(statement) => statement.next().map(|line| line.map(BankLine::Entry)),
        }
    }
}

impl BankLine {
    /// What the line is about. A status report is of one file, whose name its lines may leave out.
    pub(super) fn about(&self, report_of: Option<Id>) -> About {
        match self {
            Self::Status(line) => {
                let named = line.original_message_id.as_deref().map(own_id);
                let Some(file) = report_of.filter(|file| named.is_none_or(|named| named == Some(*file)))
                else {
                    return About::Nothing;
                };
                match line.level {
                    Level::File => About::File { file, group: None },
                    Level::Group => group_of(line.original_group_id.as_deref(), Some(file)),
                    Level::Payment => payment_of(line.end_to_end_id.as_deref()),
                }
            }
            Self::Entry(entry) => match payment_of(entry.end_to_end_id.as_deref()) {
                About::Nothing if entry.payment == 0 && entry.end_to_end_id.is_none() => {
                    let file = entry.message_id.as_deref().and_then(own_id);
                    match (&entry.group_id, file) {
                        (Some(group), file) => group_of(Some(group), file),
                        (None, Some(file)) => About::File { file, group: None },
                        (None, None) => About::Nothing,
                    }
                }
                about => about,
            },
        }
    }

    /// The reason of a line that is about nothing of ours.
    pub(super) fn unmatched(&self, report_of: Option<Id>) -> ExceptionReason {
        let file = match self {
            Self::Status(line) => line.original_message_id.as_deref(),
            Self::Entry(_) => None,
        };
        let is_other = file.is_some_and(|file| own_id(file) != report_of);
        if is_other { ExceptionReason::OtherFile } else { ExceptionReason::Unmatched }
    }

    /// The code that says whose task a rejection or return is.
    pub(super) fn code(&self) -> Option<&str> {
        let codes: Vec<&str> = match self {
            Self::Status(line) => line.reasons.iter().map(String::as_str).collect(),
            Self::Entry(entry) => entry.return_reason.as_deref().into_iter().collect(),
        };
        let task = |code: &&&str| BankReason::of(code).map_or(Task::Operator, |reason| reason.task);
        codes.iter().min_by_key(task).copied()
    }

    /// The day of what the line tells; today where the line tells none.
    pub(super) fn on(&self, today: CalendarDate) -> CalendarDate {
        match self {
            Self::Status(_) => today,
            Self::Entry(entry) => entry.booked_on.or(entry.valued_on).unwrap_or(today),
        }
    }

    /// What the bank says of the line, in its words, or by its code.
    pub(super) fn words(&self) -> Option<String> {
        let said = match self {
            Self::Status(line) => line.additional_info.as_deref(),
            Self::Entry(entry) => entry.additional_info.as_deref(),
        };
        let said = said.map(without_numbers);
        let said = said.or_else(|| self.code().map(str::to_owned));
        said.map(|said| cut(&said, 500).trim().to_owned()).filter(|said| !said.is_empty())
    }

    /// The exception that the line becomes.
    pub(super) fn exception(&self, at: LineAt, reason: ExceptionReason, tx: &mut Tx<'_>) -> BankException {
        let (mut status, mut codes, mut bank_reference, mut direction) = (None, Vec::new(), None, None);
        let (end_to_end_id, amount, booked_on) = match self {
            Self::Status(line) => {
                status.clone_from(&line.transaction_status);
                codes.clone_from(&line.reasons);
                (line.end_to_end_id.clone(), line.amount.as_ref(), None)
            }
            Self::Entry(entry) => {
                status.clone_from(&entry.status);
                codes.extend(entry.return_reason.clone());
                bank_reference.clone_from(&entry.bank_reference);
                direction = entry.direction.map(|direction| match direction {
                    Direction::Credit => MoneyDirection::Credit,
                    Direction::Debit => MoneyDirection::Debit,
                });
                (entry.end_to_end_id.clone(), entry.amount.as_ref(), entry.booked_on)
            }
        };
        BankException {
            id: tx.new_id(),
            report_id: at.report_id,
            entry: at.entry,
            reason,
            payment_id: at.payment_id,
            end_to_end_id,
            bank_reference,
            status,
            codes: Json(codes),
            bank_words: self.words(),
            direction,
            amount: amount.map(|amount| match amount {
                Amount::Read(money) => written(*money),
                Amount::Unread(text) => text.clone(),
            }),
            booked_on,
            state: ExceptionState::Open,
            resolution: None,
            resolved_by: None,
            resolved_at: None,
            created_at: tx.now,
            updated_at: tx.now,
            revision: 1,
        }
    }
}

/// The least digits of a number that is masked.
const MASKED_FROM: usize = 6;

/// A text of a bank whose account numbers are masked: of words with six digits or more together, one after the other as blocks of
/// IBANs are, the last four characters are shown.
fn without_numbers(text: &str) -> String {
    let digits = |word: &str| word.bytes().filter(u8::is_ascii_digit).count();
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut shown: Vec<String> = Vec::new();
    for blocks in words.chunk_by(|one, other| digits(one) > 0 && digits(other) > 0) {
        if blocks.iter().map(|block| digits(block)).sum::<usize>() < MASKED_FROM {
            shown.extend(blocks.iter().map(|&word| word.to_owned()));
        } else {
            let number = blocks.concat();
            let end = number.chars().count().saturating_sub(4);
            shown.push(format!("****{}", number.chars().skip(end).collect::<String>()));
        }
    }
    shown.join(" ")
}

/// Where a line stands, and the payment it is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineAt {
    pub report_id: Id,
    /// Counted from one.
    pub entry: i64,
    pub payment_id: Option<Id>,
}

/// An amount as exceptions tell it, behind the code of its currency.
pub(super) fn written(money: Money) -> String {
    format!("{} {}", money.currency, money.amount())
}

fn payment_of(end_to_end_id: Option<&str>) -> About {
    end_to_end_id.and_then(own_id).map_or(About::Nothing, About::Payment)
}

/// The group that a bank names, which begins with the name of its file.
fn group_of(group_id: Option<&str>, file: Option<Id>) -> About {
    let parts = group_id.and_then(|id| id.rsplit_once('-'));
    let Some((named, group)) = parts else { return About::Nothing };
    let group = match group {
        "S" => FileGroup::Sepa,
        "O" => FileGroup::Other,
        _ => return About::Nothing,
    };
    match own_id(named) {
        Some(named) if file.is_none_or(|file| file == named) => {
            About::File { file: named, group: Some(group) }
        }
        _ => About::Nothing,
    }
}

/// The id that a bank writes without hyphens; none of an identifier that is none of ours.
fn own_id(text: &str) -> Option<Id> {
    let is_own = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = is_own.then(|| uuid::Uuid::try_parse(text).ok()).flatten()?;
    Some(Id(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_banks_show_no_account_numbers() {
        let cases = [
            ("Account closed", "Account closed"),
            ("Konto DE89370400440532013000 unbekannt", "Konto ****3000 unbekannt"),
            ("Konto DE89 3704 0044 0532 0130 00 unbekannt", "Konto ****3000 unbekannt"),
            ("Konto 50010 51754 07324 931 unbekannt", "Konto ****4931 unbekannt"),
            ("IBAN GB29 NWBK 60161 33192 6819", "IBAN GB29 NWBK ****6819"),
            ("Return of 12.50 on 3 May", "Return of 12.50 on 3 May"),
            ("Tried 2 3 times", "Tried 2 3 times"),
            ("Müller GmbH", "Müller GmbH"),
        ];
        for (text, expected) in cases {
            assert_eq!(without_numbers(text), expected);
        }
    }

    #[test]
    fn only_identifiers_of_ours_are_ids() {
        let id: Id = "01936f2e-4b00-7000-8000-000000000001".parse().unwrap();
        assert_eq!(own_id("01936f2e4b0070008000000000000001"), Some(id));
        for other in
            ["", "01936f2e4b007000800000000000000", "NOTPROVIDED", "01936f2e-4b00-7000-8000-000000000001"]
        {
            assert_eq!(own_id(other), None, "{other}");
        }
        let of_group = |group: &str, file| group_of(Some(group), file);
        let sepa = About::File { file: id, group: Some(FileGroup::Sepa) };
        assert_eq!(of_group("01936f2e4b0070008000000000000001-S", None), sepa);
        assert_eq!(of_group("01936f2e4b0070008000000000000001-S", Some(id)), sepa);
        assert_eq!(of_group("01936f2e4b0070008000000000000002-S", Some(id)), About::Nothing);
        assert_eq!(of_group("01936f2e4b0070008000000000000001-X", None), About::Nothing);
    }
}
