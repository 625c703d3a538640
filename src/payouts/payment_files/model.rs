//! The payment file and its states; no I/O, no clock, no HTTP.

use crate::{
    payouts::bank_files::reference,
    platform::values::{CalendarDate, Currency, Id, Money, Timestamp, text_enum},
    schema::payment_files,
};
use diesel::prelude::*;

text_enum! {
    /// The state of a payment file.
    pub enum PaymentFileState {
        /// The file can be downloaded.
        Made = "made",
        /// The bank has the file.
        Sent = "sent",
        /// The file was given up before anybody downloaded it; its payments can go into another.
        Withdrawn = "withdrawn",
    }
}

/// A file for a bank.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = payment_files, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct PaymentFile {
    /// UUID of version 7.
    pub id: Id,
    /// The run whose payments the file holds.
    pub run_id: Id,
    /// The account that pays.
    pub payer_account_id: Id,
    /// The currency of every amount.
    pub currency: Currency,
    /// The day on which the bank is to execute the payments.
    pub execution_on: CalendarDate,
    /// The state of the file.
    pub state: PaymentFileState,
    /// The number of payments.
    pub payments: i64,
    /// The sum of the payments, in minor units.
    pub total: i64,
    /// The pieces of the file as pain.001; none where the bank takes no XML.
    pub xml_content_id: Option<Id>,
    /// The bytes of the file as pain.001.
    pub xml_bytes: Option<i64>,
    /// The SHA-256 of the file as pain.001, 64 hexadecimal digits.
    pub xml_sha256: Option<String>,
    /// The pieces of the file as comma-separated values.
    pub csv_content_id: Id,
    /// The bytes of the file as comma-separated values.
    pub csv_bytes: i64,
    /// The SHA-256 of the file as comma-separated values, 64 hexadecimal digits.
    pub csv_sha256: String,
    /// When somebody first downloaded the file: from then on a bank may have it.
    pub downloaded_at: Option<Timestamp>,
    /// The day the bank got the file.
    pub sent_on: Option<CalendarDate>,
    /// The reason of a withdrawal in words.
    pub withdrawal_reason: Option<String>,
    /// The user who made the file; none for the service itself.
    pub created_by: Option<Id>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of the record; the entity tag.
    pub revision: i64,
}

/// The representation of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileContent {
    /// ISO 20022 pain.001.001.09.
    Xml,
    /// Comma-separated values.
    Csv,
}

impl PaymentFile {
    /// The identifier of the file at the bank (`MsgId`); no two files have one.
    #[must_use]
    pub fn message_id(&self) -> String {
        reference(self.id)
    }

    /// The sum of the payments.
    #[must_use]
    pub fn total(&self) -> Money {
        Money { minor: self.total, currency: self.currency }
    }

    /// The pieces of a representation; none where the bank takes no XML.
    #[must_use]
    pub fn content_id(&self, content: FileContent) -> Option<Id> {
        match content {
            FileContent::Xml => self.xml_content_id,
            FileContent::Csv => Some(self.csv_content_id),
        }
    }

    /// The representation that the bank takes.
    #[must_use]
    pub const fn usual_content(&self) -> FileContent {
        if self.xml_content_id.is_some() { FileContent::Xml } else { FileContent::Csv }
    }

    /// The sub-resources that can be posted to now. A file that somebody downloaded may be at the bank, and is not withdrawn.
    #[must_use]
    pub const fn allowed(&self) -> &'static [&'static str] {
        match (self.state, self.downloaded_at) {
            (PaymentFileState::Made, None) => &["dispatch", "withdrawal"],
            (PaymentFileState::Made, Some(_)) => &["dispatch"],
            (PaymentFileState::Sent | PaymentFileState::Withdrawn, _) => &[],
        }
    }
}
