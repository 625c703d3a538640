//! What a month would earn: the same computation as a run's, shown and not stored.
//!
//! Where the version is in force and sales on record count, the months from the first touched one on are computed with the
//! standing of the months before, and what would be posted is shown. A draft has no books: its year is computed from the
//! beginning.

use super::{
    hypothetical::{self, Frame, Hypothetical},
    simulation_api::EarningsSimulation,
    view::{self, EligibilityHint, SimulatedEarnings, SimulationAssumption, SimulationBasis},
};
use crate::{
    access::Tx,
    earnings::{
        calculation::posting::{
            self, Chunk, Correction, Difference, Dropped, EnrollmentYear, Naming, Posted, StoredYearToDate,
        },
        engine::YearToDate,
    },
    network::partners::{self, Partner},
    participation::{
        eligibility,
        enrollments::{self, EnrollmentHistory},
        programs::{self, Program, ProgramVersion, ProgramVersionState},
    },
    platform::{
        Error, Result,
        values::{Id, Month, Period},
    },
    sales::transactions::backlog::{self, CalculationCause, Whom},
    text,
};
use std::collections::BTreeSet;

/// How many recorded sales a simulation goes through at most: about a second.
const MOST_SALES: usize = 50_000;

crate::problem_codes! {
    SIMULATION_TOO_LARGE = "simulation_too_large" 422 ["Too many recorded sales to go through", "対象となる登録済みの販売が多すぎます"],
        ["A simulation goes through up to `most` recorded sales. Where sales wait for the calculation, run it first; to try other terms, leave the recorded sales out with `include_recorded: false`.", "シミュレーションで扱える登録済みの販売は `most` 件までです。計算待ちの販売がある場合は先に計算を実行してください。条件だけを試す場合は `include_recorded: false` を指定して登録済みの販売を除外してください。"];
}

/// What is simulated: of whom, by which version, with which sales.
pub(super) struct SimulatedScene<'a> {
    pub asked: &'a EarningsSimulation,
    pub year: EnrollmentYear<'a>,
    pub version: &'a ProgramVersion,
    pub frame: Frame,
    pub hypothetical: Hypothetical,
}

/// What came out.
pub(super) struct SimulatedCourse<'a> {
    pub basis: SimulationBasis,
    pub corrections: Vec<Correction<'a>>,
    pub dropped: Vec<Dropped>,
    /// Where the levers would stand.
    pub standing: YearToDate,
}

/// Answers a simulation.
pub(super) fn simulate(tx: &mut Tx<'_>, asked: &EarningsSimulation) -> Result<SimulatedEarnings> {
    let partner = asked.partner_id.id(tx)?;
    let partner = partners::get(tx, partner)?;
    let program = programs::find(tx, &asked.program)?;
    let version = version_of(tx, &program, asked)?;
    let enrolled = enrolled(tx, &partner, &version)?;
    let frame = frame(asked.month, &version)?;
    let is_published = version.state == ProgramVersionState::Published;
    let versions = if is_published {
        programs::versions_of_year(tx, program.id, version.program_year)?
    } else {
        vec![version.clone()]
    };
    let mut windows = enrolled.iter().flat_map(EnrollmentHistory::earning_windows);
    let is_enrolled = windows.any(|window| window.overlaps(frame.month));
    let days = programs::program_year(version.program_year).unwrap_or(frame.year);
    let mut year = EnrollmentYear::new(&partner, &program, &versions, &enrolled, days);
    year.assumed = (!is_enrolled).then_some(Period { from: frame.month.from, to: version.effective_to });
    let hypothetical = hypothetical::take(tx, asked, &frame)?;
    let mut scene = SimulatedScene { asked, year, version: &version, frame, hypothetical };
    let home = scene.year.home().filter(|_| is_published && asked.include_recorded);
    let chunk = scene.sales(tx, home)?;
    scene.year.gather(tx, &chunk)?;
    let course = scene.compute(tx, &chunk, home)?;
    let as_of = tx.today().clamp(scene.frame.month.from, scene.frame.month.to);
    let assessment = eligibility::assess(tx, &partner, &program, &version, as_of)?;
    view::show(tx, &scene, course, EligibilityHint::of(assessment, tx.language))
}

/// The version that is named, else the published one of the month.
fn version_of(tx: &mut Tx<'_>, program: &Program, asked: &EarningsSimulation) -> Result<ProgramVersion> {
    if let Some(number) = asked.version {
        return programs::get_version(tx, program.id, number);
    }
    for day in [asked.month.first_day(), asked.month.last_day()] {
        if let Some(version) = programs::version_in_effect(tx, program.id, day)? {
            return Ok(version);
        }
    }
    let message = text!(
        "no published version of {} is in effect then",
        "その時点で適用される {} の公開済みの版がありません。",
        program.code
    );
    Err(Error::invalid_field("/month", "no_version", message))
}

/// The partner's enrollments in the program for the year of the version, the newest last.
fn enrolled(tx: &mut Tx<'_>, partner: &Partner, version: &ProgramVersion) -> Result<Vec<EnrollmentHistory>> {
    let mut all = enrollments::with_history(tx, partner.id, version.program_year)?;
    all.retain(|EnrollmentHistory { enrollment, .. }| {
        enrollment.program_id == version.program_id && enrollment.program_year == version.program_year
    });
    Ok(all)
}

fn frame(month: Month, version: &ProgramVersion) -> Result<Frame> {
    let (days, covered) = (month.period(), version.period());
    if !days.overlaps(covered) {
        let message = text!(
            "the version is in effect from {} to {}",
            "この版の適用期間は {} から {} までです。",
            covered.from,
            covered.to
        );
        return Err(Error::invalid_field("/month", "outside_version", message));
    }
    let month = Period { from: days.from.max(covered.from), to: days.to.min(covered.to) };
    Ok(Frame { month, year: Period { from: covered.from, to: month.to } })
}

impl SimulatedScene<'_> {
    /// The sales to compute: those on record from the first month that is touched, or from the beginning of the year where
    /// nothing of it stands on the books, with the hypothetical ones.
    fn sales(&self, tx: &mut Tx<'_>, home: Option<Id>) -> Result<Chunk> {
        let partner = self.year.partner.id;
        let mut from = self.year.days.from;
        if home.is_some() {
            let first = self.months().into_iter().next().unwrap_or(self.asked.month);
            let waiting = backlog::next(tx, Whom::Only(partner), None, 1)?;
            let since = waiting.first().map(|waiting| waiting.since.first_day());
            let touched = since.map_or(first.first_day(), |since| since.min(first.first_day()));
            from = from.max(touched.first_of_month());
        }
        let days = Period { from, to: self.asked.month.last_day().min(self.year.days.to) };
        let mut chunk = if self.asked.include_recorded {
            Chunk::load(tx, partner, days, MOST_SALES)?
        } else {
            Chunk::of(Vec::new(), days)
        };
        if chunk.rest.is_some() || chunk.purchases().nth(MOST_SALES).is_some() {
            let detail = text!(
                "more than {MOST_SALES} recorded sales would have to be gone through",
                "対象となる登録済みの販売が {MOST_SALES} 件を超えています。"
            );
            return Err(Error::new(&SIMULATION_TOO_LARGE, detail).with("most", MOST_SALES));
        }
        self.hypothetical.join(&mut chunk);
        Ok(chunk)
    }

    fn compute(&self, tx: &mut Tx<'_>, chunk: &Chunk, home: Option<Id>) -> Result<SimulatedCourse<'_>> {
        let mut basis = SimulationBasis::Replay;
        let (mut standing, mut posted, mut calculated) = (YearToDate::default(), Posted::default(), None);
        if let Some(home) = home {
            let key = self.year.key(home);
            calculated = posting::calculated(tx, key)?;
            basis = SimulationBasis::Books;
            standing = StoredYearToDate::load(tx, &self.year, key, chunk)?.standing();
            posted = Posted::load(tx, key, chunk, calculated)?;
        }
        let (targets, standing) = posting::compute(tx, &self.year, chunk, standing)?;
        let naming = Naming { cause: CalculationCause::Sale, calculated };
        let Difference { corrections, dropped, .. } = Difference::between(chunk, targets, posted, naming);
        Ok(SimulatedCourse { basis, corrections, dropped, standing })
    }

    /// The months an answer is about: the one asked for, and those of the purchases that hypothetical refunds take back.
    pub(super) fn months(&self) -> BTreeSet<Month> {
        self.hypothetical.months().into_iter().chain([self.asked.month]).collect()
    }

    /// What is taken for given beside what is on record.
    pub(super) fn assumptions(&self) -> Vec<SimulationAssumption> {
        let not_enrolled = self.year.assumed.is_some();
        [
            (not_enrolled, SimulationAssumption::Enrolled),
            (not_enrolled, SimulationAssumption::RulesMet),
            (!self.asked.include_recorded, SimulationAssumption::NothingRecorded),
        ]
        .into_iter()
        .filter_map(|(holds, assumption)| holds.then_some(assumption))
        .collect()
    }
}
