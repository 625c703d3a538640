//! Groups: what a lever rounds and caps as one at the end of a month, in the order of customers and currencies.

use super::{
    Exact, Figures, GivenSlice, Origin, OutOfRange, Reason, Shortfall, Target, Year,
    caps::{given, holder, shortfall},
    facts::judge_of,
    month::{LeverOf, MonthFold},
    scale,
};
use crate::{
    participation::programs::{GrowthBaseline, LeverScale, LeverTier, Method, TierPeriod},
    platform::values::{Currency, Leftover, Money, Month, Rate},
};
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
    of: LeverOf<'a>,
    /// Net minor units the lever earns on.
    base: i64,
    /// Net volume in the version's currency.
    volume: i64,
    /// The sales' own shares.
    unrounded: Exact,
    /// The slices of the volume, by their rates.
    slices: BTreeMap<Rate, GivenSlice>,
}

/// What a group gives before rounding, and the figures that say how.
struct Whole {
    unrounded: Exact,
    volume: i64,
    baseline: i64,
    slices: Vec<GivenSlice>,
    /// The reason where nothing is given.
    nothing: Reason,
}

impl<'a> Group<'a> {
    pub fn new(of: LeverOf<'a>) -> Self {
        Self { of, base: 0, volume: 0, unrounded: Exact::ZERO, slices: BTreeMap::new() }
    }

    pub fn add(
        &mut self,
        of: LeverOf<'a>,
        base: i64,
        volume: i64,
        unrounded: Exact,
        slices: &[GivenSlice],
    ) -> Result<(), OutOfRange> {
        self.of = of;
        self.base = self.base.checked_add(base).ok_or(OutOfRange)?;
        self.volume = self.volume.checked_add(volume).ok_or(OutOfRange)?;
        self.unrounded = self.unrounded + unrounded;
        for slice in slices {
            let empty = GivenSlice { volume: 0, gives: Exact::ZERO, ..*slice };
            let sum = self.slices.entry(slice.rate).or_insert(empty);
            sum.volume = sum.volume.checked_add(slice.volume).ok_or(OutOfRange)?;
            sum.gives = sum.gives + slice.gives;
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
            for lever in &judge.version.levers.0 {
                if let Method::Activity { amount } = lever.method() {
                    let of = LeverOf { version: judge.version, lever };
                    let key = GroupKey { customer: None, currency: judge.version.currency };
                    self.group(of, key).add(of, 0, 1, Exact::whole(amount.minor), &[])?;
                }
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

    /// What a group gives; none while an exchange rate is missing.
    fn whole(&mut self, group: &Group<'a>) -> Result<Option<Whole>, OutOfRange> {
        let LeverOf { lever, .. } = group.of;
        let shares = |slices| Whole {
            unrounded: group.unrounded,
            volume: group.volume,
            baseline: 0,
            slices,
            nothing: Reason::AmountTooSmall,
        };
        Ok(match lever.method() {
            Method::Rate { scale: LeverScale::Flat { .. }, .. }
            | Method::NewCustomer { .. }
            | Method::Activity { .. } => Some(shares(Vec::new())),
            Method::Rate { scale: LeverScale::Marginal { .. }, .. } => {
                Some(shares(group.slices.values().copied().collect()))
            }
            Method::Rate { scale: LeverScale::Retroactive { period, tiers }, .. } => {
                Some(self.lift(group.of, *period, tiers)?)
            }
            Method::Growth { rate, baseline } => self.growth(group, rate, baseline)?,
        })
    }

    /// The whole volume of the period at the rate it reaches with this month, less what earlier months were given.
    fn lift(
        &mut self,
        of: LeverOf<'a>,
        period: TierPeriod,
        tiers: &[LeverTier],
    ) -> Result<Whole, OutOfRange> {
        let month = self.month;
        let standing = self.standing_of(of.lever);
        let volume = standing.counted(period, month)?;
        let before = standing.given_before(period, month)?;
        let reached = scale::reached(tiers, volume).map_or(Exact::ZERO, scale::Slice::gives);
        let lift = Exact::whole(reached.rounded().ok_or(OutOfRange)?) - Exact::whole(before);
        standing.months.entry(month).or_default().given = lift.rounded().ok_or(OutOfRange)?;
        let nothing = Reason::AmountTooSmall;
        Ok(Whole { unrounded: lift, volume, baseline: before, slices: Vec::new(), nothing })
    }

    /// What the month has grown by, at the lever's rate. A month that has not grown gives nothing.
    fn growth(
        &self,
        group: &Group<'a>,
        rate: Rate,
        baseline: GrowthBaseline,
    ) -> Result<Option<Whole>, OutOfRange> {
        let (sum, over) = match baseline {
            GrowthBaseline::SameMonthLastYear {} => (self.sold(group.of, self.month.plus(-12))?, 1),
            GrowthBaseline::TrailingAverage { months } => {
                let months = i32::try_from(months).unwrap_or(1).max(1);
                let mut sum = Some(0_i64);
                for back in 1..=months {
                    let sold = self.sold(group.of, self.month.plus(-back))?;
                    sum = match (sum, sold) {
                        (Some(sum), Some(sold)) => Some(sum.checked_add(sold).ok_or(OutOfRange)?),
                        (None, _) | (_, None) => None,
                    };
                }
                (sum, i64::from(months))
            }
            GrowthBaseline::Fixed { amount } => (Some(amount.minor), 1),
        };
        let Some(sum) = sum else { return Ok(None) };
        let grown = i128::from(group.volume) * i128::from(over) - i128::from(sum);
        let unrounded = Exact::share_of(grown.max(0), rate).ok_or(OutOfRange)?.divided_by(over);
        let baseline = Exact::whole(sum).divided_by(over).rounded().ok_or(OutOfRange)?;
        let (volume, nothing) = (group.volume, Reason::NoGrowth);
        Ok(Some(Whole { unrounded, volume, baseline, slices: Vec::new(), nothing }))
    }

    /// Everything sold in a month that passes the lever's filter, in the version's currency; none without a rate.
    fn sold(&self, of: LeverOf<'a>, month: Month) -> Result<Option<i64>, OutOfRange> {
        let facts = self.year.facts;
        let mut sum: i64 = 0;
        for (currency, minor) in facts.sold.of(of.version.version, of.lever.code(), month) {
            let money = Money { minor, currency };
            let converted = facts.rates.convert(month, money, of.version.currency, Leftover::Nearest);
            let Some(converted) = converted else { return Ok(None) };
            sum = sum.checked_add(converted.minor).ok_or(OutOfRange)?;
        }
        Ok(Some(sum))
    }

    fn settle(&mut self, key: GroupKey, group: &Group<'a>, whole: Whole) -> Result<(), OutOfRange> {
        let LeverOf { version, lever } = group.of;
        let holder = holder(lever, key.customer.as_deref());
        let balance = self.balance(group.of, holder.as_ref(), key.currency)?;
        let given = given(version, whole.unrounded, balance)?;
        self.use_cap(group.of, holder, key.currency, given.amount)?;
        let cut = given.cut()?;
        self.targets.push(Target {
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
        self.targets.push(Target {
            version: group.of.version,
            lever: group.of.lever,
            origin: key.origin(),
            earned_in: self.month,
            currency: key.currency,
            base: 0,
            unrounded: Exact::ZERO,
            amount: 0,
            rebate: 0,
            coop: 0,
            figures: Figures::default(),
            slices: Vec::new(),
            shortfall: Some(Shortfall { reason: Reason::ExchangeRateMissing, capped: None }),
        });
    }
}

impl GroupKey {
    fn origin(&self) -> Origin {
        self.customer.clone().map_or(Origin::Month, Origin::CustomerMonth)
    }
}
