//! Random programmes, and what may happen in their year.

use partner_incentives::{
    participation::programs::{
        CapScope, CustomerFilter, GrowthBaseline, Lever, LeverCap, LeverFilter, LeverGrain, LeverScale,
        LeverTier, TierPeriod,
    },
    platform::values::{CalendarDate, Currency, ExchangeRate, Money, Period, Rate},
};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select},
};

/// With no digit, two and three.
pub const CURRENCIES: [&str; 3] = ["JPY", "USD", "KWD"];
/// The last one is the partner's own number.
pub const CUSTOMERS: [&str; 4] = ["C-1", "C-2", "C-3", "4000001"];

/// The competencies that a partner may attain.
pub const COMPETENCIES: [&str; 3] = ["devops", "erp", "messaging"];
/// The first day of the corrected version.
pub const CORRECTED_ON: &str = "2018-12-01";

/// A programme, and a year of it.
#[derive(Clone, Debug)]
pub struct Year {
    /// Of tiers and caps.
    pub currency: Currency,
    pub levers: Vec<Lever>,
    /// The same levers by other terms, from December on.
    pub corrected: Option<Vec<Lever>>,
    /// Whether the corrected version is published after the year.
    pub corrected_late: bool,
    pub rebate_rate: Rate,
    /// Of the two other currencies: what the programme's is worth in it, or it in the programme's.
    pub rates: Vec<(bool, ExchangeRate)>,
    /// Months from May 2018 on whose rates are published in time.
    pub published: Vec<bool>,
    /// When the partner enrolls.
    pub enrolled_on: &'static str,
    /// What happens until November, and after the year.
    pub autumn: Vec<Happens>,
    /// Whether the partner leaves in November.
    pub leaves: bool,
    pub later: Vec<Happens>,
}

#[derive(Clone, Debug)]
pub enum Happens {
    Sold(Draft),
    /// A part of a purchase, in millionths, so many days later, perhaps under another customer's number.
    Refunded(Index, i64, i32, Index),
    Calculated,
    MonthClosed,
    RatesPublished(Index),
    AgreementRenewed,
    /// The renewed agreement is ended with a day in the past.
    AgreementEnded(u32),
    /// A competency is attained, as is told perhaps much later.
    Attained(Index, u32),
}

impl Year {
    /// The levers of each version, with the version's days.
    pub fn versions(&self) -> Vec<(Period, &[Lever])> {
        let day = |text: &str| text.parse::<CalendarDate>().unwrap();
        let (first, last, corrected_on) = (day("2018-07-01"), day("2019-06-30"), day(CORRECTED_ON));
        match &self.corrected {
            None => vec![(Period { from: first, to: last }, &self.levers)],
            Some(corrected) => vec![
                (Period { from: first, to: corrected_on.plus_days(-1) }, &self.levers),
                (Period { from: corrected_on, to: last }, corrected),
            ],
        }
    }
}

#[derive(Clone, Debug)]
pub struct Draft {
    pub source: &'static str,
    pub day: u32,
    pub minor: i64,
    pub currency: &'static str,
    pub customer: &'static str,
    pub country: &'static str,
    pub public_sector: bool,
    pub product: &'static str,
    pub family: &'static str,
}

pub fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

fn some_rate() -> impl Strategy<Value = Rate> {
    (0..=300_000_i64).prop_map(|millionths| Rate::from_millionths(millionths).unwrap())
}

fn some_tiers(currency: Currency) -> impl Strategy<Value = Vec<LeverTier>> {
    (vec(1..4_000_000_i64, 0..4), vec(some_rate(), 5)).prop_map(move |(mut marks, rates)| {
        marks.push(0);
        marks.sort_unstable();
        marks.dedup();
        let tiers = marks.into_iter().zip(rates);
        tiers.map(|(minor, rate)| LeverTier { from: Money { minor, currency }, rate }).collect()
    })
}

fn some_scale(currency: Currency) -> impl Strategy<Value = LeverScale> {
    let period = select(TierPeriod::ALL);
    let tiers = some_tiers(currency);
    prop_oneof![
        some_rate().prop_map(|rate| LeverScale::Flat { rate }),
        (period.clone(), some_tiers(currency))
            .prop_map(|(period, tiers)| LeverScale::Marginal { period, tiers }),
        (period, tiers).prop_map(|(period, tiers)| LeverScale::Retroactive { period, tiers }),
    ]
}

fn some_baseline(currency: Currency) -> impl Strategy<Value = GrowthBaseline> {
    prop_oneof![
        Just(GrowthBaseline::SameMonthLastYear {}),
        (1..6_u32).prop_map(|months| GrowthBaseline::TrailingAverage { months }),
        (1..900_000_i64).prop_map(move |minor| GrowthBaseline::Fixed { amount: Money { minor, currency } }),
    ]
}

prop_compose! {
    fn some_cap(currency: Currency)(scope in select(CapScope::ALL), minor in 1..300_000_i64) -> LeverCap {
        LeverCap { scope, amount: Money { minor, currency } }
    }
}

/// A month of all customers knows no customer's balance.
fn of_partner(cap: LeverCap) -> LeverCap {
    LeverCap { scope: CapScope::Partner, ..cap }
}

fn some_filter() -> impl Strategy<Value = LeverFilter> {
    let text = |some: &'static str| option::weighted(0.2, Just(vec![some.to_owned()]));
    let countries = option::weighted(0.2, Just(vec!["DE".parse().unwrap()]));
    (text("SKU-1"), text("azure"), countries, any::<bool>(), any::<bool>()).prop_map(
        |(products, product_families, countries, public_sector, partners)| LeverFilter {
            products,
            product_families,
            customers: CustomerFilter { countries, public_sector, partners },
        },
    )
}

fn some_lever(currency: Currency) -> impl Strategy<Value = Lever> {
    let cap = option::of(some_cap(currency));
    let sold = (some_scale(currency), some_filter(), cap, select(LeverGrain::ALL), any::<bool>());
    let sold = sold.prop_map(|(mut scale, applies_to, cap, grain, core)| {
        let (code, name) = (String::new(), "Lever".to_owned());
        let lifts = matches!(scale, LeverScale::Retroactive { .. });
        if cap.is_some() {
            rise(&mut scale);
        }
        let grain = if lifts { LeverGrain::Month } else { grain };
        let cap = cap.map(|cap| if grain == LeverGrain::Month { of_partner(cap) } else { cap });
        let grain = Some(grain);
        if core {
            Lever::Core { code, name, scale, applies_to, cap, grain }
        } else {
            Lever::Accelerator { code, name, scale, applies_to, cap, grain }
        }
    });
    let cap = option::of(some_cap(currency).prop_map(of_partner));
    let growth = (some_rate(), some_baseline(currency), some_filter(), cap).prop_map(
        |(rate, baseline, applies_to, cap)| {
            let (code, name) = (String::new(), "Growth".to_owned());
            Lever::Growth { code, name, rate, baseline, applies_to, cap }
        },
    );
    let cap = option::of(some_cap(currency));
    let fixed = (1..50_000_i64, 1..4_u32, some_filter(), cap).prop_map(
        move |(minor, new_after_months, applies_to, cap)| {
            let (code, name) = (String::new(), "New customers".to_owned());
            let amount = Money { minor, currency };
            Lever::Fixed { code, name, amount, new_after_months, applies_to, cap }
        },
    );
    let cap = option::of(some_cap(currency).prop_map(of_partner));
    let activity = (1..50_000_i64, cap).prop_map(move |(minor, cap)| {
        let (code, name) = (String::new(), "Skills".to_owned());
        Lever::ActivityBonus { code, name, amount: Money { minor, currency }, cap }
    });
    prop_oneof![5 => sold, 2 => growth, 1 => fixed, 1 => activity]
}

/// Under a cap a retroactive rate does not fall.
fn rise(scale: &mut LeverScale) {
    if let LeverScale::Retroactive { tiers, .. } = scale {
        let mut rates: Vec<Rate> = tiers.iter().map(|tier| tier.rate).collect();
        rates.sort_unstable();
        for (tier, rate) in tiers.iter_mut().zip(rates) {
            tier.rate = rate;
        }
    }
}

/// The lever by other terms: its rates are these and half of its own, its amounts half as much again.
fn corrected(lever: &Lever, other: Rate) -> Lever {
    let half = |rate: Rate| Rate::from_millionths(rate.millionths() / 2).unwrap();
    let more = |money: Money| Money { minor: money.minor + money.minor / 2 + 1, ..money };
    let mut lever = lever.clone();
    match &mut lever {
        Lever::Core { scale, cap, .. } | Lever::Accelerator { scale, cap, .. } => {
            match scale {
                LeverScale::Flat { rate } => *rate = other,
                LeverScale::Marginal { tiers, .. } | LeverScale::Retroactive { tiers, .. } => {
                    for tier in tiers.iter_mut() {
                        (tier.from, tier.rate) =
                            (Money { minor: tier.from.minor * 2, ..tier.from }, half(tier.rate));
                    }
                }
            }
            *cap = cap.map(|cap| LeverCap { amount: more(cap.amount), ..cap });
        }
        Lever::Growth { rate, cap, .. } => {
            *rate = other;
            *cap = cap.map(|cap| LeverCap { amount: more(cap.amount), ..cap });
        }
        Lever::Fixed { amount, .. } | Lever::ActivityBonus { amount, .. } => *amount = more(*amount),
    }
    lever
}

/// Levers with codes of their own.
fn some_levers(currency: Currency) -> impl Strategy<Value = Vec<Lever>> {
    vec(some_lever(currency), 1..7).prop_map(|mut levers| {
        for (n, lever) in levers.iter_mut().enumerate() {
            let (Lever::Core { code, .. }
            | Lever::Accelerator { code, .. }
            | Lever::Growth { code, .. }
            | Lever::Fixed { code, .. }
            | Lever::ActivityBonus { code, .. }) = lever;
            *code = format!("lever-{n}");
        }
        levers
    })
}

prop_compose! {
    fn some_draft()(
        source in select(&["billing", "billing", "Shop"][..]),
        day in any::<u32>(),
        minor in prop_oneof![4 => 1..2_000_000_i64, 1 => 1..200_i64],
        currency in select(&CURRENCIES[..]),
        customer in select(&CUSTOMERS[..]),
        country in select(&["DE", "DE", "FR"][..]),
        public_sector in prop::bool::weighted(0.2),
        product in select(&["SKU-1", "SKU-1", "SKU-2"][..]),
        family in select(&["azure", "azure", "office"][..]),
    ) -> Draft {
        Draft { source, day, minor, currency, customer, country, public_sector, product, family }
    }
}

fn what_happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        12 => some_draft().prop_map(Happens::Sold),
        5 => (any::<Index>(), 1..=1_500_000_i64, 0..60, any::<Index>())
            .prop_map(|(of, part, days, customer)| Happens::Refunded(of, part, days, customer)),
        4 => Just(Happens::Calculated),
        1 => Just(Happens::MonthClosed),
        1 => any::<Index>().prop_map(Happens::RatesPublished),
        1 => Just(Happens::AgreementRenewed),
        1 => any::<u32>().prop_map(Happens::AgreementEnded),
        1 => (any::<Index>(), any::<u32>()).prop_map(|(which, day)| Happens::Attained(which, day)),
    ]
}

fn some_exchange_rate() -> impl Strategy<Value = (bool, ExchangeRate)> {
    (any::<bool>(), prop_oneof![1..5_u32, 80..150_u32], 0..1_000_000_000_u32)
        .prop_map(|(there, whole, fraction)| (there, format!("{whole}.{fraction:09}").parse().unwrap()))
}

pub fn some_year() -> impl Strategy<Value = Year> {
    select(&CURRENCIES[..]).prop_flat_map(|code| {
        let currency = currency(code);
        let setting = (
            some_levers(currency),
            (0..=1_000_000_i64).prop_map(|millionths| Rate::from_millionths(millionths).unwrap()),
            vec(some_exchange_rate(), 2),
            vec(prop::bool::weighted(0.8), 15),
            select(&["2018-07-01", "2018-08-10"][..]),
            (option::of(some_rate()), any::<bool>()),
        );
        (setting, vec(what_happens(), 0..25), any::<bool>(), vec(what_happens(), 1..30)).prop_map(
            move |(
                (levers, rebate_rate, rates, published, enrolled_on, (other, corrected_late)),
                autumn,
                leaves,
                later,
            )| Year {
                currency,
                corrected: other.map(|other| levers.iter().map(|lever| corrected(lever, other)).collect()),
                corrected_late,
                levers,
                rebate_rate,
                rates,
                published,
                enrolled_on,
                autumn,
                leaves,
                later,
            },
        )
    })
}
