//! What accounting knows: accounts, transfers, months and rebates; no I/O, no clock, no HTTP.

use crate::{
    network::profiles::Standing,
    participation::enrollments::EnrollmentKey,
    platform::values::{CalendarDate, Currency, ExchangeRate, Id, Money, Month, Timestamp, text_enum},
    schema::{fx_rates, ledger_transfers, rebates},
};
use diesel::prelude::*;
use serde::Serialize;

text_enum! {
    /// An account of the ledger; each enrollment has each, by month and currency.
    pub enum Account {
        /// What the programme costs.
        ProgrammeExpense = "programme_expense",
        /// Rebates of months that are open.
        RebateAccrued = "rebate_accrued",
        /// Rebates of months that are closed.
        RebatePayable = "rebate_payable",
        /// Rebates that were paid.
        RebatePaid = "rebate_paid",
        /// Rebates that were lost.
        RebateForfeited = "rebate_forfeited",
        /// Co-op funds nobody has claimed.
        CoopAvailable = "coop_available",
        /// Co-op funds of claims under way.
        CoopCommitted = "coop_committed",
        /// Co-op funds that were paid.
        CoopPaid = "coop_paid",
        /// Co-op funds that were lost.
        CoopForfeited = "coop_forfeited",
    }
}

impl Account {
    /// The accounts that hold what is owed of rebates, and what became of it.
    pub const OF_REBATES: [Self; 4] =
        [Self::RebateAccrued, Self::RebatePayable, Self::RebatePaid, Self::RebateForfeited];
    /// The accounts that hold co-op funds, and what became of them.
    pub const OF_COOP: [Self; 4] =
        [Self::CoopAvailable, Self::CoopCommitted, Self::CoopPaid, Self::CoopForfeited];
}

text_enum! {
    /// Why money moved.
    pub enum Cause {
        /// The calculation posted earnings.
        Calculation = "calculation",
        /// An adjustment was approved.
        Adjustment = "adjustment",
        /// A month was closed.
        Closure = "closure",
    }
}

/// One transfer: the amount leaves the credited account's side for the debited one, so the ledger always balances.
#[derive(Clone, Debug, Insertable, Queryable, Selectable)]
#[diesel(table_name = ledger_transfers, treat_none_as_default_value = false)]
pub struct Transfer {
    /// Identifier.
    pub id: Id,
    /// Of which partner.
    pub partner_id: Id,
    /// Whose accounts.
    pub enrollment_id: Id,
    /// Of which month.
    pub month: Month,
    /// In which currency.
    pub currency: Currency,
    /// Debited.
    pub debit: Account,
    /// Credited.
    pub credit: Account,
    /// Above zero, in minor units.
    pub amount: i64,
    /// Why.
    pub cause: Cause,
    /// The record behind it.
    pub cause_id: Option<Id>,
    /// When.
    pub posted_at: Timestamp,
}

/// What is added to one rebate, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The enrollment.
    pub enrollment_id: Id,
    /// Its partner.
    pub partner_id: Id,
    /// The month it is paid with; it is open.
    pub posted_in: Month,
    /// The currency.
    pub currency: Currency,
    /// Rebate parts of earnings.
    pub earned: i64,
    /// Approved adjustments.
    pub adjusted: i64,
    /// Co-op parts of earnings.
    pub coop: i64,
}

impl Entry {
    /// The enrollment.
    #[must_use]
    pub fn enrollment(&self) -> EnrollmentKey {
        EnrollmentKey { partner_id: self.partner_id, id: self.enrollment_id }
    }
}

/// Which months are closed: all up to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Months {
    /// The last closed one; none where none is.
    pub last_closed: Option<Month>,
}

impl Months {
    /// The month something of a month is posted in: that one while it is open, else the first open one.
    #[must_use]
    pub fn posting_for(self, earned_in: Month) -> Month {
        self.last_closed.map_or(earned_in, |closed| earned_in.max(closed.plus(1)))
    }
}

text_enum! {
    /// Where a rebate stands.
    pub enum RebateState {
        /// Its month is open; it still grows.
        Accruing = "accruing",
        /// Its month is closed; it is paid with the next payment run.
        Payable = "payable",
        /// It waits: `state_reason` says for what.
        OnHold = "on_hold",
        /// A payment carries it.
        InPayment = "in_payment",
        /// It was paid.
        Paid = "paid",
        /// Its payment failed.
        Failed = "failed",
        /// It was lost: held too long, or below the threshold at the end of the year.
        Forfeited = "forfeited",
        /// It was set off against another one.
        Offset = "offset",
    }
}

text_enum! {
    /// What a rebate waits for.
    pub enum RebateReason {
        /// A payout or tax profile has not been submitted.
        ProfileMissing = "profile_missing",
        /// The profiles wait for approval.
        ProfilePending = "profile_pending",
        /// A profile was refused or has expired.
        ProfileActionRequired = "profile_action_required",
        /// An operator holds it.
        HeldByOperator = "held_by_operator",
        /// What has accumulated is less than is paid.
        BelowPaymentThreshold = "below_payment_threshold",
    }
}

impl RebateReason {
    /// Why profiles hold a rebate; not at all where they are approved.
    #[must_use]
    pub const fn of(standing: Standing) -> Option<Self> {
        match standing {
            Standing::Missing => Some(Self::ProfileMissing),
            Standing::Pending => Some(Self::ProfilePending),
            Standing::ActionRequired => Some(Self::ProfileActionRequired),
            Standing::Approved => None,
        }
    }
}

/// What one unit of a currency is worth in another, for a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable)]
#[diesel(table_name = fx_rates, treat_none_as_default_value = false)]
pub struct FxRate {
    /// Identifier.
    pub id: Id,
    /// The month.
    pub month: Month,
    /// The currency one unit of which is priced.
    pub base: Currency,
    /// The currency of the price.
    pub quote: Currency,
    /// The price.
    pub rate: ExchangeRate,
    /// When it was published.
    pub published_at: Timestamp,
    /// By whom; none for the service itself.
    pub published_by: Option<Id>,
}

/// The payable of one enrollment for one month it was posted in, in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = rebates, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Rebate {
    /// Identifier.
    pub id: Id,
    /// The enrollment.
    pub enrollment_id: Id,
    /// Its partner.
    pub partner_id: Id,
    /// The month it is paid with.
    pub posted_in: Month,
    /// The currency.
    pub currency: Currency,
    /// The sum of its earnings' rebate parts, in minor units.
    pub earned: i64,
    /// The sum of its adjustments.
    pub adjusted: i64,
    /// The sum of its earnings' co-op parts.
    pub coop: i64,
    /// Where it stands.
    pub state: RebateState,
    /// What it waits for.
    pub state_reason: Option<RebateReason>,
    /// What the operator said who holds it.
    pub state_comment: Option<String>,
    /// Since when it waits.
    pub state_since: Option<CalendarDate>,
    /// When its figures were computed.
    pub as_of: Timestamp,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts changes; the entity tag.
    pub revision: i64,
}

impl Rebate {
    /// What is owed.
    #[must_use]
    pub fn amount(&self) -> Money {
        Money { minor: self.earned + self.adjusted, currency: self.currency }
    }

    /// The sub-resources that can be posted to now.
    #[must_use]
    pub fn allowed(&self) -> &'static [&'static str] {
        match (self.state, self.state_reason) {
            (RebateState::OnHold, Some(RebateReason::HeldByOperator)) => &["release"],
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
