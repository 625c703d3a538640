//! One month of an enrollment year: every lever judges every purchase, then each group of the month is rounded and capped.
//!
//! The months of a year are told in order. What a month passes on to the next stands in [`Standing`], so that a year may be
//! computed anew from any month on.

use super::{
    Exact, Facts, Figures, GivenSlice, LeverStanding, Origin, OutOfRange, Purchase, Reason, Shortfall,
    Standing, Target,
    caps::{Given, given, holder, shortfall},
    facts::judge_of,
    groups::{Group, GroupKey},
    scale,
};
use crate::{
    participation::programs::{Lever, LeverGrain, LeverScale, LeverTier, Method, ProgramVersion, TierPeriod},
    platform::values::{Currency, Leftover, Money, Month},
};
use std::collections::BTreeMap;

/// The versions and facts of an enrollment year.
#[derive(Clone, Copy, Debug)]
pub struct Year<'a> {
    /// The published versions, in the order of their days.
    pub versions: &'a [ProgramVersion],
    /// What is known beside the sales.
    pub facts: &'a Facts,
}

/// What every lever gives for a month, and what the month passes on.
pub(super) struct MonthFold<'a, 's> {
    pub year: Year<'a>,
    pub month: Month,
    pub standing: &'s mut Standing,
    pub groups: BTreeMap<(&'a str, GroupKey), Group<'a>>,
    pub targets: Vec<Target<'a>>,
}

/// A lever of the version that judges a day.
#[derive(Clone, Copy)]
pub(super) struct LeverOf<'a> {
    pub version: &'a ProgramVersion,
    pub lever: &'a Lever,
}

impl<'a> Year<'a> {
    /// What every lever gives for a month whose purchases are told in the order of their dates, sources and external ids.
    /// `standing` is that of the month's beginning, and becomes that of its end.
    pub fn month(
        self,
        month: Month,
        purchases: &[Purchase],
        standing: &mut Standing,
    ) -> Result<Vec<Target<'a>>, OutOfRange> {
        let mut fold =
            MonthFold { year: self, month, standing, groups: BTreeMap::new(), targets: Vec::new() };
        let asks_who_is_new = self.asks_who_is_new();
        for purchase in purchases {
            fold.purchase(purchase)?;
            if asks_who_is_new && purchase.net()? > 0 {
                fold.standing.last_bought.insert(purchase.customer.clone(), purchase.on);
            }
        }
        fold.attainments()?;
        fold.close()?;
        Ok(fold.targets)
    }

    /// Whether a lever asks when a customer bought before.
    #[must_use]
    pub fn asks_who_is_new(self) -> bool {
        let mut levers = self.versions.iter().flat_map(|version| &version.levers.0);
        levers.any(|lever| matches!(lever.method(), Method::NewCustomer { .. }))
    }
}

impl<'a> MonthFold<'a, '_> {
    fn purchase(&mut self, purchase: &Purchase) -> Result<(), OutOfRange> {
        let Some(judge) = judge_of(self.year.versions, purchase.on) else { return Ok(()) };
        let barred = self.year.facts.barred_on(purchase.on, judge.in_effect);
        for lever in &judge.version.levers.0 {
            let of = LeverOf { version: judge.version, lever };
            let unfit =
                || purchase.barred_by(lever.applies_to()).or_else(|| self.known_customer(lever, purchase));
            match barred.clone().or_else(unfit) {
                Some(reason) => self.refuse(of, purchase, &reason),
                None => self.earn(of, purchase)?,
            }
        }
        Ok(())
    }

    fn known_customer(&self, lever: &Lever, purchase: &Purchase) -> Option<Reason> {
        let Method::NewCustomer { new_after_months, .. } = lever.method() else { return None };
        let months = i32::try_from(new_after_months).unwrap_or(i32::MAX);
        let before = self.standing.last_bought.get(&purchase.customer)?;
        (before.plus_months(months) > purchase.on).then_some(Reason::CustomerNotNew)
    }

    fn earn(&mut self, of: LeverOf<'a>, purchase: &Purchase) -> Result<(), OutOfRange> {
        match of.lever.method() {
            Method::Rate { scale, grain } => {
                let needs_rate = !matches!(scale, LeverScale::Flat { .. }) || of.lever.cap().is_some();
                if needs_rate && !self.knows_rate(purchase, of.version.currency) {
                    self.refuse(of, purchase, &Reason::ExchangeRateMissing);
                    return Ok(());
                }
                match (scale, grain) {
                    (LeverScale::Retroactive { .. }, _) => self.count(of, purchase),
                    (_, LeverGrain::Transaction) => self.earn_by_itself(of, purchase),
                    (_, LeverGrain::CustomerMonth) => {
                        self.join(of, purchase, Some(purchase.customer.clone()))
                    }
                    (_, LeverGrain::Month) => self.join(of, purchase, None),
                }
            }
            Method::Growth { .. } if !self.knows_rate(purchase, of.version.currency) => {
                self.refuse(of, purchase, &Reason::ExchangeRateMissing);
                Ok(())
            }
            Method::Growth { .. } => self.count(of, purchase),
            Method::NewCustomer { .. } => self.earn_by_itself(of, purchase),
            Method::Activity { .. } => Ok(()),
        }
    }

    /// A purchase that is rounded by itself: the purchase earns, and each refund takes back the difference.
    fn earn_by_itself(&mut self, of: LeverOf<'a>, purchase: &Purchase) -> Result<(), OutOfRange> {
        let LeverOf { version, lever } = of;
        let currency = earning_currency(of, purchase.currency);
        let offset = match marginal(lever) {
            Some((period, _)) => self.counted(lever, period)?,
            None => 0,
        };
        let holder = holder(lever, Some(&purchase.customer));
        let balance = self.balance(of, holder.as_ref(), currency)?;
        let (mut before, mut unrounded_before, mut base_before) = (Given::default(), Exact::ZERO, 0);
        let mut volume = 0;
        for stage in purchase.stages() {
            let (unrounded, slices);
            (volume, unrounded, slices) = self.alone(of, purchase, stage.net, offset)?;
            let given = given(version, unrounded, balance)?;
            let base = if currency == purchase.currency { stage.net } else { 0 };
            let cut = given.cut()? - before.cut()?;
            let (amount, rebate) = (given.amount - before.amount, given.rebate - before.rebate);
            let used_up = given.amount == 0 && before.amount == 0;
            self.targets.push(Target {
                version,
                lever,
                origin: Origin::Sale { transaction: stage.transaction, purchase: purchase.id },
                earned_in: self.month,
                currency,
                base: base - base_before,
                unrounded: unrounded - unrounded_before,
                amount,
                rebate,
                coop: amount - rebate,
                figures: Figures {
                    net: base,
                    volume,
                    baseline: offset,
                    whole: given.whole,
                    cap_balance: balance.filter(|_| given.whole != given.amount),
                    before: before.amount,
                },
                slices,
                shortfall: shortfall(amount, cut, used_up, Reason::AmountTooSmall),
            });
            (before, unrounded_before, base_before) = (given, unrounded, base);
        }
        if marginal(lever).is_some() {
            self.count_volume(lever, volume)?;
        }
        self.use_cap(of, holder, currency, before.amount)
    }

    /// What a purchase of which so much is left gives by itself: its volume, the amount, and its slices where they are not
    /// plain.
    fn alone(
        &self,
        of: LeverOf<'a>,
        purchase: &Purchase,
        net: i64,
        offset: i64,
    ) -> Result<(i64, Exact, Vec<GivenSlice>), OutOfRange> {
        match of.lever.method() {
            Method::Rate { scale: LeverScale::Flat { rate }, .. } => {
                Ok((0, Exact::share(net, *rate), Vec::new()))
            }
            Method::Rate { scale: LeverScale::Marginal { tiers, .. }, .. } => {
                let volume = self.volume(purchase, net, of.version.currency)?;
                let slices = slices_of(tiers, offset, volume, net)?;
                let sum = slices.iter().map(|slice| slice.gives).sum();
                let plain = purchase.currency == of.version.currency;
                Ok((volume, sum, if plain { Vec::new() } else { slices }))
            }
            Method::NewCustomer { amount, .. } if net > 0 => Ok((0, Exact::whole(amount.minor), Vec::new())),
            // Retroactive levers, growth and activity earn by the month.
            Method::Rate { scale: LeverScale::Retroactive { .. }, .. }
            | Method::NewCustomer { .. }
            | Method::Growth { .. }
            | Method::Activity { .. } => Ok((0, Exact::ZERO, Vec::new())),
        }
    }

    /// A purchase that is rounded together with others: its own share joins their group.
    fn join(
        &mut self,
        of: LeverOf<'a>,
        purchase: &Purchase,
        customer: Option<String>,
    ) -> Result<(), OutOfRange> {
        let net = purchase.net()?;
        let (mut volume, mut unrounded, mut slices) = (0, Exact::ZERO, Vec::new());
        match of.lever.method() {
            Method::Rate { scale: LeverScale::Marginal { period, tiers }, .. } => {
                let offset = self.counted(of.lever, *period)?;
                volume = self.volume(purchase, net, of.version.currency)?;
                slices = slices_of(tiers, offset, volume, net)?;
                unrounded = slices.iter().map(|slice| slice.gives).sum();
                self.count_volume(of.lever, volume)?;
            }
            Method::Rate { scale: LeverScale::Flat { rate }, .. } => unrounded = Exact::share(net, *rate),
            Method::Rate { scale: LeverScale::Retroactive { .. }, .. }
            | Method::NewCustomer { .. }
            | Method::Growth { .. }
            | Method::Activity { .. } => {}
        }
        let key = GroupKey { customer, currency: purchase.currency };
        self.group(of, key).add(of, net, volume, unrounded, &slices)
    }

    /// A purchase of which only the month's volume counts.
    fn count(&mut self, of: LeverOf<'a>, purchase: &Purchase) -> Result<(), OutOfRange> {
        let volume = self.volume(purchase, purchase.net()?, of.version.currency)?;
        if of.lever.tiers().is_some() {
            self.count_volume(of.lever, volume)?;
        }
        let key = GroupKey { customer: None, currency: of.version.currency };
        self.group(of, key).add(of, volume, volume, Exact::ZERO, &[])
    }

    pub(super) fn group(&mut self, of: LeverOf<'a>, key: GroupKey) -> &mut Group<'a> {
        self.groups.entry((of.lever.code(), key)).or_insert_with(|| Group::new(of))
    }

    fn refuse(&mut self, of: LeverOf<'a>, purchase: &Purchase, reason: &Reason) {
        match of.lever.method() {
            // What nobody sold does not earn by this lever.
            Method::Activity { .. } => return,
            Method::Rate { .. } | Method::Growth { .. } | Method::NewCustomer { .. } => {}
        }
        for stage in purchase.stages() {
            self.targets.push(Target {
                version: of.version,
                lever: of.lever,
                origin: Origin::Sale { transaction: stage.transaction, purchase: purchase.id },
                earned_in: self.month,
                currency: earning_currency(of, purchase.currency),
                base: 0,
                unrounded: Exact::ZERO,
                amount: 0,
                rebate: 0,
                coop: 0,
                figures: Figures::default(),
                slices: Vec::new(),
                shortfall: Some(Shortfall { reason: reason.clone(), capped: None }),
            });
        }
    }

    fn knows_rate(&self, purchase: &Purchase, to: Currency) -> bool {
        self.year.facts.rates.knows(self.month, purchase.currency, to)
    }

    /// So much of a purchase in the version's currency, rounded to the nearest minor unit.
    fn volume(&self, purchase: &Purchase, minor: i64, to: Currency) -> Result<i64, OutOfRange> {
        let money = Money { minor, currency: purchase.currency };
        let converted = self.year.facts.rates.convert(self.month, money, to, Leftover::Nearest);
        converted.map(|money| money.minor).filter(|minor| *minor != i64::MAX).ok_or(OutOfRange)
    }

    fn counted(&mut self, lever: &Lever, period: TierPeriod) -> Result<i64, OutOfRange> {
        let month = self.month;
        self.standing_of(lever).counted(period, month)
    }

    pub(super) fn standing_of(&mut self, lever: &Lever) -> &mut LeverStanding {
        if !self.standing.levers.contains_key(lever.code()) {
            self.standing.levers.insert(lever.code().to_owned(), LeverStanding::default());
        }
        self.standing.levers.entry(lever.code().to_owned()).or_default()
    }

    pub(super) fn count_volume(&mut self, lever: &Lever, volume: i64) -> Result<(), OutOfRange> {
        let month = self.month;
        let of = self.standing_of(lever).months.entry(month).or_default();
        of.counted = of.counted.checked_add(volume).ok_or(OutOfRange)?;
        Ok(())
    }
}

/// The currency a lever earns in on a sale in another.
fn earning_currency(of: LeverOf<'_>, sale: Currency) -> Currency {
    match of.lever.method() {
        Method::Rate { scale: LeverScale::Flat { .. } | LeverScale::Marginal { .. }, .. } => sale,
        Method::Rate { scale: LeverScale::Retroactive { .. }, .. }
        | Method::Growth { .. }
        | Method::NewCustomer { .. }
        | Method::Activity { .. } => of.version.currency,
    }
}

/// The tiers of a lever that gives each slice of a volume its own rate.
pub(super) fn marginal(lever: &Lever) -> Option<(TierPeriod, &[LeverTier])> {
    match lever.method() {
        Method::Rate { scale: LeverScale::Marginal { period, tiers }, .. } => Some((*period, tiers)),
        Method::Rate { scale: LeverScale::Flat { .. } | LeverScale::Retroactive { .. }, .. }
        | Method::Growth { .. }
        | Method::NewCustomer { .. }
        | Method::Activity { .. } => None,
    }
}

/// The slices of a volume that begins at `offset`, each with its share of `net`, which is the volume in the sale's currency.
fn slices_of(tiers: &[LeverTier], offset: i64, volume: i64, net: i64) -> Result<Vec<GivenSlice>, OutOfRange> {
    let top = offset.checked_add(volume).ok_or(OutOfRange)?;
    let slice = |slice: scale::Slice| GivenSlice {
        volume: slice.volume,
        rate: slice.rate,
        gives: slice.gives().part(net, volume),
    };
    Ok(scale::slices(tiers, offset, top).map(slice).collect())
}
