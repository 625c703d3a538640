//! Transactions over HTTP.

use super::{Customer, NewTransaction, Transaction, TransactionKind, model::source_name, service, store};
use crate::{
    access::{
        Caller, PartnerKey, Unaudited,
        policy::{CreateTransaction, GetTransaction, ListTransactions},
    },
    platform::{
        Result,
        http::{Answer, Body, Cursor, Listing, PageParams, PageRequest, Path, page_of},
        values::{CalendarDate, Country, Id, Money, Timestamp, is_composed},
    },
};
use actix_web::{get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_transactions).service(create_transaction).service(get_transaction);
}

/// A purchase that a partner sold, or a refund that took a purchase back. A transaction never changes.
#[derive(Serialize, ToSchema)]
#[schema(as = Transaction)]
pub struct TransactionView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The system that reported the transaction.
    #[schema(max_length = 64, examples("billing"))]
    source: String,
    /// The number of the transaction in the source; unique within the source.
    #[schema(max_length = 128, examples("INV-2026-000317-1"))]
    external_id: String,
    /// The partner that sold, and earns.
    partner_id: Id,
    /// The indirect provider that the partner bought through; null where there was none.
    provider_id: Option<Id>,
    /// The customer that bought.
    customer: TransactionCustomer,
    /// The stock keeping unit (SKU) of the product.
    #[schema(max_length = 128, examples("CFQ7TTC0LH18"))]
    product: String,
    /// The family of the product.
    #[schema(max_length = 64, examples("modern-work"))]
    product_family: String,
    /// Purchase or refund.
    kind: TransactionKind,
    /// The purchase that a refund takes back; null for a purchase.
    original_transaction_id: Option<Id>,
    /// The day that the transaction counts on.
    occurred_on: CalendarDate,
    /// The amount; negative for a refund.
    amount: Money,
    /// The number of units sold; null where the source did not report the number.
    #[schema(minimum = 0, maximum = 1_000_000_000, examples(25))]
    units: Option<i32>,
    /// When the record was made.
    created_at: Timestamp,
}

/// The customer of a purchase.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransactionCustomer {
    /// The customer's number in the source.
    #[schema(min_length = 1, max_length = 128, pattern = r"^\S(.*\S)?$", examples("C-20881"))]
    pub id: String,
    /// The customer's country.
    pub country: Country,
    /// Whether the customer belongs to the public sector.
    #[serde(default)]
    #[schema(default = false)]
    pub public_sector: bool,
}

impl From<Customer> for TransactionCustomer {
    fn from(customer: Customer) -> Self {
        Self { id: customer.id, country: customer.country, public_sector: customer.public_sector }
    }
}

impl From<TransactionCustomer> for Customer {
    fn from(customer: TransactionCustomer) -> Self {
        Self { id: customer.id, country: customer.country, public_sector: customer.public_sector }
    }
}

impl From<Transaction> for TransactionView {
    fn from(transaction: Transaction) -> Self {
        Self {
            id: transaction.id,
            amount: transaction.amount(),
            source: transaction.source,
            external_id: transaction.external_id,
            partner_id: transaction.partner_id,
            provider_id: transaction.provider_id,
            customer: transaction.customer.into(),
            product: transaction.product,
            product_family: transaction.product_family,
            kind: transaction.kind,
            original_transaction_id: transaction.original_transaction_id,
            occurred_on: transaction.occurred_on,
            units: transaction.units,
            created_at: transaction.created_at,
        }
    }
}

page_of!(
    /// One page of transactions.
    pub TransactionPage of TransactionView
);

/// A transaction to record.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "source": "billing", "external_id": "INV-2026-000317-1", "partner_id": "01936f2e-4b00-7000-8000-000000000001",
    "customer": {"id": "C-20881", "country": "US", "public_sector": false}, "product": "CFQ7TTC0LH18",
    "product_family": "modern-work", "kind": "purchase", "occurred_on": "2026-08-03",
    "amount": {"amount": "1234.50", "currency": "USD"}, "units": 25
}))]
pub struct TransactionCreate {
    /// The system that reports the transaction; kept in lower case, because sources compare without case.
    #[schema(min_length = 1, max_length = 64, pattern = r"^\S(.*\S)?$")]
    pub source: String,
    /// The number of the transaction in the source. A number reported again with the same content is recorded once.
    #[schema(min_length = 1, max_length = 128, pattern = r"^\S(.*\S)?$")]
    pub external_id: String,
    /// The partner that sold, and earns.
    pub partner_id: PartnerKey,
    /// The indirect provider that an indirect reseller bought through.
    #[serde(default)]
    pub provider_id: Option<PartnerKey>,
    /// The customer that bought.
    pub customer: TransactionCustomer,
    /// The stock keeping unit (SKU) of the product.
    #[schema(min_length = 1, max_length = 128, pattern = r"^\S(.*\S)?$")]
    pub product: String,
    /// The family of the product.
    #[schema(min_length = 1, max_length = 64, pattern = r"^\S(.*\S)?$")]
    pub product_family: String,
    /// Purchase or refund.
    pub kind: TransactionKind,
    /// The purchase that a refund takes back, of the same partner and in the same currency; for refunds only.
    #[serde(default)]
    pub original_transaction_id: Option<Id>,
    /// The purchase that a refund takes back, by its `external_id` in the same source, instead of its id.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 128, pattern = r"^\S(.*\S)?$")]
    pub original_external_id: Option<String>,
    /// The day that the transaction counts on: not in the future, and not before the purchase that a refund takes back.
    pub occurred_on: CalendarDate,
    /// The amount: above zero for a purchase, below for a refund. All refunds together never exceed their purchase.
    pub amount: Money,
    /// The number of units sold.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub units: Option<i32>,
}

impl TransactionCreate {
    /// Whether every text consists of letters, digits and plain signs, and has the right length. The contract accepts
    /// every plain body, so that a plain body need not be checked against the contract.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let plain = |text: &str, most: usize| {
            let fits = |c: char| c.is_ascii_graphic() || c == ' ' || (!c.is_ascii() && c.is_alphanumeric());
            !text.is_empty()
                && text.len() <= most
                && text.chars().all(fits)
                && is_composed(text)
                && !text.starts_with(' ')
                && !text.ends_with(' ')
        };
        plain(&self.source, 64)
            && plain(&self.external_id, 128)
            && plain(&self.customer.id, 128)
            && plain(&self.product, 128)
            && plain(&self.product_family, 64)
            && self.original_external_id.as_ref().is_none_or(|number| plain(number, 128))
            && self.units.is_none_or(|units| (0..=1_000_000_000).contains(&units))
    }

    /// The transaction to record, of the partners whose keys the body names.
    #[must_use]
    pub fn of_partners(self, partner_id: Id, provider_id: Option<Id>) -> NewTransaction {
        NewTransaction {
            source: source_name(self.source),
            external_id: self.external_id,
            partner_id,
            provider_id,
            customer: self.customer.into(),
            product: self.product,
            product_family: self.product_family,
            kind: self.kind,
            original_transaction_id: self.original_transaction_id,
            original_external_id: self.original_external_id,
            occurred_on: self.occurred_on,
            amount: self.amount,
            units: self.units,
        }
    }
}

/// Which transactions to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TransactionFilter {
    /// Sold by this partner.
    pub partner_id: Option<PartnerKey>,
    /// Of this kind.
    #[param(inline)]
    pub kind: Option<TransactionKind>,
    /// Reported by this system.
    #[param(max_length = 64, example = "billing")]
    pub source: Option<String>,
    /// With this number in the system that reported it.
    #[param(max_length = 128, example = "INV-2026-000317-1")]
    pub external_id: Option<String>,
    /// That occurred on this day or later.
    pub from: Option<CalendarDate>,
    /// That occurred on this day or earlier.
    pub to: Option<CalendarDate>,
    /// Of products of this family.
    #[param(max_length = 64, example = "modern-work")]
    pub product_family: Option<String>,
    /// Bought by this customer.
    #[param(max_length = 128, example = "C-20881")]
    pub customer_id: Option<String>,
}

/// List transactions
///
/// The purchases and refunds of the partners that the caller may see, the latest recorded first.
#[utoipa::path(
    tag = "transactions",
    params(TransactionFilter, PageParams),
    responses((status = 200, body = TransactionPage))
)]
#[get("/v1/transactions")]
async fn list_transactions(
    caller: Caller<ListTransactions>,
    page: PageRequest<TransactionFilter>,
) -> Result<Listing> {
    caller
        .list(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let transactions = store::list(tx, page)?;
            let cursor = |transaction: &Transaction| Cursor { key: None, id: transaction.id };
            Ok(page.answer(transactions, total, cursor, TransactionView::from))
        })
        .await
}

/// Record a transaction
///
/// `source` and `external_id` name a transaction, which is recorded once. Where the transaction is reported again with
/// the same content, the answer is 200 with the record; with other content, 409 `transaction_conflict`. Texts are kept
/// in Unicode normalization form C: a number is the same number, whichever way a system spells its accents. Sources
/// compare without case.
#[utoipa::path(
    tag = "transactions",
    request_body = TransactionCreate,
    responses(
        (status = 200, description = "The transaction was recorded before, with the same content.", body = TransactionView),
        (status = 201, body = TransactionView)
    )
)]
#[post("/v1/transactions")]
async fn create_transaction(
    caller: Caller<CreateTransaction>,
    body: Body<TransactionCreate>,
) -> Result<Answer> {
    caller
        .write(body, |tx, new| {
            let id = tx.new_id();
            let partner = new.partner_id.id(tx)?;
            let provider = new.provider_id.as_ref().map(|provider| provider.id(tx)).transpose()?;
            let transaction = service::create(tx, id, new.clone().of_partners(partner, provider))?;
            if transaction.id != id {
                tx.exempt_from_audit(Unaudited::NothingWritten);
                return Ok(record(transaction));
            }
            Ok(Answer::created(format!("/v1/transactions/{id}"), &TransactionView::from(transaction), 1))
        })
        .await
}

/// Read a transaction
///
/// One transaction.
#[utoipa::path(tag = "transactions", responses((status = 200, body = TransactionView)))]
#[get("/v1/transactions/{id}")]
async fn get_transaction(caller: Caller<GetTransaction>, id: Path<Id>) -> Result<Answer> {
    caller.read(move |tx| store::get(tx, *id).map(record)).await
}

/// The answer with a transaction. A transaction never changes, so the revision is always the first.
fn record(transaction: Transaction) -> Answer {
    Answer::record(&TransactionView::from(transaction), 1)
}
