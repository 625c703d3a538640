//! The rows of a file, whatever the format of the file.

use super::{Format, ImportOptions, columns::RowCells, csv::Csv, ndjson::Ndjson};
use crate::{
    platform::{Error, FieldError, Result, codes, http::Contract, values::Text},
    sales::transactions::api::TransactionCreate,
    text,
};
use std::io::{BufRead, BufReader, Cursor, Read};

/// The most bytes of a row.
pub(super) const LONGEST: usize = 64 * 1024;

/// A row of a file.
#[derive(Debug)]
pub(super) struct FileRow {
    /// The line on which the row begins, counted from one.
    pub(super) line: u64,
    pub(super) content: std::result::Result<TransactionCreate, Unreadable>,
}

/// The faults of a row that is no transaction.
#[derive(Clone, Debug)]
pub(super) struct Unreadable {
    /// The cells of the row, as far as they can be made out.
    pub(super) cells: RowCells,
    pub(super) faults: Vec<FieldError>,
}

/// The rows of a file, one by one. An error ends the file.
pub(super) type Rows<'a> = Box<dyn Iterator<Item = Result<FileRow>> + 'a>;

/// The rows of a file.
pub(super) fn rows<'a>(options: ImportOptions, file: impl Read + 'a, contract: &'a Contract) -> Rows<'a> {
    let mut file = BufReader::with_capacity(256 * 1024, file);
    let first = match first_line(&mut file) {
        Ok(first) => first,
        Err(error) => return Box::new(std::iter::once(Err(error))),
    };
    let ignore_unknown = options.ignore_unknown_columns;
    let rows: Rows<'a> = match options.format {
        Format::Csv => {
            let whole = Cursor::new(first.clone()).chain(file);
            Box::new(Csv::new(whole, &first, contract, ignore_unknown))
        }
        Format::Ndjson => Box::new(Ndjson::new(Cursor::new(first).chain(file), contract, ignore_unknown)),
    };
    // After an error the iterator ends: a broken file would give the same error for ever.
    Box::new(rows.scan(false, |over, row| {
        let before = std::mem::replace(over, row.is_err());
        (!before).then_some(row)
    }))
}

/// The first line of a file, or the beginning of a longer one. Refuses a file in UTF-16.
fn first_line(file: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut first = Vec::new();
    file.take(LONGEST as u64).read_until(b'\n', &mut first).map_err(broken)?;
    let is_utf_16 = first.starts_with(b"\xff\xfe")
        || first.starts_with(b"\xfe\xff")
        || matches!(first.as_slice(), [0, letter, ..] | [letter, 0, ..] if *letter != 0);
    if is_utf_16 {
        let detail = text!(
            "the file is in UTF-16; save it as UTF-8 (in Excel: CSV UTF-8), then send it again",
            "ファイルが UTF-16 で保存されています。UTF-8（Excel では「CSV UTF-8」）で保存し直して再送してください。"
        );
        return Err(Error::new(&codes::MALFORMED, detail));
    }
    Ok(first)
}

impl FileRow {
    pub(super) fn good(line: u64, content: TransactionCreate) -> Self {
        Self { line, content: Ok(content) }
    }

    pub(super) fn bad(line: u64, cells: RowCells, code: &'static str, message: Text) -> Self {
        Self { line, content: Err(Unreadable { cells, faults: vec![FieldError::new("", code, message)] }) }
    }

    pub(super) fn too_long(line: u64) -> Self {
        let message = text!(
            "a row may have 64 KiB; a quotation mark may be missing",
            "1 行は 64 KiB までです。引用符が不足している可能性があります。"
        );
        Self::bad(line, RowCells::default(), "too_long", message)
    }

    pub(super) fn not_text(line: u64, cells: RowCells) -> Self {
        let message = text!("the row is not text in UTF-8", "行が UTF-8 のテキストではありません。");
        Self::bad(line, cells, "utf8", message)
    }

    /// A row that was not plainly good: the contract finds the faults, in the words of the API.
    pub(super) fn judged(
        line: u64,
        contract: &Contract,
        body: &[u8],
        cells: impl FnOnce() -> RowCells,
    ) -> Result<Self> {
        let unreadable = |faults| Err(Unreadable { cells: cells(), faults });
        let content = match contract.read::<TransactionCreate>(body) {
            Ok(content) => Ok(content),
            Err(error) if error.code == &codes::INVALID => unreadable(error.errors),
            Err(error) if error.code == &codes::MALFORMED => {
                unreadable(vec![FieldError::new("", "malformed", error.detail)])
            }
            Err(error) => return Err(error),
        };
        Ok(Self { line, content })
    }
}

/// The error of a file that could not be read to its end.
pub(super) fn broken(error: std::io::Error) -> Error {
    let text = error.to_string();
    match error.into_inner().map(<dyn std::error::Error + Send + Sync>::downcast::<Error>) {
        Some(Ok(error)) => *error,
        _ => Error::new(
            &codes::MALFORMED,
            text!(
                "the file could not be read to its end: {text}",
                "ファイルを最後まで読み取れませんでした：{text}"
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        access::PartnerKey,
        app,
        platform::{csv, values::Id},
        sales::transactions::{NewTransaction, TransactionKind},
    };
    use proptest::prelude::*;

    fn all(format: Format, file: &[u8]) -> Vec<Result<FileRow>> {
        let options = ImportOptions { format, dry_run: false, ignore_unknown_columns: false };
        rows(options, file, &app::contract()).collect()
    }

    /// A text of letters that matter to either format.
    fn noise() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop::sample::select(vec![
            b"\"".to_vec(), b",".to_vec(), b"\n".to_vec(), b"\r\n".to_vec(), b"\xff".to_vec(), b"{".to_vec(),
            b"}".to_vec(), b"a".to_vec(), b"\xef\xbb\xbf".to_vec(), b"\0".to_vec(), b"amount".to_vec(),
            b"source,external_id,partner_id,customer_id,customer_country,product,product_family,kind,occurred_on,amount,currency\n".to_vec(),
            br#"{"source":"#.to_vec(), vec![b'x'; 70_000],
        ]);
        prop::collection::vec(prop_oneof![8 => piece, 1 => prop::collection::vec(any::<u8>(), 0..50)], 0..40)
            .prop_map(|pieces| pieces.concat())
    }

    /// A text of up to so many characters, plain or not.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof![4 => "[ -~]{0,20}", 1 => "[ -~äß漢]{1,70}", 1 => any::<String>()]
    }

    fn body() -> impl Strategy<Value = TransactionCreate> {
        let texts = (text(), text(), text(), text(), text(), prop::option::of(text()));
        (texts, any::<bool>(), prop::option::of(any::<i32>()), -99_999i64..99_999).prop_map(
            |((source, external_id, customer, product, product_family, original), flag, units, minor)| {
                let id = "01936f2e-4b00-7000-8000-000000000001".parse().unwrap();
                TransactionCreate {
                    source,
                    external_id,
                    partner_id: PartnerKey::Id(id),
                    provider_id: flag.then_some(PartnerKey::Id(id)),
                    customer: crate::sales::transactions::api::TransactionCustomer {
                        id: customer,
                        country: "DE".parse().unwrap(),
                        public_sector: flag,
                    },
                    product,
                    product_family,
                    kind: if flag { TransactionKind::Refund } else { TransactionKind::Purchase },
                    original_transaction_id: None,
                    original_external_id: original,
                    occurred_on: "2018-07-01".parse().unwrap(),
                    amount: crate::platform::values::Money { minor, currency: "USD".parse().unwrap() },
                    units,
                }
            },
        )
    }

    fn recorded(body: TransactionCreate) -> NewTransaction {
        let id: Id = "01936f2e-4b00-7000-8000-000000000001".parse().unwrap();
        let provider = body.provider_id.as_ref().map(|_| id);
        body.of_partners(id, provider)
    }

    fn as_json(body: &TransactionCreate) -> serde_json::Value {
        serde_json::json!({
            "source": body.source, "external_id": body.external_id, "partner_id": body.partner_id,
            "provider_id": body.provider_id, "product": body.product, "product_family": body.product_family,
            "customer": {
                "id": body.customer.id, "country": body.customer.country, "public_sector": body.customer.public_sector,
            },
            "kind": body.kind, "original_external_id": body.original_external_id, "occurred_on": body.occurred_on,
            "amount": body.amount, "units": body.units,
        })
    }

    proptest! {
        #[test]
        fn whatever_arrives_is_read_to_its_end(file in noise()) {
            for format in [Format::Csv, Format::Ndjson] {
                let lines: Vec<u64> = all(format, &file).into_iter().flatten().map(|row| row.line).collect();
                prop_assert!(lines.is_sorted() && lines.iter().all(|line| *line > 0), "{lines:?}");
            }
        }

        #[test]
        fn what_is_plain_is_what_the_contract_wants(body in body()) {
            let faults = app::contract().faults("TransactionCreate", &as_json(&body)).unwrap();
            prop_assert!(!body.is_plain() || faults.is_empty(), "{body:?}: {faults:?}");
        }

        #[test]
        fn both_formats_say_the_same(body in body()) {
            let line = format!("{}\n", as_json(&body));
            let mut file = String::from(
                "source,external_id,partner_id,provider_id,customer_id,customer_country,customer_public_sector,product,\
                 product_family,kind,original_external_id,occurred_on,amount,currency,units\n",
            );
            let optional = |value: Option<String>| value.unwrap_or_default();
            // An empty cell is a member left out.
            prop_assume!(body.original_external_id.as_deref() != Some(""));
            let cells = [
                body.source.clone(), body.external_id.clone(), body.partner_id.to_string(),
                optional(body.provider_id.as_ref().map(ToString::to_string)), body.customer.id.clone(), "DE".into(),
                body.customer.public_sector.to_string(), body.product.clone(), body.product_family.clone(),
                body.kind.to_string(), optional(body.original_external_id.clone()), "2018-07-01".into(),
                body.amount.amount(), "USD".into(), optional(body.units.map(|units| units.to_string())),
            ];
            // The writer puts an apostrophe before a cell that a spreadsheet would take for a formula.
            prop_assume!(!cells.iter().any(|cell| cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err()));
            csv::line(&mut file, cells.iter().map(String::as_str));
            let content = |rows: Vec<Result<FileRow>>| rows.into_iter().map(|row| row.unwrap().content.ok().map(recorded)).collect::<Vec<_>>();
            prop_assert_eq!(content(all(Format::Csv, file.as_bytes())), content(all(Format::Ndjson, line.as_bytes())));
        }
    }
}
