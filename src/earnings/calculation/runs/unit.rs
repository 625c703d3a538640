//! The units of a run: what is posted and stored together, and what becomes of a partner whose calculation fails.

use super::{
    model::{Run, RunState},
    runs_api::RunView,
    store,
};
use crate::{
    access::{Guard, Tx, Unaudited},
    audit,
    earnings::calculation::posting::{self, Chunk, EnrollmentYear, Posting, Tally},
    ledger::accounting,
    network::partners,
    participation::{
        enrollments::{self, EnrollmentHistory},
        programs,
    },
    platform::{
        Error, Result, cut,
        values::{Id, Month, Period},
    },
    sales::transactions::backlog::{self, Since, Waiting, Whom},
};
use serde_json::json;
use std::collections::BTreeMap;

/// How many partners a unit looks at, at most.
const PARTNERS_AT_ONCE: i64 = 16;

/// Where a run stands between two units. How far a partner has come stands in the backlog itself.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    /// The last partner that is done.
    pub after: Option<Id>,
    /// Whether the unit looks at one partner only, because a unit over several failed.
    pub alone: bool,
}

/// One unit: several partners, or the next months of a large one. Gives the run, and where the next unit goes on.
pub(super) fn unit(tx: &mut Tx<'_>, run: Id, place: Place, at_once: usize) -> Result<(Run, Option<Place>)> {
    let known = store::lock_run(tx, run)?;
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
        if known.asked_again && place.after.is_some() {
            // Partners that were done may wait again, and whoever asked for the run meanwhile counts on it.
            return Ok((once_more(tx, known)?, Some(Place::default())));
        }
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

/// Sends a run that was asked for again through whoever waits once more.
fn once_more(tx: &mut Tx<'_>, before: Run) -> Result<Run> {
    let run = Run { asked_again: false, ..advanced(before.clone(), Tally::default(), tx) };
    store::update_run(tx, &run)?;
    let event = audit::Event::on("calculation_run", run.id).before(&RunView::from(before));
    event.after(&RunView::from(run.clone())).record(tx)?;
    Ok(run)
}

fn finish(tx: &mut Tx<'_>, before: Run, state: RunState, error: Option<String>) -> Result<Run> {
    let run = Run {
        state,
        error,
        asked_again: false,
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
        for enrolled in
            of_year.chunk_by(|one, other| one.enrollment.program_id == other.enrollment.program_id)
        {
            let Some(first) = enrolled.first() else { continue };
            let program = programs::get(tx, first.enrollment.program_id)?;
            let versions = programs::versions_of_year(tx, program.id, number)?;
            let year = EnrollmentYear::new(&partner, &program, &versions, enrolled, days);
            let Posting { tally, entries: posted } =
                posting::post(tx, year, &mut chunk, waiting.cause, months)?;
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

/// Enrollments by program year, those of one program together.
fn by_year(all: Vec<EnrollmentHistory>) -> BTreeMap<i32, Vec<EnrollmentHistory>> {
    let mut years: BTreeMap<i32, Vec<EnrollmentHistory>> = BTreeMap::new();
    for enrolled in all {
        years.entry(enrolled.enrollment.program_year).or_default().push(enrolled);
    }
    for of_year in years.values_mut() {
        of_year.sort_by_key(|history| (history.enrollment.program_id, history.enrollment.id));
    }
    years
}

/// Whether a run goes on after a failure.
pub(super) enum Aside {
    /// After the partner that was put aside.
    GoOn(Id),
    /// The run is over.
    Over(Run),
}

/// Puts the partner aside whose calculation failed; a run over that partner alone has failed with it.
pub(super) fn put_aside(tx: &mut Tx<'_>, run: Id, place: Place, error: &Error) -> Result<Aside> {
    let known = store::lock_run(tx, run)?;
    let failed = backlog::next(tx, Whom::of(known.partner_id), place.after, 1)?;
    let why = cut(&error.to_string(), 1000).to_owned();
    let Some(Waiting { partner_id, .. }) = failed.first().copied() else {
        return finish(tx, known, RunState::Failed, Some(why)).map(Aside::Over);
    };
    tx.lock_partner(partner_id)?;
    backlog::put_aside(tx, partner_id, error.code.code)?;
    let run = Run { put_aside: known.put_aside + 1, ..advanced(known.clone(), Tally::default(), tx) };
    let event =
        audit::Event::on("calculation_run", run.id).of_partner(partner_id).before(&RunView::from(known));
    event.after(&RunView::from(run.clone())).because(Some(&why)).record(tx)?;
    if run.partner_id.is_some() {
        return finish(tx, run, RunState::Failed, Some(why)).map(Aside::Over);
    }
    store::update_run(tx, &run)?;
    Ok(Aside::GoOn(partner_id))
}
