//! What is remembered of sales that were taken in, so that what takes them back later can be posted.

use super::{gather::Take, model::Whose, sales};
use crate::{
    access::Tx,
    earnings::engine::{Books, Counted, Facts, Terms},
    participation::programs::{Lever, LeverScale},
    platform::{Result, values::Id},
    sales::transactions,
};
use std::collections::HashMap;

/// Lays the purchases into the books that refunds among the sales take back and that were counted before.
pub(super) fn recall(
    tx: &mut Tx<'_>,
    whose: Whose,
    terms: &Terms<'_>,
    facts: &Facts,
    asks_before: bool,
    takes: &[Take],
    books: &mut Books,
) -> Result<()> {
    let of: HashMap<Id, &Take> = takes.iter().map(|take| (take.sale.id, take)).collect();
    let takes_it = |id: Id, lever: &str| {
        of.get(&id).is_some_and(|take| take.levers.as_ref().is_none_or(|levers| levers.contains(lever)))
    };
    // What is judged again is among the refunds counted already.
    let mut again: HashMap<(Id, &str), i64> = HashMap::new();
    for take in takes {
        for lever in take.levers.iter().flatten() {
            let purchase = take.sale.refund_of.unwrap_or(take.sale.id);
            let minor = if take.sale.refund_of.is_some() { take.sale.amount.minor } else { 0 };
            *again.entry((purchase, lever)).or_default() += minor;
        }
    }
    let mut purchases: Vec<Id> = takes.iter().filter_map(|take| take.sale.refund_of).collect();
    purchases.sort_unstable();
    purchases.dedup();
    if purchases.is_empty() {
        return Ok(());
    }
    let counted = transactions::counted(tx, whose.counting(&[whose.enrollment_id]), &purchases)?;
    purchases.retain(|purchase| counted.contains_key(purchase));
    let past = sales::past(tx, whose, &purchases)?;
    for (sale, _) in sales::of_ids(tx, whose.partner_id, &purchases, asks_before)? {
        for lever in terms.levers {
            let code = lever.code();
            if takes_it(sale.id, code) {
                continue;
            }
            let key = (sale.id, code.to_owned());
            let again = again.get(&(sale.id, code)).copied().unwrap_or_default();
            let refunded = past.refunded.get(&sale.id).copied().unwrap_or_default() - again;
            let offset = counted.get(&sale.id).and_then(|sale| sale.offsets.get(code)).copied();
            let recalled = Counted {
                net: sale.amount.minor + refunded,
                barred: past.barred.get(&key).cloned(),
                offset: offset.unwrap_or_default(),
                posted: past.posted.get(&key).copied().unwrap_or_default(),
                cut: past.cut.get(&key).copied().unwrap_or_default(),
                sale: sale.clone(),
            };
            books.recall(terms, facts, lever, recalled);
        }
    }
    Ok(())
}

/// Notes which sales were taken in; of purchases also what lay below them, where a lever counts slices.
pub(super) fn keep(
    tx: &mut Tx<'_>,
    whose: Whose,
    terms: &Terms<'_>,
    takes: &[Take],
    books: &Books,
) -> Result<()> {
    let slices = |lever: &&Lever| {
        matches!(
            lever,
            Lever::Core { scale: LeverScale::Marginal { .. }, .. }
                | Lever::Accelerator { scale: LeverScale::Marginal { .. }, .. }
        )
    };
    let marginal: Vec<&str> = terms.levers.iter().filter(slices).map(Lever::code).collect();
    let accounts: Vec<_> = books.accounts().filter(|(lever, _)| marginal.contains(lever)).collect();
    let again: Vec<Id> = takes.iter().filter(|take| take.levers.is_some()).map(|take| take.sale.id).collect();
    let known = transactions::counted(tx, whose.counting(&[whose.enrollment_id]), &again)?;
    let mut sales = Vec::with_capacity(takes.len());
    for take in takes {
        let mut offsets = known.get(&take.sale.id).map(|sale| sale.offsets.clone()).unwrap_or_default();
        for (lever, account) in &accounts {
            let purchase = account.purchases.get(&take.sale.id);
            if let Some(purchase) = purchase.filter(|purchase| purchase.barred.is_none()) {
                offsets.insert((*lever).to_owned(), purchase.offset);
            }
        }
        sales.push((take.sale.id, offsets));
    }
    transactions::count(tx, whose.partner_id, whose.enrollment_id, &again, sales)
}
