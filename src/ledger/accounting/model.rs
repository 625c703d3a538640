//! The accounts, transfers, months, rebates and exchange rates of accounting; no I/O, no clock, no HTTP.

mod account;

pub use account::LedgerAccount;

use crate::{
    network::profiles::Standing,
    participation::enrollments::EnrollmentKey,
    platform::values::{CalendarDate, Currency, ExchangeRate, Id, Money, Month, Timestamp, text_enum},
    schema::{fx_rates, ledger_transfers, rebates},
};
use diesel::prelude::*;
use serde::Serialize;

text_enum! {
    /// The event behind a transfer.
    pub enum TransferCause {
        /// The calculation posted earnings.
        Calculation = "calculation",
        /// An adjustment was approved.
        Adjustment = "adjustment",
        /// A month was closed.
        Closure = "closure",
        /// A payment took the rebate, or the claimed part of a fund.
        Payment = "payment",
        /// A payment arrived.
        Settlement = "settlement",
        /// A payment that had not arrived gave back what it carried.
        Release = "release",
        /// A payment that had arrived came back.
        Return = "return",
        /// A co-op fund below its threshold became rebate.
        Conversion = "conversion",
        /// A plan set a part of its co-op fund aside, or gave the part back.
        Plan = "plan",
        /// A co-op claim committed a part of its fund, or gave a part back.
        Claim = "claim",
        /// The rebate was lost, or the time for claims was over.
        Forfeiture = "forfeiture",
    }
}

/// One transfer: the amount is debited to one account and credited to another, so the ledger always balances.
#[derive(Clone, Debug, Insertable, Queryable, Selectable)]
#[diesel(table_name = ledger_transfers, treat_none_as_default_value = false)]
pub struct Transfer {
    /// UUID of version 7.
    pub id: Id,
    /// The partner of the enrollment.
    pub partner_id: Id,
    /// The enrollment that both accounts belong to.
    pub enrollment_id: Id,
    /// The month that both accounts belong to.
    pub month: Month,
    /// The currency of both accounts.
    pub currency: Currency,
    /// The debited account.
    pub debit: LedgerAccount,
    /// The credited account.
    pub credit: LedgerAccount,
    /// The amount in minor units, above zero.
    pub amount: i64,
    /// The event behind the transfer.
    pub cause: TransferCause,
    /// The calculation run, the adjustment, the payment, the forfeiture, the fund, the plan or the claim behind the transfer;
    /// none for the closure of a month, and where several funds became part of a rebate.
    pub cause_id: Option<Id>,
    /// The instant of the unit that posted the transfer.
    pub posted_at: Timestamp,
}

/// Amounts to add to one rebate, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RebatePosting {
    /// The enrollment of the rebate.
    pub enrollment_id: Id,
    /// The partner of the enrollment.
    pub partner_id: Id,
    /// The open month that the rebate is paid with.
    pub posted_in: Month,
    /// The currency of the rebate.
    pub currency: Currency,
    /// The rebate parts of earnings.
    pub earned: i64,
    /// The approved adjustments.
    pub adjusted: i64,
    /// The co-op parts of earnings.
    pub coop: i64,
    /// Co-op funds that became rebate.
    pub converted: i64,
}

impl RebatePosting {
    /// The key of the rebate.
    #[must_use]
    pub fn key(&self) -> RebateKey {
        let enrollment = EnrollmentKey { partner_id: self.partner_id, id: self.enrollment_id };
        RebateKey { enrollment, posted_in: self.posted_in, currency: self.currency }
    }
}

/// The natural key of a rebate, and of the ledger accounts under the rebate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RebateKey {
    /// The enrollment that earned the rebate.
    pub enrollment: EnrollmentKey,
    /// The month that the rebate is paid with.
    pub posted_in: Month,
    /// The currency of the rebate.
    pub currency: Currency,
}

text_enum! {
    /// Whether a month still takes postings.
    pub enum AccountingMonthState {
        /// The month takes postings.
        Open = "open",
        /// The month never changes again.
        Closed = "closed",
    }
}

/// The closed months: every month up to the last closed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Months {
    /// The last closed month; none while every month is open.
    pub last_closed: Option<Month>,
}

impl Months {
    /// Whether a month still takes postings.
    #[must_use]
    pub fn is_open(self, month: Month) -> bool {
        self.last_closed.is_none_or(|closed| closed < month)
    }

    /// The month to post earnings or adjustments of `earned_in` in: `earned_in` while that month is open, else the
    /// first open month.
    #[must_use]
    pub fn posting_for(self, earned_in: Month) -> Month {
        self.last_closed.map_or(earned_in, |closed| earned_in.max(closed.plus(1)))
    }

    /// The month in which the rebates of closed months are paid: the month after the last closed one, whose rates can
    /// be published when that one is closed. While every month is open nothing is payable, and the month of `today`
    /// stands in.
    #[must_use]
    pub fn payment_month(self, today: CalendarDate) -> Month {
        self.last_closed.map_or(Month::of(today), |closed| closed.plus(1))
    }
}

text_enum! {
    /// The state of a rebate.
    pub enum RebateState {
        /// The month is open: the rebate still grows.
        Accruing = "accruing",
        /// The month is closed: the next payment run pays the rebate.
        Payable = "payable",
        /// The rebate is not paid for now: `state_reason` says why.
        OnHold = "on_hold",
        /// A payment carries the rebate.
        InPayment = "in_payment",
        /// The rebate was paid.
        Paid = "paid",
        /// The payment failed.
        Failed = "failed",
        /// The rebate was lost: held too long, or below the threshold at the end of the year.
        Forfeited = "forfeited",
        /// The rebate was set off against another one.
        Offset = "offset",
    }
}

impl RebateState {
    /// The state of a rebate of a closed month, by what keeps the rebate from being paid.
    #[must_use]
    pub const fn of_closed_month(reason: Option<RebateReason>) -> Self {
        if reason.is_some() { Self::OnHold } else { Self::Payable }
    }
}

text_enum! {
    /// The reason a rebate is not paid for now.
    pub enum RebateReason {
        /// A payout or tax profile has not been submitted.
        ProfileMissing = "profile_missing",
        /// The profiles wait for approval.
        ProfilePending = "profile_pending",
        /// A profile was refused or has expired.
        ProfileActionRequired = "profile_action_required",
        /// The bank account was changed lately.
        CoolingOff = "cooling_off",
        /// An operator holds the rebate.
        HeldByOperator = "held_by_operator",
        /// The partner says that the rebate is too high; the rebate waits for the answer.
        Disputed = "disputed",
        /// The payable sum of the enrollment is below the program's payment threshold.
        BelowPaymentThreshold = "below_payment_threshold",
        /// The payment month has no exchange rate that converts the program's payment threshold.
        PaymentRateMissing = "payment_rate_missing",
    }
}

impl RebateReason {
    /// Whether the hold lasts until somebody ends it, whatever becomes of the partner's profiles.
    #[must_use]
    pub const fn is_by_hand(self) -> bool {
        matches!(self, Self::HeldByOperator | Self::Disputed)
    }

    /// Whether a hold lasts until the partner does something: nobody loses what waits for the programme.
    #[must_use]
    pub const fn is_the_partners_turn(self) -> bool {
        match self {
            Self::ProfileMissing | Self::ProfileActionRequired => true,
            Self::ProfilePending
            | Self::CoolingOff
            | Self::HeldByOperator
            | Self::Disputed
            | Self::BelowPaymentThreshold
            | Self::PaymentRateMissing => false,
        }
    }

    /// The reason by which a partner's profiles hold a rebate; none where both profiles are approved, and no account is new.
    #[must_use]
    pub const fn of(standing: Standing) -> Option<Self> {
        match standing {
            Standing::Missing => Some(Self::ProfileMissing),
            Standing::Pending => Some(Self::ProfilePending),
            Standing::ActionRequired => Some(Self::ProfileActionRequired),
            Standing::CoolingOff => Some(Self::CoolingOff),
            Standing::Approved => None,
        }
    }
}

/// The price of one unit of a currency in another currency, for one month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable)]
#[diesel(table_name = fx_rates, treat_none_as_default_value = false)]
pub struct FxRate {
    /// UUID of version 7.
    pub id: Id,
    /// The month that the rate holds for.
    pub month: Month,
    /// The currency of which one unit is priced.
    pub base: Currency,
    /// The currency of the price.
    pub quote: Currency,
    /// Units of `quote` for one unit of `base`.
    pub rate: ExchangeRate,
    /// When the rate was published.
    pub published_at: Timestamp,
    /// The user or API client who published the rate; none for the service itself.
    pub published_by: Option<Id>,
}

/// The amount owed to one enrollment with one month, in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = rebates, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Rebate {
    /// UUID of version 7.
    pub id: Id,
    /// The enrollment that earned the rebate.
    pub enrollment_id: Id,
    /// The partner of the enrollment.
    pub partner_id: Id,
    /// The month that the rebate is paid with.
    pub posted_in: Month,
    /// The currency of all amounts of the rebate.
    pub currency: Currency,
    /// The sum of the earnings' rebate parts, in minor units.
    pub earned: i64,
    /// The sum of the approved adjustments, in minor units.
    pub adjusted: i64,
    /// The sum of the earnings' co-op parts, in minor units.
    pub coop: i64,
    /// The state of the rebate.
    pub state: RebateState,
    /// The reason of a hold.
    pub state_reason: Option<RebateReason>,
    /// The words of the operator who holds the rebate.
    pub state_comment: Option<String>,
    /// The day the hold began.
    pub state_since: Option<CalendarDate>,
    /// When the amounts were last posted to.
    pub as_of: Timestamp,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of the record; the entity tag.
    pub revision: i64,
    /// The co-op funds that became part of the rebate, in minor units.
    pub converted: i64,
}

impl Rebate {
    /// The amount owed: earned, adjusted and converted.
    #[must_use]
    pub fn amount(&self) -> Money {
        Money { minor: self.earned + self.adjusted + self.converted, currency: self.currency }
    }

    /// The natural key of the rebate.
    #[must_use]
    pub fn key(&self) -> RebateKey {
        let enrollment = EnrollmentKey { partner_id: self.partner_id, id: self.enrollment_id };
        RebateKey { enrollment, posted_in: self.posted_in, currency: self.currency }
    }

    /// The sub-resources that can be posted to now.
    #[must_use]
    pub fn allowed(&self) -> &'static [&'static str] {
        match (self.state, self.state_reason) {
            (RebateState::OnHold, Some(RebateReason::HeldByOperator)) => &["release"],
            (RebateState::OnHold, Some(RebateReason::Disputed)) => &[],
            (RebateState::Accruing | RebateState::Payable | RebateState::OnHold, _) => &["hold"],
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_late_is_posted_in_the_first_open_month() {
        let month = |text: &str| text.parse::<Month>().unwrap();
        let none = Months { last_closed: None };
        assert_eq!(none.posting_for(month("2018-07")), month("2018-07"));
        let closed = Months { last_closed: Some(month("2018-09")) };
        for (earned, posted) in [("2018-07", "2018-10"), ("2018-09", "2018-10"), ("2018-11", "2018-11")] {
            assert_eq!(closed.posting_for(month(earned)), month(posted));
        }
    }
}
