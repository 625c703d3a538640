//! Looking at enrollments again: when facts about a partner changed, and day by day.
//!
//! Set-based: a constant number of queries finds what is due, without writing; only what is due costs more.

use super::{
    change::{self, Grounds},
    settling::Due,
    survey::{Finding, Step, survey},
};
use crate::{
    access::{Changes, Tx},
    network::partners::{self, Partner, PartnerType},
    participation::{
        eligibility::Assessment,
        enrollments::{self, Cause, EnrollmentEvent},
        programs::{self, Offer, ProgramVersion},
    },
    platform::{Result, values::Id},
    sales::transactions::backlog::{self, CalculationCause},
};

/// How many partners are looked at together: a statement names so many ids at most.
const AT_ONCE: usize = 1000;

/// How often partners are looked at again: what was done may let more follow, such as a loss in the new program year, or
/// one more year that is over by now.
const ROUNDS: usize = 16;

/// Why enrollments are looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// A day has come: every partner that turned eligible is invited. What was known of years long over has been looked at
    /// when it was learned.
    DailyRefresh,
    /// Facts have changed, of whatever year: indirect resellers, whose first transaction invites them, are invited at once;
    /// others wait for the daily refresh.
    ChangedFacts,
}

impl Occasion {
    pub(super) fn invites(self, partner: &Partner) -> bool {
        self == Self::DailyRefresh || partner.partner_type == PartnerType::IndirectReseller
    }
}

/// The follow-up of facts about partners that have changed, inside the same unit.
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
        reassess(tx, &concerned, Occasion::ChangedFacts)?;
    }
    Ok(())
}

/// The follow-up of other changes that enrollments rest on, inside the same unit: the users of partners, where a program
/// asks for them; versions that were published, since a day that no version covered may be covered now.
pub fn follow_up_elsewhere(tx: &mut Tx<'_>, changes: &Changes) -> Result<()> {
    if !changes.users.is_empty() && programs::offers(tx)?.iter().any(Offer::asks_for_users) {
        follow_up(tx, &changes.users)?;
    }
    for program in &changes.published {
        let enrolled = enrollments::enrolled_in(tx, *program)?;
        for some in enrolled.chunks(AT_ONCE) {
            let partners = partners::many(tx, some)?;
            let concerned = unsettled(tx, &partners, Occasion::ChangedFacts)?;
            follow_up(tx, &concerned)?;
        }
    }
    Ok(())
}

/// Moves the enrollments of these partners to where the facts put them; says how many changes there were.
pub fn reassess(tx: &mut Tx<'_>, partners: &[Partner], occasion: Occasion) -> Result<usize> {
    let mut moved = 0;
    for partners in partners.chunks(AT_ONCE) {
        moved += settle(tx, partners, occasion, None)?.moved;
    }
    Ok(moved)
}

/// Which of these partners have enrollments that today's facts would move: what `reassess` would change, found
/// without writing anything.
pub fn unsettled(tx: &mut Tx<'_>, partners: &[Partner], occasion: Occasion) -> Result<Vec<Id>> {
    let offers = programs::offers(tx)?;
    let mut found = Vec::new();
    for partners in partners.chunks(AT_ONCE) {
        let survey = survey(tx, partners, &offers, occasion, None)?;
        found.extend(survey.findings.iter().map(|finding| finding.partner.id));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Where a partner stands in a program after its enrollments were settled.
pub(super) struct Settled {
    /// How many changes there were.
    pub moved: usize,
    /// Today's verdict in the program that was asked about, in words, with the version it was given by.
    pub verdict: Option<(ProgramVersion, Assessment)>,
}

/// Settles the enrollments of one partner, and gives back today's verdict in a program: a request judges once.
pub(super) fn settle_one(tx: &mut Tx<'_>, partner: &Partner, program: Id) -> Result<Settled> {
    settle(tx, std::slice::from_ref(partner), Occasion::ChangedFacts, Some(program))
}

fn settle(tx: &mut Tx<'_>, partners: &[Partner], occasion: Occasion, asked: Option<Id>) -> Result<Settled> {
    let offers = programs::offers(tx)?;
    let mut settled = Settled { moved: 0, verdict: None };
    let mut waiting = partners.to_vec();
    for _ in 0..ROUNDS {
        let survey = survey(tx, &waiting, &offers, occasion, asked)?;
        let judged = survey.judged;
        settled.verdict = judged.map(|judged| (judged.version.clone(), judged.assessment));
        let mut moved: Vec<Id> = survey.findings.iter().map(|finding| finding.partner.id).collect();
        for finding in survey.findings {
            settled.moved += perform(tx, finding)?;
        }
        moved.dedup();
        waiting.retain(|partner| moved.contains(&partner.id));
        if waiting.is_empty() {
            break;
        }
    }
    Ok(settled)
}

/// Does what is due; says how many changes there were.
fn perform(tx: &mut Tx<'_>, finding: Finding<'_>) -> Result<usize> {
    let Finding { partner, program, version, assessment, steps } = finding;
    let grounds = Grounds::of(partner, (program, version), &assessment, None);
    let mut count = 0;
    for step in steps {
        match step {
            Step::Invite => {
                let due = Due::new(EnrollmentEvent::Invitation, Cause::Eligible);
                change::apply(tx, None, due, &grounds)?;
                count += 1;
            }
            Step::RollOver(due) => {
                change::apply(tx, None, due, &grounds)?;
                count += 1;
            }
            Step::Settle(enrollment, dues) => {
                count += dues.len();
                dues.into_iter()
                    .try_fold(enrollment, |before, due| change::apply(tx, Some(before), due, &grounds))?;
            }
        }
    }
    Ok(count)
}
