//! Assessing partners by what is on record, and keeping assessments.

use super::{
    evaluation::{Assessment, Evaluation},
    facts::{Facts, Known, Subject, Wanted},
    model::{FormerProgramStanding, ProgramStanding, ProgramTerms, Verdict, VersionTerms},
    rules::{evaluate, evaluate_by},
    store,
    words::EligibilityCode,
};
use crate::{
    access::Tx,
    audit,
    network::partners::Partner,
    participation::programs::{self, Offer, Program, ProgramInEffect, ProgramVersion},
    platform::{
        Result,
        db::types::Json,
        values::{CalendarDate, Id, Period},
    },
};
use serde_json::json;

/// How many partners' records are held in memory at once.
const AT_ONCE: usize = 1000;

/// A version as the engine takes it.
pub(super) fn version_terms(version: &ProgramVersion) -> VersionTerms<'_> {
    VersionTerms {
        program_year: version.program_year,
        days: version.period(),
        requirements: &version.requirements.0,
    }
}

/// A program as the engine takes it.
pub(super) fn program_terms(offer: &Offer) -> ProgramTerms<'_> {
    let Offer { program, before, versions } = offer;
    let standing = ProgramStanding { partner_types: &program.partner_types.0, status: program.status };
    let before = before.iter().map(|period| FormerProgramStanding {
        last_day: period.last_day,
        standing: ProgramStanding { partner_types: &period.partner_types.0, status: period.status },
    });
    let versions = versions.iter().map(version_terms).collect();
    ProgramTerms { standing, before: before.collect(), versions }
}

/// The program with a version that may be a draft: on its days it takes the place of what is published.
pub(super) fn with_version(mut offer: Offer, version: &ProgramVersion) -> Offer {
    offer.versions.retain(|other| !other.period().overlaps(version.period()));
    offer.versions.push(version.clone());
    offer.versions.sort_unstable_by_key(|version| version.effective_from);
    offer
}

pub(super) fn wanted_by(offers: &[Offer]) -> Wanted {
    let versions = offers.iter().flat_map(|offer| &offer.versions);
    versions.fold(Wanted::default(), |wanted, version| wanted.by(&version.requirements.0))
}

/// Assesses a partner by a program version for a day. Nothing is stored.
pub fn assess(
    tx: &mut Tx<'_>,
    partner: &Partner,
    program: &Program,
    version: &ProgramVersion,
    as_of: CalendarDate,
) -> Result<Assessment> {
    let offer = with_version(programs::offer_of(tx, program)?, version);
    let subject = Subject::of(partner, Period { from: as_of, to: as_of });
    let wanted = wanted_by(std::slice::from_ref(&offer));
    let known = Known::gather(tx, std::slice::from_ref(&subject), &[program.id], wanted)?;
    let facts = known.facts(&subject, program.id);
    let terms = program_terms(&offer);
    let verdict = evaluate_by(&facts, &terms, Some(version_terms(version)), as_of);
    Ok(Assessment::of(partner.id, program, version, &verdict, tx.now))
}

/// Assesses every partner by every version for a day: partner by partner, each in the order of the versions.
/// Nothing is stored.
pub fn assess_all(
    tx: &mut Tx<'_>,
    partners: &[Partner],
    offers: &[ProgramInEffect],
    as_of: CalendarDate,
) -> Result<Vec<Assessment>> {
    let now = tx.now;
    let mut assessments = Vec::with_capacity(partners.len().saturating_mul(offers.len()));
    judge_all(tx, partners, offers, as_of, |partner, ProgramInEffect { program, version }, verdict| {
        assessments.push(Assessment::of(partner.id, program, version, verdict, now));
    })?;
    Ok(assessments)
}

/// Judges every partner by every version for a day, and shows each verdict before any of its texts is
/// written: most verdicts of a daily refresh say what the one of the day before said.
pub fn judge_all<'p>(
    tx: &mut Tx<'_>,
    partners: &'p [Partner],
    offers: &[ProgramInEffect],
    as_of: CalendarDate,
    mut look: impl FnMut(&'p Partner, &ProgramInEffect, &Verdict<'_>),
) -> Result<()> {
    let asked = offers.iter().map(|offer| offer.program.clone()).collect();
    let known = programs::offers_of(tx, asked)?;
    let of = |ProgramInEffect { program, version }: &ProgramInEffect| {
        let published = known.iter().find(|offer| offer.program.id == program.id).cloned();
        let bare = || Offer { program: program.clone(), before: Vec::new(), versions: Vec::new() };
        with_version(published.unwrap_or_else(bare), version)
    };
    let whole: Vec<Offer> = offers.iter().map(of).collect();
    let day = Period { from: as_of, to: as_of };
    days_of_each(
        tx,
        partners,
        &whole,
        |_| day,
        |partner, offer, days| {
            let at = whole.iter().position(|one| std::ptr::eq(one, offer));
            if let Some(offer) = at.and_then(|at| offers.get(at)) {
                look(partner, offer, &days.by(&offer.version, as_of));
            }
        },
    )
}

/// One partner in one program, to be judged on any of the days that the facts were gathered for.
#[derive(Debug)]
pub struct Days<'a> {
    facts: Facts<'a>,
    program: &'a ProgramTerms<'a>,
}

#[cfg(test)]
impl<'a> Days<'a> {
    /// The days of a partner with these facts.
    pub(crate) fn of(facts: Facts<'a>, program: &'a ProgramTerms<'a>) -> Self {
        Self { facts, program }
    }
}

impl Days<'_> {
    /// The same where the partner stopped being enrolled on a day: what it kept until then it keeps no longer.
    #[must_use]
    pub fn lost_on(&self, day: CalendarDate) -> Self {
        let mut facts = self.facts.clone();
        facts.enrolled.retain(|days| days.from < day);
        for days in &mut facts.enrolled {
            days.to = days.to.min(day.plus_days(-1));
        }
        Self { facts, program: self.program }
    }

    /// The verdict on a day, by the version in effect on that day.
    #[must_use]
    pub fn on(&self, day: CalendarDate) -> Verdict<'_> {
        evaluate(&self.facts, self.program, day)
    }

    /// The verdict on a day, by a version.
    #[must_use]
    pub fn by<'b>(&'b self, version: &'b ProgramVersion, day: CalendarDate) -> Verdict<'b> {
        evaluate_by(&self.facts, self.program, Some(version_terms(version)), day)
    }

    /// The first day from one on on which a rule is not met, whichever version is in effect by then. From `enrolled` on, and
    /// from no other day, the partner is taken for enrolled until then: what it keeps once enrolled it has not lost.
    #[must_use]
    pub fn first_bad_day(&self, from: CalendarDate, enrolled: Option<CalendarDate>) -> Option<CalendarDate> {
        let search = |facts: &Facts<'_>| {
            let verdict = evaluate(facts, self.program, from);
            if verdict.is_eligible() { verdict.eligible_until() } else { Some(from) }
        };
        // What is on record of the days from then on is what is asked about.
        let mut facts = self.lost_on(from).facts;
        facts.enrolled.extend(enrolled.map(|from| Period { from, to: CalendarDate::MAX }));
        search(&facts)
    }
}

/// Gathers the facts about every partner in every program, for judging any of the partner's days. A constant number of
/// queries for a thousand partners.
pub fn days_of_each<'p, 'o>(
    tx: &mut Tx<'_>,
    partners: &'p [Partner],
    offers: &'o [Offer],
    days: impl Fn(&Partner) -> Period,
    mut look: impl FnMut(&'p Partner, &'o Offer, &Days<'_>),
) -> Result<()> {
    let wanted = wanted_by(offers);
    let programs: Vec<Id> = offers.iter().map(|offer| offer.program.id).collect();
    let terms: Vec<ProgramTerms<'_>> = offers.iter().map(program_terms).collect();
    for partners in partners.chunks(AT_ONCE) {
        let subjects: Vec<Subject> =
            partners.iter().map(|partner| Subject::of(partner, days(partner))).collect();
        let known = Known::gather(tx, &subjects, &programs, wanted)?;
        for (partner, subject) in partners.iter().zip(&subjects) {
            for (offer, program) in offers.iter().zip(&terms) {
                look(partner, offer, &Days { facts: known.facts(subject, offer.program.id), program });
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

/// Those of the days, in order, on which the partner does not meet the rules by what is on record now, each with the
/// reason that weighs most. A day is judged by the version on its days, and any other day by the published version in
/// effect; a day without a version is one on which the program is not open.
pub fn unmet_on(
    tx: &mut Tx<'_>,
    partner: &Partner,
    program: &Program,
    version: &ProgramVersion,
    days: &[CalendarDate],
) -> Result<Vec<UnmetDay>> {
    let (Some(from), Some(to)) = (days.first(), days.last()) else { return Ok(Vec::new()) };
    let offers = [with_version(programs::offer_of(tx, program)?, version)];
    let mut unmet = Vec::new();
    let stretch = Period { from: *from, to: *to };
    days_of_each(
        tx,
        std::slice::from_ref(partner),
        &offers,
        |_| stretch,
        |_, _, known| {
            let mut good_until = None;
            for day in days {
                if good_until.is_some_and(|until| *day < until) {
                    continue;
                }
                let verdict = known.on(*day);
                match verdict.codes().first() {
                    Some(code) => unmet.push(UnmetDay { day: *day, code: *code }),
                    None => good_until = verdict.eligible_until().or(Some(CalendarDate::MAX)),
                }
            }
        },
    )?;
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
