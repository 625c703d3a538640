//! Files of comma-separated values (RFC 4180): a line of column names, then one record for each transaction.

use super::row::{FileRow, LONGEST, broken};
use crate::{
    platform::{Error, FieldError, Result, codes, http::Contract, values::Money},
    sales::transactions::api::{TransactionCreate, TransactionCustomer},
};
use csv_core::ReadRecordResult;
use serde_json::{Map, Value, json};
use std::{io::BufRead, str::FromStr};

/// A column of the file.
struct Column {
    name: &'static str,
    /// The member of `TransactionCreate` that the cells give, as a JSON pointer.
    member: &'static str,
    is_required: bool,
}

const fn required(name: &'static str, member: &'static str) -> Column {
    Column { name, member, is_required: true }
}

const fn optional(name: &'static str, member: &'static str) -> Column {
    Column { name, member, is_required: false }
}

/// The columns, in any order in the file. An empty cell leaves the member out.
const COLUMNS: [Column; 16] = [
    required("source", "/source"),
    required("external_id", "/external_id"),
    required("partner_id", "/partner_id"),
    optional("provider_id", "/provider_id"),
    required("customer_id", "/customer/id"),
    required("customer_country", "/customer/country"),
    optional("customer_public_sector", "/customer/public_sector"),
    required("product", "/product"),
    required("product_family", "/product_family"),
    required("kind", "/kind"),
    optional("original_transaction_id", "/original_transaction_id"),
    optional("original_external_id", "/original_external_id"),
    required("occurred_on", "/occurred_on"),
    required("amount", "/amount/amount"),
    required("currency", "/amount/currency"),
    optional("units", "/units"),
];
/// Columns of an exported file that an import ignores.
const IGNORED: [&str; 2] = ["id", "created_at"];
/// The most cells of a record.
const MOST: usize = 64;

/// The rows of a CSV file. Empty lines are skipped.
pub(super) struct Csv<'a, R> {
    file: R,
    contract: &'a Contract,
    reader: csv_core::Reader,
    /// The place in [`COLUMNS`] of each cell of a record, none of an ignored cell; nothing before the first line is
    /// read.
    order: Option<Vec<Option<usize>>>,
    /// The line that is read next, counted from one.
    line: u64,
    /// The cells of the last record, joined.
    text: Vec<u8>,
    /// The end of each cell in `text`.
    ends: [usize; MOST],
    ended: bool,
}

/// A record, with the line on which the record begins.
enum CsvRecord {
    Cells { line: u64, count: usize },
    TooLong { line: u64 },
    TooManyCells { line: u64 },
}

impl<'a, R: BufRead> Csv<'a, R> {
    pub(super) fn new(file: R, contract: &'a Contract) -> Self {
        Self {
            file,
            contract,
            reader: csv_core::Reader::new(),
            order: None,
            line: 1,
            text: vec![0; LONGEST],
            ends: [0; MOST],
            ended: false,
        }
    }

    fn row(&mut self) -> Result<Option<FileRow>> {
        if self.order.is_none() {
            self.order = Some(self.header()?);
        }
        let Some(record) = self.record().map_err(broken)? else { return Ok(None) };
        let order = self.order.as_deref().unwrap_or_default();
        let wrong = |line, cells: &str| {
            let message = format!("the row has {cells} cells, the first line has {}", order.len());
            Ok(Some(FileRow::bad(line, "columns", message)))
        };
        let (line, count) = match record {
            CsvRecord::TooLong { line } => return Ok(Some(FileRow::too_long(line))),
            CsvRecord::TooManyCells { line } => return wrong(line, "too many"),
            CsvRecord::Cells { line, count } if count != order.len() => {
                return wrong(line, &count.to_string());
            }
            CsvRecord::Cells { line, count } => (line, count),
        };
        let mut cells = Cells::default();
        for (place, column) in order.iter().enumerate().take(count) {
            let Some(text) = self.cell(place) else { return Ok(Some(FileRow::not_text(line))) };
            if let Some(cell) = column.and_then(|column| cells.0.get_mut(column)) {
                *cell = text;
            }
        }
        match cells.plain() {
            Some(content) if content.is_plain() => Ok(Some(FileRow::good(line, content))),
            _ => FileRow::judged(line, self.contract, cells.as_json().to_string().as_bytes()).map(Some),
        }
    }

    /// The order of the columns, from the first line. Refuses a file whose columns are not the columns of a
    /// transaction.
    fn header(&mut self) -> Result<Vec<Option<usize>>> {
        let bom = self.file.fill_buf().map_err(broken)?.starts_with(b"\xef\xbb\xbf");
        self.file.consume(if bom { 3 } else { 0 });
        let refused = |text: &str| Err(Error::new(&codes::MALFORMED, text.to_owned()));
        let count = match self.record().map_err(broken)? {
            Some(CsvRecord::Cells { count, .. }) => count,
            Some(_) => return refused("the first line does not name the columns"),
            None => return refused("the file is empty; its first line names the columns"),
        };
        let mut order = Vec::with_capacity(count);
        let mut faults = Vec::new();
        for place in 0..count {
            let name = self.cell(place).unwrap_or("").trim();
            let known = COLUMNS.iter().position(|column| column.name == name);
            if known.is_none() && !IGNORED.contains(&name) {
                let name: String = name.chars().take(100).collect();
                faults.push(FieldError::new(name, "unknown_column", "there is no such column; leave it out"));
            }
            if known.is_some() && order.contains(&known) {
                faults.push(FieldError::new(name, "duplicate", "give each column once"));
            }
            order.push(known);
        }
        let is_missing = |at: usize| !order.contains(&Some(at));
        let missing = COLUMNS.iter().enumerate().filter(|(at, column)| column.is_required && is_missing(*at));
        faults.extend(
            missing.map(|(_, column)| FieldError::new(column.name, "required", "this column is required")),
        );
        if faults.is_empty() { Ok(order) } else { Err(Error::invalid(faults)) }
    }

    /// Reads a record into `text` and `ends`.
    fn record(&mut self) -> std::io::Result<Option<CsvRecord>> {
        let (mut begins, mut written, mut cells, mut too_many) = (None, 0, 0, false);
        while !self.ended {
            let input = self.file.fill_buf()?;
            if begins.is_none() {
                let blank = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
                if blank > 0 {
                    self.line += newlines(input.get(..blank));
                    self.file.consume(blank);
                    continue;
                }
            }
            let line = *begins.get_or_insert(self.line);
            let text = self.text.get_mut(written..).unwrap_or_default();
            let ends = self.ends.get_mut(cells..).unwrap_or_default();
            let (result, read, more, ended) = self.reader.read_record(input, text, ends);
            self.line += newlines(input.get(..read));
            self.file.consume(read);
            written += more;
            cells += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => {
                    self.file.skip_until(b'\n')?;
                    self.line += 1;
                    self.reader = csv_core::Reader::new();
                    return Ok(Some(CsvRecord::TooLong { line }));
                }
                ReadRecordResult::OutputEndsFull => (cells, too_many) = (0, true),
                ReadRecordResult::Record if too_many => return Ok(Some(CsvRecord::TooManyCells { line })),
                ReadRecordResult::Record => return Ok(Some(CsvRecord::Cells { line, count: cells })),
                ReadRecordResult::End => self.ended = true,
            }
        }
        Ok(None)
    }

    /// A cell of the record that was read last; none where the cell is not UTF-8.
    fn cell(&self, place: usize) -> Option<&str> {
        let begin = if place == 0 { 0 } else { *self.ends.get(place - 1)? };
        std::str::from_utf8(self.text.get(begin..*self.ends.get(place)?)?).ok()
    }
}

impl<R: BufRead> Iterator for Csv<'_, R> {
    type Item = Result<FileRow>;

    fn next(&mut self) -> Option<Result<FileRow>> {
        self.row().transpose()
    }
}

/// The cells of a row, in the order of [`COLUMNS`].
#[derive(Default)]
struct Cells<'a>([&'a str; COLUMNS.len()]);

impl Cells<'_> {
    /// The transaction of the row, where every cell can be read without asking the contract.
    fn plain(&self) -> Option<TransactionCreate> {
        let [
            source,
            external_id,
            partner_id,
            provider_id,
            customer_id,
            customer_country,
            customer_public_sector,
            product,
            product_family,
            kind,
            original_transaction_id,
            original_external_id,
            occurred_on,
            amount,
            currency,
            units,
        ] = self.0;
        Some(TransactionCreate {
            source: source.into(),
            external_id: external_id.into(),
            partner_id: partner_id.parse().ok()?,
            provider_id: unless_empty(provider_id).ok()?,
            customer: TransactionCustomer {
                id: customer_id.into(),
                country: customer_country.parse().ok()?,
                public_sector: unless_empty(customer_public_sector).ok()?.unwrap_or_default(),
            },
            product: product.into(),
            product_family: product_family.into(),
            kind: kind.parse().ok()?,
            original_transaction_id: unless_empty(original_transaction_id).ok()?,
            original_external_id: unless_empty(original_external_id).ok()?,
            occurred_on: occurred_on.parse().ok()?,
            amount: Money::parse(amount, currency.parse().ok()?).ok()?,
            units: unless_empty(units).ok()?,
        })
    }

    /// The same transaction as a body of the API.
    fn as_json(&self) -> Value {
        let mut body = json!({ "customer": {}, "amount": {} });
        for (text, Column { name, member, .. }) in
            self.0.iter().zip(&COLUMNS).filter(|(text, _)| !text.is_empty())
        {
            let value = match *name {
                "units" => text.parse::<i64>().map_or_else(|_| json!(text), |units| json!(units)),
                "customer_public_sector" => text.parse::<bool>().map_or_else(|_| json!(text), |is| json!(is)),
                _ => json!(text),
            };
            let (parent, member) = member.rsplit_once('/').unwrap_or_default();
            let within: Option<&mut Map<String, Value>> =
                body.pointer_mut(parent).and_then(Value::as_object_mut);
            within.map(|within| within.insert(member.to_owned(), value));
        }
        body
    }
}

/// The value of a cell; none of an empty cell.
fn unless_empty<T: FromStr>(cell: &str) -> std::result::Result<Option<T>, T::Err> {
    if cell.is_empty() { Ok(None) } else { cell.parse().map(Some) }
}

fn newlines(bytes: Option<&[u8]>) -> u64 {
    bytes.unwrap_or_default().split(|byte| *byte == b'\n').skip(1).fold(0, |count, _| count + 1)
}
