//! The portions of a file, and the refunds that stand in the file before their purchases.
//!
//! The order of a file's rows does not matter for a refund and its purchase. Within a portion, refunds that name their
//! purchase by number come last; a refund whose purchase comes in a later portion is held back until then.

use super::row::{FileRow, Rows};
use crate::{
    platform::{FieldError, Result},
    sales::transactions::{NewTransaction, SourceNumber},
};
use std::collections::BTreeMap;

/// Rows that one unit records or removes: other writers wait some tens of milliseconds.
pub(super) const PORTION: usize = 5_000;
/// The most refunds of a file that are held back at a time: some ten megabytes.
pub(super) const HELD_BACK: usize = 20_000;

/// A row that can be read: a transaction to record.
#[derive(Clone, Debug)]
pub(super) struct GoodRow {
    /// The line on which the row begins, counted from one.
    pub(super) line: u64,
    pub(super) new: NewTransaction,
}

/// A row that is left out.
#[derive(Clone, Debug)]
pub(super) struct BadRow {
    /// The line on which the row begins, counted from one.
    pub(super) line: u64,
    pub(super) faults: Vec<FieldError>,
}

/// The rows of a file that one unit records.
#[derive(Debug, Default)]
pub(super) struct FilePortion {
    /// The good rows, in the order in which the unit records them.
    pub(super) good: Vec<GoodRow>,
    pub(super) bad: Vec<BadRow>,
}

impl FilePortion {
    /// The next rows of a file; none at the end of the file.
    pub(super) fn of(rows: &mut Rows<'_>) -> Result<Option<Self>> {
        let mut portion = Self::default();
        for row in rows.take(PORTION) {
            let FileRow { line, content } = row?;
            match content {
                Ok(new) => portion.good.push(GoodRow { line, new }),
                Err(faults) => portion.bad.push(BadRow { line, faults }),
            }
        }
        portion.good.sort_by_key(|row| row.new.purchase_number().is_some());
        Ok(if portion.good.is_empty() && portion.bad.is_empty() { None } else { Some(portion) })
    }
}

/// The refunds of a file whose purchases have not come yet, by the numbers of the purchases.
#[derive(Debug, Default)]
pub(super) struct HeldBack {
    rows: BTreeMap<SourceNumber, Vec<GoodRow>>,
    count: usize,
}

impl HeldBack {
    /// The number of refunds that can still be held back.
    pub(super) fn room(&self) -> usize {
        HELD_BACK.saturating_sub(self.count)
    }

    /// Holds back a refund; a row that names no purchase by number is not kept.
    pub(super) fn keep(&mut self, row: GoodRow) {
        if let Some(purchase) = row.new.purchase_number() {
            self.rows.entry(purchase).or_default().push(row);
            self.count += 1;
        }
    }

    /// The portion, and behind its rows the refunds that were held back for its purchases.
    pub(super) fn behind(&mut self, mut portion: FilePortion) -> FilePortion {
        if self.count > 0 {
            let numbers = portion.good.iter().map(|row| row.new.number());
            let mut released: Vec<GoodRow> =
                numbers.filter_map(|number| self.rows.remove(&number)).flatten().collect();
            released.sort_by_key(|row| row.line);
            self.count -= released.len();
            portion.good.append(&mut released);
        }
        portion
    }

    /// The refunds that are held back at the end of the file, in the order of their lines.
    pub(super) fn left(self) -> Vec<FilePortion> {
        let mut rows: Vec<GoodRow> = self.rows.into_values().flatten().collect();
        rows.sort_by_key(|row| row.line);
        let portion = |rows: &[GoodRow]| FilePortion { good: rows.to_vec(), bad: Vec::new() };
        rows.chunks(PORTION).map(portion).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sales::transactions::{Customer, TransactionKind};

    fn row(line: u64, external_id: &str, purchase: Option<&str>) -> GoodRow {
        let new = NewTransaction {
            source: "billing".into(),
            external_id: external_id.into(),
            partner_id: "01936f2e-4b00-7000-8000-000000000001".parse().unwrap(),
            provider_id: None,
            customer: Customer { id: "C-1".into(), country: "DE".parse().unwrap(), public_sector: false },
            product: "SKU-1".into(),
            product_family: "azure".into(),
            kind: purchase.map_or(TransactionKind::Purchase, |_| TransactionKind::Refund),
            original_transaction_id: None,
            original_external_id: purchase.map(str::to_owned),
            occurred_on: "2018-07-01".parse().unwrap(),
            amount: crate::platform::values::Money { minor: 100, currency: "USD".parse().unwrap() },
            units: None,
        };
        GoodRow { line, new }
    }

    fn lines(portion: &FilePortion) -> Vec<u64> {
        portion.good.iter().map(|row| row.line).collect()
    }

    #[test]
    fn refunds_follow_their_purchases_and_the_others_stay() {
        let mut held = HeldBack::default();
        held.keep(row(9, "r9", Some("p1")));
        held.keep(row(2, "r2", Some("p1")));
        held.keep(row(3, "r3", Some("p2")));
        let portion = FilePortion { good: vec![row(10, "p1", None), row(11, "x", None)], bad: Vec::new() };
        assert_eq!(lines(&held.behind(portion)), [10, 11, 2, 9]);
        assert_eq!(held.room(), HELD_BACK - 1);
        let left = held.left();
        assert_eq!(left.iter().map(lines).collect::<Vec<_>>(), [[3]]);
    }
}
