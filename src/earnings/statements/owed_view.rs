//! What a statement says of payment, on the wire: the rebates of the month, the balance around the month, and the co-op funds.

use crate::{
    ledger::{
        accounting::{
            Balance, BookedPayment, PaymentWait, RebateReason, RebateState, WaitingRebate,
            coop_funds::{CoopFund, CoopFundState},
            payment_reference,
        },
        forfeitures::UpcomingLoss,
    },
    platform::values::{CalendarDate, Id, Locale, Money, Month},
};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// A rebate on a statement.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct StatementRebate {
    /// The rebate.
    pub id: Id,
    /// The sum of the earnings' rebate parts.
    #[serde(deserialize_with = "sum")]
    pub earned: Money,
    /// The sum of the approved adjustments.
    #[serde(deserialize_with = "sum")]
    pub adjusted: Money,
    /// The co-op fund of a half-year that stayed below its threshold, and became rebate; null where there is none, and on a
    /// statement from before.
    #[serde(default, deserialize_with = "sum_if_any")]
    pub converted: Option<Money>,
    /// The amount owed: earned, adjusted and converted.
    #[serde(deserialize_with = "sum")]
    pub amount: Money,
    /// The sum of the earnings' co-op parts, which are claimed, not paid with the rebate.
    #[serde(deserialize_with = "sum")]
    pub coop: Money,
    /// The state of the rebate.
    pub state: RebateState,
    /// The reason the rebate is not paid for now; null where there is none.
    pub state_reason: Option<StatementWait>,
}

/// The reason a rebate on a statement is not paid for now.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct StatementWait {
    /// Stable code.
    pub code: RebateReason,
    /// The reason in words, with the step that ends the wait.
    #[schema(max_length = 300, examples("It is payable once the payout and tax profiles are approved."))]
    pub detail: String,
    /// The words of the operator who holds the rebate.
    #[schema(max_length = 1000, examples("Sales figures are being clarified"))]
    pub comment: Option<String>,
    /// The day the hold began.
    pub since: Option<CalendarDate>,
}

impl StatementRebate {
    /// A rebate with its reason in a language.
    #[must_use]
    pub fn of(waiting: &WaitingRebate, language: Locale) -> Self {
        let rebate = &waiting.rebate;
        let money = |minor| Money { minor, currency: rebate.currency };
        let reason = waiting.reason().map(|code| StatementWait {
            code,
            detail: code.detail(language).to_owned(),
            comment: rebate.state_comment.clone(),
            since: rebate.state_since,
        });
        Self {
            id: rebate.id,
            earned: money(rebate.earned),
            adjusted: money(rebate.adjusted),
            converted: (rebate.converted != 0).then(|| money(rebate.converted)),
            amount: rebate.amount(),
            coop: money(rebate.coop),
            state: rebate.state,
            state_reason: reason,
        }
    }
}

/// The amounts owed around a month, in one currency: carried in and new, less paid and lost, is what is carried out. The
/// new amount of an open month is carried as if the month were closed now. An amount is owed until its payment has arrived.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct StatementBalance {
    /// The amount of the months before, when the month before was closed.
    #[serde(deserialize_with = "sum")]
    pub carried_in: Money,
    /// The rebate of the month.
    #[serde(deserialize_with = "sum")]
    pub new: Money,
    /// The amount paid since the month before was closed: to the bank, as tax, or set off against what was owed back. Below
    /// zero where more came back.
    #[serde(deserialize_with = "sum")]
    pub paid: Money,
    /// The amount lost since the month before was closed; null on a statement from before payments were made here.
    #[serde(default, deserialize_with = "sum_if_any")]
    pub forfeited: Option<Money>,
    /// The amount that stays owed.
    #[serde(deserialize_with = "sum")]
    pub carried_out: Money,
    /// The part of it that payments carry that have not arrived; null on a statement from before payments were made here.
    #[serde(default, deserialize_with = "sum_if_any")]
    pub in_payment: Option<Money>,
    /// The part of it that profiles or an operator hold.
    #[serde(deserialize_with = "sum")]
    pub on_hold: Money,
    /// The payment threshold, at the rate of the payment month; null where that month has no rate.
    #[serde(deserialize_with = "sum_if_any")]
    pub threshold: Option<Money>,
    /// The amount missing to the threshold, which the part that is not on hold has to reach; null where nothing is payable,
    /// the threshold is reached, or the threshold is not known.
    #[serde(deserialize_with = "sum_if_any")]
    pub missing: Option<Money>,
    /// The amount that is announced to be lost; null where nothing is.
    #[serde(default, deserialize_with = "sum_if_any")]
    pub to_be_lost: Option<Money>,
    /// The first day on which something of it is lost.
    #[serde(default)]
    pub lost_from: Option<CalendarDate>,
}

impl StatementBalance {
    /// A balance with what is announced to be lost of it.
    #[must_use]
    pub fn of(balance: &Balance, loss: Option<UpcomingLoss>) -> Self {
        Self {
            carried_in: balance.carried_in,
            new: balance.new,
            paid: balance.paid,
            forfeited: Some(balance.forfeited),
            carried_out: balance.carried_out(),
            in_payment: Some(balance.in_payment),
            on_hold: balance.on_hold,
            threshold: balance.standing.and_then(|standing| standing.threshold.known()),
            missing: balance.wait().and_then(PaymentWait::missing),
            to_be_lost: loss.map(|loss| loss.amount),
            lost_from: loss.map(|loss| loss.from),
        }
    }
}

/// A payment on a statement: paid since the month before was closed, or come back.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct StatementPayment {
    /// The payment.
    pub payment_id: Id,
    /// The reference by which banks name the payment.
    #[schema(max_length = 35, examples("01936f2e4b0070008000000000000001"))]
    pub reference: String,
    /// The amount that went to the bank account for the enrollment; below zero where the payment came back.
    #[serde(deserialize_with = "sum")]
    pub amount: Money,
    /// The day on which the books were told.
    pub on: CalendarDate,
}

impl From<&BookedPayment> for StatementPayment {
    fn from(payment: &BookedPayment) -> Self {
        Self {
            payment_id: payment.payment_id,
            reference: payment_reference(payment.payment_id),
            amount: payment.amount,
            on: payment.on,
        }
    }
}

/// A co-op fund on a statement: earned is planned, committed, paid, forfeited and remaining.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct StatementFund {
    /// The fund.
    pub id: Id,
    /// The first month of the half-year.
    pub half_year: Month,
    /// The state of the fund; `estimated` until the last month of the half-year is closed.
    pub state: CoopFundState,
    /// The co-op parts of the half-year's earnings.
    #[serde(deserialize_with = "sum")]
    pub earned: Money,
    /// The part set aside for a plan.
    #[serde(deserialize_with = "sum")]
    pub planned: Money,
    /// The part of claims that are submitted or approved.
    #[serde(deserialize_with = "sum")]
    pub committed: Money,
    /// The part that was paid.
    #[serde(deserialize_with = "sum")]
    pub paid: Money,
    /// The part that was not claimed in time.
    #[serde(deserialize_with = "sum")]
    pub forfeited: Money,
    /// The part that nobody has asked for.
    #[serde(deserialize_with = "sum")]
    pub remaining: Money,
    /// The first day on which claims are submitted.
    pub claims_from: CalendarDate,
    /// The last day on which claims are submitted.
    pub claims_until: CalendarDate,
}

impl StatementFund {
    /// A fund that grows or can be claimed in a month; none of a fund that has become rebate, which the rebates show.
    #[must_use]
    pub fn in_month(fund: &CoopFund, month: Month) -> Option<Self> {
        let days = fund.half().claims();
        if fund.half_year > month || days.to < month.first_day() || fund.state == CoopFundState::Converted {
            return None;
        }
        Some(Self {
            id: fund.id,
            half_year: fund.half_year,
            state: fund.state,
            earned: fund.money(fund.earned),
            planned: fund.money(fund.planned),
            committed: fund.money(fund.committed),
            paid: fund.money(fund.paid),
            forfeited: fund.money(fund.forfeited),
            remaining: fund.money(fund.remaining),
            claims_from: days.from,
            claims_until: days.to,
        })
    }
}

/// Reads a sum, which may have more digits than an amount that a request brings.
pub(super) fn sum<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
    Money::deserialize_sum(deserializer)
}

pub(super) fn sum_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Money>, D::Error> {
    #[derive(Deserialize)]
    struct Sum(#[serde(deserialize_with = "sum")] Money);
    Ok(Option::<Sum>::deserialize(deserializer)?.map(|Sum(money)| money))
}
