//! The records that count for a partner: its own, and those that its headquarters lends while it is one.

use crate::{
    network::{agreements::Agreement, competencies::Attainment},
    platform::values::{CalendarDate, Period},
};

/// Records that count for a partner. Slices, so that a batch lends out what it loaded, and a headquarters' records serve
/// all its locations without a copy.
#[derive(Clone, Debug)]
pub struct Held<'a, T> {
    /// The partner's own, in any order.
    pub own: &'a [T],
    /// The records of its headquarters, one headquarters after the other.
    pub lent: Vec<Lent<'a, T>>,
}

/// The records of a headquarters, which count for a location on the days it belongs there.
#[derive(Clone, Copy, Debug)]
pub struct Lent<'a, T> {
    /// The days.
    pub days: Period,
    /// The records, in any order.
    pub records: &'a [T],
}

/// A record, and the days on which it may count for the partner.
#[derive(Debug)]
pub struct Holding<'a, T> {
    /// The record.
    pub record: &'a T,
    /// The days on which the record is the partner's to use.
    pub days: Period,
}

// Derived, both would ask for `T: Copy`.
impl<T> Clone for Holding<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Holding<'_, T> {}

/// Every day there is.
const ALWAYS: Period = Period { from: CalendarDate::MIN, to: CalendarDate::MAX };

impl<'a, T> Held<'a, T> {
    /// Every record that counts on some day.
    pub fn iter(&self) -> impl Iterator<Item = Holding<'a, T>> + Clone + use<'_, 'a, T> {
        let own = self.own.iter().map(|record| Holding { record, days: ALWAYS });
        own.chain(self.lent.iter().flat_map(|lent| {
            let days = lent.days;
            lent.records.iter().map(move |record| Holding { record, days })
        }))
    }

    /// The records that are the partner's to use on a day.
    pub fn on(&self, day: CalendarDate) -> impl Iterator<Item = &'a T> + Clone + use<'_, 'a, T> {
        self.iter().filter(move |holding| holding.days.contains(day)).map(|holding| holding.record)
    }
}

impl<'a, T> From<&'a [T]> for Held<'a, T> {
    fn from(own: &'a [T]) -> Self {
        Self { own, lent: Vec::new() }
    }
}

/// A record that counts for some days.
pub trait Dated {
    /// Whether the record counts on a day, grace included.
    fn counts_on(&self, day: CalendarDate) -> bool;
    /// The first day after its days.
    fn first_day_without(&self) -> CalendarDate;
}

impl Dated for Agreement {
    fn counts_on(&self, day: CalendarDate) -> bool {
        Self::counts_on(self, day)
    }

    fn first_day_without(&self) -> CalendarDate {
        Self::first_day_without(self)
    }
}

impl Dated for Attainment {
    fn counts_on(&self, day: CalendarDate) -> bool {
        Self::counts_on(self, day)
    }

    fn first_day_without(&self) -> CalendarDate {
        Self::first_day_without(self)
    }
}

impl<T: Dated> Holding<'_, T> {
    /// Whether the record counts for the partner on a day.
    #[must_use]
    pub fn counts_on(&self, day: CalendarDate) -> bool {
        self.days.contains(day) && self.record.counts_on(day)
    }

    /// The first day on which the record no longer counts for the partner.
    #[must_use]
    pub fn until(&self) -> CalendarDate {
        self.record.first_day_without().min(self.days.to.plus_days(1))
    }
}
