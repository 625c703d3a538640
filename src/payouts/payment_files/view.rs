//! Payment files on the wire.

use super::model::{FileContent, PaymentFile, PaymentFileState};
use crate::{
    network::partners::Transition,
    platform::values::{CalendarDate, Currency, Id, Money, Timestamp},
};
use serde::Serialize;
use utoipa::ToSchema;

/// A file for a bank.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentFile)]
pub struct PaymentFileView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The run whose payments the file holds.
    run_id: Id,
    /// The account that pays.
    payer_account_id: Id,
    /// The currency of every amount.
    currency: Currency,
    /// The day on which the bank is to execute the payments.
    execution_on: CalendarDate,
    /// The state of the file.
    state: PaymentFileState,
    /// The identifier of the file at the bank (`MsgId`); no two files have one.
    #[schema(min_length = 1, max_length = 35, examples("01936f2e4b0070008000000000000001"))]
    message_id: String,
    /// The number of payments.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    payments: i64,
    /// The sum of the payments: the control sum of the file.
    total: Money,
    /// The representations that `GET /v1/payment-files/{id}/content` gives, the bank's first.
    #[schema(min_items = 1, max_items = 2)]
    contents: Vec<FileContentView>,
    /// When somebody first downloaded the file; null before. From then on a bank may have the file.
    downloaded_at: Option<Timestamp>,
    /// The day the bank got the file; null before.
    sent_on: Option<CalendarDate>,
    /// The reason of a withdrawal in words.
    #[schema(max_length = 1000, examples("Made for the wrong day"))]
    withdrawal_reason: Option<String>,
    /// The user who made the file; null for the service itself.
    created_by: Option<Id>,
    /// The sub-resources that can be posted to now.
    #[schema(max_items = 2, examples(json!(["dispatch", "withdrawal"])))]
    allowed_transitions: Vec<Transition>,
    /// When the record was made.
    created_at: Timestamp,
    /// When the record was last changed.
    updated_at: Timestamp,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 1)]
    revision: i64,
}

/// A representation of a file.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentFileContent)]
pub struct FileContentView {
    /// The media type to ask for in `Accept`.
    #[schema(max_length = 40, examples("application/xml"))]
    media_type: &'static str,
    /// The length in bytes.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    bytes: i64,
    /// The SHA-256 of the bytes, in hexadecimal digits: every download has it.
    #[schema(
        min_length = 64,
        max_length = 64,
        pattern = "^[0-9a-f]{64}$",
        examples("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
    )]
    sha256: String,
}

impl FileContent {
    /// The media type.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Xml => "application/xml",
            Self::Csv => "text/csv",
        }
    }
}

impl From<PaymentFile> for PaymentFileView {
    fn from(file: PaymentFile) -> Self {
        let xml = file.xml_bytes.zip(file.xml_sha256.clone()).map(|(bytes, sha256)| FileContentView {
            media_type: FileContent::Xml.media_type(),
            bytes,
            sha256,
        });
        let csv = FileContentView {
            media_type: FileContent::Csv.media_type(),
            bytes: file.csv_bytes,
            sha256: file.csv_sha256.clone(),
        };
        Self {
            message_id: file.message_id(),
            total: file.total(),
            contents: xml.into_iter().chain([csv]).collect(),
            allowed_transitions: file.allowed().iter().copied().map(Transition).collect(),
            id: file.id,
            run_id: file.run_id,
            payer_account_id: file.payer_account_id,
            currency: file.currency,
            execution_on: file.execution_on,
            state: file.state,
            payments: file.payments,
            downloaded_at: file.downloaded_at,
            sent_on: file.sent_on,
            withdrawal_reason: file.withdrawal_reason,
            created_by: file.created_by,
            created_at: file.created_at,
            updated_at: file.updated_at,
            revision: file.revision,
        }
    }
}
