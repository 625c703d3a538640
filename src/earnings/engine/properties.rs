//! What holds for any levers and any sales: found by trying many.

use super::{
    EarningTarget, Purchase, Refund, YearToDate,
    samples::{all, core, facts, from, id, month, purchase, version},
    split,
};
use crate::{
    participation::programs::{
        CapScope, GrowthBaseline, Lever, LeverCap, LeverFilter, LeverGrain, LeverScale, LeverTier, TierPeriod,
    },
    platform::values::{Currency, Money, Month, Rate},
};
use proptest::{collection::vec, option, prelude::*, sample::select};

fn some_rate() -> impl Strategy<Value = Rate> {
    (0..=200_000_i64).prop_map(|millionths| Rate::from_millionths(millionths).unwrap())
}

fn some_tiers() -> impl Strategy<Value = Vec<LeverTier>> {
    (vec(1..3_000_000_i64, 0..4), vec(some_rate(), 4)).prop_map(|(mut marks, rates)| {
        marks.push(0);
        marks.sort_unstable();
        marks.dedup();
        let from = marks.into_iter().map(|minor| Money { minor, currency: Currency::USD });
        from.zip(rates).map(|(from, rate)| LeverTier { from, rate }).collect()
    })
}

fn some_scale() -> impl Strategy<Value = LeverScale> {
    let period = select(TierPeriod::ALL);
    prop_oneof![
        some_rate().prop_map(|rate| LeverScale::Flat { rate }),
        (period.clone(), some_tiers()).prop_map(|(period, tiers)| LeverScale::Marginal { period, tiers }),
        (period, some_tiers()).prop_map(|(period, tiers)| LeverScale::Retroactive { period, tiers }),
    ]
}

prop_compose! {
    fn some_cap()(scope in select(CapScope::ALL), minor in 1..200_000_i64) -> LeverCap {
        LeverCap { scope, amount: Money { minor, currency: Currency::USD } }
    }
}

prop_compose! {
    fn some_lever()(scale in some_scale(), grain in select(LeverGrain::ALL), cap in option::of(some_cap())) -> Lever {
        core("core", scale, grain, cap)
    }
}

/// A year of purchases in the order of their days, each with refunds of at most what is left.
fn some_purchases() -> impl Strategy<Value = Vec<Purchase>> {
    let refunds = vec(1..2_000_000_i64, 0..3);
    let draft = (0..360_i32, 1..2_000_000_i64, 0..3_u8, refunds);
    vec(draft, 1..40).prop_map(|drafts| {
        let mut purchases: Vec<Purchase> = Vec::new();
        for (n, (days, amount, customer, refunds)) in (1_u32..).zip(drafts) {
            let bought = purchase(n, "2018-07-01", "1.00");
            let on = bought.on.plus_days(days);
            let mut left = amount;
            let refunds = (0_u32..).zip(refunds).map(|(m, minor)| {
                let minor = minor.min(left);
                left -= minor;
                Refund { id: id(1000 + n * 10 + m), amount: -minor }
            });
            let refunds = refunds.filter(|refund| refund.amount != 0).collect();
            purchases.push(Purchase { on, amount, customer: format!("C-{customer}"), refunds, ..bought });
        }
        purchases.sort_by_key(|purchase| purchase.on);
        purchases
    })
}

/// The lever's cap suits its grain.
fn is_sound(lever: &Lever) -> bool {
    lever.grain() != LeverGrain::Month || lever.cap().is_none_or(|cap| cap.scope == CapScope::Partner)
}

fn parts<'t>(targets: &'t [EarningTarget<'_>]) -> impl Iterator<Item = (i64, i64, i64)> + use<'t> {
    targets.iter().map(|target| (target.amount, target.rebate, target.coop))
}

proptest! {
    #[test]
    fn a_year_computed_anew_from_any_month_is_the_whole_year(
        lever in some_lever().prop_filter("sound", is_sound),
        purchases in some_purchases(),
        back in 0..12_i32,
    ) {
        let (versions, known) = (version(&[lever]), facts());
        let whole = all(&versions, &known, &purchases);
        let first = month("2018-07").plus(back);
        let earlier: Vec<Purchase> =
            purchases.iter().filter(|purchase| Month::of(purchase.on) < first).cloned().collect();
        let mut standing = YearToDate::default();
        let mut pieces = from(&versions, &known, &earlier, month("2018-07"), &mut standing).unwrap();
        pieces.extend(from(&versions, &known, &purchases, first, &mut standing).unwrap());
        prop_assert_eq!(whole, pieces);
    }

    #[test]
    fn the_order_of_refunds_changes_no_sum_and_taking_everything_back_leaves_nothing(
        lever in some_lever().prop_filter("sound", is_sound),
        mut purchases in some_purchases(),
    ) {
        let (versions, known) = (version(&[lever]), facts());
        let sums = |purchases: &[Purchase]| {
            parts(&all(&versions, &known, purchases)).fold((0, 0, 0), |sum, part| {
                (sum.0 + part.0, sum.1 + part.1, sum.2 + part.2)
            })
        };
        let before = sums(&purchases);
        for purchase in &mut purchases {
            purchase.refunds.reverse();
        }
        prop_assert_eq!(before, sums(&purchases));
        for (n, purchase) in (9_000_u32..).zip(&mut purchases) {
            let left = purchase.net().unwrap();
            purchase.refunds.extend((left > 0).then(|| Refund { id: id(n), amount: -left }));
        }
        prop_assert_eq!(sums(&purchases), (0, 0, 0));
    }

    #[test]
    fn parts_sum_to_the_whole_and_a_cap_is_never_exceeded(
        lever in some_lever().prop_filter("sound", is_sound),
        purchases in some_purchases(),
    ) {
        let (versions, known) = (version(std::slice::from_ref(&lever)), facts());
        let targets = all(&versions, &known, &purchases);
        prop_assert!(parts(&targets).all(|(amount, rebate, coop)| rebate + coop == amount));
        if let Some(cap) = lever.cap() {
            let of = |purchase| purchases.iter().find(|it| it.id == purchase).map(|it| it.customer.clone());
            let mut used = std::collections::BTreeMap::<Option<String>, i64>::new();
            for target in &targets {
                let customer = target.origin.purchase().and_then(of);
                let customer = customer.or_else(|| target.origin.customer().map(str::to_owned));
                let holder = customer.filter(|_| cap.scope == CapScope::Customer);
                *used.entry(holder).or_default() += target.amount;
            }
            prop_assert!(used.values().all(|used| *used <= cap.amount.minor), "{used:?}");
        }
    }

    #[test]
    fn growth_is_never_negative(
        minor in 1..2_000_000_i64,
        purchases in some_purchases(),
    ) {
        let baseline = GrowthBaseline::Fixed { amount: Money { minor, currency: Currency::USD } };
        let lever = Lever::Growth {
            code: "growth".into(),
            name: "Growth".into(),
            rate: Rate::percent(10),
            baseline,
            applies_to: LeverFilter::default(),
            cap: None,
        };
        let (versions, known) = (version(&[lever]), facts());
        let targets = all(&versions, &known, &purchases);
        prop_assert!(targets.iter().all(|target| target.amount >= 0 && target.amount == split_sum(target)));
    }
}

fn split_sum(target: &EarningTarget<'_>) -> i64 {
    let (rebate, coop) = split(target.amount, target.version.rebate_rate);
    rebate + coop
}
