//! Earnings and ineligible records as they are kept; no I/O, no clock, no HTTP.

use crate::{
    earnings::engine::{ByRate, Figures, GivenSlice, Origin, Reason, Traced},
    participation::programs::{Lever, ProgramVersion},
    platform::{
        db::types::Json,
        values::{CalendarDate, Currency, Id, Money, Month, Timestamp, text_enum},
    },
    sales::transactions::backlog::CalculationCause,
    schema::{earnings, ineligible_records},
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
    /// The parts of base and amount by their rates, of a lever with tiers.
    pub by_rate: Option<Json<ByRate>>,
}

impl EarningRow {
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
    pub(in crate::earnings::calculation) const fn of(origin: &Origin) -> Self {
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
