//! The claim and its states; no I/O, no clock, no HTTP.

mod expense;

pub use expense::{AskedExpense, CutReason, Expense, ExpenseDecision, ExpenseSource, MOST_EXPENSES};

use super::risk::Risk;
use crate::{
    platform::{
        db::types::Json,
        values::{CalendarDate, Currency, Id, Money, Month, Timestamp, text_enum},
    },
    schema::coop_claims,
};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

/// The business days that a partner has to answer a question.
pub const REPLY_DAYS: u8 = 14;
/// The business days within which a claim is reviewed.
pub const REVIEW_DAYS: u8 = 10;
/// The days after a rejection within which the rejection is disputed.
pub const DISPUTE_DAYS: i32 = 30;

/// The name of the step by which a partner disputes a rejection.
const DISPUTE: &str = "dispute";

text_enum! {
    /// The state of a co-op claim.
    pub enum ClaimState {
        /// The partner's people write the claim.
        Draft = "draft",
        /// The claim waits for a reviewer; its amount is committed.
        Submitted = "submitted",
        /// A reviewer has taken the claim.
        UnderReview = "under_review",
        /// A reviewer has asked the partner something.
        ActionRequired = "action_required",
        /// Everything asked for is approved, and stays committed until it is paid.
        Approved = "approved",
        /// A part of what was asked for is approved, and stays committed until it is paid.
        PartiallyApproved = "partially_approved",
        /// Nothing is paid; the partner may dispute once.
        Rejected = "rejected",
        /// The partner does not agree with the rejection; another reviewer gives the final decision.
        Disputed = "disputed",
        /// Nothing is paid, for good.
        RejectedFinal = "rejected_final",
        /// The claim was paid.
        Paid = "paid",
        /// The claim was not submitted, or not answered, in time.
        Expired = "expired",
        /// The partner has thrown the draft away.
        Cancelled = "cancelled",
    }
}

/// What happens to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimEvent {
    /// The partner submits the claim, for the first time or with what a reviewer asked for.
    Submission,
    /// The partner takes the claim back while nobody reviews.
    Recall,
    /// The partner throws the draft away.
    Cancellation,
    /// A reviewer takes the claim.
    Review,
    /// The reviewer gives the claim back to the queue.
    HandBack,
    /// The first of two reviewers approves; the claim waits for the second one.
    FirstApproval,
    /// The claim is approved.
    Approval(Extent),
    /// The claim is rejected.
    Rejection,
    /// The reviewer asks the partner something.
    InformationRequest,
    /// The partner disputes the rejection.
    Dispute(Times),
    /// The time of the draft, or of the answer to a question, is over.
    Expiry,
    /// The payment of the claim has arrived.
    Payment,
    /// The payment of the claim has come back.
    Return(Extent),
}

/// How much of what was asked for is approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All.
    Whole,
    /// A part.
    Part,
}

/// Whether a rejection was disputed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// Never.
    First,
    /// Once, which is as often as a rejection is disputed.
    Again,
}

impl ClaimEvent {
    /// Every event that people bring about, with the name of its sub-resource.
    pub const TOLD: [(Self, &'static str); 9] = [
        (Self::Submission, "submission"),
        (Self::Recall, "recall"),
        (Self::Cancellation, "cancellation"),
        (Self::Review, "review"),
        (Self::HandBack, "hand-back"),
        (Self::Approval(Extent::Whole), "approval"),
        (Self::Rejection, "rejection"),
        (Self::InformationRequest, "information-request"),
        (Self::Dispute(Times::First), DISPUTE),
    ];
}

impl ClaimState {
    /// The state after an event; none where the state does not allow the event.
    #[must_use]
    pub const fn after(self, event: ClaimEvent) -> Option<Self> {
        use ClaimEvent as Event;
        match (self, event) {
            // After a first approval the second reviewer finds the claim in the queue.
            (Self::Draft | Self::ActionRequired, Event::Submission)
            | (Self::UnderReview, Event::HandBack)
            | (Self::Submitted | Self::UnderReview, Event::FirstApproval) => Some(Self::Submitted),
            (Self::Submitted, Event::Recall) => Some(Self::Draft),
            (Self::Draft, Event::Cancellation) => Some(Self::Cancelled),
            (Self::Draft | Self::ActionRequired, Event::Expiry) => Some(Self::Expired),
            (Self::Submitted, Event::Review) => Some(Self::UnderReview),
            (Self::Submitted | Self::UnderReview | Self::Disputed, Event::Approval(Extent::Whole))
            | (Self::Paid, Event::Return(Extent::Whole)) => Some(Self::Approved),
            (Self::Submitted | Self::UnderReview | Self::Disputed, Event::Approval(Extent::Part))
            | (Self::Paid, Event::Return(Extent::Part)) => Some(Self::PartiallyApproved),
            (Self::Approved | Self::PartiallyApproved, Event::Payment) => Some(Self::Paid),
            (Self::Submitted | Self::UnderReview, Event::Rejection) => Some(Self::Rejected),
            (Self::Disputed, Event::Rejection) => Some(Self::RejectedFinal),
            (Self::Submitted | Self::UnderReview, Event::InformationRequest) => Some(Self::ActionRequired),
            (Self::Rejected, Event::Dispute(Times::First)) | (Self::Disputed, Event::FirstApproval) => {
                Some(Self::Disputed)
            }
            _ => None,
        }
    }

    /// Whether the partner's people may change the claim and its proofs.
    #[must_use]
    pub const fn is_written(self) -> bool {
        matches!(self, Self::Draft | Self::ActionRequired)
    }

    /// Whether the claim is approved, and its payment has not arrived.
    #[must_use]
    pub const fn is_approved(self) -> bool {
        matches!(self, Self::Approved | Self::PartiallyApproved)
    }

    /// Whether a reviewer has to decide.
    #[must_use]
    pub const fn waits_for_review(self) -> bool {
        matches!(self, Self::Submitted | Self::UnderReview | Self::Disputed)
    }
}

text_enum! {
    /// The side from which a step of a claim's history was made.
    pub enum ClaimSide {
        /// The partner's people.
        Partner = "partner",
        /// The programme's staff.
        Programme = "programme",
        /// The service itself.
        Service = "service",
    }
}

/// A step of a claim's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryStep {
    /// The instant.
    pub at: Timestamp,
    /// The side that made the step.
    pub side: ClaimSide,
    /// The user or API client; none of the service itself.
    pub by: Option<Id>,
    /// The name of the step: a sub-resource, `draft`, `proof`, `proof-removal`, `first-approval`,
    /// `expiry`, `payment` or `payment-return`.
    pub step: String,
    /// The words of whoever made the step.
    pub words: Option<String>,
    /// The amount of the step in minor units of the fund's currency.
    pub amount: Option<i64>,
}

/// What a partner asks to be paid back from a fund for one activity. Amounts are minor units of the fund's currency.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = coop_claims, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Claim {
    /// UUID of version 7.
    pub id: Id,
    /// The partner that claims.
    pub partner_id: Id,
    /// The fund.
    pub fund_id: Id,
    /// The enrollment of the fund.
    pub enrollment_id: Id,
    /// The code of the activity in the catalogue of the enrollment's program version.
    pub activity: String,
    /// The first day of the activity.
    pub activity_from: CalendarDate,
    /// The last day of the activity.
    pub activity_to: CalendarDate,
    /// The activity in the partner's words.
    pub description: String,
    /// The address of a page that proves the activity.
    pub web_address: Option<String>,
    /// The number that the activity is asked for.
    pub metric: Option<i64>,
    /// The people who took part, where the limit counts them.
    pub people: Option<i32>,
    /// The expenses.
    pub expenses: Json<Vec<Expense>>,
    /// The currency of the fund.
    pub currency: Currency,
    /// The state.
    pub state: ClaimState,
    /// The part of the fund that waits for the decision or the payment.
    pub committed: i64,
    /// The approved amount; none before the decision, and of a rejection.
    pub approved: Option<i64>,
    /// The last day for the partner to submit the claim.
    pub due_on: Option<CalendarDate>,
    /// The last day for the decision.
    pub review_due_on: Option<CalendarDate>,
    /// When the claim was last submitted.
    pub submitted_at: Option<Timestamp>,
    /// When the last decision was made.
    pub decided_at: Option<Timestamp>,
    /// The reviewer who has taken the claim.
    pub reviewer_id: Option<Id>,
    /// The first of two reviewers; of a rejection, the reviewer whom a dispute is not decided by.
    pub proposer_id: Option<Id>,
    /// Whether the claim has a risk, so that two reviewers decide.
    pub is_risky: bool,
    /// The risks.
    pub risks: Json<Vec<Risk>>,
    /// The steps, the oldest first.
    pub history: Json<Vec<HistoryStep>>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record was last changed; of a paid claim, when the service was told that the payment has arrived.
    pub updated_at: Timestamp,
    /// Counts the changes of the record; the entity tag.
    pub revision: i64,
    /// The payment that carries the claim, or has paid the claim.
    pub payment_id: Option<Id>,
    /// The words by which an operator holds the approved claim back from payment; none where nobody does.
    pub held_because: Option<String>,
    /// The plan of the fund that a part of the amount comes from; none where no part does.
    pub plan_id: Option<Id>,
    /// The part of the amount that comes from the plan.
    pub from_plan: i64,
}

impl Claim {
    /// An amount in the currency of the claim.
    #[must_use]
    pub const fn money(&self, minor: i64) -> Money {
        Money { minor, currency: self.currency }
    }

    /// Whether a rejection was disputed.
    #[must_use]
    pub fn was_disputed(&self) -> bool {
        self.history.0.iter().any(|step| step.step == DISPUTE)
    }

    /// The event by which the partner disputes.
    #[must_use]
    pub fn dispute(&self) -> ClaimEvent {
        ClaimEvent::Dispute(if self.was_disputed() { Times::Again } else { Times::First })
    }

    /// The sub-resources that can be posted to now.
    #[must_use]
    pub fn allowed(&self) -> Vec<&'static str> {
        let told = ClaimEvent::TOLD.iter().map(|(event, name)| match event {
            ClaimEvent::Dispute(_) => (self.dispute(), *name),
            other => (*other, *name),
        });
        let told = told.filter(|(event, _)| self.state.after(*event).is_some()).map(|(_, name)| name);
        told.chain(self.hold_or_release()).collect()
    }

    /// The sub-resource by which an operator holds the claim back from payment, or lets the payment go on.
    fn hold_or_release(&self) -> Option<&'static str> {
        let name = if self.held_because.is_some() { "release" } else { "hold" };
        Some(name).filter(|_| self.waits_for_payment())
    }

    /// Whether the claim is approved, and no payment carries the claim.
    #[must_use]
    pub const fn waits_for_payment(&self) -> bool {
        self.state.is_approved() && self.payment_id.is_none()
    }

    /// The month of the approval, up to which a payment run has to reach; none before an approval.
    #[must_use]
    pub fn approved_in(&self) -> Option<Month> {
        self.approved.and(self.decided_at).map(|at| Month::of(at.date()))
    }

    /// Everybody who has approved the claim, also as the first of two reviewers.
    pub fn approvers(&self) -> impl Iterator<Item = Id> + '_ {
        let approvals = self.history.0.iter().filter(|step| step.step.ends_with("approval"));
        approvals.filter_map(|step| step.by)
    }

    /// The last day on which a rejection is disputed.
    #[must_use]
    pub fn disputed_until(&self) -> Option<CalendarDate> {
        let decided = self.decided_at.filter(|_| self.state == ClaimState::Rejected)?;
        Some(decided.date().plus_days(DISPUTE_DAYS))
    }
}

#[cfg(test)]
mod tests;
