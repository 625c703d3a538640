//! The run: units, one after the other, until no partner waits. Each unit posts what it has computed and takes its
//! partners out of the backlog, so a crash between units loses nothing, and a repeat finds nothing to do.

use super::{
    batch::{self, Step},
    curable,
    gather::Part,
    model::{Run, RunState, Tally},
    runs_api::RunView,
    store,
};
use crate::{
    access::{AppState, Changes, Guard, Tx, Unaudited},
    audit,
    ledger::accounting,
    network::partners,
    participation::{
        admission,
        enrollments::{self, Change, Enrollment},
        programs,
    },
    platform::{
        Result, cut,
        values::{CalendarDate, Id},
    },
    sales::transactions::backlog::{self, Waiting},
    work::{End, JobName, Queue, Schedule, Turn, Work, in_short, passes, retry},
};
use serde_json::json;
use std::{ops::ControlFlow, time::Duration};

/// How many sales a unit takes in or judges again, at most: some tenths of a second.
const SALES_AT_ONCE: usize = 4000;
/// How many partners a unit looks at, at most.
const PARTNERS_AT_ONCE: i64 = 16;
/// How often somebody looks how far the run of another instance has come.
const LOOK: Duration = Duration::from_millis(200);

/// Calculation runs, which people ask for; a run that was broken off is gone on with.
pub const WORK: Work = Work {
    name: JobName::Calculation,
    schedule: |_| Schedule::Never,
    queue: Some(Queue { waits: |tx| Ok(store::running(tx)?.is_some()), every: 5 }),
    run: attend,
};

/// Where a run stands between two units.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// The last partner that is done.
    after: Option<Id>,
    /// Within the next one: which part of it, and from which day on.
    within: Option<(Id, usize, CalendarDate)>,
}

/// What happens at the end of a unit that changed facts: enrollments follow, and with them what waits to be paid.
pub fn follow_up(tx: &mut Tx<'_>, changes: &Changes) -> Result<()> {
    for month in &changes.rates {
        let waiting = curable::waiting_for_rates(tx, *month)?;
        backlog::note_sales(tx, &waiting)?;
    }
    for program in &changes.published {
        // Sales of the version's days may have been looked at while no version covered them.
        let enrolled = enrollments::enrolled_in(tx, *program)?;
        backlog::note(tx, &enrolled)?;
    }
    let mut partners = changes.partners.clone();
    for program in &changes.programs {
        partners.extend(enrollments::enrolled_in(tx, *program)?);
    }
    admission::follow_up(tx, &partners)?;
    accounting::follow_profiles(tx, &partners)
}

/// Whether a partner waits for a run.
pub fn is_due(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(backlog::length(tx, None)? > 0)
}

/// Begins a run over all partners or one. A run at work is given back.
pub fn start(tx: &mut Tx<'_>, partner: Option<Id>) -> Result<Run> {
    if let Some(partner) = partner {
        partners::get(tx, partner)
            .map_err(|error| error.as_fault_at("/partner_id", "there is no such partner"))?;
    }
    if let Some(running) = store::running(tx)? {
        tx.exempt_from_audit(Unaudited::NothingWritten);
        return Ok(running);
    }
    let run = Run {
        id: tx.new_id(),
        partner_id: partner,
        state: RunState::Running,
        done: 0,
        total: backlog::length(tx, partner)?,
        sales: 0,
        earnings: 0,
        ineligible_records: 0,
        error: None,
        requested_by: tx.actor.id(),
        started_at: tx.now,
        updated_at: tx.now,
        finished_at: None,
        revision: 1,
    };
    store::insert_run(tx, &run)?;
    let event = audit::Event::on("calculation_run", run.id);
    event.after(&RunView::from(run.clone())).record(tx)?;
    Ok(run)
}

/// Brings the runs that people have asked for to their end.
fn attend(turn: &Turn) -> Result<End> {
    while let Some(run) = turn.app().read_as_system(store::running)? {
        let go_on =
            |_: &Run| if turn.is_ending() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        match bring_to_its_end(turn, run.id, SALES_AT_ONCE, go_on) {
            Ok(run) if run.state == RunState::Running => return Ok(End::Interrupted),
            Ok(_) => {}
            Err(error) if passes(&error) => return Err(error),
            Err(error) => return Ok(End::Troubled(in_short(&error))),
        }
    }
    Ok(End::Done)
}

/// Runs the calculation here and now, over all partners or one; where another instance is at a run that looks at what
/// is asked for, waits for its end. Tells of every unit, and is asked after it whether to go on.
pub fn calculate(
    app: &AppState,
    partner: Option<Id>,
    go_on: impl FnMut(&Run) -> ControlFlow<()>,
) -> Result<Run> {
    calculate_in(app, partner, SALES_AT_ONCE, go_on)
}

/// The same in units of up to so many sales.
pub fn calculate_in(
    app: &AppState,
    partner: Option<Id>,
    at_once: usize,
    mut go_on: impl FnMut(&Run) -> ControlFlow<()>,
) -> Result<Run> {
    let mut followed: Option<Id> = None;
    loop {
        if let Some(id) = followed {
            let run = app.read_as_system(|tx| store::get_run(tx, id))?;
            if run.state != RunState::Running || go_on(&run).is_break() {
                return Ok(run);
            }
        }
        let Some(turn) = Turn::take(app, JobName::Calculation)? else {
            let running = app.read_as_system(store::running)?;
            followed = running.filter(|run| run.covers(partner)).map(|run| run.id);
            std::thread::sleep(LOOK);
            continue;
        };
        let done = turn.renewed(|| {
            let lease = turn.lease();
            let run = app.write_as_system("StartCalculationRun", move |tx| {
                lease.check(tx)?;
                start(tx, partner)
            })?;
            bring_to_its_end(&turn, run.id, at_once, &mut go_on)
        });
        let how = |done: &Result<Run>| match done {
            Ok(run) if run.state == RunState::Running => End::Interrupted,
            Ok(_) => End::Done,
            Err(error) => End::Troubled(in_short(error)),
        };
        let done = turn.close(Ok(done), how)??;
        if done.covers(partner) || done.state != RunState::Succeeded {
            return Ok(done);
        }
    }
}

/// Does the work of a run that has been begun. A fault that passes leaves the run to be gone on with; any other ends it.
fn bring_to_its_end(
    turn: &Turn,
    run: Id,
    at_once: usize,
    mut go_on: impl FnMut(&Run) -> ControlFlow<()>,
) -> Result<Run> {
    let (app, lease) = (turn.app(), turn.lease());
    let mut place = Place::default();
    loop {
        let here = place;
        let unit = || {
            app.write_as_system("Calculate", move |tx| {
                lease.check(tx)?;
                unit(tx, run, here, at_once)
            })
        };
        match retry(unit) {
            Ok((run, next)) => match (go_on(&run), next) {
                (ControlFlow::Continue(()), Some(next)) => place = next,
                _ => return Ok(run),
            },
            Err(error) if passes(&error) => return Err(error),
            Err(error) => {
                let why = cut(&error.to_string(), 1000).to_owned();
                app.write_as_system("Calculate", move |tx| {
                    lease.check(tx)?;
                    let known = store::get_run(tx, run)?;
                    finish(tx, known, RunState::Failed, Some(why.clone()))
                })?;
                return Err(error);
            }
        }
    }
}

/// One unit: some partners, or some sales of a large one. Gives the run as it stands, and where the next unit goes on.
fn unit(tx: &mut Tx<'_>, run: Id, place: Place, at_once: usize) -> Result<(Run, Option<Place>)> {
    let known = store::get_run(tx, run)?;
    if known.state != RunState::Running {
        tx.exempt_from_audit(Unaudited::NothingWritten);
        return Ok((known, None));
    }
    // Months stay open and rates as they are until the unit has posted.
    tx.share(Guard::Books)?;
    // The instance that goes on with a run may be another one than began it.
    tx.conn.expect_bulk(true)?;
    let waiting = backlog::next(tx, known.partner_id, place.after, PARTNERS_AT_ONCE)?;
    let partners: Vec<Id> = waiting.iter().map(|waiting| waiting.partner_id).collect();
    let Some(last) = partners.last().copied() else {
        return Ok((finish(tx, known, RunState::Succeeded, None)?, None));
    };
    tx.lock_partners(&partners)?;
    // Taken out first: whoever reports sales of them now waits for this unit, and does not undo its work at the end.
    let waiting = backlog::take(tx, &partners)?;
    let mut rest = waiting.clone();
    let (mut tally, mut next) = (Tally::default(), place);
    if waiting.is_empty() {
        next = Place { after: Some(last), within: None };
    }
    let mut left = at_once;
    for Waiting { partner_id: partner, since } in &waiting {
        let within = next.within.filter(|(id, ..)| id == partner).map(|(_, part, day)| (part, day));
        let (came, left_over) = look_at(tx, run, (*partner, since.first_day()), within, left)?;
        tally = tally.and(came);
        left = left.saturating_sub(usize::try_from(came.sales).unwrap_or(usize::MAX));
        if let Some((part, day)) = left_over {
            next.within = Some((*partner, part, day));
            break;
        }
        if within.is_some() {
            // What came for it meanwhile may lie before the place it was resumed at: it is looked at once more.
            next.within = None;
            break;
        }
        rest.retain(|waiting| waiting.partner_id != *partner);
        next = Place { after: Some(*partner), within: None };
        if left == 0 {
            break;
        }
    }
    tally.partners = i64::try_from(waiting.len() - rest.len()).unwrap_or(i64::MAX);
    backlog::note_sales(tx, &rest)?;
    let run = advanced(known.clone(), tally, tx);
    store::update_run(tx, &run)?;
    if tally.is_idle() {
        // What a partner earned tells of the run; where nobody did, how far it has come does.
        let event = audit::Event::on("calculation_run", run.id).before(&RunView::from(known));
        event.after(&RunView::from(run.clone())).record(tx)?;
    }
    Ok((run, Some(next)))
}

fn advanced(run: Run, tally: Tally, tx: &Tx<'_>) -> Run {
    Run {
        done: run.done + tally.partners,
        sales: run.sales + tally.sales,
        earnings: run.earnings + tally.earnings,
        ineligible_records: run.ineligible_records + tally.ineligible,
        updated_at: tx.now,
        revision: run.revision + 1,
        ..run
    }
}

fn finish(tx: &mut Tx<'_>, before: Run, state: RunState, error: Option<String>) -> Result<Run> {
    let run = Run {
        state,
        error,
        updated_at: tx.now,
        finished_at: Some(tx.now),
        revision: before.revision + 1,
        ..before
    };
    store::update_run(tx, &run)?;
    tx.conn.expect_bulk(false)?;
    let event = audit::Event::on("calculation_run", run.id);
    event.after(&RunView::from(run.clone())).record(tx)?;
    Ok(run)
}

/// Which part of a partner is not done, and from which day on.
type Rest = Option<(usize, CalendarDate)>;

/// One partner: its enrollments by program and year, oldest first. The rest is none where the partner is done.
fn look_at(
    tx: &mut Tx<'_>,
    run: Id,
    (partner, from_day): (Id, CalendarDate),
    within: Rest,
    mut left: usize,
) -> Result<(Tally, Rest)> {
    let partner = partners::get(tx, partner)?;
    let months = accounting::months(tx)?;
    let all = enrollments::with_history(tx, partner.id, programs::program_year_of(from_day))?;
    let (mut tally, mut entries, mut rest) = (Tally::default(), Vec::new(), None);
    for (number, enrolled) in parts(all).into_iter().enumerate() {
        if within.is_some_and(|(part, _)| number < part) {
            continue;
        }
        let from = within.filter(|(part, _)| *part == number).map(|(_, day)| day);
        let Some((first, _)) = enrolled.first() else { continue };
        let (program, year) = (first.program_id, first.program_year);
        let program = programs::get(tx, program)?;
        let versions = programs::versions_of_year(tx, program.id, year)?;
        let (partner, program) = (&partner, &program);
        let part = Part { partner, program, versions: &versions, enrolled: &enrolled, supposed: None };
        if left == 0 {
            rest = Some((number, from.unwrap_or(CalendarDate::MIN)));
            break;
        }
        let (came, posted) = match batch::post(tx, &part, months, from, left)? {
            Step::Done(came, posted) => (came, posted),
            Step::More(came, posted, day) => {
                rest = Some((number, day));
                (came, posted)
            }
        };
        tally = tally.and(came);
        entries.extend(posted);
        left = left.saturating_sub(usize::try_from(came.sales).unwrap_or(usize::MAX));
        if rest.is_some() {
            break;
        }
    }
    accounting::post_to_rebates(tx, &entries, accounting::TransferCause::Calculation, Some(run))?;
    if !tally.is_idle() {
        let summary = json!({
            "sales": tally.sales, "earnings": tally.earnings, "ineligible_records": tally.ineligible,
        });
        let event = audit::Event::on("calculation_run", run).of_partner(partner.id);
        event.after(&summary).record(tx)?;
    }
    Ok((tally, rest))
}

/// The enrollments of one program and year together, in the order of years.
fn parts(mut all: Vec<(Enrollment, Vec<Change>)>) -> Vec<Vec<(Enrollment, Vec<Change>)>> {
    let key = |enrollment: &Enrollment| (enrollment.program_year, enrollment.program_id);
    all.sort_by_key(|(enrollment, _)| (key(enrollment), enrollment.id));
    let mut parts: Vec<Vec<(Enrollment, Vec<Change>)>> = Vec::new();
    for enrolled in all {
        match parts.last_mut() {
            Some(part) if part.first().is_some_and(|(first, _)| key(first) == key(&enrolled.0)) => {
                part.push(enrolled);
            }
            _ => parts.push(vec![enrolled]),
        }
    }
    parts
}
