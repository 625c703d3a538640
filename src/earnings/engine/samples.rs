//! Sales and levers for tests.

use super::{Facts, Sale};
use crate::{
    participation::programs::{Lever, LeverCap, LeverFilter, LeverGrain, LeverScale},
    platform::values::{CalendarDate, Id, Money, Month, Period},
};

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
pub(super) fn facts() -> Facts {
    Facts { windows: vec![Period { from: day("2018-07-01"), to: day("2019-06-30") }], ..Facts::default() }
}

pub(super) fn purchase(n: u32, on: &str, amount: &str) -> Sale {
    sold(n, on, amount, None)
}

pub(super) fn sold(n: u32, on: &str, amount: &str, before: Option<&str>) -> Sale {
    Sale {
        id: id(n),
        refund_of: None,
        occurred_on: day(on),
        amount: money(amount, "USD"),
        customer: "C-1".into(),
        country: "DE".parse().unwrap(),
        public_sector: false,
        customer_is_partner: false,
        product: "AZ-1".into(),
        product_family: "azure".into(),
        bought_before_on: before.map(day),
    }
}

pub(super) fn refund(n: u32, of: u32, on: &str, amount: &str) -> Sale {
    Sale { refund_of: Some(id(of)), ..purchase(n, on, amount) }
}

pub(super) fn core(code: &str, scale: LeverScale, grain: LeverGrain, cap: Option<LeverCap>) -> Lever {
    Lever::Core {
        code: code.into(),
        name: code.into(),
        scale,
        applies_to: LeverFilter::default(),
        cap,
        grain,
    }
}
