//! The steps that are due for partners, found by a constant number of queries, without writing.

use super::{
    Occasion,
    settling::{Due, GoesOn, Position, YearBefore},
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
    /// An enrollment goes on in the next program year.
    RollOver(Due),
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
    occasion: Occasion,
    asked: Option<Id>,
) -> Result<Survey<'a>> {
    let mut survey = Survey { findings: Vec::new(), judged: None };
    let today = tx.today();
    let year = program_year_of(today);
    let ids: Vec<Id> = partners.iter().map(|partner| partner.id).collect();
    let all = match occasion {
        Occasion::DailyRefresh => enrollments::of_partners(tx, &ids, &[year - 1, year])?,
        Occasion::ChangedFacts => enrollments::of_every_year(tx, &ids)?,
    };
    if all.is_empty() && asked.is_none() && partners.iter().all(|partner| !occasion.invites(partner)) {
        return Ok(survey);
    }
    let records = Records::gather(tx, &ids, all, today)?;
    let days = |partner: &Partner| Period { from: records.looked_at_since(partner.id), to: today };
    let now = tx.now;
    eligibility::days_of_each(tx, partners, offers, days, |partner, offer, days| {
        let Some(version) = offer.nearest_to(today) else { return };
        let mine = records.of(partner.id, offer.program.id);
        let may_invite =
            occasion.invites(partner) && offer.program.partner_types.0.contains(&partner.partner_type);
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

/// The enrollments of some partners on record, with their histories, and how the profiles stand and stood.
struct Records {
    enrollments: HashMap<(Id, Id), Vec<Enrollment>>,
    histories: HashMap<Id, Vec<StateChange>>,
    profiles: BTreeMap<Id, Standing>,
    approvals: HashMap<Id, Vec<Timestamp>>,
    /// The first change of each partner's enrollments.
    since: HashMap<Id, CalendarDate>,
    today: CalendarDate,
}

impl Records {
    fn gather(tx: &mut Tx<'_>, ids: &[Id], all: Vec<Enrollment>, today: CalendarDate) -> Result<Self> {
        let follow_facts = all.iter().filter(|enrollment| enrollment.state.follows_facts());
        let keys: Vec<EnrollmentKey> = follow_facts.map(Enrollment::key).collect();
        let histories = enrollments::histories(tx, &keys)?;
        let profiles = profiles::standings(tx, ids, today)?;
        let approvals = profiles::approvals(tx, ids)?;
        let mut since: HashMap<Id, CalendarDate> = HashMap::new();
        for change in histories.values().flatten() {
            let first = since.entry(change.partner_id).or_insert(change.as_of);
            *first = change.as_of.min(*first);
        }
        let mut of_pair: HashMap<(Id, Id), Vec<Enrollment>> = HashMap::new();
        for enrollment in all {
            of_pair.entry((enrollment.partner_id, enrollment.program_id)).or_default().push(enrollment);
        }
        Ok(Self { enrollments: of_pair, histories, profiles, approvals, since, today })
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
    /// Looks at one program year after the other: what became of one says how the next one begins.
    fn look(
        &self,
        mine: &[Enrollment],
        version: &'a ProgramVersion,
        verdict: &Verdict<'_>,
        may_invite: bool,
        findings: &mut Vec<Finding<'a>>,
    ) {
        let year = program_year_of(self.today);
        let first = mine.iter().map(|enrollment| enrollment.program_year).min().unwrap_or(year);
        let mut before = YearBefore::NotLookedAt;
        for year in first..year {
            before = self.year_over(mine, year, before, findings);
        }
        let mut steps = Vec::new();
        match newest(mine, year) {
            Some(enrollment) => {
                let dues = self.dues(enrollment, before, self.today);
                if !dues.is_empty() {
                    steps.push(Step::Settle(enrollment.clone(), dues));
                }
            }
            None => match self.rolled_over(year, before) {
                Some(finding) => findings.push(finding),
                None if may_invite && verdict.is_eligible() => steps.push(Step::Invite),
                None => {}
            },
        }
        if !steps.is_empty() {
            findings.push(self.finding(version, verdict, steps));
        }
    }

    /// A program year that is over: its own days are settled, and then the year ends. Says how the next year begins.
    fn year_over(
        &self,
        mine: &[Enrollment],
        year: i32,
        before: YearBefore,
        findings: &mut Vec<Finding<'a>>,
    ) -> YearBefore {
        let Some(old) = newest(mine, year) else {
            findings.extend(self.rolled_over(year, before));
            return YearBefore::Over;
        };
        let Some(last) = program_year(year).map(|year| year.to) else { return YearBefore::Over };
        let Some(version) = self.offer.nearest_to(last) else { return YearBefore::Over };
        let mut dues = self.dues(old, before, last);
        let end = self.position(old, before, last).end(&dues);
        let goes_on = is_accepted(end) && old.state.follows_facts();
        let next = match self.offer.first_of(year + 1).map(|version| version.effective_from) {
            Some(first) if goes_on && first <= self.today && self.is_eligible_anew(first) => {
                YearBefore::GoesOn(GoesOn { first, accepted_by: old.accepted_by })
            }
            _ => YearBefore::Over,
        };
        for due in &mut dues {
            due.quietly = true;
        }
        if end.is_open() && (old.state.is_open() || !dues.is_empty()) {
            // Who goes on is told so, once; so is who goes on as soon as the new version is published.
            let is_published =
                self.offer.first_of(year + 1).is_some_and(|it| it.effective_from <= self.today);
            let will_go_on = goes_on && !is_published && self.offer.program.status == ProgramStatus::Open;
            let quietly = !old.state.is_open() || will_go_on || next != YearBefore::Over;
            let over = Due::new(EnrollmentEvent::YearOver, Cause::YearEnded);
            dues.push(Due { quietly, ..over });
        }
        if !dues.is_empty() {
            let verdict = self.days.on(last);
            findings.push(self.finding(version, &verdict, vec![Step::Settle(old.clone(), dues)]));
        }
        next
    }

    /// A partner that took part in the year before goes on in this one.
    fn rolled_over(&self, year: i32, before: YearBefore) -> Option<Finding<'a>> {
        let YearBefore::GoesOn(goes_on) = before else { return None };
        let version = self.offer.version_on(goes_on.first)?;
        let verdict = self.days.lost_on(goes_on.first);
        let verdict = verdict.on(goes_on.first);
        // A year that is over as well is told of by the one that is not.
        let quietly = year < program_year_of(self.today);
        let due = Due { quietly, ..Due::rolled_over(goes_on, self.profiles) };
        Some(self.finding(version, &verdict, vec![Step::RollOver(due)]))
    }

    /// Whether the rules are met on a day by who was not enrolled on it yet.
    fn is_eligible_anew(&self, day: CalendarDate) -> bool {
        self.days.lost_on(day).on(day).is_eligible()
    }

    fn position<'e>(
        &'e self,
        enrollment: &'e Enrollment,
        year_before: YearBefore,
        until: CalendarDate,
    ) -> Position<'e> {
        let history = self.records.history(enrollment);
        let approvals = self.records.approvals.get(&self.partner.id).map_or([].as_slice(), Vec::as_slice);
        let (days, profiles) = (self.days, self.profiles);
        Position { enrollment, history, days, profiles, approvals, year_before, until }
    }

    fn dues(&self, enrollment: &Enrollment, before: YearBefore, until: CalendarDate) -> Vec<Due> {
        if !enrollment.state.follows_facts() {
            return Vec::new();
        }
        if self.offer.program.status == ProgramStatus::Discontinued && enrollment.state.is_open() {
            return vec![Due::new(EnrollmentEvent::Discontinuation, Cause::Discontinued)];
        }
        self.position(enrollment, before, until).dues()
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

/// The enrollment of a program year that counts: one that was asked for after another had ended has taken its place.
fn newest(mine: &[Enrollment], year: i32) -> Option<&Enrollment> {
    mine.iter().filter(|enrollment| enrollment.program_year == year).max_by_key(|enrollment| enrollment.id)
}
