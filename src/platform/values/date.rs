//! Calendar dates, and periods of days.

use super::Unparsable;
use diesel::{deserialize::FromSqlRow, expression::AsExpression};
use jiff::{Span, civil};
use std::{fmt, str::FromStr};
use utoipa::{PartialSchema, ToSchema, openapi};

/// A calendar date in UTC, years 1900 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = diesel::sql_types::Date)]
pub struct CalendarDate(civil::Date);

impl CalendarDate {
    /// The last date of the calendar; stands for an open end in comparisons.
    pub const MAX: Self = Self(civil::Date::MAX);

    /// The first date of the calendar, 1900-01-01.
    pub const MIN: Self = Self(civil::date(1900, 1, 1));

    /// The date of a year, month and day; none where the calendar has no such date.
    #[must_use]
    pub fn new(year: i16, month: i8, day: i8) -> Option<Self> {
        civil::Date::new(year, month, day).ok().filter(|d| d.year() >= 1900).map(Self)
    }

    /// This date moved by a signed number of days; stops at the ends of the calendar.
    #[must_use]
    pub fn plus_days(self, days: i32) -> Self {
        Self(self.0.saturating_add(Span::new().days(days.clamp(-1_000_000, 1_000_000))))
    }

    /// This date moved by a signed number of months, to the last day of a shorter month; stops at the ends of the
    /// calendar.
    #[must_use]
    pub fn plus_months(self, months: i32) -> Self {
        Self(self.0.saturating_add(Span::new().months(months.clamp(-100_000, 100_000))))
    }

    /// The last of so many business days, Monday to Friday, after this date; this date where there are none.
    ///
    /// ```
    /// use partner_incentives::platform::values::CalendarDate;
    ///
    /// let friday: CalendarDate = "2026-07-03".parse()?;
    /// assert_eq!(friday.plus_business_days(3), "2026-07-08".parse()?);
    /// # Ok::<(), partner_incentives::platform::values::Unparsable>(())
    /// ```
    #[must_use]
    pub fn plus_business_days(self, days: u8) -> Self {
        let is_business_day = |day: &Self| day.0.weekday().to_monday_one_offset() <= 5;
        (1..).map(|n| self.plus_days(n)).filter(is_business_day).take(days.into()).last().unwrap_or(self)
    }

    /// Business days, Monday to Friday, after this date up to `later`; none where `later` is not later.
    ///
    /// ```
    /// use partner_incentives::platform::values::CalendarDate;
    ///
    /// let friday: CalendarDate = "2026-07-03".parse()?;
    /// assert_eq!(friday.business_days_until("2026-07-08".parse()?), 3);
    /// assert_eq!(friday.business_days_until("2026-07-05".parse()?), 0);
    /// # Ok::<(), partner_incentives::platform::values::Unparsable>(())
    /// ```
    #[must_use]
    pub fn business_days_until(self, later: Self) -> u8 {
        let is_business_day = |day: &Self| day.0.weekday().to_monday_one_offset() <= 5;
        let days = (1..=self.days_until(later)).map(|n| self.plus_days(n)).filter(is_business_day);
        u8::try_from(days.take(u8::MAX.into()).count()).unwrap_or(u8::MAX)
    }

    /// Days from this date to `later`; negative where `later` is earlier.
    #[must_use]
    pub fn days_until(self, later: Self) -> i32 {
        self.0.until(later.0).map_or(0, |span| span.get_days())
    }

    /// The first day of this date's month.
    #[must_use]
    pub fn first_of_month(self) -> Self {
        Self(self.0.first_of_month())
    }

    /// The first instant of the date, in UTC.
    #[must_use]
    pub fn midnight(self) -> super::Timestamp {
        let days = civil::date(1970, 1, 1).until(self.0).map_or(0, |span| span.get_days());
        super::Timestamp::from_micros(i64::from(days) * 86_400_000_000)
    }

    /// The calendar year.
    #[must_use]
    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// The month, 1 to 12.
    #[must_use]
    pub fn month(self) -> i8 {
        self.0.month()
    }

    /// The day of the month, 1 to 31.
    #[must_use]
    pub fn day(self) -> i8 {
        self.0.day()
    }
}

impl From<civil::Date> for CalendarDate {
    fn from(date: civil::Date) -> Self {
        Self(date)
    }
}

impl From<CalendarDate> for civil::Date {
    fn from(date: CalendarDate) -> Self {
        date.0
    }
}

impl fmt::Display for CalendarDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for CalendarDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for CalendarDate {
    type Err = Unparsable;

    fn from_str(text: &str) -> Result<Self, Unparsable> {
        let shaped = text.len() == 10
            && text
                .bytes()
                .enumerate()
                .all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
        text.parse::<civil::Date>()
            .ok()
            .filter(|date| shaped && date.year() >= 1900)
            .map(Self)
            .ok_or_else(|| Unparsable(format!("{text:?} is not a date such as 2026-07-01, from 1900 on")))
    }
}

super::text_value!(CalendarDate);

impl PartialSchema for CalendarDate {
    fn schema() -> openapi::RefOr<openapi::Schema> {
        openapi::ObjectBuilder::new()
            .schema_type(openapi::Type::String)
            .format(Some(openapi::SchemaFormat::KnownFormat(openapi::KnownFormat::Date)))
            .min_length(Some(10))
            .max_length(Some(10))
            .description(Some("Calendar date in UTC, YYYY-MM-DD, from 1900-01-01 on."))
            .examples(["2026-07-01"])
            .into()
    }
}

impl ToSchema for CalendarDate {}

/// A run of days, both ends included.
///
/// ```
/// use partner_incentives::platform::values::{CalendarDate, Period};
///
/// let signed = Period { from: "2026-07-01".parse()?, to: "2027-06-30".parse()? };
/// let renewed = Period { from: "2027-07-01".parse()?, to: CalendarDate::MAX };
/// assert!(signed.contains("2027-06-30".parse()?));
/// assert!(!signed.overlaps(renewed));
/// # Ok::<(), partner_incentives::platform::values::Unparsable>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first day.
    pub from: CalendarDate,
    /// The last day; [`CalendarDate::MAX`] of a period without an end.
    pub to: CalendarDate,
}

impl Period {
    /// Whether the day lies inside the period.
    #[must_use]
    pub fn contains(self, day: CalendarDate) -> bool {
        self.from <= day && day <= self.to
    }

    /// Whether the two periods share a day.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.from <= other.to && other.from <= self.to
    }
}
