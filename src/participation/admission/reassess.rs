//! Looking at enrollments again: when facts about a partner changed, and day by day.
//!
//! Set-based: a constant number of queries finds what is due, without writing; only what is due costs more.

use super::change::{self, Grounds};
use crate::{
    access::Tx,
    network::{
        partners::{self, Partner, PartnerType},
        profiles::{self, Standing},
    },
    participation::{
        eligibility::{self, Assessment, EligibilityCheck, EligibilityCode},
        enrollments::{self, Cause, Cure, Enrollment, Event, State},
        programs::{self, Program, ProgramVersion},
    },
    platform::{
        Result,
        values::{CalendarDate, Id},
    },
    sales::transactions::backlog::{self, CalculationCause},
};
use std::collections::HashMap;

/// How many partners are looked at together: a statement names so many ids at most.
const AT_ONCE: usize = 1000;

/// Whom to invite that turned eligible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invitations {
    /// Every eligible partner: the daily refresh.
    All,
    /// Indirect resellers, whose first transaction invites them at once; others wait for the daily refresh.
    IndirectResellers,
}

/// What the service does when facts about partners have changed, inside the same unit.
pub fn follow_up(tx: &mut Tx<'_>, changed: &[Id]) -> Result<()> {
    for changed in changed.chunks(AT_ONCE) {
        let mut concerned = partners::family(tx, changed)?;
        // A headquarters that changes holds its locations too: what they rest on is its records.
        let ids = |concerned: &[Partner]| concerned.iter().map(|partner| partner.id).collect::<Vec<_>>();
        while tx.lock_partners(&ids(&concerned))?.may_be_stale() {
            concerned = partners::family(tx, changed)?;
        }
        let facts = concerned.iter().map(|partner| partner.id).filter(|id| !tx.has_sold_only(*id));
        let facts: Vec<Id> = facts.collect();
        backlog::note(tx, &facts, CalculationCause::Fact)?;
        reassess(tx, &concerned, Invitations::IndirectResellers)?;
    }
    Ok(())
}

/// Moves the enrollments of these partners to where today's facts put them; says how many changed.
pub fn reassess(tx: &mut Tx<'_>, partners: &[Partner], invitations: Invitations) -> Result<usize> {
    let offers = programs::in_effect(tx, tx.today())?;
    let mut moved = 0;
    for partners in partners.chunks(AT_ONCE) {
        for due in survey(tx, partners, &offers, invitations)? {
            moved += due.perform(tx)?;
        }
    }
    Ok(moved)
}

/// Which of these partners have enrollments that today's facts would move: what `reassess` would change, found
/// without writing anything.
pub fn unsettled(tx: &mut Tx<'_>, partners: &[Partner], invitations: Invitations) -> Result<Vec<Id>> {
    let offers = programs::in_effect(tx, tx.today())?;
    let mut found = Vec::new();
    for partners in partners.chunks(AT_ONCE) {
        found.extend(survey(tx, partners, &offers, invitations)?.iter().map(|due| due.partner.id));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

type Offer = (Program, ProgramVersion);

/// What today's facts ask of one partner's enrollments in one program.
struct Due<'a> {
    partner: &'a Partner,
    offer: Offer,
    assessment: Assessment,
    standing: Standing,
    steps: Vec<Step>,
}

/// One thing that has to happen.
enum Step {
    /// Nobody has one yet, and the partner turned eligible.
    Invite,
    /// Its year is over.
    End(Enrollment),
    /// It goes on in the new year.
    RollOver(Enrollment),
    /// The rules are met again.
    Cure(Enrollment),
    /// Anything else.
    Move(Enrollment, Event, Cause),
}

/// Finds what is due for some partners.
fn survey<'a>(
    tx: &mut Tx<'_>,
    partners: &'a [Partner],
    offers: &[Offer],
    invitations: Invitations,
) -> Result<Vec<Due<'a>>> {
    let (today, now) = (tx.today(), tx.now);
    let ids: Vec<Id> = partners.iter().map(|partner| partner.id).collect();
    let mut years: Vec<i32> = offers.iter().map(|(_, version)| version.program_year).collect();
    years.sort_unstable();
    years.dedup();
    let known = enrollments::of_partners(tx, &ids, &years)?;
    if known.is_empty() && partners.iter().all(|partner| !invitations.include(partner)) {
        return Ok(Vec::new());
    }
    let mut of_pair: HashMap<(Id, Id), Vec<&Enrollment>> = HashMap::new();
    for enrollment in &known {
        of_pair.entry((enrollment.partner_id, enrollment.program_id)).or_default().push(enrollment);
    }
    let standings = profiles::standings(tx, &ids, today)?;
    let standing_of = |partner: &Partner| standings.get(&partner.id).copied().unwrap_or(Standing::Missing);
    let mut due = Vec::new();
    eligibility::judge_all(tx, partners, offers, today, |partner, offer, verdict| {
        let (program, version) = offer;
        let mine = of_pair.get(&(partner.id, program.id)).map_or(&[][..], Vec::as_slice);
        let case = Case {
            year: version.program_year,
            today,
            eligible: verdict.is_eligible(),
            standing: standing_of(partner),
            may_invite: invitations.include(partner)
                && program.partner_types.0.contains(&partner.partner_type),
        };
        let steps = case.steps(mine);
        if !steps.is_empty() {
            let assessment = Assessment::of(partner.id, program, version, verdict, now);
            due.push(Due { partner, offer: offer.clone(), assessment, standing: case.standing, steps });
        }
    })?;
    due.extend(without_successor(tx, partners, &known, offers)?);
    Ok(due)
}

/// What decides about one partner's enrollments in one program.
struct Case {
    year: i32,
    today: CalendarDate,
    eligible: bool,
    standing: Standing,
    may_invite: bool,
}

impl Case {
    fn steps(&self, mine: &[&Enrollment]) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut has_this_year = mine.iter().any(|enrollment| enrollment.program_year == self.year);
        let is_open = |enrollment: &&&Enrollment| enrollment.state.is_open();
        for old in mine.iter().filter(is_open).filter(|enrollment| enrollment.program_year < self.year) {
            steps.push(Step::End((*old).clone()));
            let goes_on = old.state == State::Enrolled && self.standing == Standing::Approved;
            if goes_on && self.eligible && !has_this_year {
                steps.push(Step::RollOver((*old).clone()));
                has_this_year = true;
            }
        }
        match mine.iter().filter(is_open).find(|enrollment| enrollment.program_year == self.year) {
            Some(enrollment) => steps.extend(self.advance(enrollment)),
            None if self.eligible && self.may_invite && !has_this_year => steps.push(Step::Invite),
            None => {}
        }
        steps
    }

    /// Where today's facts and profiles put an open enrollment of this year, where that is a change.
    fn advance(&self, enrollment: &Enrollment) -> Option<Step> {
        let over = enrollment.invitation_expires_on.is_some_and(|last| last < self.today);
        let (event, cause) = match enrollment.state {
            State::Invited if over => (Event::InvitationOver, Cause::InvitationExpired),
            State::Ineligible if self.eligible => return Some(Step::Cure(enrollment.clone())),
            State::Invited | State::ActionRequired | State::Validating | State::Enrolled
                if !self.eligible =>
            {
                (Event::RulesLost, Cause::RulesLost)
            }
            State::ActionRequired | State::Validating | State::Enrolled => {
                (Event::Profiles(self.standing), Cause::ProfilesChanged)
            }
            _ => return None,
        };
        State::after(Some(enrollment.state), event)
            .filter(|to| *to != enrollment.state)
            .map(|_| Step::Move(enrollment.clone(), event, cause))
    }
}

impl Due<'_> {
    /// Makes it happen; says how many enrollments changed.
    fn perform(self, tx: &mut Tx<'_>) -> Result<usize> {
        let (program, version) = &self.offer;
        let grounds = Grounds::of(self.partner, (program, version), &self.assessment, None);
        let count = self.steps.len();
        for step in self.steps {
            match step {
                Step::Invite => change::apply(tx, None, Event::Invitation, Cause::Eligible, &grounds)?,
                Step::End(old) => change::apply(tx, Some(old), Event::YearOver, Cause::YearEnded, &grounds)?,
                Step::RollOver(old) => change::roll_over(tx, &old, &grounds)?,
                Step::Cure(enrollment) => {
                    let cure = cure_of(tx, &enrollment, self.standing, &grounds)?;
                    change::apply(tx, Some(enrollment), Event::Cured(cure), Cause::Cured, &grounds)?
                }
                Step::Move(enrollment, event, cause) => {
                    change::apply(tx, Some(enrollment), event, cause, &grounds)?
                }
            };
        }
        Ok(count)
    }
}

impl Invitations {
    fn include(self, partner: &Partner) -> bool {
        self == Self::All || partner.partner_type == PartnerType::IndirectReseller
    }
}

/// Without a gap where today's records show that the rules were met on every day since they seemed lost.
fn cure_of(
    tx: &mut Tx<'_>,
    enrollment: &Enrollment,
    standing: Standing,
    grounds: &Grounds<'_>,
) -> Result<Cure> {
    let had_earned = enrollment.earnings_start_on.is_some() && standing == Standing::Approved;
    let Some(since) = enrollment.ineligible_since.filter(|_| had_earned) else { return Ok(Cure::WithGap) };
    let today = tx.today();
    // A suspension carries no date: it is a gap of the days it lasted, though nothing on record tells it now.
    let lost = eligibility::find_evaluation(tx, enrollment.evaluation_id)?;
    let was_barred = |check: &EligibilityCheck| check.code == Some(EligibilityCode::PartnerNotActive);
    if since < today && lost.is_some_and(|lost| lost.evaluation.checks.0.iter().any(was_barred)) {
        return Ok(Cure::WithGap);
    }
    let then = eligibility::assess(tx, grounds.partner, grounds.program, grounds.version, since)?;
    let held = then.is_eligible() && then.eligible_until.is_none_or(|end| end > today);
    Ok(if held { Cure::WithoutGap } else { Cure::WithGap })
}

/// Enrollments whose year is over and whose program has no version for the new one.
fn without_successor<'a>(
    tx: &mut Tx<'_>,
    partners: &'a [Partner],
    known: &[Enrollment],
    offers: &[Offer],
) -> Result<Vec<Due<'a>>> {
    let (today, now) = (tx.today(), tx.now);
    let goes_on = |program: Id| offers.iter().any(|(offered, _)| offered.id == program);
    let mut ending: HashMap<(Id, Id, i32), &Enrollment> = HashMap::new();
    for enrollment in known.iter().filter(|e| e.state.is_open() && !goes_on(e.program_id)) {
        ending.insert((enrollment.partner_id, enrollment.program_id, enrollment.version), enrollment);
    }
    if ending.is_empty() {
        return Ok(Vec::new());
    }
    let programs: Vec<Id> = ending.keys().map(|(_, program, _)| *program).collect();
    let over = programs::over(tx, &programs, today)?;
    let mut due = Vec::new();
    eligibility::judge_all(tx, partners, &over, today, |partner, offer, verdict| {
        let (program, version) = offer;
        let Some(old) = ending.get(&(partner.id, program.id, version.version)) else { return };
        let assessment = Assessment::of(partner.id, program, version, verdict, now);
        let steps = vec![Step::End((*old).clone())];
        due.push(Due { partner, offer: offer.clone(), assessment, standing: Standing::Missing, steps });
    })?;
    Ok(due)
}
