//! Runs as they are kept; no I/O, no clock, no HTTP.

use crate::{
    platform::values::{Id, Timestamp, text_enum},
    schema::calculation_runs,
};
use diesel::prelude::*;

text_enum! {
    /// Where a run stands.
    pub enum RunState {
        /// At work.
        Running = "running",
        /// Nothing waits any more.
        Succeeded = "succeeded",
        /// It stopped: `error` says why. What it had posted stands; the next run goes on from there.
        Failed = "failed",
    }
}

/// A run of the calculation.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = calculation_runs, treat_none_as_null = true)]
pub struct Run {
    /// Identifier, a UUID of version 7 (RFC 9562).
    pub id: Id,
    /// The partner it was asked for; none for all.
    pub partner_id: Option<Id>,
    /// Where it stands.
    pub state: RunState,
    /// Partners looked at.
    pub done: i64,
    /// Partners that waited when it began.
    pub total: i64,
    /// Sales taken in, and judged again.
    pub sales: i64,
    /// Earnings posted.
    pub earnings: i64,
    /// Ineligible records made.
    pub ineligible_records: i64,
    /// Partners whose calculation failed, and that were put aside.
    pub put_aside: i64,
    /// Why it stopped.
    pub error: Option<String>,
    /// Who asked for it; none for the service itself.
    pub requested_by: Option<Id>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it last said something.
    pub updated_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Counts changes; the entity tag.
    pub revision: i64,
    /// Whether somebody asked for the run while it was at work: it goes through whoever waits once more.
    pub asked_again: bool,
}

impl Run {
    /// Whether it does what is asked for: a run over all partners looks at each.
    #[must_use]
    pub fn covers(&self, partner: Option<Id>) -> bool {
        self.partner_id.is_none() || self.partner_id == partner
    }
}
