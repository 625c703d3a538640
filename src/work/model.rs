//! What is known of a job, and when it is due; no I/O, no clock, no HTTP.

use crate::{
    platform::values::{Daily, Id, Timestamp, text_enum},
    schema::jobs,
};
use diesel::prelude::*;

/// Seconds a lease lasts without being renewed: after so long, an instance that died is replaced by another one.
pub const LEASE_SECONDS: i64 = 30;
/// The longest wait after a failure, in seconds, before chance adds to the wait.
const LONGEST_WAIT: i64 = 300;

text_enum! {
    /// A job: work that nobody waits for at the other end of a request.
    pub enum JobName {
        /// Moves every enrollment to where today's facts put it, and reminds partners of what is about to end.
        DailyRefresh = "daily-refresh",
        /// Brings calculation runs to their end.
        Calculation = "calculation",
        /// Takes files of transactions, one at a time, and clears up after one that was broken off.
        TransactionImports = "transaction-imports",
        /// Sends the mails that are due.
        Mail = "mail",
        /// Seals audit events soon after their commit.
        AuditSealing = "audit-sealing",
        /// Replaces the signing key when it is old enough.
        SigningKeyRotation = "signing-key-rotation",
        /// Removes rows whose time is over.
        ExpirySweep = "expiry-sweep",
    }
}

/// When a job begins by the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// Only when something waits for the job.
    Never,
    /// Every so many seconds, counted from 1970.
    Every(i64),
    /// Every day at a time in UTC.
    Daily(Daily),
}

impl Schedule {
    /// The instant at which the job was due last; of a daily job, today's only.
    fn reached(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Never => None,
            Self::Every(seconds) => Some(now.plus_seconds(-Self::since_last(seconds, now))),
            Self::Daily(daily) => daily.reached(now),
        }
    }

    /// The instant at which the job is due next.
    #[must_use]
    pub fn next(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Never => None,
            Self::Every(seconds) => Some(now.plus_seconds(seconds - Self::since_last(seconds, now))),
            Self::Daily(daily) => daily.after(now),
        }
    }

    fn since_last(seconds: i64, now: Timestamp) -> i64 {
        now.as_micros().div_euclid(1_000_000).rem_euclid(seconds)
    }

    /// Whether the job was due and no run has begun since. A run stamped in the future began before the clock was put
    /// back: the run says nothing about today.
    fn is_due(self, last_begun: Option<Timestamp>, now: Timestamp) -> bool {
        self.reached(now).is_some_and(|due| !last_begun.is_some_and(|begun| due <= begun && begun <= now))
    }
}

/// How a run of a job ended that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Everything that waited is done.
    Done,
    /// The service is about to stop; what is left waits for another instance.
    Interrupted,
    /// Something failed that the job has dealt with: operators see the reason, and nothing is repeated for it.
    Troubled(String),
}

/// What is known of a job: who works on it, and how its last run went.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = jobs)]
pub struct Record {
    /// Which job.
    pub name: JobName,
    /// The turn that works on the job now.
    pub holder: Option<Id>,
    /// Until when nobody else may, unless the lease is renewed.
    pub leased_until: Option<Timestamp>,
    /// When the last run began.
    pub started_at: Option<Timestamp>,
    /// When that run ended; none while it is at work.
    pub finished_at: Option<Timestamp>,
    /// When a run last did everything.
    pub succeeded_at: Option<Timestamp>,
    /// Runs that failed since then.
    pub failures: i64,
    /// Why the last run failed.
    pub error: Option<String>,
    /// When the job is tried again after a failure.
    pub retry_at: Option<Timestamp>,
}

impl Record {
    /// A job that nobody has worked on.
    #[must_use]
    pub fn new(name: JobName) -> Self {
        Self {
            name,
            holder: None,
            leased_until: None,
            started_at: None,
            finished_at: None,
            succeeded_at: None,
            failures: 0,
            error: None,
            retry_at: None,
        }
    }

    /// Whether nobody works on the job.
    #[must_use]
    pub fn is_free(&self, now: Timestamp) -> bool {
        self.leased_until.is_none_or(|until| until <= now || until > latest_lease(now))
    }

    /// Whether the clock says that the job's time has come; none where a failure decides that alone.
    #[must_use]
    pub fn is_due(&self, schedule: Schedule, now: Timestamp) -> Option<bool> {
        match self.retry_at {
            Some(at) if at > now && at <= now.plus_seconds(2 * LONGEST_WAIT) => None,
            Some(_) => Some(true),
            None => Some(schedule.is_due(self.started_at, now)),
        }
    }

    /// How long the last run took, in milliseconds; none while it is at work, and where the clock was put back.
    #[must_use]
    pub fn milliseconds(&self) -> Option<i64> {
        let taken = self.finished_at?.as_micros() - self.started_at?.as_micros();
        (taken >= 0).then_some(taken / 1000)
    }
}

/// No lease given at this instant or before ends later: one that does is of a time when the clock was ahead.
#[must_use]
pub fn latest_lease(now: Timestamp) -> Timestamp {
    now.plus_seconds(2 * LEASE_SECONDS)
}

/// Milliseconds to wait after so many failures in a row: `first`, doubled with each failure up to five minutes, and up
/// to a quarter more by chance (0 to 255), so that those who failed together do not come back together.
#[must_use]
pub fn wait_after(failures: i64, first: i64, chance: u8) -> i64 {
    let doublings = u32::try_from(failures - 1).unwrap_or(0).min(20);
    let wait = first.saturating_mul(1 << doublings).min(LONGEST_WAIT * 1000);
    wait + wait * i64::from(chance) / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_job_is_due_once_for_each_instant_of_its_schedule() {
        let every = Schedule::Every(600);
        let now = at("2026-07-01T02:07:00Z");
        assert_eq!(every.next(now), Some(at("2026-07-01T02:10:00Z")));
        for (begun, due) in [
            (None, true),
            (Some("2026-07-01T01:59:59Z"), true),
            (Some("2026-07-01T02:00:00Z"), false),
            (Some("2026-07-01T02:07:00Z"), false),
            // Stamped while the clock was ahead.
            (Some("2026-08-10T02:00:00Z"), true),
        ] {
            assert_eq!(every.is_due(begun.map(at), now), due, "{begun:?}");
        }
        let daily = Schedule::Daily("02:00".parse().unwrap());
        assert!(daily.is_due(Some(at("2026-06-30T02:00:00Z")), now));
        assert!(!daily.is_due(Some(at("2026-07-01T02:00:00Z")), now));
        assert!(!daily.is_due(None, at("2026-07-01T01:00:00Z")), "yesterday's is over");
        assert_eq!((Schedule::Never.next(now), Schedule::Never.is_due(None, now)), (None, false));
    }

    #[test]
    fn a_lease_runs_out_and_one_of_another_time_counts_for_nothing() {
        let now = at("2026-07-01T02:00:00Z");
        let until = |leased_until| Record { leased_until, ..Record::new(JobName::Mail) }.is_free(now);
        assert!(until(None) && until(Some(now)) && until(Some(now.plus_seconds(40 * 24 * 3600))));
        assert!(!until(Some(now.plus_seconds(1))) && !until(Some(now.plus_seconds(LEASE_SECONDS))));
    }

    #[test]
    fn what_failed_waits_longer_each_time_and_its_schedule_waits_too() {
        let waits: Vec<_> = (1..=11).map(|failures| wait_after(failures, 1000, 0)).collect();
        assert_eq!(waits[..4], [1000, 2000, 4000, 8000]);
        assert_eq!(waits[8..], [256_000, 300_000, 300_000]);
        assert_eq!(wait_after(1, 1000, 255), 1249);
        let now = at("2026-07-01T02:00:00Z");
        let due = |retry_at| {
            let record = Record { retry_at: Some(retry_at), ..Record::new(JobName::ExpirySweep) };
            record.is_due(Schedule::Every(600), now)
        };
        assert_eq!((due(now.plus_seconds(1)), due(now)), (None, Some(true)));
        assert_eq!(due(now.plus_seconds(40 * 24 * 3600)), Some(true), "of a time when the clock was ahead");
    }
}
