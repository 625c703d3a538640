//! The position of an enrollment by everything that is known, and the events that are due until its record says so; no
//! I/O, no clock, no HTTP.
//!
//! The first day on which a rule was lost is looked for over all the days since the partner was let in, whenever the
//! question is asked: a loss or a cure that is learned late changes the record to what it would have been.

use crate::{
    network::profiles::Standing,
    participation::{
        eligibility::Days,
        enrollments::{
            self, Cause, Cure, Enrollment, EnrollmentEvent, State, StateChange, Tenure, earning_windows,
        },
        programs::program_year,
    },
    platform::values::CalendarDate,
};

/// An event that is due for an enrollment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// The event.
    pub event: EnrollmentEvent,
    /// Its cause.
    pub cause: Cause,
    /// The first day on which a rule was lost.
    pub lost_on: Option<CalendarDate>,
    /// The first day whose sales earn, where that is another one than on record.
    pub earnings_start_on: Option<CalendarDate>,
    /// Whether the partner is told nothing: it has been told before, or is told of what follows.
    pub quietly: bool,
}

impl Due {
    pub(super) const fn new(event: EnrollmentEvent, cause: Cause) -> Self {
        Self { event, cause, lost_on: None, earnings_start_on: None, quietly: false }
    }

    const fn lost(on: CalendarDate, tenure: &Tenure) -> Self {
        let due = Self::new(EnrollmentEvent::RulesLost, Cause::RulesLost);
        Self { lost_on: Some(on), earnings_start_on: tenure.earnings_start_on, ..due }
    }

    const fn cured(cure: Cure) -> Self {
        Self::new(EnrollmentEvent::Cured(cure), Cause::Cured)
    }

    /// Whether somebody asks for the enrollment or accepts it.
    pub(super) const fn is_acceptance(&self) -> bool {
        matches!(self.event, EnrollmentEvent::Acceptance(_))
    }

    /// Writes the state an event has led to into an enrollment, with the days that the event brings with it.
    pub(super) fn carry_into(
        &self,
        enrollment: &mut Enrollment,
        to: State,
        today: CalendarDate,
        invitation_days: i32,
    ) {
        enrollment.state = to;
        enrollment.ineligible_since = None;
        match self.event {
            EnrollmentEvent::Invitation | EnrollmentEvent::Cured(Cure::WithGap) => {
                enrollment.invited_on = Some(today);
                enrollment.invitation_expires_on = Some(today.plus_days(invitation_days));
                enrollment.earnings_start_on = None;
                enrollment.accepted_by = None;
            }
            EnrollmentEvent::RulesLost => {
                enrollment.ineligible_since = self.lost_on;
                enrollment.earnings_start_on = self.earnings_start_on;
            }
            EnrollmentEvent::Cured(Cure::WithoutGap(_)) => {
                enrollment.earnings_start_on = self.earnings_start_on;
            }
            _ => {}
        }
        if to == State::Enrolled && enrollment.earnings_start_on.is_none() {
            enrollment.earnings_start_on = Some(today.first_of_month());
        }
        if !to.is_open() {
            let after_year = program_year(enrollment.program_year).map(|year| year.to.plus_days(1));
            let year_over = after_year.filter(|_| self.event == EnrollmentEvent::YearOver);
            enrollment.ended_on = Some(year_over.unwrap_or(today));
        }
    }
}

/// An enrollment on record, and all that says where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position<'a> {
    pub enrollment: &'a Enrollment,
    /// Its history, in order.
    pub history: &'a [StateChange],
    pub days: &'a Days<'a>,
    pub profiles: Standing,
    /// The last day to look at: today, or the last one of a program year that is over.
    pub until: CalendarDate,
}

/// A time for which the partner was let in, and the day on which it lost a rule in it.
#[derive(Clone, Copy, Debug)]
struct Course {
    tenure: Tenure,
    lost_on: Option<CalendarDate>,
}

impl Position<'_> {
    /// The events that are due, in order; none where the record is right.
    pub(super) fn dues(&self) -> Vec<Due> {
        let courses = self.courses();
        let Some((now, before)) = courses.split_last() else { return self.dues_of_invitation() };
        let mut dues: Vec<Due> = Vec::new();
        for (number, course) in before.iter().enumerate() {
            let start = course.tenure.earnings_start_on;
            // Of several times that began in one month the last one tells how far they reached.
            let begun_again = courses.iter().skip(number + 1).any(|it| it.tenure.earnings_start_on == start);
            // A time that is written anew takes back those after it, so that they are written again.
            if start.is_some() && !begun_again && (!dues.is_empty() || self.reached_otherwise(course)) {
                dues.extend(course.lost_on.map(|on| Due { quietly: true, ..Due::lost(on, &course.tenure) }));
            }
        }
        let restated = !dues.is_empty();
        let state = if restated { State::Ineligible } else { self.enrollment.state };
        match now.lost_on {
            None => dues.extend(self.goes_on(&now.tenure, state, restated)),
            Some(lost_on) => dues.extend(self.is_lost(&now.tenure, lost_on, state, restated)),
        }
        dues
    }

    /// The times for which the partner was let in, each as far as it reached. An acceptance while nothing was lost, as it
    /// turns out, has begun nothing new.
    fn courses(&self) -> Vec<Course> {
        let mut courses: Vec<Course> = Vec::new();
        for tenure in enrollments::tenures(self.history) {
            match courses.last_mut() {
                Some(now) if now.lost_on.is_none_or(|lost| tenure.let_in_on < lost) => {
                    now.tenure.earnings_start_on = now.tenure.earnings_start_on.or(tenure.earnings_start_on);
                }
                _ => courses.push(Course { tenure, lost_on: self.first_bad_day(&tenure) }),
            }
        }
        courses
    }

    fn first_bad_day(&self, tenure: &Tenure) -> Option<CalendarDate> {
        let lost = self.days.first_bad_day(tenure.let_in_on, tenure.earnings_start_on);
        lost.filter(|day| *day <= self.until)
    }

    /// Whether a time that is over reached as far as another day than its record says.
    fn reached_otherwise(&self, course: &Course) -> bool {
        let Some((lost_on, start)) = course.lost_on.zip(course.tenure.earnings_start_on) else {
            return false;
        };
        let windows = earning_windows(self.enrollment, self.history);
        let recorded = windows.iter().find(|window| window.from == start).map(|window| window.to);
        recorded != Some(lost_on.plus_days(-1)).filter(|last| start <= *last)
    }

    /// Every rule is met: the enrollment stands where the profiles put it.
    fn goes_on(&self, tenure: &Tenure, state: State, restated: bool) -> Option<Due> {
        let same =
            tenure.earnings_start_on.is_none_or(|start| self.enrollment.earnings_start_on == Some(start));
        if matches!(state, State::Ineligible | State::Invited) || !same {
            let cured = Due::cured(Cure::WithoutGap(self.profiles));
            let quietly = restated && State::by(self.profiles) == self.enrollment.state;
            return Some(Due { earnings_start_on: tenure.earnings_start_on, quietly, ..cured });
        }
        let event = EnrollmentEvent::Profiles(self.profiles);
        State::after(Some(state), event)
            .filter(|to| *to != state)
            .map(|_| Due::new(event, Cause::ProfilesChanged))
    }

    /// A rule was lost: the enrollment is barred, or, where the rules are met again after a gap, invited anew.
    fn is_lost(&self, tenure: &Tenure, lost_on: CalendarDate, state: State, restated: bool) -> Vec<Due> {
        let enrollment = self.enrollment;
        let met_again = self.days.lost_on(lost_on).on(self.until).is_eligible();
        let course = Course { tenure: *tenure, lost_on: Some(lost_on) };
        let as_recorded = !restated && !self.reached_otherwise(&course);
        let is_known =
            state == State::Ineligible && enrollment.ineligible_since == Some(lost_on) && as_recorded;
        if state == State::Invited && met_again && as_recorded {
            return self.over().into_iter().collect();
        }
        let quietly = enrollment.state == State::Ineligible;
        let lost = (!is_known).then(|| Due { quietly, ..Due::lost(lost_on, tenure) });
        lost.into_iter().chain(met_again.then(|| Due::cured(Cure::WithGap))).collect()
    }

    /// An invitation that nobody has accepted yet.
    fn dues_of_invitation(&self) -> Vec<Due> {
        let eligible = self.days.on(self.until).is_eligible();
        let due = match self.enrollment.state {
            State::Invited if self.over().is_some() => self.over(),
            State::Invited if !eligible => {
                let lost = Due::new(EnrollmentEvent::RulesLost, Cause::RulesLost);
                let invited_on = self.enrollment.invited_on.unwrap_or(self.until);
                let lost_on = self.days.first_bad_day(invited_on, None).unwrap_or(self.until);
                Some(Due { lost_on: Some(lost_on.min(self.until)), ..lost })
            }
            State::Ineligible if eligible => Some(Due::cured(Cure::WithGap)),
            _ => None,
        };
        due.into_iter().collect()
    }

    fn over(&self) -> Option<Due> {
        let last = self.enrollment.invitation_expires_on?;
        (last < self.until).then(|| Due::new(EnrollmentEvent::InvitationOver, Cause::InvitationExpired))
    }
}
