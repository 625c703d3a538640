//! The rates of a lever: one, or several by the volume of a month, half-year or program year.

use super::LeverGrain;
use crate::platform::values::{CalendarDate, Money, Month, Rate, text_enum};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A rate, or rates that grow with volume. Tiers are half-open: one ends just before the next begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[schema(example = json!({"type": "flat", "rate": "0.08"}))]
pub enum LeverScale {
    /// One rate whatever the volume.
    #[schema(title = "FlatScale")]
    Flat {
        /// The rate.
        rate: Rate,
    },
    /// Each slice of the volume at the rate of its own tier.
    #[schema(title = "MarginalScale")]
    Marginal {
        /// Over what time volume is counted.
        period: TierPeriod,
        /// The tiers, ascending; the first begins at zero.
        #[schema(min_items = 1, max_items = 20)]
        tiers: Vec<LeverTier>,
    },
    /// The whole volume at the rate of the tier reached, minus what the period has posted already.
    #[schema(title = "RetroactiveScale")]
    Retroactive {
        /// Over what time volume is counted.
        period: TierPeriod,
        /// The tiers, ascending; the first begins at zero.
        #[schema(min_items = 1, max_items = 20)]
        tiers: Vec<LeverTier>,
    },
}

/// One tier of a scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": {"amount": "0.00", "currency": "USD"}, "rate": "0.02"}))]
pub struct LeverTier {
    /// The volume it begins at, itself included; in the version's currency.
    pub from: Money,
    /// Its rate.
    pub rate: Rate,
}

text_enum! {
    /// Over what time the volume of a tier is counted.
    pub enum TierPeriod {
        /// A calendar month.
        Month = "month",
        /// July to December, or January to June.
        HalfYear = "half_year",
        /// July to June.
        ProgramYear = "program_year",
    }
}

impl LeverScale {
    /// The grain of a lever of this scale that names one, or none.
    pub(super) const fn grain(&self, named: Option<LeverGrain>) -> LeverGrain {
        match (self, named) {
            (_, Some(grain)) => grain,
            (Self::Flat { .. } | Self::Marginal { .. }, None) => LeverGrain::Transaction,
            (Self::Retroactive { .. }, None) => LeverGrain::Month,
        }
    }
}

impl TierPeriod {
    /// The first day of the period a day lies in.
    #[must_use]
    pub fn begins(self, day: CalendarDate) -> CalendarDate {
        let month = Month::of(day);
        let into_the_year = i32::from((day.month() + 5) % 12);
        let back = match self {
            Self::Month => 0,
            Self::HalfYear => into_the_year % 6,
            Self::ProgramYear => into_the_year,
        };
        month.plus(-back).first_day()
    }
}

/// The tiers of a lever.
#[derive(Clone, Copy, Debug)]
pub struct Tiers<'a> {
    /// Over what time volume is counted.
    pub period: TierPeriod,
    /// The tiers, ascending.
    pub tiers: &'a [LeverTier],
    /// Whether the whole volume takes the rate that it reaches.
    pub lifts_all: bool,
}
