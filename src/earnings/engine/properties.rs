//! What holds for any levers and any sales: found by trying many.

use super::{
    Books, Facts, Origin, Outcome, Sale, Terms,
    samples::{core, day, facts, id, money, purchase},
    split,
};
use crate::{
    participation::programs::{
        CapScope, GrowthBaseline, Lever, LeverCap, LeverFilter, LeverGrain, LeverScale, LeverTier, TierPeriod,
    },
    platform::values::{Currency, Id, Money, Month, Rate},
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use std::collections::BTreeMap;

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

/// A year of sales; each refund takes back a part of a purchase before it, or all that is left.
fn some_sales() -> impl Strategy<Value = Vec<Sale>> {
    let draft =
        (any::<prop::sample::Index>(), 0..360_i32, 1..2_000_000_i64, 0..3_u8, prop::bool::weighted(0.3));
    vec(draft, 1..40).prop_map(|drafts| {
        let mut sales: Vec<Sale> = Vec::new();
        let mut left: BTreeMap<Id, i64> = BTreeMap::new();
        for (n, (index, days, minor, customer, is_refund)) in (1_u32..).zip(drafts) {
            let open: Vec<Id> = left.iter().filter(|(_, left)| **left > 0).map(|(id, _)| *id).collect();
            if is_refund && !open.is_empty() {
                let of = open[index.index(open.len())];
                let bought = sales.iter().find(|sale| sale.id == of).unwrap().clone();
                let minor = minor.min(left[&of]);
                *left.get_mut(&of).unwrap() -= minor;
                let amount = Money { minor: -minor, ..bought.amount };
                sales.push(Sale { id: id(n), refund_of: Some(of), amount, ..bought });
            } else {
                let amount = Money { minor, currency: Currency::USD };
                let sale = purchase(n, "2018-07-01", "1.00");
                let occurred_on = sale.occurred_on.plus_days(days);
                left.insert(sale.id, minor);
                sales.push(Sale { occurred_on, amount, customer: format!("C-{customer}"), ..sale });
            }
        }
        sales
    })
}

/// Posts the sales in pieces that end at the marks.
fn post_in(lever: &Lever, sales: &[Sale], marks: &[prop::sample::Index]) -> (Books, Vec<Outcome>) {
    let levers = std::slice::from_ref(lever);
    let terms = Terms { levers, rebate_rate: Rate::percent(60), currency: Currency::USD };
    let mut ends: Vec<usize> = marks.iter().map(|mark| mark.index(sales.len())).collect();
    ends.push(sales.len());
    ends.sort_unstable();
    let (mut books, mut outcomes, mut from) = (Books::default(), Vec::new(), 0);
    for end in ends {
        outcomes.extend(books.post(&terms, &facts(), &sales[from..end]));
        from = end;
    }
    (books, outcomes)
}

fn by_month(outcomes: &[Outcome]) -> BTreeMap<Month, i64> {
    let mut sums = BTreeMap::new();
    for outcome in outcomes {
        if let Outcome::Earning(earning) = outcome {
            *sums.entry(earning.earned_in).or_default() += earning.amount;
        }
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}

proptest! {
    #[test]
    fn every_earning_splits_without_rest_and_none_is_zero(lever in some_lever(), sales in some_sales()) {
        let (_, outcomes) = post_in(&lever, &sales, &[]);
        let (mut amounts, mut rebates) = (BTreeMap::new(), BTreeMap::new());
        for outcome in outcomes {
            if let Outcome::Earning(earning) = outcome {
                prop_assert_ne!(earning.amount, 0);
                prop_assert_eq!(earning.rebate + earning.coop, earning.amount);
                prop_assert!(earning.rebate * earning.amount >= 0 && earning.coop * earning.amount >= 0);
                let of = |sale: &Sale| Origin::Sale(sale.refund_of.unwrap_or(sale.id));
                let group = match &earning.origin {
                    Origin::Sale(id) => of(sales.iter().find(|sale| sale.id == *id).unwrap()),
                    origin => origin.clone(),
                };
                *amounts.entry((group.clone(), earning.earned_in)).or_insert(0) += earning.amount;
                *rebates.entry((group, earning.earned_in)).or_insert(0) += earning.rebate;
            }
        }
        // What a purchase, a customer's month or a month has given in all is split as a whole.
        for (group, amount) in amounts {
            prop_assert_eq!(rebates[&group], split(amount, Rate::percent(60)).0);
        }
    }

    #[test]
    fn a_cap_is_never_exceeded_in_any_order_and_any_cut(
        lever in some_lever(),
        cap in some_cap(),
        sales in some_sales(),
        marks in vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let Lever::Core { code, name, scale, applies_to, grain, .. } = lever else { unreachable!() };
        let lever = Lever::Core { code, name, scale, applies_to, cap: Some(cap), grain };
        let (books, outcomes) = post_in(&lever, &sales, &marks);
        let mut sum = 0;
        for outcome in &outcomes {
            if let Outcome::Earning(earning) = outcome {
                sum += earning.amount;
                if cap.scope == CapScope::Partner {
                    prop_assert!(sum <= cap.amount.minor, "{sum} of {}", cap.amount);
                }
            }
        }
        if cap.scope == CapScope::Customer && matches!(lever, Lever::Core { grain: LeverGrain::Transaction, .. }) {
            for customer in ["C-0", "C-1", "C-2"] {
                prop_assert!(books.balance(&lever, Some(customer)).unwrap().minor >= 0);
            }
        }
    }

    #[test]
    fn when_everything_is_refunded_nothing_is_left(lever in some_lever(), sales in some_sales()) {
        let mut left: BTreeMap<Id, (Sale, i64)> = BTreeMap::new();
        for sale in &sales {
            let of = sale.refund_of.unwrap_or(sale.id);
            left.entry(of).or_insert_with(|| (sale.clone(), 0)).1 += sale.amount.minor;
        }
        let mut all = sales.clone();
        for (n, (of, (sale, minor))) in (1000_u32..).zip(left) {
            if minor > 0 {
                let amount = Money { minor: -minor, ..sale.amount };
                all.push(Sale { id: id(n), refund_of: Some(of), amount, ..sale });
            }
        }
        let (_, outcomes) = post_in(&lever, &all, &[]);
        prop_assert_eq!(by_month(&outcomes), BTreeMap::new());
        let mut cut = 0;
        for outcome in &outcomes {
            if let Outcome::Ineligible(record) = outcome {
                cut += record.capped.map_or(0, |money| money.minor);
            }
        }
        prop_assert_eq!(cut, 0);
    }

    #[test]
    fn the_same_sales_in_any_cut_of_days_give_the_same(
        lever in some_lever(),
        sales in some_sales(),
        marks in vec(any::<prop::sample::Index>(), 0..5),
    ) {
        // Under a cap of more than single sales it matters who came first; without one it never does.
        let Lever::Core { code, name, scale, applies_to, grain, cap } = lever else { unreachable!() };
        let cap = cap.filter(|_| grain == LeverGrain::Transaction && !matches!(scale, LeverScale::Retroactive { .. }));
        let lever = Lever::Core { code, name, scale, applies_to, cap, grain };
        let (_, whole) = post_in(&lever, &sales, &[]);
        let (_, pieces) = post_in(&lever, &sales, &marks);
        prop_assert_eq!(by_month(&whole), by_month(&pieces));
    }

    #[test]
    fn retroactive_tiers_do_not_ask_in_which_order_sales_came(
        period in select(TierPeriod::ALL),
        tiers in some_tiers(),
        sales in some_sales(),
        marks in vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let lever = core("core", LeverScale::Retroactive { period, tiers }, LeverGrain::Month, None);
        let mut purchases: Vec<Sale> = sales.into_iter().filter(|sale| sale.refund_of.is_none()).collect();
        let (_, forwards) = post_in(&lever, &purchases, &marks);
        purchases.reverse();
        let (_, backwards) = post_in(&lever, &purchases, &marks);
        prop_assert_eq!(by_month(&forwards), by_month(&backwards));
    }

    #[test]
    fn a_month_s_growth_does_not_ask_when_its_baseline_was_told(
        months in 1..6_u32,
        rate in some_rate(),
        sales in some_sales(),
        marks in vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let lever = Lever::Growth {
            code: "growth".into(),
            name: "Growth".into(),
            rate,
            baseline: GrowthBaseline::TrailingAverage { months },
            applies_to: LeverFilter::default(),
            cap: None,
        };
        let (_, whole) = post_in(&lever, &sales, &[]);
        let (_, pieces) = post_in(&lever, &sales, &marks);
        prop_assert_eq!(by_month(&whole), by_month(&pieces));
    }

    #[test]
    fn growth_is_never_posted_too_high_for_want_of_a_rate_and_is_right_once_it_comes(
        baseline in prop_oneof![
            Just(GrowthBaseline::SameMonthLastYear {}),
            (1..6_u32).prop_map(|months| GrowthBaseline::TrailingAverage { months }),
        ],
        rate in some_rate(),
        before in vec((0..13_i32, 1..3_000_000_i64, any::<bool>()), 0..8),
        sales in some_sales(),
        abroad in vec(any::<bool>(), 40),
        in_time in vec(any::<bool>(), 26),
    ) {
        let (pounds, first) = ("GBP".parse().unwrap(), Month::of(day("2017-06-01")));
        let lever = Lever::Growth {
            code: "growth".into(),
            name: "Growth".into(),
            rate,
            baseline,
            applies_to: LeverFilter::default(),
            cap: None,
        };
        let terms = Terms { levers: &[lever], rebate_rate: Rate::percent(60), currency: Currency::USD };
        let mut history: BTreeMap<_, Vec<Money>> = BTreeMap::new();
        for (back, minor, is_abroad) in before {
            let currency = if is_abroad { pounds } else { Currency::USD };
            let sums = history.entry(("growth".to_owned(), first.plus(back))).or_default();
            sums.push(Money { minor, currency });
        }
        // Of each purchase, with its refunds, by itself whether it was made abroad.
        let mut currencies = BTreeMap::new();
        let sales: Vec<Sale> = sales
            .into_iter()
            .zip(abroad)
            .map(|(sale, is_abroad)| {
                let currency = if is_abroad { pounds } else { Currency::USD };
                let currency = *currencies.entry(sale.refund_of.unwrap_or(sale.id)).or_insert(currency);
                Sale { amount: Money { currency, ..sale.amount }, ..sale }
            })
            .collect();
        let known = |published: &[bool]| {
            let mut facts = Facts { history: history.clone(), ..facts() };
            for (n, _) in (0..).zip(published).filter(|(_, published)| **published) {
                facts.rates.publish(first.plus(n), pounds, Currency::USD, "1.283745".parse().unwrap());
            }
            facts
        };
        let (some, all) = (known(&in_time), known(&[true; 26]));
        let at_once = Books::default().post(&terms, &all, &sales);
        let mut books = Books::default();
        let first_time = books.post(&terms, &some, &sales);
        for (month, sum) in by_month(&first_time) {
            let settled = by_month(&at_once).get(&month).copied().unwrap_or_default();
            prop_assert!(sum <= settled, "{month}: {sum} of {settled}");
        }
        let waits = |sale: &&Sale| {
            first_time.iter().any(|outcome| match outcome {
                Outcome::Ineligible(record) => record.origin == Origin::Sale(sale.id),
                Outcome::Earning(_) => false,
            })
        };
        let again: Vec<Sale> = sales.iter().filter(waits).cloned().collect();
        let second = books.post(&terms, &all, &again);
        let both: Vec<Outcome> = first_time.iter().cloned().chain(second).collect();
        prop_assert_eq!(by_month(&both), by_month(&at_once));
        prop_assert_eq!(books.post(&terms, &all, &[]), vec![]);
    }

    #[test]
    fn the_same_input_gives_the_same_books(lever in some_lever(), sales in some_sales()) {
        prop_assert_eq!(post_in(&lever, &sales, &[]).1, post_in(&lever, &sales, &[]).1);
    }

    #[test]
    fn every_sale_has_an_outcome_where_each_is_posted_by_itself(
        scale in some_scale().prop_filter("a lift is a month's", |s| !matches!(s, LeverScale::Retroactive { .. })),
        cap in option::of(some_cap()),
        sales in some_sales(),
    ) {
        let lever = core("core", scale, LeverGrain::Transaction, cap);
        let (_, outcomes) = post_in(&lever, &sales, &[]);
        for sale in &sales {
            let own = Origin::Sale(sale.id);
            let (mut earnings, mut others) = (0, 0);
            for outcome in &outcomes {
                match outcome {
                    Outcome::Earning(earning) if earning.origin == own => earnings += 1,
                    Outcome::Ineligible(record) if record.origin == own => others += 1,
                    _ => {}
                }
            }
            prop_assert!(matches!((earnings, others), (1, 0 | 1) | (0, 1)), "{earnings} {others}");
        }
    }
}

#[test]
fn a_month_that_is_over_is_judged_by_its_own_facts() {
    let lever = core("core", LeverScale::Flat { rate: Rate::percent(8) }, LeverGrain::Transaction, None);
    let terms = Terms { levers: &[lever], rebate_rate: Rate::percent(60), currency: Currency::USD };
    let late = purchase(1, "2018-09-30", "100.00");
    let outcomes = Books::default().post(&terms, &Facts { ..facts() }, &[late]);
    let Some(Outcome::Earning(earning)) = outcomes.first() else { panic!("an earning") };
    assert_eq!((earning.earned_in, earning.amount), (Month::of(day("2018-09-01")), 800));
    assert_eq!(money("8.00", "USD").minor, 800);
}
