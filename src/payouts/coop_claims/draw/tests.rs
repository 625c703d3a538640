use super::*;
use crate::{
    ledger::accounting::coop_funds::{CoopFundState, PlannedFor},
    payouts::coop_claims::assessment::tests::{claim, fund, id},
    platform::db::types::Json,
};
use proptest::prelude::*;

/// A fund that has set amounts aside for two activities.
fn planning(remaining: i64, seminar: i64, offer: i64) -> CoopFund {
    let planned = |activity: &str, amount| PlannedFor { activity: activity.into(), amount };
    let for_each = [planned("customer-offer", offer), planned("customer-seminar", seminar)];
    CoopFund {
        planned: seminar + offer,
        remaining,
        plan_id: Some(id(7)),
        planned_for: Json(for_each.into_iter().filter(|one| one.amount > 0).collect()),
        ..fund(remaining + seminar + offer, remaining + seminar + offer)
    }
}

fn asking(activity: &str, committed: i64) -> Claim {
    Claim { committed, ..claim(activity, None, &[]) }
}

/// The fund and the claim after a step.
fn drawn(fund: &CoopFund, before: &Claim, after: &Claim) -> (CoopFund, Claim) {
    let draw = Draw::of(fund, before, after);
    let moved = draw.parts.iter().fold(draw.fund, |fund, part| {
        fund.moved(part.amount, part.from, part.to).expect("each part holds what the step takes")
    });
    (moved, Claim { from_plan: draw.from_plan, plan_id: draw.plan_id, ..after.clone() })
}

fn parts(fund: &CoopFund) -> [i64; 4] {
    [fund.planned, fund.committed, fund.remaining, fund.forfeited]
}

#[test]
fn a_claim_uses_the_plan_of_its_activity_first_and_gives_back_to_the_plan_last() {
    let fund = planning(1000, 300, 200);
    let draft = asking("customer-seminar", 0);
    let (fund, submitted) = drawn(&fund, &draft, &asking("customer-seminar", 450));
    assert_eq!((submitted.from_plan, parts(&fund)), (300, [200, 450, 850, 0]));
    let (cut, approved) = drawn(&fund, &submitted, &Claim { committed: 310, ..submitted.clone() });
    assert_eq!((approved.from_plan, parts(&cut)), (300, [200, 310, 990, 0]));
    let (cut, approved) = drawn(&fund, &submitted, &Claim { committed: 250, ..submitted.clone() });
    assert_eq!((approved.from_plan, parts(&cut)), (250, [250, 250, 1000, 0]));
    let (back, none) = drawn(&fund, &submitted, &Claim { committed: 0, ..submitted.clone() });
    assert_eq!((none.from_plan, none.plan_id, parts(&back)), (0, None, [500, 0, 1000, 0]));
    let (other, none) = drawn(&fund, &draft, &asking("website-search", 50));
    assert_eq!((none.from_plan, none.plan_id, parts(&other)), (0, None, [200, 500, 800, 0]));
}

#[test]
fn a_plan_that_is_over_gets_nothing_back() {
    let fund = planning(1000, 300, 0);
    let draft = asking("customer-seminar", 0);
    let (fund, submitted) = drawn(&fund, &draft, &asking("customer-seminar", 300));
    let recalled = Claim { committed: 0, ..submitted.clone() };
    let (cancelled, _) = drawn(&fund.without_plan(), &submitted, &recalled);
    assert_eq!(parts(&cancelled), [0, 0, 1300, 0]);
    let another = CoopFund { plan_id: Some(id(8)), ..fund.without_plan() };
    assert_eq!(parts(&drawn(&another, &submitted, &recalled).0), [0, 0, 1300, 0]);
    let ended =
        CoopFund { state: CoopFundState::Ended, remaining: 0, forfeited: 1000, ..fund.without_plan() };
    assert_eq!(parts(&drawn(&ended, &submitted, &recalled).0), [0, 0, 0, 1300]);
}

const ACTIVITIES: [&str; 3] = ["customer-offer", "customer-seminar", "website-search"];

proptest! {
    #[test]
    fn the_planned_amounts_are_the_planned_part_whatever_claims_ask_for(
        (remaining, seminar, offer) in (0..2000_i64, 0..2000_i64, 0..2000_i64),
        steps in prop::collection::vec((0..3_usize, 0..3_usize, 0..3000_i64), 1..25),
    ) {
        let whole = planning(remaining, seminar, offer);
        let (mut fund, mut claims) = (whole.clone(), vec![asking(ACTIVITIES[0], 0); 3]);
        for (nth, activity, asked) in steps {
            let before = claims[nth].clone();
            let activity = ACTIVITIES[activity];
            let own = if before.activity == activity { before.from_plan } else { 0 };
            let free = fund.remaining + before.committed - before.from_plan + fund.planned_for(activity) + own;
            let after = Claim { activity: activity.into(), committed: asked.min(free), ..before.clone() };
            (fund, claims[nth]) = drawn(&fund, &before, &after);
            let planned: i64 = fund.planned_for.0.iter().map(|one| one.amount).sum();
            prop_assert_eq!(planned, fund.planned);
            let committed: i64 = claims.iter().map(|claim| claim.committed).sum();
            prop_assert_eq!(committed, fund.committed);
            let from_plan: i64 = claims.iter().map(|claim| claim.from_plan).sum();
            prop_assert_eq!(whole.planned - from_plan, fund.planned);
            prop_assert!(claims.iter().all(|claim| (0..=claim.committed).contains(&claim.from_plan)));
        }
        for claim in &claims {
            (fund, _) = drawn(&fund, claim, &Claim { committed: 0, ..claim.clone() });
        }
        prop_assert_eq!(fund, whole);
    }
}
