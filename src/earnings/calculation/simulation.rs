//! What a month would earn. The batch's own gathering and the same sums; nothing here writes.
//!
//! Where the version is the one the enrollment's books are kept by, the books are opened where they stand, and what is
//! new is posted to them: the cost is that of the new sales. A draft has no books; for it the year is gone through from
//! its beginning.

use super::{
    gather::{self, Gathered, Opened, Part, Take},
    growth,
    model::Whose,
    sales,
    simulation_api::EarningsSimulation,
    simulation_view::{self, EligibilityHint, SimulatedEarnings, SimulationAssumption, SimulationBasis},
    supposed::{self, Frame, Supposed},
};
use crate::{
    access::Tx,
    earnings::engine::{Books, Outcome, Terms},
    network::partners::{self, Partner},
    participation::{
        eligibility,
        enrollments::{self, Change, Enrollment, earning_windows},
        programs::{self, Program, ProgramVersion, ProgramVersionState},
    },
    platform::{
        Error, Result,
        values::{CalendarDate, Id, Month, Period},
    },
    sales::transactions::SalesOfYear,
};
use std::collections::{BTreeSet, HashSet};

/// How many recorded sales a simulation goes through at most: about a second.
const MOST_SALES: usize = 50_000;

crate::problem_codes! {
    SIMULATION_TOO_LARGE = "simulation_too_large" 422 "Too many recorded sales to go through",
        "A simulation goes through up to `most` recorded sales. Where sales wait for the calculation, run it first; to try other terms, leave the recorded sales out with `include_recorded: false`.";
}

/// What is simulated: of whom, by which version, with which sales.
pub(super) struct Scene<'a> {
    pub asked: &'a EarningsSimulation,
    pub part: Part<'a>,
    pub version: &'a ProgramVersion,
    pub frame: Frame,
    pub supposed: Supposed,
}

/// What came out.
pub(super) struct Course {
    pub basis: SimulationBasis,
    pub outcomes: Vec<Outcome>,
    pub takes: Vec<Take>,
    /// Where the levers would stand.
    pub books: Books,
}

/// Answers a simulation.
pub(super) fn simulate(tx: &mut Tx<'_>, asked: &EarningsSimulation) -> Result<SimulatedEarnings> {
    let partner = partners::get(tx, asked.partner_id)?;
    let program = programs::find(tx, &asked.program)?;
    let version = version_of(tx, &program, asked)?;
    let enrolled = enrolled(tx, &partner, &version)?;
    let frame = frame(asked.month, &version)?;
    let mut windows = enrolled.iter().flat_map(|(enrollment, history)| earning_windows(enrollment, history));
    let is_enrolled = windows.any(|window| window.overlaps(frame.month));
    let part = Part {
        partner: &partner,
        program: &program,
        versions: std::slice::from_ref(&version),
        enrolled: &enrolled,
        supposed: (!is_enrolled).then_some(Period { from: frame.month.from, to: version.effective_to }),
    };
    let supposed = supposed::take(tx, asked, &frame)?;
    let scene = Scene { asked, part, version: &version, frame, supposed };
    let keeps_books = version.state == ProgramVersionState::Published && asked.include_recorded;
    let course = match scene.part.home().filter(|_| keeps_books) {
        Some(home) => scene.on_the_books(tx, home)?,
        None => scene.replayed(tx)?,
    };
    let as_of = tx.today().clamp(scene.frame.month.from, scene.frame.month.to);
    let assessment = eligibility::assess(tx, &partner, &program, &version, as_of)?;
    simulation_view::show(tx, &scene, course, EligibilityHint::from(assessment))
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
    let message = format!("no published version of {} is in effect then", program.code);
    Err(Error::invalid_field("/month", "no_version", message))
}

/// The partner's enrollments in the program for the year of the version, the newest last.
fn enrolled(
    tx: &mut Tx<'_>,
    partner: &Partner,
    version: &ProgramVersion,
) -> Result<Vec<(Enrollment, Vec<Change>)>> {
    let mut all = enrollments::with_history(tx, partner.id, version.program_year)?;
    all.retain(|(enrollment, _)| {
        enrollment.program_id == version.program_id && enrollment.program_year == version.program_year
    });
    Ok(all)
}

fn frame(month: Month, version: &ProgramVersion) -> Result<Frame> {
    let (days, covered) = (month.period(), version.period());
    if !days.overlaps(covered) {
        let message = format!("the version is in effect from {} to {}", covered.from, covered.to);
        return Err(Error::invalid_field("/month", "outside_version", message));
    }
    let month = Period { from: days.from.max(covered.from), to: days.to.min(covered.to) };
    Ok(Frame {
        month,
        year: Period { from: covered.from, to: month.to },
        asks_before: gather::asks_before(std::slice::from_ref(version)),
    })
}

impl Scene<'_> {
    fn year(&self) -> SalesOfYear {
        SalesOfYear {
            partner_id: self.part.partner.id,
            enrollments: self.part.ids(),
            days: self.frame.year,
            asks_before: self.frame.asks_before,
        }
    }

    /// The months an answer is about: the one asked for, and those of the purchases that supposed refunds take back.
    pub(super) fn months(&self) -> BTreeSet<Month> {
        let touched = self.supposed.sales.iter().map(|(_, bought_on)| Month::of(*bought_on));
        touched.chain([self.asked.month]).collect()
    }

    /// What is taken for given beside what is on record.
    pub(super) fn assumptions(
        &self,
        basis: SimulationBasis,
        today: CalendarDate,
    ) -> Vec<SimulationAssumption> {
        let not_enrolled = self.part.supposed.is_some();
        let later = basis == SimulationBasis::Books && self.frame.month.to < today;
        [
            (not_enrolled, SimulationAssumption::Enrolled),
            (not_enrolled, SimulationAssumption::RulesMet),
            (!self.asked.include_recorded, SimulationAssumption::NothingRecorded),
            (later, SimulationAssumption::LaterSales),
        ]
        .into_iter()
        .filter_map(|(holds, assumption)| holds.then_some(assumption))
        .collect()
    }

    /// Opens the books where they stand, and posts what is not in them yet up to the end of the month.
    fn on_the_books(&self, tx: &mut Tx<'_>, home: Id) -> Result<Course> {
        let year = self.year();
        let mut new = sales::new_within(tx, &year, MOST_SALES + 1)?;
        refuse_many(new.len())?;
        self.supposed.precede(&mut new);
        new.extend(self.supposed.sales.iter().cloned());
        let room = (true, MOST_SALES + 1);
        let Gathered { facts, mut takes, mut records } = gather::gather(tx, &self.part, &year, new, room)?;
        refuse_many(records.len() + takes.iter().filter(|take| take.levers.is_none()).count())?;
        let days = year.days;
        takes.retain(|take| days.contains(take.bought_on) && take.sale.occurred_on <= days.to);
        let mut by_books: Vec<_> = gather::by_books(&self.part, takes).collect();
        if by_books.iter().all(|(whose, ..)| whose.enrollment_id != home) {
            let (partner_id, version) = (self.part.partner.id, self.version.version);
            by_books.push((Whose { enrollment_id: home, partner_id, version }, self.version, Vec::new()));
        }
        let (mut outcomes, mut all, mut stand) = (Vec::new(), Vec::new(), Books::default());
        for (whose, version, takes) in by_books {
            let Opened { mut books, .. } =
                gather::open(tx, whose, version, &facts, year.asks_before, &takes)?;
            outcomes.extend(gather::post(&mut books, &Terms::from(version), &facts, &takes));
            if growth::grows(version) {
                records.extend(growth::open(tx, whose, &mut books)?);
                outcomes.extend(growth::post(tx, whose.partner_id, version, &facts, &mut books)?);
            }
            all.extend(takes);
            if whose.enrollment_id == home {
                stand = books;
            }
        }
        let told: HashSet<_> = records
            .iter()
            .map(|record| (&*record.lever, record.transaction_id, record.earned_in, &*record.code))
            .collect();
        outcomes.retain(|outcome| match outcome {
            Outcome::Ineligible(it) => {
                it.capped.is_some()
                    || !told.contains(&(&*it.lever, it.sale(), it.earned_in, it.reason.code()))
            }
            Outcome::Earning(_) => true,
        });
        Ok(Course { basis: SimulationBasis::Books, outcomes, takes: all, books: stand })
    }

    /// Goes through the year from its beginning, by books that are empty.
    fn replayed(&self, tx: &mut Tx<'_>) -> Result<Course> {
        let year = self.year();
        let mut sold =
            if self.asked.include_recorded { sales::sold(tx, &year, MOST_SALES + 1)? } else { Vec::new() };
        refuse_many(sold.len())?;
        sold.retain(|(_, bought_on)| year.days.contains(*bought_on));
        self.supposed.precede(&mut sold);
        sold.extend(self.supposed.sales.iter().cloned());
        let room = (false, usize::MAX);
        let Gathered { facts, takes, .. } = gather::gather(tx, &self.part, &year, sold, room)?;
        let mut books = Books::default();
        let mut outcomes = gather::post(&mut books, &Terms::from(self.version), &facts, &takes);
        outcomes.extend(growth::post(tx, year.partner_id, self.version, &facts, &mut books)?);
        Ok(Course { basis: SimulationBasis::Replay, outcomes, takes, books })
    }
}

fn refuse_many(sales: usize) -> Result<()> {
    if sales <= MOST_SALES {
        return Ok(());
    }
    let detail = format!("more than {MOST_SALES} recorded sales would have to be gone through");
    Err(Error::new(&SIMULATION_TOO_LARGE, detail).with("most", MOST_SALES))
}
