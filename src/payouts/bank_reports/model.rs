//! The report of a bank, and the exception; no I/O, no clock, no HTTP.

use crate::{
    platform::{
        db::types::Json,
        values::{CalendarDate, Id, Timestamp, text_enum},
    },
    schema::{bank_exceptions, bank_reports},
};
use diesel::prelude::*;

text_enum! {
    /// The kind of a bank's report.
    pub enum BankReportKind {
        /// What a bank says of a payment file: pain.002.
        StatusReport = "status_report",
        /// What moved on an account: camt.053 or camt.054.
        Statement = "statement",
    }
}

impl BankReportKind {
    /// The address below which the reports of the kind are read.
    #[must_use]
    pub const fn address(self) -> &'static str {
        match self {
            Self::StatusReport => "/v1/status-reports",
            Self::Statement => "/v1/bank-statements",
        }
    }
}

text_enum! {
    /// How far a report has come.
    pub enum BankReportState {
        /// The lines of the report are being applied to payments.
        Applying = "applying",
        /// Every line was applied, or became an exception.
        Applied = "applied",
    }
}

/// A report of a bank, kept as it arrived.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = bank_reports, treat_none_as_null = true)]
pub struct BankReport {
    /// UUID of version 7; the pieces of the report go by it.
    pub id: Id,
    /// The kind of the report.
    pub kind: BankReportKind,
    /// The payment file of a status report.
    pub payment_file_id: Option<Id>,
    /// The SHA-256 of the report, 64 hexadecimal digits.
    pub sha256: String,
    /// The length of the report in bytes.
    pub bytes: i64,
    /// The identifier that the bank gave the report; none where there is none.
    pub bank_id: Option<String>,
    /// How far the report has come.
    pub state: BankReportState,
    /// The lines of the report.
    pub entries: i64,
    /// The lines that have been applied.
    pub position: i64,
    /// The last payment of the line that is being applied, of a line about a whole file.
    pub within: Option<Id>,
    /// The changes of payments.
    pub changed: i64,
    /// The lines, or payments of a line about a whole file, that told nothing new.
    pub unchanged: i64,
    /// The exceptions.
    pub exceptions: i64,
    /// The user who sent the report; none for the service itself.
    pub created_by: Option<Id>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of the record; the entity tag.
    pub revision: i64,
    /// When the report is tried again; none where nothing keeps it from being applied.
    pub next_try_at: Option<Timestamp>,
    /// The code of the problem of the last try.
    pub problem: Option<String>,
}

text_enum! {
    /// The reason that a person looks at a line of a bank.
    pub enum ExceptionReason {
        /// The line names no payment of ours: a fee, money of others, or a payment the bank names otherwise.
        Unmatched = "unmatched",
        /// The line of a status report names another file.
        OtherFile = "other_file",
        /// The line has no status.
        StatusMissing = "status_missing",
        /// The status is none that is known.
        StatusUnknown = "status_unknown",
        /// The bank compared the payee's name with the account's, and they differ or could not be compared.
        NameCheck = "name_check",
        /// The amount is not the payment's.
        AmountDiffers = "amount_differs",
        /// The line contradicts the payment's state, such as a booking of a payment that failed.
        ContradictsState = "contradicts_state",
        /// The booking is of a day before the bank got the payment, or of a day to come.
        DayImplausible = "day_implausible",
        /// Another entry shows the payment already: the bank may have paid twice.
        BookedTwice = "booked_twice",
        /// The bank took a return back: the payee has the money.
        ReturnUndone = "return_undone",
        /// The bank waits with the payment for a regulation.
        Regulatory = "regulatory",
    }
}

text_enum! {
    /// Whether a person has looked at an exception.
    pub enum ExceptionState {
        /// Nobody has settled the exception.
        Open = "open",
        /// A person has settled the exception.
        Resolved = "resolved",
    }
}

text_enum! {
    /// The way money moved, seen from the payer's account.
    pub enum MoneyDirection {
        /// Onto the account.
        Credit = "credit",
        /// Off the account.
        Debit = "debit",
    }
}

/// A line of a bank that a person looks at.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = bank_exceptions, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct BankException {
    /// UUID of version 7.
    pub id: Id,
    /// The report.
    pub report_id: Id,
    /// The place of the line in the report, counted from one.
    pub entry: i64,
    /// The reason.
    pub reason: ExceptionReason,
    /// The payment that the line is about; none where the line names none of ours.
    pub payment_id: Option<Id>,
    /// The payment's identifier, as the bank tells it.
    pub end_to_end_id: Option<String>,
    /// The bank's own reference.
    pub bank_reference: Option<String>,
    /// The status, as the bank tells it.
    pub status: Option<String>,
    /// The bank's codes.
    pub codes: Json<Vec<String>>,
    /// What the bank adds in words; the payee's real name after a name check.
    pub bank_words: Option<String>,
    /// The way the money moved.
    pub direction: Option<MoneyDirection>,
    /// The amount, as the bank tells it, behind the code of the currency.
    pub amount: Option<String>,
    /// The day of the booking.
    pub booked_on: Option<CalendarDate>,
    /// Whether a person has looked at the exception.
    pub state: ExceptionState,
    /// How the exception was settled, in words.
    pub resolution: Option<String>,
    /// The user who settled the exception.
    pub resolved_by: Option<Id>,
    /// When the exception was settled.
    pub resolved_at: Option<Timestamp>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of the record; the entity tag.
    pub revision: i64,
}

impl ExceptionReason {
    /// Whether an operator may say which payment the entry shows: the service could not tell.
    #[must_use]
    pub const fn may_be_matched(self) -> bool {
        match self {
            Self::Unmatched | Self::AmountDiffers | Self::DayImplausible => true,
            Self::OtherFile
            | Self::StatusMissing
            | Self::StatusUnknown
            | Self::NameCheck
            | Self::ContradictsState
            | Self::BookedTwice
            | Self::ReturnUndone
            | Self::Regulatory => false,
        }
    }
}

impl BankException {
    /// The sub-resources that can be posted to now.
    #[must_use]
    pub const fn allowed(&self) -> &'static [&'static str] {
        match self.state {
            ExceptionState::Open => &["resolution"],
            ExceptionState::Resolved => &[],
        }
    }
}
