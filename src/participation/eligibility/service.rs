//! Assessing partners by what is on record, and keeping assessments.

use super::{
    evaluation::{Assessment, Evaluation},
    facts::{Known, SalesAsked, Subject, terms},
    model::Verdict,
    rules::evaluate,
    store,
    words::EligibilityCode,
};
use crate::{
    access::Tx,
    audit,
    network::partners::Partner,
    participation::programs::{Program, ProgramVersion},
    platform::{
        Result,
        db::types::Json,
        values::{CalendarDate, Id},
    },
};
use serde_json::json;

/// How many partners' records are held in memory at once.
const AT_ONCE: usize = 1000;

/// Assesses a partner by a program version for a day. Nothing is stored.
pub fn assess(
    tx: &mut Tx<'_>,
    partner: &Partner,
    program: &Program,
    version: &ProgramVersion,
    as_of: CalendarDate,
) -> Result<Assessment> {
    let subject = Subject::from(partner);
    let asked = SalesAsked::default().by(&version.requirements.0);
    let known = Known::gather(tx, &[subject], &[program.id], asked, as_of)?;
    let facts = known.facts(&subject, program.id, version.program_year);
    let terms = terms(program, version);
    let verdict = evaluate(&facts, &terms, as_of);
    Ok(Assessment::of(partner.id, program, version, &verdict, tx.now))
}

/// Assesses every partner by every version for a day: partner by partner, each in the order of the versions.
/// Nothing is stored.
pub fn assess_all(
    tx: &mut Tx<'_>,
    partners: &[Partner],
    offers: &[(Program, ProgramVersion)],
    as_of: CalendarDate,
) -> Result<Vec<Assessment>> {
    let now = tx.now;
    let mut assessments = Vec::with_capacity(partners.len().saturating_mul(offers.len()));
    judge_all(tx, partners, offers, as_of, |partner, (program, version), verdict| {
        assessments.push(Assessment::of(partner.id, program, version, verdict, now));
    })?;
    Ok(assessments)
}

/// Judges every partner by every version for a day, and shows each verdict before any of its texts is
/// written: most verdicts of a daily refresh say what the one of the day before said.
pub fn judge_all<'p>(
    tx: &mut Tx<'_>,
    partners: &'p [Partner],
    offers: &[(Program, ProgramVersion)],
    as_of: CalendarDate,
    mut look: impl FnMut(&'p Partner, &(Program, ProgramVersion), &Verdict<'_>),
) -> Result<()> {
    let asked = offers.iter().fold(SalesAsked::default(), |asked, (_, v)| asked.by(&v.requirements.0));
    let programs: Vec<Id> = offers.iter().map(|(program, _)| program.id).collect();
    for partners in partners.chunks(AT_ONCE) {
        let subjects: Vec<Subject> = partners.iter().map(Subject::from).collect();
        let known = Known::gather(tx, &subjects, &programs, asked, as_of)?;
        for (partner, subject) in partners.iter().zip(&subjects) {
            for offer in offers {
                let (program, version) = offer;
                let facts = known.facts(subject, program.id, version.program_year);
                look(partner, offer, &evaluate(&facts, &terms(program, version), as_of));
            }
        }
    }
    Ok(())
}

/// A day on which a rule is not met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnmetDay {
    /// The day.
    pub day: CalendarDate,
    /// The reason that weighs most.
    pub code: EligibilityCode,
}

/// Those of the days, in order, on which the partner does not meet a version's rules by what is on record now, each
/// with the reason that weighs most. Rules without a date, such as a suspension, are left to the enrollment.
pub fn unmet_on(
    tx: &mut Tx<'_>,
    partner: &Partner,
    program: &Program,
    version: &ProgramVersion,
    days: &[CalendarDate],
) -> Result<Vec<UnmetDay>> {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Ok(Vec::new()) };
    let subject = Subject::from(partner);
    let asked = SalesAsked::default().by(&version.requirements.0);
    let known = Known::gather_for_days(tx, &subject, program.id, asked, (*first, *last))?;
    let facts = known.facts(&subject, program.id, version.program_year);
    let terms = terms(program, version);
    let (mut unmet, mut good_until) = (Vec::new(), None);
    for day in days {
        if good_until.is_some_and(|until| *day < until) {
            continue;
        }
        let verdict = evaluate(&facts, &terms, *day);
        let dated = || verdict.checks.iter().filter(|check| check.rule.is_dated());
        match dated().find_map(|check| check.codes().first().copied()) {
            Some(code) => unmet.push(UnmetDay { day: *day, code }),
            None => {
                good_until = dated().filter_map(|check| check.lapses_on).min().or(Some(CalendarDate::MAX));
            }
        }
    }
    Ok(unmet)
}

/// Keeps an assessment.
pub fn record(tx: &mut Tx<'_>, assessment: Assessment) -> Result<Evaluation> {
    let evaluation = Evaluation {
        id: tx.new_id(),
        partner_id: assessment.partner_id,
        program_id: assessment.program_id,
        version: assessment.version,
        as_of: assessment.as_of,
        evaluated_at: assessment.evaluated_at,
        outcome: assessment.outcome,
        eligible_until: assessment.eligible_until,
        checks: Json(assessment.checks),
    };
    store::insert(tx, &evaluation)?;
    // The checks stay where they are: an evaluation is never changed, so its event need not repeat them.
    let summary = json!({
        "program_id": evaluation.program_id, "version": evaluation.version, "as_of": evaluation.as_of,
        "outcome": evaluation.outcome, "eligible_until": evaluation.eligible_until,
    });
    let event = audit::Event::on("evaluation", evaluation.id).of_partner(evaluation.partner_id);
    event.after(&summary).record(tx)?;
    Ok(evaluation)
}
