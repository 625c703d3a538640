//! Targets: what each lever gives for each origin by everything known, with the figures that a trace is made of.

use super::{ByRate, Exact, Reason};
use crate::{
    participation::programs::{Lever, ProgramVersion},
    platform::values::{Currency, Id, Month, Rate},
};

/// What a target is computed from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// A purchase, or a refund of one.
    Sale {
        /// The transaction.
        transaction: Id,
        /// The purchase that the transaction is, or takes back.
        purchase: Id,
    },
    /// Everything a customer bought in a month, in the target's currency.
    CustomerMonth(String),
    /// Everything of a month, in the target's currency.
    Month,
}

impl Origin {
    /// The transaction, where the origin is one.
    #[must_use]
    pub const fn transaction(&self) -> Option<Id> {
        match self {
            Self::Sale { transaction, .. } => Some(*transaction),
            Self::CustomerMonth(_) | Self::Month => None,
        }
    }

    /// The purchase that the origin is, or takes back.
    #[must_use]
    pub const fn purchase(&self) -> Option<Id> {
        match self {
            Self::Sale { purchase, .. } => Some(*purchase),
            Self::CustomerMonth(_) | Self::Month => None,
        }
    }

    /// The customer, where the origin is a customer's month.
    #[must_use]
    pub fn customer(&self) -> Option<&str> {
        match self {
            Self::CustomerMonth(customer) => Some(customer),
            Self::Sale { .. } | Self::Month => None,
        }
    }
}

/// What one lever gives for one origin by everything known. Amounts are minor units of the currency; those of the refund of a
/// purchase are what the refund takes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarningTarget<'a> {
    /// The version whose terms count.
    pub version: &'a ProgramVersion,
    /// The lever.
    pub lever: &'a Lever,
    /// What the lever earns on.
    pub origin: Origin,
    /// The month the target applies to.
    pub earned_in: Month,
    /// The currency.
    pub currency: Currency,
    /// The net amount the lever earns on.
    pub base: i64,
    /// The amount before rounding and before the cap.
    pub unrounded: Exact,
    /// The amount.
    pub amount: i64,
    /// The part that is rebate.
    pub rebate: i64,
    /// The part that is co-op.
    pub coop: i64,
    /// The parts of base and amount by their rates, of a lever with tiers.
    pub by_rate: ByRate,
    /// What the trace is made of.
    pub figures: Figures,
    /// The slices of a tiered volume, where the volume and its beginning alone do not tell them.
    pub slices: Vec<GivenSlice>,
    /// Why the origin earns nothing, or not all of it.
    pub shortfall: Option<Shortfall>,
}

/// The numbers of a trace; in minor units of the target's currency unless said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The net amount of the whole origin, refunds taken off.
    pub net: i64,
    /// The volume that chose the rates, in the version's currency; of an activity bonus, the number of competencies.
    pub volume: i64,
    /// In the version's currency: where the volume begins in its tier period, what earlier months of the period were given,
    /// or the baseline of a month.
    pub baseline: i64,
    /// What the whole origin gives, rounded once.
    pub whole: i64,
    /// What was left under the cap, where the cap cut something off.
    pub cap_balance: Option<i64>,
    /// What earlier transactions of the same purchase give.
    pub before: i64,
}

/// A part of a volume at its tier's rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct GivenSlice {
    /// The part, in minor units of the version's currency.
    pub volume: i64,
    /// The tier's rate.
    pub rate: Rate,
    /// What the part gives, in the target's currency.
    pub gives: Exact,
}

/// Why an origin earns nothing, or not all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// The reason.
    pub reason: Reason,
    /// What a cap cut off, in minor units; negative where a refund takes that back.
    pub capped: Option<i64>,
}
