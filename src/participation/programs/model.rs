//! The program and its versions; no I/O, no clock, no HTTP.

use super::{CoopActivity, Lever, Requirement};
use crate::{
    network::partners::PartnerType,
    platform::{
        db::types::Json,
        values::{CalendarDate, Currency, Id, Money, Period, Rate, Timestamp, text_enum, text_value},
    },
    schema::{program_periods, program_versions, programs},
};
use diesel::prelude::*;
use std::{fmt, str::FromStr};
use utoipa::{PartialSchema, ToSchema, openapi};

text_enum! {
    /// Whether a program takes part.
    pub enum ProgramStatus {
        /// Partners enroll and earn.
        Open = "open",
        /// Not taking part for now.
        Closed = "closed",
        /// Ended for good.
        Discontinued = "discontinued",
    }
}

text_enum! {
    /// Whether a version is still being written.
    pub enum ProgramVersionState {
        /// Being written; counts for nobody.
        Draft = "draft",
        /// In force for its days; never changed.
        Published = "published",
    }
}

text_enum! {
    /// How an earning is rounded to its currency's minor unit.
    #[derive(Default)]
    pub enum Rounding {
        /// To the nearest; halves away from zero, so that a reversal is the exact negative.
        #[default]
        HalfAwayFromZero = "half_away_from_zero",
    }
}

/// An incentive program.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = programs, treat_none_as_null = true)]
pub struct Program {
    /// Identifier, a UUID of version 7 (RFC 9562).
    pub id: Id,
    /// Stable lower-case slug, unique.
    pub code: String,
    /// Name shown to people.
    pub name: String,
    /// The types of partner it is for.
    pub partner_types: Json<Vec<PartnerType>>,
    /// Whether it takes part.
    pub status: ProgramStatus,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts changes; the entity tag.
    pub revision: i64,
    /// The days beside Saturdays and Sundays that are no business days.
    pub holidays: Json<Vec<CalendarDate>>,
    /// The most co-op claims of each month's paid ones whose originals are asked for.
    pub coop_audit_size: i32,
}

/// Where a program stood before, up to a day: since the period before, and before the first period always.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = program_periods)]
pub struct ProgramPeriod {
    /// The program.
    pub program_id: Id,
    /// The last day of the period.
    pub last_day: CalendarDate,
    /// The types of partner the program was for.
    pub partner_types: Json<Vec<PartnerType>>,
    /// Whether it took part.
    pub status: ProgramStatus,
}

/// A program with all that its days are judged by.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The program.
    pub program: Program,
    /// Where the program stood before, in the order of the days.
    pub before: Vec<ProgramPeriod>,
    /// Its published versions, in the order of their days.
    pub versions: Vec<ProgramVersion>,
}

impl Offer {
    /// The version in effect on a day.
    #[must_use]
    pub fn version_on(&self, day: CalendarDate) -> Option<&ProgramVersion> {
        self.versions.iter().find(|version| version.period().contains(day))
    }

    /// Whether a version asks for users of the partner.
    #[must_use]
    pub fn asks_for_users(&self) -> bool {
        let mut all = self.versions.iter().flat_map(|version| &version.requirements.0);
        all.any(Requirement::asks_for_users)
    }

    /// The first version of a program year.
    #[must_use]
    pub fn first_of(&self, program_year: i32) -> Option<&ProgramVersion> {
        self.versions.iter().find(|version| version.program_year == program_year)
    }

    /// The version in effect on a day, else the one that comes closest to it; none where nothing is published.
    #[must_use]
    pub fn nearest_to(&self, day: CalendarDate) -> Option<&ProgramVersion> {
        let away = |version: &&ProgramVersion| {
            version.effective_to.days_until(day).max(day.days_until(version.effective_from)).max(0)
        };
        self.versions.iter().min_by_key(away)
    }
}

/// The code of a program alone, for lists of records that name programs.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = programs)]
pub struct ProgramCode {
    /// The code.
    pub code: String,
}

/// The payment terms of a program version.
#[derive(Clone, Copy, Debug, Queryable, Selectable)]
#[diesel(table_name = program_versions)]
pub struct PaymentTerms {
    /// The least that is paid, in minor units of `currency`.
    pub payment_threshold: i64,
    /// The least co-op of a half-year that stays co-op, in minor units of `currency`.
    pub coop_threshold: i64,
    /// The currency of the version's thresholds, tiers and caps.
    pub currency: Currency,
}

/// A program with its published version in effect on a day.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
pub struct ProgramInEffect {
    /// The program.
    #[diesel(embed)]
    pub program: Program,
    /// The version.
    #[diesel(embed)]
    pub version: ProgramVersion,
}

/// The terms of a program in one program year, or part of it. A published version is immutable: a correction is a new
/// version.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = program_versions, treat_none_as_null = true)]
pub struct ProgramVersion {
    /// Identifier, a UUID of version 7 (RFC 9562).
    pub id: Id,
    /// The program.
    pub program_id: Id,
    /// Counts the program's versions, from 1.
    pub version: i32,
    /// The program year, named by the calendar year it ends in.
    pub program_year: i32,
    /// The first day it is in effect.
    pub effective_from: CalendarDate,
    /// The last day it is in effect.
    pub effective_to: CalendarDate,
    /// The requirements a partner has to meet.
    pub requirements: Json<Vec<Requirement>>,
    /// The ways to earn.
    pub levers: Json<Vec<Lever>>,
    /// The part of an earning that is rebate; the rest is co-op.
    pub rebate_rate: Rate,
    /// The least that is paid, in minor units of `currency`.
    pub payment_threshold: i64,
    /// The least co-op of a half-year that stays co-op, in minor units of `currency`.
    pub coop_threshold: i64,
    /// The currency of its thresholds, tiers and caps.
    pub currency: Currency,
    /// How many days an invitation stands.
    pub invitation_days: i32,
    /// How earnings are rounded.
    pub rounding: Rounding,
    /// Draft or published.
    pub state: ProgramVersionState,
    /// When it was published.
    pub published_at: Option<Timestamp>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts changes; the entity tag.
    pub revision: i64,
    /// The marketing activities that co-op pays.
    pub coop_activities: Json<Vec<CoopActivity>>,
    /// The most that one reviewer decides alone of a co-op claim, in minor units of `currency`.
    pub fast_track_amount: i64,
}

impl ProgramVersion {
    /// The days it is in effect.
    #[must_use]
    pub const fn period(&self) -> Period {
        Period { from: self.effective_from, to: self.effective_to }
    }

    /// Whether it is published.
    #[must_use]
    pub fn is_published(&self) -> bool {
        self.state == ProgramVersionState::Published
    }

    /// The least that is paid.
    #[must_use]
    pub const fn payment_threshold(&self) -> Money {
        Money { minor: self.payment_threshold, currency: self.currency }
    }

    /// The least co-op of a half-year that stays co-op.
    #[must_use]
    pub const fn coop_threshold(&self) -> Money {
        Money { minor: self.coop_threshold, currency: self.currency }
    }

    /// The most that one reviewer decides alone of a co-op claim.
    #[must_use]
    pub const fn fast_track_amount(&self) -> Money {
        Money { minor: self.fast_track_amount, currency: self.currency }
    }
}

/// The program year a day lies in: July to June, named by the calendar year it ends in.
#[must_use]
pub fn program_year_of(day: CalendarDate) -> i32 {
    i32::from(day.year()) + i32::from(day.month() >= 7)
}

/// The days of a program year; `None` outside 1901 to 9999.
#[must_use]
pub fn program_year(year: i32) -> Option<Period> {
    let ends = i16::try_from(year).ok()?;
    let begins = ends.checked_sub(1)?;
    Some(Period { from: CalendarDate::new(begins, 7, 1)?, to: CalendarDate::new(ends, 6, 30)? })
}

/// The name of a program in an address or a body: its code or its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgramKey {
    /// Its id.
    Id(Id),
    /// Its code.
    Code(String),
}

impl FromStr for ProgramKey {
    type Err = crate::platform::values::Unparsable;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) if text.len() <= 64 && text.split('-').all(word) => Ok(Self::Code(text.to_owned())),
            Err(_) => Err(crate::platform::values::Unparsable(
                "name a program by its id or its code, a lower-case slug such as csp-direct-bill".into(),
            )),
        }
    }
}

impl fmt::Display for ProgramKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Code(code) => f.write_str(code),
        }
    }
}

text_value!(ProgramKey);

impl PartialSchema for ProgramKey {
    fn schema() -> openapi::RefOr<openapi::Schema> {
        openapi::ObjectBuilder::new()
            .schema_type(openapi::Type::String)
            .pattern(Some("^[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*$"))
            .min_length(Some(1))
            .max_length(Some(64))
            .description(Some("A program: its code, or its id."))
            .examples(["csp-direct-bill"])
            .into()
    }
}

impl ToSchema for ProgramKey {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_year_is_named_by_the_year_it_ends_in() {
        let day = |text: &str| text.parse::<CalendarDate>().unwrap();
        for (of, year) in [("2026-07-01", 2027), ("2027-06-30", 2027), ("2026-06-30", 2026)] {
            assert_eq!(program_year_of(day(of)), year, "{of}");
            assert!(program_year(year).unwrap().contains(day(of)));
        }
        let fy2027 = program_year(2027).unwrap();
        assert_eq!((fy2027.from, fy2027.to), (day("2026-07-01"), day("2027-06-30")));
        assert_eq!((program_year(1900), program_year(10_000)), (None, None));
    }

    #[test]
    fn a_program_is_named_by_its_code_or_its_id() {
        let id = "01936f2e-4b00-7000-8000-000000000001";
        assert_eq!(id.parse(), Ok(ProgramKey::Id(id.parse().unwrap())));
        assert_eq!("csp-direct-bill".parse(), Ok(ProgramKey::Code("csp-direct-bill".into())));
        for wrong in ["", "CSP", "a--b", "-a", "a b", "a'"] {
            assert!(wrong.parse::<ProgramKey>().is_err(), "{wrong:?}");
        }
    }
}
