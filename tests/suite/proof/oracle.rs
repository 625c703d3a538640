//! An independent calculator: the law of the specification, computed the long way, with fractions, from everything known. It
//! shares no line with the service's calculation.

use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};
use partner_incentives::{
    participation::programs::{
        CapScope, GrowthBaseline, Lever, LeverCap, LeverFilter, LeverGrain, LeverScale, LeverTier, TierPeriod,
    },
    platform::values::{CalendarDate, Country, Currency, ExchangeRate, Id, Money, Month, Period, Rate},
};
use std::collections::{BTreeMap, BTreeSet};

/// A transaction as it was reported.
#[derive(Clone, Debug)]
pub struct Reported {
    pub id: Id,
    pub refund_of: Option<Id>,
    pub external_id: String,
    pub on: CalendarDate,
    pub amount: Money,
    pub customer: String,
    pub country: Country,
    pub public_sector: bool,
    pub customer_is_partner: bool,
    pub product: String,
    pub family: String,
}

/// Everything known about one enrollment year.
pub struct Known<'a> {
    pub levers: &'a [Lever],
    pub rebate_rate: Rate,
    pub currency: Currency,
    pub days: Period,
    pub windows: Vec<Period>,
    pub lost: BTreeSet<CalendarDate>,
    pub rates: BTreeMap<(Month, Currency, Currency), ExchangeRate>,
    pub reported: Vec<Reported>,
}

/// Amount and rebate part by lever, month and currency, in minor units.
pub type Sums = BTreeMap<(String, Month, Currency), (i64, i64)>;

fn whole(minor: i64) -> BigRational {
    BigRational::from_integer(minor.into())
}

fn fraction(text: &str) -> BigRational {
    let (units, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits: num_bigint::BigInt = format!("{units}{rest}").parse().unwrap();
    BigRational::new(digits, num_bigint::BigInt::from(10).pow(u32::try_from(rest.len()).unwrap()))
}

fn rate(rate: Rate) -> BigRational {
    BigRational::new(rate.millionths().into(), 1_000_000.into())
}

/// The nearest whole number, a half away from zero.
fn rounded(amount: &BigRational) -> i64 {
    let half = BigRational::new(1.into(), 2.into());
    let away = (amount.abs() + half).floor().to_integer().to_i64().unwrap();
    if amount.is_negative() { -away } else { away }
}

fn down(amount: &BigRational) -> i64 {
    amount.floor().to_integer().to_i64().unwrap()
}

/// A purchase with what is left of it.
struct Kept<'a> {
    sale: &'a Reported,
    net: i64,
}

/// What is capped as one.
struct Unit {
    month: Month,
    currency: Currency,
    customer: Option<String>,
    amount: BigRational,
}

impl Known<'_> {
    /// What the law gives.
    pub fn sums(&self) -> Sums {
        let mut sums = Sums::new();
        for lever in self.levers {
            for (unit, amount) in self.capped(lever, self.units(lever)) {
                let rebate = rounded(&(whole(amount) * rate(self.rebate_rate)));
                let sum = sums.entry((lever.code().to_owned(), unit.month, unit.currency)).or_default();
                *sum = (sum.0 + amount, sum.1 + rebate);
            }
        }
        sums.retain(|_, sum| *sum != (0, 0));
        sums
    }

    fn purchases(&self) -> Vec<Kept<'_>> {
        let bought = self.reported.iter().filter(|sale| sale.refund_of.is_none());
        let mut kept: Vec<Kept<'_>> = bought
            .map(|sale| {
                let refunds = self.reported.iter().filter(|refund| refund.refund_of == Some(sale.id));
                let net = sale.amount.minor + refunds.map(|refund| refund.amount.minor).sum::<i64>();
                Kept { sale, net }
            })
            .collect();
        kept.sort_by_key(|kept| (kept.sale.on, kept.sale.external_id.as_bytes()));
        kept
    }

    fn in_year(&self) -> Vec<Kept<'_>> {
        let mut kept = self.purchases();
        kept.retain(|kept| self.days.contains(kept.sale.on));
        kept
    }

    /// Minor units of one currency in minor units of another, exactly.
    fn exactly(&self, month: Month, amount: &BigRational, of: Currency, to: Currency) -> Option<BigRational> {
        if of == to {
            return Some(amount.clone());
        }
        let ten = |digits: u32| BigRational::from_integer(num_bigint::BigInt::from(10).pow(digits));
        let digits = ten(to.digits()) / ten(of.digits());
        if let Some(there) = self.rates.get(&(month, of, to)) {
            return Some(amount * fraction(&there.to_string()) * digits);
        }
        let back = self.rates.get(&(month, to, of))?;
        Some(amount / fraction(&back.to_string()) * digits)
    }

    fn volume(&self, kept: &Kept<'_>) -> Option<i64> {
        let month = Month::of(kept.sale.on);
        let exactly = self.exactly(month, &whole(kept.net), kept.sale.amount.currency, self.currency)?;
        Some(rounded(&exactly))
    }

    fn earns(&self, sale: &Reported) -> bool {
        self.windows.iter().any(|window| window.contains(sale.on)) && !self.lost.contains(&sale.on)
    }

    /// The purchases that a lever earns on.
    fn counted(&self, filter: &LeverFilter) -> Vec<Kept<'_>> {
        let mut kept = self.in_year();
        kept.retain(|kept| self.earns(kept.sale) && passes(filter, kept.sale));
        kept
    }

    fn units(&self, lever: &Lever) -> Vec<Unit> {
        match lever {
            Lever::Core { scale, applies_to, cap, grain, .. }
            | Lever::Accelerator { scale, applies_to, cap, grain, .. } => {
                self.of_rate(scale, applies_to, *cap, *grain)
            }
            Lever::Growth { rate: share, baseline, applies_to, .. } => {
                self.of_growth(*share, *baseline, applies_to)
            }
            Lever::Fixed { amount, new_after_months, applies_to, .. } => {
                self.of_new_customers(*amount, *new_after_months, applies_to)
            }
            Lever::ActivityBonus { .. } => Vec::new(),
        }
    }

    fn of_rate(
        &self,
        scale: &LeverScale,
        filter: &LeverFilter,
        cap: Option<LeverCap>,
        grain: Option<LeverGrain>,
    ) -> Vec<Unit> {
        let mut counted = self.counted(filter);
        let in_terms = cap.is_some() || !matches!(scale, LeverScale::Flat { .. });
        counted.retain(|kept| !in_terms || self.volume(kept).is_some());
        if let LeverScale::Retroactive { period, tiers } = scale {
            return self.of_lifts(*period, tiers, &counted);
        }
        let mut volumes: BTreeMap<CalendarDate, i64> = BTreeMap::new();
        let mut units: Vec<Unit> = Vec::new();
        for kept in &counted {
            let Reported { on, amount, customer, .. } = kept.sale;
            let unrounded = match scale {
                LeverScale::Flat { rate: share } => whole(kept.net) * rate(*share),
                LeverScale::Marginal { period, tiers } => {
                    let volume = self.volume(kept).unwrap();
                    let below = volumes.entry(period.begins(*on)).or_default();
                    let gives = slices(tiers, *below, *below + volume);
                    *below += volume;
                    if volume == 0 { BigRational::zero() } else { gives * whole(kept.net) / whole(volume) }
                }
                LeverScale::Retroactive { .. } => unreachable!("earns by the month"),
            };
            let (month, currency) = (Month::of(*on), amount.currency);
            let unit = Unit { month, currency, customer: Some(customer.clone()), amount: unrounded };
            match grain.unwrap_or(LeverGrain::Transaction) {
                LeverGrain::Transaction => units.push(unit),
                LeverGrain::CustomerMonth => together(&mut units, unit),
                LeverGrain::Month => together(&mut units, Unit { customer: None, ..unit }),
            }
        }
        if grain.is_some_and(|grain| grain != LeverGrain::Transaction) {
            units.sort_by_key(|unit| (unit.month, unit.customer.clone(), unit.currency));
        }
        units
    }

    fn of_lifts(&self, period: TierPeriod, tiers: &[LeverTier], counted: &[Kept<'_>]) -> Vec<Unit> {
        let mut months: BTreeMap<Month, i64> = BTreeMap::new();
        for kept in counted {
            *months.entry(Month::of(kept.sale.on)).or_default() += self.volume(kept).unwrap();
        }
        let reached = |until: Month| {
            let begins = period.begins(until.first_day());
            let of_period =
                months.iter().filter(|(month, _)| month.first_day() >= begins && **month <= until);
            let volume: i64 = of_period.map(|(_, volume)| volume).sum();
            let tier = tiers.iter().rev().find(|tier| tier.from.minor <= volume);
            rounded(&(whole(volume) * tier.map_or(BigRational::zero(), |tier| rate(tier.rate))))
        };
        let lift = |month: Month| {
            let first = period.begins(month.first_day()) == month.first_day();
            let before = if first { 0 } else { reached(month.plus(-1)) };
            Unit { month, currency: self.currency, customer: None, amount: whole(reached(month) - before) }
        };
        months.keys().map(|month| lift(*month)).collect()
    }

    fn of_growth(&self, share: Rate, baseline: GrowthBaseline, filter: &LeverFilter) -> Vec<Unit> {
        let mut months: BTreeMap<Month, i64> = BTreeMap::new();
        for kept in self.counted(filter) {
            if let Some(volume) = self.volume(&kept) {
                *months.entry(Month::of(kept.sale.on)).or_default() += volume;
            }
        }
        let sold = |month: Month| {
            let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
            for kept in self.purchases() {
                if Month::of(kept.sale.on) == month && passes(filter, kept.sale) {
                    *sums.entry(kept.sale.amount.currency).or_default() += kept.net;
                }
            }
            let there = |(of, minor): (Currency, i64)| {
                self.exactly(month, &whole(minor), of, self.currency).map(|exactly| rounded(&exactly))
            };
            sums.into_iter().map(there).sum::<Option<i64>>()
        };
        let base = |month: Month| match baseline {
            GrowthBaseline::SameMonthLastYear {} => sold(month.plus(-12)).map(whole),
            GrowthBaseline::TrailingAverage { months } => {
                let back = 1..=i32::try_from(months).unwrap();
                let sum = back.map(|back| sold(month.plus(-back))).sum::<Option<i64>>()?;
                Some(whole(sum) / whole(i64::from(months)))
            }
            GrowthBaseline::Fixed { amount } => Some(whole(amount.minor)),
        };
        let grown = months.iter().filter_map(|(month, volume)| {
            let grown = whole(*volume) - base(*month)?;
            let amount = if grown.is_positive() { grown * rate(share) } else { BigRational::zero() };
            Some(Unit { month: *month, currency: self.currency, customer: None, amount })
        });
        grown.collect()
    }

    fn of_new_customers(&self, amount: Money, months: u32, filter: &LeverFilter) -> Vec<Unit> {
        let all = self.purchases();
        let is_new = |kept: &Kept<'_>| {
            let place = |kept: &Kept<'_>| (kept.sale.on, kept.sale.external_id.clone().into_bytes());
            let mut before = all.iter().filter(|other| {
                other.net > 0 && other.sale.customer == kept.sale.customer && place(other) < place(kept)
            });
            before.all(|other| other.sale.on.plus_months(i32::try_from(months).unwrap()) <= kept.sale.on)
        };
        let counted = self.counted(filter).into_iter().filter(|kept| kept.net > 0 && is_new(kept));
        counted
            .map(|kept| Unit {
                month: Month::of(kept.sale.on),
                currency: self.currency,
                customer: Some(kept.sale.customer.clone()),
                amount: whole(amount.minor),
            })
            .collect()
    }

    /// Rounds and caps, in order.
    fn capped(&self, lever: &Lever, units: Vec<Unit>) -> Vec<(Unit, i64)> {
        let Some(cap) = lever.cap() else {
            return units
                .into_iter()
                .map(|unit| (rounded(&unit.amount), unit))
                .map(|(a, unit)| (unit, a))
                .collect();
        };
        let mut used: BTreeMap<Option<String>, BigRational> = BTreeMap::new();
        let mut capped = Vec::new();
        for unit in units {
            let holder = unit.customer.clone().filter(|_| cap.scope == CapScope::Customer);
            let used = used.entry(holder).or_insert_with(BigRational::zero);
            let left = (whole(cap.amount.minor) - used.clone()).max(BigRational::zero());
            let left = self.exactly(unit.month, &left, cap.amount.currency, unit.currency).unwrap();
            let amount = rounded(&unit.amount).min(down(&left));
            *used += self.exactly(unit.month, &whole(amount), unit.currency, cap.amount.currency).unwrap();
            capped.push((unit, amount));
        }
        capped
    }
}

/// Adds to the unit of the same month, customer and currency.
fn together(units: &mut Vec<Unit>, unit: Unit) {
    let same = |other: &&mut Unit| {
        (other.month, &other.customer, other.currency) == (unit.month, &unit.customer, unit.currency)
    };
    match units.iter_mut().find(same) {
        Some(other) => other.amount += unit.amount,
        None => units.push(unit),
    }
}

fn slices(tiers: &[LeverTier], from: i64, to: i64) -> BigRational {
    let mut sum = BigRational::zero();
    for (at, tier) in tiers.iter().enumerate() {
        let end = tiers.get(at + 1).map_or(to, |next| next.from.minor.min(to));
        let begin = tier.from.minor.max(from);
        if end > begin {
            sum += whole(end - begin) * rate(tier.rate);
        }
    }
    sum
}

fn passes(filter: &LeverFilter, sale: &Reported) -> bool {
    let has =
        |list: &Option<Vec<String>>, value: &String| list.as_ref().is_none_or(|list| list.contains(value));
    let customers = &filter.customers;
    has(&filter.products, &sale.product)
        && has(&filter.product_families, &sale.family)
        && customers.countries.as_ref().is_none_or(|list| list.contains(&sale.country))
        && (customers.public_sector || !sale.public_sector)
        && (customers.partners || !sale.customer_is_partner)
}
