//! The earnings and the ineligible records that a difference makes.

use super::difference::{Correction, Dropped};
use crate::{
    earnings::{
        calculation::records::{EarningRow, Grain, IneligibleRow},
        engine::{ByRate, Exact, Reason},
    },
    participation::enrollments::EnrollmentKey,
    platform::{
        db::types::Json,
        values::{Id, Month, Timestamp},
    },
};

impl EarningRow {
    /// The earning that makes up the difference between a target and what is posted for its origin.
    #[must_use]
    pub(super) fn of(
        id: Id,
        key: EnrollmentKey,
        correction: &Correction<'_>,
        posted_in: Month,
        now: Timestamp,
    ) -> Self {
        let Correction { target, posted, cause, .. } = correction;
        let figures = target.figures;
        let (amount, rebate) = (target.amount - posted.amount, target.rebate - posted.rebate);
        Self {
            id,
            enrollment_id: key.id,
            partner_id: key.partner_id,
            version: target.version.version,
            lever: target.lever.code().to_owned(),
            grain: Grain::of(&target.origin),
            transaction_id: target.origin.transaction(),
            purchase_id: target.origin.purchase(),
            customer_id: correction.customer(),
            earned_in: target.earned_in,
            posted_in,
            currency: target.currency,
            base: target.base - posted.base,
            net: figures.net,
            volume: figures.volume,
            baseline: figures.baseline,
            slices: (!target.slices.is_empty()).then(|| Json(target.slices.clone())),
            unrounded: (target.unrounded - posted.unrounded).text(target.currency),
            whole: figures.whole,
            cap_balance: figures.cap_balance,
            posted_before: figures.before + posted.amount,
            corrects: posted.amount,
            amount,
            rebate,
            coop: amount - rebate,
            cause: cause.cause,
            cause_id: cause.transaction_id,
            calculated_at: now,
            by_rate: kept(target.by_rate.minus(&posted.by_rate)),
        }
    }

    /// The earning that takes back everything posted for a group.
    #[must_use]
    pub(super) fn taken_back(
        id: Id,
        key: EnrollmentKey,
        dropped: &Dropped,
        posted_in: Month,
        now: Timestamp,
    ) -> Self {
        let Dropped { place, group, cause } = dropped;
        let sums = &group.sums;
        Self {
            id,
            enrollment_id: key.id,
            partner_id: key.partner_id,
            version: group.version,
            lever: place.lever.clone(),
            grain: Grain::of(&place.origin),
            transaction_id: None,
            purchase_id: None,
            customer_id: place.origin.customer().map(str::to_owned),
            earned_in: place.month,
            posted_in,
            currency: place.currency,
            base: -sums.base,
            net: 0,
            volume: 0,
            baseline: 0,
            slices: None,
            unrounded: (Exact::ZERO - sums.unrounded).text(place.currency),
            whole: 0,
            cap_balance: None,
            posted_before: sums.amount,
            corrects: sums.amount,
            amount: -sums.amount,
            rebate: -sums.rebate,
            coop: sums.rebate - sums.amount,
            cause: cause.cause,
            cause_id: cause.transaction_id,
            calculated_at: now,
            by_rate: kept(ByRate::default().minus(&sums.by_rate)),
        }
    }
}

/// The parts by rates as they are kept; none of a lever without tiers.
pub(super) fn kept(by_rate: ByRate) -> Option<Json<ByRate>> {
    (!by_rate.is_empty()).then_some(Json(by_rate))
}

impl IneligibleRow {
    /// The record of a target that earns nothing, or not all; none where the target falls short of nothing new.
    #[must_use]
    pub(super) fn of(
        id: Id,
        key: EnrollmentKey,
        correction: &Correction<'_>,
        now: Timestamp,
    ) -> Option<Self> {
        let Correction { target, sale, .. } = correction;
        let shortfall = target.shortfall.as_ref()?;
        let waits = shortfall.reason == Reason::ExchangeRateMissing;
        Some(Self {
            id,
            enrollment_id: key.id,
            partner_id: key.partner_id,
            version: target.version.version,
            lever: target.lever.code().to_owned(),
            grain: Grain::of(&target.origin),
            transaction_id: target.origin.transaction(),
            purchase_id: target.origin.purchase(),
            customer_id: correction.customer(),
            earned_in: target.earned_in,
            code: shortfall.reason.code().to_owned(),
            bought_on: sale.as_ref().map(|sale| sale.bought_on),
            curable: shortfall.reason.is_curable(),
            capped: shortfall.capped,
            currency: match (shortfall.capped, sale) {
                (Some(_), _) | (None, None) => Some(target.currency),
                (None, Some(sale)) => waits.then_some(sale.billed.currency),
            },
            recorded_at: now,
            cured_at: None,
        })
    }
}
