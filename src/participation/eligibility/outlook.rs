//! The rules that are about to end a partner's eligibility, so that the partner can be told in time.

use super::{
    model::{Case, Check, Verdict},
    rules::evaluate_by,
    words::{CheckStatus, CheckWarning, EligibilityRule as Rule},
};
use crate::platform::values::{CalendarDate, Text};

/// Rules that will stop being met if nothing changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// The first day that is met by grace only, or no longer.
    pub firm_until: CalendarDate,
    /// The last day every rule is met, grace included.
    pub last_day: CalendarDate,
    /// The rules that are lapsing, a sentence each.
    pub lapsing: Vec<Text>,
}

impl<'a> Verdict<'a> {
    /// The rules that will be met by grace only, or no longer, in so many days; none where every rule stands firm by then.
    /// The end of the program's own version is nobody's loss: the next year follows it.
    #[must_use]
    pub fn outlook(&self, days: i32) -> Option<Outlook> {
        let horizon = self.as_of.plus_days(days);
        let then = self.on(horizon);
        let mut outlook: Option<Outlook> = None;
        for (at, (check, later)) in self.checks.iter().zip(&then.checks).enumerate() {
            let (Some(lapses_on), false) = (check.lapses_on, check.rule == Rule::ProgramOpen) else {
                continue;
            };
            if later.is(CheckStatus::Met) && !in_grace(later) {
                continue;
            }
            let firm_until = self.firm_until(at, lapses_on);
            if firm_until > horizon {
                continue;
            }
            let found = outlook.get_or_insert(Outlook {
                firm_until,
                last_day: CalendarDate::MAX,
                lapsing: Vec::new(),
            });
            found.firm_until = found.firm_until.min(firm_until);
            found.last_day = found.last_day.min(lapses_on.plus_days(-1));
            found.lapsing.push(check.message());
        }
        outlook
    }

    /// The same question on another day, by the same version. What was gathered for this day is all there is: agreements
    /// and competencies are complete, later sales are not known.
    fn on(&self, day: CalendarDate) -> Verdict<'a> {
        let Case { facts, program, version, .. } = self.case;
        evaluate_by(facts, program, version, day)
    }

    /// Where the days of grace begin that lead up to a check's end; that end itself where there are none.
    fn firm_until(&self, check: usize, lapses_on: CalendarDate) -> CalendarDate {
        let mut day = lapses_on;
        while day > self.as_of && self.on(day.plus_days(-1)).checks.get(check).is_some_and(in_grace) {
            day = day.plus_days(-1);
        }
        day
    }
}

fn in_grace(check: &Check<'_>) -> bool {
    check.warning == Some(CheckWarning::InGrace)
}
