//! The columns of a file of transactions, and the cells of a row by the names of their columns.

use crate::{
    access::PartnerKey,
    platform::values::Money,
    sales::transactions::{
        NewTransaction,
        api::{TransactionCreate, TransactionCustomer},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, str::FromStr};

/// A column of the file.
pub(super) struct Column {
    pub(super) name: &'static str,
    /// The member of `TransactionCreate` that the cells give, as a JSON pointer.
    pub(super) member: &'static str,
    pub(super) is_required: bool,
}

const fn required(name: &'static str, member: &'static str) -> Column {
    Column { name, member, is_required: true }
}

const fn optional(name: &'static str, member: &'static str) -> Column {
    Column { name, member, is_required: false }
}

/// The columns, in any order in the file. An empty cell leaves the member out.
pub(super) const COLUMNS: [Column; 16] = [
    required("source", "/source"),
    required("external_id", "/external_id"),
    required("partner_id", "/partner_id"),
    optional("provider_id", "/provider_id"),
    required("customer_id", "/customer/id"),
    required("customer_country", "/customer/country"),
    optional("customer_public_sector", "/customer/public_sector"),
    required("product", "/product"),
    required("product_family", "/product_family"),
    required("kind", "/kind"),
    optional("original_transaction_id", "/original_transaction_id"),
    optional("original_external_id", "/original_external_id"),
    required("occurred_on", "/occurred_on"),
    required("amount", "/amount/amount"),
    required("currency", "/amount/currency"),
    optional("units", "/units"),
];
/// The columns that the service adds to the files it writes: lists of transactions, and rejected rows. An import ignores
/// them.
pub(super) const ADDED: [&str; 4] = ["id", "created_at", "error", "remedy"];

/// The cells of a row, in the order of [`COLUMNS`].
#[derive(Default)]
pub(super) struct Cells<'a>(pub(super) [&'a str; COLUMNS.len()]);

impl Cells<'_> {
    /// The transaction of the row, where every cell can be read without asking the contract.
    pub(super) fn plain(&self) -> Option<TransactionCreate> {
        let [
            source,
            external_id,
            partner_id,
            provider_id,
            customer_id,
            customer_country,
            customer_public_sector,
            product,
            product_family,
            kind,
            original_transaction_id,
            original_external_id,
            occurred_on,
            amount,
            currency,
            units,
        ] = self.0;
        Some(TransactionCreate {
            source: source.into(),
            external_id: external_id.into(),
            partner_id: partner_id.parse().ok()?,
            provider_id: unless_empty(provider_id).ok()?,
            customer: TransactionCustomer {
                id: customer_id.into(),
                country: customer_country.parse().ok()?,
                public_sector: unless_empty(customer_public_sector).ok()?.unwrap_or_default(),
            },
            product: product.into(),
            product_family: product_family.into(),
            kind: kind.parse().ok()?,
            original_transaction_id: unless_empty(original_transaction_id).ok()?,
            original_external_id: unless_empty(original_external_id).ok()?,
            occurred_on: occurred_on.parse().ok()?,
            amount: Money::parse(amount, currency.parse().ok()?).ok()?,
            units: unless_empty(units).ok()?,
        })
    }

    /// The same transaction as a body of the API.
    pub(super) fn as_json(&self) -> Value {
        let mut body = json!({ "customer": {}, "amount": {} });
        for (text, Column { name, member, .. }) in
            self.0.iter().zip(&COLUMNS).filter(|(text, _)| !text.is_empty())
        {
            let value = match *name {
                "units" => text.parse::<i64>().map_or_else(|_| json!(text), |units| json!(units)),
                "customer_public_sector" => text.parse::<bool>().map_or_else(|_| json!(text), |is| json!(is)),
                _ => json!(text),
            };
            let (parent, member) = member.rsplit_once('/').unwrap_or_default();
            let within: Option<&mut Map<String, Value>> =
                body.pointer_mut(parent).and_then(Value::as_object_mut);
            within.map(|within| within.insert(member.to_owned(), value));
        }
        body
    }
}

/// The value of a cell; none of an empty cell.
fn unless_empty<T: FromStr>(cell: &str) -> std::result::Result<Option<T>, T::Err> {
    if cell.is_empty() { Ok(None) } else { cell.parse().map(Some) }
}

/// Removes the members of a body that no column gives.
pub(super) fn without_unknown_members(body: &mut Value) {
    let is_known = |pointer: &str| {
        COLUMNS.iter().any(|column| {
            column.member.strip_prefix(pointer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    let Some(members) = body.as_object_mut() else { return };
    members.retain(|name, _| is_known(&format!("/{name}")));
    for (parent, value) in members {
        if let Some(inner) = value.as_object_mut() {
            inner.retain(|name, _| is_known(&format!("/{parent}/{name}")));
        }
    }
}

/// The cells of a row that an import keeps, by the names of their columns; empty cells are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct RowCells(BTreeMap<String, String>);

impl RowCells {
    /// The cells of a row of a CSV file.
    pub(super) fn of_cells(cells: &Cells<'_>) -> Self {
        let mut kept = Self::default();
        for (text, column) in cells.0.iter().zip(&COLUMNS) {
            kept.put(column.name, text);
        }
        kept
    }

    /// The cells of a body of the API; none of what is no object.
    pub(super) fn of_body(body: &Value) -> Self {
        let mut kept = Self::default();
        for column in &COLUMNS {
            match body.pointer(column.member) {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) => kept.put(column.name, text),
                Some(other) => kept.put(column.name, &other.to_string()),
            }
        }
        kept
    }

    /// The cells of a transaction whose partners were named by these keys.
    pub(super) fn of_transaction(
        new: &NewTransaction,
        partner: &PartnerKey,
        provider: Option<&PartnerKey>,
    ) -> Self {
        let text = |value: Option<&dyn ToString>| value.map(ToString::to_string).unwrap_or_default();
        let cells: [String; COLUMNS.len()] = [
            new.source.clone(),
            new.external_id.clone(),
            partner.to_string(),
            text(provider.map(|key| key as _)),
            new.customer.id.clone(),
            new.customer.country.to_string(),
            if new.customer.public_sector { "true".into() } else { String::new() },
            new.product.clone(),
            new.product_family.clone(),
            new.kind.to_string(),
            text(new.original_transaction_id.as_ref().map(|id| id as _)),
            new.original_external_id.clone().unwrap_or_default(),
            new.occurred_on.to_string(),
            new.amount.amount(),
            new.amount.currency.to_string(),
            text(new.units.as_ref().map(|units| units as _)),
        ];
        Self::of_cells(&Cells(cells.each_ref().map(String::as_str)))
    }

    /// No database stores NUL in a document.
    fn put(&mut self, column: &str, text: &str) {
        if !text.is_empty() {
            self.0.insert(column.to_owned(), text.replace('\0', "\u{fffd}"));
        }
    }

    /// The cell of a column; empty where the row has none.
    pub(super) fn get(&self, column: &str) -> &str {
        self.0.get(column).map_or("", String::as_str)
    }

    /// The transaction of the cells; none where the cells are none of a good row.
    pub(super) fn transaction(&self) -> Option<TransactionCreate> {
        Cells(COLUMNS.each_ref().map(|column| self.get(column.name))).plain()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sales::transactions::TransactionKind;

    #[test]
    fn a_waiting_refund_is_the_same_transaction_again() {
        let key: PartnerKey = "4567890".parse().unwrap();
        let mut body = TransactionCreate {
            source: "billing".into(),
            external_id: "R-1".into(),
            partner_id: key.clone(),
            provider_id: Some("01936f2e-4b00-7000-8000-000000000001".parse().unwrap()),
            customer: TransactionCustomer {
                id: "caf\u{e9}".into(),
                country: "DE".parse().unwrap(),
                public_sector: true,
            },
            product: "a, \"b\"".into(),
            product_family: "azure".into(),
            kind: TransactionKind::Refund,
            original_transaction_id: None,
            original_external_id: Some("P-1".into()),
            occurred_on: "2018-07-01".parse().unwrap(),
            amount: Money { minor: -450, currency: "USD".parse().unwrap() },
            units: Some(3),
        };
        for _ in 0..2 {
            let provider = body.provider_id.clone();
            let new =
                |body: &TransactionCreate| body.clone().of_partners(id(1), provider.as_ref().map(|_| id(2)));
            let cells = RowCells::of_transaction(&new(&body), &key, provider.as_ref());
            let again = cells.transaction().unwrap();
            assert_eq!((new(&again), &again.partner_id, &again.provider_id), (new(&body), &key, &provider));
            assert_eq!(
                RowCells::of_body(&serde_json::json!({"customer": {"id": "caf\u{e9}"}})).get("customer_id"),
                "caf\u{e9}"
            );
            (body.provider_id, body.units, body.customer.public_sector) = (None, None, false);
        }
    }

    fn id(n: u128) -> crate::platform::values::Id {
        crate::platform::values::Id(uuid::Uuid::from_u128(n))
    }

    #[test]
    fn members_that_no_column_gives_are_removed_wherever_they_stand() {
        let mut body = json!({
            "source": "a", "cost": 1, "customer": {"id": "C", "name": "N"}, "amount": {"amount": "1.00", "net": "0.90"},
            "custom": {}, "units": null,
        });
        without_unknown_members(&mut body);
        assert_eq!(
            body,
            json!({"source": "a", "customer": {"id": "C"}, "amount": {"amount": "1.00"}, "units": null})
        );
    }
}
