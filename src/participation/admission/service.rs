//! The commands of people on enrollments.

use super::{
    change::{self, Grounds},
    reassess::settle_one,
    settling::Due,
};
use crate::{
    access::{Role, Tx},
    network::{
        partners::{self, Partner},
        profiles,
    },
    participation::{
        eligibility::{self, Assessment, EligibilityCheckView, Evaluation},
        enrollments::{self, Cause, Enrollment, EnrollmentEvent, ProgramEnrollment, State},
        programs::{self, Program, ProgramKey, ProgramVersion},
    },
    platform::{
        Error, Result,
        values::{Id, Locale},
    },
    text,
};

crate::problem_codes! {
    NOT_ELIGIBLE = "not_eligible" 422 ["The partner does not meet every rule", "パートナーが参加要件を満たしていません"],
        ["`checks` lists every rule with its evidence and its remedy; those that are `unmet` stand in the way. The evaluation is kept: `evaluation_id`.", "すべての要件の判定結果が、根拠および対応方法とともに `checks` に示されます。`unmet` の要件が満たされていません。判定の記録は `evaluation_id` で確認できます。"];
}

/// How a request or an acceptance came out.
#[derive(Debug)]
pub enum RequestOutcome {
    /// The enrollment as it is now.
    Enrolled(ProgramEnrollment),
    /// The rules are not met; the evaluation is kept.
    NotEligible(Box<Evaluation>),
}

impl RequestOutcome {
    /// The problem of a refusal, with every check in the reader's language.
    #[must_use]
    pub fn refusal(evaluation: &Evaluation, language: Locale) -> Error {
        let unmet = evaluation.checks.0.iter().filter(|check| check.code.is_some()).count();
        let detail = text!(
            "{unmet} of the rules are not met; checks says which, and what to do",
            "{unmet} 件の参加要件が満たされていません。該当する要件と対応方法は checks をご確認ください。"
        );
        Error::new(&NOT_ELIGIBLE, detail)
            .with("evaluation_id", evaluation.id)
            .with("as_of", evaluation.as_of)
            .with("checks", EligibilityCheckView::all(evaluation.checks.0.clone(), language))
    }
}

/// A partner asks to take part in a program, in the program year it is.
pub fn request(
    tx: &mut Tx<'_>,
    partner: Id,
    program: &ProgramKey,
    reason: Option<&str>,
) -> Result<RequestOutcome> {
    on_behalf_needs_a_reason(tx, reason)?;
    if let Ok(program) = programs::find(tx, program) {
        programs::keep(tx, program.id)?;
    }
    tx.lock_partner(partner)?;
    let partner = partners::get(tx, partner).map_err(|error| {
        error.as_fault_at(
            "/partner_id",
            text!(
                "there is no such partner, or it lies outside what you may see",
                "該当するパートナーが存在しないか、閲覧できる範囲にありません。"
            ),
        )
    })?;
    let program = programs::find(tx, program).map_err(|error| {
        error.as_fault_at(
            "/program",
            text!(
                "there is no such program; GET /v1/programs lists them",
                "該当するプログラムが存在しません。GET /v1/programs で一覧を確認できます。"
            ),
        )
    })?;
    let Judged { version, assessment, moved } = judged(tx, &partner, &program)?;
    let of_year: Vec<Enrollment> = enrollments::of_partners(tx, &[partner.id], &[version.program_year])?
        .into_iter()
        .filter(|e| e.program_id == program.id && e.program_year == version.program_year)
        .collect();
    let open = of_year.iter().find(|enrollment| enrollment.state.is_open()).cloned();
    let standing = profiles::standing(tx, partner.id, tx.today())?;
    let event = EnrollmentEvent::Acceptance(standing);
    // Discontinued is final: there is no second request in that year.
    let ended = of_year.iter().find(|enrollment| enrollment.state == State::Discontinued).cloned();
    // A rule that was found lost only now is told with every other one, below, and the evaluation is kept.
    let lost = |e: &Enrollment| moved && e.state == State::Ineligible;
    if let Some(before) =
        open.as_ref().or(ended.as_ref()).filter(|e| State::after(Some(e.state), event).is_none() && !lost(e))
    {
        return Err(change::refusal(Some(before.state), event).with("enrollment_id", before.id));
    }
    let cause = if open.is_some() { Cause::Accepted } else { Cause::Requested };
    let grounds = Grounds::of(&partner, (&program, &version), &assessment, reason);
    decide(tx, open, Due::new(event, cause), &grounds)
}

/// A partner accepts its invitation.
pub fn accept(tx: &mut Tx<'_>, id: Id, reason: Option<&str>) -> Result<RequestOutcome> {
    on_behalf_needs_a_reason(tx, reason)?;
    let was = locked(tx, id)?.state;
    let Current { enrollment, partner, program, version, assessment } = current(tx, id)?;
    // A rule that was found lost only now is told with every other one, below, and the evaluation is kept.
    let lost = (was, enrollment.state) == (State::Invited, State::Ineligible);
    let standing = profiles::standing(tx, partner.id, tx.today())?;
    let event = EnrollmentEvent::Acceptance(standing);
    if State::after(Some(enrollment.state), event).is_none() && !lost {
        return Err(change::refusal(Some(enrollment.state), event));
    }
    let grounds = Grounds::of(&partner, (&program, &version), &assessment, reason);
    decide(tx, Some(enrollment), Due::new(event, Cause::Accepted), &grounds)
}

/// A partner declines, or leaves for the rest of the year.
pub fn opt_out(tx: &mut Tx<'_>, id: Id, reason: Option<&str>) -> Result<ProgramEnrollment> {
    on_behalf_needs_a_reason(tx, reason)?;
    end(tx, id, Due::new(EnrollmentEvent::OptOut, Cause::OptedOut), reason)
}

/// An operator ends an enrollment for good.
pub fn discontinue(tx: &mut Tx<'_>, id: Id, reason: &str) -> Result<ProgramEnrollment> {
    end(tx, id, Due::new(EnrollmentEvent::Discontinuation, Cause::Discontinued), Some(reason))
}

fn end(tx: &mut Tx<'_>, id: Id, due: Due, reason: Option<&str>) -> Result<ProgramEnrollment> {
    let Current { enrollment, partner, program, version, assessment } = current(tx, id)?;
    let grounds = Grounds::of(&partner, (&program, &version), &assessment, reason);
    let enrollment = change::apply(tx, Some(enrollment), due, &grounds)?;
    Ok(ProgramEnrollment { enrollment, program: program.code })
}

fn decide(
    tx: &mut Tx<'_>,
    before: Option<Enrollment>,
    due: Due,
    grounds: &Grounds<'_>,
) -> Result<RequestOutcome> {
    if grounds.assessment.is_eligible() {
        let enrollment = change::apply(tx, before, due, grounds)?;
        return Ok(RequestOutcome::Enrolled(ProgramEnrollment {
            enrollment,
            program: grounds.program.code.clone(),
        }));
    }
    let evaluation = eligibility::record(tx, grounds.assessment.clone())?;
    Ok(RequestOutcome::NotEligible(Box::new(evaluation)))
}

/// The enrollment, with its program kept and its partner locked.
fn locked(tx: &mut Tx<'_>, id: Id) -> Result<Enrollment> {
    let found = enrollments::get(tx, id)?.enrollment;
    programs::keep(tx, found.program_id)?;
    let stale = tx.lock_partner(found.partner_id)?.may_be_stale();
    Ok(if stale { enrollments::get(tx, id)?.enrollment } else { found })
}

/// An enrollment with everything it rests on.
struct Current {
    enrollment: Enrollment,
    partner: Partner,
    program: Program,
    version: ProgramVersion,
    assessment: Assessment,
}

/// The enrollment as today's facts put it.
fn current(tx: &mut Tx<'_>, id: Id) -> Result<Current> {
    let found = locked(tx, id)?;
    let partner = partners::get(tx, found.partner_id)?;
    let program = programs::get(tx, found.program_id)?;
    let Judged { version, assessment, .. } = judged(tx, &partner, &program)?;
    let enrollment = enrollments::get(tx, id)?.enrollment;
    Ok(Current { enrollment, partner, program, version, assessment })
}

/// Today's verdict about a partner in a program, after its enrollments were settled.
struct Judged {
    version: ProgramVersion,
    assessment: Assessment,
    /// Whether an enrollment was moved.
    moved: bool,
}

fn judged(tx: &mut Tx<'_>, partner: &Partner, program: &Program) -> Result<Judged> {
    let settled = settle_one(tx, partner, program.id)?;
    let moved = settled.moved > 0;
    match settled.verdict {
        Some((version, assessment)) => Ok(Judged { version, assessment, moved }),
        None => Err(programs::has_no_version(program)),
    }
}

/// Staff who act for a partner say why.
fn on_behalf_needs_a_reason(tx: &Tx<'_>, reason: Option<&str>) -> Result<()> {
    if tx.actor.role == Some(Role::Operator) && reason.is_none() {
        return Err(Error::invalid_field(
            "/reason",
            "required",
            text!(
                "you act on behalf of the partner; say why",
                "パートナーの代理での操作です。理由を入力してください。"
            ),
        ));
    }
    Ok(())
}

/// The partner's open enrollment in a program.
pub fn open_of(tx: &mut Tx<'_>, partner: Id, program: &ProgramKey) -> Result<Id> {
    let program = programs::find(tx, program)?;
    let all = enrollments::of_partners(tx, &[partner], &[])?;
    let open =
        all.iter().find(|enrollment| enrollment.program_id == program.id && enrollment.state.is_open());
    open.map(|enrollment| enrollment.id).ok_or(Error::not_found("enrollment", "参加"))
}
