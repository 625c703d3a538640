//! Looking at enrollments again: when facts about a partner changed, and day by day.
//!
//! Set-based: a constant number of queries finds what has to change; only changes cost more.

use super::{
    Cause, Cure, Enrollment, Event, State,
    change::{self, Grounds},
    store,
};
use crate::{
    access::Tx,
    eligibility::{self, Assessment, EligibilityCheck, EligibilityCode},
    partners::{self, Partner, PartnerType},
    platform::{Result, values::Id},
    profiles::{self, Standing},
    programs::{self, Program, ProgramVersion},
    transactions::backlog,
};
use std::collections::{HashMap, HashSet};

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
        let concerned = partners::family(tx, changed)?;
        let facts = concerned.iter().map(|partner| partner.id).filter(|id| !tx.has_sold_only(*id));
        let facts: Vec<Id> = facts.collect();
        backlog::note(tx, &facts)?;
        reassess(tx, &concerned, Invitations::IndirectResellers)?;
    }
    Ok(())
}

/// Moves the enrollments of these partners to where today's facts put them; says how many changed.
pub fn reassess(tx: &mut Tx<'_>, partners: &[Partner], invitations: Invitations) -> Result<usize> {
    let today = tx.today();
    let offers = programs::in_effect(tx, today)?;
    let mut moved = 0;
    for partners in partners.chunks(AT_ONCE) {
        moved += reassess_some(tx, partners, &offers, invitations)?;
    }
    Ok(moved)
}

fn reassess_some(
    tx: &mut Tx<'_>,
    partners: &[Partner],
    offers: &[(Program, ProgramVersion)],
    invitations: Invitations,
) -> Result<usize> {
    let today = tx.today();
    let ids: Vec<Id> = partners.iter().map(|partner| partner.id).collect();
    let mut years: Vec<i32> = offers.iter().map(|(_, version)| version.program_year).collect();
    years.sort_unstable();
    years.dedup();
    let known = store::of_partners(tx, &ids, &years)?;
    if known.is_empty() && partners.iter().all(|partner| !invitations.include(partner)) {
        return Ok(0);
    }
    let mut of_pair: HashMap<(Id, Id), Vec<&Enrollment>> = HashMap::new();
    for enrollment in &known {
        of_pair.entry((enrollment.partner_id, enrollment.program_id)).or_default().push(enrollment);
    }
    let assessments = worth_a_look(tx, partners, offers, &known, invitations)?;
    let standings = profiles::standings(tx, &ids, today)?;
    let mut moved = 0;
    for partner in partners {
        let standing = standings.get(&partner.id).copied().unwrap_or(Standing::Missing);
        for (program, version) in offers {
            let pair = (partner.id, program.id);
            let Some(assessment) = assessments.get(&pair) else { continue };
            let grounds = Grounds { partner, program, version, assessment, reason: None };
            let mine = of_pair.get(&pair).map_or(&[][..], Vec::as_slice);
            moved += look_at(tx, mine, standing, &grounds, invitations.include(partner))?;
        }
    }
    moved += close_years_without_successor(tx, partners, &known, offers)?;
    Ok(moved)
}

/// The assessments that may move something: where there is an enrollment, and of those who may be invited.
fn worth_a_look(
    tx: &mut Tx<'_>,
    partners: &[Partner],
    offers: &[(Program, ProgramVersion)],
    known: &[Enrollment],
    invitations: Invitations,
) -> Result<HashMap<(Id, Id), Assessment>> {
    let pairs: HashSet<(Id, Id)> =
        known.iter().map(|enrollment| (enrollment.partner_id, enrollment.program_id)).collect();
    let (today, now) = (tx.today(), tx.now);
    let mut found = HashMap::new();
    eligibility::judge_all(tx, partners, offers, today, |partner, (program, version), verdict| {
        let pair = (partner.id, program.id);
        if pairs.contains(&pair) || (verdict.is_eligible() && invitations.include(partner)) {
            found.insert(pair, Assessment::of(partner.id, program, version, verdict, now));
        }
    })?;
    Ok(found)
}

impl Invitations {
    fn include(self, partner: &Partner) -> bool {
        self == Self::All || partner.partner_type == PartnerType::IndirectReseller
    }
}

/// One partner's enrollments in one program.
fn look_at(
    tx: &mut Tx<'_>,
    mine: &[&Enrollment],
    standing: Standing,
    grounds: &Grounds<'_>,
    may_invite: bool,
) -> Result<usize> {
    let year = grounds.version.program_year;
    let eligible = grounds.assessment.is_eligible();
    let mut moved = 0;
    let mut has_this_year = mine.iter().any(|enrollment| enrollment.program_year == year);
    for old in mine.iter().filter(|enrollment| enrollment.state.is_open() && enrollment.program_year < year) {
        change::apply(tx, Some((*old).clone()), Event::YearOver, Cause::YearEnded, grounds)?;
        moved += 1;
        if old.state == State::Enrolled && eligible && standing == Standing::Approved && !has_this_year {
            change::roll_over(tx, old, grounds)?;
            has_this_year = true;
        }
    }
    let open = mine.iter().find(|enrollment| enrollment.state.is_open() && enrollment.program_year == year);
    match open {
        Some(enrollment) => Ok(moved + usize::from(advance(tx, (*enrollment).clone(), standing, grounds)?)),
        None if eligible && may_invite && !has_this_year && is_for(grounds) => {
            change::apply(tx, None, Event::Invitation, Cause::Eligible, grounds)?;
            Ok(moved + 1)
        }
        None => Ok(moved),
    }
}

/// Where today's facts and profiles put an open enrollment of this year; whether that is a change.
fn advance(
    tx: &mut Tx<'_>,
    enrollment: Enrollment,
    standing: Standing,
    grounds: &Grounds<'_>,
) -> Result<bool> {
    let today = tx.today();
    let eligible = grounds.assessment.is_eligible();
    let over = enrollment.invitation_expires_on.is_some_and(|last| last < today);
    let (event, cause) = match enrollment.state {
        State::Invited if over => (Event::InvitationOver, Cause::InvitationExpired),
        State::Ineligible if eligible => {
            (Event::Cured(cure_of(tx, &enrollment, standing, grounds)?), Cause::Cured)
        }
        State::Invited | State::ActionRequired | State::Validating | State::Enrolled if !eligible => {
            (Event::RulesLost, Cause::RulesLost)
        }
        State::ActionRequired | State::Validating | State::Enrolled => {
            (Event::Profiles(standing), Cause::ProfilesChanged)
        }
        _ => return Ok(false),
    };
    let from = enrollment.state;
    if State::after(Some(from), event).is_none_or(|to| to == from) {
        return Ok(false);
    }
    change::apply(tx, Some(enrollment), event, cause, grounds)?;
    Ok(true)
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
    if since < today && lost.is_some_and(|(lost, _)| lost.checks.0.iter().any(was_barred)) {
        return Ok(Cure::WithGap);
    }
    let then = eligibility::assess(tx, grounds.partner, grounds.program, grounds.version, since)?;
    let held = then.is_eligible() && then.eligible_until.is_none_or(|end| end > today);
    Ok(if held { Cure::WithoutGap } else { Cure::WithGap })
}

fn is_for(grounds: &Grounds<'_>) -> bool {
    grounds.program.partner_types.0.contains(&grounds.partner.partner_type)
}

/// Enrollments whose year is over and whose program has no version for the new one.
fn close_years_without_successor(
    tx: &mut Tx<'_>,
    partners: &[Partner],
    known: &[Enrollment],
    offers: &[(Program, ProgramVersion)],
) -> Result<usize> {
    let by_id: HashMap<Id, &Partner> = partners.iter().map(|partner| (partner.id, partner)).collect();
    let today = tx.today();
    let mut moved = 0;
    let orphans = known.iter().filter(|enrollment| {
        enrollment.state.is_open() && !offers.iter().any(|(program, _)| program.id == enrollment.program_id)
    });
    for old in orphans {
        let Some(partner) = by_id.get(&old.partner_id) else { continue };
        let program = programs::get(tx, old.program_id)?;
        let version = programs::get_version(tx, old.program_id, old.version)?;
        if version.effective_to >= today {
            continue;
        }
        let assessment: Assessment = eligibility::assess(tx, partner, &program, &version, today)?;
        let grounds =
            Grounds { partner, program: &program, version: &version, assessment: &assessment, reason: None };
        change::apply(tx, Some(old.clone()), Event::YearOver, Cause::YearEnded, &grounds)?;
        moved += 1;
    }
    Ok(moved)
}
