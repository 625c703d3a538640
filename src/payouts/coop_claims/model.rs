//! The claim, its expenses and its states; no I/O, no clock, no HTTP.

use super::risk::Risk;
use crate::{
    platform::{
        db::types::Json,
        values::{CalendarDate, Currency, Id, Money, Month, PublishedRate, Timestamp, text_enum},
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
/// The most expenses of a claim.
pub const MOST_EXPENSES: usize = 50;

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
        (Self::Dispute(Times::First), "dispute"),
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
            (Self::Submitted | Self::UnderReview | Self::Disputed, Event::Approval(Extent::Whole)) => {
                Some(Self::Approved)
            }
            (Self::Submitted | Self::UnderReview | Self::Disputed, Event::Approval(Extent::Part)) => {
                Some(Self::PartiallyApproved)
            }
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

    /// Whether a reviewer has to decide.
    #[must_use]
    pub const fn waits_for_review(self) -> bool {
        matches!(self, Self::Submitted | Self::UnderReview | Self::Disputed)
    }
}

/// Who has issued the document behind an expense.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ExpenseSource {
    /// Somebody else, by an invoice.
    Invoice {
        /// The supplier's name.
        supplier: String,
        /// The number of the invoice.
        number: String,
    },
    /// The partner, which certifies its own service.
    OwnService,
}

text_enum! {
    /// What cuts an expense, or a decision on the expense.
    pub enum CutReason {
        /// The limit of the activity is used up.
        ActivityLimit = "activity_limit",
        /// The limit for the people of one event is used up.
        PeopleLimit = "people_limit",
        /// The fund does not hold more.
        FundExhausted = "fund_exhausted",
        /// A proof is missing or does not prove the expense.
        ProofMissing = "proof_missing",
        /// The expense is no cost of the activity.
        NotOfTheActivity = "not_of_the_activity",
        /// The expense lies outside the days of the activity or of the fund.
        OutsidePeriod = "outside_period",
        /// The expense was claimed before.
        Duplicate = "duplicate",
        /// Tax that the partner recovers is not paid back.
        RecoverableTax = "recoverable_tax",
        /// The amount is not the one on the document.
        AmountNotProved = "amount_not_proved",
    }
}

impl CutReason {
    /// Whether the service itself cuts by the reason, which no reviewer gives.
    #[must_use]
    pub const fn is_of_a_limit(self) -> bool {
        matches!(self, Self::ActivityLimit | Self::PeopleLimit | Self::FundExhausted)
    }
}

/// An expense of a claim, with what the submission and the decision made of it. Amounts of both are minor units of the fund's
/// currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expense {
    /// UUID of version 7.
    pub id: Id,
    /// The subject of the expense in the partner's words.
    pub description: String,
    /// The day of the invoice or of the own service.
    pub on: CalendarDate,
    /// Who has issued the document.
    pub source: ExpenseSource,
    /// The amount without tax.
    pub net: Money,
    /// The tax.
    pub tax: Money,
    /// Whether the partner recovers the tax, which is not paid back then.
    pub recovers_tax: bool,
    /// What the submission made of the expense; none before.
    pub asked: Option<AskedExpense>,
    /// The decision; none before.
    pub decision: Option<ExpenseDecision>,
}

impl Expense {
    /// The amount that counts: net, with the tax that the partner bears; none where the sum leaves the range.
    #[must_use]
    pub fn counts(&self) -> Option<Money> {
        let tax = if self.recovers_tax { 0 } else { self.tax.minor };
        Some(Money { minor: self.net.minor.checked_add(tax)?, ..self.net })
    }

    /// The month whose rate converts the expense.
    #[must_use]
    pub fn month(&self) -> Month {
        Month::of(self.on)
    }
}

/// An expense as it was submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedExpense {
    /// The amount that counts.
    pub amount: i64,
    /// The rate by which the amount was converted; none where the expense is in the fund's currency.
    pub rate: Option<PublishedRate>,
    /// The part within the limits.
    pub reimbursable: i64,
    /// The limit that cuts the rest.
    pub cut_by: Option<CutReason>,
}

/// The decision on an expense.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpenseDecision {
    /// The approved amount.
    pub approved: i64,
    /// The reason of a cut; none where everything that is reimbursable is approved.
    pub reason: Option<CutReason>,
    /// The reviewer's words on what the partner can do.
    pub remedy: Option<String>,
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
    /// The name of the step: a sub-resource, `draft`, `change`, `proof`, `proof_removal`, `first-approval` or `expiry`.
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
    /// Whether a rejection was disputed.
    pub was_disputed: bool,
    /// The steps, the oldest first.
    pub history: Json<Vec<HistoryStep>>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// The user or API client who made the draft.
    pub created_by: Option<Id>,
    /// When the record was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of the record; the entity tag.
    pub revision: i64,
}

impl Claim {
    /// An amount in the currency of the claim.
    #[must_use]
    pub const fn money(&self, minor: i64) -> Money {
        Money { minor, currency: self.currency }
    }

    /// The event by which the partner disputes.
    #[must_use]
    pub const fn dispute(&self) -> ClaimEvent {
        ClaimEvent::Dispute(if self.was_disputed { Times::Again } else { Times::First })
    }

    /// The sub-resources that can be posted to now.
    #[must_use]
    pub fn allowed(&self) -> Vec<&'static str> {
        let told = ClaimEvent::TOLD.iter().map(|(event, name)| match event {
            ClaimEvent::Dispute(_) => (self.dispute(), *name),
            other => (*other, *name),
        });
        told.filter(|(event, _)| self.state.after(*event).is_some()).map(|(_, name)| name).collect()
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
