//! The run of a job; no I/O, no clock, no HTTP.

use crate::{
    platform::values::{CalendarDate, Id, Timestamp, text_enum},
    schema::job_runs,
    work::JobName,
};
use diesel::prelude::*;

text_enum! {
    /// How a run stands.
    #[schema(as = RunState)]
    pub enum JobRunState {
        /// The run is requested, or at work.
        Running = "running",
        /// The run has finished every step.
        Succeeded = "succeeded",
        /// The run was given up; the changes it had made stay.
        Failed = "failed",
    }
}

text_enum! {
    /// What a daily refresh does, in this order; each step goes through the partners.
    #[schema(as = Step)]
    pub enum RefreshStep {
        /// Enrollments change: invitations, expiry, losses, cures, the new program year.
        Enrollments = "enrollments",
        /// The calculation posts the earnings of new sales.
        Calculation = "calculation",
        /// Co-op funds of closed half-years become claimable or rebate; partners are reminded of what is about to be lost, and
        /// the rest is forfeited when the time for claims is over.
        CoopFunds = "coop_funds",
        /// Partners get reminders of agreements, attainments and invitations that are about to end, and of rebates that are
        /// about to be lost; what is lost today is taken.
        Reminders = "reminders",
    }
}

impl RefreshStep {
    /// The first step of a run.
    pub const FIRST: Self = Self::Enrollments;

    /// The step after this one; none after the last.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::ALL.iter().copied().skip_while(|step| *step != self).nth(1)
    }
}

/// One run of a job.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = job_runs, treat_none_as_null = true)]
pub struct JobRun {
    /// UUID of version 7.
    pub id: Id,
    /// The job.
    pub job: JobName,
    /// The day whose facts the run applies.
    pub day: CalendarDate,
    /// The state of the run.
    pub state: JobRunState,
    /// The step at work, or the last step of an ended run.
    pub step: RefreshStep,
    /// The id of the last partner that the step has done; none before the first.
    pub position: Option<String>,
    /// Partners that the step has done.
    pub done: i64,
    /// Partners that the step has to do, counted when the step began.
    pub total: Option<i64>,
    /// The reason of a failure.
    pub error: Option<String>,
    /// The user or API client who requested the run; none of a run by the schedule.
    pub requested_by: Option<Id>,
    /// When the run began.
    pub started_at: Timestamp,
    /// When the run last made progress.
    pub updated_at: Timestamp,
    /// When the run ended.
    pub finished_at: Option<Timestamp>,
}

impl JobRun {
    /// The run after `count` more partners of the step, up to the partner `last`.
    #[must_use]
    pub fn after_partners(&self, last: Id, count: i64, now: Timestamp) -> Self {
        Self { position: Some(last.to_string()), done: self.done + count, updated_at: now, ..self.clone() }
    }

    /// The run after the end of its step: at the next step, or succeeded after the last.
    #[must_use]
    pub fn after_step(&self, now: Timestamp) -> Self {
        let run = Self { updated_at: now, ..self.clone() };
        match self.step.next() {
            Some(step) => Self { step, position: None, done: 0, total: None, ..run },
            None => Self { state: JobRunState::Succeeded, finished_at: Some(now), ..run },
        }
    }

    /// The run with `done` of `total` partners of the step.
    #[must_use]
    pub fn with_progress(&self, done: i64, total: i64, now: Timestamp) -> Self {
        Self { done, total: Some(total), updated_at: now, ..self.clone() }
    }

    /// The run given up for a reason.
    #[must_use]
    pub fn failed(&self, error: String, now: Timestamp) -> Self {
        Self {
            state: JobRunState::Failed,
            error: Some(error),
            updated_at: now,
            finished_at: Some(now),
            ..self.clone()
        }
    }
}
