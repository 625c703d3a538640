//! The facts beside sales that decide what a lever gives.

use super::{OutOfRange, Reason};
use crate::{
    participation::programs::ProgramVersion,
    platform::values::{CalendarDate, Currency, ExchangeRates, Month, Period},
};
use std::collections::BTreeMap;

/// What is known about one enrollment year, beside its sales.
#[derive(Clone, Debug, Default)]
pub struct EarningFacts {
    /// The days on which the enrollment earns.
    pub windows: Vec<Period>,
    /// The days on which a rule is not met, each with the code of the weightiest such rule. Every day that has a sale or an
    /// attainment has been looked at.
    pub lost: BTreeMap<CalendarDate, String>,
    /// Published exchange rates.
    pub rates: ExchangeRates,
    /// The sales that growth levers compare with.
    pub sold: SoldMonths,
    /// The competencies attained in the year, in the order of their days.
    pub attained: Vec<Attained>,
}

/// A competency that the partner attained.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attained {
    /// The first day of the attainment.
    pub on: CalendarDate,
    /// The code of the competency.
    pub competency: String,
}

/// Everything sold that passes the filter of a growth lever, net of refunds, whether a sale could earn or not.
#[derive(Clone, Debug, Default)]
pub struct SoldMonths(BTreeMap<(i32, String, Month), BTreeMap<Currency, i64>>);

impl SoldMonths {
    /// Adds to a month of a lever of a version.
    pub fn add(
        &mut self,
        version: i32,
        lever: &str,
        month: Month,
        currency: Currency,
        minor: i64,
    ) -> Result<(), OutOfRange> {
        let of_month = self.0.entry((version, lever.to_owned(), month)).or_default();
        let sum = of_month.entry(currency).or_default();
        *sum = sum.checked_add(minor).ok_or(OutOfRange)?;
        Ok(())
    }

    /// The sums of a month, by currency, in minor units.
    pub(super) fn of(
        &self,
        version: i32,
        lever: &str,
        month: Month,
    ) -> impl Iterator<Item = (Currency, i64)> {
        let sums = self.0.get(&(version, lever.to_owned(), month));
        sums.into_iter().flatten().map(|(currency, minor)| (*currency, *minor))
    }
}

/// The version whose levers judge a day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judge<'a> {
    pub version: &'a ProgramVersion,
    /// Whether the version is in effect on that day; else the nearest version names the levers, and nothing earns.
    pub in_effect: bool,
}

/// The version of a day: the one in effect, else the last before, else the first after.
pub(super) fn judge_of(versions: &[ProgramVersion], day: CalendarDate) -> Option<Judge<'_>> {
    let in_effect = versions.iter().find(|version| version.period().contains(day));
    let nearest = || versions.iter().rfind(|version| version.effective_to < day).or(versions.first());
    match in_effect {
        Some(version) => Some(Judge { version, in_effect: true }),
        None => nearest().map(|version| Judge { version, in_effect: false }),
    }
}

impl EarningFacts {
    /// Why nothing earns on a day, whatever the lever.
    pub(super) fn barred_on(&self, day: CalendarDate, in_effect: bool) -> Option<Reason> {
        if !in_effect {
            return Some(Reason::Rule(NOT_OPEN.to_owned()));
        }
        if let Some(code) = self.lost.get(&day) {
            return Some(Reason::Rule(code.clone()));
        }
        let inside = self.windows.iter().any(|window| window.contains(day));
        (!inside).then_some(Reason::OutsideEnrollment)
    }
}

/// The code of a day without a program version.
const NOT_OPEN: &str = "program_not_open";
