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
    payouts::payments,
    platform::{
        Result,
        values::{Id, Month},
    },
};
use std::collections::HashMap;

/// What a run selects of these partners' waiting rebates. Thresholds are converted at the rates of `paid_in`.
pub(super) fn select(tx: &mut Tx<'_>, range: WaitingRange, paid_in: Month, ids: &[Id]) -> Result<Selection> {
    let statuses: HashMap<Id, PartnerStatus> =
        partners::many(tx, ids)?.into_iter().map(|partner| (partner.id, partner.status)).collect();
    let standings = profiles::standings(tx, ids, tx.today())?;
    let accruing = accounting::partners_accruing(tx, ids)?;
    let rates = payments::rates_of(tx, ids)?;
    let rebates = accounting::rebates_within(tx, range, ids)?;
    let mut enrolled: Vec<Id> = rebates.iter().map(|rebate| rebate.enrollment_id).collect();
    enrolled.sort_unstable();
    enrolled.dedup();
    let thresholds = PaymentThresholds::load(tx, &enrolled, paid_in)?;
    let mut selection = Selection::default();
    let same = |one: &accounting::Rebate, other: &accounting::Rebate| {
        (one.partner_id, one.currency) == (other.partner_id, other.currency)
    };
    for of_payee in rebates.chunk_by(same) {
        let Some(partner) = of_payee.first().map(|rebate| rebate.partner_id) else { continue };
        let payee = PayeeFacts {
            status: statuses.get(&partner).copied().unwrap_or(PartnerStatus::Suspended),
            standing: standings.get(&partner).copied().unwrap_or(Standing::Missing),
            is_accruing: accruing.contains(&partner),
            rate: *payments::rate_for(&rates, partner)?,
        };
        selection.add(payee, of_payee, |enrollment, currency| thresholds.of(enrollment, currency))?;
    }
    Ok(selection)
}

/// The totals of a run over everything in a range, without making the run.
pub(super) fn totals(tx: &mut Tx<'_>, range: WaitingRange, paid_in: Month, at_once: i64) -> Result<Totals> {
    let (mut totals, mut after) = (Totals::new(), None);
    loop {
        let ids = accounting::partners_within(tx, range, after, at_once)?;
        let Some(last) = ids.last().copied() else { return Ok(totals) };
        after = Some(last);
        for (currency, total) in select(tx, range, paid_in, &ids)?.totals {
            totals.entry(currency).or_insert_with(|| super::model::RunTotal::none(currency)).add(&total)?;
        }
    }
}
