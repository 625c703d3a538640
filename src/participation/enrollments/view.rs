//! An enrollment as it is shown: programme staff and incentive admins see every state, viewers a simpler one.

use super::{Cause, Enrollment, State, StateChange};
use crate::{
    access::{Role, Tx},
    network::{
        partners::Transition,
        profiles::{self, Standing, Standings},
    },
    platform::{
        Result,
        http::page_of,
        values::{CalendarDate, Id, Locale, Text, Timestamp, text_enum},
    },
    text,
};
use serde::Serialize;
use utoipa::ToSchema;

/// An enrollment with its program's code.
#[derive(Clone, Debug)]
pub struct ProgramEnrollment {
    /// The enrollment.
    pub enrollment: Enrollment,
    /// The code of its program.
    pub program: String,
}

text_enum! {
    /// Where an enrollment stands. A viewer sees `enrolling` for `action_required` and `validating`.
    pub enum EnrollmentState {
        /// May accept until the invitation runs out.
        Invited = "invited",
        /// Accepted; the rest is being settled. Shown to viewers.
        Enrolling = "enrolling",
        /// Accepted; a payout or tax profile is missing or refused.
        ActionRequired = "action_required",
        /// Accepted; the profiles wait for approval.
        Validating = "validating",
        /// Takes part and earns.
        Enrolled = "enrolled",
        /// A rule was lost; earns nothing until it is cured.
        Ineligible = "ineligible",
        /// The invitation or the program year is over.
        Expired = "expired",
        /// The partner stays out for the rest of the year.
        OptedOut = "opted_out",
        /// Ended by an operator, for good.
        Discontinued = "discontinued",
    }
}

/// A state as a role sees it.
fn shown(state: State, is_viewer: bool) -> EnrollmentState {
    match state {
        State::ActionRequired | State::Validating if is_viewer => EnrollmentState::Enrolling,
        State::Invited => EnrollmentState::Invited,
        State::ActionRequired => EnrollmentState::ActionRequired,
        State::Validating => EnrollmentState::Validating,
        State::Enrolled => EnrollmentState::Enrolled,
        State::Ineligible => EnrollmentState::Ineligible,
        State::Expired => EnrollmentState::Expired,
        State::OptedOut => EnrollmentState::OptedOut,
        State::Discontinued => EnrollmentState::Discontinued,
    }
}

/// The states behind one that a role sees; for filters, so that a viewer cannot ask what is not shown.
pub(super) fn states_behind(state: EnrollmentState, is_viewer: bool) -> Vec<State> {
    State::ALL.iter().copied().filter(|inner| shown(*inner, is_viewer) == state).collect()
}

/// A partner's part in a program for a program year.
#[derive(Serialize, ToSchema)]
#[schema(as = Enrollment)]
pub struct EnrollmentView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    pub(super) id: Id,
    /// Who takes part.
    partner_id: Id,
    /// In which program.
    program_id: Id,
    /// The program's code.
    #[schema(max_length = 64, examples("csp-direct-bill"))]
    program: String,
    /// By which of its versions.
    #[schema(minimum = 1)]
    version: i32,
    /// For which program year, named by the year it ends in.
    #[schema(minimum = 1901, maximum = 9999, examples(2027))]
    program_year: i32,
    /// Where it stands.
    state: EnrollmentState,
    /// When the invitation was made.
    invited_on: Option<CalendarDate>,
    /// The last day on which it can be accepted.
    invitation_expires_on: Option<CalendarDate>,
    /// The user who asked for it or accepted it.
    accepted_by: Option<Id>,
    /// The first day whose sales earn.
    earnings_start_on: Option<CalendarDate>,
    /// The first day on which a rule was lost, while it is.
    ineligible_since: Option<CalendarDate>,
    /// The day it ended.
    ended_on: Option<CalendarDate>,
    /// The actions that the partner must take next.
    #[schema(max_items = 5)]
    next_actions: Vec<NextAction>,
    /// The newest evaluation.
    evaluation_id: Id,
    /// The sub-resources that can be posted to now.
    #[schema(max_items = 5, examples(json!(["opt-out", "discontinuation"])))]
    allowed_transitions: Vec<Transition>,
    /// When the record was made.
    created_at: Timestamp,
    /// When it was last changed.
    updated_at: Timestamp,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 1)]
    revision: i64,
}

/// Something the partner must do next.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "action": "submit_payout_profile", "href": "/v1/partners/01936f2e-4b00-7000-8000-000000000001/payout-profile",
    "deadline": null, "detail": "Submit the payout profile, or mend it where it was refused or lacks what banks ask for."
}))]
pub struct NextAction {
    /// The action, as a stable word.
    #[schema(max_length = 40, examples("submit_payout_profile"))]
    action: &'static str,
    /// Where.
    #[schema(max_length = 200, format = "uri-reference")]
    href: String,
    /// Until when; null where there is no end.
    deadline: Option<CalendarDate>,
    /// The action in words for people.
    #[schema(
        max_length = 300,
        examples("Submit the payout profile, or mend it where it was refused or lacks what banks ask for.")
    )]
    detail: String,
}

page_of!(
    /// One page of enrollments.
    pub EnrollmentPage of EnrollmentView
);

impl EnrollmentView {
    /// The record alone, without what is to be done next: for audit events.
    #[must_use]
    pub fn plain(enrollment: Enrollment, program: String) -> Self {
        Self {
            next_actions: Vec::new(),
            id: enrollment.id,
            partner_id: enrollment.partner_id,
            program_id: enrollment.program_id,
            program,
            version: enrollment.version,
            program_year: enrollment.program_year,
            state: shown(enrollment.state, false),
            invited_on: enrollment.invited_on,
            invitation_expires_on: enrollment.invitation_expires_on,
            accepted_by: enrollment.accepted_by,
            earnings_start_on: enrollment.earnings_start_on,
            ineligible_since: enrollment.ineligible_since,
            ended_on: enrollment.ended_on,
            evaluation_id: enrollment.evaluation_id,
            allowed_transitions: enrollment.state.allowed().iter().copied().map(Transition).collect(),
            created_at: enrollment.created_at,
            updated_at: enrollment.updated_at,
            revision: enrollment.revision,
        }
    }

    /// As a role sees it. A viewer is shown no actions.
    fn seen_by(
        role: Option<Role>,
        ProgramEnrollment { enrollment, program }: ProgramEnrollment,
        standings: Standings,
        language: Locale,
    ) -> Self {
        let state = enrollment.state;
        let next_actions = next_actions(&enrollment, standings, language);
        let plain = Self::plain(enrollment, program);
        if role == Some(Role::Viewer) {
            return Self { state: shown(state, true), allowed_transitions: Vec::new(), ..plain };
        }
        Self { next_actions, ..plain }
    }
}

/// Enrollments as the unit's actor sees them, with what is to be done next. Two statements for any number.
pub fn show(tx: &mut Tx<'_>, found: Vec<ProgramEnrollment>) -> Result<Vec<EnrollmentView>> {
    let waiting = |shown: &&ProgramEnrollment| shown.enrollment.state == State::ActionRequired;
    let partners: Vec<Id> = found.iter().filter(waiting).map(|shown| shown.enrollment.partner_id).collect();
    let standings = match partners.as_slice() {
        [] => std::collections::BTreeMap::new(),
        partners => profiles::standings_of_each(tx, partners, tx.today())?,
    };
    let (role, language) = (tx.actor.role, tx.language);
    let view = |shown: ProgramEnrollment| {
        let standing = standings.get(&shown.enrollment.partner_id).copied().unwrap_or(Standings::NONE);
        EnrollmentView::seen_by(role, shown, standing, language)
    };
    Ok(found.into_iter().map(view).collect())
}

fn next_actions(
    enrollment: &Enrollment,
    Standings { payout, tax }: Standings,
    language: Locale,
) -> Vec<NextAction> {
    let profile = |name: &str, action, detail: Text| NextAction {
        action,
        href: format!("/v1/partners/{}/{name}", enrollment.partner_id),
        deadline: None,
        detail: detail.into_language(language),
    };
    let needed = |standing| matches!(standing, Standing::Missing | Standing::ActionRequired);
    match enrollment.state {
        State::Invited => vec![NextAction {
            action: "accept",
            href: format!("/v1/enrollments/{}/acceptance", enrollment.id),
            deadline: enrollment.invitation_expires_on,
            detail: text!(
                "Accept the invitation, or decline it by opting out.",
                "ご案内を承諾するか、辞退してください。"
            )
            .into_language(language),
        }],
        State::ActionRequired => {
            let payout = needed(payout).then(|| {
                let detail = text!(
                    "Submit the payout profile, or mend it where it was refused or lacks what banks ask for.",
                    "支払先情報を登録するか、却下された場合または銀行振込に必要な項目が不足している場合は修正してください。"
                );
                profile("payout-profile", "submit_payout_profile", detail)
            });
            let tax = needed(tax).then(|| {
                let detail = text!(
                    "Submit the tax profile, or mend it where it was refused or has expired.",
                    "税務情報を登録するか、却下または期限切れの場合は修正してください。"
                );
                profile("tax-profile", "submit_tax_profile", detail)
            });
            payout.into_iter().chain(tax).collect()
        }
        State::Ineligible => vec![NextAction {
            action: "cure_eligibility",
            href: format!("/v1/eligibility/evaluations/{}", enrollment.evaluation_id),
            deadline: None,
            detail: text!(
                "Mend the rules that are unmet; the evaluation names each with its remedy.",
                "満たされていない参加要件を是正してください。要件ごとの対応方法は判定の記録に示されます。"
            )
            .into_language(language),
        }],
        _ => Vec::new(),
    }
}

/// One change of an enrollment's state.
#[derive(Serialize, ToSchema)]
pub struct EnrollmentChange {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The state before; null where the enrollment was made.
    from: Option<EnrollmentState>,
    /// The state after.
    to: EnrollmentState,
    /// Why.
    cause: Cause,
    /// Who; null where the service acted by itself.
    actor_id: Option<Id>,
    /// The day the rules were looked at for.
    as_of: CalendarDate,
    /// The evaluation of the rules on that day.
    evaluation_id: Id,
    /// Why, in the actor's words.
    #[schema(max_length = 1000, examples("Asked for by telephone"))]
    reason: Option<String>,
    /// When.
    occurred_at: Timestamp,
}

page_of!(
    /// One page of an enrollment's history.
    pub EnrollmentChangePage of EnrollmentChange
);

impl EnrollmentChange {
    /// As a role sees it.
    #[must_use]
    pub fn seen_by(role: Option<Role>, change: StateChange) -> Self {
        let is_viewer = role == Some(Role::Viewer);
        Self {
            id: change.id,
            from: change.from_state.map(|state| shown(state, is_viewer)),
            to: shown(change.to_state, is_viewer),
            cause: change.cause,
            actor_id: change.actor_id,
            as_of: change.as_of,
            evaluation_id: change.evaluation_id,
            reason: change.reason,
            occurred_at: change.occurred_at,
        }
    }
}
