//! The facts of a portion of partners, by a constant number of statements, and what a run selects of them.

use super::{
    model::Totals,
    selection::{PayeeFacts, Selection},
};
use crate::{
    access::Tx,
    ledger::accounting::{self, PaymentThresholds, WaitingRange},
    network::{
        partners::{self, PartnerStatus},
        profiles::{self, Standing},
    },
    payouts::{
        coop_claims,
        payments::{self, Owed},
    },
    platform::{
        Error, Result,
        values::{Id, Month},
    },
};
use std::collections::HashMap;

/// What a run selects of these partners' waiting rebates and claims. Thresholds are converted at the rates of `paid_in`.
pub(super) fn select(tx: &mut Tx<'_>, range: WaitingRange, paid_in: Month, ids: &[Id]) -> Result<Selection> {
    let statuses: HashMap<Id, PartnerStatus> =
        partners::many(tx, ids)?.into_iter().map(|partner| (partner.id, partner.status)).collect();
    let standings = profiles::standings(tx, ids, tx.today())?;
    let accruing = accounting::partners_accruing(tx, ids)?;
    let rates = payments::rates_of(tx, ids)?;
    let rebates = accounting::rebates_within(tx, range, ids)?.into_iter().map(Owed::Rebate);
    let claims =
        coop_claims::payable_of(tx, range, ids)?.into_iter().map(|claim| Owed::Claim(Box::new(claim)));
    let waiting: Vec<Owed> = rebates.chain(claims).collect();
    let mut enrolled: Vec<Id> = waiting.iter().map(Owed::enrollment_id).collect();
    enrolled.sort_unstable();
    enrolled.dedup();
    let thresholds = PaymentThresholds::load(tx, &enrolled, paid_in)?;
    let mut selection = Selection::default();
    let key = |owed: &Owed| (owed.document_kind(), owed.partner_id(), owed.currency());
    for of_payee in waiting.chunk_by(|one, other| key(one) == key(other)) {
        let Some(partner) = of_payee.first().map(Owed::partner_id) else { continue };
        let payee = PayeeFacts {
            status: statuses.get(&partner).copied().unwrap_or(PartnerStatus::Suspended),
            standing: standings.get(&partner).copied().unwrap_or(Standing::Missing),
            is_accruing: accruing.contains(&partner),
            withholding: *payments::rates_for(&rates, partner)?,
        };
        selection.add(payee, of_payee, |enrollment, currency| thresholds.of(enrollment, currency))?;
    }
    Ok(selection)
}

/// Up to `most` partners with a rebate or a claim that waits to be paid, after a partner, in the order of their ids.
pub(super) fn partners_within(
    tx: &mut Tx<'_>,
    range: WaitingRange,
    after: Option<Id>,
    most: i64,
) -> Result<Vec<Id>> {
    let mut partners = accounting::partners_within(tx, range, after, most)?;
    partners.extend(coop_claims::partners_payable(tx, range, after, most)?);
    partners.sort_unstable();
    partners.dedup();
    partners.truncate(usize::try_from(most).map_err(Error::internal)?);
    Ok(partners)
}

/// The number of partners with a rebate or a claim that waits to be paid.
pub(super) fn count_within(tx: &mut Tx<'_>, range: WaitingRange, at_once: i64) -> Result<i64> {
    let mut count = accounting::count_within(tx, range)?;
    let mut after = None;
    loop {
        let claiming = coop_claims::partners_payable(tx, range, after, at_once)?;
        let Some(last) = claiming.last().copied() else { return Ok(count) };
        after = Some(last);
        let counted = accounting::count_among(tx, range, &claiming)?;
        count += i64::try_from(claiming.len()).map_err(Error::internal)? - counted;
    }
}

/// The totals of a run over everything in a range, without making the run.
pub(super) fn totals(tx: &mut Tx<'_>, range: WaitingRange, paid_in: Month, at_once: i64) -> Result<Totals> {
    let (mut totals, mut after) = (Totals::new(), None);
    loop {
        let ids = partners_within(tx, range, after, at_once)?;
        let Some(last) = ids.last().copied() else { return Ok(totals) };
        after = Some(last);
        for (currency, total) in select(tx, range, paid_in, &ids)?.totals {
            totals.entry(currency).or_insert_with(|| super::model::RunTotal::none(currency)).add(&total)?;
        }
    }
}
