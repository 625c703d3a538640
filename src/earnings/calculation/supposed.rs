//! Sales that are only supposed: what could never be on record is refused, what is not said is looked up.

use super::{
    sales::{self, Dated},
    simulation_api::{EarningsSimulation, SupposedSale},
};
use crate::{
    access::Tx,
    earnings::engine::Sale,
    platform::{
        Error, FieldError, Result,
        values::{CalendarDate, Id, Money, Period},
    },
    sales::transactions::{self, PurchaseDay},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Sales that are only supposed.
#[derive(Default)]
pub(super) struct Supposed {
    /// With the days of the purchases they are or take back.
    pub sales: Vec<Dated>,
    /// What each is called in the request.
    pub names: HashMap<Id, String>,
}

/// Between which days sales are supposed, and what is on record beside them.
pub(super) struct Frame {
    /// The days of the month simulated that the version covers.
    pub month: Period,
    /// The days of the version up to the end of that month.
    pub year: Period,
    /// Whether a lever asks when the customer bought before.
    pub asks_before: bool,
}

/// Takes the sales of a request.
pub(super) fn take(tx: &mut Tx<'_>, asked: &EarningsSimulation, frame: &Frame) -> Result<Supposed> {
    let mut draft = Draft { known: on_record(tx, asked)?, ..Draft::default() };
    for (at, sale) in asked.sales.iter().enumerate() {
        draft.purchase(tx, at, sale, frame);
    }
    for (at, sale) in asked.sales.iter().enumerate() {
        draft.refund(tx, at, sale, frame, asked.include_recorded);
    }
    draft.faults.truncate(100);
    if !draft.faults.is_empty() {
        return Err(Error::invalid(draft.faults));
    }
    let mut supposed = draft.supposed;
    let customers: BTreeSet<String> = supposed.sales.iter().map(|(sale, _)| sale.customer.clone()).collect();
    let customers: Vec<String> = customers.into_iter().collect();
    if frame.asks_before {
        let recorded = asked.include_recorded.then_some(frame.month);
        let bought = bought(tx, asked.partner_id, &customers, (frame.year.from, recorded))?;
        supposed.follow(&bought);
    }
    Ok(supposed)
}

/// The sales on record that refunds of the request take back, each with what is left of it.
fn on_record(tx: &mut Tx<'_>, asked: &EarningsSimulation) -> Result<HashMap<Id, (Sale, i64)>> {
    let mut ids: Vec<Id> = asked
        .sales
        .iter()
        .filter_map(|sale| match sale {
            SupposedSale::Refund { original_transaction_id, .. } => *original_transaction_id,
            SupposedSale::Purchase { .. } => None,
        })
        .collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let own = transactions::own_among(tx, asked.partner_id, ids)?;
    let refunded = transactions::refunded_of(tx, asked.partner_id, &own)?;
    let with_rest = |(sale, _): Dated| {
        let left = sale.amount.minor + refunded.get(&sale.id).copied().unwrap_or_default();
        (sale.id, (sale, left))
    };
    Ok(sales::of_ids(tx, asked.partner_id, &own, false)?.into_iter().map(with_rest).collect())
}

/// The request's sales as far as they have been read.
#[derive(Default)]
struct Draft {
    supposed: Supposed,
    /// Purchases that can be taken back, with what is left of them: on record, and by their names in the request.
    known: HashMap<Id, (Sale, i64)>,
    named: HashMap<String, Id>,
    faults: Vec<FieldError>,
}

impl Draft {
    fn fault(&mut self, at: usize, member: &str, code: &'static str, message: impl Into<String>) {
        self.faults.push(FieldError::new(format!("/sales/{at}/{member}"), code, message.into()));
    }

    fn name(&mut self, at: usize, id: Id, reference: &str) {
        if self.named.insert(reference.to_owned(), id).is_some() {
            self.fault(at, "reference", "duplicate", "another sale of the request has this reference");
        }
        self.supposed.names.insert(id, reference.to_owned());
    }

    fn day(&mut self, at: usize, on: CalendarDate, frame: &Frame) {
        if !frame.month.contains(on) {
            let Period { from, to } = frame.month;
            self.fault(at, "occurred_on", "range", format!("what is simulated lies between {from} and {to}"));
        }
    }

    fn purchase(&mut self, tx: &Tx<'_>, at: usize, asked: &SupposedSale, frame: &Frame) {
        let SupposedSale::Purchase {
            reference,
            occurred_on,
            amount,
            customer,
            customer_is_partner,
            product,
            product_family,
        } = asked
        else {
            return;
        };
        let id = tx.new_id();
        self.name(at, id, reference);
        self.day(at, *occurred_on, frame);
        if amount.minor <= 0 {
            self.fault(at, "amount/amount", "sign", "the amount of a purchase is above zero");
        }
        let sale = Sale {
            id,
            refund_of: None,
            occurred_on: *occurred_on,
            amount: *amount,
            customer: customer.id.clone(),
            country: customer.country,
            public_sector: customer.public_sector,
            customer_is_partner: *customer_is_partner,
            product: product.clone(),
            product_family: product_family.clone(),
            bought_before_on: None,
        };
        self.known.insert(id, (sale.clone(), amount.minor));
        self.supposed.sales.push((sale, *occurred_on));
    }

    fn refund(&mut self, tx: &Tx<'_>, at: usize, asked: &SupposedSale, frame: &Frame, recorded: bool) {
        let SupposedSale::Refund {
            reference,
            occurred_on,
            amount,
            original_reference,
            original_transaction_id,
        } = asked
        else {
            return;
        };
        let id = tx.new_id();
        self.day(at, *occurred_on, frame);
        let (member, purchase) = match (original_reference, original_transaction_id) {
            (Some(name), None) => ("original_reference", self.named.get(name).copied()),
            (None, Some(_)) if !recorded => {
                let message = "recorded sales are left out; name a purchase of the request";
                return self.fault(at, "original_transaction_id", "unexpected", message);
            }
            (None, Some(id)) => ("original_transaction_id", Some(*id)),
            (Some(_), Some(_)) => {
                let message = "name the purchase once: by its id or by its reference";
                return self.fault(at, "original_transaction_id", "unexpected", message);
            }
            (None, None) => {
                let message = "name the purchase that is taken back";
                return self.fault(at, "original_reference", "required", message);
            }
        };
        self.name(at, id, reference);
        let Some((purchase, left)) = purchase.and_then(|id| self.known.get(&id)).cloned() else {
            return self.fault(at, member, "unknown", "there is no such purchase of this partner");
        };
        let left_over = left + amount.minor;
        if let Some((member, code, message)) =
            refund_fault(*amount, *occurred_on, (&purchase, left), frame, member)
        {
            return self.fault(at, member, code, message);
        }
        self.known.insert(purchase.id, (purchase.clone(), left_over));
        let sale = Sale {
            id,
            refund_of: Some(purchase.id),
            occurred_on: *occurred_on,
            amount: *amount,
            ..purchase.clone()
        };
        self.supposed.sales.push((sale, purchase.occurred_on));
    }
}

/// What is wrong with a refund of a purchase of which so much is left: where, by which code, in words.
fn refund_fault<'a>(
    amount: Money,
    on: CalendarDate,
    (purchase, left): (&Sale, i64),
    frame: &Frame,
    named_at: &'a str,
) -> Option<(&'a str, &'static str, String)> {
    if purchase.refund_of.is_some() {
        let message = "a refund cannot be taken back; name the purchase".to_owned();
        Some((named_at, "not_a_purchase", message))
    } else if amount.minor >= 0 {
        Some(("amount/amount", "sign", "the amount of a refund is below zero".to_owned()))
    } else if amount.currency != purchase.amount.currency {
        let message = format!("the purchase was made in {}", purchase.amount.currency);
        Some(("amount/currency", "other_currency", message))
    } else if on < purchase.occurred_on {
        Some(("occurred_on", "before_purchase", format!("the purchase was made on {}", purchase.occurred_on)))
    } else if !frame.year.contains(purchase.occurred_on) {
        let message =
            format!("the version simulated does not cover that purchase, of {}", purchase.occurred_on);
        Some((named_at, "other_version", message))
    } else if left + amount.minor < 0 {
        let left = Money { minor: left, ..purchase.amount };
        Some(("amount/amount", "refund_exceeds_purchase", format!("of it, {left} can still be taken back")))
    } else {
        None
    }
}

/// The days customers bought on, as far as somebody asks: the last before a stretch of time, and all in it.
type Bought = HashMap<String, BTreeSet<CalendarDate>>;

/// When customers bought from a partner: in the month, where that counts, and last before it; else last before the
/// year. Two statements.
fn bought(
    tx: &mut Tx<'_>,
    partner: Id,
    customers: &[String],
    (year, month): (CalendarDate, Option<Period>),
) -> Result<Bought> {
    let mut days = Bought::new();
    let before = month.map_or(year, |month| month.from);
    let mut found = transactions::last_bought_before(tx, partner, customers, before)?;
    if let Some(month) = month {
        found.extend(transactions::bought_within(tx, partner, customers, month)?);
    }
    for PurchaseDay { customer_id, on } in found {
        days.entry(customer_id).or_default().insert(on);
    }
    Ok(days)
}

impl Supposed {
    /// The purchases supposed, by customer, in order.
    fn purchases(&self) -> BTreeMap<String, BTreeSet<(CalendarDate, Id)>> {
        let mut purchases: BTreeMap<String, BTreeSet<(CalendarDate, Id)>> = BTreeMap::new();
        for (sale, on) in self.sales.iter().filter(|(sale, _)| sale.refund_of.is_none()) {
            purchases.entry(sale.customer.clone()).or_default().insert((*on, sale.id));
        }
        purchases
    }

    /// Says of each when its customer bought before; what is on record of a day comes first on it.
    fn follow(&mut self, bought: &Bought) {
        let purchases = self.purchases();
        for (sale, _) in &mut self.sales {
            let (on, id) = (sale.occurred_on, sale.id);
            let recorded = bought.get(&sale.customer).and_then(|days| days.range(..=on).next_back());
            let supposed = purchases.get(&sale.customer).and_then(|all| all.range(..(on, id)).next_back());
            sale.bought_before_on = recorded.copied().max(supposed.map(|(day, _)| *day));
        }
    }

    /// Says of sales on record when their customer would have bought before.
    pub(super) fn precede(&self, recorded: &mut [Dated]) {
        let purchases = self.purchases();
        for (sale, _) in recorded {
            let first_id = Id(uuid::Uuid::nil());
            let before = purchases
                .get(&sale.customer)
                .and_then(|all| all.range(..(sale.occurred_on, first_id)).next_back());
            sale.bought_before_on = sale.bought_before_on.max(before.map(|(day, _)| *day));
        }
    }

    /// Who buys.
    pub(super) fn customers(&self) -> BTreeSet<&str> {
        self.sales.iter().map(|(sale, _)| sale.customer.as_str()).collect()
    }
}
