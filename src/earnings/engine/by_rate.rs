//! By which rates a tiered lever gave an amount: the parts add up to the amount and its base, to the minor unit.

use super::{Exact, GivenSlice, OutOfRange, scale};
use crate::{participation::programs::LeverTier, platform::values::Rate};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The part of an amount that was given at one rate, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RatePart {
    /// The rate; zero below the first tier.
    pub rate: Rate,
    /// The part of the base.
    pub base: i64,
    /// The part of the amount, rounded and capped.
    pub amount: i64,
}

/// The parts of an amount, each rate once, in their order; empty where the lever has no tiers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ByRate(Vec<RatePart>);

/// What the parts add up to.
#[derive(Clone, Copy, Debug)]
pub(super) struct PartsOf {
    pub base: i64,
    pub amount: i64,
}

impl ByRate {
    /// The parts.
    #[must_use]
    pub fn parts(&self) -> &[RatePart] {
        &self.0
    }

    /// Whether there are no parts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Both together; a rate whose parts cancel out is left out.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self::of(self.0.iter().chain(&other.0).copied())
    }

    /// These less those.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let negative = |part: &RatePart| RatePart { base: -part.base, amount: -part.amount, ..*part };
        Self::of(self.0.iter().copied().chain(other.0.iter().map(negative)))
    }

    fn of(parts: impl IntoIterator<Item = RatePart>) -> Self {
        let mut sums: BTreeMap<Rate, RatePart> = BTreeMap::new();
        for part in parts {
            let sum = sums.entry(part.rate).or_insert(RatePart { base: 0, amount: 0, ..part });
            sum.base = sum.base.saturating_add(part.base);
            sum.amount = sum.amount.saturating_add(part.amount);
        }
        Self(sums.into_values().filter(|sum| (sum.base, sum.amount) != (0, 0)).collect())
    }

    /// The parts of a volume that earns by slices. The sums up to each slice are rounded, so that the parts add up; what a cap
    /// cuts off is taken from the last slices.
    pub(super) fn of_slices(slices: &[GivenSlice], volume: i64, whole: PartsOf) -> Result<Self, OutOfRange> {
        let in_tiers: i128 = slices.iter().map(|slice| i128::from(slice.volume)).sum();
        let below = GivenSlice {
            volume: i64::try_from(i128::from(volume) - in_tiers).map_err(|_| OutOfRange)?.max(0),
            rate: Rate::ZERO,
            gives: Exact::ZERO,
        };
        let (mut reached, mut given) = (0_i128, Exact::ZERO);
        let mut before = PartsOf { base: 0, amount: 0 };
        let mut parts = Vec::new();
        for slice in std::iter::once(&below).chain(slices) {
            reached += i128::from(slice.volume);
            given = given + slice.gives;
            let base = i128::from(whole.base) * reached / i128::from(volume.max(1));
            let upto = PartsOf {
                base: i64::try_from(base).map_err(|_| OutOfRange)?,
                amount: given.rounded().ok_or(OutOfRange)?.min(whole.amount),
            };
            let (base, amount) = (upto.base - before.base, upto.amount - before.amount);
            parts.push(RatePart { rate: slice.rate, base, amount });
            before = upto;
        }
        if let Some(last) = parts.last_mut() {
            last.base += whole.base - before.base;
            last.amount += whole.amount - before.amount;
        }
        Ok(Self::of(parts))
    }

    /// The parts of a month whose period's whole volume earns at the rate it reaches: that volume at that rate, less the
    /// volume before the month at the rate that it had reached, which gave `earlier`.
    pub(super) fn of_lift(
        tiers: &[LeverTier],
        volume: i64,
        earlier: i64,
        whole: PartsOf,
    ) -> Result<Self, OutOfRange> {
        let rate_of = |volume| scale::reached(tiers, volume).map_or(Rate::ZERO, |slice| slice.rate);
        let volume_before = volume.checked_sub(whole.base).ok_or(OutOfRange)?;
        let gave = scale::reached(tiers, volume_before).map_or(Exact::ZERO, scale::TierSlice::gives);
        let rate = rate_of(volume);
        // Earlier months of a version with other tiers gave by rates that these tiers do not tell.
        let rate_before = if gave.rounded() == Some(earlier) { rate_of(volume_before) } else { rate };
        let amount = whole.amount.checked_add(earlier).ok_or(OutOfRange)?;
        Ok(Self::of([
            RatePart { rate: rate_before, base: -volume_before, amount: -earlier },
            RatePart { rate, base: volume, amount },
        ]))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::exact::Fine, *};
    use crate::platform::values::{Currency, Money};
    use proptest::prelude::*;

    fn tiers() -> Vec<LeverTier> {
        [(1_000, "0.02"), (5_000_000, "0.04"), (15_000_000, "0.06")]
            .map(|(from, rate)| LeverTier {
                from: Money { minor: from, currency: Currency::USD },
                rate: rate.parse().unwrap(),
            })
            .to_vec()
    }

    fn sum(parts: &ByRate) -> (i64, i64) {
        let of = |part: fn(&RatePart) -> i64| parts.parts().iter().map(part).sum();
        (of(|part| part.base), of(|part| part.amount))
    }

    #[test]
    fn a_month_that_reaches_a_tier_lifts_what_came_before() {
        let whole = PartsOf { base: 2_000_000, amount: 160_000 };
        let parts = ByRate::of_lift(&tiers(), 6_000_000, 80_000, whole).unwrap();
        let part = |rate: &str, base, amount| RatePart { rate: rate.parse().unwrap(), base, amount };
        assert_eq!(parts.parts(), [part("0.02", -4_000_000, -80_000), part("0.04", 6_000_000, 240_000)]);
        let whole = PartsOf { base: 1_000_000, amount: 20_000 };
        let parts = ByRate::of_lift(&tiers(), 4_000_000, 60_000, whole).unwrap();
        assert_eq!(parts.parts(), [part("0.02", 1_000_000, 20_000)], "one rate");
    }

    proptest! {
        #[test]
        fn parts_add_up_whatever_is_rounded_converted_and_cut(
            offset in 0..40_000_000_i64,
            volume in 0..40_000_000_i64,
            net in 0..9_000_000_000_i64,
            cut in 0..=100_i64,
        ) {
            let slices: Vec<_> = scale::slices(&tiers(), offset, offset + volume)
                .map(|slice| GivenSlice {
                    volume: slice.volume,
                    rate: slice.rate,
                    gives: Fine::part(slice.gives(), net, volume).unwrap().exact(),
                })
                .collect();
            let uncut = slices.iter().map(|slice| slice.gives).sum::<Exact>().rounded().unwrap();
            let amount = uncut - uncut / 100 * cut;
            let parts = ByRate::of_slices(&slices, volume, PartsOf { base: net, amount }).unwrap();
            prop_assert_eq!(sum(&parts), (net, amount));
            prop_assert!(parts.parts().iter().all(|part| part.base >= 0 && part.amount >= 0), "{:?}", parts);
            prop_assert!(parts.minus(&parts).is_empty());
        }
    }
}
