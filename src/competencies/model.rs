//! What a competency and its attainment are, and when an attainment counts; no I/O, no clock, no HTTP.

use crate::{
    platform::values::{CalendarDate, Id, Timestamp, text_enum},
    schema::{attainments, competencies},
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
    /// Identifier.
    pub id: Id,
    /// Stable lower-case slug.
    pub code: String,
    /// Name shown to people.
    pub name: String,
    /// The first day it can no longer be attained; attainments run out on their own.
    pub retired_on: Option<CalendarDate>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts changes; the entity tag.
    pub revision: i64,
}

/// A partner has earned a competency.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = attainments, treat_none_as_null = true)]
pub struct Attainment {
    /// Identifier.
    pub id: Id,
    /// Who earned it.
    pub partner_id: Id,
    /// Which competency.
    pub competency_code: String,
    /// At which level.
    pub level: Level,
    /// The first day it counts.
    pub attained_on: CalendarDate,
    /// The last regular day.
    pub expires_on: CalendarDate,
    /// Days after `expires_on` in which it still counts, with a warning.
    pub grace_days: i32,
    /// Since when its renewal is in doubt; it still counts, with a warning.
    pub at_risk_since: Option<CalendarDate>,
    /// The first day it no longer counts, where it was taken away.
    pub revoked_on: Option<CalendarDate>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts changes; the entity tag.
    pub revision: i64,
}

impl Attainment {
    /// The first day it no longer counts.
    #[must_use]
    pub fn first_day_without(&self) -> CalendarDate {
        let after_grace = self.expires_on.plus_days(self.grace_days.saturating_add(1));
        self.revoked_on.map_or(after_grace, |end| end.min(after_grace))
    }

    /// Whether it counts on a day, grace included.
    #[must_use]
    pub fn counts_on(&self, day: CalendarDate) -> bool {
        self.attained_on <= day && day < self.first_day_without()
    }
}
