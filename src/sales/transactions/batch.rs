//! Batches: many transactions that nobody sees before all of them are recorded.
//!
//! The writer records a batch portion by portion, each in a short unit, with ids of the batch's [`Range`]. Readers
//! leave the range out until [`publish`] opens the range, in one write that is as short for a million records as for
//! one.

use super::{NewTransaction, Transaction, backlog::Waiting, model::Named, store};
use crate::{
    access::Tx,
    network::partners::{self, Partner},
    platform::{
        FieldError, Result,
        values::{CalendarDate, Id, Money},
    },
    text,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// The number of ids of a batch.
const IDS: u128 = 1 << 40;
/// The random bits at the end of an id of version 7, after instant, version and variant.
const RANDOM: u128 = (1 << 62) - 1;

/// The ids of a batch: consecutive ids in the order of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first id, included.
    pub first: Id,
    /// The last id, included.
    pub last: Id,
}

impl Range {
    /// The range that belongs to an id. Two ids made by one process never share a range.
    #[must_use]
    pub fn of(id: Id) -> Self {
        let id = id.0.as_u128();
        let first = (id & !RANDOM) | ((id << 40) & RANDOM);
        Self { first: Id(Uuid::from_u128(first)), last: Id(Uuid::from_u128(first | (IDS - 1))) }
    }

    /// The id at a place of the range, counted from zero.
    #[must_use]
    pub fn at(self, place: u64) -> Id {
        Id(Uuid::from_u128(self.first.0.as_u128() | (u128::from(place) & (IDS - 1))))
    }

    /// The first `places` ids of the range, in parts of `together` ids.
    pub fn parts(self, places: u64, together: u32) -> impl Iterator<Item = Self> {
        let together = u64::from(together.max(1));
        let begins = (0..places.div_ceil(together)).map(move |nth| nth * together);
        begins.map(move |begin| Self { first: self.at(begin), last: self.at(begin + together - 1) })
    }
}

/// The outcome of recording a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowOutcome {
    /// The transaction is recorded, and visible once the batch is published.
    Created,
    /// The transaction was on record with the same content, or stands in the batch twice.
    Unchanged,
    /// The transaction is on record with other content; one fault for each member that differs.
    Conflict(Vec<FieldError>),
    /// The transaction breaks rules.
    Invalid(Vec<FieldError>),
    /// The refund breaks rules for now: the purchase that it names by number is not on record. The refund may be tried
    /// again when more of the batch is recorded.
    PurchaseUnknown(Vec<FieldError>),
}

/// Hides the transactions that are recorded with ids of the range from now on.
pub fn hide(tx: &mut Tx<'_>, range: Range) -> Result<()> {
    store::hide(tx, range)
}

/// The range whose transactions are hidden now; none where everybody sees every transaction.
pub fn hidden(tx: &mut Tx<'_>) -> Result<Option<Range>> {
    store::hidden(tx)
}

/// Lets everybody see the hidden transactions.
pub fn publish(tx: &mut Tx<'_>) -> Result<()> {
    store::show(tx)
}

/// Removes the latest records of a range, up to `most`; returns how many were removed.
pub fn remove_latest(tx: &mut Tx<'_>, range: Range, most: i64) -> Result<usize> {
    store::remove_latest(tx, range, most)
}

/// The sellers of the transactions in a range, each with the day of the seller's first purchase; the day of a refund is
/// the day of its purchase. A seller may be there twice. Ask for some ten thousand places at most: the databases sort
/// the transactions of the range.
pub fn sellers(tx: &mut Tx<'_>, range: Range) -> Result<Vec<Waiting>> {
    store::sellers(tx, range)
}

/// Records a portion of a batch by the rules of [`create`](super::create), after the `recorded` transactions that the
/// batch has so far. The number of statements grows with the number of sources in the portion, not with the number of
/// rows.
pub fn record(
    tx: &mut Tx<'_>,
    range: Range,
    recorded: u64,
    rows: &[&NewTransaction],
) -> Result<Vec<RowOutcome>> {
    let mut portion = KnownRecords::gather(tx, rows)?;
    let on_record = portion.all.len();
    let (today, now) = (tx.today(), tx.now);
    let mut outcomes = Vec::with_capacity(rows.len());
    let mut places = recorded..;
    for new in rows.iter().copied() {
        outcomes.push(match portion.known(&new.source, &new.external_id) {
            Some(known) => repeated(known, new, portion.original(new)),
            None => match portion.faults(new, today) {
                faults if faults.is_empty() => {
                    let original = portion.original(new).map(|original| original.id);
                    let place = places.next().unwrap_or(recorded);
                    portion.add(new.clone().recorded(range.at(place), original, now));
                    RowOutcome::Created
                }
                faults if new.purchase_number().is_some() && portion.original(new).is_none() => {
                    RowOutcome::PurchaseUnknown(faults)
                }
                faults => RowOutcome::Invalid(faults),
            },
        });
    }
    store::insert_all(tx, portion.all.get(on_record..).unwrap_or_default())?;
    Ok(outcomes)
}

/// The records that the rules ask for the rows of a portion: the records before the portion, and the rows recorded so
/// far.
#[derive(Default)]
struct KnownRecords {
    all: Vec<Transaction>,
    /// Places in `all` by source and external id.
    by_number: HashMap<String, HashMap<String, usize>>,
    /// Places in `all` by id.
    by_id: HashMap<Id, usize>,
    /// The sum of the refunds of each purchase, in minor units: zero or below.
    refunded: HashMap<Id, i64>,
    partners: HashMap<Id, Partner>,
}

impl KnownRecords {
    fn gather(tx: &mut Tx<'_>, rows: &[&NewTransaction]) -> Result<Self> {
        let mut portion = Self::default();
        let sellers: BTreeSet<Id> = rows.iter().map(|new| new.partner_id).collect();
        tx.lock_partners(&Vec::from_iter(sellers))?;
        let mut numbers: HashMap<&str, Vec<&str>> = HashMap::new();
        for new in rows {
            let of_source = numbers.entry(&new.source).or_default();
            of_source.push(&new.external_id);
            of_source.extend(new.original_external_id.as_deref());
        }
        for (source, mut numbers) in numbers {
            numbers.sort_unstable();
            numbers.dedup();
            for known in store::numbered(tx, source, &numbers)? {
                portion.add(known);
            }
        }
        let mut ids: Vec<Id> = rows.iter().filter_map(|new| new.original_transaction_id).collect();
        ids.sort_unstable();
        ids.dedup();
        if !ids.is_empty() {
            for known in store::identified(tx, &ids)? {
                if !portion.by_id.contains_key(&known.id) {
                    portion.add(known);
                }
            }
        }
        let refunds = rows.iter().filter_map(|new| portion.original(new));
        let mut purchases: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for purchase in refunds {
            purchases.entry(&purchase.source).or_default().insert(&purchase.external_id);
        }
        let mut refunded = HashMap::new();
        for (source, numbers) in purchases {
            let numbers: Vec<&str> = numbers.into_iter().collect();
            refunded.extend(store::refunded_by_number(tx, source, &numbers)?);
        }
        // These sums replace the sums that `add` has begun: the refunds gathered above are part of them.
        portion.refunded = refunded;
        let named = |new: &&NewTransaction| [Some(new.partner_id), new.provider_id];
        let mut ids: Vec<Id> = rows.iter().flat_map(named).flatten().collect();
        ids.sort_unstable();
        ids.dedup();
        partners::keep_all(tx, &ids)?;
        portion.partners =
            partners::many(tx, &ids)?.into_iter().map(|partner| (partner.id, partner)).collect();
        Ok(portion)
    }

    fn add(&mut self, transaction: Transaction) {
        let place = self.all.len();
        if let Some(original) = transaction.original_transaction_id {
            *self.refunded.entry(original).or_default() += transaction.minor;
        }
        self.by_id.insert(transaction.id, place);
        let of_source = match self.by_number.get_mut(&transaction.source) {
            Some(of_source) => of_source,
            None => self.by_number.entry(transaction.source.clone()).or_default(),
        };
        of_source.insert(transaction.external_id.clone(), place);
        self.all.push(transaction);
    }

    fn known(&self, source: &str, external_id: &str) -> Option<&Transaction> {
        self.all.get(*self.by_number.get(source)?.get(external_id)?)
    }

    /// The purchase that a refund names, by id or by number.
    fn original(&self, new: &NewTransaction) -> Option<&Transaction> {
        match (new.original_transaction_id, &new.original_external_id) {
            (Some(id), _) => self.all.get(*self.by_id.get(&id)?),
            (None, Some(number)) => self.known(&new.source, number),
            (None, None) => None,
        }
    }

    fn faults(&self, new: &NewTransaction, today: CalendarDate) -> Vec<FieldError> {
        let named = Named {
            partner: self.partners.get(&new.partner_id),
            provider: new.provider_id.and_then(|id| self.partners.get(&id)),
            original: self.original(new),
        };
        let mut faults = new.faults(named, today);
        if let (true, Some(purchase)) = (faults.is_empty(), named.original) {
            let minor = purchase.minor + self.refunded.get(&purchase.id).copied().unwrap_or(0);
            if minor + new.amount.minor < 0 {
                let left = Money { minor, currency: purchase.currency };
                let message = text!(
                    "of this purchase, {left} can still be taken back",
                    "この購入について返品できる残額は {left} です。"
                );
                faults.push(FieldError::new("/amount/amount", "refund_exceeds_purchase", message));
            }
        }
        faults
    }
}

fn repeated(known: &Transaction, new: &NewTransaction, original: Option<&Transaction>) -> RowOutcome {
    let differing = known.differences(new, original);
    if differing.is_empty() {
        return RowOutcome::Unchanged;
    }
    let fault = |pointer: &str| {
        let message = text!(
            "transaction {} has this source and external id, and differs here",
            "同じ source と external_id の取引 {} が登録済みで、この項目の内容が異なります。",
            known.id
        );
        FieldError::new(pointer, super::TRANSACTION_CONFLICT.code, message)
    };
    RowOutcome::Conflict(differing.into_iter().map(fault).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_range_are_its_places_once() {
        let range = Range::of("01936f2e-4b00-7000-8000-000000000001".parse().unwrap());
        let parts = |places| range.parts(places, 10).map(|part| (part.first, part.last)).collect::<Vec<_>>();
        assert_eq!(parts(0), []);
        assert_eq!(parts(10), [(range.at(0), range.at(9))]);
        let three = [(range.at(0), range.at(9)), (range.at(10), range.at(19)), (range.at(20), range.at(29))];
        assert_eq!(parts(21), three);
    }
}
