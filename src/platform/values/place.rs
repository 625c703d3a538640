//! Countries.

use super::Unparsable;
use diesel::{deserialize::FromSqlRow, expression::AsExpression};
use std::{fmt, str::FromStr};
use utoipa::{PartialSchema, ToSchema, openapi};

/// A country, ISO 3166-1 alpha-2.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = diesel::sql_types::Text)]
pub struct Country(&'static str);

impl Country {
    /// The alpha-2 code, two letters.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl FromStr for Country {
    type Err = Unparsable;

    fn from_str(text: &str) -> Result<Self, Unparsable> {
        rust_iso3166::from_alpha2(text).map(|country| Self(country.alpha2)).ok_or_else(|| {
            Unparsable(format!("{text:?} is not an ISO 3166-1 alpha-2 country such as US, DE or JP"))
        })
    }
}

super::text_value!(Country, column);

impl PartialSchema for Country {
    fn schema() -> openapi::RefOr<openapi::Schema> {
        openapi::ObjectBuilder::new()
            .schema_type(openapi::Type::String)
            .format(Some(openapi::SchemaFormat::Custom("iso-3166-1-alpha-2".into())))
            .min_length(Some(2))
            .max_length(Some(2))
            .pattern(Some("^[A-Z]{2}$"))
            .description(Some("Country, ISO 3166-1 alpha-2."))
            .examples(["DE"])
            .into()
    }
}

impl ToSchema for Country {}
