//! Identifiers of records.

use super::{Timestamp, Unparsable};
use diesel::{deserialize::FromSqlRow, expression::AsExpression};
use std::{fmt, str::FromStr};
use utoipa::{PartialSchema, ToSchema, openapi};
use uuid::Uuid;

/// The identifier of a record: a UUID version 7, so that ids sort by the instant they were made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = crate::platform::db::types::Guid)]
pub struct Id(pub Uuid);

impl Id {
    /// A lower bound of all ids made at this instant or later.
    #[must_use]
    pub fn first_at(instant: Timestamp) -> Self {
        let milliseconds = u128::try_from(instant.as_micros() / 1000).unwrap_or_default();
        Self(Uuid::from_u128(milliseconds << 80))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Id {
    type Err = Unparsable;

    fn from_str(text: &str) -> Result<Self, Unparsable> {
        if text.len() != 36 {
            return Err(Unparsable("an id is a hyphenated UUID of 36 characters".into()));
        }
        Uuid::try_parse(text).map(Self).map_err(|e| Unparsable(format!("not a UUID: {e}")))
    }
}

super::text_value!(Id);

impl PartialSchema for Id {
    fn schema() -> openapi::RefOr<openapi::Schema> {
        openapi::ObjectBuilder::new()
            .schema_type(openapi::Type::String)
            .format(Some(openapi::SchemaFormat::KnownFormat(openapi::KnownFormat::Uuid)))
            .min_length(Some(36))
            .max_length(Some(36))
            .description(Some("Identifier of a record: a UUID version 7, hyphenated. Ids sort by creation."))
            .examples(["01936f2e-4b00-7000-8000-000000000001"])
            .into()
    }
}

impl ToSchema for Id {}
