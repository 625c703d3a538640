//! How a state change is written: the record, its history row, its audit event and its notice, in one unit.

use super::settling::Due;
use crate::{
    access::Tx,
    audit,
    identity::users,
    network::partners::{Partner, TRANSITION_NOT_ALLOWED},
    notifications::{About, Message},
    participation::{
        eligibility::{self, Assessment, CheckStatus},
        enrollments::{self, Cause, Enrollment, EnrollmentEvent, EnrollmentView, State, StateChange},
        programs::{Program, ProgramVersion},
    },
    platform::{Error, Result, values::Id},
    sales::transactions::backlog::{self, CalculationCause},
    text,
};
use std::cell::Cell;

/// The grounds of a change.
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

/// Lets an event happen to an enrollment, or to none, and writes everything that goes with it.
pub(super) fn apply(
    tx: &mut Tx<'_>,
    before: Option<Enrollment>,
    due: Due,
    grounds: &Grounds<'_>,
) -> Result<Enrollment> {
    let from = before.as_ref().map(|enrollment| enrollment.state);
    let to = State::after(from, due.event).ok_or_else(|| refusal(from, due.event))?;
    let evaluation_id = grounds.evaluation(tx)?;
    let mut enrollment = match &before {
        Some(enrollment) => {
            Enrollment { updated_at: tx.now, revision: enrollment.revision + 1, ..enrollment.clone() }
        }
        None => fresh(tx, grounds, evaluation_id),
    };
    if due.is_acceptance() {
        enrollment.accepted_by = tx.actor.id();
    }
    due.carry_into(&mut enrollment, to, tx.today(), grounds.version.invitation_days);
    enrollment.evaluation_id = evaluation_id;
    if enrollment.program_year == grounds.version.program_year {
        enrollment.version = grounds.version.version;
    }
    match &before {
        Some(_) => enrollments::update(tx, &enrollment)?,
        None => enrollments::insert(tx, &enrollment)?,
    }
    trace(tx, before.as_ref(), &enrollment, due, grounds)?;
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
        let_in_on: None,
        ended_on: None,
        evaluation_id,
        created_at: tx.now,
        updated_at: tx.now,
        revision: 1,
    }
}

fn trace(
    tx: &mut Tx<'_>,
    before: Option<&Enrollment>,
    enrollment: &Enrollment,
    due: Due,
    grounds: &Grounds<'_>,
) -> Result<()> {
    let change = StateChange {
        id: tx.new_id(),
        partner_id: enrollment.partner_id,
        enrollment_id: enrollment.id,
        from_state: before.map(|enrollment| enrollment.state),
        to_state: enrollment.state,
        cause: due.cause,
        actor_id: tx.actor.id(),
        as_of: grounds.assessment.as_of,
        evaluation_id: enrollment.evaluation_id,
        reason: grounds.reason.map(str::to_owned),
        occurred_at: tx.now,
        earnings_start_on: enrollment.earnings_start_on,
        ineligible_since: enrollment.ineligible_since,
        let_in_on: enrollment.let_in_on,
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
    if due.quietly { Ok(()) } else { tell(tx, enrollment, due.cause, grounds) }
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
        (State::ActionRequired, cause) if cause != Cause::RolledOver => {
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
            program_year: enrollment.program_year,
            state: state.to_string(),
            enrollment: enrollment.id,
        },
    };
    users::notify_admins(tx, grounds.partner, About::new("enrollment", enrollment.id), &message)
}

/// Why an event cannot happen: from where, whereto, and what can.
pub(super) fn refusal(from: Option<State>, event: EnrollmentEvent) -> Error {
    let to = match event {
        EnrollmentEvent::Invitation => "invited",
        EnrollmentEvent::Acceptance(standing) => {
            State::after(None, EnrollmentEvent::Acceptance(standing)).map_or("", State::as_str)
        }
        EnrollmentEvent::InvitationOver | EnrollmentEvent::YearOver => "expired",
        EnrollmentEvent::RulesLost => "ineligible",
        EnrollmentEvent::Profiles(_) | EnrollmentEvent::Cured(_) | EnrollmentEvent::RollOver(_) => "enrolled",
        EnrollmentEvent::OptOut => "opted_out",
        EnrollmentEvent::Discontinuation => "discontinued",
    };
    let allowed = from.map_or(&["request"][..], State::allowed);
    let name = from.map_or("none", State::as_str);
    let can = allowed.join(", ");
    let detail = if allowed.is_empty() {
        text!(
            "an enrollment that is {name} cannot become {to}; it allows: nothing more",
            "状態が {name} の参加を {to} に変更することはできません。実行できる操作はありません。"
        )
    } else {
        text!(
            "an enrollment that is {name} cannot become {to}; it allows: {can}",
            "状態が {name} の参加を {to} に変更することはできません。実行できる操作は次のとおりです：{can}"
        )
    };
    Error::new(&TRANSITION_NOT_ALLOWED, detail).with("from", name).with("to", to).with("allowed", allowed)
}
