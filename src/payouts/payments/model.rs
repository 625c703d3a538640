//! The payment, its states and its lines; no I/O, no clock, no HTTP.

mod line;

pub use line::{PaidRecord, PaymentLine};

use crate::{
    ledger::accounting::payment_reference,
    platform::values::{CalendarDate, Currency, Id, Money, Timestamp, text_enum},
    schema::payments,
};
use diesel::prelude::*;

text_enum! {
    /// The state of a payment.
    pub enum PaymentState {
        /// A run has made the payment; another person has to approve the run.
        Created = "created",
        /// The payment may go to the bank.
        Approved = "approved",
        /// A file for the bank holds the payment.
        InFile = "in_file",
        /// The bank has the payment.
        Sent = "sent",
        /// The bank waits with the payment.
        PendingAtBank = "pending_at_bank",
        /// The payment has arrived.
        Settled = "settled",
        /// The payment never went to the bank.
        Stopped = "stopped",
        /// The bank rejected the payment.
        Failed = "failed",
        /// The payment came back after it had arrived.
        Returned = "returned",
        /// The programme took the payment back.
        Reversed = "reversed",
    }
}

/// What happens to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentEvent {
    /// Another person approves the run.
    Approval,
    /// A file for the bank is made.
    Filing,
    /// The bank gets the payment.
    Dispatch,
    /// The bank says that it waits.
    Delay,
    /// The payment has arrived.
    Confirmation,
    /// The bank rejects the payment.
    Failure,
    /// The payment comes back.
    Return,
    /// The programme stops the payment before the bank has it.
    Stop,
    /// The programme takes the payment back.
    Reversal,
    /// The file that holds the payment is withdrawn before anybody took it to the bank.
    Withdrawal,
}

impl PaymentEvent {
    /// Every event that people tell of one payment, with the name of its sub-resource.
    pub const TOLD: [(Self, &'static str); 5] = [
        (Self::Confirmation, "confirmation"),
        (Self::Failure, "failure"),
        (Self::Return, "return"),
        (Self::Stop, "stop"),
        (Self::Reversal, "reversal"),
    ];
}

impl PaymentState {
    /// The state after an event; none where the state does not allow the event.
    #[must_use]
    pub const fn after(self, event: PaymentEvent) -> Option<Self> {
        match (self, event) {
            (Self::Created, PaymentEvent::Approval) | (Self::InFile, PaymentEvent::Withdrawal) => {
                Some(Self::Approved)
            }
            (Self::Approved, PaymentEvent::Filing) => Some(Self::InFile),
            (Self::Approved | Self::InFile, PaymentEvent::Dispatch) => Some(Self::Sent),
            (Self::Sent, PaymentEvent::Delay) => Some(Self::PendingAtBank),
            (Self::Sent | Self::PendingAtBank, PaymentEvent::Confirmation) => Some(Self::Settled),
            (Self::Sent | Self::PendingAtBank, PaymentEvent::Failure) => Some(Self::Failed),
            (Self::Settled, PaymentEvent::Return) => Some(Self::Returned),
            (Self::Settled, PaymentEvent::Reversal) => Some(Self::Reversed),
            (Self::Created | Self::Approved, PaymentEvent::Stop) => Some(Self::Stopped),
            _ => None,
        }
    }

    /// Whether the payment carries its records, or has paid them.
    #[must_use]
    pub const fn is_live(self) -> bool {
        match self {
            Self::Created
            | Self::Approved
            | Self::InFile
            | Self::Sent
            | Self::PendingAtBank
            | Self::Settled => true,
            Self::Stopped | Self::Failed | Self::Returned | Self::Reversed => false,
        }
    }

    /// Whether a new payment may replace the payment.
    #[must_use]
    pub const fn may_be_reissued(self) -> bool {
        matches!(self, Self::Failed | Self::Returned)
    }

    /// The sub-resources that can be posted to now.
    #[must_use]
    pub fn allowed(self) -> Vec<&'static str> {
        let told = PaymentEvent::TOLD.iter().filter(|(event, _)| self.after(*event).is_some());
        told.map(|(_, name)| *name).chain(self.may_be_reissued().then_some("reissue")).collect()
    }
}

text_enum! {
    /// Whether the payment was found on a statement of the bank.
    pub enum Reconciliation {
        /// No statement shows the payment.
        Unreconciled = "unreconciled",
        /// A line of a statement shows the payment.
        Matched = "matched",
    }
}

text_enum! {
    /// The group of a payment in its file: the rules that the banks follow.
    pub enum FileGroup {
        /// A SEPA credit transfer.
        Sepa = "sepa",
        /// Any other transfer.
        Other = "other",
    }
}

text_enum! {
    /// The kind of document that a payment goes with.
    pub enum DocumentKind {
        /// A credit note: a rebate reduces the price of what was sold.
        CreditNote = "credit_note",
        /// An invoice that the programme writes for the partner: marketing is a service.
        SelfBilledInvoice = "self_billed_invoice",
    }
}

impl DocumentKind {
    /// The number of a document as people read it.
    #[must_use]
    pub fn numbered(self, number: i64) -> String {
        match self {
            Self::CreditNote => format!("CN-{number:08}"),
            Self::SelfBilledInvoice => format!("SB-{number:08}"),
        }
    }
}

/// The reason for which the programme stops a payment before the bank has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason<'a> {
    /// In the words of an operator.
    Words(&'a str),
    /// The partner may not be paid now.
    Barred(PayeeBar),
}

text_enum! {
    /// What keeps a partner from being paid now.
    pub enum PayeeBar {
        /// The partner's profiles allow no payment.
        ProfileNotApproved = "profile_not_approved",
        /// The partner is suspended.
        PartnerSuspended = "partner_suspended",
    }
}

/// The key of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PaymentKey {
    /// The partner that is paid.
    pub partner_id: Id,
    /// The payment.
    pub id: Id,
}

/// What a partner is paid in one currency by one run, for rebates or for claims.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = payments, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Payment {
    /// UUID of version 7.
    pub id: Id,
    /// The partner that is paid.
    pub partner_id: Id,
    /// The run that made the payment.
    pub run_id: Id,
    /// The currency of all amounts of the payment.
    pub currency: Currency,
    /// The state of the payment.
    pub state: PaymentState,
    /// Whether a statement of the bank shows the payment.
    pub reconciliation: Reconciliation,
    /// The kind of the payment's document.
    pub document_kind: DocumentKind,
    /// The number of the document; none before the approval.
    pub document_number: Option<i64>,
    /// The sum of the lines, in minor units.
    pub gross: i64,
    /// The part withheld as tax, in minor units.
    pub withheld: i64,
    /// The rate by which tax was withheld, as the table said on the day the payment was made.
    pub withholding_rate_id: Id,
    /// The amount that the bank is told to pay, in minor units: gross less withheld.
    pub net: i64,
    /// The failed or returned payment that this one replaces.
    pub replaces: Option<Id>,
    /// The day the bank got the payment.
    pub sent_on: Option<CalendarDate>,
    /// The day the payment arrived.
    pub settled_on: Option<CalendarDate>,
    /// The bank's code for a failure or a return, or the code of a [`StopReason`].
    pub state_code: Option<String>,
    /// The reason of the state in words.
    pub state_comment: Option<String>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of the record; the entity tag.
    pub revision: i64,
    /// The file for the bank that holds the payment, or held it last.
    pub file_id: Option<Id>,
    /// The group of the payment in that file.
    pub file_group: Option<FileGroup>,
    /// The bank's own reference of the booking.
    pub bank_reference: Option<String>,
    /// The statement of the bank that shows the payment.
    pub statement_id: Option<Id>,
    /// The place of the payment's entry in that statement, counted from one.
    pub statement_entry: Option<i64>,
    /// The revision of the payout profile by which the payment went into its file, or to the bank without one; none before, and
    /// of payments from before this was noted.
    pub payout_revision: Option<i64>,
    /// The day on which the file tells the bank to pay; none without a file.
    pub execution_on: Option<CalendarDate>,
}

impl Payment {
    /// The key of the payment.
    #[must_use]
    pub fn key(&self) -> PaymentKey {
        PaymentKey { partner_id: self.partner_id, id: self.id }
    }

    /// An amount of the payment.
    #[must_use]
    pub fn money(&self, minor: i64) -> Money {
        Money { minor, currency: self.currency }
    }

    /// The reference by which banks name the payment: the id without dashes, 32 characters.
    #[must_use]
    pub fn reference(&self) -> String {
        payment_reference(self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    #[test]
    fn the_table_of_states_is_this_one() {
        let events = [
            PaymentEvent::Approval,
            PaymentEvent::Filing,
            PaymentEvent::Dispatch,
            PaymentEvent::Delay,
            PaymentEvent::Confirmation,
            PaymentEvent::Failure,
            PaymentEvent::Return,
            PaymentEvent::Stop,
            PaymentEvent::Reversal,
            PaymentEvent::Withdrawal,
        ];
        let mut table = String::new();
        for state in PaymentState::ALL {
            for event in events {
                if let Some(after) = state.after(event) {
                    writeln!(table, "{state} + {event:?} -> {after}").unwrap();
                }
            }
            writeln!(table, "{state}: live {}, allows {:?}", state.is_live(), state.allowed()).unwrap();
        }
        insta::assert_snapshot!(table, @r#"
        created + Approval -> approved
        created + Stop -> stopped
        created: live true, allows ["stop"]
        approved + Filing -> in_file
        approved + Dispatch -> sent
        approved + Stop -> stopped
        approved: live true, allows ["stop"]
        in_file + Dispatch -> sent
        in_file + Withdrawal -> approved
        in_file: live true, allows []
        sent + Delay -> pending_at_bank
        sent + Confirmation -> settled
        sent + Failure -> failed
        sent: live true, allows ["confirmation", "failure"]
        pending_at_bank + Confirmation -> settled
        pending_at_bank + Failure -> failed
        pending_at_bank: live true, allows ["confirmation", "failure"]
        settled + Return -> returned
        settled + Reversal -> reversed
        settled: live true, allows ["return", "reversal"]
        stopped: live false, allows []
        failed: live false, allows ["reissue"]
        returned: live false, allows ["reissue"]
        reversed: live false, allows []
        "#);
    }

    #[test]
    fn a_reference_fits_into_the_35_characters_of_banks() {
        let id: Id = "01936f2e-4b00-7000-8000-000000000001".parse().unwrap();
        assert_eq!(id.0.simple().to_string(), "01936f2e4b0070008000000000000001");
        assert_eq!(DocumentKind::CreditNote.numbered(42), "CN-00000042");
        assert_eq!(DocumentKind::SelfBilledInvoice.numbered(7), "SB-00000007");
    }
}
