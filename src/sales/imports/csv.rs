//! Files of comma-separated values (RFC 4180): a line of column names, then a row a record.

use super::row::{LONGEST, FileRow, broken};
use crate::{
    platform::{Error, FieldError, Result, codes, http::Contract, values::Money},
    sales::transactions::api::{TransactionCreate, TransactionCustomer},
};
use csv_core::ReadRecordResult as Step;
use serde_json::{Map, Value, json};
use std::{io::BufRead, str::FromStr};

/// A column: its name, the member it stands for, and whether it must be there.
struct Column(&'static str, &'static str, bool);

/// The columns, in any order in the file. An empty cell is a member left out.
const COLUMNS: [Column; 16] = [
    Column("source", "/source", true),
    Column("external_id", "/external_id", true),
    Column("partner_id", "/partner_id", true),
    Column("provider_id", "/provider_id", false),
    Column("customer_id", "/customer/id", true),
    Column("customer_country", "/customer/country", true),
    Column("customer_public_sector", "/customer/public_sector", false),
    Column("product", "/product", true),
    Column("product_family", "/product_family", true),
    Column("kind", "/kind", true),
    Column("original_transaction_id", "/original_transaction_id", false),
    Column("original_external_id", "/original_external_id", false),
    Column("occurred_on", "/occurred_on", true),
    Column("amount", "/amount/amount", true),
    Column("currency", "/amount/currency", true),
    Column("units", "/units", false),
];
/// Columns of an export that a file may keep; they are left aside.
const LEFT_ASIDE: [&str; 2] = ["id", "created_at"];
/// Cells a record may have.
const MOST: usize = 64;

/// The records of such a file. Empty lines are left aside.
pub(super) struct Csv<'a, R> {
    file: R,
    contract: &'a Contract,
    reader: csv_core::Reader,
    /// Of each cell of a record the column it belongs to; none for one left aside.
    order: Option<Vec<Option<usize>>>,
    line: u64,
    text: Vec<u8>,
    ends: [usize; MOST],
    ended: bool,
}

enum CsvRecord {
    /// Begins on a line, has so many cells.
    Cells(u64, usize),
    TooLong(u64),
    TooMany(u64),
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
            CsvRecord::TooLong(line) => return Ok(Some(FileRow::too_long(line))),
            CsvRecord::TooMany(line) => return wrong(line, "too many"),
            CsvRecord::Cells(line, count) if count != order.len() => return wrong(line, &count.to_string()),
            CsvRecord::Cells(line, count) => (line, count),
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

    /// What the first line says; a file whose columns are not those of a transaction is refused.
    fn header(&mut self) -> Result<Vec<Option<usize>>> {
        let bom = self.file.fill_buf().map_err(broken)?.starts_with(b"\xef\xbb\xbf");
        self.file.consume(if bom { 3 } else { 0 });
        let refused = |text: &str| Err(Error::new(&codes::MALFORMED, text.to_owned()));
        let count = match self.record().map_err(broken)? {
            Some(CsvRecord::Cells(_, count)) => count,
            Some(_) => return refused("the first line does not name the columns"),
            None => return refused("the file is empty; its first line names the columns"),
        };
        let mut order = Vec::with_capacity(count);
        let mut faults = Vec::new();
        for place in 0..count {
            let name = self.cell(place).unwrap_or("").trim();
            let known = COLUMNS.iter().position(|column| column.0 == name);
            if known.is_none() && !LEFT_ASIDE.contains(&name) {
                let name: String = name.chars().take(100).collect();
                faults.push(FieldError::new(name, "unknown_column", "there is no such column; leave it out"));
            }
            if known.is_some() && order.contains(&known) {
                faults.push(FieldError::new(name, "duplicate", "give each column once"));
            }
            order.push(known);
        }
        let missing =
            COLUMNS.iter().enumerate().filter(|(at, column)| column.2 && !order.contains(&Some(*at)));
        faults.extend(
            missing.map(|(_, column)| FieldError::new(column.0, "required", "this column is required")),
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
            let (step, read, more, ended) = self.reader.read_record(input, text, ends);
            self.line += newlines(input.get(..read));
            self.file.consume(read);
            written += more;
            cells += ended;
            match step {
                Step::InputEmpty => {}
                Step::OutputFull => {
                    self.file.skip_until(b'\n')?;
                    self.line += 1;
                    self.reader = csv_core::Reader::new();
                    return Ok(Some(CsvRecord::TooLong(line)));
                }
                Step::OutputEndsFull => (cells, too_many) = (0, true),
                Step::Record if too_many => return Ok(Some(CsvRecord::TooMany(line))),
                Step::Record => return Ok(Some(CsvRecord::Cells(line, cells))),
                Step::End => self.ended = true,
            }
        }
        Ok(None)
    }

    /// A cell of the record that was read last; none where it is no text.
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
    /// What the cells say, where each can be read at once.
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
            provider_id: optional(provider_id)?,
            customer: TransactionCustomer {
                id: customer_id.into(),
                country: customer_country.parse().ok()?,
                public_sector: optional(customer_public_sector)?.unwrap_or_default(),
            },
            product: product.into(),
            product_family: product_family.into(),
            kind: kind.parse().ok()?,
            original_transaction_id: optional(original_transaction_id)?,
            original_external_id: optional(original_external_id)?,
            occurred_on: occurred_on.parse().ok()?,
            amount: Money::parse(amount, currency.parse().ok()?).ok()?,
            units: optional(units)?,
        })
    }

    /// The body of the API that says the same.
    fn as_json(&self) -> Value {
        let mut body = json!({ "customer": {}, "amount": {} });
        for (text, Column(name, pointer, _)) in
            self.0.iter().zip(&COLUMNS).filter(|(text, _)| !text.is_empty())
        {
            let value = match *name {
                "units" => text.parse::<i64>().map_or_else(|_| json!(text), |units| json!(units)),
                "customer_public_sector" => text.parse::<bool>().map_or_else(|_| json!(text), |is| json!(is)),
                _ => json!(text),
            };
            let (parent, member) = pointer.rsplit_once('/').unwrap_or_default();
            let within: Option<&mut Map<String, Value>> =
                body.pointer_mut(parent).and_then(Value::as_object_mut);
            within.map(|within| within.insert(member.to_owned(), value));
        }
        body
    }
}

/// Nothing where the cell is empty; none where it cannot be read.
fn optional<T: FromStr>(cell: &str) -> Option<Option<T>> {
    if cell.is_empty() { Some(None) } else { cell.parse().ok().map(Some) }
}

fn newlines(bytes: Option<&[u8]>) -> u64 {
    bytes.unwrap_or_default().split(|byte| *byte == b'\n').skip(1).fold(0, |count, _| count + 1)
}
