//! What a job and a run of it are; no I/O, no clock, no HTTP.

use crate::{
    platform::values::{CalendarDate, Id, Timestamp, text_enum},
    schema::job_runs,
    work::JobName,
};
use diesel::prelude::*;

text_enum! {
    /// How a run stands.
    pub enum JobRunState {
        /// It is asked for, or at work.
        Running = "running",
        /// It has done everything.
        Succeeded = "succeeded",
        /// It was given up; what it had done stays done.
        Failed = "failed",
    }
}

text_enum! {
    /// What a daily refresh does, in this order; each step goes through the partners.
    pub enum RefreshStep {
        /// Enrollments move: invitations, expiry, losses, cures, the new program year.
        Enrollments = "enrollments",
        /// What sales have earned since the last time is posted.
        Calculation = "calculation",
        /// Partners are reminded of what is about to end.
        Reminders = "reminders",
    }
}

impl RefreshStep {
    /// The first one.
    pub const FIRST: Self = Self::Enrollments;

    /// The one after this.
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
    /// Of which job.
    pub job: JobName,
    /// The day it is for.
    pub day: CalendarDate,
    /// How it stands.
    pub state: JobRunState,
    /// What it does, or did last.
    pub step: RefreshStep,
    /// How far the step has come: the last partner that is done.
    pub position: Option<String>,
    /// Partners the step is done with.
    pub done: i64,
    /// Partners there were when the step began.
    pub total: Option<i64>,
    /// Why it failed.
    pub error: Option<String>,
    /// The user who asked for it; none where its time had come.
    pub requested_by: Option<Id>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it last came further.
    pub updated_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

impl JobRun {
    /// After so many partners more of the step, of which `last` is the last; none where it had come to the end.
    #[must_use]
    pub fn advanced(&self, last: Option<Id>, count: i64, now: Timestamp) -> Self {
        let run = Self { updated_at: now, ..self.clone() };
        match (last, self.step.next()) {
            (Some(last), _) => Self { position: Some(last.to_string()), done: self.done + count, ..run },
            (None, Some(step)) => Self { step, position: None, done: 0, total: None, ..run },
            (None, None) => Self { state: JobRunState::Succeeded, finished_at: Some(now), ..run },
        }
    }

    /// So far with the step.
    #[must_use]
    pub fn at(&self, done: i64, total: i64, now: Timestamp) -> Self {
        Self { done, total: Some(total), updated_at: now, ..self.clone() }
    }

    /// Given up.
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
