//! The summary of a partner on the wire.

use crate::{
    access::{ExpectedPayment, OpenClaim},
    ledger::{
        accounting::{RebateReason, coop_funds::CoopFundView},
        forfeitures::ForfeitureCause,
    },
    participation::{
        enrollments::EnrollmentView,
        programs::{CapScope, TierPeriod},
    },
    platform::values::{CalendarDate, Id, Locale, Money, Month, Rate, Timestamp},
};
use serde::Serialize;
use utoipa::ToSchema;

/// The summary of a partner's enrollments today.
#[derive(Serialize, ToSchema)]
pub struct PartnerSummary {
    /// The partner.
    pub partner_id: Id,
    /// The present month.
    pub month: Month,
    /// The present program year, named by the year it ends in.
    #[schema(minimum = 1901, maximum = 9999, examples(2027))]
    pub program_year: i32,
    /// When the figures were computed; null before the first calculation.
    pub as_of: Option<Timestamp>,
    /// Whether sales or changed facts wait for the calculation; the figures do not show them yet.
    pub calculation_pending: bool,
    /// The payments that are approved and have not arrived yet, the oldest first.
    #[schema(max_items = 1000)]
    pub payments: Vec<SummaryExpectedPayment>,
    /// The enrollments that are open, of this or the last program year, still to be paid, or with a claim under way; the latest
    /// year first.
    #[schema(max_items = 200)]
    pub enrollments: Vec<SummaryEnrollment>,
}

/// A payment that is approved and has not arrived yet.
#[derive(Serialize, ToSchema)]
pub struct SummaryExpectedPayment {
    /// The payment.
    pub payment_id: Id,
    /// The amount after tax.
    pub amount: Money,
    /// The state of the payment.
    #[schema(max_length = 60, examples("sent"))]
    pub state: &'static str,
    /// The day the bank got the payment; null before.
    pub sent_on: Option<CalendarDate>,
    /// The day on which the bank is told to pay; null while no file for the bank holds the payment.
    pub execution_on: Option<CalendarDate>,
    /// The reference by which banks name the payment.
    #[schema(max_length = 35, examples("01936f2e4b0070008000000000000001"))]
    pub reference: String,
}

impl From<ExpectedPayment> for SummaryExpectedPayment {
    fn from(payment: ExpectedPayment) -> Self {
        let ExpectedPayment { id, amount, state, sent_on, execution_on, reference } = payment;
        Self { payment_id: id, amount, state, sent_on, execution_on, reference }
    }
}

/// The summary of one enrollment.
#[derive(Serialize, ToSchema)]
pub struct SummaryEnrollment {
    /// The enrollment, with the next action of the partner.
    pub enrollment: EnrollmentView,
    /// The program's name.
    #[schema(max_length = 200, examples("CSP direct bill"))]
    pub program_name: String,
    /// The earnings that are paid with this month, by currency.
    #[schema(max_items = 200)]
    pub this_month: Vec<SummaryEarned>,
    /// The earnings of the program year, by currency.
    #[schema(max_items = 200)]
    pub this_year: Vec<SummaryEarned>,
    /// The tier that each lever with tiers has reached; empty when the year is over.
    #[schema(max_items = 20)]
    pub tiers: Vec<SummaryTier>,
    /// The balance under each lever's cap; empty when the year is over.
    #[schema(max_items = 20)]
    pub caps: Vec<SummaryCap>,
    /// The next payment, by currency.
    #[schema(max_items = 200)]
    pub next_payment: Vec<SummaryPayment>,
    /// The co-op funds, the oldest half-year first.
    #[schema(max_items = 200)]
    pub coop_funds: Vec<CoopFundView>,
    /// The co-op claims that somebody has to act on, or whose money is to come; the oldest first.
    #[schema(max_items = 200)]
    pub coop_claims: Vec<SummaryClaim>,
    /// The agreements and attainments that end within 90 days, and end the eligibility; null where there are none.
    pub lapse: Option<SummaryLapse>,
}

/// A co-op claim that is under way.
#[derive(Serialize, ToSchema)]
pub struct SummaryClaim {
    /// The claim.
    pub claim_id: Id,
    /// The fund.
    pub fund_id: Id,
    /// The activity, in the partner's words.
    #[schema(max_length = 2000, examples("Stand at Cloud Week"))]
    pub description: String,
    /// The state of the claim.
    #[schema(max_length = 60, examples("action_required"))]
    pub state: &'static str,
    /// The part of the fund that waits for the decision or the payment; nothing of a draft.
    pub committed: Money,
    /// The last day for the partner's people to act; null where somebody else has to.
    pub due_on: Option<CalendarDate>,
    /// The last day for the decision; null where nobody has to decide.
    pub review_due_on: Option<CalendarDate>,
    /// Who acts next, and how.
    #[schema(max_length = 300, examples("A reviewer decides"))]
    pub next: String,
}

impl SummaryClaim {
    /// A claim in a language.
    #[must_use]
    pub fn of(claim: OpenClaim, language: Locale) -> Self {
        let OpenClaim { id, fund_id, description, state, committed, due_on, review_due_on, next, .. } = claim;
        let next = next.into_language(language);
        Self { claim_id: id, fund_id, description, state, committed, due_on, review_due_on, next }
    }
}

/// Earnings in one currency.
#[derive(Serialize, ToSchema)]
pub struct SummaryEarned {
    /// Rebate parts of earnings.
    pub rebate: Money,
    /// Co-op parts of earnings.
    pub coop: Money,
    /// Corrections by hand.
    pub adjusted: Money,
    /// The sum of rebate, co-op and adjusted.
    pub total: Money,
}

/// The tier that a lever has reached.
#[derive(Serialize, ToSchema)]
pub struct SummaryTier {
    /// The lever's code.
    #[schema(max_length = 64, examples("core"))]
    pub lever: String,
    /// The lever's name.
    #[schema(max_length = 200, examples("Core rate"))]
    pub name: String,
    /// The period over which the volume is summed.
    pub period: TierPeriod,
    /// The first day of the period.
    pub period_from: CalendarDate,
    /// The volume sold in the period.
    pub volume: Money,
    /// The rate of the tier that the volume lies in; null below the first tier.
    pub rate: Option<Rate>,
    /// The next tier; null in the last tier.
    pub next: Option<SummaryNextTier>,
}

/// A tier that can still be reached.
#[derive(Serialize, ToSchema)]
pub struct SummaryNextTier {
    /// The volume at which the tier begins.
    pub from: Money,
    /// The volume missing to the tier.
    pub missing: Money,
    /// The rate of the tier.
    pub rate: Rate,
}

/// The balance under a lever's cap.
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
    /// The used part of the partner's balance; null where each customer has a balance.
    pub used: Option<Money>,
    /// The rest of the partner's balance; null where each customer has a balance.
    pub left: Option<Money>,
    /// The customers with the most used balances; empty where the partner has one balance.
    #[schema(max_items = 5)]
    pub customers: Vec<SummaryCapUse>,
}

/// The balance of a customer under a cap.
#[derive(Serialize, ToSchema)]
pub struct SummaryCapUse {
    /// The customer.
    #[schema(max_length = 128, examples("C-20881"))]
    pub customer_id: String,
    /// The used part of the balance.
    pub used: Money,
    /// The rest of the balance.
    pub left: Money,
}

/// The next payment in one currency.
#[derive(Serialize, ToSchema)]
pub struct SummaryPayment {
    /// The payable rebates.
    pub payable: Money,
    /// The month in which a run pays what is payable: the first month after the closed ones.
    pub paid_in: Month,
    /// The first day on which a run can pay what accrues: the day after the last accruing month; null where nothing accrues.
    pub accruing_from: Option<CalendarDate>,
    /// The rebates that payments carry which have not arrived yet.
    pub in_payment: Money,
    /// The rebates of open months, payable when the months are closed.
    pub accruing: Money,
    /// The payment threshold at the payment month's rate; null where the month has no rate that converts the threshold
    /// into this currency.
    pub threshold: Option<Money>,
    /// The amount missing to the threshold; null where the threshold is reached or not known, or no rebate is payable.
    pub missing: Option<Money>,
    /// The reason for no payment, where the payable rebates do not reach the threshold or the threshold is not known.
    pub reason: Option<RebateReason>,
    /// The rebates on hold, by reason.
    #[schema(max_items = 5)]
    pub on_hold: Vec<SummaryHold>,
    /// What is about to be lost; null where nothing is.
    pub loss: Option<SummaryLoss>,
}

/// The rebates on hold for one reason.
#[derive(Serialize, ToSchema)]
pub struct SummaryHold {
    /// The reason of the hold.
    pub reason: RebateReason,
    /// The reason in words, with the step that ends the hold.
    #[schema(max_length = 300, examples("It is paid once the payout and tax profiles are approved."))]
    pub detail: &'static str,
    /// The sum of the rebates.
    pub amount: Money,
    /// The day the first hold began.
    pub since: Option<CalendarDate>,
}

/// Rebates that are about to be lost.
#[derive(Serialize, ToSchema)]
pub struct SummaryLoss {
    /// The rule of the first loss.
    pub cause: ForfeitureCause,
    /// The rule in words, with the step that averts the loss.
    #[schema(
        max_length = 300,
        examples("What waits for a payout or tax profile for over 180 days is lost.")
    )]
    pub detail: &'static str,
    /// The amount.
    pub amount: Money,
    /// The first day on which something is lost.
    pub forfeits_on: CalendarDate,
}

/// The agreements and attainments that end soon.
#[derive(Serialize, ToSchema)]
pub struct SummaryLapse {
    /// The first day on which a rule is met by grace only, or no longer met.
    pub firm_until: CalendarDate,
    /// The last day on which every rule is met, grace included.
    pub last_day: CalendarDate,
    /// One sentence for each agreement or attainment that ends.
    #[schema(max_items = 20, max_length = 2000, examples("MPN agreement A-100 ends on 2027-06-30."))]
    pub lapsing: Vec<String>,
}
