//! The sales and refunds of the demo's partners.

use super::{
    cast::{CAST, Player, partner_id},
    people::parsed,
};
use crate::{
    access::Tx,
    network::partners::PartnerType,
    platform::{
        Error, Result,
        values::{Currency, Id, Money},
    },
    sales::transactions::{self, Customer, NewTransaction, TransactionKind},
};

/// Reports a sale of the n-th partner, or a refund of the purchase `refunds`. The amount grows with the number of the
/// sale.
pub(super) fn sell(tx: &mut Tx<'_>, n: usize, sale: u32, refunds: Option<Id>) -> Result<Id> {
    let player = CAST.get(n - 1).ok_or(Error::not_found("player", "登場者"))?;
    let sign = if refunds.is_some() { "-" } else { "" };
    let whole = if refunds.is_some() { 1_000 + 250 } else { 1_000 * i64::from(sale) + 250 };
    let currency: Currency = parsed(player.currency)?;
    let fraction = "0".repeat(usize::try_from(currency.digits()).unwrap_or(0));
    let text =
        if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") };
    let id = tx.new_id();
    let new = NewTransaction {
        original_external_id: None,
        source: "billing".into(),
        external_id: format!("INV-{n:03}-{sale:03}"),
        partner_id: partner_id(n),
        provider_id: (player.partner_type == PartnerType::IndirectReseller).then(|| partner_id(2)),
        customer: Customer {
            id: format!("C-{:04}", n * 10 + usize::try_from(sale).unwrap_or(0)),
            country: parsed(player.country)?,
            public_sector: false,
        },
        product: "CFQ7TTC0LH18".into(),
        product_family: if sale.is_multiple_of(2) { "azure" } else { "modern-work" }.into(),
        kind: if refunds.is_some() { TransactionKind::Refund } else { TransactionKind::Purchase },
        original_transaction_id: refunds,
        occurred_on: tx.today(),
        amount: Money::parse(&text, currency).map_err(Error::internal)?,
        units: Some(10),
    };
    transactions::create(tx, id, new).map(|transaction| transaction.id)
}

/// An order of the marketplace, or a refund of an order.
pub(super) struct Reported {
    /// The number in the marketplace.
    pub(super) external_id: String,
    /// The amount in US cents; below zero for a refund.
    pub(super) cents: i64,
    pub(super) customer: Customer,
    pub(super) family: &'static str,
    /// The number of the order that a refund takes back.
    pub(super) refund_of: Option<String>,
}

/// Reports an order or a refund of the n-th partner, in the partner's currency.
pub(super) fn report(tx: &mut Tx<'_>, n: usize, player: &Player, reported: Reported) -> Result<()> {
    let Reported { external_id, cents, customer, family, refund_of } = reported;
    let currency: Currency = parsed(player.currency)?;
    // The rough value of a dollar in the currency, as a fraction.
    let (times, over) = match player.currency {
        "JPY" => (300, 100),
        "KWD" => (3, 1),
        _ => (1, 1),
    };
    let new = NewTransaction {
        source: "marketplace".into(),
        external_id,
        partner_id: partner_id(n),
        provider_id: None,
        customer,
        product: "CFQ7TTC0LH18".into(),
        product_family: family.into(),
        kind: if refund_of.is_some() { TransactionKind::Refund } else { TransactionKind::Purchase },
        original_transaction_id: None,
        original_external_id: refund_of,
        occurred_on: tx.today(),
        amount: Money { minor: cents * times / over, currency },
        units: Some(10),
    };
    let id = tx.new_id();
    transactions::create(tx, id, new).map(drop)
}
