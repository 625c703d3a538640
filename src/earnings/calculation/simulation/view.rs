//! What a month would earn, as it is shown.

use super::{
    lever_view::{LeverStanding, standings},
    scene::{SimulatedCourse, SimulatedScene},
};
use crate::{
    access::Tx,
    earnings::{
        calculation::{
            posting::Correction,
            records::{self, Grain, TraceStep, trace_view},
        },
        engine::{Origin, Traced},
    },
    ledger::accounting::{self, Months},
    participation::{
        eligibility::{Assessment, CheckStatus, EligibilityCheckView, EligibilityOutcome},
        enrollments::EnrollmentKeys,
        programs::ProgramVersionState,
    },
    platform::{
        Result,
        values::{CalendarDate, Currency, Id, Locale, Money, Month, Timestamp, text_enum},
    },
};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How many earnings, and how many ineligible records, an answer shows.
const MOST_LISTED: usize = 2000;

text_enum! {
    /// What a simulation starts from.
    pub enum SimulationBasis {
        /// The books as they stand: what is listed comes on top of what is posted.
        Books = "books",
        /// The beginning of the version's year: what is listed is all there would be.
        Replay = "replay",
    }
}

text_enum! {
    /// What a simulation takes for given.
    pub enum SimulationAssumption {
        /// The partner is not enrolled in the month, and taken to be from its first day on.
        Enrolled = "enrolled_from_month_start",
        /// Every rule is taken for met from that day on, whatever `eligibility` says.
        RulesMet = "rules_met",
        /// Nothing the partner has sold in the year counts.
        NothingRecorded = "recorded_sales_left_out",
    }
}

/// What a month would earn. Nothing of it is on record.
#[derive(Serialize, ToSchema)]
pub struct SimulatedEarnings {
    /// Always true: this is no statement about what is on record.
    #[schema(examples(true))]
    simulated: bool,
    /// The partner.
    partner_id: Id,
    /// The program's code.
    #[schema(max_length = 64, examples("csp-direct-bill"))]
    program: String,
    /// The version it was calculated by.
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    version: i32,
    /// Whether that is a draft.
    version_state: ProgramVersionState,
    /// The month asked about.
    month: Month,
    /// The months the figures are about: the one asked about, and those of purchases that hypothetical refunds take back.
    #[schema(max_items = 13)]
    months: Vec<Month>,
    /// What it starts from.
    basis: SimulationBasis,
    /// What it takes for given.
    #[schema(max_items = 4)]
    assumptions: Vec<SimulationAssumption>,
    /// Whether the partner meets the rules by what is on record.
    eligibility: EligibilityHint,
    /// What would be posted; hypothetical sales and whole months first. At most 2,000 are shown.
    #[schema(max_items = 2000)]
    earnings: Vec<SimulatedEarning>,
    /// How many there would be.
    #[schema(minimum = 0, maximum = 1_000_000_000_i64)]
    earnings_count: usize,
    /// What would not earn, in the same order. At most 2,000 are shown.
    #[schema(max_items = 2000)]
    ineligible: Vec<SimulatedIneligible>,
    /// How many there would be.
    #[schema(minimum = 0, maximum = 1_000_000_000_i64)]
    ineligible_count: usize,
    /// What is posted for these months, and what would be; by currency.
    #[schema(max_items = 200)]
    totals: Vec<SimulatedTotal>,
    /// Where each lever would stand at the end of the month.
    #[schema(max_items = 20)]
    levers: Vec<LeverStanding>,
    /// When it was computed.
    as_of: Timestamp,
}

/// Whether the partner meets the version's rules by what is on record.
#[derive(Serialize, ToSchema)]
pub struct EligibilityHint {
    /// The day asked about: today, or the day of the month that is nearest.
    as_of: CalendarDate,
    /// Eligible where nothing is unmet.
    outcome: EligibilityOutcome,
    /// The rules that are not met, and what to do about them.
    #[schema(max_items = 22)]
    unmet: Vec<EligibilityCheckView>,
}

impl EligibilityHint {
    /// The rules that an assessment found unmet, in the words of one language.
    #[must_use]
    pub fn of(assessment: Assessment, language: Locale) -> Self {
        let Assessment { as_of, outcome, mut checks, .. } = assessment;
        checks.retain(|check| check.status == CheckStatus::Unmet);
        Self { as_of, outcome, unmet: EligibilityCheckView::all(checks, language) }
    }
}

/// Which sale.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SaleReference {
    /// Its reference in the request; null where it is on record.
    #[schema(max_length = 128, examples("deal"))]
    reference: Option<String>,
    /// Its id; null where it is only hypothetical.
    transaction_id: Option<Id>,
}

/// What one lever would give.
#[derive(Serialize, ToSchema)]
pub struct SimulatedEarning {
    /// The lever's code.
    #[schema(max_length = 64, examples("core"))]
    lever: String,
    /// What it comes from.
    grain: Grain,
    /// The sale it comes from; null where it comes from several.
    sale: Option<SaleReference>,
    /// The purchase that sale is, or takes back.
    purchase: Option<SaleReference>,
    /// The customer; null where it comes from several.
    #[schema(max_length = 128, examples("C-20881"))]
    customer_id: Option<String>,
    /// The month it applies to.
    earned_in: Month,
    /// The month it would be paid with, if it were posted now.
    posted_in: Month,
    /// What is earned on: by how much the base moves.
    base: Money,
    /// The amount before it is rounded and capped, in the same currency.
    #[schema(max_length = 60, examples("987.6536"))]
    unrounded: String,
    /// The amount; negative where a refund takes back.
    amount: Money,
    /// The part that is rebate.
    rebate: Money,
    /// The part that is co-op.
    coop: Money,
    /// How the amount comes about.
    #[schema(max_items = 30)]
    trace: Vec<TraceStep>,
}

/// What would not earn by one lever, or what a cap would cut off, and why.
#[derive(Serialize, ToSchema)]
pub struct SimulatedIneligible {
    /// The lever's code.
    #[schema(max_length = 64, examples("core"))]
    lever: String,
    /// What it would come from.
    grain: Grain,
    /// The sale; null where it is about several.
    sale: Option<SaleReference>,
    /// The purchase that sale is, or takes back.
    purchase: Option<SaleReference>,
    /// The customer; null where it is about several.
    #[schema(max_length = 128, examples("C-20881"))]
    customer_id: Option<String>,
    /// The month it would apply to.
    earned_in: Month,
    /// Stable reason; a rule of the program gives its own.
    #[schema(max_length = 64, examples("outside_enrollment"))]
    code: String,
    /// The reason in words.
    #[schema(max_length = 300, examples("The product is not one of those the lever earns on."))]
    message: String,
    /// Whether it would be judged again when something is mended.
    curable: bool,
    /// What to do; null where nothing can be done.
    #[schema(max_length = 300)]
    remedy: Option<&'static str>,
    /// What a cap would cut off; negative where a refund takes that back.
    capped: Option<Money>,
}

/// An amount and how it is split.
#[derive(Clone, Copy, Serialize, ToSchema)]
pub struct SplitAmount {
    /// The amount.
    amount: Money,
    /// The part that is rebate.
    rebate: Money,
    /// The part that is co-op.
    coop: Money,
}

/// What would be earned in one currency, beside what is posted.
#[derive(Serialize, ToSchema)]
pub struct SimulatedTotal {
    /// The currency.
    currency: Currency,
    /// What is posted.
    posted: SplitAmount,
    /// What would be.
    simulated: SplitAmount,
    /// By how much that is more.
    difference: SplitAmount,
}

impl SimulatedTotal {
    fn of(currency: Currency, posted: [i64; 3], simulated: [i64; 3]) -> Self {
        let split = |[amount, rebate, coop]: [i64; 3]| {
            let money = |minor| Money { minor, currency };
            SplitAmount { amount: money(amount), rebate: money(rebate), coop: money(coop) }
        };
        let difference = plus(simulated, posted.map(|minor| -minor));
        Self { currency, posted: split(posted), simulated: split(simulated), difference: split(difference) }
    }
}

fn plus(mut sums: [i64; 3], more: [i64; 3]) -> [i64; 3] {
    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
    sums
}

/// Shows what came out of a simulation. Two statements.
pub(super) fn show(
    tx: &mut Tx<'_>,
    scene: &SimulatedScene<'_>,
    course: SimulatedCourse<'_>,
    eligibility: EligibilityHint,
) -> Result<SimulatedEarnings> {
    let months = scene.months();
    let levers = standings(scene, &course.standing)?;
    let SimulatedCourse { basis, corrections, dropped, .. } = course;
    let ids: Vec<Id> = scene.year.enrolled.iter().map(|history| history.enrollment.id).collect();
    let enrolled = EnrollmentKeys { partner_id: scene.year.partner.id, ids: &ids };
    let posted = records::posted(tx, enrolled, months.iter().copied())?;
    let lens = Lens { scene, months: accounting::months(tx)?, language: tx.language };
    let mut shown: Vec<Correction<'_>> =
        corrections.into_iter().filter(|it| months.contains(&it.target.earned_in)).collect();
    shown.sort_by_key(|correction| lens.is_on_record(&correction.target.origin));
    let earned: Vec<&Correction<'_>> = shown.iter().filter(|correction| correction.is_moved).collect();
    let refused: Vec<SimulatedIneligible> =
        shown.iter().filter_map(|correction| lens.ineligible(correction)).collect();
    let mut moved: Vec<(Currency, [i64; 3])> = earned.iter().map(|correction| moves(correction)).collect();
    let dropped = dropped.iter().filter(|dropped| months.contains(&dropped.place.month));
    moved.extend(dropped.map(|dropped| {
        let sums = &dropped.group.sums;
        (dropped.place.currency, [-sums.amount, -sums.rebate, sums.rebate - sums.amount])
    }));
    Ok(SimulatedEarnings {
        simulated: true,
        partner_id: scene.year.partner.id,
        program: scene.year.program.code.clone(),
        version: scene.version.version,
        version_state: scene.version.state,
        month: scene.asked.month,
        months: months.into_iter().collect(),
        basis,
        assumptions: scene.assumptions(),
        eligibility,
        totals: totals(basis, posted, &moved),
        earnings_count: earned.len(),
        ineligible_count: refused.len(),
        earnings: earned.into_iter().take(MOST_LISTED).map(|correction| lens.earning(correction)).collect(),
        ineligible: refused.into_iter().take(MOST_LISTED).collect(),
        levers,
        as_of: tx.now,
    })
}

/// By how much an earning would move its currency: the amount, its rebate part and its co-op part.
fn moves(correction: &Correction<'_>) -> (Currency, [i64; 3]) {
    let Correction { target, posted, .. } = correction;
    let (amount, rebate) = (target.amount - posted.amount, target.rebate - posted.rebate);
    (target.currency, [amount, rebate, amount - rebate])
}

fn totals(
    basis: SimulationBasis,
    posted: Vec<(Currency, [i64; 3])>,
    moved: &[(Currency, [i64; 3])],
) -> Vec<SimulatedTotal> {
    let mut sums: BTreeMap<Currency, ([i64; 3], [i64; 3])> = BTreeMap::new();
    for (currency, posted) in posted {
        let there = if basis == SimulationBasis::Books { posted } else { [0; 3] };
        sums.insert(currency, (posted, there));
    }
    for (currency, by) in moved {
        let (_, there) = sums.entry(*currency).or_default();
        *there = plus(*there, *by);
    }
    sums.into_iter().map(|(currency, (posted, there))| SimulatedTotal::of(currency, posted, there)).collect()
}

/// What corrections are seen through: hypothetical sales have no ids.
struct Lens<'a> {
    scene: &'a SimulatedScene<'a>,
    months: Months,
    language: Locale,
}

impl Lens<'_> {
    fn is_on_record(&self, origin: &Origin) -> bool {
        origin.transaction().is_some_and(|id| !self.scene.hypothetical.names.contains_key(&id))
    }

    fn reference(&self, id: Option<Id>) -> Option<SaleReference> {
        let id = id?;
        let reference = self.scene.hypothetical.names.get(&id).cloned();
        Some(SaleReference { transaction_id: reference.is_none().then_some(id), reference })
    }

    fn earning(&self, correction: &Correction<'_>) -> SimulatedEarning {
        let Correction { target, posted, .. } = correction;
        let money = |minor| Money { minor, currency: target.currency };
        let (_, [amount, rebate, coop]) = moves(correction);
        let traced = Traced {
            version: target.version,
            lever: target.lever,
            currency: target.currency,
            figures: target.figures,
            slices: &target.slices,
            corrects: posted.amount,
            rebate,
            coop,
        };
        SimulatedEarning {
            lever: target.lever.code().to_owned(),
            grain: Grain::of(&target.origin),
            sale: self.reference(target.origin.transaction()),
            purchase: self.reference(target.origin.purchase()),
            customer_id: correction.customer(),
            earned_in: target.earned_in,
            posted_in: self.months.posting_for(target.earned_in),
            base: money(target.base - posted.base),
            unrounded: (target.unrounded - posted.unrounded).text(target.currency),
            amount: money(amount),
            rebate: money(rebate),
            coop: money(coop),
            trace: trace_view(traced.steps(), target.currency),
        }
    }

    fn ineligible(&self, correction: &Correction<'_>) -> Option<SimulatedIneligible> {
        let target = &correction.target;
        let shortfall = target.shortfall.as_ref()?;
        let capped = shortfall.capped.map(|minor| Money { minor, currency: target.currency });
        Some(SimulatedIneligible {
            lever: target.lever.code().to_owned(),
            grain: Grain::of(&target.origin),
            sale: self.reference(target.origin.transaction()),
            purchase: self.reference(target.origin.purchase()),
            customer_id: correction.customer(),
            earned_in: target.earned_in,
            code: shortfall.reason.code().to_owned(),
            message: records::message(&shortfall.reason, capped, self.language),
            curable: shortfall.reason.is_curable(),
            remedy: records::remedy(&shortfall.reason, self.language),
            capped,
        })
    }
}
