//! Calendar months.

use super::{CalendarDate, Period, Unparsable};
use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    serialize::{self, Output, ToSql},
    sql_types::Date,
};
use std::{fmt, str::FromStr};
use utoipa::{PartialSchema, ToSchema, openapi};

/// A calendar month in UTC, years 1900 to 9999: `2026-07`.
///
/// ```
/// use partner_incentives::platform::values::Month;
///
/// let february: Month = "2028-02".parse()?;
/// assert_eq!(february.last_day().to_string(), "2028-02-29");
/// assert_eq!(february.plus(-2).to_string(), "2027-12");
/// assert!(february.period().contains("2028-02-14".parse()?));
/// # Ok::<(), partner_incentives::platform::values::Unparsable>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = diesel::sql_types::Date)]
pub struct Month(CalendarDate);

impl Month {
    /// The month a day lies in.
    #[must_use]
    pub fn of(day: CalendarDate) -> Self {
        Self(day.first_of_month())
    }

    /// The first day of the month.
    #[must_use]
    pub const fn first_day(self) -> CalendarDate {
        self.0
    }

    /// The last day of the month.
    #[must_use]
    pub fn last_day(self) -> CalendarDate {
        self.plus(1).0.plus_days(-1)
    }

    /// The days of the month.
    #[must_use]
    pub fn period(self) -> Period {
        Period { from: self.first_day(), to: self.last_day() }
    }

    /// The month `months` later, or earlier where `months` is negative; stops at the ends of the calendar.
    #[must_use]
    pub fn plus(self, months: i32) -> Self {
        let index = i32::from(self.0.year()) * 12 + i32::from(self.0.month()) - 1 + months;
        let date = || {
            CalendarDate::new(
                i16::try_from(index.div_euclid(12)).ok()?,
                i8::try_from(index.rem_euclid(12) + 1).ok()?,
                1,
            )
        };
        Self(date().unwrap_or(if months < 0 {
            CalendarDate::MIN
        } else {
            CalendarDate::MAX.first_of_month()
        }))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Month {
    type Err = Unparsable;

    fn from_str(text: &str) -> Result<Self, Unparsable> {
        format!("{text}-01")
            .parse()
            .map(Self)
            .map_err(|_| Unparsable(format!("{text:?} is not a month such as 2026-07, from 1900 on")))
    }
}

super::text_value!(Month);

/// A month is stored as its first day.
impl<DB> ToSql<Date, DB> for Month
where
    DB: Backend,
    CalendarDate: ToSql<Date, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.0.to_sql(out)
    }
}

impl<DB> FromSql<Date, DB> for Month
where
    DB: Backend,
    CalendarDate: FromSql<Date, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        CalendarDate::from_sql(value).map(Self::of)
    }
}

impl PartialSchema for Month {
    fn schema() -> openapi::RefOr<openapi::Schema> {
        openapi::ObjectBuilder::new()
            .schema_type(openapi::Type::String)
            .pattern(Some("^(19|[2-9][0-9])[0-9]{2}-(0[1-9]|1[0-2])$"))
            .min_length(Some(7))
            .max_length(Some(7))
            .description(Some("Calendar month in UTC, YYYY-MM, from 1900-01 on."))
            .examples(["2026-07"])
            .into()
    }
}

impl ToSchema for Month {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_knows_its_days_and_its_neighbours() {
        let month = |text: &str| text.parse::<Month>().unwrap();
        assert_eq!(month("2020-02").last_day().to_string(), "2020-02-29");
        assert_eq!(month("2019-12").plus(1), month("2020-01"));
        assert_eq!(month("2020-01").plus(-13), month("2018-12"));
        assert_eq!(Month::of("2026-07-31".parse().unwrap()).to_string(), "2026-07");
        for wrong in ["2026-13", "2026-7", "1899-12", "2026", "2026-07-01", ""] {
            assert!(wrong.parse::<Month>().is_err(), "{wrong}");
        }
    }
}
