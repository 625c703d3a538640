//! Instants.

use super::Unparsable;
use diesel::{deserialize::FromSqlRow, expression::AsExpression};
use jiff::SignedDuration;
use std::{fmt, str::FromStr};
use utoipa::{PartialSchema, ToSchema, openapi};

/// An instant in UTC, whole microseconds, so that both databases keep it exactly.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = crate::platform::db::types::Instant)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This instant moved by a signed number of seconds.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// The whole seconds from another instant to this one; 0 where the other instant is later.
    #[must_use]
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        let seconds = self.0.saturating_sub(earlier.0) / 1_000_000;
        if seconds < 0 { 0 } else { seconds }
    }

    /// The calendar date in UTC.
    #[must_use]
    pub fn date(self) -> super::CalendarDate {
        super::CalendarDate::from(self.to_jiff().to_zoned(jiff::tz::TimeZone::UTC).date())
    }

    fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH.saturating_add(SignedDuration::from_micros(self.0)).unwrap_or_default()
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(instant: jiff::Timestamp) -> Self {
        Self(instant.as_microsecond())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.to_jiff())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = Unparsable;

    fn from_str(text: &str) -> Result<Self, Unparsable> {
        let instant: jiff::Timestamp = text.parse().map_err(|_| {
            Unparsable(format!("{text:?} is not an RFC 3339 instant such as 2026-07-01T09:30:00Z"))
        })?;
        Ok(instant.into())
    }
}

super::text_value!(Timestamp);

impl PartialSchema for Timestamp {
    fn schema() -> openapi::RefOr<openapi::Schema> {
        openapi::ObjectBuilder::new()
            .schema_type(openapi::Type::String)
            .format(Some(openapi::SchemaFormat::KnownFormat(openapi::KnownFormat::DateTime)))
            .max_length(Some(32))
            .description(Some("Instant in UTC, RFC 3339 with microseconds."))
            .examples(["2026-07-01T09:30:00.000000Z"])
            .into()
    }
}

impl ToSchema for Timestamp {}
