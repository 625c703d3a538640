//! Payments on the wire.

use super::model::{DocumentKind, PayeeBar, Payment, PaymentLine, PaymentState, Reconciliation};
use crate::{
    network::partners::Transition,
    platform::values::{CalendarDate, Currency, Id, Locale, Money, Month, Timestamp, Words},
};
use serde::Serialize;
use utoipa::ToSchema;

/// What a partner is paid in one currency by one run.
#[derive(Serialize, ToSchema)]
#[schema(as = Payment)]
pub struct PaymentView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The partner that is paid.
    partner_id: Id,
    /// The run that made the payment.
    run_id: Id,
    /// The currency of the payment.
    currency: Currency,
    /// The state of the payment.
    state: PaymentState,
    /// The bank's code for a failure or a return; `profile_not_approved` where the partner's profiles allowed no payment.
    #[schema(max_length = 64, examples("AC04"))]
    state_code: Option<String>,
    /// The reason of the state in words.
    #[schema(max_length = 1000, examples("The account is closed"))]
    state_comment: Option<String>,
    /// Whether a statement of the bank shows the payment.
    reconciliation: Reconciliation,
    /// The statement of the bank that shows the payment; null before.
    statement_id: Option<Id>,
    /// The place of the payment's entry in that statement, counted from one; null before.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    statement_entry: Option<i64>,
    /// The bank's own reference of the booking; null where the bank tells none.
    #[schema(max_length = 140, examples("2026080600012345"))]
    bank_reference: Option<String>,
    /// The file for the bank that holds the payment; null where no file does.
    file_id: Option<Id>,
    /// The kind of the document that goes with the payment.
    document_kind: DocumentKind,
    /// The number of the document; null before the approval. Numbers follow each other without a gap.
    #[schema(max_length = 40, examples("CN-00000042"))]
    document_number: Option<String>,
    /// The sum of the lines.
    gross: Money,
    /// The part withheld as tax.
    withheld: Money,
    /// The rate by which tax was withheld from each line.
    withholding_rate_id: Id,
    /// The amount that the bank is told to pay: gross less withheld.
    net: Money,
    /// The reference by which banks name the payment (the end-to-end identification).
    #[schema(max_length = 35, examples("01936f2e4b0070008000000000000001"))]
    reference: String,
    /// The failed or returned payment that this one replaces.
    replaces: Option<Id>,
    /// The day the bank got the payment.
    sent_on: Option<CalendarDate>,
    /// The day on which the file tells the bank to pay; null while no file holds the payment.
    execution_on: Option<CalendarDate>,
    /// The day the payment arrived.
    settled_on: Option<CalendarDate>,
    /// The rebates that the payment pays or sets off, or the claims that it pays; null in lists.
    #[schema(max_items = 10_000)]
    lines: Option<Vec<PaymentLineView>>,
    /// The sub-resources that can be posted to now.
    #[schema(max_items = 5, examples(json!(["confirmation", "failure"])))]
    allowed_transitions: Vec<Transition>,
    /// When the record was made.
    created_at: Timestamp,
    /// When the record was last changed.
    updated_at: Timestamp,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 1)]
    revision: i64,
}

/// A rebate that a payment pays, or sets off where the rebate is below zero; or a co-op claim that a payment pays. The lines sum to
/// the gross amount.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentLine)]
pub struct PaymentLineView {
    /// The rebate; null of a claim.
    rebate_id: Option<Id>,
    /// The co-op claim; null of a rebate.
    claim_id: Option<Id>,
    /// The enrollment that earned the rebate or the co-op fund.
    enrollment_id: Id,
    /// The month that the rebate was posted in, or the claim approved.
    posted_in: Month,
    /// The amount.
    amount: Money,
    /// The part withheld as tax.
    withheld: Money,
    /// The part set off against other lines of the payment: above zero where rebates below zero take a part away, below zero
    /// where the line itself is taken from others.
    set_off: Money,
}

impl PaymentLineView {
    fn of(line: &PaymentLine, currency: Currency) -> Self {
        let money = |minor| Money { minor, currency };
        Self {
            rebate_id: line.rebate_id,
            claim_id: line.claim_id,
            enrollment_id: line.enrollment_id,
            posted_in: line.posted_in,
            amount: money(line.amount),
            withheld: money(line.withheld),
            set_off: money(line.set_off),
        }
    }
}

impl PaymentView {
    /// A payment with its lines.
    #[must_use]
    pub fn whole(payment: Payment, lines: &[PaymentLine], language: Locale) -> Self {
        let lines = lines.iter().map(|line| PaymentLineView::of(line, payment.currency)).collect();
        Self { lines: Some(lines), ..Self::of(payment, language) }
    }

    /// A payment without its lines, in a language.
    #[must_use]
    pub fn of(payment: Payment, language: Locale) -> Self {
        let bar = payment.state_code.as_deref().and_then(|code| code.parse::<PayeeBar>().ok());
        let view = Self::from(payment);
        match bar {
            Some(bar) => Self { state_comment: Some(language.of(bar.words()).to_owned()), ..view },
            None => view,
        }
    }
}

impl PayeeBar {
    /// What kept the partner from being paid when the payment was stopped.
    pub(super) const fn words(self) -> Words<'static> {
        match self {
            Self::ProfileNotApproved => Words::new(
                "The payout and tax profiles allowed no payment when the payment was to go to the bank.",
                "銀行への送金時に、支払先情報または税務情報が承認されていませんでした。",
            ),
            Self::PartnerSuspended => Words::new(
                "The partner was suspended when the payment was to go to the bank.",
                "銀行への送金時に、パートナーが利用停止中でした。",
            ),
        }
    }
}

impl From<Payment> for PaymentView {
    fn from(payment: Payment) -> Self {
        Self {
            gross: payment.money(payment.gross),
            withheld: payment.money(payment.withheld),
            net: payment.money(payment.net),
            reference: payment.reference(),
            allowed_transitions: payment.state.allowed().into_iter().map(Transition).collect(),
            document_number: payment.document_number.map(|number| payment.document_kind.numbered(number)),
            id: payment.id,
            partner_id: payment.partner_id,
            run_id: payment.run_id,
            currency: payment.currency,
            state: payment.state,
            state_code: payment.state_code,
            state_comment: payment.state_comment,
            reconciliation: payment.reconciliation,
            statement_id: payment.statement_id,
            statement_entry: payment.statement_entry,
            bank_reference: payment.bank_reference,
            file_id: payment.file_id,
            document_kind: payment.document_kind,
            withholding_rate_id: payment.withholding_rate_id,
            replaces: payment.replaces,
            sent_on: payment.sent_on,
            execution_on: payment.execution_on,
            settled_on: payment.settled_on,
            lines: None,
            created_at: payment.created_at,
            updated_at: payment.updated_at,
            revision: payment.revision,
        }
    }
}
