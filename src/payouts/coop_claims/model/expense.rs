//! The expense of a claim, with what the submission and the decision made of it.

use super::Extent;
use crate::platform::values::{CalendarDate, Id, Money, Month, PublishedRate, text_enum};
use serde::{Deserialize, Serialize};

/// The most expenses of a claim.
pub const MOST_EXPENSES: usize = 50;

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

impl Extent {
    /// The extent of the decisions on expenses.
    #[must_use]
    pub fn of(expenses: &[Expense]) -> Self {
        let is_whole = |expense: &Expense| {
            let asked = expense.asked.map_or(0, |asked| asked.reimbursable);
            expense.decision.as_ref().is_some_and(|decision| decision.approved == asked)
        };
        if expenses.iter().all(is_whole) { Self::Whole } else { Self::Part }
    }
}
