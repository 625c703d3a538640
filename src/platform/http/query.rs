//! Query parameters: typed; an unknown parameter is refused.

use crate::platform::{Error, Result, codes, values::composed};
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::de::DeserializeOwned;
use std::future::{Ready, ready};

/// The query parameters of an operation that is no list.
#[derive(Clone, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(pairs(request.query_string()).and_then(|pairs| read(pairs)).map(Self))
    }
}

/// The pairs of a query string, the values in Unicode normalization form C; a parameter may be named once.
pub(super) fn pairs(query: &str) -> Result<Vec<(String, String)>> {
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(query).map_err(|e| malformed(e.to_string()))?;
    let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if let Some(twice) = names.iter().zip(names.iter().skip(1)).find_map(|(a, b)| (a == b).then_some(a)) {
        return Err(malformed(format!("{twice} is given twice")));
    }
    if let Some((name, _)) = pairs.iter().find(|(_, value)| value.contains('\0')) {
        return Err(malformed(format!("{name} contains a NUL character")));
    }
    Ok(pairs.into_iter().map(|(name, value)| (name, composed(value))).collect())
}

/// Parses typed parameters; the error (400) names the unknown parameter or the value of the wrong form.
pub(super) fn read<T: DeserializeOwned>(pairs: Vec<(String, String)>) -> Result<T> {
    let names: Vec<String> = pairs.iter().map(|(name, _)| name.clone()).collect();
    let text = serde_urlencoded::to_string(&pairs).map_err(|e| malformed(e.to_string()))?;
    let source = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text.as_bytes()));
    serde_path_to_error::deserialize(source).map_err(|error| {
        let field = error.path().to_string();
        let known = names.contains(&field);
        malformed(if known { format!("{field}: {}", error.inner()) } else { error.inner().to_string() })
    })
}

fn malformed(detail: String) -> Error {
    Error::new(&codes::UNKNOWN_PARAMETER, detail)
}
