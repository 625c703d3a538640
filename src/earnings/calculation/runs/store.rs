//! Runs in the database.

use super::{
    model::{Run, RunState},
    runs_api::RunFilter,
};
use crate::{
    access::Tx,
    platform::{
        Error, Result,
        db::{Conn, MultiBackend, lock_rows},
        http::{PageRequest, keyset},
        values::{Id, Timestamp},
    },
    schema::calculation_runs,
    slice::Measure,
};
use diesel::prelude::*;

fn matching_runs(filter: &RunFilter) -> calculation_runs::BoxedQuery<'static, MultiBackend> {
    let mut query = calculation_runs::table.into_boxed();
    if let Some(state) = filter.state {
        query = query.filter(calculation_runs::state.eq(state));
    }
    query
}

pub(super) fn list_runs(tx: &mut Tx<'_>, page: &PageRequest<RunFilter>) -> Result<Vec<Run>> {
    let query = matching_runs(&page.filter).select(Run::as_select());
    Ok(keyset!(query, page, calculation_runs, newest).load(tx.conn)?)
}

pub(super) fn count_runs(tx: &mut Tx<'_>, filter: &RunFilter) -> Result<i64> {
    Ok(matching_runs(filter).count().get_result(tx.conn)?)
}

pub(super) fn get_run(tx: &mut Tx<'_>, id: Id) -> Result<Run> {
    let found = calculation_runs::table.find(id).select(Run::as_select()).get_result(tx.conn);
    found.optional()?.ok_or(Error::not_found("calculation run", "計算の実行"))
}

/// A run as it is once no other unit changes it; it stays so until the end of this unit.
pub(super) fn lock_run(tx: &mut Tx<'_>, id: Id) -> Result<Run> {
    lock_rows!(tx.conn, for_no_key_update, calculation_runs::table.find(id).select(calculation_runs::id));
    get_run(tx, id)
}

/// The run at work, as [`lock_run`] gives it; none where none is at work.
pub(super) fn lock_running(tx: &mut Tx<'_>) -> Result<Option<Run>> {
    let at_work = calculation_runs::table.filter(calculation_runs::state.eq(RunState::Running));
    lock_rows!(tx.conn, for_no_key_update, at_work.select(calculation_runs::id));
    running(tx)
}

pub(super) fn running(tx: &mut Tx<'_>) -> Result<Option<Run>> {
    let query = calculation_runs::table.filter(calculation_runs::state.eq(RunState::Running));
    Ok(query.select(Run::as_select()).get_result(tx.conn).optional()?)
}

pub(super) fn insert_run(tx: &mut Tx<'_>, run: &Run) -> Result<()> {
    diesel::insert_into(calculation_runs::table).values(run).execute(tx.conn)?;
    Ok(())
}

pub(super) fn update_run(tx: &mut Tx<'_>, run: &Run) -> Result<()> {
    diesel::update(calculation_runs::table.find(run.id)).set(run).execute(tx.conn)?;
    Ok(())
}

/// The numbers of runs for monitors.
pub fn measures(tx: &mut Tx<'_>) -> Result<Vec<Measure>> {
    let at_work = calculation_runs::table.filter(calculation_runs::state.eq(RunState::Running));
    let help = "Calculation runs that are asked for or at work";
    Ok(vec![Measure::of("calculation_runs_at_work", help, at_work.count().get_result(tx.conn)?)])
}

/// When a partner's figures were last computed: the end of the last run that looked at it.
pub fn last_calculated(tx: &mut Tx<'_>, partner: Id) -> Result<Option<Timestamp>> {
    let about = calculation_runs::partner_id.is_null().or(calculation_runs::partner_id.eq(partner));
    let query = calculation_runs::table
        .filter(calculation_runs::state.eq(RunState::Succeeded))
        .filter(about.assume_not_null())
        .order(calculation_runs::id.desc())
        .select(calculation_runs::finished_at);
    Ok(query.first::<Option<Timestamp>>(tx.conn).optional()?.flatten())
}

/// Whether a run was asked for a partner alone.
pub fn refers_to(conn: &mut Conn, partner: Id) -> Result<bool> {
    let runs = calculation_runs::table.filter(calculation_runs::partner_id.eq(partner));
    Ok(diesel::select(diesel::dsl::exists(runs)).get_result(conn)?)
}
