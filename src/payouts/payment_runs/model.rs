//! The payment run, its states and its totals; no I/O, no clock, no HTTP.

use crate::{
    ledger::accounting::{PaymentWait, RebateReason, WaitingRange},
    payouts::payments,
    platform::{
        Result,
        db::types::Json,
        values::{Currency, Id, Money, Month, Timestamp, text_enum},
    },
    schema::payment_runs,
};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

text_enum! {
    /// The state of a payment run.
    pub enum PaymentRunState {
        /// The run is gathering what is payable.
        Preparing = "preparing",
        /// The run is prepared; another person has to approve it.
        Created = "created",
        /// The payments may go to the bank.
        Approved = "approved",
        /// The bank has the payments.
        Sent = "sent",
        /// The run was given up; its rebates and claims are payable again.
        Cancelled = "cancelled",
    }
}

impl PaymentRunState {
    /// The sub-resources that can be posted to now.
    #[must_use]
    pub const fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Preparing => &["cancellation"],
            Self::Created => &["approval", "cancellation"],
            Self::Approved => &["dispatch"],
            Self::Sent | Self::Cancelled => &[],
        }
    }
}

text_enum! {
    /// The reason that a payable amount is not in a run.
    pub enum RunWaitReason {
        /// A payout or tax profile has not been submitted.
        ProfileMissing = "profile_missing",
        /// The profiles wait for approval.
        ProfilePending = "profile_pending",
        /// A profile was refused or has expired.
        ProfileActionRequired = "profile_action_required",
        /// The bank account was changed lately.
        CoolingOff = "cooling_off",
        /// An operator holds the rebate or the claim.
        HeldByOperator = "held_by_operator",
        /// The partner disputes the rebate as too high.
        Disputed = "disputed",
        /// The partner is suspended.
        PartnerSuspended = "partner_suspended",
        /// The partner is closed, and still accrues: the last payment comes once everything is payable.
        PartnerClosed = "partner_closed",
        /// The payable sum of the enrollment's rebates, or of its claims, is below the program's payment threshold.
        BelowPaymentThreshold = "below_payment_threshold",
        /// The payment month has no exchange rate that converts the program's payment threshold.
        PaymentRateMissing = "payment_rate_missing",
        /// More is owed back than is payable.
        NegativeBalance = "negative_balance",
    }
}

impl RunWaitReason {
    /// Whether somebody has to act before the amount is paid; else the amount is carried to a later run.
    #[must_use]
    pub const fn is_hold(self) -> bool {
        match self {
            Self::ProfileMissing
            | Self::ProfilePending
            | Self::ProfileActionRequired
            | Self::CoolingOff
            | Self::HeldByOperator
            | Self::Disputed
            | Self::PartnerSuspended => true,
            Self::PartnerClosed
            | Self::BelowPaymentThreshold
            | Self::PaymentRateMissing
            | Self::NegativeBalance => false,
        }
    }
}

impl From<RebateReason> for RunWaitReason {
    fn from(reason: RebateReason) -> Self {
        match reason {
            RebateReason::ProfileMissing => Self::ProfileMissing,
            RebateReason::ProfilePending => Self::ProfilePending,
            RebateReason::ProfileActionRequired => Self::ProfileActionRequired,
            RebateReason::CoolingOff => Self::CoolingOff,
            RebateReason::HeldByOperator => Self::HeldByOperator,
            RebateReason::Disputed => Self::Disputed,
            RebateReason::BelowPaymentThreshold => Self::BelowPaymentThreshold,
            RebateReason::PaymentRateMissing => Self::PaymentRateMissing,
        }
    }
}

impl From<PaymentWait> for RunWaitReason {
    fn from(wait: PaymentWait) -> Self {
        wait.reason().into()
    }
}

/// The totals of a run in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PaymentRunTotal)]
pub struct RunTotal {
    /// The currency.
    pub currency: Currency,
    /// The number of payments.
    #[schema(minimum = 0)]
    pub payments: i64,
    /// The sum of the payments' lines.
    #[serde(deserialize_with = "Money::deserialize_sum")]
    pub gross: Money,
    /// The part withheld as tax.
    #[serde(deserialize_with = "Money::deserialize_sum")]
    pub withheld: Money,
    /// The amount for the bank: gross less withheld.
    #[serde(deserialize_with = "Money::deserialize_sum")]
    pub net: Money,
    /// The part of what is payable that rebates below zero take away.
    #[serde(deserialize_with = "Money::deserialize_sum")]
    pub offset: Money,
    /// What is carried to a later run, by reason.
    #[schema(max_items = 20)]
    pub carried: Vec<RunWait>,
    /// What is on hold, by reason.
    #[schema(max_items = 20)]
    pub on_hold: Vec<RunWait>,
}

/// What is not paid by a run for one reason, in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PaymentRunWait)]
pub struct RunWait {
    /// The reason.
    pub reason: RunWaitReason,
    /// The sum; below zero where more is owed back.
    #[serde(deserialize_with = "Money::deserialize_sum")]
    pub amount: Money,
    /// The number of enrollments; one whose rebates and whose claims both wait is counted for each.
    #[schema(minimum = 0)]
    pub enrollments: i64,
}

impl RunTotal {
    /// Nothing in a currency.
    #[must_use]
    pub fn none(currency: Currency) -> Self {
        let nothing = Money { minor: 0, currency };
        Self {
            currency,
            payments: 0,
            gross: nothing,
            withheld: nothing,
            net: nothing,
            offset: nothing,
            carried: Vec::new(),
            on_hold: Vec::new(),
        }
    }

    /// Adds an amount that the run does not pay; refused where no amount can hold the sum.
    pub fn add_wait(&mut self, reason: RunWaitReason, minor: i64, enrollments: i64) -> Result<()> {
        let currency = self.currency;
        let waits = if reason.is_hold() { &mut self.on_hold } else { &mut self.carried };
        if let Some(wait) = waits.iter_mut().find(|wait| wait.reason == reason) {
            wait.amount.minor = plus(wait.amount.minor, minor)?;
            wait.enrollments += enrollments;
            return Ok(());
        }
        waits.push(RunWait { reason, amount: Money { minor, currency }, enrollments });
        waits.sort_by_key(|wait| wait.reason);
        Ok(())
    }

    /// Adds the totals of another portion; refused where no amount can hold a sum.
    pub fn add(&mut self, other: &Self) -> Result<()> {
        self.payments += other.payments;
        for (sum, part) in [
            (&mut self.gross, other.gross),
            (&mut self.withheld, other.withheld),
            (&mut self.net, other.net),
            (&mut self.offset, other.offset),
        ] {
            sum.minor = plus(sum.minor, part.minor)?;
        }
        for wait in other.carried.iter().chain(&other.on_hold) {
            self.add_wait(wait.reason, wait.amount.minor, wait.enrollments)?;
        }
        Ok(())
    }
}

fn plus(sum: i64, amount: i64) -> Result<i64> {
    sum.checked_add(amount).ok_or_else(payments::out_of_range)
}

/// Totals by currency.
pub(super) type Totals = BTreeMap<Currency, RunTotal>;

/// Adds the totals of a portion to those of the portions before.
pub(super) fn with_totals(before: &[RunTotal], portion: &Totals) -> Result<Vec<RunTotal>> {
    let mut sums: Totals = before.iter().map(|total| (total.currency, total.clone())).collect();
    for (currency, total) in portion {
        sums.entry(*currency).or_insert_with(|| RunTotal::none(*currency)).add(total)?;
    }
    Ok(sums.into_values().collect())
}

/// A payment run.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = payment_runs, treat_none_as_null = true)]
pub struct PaymentRun {
    /// UUID of version 7.
    pub id: Id,
    /// The closed month: the run pays what was posted up to the month.
    pub month: Month,
    /// The currency; none for all.
    pub currency: Option<Currency>,
    /// The month of payment, whose exchange rates convert the payment thresholds.
    pub paid_in: Month,
    /// The failed or returned payment that the run's only payment replaces; none of a run over everything payable.
    pub reissues: Option<Id>,
    /// The state of the run.
    pub state: PaymentRunState,
    /// The last partner that was looked at; none before the first.
    pub position: Option<Id>,
    /// Partners that were looked at.
    pub done: i64,
    /// Partners with something that waits to be paid, counted when the run began.
    pub total: i64,
    /// The totals by currency.
    pub totals: Json<Vec<RunTotal>>,
    /// The user or API client who made the run; none for the service itself.
    pub created_by: Option<Id>,
    /// The user or API client who approved or cancelled the run.
    pub decided_by: Option<Id>,
    /// When the run was approved or cancelled.
    pub decided_at: Option<Timestamp>,
    /// The reason of the decision in the decider's words.
    pub decision_comment: Option<String>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of the record; the entity tag.
    pub revision: i64,
}

impl PaymentRun {
    /// The rebates and claims that the run looks at.
    #[must_use]
    pub fn range(&self) -> WaitingRange {
        WaitingRange { until: self.month, currency: self.currency }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_that_no_amount_can_hold_is_refused() {
        let most = |minor| {
            let mut total = RunTotal::none(Currency::USD);
            total.gross.minor = minor;
            total
        };
        let mut sum = most(i64::MAX - 1);
        sum.add(&most(1)).unwrap();
        assert_eq!(sum.gross.minor, i64::MAX);
        assert!(sum.add(&most(1)).is_err());
        let mut total = RunTotal::none(Currency::USD);
        total.add_wait(RunWaitReason::NegativeBalance, i64::MIN, 1).unwrap();
        assert!(total.add_wait(RunWaitReason::NegativeBalance, -1, 1).is_err());
    }
}
