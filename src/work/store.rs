//! The jobs in the database. Every change is one statement that names the turn which must hold the job, so that of two
//! instances one goes on.

use super::model::{JobName, JobRecord, LEASE_SECONDS, latest_lease};
use crate::{
    platform::{
        Result,
        db::{Conn, lock_rows, native},
        values::{Id, Timestamp},
    },
    schema::jobs,
};
use diesel::prelude::*;

/// The records of all jobs that a turn has worked on.
pub(super) fn records(conn: &mut Conn) -> Result<Vec<JobRecord>> {
    Ok(jobs::table.select(JobRecord::as_select()).load(conn)?)
}

pub(super) fn record(conn: &mut Conn, name: JobName) -> Result<JobRecord> {
    let known = jobs::table.find(name).select(JobRecord::as_select()).get_result(conn).optional()?;
    Ok(known.unwrap_or_else(|| JobRecord::new(name)))
}

/// Takes the lease of a free job for a turn; returns whether the job was free.
pub(super) fn take(conn: &mut Conn, name: JobName, holder: Id, now: Timestamp) -> Result<bool> {
    let new = JobRecord::new(name);
    native!(conn, conn => diesel::insert_into(jobs::table)
        .values(&new)
        .on_conflict(jobs::name)
        .do_nothing()
        .execute(conn)?);
    let free = jobs::holder
        .is_null()
        .or(jobs::leased_until.assume_not_null().le(now))
        .or(jobs::leased_until.assume_not_null().gt(latest_lease(now)));
    let lease = (jobs::holder.eq(Some(holder)), jobs::leased_until.eq(Some(now.plus_seconds(LEASE_SECONDS))));
    Ok(diesel::update(jobs::table.find(name).filter(free)).set(lease).execute(conn)? > 0)
}

/// Whether a turn holds the lease; the row stays locked until the end of the unit, so that no other turn takes over in
/// the middle.
pub(super) fn is_held(conn: &mut Conn, name: JobName, holder: Id) -> Result<bool> {
    lock_rows!(conn, for_share, jobs::table.find(name).select(jobs::name));
    Ok(record(conn, name)?.holder == Some(holder))
}

/// Renews the lease of a turn; returns whether the turn still held the lease.
pub(super) fn renew(conn: &mut Conn, name: JobName, holder: Id, now: Timestamp) -> Result<bool> {
    let own = jobs::table.find(name).filter(jobs::holder.eq(Some(holder)));
    let until = jobs::leased_until.eq(Some(now.plus_seconds(LEASE_SECONDS)));
    Ok(diesel::update(own).set(until).execute(conn)? > 0)
}

/// Notes that a run begins.
pub(super) fn begin(conn: &mut Conn, name: JobName, now: Timestamp) -> Result<()> {
    let begun = (jobs::started_at.eq(Some(now)), jobs::finished_at.eq(None::<Timestamp>));
    diesel::update(jobs::table.find(name)).set(begun).execute(conn)?;
    Ok(())
}

/// Gives the lease back and stores the result of the run; returns whether the turn still held the lease.
pub(super) fn end(conn: &mut Conn, holder: Id, after: &JobRecord) -> Result<bool> {
    let own = jobs::table.find(after.name).filter(jobs::holder.eq(Some(holder)));
    let end = (
        jobs::holder.eq(None::<Id>),
        jobs::leased_until.eq(None::<Timestamp>),
        jobs::finished_at.eq(after.finished_at),
        jobs::succeeded_at.eq(after.succeeded_at),
        jobs::failures.eq(after.failures),
        jobs::error.eq(after.error.as_deref()),
        jobs::retry_at.eq(after.retry_at),
    );
    Ok(diesel::update(own).set(end).execute(conn)? > 0)
}

/// Gives the lease of a turn back without a run.
pub(super) fn release(conn: &mut Conn, name: JobName, holder: Id) -> Result<()> {
    let own = jobs::table.find(name).filter(jobs::holder.eq(Some(holder)));
    let free = (jobs::holder.eq(None::<Id>), jobs::leased_until.eq(None::<Timestamp>));
    diesel::update(own).set(free).execute(conn)?;
    Ok(())
}
