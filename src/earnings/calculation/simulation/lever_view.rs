//! Where the levers would stand after a simulation: tiers, and what is left under caps.

use super::scene::SimulatedScene;
use crate::{
    earnings::{
        calculation::posting::out_of_range,
        engine::{CapHolder, Exact, YearToDate, scale},
    },
    participation::programs::{CapScope, Lever, LeverTier},
    platform::{
        Result,
        values::{Money, Rate},
    },
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
    /// What is used and left of its cap: the partner's balance, or those of the customers of the hypothetical sales.
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
pub(super) fn standings(scene: &SimulatedScene<'_>, standing: &YearToDate) -> Result<Vec<LeverStanding>> {
    scene.version.levers.0.iter().map(|lever| of_lever(scene, standing, lever)).collect()
}

fn of_lever(scene: &SimulatedScene<'_>, standing: &YearToDate, lever: &Lever) -> Result<LeverStanding> {
    let money = |minor| Money { minor, currency: scene.version.currency };
    let caps = caps(scene, standing, lever);
    let lever_code = lever.code().to_owned();
    let Some(tiers) = lever.tiers() else {
        return Ok(LeverStanding { lever: lever_code, volume: None, tier: None, next_tier: None, caps });
    };
    let counted = standing.levers.get(lever.code()).map(|of| of.counted(tiers.period, scene.asked.month));
    let volume = counted.transpose().map_err(out_of_range)?.unwrap_or_default();
    let next_tier = scale::next_tier(tiers.tiers, volume).map(|(distance, rate)| {
        let from = volume + distance;
        let adds = if tiers.lifts_all {
            given(tiers.tiers, from) - given(tiers.tiers, volume)
        } else {
            scale::slices(tiers.tiers, volume, from).map(scale::TierSlice::gives).sum::<Exact>()
        };
        let adds = money(adds.rounded().unwrap_or(i64::MAX));
        NextTier { from: money(from), rate, distance: money(distance), adds }
    });
    Ok(LeverStanding {
        lever: lever_code,
        volume: Some(money(volume)),
        tier: tiers.tiers.iter().rev().find(|tier| tier.from.minor <= volume.max(0)).copied(),
        next_tier,
        caps,
    })
}

/// What a whole volume gives at the rate it reaches, in whole minor units.
fn given(tiers: &[LeverTier], volume: i64) -> Exact {
    let reached = scale::reached(tiers, volume).map_or(Exact::ZERO, scale::TierSlice::gives);
    reached.rounded().map_or(reached, Exact::whole)
}

fn caps(scene: &SimulatedScene<'_>, standing: &YearToDate, lever: &Lever) -> Vec<CapStanding> {
    let Some(cap) = lever.cap() else { return Vec::new() };
    let balance = |holder: CapHolder| {
        let of = standing.levers.get(lever.code());
        let used = of.and_then(|of| of.used.get(&holder)).map_or(0, |used| used.whole());
        let customer_id = match holder {
            CapHolder::Partner => None,
            CapHolder::Customer(customer) => Some(customer),
        };
        let money = |minor| Money { minor, ..cap.amount };
        let left = money((cap.amount.minor - used).max(0));
        CapStanding { customer_id, amount: cap.amount, used: money(used), left }
    };
    match cap.scope {
        CapScope::Partner => vec![balance(CapHolder::Partner)],
        CapScope::Customer => {
            let customers = scene.hypothetical.customers().into_iter();
            customers.map(|customer| balance(CapHolder::Customer(customer.to_owned()))).collect()
        }
    }
}
