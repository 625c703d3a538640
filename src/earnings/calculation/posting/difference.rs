//! Targets less what is posted. An origin whose target has not moved is left alone; so a computation repeated gives nothing.

use super::{
    Chunk, Posted,
    posted::{GroupLever, PostedGroup, PostedSums, StandingRecord},
    standing::Calculated,
};
use crate::{
    earnings::engine::{EarningTarget, Origin, Purchase},
    platform::values::{CalendarDate, Currency, Id, Money, Month},
    sales::transactions::backlog::CalculationCause,
};
use std::collections::HashMap;

/// What a posting goes back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostingCause {
    /// What came, or changed.
    pub cause: CalculationCause,
    /// The sale or the refund, where one came.
    pub transaction_id: Option<Id>,
}

/// What a target is compared with, and why they differ.
pub(in crate::earnings::calculation) struct Correction<'a> {
    pub target: EarningTarget<'a>,
    /// What is posted for the origin already.
    pub posted: PostedSums,
    /// Whether an earning is posted, or the origin only has a record.
    pub is_moved: bool,
    pub cause: PostingCause,
    pub sale: Option<SaleOf>,
    /// The record of the origin that goes on to stand.
    pub standing: Option<Id>,
}

impl Correction<'_> {
    /// The customer of the origin; none where the origin has several.
    pub fn customer(&self) -> Option<String> {
        let of_sale = self.sale.as_ref().map(|sale| sale.customer.clone());
        of_sale.or_else(|| self.target.origin.customer().map(str::to_owned))
    }
}

/// A group without a target any more: everything posted for it is taken back.
pub(in crate::earnings::calculation) struct Dropped {
    pub place: GroupLever,
    pub group: PostedGroup,
    pub cause: PostingCause,
}

/// What records tell about the sale of an origin.
#[derive(Clone, Debug)]
pub(in crate::earnings::calculation) struct SaleOf {
    pub customer: String,
    pub bought_on: CalendarDate,
    pub billed: Money,
}

/// Everything that a computation changes.
#[derive(Default)]
pub(in crate::earnings::calculation) struct Difference<'a> {
    /// Origins whose amounts differ from what is posted, or that have a new record.
    pub corrections: Vec<Correction<'a>>,
    /// Groups without a target any more: what is posted for them is taken back.
    pub dropped: Vec<Dropped>,
    /// Records that stand no longer.
    pub cured: Vec<Cured>,
    /// Transactions that were never seen before.
    pub new_sales: i64,
}

/// A record that stands no longer, with what its sale was billed at.
pub(in crate::earnings::calculation) struct Cured {
    pub record: StandingRecord,
    pub billed: Option<Money>,
}

/// How the cause of a posting is found.
#[derive(Clone, Copy, Debug)]
pub(in crate::earnings::calculation) struct Naming {
    /// Why the year is computed anew.
    pub cause: CalculationCause,
    /// How far the year was calculated before; none where it never was.
    pub calculated: Option<Calculated>,
}

impl Naming {
    fn is_new(&self, month: Month, transaction: Id) -> bool {
        self.calculated.is_none_or(|calculated| {
            month > calculated.through || calculated.last_seen.is_some_and(|seen| transaction > seen)
        })
    }
}

/// The first transaction of a chunk that was not seen before: later postings that it moves name it.
#[derive(Clone, Copy)]
struct Late(Option<PostingCause>);

impl Late {
    fn see(&mut self, cause: PostingCause) {
        self.0.get_or_insert(cause);
    }
}

impl<'a> Difference<'a> {
    /// Compares the targets of a chunk with what is posted.
    pub fn between(
        chunk: &Chunk,
        targets: Vec<EarningTarget<'a>>,
        mut posted: Posted,
        naming: Naming,
    ) -> Self {
        let sales = sales_of(chunk);
        let is_new =
            |(transaction, sale): &(&Id, &SaleOf)| naming.is_new(Month::of(sale.bought_on), **transaction);
        let new = sales.iter().filter(is_new).count();
        let mut difference = Self { new_sales: i64::try_from(new).unwrap_or(i64::MAX), ..Self::default() };
        let mut late = Late(None);
        let general = PostingCause { cause: naming.cause, transaction_id: None };
        for target in targets {
            match target.origin {
                Origin::Sale { transaction, purchase } => {
                    let cause = if transaction == purchase {
                        CalculationCause::Sale
                    } else {
                        CalculationCause::Refund
                    };
                    let own = PostingCause { cause, transaction_id: Some(transaction) };
                    let is_new = naming.is_new(target.earned_in, transaction);
                    if is_new {
                        late.see(own);
                    }
                    let cause = if is_new { own } else { late.0.unwrap_or(general) };
                    difference.sale(target, &mut posted, sales.get(&transaction), cause);
                }
                Origin::CustomerMonth(_) | Origin::Month => {
                    difference.group(target, &mut posted, late.0.unwrap_or(general));
                }
            }
        }
        difference.drop_rest(posted, &sales, late.0.unwrap_or(general));
        difference
    }

    fn sale(
        &mut self,
        target: EarningTarget<'a>,
        posted: &mut Posted,
        sale: Option<&SaleOf>,
        cause: PostingCause,
    ) {
        let Origin::Sale { transaction, .. } = target.origin else { return };
        let (mut sums, mut record) = (PostedSums::default(), None);
        if !(posted.sales.is_empty() && posted.records.is_empty()) {
            let place = (transaction, target.lever.code().to_owned());
            sums = posted.sales.remove(&place).unwrap_or_default();
            record = posted.records.remove(&place);
        }
        self.correct(target, sums, record, sale, cause);
    }

    fn group(&mut self, target: EarningTarget<'a>, posted: &mut Posted, cause: PostingCause) {
        let place = GroupLever {
            month: target.earned_in,
            lever: target.lever.code().to_owned(),
            origin: target.origin.clone(),
            currency: target.currency,
        };
        let PostedGroup { sums, record, .. } = posted.groups.remove(&place).unwrap_or_default();
        self.correct(target, sums, record, None, cause);
    }

    fn correct(
        &mut self,
        mut target: EarningTarget<'a>,
        posted: PostedSums,
        record: Option<StandingRecord>,
        sale: Option<&SaleOf>,
        cause: PostingCause,
    ) {
        let mut standing = None;
        match record {
            Some(record) if is_told_by(&target, &record) => {
                target.shortfall = None;
                standing = Some(record.id);
            }
            Some(record) => self.cured.push(Cured { record, billed: sale.map(|sale| sale.billed) }),
            None => {}
        }
        let is_moved = (target.amount, target.rebate) != (posted.amount, posted.rebate);
        if is_moved || target.shortfall.is_some() {
            let sale = sale.cloned();
            self.corrections.push(Correction { target, posted, is_moved, cause, sale, standing });
        }
    }

    /// What nothing targets any more: groups without sales, and records of levers that the year no longer has.
    fn drop_rest(&mut self, posted: Posted, sales: &HashMap<Id, SaleOf>, cause: PostingCause) {
        for record in posted.records.into_values() {
            let sale = record.transaction_id.and_then(|id| sales.get(&id));
            self.cured.push(Cured { record, billed: sale.map(|sale| sale.billed) });
        }
        let is_over =
            |group: &PostedGroup| (group.sums.amount, group.sums.rebate) == (0, 0) && group.record.is_none();
        for (place, group) in posted.groups.into_iter().filter(|(_, group)| !is_over(group)) {
            if let Some(record) = group.record.clone() {
                self.cured.push(Cured { record, billed: None });
            }
            self.dropped.push(Dropped { place, group, cause });
        }
    }
}

/// Whether a record that stands says what a target says.
fn is_told_by(target: &EarningTarget<'_>, record: &StandingRecord) -> bool {
    target.shortfall.as_ref().is_some_and(|shortfall| {
        shortfall.reason.code() == record.code
            && shortfall.capped == record.capped
            && record.version == target.version.version
    })
}

fn sales_of(chunk: &Chunk) -> HashMap<Id, SaleOf> {
    let mut sales = HashMap::new();
    for purchase in chunk.purchases() {
        let of = |minor| of(purchase, minor, purchase.currency);
        sales.insert(purchase.id, of(purchase.amount));
        sales.extend(purchase.refunds.iter().map(|refund| (refund.id, of(refund.amount))));
    }
    sales
}

fn of(purchase: &Purchase, minor: i64, currency: Currency) -> SaleOf {
    SaleOf { customer: purchase.customer.clone(), bought_on: purchase.on, billed: Money { minor, currency } }
}
