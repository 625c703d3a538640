//! The run: units, one after the other, until no partner waits. Each unit posts what it has computed and takes its
//! partners out of the backlog, so a crash between units loses nothing, and a repeat finds nothing to do.

use super::{
    model::{Run, RunState, Tally},
    posting::{self, Chunk, EnrollmentYear, Posting},
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
        Error, Result, cut,
        values::{Id, Month, Period},
    },
    sales::transactions::backlog::{self, CalculationCause, Since, Waiting, Whom},
    work::{End, JobName, Queue, Schedule, Turn, Work, in_short, passes, retry},
};
use serde_json::json;
use std::{collections::BTreeMap, ops::ControlFlow, time::Duration};

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

/// Where a run stands between two units. How far a partner has come stands in the backlog itself.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// The last partner that is done.
    after: Option<Id>,
    /// Whether the unit looks at one partner only, because a unit over several failed.
    alone: bool,
}

/// What happens at the end of a unit that changed facts: enrollments follow, and with them what waits to be paid.
pub fn follow_up(tx: &mut Tx<'_>, changes: &Changes) -> Result<()> {
    for month in &changes.rates {
        let waiting = store::waiting_for_rates(tx, *month)?;
        backlog::note_sales(tx, &waiting)?;
    }
    for program in &changes.published {
        // Sales of the version's days may have been looked at while no version covered them.
        let enrolled = enrollments::enrolled_in(tx, *program)?;
        backlog::note(tx, &enrolled, CalculationCause::Version)?;
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
    Ok(backlog::length(tx, Whom::All)? > 0)
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
        total: backlog::length(tx, Whom::of(partner))?,
        sales: 0,
        earnings: 0,
        ineligible_records: 0,
        put_aside: 0,
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

/// Begins a run that computes a partner again from the beginning. A run at work over others is given back, and then nothing is
/// noted.
pub fn recalculate(tx: &mut Tx<'_>, partner: Id, reason: &str) -> Result<Run> {
    tx.lock_partner(partner)?;
    if let Some(running) = store::running(tx)?.filter(|run| !run.covers(Some(partner))) {
        tx.exempt_from_audit(Unaudited::NothingWritten);
        return Ok(running);
    }
    backlog::note(tx, &[partner], CalculationCause::Recalculation)?;
    let event = audit::Event::on("recalculation", partner).of_partner(partner);
    event.after(&json!({"partner_id": partner})).because(Some(reason)).record(tx)?;
    start(tx, Some(partner))
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
            // A unit over several partners is repeated for the first of them alone.
            Err(_) if !place.alone => place.alone = true,
            // A partner whose data fails stops nobody else.
            Err(error) => {
                let aside = app.write_as_system("Calculate", move |tx| {
                    lease.check(tx)?;
                    put_aside(tx, run, here, &error)
                })?;
                match aside {
                    Aside::GoOn(after) => place = Place { after: Some(after), alone: false },
                    Aside::Over(run) => return Ok(run),
                }
            }
        }
    }
}

/// Whether a run goes on after a failure.
enum Aside {
    /// After the partner that was put aside.
    GoOn(Id),
    /// The run is over.
    Over(Run),
}

/// Puts the partner aside whose calculation failed; a run over that partner alone has failed with it.
fn put_aside(tx: &mut Tx<'_>, run: Id, place: Place, error: &Error) -> Result<Aside> {
    let known = store::get_run(tx, run)?;
    let failed = backlog::next(tx, Whom::of(known.partner_id), place.after, 1)?;
    let why = cut(&error.to_string(), 1000).to_owned();
    let Some(Waiting { partner_id, .. }) = failed.first().copied() else {
        return finish(tx, known, RunState::Failed, Some(why)).map(Aside::Over);
    };
    tx.lock_partner(partner_id)?;
    backlog::put_aside(tx, partner_id, error.code.code)?;
    let run = Run { put_aside: known.put_aside + 1, ..advanced(known.clone(), Tally::default(), tx) };
    let event = audit::Event::on("calculation_run", run.id).of_partner(partner_id).before(&RunView::from(known));
    event.after(&RunView::from(run.clone())).because(Some(&why)).record(tx)?;
    if run.partner_id.is_some() {
        return finish(tx, run, RunState::Failed, Some(why)).map(Aside::Over);
    }
    store::update_run(tx, &run)?;
    Ok(Aside::GoOn(partner_id))
}

/// One unit: several partners, or the next months of a large one. Gives the run, and where the next unit goes on.
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
    let most = if place.alone { 1 } else { PARTNERS_AT_ONCE };
    let waiting = backlog::next(tx, Whom::of(known.partner_id), place.after, most)?;
    let partners: Vec<Id> = waiting.iter().map(|waiting| waiting.partner_id).collect();
    let Some(last) = partners.last().copied() else {
        return Ok((finish(tx, known, RunState::Succeeded, None)?, None));
    };
    tx.lock_partners(&partners)?;
    // Taken out first: whoever reports sales of them now waits for this unit, and does not undo its work at the end.
    let waiting = backlog::take(tx, &partners)?;
    let mut rest = waiting.clone();
    let (mut tally, mut next) = (Tally::default(), Place { after: place.after, alone: false });
    if waiting.is_empty() {
        next.after = Some(last);
    }
    let mut left = at_once;
    for waiting in &waiting {
        let partner = waiting.partner_id;
        let looked = look_at(tx, run, *waiting, left)?;
        tally = tally.and(looked.tally);
        left = left.saturating_sub(looked.computed);
        rest.retain(|waiting| waiting.partner_id != partner);
        if let Some(month) = looked.rest {
            rest.push(Waiting { since: Since::Day(month.first_day()), ..*waiting });
            break;
        }
        next.after = Some(partner);
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

/// What a unit has done for one partner.
struct Looked {
    tally: Tally,
    /// Purchases that were computed.
    computed: usize,
    /// The month from which on the partner is not done; none where it is.
    rest: Option<Month>,
}

/// One partner: its enrollment years, oldest first, from the month of the first change on. The years of one program year are
/// computed together: they judge the same purchases.
fn look_at(tx: &mut Tx<'_>, run: Id, waiting: Waiting, at_once: usize) -> Result<Looked> {
    let partner = partners::get(tx, waiting.partner_id)?;
    let months = accounting::months(tx)?;
    let since = waiting.since.first_day();
    let all = enrollments::with_history(tx, partner.id, programs::program_year_of(since))?;
    let mut looked = Looked { tally: Tally::default(), computed: 0, rest: None };
    let mut entries = Vec::new();
    for (number, of_year) in by_year(all) {
        let Some(days) = programs::program_year(number) else { continue };
        let from = Month::of(days.from.max(since));
        if looked.computed >= at_once {
            looked.rest = Some(from);
            break;
        }
        let left = at_once - looked.computed;
        let mut chunk = Chunk::load(tx, partner.id, Period { from: from.first_day(), ..days }, left)?;
        for enrolled in of_year.chunk_by(|one, other| one.0.program_id == other.0.program_id) {
            let Some((enrollment, _)) = enrolled.first() else { continue };
            let program = programs::get(tx, enrollment.program_id)?;
            let versions = programs::versions_of_year(tx, program.id, number)?;
            let year = EnrollmentYear::new(&partner, &program, &versions, enrolled, days);
            let Posting { tally, entries: posted } = posting::post(tx, year, &mut chunk, waiting.cause, months)?;
            looked.tally = looked.tally.and(tally);
            entries.extend(posted);
        }
        looked.computed += chunk.purchases().count();
        looked.rest = chunk.rest;
        if looked.rest.is_some() {
            break;
        }
    }
    accounting::post_to_rebates(tx, &entries, accounting::TransferCause::Calculation, Some(run))?;
    if !looked.tally.is_idle() {
        let summary = json!({
            "sales": looked.tally.sales,
            "earnings": looked.tally.earnings,
            "ineligible_records": looked.tally.ineligible,
        });
        let event = audit::Event::on("calculation_run", run).of_partner(partner.id);
        event.after(&summary).record(tx)?;
    }
    Ok(looked)
}

/// Enrollments by program year, those of one program together, each with its history.
type ByYear = BTreeMap<i32, Vec<(Enrollment, Vec<Change>)>>;

fn by_year(all: Vec<(Enrollment, Vec<Change>)>) -> ByYear {
    let mut years = ByYear::new();
    for enrolled in all {
        years.entry(enrolled.0.program_year).or_default().push(enrolled);
    }
    for of_year in years.values_mut() {
        of_year.sort_by_key(|(enrollment, _)| (enrollment.program_id, enrollment.id));
    }
    years
}
