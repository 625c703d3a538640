//! What each kind of lever does: the one place of the law that decides by the kind. A new kind is a match arm in each function.

use super::{
    ByRate, CalculationStep, Exact, Figures, GivenSlice, OutOfRange, Purchase, Reason, Traced,
    by_rate::PartsOf,
    exact::Fine,
    groups::Group,
    month::{LeverOf, MonthFold},
    scale,
};
use crate::{
    participation::programs::{GrowthBaseline, Lever, LeverGrain, LeverScale, LeverTier, Method, TierPeriod},
    platform::values::{Currency, Leftover, Money, Month, Rate},
};

/// How a purchase earns by a lever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Rounded by itself.
    ByItself,
    /// Rounded with everything its customer bought in the month.
    WithCustomer,
    /// Rounded with everything of the month.
    WithMonth,
    /// Only the volume of the month counts.
    ByVolume,
    /// The lever earns on no sale.
    NotBySales,
}

/// The share of one purchase.
pub(super) struct Share {
    /// The volume that the tiers count, in minor units of the version's currency.
    pub volume: i64,
    /// What the purchase gives before rounding.
    pub unrounded: Fine,
    /// The slices of the volume.
    pub slices: Vec<FineSlice>,
}

/// A part of a volume at its tier's rate, before an exchange rate's fractions are cut to millionths.
#[derive(Clone, Copy)]
pub(super) struct FineSlice {
    /// The part, in minor units of the version's currency.
    pub volume: i64,
    /// The tier's rate.
    pub rate: Rate,
    /// What the part gives, in the currency the lever earns in.
    pub gives: Fine,
}

/// What a group gives before rounding, and the figures that say how.
pub(super) struct Whole {
    pub unrounded: Exact,
    pub volume: i64,
    pub baseline: i64,
    pub slices: Vec<GivenSlice>,
    /// The reason where nothing is given.
    pub nothing: Reason,
}

impl LeverOf<'_> {
    /// How a purchase earns.
    pub fn way(self) -> Way {
        match self.lever.method() {
            Method::Rate { scale: LeverScale::Retroactive { .. }, .. } | Method::Growth { .. } => {
                Way::ByVolume
            }
            Method::Rate { grain: LeverGrain::Transaction, .. } | Method::NewCustomer { .. } => Way::ByItself,
            Method::Rate { grain: LeverGrain::CustomerMonth, .. } => Way::WithCustomer,
            Method::Rate { grain: LeverGrain::Month, .. } => Way::WithMonth,
            Method::Activity { .. } => Way::NotBySales,
        }
    }

    /// Whether a sale in another currency earns only with the month's rate to the version's currency.
    pub fn needs_rate(self) -> bool {
        match self.lever.method() {
            Method::Rate { scale: LeverScale::Flat { .. }, .. } => self.lever.cap().is_some(),
            Method::Rate { .. } | Method::Growth { .. } => true,
            Method::NewCustomer { .. } | Method::Activity { .. } => false,
        }
    }

    /// The currency that the lever earns in on a sale in another.
    pub fn earning_currency(self, sale: Currency) -> Currency {
        match self.lever.method() {
            Method::Rate { scale: LeverScale::Flat { .. } | LeverScale::Marginal { .. }, .. } => sale,
            Method::Rate { scale: LeverScale::Retroactive { .. }, .. }
            | Method::Growth { .. }
            | Method::NewCustomer { .. }
            | Method::Activity { .. } => self.version.currency,
        }
    }
}

impl LeverOf<'_> {
    /// Which part of a given amount was given at which rate, where the lever has tiers: by the slices of the volume, or by what
    /// the earlier months of the period were given.
    pub fn by_rate(
        self,
        slices: &[GivenSlice],
        volume: i64,
        earlier: i64,
        whole: PartsOf,
    ) -> Result<ByRate, OutOfRange> {
        match self.lever.method() {
            Method::Rate { scale: LeverScale::Marginal { .. }, .. } => {
                ByRate::of_slices(slices, volume, whole)
            }
            Method::Rate { scale: LeverScale::Retroactive { tiers, .. }, .. } => {
                ByRate::of_lift(tiers, volume, earlier, whole)
            }
            Method::Rate { scale: LeverScale::Flat { .. }, .. }
            | Method::Growth { .. }
            | Method::NewCustomer { .. }
            | Method::Activity { .. } => Ok(ByRate::default()),
        }
    }
}

impl<'a> MonthFold<'a, '_> {
    /// What a purchase of which so much is left gives by itself; nothing where only the month tells.
    pub(super) fn share(
        &self,
        of: LeverOf<'a>,
        purchase: &Purchase,
        net: i64,
        offset: i64,
    ) -> Result<Share, OutOfRange> {
        let of_amount =
            |unrounded: Exact| Share { volume: 0, unrounded: unrounded.into(), slices: Vec::new() };
        Ok(match of.lever.method() {
            Method::Rate { scale: LeverScale::Flat { rate }, .. } => of_amount(Exact::share(net, *rate)),
            Method::Rate { scale: LeverScale::Marginal { tiers, .. }, .. } => {
                let volume = self.volume(purchase, net, of.version.currency)?;
                let slices = slices_of(tiers, offset, volume, net)?;
                let unrounded = slices.iter().fold(Fine::ZERO, |sum, slice| sum.plus(slice.gives));
                Share { volume, unrounded, slices }
            }
            Method::NewCustomer { amount, .. } if net > 0 => of_amount(Exact::whole(amount.minor)),
            Method::Rate { scale: LeverScale::Retroactive { .. }, .. }
            | Method::NewCustomer { .. }
            | Method::Growth { .. }
            | Method::Activity { .. } => of_amount(Exact::ZERO),
        })
    }

    /// What a group gives; none while an exchange rate is missing.
    pub(super) fn whole(&mut self, group: &Group<'a>) -> Result<Option<Whole>, OutOfRange> {
        let LeverOf { lever, .. } = group.of;
        let shares = |slices| Whole {
            unrounded: group.unrounded.exact(),
            volume: group.volume,
            baseline: 0,
            slices,
            nothing: Reason::AmountTooSmall,
        };
        Ok(match lever.method() {
            Method::Rate { scale: LeverScale::Flat { .. }, .. } | Method::NewCustomer { .. } => {
                Some(shares(Vec::new()))
            }
            Method::Activity { amount } => {
                let times = i128::from(amount.minor) * i128::from(group.volume);
                let unrounded = Exact::whole_of(times).ok_or(OutOfRange)?;
                Some(Whole { unrounded, ..shares(Vec::new()) })
            }
            Method::Rate { scale: LeverScale::Marginal { .. }, .. } => {
                Some(shares(told(group.slices.values())))
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
        let reached = scale::reached(tiers, volume).map_or(Exact::ZERO, scale::TierSlice::gives);
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
            let converted = i64::try_from(converted).map_err(|_| OutOfRange)?;
            sum = sum.checked_add(converted).ok_or(OutOfRange)?;
        }
        Ok(Some(sum))
    }
}

impl Traced<'_> {
    /// The steps that only the kind of the lever knows.
    pub(super) fn steps_of_method(&self) -> Vec<CalculationStep> {
        use CalculationStep as Step;
        let money = |minor| Money { minor, currency: self.currency };
        let in_terms = |minor| Money { minor, currency: self.version.currency };
        let Figures { net, volume, baseline, whole, .. } = self.figures;
        let of_slice = |slice: GivenSlice| Step::Slice {
            volume: in_terms(slice.volume),
            rate: slice.rate,
            gives: slice.gives,
        };
        match self.lever.method() {
            Method::Rate { scale: LeverScale::Flat { rate }, .. } => {
                vec![Step::Slice { volume: money(net), rate: *rate, gives: Exact::share(net, *rate) }]
            }
            Method::Rate { scale: LeverScale::Marginal { tiers, .. }, .. } => {
                if !self.slices.is_empty() {
                    return self.slices.iter().copied().map(of_slice).collect();
                }
                // A volume in the version's currency that lies in one piece tells its slices itself.
                let slices = scale::slices(tiers, baseline, baseline.saturating_add(volume));
                slices.map(plain).map(of_slice).collect()
            }
            Method::Rate { scale: LeverScale::Retroactive { tiers, .. }, .. } => {
                let reached = scale::reached(tiers, volume).map(plain).map(of_slice);
                let earlier = Step::EarlierMonths { amount: in_terms(baseline) };
                reached.into_iter().chain((baseline != 0).then_some(earlier)).collect()
            }
            Method::Growth { .. } => vec![Step::Baseline { amount: in_terms(baseline) }],
            Method::NewCustomer { amount, .. } => vec![Step::Fixed { amount, times: i64::from(whole != 0) }],
            Method::Activity { amount } => vec![Step::Fixed { amount, times: volume }],
        }
    }
}

/// A slice in the version's currency.
fn plain(slice: scale::TierSlice) -> GivenSlice {
    GivenSlice { volume: slice.volume, rate: slice.rate, gives: slice.gives() }
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
fn slices_of(tiers: &[LeverTier], offset: i64, volume: i64, net: i64) -> Result<Vec<FineSlice>, OutOfRange> {
    let top = offset.checked_add(volume).ok_or(OutOfRange)?;
    let slice = |slice: scale::TierSlice| {
        let gives = Fine::part(slice.gives(), net, volume).ok_or(OutOfRange)?;
        Ok(FineSlice { volume: slice.volume, rate: slice.rate, gives })
    };
    scale::slices(tiers, offset, top).map(slice).collect()
}

/// The slices for a trace: each in millionths, and together the millionths of their sum.
pub(super) fn told<'s>(slices: impl IntoIterator<Item = &'s FineSlice>) -> Vec<GivenSlice> {
    let (mut sum, mut before) = (Fine::ZERO, Exact::ZERO);
    let tell = |slice: &FineSlice| {
        sum = sum.plus(slice.gives);
        let gives = sum.exact() - before;
        before = sum.exact();
        GivenSlice { volume: slice.volume, rate: slice.rate, gives }
    };
    slices.into_iter().map(tell).collect()
}
