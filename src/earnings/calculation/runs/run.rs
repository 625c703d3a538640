//! The run: units, one after the other, until no partner waits. Each unit posts what it has computed and takes its
//! partners out of the backlog, so a crash between units loses nothing, and a repeat finds nothing to do.

use super::{
    model::{Run, RunState},
    runs_api::RunView,
    store,
    unit::{Aside, Place, put_aside, unit},
};
use crate::{
    access::{AppState, Changes, Tx, Unaudited},
    audit,
    earnings::calculation::records,
    ledger::accounting,
    network::partners,
    participation::{admission, enrollments},
    platform::{Result, values::Id},
    sales::transactions::backlog::{self, CalculationCause, Whom},
    text,
    work::{End, JobName, Queue, Schedule, Turn, Work, in_short, passes, retry},
};
use serde_json::json;
use std::{ops::ControlFlow, time::Duration};

/// How many sales a unit takes in or judges again, at most: some tenths of a second.
const SALES_AT_ONCE: usize = 4000;
/// How often somebody looks how far the run of another instance has come.
const LOOK: Duration = Duration::from_millis(200);

/// Calculation runs, which people ask for; a run that was broken off is gone on with.
pub const WORK: Work = Work {
    name: JobName::Calculation,
    schedule: |_| Schedule::Never,
    queue: Some(Queue { waits: |tx| Ok(store::running(tx)?.is_some()), every: 5 }),
    run: attend,
};

/// What happens at the end of a unit that changed facts: enrollments follow, and with them what waits to be paid.
pub fn follow_up(tx: &mut Tx<'_>, changes: &Changes) -> Result<()> {
    for month in &changes.rates {
        let waiting = records::waiting_for_rates(tx, *month)?;
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

/// Begins a run over all partners or one. A run at work is given back; where it looks at what is asked for, it goes through
/// whoever waits once more, because it may have passed them.
pub fn start(tx: &mut Tx<'_>, partner: Option<Id>) -> Result<Run> {
    if let Some(partner) = partner {
        partners::get(tx, partner).map_err(|error| {
            error.as_fault_at(
                "/partner_id",
                text!("there is no such partner", "該当するパートナーが存在しません。"),
            )
        })?;
    }
    if let Some(running) = store::lock_running(tx)? {
        return ask_again(tx, running, partner);
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
        asked_again: false,
    };
    store::insert_run(tx, &run)?;
    let event = audit::Event::on("calculation_run", run.id);
    event.after(&RunView::from(run.clone())).record(tx)?;
    Ok(run)
}

/// Asks for a run that is at work.
fn ask_again(tx: &mut Tx<'_>, known: Run, partner: Option<Id>) -> Result<Run> {
    if known.asked_again || !known.covers(partner) {
        tx.exempt_from_audit(Unaudited::NothingWritten);
        return Ok(known);
    }
    let run = Run { asked_again: true, updated_at: tx.now, revision: known.revision + 1, ..known.clone() };
    store::update_run(tx, &run)?;
    let event = audit::Event::on("calculation_run", run.id).before(&RunView::from(known));
    event.after(&RunView::from(run.clone())).record(tx)?;
    Ok(run)
}

/// The run at work that looks at what is asked for, asked for once more; none where there is no such run.
fn join(tx: &mut Tx<'_>, partner: Option<Id>) -> Result<Option<Run>> {
    if let Some(run) = store::lock_running(tx)?.filter(|run| run.covers(partner)) {
        return ask_again(tx, run, partner).map(Some);
    }
    tx.exempt_from_audit(Unaudited::NothingWritten);
    Ok(None)
}

/// Begins a run that computes a partner again from the beginning. A run at work over others is given back, and then nothing is
/// noted.
pub fn recalculate(tx: &mut Tx<'_>, partner: Id, reason: &str) -> Result<Run> {
    // The run before the partner, in the order in which its units lock them.
    if let Some(running) = store::lock_running(tx)?.filter(|run| !run.covers(Some(partner))) {
        tx.exempt_from_audit(Unaudited::NothingWritten);
        return Ok(running);
    }
    tx.lock_partner(partner)?;
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
            if followed.is_none() {
                let joined = app.write_as_system("StartCalculationRun", move |tx| join(tx, partner))?;
                followed = joined.map(|run| run.id);
            }
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
            Err(error) if turn.may_pass(&error) => return Err(error),
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
