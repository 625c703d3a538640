//! Query parameters: typed; an unknown parameter is refused.

use super::body::wrong_form;
use crate::{
    platform::{
        Error, Result, codes,
        values::{Text, composed},
    },
    text,
};
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
        serde_urlencoded::from_str(query).map_err(|e| malformed(wrong_form(&e)))?;
    let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if let Some(twice) = names.iter().zip(names.iter().skip(1)).find_map(|(a, b)| (a == b).then_some(a)) {
        return Err(malformed(text!("{twice} is given twice", "{twice} が重複しています。")));
    }
    if let Some((name, _)) = pairs.iter().find(|(_, value)| value.contains('\0')) {
        return Err(malformed(text!(
            "{name} contains a NUL character",
            "{name} に NUL 文字が含まれています。"
        )));
    }
    Ok(pairs.into_iter().map(|(name, value)| (name, composed(value))).collect())
}

/// Parses typed parameters; the error (400) names the unknown parameter or the value of the wrong form.
pub(super) fn read<T: DeserializeOwned>(pairs: Vec<(String, String)>) -> Result<T> {
    let names: Vec<String> = pairs.iter().map(|(name, _)| name.clone()).collect();
    let text = serde_urlencoded::to_string(&pairs).map_err(|e| malformed(wrong_form(&e)))?;
    let source = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text.as_bytes()));
    serde_path_to_error::deserialize(source).map_err(|error| {
        let field = error.path().to_string();
        let known = names.contains(&field);
        let fault = wrong_form(error.inner());
        malformed(if known { fault.map(|fault| format!("{field}: {fault}")) } else { fault })
    })
}

fn malformed(detail: Text) -> Error {
    Error::new(&codes::UNKNOWN_PARAMETER, detail)
}
