//! Rounding, caps and the split: how a computed amount becomes an amount that is given.

use super::{
    CapHolder, CapUse, Exact, OutOfRange, Reason, Shortfall,
    month::{LeverOf, MonthFold},
    split,
};
use crate::{
    participation::programs::{CapScope, Lever, ProgramVersion},
    platform::values::Currency,
};

/// An amount after rounding, cap and split, in minor units.
#[derive(Clone, Copy, Default)]
pub(super) struct Given {
    pub whole: i64,
    pub amount: i64,
    pub rebate: i64,
}

impl Given {
    /// What the cap cuts off.
    pub fn cut(&self) -> Result<i64, OutOfRange> {
        self.whole.checked_sub(self.amount).ok_or(OutOfRange)
    }
}

impl<'a> MonthFold<'a, '_> {
    /// What is left for a holder under the lever's cap, in whole minor units of a currency; none without a cap.
    pub(super) fn balance(
        &mut self,
        of: LeverOf<'a>,
        holder: Option<&CapHolder>,
        currency: Currency,
    ) -> Result<Option<i64>, OutOfRange> {
        let (Some(cap), Some(holder)) = (of.lever.cap(), holder) else { return Ok(None) };
        let from_cap = self.year.facts.rates.proportion(self.month, cap.amount.currency, currency);
        let Some(from_cap) = from_cap else { return Ok(Some(0)) };
        let used = self.standing_of(of.lever).used.get(holder).copied().unwrap_or_default();
        used.left_of(cap.amount, from_cap).map(Some)
    }

    pub(super) fn use_cap(
        &mut self,
        of: LeverOf<'a>,
        holder: Option<CapHolder>,
        currency: Currency,
        amount: i64,
    ) -> Result<(), OutOfRange> {
        let (Some(cap), Some(holder), true) = (of.lever.cap(), holder, amount != 0) else { return Ok(()) };
        let into_cap = self.year.facts.rates.proportion(self.month, currency, cap.amount.currency);
        let Some(into_cap) = into_cap else { return Ok(()) };
        let more = CapUse::converted(amount, into_cap)?;
        let month = self.month;
        let standing = self.standing_of(of.lever);
        let in_month = standing.used_in.entry(month).or_default().entry(holder.clone()).or_default();
        *in_month = in_month.plus(more);
        let used = standing.used.entry(holder).or_default();
        *used = used.plus(more);
        Ok(())
    }
}

/// Rounds once, caps, and splits.
pub(super) fn given(
    version: &ProgramVersion,
    unrounded: Exact,
    balance: Option<i64>,
) -> Result<Given, OutOfRange> {
    let whole = unrounded.rounded().ok_or(OutOfRange)?;
    let amount = balance.map_or(whole, |balance| whole.min(balance));
    Ok(Given { whole, amount, rebate: split(amount, version.rebate_rate).0 })
}

/// Why an origin earns nothing or not all of it: by what it earns, what a cap cuts off, and the reason for nothing at all.
pub(super) fn shortfall(amount: i64, cut: i64, used_up: bool, nothing: Reason) -> Option<Shortfall> {
    if cut != 0 {
        let reason = if used_up { Reason::CapReached } else { Reason::CapPartiallyApplied };
        return Some(Shortfall { reason, capped: Some(cut) });
    }
    (amount == 0).then_some(Shortfall { reason: nothing, capped: None })
}

/// Whose balance a lever's cap takes from; none without a cap.
pub(super) fn holder(lever: &Lever, customer: Option<&str>) -> Option<CapHolder> {
    let cap = lever.cap()?;
    Some(match (cap.scope, customer) {
        (CapScope::Customer, Some(customer)) => CapHolder::Customer(customer.to_owned()),
        (CapScope::Customer, None) | (CapScope::Partner, _) => CapHolder::Partner,
    })
}
