//! The summary of a partner on the wire.

use crate::{
    ledger::accounting::RebateReason,
    participation::{
        enrollments::EnrollmentView,
        programs::{CapScope, TierPeriod},
    },
    platform::values::{CalendarDate, Id, Money, Month, Rate, Timestamp},
};
use serde::Serialize;
use utoipa::ToSchema;

/// Where a partner stands today.
#[derive(Serialize, ToSchema)]
pub struct PartnerSummary {
    /// The partner.
    pub partner_id: Id,
    /// The month it is.
    pub month: Month,
    /// The program year it is, named by the year it ends in.
    #[schema(minimum = 1901, maximum = 9999, examples(2027))]
    pub program_year: i32,
    /// When the figures were computed; null before the first calculation.
    pub as_of: Option<Timestamp>,
    /// Whether sales or facts wait that the figures do not show yet.
    pub calculation_pending: bool,
    /// Each program and year that is open, of this year or the last, or still to be paid; the latest year first.
    #[schema(max_items = 200)]
    pub enrollments: Vec<SummaryEnrollment>,
}

/// Where one enrollment stands.
#[derive(Serialize, ToSchema)]
pub struct SummaryEnrollment {
    /// The enrollment, with what the partner must do next.
    pub enrollment: EnrollmentView,
    /// The program's name.
    #[schema(max_length = 200, examples("CSP direct bill"))]
    pub program_name: String,
    /// What is paid with this month, by currency.
    #[schema(max_items = 200)]
    pub this_month: Vec<SummaryEarned>,
    /// What was earned in the program year, by currency.
    #[schema(max_items = 200)]
    pub this_year: Vec<SummaryEarned>,
    /// How far each lever with tiers is; empty when the year is over.
    #[schema(max_items = 20)]
    pub tiers: Vec<SummaryTier>,
    /// What is left under each lever's cap; empty when the year is over.
    #[schema(max_items = 20)]
    pub caps: Vec<SummaryCap>,
    /// The next payment, by currency.
    #[schema(max_items = 200)]
    pub next_payment: Vec<SummaryPayment>,
    /// What ends within 90 days and takes the eligibility with it; null where nothing does.
    pub lapse: Option<SummaryLapse>,
}

/// What was earned, in one currency.
#[derive(Serialize, ToSchema)]
pub struct SummaryEarned {
    /// Rebate parts of earnings.
    pub rebate: Money,
    /// Co-op parts of earnings.
    pub coop: Money,
    /// Corrections by hand.
    pub adjusted: Money,
    /// All of it.
    pub total: Money,
}

/// How far a lever with tiers is.
#[derive(Serialize, ToSchema)]
pub struct SummaryTier {
    /// The lever's code.
    #[schema(max_length = 64, examples("core"))]
    pub lever: String,
    /// The lever's name.
    #[schema(max_length = 200, examples("Core rate"))]
    pub name: String,
    /// Over what time volume is counted.
    pub period: TierPeriod,
    /// The first day of that time.
    pub period_from: CalendarDate,
    /// What was sold in it.
    pub volume: Money,
    /// The rate of the tier that volume lies in; null below the first.
    pub rate: Option<Rate>,
    /// The next tier; null in the last one.
    pub next: Option<SummaryNextTier>,
}

/// A tier that can still be reached.
#[derive(Serialize, ToSchema)]
pub struct SummaryNextTier {
    /// The volume it begins at.
    pub from: Money,
    /// How much is missing to it.
    pub missing: Money,
    /// Its rate.
    pub rate: Rate,
}

/// What is left under a lever's cap.
#[derive(Serialize, ToSchema)]
pub struct SummaryCap {
    /// The lever's code.
    #[schema(max_length = 64, examples("core"))]
    pub lever: String,
    /// The lever's name.
    #[schema(max_length = 200, examples("Core rate"))]
    pub name: String,
    /// Whom the balance belongs to.
    pub scope: CapScope,
    /// The balance at the beginning of the year.
    pub amount: Money,
    /// What is used of the partner's balance; null where each customer has one.
    pub used: Option<Money>,
    /// What is left of it.
    pub left: Option<Money>,
    /// The customers who have used most of theirs; empty where the partner has one balance.
    #[schema(max_items = 5)]
    pub customers: Vec<SummaryCapUse>,
}

/// What a customer has used of its cap.
#[derive(Serialize, ToSchema)]
pub struct SummaryCapUse {
    /// The customer.
    #[schema(max_length = 128, examples("C-20881"))]
    pub customer_id: String,
    /// What is used.
    pub used: Money,
    /// What is left.
    pub left: Money,
}

/// What is paid next.
#[derive(Serialize, ToSchema)]
pub struct SummaryPayment {
    /// What is payable now.
    pub payable: Money,
    /// What the open months have added so far, payable when they are closed.
    pub accruing: Money,
    /// The least that is paid; null where no exchange rate says what that is in this currency.
    pub threshold: Option<Money>,
    /// What is missing to it; null where nothing is, or nothing is payable.
    pub missing: Option<Money>,
    /// Why nothing is paid, where what is payable does not reach the threshold.
    pub reason: Option<RebateReason>,
    /// What waits, by reason.
    #[schema(max_items = 5)]
    pub on_hold: Vec<SummaryHold>,
}

/// What waits for one reason.
#[derive(Serialize, ToSchema)]
pub struct SummaryHold {
    /// What it waits for.
    pub reason: RebateReason,
    /// What would release it.
    #[schema(max_length = 300, examples("It is paid once the payout and tax profiles are approved."))]
    pub detail: &'static str,
    /// How much.
    pub amount: Money,
    /// Since when the first of it waits.
    pub since: Option<CalendarDate>,
}

/// What ends soon.
#[derive(Serialize, ToSchema)]
pub struct SummaryLapse {
    /// The first day that is met by grace only, or no longer.
    pub firm_until: CalendarDate,
    /// The last day every rule is met, grace included.
    pub last_day: CalendarDate,
    /// What is lapsing, a sentence each.
    #[schema(max_items = 20, max_length = 2000, examples("MPN agreement A-100 ends on 2027-06-30."))]
    pub lapsing: Vec<String>,
}
