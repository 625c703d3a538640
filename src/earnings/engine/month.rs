//! One month of an enrollment year: every lever judges every purchase, then each group of the month is rounded and capped.
//!
//! The months of a year are told in order. What a month passes on to the next stands in [`YearToDate`], so that a year may be
//! computed anew from any month on.

use super::{
    ByRate, EarningFacts, EarningTarget, Exact, Figures, LeverToDate, Origin, OutOfRange, Purchase, Reason,
    Shortfall, YearToDate,
    by_rate::PartsOf,
    caps::{Given, given, holder, shortfall},
    exact::Fine,
    facts::judge_of,
    groups::{Group, GroupKey},
    method::{Share, Way, marginal, told},
};
use crate::{
    participation::programs::{Lever, ProgramVersion},
    platform::values::{Currency, Leftover, Money, Month},
};
use std::collections::BTreeMap;

/// The versions and facts of an enrollment year.
#[derive(Clone, Copy, Debug)]
pub struct Year<'a> {
    /// The published versions, in the order of their days.
    pub versions: &'a [ProgramVersion],
    /// What is known beside the sales.
    pub facts: &'a EarningFacts,
}

/// What every lever gives for a month, and what the month passes on.
pub(super) struct MonthFold<'a, 's> {
    pub year: Year<'a>,
    pub month: Month,
    pub standing: &'s mut YearToDate,
    pub groups: BTreeMap<(&'a str, GroupKey), Group<'a>>,
    pub targets: Vec<EarningTarget<'a>>,
}

/// A lever of the version that judges a day.
#[derive(Clone, Copy)]
pub(super) struct LeverOf<'a> {
    pub version: &'a ProgramVersion,
    pub lever: &'a Lever,
}

impl<'a> LeverOf<'a> {
    /// The target of a sale or group to which the lever gives nothing, with the reason.
    pub(super) fn nothing(
        self,
        origin: Origin,
        earned_in: Month,
        currency: Currency,
        reason: Reason,
    ) -> EarningTarget<'a> {
        EarningTarget {
            version: self.version,
            lever: self.lever,
            origin,
            earned_in,
            currency,
            base: 0,
            unrounded: Exact::ZERO,
            amount: 0,
            rebate: 0,
            coop: 0,
            by_rate: ByRate::default(),
            figures: Figures::default(),
            slices: Vec::new(),
            shortfall: Some(Shortfall { reason, capped: None }),
        }
    }
}

impl<'a> Year<'a> {
    /// What every lever gives for a month whose purchases are told in the order of their dates, sources and external ids.
    /// `standing` is that of the month's beginning, and becomes that of its end.
    pub fn month(
        self,
        month: Month,
        purchases: &[Purchase],
        standing: &mut YearToDate,
    ) -> Result<Vec<EarningTarget<'a>>, OutOfRange> {
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
        storable(purchases, &fold.targets)?;
        Ok(fold.targets)
    }

    /// Whether a lever asks when a customer bought before.
    #[must_use]
    pub fn asks_who_is_new(self) -> bool {
        let mut levers = self.versions.iter().flat_map(|version| &version.levers.0);
        levers.any(|lever| lever.new_after_months().is_some())
    }
}

/// Whether the month's sums can be stored: of the purchases by currency, and of each lever's targets.
fn storable(purchases: &[Purchase], targets: &[EarningTarget<'_>]) -> Result<(), OutOfRange> {
    let mut sold: BTreeMap<Currency, i128> = BTreeMap::new();
    for purchase in purchases {
        *sold.entry(purchase.currency).or_default() += i128::from(purchase.net()?);
    }
    let mut given: BTreeMap<(&str, Currency), i128> = BTreeMap::new();
    for target in targets {
        *given.entry((target.lever.code(), target.currency)).or_default() += i128::from(target.amount);
    }
    let mut sums = sold.values().chain(given.values());
    if sums.all(|sum| i64::try_from(*sum).is_ok()) { Ok(()) } else { Err(OutOfRange) }
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
        let months = i32::try_from(lever.new_after_months()?).unwrap_or(i32::MAX);
        let before = self.standing.last_bought.get(&purchase.customer)?;
        (before.plus_months(months) > purchase.on).then_some(Reason::CustomerNotNew)
    }

    fn earn(&mut self, of: LeverOf<'a>, purchase: &Purchase) -> Result<(), OutOfRange> {
        let rates = &self.year.facts.rates;
        if of.needs_rate() && !rates.knows(self.month, purchase.currency, of.version.currency) {
            self.refuse(of, purchase, &Reason::ExchangeRateMissing);
            return Ok(());
        }
        match of.way() {
            Way::ByItself => self.earn_by_itself(of, purchase),
            Way::WithCustomer => self.join(of, purchase, Some(purchase.customer.clone())),
            Way::WithMonth => self.join(of, purchase, None),
            Way::ByVolume => self.count(of, purchase),
            Way::NotBySales => Ok(()),
        }
    }

    /// A purchase that is rounded by itself: the purchase earns, and each refund takes back the difference.
    fn earn_by_itself(&mut self, of: LeverOf<'a>, purchase: &Purchase) -> Result<(), OutOfRange> {
        let LeverOf { version, lever } = of;
        let currency = of.earning_currency(purchase.currency);
        let offset = self.offset(lever)?;
        let holder = holder(lever, Some(&purchase.customer));
        let balance = self.balance(of, holder.as_ref(), currency)?;
        let (mut before, mut unrounded_before, mut base_before) = (Given::default(), Exact::ZERO, 0);
        let mut by_rate_before = ByRate::default();
        let mut volume = 0;
        for stage in purchase.stages() {
            let share = self.share(of, purchase, stage.net, offset)?;
            let (unrounded, slices) = (share.unrounded.exact(), told(&share.slices));
            volume = share.volume;
            let is_plain = purchase.currency == version.currency;
            let given = given(version, unrounded, balance)?;
            let base = if currency == purchase.currency { stage.net } else { 0 };
            let parts_of = PartsOf { base, amount: given.amount };
            let by_rate = of.by_rate(&slices, volume, offset, parts_of)?;
            let slices = if is_plain { Vec::new() } else { slices };
            let cut = given.cut()? - before.cut()?;
            let (amount, rebate) = (given.amount - before.amount, given.rebate - before.rebate);
            let used_up = given.amount == 0 && before.amount == 0;
            self.targets.push(EarningTarget {
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
                by_rate: by_rate.minus(&by_rate_before),
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
            by_rate_before = by_rate;
        }
        if marginal(lever).is_some() {
            self.count_volume(lever, volume)?;
        }
        self.use_cap(of, holder, currency, before.amount)
    }

    /// A purchase that is rounded together with others: its own share joins their group.
    fn join(
        &mut self,
        of: LeverOf<'a>,
        purchase: &Purchase,
        customer: Option<String>,
    ) -> Result<(), OutOfRange> {
        let net = purchase.net()?;
        let offset = self.offset(of.lever)?;
        let Share { volume, unrounded, slices } = self.share(of, purchase, net, offset)?;
        if marginal(of.lever).is_some() {
            self.count_volume(of.lever, volume)?;
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
        self.group(of, key).add(of, volume, volume, Fine::ZERO, &[])
    }

    pub(super) fn group(&mut self, of: LeverOf<'a>, key: GroupKey) -> &mut Group<'a> {
        self.groups.entry((of.lever.code(), key)).or_insert_with(|| Group::new(of))
    }

    fn refuse(&mut self, of: LeverOf<'a>, purchase: &Purchase, reason: &Reason) {
        if of.lever.earns_on_attainments() {
            return;
        }
        for stage in purchase.stages() {
            let origin = Origin::Sale { transaction: stage.transaction, purchase: purchase.id };
            let currency = of.earning_currency(purchase.currency);
            self.targets.push(of.nothing(origin, self.month, currency, reason.clone()));
        }
    }

    /// So much of a purchase in the version's currency, rounded to the nearest minor unit.
    pub(super) fn volume(&self, purchase: &Purchase, minor: i64, to: Currency) -> Result<i64, OutOfRange> {
        let money = Money { minor, currency: purchase.currency };
        let converted = self.year.facts.rates.convert(self.month, money, to, Leftover::Nearest);
        converted.and_then(|minor| i64::try_from(minor).ok()).ok_or(OutOfRange)
    }

    /// The volume that lies below the next sale in its tier period; zero where the lever gives no slices.
    fn offset(&mut self, lever: &Lever) -> Result<i64, OutOfRange> {
        let Some((period, _)) = marginal(lever) else { return Ok(0) };
        let month = self.month;
        self.standing_of(lever).counted(period, month)
    }

    pub(super) fn standing_of(&mut self, lever: &Lever) -> &mut LeverToDate {
        self.standing.levers.entry(lever.code().to_owned()).or_default()
    }

    pub(super) fn count_volume(&mut self, lever: &Lever, volume: i64) -> Result<(), OutOfRange> {
        let month = self.month;
        let of = self.standing_of(lever).months.entry(month).or_default();
        of.counted = of.counted.checked_add(volume).ok_or(OutOfRange)?;
        Ok(())
    }
}
