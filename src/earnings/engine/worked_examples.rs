//! The worked examples of the specification that concern one enrollment's sales, and what lies around them.

use super::{
    Books, Earning, Facts, Gap, Outcome, Reason, Sale, Step, Terms,
    samples::{core, day, facts, money, month, purchase, refund, sold},
};
use crate::{
    participation::programs::{
        CapScope, GrowthBaseline, Lever, LeverCap, LeverFilter, LeverGrain, LeverScale, TierPeriod,
    },
    platform::values::{Currency, Period, Rate},
};

/// What an enrollment by these levers says to its sales, each posted on its own.
fn post(levers: &[Lever], sales: &[Sale]) -> Vec<Outcome> {
    let terms = Terms { levers, rebate_rate: Rate::percent(60), currency: Currency::USD };
    let mut books = Books::default();
    sales.iter().flat_map(|sale| books.post(&terms, &facts(), std::slice::from_ref(sale))).collect()
}

fn amounts(outcomes: &[Outcome]) -> Vec<i64> {
    outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Earning(Earning { amount, .. }) => Some(*amount),
            Outcome::Ineligible(_) => None,
        })
        .collect()
}

fn reasons(outcomes: &[Outcome]) -> Vec<(&str, i64)> {
    outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Ineligible(record) => {
                Some((record.reason.code(), record.capped.map_or(0, |money| money.minor)))
            }
            Outcome::Earning(_) => None,
        })
        .collect()
}

fn flat(code: &str, rate: &str) -> Lever {
    core(code, LeverScale::Flat { rate: rate.parse().unwrap() }, LeverGrain::Transaction, None)
}

fn tiers() -> Vec<crate::participation::programs::LeverTier> {
    [("0.00", "0.02"), ("50000.00", "0.04"), ("150000.00", "0.06")]
        .map(|(from, rate)| crate::participation::programs::LeverTier {
            from: money(from, "USD"),
            rate: rate.parse().unwrap(),
        })
        .to_vec()
}

fn capped(code: &str, scope: CapScope) -> Lever {
    let cap = LeverCap { scope, amount: money("4000.00", "USD") };
    core(code, LeverScale::Flat { rate: Rate::percent(10) }, LeverGrain::Transaction, Some(cap))
}

#[test]
fn r1_three_levers_on_one_sale() {
    let fixed = |code: &str, amount| Lever::Fixed {
        code: code.into(),
        name: code.into(),
        amount: money(amount, "USD"),
        new_after_months: 12,
        applies_to: LeverFilter::default(),
        cap: None,
    };
    let levers = [flat("core", "0.08"), flat("strategic", "0.02"), fixed("customer-add", "246.91")];
    let outcomes = post(&levers, &[purchase(1, "2018-11-05", "12345.67")]);
    assert_eq!(amounts(&outcomes), [98_765, 24_691, 24_691]);
    assert_eq!(amounts(&outcomes).iter().sum::<i64>(), 148_147);
}

#[test]
fn r2_marginal_and_retroactive() {
    let scales = [
        LeverScale::Marginal { period: TierPeriod::Month, tiers: tiers() },
        LeverScale::Retroactive { period: TierPeriod::Month, tiers: tiers() },
    ];
    for (amount, earned) in [("50000.00", [100_000, 200_000]), ("187654.32", [725_926, 1_125_926])] {
        for (scale, earned) in scales.iter().zip(earned) {
            let lever = core("core", scale.clone(), LeverGrain::Month, None);
            assert_eq!(amounts(&post(&[lever], &[purchase(1, "2018-11-05", amount)])), [earned]);
        }
    }
}

#[test]
fn r3_a_retroactive_tier_lifts_the_months_before() {
    let scale = LeverScale::Retroactive { period: TierPeriod::HalfYear, tiers: tiers() };
    let lever = core("core", scale, LeverGrain::Month, None);
    let sales = [purchase(1, "2018-11-05", "40000.00"), purchase(2, "2018-12-05", "20000.00")];
    let outcomes = post(&[lever], &sales);
    assert_eq!(amounts(&outcomes), [80_000, 160_000]);
    let Outcome::Earning(second) = &outcomes[1] else { panic!("an earning") };
    assert_eq!(second.earned_in, month("2018-12"));
}

#[test]
fn r4_a_cap_cuts_and_a_refund_gives_the_balance_back() {
    let lever = capped("core", CapScope::Customer);
    let sales = [
        purchase(1, "2018-11-01", "36500.00"),
        purchase(2, "2018-11-02", "5000.00"),
        purchase(3, "2018-11-03", "1000.00"),
        refund(4, 2, "2018-11-04", "-5000.00"),
        purchase(5, "2018-11-05", "3000.00"),
    ];
    let outcomes = post(std::slice::from_ref(&lever), &sales);
    assert_eq!(amounts(&outcomes), [365_000, 35_000, -35_000, 30_000]);
    assert_eq!(
        reasons(&outcomes),
        [("cap_partially_applied", 15_000), ("cap_reached", 10_000), ("cap_partially_applied", -15_000),]
    );
    let Outcome::Earning(cut) = &outcomes[1] else { panic!("an earning") };
    let trace =
        cut.trace(&Terms { levers: &[], rebate_rate: Rate::percent(60), currency: Currency::USD }, &lever);
    assert!(trace.contains(&Step::Cap { balance: money("350.00", "USD"), cut: money("150.00", "USD") }));

    let terms = Terms {
        levers: std::slice::from_ref(&lever),
        rebate_rate: Rate::percent(60),
        currency: Currency::USD,
    };
    let mut books = Books::default();
    books.post(&terms, &facts(), &sales[..4]);
    assert_eq!(books.balance(&lever, Some("C-1")), Some(money("350.00", "USD")));
}

#[test]
fn a_cap_of_each_customer_is_not_used_by_another() {
    let other = Sale { customer: "C-2".into(), ..purchase(2, "2018-11-02", "50000.00") };
    let sales = [purchase(1, "2018-11-01", "50000.00"), other];
    assert_eq!(amounts(&post(&[capped("a", CapScope::Customer)], &sales)), [400_000, 400_000]);
    assert_eq!(amounts(&post(&[capped("a", CapScope::Partner)], &sales)), [400_000]);
}

#[test]
fn r7_and_r8_in_yen_and_dinar() {
    let yen = |n, amount| Sale { amount: money(amount, "JPY"), ..purchase(n, "2018-11-05", "1.00") };
    let outcomes = post(&[flat("core", "0.08")], &[yen(1, "1234567")]);
    let Outcome::Earning(earning) = &outcomes[0] else { panic!("an earning") };
    assert_eq!((earning.amount, earning.rebate, earning.coop), (98_765, 59_259, 39_506));
    assert_eq!(amounts(&post(&[flat("core", "0.05")], &[yen(1, "251250")])), [12_563]);
    let dinar = Sale { amount: money("250.075", "KWD"), ..purchase(1, "2018-11-05", "1.00") };
    let outcomes = post(&[flat("core", "0.06")], &[dinar]);
    let Outcome::Earning(earning) = &outcomes[0] else { panic!("an earning") };
    assert_eq!((earning.amount, earning.rebate, earning.coop), (15_005, 9_003, 6_002));
}

#[test]
fn r9_rounding_follows_the_grain() {
    let sales: Vec<Sale> = (1..=100).map(|n| purchase(n, "2018-11-05", "10.10")).collect();
    for (grain, sum) in
        [(LeverGrain::Transaction, 4000), (LeverGrain::CustomerMonth, 4040), (LeverGrain::Month, 4040)]
    {
        let lever = core("core", LeverScale::Flat { rate: Rate::percent(4) }, grain, None);
        assert_eq!(amounts(&post(&[lever], &sales)).iter().sum::<i64>(), sum, "{grain}");
    }
}

#[test]
fn r12_a_refund_is_earned_in_the_month_of_its_purchase() {
    let sales = [purchase(1, "2018-09-05", "10000.00"), refund(2, 1, "2018-10-07", "-2500.00")];
    let outcomes = post(&[flat("core", "0.08")], &sales);
    assert_eq!(amounts(&outcomes), [80_000, -20_000]);
    let Outcome::Earning(back) = &outcomes[1] else { panic!("an earning") };
    assert_eq!((back.earned_in, back.rebate, back.coop), (month("2018-09"), -12_000, -8_000));
    assert_eq!(back.base, -250_000);
}

#[test]
fn growth_earns_on_what_is_above_the_baseline_and_takes_nothing_back() {
    let growth = |baseline| Lever::Growth {
        code: "growth".into(),
        name: "Growth".into(),
        rate: Rate::percent(10),
        baseline,
        applies_to: LeverFilter::default(),
        cap: None,
    };
    let sales = [purchase(1, "2018-11-05", "1000.00"), purchase(2, "2018-11-06", "500.00")];
    let outcomes = post(&[growth(GrowthBaseline::Fixed { amount: money("1200.00", "USD") })], &sales);
    assert_eq!((amounts(&outcomes), reasons(&outcomes)), (vec![3000], vec![("no_growth", 0)]));
    // A third of 1000.00 is exact until it is rounded: (1500 - 333.33...) x 10 % = 116.666...
    let terms = |levers| Terms { levers, rebate_rate: Rate::percent(60), currency: Currency::USD };
    let levers = [growth(GrowthBaseline::TrailingAverage { months: 3 })];
    let history = [(("growth".to_owned(), month("2018-08")), vec![money("1000.00", "USD")])].into();
    let known = Facts { history, ..facts() };
    assert_eq!(amounts(&Books::default().post(&terms(&levers), &known, &sales)), [11_667]);
    let shrunk = [(("growth".to_owned(), month("2017-11")), vec![money("9000.00", "USD")])].into();
    let levers = [growth(GrowthBaseline::SameMonthLastYear {})];
    let known = Facts { history: shrunk, ..facts() };
    assert_eq!(amounts(&Books::default().post(&terms(&levers), &known, &sales)), [0_i64; 0]);
}

#[test]
fn what_does_not_earn_says_why() {
    let filter = LeverFilter { product_families: Some(vec!["azure".into()]), ..LeverFilter::default() };
    let Lever::Core { code, name, scale, cap, grain, .. } = flat("core", "0.08") else { panic!("core") };
    let lever = Lever::Core { code, name, scale, applies_to: filter, cap, grain };
    let gap = Gap {
        days: Period { from: day("2018-12-01"), to: day("2018-12-10") },
        code: "mpn_agreement_expired".into(),
    };
    let known = Facts { gaps: vec![gap], ..facts() };
    let terms = Terms { levers: &[lever], rebate_rate: Rate::percent(60), currency: Currency::USD };
    let plain = |on| purchase(1, on, "100.00");
    for (sale, reason) in [
        (plain("2018-06-30"), "outside_enrollment"),
        (plain("2018-12-10"), "mpn_agreement_expired"),
        (Sale { customer_is_partner: true, ..plain("2018-11-05") }, "customer_is_partner"),
        (Sale { product_family: "office".into(), ..plain("2018-11-05") }, "product_not_eligible"),
        (Sale { amount: money("0.05", "USD"), ..plain("2018-11-05") }, "amount_too_small"),
    ] {
        let outcomes = Books::default().post(&terms, &known, &[sale]);
        assert_eq!((amounts(&outcomes), reasons(&outcomes)), (vec![], vec![(reason, 0)]));
    }
    let outcomes = Books::default().post(&terms, &known, &[plain("2018-12-11")]);
    assert_eq!(amounts(&outcomes), [800]);
}

#[test]
fn without_a_rate_nothing_is_kept_and_with_it_the_sale_earns() {
    let lever = capped("core", CapScope::Partner);
    let terms = Terms { levers: &[lever], rebate_rate: Rate::percent(60), currency: Currency::USD };
    let sale = Sale { amount: money("10000000", "JPY"), ..purchase(1, "2018-11-05", "1.00") };
    let mut books = Books::default();
    let outcomes = books.post(&terms, &facts(), std::slice::from_ref(&sale));
    assert_eq!(reasons(&outcomes), [(Reason::ExchangeRateMissing.code(), 0)]);
    let back = Sale { amount: money("-1000", "JPY"), ..refund(2, 1, "2018-12-05", "-1.00") };
    let outcomes = books.post(&terms, &facts(), &[back]);
    assert_eq!(
        reasons(&outcomes),
        [(Reason::ExchangeRateMissing.code(), 0)],
        "a refund waits with its purchase"
    );
    let mut known = facts();
    known.rates.publish(
        month("2018-11"),
        "USD".parse().unwrap(),
        "JPY".parse().unwrap(),
        "113.27".parse().unwrap(),
    );
    // USD 4,000 are JPY 453,080: the cap cuts the million.
    assert_eq!(amounts(&books.post(&terms, &known, &[sale])), [453_080]);
}

#[test]
fn only_a_new_customer_adds() {
    let lever = Lever::Fixed {
        code: "add".into(),
        name: "New".into(),
        amount: money("100.00", "USD"),
        new_after_months: 12,
        applies_to: LeverFilter::default(),
        cap: None,
    };
    let sales = [
        sold(1, "2018-11-05", "10.00", None),
        sold(2, "2018-11-06", "10.00", Some("2018-11-05")),
        sold(3, "2018-11-06", "10.00", Some("2017-11-06")),
        sold(4, "2018-11-06", "10.00", Some("2017-11-07")),
        refund(5, 1, "2018-11-07", "-10.00"),
    ];
    let outcomes = post(&[lever], &sales);
    assert_eq!(amounts(&outcomes), [10_000, 10_000, -10_000]);
    assert_eq!(reasons(&outcomes), [("customer_not_new", 0), ("customer_not_new", 0)]);
}
