//! Groups: what a lever rounds and caps as one at the end of a month, in the order of customers and currencies.

use super::{
    EarningTarget, Figures, Origin, OutOfRange, Reason, Year,
    by_rate::PartsOf,
    caps::{given, holder, shortfall},
    exact::Fine,
    facts::judge_of,
    method::{FineSlice, Whole},
    month::{LeverOf, MonthFold},
};
use crate::platform::values::{Currency, Month, Rate};
use std::collections::BTreeMap;

/// Which group of a lever's month.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GroupKey {
    /// The customer; none where the customers of the month are taken together.
    pub customer: Option<String>,
    /// The currency the group earns in.
    pub currency: Currency,
}

/// The sales of a group, summed.
pub(super) struct Group<'a> {
    /// The lever as of the group's last sale.
    pub of: LeverOf<'a>,
    /// Net minor units the lever earns on.
    base: i64,
    /// Net volume in the version's currency.
    pub volume: i64,
    /// The sales' own shares.
    pub unrounded: Fine,
    /// The slices of the volume, by their rates.
    pub slices: BTreeMap<Rate, FineSlice>,
}

impl<'a> Group<'a> {
    pub fn new(of: LeverOf<'a>) -> Self {
        Self { of, base: 0, volume: 0, unrounded: Fine::ZERO, slices: BTreeMap::new() }
    }

    pub fn add(
        &mut self,
        of: LeverOf<'a>,
        base: i64,
        volume: i64,
        unrounded: Fine,
        slices: &[FineSlice],
    ) -> Result<(), OutOfRange> {
        self.of = of;
        self.base = self.base.checked_add(base).ok_or(OutOfRange)?;
        self.volume = self.volume.checked_add(volume).ok_or(OutOfRange)?;
        self.unrounded = self.unrounded.plus(unrounded);
        for slice in slices {
            let empty = FineSlice { volume: 0, gives: Fine::ZERO, ..*slice };
            let sum = self.slices.entry(slice.rate).or_insert(empty);
            sum.volume = sum.volume.checked_add(slice.volume).ok_or(OutOfRange)?;
            sum.gives = sum.gives.plus(slice.gives);
        }
        Ok(())
    }
}

impl<'a> MonthFold<'a, '_> {
    /// Attainments of the month that count: the first of each competency in the year on a day that earns.
    pub(super) fn attainments(&mut self) -> Result<(), OutOfRange> {
        let Year { versions, facts } = self.year;
        let mut known: Vec<&str> = Vec::new();
        for attained in &facts.attained {
            let Some(judge) = judge_of(versions, attained.on) else { continue };
            let counts = facts.barred_on(attained.on, judge.in_effect).is_none();
            if !counts || known.contains(&attained.competency.as_str()) {
                continue;
            }
            known.push(&attained.competency);
            if Month::of(attained.on) != self.month {
                continue;
            }
            for lever in judge.version.levers.0.iter().filter(|lever| lever.earns_on_attainments()) {
                let of = LeverOf { version: judge.version, lever };
                let key = GroupKey { customer: None, currency: judge.version.currency };
                self.group(of, key).add(of, 0, 1, Fine::ZERO, &[])?;
            }
        }
        Ok(())
    }

    /// Rounds and caps the groups of the month.
    pub(super) fn close(&mut self) -> Result<(), OutOfRange> {
        for ((_, key), group) in std::mem::take(&mut self.groups) {
            match self.whole(&group)? {
                Some(whole) => self.settle(key, &group, whole)?,
                None => self.wait(key, &group),
            }
        }
        Ok(())
    }

    fn settle(&mut self, key: GroupKey, group: &Group<'a>, whole: Whole) -> Result<(), OutOfRange> {
        let LeverOf { version, lever } = group.of;
        let holder = holder(lever, key.customer.as_deref());
        let balance = self.balance(group.of, holder.as_ref(), key.currency)?;
        let given = given(version, whole.unrounded, balance)?;
        self.use_cap(group.of, holder, key.currency, given.amount)?;
        let cut = given.cut()?;
        let parts_of = PartsOf { base: group.base, amount: given.amount };
        let by_rate = group.of.by_rate(&whole.slices, whole.volume, whole.baseline, parts_of)?;
        self.targets.push(EarningTarget {
            version,
            lever,
            origin: key.origin(),
            earned_in: self.month,
            currency: key.currency,
            base: group.base,
            unrounded: whole.unrounded,
            amount: given.amount,
            rebate: given.rebate,
            coop: given.amount - given.rebate,
            by_rate,
            figures: Figures {
                net: group.base,
                volume: whole.volume,
                baseline: whole.baseline,
                whole: given.whole,
                cap_balance: balance.filter(|_| cut != 0),
                before: 0,
            },
            slices: whole.slices,
            shortfall: shortfall(given.amount, cut, given.amount == 0, whole.nothing),
        });
        Ok(())
    }

    /// A group that waits for an exchange rate gives nothing: what it would give is not known.
    fn wait(&mut self, key: GroupKey, group: &Group<'a>) {
        let target = group.of.nothing(key.origin(), self.month, key.currency, Reason::ExchangeRateMissing);
        self.targets.push(target);
    }
}

impl GroupKey {
    fn origin(&self) -> Origin {
        self.customer.clone().map_or(Origin::Month, Origin::CustomerMonth)
    }
}
