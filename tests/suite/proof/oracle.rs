//! An independent calculator: the law of the specification, computed the long way, with fractions, from everything known. It
//! shares no line with the service's calculation.

use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};
use partner_incentives::{
    participation::programs::{
        CapScope, GrowthBaseline, Lever, LeverCap, LeverFilter, LeverGrain, LeverScale, LeverTier,
    },
    platform::values::{CalendarDate, Country, Currency, ExchangeRate, Id, Money, Month, Period, Rate},
};
use std::collections::{BTreeMap, BTreeSet};

/// A transaction as it was reported.
#[derive(Clone, Debug)]
pub struct Reported {
    pub id: Id,
    pub refund_of: Option<Id>,
    pub source: String,
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
    /// The levers of each version, with the version's days.
    pub versions: Vec<(Period, &'a [Lever])>,
    pub rebate_rate: Rate,
    pub currency: Currency,
    pub days: Period,
    pub windows: Vec<Period>,
    pub lost: BTreeSet<CalendarDate>,
    pub rates: BTreeMap<(Month, Currency, Currency), ExchangeRate>,
    pub reported: Vec<Reported>,
    /// Competencies, and the days on which they were attained.
    pub attained: Vec<(String, CalendarDate)>,
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

impl Kept<'_> {
    /// The place in the order of sales.
    fn place(&self) -> (CalendarDate, &[u8], &[u8]) {
        let Reported { on, source, external_id, .. } = self.sale;
        (*on, source.as_bytes(), external_id.as_bytes())
    }
}

/// A purchase beside the lever of the version of its day.
struct Counted<'a> {
    kept: Kept<'a>,
    lever: &'a Lever,
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
        let levers = self.versions.iter().flat_map(|(_, levers)| *levers);
        let codes: BTreeSet<&str> = levers.map(Lever::code).collect();
        for code in codes {
            for (unit, amount) in self.capped(code, self.units(code)) {
                let rebate = rounded(&(whole(amount) * rate(self.rebate_rate)));
                let sum = sums.entry((code.to_owned(), unit.month, unit.currency)).or_default();
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
        kept.sort_by(|one, other| one.place().cmp(&other.place()));
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
        self.earns_on(sale.on)
    }

    fn earns_on(&self, day: CalendarDate) -> bool {
        self.windows.iter().any(|window| window.contains(day)) && !self.lost.contains(&day)
    }

    /// The lever under a code on a day.
    fn lever_on(&self, code: &str, day: CalendarDate) -> Option<&Lever> {
        let (_, levers) = self.versions.iter().find(|(days, _)| days.contains(day))?;
        levers.iter().find(|lever| lever.code() == code)
    }

    /// The purchases that a lever earns on.
    fn counted(&self, code: &str) -> Vec<Counted<'_>> {
        let mut counted = Vec::new();
        for kept in self.in_year() {
            let Some(lever) = self.lever_on(code, kept.sale.on) else { continue };
            if self.earns(kept.sale) && passes(lever.applies_to(), kept.sale) {
                counted.push(Counted { kept, lever });
            }
        }
        counted
    }

    fn units(&self, code: &str) -> Vec<Unit> {
        let first = self.versions.iter().find_map(|(days, _)| self.lever_on(code, days.from)).unwrap();
        match first {
            Lever::Core { scale: LeverScale::Retroactive { .. }, .. }
            | Lever::Accelerator { scale: LeverScale::Retroactive { .. }, .. } => self.of_lifts(code),
            Lever::Core { .. } | Lever::Accelerator { .. } => self.of_rate(code),
            Lever::Growth { .. } => self.of_growth(code),
            Lever::Fixed { .. } => self.of_new_customers(code),
            Lever::ActivityBonus { .. } => self.of_activities(code),
        }
    }

    fn of_rate(&self, code: &str) -> Vec<Unit> {
        let mut volumes: BTreeMap<CalendarDate, i64> = BTreeMap::new();
        let mut units: Vec<Unit> = Vec::new();
        let mut by_itself = true;
        for Counted { kept, lever } in self.counted(code) {
            let (Lever::Core { scale, cap, grain, .. } | Lever::Accelerator { scale, cap, grain, .. }) =
                lever
            else {
                unreachable!("earns by a rate")
            };
            let in_terms = cap.is_some() || !matches!(scale, LeverScale::Flat { .. });
            if in_terms && self.volume(&kept).is_none() {
                continue;
            }
            let Reported { on, amount, customer, .. } = kept.sale;
            let unrounded = match scale {
                LeverScale::Flat { rate: share } => whole(kept.net) * rate(*share),
                LeverScale::Marginal { period, tiers } => {
                    let volume = self.volume(&kept).unwrap();
                    let below = volumes.entry(period.begins(*on)).or_default();
                    let gives = slices(tiers, *below, *below + volume);
                    *below += volume;
                    if volume == 0 { BigRational::zero() } else { gives * whole(kept.net) / whole(volume) }
                }
                LeverScale::Retroactive { .. } => unreachable!("earns by the month"),
            };
            let (month, currency) = (Month::of(*on), amount.currency);
            let unit = Unit { month, currency, customer: Some(customer.clone()), amount: unrounded };
            by_itself = grain.unwrap_or(LeverGrain::Transaction) == LeverGrain::Transaction;
            match grain.unwrap_or(LeverGrain::Transaction) {
                LeverGrain::Transaction => units.push(unit),
                LeverGrain::CustomerMonth => together(&mut units, unit),
                LeverGrain::Month => together(&mut units, Unit { customer: None, ..unit }),
            }
        }
        if !by_itself {
            units.sort_by_key(|unit| (unit.month, unit.customer.clone(), unit.currency));
        }
        units
    }

    /// The net volume of each month, in the programme's currency.
    fn volumes(&self, code: &str) -> BTreeMap<Month, i64> {
        let mut months: BTreeMap<Month, i64> = BTreeMap::new();
        for Counted { kept, .. } in self.counted(code) {
            if let Some(volume) = self.volume(&kept) {
                *months.entry(Month::of(kept.sale.on)).or_default() += volume;
            }
        }
        months
    }

    fn of_lifts(&self, code: &str) -> Vec<Unit> {
        let months = self.volumes(code);
        let mut given: BTreeMap<Month, i64> = BTreeMap::new();
        for month in months.keys() {
            let Some(
                Lever::Core { scale: LeverScale::Retroactive { period, tiers }, .. }
                | Lever::Accelerator { scale: LeverScale::Retroactive { period, tiers }, .. },
            ) = self.lever_on(code, month.first_day())
            else {
                unreachable!("lifts")
            };
            let begins = Month::of(period.begins(month.first_day()));
            let volume: i64 = months.range(begins..=*month).map(|(_, volume)| volume).sum();
            let tier = tiers.iter().rev().find(|tier| tier.from.minor <= volume);
            let reached =
                rounded(&(whole(volume) * tier.map_or(BigRational::zero(), |tier| rate(tier.rate))));
            let before: i64 = given.range(begins..).map(|(_, given)| given).sum();
            given.insert(*month, reached - before);
        }
        let unit =
            |(month, minor)| Unit { month, currency: self.currency, customer: None, amount: whole(minor) };
        given.into_iter().map(unit).collect()
    }

    fn of_growth(&self, code: &str) -> Vec<Unit> {
        let sold = |month: Month, filter: &LeverFilter| {
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
        let grown = self.volumes(code).into_iter().filter_map(|(month, volume)| {
            let Some(Lever::Growth { rate: share, baseline, applies_to, .. }) =
                self.lever_on(code, month.first_day())
            else {
                unreachable!("grows")
            };
            let base = match baseline {
                GrowthBaseline::SameMonthLastYear {} => sold(month.plus(-12), applies_to).map(whole),
                GrowthBaseline::TrailingAverage { months } => {
                    let back = 1..=i32::try_from(*months).unwrap();
                    let sum = back.map(|back| sold(month.plus(-back), applies_to)).sum::<Option<i64>>()?;
                    Some(whole(sum) / whole(i64::from(*months)))
                }
                GrowthBaseline::Fixed { amount } => Some(whole(amount.minor)),
            };
            let grown = whole(volume) - base?;
            let amount = if grown.is_positive() { grown * rate(*share) } else { BigRational::zero() };
            Some(Unit { month, currency: self.currency, customer: None, amount })
        });
        grown.collect()
    }

    fn of_new_customers(&self, code: &str) -> Vec<Unit> {
        let all = self.purchases();
        let is_new = |kept: &Kept<'_>, months: u32| {
            let mut before = all.iter().filter(|other| {
                other.net > 0 && other.sale.customer == kept.sale.customer && other.place() < kept.place()
            });
            before.all(|other| other.sale.on.plus_months(i32::try_from(months).unwrap()) <= kept.sale.on)
        };
        let unit = |Counted { kept, lever }: Counted<'_>| {
            let Lever::Fixed { amount, new_after_months, .. } = lever else { unreachable!("a fixed amount") };
            (kept.net > 0 && is_new(&kept, *new_after_months)).then(|| Unit {
                month: Month::of(kept.sale.on),
                currency: self.currency,
                customer: Some(kept.sale.customer.clone()),
                amount: whole(amount.minor),
            })
        };
        self.counted(code).into_iter().filter_map(unit).collect()
    }

    /// Each competency once, on the first day that earns.
    fn of_activities(&self, code: &str) -> Vec<Unit> {
        let mut days: BTreeMap<&str, CalendarDate> = BTreeMap::new();
        for (competency, day) in &self.attained {
            if self.days.contains(*day) && self.earns_on(*day) {
                let first = days.entry(competency).or_insert(*day);
                *first = (*first).min(*day);
            }
        }
        let mut units: Vec<Unit> = Vec::new();
        for day in days.into_values() {
            let Some(Lever::ActivityBonus { amount, .. }) = self.lever_on(code, day) else {
                unreachable!("earns on competencies")
            };
            let (month, amount) = (Month::of(day), whole(amount.minor));
            together(&mut units, Unit { month, currency: self.currency, customer: None, amount });
        }
        units.sort_by_key(|unit| unit.month);
        units
    }

    /// Rounds and caps, in order; the cap is that of the unit's month.
    fn capped(&self, code: &str, units: Vec<Unit>) -> Vec<(Unit, i64)> {
        let mut used: BTreeMap<Option<String>, BigRational> = BTreeMap::new();
        let mut capped = Vec::new();
        for unit in units {
            let cap = self.lever_on(code, unit.month.first_day()).and_then(Lever::cap);
            let amount = match cap {
                None => rounded(&unit.amount),
                Some(LeverCap { scope, amount }) => {
                    let holder = unit.customer.clone().filter(|_| scope == CapScope::Customer);
                    let used = used.entry(holder).or_insert_with(BigRational::zero);
                    let left = (whole(amount.minor) - used.clone()).max(BigRational::zero());
                    let left = self.exactly(unit.month, &left, amount.currency, unit.currency).unwrap();
                    let given = rounded(&unit.amount).min(down(&left));
                    *used += self.exactly(unit.month, &whole(given), unit.currency, amount.currency).unwrap();
                    given
                }
            };
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
