//! Earnings, ineligible records and runs as they are kept; no I/O, no clock, no HTTP.

use super::posting::{Correction, Dropped};
use crate::{
    earnings::engine::{Exact, Figures, GivenSlice, Origin, Reason, Traced},
    participation::{
        enrollments::EnrollmentKey,
        programs::{Lever, ProgramVersion},
    },
    platform::{
        db::types::Json,
        values::{CalendarDate, Currency, Id, Money, Month, Timestamp, text_enum},
    },
    sales::transactions::backlog::CalculationCause,
    schema::{calculation_runs, earnings, ineligible_records},
};
use diesel::prelude::*;

text_enum! {
    /// What an earning, or what did not earn, comes from.
    pub enum Grain {
        /// A purchase, or a refund of it.
        Transaction = "transaction",
        /// Everything a customer bought in a month.
        CustomerMonth = "customer_month",
        /// Everything of a month.
        Month = "month",
    }
}

/// What a posting goes back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostingCause {
    /// What came, or changed.
    pub cause: CalculationCause,
    /// The sale or the refund, where one came.
    pub transaction_id: Option<Id>,
}

/// What one lever gives, as it is kept. Amounts are minor units of its currency unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = earnings, treat_none_as_default_value = false)]
pub struct EarningRow {
    /// Identifier, a UUID of version 7 (RFC 9562).
    pub id: Id,
    /// The enrollment.
    pub enrollment_id: Id,
    /// Its partner.
    pub partner_id: Id,
    /// The program version.
    pub version: i32,
    /// The lever's code.
    pub lever: String,
    /// What it comes from.
    pub grain: Grain,
    /// The sale.
    pub transaction_id: Option<Id>,
    /// The purchase the sale is, or takes back.
    pub purchase_id: Option<Id>,
    /// The customer.
    pub customer_id: Option<String>,
    /// The month it applies to.
    pub earned_in: Month,
    /// The month it is paid with.
    pub posted_in: Month,
    /// Its currency.
    pub currency: Currency,
    /// By how much the base has moved.
    pub base: i64,
    /// The base as a whole.
    pub net: i64,
    /// The volume that chose the rates, in the version's currency.
    pub volume: i64,
    /// In the version's currency: where the volume begins, what earlier months of the tier period were given, or a month's
    /// baseline.
    pub baseline: i64,
    /// The slices of a tiered volume, where the volume and its beginning do not tell them.
    pub slices: Option<Json<Vec<GivenSlice>>>,
    /// By how much the unrounded amount has moved, as a decimal text.
    pub unrounded: String,
    /// What the whole gives, rounded once.
    pub whole: i64,
    /// What was left under the cap, where it cut something off.
    pub cap_balance: Option<i64>,
    /// What earlier transactions of the same purchase give, and what the same origin had posted.
    pub posted_before: i64,
    /// The part of that which the same origin had posted: the earning corrects it.
    pub corrects: i64,
    /// The amount.
    pub amount: i64,
    /// The part that is rebate.
    pub rebate: i64,
    /// The part that is co-op.
    pub coop: i64,
    /// What the earning goes back to.
    pub cause: CalculationCause,
    /// The sale or the refund that the earning goes back to.
    pub cause_id: Option<Id>,
    /// When it was calculated.
    pub calculated_at: Timestamp,
}

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
        let sums = group.sums;
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
        }
    }

    /// The earning, as far as its trace goes.
    #[must_use]
    pub fn traced<'a>(&'a self, version: &'a ProgramVersion, lever: &'a Lever) -> Traced<'a> {
        Traced {
            version,
            lever,
            currency: self.currency,
            figures: Figures {
                net: self.net,
                volume: self.volume,
                baseline: self.baseline,
                whole: self.whole,
                cap_balance: self.cap_balance,
                before: self.posted_before - self.corrects,
            },
            slices: self.slices.as_ref().map_or(&[][..], |slices| &slices.0),
            corrects: self.corrects,
            rebate: self.rebate,
            coop: self.coop,
        }
    }
}

impl Grain {
    pub(super) const fn of(origin: &Origin) -> Self {
        match origin {
            Origin::Sale { .. } => Self::Transaction,
            Origin::CustomerMonth(_) => Self::CustomerMonth,
            Origin::Month => Self::Month,
        }
    }
}

/// What did not earn, or what a cap cut off, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = ineligible_records, treat_none_as_default_value = false)]
pub struct IneligibleRow {
    /// Identifier, a UUID of version 7 (RFC 9562).
    pub id: Id,
    /// The enrollment.
    pub enrollment_id: Id,
    /// Its partner.
    pub partner_id: Id,
    /// The program version.
    pub version: i32,
    /// The lever's code.
    pub lever: String,
    /// What it would have come from.
    pub grain: Grain,
    /// The sale.
    pub transaction_id: Option<Id>,
    /// The purchase the sale is, or takes back.
    pub purchase_id: Option<Id>,
    /// The customer.
    pub customer_id: Option<String>,
    /// The month it would have applied to.
    pub earned_in: Month,
    /// Why.
    pub code: String,
    /// The day of the purchase.
    pub bought_on: Option<CalendarDate>,
    /// Whether it is judged again when something is mended.
    pub curable: bool,
    /// What a cap cut off, in minor units; negative where a refund takes that back.
    pub capped: Option<i64>,
    /// The currency of that, or that in which a sale waits for a rate.
    pub currency: Option<Currency>,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// When it ceased to stand, because it was mended.
    pub cured_at: Option<Timestamp>,
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

    /// Why.
    #[must_use]
    pub fn reason(&self) -> Reason {
        Reason::of(&self.code)
    }

    /// What a cap cut off.
    #[must_use]
    pub fn capped(&self) -> Option<Money> {
        Some(Money { minor: self.capped?, currency: self.currency? })
    }
}

text_enum! {
    /// Where a run stands.
    pub enum RunState {
        /// At work.
        Running = "running",
        /// Nothing waits any more.
        Succeeded = "succeeded",
        /// It stopped: `error` says why. What it had posted stands; the next run goes on from there.
        Failed = "failed",
    }
}

/// A run of the calculation.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = calculation_runs, treat_none_as_null = true)]
pub struct Run {
    /// Identifier, a UUID of version 7 (RFC 9562).
    pub id: Id,
    /// The partner it was asked for; none for all.
    pub partner_id: Option<Id>,
    /// Where it stands.
    pub state: RunState,
    /// Partners looked at.
    pub done: i64,
    /// Partners that waited when it began.
    pub total: i64,
    /// Sales taken in, and judged again.
    pub sales: i64,
    /// Earnings posted.
    pub earnings: i64,
    /// Ineligible records made.
    pub ineligible_records: i64,
    /// Partners whose calculation failed, and that were put aside.
    pub put_aside: i64,
    /// Why it stopped.
    pub error: Option<String>,
    /// Who asked for it; none for the service itself.
    pub requested_by: Option<Id>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it last said something.
    pub updated_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Counts changes; the entity tag.
    pub revision: i64,
}

impl Run {
    /// Whether it does what is asked for: a run over all partners looks at each.
    #[must_use]
    pub fn covers(&self, partner: Option<Id>) -> bool {
        self.partner_id.is_none() || self.partner_id == partner
    }
}

/// What a unit has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Partners looked at to the end.
    pub partners: i64,
    /// Sales taken in, and judged again.
    pub sales: i64,
    /// Earnings posted.
    pub earnings: i64,
    /// Ineligible records made.
    pub ineligible: i64,
}

impl Tally {
    /// Whether nothing was posted.
    #[must_use]
    pub fn is_idle(self) -> bool {
        self.sales == 0 && self.earnings == 0 && self.ineligible == 0
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            partners: self.partners + other.partners,
            sales: self.sales + other.sales,
            earnings: self.earnings + other.earnings,
            ineligible: self.ineligible + other.ineligible,
        }
    }
}
