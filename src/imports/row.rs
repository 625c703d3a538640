//! A row of a file, in whichever way it is written.

use super::{Format, csv::Csv, ndjson::Ndjson};
use crate::{
    platform::{Error, FieldError, Result, codes, http::Contract},
    transactions::{NewTransaction, api::TransactionCreate},
};
use std::io::{BufReader, Read};

/// Bytes a row may have.
pub(super) const LONGEST: usize = 64 * 1024;

/// A row: what it says, or what is wrong with it.
#[derive(Debug)]
pub(super) struct Row {
    /// The line on which it begins, counted from one.
    pub(super) line: u64,
    pub(super) content: std::result::Result<NewTransaction, Vec<FieldError>>,
}

/// The rows of a file, one by one. An error ends the file.
pub(super) type Rows<'a> = Box<dyn Iterator<Item = Result<Row>> + 'a>;

/// Reads a file.
pub(super) fn rows<'a>(format: Format, file: impl Read + 'a, contract: &'a Contract) -> Rows<'a> {
    let file = BufReader::with_capacity(256 * 1024, file);
    match format {
        Format::Csv => Box::new(Csv::new(file, contract)),
        Format::Ndjson => Box::new(Ndjson::new(file, contract)),
    }
}

impl Row {
    pub(super) fn good(line: u64, content: TransactionCreate) -> Self {
        Self { line, content: Ok(content.into()) }
    }

    pub(super) fn bad(line: u64, code: &'static str, message: impl Into<String>) -> Self {
        Self { line, content: Err(vec![FieldError::new("", code, message)]) }
    }

    pub(super) fn too_long(line: u64) -> Self {
        Self::bad(line, "too_long", "a row may have 64 KiB; a quotation mark may be missing")
    }

    pub(super) fn not_text(line: u64) -> Self {
        Self::bad(line, "utf8", "the row is not text in UTF-8")
    }

    /// A row that was not plainly good: the contract says what is wrong with it, in the words of the API.
    pub(super) fn judged(line: u64, contract: &Contract, body: &[u8]) -> Result<Self> {
        let content = match contract.read::<TransactionCreate>(body) {
            Ok(content) => Ok(content.into()),
            Err(error) if error.code == &codes::INVALID => Err(error.errors),
            Err(error) if error.code == &codes::MALFORMED => {
                Err(vec![FieldError::new("", "malformed", error.detail)])
            }
            Err(error) => return Err(error),
        };
        Ok(Self { line, content })
    }
}

/// Why a file could not be read to its end.
pub(super) fn broken(error: std::io::Error) -> Error {
    let text = error.to_string();
    match error.into_inner().map(|inner| inner.downcast::<Error>()) {
        Some(Ok(error)) => *error,
        _ => Error::new(&codes::MALFORMED, format!("the file could not be read to its end: {text}")),
    }
}
