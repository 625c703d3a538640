//! The runs in the database.

use super::{JobRun, JobRunState, api::JobRunFilter};
use crate::{
    access::Tx,
    platform::{
        Error, Result,
        db::{Conn, MultiBackend},
        http::{PageRequest, keyset},
        values::{Id, Timestamp},
    },
    schema::job_runs,
    slice::Measure,
    work::JobName,
};
use diesel::prelude::*;

fn matching(filter: &JobRunFilter) -> job_runs::BoxedQuery<'static, MultiBackend> {
    let mut query = job_runs::table.into_boxed();
    if let Some(job) = filter.job {
        query = query.filter(job_runs::job.eq(job));
    }
    if let Some(state) = filter.state {
        query = query.filter(job_runs::state.eq(state));
    }
    query
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<JobRunFilter>) -> Result<Vec<JobRun>> {
    let query = matching(&page.filter);
    Ok(keyset!(query, page, job_runs, newest).select(JobRun::as_select()).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &JobRunFilter) -> Result<i64> {
    Ok(matching(filter).count().get_result(tx.conn)?)
}

pub(super) fn get(tx: &mut Tx<'_>, id: Id) -> Result<JobRun> {
    let found = job_runs::table.find(id).select(JobRun::as_select()).get_result(tx.conn);
    found.optional()?.ok_or(Error::not_found("run", "実行"))
}

/// The run of a job that is requested or at work.
pub(super) fn running(conn: &mut Conn, job: JobName) -> Result<Option<JobRun>> {
    let query =
        job_runs::table.filter(job_runs::job.eq(job)).filter(job_runs::state.eq(JobRunState::Running));
    Ok(query.select(JobRun::as_select()).get_result(conn).optional()?)
}

/// The last run of a job. A run that began in the future began while the clock was ahead, and is passed over.
pub(super) fn last(tx: &mut Tx<'_>, job: JobName) -> Result<Option<JobRun>> {
    let query = job_runs::table
        .filter(job_runs::job.eq(job))
        .filter(job_runs::started_at.le(tx.now))
        .order(job_runs::id.desc());
    Ok(query.select(JobRun::as_select()).first(tx.conn).optional()?)
}

/// When the last succeeded run of a job ended. A run that ended in the future ended while the clock was ahead, and is
/// passed over.
pub(super) fn last_success(tx: &mut Tx<'_>, job: JobName) -> Result<Option<Timestamp>> {
    let query = job_runs::table
        .filter(job_runs::job.eq(job))
        .filter(job_runs::state.eq(JobRunState::Succeeded))
        .filter(job_runs::finished_at.le(tx.now))
        .order(job_runs::id.desc());
    Ok(query.select(job_runs::finished_at).first::<Option<Timestamp>>(tx.conn).optional()?.flatten())
}

/// The numbers of the daily refresh for monitors; before the first success there is no age.
pub(super) fn measures(tx: &mut Tx<'_>) -> Result<Vec<Measure>> {
    let at_work = job_runs::table.filter(job_runs::state.eq(JobRunState::Running));
    let at_work = at_work.count().get_result(tx.conn)?;
    let mut measures =
        vec![Measure::of("job_runs_at_work", "Daily refreshes that are asked for or at work", at_work)];
    if let Some(succeeded_at) = last_success(tx, JobName::DailyRefresh)? {
        let help = "Seconds since a daily refresh last did everything";
        let age = tx.now.seconds_since(succeeded_at);
        measures.push(Measure::of("daily_refresh_success_age_seconds", help, age));
    }
    Ok(measures)
}

pub(super) fn insert(tx: &mut Tx<'_>, run: &JobRun) -> Result<()> {
    diesel::insert_into(job_runs::table).values(run).execute(tx.conn)?;
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, run: &JobRun) -> Result<()> {
    diesel::update(job_runs::table.find(run.id)).set(run).execute(tx.conn)?;
    Ok(())
}
