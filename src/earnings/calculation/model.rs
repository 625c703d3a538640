//! Earnings, ineligible records and runs as they are kept; no I/O, no clock, no HTTP.

use crate::{
    earnings::engine::{Earning, Exact, Figures, Ineligible, Origin, Reason},
    participation::enrollments::EnrollmentKeys,
    platform::values::{CalendarDate, Currency, Id, Money, Month, Timestamp, text_enum},
    sales::transactions::Counting,
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

/// Where something comes from, as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The sale.
    pub transaction_id: Option<Id>,
    /// The purchase it is, or takes back.
    pub purchase_id: Option<Id>,
    /// The customer.
    pub customer_id: Option<String>,
    /// The day of the purchase.
    pub bought_on: Option<CalendarDate>,
    /// The currency it was billed in.
    pub billed_in: Option<Currency>,
}

/// Whose books.
#[derive(Clone, Copy, Debug)]
pub struct Whose {
    /// The enrollment.
    pub enrollment_id: Id,
    /// Its partner.
    pub partner_id: Id,
    /// The program version that says how.
    pub version: i32,
}

impl Whose {
    /// Names enrollments of its partner.
    #[must_use]
    pub fn enrollments(self, ids: &[Id]) -> EnrollmentKeys<'_> {
        EnrollmentKeys { partner_id: self.partner_id, ids }
    }

    /// Enrollments of its partner, as they count sales.
    #[must_use]
    pub fn counting(self, enrollments: &[Id]) -> Counting<'_> {
        Counting { partner_id: self.partner_id, enrollments }
    }
}

/// What one lever gives, as it is kept. Amounts are minor units of its currency unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = earnings, treat_none_as_default_value = false)]
pub struct EarningRow {
    /// Identifier.
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
    /// Where that begins, or a month's baseline; in the version's currency.
    pub baseline: i64,
    /// By how much the unrounded amount has moved, as a decimal text.
    pub unrounded: String,
    /// What the whole gives, rounded once.
    pub whole: i64,
    /// What was left under the cap, where it cut something off.
    pub cap_balance: Option<i64>,
    /// What had been posted before.
    pub posted_before: i64,
    /// The amount.
    pub amount: i64,
    /// The part that is rebate.
    pub rebate: i64,
    /// The part that is co-op.
    pub coop: i64,
    /// When it was calculated.
    pub calculated_at: Timestamp,
}

impl EarningRow {
    /// As it is kept.
    #[must_use]
    pub fn of(
        id: Id,
        whose: Whose,
        earning: Earning,
        source: Source,
        (posted_in, now): (Month, Timestamp),
    ) -> Self {
        let Figures { net, volume, mark, whole, cap_balance, before } = earning.figures;
        Self {
            id,
            enrollment_id: whose.enrollment_id,
            partner_id: whose.partner_id,
            version: whose.version,
            grain: Grain::of(&earning.origin),
            transaction_id: source.transaction_id,
            purchase_id: source.purchase_id,
            customer_id: source.customer_id,
            earned_in: earning.earned_in,
            posted_in,
            currency: earning.currency,
            base: earning.base,
            net,
            volume,
            baseline: mark,
            unrounded: earning.unrounded.text(earning.currency),
            whole,
            cap_balance,
            posted_before: before,
            amount: earning.amount,
            rebate: earning.rebate,
            coop: earning.coop,
            calculated_at: now,
            lever: earning.lever,
        }
    }

    /// As the calculation said it; the unrounded amount is in its text.
    #[must_use]
    pub fn earning(&self) -> Earning {
        let origin = match (self.grain, self.transaction_id, &self.customer_id) {
            (Grain::Transaction, Some(id), _) => Origin::Sale(id),
            (Grain::CustomerMonth, _, Some(customer)) => Origin::CustomerMonth(customer.clone()),
            _ => Origin::Month,
        };
        Earning {
            lever: self.lever.clone(),
            origin,
            earned_in: self.earned_in,
            currency: self.currency,
            base: self.base,
            unrounded: Exact::ZERO,
            amount: self.amount,
            rebate: self.rebate,
            coop: self.coop,
            figures: Figures {
                net: self.net,
                volume: self.volume,
                mark: self.baseline,
                whole: self.whole,
                cap_balance: self.cap_balance,
                before: self.posted_before,
            },
        }
    }
}

impl Grain {
    pub(super) const fn of(origin: &Origin) -> Self {
        match origin {
            Origin::Sale(_) => Self::Transaction,
            Origin::CustomerMonth(_) => Self::CustomerMonth,
            Origin::Month => Self::Month,
        }
    }
}

/// What did not earn, or what a cap cut off, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = ineligible_records, treat_none_as_default_value = false)]
pub struct IneligibleRow {
    /// Identifier.
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
    /// As it is kept.
    #[must_use]
    pub fn of(id: Id, whose: Whose, record: Ineligible, source: Source, now: Timestamp) -> Self {
        let waits_in = source.billed_in.filter(|_| record.reason == Reason::ExchangeRateMissing);
        Self {
            id,
            enrollment_id: whose.enrollment_id,
            partner_id: whose.partner_id,
            version: whose.version,
            lever: record.lever,
            grain: Grain::of(&record.origin),
            transaction_id: source.transaction_id,
            purchase_id: source.purchase_id,
            customer_id: source.customer_id,
            earned_in: record.earned_in,
            code: record.reason.code().to_owned(),
            bought_on: source.bought_on,
            curable: record.reason.is_curable(),
            capped: record.capped.map(|money| money.minor),
            currency: record.capped.map(|money| money.currency).or(waits_in),
            recorded_at: now,
            cured_at: None,
        }
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
    /// Identifier.
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
