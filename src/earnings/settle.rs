//! How a target becomes a posting: rounded once, capped, and less what was posted before.

use super::{
    Earning, Exact, Ineligible, Origin, Outcome, Reason, Step,
    account::{Group, Position, Purchase},
    books::{Page, marginal},
    scale::{self, Slice},
    split,
};
use crate::{
    platform::values::{Leftover, Money, Month},
    programs::{CapScope, GrowthBaseline, Lever, LeverScale, LeverTier, TierPeriod},
};
use std::collections::BTreeSet;

/// What a group gives by what is known now.
struct Target {
    /// Before it is rounded.
    unrounded: Exact,
    /// How that came about.
    steps: Vec<Step>,
    /// Why it gives nothing, where it does.
    nothing: Reason,
}

impl Page<'_> {
    /// Settles a purchase that is posted by itself, after a sale or refund of it.
    pub(super) fn settle_sale(&mut self, purchase: &Purchase, origin: Origin) {
        let steps = self.slices_of(purchase);
        let target = Target { unrounded: purchase.unrounded, steps, nothing: Reason::AmountTooSmall };
        self.settle(&purchase.group, origin, Some(&purchase.customer), target);
    }

    /// Settles everything else that has moved.
    pub(super) fn close(&mut self) {
        let dirty = std::mem::take(&mut self.account.dirty);
        if let Some((period, tiers)) = retroactive(self.lever) {
            return self.settle_lifts(period, tiers, &dirty);
        }
        for group in dirty {
            let target = match self.lever {
                Lever::Growth { rate, baseline, .. } => self.growth(group.month, *rate, *baseline),
                _ => Target {
                    unrounded: self.account.positions.get(&group).map_or(Exact::ZERO, |p| p.unrounded),
                    steps: Vec::new(),
                    nothing: Reason::AmountTooSmall,
                },
            };
            let customer = match &group.origin {
                Origin::CustomerMonth(customer) => Some(customer.clone()),
                _ => None,
            };
            self.settle(&group, group.origin.clone(), customer.as_deref(), target);
        }
    }

    /// Each month of a period at the rate the period reaches with it, less what the months before have given. The
    /// months sum to the whole whatever the cut, since each is a difference of rounded sums.
    fn settle_lifts(&mut self, period: TierPeriod, tiers: &[LeverTier], dirty: &BTreeSet<Group>) {
        let periods: BTreeSet<_> = dirty.iter().map(|group| period.begins(group.month.first_day())).collect();
        for begins in periods {
            let months: Vec<(Month, i64)> = self
                .account
                .months
                .range(Month::of(begins)..)
                .take_while(|(month, _)| period.begins(month.first_day()) == begins)
                .map(|(month, volume)| (*month, *volume))
                .collect();
            let (mut volume, mut before) = (0, 0);
            for (month, moved) in months {
                volume += moved;
                let slice = scale::reached(tiers, volume);
                let reached = slice.map_or(Exact::ZERO, Slice::gives).rounded();
                let group = Group { origin: Origin::Month, month, currency: self.terms.currency };
                let target = Target {
                    unrounded: Exact::whole(reached) - Exact::whole(before),
                    steps: slice.map(|slice| self.step(slice)).into_iter().collect(),
                    nothing: Reason::AmountTooSmall,
                };
                before = reached;
                self.settle(&group, Origin::Month, None, target);
            }
        }
    }

    /// What a month has grown by, at the lever's rate; a month that has not grown gives nothing.
    fn growth(&self, month: Month, rate: crate::platform::values::Rate, baseline: GrowthBaseline) -> Target {
        let (sum, over) = match baseline {
            GrowthBaseline::SameMonthLastYear {} => (self.sold_in(month.plus(-12)), 1),
            GrowthBaseline::TrailingAverage { months } => {
                let months = i32::try_from(months).unwrap_or(1).max(1);
                ((1..=months).map(|back| self.sold_in(month.plus(-back))).sum(), i64::from(months))
            }
            GrowthBaseline::Fixed { amount } => (amount.minor, 1),
        };
        let growth = (self.sold_in(month) * over - sum).max(0);
        let amount =
            Money { minor: Exact::whole(sum).part(1, over).rounded(), currency: self.terms.currency };
        Target {
            unrounded: Exact::share(growth, rate).part(1, over),
            steps: vec![Step::Baseline { amount }],
            nothing: Reason::NoGrowth,
        }
    }

    /// What the lever has counted in a month, in the year or before it.
    fn sold_in(&self, month: Month) -> i64 {
        let before = self.facts.history.get(&(self.lever.code().to_owned(), month));
        self.account.months.get(&month).or(before).copied().unwrap_or_default()
    }

    /// Posts the difference between a group's target and what it has posted, and says what a cap cuts off.
    fn settle(&mut self, group: &Group, origin: Origin, customer: Option<&str>, target: Target) {
        let mut position = self.account.positions.remove(group).unwrap_or_default();
        let whole = target.unrounded.rounded();
        let balance = self.balance_for(group, customer, position.used);
        let amount = balance.map_or(whole, |balance| whole.min(balance.minor));
        let cut = whole - amount;
        let (change, cut_change) = (amount - position.posted, cut - position.cut);
        if change != 0 {
            let cap = balance.filter(|_| cut != 0).map(|balance| (balance, cut));
            let earning = self.earning(group, origin.clone(), &position, (whole, change), target.steps, cap);
            self.outcomes.push(Outcome::Earning(Earning {
                unrounded: target.unrounded - position.settled.1,
                ..earning
            }));
        }
        if cut_change != 0 {
            let used_up = amount == 0 && position.posted == 0;
            let reason = if used_up { Reason::CapReached } else { Reason::CapPartiallyApplied };
            let capped = Some(Money { minor: cut_change, currency: group.currency });
            let lever = self.lever.code().to_owned();
            let earned_in = group.month;
            self.outcomes.push(Outcome::Ineligible(Ineligible { lever, origin, earned_in, reason, capped }));
        } else if change == 0 && (matches!(origin, Origin::Sale(_)) || whole == 0 && !position.told) {
            self.refuse(origin, group.month, target.nothing);
            position.told = true;
        }
        self.use_cap(group, customer, &mut position, amount);
        position.settled = (position.base, target.unrounded);
        (position.posted, position.cut) = (amount, cut);
        self.account.positions.insert(group.clone(), position);
    }

    fn earning(
        &self,
        group: &Group,
        origin: Origin,
        position: &Position,
        (whole, change): (i64, i64),
        slices: Vec<Step>,
        cap: Option<(Money, i64)>,
    ) -> Earning {
        let money = |minor| Money { minor, currency: group.currency };
        let (rebate, coop) = split(change, self.terms.rebate_rate);
        let mut trace = vec![Step::Base { amount: money(position.base) }];
        trace.extend(slices);
        trace.push(Step::Rounded { amount: money(whole) });
        trace.extend(cap.map(|(balance, cut)| Step::Cap { balance, cut: money(cut) }));
        if position.posted != 0 {
            trace.push(Step::Posted { amount: money(position.posted) });
        }
        trace.push(Step::Split { rate: self.terms.rebate_rate, rebate: money(rebate), coop: money(coop) });
        Earning {
            lever: self.lever.code().to_owned(),
            origin,
            earned_in: group.month,
            currency: group.currency,
            base: position.base - position.settled.0,
            unrounded: Exact::ZERO,
            amount: change,
            rebate,
            coop,
            trace,
        }
    }

    /// What a group may use of the cap, its own part included, in its currency; none where the lever has no cap.
    fn balance_for(&self, group: &Group, customer: Option<&str>, own: i64) -> Option<Money> {
        let cap = self.lever.cap()?;
        let others = self.account.used(self.holder(customer)) - own;
        let left = Money { minor: cap.amount.minor - others, ..cap.amount };
        self.facts.rates.convert(group.month, left, group.currency, Leftover::Down)
    }

    /// Keeps what a group uses of the cap.
    fn use_cap(&mut self, group: &Group, customer: Option<&str>, position: &mut Position, amount: i64) {
        let Some(cap) = self.lever.cap() else { return };
        let amount = Money { minor: amount, currency: group.currency };
        let leftover = if amount.minor > 0 { Leftover::Up } else { Leftover::Down };
        let used = self.facts.rates.convert(group.month, amount, cap.amount.currency, leftover);
        let used = used.map_or(position.used, |money| money.minor);
        let holder = self.holder(customer).map(str::to_owned);
        *self.account.used.entry(holder).or_default() += used - position.used;
        position.used = used;
    }

    /// Whose balance it is.
    fn holder<'a>(&self, customer: Option<&'a str>) -> Option<&'a str> {
        customer.filter(|_| self.lever.cap().is_some_and(|cap| cap.scope == CapScope::Customer))
    }

    fn slices_of(&self, purchase: &Purchase) -> Vec<Step> {
        let top = purchase.offset + purchase.volume;
        match (self.lever, marginal(self.lever)) {
            (_, Some((_, tiers))) => {
                scale::slices(tiers, purchase.offset, top).map(|slice| self.step(slice)).collect()
            }
            (
                Lever::Core { scale: LeverScale::Flat { rate }, .. }
                | Lever::Accelerator { scale: LeverScale::Flat { rate }, .. },
                _,
            ) => {
                let volume = Money { minor: purchase.net, currency: purchase.currency };
                vec![Step::Slice { volume, rate: *rate, gives: Exact::share(purchase.net, *rate) }]
            }
            _ => Vec::new(),
        }
    }

    fn step(&self, slice: Slice) -> Step {
        let volume = Money { minor: slice.volume, currency: self.terms.currency };
        Step::Slice { volume, rate: slice.rate, gives: slice.gives() }
    }
}

/// The tiers of a lever that lifts a whole period.
fn retroactive(lever: &Lever) -> Option<(TierPeriod, &[LeverTier])> {
    match lever {
        Lever::Core { scale: LeverScale::Retroactive { period, tiers }, .. }
        | Lever::Accelerator { scale: LeverScale::Retroactive { period, tiers }, .. } => {
            Some((*period, tiers))
        }
        _ => None,
    }
}
