//! The rebates of a month that is closed fall due: they are payable, or wait for the partner's profiles.

use super::{
    Rebate, RebateReason, RebateState, hold_notices,
    service::{of_closed_month, standings},
    store,
};
use crate::{
    access::Tx,
    network::profiles::Standing,
    platform::{
        Result,
        values::{Id, Month},
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// Puts the rebates of a month that still accrue into the state that the profiles allow; partners who have to do something
/// first are told. The unit holds the partners.
pub(super) fn fall_due(tx: &mut Tx<'_>, month: Month, rebates: &[Rebate]) -> Result<()> {
    let standings = standings(tx, rebates)?;
    let (mut due, mut held) = (BTreeMap::<Standing, BTreeSet<Id>>::new(), Vec::new());
    for rebate in rebates.iter().filter(|rebate| rebate.state == RebateState::Accruing) {
        let standing = standings.get(&rebate.partner_id).copied().unwrap_or(Standing::Missing);
        due.entry(standing).or_default().insert(rebate.partner_id);
        let after = of_closed_month(tx, rebate.clone(), standing);
        if after.state_reason.is_some_and(hold_notices::is_told) {
            held.push(after);
        }
    }
    for (standing, partners) in due {
        let partners: Vec<Id> = partners.into_iter().collect();
        store::fall_due(tx, month, &partners, RebateReason::of(standing))?;
    }
    hold_notices::tell(tx, &held)
}
