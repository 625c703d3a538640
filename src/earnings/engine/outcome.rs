//! What the calculation says: earnings with their trace, and everything that did not earn, with the reason.

use super::{
    Exact, Terms,
    books::marginal,
    scale::{self, Slice},
    settle::retroactive,
};
use crate::{
    participation::programs::{Lever, LeverScale},
    platform::values::{Currency, Id, Money, Month, Rate},
};

/// What an earning, or what did not earn, comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// A purchase or a refund.
    Sale(Id),
    /// Everything a customer bought in a month.
    CustomerMonth(String),
    /// Everything of a month.
    Month,
}

/// What comes out for one origin and lever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It earns.
    Earning(Earning),
    /// It does not, or not all of it.
    Ineligible(Ineligible),
}

/// What one lever gives on its base. Negative where a refund takes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earning {
    /// The lever's code.
    pub lever: String,
    /// What it comes from.
    pub origin: Origin,
    /// The month it applies to.
    pub earned_in: Month,
    /// Its currency.
    pub currency: Currency,
    /// By how much its base has moved, in minor units.
    pub base: i64,
    /// By how much the unrounded amount has moved, before the cap.
    pub unrounded: Exact,
    /// The amount, in minor units; never zero.
    pub amount: i64,
    /// The part that is rebate.
    pub rebate: i64,
    /// The part that is co-op.
    pub coop: i64,
    /// What its trace is made of.
    pub figures: Figures,
}

/// The few numbers a trace is made of, beside the lever; in minor units of the earning's currency unless said
/// otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The net amount of what it comes from, refunds taken off.
    pub net: i64,
    /// The volume that chose the rates, in the terms' currency.
    pub volume: i64,
    /// Where that volume begins in its tier period, or a month's baseline; in the terms' currency.
    pub mark: i64,
    /// What the whole gives, rounded once.
    pub whole: i64,
    /// What was left under the cap, where it cut something off.
    pub cap_balance: Option<i64>,
    /// What had been posted before.
    pub before: i64,
}

impl Earning {
    /// How it came about, step by step.
    #[must_use]
    pub fn trace(&self, terms: &Terms<'_>, lever: &Lever) -> Vec<Step> {
        let money = |minor| Money { minor, currency: self.currency };
        let Figures { net, volume, mark, whole, cap_balance, before } = self.figures;
        let slice = |slice: Slice| {
            let volume = Money { minor: slice.volume, currency: terms.currency };
            Step::Slice { volume, rate: slice.rate, gives: slice.gives() }
        };
        let mut trace = vec![Step::Base { amount: money(net) }];
        match lever {
            Lever::Core { scale: LeverScale::Flat { rate }, .. }
            | Lever::Accelerator { scale: LeverScale::Flat { rate }, .. } => {
                trace.push(Step::Slice { volume: money(net), rate: *rate, gives: Exact::share(net, *rate) });
            }
            Lever::Growth { .. } => {
                trace.push(Step::Baseline { amount: Money { minor: mark, currency: terms.currency } });
            }
            Lever::Fixed { amount, .. } if whole != 0 => trace.push(Step::Fixed { amount: *amount }),
            lever => {
                if let (Some((_, tiers)), Origin::Sale(_)) = (marginal(lever), &self.origin) {
                    trace.extend(scale::slices(tiers, mark, mark + volume).map(slice));
                }
                if let Some((_, tiers)) = retroactive(lever) {
                    trace.extend(scale::reached(tiers, volume).map(slice));
                }
            }
        }
        trace.push(Step::Rounded { amount: money(whole) });
        trace.extend(
            cap_balance
                .map(|balance| Step::Cap { balance: money(balance), cut: money(whole - whole.min(balance)) }),
        );
        if before != 0 {
            trace.push(Step::Posted { amount: money(before) });
        }
        trace.push(Step::Split {
            rate: terms.rebate_rate,
            rebate: money(self.rebate),
            coop: money(self.coop),
        });
        trace
    }
}

/// One step of a calculation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// What the lever earns on.
    Base {
        /// The net amount of the origin, refunds taken off.
        amount: Money,
    },
    /// A part of the base at its tier's rate, or all of it at the lever's.
    Slice {
        /// The part.
        volume: Money,
        /// The rate.
        rate: Rate,
        /// What it gives.
        gives: Exact,
    },
    /// What a new customer gives, whatever was billed.
    Fixed {
        /// The amount.
        amount: Money,
    },
    /// What a month is compared with.
    Baseline {
        /// The amount.
        amount: Money,
    },
    /// The sum, rounded once.
    Rounded {
        /// The whole minor units.
        amount: Money,
    },
    /// What was left under the cap.
    Cap {
        /// The balance, in the earning's currency.
        balance: Money,
        /// What is cut off.
        cut: Money,
    },
    /// What the same origin has posted already.
    Posted {
        /// The amount.
        amount: Money,
    },
    /// The split.
    Split {
        /// The rebate's rate.
        rate: Rate,
        /// The rebate part.
        rebate: Money,
        /// The co-op part.
        coop: Money,
    },
}

/// What did not earn, or what a cap cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ineligible {
    /// The lever's code.
    pub lever: String,
    /// What it would have come from.
    pub origin: Origin,
    /// The month it would have applied to.
    pub earned_in: Month,
    /// Why.
    pub reason: Reason,
    /// What a cap cut off; negative where a refund takes that back.
    pub capped: Option<Money>,
}

impl Ineligible {
    /// The sale it would have come from by itself; none where a cap cut, or where several did.
    #[must_use]
    pub const fn sale(&self) -> Option<Id> {
        match (&self.origin, &self.capped) {
            (Origin::Sale(id), None) => Some(*id),
            _ => None,
        }
    }
}

/// Why something does not earn.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// A business rule was not met on its day: the rule's own reason.
    Rule(String),
    /// Nothing was enrolled on its day.
    OutsideEnrollment,
    /// The customer is a partner itself.
    CustomerIsPartner,
    /// The customer belongs to the public sector.
    CustomerPublicSector,
    /// The customer's country is not covered.
    CustomerCountry,
    /// The product is not one of the lever's.
    ProductNotEligible,
    /// The customer has bought before.
    CustomerNotNew,
    /// The month has not grown over its baseline.
    NoGrowth,
    /// It rounds to nothing.
    AmountTooSmall,
    /// The cap took a part.
    CapPartiallyApplied,
    /// The cap was used up.
    CapReached,
    /// An exchange rate is not published yet: of the month, or of one it is compared with.
    ExchangeRateMissing,
}

impl Reason {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Rule(code) => code,
            Self::OutsideEnrollment => "outside_enrollment",
            Self::CustomerIsPartner => "customer_is_partner",
            Self::CustomerPublicSector => "customer_public_sector",
            Self::CustomerCountry => "customer_country_not_covered",
            Self::ProductNotEligible => "product_not_eligible",
            Self::CustomerNotNew => "customer_not_new",
            Self::NoGrowth => "no_growth",
            Self::AmountTooSmall => "amount_too_small",
            Self::CapPartiallyApplied => "cap_partially_applied",
            Self::CapReached => "cap_reached",
            Self::ExchangeRateMissing => "exchange_rate_missing",
        }
    }

    /// The reason of a stable code; whatever is no reason of the calculation's own is a rule's.
    #[must_use]
    pub fn of(code: &str) -> Self {
        let own = [
            Self::OutsideEnrollment,
            Self::CustomerIsPartner,
            Self::CustomerPublicSector,
            Self::CustomerCountry,
            Self::ProductNotEligible,
            Self::CustomerNotNew,
            Self::NoGrowth,
            Self::AmountTooSmall,
            Self::CapPartiallyApplied,
            Self::CapReached,
            Self::ExchangeRateMissing,
        ];
        own.into_iter().find(|reason| reason.code() == code).unwrap_or_else(|| Self::Rule(code.to_owned()))
    }

    /// Whether the partner or the programme can still mend it: the sale is judged again when they have.
    #[must_use]
    pub fn is_curable(&self) -> bool {
        matches!(self, Self::Rule(_) | Self::OutsideEnrollment | Self::ExchangeRateMissing)
    }

    /// Whether it keeps a purchase, and with it every refund, out of the lever's account.
    #[must_use]
    pub fn bars(&self) -> bool {
        !matches!(self, Self::NoGrowth | Self::AmountTooSmall | Self::CapPartiallyApplied | Self::CapReached)
    }
}
