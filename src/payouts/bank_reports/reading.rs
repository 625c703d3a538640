//! What a line of a bank means for a payment; no I/O, no clock, no HTTP.

use super::model::ExceptionReason;
use crate::{
    payouts::{
        bank_files::{Amount, BankEntry, Direction, Meaning, NameCheck, StatusLine},
        payments::{Payment, PaymentEvent, PaymentState, Reconciliation},
    },
    platform::values::{CalendarDate, Id, Money},
};

/// What a line means for a payment: what happened to the payment, one after the other, and whether a person looks at the line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    /// What happened.
    pub events: Vec<PaymentEvent>,
    /// Whether the line is the entry that shows the payment.
    pub is_shown: bool,
    /// The reason that a person looks at the line.
    pub exception: Option<ExceptionReason>,
}

impl Reading {
    fn of(events: &[PaymentEvent]) -> Self {
        Self { events: events.to_vec(), ..Self::default() }
    }

    pub(super) fn exception(reason: ExceptionReason) -> Self {
        Self { exception: Some(reason), ..Self::default() }
    }

    /// Whether the line tells nothing new.
    pub(super) fn is_nothing(&self) -> bool {
        self == &Self::default()
    }
}

/// What the bank says happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Accepted,
    Pending,
    Settled,
    Rejected,
    GivenBack,
}

/// What a status of a report means for a payment.
pub(super) fn of_status(payment: &Payment, line: &StatusLine) -> Reading {
    if differs(payment, line.amount.as_ref()) {
        return Reading::exception(ExceptionReason::AmountDiffers);
    }
    let Some(status) = line.transaction_status.as_deref() else {
        return Reading::exception(ExceptionReason::StatusMissing);
    };
    match Meaning::of(status, line.reasons.iter().map(String::as_str)) {
        Meaning::Accepted => reading(payment.state, Told::Accepted),
        Meaning::Settled => reading(payment.state, Told::Settled),
        Meaning::PendingAtBank => reading(payment.state, Told::Pending),
        // A payment that is only blocked can still be paid.
        Meaning::OnHoldRegulatory if status != "RJCT" => {
            let waiting = reading(payment.state, Told::Pending);
            Reading { exception: waiting.exception.or(Some(ExceptionReason::Regulatory)), ..waiting }
        }
        Meaning::Failed(_) | Meaning::OnHoldRegulatory => reading(payment.state, Told::Rejected),
        Meaning::NameCheck(NameCheck::Match) | Meaning::InParts => Reading::default(),
        Meaning::NameCheck(_) => Reading::exception(ExceptionReason::NameCheck),
        Meaning::Unknown => Reading::exception(ExceptionReason::StatusUnknown),
    }
}

/// The statement that is read, and the day on which it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadOn {
    pub statement: Id,
    pub today: CalendarDate,
}

/// What an entry of a statement means for a payment.
pub(super) fn of_entry(payment: &Payment, entry: &BankEntry, read: ReadOn) -> Reading {
    if entry.status.as_deref() == Some("INFO") {
        return Reading::default();
    }
    if entry.amount.is_none() || differs(payment, entry.amount.as_ref()) {
        return Reading::exception(ExceptionReason::AmountDiffers);
    }
    let is_booked = entry.status.as_deref() != Some("PDNG");
    match (entry.direction, entry.is_reversal, is_booked) {
        (None, ..) => Reading::exception(ExceptionReason::StatusMissing),
        (Some(Direction::Debit), false, false) => reading(payment.state, Told::Pending),
        // What is not booked yet has not come back.
        (Some(_), _, false) => Reading::default(),
        (Some(Direction::Debit), false, true) => booked(payment, entry, read),
        (Some(Direction::Credit), ..) => reading(payment.state, Told::GivenBack),
        // A debit that reverses undoes a credit: the payee has what had come back.
        (Some(Direction::Debit), true, true) => Reading::exception(ExceptionReason::ReturnUndone),
    }
}

/// What a booked entry that an operator has found to be of a payment means for the payment.
pub(super) fn of_match(payment: &Payment, direction: Direction) -> Reading {
    match direction {
        Direction::Credit => reading(payment.state, Told::GivenBack),
        Direction::Debit if payment.reconciliation == Reconciliation::Matched => {
            Reading::exception(ExceptionReason::BookedTwice)
        }
        Direction::Debit => shown(payment),
    }
}

fn booked(payment: &Payment, entry: &BankEntry, read: ReadOn) -> Reading {
    if payment.reconciliation == Reconciliation::Matched {
        // One booking stands in a notification and in the statement of the day: the bank's reference tells. Where the bank gives
        // none, two entries of one statement are two bookings.
        let same = match (&payment.bank_reference, &entry.bank_reference) {
            (Some(one), Some(other)) => one == other,
            (None, _) | (_, None) => payment.statement_id != Some(read.statement),
        };
        return if same { Reading::default() } else { Reading::exception(ExceptionReason::BookedTwice) };
    }
    let shown = shown(payment);
    let day = entry.booked_on.or(entry.valued_on);
    if shown.events.contains(&PaymentEvent::Confirmation)
        && day.is_some_and(|day| !may_arrive_on(payment, day, read.today))
    {
        return Reading::exception(ExceptionReason::DayImplausible);
    }
    shown
}

/// Whether a payment may have arrived on a day, as it is read today: not before the bank got it, and not later than today.
pub(super) fn may_arrive_on(payment: &Payment, day: CalendarDate, today: CalendarDate) -> bool {
    payment.sent_on.is_none_or(|sent| sent <= day) && day <= today
}

/// What an entry means that is the first to show a payment.
fn shown(payment: &Payment) -> Reading {
    let settled = reading(payment.state, Told::Settled);
    Reading { is_shown: settled.exception.is_none(), ..settled }
}

fn differs(payment: &Payment, amount: Option<&Amount>) -> bool {
    let due = Money { minor: payment.net, currency: payment.currency };
    match amount {
        None => false,
        Some(Amount::Read(money)) => *money != due,
        Some(Amount::Unread(_)) => true,
    }
}

/// What follows for a payment in a state: the whole table.
fn reading(state: PaymentState, told: Told) -> Reading {
    use PaymentEvent::{Confirmation, Delay, Dispatch, Failure, Return};
    use PaymentState::{
        Approved, Created, Failed, InFile, PendingAtBank, Returned, Reversed, Sent, Settled, Stopped,
    };
    match (state, told) {
        (InFile, Told::Accepted) => Reading::of(&[Dispatch]),
        (InFile, Told::Pending) => Reading::of(&[Dispatch, Delay]),
        (InFile, Told::Settled) => Reading::of(&[Dispatch, Confirmation]),
        (InFile, Told::Rejected | Told::GivenBack) => Reading::of(&[Dispatch, Failure]),
        (Sent, Told::Pending) => Reading::of(&[Delay]),
        (Sent | PendingAtBank, Told::Settled) => Reading::of(&[Confirmation]),
        (Sent | PendingAtBank, Told::Rejected | Told::GivenBack) => Reading::of(&[Failure]),
        (Settled, Told::GivenBack) => Reading::of(&[Return]),
        // Reports come late, and more than once.
        (Sent | PendingAtBank | Settled, Told::Accepted)
        | (PendingAtBank | Settled, Told::Pending)
        | (Settled, Told::Settled)
        | (Failed, Told::Accepted | Told::Pending | Told::Rejected | Told::GivenBack)
        | (Returned, Told::Accepted | Told::Pending | Told::Settled | Told::GivenBack) => Reading::default(),
        (Created | Approved | Stopped | Reversed, _)
        | (Settled | Returned, Told::Rejected)
        | (Failed, Told::Settled) => Reading::exception(ExceptionReason::ContradictsState),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    #[test]
    fn the_table_of_readings_is_this_one() {
        let told = [Told::Accepted, Told::Pending, Told::Settled, Told::Rejected, Told::GivenBack];
        let mut table = String::new();
        for state in PaymentState::ALL {
            for told in told {
                let Reading { events, exception, .. } = reading(*state, told);
                let exception = exception.map(|reason| format!(" {reason}")).unwrap_or_default();
                writeln!(table, "{state} + {told:?} -> {events:?}{exception}").unwrap();
                // Whatever is read the state table allows.
                let after = events.iter().try_fold(*state, |state, event| state.after(*event));
                assert!(after.is_some(), "{state} {told:?}");
            }
        }
        insta::assert_snapshot!(table);
    }

    const STATEMENT: Id = Id(uuid::Uuid::from_u128(5));
    const OTHER: Id = Id(uuid::Uuid::from_u128(6));

    fn read(statement: Id) -> ReadOn {
        ReadOn { statement, today: "2018-08-06".parse().unwrap() }
    }

    #[test]
    fn a_booking_before_the_bank_got_the_payment_or_after_today_is_looked_at() {
        let exception = |sent_on: Option<&str>, booked_on: &str| {
            let sent_on = sent_on.map(|day| day.parse().unwrap());
            let payment = Payment { sent_on, ..payment(PaymentState::Sent) };
            let booked_on = Some(booked_on.parse().unwrap());
            let entry = BankEntry { booked_on, ..entry(Direction::Debit, false, "BOOK") };
            of_entry(&payment, &entry, read(STATEMENT)).exception
        };
        let implausible = Some(ExceptionReason::DayImplausible);
        assert_eq!(exception(Some("2018-08-03"), "2018-08-02"), implausible);
        assert_eq!(exception(Some("2018-08-03"), "2018-08-07"), implausible);
        assert_eq!(exception(Some("2018-08-03"), "2018-08-03"), None);
        assert_eq!(exception(Some("2018-08-03"), "2018-08-06"), None);
        assert_eq!(exception(None, "2018-08-01"), None);
    }

    fn payment(state: PaymentState) -> Payment {
        let (id, at) = (Id(uuid::Uuid::from_u128(1)), crate::platform::values::Timestamp::from_micros(0));
        Payment {
            id,
            partner_id: id,
            run_id: id,
            currency: crate::platform::values::Currency::USD,
            state,
            reconciliation: Reconciliation::Unreconciled,
            document_kind: crate::payouts::payments::DocumentKind::CreditNote,
            document_number: Some(1),
            gross: 500,
            withheld: 0,
            withholding_rate_id: id,
            net: 500,
            replaces: None,
            sent_on: None,
            settled_on: None,
            state_code: None,
            state_comment: None,
            created_at: at,
            updated_at: at,
            revision: 1,
            file_id: None,
            file_group: None,
            bank_reference: None,
            statement_id: None,
            statement_entry: None,
            payout_revision: None,
            execution_on: None,
        }
    }

    fn entry(direction: Direction, is_reversal: bool, status: &str) -> BankEntry {
        let money = Money { minor: 500, currency: crate::platform::values::Currency::USD };
        BankEntry {
            amount: Some(Amount::Read(money)),
            direction: Some(direction),
            is_reversal,
            status: Some(status.to_owned()),
            ..BankEntry::default()
        }
    }

    #[test]
    fn the_table_of_entries_is_this_one() {
        let mut table = String::new();
        for direction in [Direction::Debit, Direction::Credit] {
            for (is_reversal, kind) in [(false, ""), (true, " that reverses")] {
                for status in ["BOOK", "PDNG", "INFO"] {
                    for state in PaymentState::ALL {
                        let entry = entry(direction, is_reversal, status);
                        let Reading { events, is_shown, exception } =
                            of_entry(&payment(*state), &entry, read(STATEMENT));
                        let shown = if is_shown { " shown" } else { "" };
                        let exception = exception.map(|reason| format!(" {reason}")).unwrap_or_default();
                        writeln!(
                            table,
                            "{status} {direction:?}{kind} + {state} -> {events:?}{shown}{exception}"
                        )
                        .unwrap();
                    }
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn two_bookings_are_told_from_one_that_is_shown_twice() {
        let booked_again = |known: Option<&str>, told: Option<&str>, statement| {
            let matched = Payment {
                reconciliation: Reconciliation::Matched,
                bank_reference: known.map(str::to_owned),
                statement_id: Some(STATEMENT),
                ..payment(PaymentState::Settled)
            };
            let bank_reference = told.map(str::to_owned);
            let entry = BankEntry { bank_reference, ..entry(Direction::Debit, false, "BOOK") };
            of_entry(&matched, &entry, read(statement)).exception
        };
        let twice = Some(ExceptionReason::BookedTwice);
        for statement in [STATEMENT, OTHER] {
            assert_eq!(booked_again(Some("A"), Some("A"), statement), None);
            assert_eq!(booked_again(Some("A"), Some("B"), statement), twice);
        }
        for (known, told) in [(None, None), (Some("A"), None), (None, Some("B"))] {
            assert_eq!(booked_again(known, told, STATEMENT), twice, "two entries of one statement");
            assert_eq!(
                booked_again(known, told, OTHER),
                None,
                "a notification, and the statement of the day"
            );
        }
    }
}
