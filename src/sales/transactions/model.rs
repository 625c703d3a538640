//! The transaction, and the rules of a valid one; no I/O, no clock, no HTTP.

use crate::{
    network::partners::{Partner, PartnerType},
    platform::{
        FieldError,
        values::{CalendarDate, Country, Currency, Id, Money, Text, Timestamp, composed, text_enum},
    },
    schema::transactions,
    text,
};
use diesel::prelude::*;

text_enum! {
    /// The kind of transaction.
    pub enum TransactionKind {
        /// A sale.
        Purchase = "purchase",
        /// All or part of a sale taken back.
        Refund = "refund",
    }
}

/// The customer of a purchase.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = transactions)]
pub struct Customer {
    /// The customer's number in the source.
    #[diesel(column_name = customer_id)]
    pub id: String,
    /// The customer's country.
    #[diesel(column_name = customer_country)]
    pub country: Country,
    /// Whether the customer belongs to the public sector.
    #[diesel(column_name = customer_public_sector)]
    pub public_sector: bool,
}

/// A purchase that a partner sold, or a refund that took a purchase back.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = transactions)]
pub struct Transaction {
    /// UUID of version 7.
    pub id: Id,
    /// The system that reported the transaction.
    pub source: String,
    /// The number of the transaction in the source; unique within the source.
    pub external_id: String,
    /// The partner that sold, and earns.
    pub partner_id: Id,
    /// The indirect provider that an indirect reseller bought through.
    pub provider_id: Option<Id>,
    /// The customer that bought.
    #[diesel(embed)]
    pub customer: Customer,
    /// The stock keeping unit (SKU) of the product.
    pub product: String,
    /// The family of the product.
    pub product_family: String,
    /// Purchase or refund.
    pub kind: TransactionKind,
    /// The purchase that a refund takes back; every refund has one.
    pub original_transaction_id: Option<Id>,
    /// The day that the transaction counts on.
    pub occurred_on: CalendarDate,
    /// The amount in minor units; negative for a refund.
    #[diesel(column_name = amount)]
    pub minor: i64,
    /// The currency of the amount.
    pub currency: Currency,
    /// The number of units sold, where the source reported the number.
    pub units: Option<i32>,
    /// When the record was made.
    pub created_at: Timestamp,
}

impl Transaction {
    /// The amount; negative for a refund.
    #[must_use]
    pub fn amount(&self) -> Money {
        Money { minor: self.minor, currency: self.currency }
    }

    /// The members in which another report of the same transaction differs from the record, as JSON pointers.
    /// `original` is the purchase that the report names.
    #[must_use]
    pub fn differences(&self, other: &NewTransaction, original: Option<&Self>) -> Vec<&'static str> {
        let named = original.map(|original| original.id).or(other.original_transaction_id);
        let same_original = match named {
            Some(_) => self.original_transaction_id == named,
            // A purchase named by an unknown number is not on record.
            None => self.original_transaction_id.is_none() && other.original_external_id.is_none(),
        };
        [
            ("/partner_id", self.partner_id == other.partner_id),
            ("/provider_id", self.provider_id == other.provider_id),
            ("/customer/id", self.customer.id == other.customer.id),
            ("/customer/country", self.customer.country == other.customer.country),
            ("/customer/public_sector", self.customer.public_sector == other.customer.public_sector),
            ("/product", self.product == other.product),
            ("/product_family", self.product_family == other.product_family),
            ("/kind", self.kind == other.kind),
            ("/original_transaction_id", same_original),
            ("/occurred_on", self.occurred_on == other.occurred_on),
            ("/amount", self.amount() == other.amount),
            ("/units", self.units == other.units),
        ]
        .into_iter()
        .filter_map(|(member, same)| (!same).then_some(member))
        .collect()
    }
}

/// A transaction to record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTransaction {
    /// The system that reports the transaction.
    pub source: String,
    /// The number of the transaction in the source.
    pub external_id: String,
    /// The partner that sold.
    pub partner_id: Id,
    /// The indirect provider that an indirect reseller bought through.
    pub provider_id: Option<Id>,
    /// The customer that bought.
    pub customer: Customer,
    /// The stock keeping unit (SKU) of the product.
    pub product: String,
    /// The family of the product.
    pub product_family: String,
    /// Purchase or refund.
    pub kind: TransactionKind,
    /// The purchase that a refund takes back.
    pub original_transaction_id: Option<Id>,
    /// The purchase that a refund takes back, by its number in the same source; an alternative to the id.
    pub original_external_id: Option<String>,
    /// The day that the transaction counts on.
    pub occurred_on: CalendarDate,
    /// The amount; negative for a refund.
    pub amount: Money,
    /// The number of units sold, where the source reports the number.
    pub units: Option<i32>,
}

/// The number of a transaction, together with the system that gave the number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceNumber {
    /// The system.
    pub source: String,
    /// The number in the system.
    pub external_id: String,
}

/// The name of a source as it is kept and compared: in lower case.
#[must_use]
pub fn source_name(source: String) -> String {
    let is_lower = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    if source.bytes().all(is_lower) { source } else { composed(source.to_lowercase()) }
}

/// The most characters of a source and of a product family.
const SHORT: usize = 64;
/// The most characters of a number, a customer and a product.
const LONG: usize = 128;

/// The records that a new transaction names; none where a record does not exist.
#[derive(Clone, Copy, Debug, Default)]
pub struct Named<'a> {
    /// The partner that sold.
    pub partner: Option<&'a Partner>,
    /// The indirect provider.
    pub provider: Option<&'a Partner>,
    /// The purchase that a refund takes back.
    pub original: Option<&'a Transaction>,
}

impl NewTransaction {
    /// The number of the transaction.
    #[must_use]
    pub fn number(&self) -> SourceNumber {
        SourceNumber { source: self.source.clone(), external_id: self.external_id.clone() }
    }

    /// The number of the purchase that a refund takes back, where the refund names the purchase by its number alone.
    #[must_use]
    pub fn purchase_number(&self) -> Option<SourceNumber> {
        match (self.kind, self.original_transaction_id, &self.original_external_id) {
            (TransactionKind::Refund, None, Some(number)) => {
                Some(SourceNumber { source: self.source.clone(), external_id: number.clone() })
            }
            _ => None,
        }
    }

    /// The faults of the transaction where it is recorded on the day `today`.
    #[must_use]
    pub fn faults(&self, named: Named<'_>, today: CalendarDate) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if named.partner.is_none() {
            faults.push(FieldError::new(
                "/partner_id",
                "unknown",
                text!("there is no such partner", "該当するパートナーが存在しません。"),
            ));
        }
        if self.occurred_on > today {
            let message = text!(
                "today is {today}; a transaction is recorded when it has happened",
                "本日は {today} です。取引は発生後に登録してください。"
            );
            faults.push(FieldError::new("/occurred_on", "in_the_future", message));
        }
        match self.kind {
            TransactionKind::Purchase if self.amount.minor <= 0 => {
                faults.push(FieldError::new(
                    "/amount/amount",
                    "sign",
                    text!(
                        "the amount of a purchase is above zero",
                        "購入の金額は 0 より大きくしてください。"
                    ),
                ));
            }
            TransactionKind::Refund if self.amount.minor >= 0 => {
                faults.push(FieldError::new(
                    "/amount/amount",
                    "sign",
                    text!("the amount of a refund is below zero", "返品の金額は 0 未満にしてください。"),
                ));
            }
            _ => {}
        }
        self.length_faults(&mut faults);
        self.provider_faults(named, &mut faults);
        self.original_faults(named, &mut faults);
        faults
    }

    /// A text may have more characters in normalization form C than the text that was sent.
    fn length_faults(&self, faults: &mut Vec<FieldError>) {
        for (pointer, text, most) in [
            ("/source", &self.source, SHORT),
            ("/external_id", &self.external_id, LONG),
            ("/customer/id", &self.customer.id, LONG),
            ("/product", &self.product, LONG),
            ("/product_family", &self.product_family, SHORT),
        ] {
            if text.len() > most && text.chars().count() > most {
                let message = text!(
                    "write at most {most} characters, counted in normalization form C",
                    "{most} 文字以内で入力してください（正規化形式 C での文字数）。"
                );
                faults.push(FieldError::new(pointer, "too_long", message));
            }
        }
    }

    fn provider_faults(&self, named: Named<'_>, faults: &mut Vec<FieldError>) {
        if self.provider_id.is_none() {
            return;
        }
        let mut fault = |code: &'static str, message: Text| {
            faults.push(FieldError::new("/provider_id", code, message));
        };
        match named.provider {
            None => fault("unknown", text!("there is no such partner", "該当するパートナーが存在しません。")),
            Some(provider) if provider.partner_type != PartnerType::IndirectProvider => {
                fault(
                    "not_a_provider",
                    text!(
                        "the partner named is no indirect provider",
                        "指定されたパートナーは間接プロバイダーではありません。"
                    ),
                );
            }
            Some(_) => {}
        }
        if named.partner.is_some_and(|seller| seller.partner_type != PartnerType::IndirectReseller) {
            fault(
                "unexpected",
                text!(
                    "only an indirect reseller buys through a provider; leave it out",
                    "プロバイダー経由で購入するのは間接リセラーのみです。この項目を省略してください。"
                ),
            );
        }
    }

    fn original_faults(&self, named: Named<'_>, faults: &mut Vec<FieldError>) {
        let mut fault = |pointer: &str, code: &'static str, message: Text| {
            faults.push(FieldError::new(pointer, code, message));
        };
        let by_number = self.original_external_id.is_some();
        let here = if by_number { "/original_external_id" } else { "/original_transaction_id" };
        let is_named = by_number || self.original_transaction_id.is_some();
        if by_number && self.original_transaction_id.is_some() {
            fault(
                here,
                "unexpected",
                text!(
                    "name the purchase once: by its id or by its number",
                    "購入は ID または番号のいずれか一方で指定してください。"
                ),
            );
        }
        match (self.kind, is_named, named.original) {
            (TransactionKind::Purchase, false, _) => {}
            (TransactionKind::Purchase, true, _) => {
                fault(
                    here,
                    "unexpected",
                    text!(
                        "a purchase takes nothing back; leave it out",
                        "購入には返品対象を指定できません。この項目を省略してください。"
                    ),
                );
            }
            (TransactionKind::Refund, false, _) => {
                fault(
                    here,
                    "required",
                    text!("name the purchase that is taken back", "返品の対象となる購入を指定してください。"),
                );
            }
            (TransactionKind::Refund, true, None) => {
                fault(here, "unknown", text!("there is no such transaction", "該当する取引が存在しません。"));
            }
            (TransactionKind::Refund, true, Some(original)) => {
                self.refund_faults(original, here, faults);
            }
        }
    }

    /// The faults of a refund of a transaction that is on record; `here` is the member that names the transaction.
    fn refund_faults(&self, original: &Transaction, here: &str, faults: &mut Vec<FieldError>) {
        let mut fault = |pointer: &str, code: &'static str, message: Text| {
            faults.push(FieldError::new(pointer, code, message));
        };
        if original.kind != TransactionKind::Purchase {
            fault(
                here,
                "not_a_purchase",
                text!(
                    "a refund cannot be taken back; name the purchase",
                    "返品を返品の対象にすることはできません。購入を指定してください。"
                ),
            );
        }
        if original.partner_id != self.partner_id {
            fault(
                here,
                "other_partner",
                text!("that purchase was made by another partner", "その購入は別のパートナーのものです。"),
            );
        }
        if original.currency != self.amount.currency {
            let message = text!("the purchase was made in {}", "購入時の通貨は {} です。", original.currency);
            fault("/amount/currency", "other_currency", message);
        }
        if self.occurred_on < original.occurred_on {
            let message = text!("the purchase was made on {}", "購入日は {} です。", original.occurred_on);
            fault("/occurred_on", "before_purchase", message);
        }
    }

    /// The record of the transaction; `original` is the purchase that a refund names.
    #[must_use]
    pub fn recorded(self, id: Id, original: Option<Id>, now: Timestamp) -> Transaction {
        Transaction {
            id,
            source: self.source,
            external_id: self.external_id,
            partner_id: self.partner_id,
            provider_id: self.provider_id,
            customer: self.customer,
            product: self.product,
            product_family: self.product_family,
            kind: self.kind,
            original_transaction_id: original,
            occurred_on: self.occurred_on,
            minor: self.amount.minor,
            currency: self.amount.currency,
            units: self.units,
            created_at: now,
        }
    }
}
