//! The steps that are due for partners, found by a constant number of queries, without writing.

use super::{
    Invitations,
    settling::{Due, Position},
};
use crate::{
    access::Tx,
    network::{
        partners::Partner,
        profiles::{self, Standing},
    },
    participation::{
        eligibility::{self, Assessment, Days, Verdict},
        enrollments::{self, Cause, Enrollment, EnrollmentEvent, EnrollmentKey, State, StateChange},
        programs::{Offer, Program, ProgramStatus, ProgramVersion, program_year, program_year_of},
    },
    platform::{
        Result,
        values::{CalendarDate, Id, Period, Timestamp},
    },
};
use std::collections::{BTreeMap, HashMap};

/// The steps that are due for one partner in one program, and the assessment they rest on.
pub(super) struct Finding<'a> {
    pub partner: &'a Partner,
    pub program: &'a Program,
    pub version: &'a ProgramVersion,
    pub assessment: Assessment,
    pub steps: Vec<Step>,
}

/// A step that is due.
pub(super) enum Step {
    /// The partner turned eligible, and has no enrollment yet.
    Invite,
    /// Events that happen to an enrollment, in order.
    Settle(Enrollment, Vec<Due>),
    /// The enrollment goes on in the new program year, in the state where the profiles put it.
    RollOver(Enrollment, State),
}

/// The findings of a survey.
pub(super) struct Survey<'a> {
    pub findings: Vec<Finding<'a>>,
    /// The verdict of today in the program that was asked about.
    pub judged: Option<Judged<'a>>,
}

/// A verdict in words, and the version it was given by.
pub(super) struct Judged<'a> {
    pub version: &'a ProgramVersion,
    pub assessment: Assessment,
}

/// Looks at some partners in every program; `asked` names the program whose verdict is to be given back in words.
pub(super) fn survey<'a>(
    tx: &mut Tx<'_>,
    partners: &'a [Partner],
    offers: &'a [Offer],
    invitations: Invitations,
    asked: Option<Id>,
) -> Result<Survey<'a>> {
    let mut survey = Survey { findings: Vec::new(), judged: None };
    let today = tx.today();
    let year = program_year_of(today);
    let ids: Vec<Id> = partners.iter().map(|partner| partner.id).collect();
    let all = enrollments::of_partners(tx, &ids, &[year - 1, year])?;
    if all.is_empty() && asked.is_none() && partners.iter().all(|partner| !invitations.include(partner)) {
        return Ok(survey);
    }
    let records = Records::gather(tx, &ids, all, today)?;
    let days = |partner: &Partner| Period { from: records.looked_at_since(partner.id), to: today };
    let now = tx.now;
    eligibility::days_of_each(tx, partners, offers, days, |partner, offer, days| {
        let Some(version) = offer.nearest_to(today) else { return };
        let mine = records.of(partner.id, offer.program.id);
        let may_invite =
            invitations.include(partner) && offer.program.partner_types.0.contains(&partner.partner_type);
        let is_asked = asked == Some(offer.program.id);
        if mine.is_empty() && !may_invite && !is_asked {
            return;
        }
        let profiles = records.profiles.get(&partner.id).copied().unwrap_or(Standing::Missing);
        let pair = Pair { partner, offer, days, records: &records, profiles, today, now };
        let verdict = days.on(today);
        if is_asked {
            let assessment = pair.assessed(version, &verdict);
            survey.judged = Some(Judged { version, assessment });
        }
        pair.look(mine, version, &verdict, may_invite, &mut survey.findings);
    })?;
    Ok(survey)
}

/// The enrollments of some partners on record, with their histories, and the standing of the profiles.
struct Records {
    enrollments: HashMap<(Id, Id), Vec<Enrollment>>,
    histories: HashMap<Id, Vec<StateChange>>,
    profiles: BTreeMap<Id, Standing>,
    /// The first change of each partner's enrollments.
    since: HashMap<Id, CalendarDate>,
    today: CalendarDate,
}

impl Records {
    fn gather(tx: &mut Tx<'_>, ids: &[Id], all: Vec<Enrollment>, today: CalendarDate) -> Result<Self> {
        let year = program_year_of(today);
        let goes_on =
            |e: &&Enrollment| e.state.is_open() || (e.state == State::Expired && e.program_year < year);
        let keys: Vec<EnrollmentKey> = all.iter().filter(goes_on).map(Enrollment::key).collect();
        let histories = enrollments::histories(tx, &keys)?;
        let profiles = profiles::standings(tx, ids, today)?;
        let mut since: HashMap<Id, CalendarDate> = HashMap::new();
        for change in histories.values().flatten() {
            let first = since.entry(change.partner_id).or_insert(change.as_of);
            *first = change.as_of.min(*first);
        }
        let mut of_pair: HashMap<(Id, Id), Vec<Enrollment>> = HashMap::new();
        for enrollment in all {
            of_pair.entry((enrollment.partner_id, enrollment.program_id)).or_default().push(enrollment);
        }
        Ok(Self { enrollments: of_pair, histories, profiles, since, today })
    }

    fn of(&self, partner: Id, program: Id) -> &[Enrollment] {
        self.enrollments.get(&(partner, program)).map_or(&[], Vec::as_slice)
    }

    fn history(&self, enrollment: &Enrollment) -> &[StateChange] {
        self.histories.get(&enrollment.id).map_or(&[], Vec::as_slice)
    }

    /// The first day that has to be judged for a partner: the first one on which it was let in, or invited.
    fn looked_at_since(&self, partner: Id) -> CalendarDate {
        self.since.get(&partner).map_or(self.today, |since| self.today.min(*since))
    }
}

/// One partner in one program.
struct Pair<'a, 'r> {
    partner: &'a Partner,
    offer: &'a Offer,
    days: &'r Days<'r>,
    records: &'r Records,
    profiles: Standing,
    today: CalendarDate,
    now: Timestamp,
}

impl<'a> Pair<'a, '_> {
    fn look(
        &self,
        mine: &[Enrollment],
        version: &'a ProgramVersion,
        verdict: &Verdict<'_>,
        may_invite: bool,
        findings: &mut Vec<Finding<'a>>,
    ) {
        let year = program_year_of(self.today);
        let is_open = |enrollment: &&Enrollment| enrollment.state.is_open();
        let this_year: Vec<&Enrollment> = mine.iter().filter(|e| e.program_year == year).collect();
        for old in mine.iter().filter(is_open).filter(|e| e.program_year < year) {
            findings.extend(self.year_over(old, this_year.is_empty()));
        }
        let mut steps = Vec::new();
        match this_year.iter().find(|enrollment| enrollment.state.is_open()) {
            Some(enrollment) => {
                let dues = self.dues(enrollment, self.today);
                if !dues.is_empty() {
                    steps.push(Step::Settle((*enrollment).clone(), dues));
                }
            }
            None if !this_year.is_empty() => {}
            None => {
                let ended = mine.iter().filter(|e| e.state == State::Expired && e.program_year == year - 1);
                let late = ended.max_by_key(|e| e.id).and_then(|old| self.rolled_over(old));
                let goes_on = late.is_some() || mine.iter().any(|e| e.state.is_open());
                findings.extend(late);
                if !goes_on && may_invite && verdict.is_eligible() {
                    steps.push(Step::Invite);
                }
            }
        }
        if !steps.is_empty() {
            findings.push(self.finding(version, verdict, steps));
        }
    }

    /// The program year of an open enrollment is over: first its own days are settled.
    fn year_over(&self, old: &Enrollment, may_go_on: bool) -> Option<Finding<'a>> {
        let last = program_year(old.program_year)?.to;
        let version = self.offer.nearest_to(last)?;
        let mut dues = self.dues(old, last);
        for due in &mut dues {
            due.quietly = true;
        }
        let end = dues.iter().try_fold(old.state, |state, due| State::after(Some(state), due.event))?;
        if end.is_open() {
            // Who goes on is told so, once; so is who goes on as soon as the new version is published.
            let goes_on = may_go_on
                && is_accepted(end)
                && self.offer.program.status == ProgramStatus::Open
                && self.first_day_of_next(old).is_none_or(|first| self.days.on(first).is_eligible());
            let over = Due::new(EnrollmentEvent::YearOver, Cause::YearEnded);
            dues.push(Due { quietly: goes_on, ..over });
        }
        let verdict = self.days.on(last);
        Some(self.finding(version, &verdict, vec![Step::Settle(old.clone(), dues)]))
    }

    /// An enrollment that ended with its program year goes on, where the partner was still eligible on the first day of the
    /// next one.
    fn rolled_over(&self, old: &Enrollment) -> Option<Finding<'a>> {
        let ended = self.records.history(old).last()?;
        let went_on = ended.cause == Cause::YearEnded && ended.from_state.is_some_and(is_accepted);
        let first = self.first_day_of_next(old).filter(|_| went_on)?;
        let version = self.offer.version_on(first)?;
        let verdict = self.days.on(first);
        let step = Step::RollOver(old.clone(), State::by(self.profiles));
        verdict.is_eligible().then(|| self.finding(version, &verdict, vec![step]))
    }

    /// The first day of the next program year that a version covers, once it has come.
    fn first_day_of_next(&self, old: &Enrollment) -> Option<CalendarDate> {
        let first = self.offer.first_of(old.program_year + 1)?.effective_from;
        (first <= self.today).then_some(first)
    }

    fn dues(&self, enrollment: &Enrollment, until: CalendarDate) -> Vec<Due> {
        if self.offer.program.status == ProgramStatus::Discontinued {
            return vec![Due::new(EnrollmentEvent::Discontinuation, Cause::Discontinued)];
        }
        let history = self.records.history(enrollment);
        Position { enrollment, history, days: self.days, profiles: self.profiles, until }.dues()
    }

    fn finding(&self, version: &'a ProgramVersion, verdict: &Verdict<'_>, steps: Vec<Step>) -> Finding<'a> {
        let assessment = self.assessed(version, verdict);
        Finding { partner: self.partner, program: &self.offer.program, version, assessment, steps }
    }

    fn assessed(&self, version: &ProgramVersion, verdict: &Verdict<'_>) -> Assessment {
        Assessment::of(self.partner.id, &self.offer.program, version, verdict, self.now)
    }
}

/// Whether the partner takes part: payment may wait for a profile, earning does not.
const fn is_accepted(state: State) -> bool {
    matches!(state, State::ActionRequired | State::Validating | State::Enrolled)
}
