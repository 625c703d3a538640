//! What a volume earns by tiers. Tiers are half-open: `from` belongs to a tier, the next one's `from` does not.

use super::Exact;
use crate::{participation::programs::LeverTier, platform::values::Rate};

/// A piece of a volume that lies in one tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TierSlice {
    /// How much of the volume, in minor units.
    pub volume: i64,
    /// The tier's rate.
    pub rate: Rate,
}

impl TierSlice {
    /// What it earns.
    #[must_use]
    pub fn gives(self) -> Exact {
        Exact::share(self.volume, self.rate)
    }
}

/// The slices of the volume between two marks, each at the rate of its own tier.
pub fn slices(tiers: &[LeverTier], from: i64, to: i64) -> impl Iterator<Item = TierSlice> {
    let ends = tiers.iter().skip(1).map(|tier| tier.from.minor).chain([i64::MAX]);
    tiers
        .iter()
        .zip(ends)
        .map(move |(tier, end)| TierSlice {
            volume: to.min(end).saturating_sub(from.max(tier.from.minor)),
            rate: tier.rate,
        })
        .filter(|slice| slice.volume > 0)
}

/// The whole volume at the rate of the tier it reaches; nothing where there is none.
#[must_use]
pub fn reached(tiers: &[LeverTier], volume: i64) -> Option<TierSlice> {
    let tier = tiers.iter().rev().find(|tier| tier.from.minor <= volume)?;
    (volume > 0).then_some(TierSlice { volume, rate: tier.rate })
}

/// How far it is to the next tier, and its rate; none in the last one.
#[must_use]
pub fn next_tier(tiers: &[LeverTier], volume: i64) -> Option<(i64, Rate)> {
    let tier = tiers.iter().find(|tier| tier.from.minor > volume)?;
    Some((tier.from.minor - volume, tier.rate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::values::{Currency, Money};
    use proptest::prelude::*;

    fn tiers() -> Vec<LeverTier> {
        [(0, "0.02"), (5_000_000, "0.04"), (15_000_000, "0.06")]
            .map(|(from, rate)| LeverTier {
                from: Money { minor: from, currency: Currency::USD },
                rate: rate.parse().unwrap(),
            })
            .to_vec()
    }

    fn marginal(from: i64, to: i64) -> i64 {
        slices(&tiers(), from, to).map(TierSlice::gives).sum::<Exact>().rounded().unwrap()
    }

    fn retroactive(volume: i64) -> i64 {
        reached(&tiers(), volume).map_or(Exact::ZERO, TierSlice::gives).rounded().unwrap()
    }

    #[test]
    fn r2_tiers_are_half_open() {
        assert_eq!((marginal(0, 5_000_000), retroactive(5_000_000)), (100_000, 200_000));
        assert_eq!((marginal(0, 18_765_432), retroactive(18_765_432)), (725_926, 1_125_926));
        assert_eq!((marginal(0, 4_999_999), retroactive(4_999_999)), (100_000, 100_000));
    }

    #[test]
    fn r3_a_retroactive_tier_lifts_what_came_before() {
        assert_eq!(retroactive(4_000_000), 80_000);
        assert_eq!(retroactive(6_000_000) - 80_000, 160_000);
    }

    #[test]
    fn the_next_tier_says_what_is_missing() {
        assert_eq!(next_tier(&tiers(), 4_000_000), Some((1_000_000, "0.04".parse().unwrap())));
        assert_eq!(next_tier(&tiers(), 5_000_000), Some((10_000_000, "0.06".parse().unwrap())));
        assert_eq!(next_tier(&tiers(), 15_000_000), None);
    }

    proptest! {
        #[test]
        fn slices_cover_the_volume_and_any_cut_gives_the_same(
            a in 0..40_000_000_i64,
            b in 0..40_000_000_i64,
            c in 0..40_000_000_i64,
        ) {
            let mut marks = [a, b, c];
            marks.sort_unstable();
            let [from, cut, to] = marks;
            let sum = |from, to| slices(&tiers(), from, to).map(TierSlice::gives).sum::<Exact>();
            prop_assert_eq!(slices(&tiers(), from, to).map(|slice| slice.volume).sum::<i64>(), to - from);
            prop_assert_eq!(sum(from, cut) + sum(cut, to), sum(from, to));
        }
    }
}
