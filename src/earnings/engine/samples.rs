//! Purchases, levers and versions for tests.

use super::{EarningFacts, EarningTarget, OutOfRange, Purchase, Refund, Year, YearToDate};
use crate::{
    participation::programs::{
        Lever, LeverCap, LeverFilter, LeverGrain, LeverScale, NewVersion, ProgramVersion, founding_version,
    },
    platform::values::{CalendarDate, Id, Money, Month, Period},
};
use std::collections::BTreeMap;

pub(super) fn day(text: &str) -> CalendarDate {
    text.parse().unwrap()
}

pub(super) fn month(text: &str) -> Month {
    text.parse().unwrap()
}

pub(super) fn money(amount: &str, currency: &str) -> Money {
    Money::parse(amount, currency.parse().unwrap()).unwrap()
}

pub(super) fn id(n: u32) -> Id {
    format!("01936f2e-4b00-7000-8000-{n:012}").parse().unwrap()
}

/// Enrolled for the program year 2019.
pub(super) fn facts() -> EarningFacts {
    EarningFacts {
        windows: vec![Period { from: day("2018-07-01"), to: day("2019-06-30") }],
        ..EarningFacts::default()
    }
}

pub(super) fn purchase(n: u32, on: &str, amount: &str) -> Purchase {
    let amount = money(amount, "USD");
    Purchase {
        id: id(n),
        on: day(on),
        customer: "C-1".into(),
        country: "DE".parse().unwrap(),
        public_sector: false,
        customer_is_partner: false,
        product: "AZ-1".into(),
        product_family: "azure".into(),
        currency: amount.currency,
        amount: amount.minor,
        refunds: Vec::new(),
    }
}

/// The purchase with a refund of so much.
pub(super) fn refunded(mut purchase: Purchase, n: u32, amount: &str) -> Purchase {
    let amount = money(amount, purchase.currency.as_str()).minor;
    purchase.refunds.push(Refund { id: id(n), amount });
    purchase
}

pub(super) fn core(code: &str, scale: LeverScale, grain: LeverGrain, cap: Option<LeverCap>) -> Lever {
    Lever::Core {
        code: code.into(),
        name: code.into(),
        scale,
        applies_to: LeverFilter::default(),
        cap,
        grain: Some(grain),
    }
}

/// A version of the program year 2019 in dollars, with these levers and a rebate of 60 %.
pub(super) fn version(levers: &[Lever]) -> Vec<ProgramVersion> {
    let (made, days) =
        (day("2018-06-01").midnight(), Period { from: day("2018-07-01"), to: day("2019-06-30") });
    let terms = NewVersion { levers: levers.to_vec(), ..founding_version(2019) };
    vec![terms.drafted(id(0), id(0), 1, days, made)]
}

/// The targets of a year, month by month, from a month on with the standing of its beginning.
pub(super) fn from<'a>(
    versions: &'a [ProgramVersion],
    facts: &'a EarningFacts,
    purchases: &[Purchase],
    first: Month,
    standing: &mut YearToDate,
) -> Result<Vec<EarningTarget<'a>>, OutOfRange> {
    let mut months: BTreeMap<Month, Vec<Purchase>> = BTreeMap::new();
    for purchase in purchases {
        months.entry(Month::of(purchase.on)).or_default().push(purchase.clone());
    }
    let mut targets = Vec::new();
    for (month, purchases) in months.range(first..) {
        targets.extend(Year { versions, facts }.month(*month, purchases, standing)?);
    }
    Ok(targets)
}

/// The targets of a whole year.
pub(super) fn all<'a>(
    versions: &'a [ProgramVersion],
    facts: &'a EarningFacts,
    purchases: &[Purchase],
) -> Vec<EarningTarget<'a>> {
    from(versions, facts, purchases, month("2018-07"), &mut YearToDate::default()).unwrap()
}
