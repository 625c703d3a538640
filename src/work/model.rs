//! The record of a job, and when a job is due; no I/O, no clock, no HTTP.

use crate::{
    platform::values::{Daily, Id, Timestamp, text_enum},
    schema::jobs,
};
use diesel::prelude::*;

/// How long a lease lasts without being renewed, in seconds: then another instance takes over from one that died.
pub const LEASE_SECONDS: i64 = 30;
/// The longest wait after a failure, in seconds, before up to a quarter is added by chance.
const LONGEST_WAIT: i64 = 300;

text_enum! {
    /// A job: work that nobody waits for at the other end of a request.
    pub enum JobName {
        /// Moves every enrollment to the state of today's facts, and reminds partners of papers that are about to end.
        DailyRefresh = "daily-refresh",
        /// Brings calculation runs to their end.
        Calculation = "calculation",
        /// Prepares payment runs, portion by portion.
        PaymentRuns = "payment-runs",
        /// Applies status reports and statements of banks to payments.
        BankReports = "bank-reports",
        /// Takes files of transactions, one at a time, and clears up after an interrupted import.
        TransactionImports = "transaction-imports",
        /// Removes files that belong to no proof of a claim.
        CoopProofSweep = "coop-proof-sweep",
        /// Draws the paid co-op claims of the last month whose originals are asked for.
        CoopAudits = "coop-audits",
        /// Mails tokens to those who have forgotten their passwords.
        PasswordResets = "password-resets",
        /// Sends the mails that are due.
        Mail = "mail",
        /// Seals audit events soon after their commit.
        AuditSealing = "audit-sealing",
        /// Replaces the signing key when the key is old enough.
        SigningKeyRotation = "signing-key-rotation",
        /// Removes expired rows.
        ExpirySweep = "expiry-sweep",
    }
}

/// When a job begins by the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// Never by the clock, only for the job's queue.
    Never,
    /// At every multiple of a number of seconds since 1970.
    Every(i64),
    /// Every day at a time of day in UTC.
    Daily(Daily),
}

impl Schedule {
    /// The instant at which the job was due last; for a daily job only where that was today.
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

    /// Whether the job was due and no run has begun since. A run with an instant in the future began before the clock was
    /// put back, and is ignored.
    fn is_due(self, last_begun: Option<Timestamp>, now: Timestamp) -> bool {
        self.reached(now).is_some_and(|due| !last_begun.is_some_and(|begun| due <= begun && begun <= now))
    }
}

/// The end of a run of a job that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// All waiting work is done.
    Done,
    /// The service is about to stop; the remaining work waits for another instance.
    Interrupted,
    /// A part of the work failed, and the job has put that part aside: operators see the reason, and the run is not
    /// repeated.
    Troubled(String),
}

/// The record of a job: the turn that works on the job, and the result of the last run.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = jobs)]
pub struct JobRecord {
    /// The name of the job.
    pub name: JobName,
    /// The turn that works on the job now; none while the job is free.
    pub holder: Option<Id>,
    /// When the lease of the turn runs out, unless the lease is renewed.
    pub leased_until: Option<Timestamp>,
    /// When the last run began.
    pub started_at: Option<Timestamp>,
    /// When the last run ended; none during the run.
    pub finished_at: Option<Timestamp>,
    /// When a run last ended as [`End::Done`].
    pub succeeded_at: Option<Timestamp>,
    /// The number of failed runs since then.
    pub failures: i64,
    /// The reason of the last failure.
    pub error: Option<String>,
    /// When a failed job is due again.
    pub retry_at: Option<Timestamp>,
}

impl JobRecord {
    /// The record of a job that no turn has worked on.
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

    /// Whether no turn works on the job: there is no lease, or the lease has run out.
    #[must_use]
    pub fn is_free(&self, now: Timestamp) -> bool {
        self.leased_until.is_none_or(|until| until <= now || until > latest_lease(now))
    }

    /// Whether the job is due by its schedule; none while the job waits after a failure, when its queue does not count
    /// either.
    #[must_use]
    pub fn is_due(&self, schedule: Schedule, now: Timestamp) -> Option<bool> {
        match self.retry_at {
            Some(at) if at > now && at <= now.plus_seconds(2 * LONGEST_WAIT) => None,
            Some(_) => Some(true),
            None => Some(schedule.is_due(self.started_at, now)),
        }
    }

    /// How long the last run took, in milliseconds; none during a run, and where the clock was put back.
    #[must_use]
    pub fn milliseconds(&self) -> Option<i64> {
        let taken = self.finished_at?.as_micros() - self.started_at?.as_micros();
        (taken >= 0).then_some(taken / 1000)
    }
}

/// The latest end of a lease that was taken at `now` or before; a later end comes from a clock that was ahead.
#[must_use]
pub fn latest_lease(now: Timestamp) -> Timestamp {
    now.plus_seconds(2 * LEASE_SECONDS)
}

/// The wait in milliseconds after a number of failures in a row: `first`, doubled with each failure up to five minutes,
/// and up to a quarter more by `chance` (0 to 255), so that units that failed together do not run again together.
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
            // Begun while the clock was ahead.
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
        let until = |leased_until| JobRecord { leased_until, ..JobRecord::new(JobName::Mail) }.is_free(now);
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
            let record = JobRecord { retry_at: Some(retry_at), ..JobRecord::new(JobName::ExpirySweep) };
            record.is_due(Schedule::Every(600), now)
        };
        assert_eq!((due(now.plus_seconds(1)), due(now)), (None, Some(true)));
        assert_eq!(due(now.plus_seconds(40 * 24 * 3600)), Some(true), "of a time when the clock was ahead");
    }
}
