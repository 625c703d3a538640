//! The competency, the attainment, and the days an attainment counts; no I/O, no clock, no HTTP.

use crate::{
    platform::{
        FieldError,
        values::{CalendarDate, Id, Timestamp, text_enum},
    },
    schema::{attainments, competencies},
    text,
};
use diesel::prelude::*;

text_enum! {
    /// Level of an attainment; gold satisfies silver.
    pub enum Level {
        /// Silver.
        Silver = "silver",
        /// Gold.
        Gold = "gold",
    }
}

/// A competency of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = competencies, treat_none_as_null = true)]
pub struct Competency {
    /// UUID of version 7.
    pub id: Id,
    /// Stable lower-case slug.
    pub code: String,
    /// Name shown to people.
    pub name: String,
    /// The first day the competency can no longer be attained; earlier attainments run out on their own.
    pub retired_on: Option<CalendarDate>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of the record; the entity tag.
    pub revision: i64,
}

impl Competency {
    /// Whether the competency can no longer be attained on a day.
    #[must_use]
    pub fn is_retired_on(&self, day: CalendarDate) -> bool {
        self.retired_on.is_some_and(|retired| retired <= day)
    }
}

/// Whether a text has the form of a competency's code: a slug of lower-case words joined by hyphens.
#[must_use]
pub fn is_code(text: &str) -> bool {
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.split('-').all(word)
}

/// A period in which a partner holds a competency.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = attainments, treat_none_as_null = true)]
pub struct Attainment {
    /// UUID of version 7.
    pub id: Id,
    /// The partner that has attained the competency.
    pub partner_id: Id,
    /// The code of the competency.
    pub competency_code: String,
    /// The attained level.
    pub level: Level,
    /// The first day the attainment counts.
    pub attained_on: CalendarDate,
    /// The last regular day.
    pub expires_on: CalendarDate,
    /// Days after `expires_on` in which the attainment still counts, with a warning.
    pub grace_days: i32,
    /// The day from which the renewal is in doubt; the attainment still counts, with a warning.
    pub at_risk_since: Option<CalendarDate>,
    /// The first day the attainment no longer counts; none unless it was revoked.
    pub revoked_on: Option<CalendarDate>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of the record; the entity tag.
    pub revision: i64,
}

/// An attainment to record, or to replace the one on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAttainment {
    /// The attained level.
    pub level: Level,
    /// The first day the attainment counts.
    pub attained_on: CalendarDate,
    /// The last regular day.
    pub expires_on: CalendarDate,
    /// Days after `expires_on` in which the attainment still counts, with a warning.
    pub grace_days: i32,
    /// The day from which the renewal is in doubt.
    pub at_risk_since: Option<CalendarDate>,
}

impl NewAttainment {
    /// The dates that are not in order.
    #[must_use]
    pub fn out_of_order(&self) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if self.expires_on < self.attained_on {
            let message = text!(
                "the last day lies before the first one, {}",
                "最終日が開始日（{}）より前になっています。",
                self.attained_on
            );
            faults.push(FieldError::new("/expires_on", "order", message));
        }
        if self.at_risk_since.is_some_and(|since| since < self.attained_on) {
            let message = text!(
                "it cannot be at risk before it was attained on {}",
                "取得日（{}）より前の日を、更新が危ぶまれる日にすることはできません。",
                self.attained_on
            );
            faults.push(FieldError::new("/at_risk_since", "order", message));
        }
        faults
    }
}

impl Attainment {
    /// The first record of a partner's attainment.
    #[must_use]
    pub fn new(id: Id, now: Timestamp, partner_id: Id, competency_code: &str, new: &NewAttainment) -> Self {
        Self {
            id,
            partner_id,
            competency_code: competency_code.to_owned(),
            level: new.level,
            attained_on: new.attained_on,
            expires_on: new.expires_on,
            grace_days: new.grace_days,
            at_risk_since: new.at_risk_since,
            revoked_on: None,
            created_at: now,
            updated_at: now,
            revision: 1,
        }
    }

    /// The period as it is corrected; a revocation of the period is taken back.
    #[must_use]
    pub fn corrected(&self, now: Timestamp, new: &NewAttainment) -> Self {
        let replacement = Self::new(self.id, now, self.partner_id, &self.competency_code, new);
        Self { created_at: self.created_at, revision: self.revision + 1, ..replacement }
    }

    /// Whether the record equals the new attainment already.
    #[must_use]
    pub fn says(&self, new: &NewAttainment) -> bool {
        let same = (new.level, new.attained_on, new.expires_on, new.grace_days, new.at_risk_since);
        self.revoked_on.is_none()
            && same == (self.level, self.attained_on, self.expires_on, self.grace_days, self.at_risk_since)
    }

    /// The first day it no longer counts.
    #[must_use]
    pub fn first_day_without(&self) -> CalendarDate {
        let after_grace = self.expires_on.plus_days(self.grace_days.saturating_add(1));
        self.revoked_on.map_or(after_grace, |end| end.min(after_grace))
    }

    /// Whether the attainment counts on a day, grace included.
    #[must_use]
    pub fn counts_on(&self, day: CalendarDate) -> bool {
        self.attained_on <= day && day < self.first_day_without()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn day(text: &str) -> CalendarDate {
        text.parse().unwrap()
    }

    fn silver(from: &str, to: &str) -> NewAttainment {
        let (attained_on, expires_on) = (day(from), day(to));
        NewAttainment { level: Level::Silver, attained_on, expires_on, grace_days: 30, at_risk_since: None }
    }

    fn attainment(new: &NewAttainment) -> Attainment {
        let at = Timestamp::from_micros(0);
        Attainment::new(Id(Uuid::from_u128(1)), at, Id(Uuid::from_u128(2)), "data-platform", new)
    }

    #[test]
    fn it_counts_from_the_day_it_is_attained_to_the_end_of_the_renewal_window() {
        let held = attainment(&silver("2019-01-10", "2020-01-09"));
        for (on, counts) in
            [("2019-01-09", false), ("2019-01-10", true), ("2020-02-08", true), ("2020-02-09", false)]
        {
            assert_eq!(held.counts_on(day(on)), counts, "{on}");
        }
    }

    #[test]
    fn a_revocation_counts_from_its_day_on_and_ends_when_the_period_is_corrected() {
        let held = attainment(&silver("2019-01-10", "2020-01-09"));
        let revoked = Attainment { revoked_on: Some(day("2019-06-01")), ..held };
        assert!(revoked.counts_on(day("2019-05-31")) && !revoked.counts_on(day("2019-06-01")));
        let again = revoked.corrected(Timestamp::from_micros(1), &silver("2019-01-10", "2020-06-30"));
        assert_eq!((again.revoked_on, again.revision), (None, 2));
        assert!(again.counts_on(day("2019-06-01")));
    }

    #[test]
    fn dates_out_of_order_are_all_named() {
        assert!(silver("2019-01-10", "2019-01-10").out_of_order().is_empty());
        let at_risk_since = Some(day("2019-01-09"));
        let wrong = NewAttainment { at_risk_since, ..silver("2019-01-10", "2019-01-09") };
        let pointers: Vec<_> = wrong.out_of_order().into_iter().map(|fault| fault.pointer).collect();
        assert_eq!(pointers, ["/expires_on", "/at_risk_since"]);
    }

    #[test]
    fn a_code_is_a_slug() {
        for code in ["isv", "erp", "data-platform", "windows-and-devices", "a1-2b"] {
            assert!(is_code(code), "{code}");
        }
        let long = "a".repeat(65);
        for text in ["", "-", "a-", "-a", "a--b", "A", "1a", "a b", "a\0", "ä", long.as_str()] {
            assert!(!is_code(text), "{text:?}");
        }
    }
}
