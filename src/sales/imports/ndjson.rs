//! Files of JSON objects, one on each line.

use super::{
    columns::{RowCells, without_unknown_members},
    row::{FileRow, LONGEST, broken},
};
use crate::{
    platform::{Result, http::Contract},
    sales::transactions::api::TransactionCreate,
};
use serde_json::Value;
use std::io::{BufRead, Read};

/// The rows of an NDJSON file. Empty lines are skipped.
pub(super) struct Ndjson<'a, R> {
    file: R,
    contract: &'a Contract,
    ignore_unknown_members: bool,
    line: u64,
    text: Vec<u8>,
}

impl<'a, R: BufRead> Ndjson<'a, R> {
    pub(super) fn new(file: R, contract: &'a Contract, ignore_unknown_members: bool) -> Self {
        Self { file, contract, ignore_unknown_members, line: 0, text: Vec::new() }
    }

    fn row(&mut self) -> Result<Option<FileRow>> {
        loop {
            self.text.clear();
            let most = LONGEST as u64 + 1;
            let read = self.file.by_ref().take(most).read_until(b'\n', &mut self.text).map_err(broken)?;
            if read == 0 {
                return Ok(None);
            }
            self.line += 1;
            if read > LONGEST && !self.text.ends_with(b"\n") {
                self.file.skip_until(b'\n').map_err(broken)?;
                return Ok(Some(FileRow::too_long(self.line)));
            }
            let text = match self.text.strip_prefix(b"\xef\xbb\xbf") {
                Some(text) if self.line == 1 => text,
                _ => &self.text,
            }
            .trim_ascii();
            if text.is_empty() {
                continue;
            }
            if std::str::from_utf8(text).is_err() {
                return Ok(Some(FileRow::not_text(self.line, RowCells::default())));
            }
            return match serde_json::from_slice::<TransactionCreate>(text) {
                Ok(content) if content.is_plain() => Ok(Some(FileRow::good(self.line, content))),
                _ => self.judged(text).map(Some),
            };
        }
    }

    /// The row of a text that is no plain transaction.
    fn judged(&self, text: &[u8]) -> Result<FileRow> {
        let mut body = serde_json::from_slice::<Value>(text).unwrap_or_default();
        if !self.ignore_unknown_members || body.is_null() {
            return FileRow::judged(self.line, self.contract, text, || RowCells::of_body(&body));
        }
        without_unknown_members(&mut body);
        let text = body.to_string();
        match serde_json::from_str::<TransactionCreate>(&text) {
            Ok(content) if content.is_plain() => Ok(FileRow::good(self.line, content)),
            _ => FileRow::judged(self.line, self.contract, text.as_bytes(), || RowCells::of_body(&body)),
        }
    }
}

impl<R: BufRead> Iterator for Ndjson<'_, R> {
    type Item = Result<FileRow>;

    fn next(&mut self) -> Option<Result<FileRow>> {
        self.row().transpose()
    }
}
