//! The portions of a file: the rows that one unit records.

use super::{
    columns::RowCells,
    row::{FileRow, Unreadable},
};
use crate::{
    access::PartnerKey,
    platform::{FieldError, Result, values::Id},
    sales::transactions::{NewTransaction, api::TransactionCreate},
};
use std::collections::{BTreeSet, HashMap};

/// Rows that one unit records or removes: other writers wait some tens of milliseconds.
pub(super) const PORTION: usize = 5_000;

/// A row that can be read: a transaction to record.
#[derive(Clone, Debug)]
pub(super) struct GoodRow {
    /// The line on which the row begins, counted from one.
    pub(super) line: u64,
    pub(super) new: NewTransaction,
    /// The partners as the row names them; none of a row that names every partner by the id of its record.
    keys: Option<Box<PartnerKeys>>,
}

/// The partners of a row, as the row names them.
#[derive(Clone, Debug)]
struct PartnerKeys {
    partner: PartnerKey,
    provider: Option<PartnerKey>,
}

impl GoodRow {
    fn of(line: u64, body: TransactionCreate, numbered: &HashMap<String, Id>) -> Self {
        let keys = numbers_of(&body).next().is_some().then(|| {
            Box::new(PartnerKeys { partner: body.partner_id.clone(), provider: body.provider_id.clone() })
        });
        let partner = body.partner_id.id_among(numbered);
        let provider = body.provider_id.as_ref().map(|key| key.id_among(numbered));
        Self { line, new: body.of_partners(partner, provider), keys }
    }

    /// The cells of the row.
    pub(super) fn cells(&self) -> RowCells {
        if let Some(PartnerKeys { partner, provider }) = self.keys.as_deref() {
            return RowCells::of_transaction(&self.new, partner, provider.as_ref());
        }
        let provider = self.new.provider_id.map(PartnerKey::Id);
        RowCells::of_transaction(&self.new, &PartnerKey::Id(self.new.partner_id), provider.as_ref())
    }
}

/// The MPN ids by which a row names partners.
fn numbers_of(body: &TransactionCreate) -> impl Iterator<Item = &str> {
    let keys = [Some(&body.partner_id), body.provider_id.as_ref()];
    keys.into_iter().flatten().filter_map(PartnerKey::number)
}

/// A row that is left out.
#[derive(Clone, Debug)]
pub(super) struct BadRow {
    /// The line on which the row begins, counted from one.
    pub(super) line: u64,
    pub(super) cells: RowCells,
    pub(super) faults: Vec<FieldError>,
}

/// The rows of a file that one unit records.
#[derive(Debug, Default)]
pub(super) struct FilePortion {
    /// The good rows, in the order in which the unit records them: refunds that name their purchase by its number come
    /// last, so that a purchase of the same portion comes before.
    pub(super) good: Vec<GoodRow>,
    pub(super) bad: Vec<BadRow>,
}

impl FilePortion {
    /// The next rows; none at the end. `numbered` finds the partners of MPN ids, once for all rows; it is not asked where
    /// the rows name every partner by the id of its record.
    pub(super) fn of(
        rows: impl Iterator<Item = Result<FileRow>>,
        numbered: impl FnOnce(&[&str]) -> Result<HashMap<String, Id>>,
    ) -> Result<Option<Self>> {
        let (mut portion, mut by_number) = (Self::default(), Vec::new());
        for row in rows.take(PORTION) {
            let FileRow { line, content } = row?;
            match content {
                Ok(body) if numbers_of(&body).next().is_some() => by_number.push((line, body)),
                Ok(body) => portion.good.push(GoodRow::of(line, body, &HashMap::new())),
                Err(Unreadable { cells, faults }) => portion.bad.push(BadRow { line, cells, faults }),
            }
        }
        if !by_number.is_empty() {
            let numbers: BTreeSet<&str> = by_number.iter().flat_map(|(_, body)| numbers_of(body)).collect();
            let numbered = numbered(&numbers.into_iter().collect::<Vec<_>>())?;
            let found = by_number.into_iter().map(|(line, body)| GoodRow::of(line, body, &numbered));
            portion.good.extend(found);
            portion.good.sort_by_key(|row| row.line);
        }
        portion.good.sort_by_key(|row| row.new.purchase_number().is_some());
        Ok(if portion.good.is_empty() && portion.bad.is_empty() { None } else { Some(portion) })
    }
}
