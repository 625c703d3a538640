//! The worked examples of the specification that concern one enrollment's sales, and what lies around them.

use super::{
    Attained, CalculationStep, CapHolder, EarningFacts, EarningTarget, Exact, OutOfRange, Purchase, Reason,
    SoldMonths, Traced, YearToDate,
    samples::{all, core, day, facts, from, money, month, purchase, refunded, version},
};
use crate::{
    participation::programs::{
        CapScope, GrowthBaseline, Lever, LeverCap, LeverFilter, LeverGrain, LeverScale, LeverTier, TierPeriod,
    },
    platform::values::{Currency, Rate},
};

/// The amounts that an enrollment by these levers earns, in order; nothing is left out but what earns nothing.
fn amounts(levers: &[Lever], sales: &[Purchase]) -> Vec<i64> {
    earned(&all(&version(levers), &facts(), sales))
}

fn earned(targets: &[EarningTarget<'_>]) -> Vec<i64> {
    targets.iter().map(|target| target.amount).filter(|amount| *amount != 0).collect()
}

fn reasons<'a>(targets: &'a [EarningTarget<'_>]) -> Vec<(&'a str, i64)> {
    let short = targets.iter().filter_map(|target| target.shortfall.as_ref());
    short.map(|short| (short.reason.code(), short.capped.unwrap_or_default())).collect()
}

fn flat(code: &str, rate: &str) -> Lever {
    core(code, LeverScale::Flat { rate: rate.parse().unwrap() }, LeverGrain::Transaction, None)
}

fn new_customers(amount: &str) -> Lever {
    Lever::Fixed {
        code: "customer-add".into(),
        name: "New".into(),
        amount: money(amount, "USD"),
        new_after_months: 12,
        applies_to: LeverFilter::default(),
        cap: None,
    }
}

fn tiers() -> Vec<LeverTier> {
    [("0.00", "0.02"), ("50000.00", "0.04"), ("150000.00", "0.06")]
        .map(|(from, rate)| LeverTier { from: money(from, "USD"), rate: rate.parse().unwrap() })
        .to_vec()
}

fn capped(scope: CapScope) -> Lever {
    let cap = LeverCap { scope, amount: money("4000.00", "USD") };
    core("core", LeverScale::Flat { rate: Rate::percent(10) }, LeverGrain::Transaction, Some(cap))
}

fn growth(baseline: GrowthBaseline) -> Lever {
    Lever::Growth {
        code: "growth".into(),
        name: "Growth".into(),
        rate: Rate::percent(10),
        baseline,
        applies_to: LeverFilter::default(),
        cap: None,
    }
}

#[test]
fn r1_three_levers_on_one_sale() {
    let levers = [flat("core", "0.08"), flat("strategic", "0.02"), new_customers("246.91")];
    assert_eq!(amounts(&levers, &[purchase(1, "2018-11-05", "12345.67")]), [98_765, 24_691, 24_691]);
}

#[test]
fn r2_marginal_and_retroactive() {
    for (amount, [marginal, retroactive]) in
        [("50000.00", [100_000, 200_000]), ("187654.32", [725_926, 1_125_926])]
    {
        for (scale, sum) in [
            (LeverScale::Marginal { period: TierPeriod::Month, tiers: tiers() }, marginal),
            (LeverScale::Retroactive { period: TierPeriod::Month, tiers: tiers() }, retroactive),
        ] {
            let lever = core("core", scale, LeverGrain::Month, None);
            assert_eq!(amounts(&[lever], &[purchase(1, "2018-11-05", amount)]), [sum]);
        }
    }
}

#[test]
fn r3_a_retroactive_tier_lifts_the_months_before() {
    let scale = LeverScale::Retroactive { period: TierPeriod::HalfYear, tiers: tiers() };
    let versions = version(&[core("core", scale, LeverGrain::Month, None)]);
    let sales = [purchase(1, "2018-11-05", "40000.00"), purchase(2, "2018-12-05", "20000.00")];
    let known = facts();
    let targets = all(&versions, &known, &sales);
    assert_eq!(earned(&targets), [80_000, 160_000]);
    assert_eq!(targets[1].earned_in, month("2018-12"));
    let steps = traced(&targets[1]).steps();
    assert!(steps.contains(&CalculationStep::EarlierMonths { amount: money("800.00", "USD") }), "{steps:?}");
}

#[test]
fn r4_a_cap_cuts_and_a_refund_gives_the_balance_to_later_sales() {
    let versions = version(&[capped(CapScope::Customer)]);
    let known = facts();
    let mut sales = vec![
        purchase(1, "2018-11-01", "36500.00"),
        purchase(2, "2018-11-02", "5000.00"),
        purchase(3, "2018-11-03", "1000.00"),
    ];
    let targets = all(&versions, &known, &sales);
    assert_eq!(earned(&targets), [365_000, 35_000]);
    assert_eq!(reasons(&targets), [("cap_partially_applied", 15_000), ("cap_reached", 10_000)]);
    let steps = traced(&targets[1]).steps();
    let cap = CalculationStep::Cap { balance: money("350.00", "USD"), cut: money("150.00", "USD") };
    assert!(steps.contains(&cap), "{steps:?}");

    sales[1] = refunded(sales[1].clone(), 4, "-5000.00");
    let mut standing = YearToDate::default();
    let targets = from(&versions, &known, &sales, month("2018-07"), &mut standing).unwrap();
    assert_eq!(earned(&targets), [365_000, 35_000, -35_000, 10_000]);
    assert_eq!(reasons(&targets), [("cap_partially_applied", 15_000), ("cap_partially_applied", -15_000)]);
    let used = standing.levers["core"].used[&CapHolder::Customer("C-1".into())];
    assert_eq!(used.whole(), 375_000);
}

#[test]
fn a_cap_of_each_customer_is_not_used_by_another() {
    let other = Purchase { customer: "C-2".into(), ..purchase(2, "2018-11-02", "50000.00") };
    let sales = [purchase(1, "2018-11-01", "50000.00"), other];
    assert_eq!(amounts(&[capped(CapScope::Customer)], &sales), [400_000, 400_000]);
    assert_eq!(amounts(&[capped(CapScope::Partner)], &sales), [400_000]);
}

#[test]
fn r7_and_r8_in_yen_and_dinar() {
    let sold = |amount: &str, currency: &str| {
        let amount = money(amount, currency);
        Purchase { currency: amount.currency, amount: amount.minor, ..purchase(1, "2018-11-05", "1.00") }
    };
    let parts = |rate: &str, sale: Purchase| {
        let (versions, known) = (version(&[flat("core", rate)]), facts());
        let targets = all(&versions, &known, &[sale]);
        (targets[0].amount, targets[0].rebate, targets[0].coop)
    };
    assert_eq!(parts("0.08", sold("1234567", "JPY")), (98_765, 59_259, 39_506));
    assert_eq!(parts("0.05", sold("251250", "JPY")).0, 12_563);
    assert_eq!(parts("0.06", sold("250.075", "KWD")), (15_005, 9_003, 6_002));
}

#[test]
fn r9_rounding_follows_the_grain() {
    let sales: Vec<Purchase> = (1..=100).map(|n| purchase(n, "2018-11-05", "10.10")).collect();
    for (grain, sum) in
        [(LeverGrain::Transaction, 4000), (LeverGrain::CustomerMonth, 4040), (LeverGrain::Month, 4040)]
    {
        let lever = core("core", LeverScale::Flat { rate: Rate::percent(4) }, grain, None);
        assert_eq!(amounts(&[lever], &sales).iter().sum::<i64>(), sum, "{grain}");
    }
}

#[test]
fn r12_a_refund_is_earned_in_the_month_of_its_purchase() {
    let (versions, known) = (version(&[flat("core", "0.08")]), facts());
    let sales = [refunded(purchase(1, "2018-09-05", "10000.00"), 2, "-2500.00")];
    let targets = all(&versions, &known, &sales);
    assert_eq!(earned(&targets), [80_000, -20_000]);
    let back = &targets[1];
    assert_eq!((back.earned_in, back.rebate, back.coop), (month("2018-09"), -12_000, -8_000));
    assert_eq!(back.base, -250_000);
}

#[test]
fn a_marginal_scale_counts_what_is_left_of_each_purchase_at_its_own_date() {
    let marginal =
        |grain| core("core", LeverScale::Marginal { period: TierPeriod::Month, tiers: tiers() }, grain, None);
    let sales = [
        refunded(purchase(1, "2018-11-01", "50000.00"), 2, "-50000.00"),
        purchase(3, "2018-11-02", "50000.00"),
    ];
    for grain in LeverGrain::ALL {
        let sum: i64 = amounts(&[marginal(*grain)], &sales).iter().sum();
        assert_eq!(sum, 100_000, "{grain}: all of the net volume lies in the first tier");
    }
    let (versions, known) = (version(&[marginal(LeverGrain::Month)]), facts());
    let targets = all(&versions, &known, &[purchase(1, "2018-11-01", "60000.00")]);
    let steps = traced(&targets[0]).steps();
    let slices = steps.iter().filter(|step| matches!(step, CalculationStep::Slice { .. })).count();
    assert_eq!(slices, 2, "{steps:?}");
}

#[test]
fn growth_earns_on_what_is_above_the_baseline_and_takes_nothing_back() {
    let sales = [purchase(1, "2018-11-05", "1000.00"), purchase(2, "2018-11-06", "500.00")];
    let lever = growth(GrowthBaseline::Fixed { amount: money("1200.00", "USD") });
    assert_eq!(amounts(&[lever], &sales), [3000]);
    let sold = |on: &str, minor| {
        let mut sold = SoldMonths::default();
        sold.add(1, "growth", month(on), Currency::USD, minor).unwrap();
        EarningFacts { sold, ..facts() }
    };
    // A third of 1000.00 is exact until it is rounded: (1500 - 333.33...) x 10 % = 116.666...
    let (versions, known) =
        (version(&[growth(GrowthBaseline::TrailingAverage { months: 3 })]), sold("2018-08", 100_000));
    assert_eq!(earned(&all(&versions, &known, &sales)), [11_667]);
    let (versions, known) =
        (version(&[growth(GrowthBaseline::SameMonthLastYear {})]), sold("2017-11", 900_000));
    assert_eq!(reasons(&all(&versions, &known, &sales)), [("no_growth", 0)]);
}

#[test]
fn what_does_not_earn_says_why() {
    let filter = LeverFilter { product_families: Some(vec!["azure".into()]), ..LeverFilter::default() };
    let Lever::Core { code, name, scale, cap, grain, .. } = flat("core", "0.08") else { panic!("core") };
    let versions = version(&[Lever::Core { code, name, scale, applies_to: filter, cap, grain }]);
    let lost = [(day("2018-12-10"), "mpn_agreement_expired".to_owned())].into();
    let mut known = EarningFacts { lost, ..facts() };
    known.windows[0].from = day("2018-08-01");
    let plain = |on| purchase(1, on, "100.00");
    for (sale, reason) in [
        (plain("2018-06-30"), "program_not_open"),
        (plain("2018-07-10"), "outside_enrollment"),
        (plain("2018-12-10"), "mpn_agreement_expired"),
        (Purchase { customer_is_partner: true, ..plain("2018-11-05") }, "customer_is_partner"),
        (Purchase { product_family: "office".into(), ..plain("2018-11-05") }, "product_not_eligible"),
        (Purchase { amount: 5, ..plain("2018-11-05") }, "amount_too_small"),
    ] {
        let sales = [sale];
        let mut standing = YearToDate::default();
        let targets = from(&versions, &known, &sales, month("2018-06"), &mut standing).unwrap();
        assert_eq!((earned(&targets), reasons(&targets)), (vec![], vec![(reason, 0)]));
    }
    assert_eq!(earned(&all(&versions, &known, &[plain("2018-12-11")])), [800]);
}

#[test]
fn without_a_rate_nothing_earns_and_with_it_the_sale_does() {
    let versions = version(&[capped(CapScope::Partner)]);
    let sale = Purchase {
        currency: "JPY".parse().unwrap(),
        amount: 10_000_000,
        ..purchase(1, "2018-11-05", "1.00")
    };
    let sale = refunded(sale, 2, "-1000");
    let mut known = facts();
    let targets = all(&versions, &known, std::slice::from_ref(&sale));
    assert_eq!(reasons(&targets), [(Reason::ExchangeRateMissing.code(), 0); 2]);
    let rate = "113.27".parse().unwrap();
    known.rates.publish(month("2018-11"), Currency::USD, "JPY".parse().unwrap(), rate);
    // USD 4,000 are JPY 453,080: the cap cuts the million, with or without the refund.
    assert_eq!(earned(&all(&versions, &known, &[sale])), [453_080]);
}

#[test]
fn only_a_new_customer_adds_and_a_purchase_that_was_wholly_refunded_makes_nobody_known() {
    let sale = |n, on| purchase(n, on, "10.00");
    let versions = version(&[new_customers("100.00")]);
    let known = facts();
    let targets = |sales: &[Purchase], before: Option<&str>| {
        let mut standing = YearToDate::default();
        standing.last_bought.extend(before.map(|on| ("C-1".to_owned(), day(on))));
        let targets = from(&versions, &known, sales, month("2018-07"), &mut standing).unwrap();
        earned(&targets)
    };
    assert_eq!(targets(&[sale(1, "2018-11-05"), sale(2, "2018-11-06")], None), [10_000]);
    assert_eq!(targets(&[sale(1, "2018-11-06")], Some("2017-11-06")), [10_000]);
    assert_eq!(targets(&[sale(1, "2018-11-06")], Some("2017-11-07")), [0_i64; 0]);
    let taken_back = refunded(sale(1, "2018-11-05"), 2, "-10.00");
    assert_eq!(targets(&[taken_back, sale(3, "2018-11-07")], None), [10_000, -10_000, 10_000]);
}

#[test]
fn a_competency_gives_its_bonus_once_in_a_year_on_a_day_that_earns() {
    let lever = Lever::ActivityBonus {
        code: "skills".into(),
        name: "Competencies".into(),
        amount: money("250.00", "USD"),
        cap: None,
    };
    let versions = version(&[lever]);
    let attained = |on: &str, competency: &str| Attained { on: day(on), competency: competency.into() };
    let attained = vec![
        attained("2018-09-03", "devops"),
        attained("2018-11-02", "cloud-crm"),
        attained("2018-11-05", "erp"),
        attained("2018-11-09", "devops"),
        attained("2018-11-20", "messaging"),
    ];
    let lost = [(day("2018-11-20"), "mpn_agreement_expired".to_owned())].into();
    let known = EarningFacts { lost, attained, ..facts() };
    let year = super::Year { versions: &versions, facts: &known };
    let targets = year.month(month("2018-11"), &[], &mut YearToDate::default()).unwrap();
    assert_eq!(earned(&targets), [50_000]);
    let steps = traced(&targets[0]).steps();
    assert!(
        steps.contains(&CalculationStep::Fixed { amount: money("250.00", "USD"), times: 2 }),
        "{steps:?}"
    );
}

#[test]
fn a_sum_that_leaves_the_range_is_an_error_and_nothing_wraps() {
    let versions = version(&[core(
        "core",
        LeverScale::Marginal { period: TierPeriod::Month, tiers: tiers() },
        LeverGrain::Month,
        None,
    )]);
    let known = facts();
    let largest = |n| Purchase { amount: 999_999_999_999_999, ..purchase(n, "2018-11-05", "1.00") };
    let sales: Vec<Purchase> = (1..9300).map(largest).collect();
    let outcome = from(&versions, &known, &sales, month("2018-07"), &mut YearToDate::default());
    assert_eq!(outcome.map(|targets| targets.len()), Err(OutOfRange));
    let outcome = from(&versions, &known, &sales[..9000], month("2018-07"), &mut YearToDate::default());
    assert!(outcome.is_ok());
}

#[test]
fn the_sales_of_a_month_that_are_no_sum_are_an_error_whatever_the_grain() {
    let tiered = LeverScale::Marginal { period: TierPeriod::Month, tiers: tiers() };
    let largest = |n| Purchase { amount: 999_999_999_999_999, ..purchase(n, "2018-11-05", "1.00") };
    let sales: Vec<Purchase> = (1..9300).map(largest).collect();
    let known = facts();
    for grain in LeverGrain::ALL {
        for scale in [LeverScale::Flat { rate: Rate::percent(10) }, tiered.clone()] {
            let versions = version(&[core("core", scale, *grain, None)]);
            let outcome = from(&versions, &known, &sales, month("2018-07"), &mut YearToDate::default());
            assert_eq!(outcome.map(|targets| targets.len()), Err(OutOfRange), "{grain:?}");
        }
    }
    // A sale that cannot earn is shown with what it was billed at, in sums as well.
    let mut elsewhere = flat("core", "0.1");
    if let Lever::Core { applies_to, .. } = &mut elsewhere {
        applies_to.products = Some(vec!["AZ-2".into()]);
    }
    let versions = version(&[elsewhere]);
    let outcome = from(&versions, &known, &sales, month("2018-07"), &mut YearToDate::default());
    assert_eq!(outcome.map(|targets| targets.len()), Err(OutOfRange));
}

#[test]
fn the_slices_of_a_sale_in_another_currency_are_rounded_as_one() {
    let of = |from, rate: &str| LeverTier { from: money(from, "USD"), rate: rate.parse().unwrap() };
    let tiers = vec![of("0.00", "0.1"), of("0.01", "0.7")];
    let yen = "JPY".parse().unwrap();
    let mut known = facts();
    known.rates.publish(month("2018-11"), yen, Currency::USD, "0.03".parse().unwrap());
    let bought = [Purchase { currency: yen, amount: 1, ..purchase(1, "2018-11-05", "1.00") }];
    for grain in LeverGrain::ALL {
        let scale = LeverScale::Marginal { period: TierPeriod::Month, tiers: tiers.clone() };
        let versions = version(&[core("core", scale, *grain, None)]);
        let targets = all(&versions, &known, &bought);
        // A yen is three cents: one at 10 % and two at 70 % are half a yen, which is rounded up.
        assert_eq!(earned(&targets), [1], "{grain:?}");
        let gives: Exact = targets[0].slices.iter().map(|slice| slice.gives).sum();
        assert_eq!((gives, gives.text(yen)), (targets[0].unrounded, "0.5".to_owned()), "{grain:?}");
    }
}

#[test]
fn a_sale_as_large_as_the_service_takes_is_right_in_any_currency() {
    let dinar = "KWD".parse().unwrap();
    let mut known = facts();
    known.rates.publish(month("2018-11"), dinar, Currency::USD, "53000".parse().unwrap());
    let bought =
        [Purchase { currency: dinar, amount: 999_999_999_999_999, ..purchase(1, "2018-11-05", "1.00") }];
    let tiers = vec![LeverTier { from: money("0.00", "USD"), rate: Rate::percent(5) }];
    let scale = LeverScale::Marginal { period: TierPeriod::Month, tiers };
    let versions = version(&[core("core", scale, LeverGrain::Transaction, None)]);
    assert_eq!(earned(&all(&versions, &known, &bought)), [50_000_000_000_000]);
    // What is compared with does not fit in dollars: an error, and no number.
    let versions = version(&[growth(GrowthBaseline::SameMonthLastYear {})]);
    let baseline = month("2017-11");
    known.rates.publish(baseline, dinar, Currency::USD, "99999999".parse().unwrap());
    known.sold.add(1, "growth", baseline, dinar, 999_999_999_999_999).unwrap();
    let bought = [purchase(1, "2018-11-05", "1.00")];
    let outcome = from(&versions, &known, &bought, month("2018-07"), &mut YearToDate::default());
    assert_eq!(outcome.map(|targets| targets.len()), Err(OutOfRange));
}

fn traced<'a>(target: &'a EarningTarget<'_>) -> Traced<'a> {
    let EarningTarget { version, lever, currency, figures, slices, rebate, coop, .. } = target;
    Traced {
        version,
        lever,
        currency: *currency,
        figures: *figures,
        slices,
        corrects: 0,
        rebate: *rebate,
        coop: *coop,
    }
}
