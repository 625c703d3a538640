//! Where the levers would stand after a simulation: tiers, and what is left under caps.

use super::simulation::Scene;
use crate::{
    earnings::engine::{Books, Exact, scale},
    participation::programs::{CapScope, Lever, LeverScale, LeverTier},
    platform::values::{CalendarDate, Currency, Money, Rate},
};
use serde::Serialize;
use utoipa::ToSchema;

/// Where a lever would stand at the end of the month.
#[derive(Serialize, ToSchema)]
pub struct LeverStanding {
    /// The lever's code.
    #[schema(max_length = 64, examples("core"))]
    lever: String,
    /// The volume its tier period has counted; null where it has no tiers.
    volume: Option<Money>,
    /// The tier that volume has reached; null where it has no tiers.
    tier: Option<LeverTier>,
    /// The tier after it; null where there is none.
    next_tier: Option<NextTier>,
    /// What is used and left of its cap: the partner's balance, or those of the customers of the supposed sales.
    #[schema(max_items = 1000)]
    caps: Vec<CapStanding>,
}

/// The next tier.
#[derive(Serialize, ToSchema)]
pub struct NextTier {
    /// The volume it begins at.
    from: Money,
    /// Its rate.
    rate: Rate,
    /// How much volume is missing.
    distance: Money,
    /// What the period would earn more with exactly that much more volume, before caps.
    adds: Money,
}

/// A cap's balance.
#[derive(Serialize, ToSchema)]
pub struct CapStanding {
    /// Whose balance it is; null where it is the partner's.
    #[schema(max_length = 128, examples("C-20881"))]
    customer_id: Option<String>,
    /// The balance at the beginning of the year.
    amount: Money,
    /// What is used.
    used: Money,
    /// What is left.
    left: Money,
}

/// Where each lever of the version would stand.
pub(super) fn standings(scene: &Scene<'_>, books: &Books) -> Vec<LeverStanding> {
    let currency = scene.version.currency;
    let levers = &scene.version.levers.0;
    levers.iter().map(|lever| standing(scene, books, lever, (scene.frame.month.to, currency))).collect()
}

fn standing(
    scene: &Scene<'_>,
    books: &Books,
    lever: &Lever,
    (day, currency): (CalendarDate, Currency),
) -> LeverStanding {
    let money = |minor| Money { minor, currency };
    let tiers = tiers(lever);
    let volume = tiers.and_then(|_| books.volume(lever, day));
    let reached = tiers.zip(volume);
    LeverStanding {
        lever: lever.code().to_owned(),
        volume: volume.map(money),
        tier: reached.and_then(|((_, tiers), volume)| {
            tiers.iter().rev().find(|tier| tier.from.minor <= volume.max(0)).copied()
        }),
        next_tier: reached.and_then(|((whole, tiers), volume)| {
            let (distance, rate) = scale::next_tier(tiers, volume)?;
            let from = volume + distance;
            let adds = if whole {
                given(tiers, from).rounded() - given(tiers, volume).rounded()
            } else {
                scale::slices(tiers, volume, from).map(scale::Slice::gives).sum::<Exact>().rounded()
            };
            Some(NextTier { from: money(from), rate, distance: money(distance), adds: money(adds) })
        }),
        caps: caps(scene, books, lever),
    }
}

/// What a whole volume gives at the rate it reaches.
fn given(tiers: &[LeverTier], volume: i64) -> Exact {
    scale::reached(tiers, volume).map_or(Exact::ZERO, scale::Slice::gives)
}

/// A lever's tiers, and whether the whole volume takes the rate it reaches.
fn tiers(lever: &Lever) -> Option<(bool, &[LeverTier])> {
    let (Lever::Core { scale, .. } | Lever::Accelerator { scale, .. }) = lever else { return None };
    match scale {
        LeverScale::Flat { .. } => None,
        LeverScale::Marginal { tiers, .. } => Some((false, tiers)),
        LeverScale::Retroactive { tiers, .. } => Some((true, tiers)),
    }
}

fn caps(scene: &Scene<'_>, books: &Books, lever: &Lever) -> Vec<CapStanding> {
    let Some(cap) = lever.cap() else { return Vec::new() };
    let balance = |customer: Option<&str>| {
        let left = books.balance(lever, customer)?;
        let used = Money { minor: cap.amount.minor - left.minor, ..cap.amount };
        Some(CapStanding { customer_id: customer.map(str::to_owned), amount: cap.amount, used, left })
    };
    match cap.scope {
        CapScope::Partner => balance(None).into_iter().collect(),
        CapScope::Customer => {
            scene.supposed.customers().into_iter().filter_map(|customer| balance(Some(customer))).collect()
        }
    }
}
