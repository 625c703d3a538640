//! Files of separated values (RFC 4180): a line of column names, then one record for each transaction. Commas, semicolons
//! or tabs separate the cells.

use super::{
    columns::{ADDED, COLUMNS, Cells, RowCells},
    row::{FileRow, LONGEST, broken},
};
use crate::{
    platform::{
        Error, FieldError, Result, codes,
        csv::unguarded,
        cut,
        http::Contract,
        values::{Locale, Text},
    },
    text,
};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use std::{borrow::Cow, io::BufRead};

/// The most cells of a record.
const MOST: usize = 64;

/// The rows of a CSV file. Empty lines are skipped.
pub(super) struct Csv<'a, R> {
    file: R,
    contract: &'a Contract,
    ignore_unknown_columns: bool,
    /// The byte between two cells.
    separator: u8,
    reader: Reader,
    /// The place in [`COLUMNS`] of each cell of a record, none of an ignored cell; nothing before the first line is
    /// read.
    order: Option<Vec<Option<usize>>>,
    /// Whether the service wrote the file, which guards cells from spreadsheets, and puts a sign of its own where letters
    /// of a row could not be read.
    is_guarded: bool,
    /// The line that is read next, counted from one.
    line: u64,
    /// The line on which the last record begins; no two records begin on one, whatever ends the lines.
    begun: u64,
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
    /// The rows of a file whose first line is `first`.
    pub(super) fn new(file: R, first: &[u8], contract: &'a Contract, ignore_unknown_columns: bool) -> Self {
        let separator = separator_of(first);
        Self {
            file,
            contract,
            ignore_unknown_columns,
            separator,
            reader: reader(separator),
            order: None,
            is_guarded: false,
            line: 1,
            begun: 0,
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
        let columns = order.len();
        let wrong = |line, count, message| Ok(Some(FileRow::bad(line, self.kept(count), "columns", message)));
        let (line, count) = match record {
            CsvRecord::TooLong { line } => return Ok(Some(FileRow::too_long(line))),
            CsvRecord::TooManyCells { line } => {
                let message = text!(
                    "the row has too many cells, the first line has {columns}",
                    "行のセルが多すぎます。1 行目の列数は {columns} です。"
                );
                return wrong(line, 0, message);
            }
            CsvRecord::Cells { line, count } if count != columns => {
                let message = text!(
                    "the row has {count} cells, the first line has {columns}",
                    "行のセル数は {count} ですが、1 行目の列数は {columns} です。"
                );
                return wrong(line, count, message);
            }
            CsvRecord::Cells { line, count } => (line, count),
        };
        let mut cells = Cells::default();
        for (place, column) in order.iter().enumerate().take(count) {
            let Some(text) = self.cell(place) else {
                return Ok(Some(FileRow::not_text(line, self.kept(count))));
            };
            let Some(cell) = column.and_then(|column| cells.0.get_mut(column)) else { continue };
            if self.is_guarded && text.contains(char::REPLACEMENT_CHARACTER) {
                return Ok(Some(FileRow::not_text(line, self.kept(count))));
            }
            *cell = if self.is_guarded { unguarded(text) } else { text };
        }
        match cells.plain() {
            Some(content) if content.is_plain() => Ok(Some(FileRow::good(line, content))),
            _ => {
                let body = cells.as_json().to_string();
                FileRow::judged(line, self.contract, body.as_bytes(), || RowCells::of_cells(&cells)).map(Some)
            }
        }
    }

    /// The first `count` cells of a record that cannot be read, as far as they can be made out.
    fn kept(&self, count: usize) -> RowCells {
        let order = self.order.as_deref().unwrap_or_default();
        let texts: Vec<Cow<'_, str>> =
            (0..count.min(order.len())).map(|place| String::from_utf8_lossy(self.bytes(place))).collect();
        let mut cells = Cells::default();
        for (text, column) in texts.iter().zip(order) {
            if let Some(cell) = column.and_then(|column| cells.0.get_mut(column)) {
                *cell = text;
            }
        }
        RowCells::of_cells(&cells)
    }

    /// The order of the columns, from the first line. Refuses a file whose columns are not the columns of a
    /// transaction.
    fn header(&mut self) -> Result<Vec<Option<usize>>> {
        let bom = self.file.fill_buf().map_err(broken)?.starts_with(b"\xef\xbb\xbf");
        self.file.consume(if bom { 3 } else { 0 });
        let refused = |detail: Text| Err(Error::new(&codes::MALFORMED, detail));
        let count = match self.record().map_err(broken)? {
            Some(CsvRecord::Cells { count, .. }) => count,
            Some(_) => {
                return refused(text!(
                    "the first line does not name the columns",
                    "1 行目に列名がありません。"
                ));
            }
            None => {
                return refused(text!(
                    "the file is empty; its first line names the columns",
                    "ファイルが空です。1 行目には列名が必要です。"
                ));
            }
        };
        let (mut order, mut faults, mut unknown) = (Vec::with_capacity(count), Vec::new(), Vec::new());
        let mut is_guarded = false;
        for place in 0..count {
            let name = self.cell(place).unwrap_or("").trim();
            let known = COLUMNS.iter().position(|column| column.name == name);
            let is_added = ADDED.contains(&name);
            is_guarded |= is_added;
            if known.is_none() && !is_added && !self.ignore_unknown_columns {
                unknown.push(cut(name, 100));
            }
            if known.is_some() && order.contains(&known) {
                faults.push(FieldError::new(
                    name,
                    "duplicate",
                    text!("give each column once", "同じ列を重複して指定しないでください。"),
                ));
            }
            order.push(known);
        }
        let is_missing = |at: usize| !order.contains(&Some(at));
        let missing = COLUMNS.iter().enumerate().filter(|(at, column)| column.is_required && is_missing(*at));
        let missing: Vec<&str> = missing.map(|(_, column)| column.name).collect();
        if faults.is_empty() && unknown.is_empty() && missing.is_empty() {
            self.is_guarded = is_guarded;
            return Ok(order);
        }
        let mut detail = Vec::new();
        if !unknown.is_empty() {
            let names = unknown.join(", ");
            detail.push(text!(
                "there are no columns named {names}; leave them out, or ask with ignore_unknown_columns=true",
                "列 {names} は存在しません。省略するか、ignore_unknown_columns=true を指定してください。"
            ));
        }
        if !missing.is_empty() {
            let names = missing.join(", ");
            detail.push(text!("the file lacks the columns {names}", "ファイルに列 {names} がありません。"));
        }
        detail.extend(
            faults.iter().map(|fault| fault.message.map(|text| format!("{}: {text}", fault.pointer))),
        );
        faults.extend(unknown.iter().map(|name| {
            let message =
                text!("there is no such column; leave it out", "この列は存在しません。省略してください。");
            FieldError::new(*name, "unknown_column", message)
        }));
        faults.extend(missing.iter().map(|name| {
            FieldError::new(*name, "required", text!("this column is required", "この列は必須です。"))
        }));
        let detail = Text::in_each(|language: Locale| {
            let told: Vec<&str> = detail.iter().map(|text| text.in_language(language)).collect();
            told.join("; ")
        });
        Err(Error { detail, ..Error::invalid(faults) })
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
            let line = *begins.get_or_insert(self.line.max(self.begun + 1));
            self.begun = line;
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
                    self.reader = reader(self.separator);
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
        std::str::from_utf8(self.bytes(place)).ok()
    }

    fn bytes(&self, place: usize) -> &[u8] {
        let end = |place: usize| self.ends.get(place).copied();
        let begin = place.checked_sub(1).map_or(Some(0), end);
        begin.zip(end(place)).and_then(|(begin, end)| self.text.get(begin..end)).unwrap_or_default()
    }
}

impl<R: BufRead> Iterator for Csv<'_, R> {
    type Item = Result<FileRow>;

    fn next(&mut self) -> Option<Result<FileRow>> {
        self.row().transpose()
    }
}

fn reader(separator: u8) -> Reader {
    ReaderBuilder::new().delimiter(separator).build()
}

/// The separator of a file: the one that stands most often in its first line. No name of a column holds one.
fn separator_of(first: &[u8]) -> u8 {
    let count = |separator: u8| first.split(|byte| *byte == separator).count();
    [b'\t', b';', b','].into_iter().max_by_key(|separator| count(*separator)).unwrap_or(b',')
}

fn newlines(bytes: Option<&[u8]>) -> u64 {
    bytes.unwrap_or_default().split(|byte| *byte == b'\n').skip(1).fold(0, |count, _| count + 1)
}
