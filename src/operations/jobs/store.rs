//! The runs and the leases in the database.

use super::{JobName, JobRun, RunState, api::JobRunFilter};
use crate::{
    access::Tx,
    platform::{
        Error, Result,
        db::{Conn, MultiBackend, native},
        http::{PageRequest, keyset},
        values::{Id, Timestamp},
    },
    schema::{job_leases, job_runs},
};
use diesel::{dsl::exists, prelude::*, select, upsert::excluded};

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
    found.optional()?.ok_or(Error::not_found("run"))
}

/// The run that is asked for or at work.
pub(super) fn running(conn: &mut Conn, job: JobName) -> Result<Option<JobRun>> {
    let query = job_runs::table.filter(job_runs::job.eq(job)).filter(job_runs::state.eq(RunState::Running));
    Ok(query.select(JobRun::as_select()).get_result(conn).optional()?)
}

pub(super) fn last(tx: &mut Tx<'_>, job: JobName) -> Result<Option<JobRun>> {
    let query = job_runs::table.filter(job_runs::job.eq(job)).order(job_runs::id.desc());
    Ok(query.select(JobRun::as_select()).first(tx.conn).optional()?)
}

/// When the last run that did everything ended.
pub(super) fn last_success(tx: &mut Tx<'_>, job: JobName) -> Result<Option<Timestamp>> {
    let query = job_runs::table
        .filter(job_runs::job.eq(job))
        .filter(job_runs::state.eq(RunState::Succeeded))
        .order(job_runs::id.desc());
    Ok(query.select(job_runs::finished_at).first::<Option<Timestamp>>(tx.conn).optional()?.flatten())
}

/// Whether a run has begun at or after an instant, whatever became of it.
pub(super) fn begun_since(conn: &mut Conn, job: JobName, instant: Timestamp) -> Result<bool> {
    let query = job_runs::table.filter(job_runs::job.eq(job)).filter(job_runs::started_at.ge(instant));
    Ok(select(exists(query)).get_result(conn)?)
}

pub(super) fn insert(tx: &mut Tx<'_>, run: &JobRun) -> Result<()> {
    diesel::insert_into(job_runs::table).values(run).execute(tx.conn)?;
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, run: &JobRun) -> Result<()> {
    diesel::update(job_runs::table.find(run.id)).set(run).execute(tx.conn)?;
    Ok(())
}

/// Whether the job is free for a holder: nobody's, its own already, or of one that has not renewed it.
pub(super) fn is_free(conn: &mut Conn, job: JobName, holder: Id, now: Timestamp) -> Result<bool> {
    let taken = job_leases::table
        .filter(job_leases::job.eq(job))
        .filter(job_leases::holder.ne(holder))
        .filter(job_leases::expires_at.gt(now));
    Ok(!select(exists(taken)).get_result::<bool>(conn)?)
}

/// Takes the lease, which must be free.
pub(super) fn take(conn: &mut Conn, job: JobName, holder: Id, until: Timestamp) -> Result<()> {
    let lease = (job_leases::job.eq(job), job_leases::holder.eq(holder), job_leases::expires_at.eq(until));
    native!(conn, conn => diesel::insert_into(job_leases::table)
        .values(lease)
        .on_conflict(job_leases::job)
        .do_update()
        .set((
            job_leases::holder.eq(excluded(job_leases::holder)),
            job_leases::expires_at.eq(excluded(job_leases::expires_at)),
        ))
        .execute(conn)?);
    Ok(())
}

/// Holds the lease longer; tells whether it was still the holder's.
pub(super) fn renew(conn: &mut Conn, job: JobName, holder: Id, until: Timestamp) -> Result<bool> {
    let own = job_leases::table.find(job).filter(job_leases::holder.eq(holder));
    Ok(diesel::update(own).set(job_leases::expires_at.eq(until)).execute(conn)? > 0)
}

/// Gives the lease back.
pub(super) fn release(conn: &mut Conn, job: JobName, holder: Id) -> Result<()> {
    diesel::delete(job_leases::table.find(job).filter(job_leases::holder.eq(holder))).execute(conn)?;
    Ok(())
}
