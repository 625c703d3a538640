//! Reports of banks, exceptions and reconciliations on the wire.

use super::model::{
    BankException, BankReport, BankReportKind, BankReportState, ExceptionReason, ExceptionState,
    MoneyDirection,
};
use crate::{
    network::partners::Transition,
    platform::values::{CalendarDate, Id, Locale, Timestamp, Words},
};
use serde::Serialize;
use utoipa::ToSchema;

/// A report of a bank: a status report of a payment file, or a statement of an account.
#[derive(Serialize, ToSchema)]
#[schema(as = BankReport)]
pub struct BankReportView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The kind of the report.
    kind: BankReportKind,
    /// The payment file of a status report; null of a statement.
    payment_file_id: Option<Id>,
    /// The identifier that the bank gave the report; null where there is none.
    #[schema(max_length = 140, examples("REPORT-20260806-1"))]
    bank_id: Option<String>,
    /// The SHA-256 of the report, in hexadecimal digits. The same bytes are applied once.
    #[schema(
        min_length = 64,
        max_length = 64,
        pattern = "^[0-9a-f]{64}$",
        examples("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
    )]
    sha256: String,
    /// The length in bytes.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    bytes: i64,
    /// How far the report has come.
    state: BankReportState,
    /// The lines of the report.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    entries: i64,
    /// The lines that have been applied.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    applied: i64,
    /// The changes of payments' states.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    changed: i64,
    /// The lines that told nothing new; of a line about a whole file, its payments.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    unchanged: i64,
    /// The lines that a person looks at: `GET /v1/bank-exceptions?report_id=`.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    exceptions: i64,
    /// When the report is tried again; null where nothing keeps it from being applied.
    next_try_at: Option<Timestamp>,
    /// The code of the problem of the last try; null where there was none. Others go on meanwhile.
    #[schema(max_length = 60, examples("internal"))]
    problem: Option<String>,
    /// The user who sent the report; null for the service itself.
    created_by: Option<Id>,
    /// When the record was made.
    created_at: Timestamp,
    /// When the record was last changed.
    updated_at: Timestamp,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 1)]
    revision: i64,
}

impl From<BankReport> for BankReportView {
    fn from(report: BankReport) -> Self {
        Self {
            id: report.id,
            kind: report.kind,
            payment_file_id: report.payment_file_id,
            bank_id: report.bank_id,
            sha256: report.sha256,
            bytes: report.bytes,
            state: report.state,
            entries: report.entries,
            applied: report.position,
            changed: report.changed,
            unchanged: report.unchanged,
            exceptions: report.exceptions,
            next_try_at: report.next_try_at,
            problem: report.problem,
            created_by: report.created_by,
            created_at: report.created_at,
            updated_at: report.updated_at,
            revision: report.revision,
        }
    }
}

/// A line of a bank that a person looks at.
#[derive(Serialize, ToSchema)]
#[schema(as = BankException)]
pub struct BankExceptionView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The report.
    report_id: Id,
    /// The place of the line in the report, counted from one.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    entry: i64,
    /// The reason.
    reason: ExceptionReason,
    /// What happened, and what a person does, in the language of the answer.
    #[schema(max_length = 500, examples("The line names no payment of ours."))]
    remedy: &'static str,
    /// The payment that the line is about; null where the line names none of ours.
    payment_id: Option<Id>,
    /// The payment's identifier, as the bank tells it.
    #[schema(max_length = 140)]
    end_to_end_id: Option<String>,
    /// The bank's own reference.
    #[schema(max_length = 140)]
    bank_reference: Option<String>,
    /// The status, as the bank tells it.
    #[schema(max_length = 140, examples("RVMC"))]
    status: Option<String>,
    /// The bank's codes.
    #[schema(max_items = 20)]
    codes: Vec<BankCode>,
    /// What the bank adds in words, account numbers masked; the payee's real name after a name check.
    #[schema(max_length = 500)]
    bank_words: Option<String>,
    /// The way the money moved, seen from the payer's account.
    direction: Option<MoneyDirection>,
    /// The amount, as the bank tells it, behind the code of the currency.
    #[schema(max_length = 40, examples("EUR 12.50"))]
    amount: Option<String>,
    /// The day of the booking.
    booked_on: Option<CalendarDate>,
    /// Whether a person has looked at the exception.
    state: ExceptionState,
    /// How the exception was settled, in words.
    #[schema(max_length = 1000, examples("A fee of the bank"))]
    resolution: Option<String>,
    /// The user who settled the exception.
    resolved_by: Option<Id>,
    /// When the exception was settled.
    resolved_at: Option<Timestamp>,
    /// The sub-resources that can be posted to now.
    #[schema(max_items = 1, examples(json!(["resolution"])))]
    allowed_transitions: Vec<Transition>,
    /// When the record was made.
    created_at: Timestamp,
    /// When the record was last changed.
    updated_at: Timestamp,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 1)]
    revision: i64,
}

/// A code of a bank.
#[derive(Serialize, ToSchema)]
#[schema(value_type = String, max_length = 140, examples("AC04"))]
pub struct BankCode(String);

impl BankExceptionView {
    /// The exception in the words of one language.
    #[must_use]
    pub fn of(exception: BankException, language: Locale) -> Self {
        let allowed = exception.allowed();
        Self {
            id: exception.id,
            report_id: exception.report_id,
            entry: exception.entry,
            reason: exception.reason,
            remedy: language.of(exception.reason.remedy()),
            payment_id: exception.payment_id,
            end_to_end_id: exception.end_to_end_id,
            bank_reference: exception.bank_reference,
            status: exception.status,
            codes: exception.codes.0.into_iter().map(BankCode).collect(),
            bank_words: exception.bank_words,
            direction: exception.direction,
            amount: exception.amount,
            booked_on: exception.booked_on,
            state: exception.state,
            resolution: exception.resolution,
            resolved_by: exception.resolved_by,
            resolved_at: exception.resolved_at,
            allowed_transitions: allowed.iter().copied().map(Transition).collect(),
            created_at: exception.created_at,
            updated_at: exception.updated_at,
            revision: exception.revision,
        }
    }
}

impl ExceptionReason {
    /// What happened, and what a person does.
    #[must_use]
    pub const fn remedy(self) -> Words<'static> {
        match self {
            Self::Unmatched => Words::new(
                "The line names no payment of ours: a fee, or money of others. Look it up at the bank, then settle the exception.",
                "該当する支払いがありません。手数料など支払以外の取引の可能性があります。銀行で確認してから処理済みにしてください。",
            ),
            Self::OtherFile => Words::new(
                "The line is about another payment file: send the report to that file.",
                "別の支払ファイルに関する行です。該当するファイルにレポートを送信してください。",
            ),
            Self::StatusMissing => Words::new(
                "The bank tells no status: ask the bank, then tell the payment by hand.",
                "銀行から状態が示されていません。銀行に確認し、支払いの状態を手動で記録してください。",
            ),
            Self::StatusUnknown => Words::new(
                "The status is none that is known: ask the bank, then tell the payment by hand.",
                "不明な状態コードです。銀行に確認し、支払いの状態を手動で記録してください。",
            ),
            Self::NameCheck => Words::new(
                "The payee's name differs from the account's, or could not be compared: ask the partner, and release or recall the payment at the bank.",
                "受取人名と口座名義が一致しないか、照合できませんでした。パートナーに確認し、銀行で支払いの続行または取消しを指示してください。",
            ),
            Self::AmountDiffers => Words::new(
                "The amount is not the payment's: compare both with the bank, then tell the payment by hand.",
                "金額が支払いと一致しません。銀行の記録と照合し、支払いの状態を手動で記録してください。",
            ),
            Self::ContradictsState => Words::new(
                "The line contradicts the payment's state, such as a booking of a payment that failed: money may have moved twice. Ask the bank before anything is paid again.",
                "支払いの状態と矛盾する行です。失敗した支払いの記帳などが考えられ、二重に支払われた可能性があります。再度支払う前に銀行に確認してください。",
            ),
            Self::DayImplausible => Words::new(
                "The booking is of a day before the bank got the payment, or of a day to come: compare the days with the bank, then settle the exception with the payment, which has then arrived today.",
                "記帳日が、銀行が支払いを受け付けた日より前、または未来の日付です。銀行に日付を確認し、支払いを指定して例外を処理済みにしてください。着金日は当日となります。",
            ),
            Self::BookedTwice => Words::new(
                "Another entry shows the payment already: the bank may have paid twice. Ask the bank to take one payment back.",
                "この支払いは別の明細で既に記帳されています。二重に支払われた可能性があるため、銀行に一方の取消しを依頼してください。",
            ),
            Self::ReturnUndone => Words::new(
                "The bank took a return back: the payee has the money. What had come back is on hold, unless it was paid again; ask the bank before anything is released.",
                "銀行が返金を取り消したため、受取人に資金が渡っています。返金された分は、再度支払われた場合を除き保留されています。保留を解除する前に銀行に確認してください。",
            ),
            Self::Regulatory => Words::new(
                "The bank waits with the payment for a regulation: compliance answers the bank.",
                "規制上の理由で銀行が支払いを保留しています。コンプライアンス部門が銀行に対応してください。",
            ),
        }
    }
}
