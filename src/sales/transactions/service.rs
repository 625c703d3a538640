//! Recording a transaction.

use super::{
    api::TransactionView,
    backlog::{self, CalculationCause, Since, Waiting},
    model::{Named, NewTransaction, Transaction, TransactionKind},
    store,
};
use crate::{
    access::Tx,
    audit,
    network::{partners, partners::Partner},
    platform::{
        Error, Result, codes,
        values::{Id, Money},
    },
    text,
};

crate::problem_codes! {
    TRANSACTION_CONFLICT = "transaction_conflict" 409 ["This transaction was reported before, with other content", "この取引は異なる内容で報告済みです"],
        ["`source` and `external_id` name one transaction for ever. `transaction_id` is the one on record, `differing` the members that differ. A correction is a refund and a new purchase, each with an `external_id` of its own.", "`source` と `external_id` は 1 つの取引に恒久的に割り当てられます。登録済みの取引は `transaction_id`、異なる項目は `differing` に示されます。訂正する場合は、それぞれ固有の `external_id` を付けた返品と新しい購入を報告してください。"];
    REFUND_EXCEEDS_PURCHASE = "refund_exceeds_purchase" 409 ["The refunds together would exceed the purchase", "返品の合計額が購入額を超えます"],
        ["`left` is what can still be taken back of the purchase.", "この購入について返品できる残額は `left` に示されます。"];
}

/// Records a transaction once. Where the source has reported the transaction before with the same content, returns the
/// record of then, which has another id than `id`.
pub fn create(tx: &mut Tx<'_>, id: Id, new: NewTransaction) -> Result<Transaction> {
    tx.lock_partner(new.partner_id)?;
    if let Some(provider) = new.provider_id {
        partners::keep(tx, provider)?;
    }
    let original = original(tx, &new)?;
    if let Some(known) = store::find_by_external_id(tx, &new.source, &new.external_id)? {
        return repeated(known, &new, original.as_ref());
    }
    let partners = (partner(tx, Some(new.partner_id))?, partner(tx, new.provider_id)?);
    let named =
        Named { partner: partners.0.as_ref(), provider: partners.1.as_ref(), original: original.as_ref() };
    let faults = new.faults(named, tx.today());
    if !faults.is_empty() {
        return Err(Error::invalid(faults));
    }
    if let Some(purchase) = named.original {
        refuse_exceeding(tx, purchase, new.amount)?;
    }
    let original = named.original.map(|original| original.id);
    let transaction = new.recorded(id, original, tx.now);
    store::insert(tx, &transaction)?;
    audit::Event::on("transaction", id)
        .of_partner(transaction.partner_id)
        .after(&TransactionView::from(transaction.clone()))
        .record(tx)?;
    let bought_on = named.original.map_or(transaction.occurred_on, |purchase| purchase.occurred_on);
    let (since, partner_id) = (Since::Day(bought_on), transaction.partner_id);
    let cause = match transaction.kind {
        TransactionKind::Purchase => CalculationCause::Sale,
        TransactionKind::Refund => CalculationCause::Refund,
    };
    backlog::note_sales(tx, &[Waiting { partner_id, since, cause }])?;
    tx.sale_recorded(transaction.partner_id);
    Ok(transaction)
}

/// The purchase that a refund names, by id or by number.
fn original(tx: &mut Tx<'_>, new: &NewTransaction) -> Result<Option<Transaction>> {
    match (new.original_transaction_id, &new.original_external_id) {
        (Some(id), _) => store::find(tx, id),
        (None, Some(number)) => store::find_by_external_id(tx, &new.source, number),
        (None, None) => Ok(None),
    }
}

fn repeated(known: Transaction, new: &NewTransaction, original: Option<&Transaction>) -> Result<Transaction> {
    let differing = known.differences(new, original);
    if differing.is_empty() {
        return Ok(known);
    }
    let detail = text!(
        "transaction {} has this source and external id, and differs in {}",
        "同じ source と external_id の取引 {} が登録済みで、次の項目の内容が異なります：{}",
        known.id,
        differing.join(", ")
    );
    Err(Error::new(&TRANSACTION_CONFLICT, detail)
        .with("transaction_id", known.id)
        .with("differing", differing))
}

fn partner(tx: &mut Tx<'_>, id: Option<Id>) -> Result<Option<Partner>> {
    match id.map(|id| partners::get(tx, id)).transpose() {
        Err(error) if error.code == &codes::NOT_FOUND => Ok(None),
        found => found,
    }
}

/// Refuses a refund that exceeds the rest of its purchase. Purchase and refunds belong to the locked partner, so no
/// other unit adds a refund before this one is written.
fn refuse_exceeding(tx: &mut Tx<'_>, purchase: &Transaction, refund: Money) -> Result<()> {
    let left = Money { minor: purchase.minor + store::refunded(tx, purchase)?, currency: purchase.currency };
    if left.minor + refund.minor >= 0 {
        return Ok(());
    }
    let detail = text!(
        "of this purchase, {left} can still be taken back",
        "この購入について返品できる残額は {left} です。"
    );
    Err(Error::new(&REFUND_EXCEEDS_PURCHASE, detail).with("left", left))
}
