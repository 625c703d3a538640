//! A partner as callers name it.

use super::Tx;
use crate::platform::{
    Result,
    values::{Id, Unparsable, text_value},
};
use std::{collections::HashMap, fmt, str::FromStr};
use utoipa::{PartialSchema, ToSchema, openapi};
use uuid::Builder;

/// A partner as callers name it: by the id of its record, or by its number in the partner network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartnerKey {
    /// The id of the record.
    Id(Id),
    /// The MPN id, 6 to 10 digits.
    MpnId(String),
}

impl PartnerKey {
    /// The id of the partner's record. A number that no partner has gives an id that no record has, so that an unknown
    /// number is refused as an unknown id is, and tells nothing that an id would not tell.
    pub fn id(&self, tx: &mut Tx<'_>) -> Result<Id> {
        match self {
            Self::Id(id) => Ok(*id),
            Self::MpnId(number) => {
                let found = (tx.state.directory.numbered)(tx.conn, number)?;
                Ok(found.unwrap_or_else(|| id_of_nobody(number)))
            }
        }
    }

    /// The id of the partner's record, of a list that may be asked for those of one partner.
    pub fn asked_for(key: Option<&Self>, tx: &mut Tx<'_>) -> Result<Option<Id>> {
        key.map(|key| key.id(tx)).transpose()
    }

    /// The MPN id; none where the id of the record names the partner.
    #[must_use]
    pub fn number(&self) -> Option<&str> {
        match self {
            Self::Id(_) => None,
            Self::MpnId(number) => Some(number),
        }
    }

    /// The id of the partner's record, where `numbered` holds the partner of every MPN id that some partner has.
    #[must_use]
    pub fn id_among(&self, numbered: &HashMap<String, Id>) -> Id {
        match self {
            Self::Id(id) => *id,
            Self::MpnId(number) => numbered.get(number).copied().unwrap_or_else(|| id_of_nobody(number)),
        }
    }
}

/// An id of version 8 (RFC 9562, 5.8); records have ids of version 7.
fn id_of_nobody(number: &str) -> Id {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(number.bytes()).for_each(|(to, digit)| *to = digit);
    Id(Builder::from_custom_bytes(bytes).into_uuid())
}

impl fmt::Display for PartnerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::MpnId(number) => number.fmt(f),
        }
    }
}

impl FromStr for PartnerKey {
    type Err = Unparsable;

    fn from_str(text: &str) -> Result<Self, Unparsable> {
        if (6..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self::MpnId(text.to_owned()));
        }
        let id = text.parse().map_err(|_| {
            Unparsable("name a partner by the id of its record, or by its MPN id of 6 to 10 digits".into())
        })?;
        Ok(Self::Id(id))
    }
}

text_value!(PartnerKey);

impl From<Id> for PartnerKey {
    fn from(id: Id) -> Self {
        Self::Id(id)
    }
}

impl PartialSchema for PartnerKey {
    fn schema() -> openapi::RefOr<openapi::Schema> {
        openapi::ObjectBuilder::new()
            .schema_type(openapi::Type::String)
            .min_length(Some(6))
            .max_length(Some(36))
            .pattern(Some(
                "^([0-9]{6,10}|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$",
            ))
            .description(Some("A partner: the id of its record, or its MPN id of 6 to 10 digits."))
            .examples(["01936f2e-4b00-7000-8000-000000000001", "4567890"])
            .into()
    }
}

impl ToSchema for PartnerKey {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partner_is_named_by_id_or_by_number() {
        let id = "01936f2e-4b00-7000-8000-000000000001";
        assert_eq!(id.parse(), Ok(PartnerKey::Id(id.parse().unwrap())));
        for number in ["456789", "4567890123"] {
            assert_eq!(number.parse(), Ok(PartnerKey::MpnId(number.into())));
        }
        for neither in
            ["45678", "45678901234", "４５６７８９", "456 789", "", "01936f2e4b0070008000000000000001"]
        {
            assert!(neither.parse::<PartnerKey>().is_err(), "{neither:?}");
        }
        assert_ne!(id_of_nobody("4567890"), id_of_nobody("4567891"));
    }
}
