//! One lever's account: what it has counted, used of its cap, and posted.

use super::{Exact, Origin, Reason};
use crate::{
    participation::programs::TierPeriod,
    platform::values::{CalendarDate, Currency, Id, Month},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What one lever has counted and posted, as far as it has been opened: the purchases and positions in it are those
/// touched since, the rest lies where the caller keeps it.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Purchases, less their refunds.
    pub purchases: HashMap<Id, Purchase>,
    /// Net volume by month, in the terms' currency.
    pub months: BTreeMap<Month, i64>,
    /// The months, and the currencies in them, of sales that came without a rate. With the rate they are told again.
    pub waiting: BTreeSet<(Month, Currency)>,
    /// Groups that have moved and are not settled yet.
    pub(super) dirty: BTreeSet<Group>,
    /// Where each group stands.
    pub positions: BTreeMap<Group, Position>,
    /// What is used of the cap, by customer or of all, in the terms' currency.
    pub used: BTreeMap<Option<String>, i64>,
}

/// A purchase, less its refunds.
#[derive(Clone, Debug)]
pub struct Purchase {
    /// The day it counts on.
    pub on: CalendarDate,
    /// The customer's number.
    pub customer: String,
    /// Its own currency.
    pub currency: Currency,
    /// Why it does not earn.
    pub barred: Option<Reason>,
    /// What it is part of.
    pub group: Group,
    /// In its own currency.
    pub net: i64,
    /// The same in the terms' currency.
    pub volume: i64,
    /// What lay below it in its tier period when it came.
    pub offset: i64,
    /// What it gives by itself.
    pub unrounded: Exact,
}

/// What is rounded and posted as one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// The month it applies to.
    pub month: Month,
    /// A purchase, a customer's month, or a month.
    pub origin: Origin,
    /// What it is counted in.
    pub currency: Currency,
}

/// By how much a group moves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub base: i64,
    pub unrounded: Exact,
}

/// Where a group stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The net amount.
    pub base: i64,
    /// What its purchases give by themselves.
    pub unrounded: Exact,
    /// What of both is in a posting already.
    pub settled: (i64, Exact),
    /// What is posted.
    pub posted: i64,
    /// What a cap cut off.
    pub cut: i64,
    /// Of the cap, in the terms' currency.
    pub used: i64,
    /// Whether it has been said that it earns nothing.
    pub told: bool,
}

impl Account {
    /// What is used of the cap.
    pub(super) fn used(&self, customer: Option<&str>) -> i64 {
        self.used.get(&customer.map(str::to_owned)).copied().unwrap_or_default()
    }

    /// The net volume of the period a day lies in.
    pub(super) fn volume(&self, period: TierPeriod, day: CalendarDate) -> i64 {
        let begins = period.begins(day);
        let months = self.months.range(Month::of(begins)..);
        months
            .take_while(|(month, _)| period.begins(month.first_day()) == begins)
            .map(|(_, volume)| volume)
            .sum()
    }

    /// Moves a group.
    pub(super) fn add(&mut self, group: &Group, entry: Entry) {
        let position = self.positions.entry(group.clone()).or_default();
        position.base += entry.base;
        position.unrounded = position.unrounded + entry.unrounded;
    }
}
