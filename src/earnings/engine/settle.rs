//! How a target becomes a posting: rounded once, capped, and less what was posted before.

use super::{
    Earning, Exact, Figures, Ineligible, Origin, Outcome, Reason,
    account::{Group, Position, Purchase},
    books::Page,
    scale::{self, Slice},
    split,
};
use crate::{
    participation::programs::{CapScope, GrowthBaseline, Lever, LeverScale, LeverTier, TierPeriod},
    platform::values::{Leftover, Money, Month, Rate},
};
use std::collections::BTreeSet;

/// What a group gives by what is known now.
struct Target {
    /// Before it is rounded.
    unrounded: Exact,
    /// The volume that chose the rates, and where it begins.
    volume: i64,
    mark: i64,
    /// Why it gives nothing, where it does.
    nothing: Reason,
}

impl Position {
    /// Whether there is something to say beyond what was said: by what is known now, it gives so much.
    fn is_moved(&self, target: &Target) -> bool {
        let unsaid = !self.told && self.posted == 0 && target.unrounded.rounded() == 0;
        self.settled != (self.base, target.unrounded) || unsaid
    }
}

impl Page<'_> {
    /// Settles a purchase that is posted by itself, after a sale or refund of it.
    pub(super) fn settle_sale(&mut self, purchase: &Purchase, origin: Origin) {
        let (volume, mark) = (purchase.volume, purchase.offset);
        let target = Target { unrounded: purchase.unrounded, volume, mark, nothing: Reason::AmountTooSmall };
        self.settle(&purchase.group, origin, Some(&purchase.customer), target);
    }

    /// Settles everything else that has moved, but growth.
    pub(super) fn close(&mut self) {
        let dirty = std::mem::take(&mut self.account.dirty);
        if matches!(self.lever, Lever::Growth { .. }) {
            return;
        }
        if let Some((period, tiers)) = retroactive(self.lever) {
            return self.settle_lifts(period, tiers, &dirty);
        }
        for group in dirty {
            let target = Target {
                unrounded: self.account.positions.get(&group).map_or(Exact::ZERO, |p| p.unrounded),
                volume: 0,
                mark: 0,
                nothing: Reason::AmountTooSmall,
            };
            let customer = match &group.origin {
                Origin::CustomerMonth(customer) => Some(customer.clone()),
                _ => None,
            };
            self.settle(&group, group.origin.clone(), customer.as_deref(), target);
        }
    }

    /// Settles what months have grown by. A month that is compared with something whose rate is missing stays as it is,
    /// and says so every time: what it would give is not known, neither more nor less.
    pub(super) fn settle_months(&mut self, rate: Rate, baseline: GrowthBaseline) {
        let months = self.account.positions.iter().map(|(group, position)| {
            let target = self.growth(group.month, rate, baseline);
            let moved = target.as_ref().is_some_and(|target| position.is_moved(target));
            (group.clone(), target, moved)
        });
        let months: Vec<_> = months.collect();
        let moved = months.iter().any(|(.., moved)| *moved);
        for (group, target, _) in months {
            match target {
                None => self.refuse(Origin::Month, group.month, Reason::ExchangeRateMissing),
                // One that gives back under a cap gives to others.
                Some(target) if moved => self.settle(&group, Origin::Month, None, target),
                Some(_) => {}
            }
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
                    volume,
                    mark: 0,
                    nothing: Reason::AmountTooSmall,
                };
                before = reached;
                self.settle(&group, Origin::Month, None, target);
            }
        }
    }

    /// What a month has grown by, at the lever's rate; a month that has not grown gives nothing. None while a rate is
    /// missing for something it is compared with.
    fn growth(&self, month: Month, rate: Rate, baseline: GrowthBaseline) -> Option<Target> {
        let (sum, over) = match baseline {
            GrowthBaseline::SameMonthLastYear {} => (self.baseline(month.plus(-12))?, 1),
            GrowthBaseline::TrailingAverage { months } => {
                let months = i32::try_from(months).unwrap_or(1).max(1);
                let sum = (1..=months).map(|back| self.baseline(month.plus(-back))).sum::<Option<i64>>()?;
                (sum, i64::from(months))
            }
            GrowthBaseline::Fixed { amount } => (amount.minor, 1),
        };
        let volume = self.account.months.get(&month).copied().unwrap_or_default();
        let growth = (volume * over - sum).max(0);
        Some(Target {
            unrounded: Exact::share(growth, rate).part(1, over),
            volume,
            mark: Exact::whole(sum).part(1, over).rounded(),
            nothing: Reason::NoGrowth,
        })
    }

    /// What others are compared with of a month: what was sold in it before the year, each currency rounded once, and
    /// what the lever has counted in the year; none while a rate of either is missing.
    fn baseline(&self, month: Month) -> Option<i64> {
        let (rates, to) = (&self.facts.rates, self.terms.currency);
        let mut waiting = self.account.waiting.iter().filter(|(waits, _)| *waits == month);
        if waiting.any(|(_, currency)| !rates.knows(month, *currency, to)) {
            return None;
        }
        let before = self.facts.history.get(&(self.lever.code().to_owned(), month));
        let there = |money: &Money| rates.convert(month, *money, to, Leftover::Nearest).map(|it| it.minor);
        let before = before.into_iter().flatten().map(there).sum::<Option<i64>>()?;
        Some(before + self.account.months.get(&month).copied().unwrap_or_default())
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
            let figures = Figures {
                net: position.base,
                volume: target.volume,
                mark: target.mark,
                whole,
                cap_balance: balance.filter(|_| cut != 0).map(|balance| balance.minor),
                before: position.posted,
            };
            // The parts of what is posted in all, less those posted before: the same in however many postings.
            let (rebate, coop) = split(amount, self.terms.rebate_rate);
            let (rebate_before, coop_before) = split(position.posted, self.terms.rebate_rate);
            self.outcomes.push(Outcome::Earning(Earning {
                lever: self.lever.code().to_owned(),
                origin: origin.clone(),
                earned_in: group.month,
                currency: group.currency,
                base: position.base - position.settled.0,
                unrounded: target.unrounded - position.settled.1,
                amount: change,
                rebate: rebate - rebate_before,
                coop: coop - coop_before,
                figures,
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
        // What takes everything back says that nothing is left.
        position.told |= whole == 0 && (change, cut_change) != (0, 0);
        self.use_cap(group, customer, &mut position, amount);
        position.settled = (position.base, target.unrounded);
        (position.posted, position.cut) = (amount, cut);
        self.account.positions.insert(group.clone(), position);
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
        if self.lever.cap().is_none() {
            return;
        }
        let used = if amount == position.posted { position.used } else { self.cap_share(group, amount) };
        let holder = self.holder(customer).map(str::to_owned);
        *self.account.used.entry(holder).or_default() += used - position.used;
        position.used = used;
    }

    /// What an amount posted uses of the cap, in its currency.
    pub(super) fn cap_share(&self, group: &Group, amount: i64) -> i64 {
        let Some(cap) = self.lever.cap() else { return 0 };
        let amount = Money { minor: amount, currency: group.currency };
        let leftover = if amount.minor > 0 { Leftover::Up } else { Leftover::Down };
        let used = self.facts.rates.convert(group.month, amount, cap.amount.currency, leftover);
        used.map_or(0, |money| money.minor)
    }

    /// Whose balance it is.
    fn holder<'a>(&self, customer: Option<&'a str>) -> Option<&'a str> {
        customer.filter(|_| self.lever.cap().is_some_and(|cap| cap.scope == CapScope::Customer))
    }
}

/// The tiers of a lever that lifts a whole period.
pub(super) fn retroactive(lever: &Lever) -> Option<(TierPeriod, &[LeverTier])> {
    match lever {
        Lever::Core { scale: LeverScale::Retroactive { period, tiers }, .. }
        | Lever::Accelerator { scale: LeverScale::Retroactive { period, tiers }, .. } => {
            Some((*period, tiers))
        }
        _ => None,
    }
}
