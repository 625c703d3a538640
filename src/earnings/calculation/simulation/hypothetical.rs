//! Sales that are only hypothetical: a sale that could never be on record is refused.

use super::simulation_api::{EarningsSimulation, SupposedSale};
use crate::{
    access::Tx,
    earnings::{
        calculation::posting::Chunk,
        engine::{Purchase, Refund},
    },
    platform::{
        Error, FieldError, Result,
        values::{CalendarDate, Id, Money, Month, Period, Text},
    },
    sales::transactions,
    text,
};
use std::collections::{BTreeSet, HashMap};

/// Sales that are only hypothetical.
#[derive(Default)]
pub(super) struct Hypothetical {
    /// The purchases, with the hypothetical refunds of them.
    purchases: Vec<Purchase>,
    /// Refunds of purchases on record.
    refunds: Vec<RefundOf>,
    /// What the request calls each sale.
    pub names: HashMap<Id, String>,
}

/// A hypothetical refund of a purchase on record.
struct RefundOf {
    purchase: Id,
    bought_on: CalendarDate,
    refund: Refund,
}

/// Between which days hypothetical sales may lie.
pub(super) struct Frame {
    /// The days of the month simulated that the version covers.
    pub month: Period,
    /// The days of the version up to the end of that month.
    pub year: Period,
}

/// A purchase that can be taken back.
#[derive(Clone)]
struct Returnable {
    id: Id,
    on: CalendarDate,
    /// What is left of the purchase.
    left: Money,
    /// The hypothetical purchase, by its place; none for one on record.
    hypothetical: Option<usize>,
    /// Whether the transaction is a refund itself.
    is_refund: bool,
}

/// Takes the sales of a request.
pub(super) fn take(tx: &mut Tx<'_>, asked: &EarningsSimulation, frame: &Frame) -> Result<Hypothetical> {
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
    Ok(draft.hypothetical)
}

/// The sales on record that refunds of the request take back.
fn on_record(tx: &mut Tx<'_>, asked: &EarningsSimulation) -> Result<HashMap<Id, Returnable>> {
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
    let partner = asked.partner_id.id(tx)?;
    let own = transactions::own_among(tx, partner, ids)?;
    let refunded = transactions::refunded_of(tx, partner, &own)?;
    let mut known = HashMap::new();
    for sold in transactions::purchases_named(tx, partner, &own)? {
        let minor = sold.minor + refunded.get(&sold.id).copied().unwrap_or_default();
        let left = Money { minor, currency: sold.currency };
        let (id, on) = (sold.id, sold.occurred_on);
        known.insert(id, Returnable { id, on, left, hypothetical: None, is_refund: false });
    }
    for id in own {
        let nothing = Money { minor: 0, currency: crate::platform::values::Currency::USD };
        let refund =
            Returnable { id, on: CalendarDate::MIN, left: nothing, hypothetical: None, is_refund: true };
        known.entry(id).or_insert(refund);
    }
    Ok(known)
}

/// The request's sales as far as they have been read.
#[derive(Default)]
struct Draft {
    hypothetical: Hypothetical,
    /// Purchases that can be taken back: on record, and those of the request.
    known: HashMap<Id, Returnable>,
    named: HashMap<String, Id>,
    faults: Vec<FieldError>,
}

impl Draft {
    fn fault(&mut self, at: usize, member: &str, code: &'static str, message: Text) {
        self.faults.push(FieldError::new(format!("/sales/{at}/{member}"), code, message));
    }

    fn name(&mut self, at: usize, id: Id, reference: &str) {
        if self.named.insert(reference.to_owned(), id).is_some() {
            self.fault(
                at,
                "reference",
                "duplicate",
                text!(
                    "another sale of the request has this reference",
                    "リクエスト内の別の販売に同じ参照が付けられています。"
                ),
            );
        }
        self.hypothetical.names.insert(id, reference.to_owned());
    }

    fn day(&mut self, at: usize, on: CalendarDate, frame: &Frame) {
        if !frame.month.contains(on) {
            let Period { from, to } = frame.month;
            self.fault(
                at,
                "occurred_on",
                "range",
                text!(
                    "what is simulated lies between {from} and {to}",
                    "シミュレーションの対象期間は {from} から {to} までです。"
                ),
            );
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
            self.fault(
                at,
                "amount/amount",
                "sign",
                text!("the amount of a purchase is above zero", "購入の金額は 0 より大きくしてください。"),
            );
        }
        let place = self.hypothetical.purchases.len();
        let known =
            Returnable { id, on: *occurred_on, left: *amount, hypothetical: Some(place), is_refund: false };
        self.known.insert(id, known);
        self.hypothetical.purchases.push(Purchase {
            id,
            on: *occurred_on,
            customer: customer.id.clone(),
            country: customer.country,
            public_sector: customer.public_sector,
            customer_is_partner: *customer_is_partner,
            product: product.clone(),
            product_family: product_family.clone(),
            currency: amount.currency,
            amount: amount.minor,
            refunds: Vec::new(),
        });
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
                let message = text!(
                    "recorded sales are left out; name a purchase of the request",
                    "登録済みの販売は対象外です。リクエスト内の購入を指定してください。"
                );
                return self.fault(at, "original_transaction_id", "unexpected", message);
            }
            (None, Some(id)) => ("original_transaction_id", Some(*id)),
            (Some(_), Some(_)) => {
                let message = text!(
                    "name the purchase once: by its id or by its reference",
                    "購入は ID または参照のいずれか一方で指定してください。"
                );
                return self.fault(at, "original_transaction_id", "unexpected", message);
            }
            (None, None) => {
                let message =
                    text!("name the purchase that is taken back", "返品の対象となる購入を指定してください。");
                return self.fault(at, "original_reference", "required", message);
            }
        };
        self.name(at, id, reference);
        let Some(purchase) = purchase.and_then(|id| self.known.get(&id)).cloned() else {
            return self.fault(
                at,
                member,
                "unknown",
                text!(
                    "there is no such purchase of this partner",
                    "このパートナーに該当する購入が存在しません。"
                ),
            );
        };
        if let Some(RefundFault { member, code, message }) =
            refund_fault(*amount, *occurred_on, &purchase, frame, member)
        {
            return self.fault(at, member, code, message);
        }
        if let Some(known) = self.known.get_mut(&purchase.id) {
            known.left.minor += amount.minor;
        }
        let refund = Refund { id, amount: amount.minor };
        let hypothetical = purchase.hypothetical.and_then(|place| self.hypothetical.purchases.get_mut(place));
        if let Some(hypothetical) = hypothetical {
            hypothetical.refunds.push(refund);
        } else {
            let (purchase, bought_on) = (purchase.id, purchase.on);
            self.hypothetical.refunds.push(RefundOf { purchase, bought_on, refund });
        }
    }
}

/// What is wrong with a refund of the request.
struct RefundFault<'a> {
    member: &'a str,
    code: &'static str,
    message: Text,
}

/// What is wrong with a refund of a purchase.
fn refund_fault<'a>(
    amount: Money,
    on: CalendarDate,
    purchase: &Returnable,
    frame: &Frame,
    named_at: &'a str,
) -> Option<RefundFault<'a>> {
    let fault = |member, code, message| Some(RefundFault { member, code, message });
    if purchase.is_refund {
        fault(
            named_at,
            "not_a_purchase",
            text!(
                "a refund cannot be taken back; name the purchase",
                "返品を返品の対象にすることはできません。購入を指定してください。"
            ),
        )
    } else if amount.minor >= 0 {
        fault(
            "amount/amount",
            "sign",
            text!("the amount of a refund is below zero", "返品の金額は 0 未満にしてください。"),
        )
    } else if amount.currency != purchase.left.currency {
        let message =
            text!("the purchase was made in {}", "購入時の通貨は {} です。", purchase.left.currency);
        fault("amount/currency", "other_currency", message)
    } else if on < purchase.on {
        fault(
            "occurred_on",
            "before_purchase",
            text!("the purchase was made on {}", "購入日は {} です。", purchase.on),
        )
    } else if !frame.year.contains(purchase.on) {
        let message = text!(
            "the version simulated does not cover that purchase, of {}",
            "シミュレーション対象の版は、その購入（{}）の期間に適用されません。",
            purchase.on
        );
        fault(named_at, "other_version", message)
    } else if purchase.left.minor + amount.minor < 0 {
        let message = text!("of it, {} can still be taken back", "返品できる残額は {} です。", purchase.left);
        fault("amount/amount", "refund_exceeds_purchase", message)
    } else {
        None
    }
}

impl Hypothetical {
    /// The months in which a hypothetical sale lies, or a purchase taken back.
    pub fn months(&self) -> BTreeSet<Month> {
        let bought = self.purchases.iter().map(|purchase| purchase.on);
        let taken_back = self.refunds.iter().map(|refund| refund.bought_on);
        bought.chain(taken_back).map(Month::of).collect()
    }

    /// Adds the hypothetical sales to those on record; on the same day those on record come first.
    pub fn join(&self, chunk: &mut Chunk) {
        for RefundOf { purchase, refund, .. } in &self.refunds {
            let recorded = chunk.months.values_mut().flatten().find(|recorded| recorded.id == *purchase);
            if let Some(recorded) = recorded {
                recorded.refunds.push(*refund);
            }
        }
        for purchase in &self.purchases {
            let of_month = chunk.months.entry(Month::of(purchase.on)).or_default();
            of_month.push(purchase.clone());
            of_month.sort_by_key(|purchase| purchase.on);
        }
    }

    /// The customers who buy.
    pub fn customers(&self) -> BTreeSet<&str> {
        self.purchases.iter().map(|purchase| purchase.customer.as_str()).collect()
    }
}
