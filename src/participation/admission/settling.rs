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
            self, Cause, Cure, Enrollment, EnrollmentEvent, State, StateChange, Tenure, earning_window,
        },
        programs::program_year,
    },
    platform::values::{CalendarDate, Id, Period, Timestamp},
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
    /// The time the event is about, by the day on which the partner was let in; none of an invitation.
    pub let_in_on: Option<CalendarDate>,
    /// The first day of that time whose sales earn.
    pub earnings_start_on: Option<CalendarDate>,
    /// Who accepted in the program year before, where the enrollment goes on from there.
    pub accepted_by: Option<Id>,
    /// Whether the partner is told nothing: it has been told before, or is told of what follows.
    pub quietly: bool,
}

impl Due {
    pub(super) const fn new(event: EnrollmentEvent, cause: Cause) -> Self {
        Self {
            event,
            cause,
            lost_on: None,
            let_in_on: None,
            earnings_start_on: None,
            accepted_by: None,
            quietly: false,
        }
    }

    const fn about(self, tenure: &Tenure) -> Self {
        let let_in_on = Some(tenure.let_in_on);
        Self { let_in_on, earnings_start_on: tenure.earnings_start_on, ..self }
    }

    const fn lost(on: CalendarDate, tenure: &Tenure) -> Self {
        let due = Self::new(EnrollmentEvent::RulesLost, Cause::RulesLost).about(tenure);
        Self { lost_on: Some(on), ..due }
    }

    const fn cured(cure: Cure) -> Self {
        Self::new(EnrollmentEvent::Cured(cure), Cause::Cured)
    }

    /// The enrollment goes on in the next program year from its first day on. What the profiles lack makes payment wait,
    /// not earning.
    pub(super) const fn rolled_over(goes_on: GoesOn, profiles: Standing) -> Self {
        let due = Self::new(EnrollmentEvent::RollOver(profiles), Cause::RolledOver);
        let first = Some(goes_on.first);
        Self { let_in_on: first, earnings_start_on: first, accepted_by: goes_on.accepted_by, ..due }
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
        enrollment.ended_on = None;
        match self.event {
            EnrollmentEvent::Invitation | EnrollmentEvent::Cured(Cure::WithGap) => {
                enrollment.invited_on = Some(today);
                enrollment.invitation_expires_on = Some(today.plus_days(invitation_days));
                enrollment.let_in_on = None;
                enrollment.earnings_start_on = None;
                enrollment.accepted_by = None;
            }
            EnrollmentEvent::Acceptance(_) => {
                enrollment.let_in_on = Some(today);
                enrollment.earnings_start_on = (to == State::Enrolled).then(|| today.first_of_month());
            }
            EnrollmentEvent::RulesLost
            | EnrollmentEvent::Cured(Cure::WithoutGap(_))
            | EnrollmentEvent::Profiles(_)
            | EnrollmentEvent::RollOver(_) => {
                enrollment.ineligible_since = self.lost_on;
                enrollment.let_in_on = self.let_in_on;
                enrollment.earnings_start_on = self.earnings_start_on;
                enrollment.accepted_by = enrollment.accepted_by.or(self.accepted_by);
            }
            EnrollmentEvent::InvitationOver
            | EnrollmentEvent::YearOver
            | EnrollmentEvent::OptOut
            | EnrollmentEvent::Discontinuation => {}
        }
        if !to.is_open() {
            let after_year = program_year(enrollment.program_year).map(|year| year.to.plus_days(1));
            let year_over = after_year.filter(|_| self.event == EnrollmentEvent::YearOver);
            enrollment.ended_on = Some(year_over.unwrap_or(today));
        }
    }
}

/// An enrollment that goes on in the next program year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GoesOn {
    /// The first day of the next year that a version covers.
    pub first: CalendarDate,
    /// Who accepted.
    pub accepted_by: Option<Id>,
}

/// What is known of the partner's part in the program year before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum YearBefore {
    /// Nothing: the year is not looked at, and what is on record of it holds.
    NotLookedAt,
    /// The partner took part until its last day, and was eligible on the first day of the next year.
    GoesOn(GoesOn),
    /// The partner did not take part, or not until the end.
    Over,
}

/// An enrollment on record, and all that says where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position<'a> {
    pub enrollment: &'a Enrollment,
    /// Its history, in order.
    pub history: &'a [StateChange],
    pub days: &'a Days<'a>,
    pub profiles: Standing,
    /// When both profiles came to be approved, in order.
    pub approvals: &'a [Timestamp],
    pub year_before: YearBefore,
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
        if self.enrollment.state.is_open() { self.dues_while(Is::Open) } else { self.dues_of_ended() }
    }

    /// Where the enrollment stands after what is due; of one that was ended, before its end.
    pub(super) fn end(&self, dues: &[Due]) -> State {
        let state = self.before_its_end().map_or(self.enrollment.state, |(before, _)| before.state);
        dues.iter().fold(state, |state, due| State::after(Some(state), due.event).unwrap_or(state))
    }

    /// An enrollment that the service has ended is looked at as if it had not: where facts that were learned late make
    /// another course of it, the end is taken back.
    fn dues_of_ended(&self) -> Vec<Due> {
        let Some((enrollment, history)) = self.before_its_end() else { return Vec::new() };
        let dues = Position { enrollment: &enrollment, history, ..*self }.dues_while(Is::Ended);
        // An invitation alone, or how the profiles stand by now, changes nothing of what is over.
        let rewrites = |due: &Due| {
            use EnrollmentEvent::{Cured, RollOver, RulesLost};
            matches!(due.event, RulesLost | Cured(Cure::WithoutGap(_)) | RollOver(_))
        };
        if dues.iter().any(rewrites) { dues } else { Vec::new() }
    }

    /// The record of an enrollment that the service has ended, as it was before.
    fn before_its_end(&self) -> Option<(Enrollment, &[StateChange])> {
        let (end, history) = self.history.split_last()?;
        let last = history.last().filter(|_| {
            self.enrollment.state == State::Expired
                && matches!(end.cause, Cause::YearEnded | Cause::InvitationExpired)
        })?;
        let enrollment = Enrollment {
            state: last.to_state,
            earnings_start_on: last.earnings_start_on,
            ineligible_since: last.ineligible_since,
            let_in_on: last.let_in_on,
            ended_on: None,
            ..self.enrollment.clone()
        };
        Some((enrollment, history))
    }

    fn dues_while(&self, is: Is) -> Vec<Due> {
        let courses = self.courses();
        let Some((now, before)) = courses.split_last() else { return self.dues_of_invitation(is) };
        let mut dues: Vec<Due> = self.taken_over().into_iter().collect();
        for course in before {
            // A time that is written anew takes back those after it, so that they are written again.
            if !dues.is_empty() || self.reached_otherwise(course) {
                dues.extend(course.lost_on.map(|on| Due { quietly: true, ..Due::lost(on, &course.tenure) }));
            }
        }
        match now.lost_on {
            None => dues.extend(self.goes_on(&now.tenure, &dues)),
            Some(lost_on) => dues.extend(self.is_lost(now, lost_on, &dues, is)),
        }
        dues
    }

    /// The enrollment turns out to go on from the year before.
    fn taken_over(&self) -> Option<Due> {
        let YearBefore::GoesOn(goes_on) = self.year_before else { return None };
        let first = Some(goes_on.first);
        let is_known = self.history.iter().any(|it| it.cause == Cause::RolledOver && it.let_in_on == first);
        (!is_known).then(|| Due::rolled_over(goes_on, self.profiles))
    }

    /// The times for which the partner was let in, in the order of their days.
    fn tenures(&self) -> Vec<Tenure> {
        let mut tenures = enrollments::tenures(self.history);
        if let YearBefore::GoesOn(GoesOn { first, .. }) = self.year_before {
            tenures.retain(|tenure| !tenure.rolled_over);
            tenures.push(Tenure {
                let_in_on: first,
                let_in_at: first.midnight(),
                rolled_over: true,
                earnings_start_on: Some(first),
            });
        }
        // Who came from the year before was there first.
        tenures.sort_by_key(|tenure| (tenure.let_in_on, !tenure.rolled_over));
        tenures
    }

    /// The times for which the partner was let in, each as far as it reached. An acceptance while nothing was lost, as it
    /// turns out, has begun nothing new.
    fn courses(&self) -> Vec<Course> {
        let mut courses: Vec<Course> = Vec::new();
        for tenure in self.tenures() {
            match courses.last_mut() {
                Some(now) if now.lost_on.is_none_or(|lost| tenure.let_in_on < lost) => {
                    if now.tenure.earnings_start_on.is_none() && tenure.earnings_start_on.is_some() {
                        let earnings_start_on = tenure.earnings_start_on;
                        *now = self.course(Tenure { earnings_start_on, ..now.tenure });
                    }
                }
                _ => courses.push(self.course(tenure)),
            }
        }
        courses
    }

    /// How far a time reached, and since when it earned: from the month in which both profiles came to be approved, where
    /// no rule was lost before.
    fn course(&self, tenure: Tenure) -> Course {
        if tenure.rolled_over && self.year_before == YearBefore::Over {
            return Course { tenure, lost_on: Some(tenure.let_in_on) };
        }
        let lost = |start| {
            let lost = self.days.first_bad_day(tenure.let_in_on, start);
            lost.filter(|day| *day <= self.until)
        };
        let start = tenure.earnings_start_on.or_else(|| {
            let approved = self.approvals.iter().find(|at| tenure.let_in_at <= **at)?.date();
            let last_good = lost(None).map_or(self.until, |lost| lost.plus_days(-1));
            (approved <= last_good).then(|| approved.first_of_month())
        });
        Course { tenure: Tenure { earnings_start_on: start, ..tenure }, lost_on: lost(start) }
    }

    /// Whether a time that is over earned on other days than its record says.
    fn reached_otherwise(&self, course: &Course) -> bool {
        let Course { tenure, lost_on } = course;
        let last = lost_on.map_or(CalendarDate::MAX, |lost_on| lost_on.plus_days(-1));
        let days = tenure.earnings_start_on.map(|from| Period { from, to: last });
        let recorded = earning_window(self.enrollment, self.history, tenure.let_in_on);
        recorded != days.filter(|days| days.from <= days.to)
    }

    /// Every rule is met: the enrollment stands where the profiles put it.
    fn goes_on(&self, tenure: &Tenure, before: &[Due]) -> Option<Due> {
        let here = State::by(self.profiles);
        let state = self.after(before);
        let start = before.last().map_or(self.enrollment.earnings_start_on, |due| due.earnings_start_on);
        let event = EnrollmentEvent::Profiles(self.profiles);
        let moves = State::after(Some(state), event).is_some_and(|to| to != state);
        // With the first approval earning begins; any other start is one that is found anew.
        let begins = start.is_none() && moves && here == State::Enrolled;
        if matches!(state, State::Ineligible | State::Invited)
            || (tenure.earnings_start_on != start && !begins)
        {
            let cured = Due::cured(Cure::WithoutGap(self.profiles)).about(tenure);
            let quietly = !before.is_empty() && here == self.enrollment.state;
            return Some(Due { quietly, ..cured });
        }
        moves.then(|| Due::new(event, Cause::ProfilesChanged).about(tenure))
    }

    /// The state of the enrollment after some events.
    fn after(&self, dues: &[Due]) -> State {
        let next = |state, due: &Due| State::after(Some(state), due.event).unwrap_or(state);
        dues.iter().fold(self.enrollment.state, next)
    }

    /// A rule was lost: the enrollment is barred, or, where the rules are met again after a gap, invited anew.
    fn is_lost(&self, now: &Course, lost_on: CalendarDate, before: &[Due], is: Is) -> Vec<Due> {
        let enrollment = self.enrollment;
        let state = self.after(before);
        let met_again = self.days.lost_on(lost_on).on(self.until).is_eligible();
        let as_recorded = before.is_empty() && !self.reached_otherwise(now);
        let is_known = state == State::Ineligible
            && enrollment.ineligible_since == Some(lost_on)
            && enrollment.earnings_start_on == now.tenure.earnings_start_on
            && as_recorded;
        // What becomes of the rules after an invitation has ended is nothing to it.
        if state == State::Invited && as_recorded && (met_again || is == Is::Ended) {
            return self.over().into_iter().collect();
        }
        let quietly = enrollment.state == State::Ineligible;
        let lost = (!is_known).then(|| Due { quietly, ..Due::lost(lost_on, &now.tenure) });
        lost.into_iter().chain(met_again.then(|| Due::cured(Cure::WithGap))).collect()
    }

    /// An invitation that nobody has accepted yet: good while the rules are met on each of its days.
    fn dues_of_invitation(&self, is: Is) -> Vec<Due> {
        let Enrollment { state, invited_on, invitation_expires_on, .. } = *self.enrollment;
        let eligible = self.days.on(self.until).is_eligible();
        let end = invitation_expires_on.map_or(self.until, |expiry| expiry.min(self.until));
        let lost_on = self.days.first_bad_day(invited_on.unwrap_or(self.until), None);
        let lost = lost_on.filter(|day| *day <= end).map(|on| Due {
            lost_on: Some(on),
            quietly: eligible,
            ..Due::new(EnrollmentEvent::RulesLost, Cause::RulesLost)
        });
        let again = eligible.then(|| Due::cured(Cure::WithGap));
        match state {
            State::Invited if lost.is_some() => lost.into_iter().chain(again).collect(),
            State::Invited if is == Is::Open => self.over().into_iter().collect(),
            State::Ineligible if is == Is::Open => again.into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn over(&self) -> Option<Due> {
        let last = self.enrollment.invitation_expires_on?;
        (last < self.until).then(|| Due::new(EnrollmentEvent::InvitationOver, Cause::InvitationExpired))
    }
}

/// Whether an enrollment goes on, or is looked at as if it had not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    Open,
    Ended,
}
