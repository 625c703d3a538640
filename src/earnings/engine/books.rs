//! The books of one enrollment in one version's year: each lever judges every sale and keeps its own account.

use super::{
    Exact, Facts, Ineligible, Origin, Outcome, Reason, Sale,
    account::{Account, Entry, Group, Position, Purchase},
    scale::{self, Slice},
};
use crate::{
    participation::programs::{
        Lever, LeverFilter, LeverGrain, LeverScale, LeverTier, ProgramVersion, TierPeriod,
    },
    platform::values::{CalendarDate, Currency, Leftover, Money, Month, Rate},
};
use std::collections::BTreeMap;

/// What the calculation takes from a program version.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The ways to earn.
    pub levers: &'a [Lever],
    /// The part of an earning that is rebate.
    pub rebate_rate: Rate,
    /// The currency of tiers and caps.
    pub currency: Currency,
}

impl<'a> From<&'a ProgramVersion> for Terms<'a> {
    fn from(version: &'a ProgramVersion) -> Self {
        Self { levers: &version.levers.0, rebate_rate: version.rebate_rate, currency: version.currency }
    }
}

/// What has been posted so far. Begins empty, or opened where it stood, and is told every sale once, refunds after
/// their purchase.
#[derive(Clone, Debug, Default)]
pub struct Books(BTreeMap<String, Account>);

/// A purchase that was counted before, so that refunds of it can be.
#[derive(Clone, Debug)]
pub struct Counted {
    /// The purchase.
    pub sale: Sale,
    /// What is left of it after the refunds counted.
    pub net: i64,
    /// Why it did not earn.
    pub barred: Option<Reason>,
    /// What lay below it in its tier period when it came.
    pub offset: i64,
    /// What is posted for it, and its refunds, where they are posted by themselves.
    pub posted: i64,
    /// What a cap cut off of that.
    pub cut: i64,
}

impl Books {
    /// Posts sales that are new: what they earn beyond what was posted before, and what does not earn.
    pub fn post(&mut self, terms: &Terms<'_>, facts: &Facts, sales: &[Sale]) -> Vec<Outcome> {
        let mut outcomes = self.post_where(terms, facts, sales, |_, _| true);
        outcomes.extend(self.post_growth(terms, facts));
        outcomes
    }

    /// The same for those sales alone that a lever is to take: by its code and the sale's place in the list. What
    /// months have grown by is left to [`post_growth`](Self::post_growth), when all sales there are have been told.
    pub fn post_where(
        &mut self,
        terms: &Terms<'_>,
        facts: &Facts,
        sales: &[Sale],
        takes: impl Fn(&str, usize) -> bool,
    ) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for lever in terms.levers {
            let account = self.0.entry(lever.code().to_owned()).or_default();
            let mut page = Page { terms, lever, facts, account, outcomes: &mut outcomes };
            for (_, sale) in sales.iter().enumerate().filter(|(at, _)| takes(lever.code(), *at)) {
                page.take(sale);
            }
            page.close();
        }
        outcomes
    }

    /// Posts what the months have grown by: all of them, where one has moved or what it is compared with has.
    pub fn post_growth(&mut self, terms: &Terms<'_>, facts: &Facts) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for lever in terms.levers {
            let Lever::Growth { rate, baseline, .. } = lever else { continue };
            let Some(account) = self.0.get_mut(lever.code()) else { continue };
            let mut page = Page { terms, lever, facts, account, outcomes: &mut outcomes };
            page.settle_months(*rate, *baseline);
        }
        outcomes
    }

    /// Notes that a lever has sales of a month in a currency that came without a rate.
    pub fn note_waiting(&mut self, lever: &str, month: Month, currency: Currency) {
        self.0.entry(lever.to_owned()).or_default().waiting.insert((month, currency));
    }

    /// Whether a lever has months that may grow.
    #[must_use]
    pub fn has_months(&self, lever: &Lever) -> bool {
        self.0.get(lever.code()).is_some_and(|account| !account.positions.is_empty())
    }

    /// Opens a lever's account where it stood.
    pub fn open(&mut self, lever: &str, account: Account) {
        self.0.insert(lever.to_owned(), account);
    }

    /// The accounts, by lever.
    pub fn accounts(&self) -> impl Iterator<Item = (&str, &Account)> {
        self.0.iter().map(|(lever, account)| (lever.as_str(), account))
    }

    /// Lays a purchase that was counted before into a lever's account.
    pub fn recall(&mut self, terms: &Terms<'_>, facts: &Facts, lever: &Lever, counted: Counted) {
        let account = self.0.entry(lever.code().to_owned()).or_default();
        let page = Page { terms, lever, facts, account, outcomes: &mut Vec::new() };
        let judged = page.judge(&counted.sale);
        let mut purchase =
            Purchase { barred: counted.barred, net: counted.net, offset: counted.offset, ..judged };
        purchase.volume = page.in_terms(&purchase).unwrap_or_default();
        purchase.unrounded = page.gives(&purchase);
        if purchase.barred.is_none() && matches!(purchase.group.origin, Origin::Sale(_)) {
            let base = if purchase.group.currency == purchase.currency { purchase.net } else { 0 };
            let (posted, cut) = (counted.posted, counted.cut);
            let unrounded = purchase.unrounded;
            let used = page.cap_share(&purchase.group, posted);
            let position =
                Position { base, unrounded, settled: (base, unrounded), posted, cut, used, told: true };
            page.account.positions.insert(purchase.group.clone(), position);
        }
        page.account.purchases.insert(counted.sale.id, purchase);
    }

    /// What is left under a lever's cap, in the version's currency; none where it has no cap. `customer` is whose
    /// balance it is, where each customer has one.
    #[must_use]
    pub fn balance(&self, lever: &Lever, customer: Option<&str>) -> Option<Money> {
        let cap = lever.cap()?;
        let used = self.0.get(lever.code()).map_or(0, |account| account.used(customer));
        Some(Money { minor: cap.amount.minor - used, ..cap.amount })
    }

    /// The volume a lever's tiers have counted in the period a day lies in, in minor units of the version's currency.
    #[must_use]
    pub fn volume(&self, lever: &Lever, day: CalendarDate) -> Option<i64> {
        let (Lever::Core { scale, .. } | Lever::Accelerator { scale, .. }) = lever else { return None };
        let (LeverScale::Marginal { period, .. } | LeverScale::Retroactive { period, .. }) = scale else {
            return None;
        };
        Some(self.0.get(lever.code()).map_or(0, |account| account.volume(*period, day)))
    }
}

/// One lever at work on its account.
pub(super) struct Page<'a> {
    pub terms: &'a Terms<'a>,
    pub lever: &'a Lever,
    pub facts: &'a Facts,
    pub account: &'a mut Account,
    pub outcomes: &'a mut Vec<Outcome>,
}

impl Page<'_> {
    fn take(&mut self, sale: &Sale) {
        let purchase_id = sale.refund_of.unwrap_or(sale.id);
        if sale.refund_of.is_none() {
            let purchase = self.judge(sale);
            self.account.purchases.insert(purchase_id, purchase);
        }
        let Some(mut purchase) = self.account.purchases.remove(&purchase_id) else {
            return self.refuse(
                Origin::Sale(sale.id),
                Month::of(sale.occurred_on),
                Reason::OutsideEnrollment,
            );
        };
        let month = Month::of(purchase.on);
        let origin = Origin::Sale(sale.id);
        purchase.net += sale.amount.minor;
        if let Some(reason) = purchase.barred.clone() {
            self.refuse(origin, month, reason);
        } else if let Some(volume) = self.in_terms(&purchase) {
            self.fold(&mut purchase, volume, sale.amount.minor, origin);
        } else {
            // Told again once the rate is published, and until then its refunds wait with it.
            purchase.barred = Some(Reason::ExchangeRateMissing);
            self.account.waiting.insert((month, purchase.currency));
            self.refuse(origin, month, Reason::ExchangeRateMissing);
        }
        self.account.purchases.insert(purchase_id, purchase);
    }

    /// Whether a purchase may earn, and what it is part of.
    fn judge(&self, sale: &Sale) -> Purchase {
        let on = sale.occurred_on;
        let gap = self.facts.gaps.iter().find(|gap| gap.days.contains(on));
        let inside = self.facts.windows.iter().any(|window| window.contains(on));
        let barred = match gap {
            Some(gap) => Some(Reason::Rule(gap.code.clone())),
            None if !inside => Some(Reason::OutsideEnrollment),
            None => barred_by(self.lever.applies_to(), sale).or_else(|| self.known_customer(sale)),
        };
        let (month, currency) = (Month::of(on), sale.amount.currency);
        let group = match self.lever {
            Lever::Core { scale: LeverScale::Retroactive { .. }, .. }
            | Lever::Accelerator { scale: LeverScale::Retroactive { .. }, .. }
            | Lever::Growth { .. } => Group { origin: Origin::Month, month, currency: self.terms.currency },
            Lever::Core { grain, .. } | Lever::Accelerator { grain, .. } => {
                let origin = match grain {
                    LeverGrain::Transaction => Origin::Sale(sale.id),
                    LeverGrain::CustomerMonth => Origin::CustomerMonth(sale.customer.clone()),
                    LeverGrain::Month => Origin::Month,
                };
                Group { month, origin, currency }
            }
            Lever::Fixed { .. } => {
                Group { origin: Origin::Sale(sale.id), month, currency: self.terms.currency }
            }
        };
        let customer = sale.customer.clone();
        let (net, volume, offset) = (0, 0, 0);
        Purchase { on, customer, currency, barred, group, net, volume, offset, unrounded: Exact::ZERO }
    }

    fn known_customer(&self, sale: &Sale) -> Option<Reason> {
        let Lever::Fixed { new_after_months, .. } = self.lever else { return None };
        let months = i32::try_from(*new_after_months).unwrap_or(i32::MAX);
        let known = sale.bought_before_on.is_some_and(|before| before.plus_months(months) > sale.occurred_on);
        known.then_some(Reason::CustomerNotNew)
    }

    /// The net amount of a purchase in the currency of the version's terms, where the lever counts or caps in it; none
    /// without the month's rate.
    fn in_terms(&self, purchase: &Purchase) -> Option<i64> {
        let flat = matches!(
            self.lever,
            Lever::Core { scale: LeverScale::Flat { .. }, cap: None, .. }
                | Lever::Accelerator { scale: LeverScale::Flat { .. }, cap: None, .. }
                | Lever::Fixed { .. }
        );
        if flat {
            return Some(purchase.net);
        }
        let net = Money { minor: purchase.net, currency: purchase.currency };
        let month = Month::of(purchase.on);
        self.facts.rates.convert(month, net, self.terms.currency, Leftover::Nearest).map(|money| money.minor)
    }

    /// Folds a change of a purchase into its group.
    fn fold(&mut self, purchase: &mut Purchase, volume: i64, change: i64, origin: Origin) {
        if let (true, Some((period, _))) = (change > 0, marginal(self.lever)) {
            // A purchase lies on top of what its period had when it came; a refund takes back from its own slices.
            purchase.offset = self.account.volume(period, purchase.on);
        }
        let moved = volume - purchase.volume;
        *self.account.months.entry(Month::of(purchase.on)).or_default() += moved;
        purchase.volume = volume;
        let gives = self.gives(purchase);
        let base = match self.lever {
            _ if purchase.group.currency == purchase.currency => change,
            // A fixed amount has no base in its own currency.
            Lever::Fixed { .. } => 0,
            _ => moved,
        };
        let entry = Entry { base, unrounded: gives - purchase.unrounded };
        purchase.unrounded = gives;
        self.account.add(&purchase.group, entry);
        match &purchase.group.origin {
            Origin::Sale(_) => self.settle_sale(purchase, origin),
            _ => drop(self.account.dirty.insert(purchase.group.clone())),
        }
    }

    /// What a purchase gives by itself, before rounding; nothing where only its month tells.
    fn gives(&self, purchase: &Purchase) -> Exact {
        match self.lever {
            Lever::Core { scale: LeverScale::Flat { rate }, .. }
            | Lever::Accelerator { scale: LeverScale::Flat { rate }, .. } => {
                Exact::share(purchase.net, *rate)
            }
            Lever::Fixed { amount, .. } if purchase.net > 0 => Exact::whole(amount.minor),
            lever => marginal(lever).map_or(Exact::ZERO, |(_, tiers)| {
                let top = purchase.offset + purchase.volume;
                let sum: Exact = scale::slices(tiers, purchase.offset, top).map(Slice::gives).sum();
                sum.part(purchase.net, purchase.volume)
            }),
        }
    }

    pub(super) fn refuse(&mut self, origin: Origin, earned_in: Month, reason: Reason) {
        let lever = self.lever.code().to_owned();
        let refused = Ineligible { lever, origin, earned_in, reason, capped: None };
        self.outcomes.push(Outcome::Ineligible(refused));
    }
}

/// The tiers of a lever that counts each slice of a volume.
pub(super) fn marginal(lever: &Lever) -> Option<(TierPeriod, &[LeverTier])> {
    match lever {
        Lever::Core { scale: LeverScale::Marginal { period, tiers }, .. }
        | Lever::Accelerator { scale: LeverScale::Marginal { period, tiers }, .. } => Some((*period, tiers)),
        _ => None,
    }
}

/// Which filter of a lever a sale does not pass.
fn barred_by(filter: &LeverFilter, sale: &Sale) -> Option<Reason> {
    let lacks =
        |list: &Option<Vec<String>>, value: &String| list.as_ref().is_some_and(|list| !list.contains(value));
    let customers = &filter.customers;
    if sale.customer_is_partner && !customers.partners {
        Some(Reason::CustomerIsPartner)
    } else if sale.public_sector && !customers.public_sector {
        Some(Reason::CustomerPublicSector)
    } else if customers.countries.as_ref().is_some_and(|list| !list.contains(&sale.country)) {
        Some(Reason::CustomerCountry)
    } else if lacks(&filter.products, &sale.product) || lacks(&filter.product_families, &sale.product_family)
    {
        Some(Reason::ProductNotEligible)
    } else {
        None
    }
}
