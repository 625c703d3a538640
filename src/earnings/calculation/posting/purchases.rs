//! The purchases of an enrollment year in whole months, each with all of its refunds.

use crate::{
    access::Tx,
    earnings::engine::{Purchase, Refund},
    platform::{
        Result,
        values::{CalendarDate, Id, Month, Period},
    },
    sales::transactions::{self, SoldPurchase, SoldRefund},
};
use std::collections::{BTreeMap, HashMap};

/// Whole months of a partner's sales, computed together.
pub(in crate::earnings::calculation) struct Chunk {
    /// The first month.
    pub from: Month,
    /// The purchases of each month that is computed; none in a month that has only postings or attainments.
    pub months: BTreeMap<Month, Vec<Purchase>>,
    /// The first month that is not in the chunk; none where the chunk reaches the end of its year.
    pub rest: Option<Month>,
    /// The last month of the year.
    last: Month,
}

impl Chunk {
    /// Loads the months of some days of a program year: about so many purchases, and at least one whole month.
    pub fn load(tx: &mut Tx<'_>, partner: Id, days: Period, at_once: usize) -> Result<Self> {
        let most = i64::try_from(at_once).unwrap_or(i64::MAX);
        let mut found = transactions::purchases(tx, partner, days, most.saturating_add(1))?;
        let mut rest = None;
        if let Some(cut) = found.get(at_once).map(|purchase| Month::of(purchase.occurred_on)) {
            let first = found.first().map_or(cut, |purchase| Month::of(purchase.occurred_on));
            if cut == first {
                found = transactions::purchases(tx, partner, cut.period(), i64::MAX)?;
                rest = Some(cut.plus(1));
            } else {
                found.retain(|purchase| Month::of(purchase.occurred_on) < cut);
                rest = Some(cut);
            }
        }
        let rest = rest.filter(|month| month.first_day() <= days.to);
        let end = rest.map_or(days.to, |month| month.first_day().plus_days(-1));
        let refunds = transactions::refunds_of(tx, partner, Period { from: days.from, to: end })?;
        let months = by_month(found, refunds);
        Ok(Self { from: Month::of(days.from), months, rest, last: Month::of(days.to) })
    }

    /// A chunk of purchases that are told, of some days of a program year.
    pub fn of(purchases: Vec<Purchase>, days: Period) -> Self {
        let mut months: BTreeMap<Month, Vec<Purchase>> = BTreeMap::new();
        for purchase in purchases {
            months.entry(Month::of(purchase.on)).or_default().push(purchase);
        }
        Self { from: Month::of(days.from), months, rest: None, last: Month::of(days.to) }
    }

    /// The last month of the chunk.
    pub fn last(&self) -> Month {
        self.rest.map_or(self.last, |rest| rest.plus(-1))
    }

    /// Opens those of some months that lie in the chunk and have no purchase.
    pub fn open(&mut self, months: impl IntoIterator<Item = Month>) {
        let (from, last) = (self.from, self.last());
        for month in months.into_iter().filter(|month| (from..=last).contains(month)) {
            self.months.entry(month).or_default();
        }
    }

    /// The days of the purchases, in order; a day may be there more than once.
    pub fn days(&self) -> impl Iterator<Item = CalendarDate> {
        self.purchases().map(|purchase| purchase.on)
    }

    pub fn purchases(&self) -> impl Iterator<Item = &Purchase> {
        self.months.values().flatten()
    }

    /// The customers of the purchases, each once.
    pub fn customers(&self) -> Vec<String> {
        let mut customers: Vec<String> = self.purchases().map(|purchase| purchase.customer.clone()).collect();
        customers.sort_unstable();
        customers.dedup();
        customers
    }
}

fn by_month(found: Vec<SoldPurchase>, refunds: Vec<SoldRefund>) -> BTreeMap<Month, Vec<Purchase>> {
    let mut of: HashMap<Id, Vec<Refund>> = HashMap::new();
    for SoldRefund { purchase_id, id, minor } in refunds {
        of.entry(purchase_id).or_default().push(Refund { id, amount: minor });
    }
    let mut months: BTreeMap<Month, Vec<Purchase>> = BTreeMap::new();
    for sold in found {
        let refunds = of.remove(&sold.id).unwrap_or_default();
        months.entry(Month::of(sold.occurred_on)).or_default().push(purchase(sold, refunds));
    }
    months
}

/// A purchase as the law looks at it.
pub(in crate::earnings::calculation) fn purchase(sold: SoldPurchase, refunds: Vec<Refund>) -> Purchase {
    Purchase {
        id: sold.id,
        on: sold.occurred_on,
        customer: sold.customer_id,
        country: sold.customer_country,
        public_sector: sold.customer_public_sector,
        customer_is_partner: sold.customer_is_partner,
        product: sold.product,
        product_family: sold.product_family,
        currency: sold.currency,
        amount: sold.minor,
        refunds,
    }
}
