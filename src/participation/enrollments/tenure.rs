//! The days in the history of an enrollment: those on which it earned, and those on which the partner was let in; no I/O,
//! no clock.

use super::{Cause, Enrollment, EnrollmentHistory, State, StateChange};
use crate::platform::values::{CalendarDate, Period};

/// A time for which the partner was let in: by a request, an acceptance or a roll-over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tenure {
    /// The day on which the rules were looked at and held.
    pub let_in_on: CalendarDate,
    /// The first day whose sales earn, once the profiles were approved.
    pub earnings_start_on: Option<CalendarDate>,
}

impl StateChange {
    /// Whether the partner was let in by this change.
    #[must_use]
    pub fn lets_in(&self) -> bool {
        matches!(self.cause, Cause::Requested | Cause::Accepted | Cause::RolledOver)
    }
}

impl EnrollmentHistory {
    /// Whether anybody has ever accepted the enrollment: nothing comes of sales for an invitation alone.
    #[must_use]
    pub fn was_accepted(&self) -> bool {
        self.changes.iter().any(StateChange::lets_in)
    }

    /// The days on which the enrollment earns.
    #[must_use]
    pub fn earning_windows(&self) -> Vec<Period> {
        earning_windows(&self.enrollment, &self.changes)
    }
}

/// The times for which the partner was let in, by a history in order.
#[must_use]
pub fn tenures(history: &[StateChange]) -> Vec<Tenure> {
    let mut tenures: Vec<Tenure> = Vec::new();
    for change in history {
        if change.lets_in() {
            tenures.push(Tenure { let_in_on: change.as_of, earnings_start_on: None });
        }
        let Some(tenure) = tenures.last_mut() else { continue };
        // An earlier day is the start of a time before, which turned out not to have ended.
        let own = change.earnings_start_on.filter(|start| tenure.let_in_on.first_of_month() <= *start);
        tenure.earnings_start_on = tenure.earnings_start_on.or(own);
    }
    tenures
}

/// The days on which an enrollment earns, by its history in order; the last window has no end while the enrollment goes
/// on. An enrollment that ended earned up to the day before; one that was cured without a gap was never interrupted.
#[must_use]
pub fn earning_windows(enrollment: &Enrollment, history: &[StateChange]) -> Vec<Period> {
    let mut windows: Vec<Period> = Vec::new();
    for change in history {
        let Some(from) = change.earnings_start_on else { continue };
        let to = match change.to_state {
            State::Ineligible => change.ineligible_since.map(|lost_on| lost_on.plus_days(-1)),
            state if !state.is_open() => Some(enrollment.ended_on.unwrap_or(change.as_of).plus_days(-1)),
            _ => None,
        };
        let before = windows.iter().find(|window| window.from == from).map(|window| window.to);
        let to = match (to, before) {
            // An enrollment that lost a rule earned nothing from then to its end.
            (Some(to), Some(before)) if !change.to_state.is_open() => to.min(before),
            (to, _) => to.unwrap_or(CalendarDate::MAX),
        };
        // A window that is written anew takes back the windows that begin later.
        windows.retain(
            |window| {
                if change.to_state.is_open() { window.from < from } else { window.from != from }
            },
        );
        windows.push(Period { from, to });
    }
    windows.retain(|window| window.from <= window.to);
    windows
}
