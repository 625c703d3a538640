//! The days in the history of an enrollment: those on which it earned, and those on which the partner was let in; no I/O,
//! no clock.

use super::{Cause, Enrollment, EnrollmentHistory, State, StateChange};
use crate::platform::values::{CalendarDate, Period, Timestamp};

/// A time for which the partner was let in: by a request, an acceptance or a roll-over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tenure {
    /// The day on which the rules were looked at and held.
    pub let_in_on: CalendarDate,
    /// When the partner was let in: approvals from then on count.
    pub let_in_at: Timestamp,
    /// Whether the partner came from the program year before.
    pub rolled_over: bool,
    /// The first day whose sales earn, where that was known when the partner was let in: its profiles were approved, or it
    /// came from the year before.
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

/// The times for which the partner was let in, in the order of the history.
#[must_use]
pub fn tenures(history: &[StateChange]) -> Vec<Tenure> {
    let tenure = |change: &StateChange| Tenure {
        let_in_on: change.let_in_on.unwrap_or(change.as_of),
        let_in_at: change.occurred_at,
        rolled_over: change.cause == Cause::RolledOver,
        earnings_start_on: change.earnings_start_on,
    };
    history.iter().filter(|change| change.lets_in()).map(tenure).collect()
}

/// The days on which one time earns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    let_in_on: CalendarDate,
    days: Period,
}

/// The days on which each time earns. The last line about a time tells; a time that is written anew takes back those that
/// began later.
fn windows(enrollment: &Enrollment, history: &[StateChange]) -> Vec<Window> {
    let mut windows: Vec<Window> = Vec::new();
    for change in history {
        let Some(let_in_on) = change.let_in_on else { continue };
        let before = windows.iter().find(|window| window.let_in_on == let_in_on).map(|window| window.days.to);
        windows.retain(|window| window.let_in_on < let_in_on);
        let Some(from) = change.earnings_start_on else { continue };
        let to = match change.to_state {
            State::Ineligible => change.ineligible_since.map(|lost_on| lost_on.plus_days(-1)),
            state if !state.is_open() => {
                let last = enrollment.ended_on.unwrap_or(change.as_of).plus_days(-1);
                // An enrollment that lost a rule earned nothing from then to its end.
                Some(before.map_or(last, |before| last.min(before)))
            }
            _ => None,
        };
        windows.push(Window { let_in_on, days: Period { from, to: to.unwrap_or(CalendarDate::MAX) } });
    }
    windows.retain(|window| window.days.from <= window.days.to);
    windows
}

/// The days on which an enrollment earns for the time that began on a day, by its history in order.
#[must_use]
pub fn earning_window(
    enrollment: &Enrollment,
    history: &[StateChange],
    let_in_on: CalendarDate,
) -> Option<Period> {
    let found = windows(enrollment, history).into_iter().find(|window| window.let_in_on == let_in_on);
    found.map(|window| window.days)
}

/// The days on which an enrollment earns, by its history in order; the last window has no end while the enrollment goes
/// on. An enrollment that ended earned up to the day before; one that was cured without a gap was never interrupted.
#[must_use]
pub fn earning_windows(enrollment: &Enrollment, history: &[StateChange]) -> Vec<Period> {
    let mut found: Vec<Period> = Vec::new();
    for Window { days, .. } in windows(enrollment, history) {
        // Times that began in one month share its days.
        match found.last_mut().filter(|last| days.from <= last.to) {
            Some(last) => last.to = last.to.max(days.to),
            None => found.push(days),
        }
    }
    found
}
