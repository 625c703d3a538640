//! How a state change is written: the record, its history row, its audit event and its notice, in one unit.

use crate::{
    access::Tx,
    audit,
    identity::users,
    network::partners::{Partner, TRANSITION_NOT_ALLOWED},
    notifications::{About, Message},
    participation::{
        eligibility::{self, Assessment, CheckStatus, EligibilityRule as Rule},
        enrollments::{self, Cause, Change, Cure, Enrollment, EnrollmentKey, EnrollmentView, Event, State},
        programs::{Program, ProgramVersion},
    },
    platform::{
        Error, Result,
        values::{CalendarDate, Id},
    },
    sales::transactions::backlog::{self, CalculationCause},
};
use std::cell::Cell;

/// What a change rests on.
pub(super) struct Grounds<'a> {
    pub partner: &'a Partner,
    pub program: &'a Program,
    pub version: &'a ProgramVersion,
    pub assessment: &'a Assessment,
    pub reason: Option<&'a str>,
    /// The assessment on record, once a change rests on it.
    recorded: Cell<Option<Id>>,
}

impl<'a> Grounds<'a> {
    pub(super) fn of(
        partner: &'a Partner,
        (program, version): (&'a Program, &'a ProgramVersion),
        assessment: &'a Assessment,
        reason: Option<&'a str>,
    ) -> Self {
        Self { partner, program, version, assessment, reason, recorded: Cell::new(None) }
    }

    /// The evaluation that keeps the assessment; several changes may rest on one.
    fn evaluation(&self, tx: &mut Tx<'_>) -> Result<Id> {
        if let Some(id) = self.recorded.get() {
            return Ok(id);
        }
        let id = eligibility::record(tx, self.assessment.clone())?.id;
        self.recorded.set(Some(id));
        Ok(id)
    }
}

/// Applies an event to an enrollment, or to none, and writes everything that goes with it.
pub(super) fn apply(
    tx: &mut Tx<'_>,
    before: Option<Enrollment>,
    event: Event,
    cause: Cause,
    grounds: &Grounds<'_>,
) -> Result<Enrollment> {
    let from = before.as_ref().map(|enrollment| enrollment.state);
    let to = State::after(from, event).ok_or_else(|| refusal(from, event))?;
    let evaluation_id = grounds.evaluation(tx)?;
    let today = tx.today();
    let actor = tx.actor.id();
    let mut enrollment = match &before {
        Some(enrollment) => {
            Enrollment { updated_at: tx.now, revision: enrollment.revision + 1, ..enrollment.clone() }
        }
        None => fresh(tx, grounds, evaluation_id),
    };
    enrollment.state = to;
    enrollment.evaluation_id = evaluation_id;
    if enrollment.program_year == grounds.version.program_year {
        enrollment.version = grounds.version.version;
    }
    match event {
        Event::Invitation | Event::Cured(Cure::WithGap) => {
            enrollment.invited_on = Some(today);
            enrollment.invitation_expires_on = Some(today.plus_days(grounds.version.invitation_days));
            enrollment.earnings_start_on = None;
            enrollment.accepted_by = None;
        }
        Event::Acceptance(_) => enrollment.accepted_by = actor,
        Event::RulesLost => enrollment.ineligible_since = Some(first_bad_day(tx, enrollment.key(), grounds)?),
        _ => {}
    }
    if to != State::Ineligible {
        enrollment.ineligible_since = None;
    }
    if to == State::Enrolled && enrollment.earnings_start_on.is_none() {
        // The first time the month counts from its first day; after a gap, the day it is completed.
        let anew = enrollments::was_enrolled(tx, enrollment.key())?;
        enrollment.earnings_start_on = Some(if anew { today } else { today.first_of_month() });
    }
    if !to.is_open() {
        enrollment.ended_on = Some(today);
    }
    match &before {
        Some(_) => enrollments::update(tx, &enrollment)?,
        None => enrollments::insert(tx, &enrollment)?,
    }
    trace(tx, before.as_ref(), &enrollment, cause, grounds)?;
    Ok(enrollment)
}

/// Takes an enrollment over into the next program year: a new record, without any action of the partner.
pub(super) fn roll_over(tx: &mut Tx<'_>, old: &Enrollment, grounds: &Grounds<'_>) -> Result<Enrollment> {
    let evaluation_id = grounds.evaluation(tx)?;
    let enrollment = Enrollment {
        state: State::Enrolled,
        accepted_by: old.accepted_by,
        earnings_start_on: Some(grounds.version.effective_from),
        ..fresh(tx, grounds, evaluation_id)
    };
    enrollments::insert(tx, &enrollment)?;
    trace(tx, None, &enrollment, Cause::RolledOver, grounds)?;
    Ok(enrollment)
}

fn fresh(tx: &Tx<'_>, grounds: &Grounds<'_>, evaluation_id: Id) -> Enrollment {
    Enrollment {
        id: tx.new_id(),
        partner_id: grounds.partner.id,
        program_id: grounds.program.id,
        version: grounds.version.version,
        program_year: grounds.version.program_year,
        state: State::Invited,
        invited_on: None,
        invitation_expires_on: None,
        accepted_by: None,
        earnings_start_on: None,
        ineligible_since: None,
        ended_on: None,
        evaluation_id,
        created_at: tx.now,
        updated_at: tx.now,
        revision: 1,
    }
}

/// The day after the last good one, by what is on record today: the rules held when the partner was let in.
fn first_bad_day(tx: &mut Tx<'_>, enrollment: EnrollmentKey, grounds: &Grounds<'_>) -> Result<CalendarDate> {
    let today = tx.today();
    let held_on = enrollments::let_in_on(tx, enrollment)?.unwrap_or(today);
    let then = eligibility::assess(tx, grounds.partner, grounds.program, grounds.version, held_on)?;
    // What carries no date, such as a suspension, has held until today.
    let undated =
        |rule| matches!(rule, Rule::ProgramOpen | Rule::PartnerActive | Rule::PartnerType | Rule::Country);
    if then.checks.iter().any(|check| check.status == CheckStatus::Unmet && !undated(check.rule)) {
        return Ok(held_on);
    }
    let lapses = then.checks.iter().filter_map(|check| check.lapses_on).min();
    Ok(lapses.map_or(today, |end| end.min(today)))
}

fn trace(
    tx: &mut Tx<'_>,
    before: Option<&Enrollment>,
    enrollment: &Enrollment,
    cause: Cause,
    grounds: &Grounds<'_>,
) -> Result<()> {
    let change = Change {
        id: tx.new_id(),
        partner_id: enrollment.partner_id,
        enrollment_id: enrollment.id,
        from_state: before.map(|enrollment| enrollment.state),
        to_state: enrollment.state,
        cause,
        actor_id: tx.actor.id(),
        as_of: grounds.assessment.as_of,
        evaluation_id: enrollment.evaluation_id,
        reason: grounds.reason.map(str::to_owned),
        occurred_at: tx.now,
        earnings_start_on: enrollment.earnings_start_on,
        ineligible_since: enrollment.ineligible_since,
    };
    enrollments::add_change(tx, &change)?;
    backlog::note(tx, &[enrollment.partner_id], CalculationCause::Fact)?;
    let show =
        |enrollment: &Enrollment| EnrollmentView::plain(enrollment.clone(), grounds.program.code.clone());
    let event = audit::Event::on("enrollment", enrollment.id)
        .of_partner(enrollment.partner_id)
        .after(&show(enrollment))
        .because(grounds.reason);
    match before {
        Some(before) => event.before(&show(before)).record(tx)?,
        None => event.record(tx)?,
    }
    tell(tx, enrollment, cause, grounds)
}

/// Tells the partner's incentive admins what happened, where they did not do it themselves.
fn tell(tx: &mut Tx<'_>, enrollment: &Enrollment, cause: Cause, grounds: &Grounds<'_>) -> Result<()> {
    let (partner, program) = (grounds.partner.legal_name.clone(), grounds.program.name.clone());
    let message = match (enrollment.state, cause) {
        (State::Invited, _) => Message::EnrollmentInvited {
            partner,
            program,
            until: enrollment.invitation_expires_on.unwrap_or_else(|| tx.today()),
            enrollment: enrollment.id,
        },
        (State::ActionRequired, _) => {
            Message::EnrollmentActionRequired { partner, program, partner_id: grounds.partner.id }
        }
        (State::Ineligible, _) => Message::EligibilityLost {
            partner,
            program,
            missing: grounds
                .assessment
                .checks
                .iter()
                .filter(|check| check.status == CheckStatus::Unmet)
                .map(|check| check.message.clone())
                .collect(),
            evaluation: enrollment.evaluation_id,
        },
        (_, Cause::Requested | Cause::Accepted) => return Ok(()),
        (state, _) => Message::EnrollmentStateChanged {
            partner,
            program,
            state: state.to_string(),
            enrollment: enrollment.id,
        },
    };
    users::notify_admins(tx, grounds.partner, About::new("enrollment", enrollment.id), &message)
}

/// Why an event cannot happen: from where, whereto, and what can.
pub(super) fn refusal(from: Option<State>, event: Event) -> Error {
    let to = match event {
        Event::Invitation => "invited",
        Event::Acceptance(standing) => {
            State::after(None, Event::Acceptance(standing)).map_or("", State::as_str)
        }
        Event::InvitationOver | Event::YearOver => "expired",
        Event::RulesLost => "ineligible",
        Event::Profiles(_) | Event::Cured(_) => "enrolled",
        Event::OptOut => "opted_out",
        Event::Discontinuation => "discontinued",
    };
    let allowed = from.map_or(&["request"][..], State::allowed);
    let name = from.map_or("none", State::as_str);
    let can = if allowed.is_empty() { "nothing more".to_owned() } else { allowed.join(", ") };
    Error::new(
        &TRANSITION_NOT_ALLOWED,
        format!("an enrollment that is {name} cannot become {to}; it allows: {can}"),
    )
    .with("from", name)
    .with("to", to)
    .with("allowed", allowed)
}
