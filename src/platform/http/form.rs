//! Form bodies of OAuth clients (RFC 6749, appendix B), checked against the contract like JSON bodies.

use super::{
    Contract, Wire,
    body::{self, wrong_form},
    contract::FORM,
};
use crate::{
    platform::{Error, Result, codes, error::cut, values::composed},
    text,
};
use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header,
    web::{Bytes, Data},
};
use serde_json::{Map, Value};
use std::{future::Future, pin::Pin};

/// The valid form of a request. A parameter without a value counts as left out, an unknown parameter is ignored, a
/// parameter given twice is refused (RFC 6749, 3.2).
#[derive(Clone, Debug)]
pub struct Form<T>(pub T);

impl<T: Wire + 'static> FromRequest for Form<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let bytes = Bytes::from_request(&request, payload);
        Box::pin(async move {
            media_type(&request)?;
            let bytes = body::collect(&request, bytes).await?;
            let contract =
                request.app_data::<Data<Contract>>().ok_or_else(|| Error::internal("no contract"))?;
            read(contract, &bytes).map(Self)
        })
    }
}

fn media_type(request: &HttpRequest) -> Result<()> {
    let field = request.headers().get(header::CONTENT_TYPE).and_then(|field| field.to_str().ok());
    let media = field.unwrap_or("").split(';').next().unwrap_or("").trim();
    let encoded = request.headers().contains_key(header::CONTENT_ENCODING);
    if encoded || !media.eq_ignore_ascii_case(FORM) {
        let detail = text!(
            "send Content-Type: application/x-www-form-urlencoded, and the body without Content-Encoding",
            "Content-Type: application/x-www-form-urlencoded を指定し、本文は Content-Encoding なしで送信してください。"
        );
        return Err(Error::new(&codes::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    Ok(())
}

fn read<T: Wire>(contract: &Contract, bytes: &[u8]) -> Result<T> {
    let mut members = Map::new();
    for (name, value) in form_urlencoded::parse(bytes) {
        if members.insert(name.to_string(), Value::from(composed(value.into_owned()))).is_some() {
            let name = cut(&name, 60);
            return Err(Error::new(
                &codes::INVALID_REQUEST,
                text!("{name} is given twice", "{name} が重複しています。"),
            ));
        }
    }
    members.retain(|_, value| value != "");
    let value = Value::Object(members);
    let faults = contract.faults(&T::name(), &value)?;
    if let Some(fault) = faults.first() {
        let member = fault.pointer.trim_start_matches('/');
        let detail = fault.message.map(|message| format!("{member}: {message}"));
        return Err(Error { errors: faults, ..Error::new(&codes::INVALID_REQUEST, detail) });
    }
    serde_json::from_value(value).map_err(|error| Error::new(&codes::INVALID_REQUEST, wrong_form(&error)))
}
