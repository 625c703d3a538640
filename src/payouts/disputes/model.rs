//! The dispute, its states and its clock; no I/O, no clock, no HTTP.

use crate::{
    earnings::calculation::TraceStep,
    platform::{
        db::types::Json,
        values::{CalendarDate, Currency, Id, Money, Month, Timestamp, text_enum},
    },
    schema::disputes,
};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

/// The business days until a first answer is due, and until the final one.
pub const ANSWER_DAYS: u8 = 5;

text_enum! {
    /// The kind of record that a dispute is about.
    pub enum DisputeSubject {
        /// An earning; the figure is its rebate part.
        Earning = "earning",
        /// A record of what did not earn; the figure is nothing.
        IneligibleRecord = "ineligible_record",
        /// A rebate; the figure is its amount.
        Rebate = "rebate",
        /// A payment; the figure is its gross amount.
        Payment = "payment",
    }
}

impl DisputeSubject {
    /// The days for which the record may be disputed.
    #[must_use]
    pub const fn days(self) -> i32 {
        match self {
            Self::Earning | Self::IneligibleRecord => 90,
            Self::Rebate | Self::Payment => 30,
        }
    }
}

text_enum! {
    /// The state of a dispute.
    pub enum DisputeState {
        /// An operator has to answer.
        Open = "open",
        /// An operator has asked the partner something; the clock of the answer stands still.
        InformationRequested = "information_requested",
        /// The partner is right; an adjustment settles the dispute.
        Upheld = "upheld",
        /// The figure is right; the partner may escalate once.
        Rejected = "rejected",
        /// The partner does not agree with the answer; an operator has to give the final one.
        Escalated = "escalated",
        /// The figure is right, for good.
        RejectedFinally = "rejected_finally",
        /// The partner has taken the dispute back.
        Withdrawn = "withdrawn",
    }
}

text_enum! {
    /// What an answer says.
    pub enum Verdict {
        /// The partner is right.
        Upheld = "upheld",
        /// The figure is right.
        Rejected = "rejected",
    }
}

/// Which answer of a dispute is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// The first answer.
    First,
    /// The answer after an escalation.
    Final,
}

/// What happens to a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisputeEvent {
    /// An operator answers.
    Answer(Verdict),
    /// An operator asks the partner something.
    InformationRequest,
    /// The partner replies.
    Reply,
    /// The partner asks for a final answer.
    Escalation,
    /// The partner takes the dispute back.
    Withdrawal,
    /// Another person turns down the adjustment that was to settle the dispute.
    SettlementRejection(Round),
    /// Another person approves the adjustment that settles the dispute.
    SettlementApproval,
}

impl DisputeEvent {
    /// Every event that people bring about, with the name of its sub-resource.
    pub const TOLD: [(Self, &'static str); 5] = [
        (Self::Answer(Verdict::Rejected), "answer"),
        (Self::InformationRequest, "information-request"),
        (Self::Reply, "reply"),
        (Self::Escalation, "escalation"),
        (Self::Withdrawal, "withdrawal"),
    ];
}

impl DisputeState {
    /// The state after an event; none where the state does not allow the event.
    #[must_use]
    pub const fn after(self, event: DisputeEvent) -> Option<Self> {
        use DisputeEvent as Event;
        match (self, event) {
            (Self::Open, Event::Answer(Verdict::Rejected)) => Some(Self::Rejected),
            (Self::Open | Self::Escalated, Event::Answer(Verdict::Upheld))
            | (Self::Upheld, Event::SettlementApproval) => Some(Self::Upheld),
            (Self::Escalated, Event::Answer(Verdict::Rejected)) => Some(Self::RejectedFinally),
            (Self::Open, Event::InformationRequest) => Some(Self::InformationRequested),
            (Self::InformationRequested, Event::Reply)
            | (Self::Upheld, Event::SettlementRejection(Round::First)) => Some(Self::Open),
            (Self::Rejected, Event::Escalation)
            | (Self::Upheld, Event::SettlementRejection(Round::Final)) => Some(Self::Escalated),
            (Self::Open | Self::InformationRequested | Self::Escalated, Event::Withdrawal) => {
                Some(Self::Withdrawn)
            }
            _ => None,
        }
    }

    /// Whether an answer is still to come.
    #[must_use]
    pub const fn waits(self) -> bool {
        match self {
            Self::Open | Self::InformationRequested | Self::Escalated => true,
            Self::Upheld | Self::Rejected | Self::RejectedFinally | Self::Withdrawn => false,
        }
    }

    /// Whether the disputed amount waits, in the state that an event led to: for an answer, or for another person's decision on
    /// the adjustment that an answer has proposed.
    #[must_use]
    pub const fn holds_after(self, event: DisputeEvent) -> bool {
        match event {
            DisputeEvent::Answer(Verdict::Upheld) => true,
            DisputeEvent::Answer(Verdict::Rejected)
            | DisputeEvent::InformationRequest
            | DisputeEvent::Reply
            | DisputeEvent::Escalation
            | DisputeEvent::Withdrawal
            | DisputeEvent::SettlementRejection(_)
            | DisputeEvent::SettlementApproval => self.waits(),
        }
    }

    /// The sub-resources that can be posted to now.
    #[must_use]
    pub fn allowed(self) -> Vec<&'static str> {
        let told = DisputeEvent::TOLD.iter().filter(|(event, _)| self.after(*event).is_some());
        told.map(|(_, name)| *name).collect()
    }
}

/// The clock of an answer. The clock stands still while the partner is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerClock {
    /// The day the answer is due; none while the clock stands still, and once there is an answer.
    pub due_on: Option<CalendarDate>,
    /// The business days that were left when the clock stopped.
    pub days_left: u8,
}

impl AnswerClock {
    /// The clock of an answer that is asked for today.
    #[must_use]
    pub fn begun(today: CalendarDate) -> Self {
        Self { due_on: Some(today.plus_business_days(ANSWER_DAYS)), days_left: ANSWER_DAYS }
    }

    /// The clock, standing still from today on.
    #[must_use]
    pub fn stopped(self, today: CalendarDate) -> Self {
        let days_left = self.due_on.map_or(self.days_left, |due| today.business_days_until(due));
        Self { due_on: None, days_left }
    }

    /// The clock, going on today with the days that were left.
    #[must_use]
    pub fn resumed(self, today: CalendarDate) -> Self {
        Self { due_on: Some(today.plus_business_days(self.days_left)), ..self }
    }

    /// The clock in a state, after an event that led there.
    #[must_use]
    pub fn after(self, event: DisputeEvent, today: CalendarDate) -> Self {
        match event {
            DisputeEvent::InformationRequest
            | DisputeEvent::Answer(_)
            | DisputeEvent::Withdrawal
            | DisputeEvent::SettlementApproval => self.stopped(today),
            DisputeEvent::Reply => self.resumed(today),
            DisputeEvent::Escalation | DisputeEvent::SettlementRejection(_) => Self::begun(today),
        }
    }
}

/// A question of an operator, with the partner's reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The words of the operator.
    pub asked: String,
    /// When the question was asked.
    pub asked_at: Timestamp,
    /// The reply; none before the partner has replied.
    pub reply: Option<String>,
    /// When the partner replied.
    pub replied_at: Option<Timestamp>,
}

/// An answer to a dispute, with the second calculation it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenAnswer {
    /// What the answer says.
    pub verdict: Verdict,
    /// The reason in the operator's words.
    pub reason: String,
    /// The amount that the adjustment adds, in minor units; none of a rejection.
    pub granted: Option<i64>,
    /// The adjustment that settles the dispute; none of a rejection.
    pub adjustment_id: Option<Id>,
    /// The parts of the second calculation.
    pub lines: Vec<CalculatedLine>,
    /// The user or API client who answered.
    pub answered_by: Option<Id>,
    /// When the answer was given.
    pub answered_at: Timestamp,
}

/// A part of a second calculation: what a lever gives for a month. Amounts are minor units of the dispute's currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalculatedLine {
    /// The enrollment.
    pub enrollment_id: Id,
    /// The code of the program.
    pub program: String,
    /// The program version whose terms count.
    pub version: i32,
    /// The code of the lever.
    pub lever: String,
    /// The month that the part applies to.
    pub earned_in: Month,
    /// The rebate part that is posted.
    pub posted: i64,
    /// The rebate part by the second calculation.
    pub computed: i64,
    /// The rule by which the part earns nothing, or not all of it.
    pub code: Option<String>,
    /// The steps of the calculation; empty of a sum.
    pub trace: Vec<TraceStep>,
}

impl GivenAnswer {
    /// What the second calculation gives more than is posted.
    #[must_use]
    pub fn missing(&self) -> i64 {
        self.lines.iter().map(|line| line.computed - line.posted).sum()
    }
}

/// What a partner objects to.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = disputes, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Dispute {
    /// UUID of version 7.
    pub id: Id,
    /// The partner that disputes.
    pub partner_id: Id,
    /// The kind of the disputed record.
    pub subject: DisputeSubject,
    /// The disputed record.
    pub subject_id: Id,
    /// The enrollment of the record; none of a payment for several enrollments.
    pub enrollment_id: Option<Id>,
    /// The last month that the figure applies to.
    pub earned_in: Month,
    /// The currency of both figures.
    pub currency: Currency,
    /// The figure on record when the dispute was raised, in minor units.
    pub figure: i64,
    /// The figure that the partner expects, in minor units.
    pub expected: i64,
    /// The reason in the partner's words.
    pub reason: String,
    /// The state of the dispute.
    pub state: DisputeState,
    /// The day the answer is due; none while the clock stands still, and once there is an answer.
    pub due_on: Option<CalendarDate>,
    /// The business days that were left when the clock stopped.
    pub days_left: i64,
    /// The rebate that is held until the answer, and until the adjustment of an answer that upholds is decided.
    pub held_rebate_id: Option<Id>,
    /// The questions to the partner, the oldest first.
    pub questions: Json<Vec<Question>>,
    /// The answers, the oldest first.
    pub answers: Json<Vec<GivenAnswer>>,
    /// The adjustment that settles the dispute.
    pub adjustment_id: Option<Id>,
    /// The reason for a final answer in the partner's words; none of a dispute that was not escalated.
    pub escalation_reason: Option<String>,
    /// The user or API client who raised the dispute.
    pub raised_by: Option<Id>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of the record; the entity tag.
    pub revision: i64,
}

impl Dispute {
    /// An amount in the currency of the dispute.
    #[must_use]
    pub fn money(&self, minor: i64) -> Money {
        Money { minor, currency: self.currency }
    }

    /// The clock of the answer.
    #[must_use]
    pub fn clock(&self) -> AnswerClock {
        AnswerClock { due_on: self.due_on, days_left: u8::try_from(self.days_left).unwrap_or(u8::MAX) }
    }

    /// The answer that is given next, or was given last.
    #[must_use]
    pub fn round(&self) -> Round {
        if self.escalation_reason.is_some() { Round::Final } else { Round::First }
    }

    /// The rebate that could be paid although the partner expects less: then the disputed amount is a part of it.
    #[must_use]
    pub fn expects_less(&self) -> bool {
        self.expected < self.figure
    }
}

#[cfg(test)]
mod tests;
