//! Co-op funds on the wire, each beside the threshold of its program version.

use super::{CoopFund, CoopFundState, PlannedFor};
use crate::{
    access::Tx,
    ledger::accounting::{fx_rates, payment_threshold::threshold_of},
    participation::{enrollments, programs::PaymentTerms},
    platform::{
        Result,
        http::page_of,
        values::{CalendarDate, Currency, ExchangeRates, Id, Leftover, Money, Month, Period, Timestamp},
    },
};
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;

/// What an enrollment has for marketing from one half-year, in one currency. `earned` is `converted` and `claimable`;
/// `claimable` is `planned`, `committed`, `paid`, `forfeited` and `remaining`.
#[derive(Serialize, ToSchema)]
#[schema(as = CoopFund)]
pub struct CoopFundView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The enrollment that earned the fund.
    enrollment_id: Id,
    /// The partner of the enrollment.
    partner_id: Id,
    /// The half-year of the postings, by its first month: July to December, or January to June.
    half_year: Month,
    /// The last month of the half-year.
    last_month: Month,
    /// The currency of the fund.
    currency: Currency,
    /// The state of the fund.
    state: CoopFundState,
    /// Whether the figures may still change, because the half-year is not closed.
    estimated: bool,
    /// The least that stays co-op, at the rate of the half-year's last month; null where that rate is not published.
    threshold: Option<Money>,
    /// Whether the fund as it stands is below the threshold, and would become rebate; null once the half-year is closed, and
    /// where the threshold is not known.
    projected_below_threshold: Option<bool>,
    /// The sum of the earnings' co-op parts that were posted in the half-year. Refunds of earlier sales count here.
    earned: Money,
    /// The part that became rebate.
    converted: Money,
    /// The month of the rebate that the fund became part of; null of a fund that stayed co-op.
    converted_in: Option<Month>,
    /// The part that did not become rebate.
    claimable: Money,
    /// The part set aside for an approved plan, which claims of the planned activities use first.
    planned: Money,
    /// The approved plan; null without one.
    plan_id: Option<Id>,
    /// What is set aside for each activity of the plan: together `planned`.
    #[schema(max_items = 50)]
    planned_for: Vec<CoopPlannedAmount>,
    /// The part of claims under way, and of approved claims that are not paid yet.
    committed: Money,
    /// The part that was paid.
    paid: Money,
    /// The part that was lost.
    forfeited: Money,
    /// The part that can still be claimed; below zero where refunds exceed what was earned.
    remaining: Money,
    /// The first day on which activities may take place.
    usage_from: CalendarDate,
    /// The last day on which activities may take place.
    usage_until: CalendarDate,
    /// The first day on which a claim can be submitted.
    claims_from: CalendarDate,
    /// The last day on which a claim can be submitted; the rest is forfeited afterwards.
    claims_until: CalendarDate,
    /// When the fund last grew.
    as_of: Timestamp,
    /// When the record was made.
    created_at: Timestamp,
    /// When the record was last changed.
    updated_at: Timestamp,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 1)]
    revision: i64,
}

/// What is set aside for an activity of a plan.
#[derive(Serialize, ToSchema)]
struct CoopPlannedAmount {
    /// The code of the activity.
    #[schema(max_length = 64, examples("customer-seminar"))]
    activity: String,
    /// The amount.
    amount: Money,
}

page_of!(
    /// One page of co-op funds.
    pub CoopFundPage of CoopFundView
);

/// The thresholds of enrollments, at the rates of the half-years' last months.
pub struct CoopThresholds {
    /// By enrollment, in the currency of the program version.
    least: HashMap<Id, Money>,
    rates: ExchangeRates,
}

impl CoopThresholds {
    /// The thresholds of these funds. Two statements, however many there are.
    pub fn load(tx: &mut Tx<'_>, funds: &[CoopFund]) -> Result<Self> {
        let months = || funds.iter().map(|fund| fund.last_month);
        let (Some(first), Some(last)) = (months().min(), months().max()) else {
            return Ok(Self { least: HashMap::new(), rates: ExchangeRates::default() });
        };
        let mut enrolled: Vec<Id> = funds.iter().map(|fund| fund.enrollment_id).collect();
        enrolled.sort_unstable();
        enrolled.dedup();
        let of = |terms: PaymentTerms| Money { minor: terms.coop_threshold, currency: terms.currency };
        let terms = enrollments::payment_terms_of(tx, &enrolled)?;
        let rates = fx_rates::rates(tx, Period { from: first.first_day(), to: last.last_day() })?;
        Ok(Self { least: terms.into_iter().map(|(id, terms)| (id, of(terms))).collect(), rates })
    }

    /// The threshold of a fund in its currency; none where the rate of the half-year's last month is not published.
    #[must_use]
    pub fn of(&self, fund: &CoopFund) -> Option<Money> {
        let least = *self.least.get(&fund.enrollment_id)?;
        if least.minor == 0 {
            return Some(fund.money(0));
        }
        let minor = self.rates.convert(fund.last_month, least, fund.currency, Leftover::Up)?;
        Some(threshold_of(minor, fund.currency))
    }
}

/// Funds with their thresholds. Two more statements, however many there are.
pub fn views(tx: &mut Tx<'_>, funds: Vec<CoopFund>) -> Result<Vec<CoopFundView>> {
    let thresholds = CoopThresholds::load(tx, &funds)?;
    Ok(funds.into_iter().map(|fund| CoopFundView::of(&fund, thresholds.of(&fund))).collect())
}

impl CoopFundView {
    /// The fund's own record, for the audit trail; the threshold, which depends on other records, is left out.
    #[must_use]
    pub fn plain(fund: &CoopFund) -> Self {
        Self::of(fund, None)
    }

    fn of(fund: &CoopFund, threshold: Option<Money>) -> Self {
        let estimated = fund.state == CoopFundState::Estimated;
        let (usage, claims) = (fund.half().usage(), fund.half().claims());
        let planned = |one: &PlannedFor| CoopPlannedAmount {
            activity: one.activity.clone(),
            amount: fund.money(one.amount),
        };
        Self {
            id: fund.id,
            enrollment_id: fund.enrollment_id,
            partner_id: fund.partner_id,
            half_year: fund.half_year,
            last_month: fund.last_month,
            currency: fund.currency,
            state: fund.state,
            estimated,
            threshold,
            projected_below_threshold: threshold
                .filter(|_| estimated)
                .map(|threshold| fund.earned < threshold.minor),
            earned: fund.money(fund.earned),
            converted: fund.money(fund.converted),
            converted_in: fund.converted_in,
            claimable: fund.money(fund.claimable),
            planned: fund.money(fund.planned),
            plan_id: fund.plan_id,
            planned_for: fund.planned_for.0.iter().map(planned).collect(),
            committed: fund.money(fund.committed),
            paid: fund.money(fund.paid),
            forfeited: fund.money(fund.forfeited),
            remaining: fund.money(fund.remaining),
            usage_from: usage.from,
            usage_until: usage.to,
            claims_from: claims.from,
            claims_until: claims.to,
            as_of: fund.as_of,
            created_at: fund.created_at,
            updated_at: fund.updated_at,
            revision: fund.revision,
        }
    }
}
