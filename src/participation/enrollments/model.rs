//! The enrollment, its history and its state table; no I/O, no clock, no HTTP.

use crate::{
    network::profiles::Standing,
    platform::values::{CalendarDate, Currency, Id, Timestamp, text_enum},
    schema::{enrollment_changes, enrollments},
};
use diesel::prelude::*;

text_enum! {
    /// Where an enrollment stands.
    pub enum State {
        /// May accept until the invitation runs out.
        Invited = "invited",
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

text_enum! {
    /// Why a state changed.
    pub enum Cause {
        /// The partner turned eligible.
        Eligible = "eligible",
        /// The partner's admin asked for the enrollment.
        Requested = "requested",
        /// The partner's admin accepted the invitation.
        Accepted = "accepted",
        /// The invitation ran out.
        InvitationExpired = "invitation_expired",
        /// A rule is no longer met.
        RulesLost = "rules_lost",
        /// The rules are met again.
        Cured = "cured",
        /// A payout or tax profile was submitted, approved, refused or ran out.
        ProfilesChanged = "profiles_changed",
        /// The program year ended.
        YearEnded = "year_ended",
        /// Taken over into the new program year.
        RolledOver = "rolled_over",
        /// The partner's admin declined or left.
        OptedOut = "opted_out",
        /// An operator ended it.
        Discontinued = "discontinued",
    }
}

/// How rules that were lost are met again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cure {
    /// As it turns out they were met all along: the start of earning stays, and the profiles say where it goes on.
    WithoutGap(Standing),
    /// There were days without: the partner accepts anew.
    WithGap,
}

/// An event in the life of an enrollment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrollmentEvent {
    /// The partner turned eligible.
    Invitation,
    /// The partner's admin asks for it or accepts the invitation; the profiles decide how far that leads.
    Acceptance(Standing),
    /// The invitation is over.
    InvitationOver,
    /// A rule is lost, or was lost on another day than it seemed.
    RulesLost,
    /// The profiles stand differently now.
    Profiles(Standing),
    /// The rules are met again.
    Cured(Cure),
    /// The partner goes on from the program year before, without any action of its own.
    RollOver(Standing),
    /// The program year is over.
    YearOver,
    /// The partner stays out.
    OptOut,
    /// An operator ends it.
    Discontinuation,
}

impl State {
    /// The states of which a partner has at most one per program and year.
    pub const OPEN: [Self; 5] =
        [Self::Invited, Self::ActionRequired, Self::Validating, Self::Enrolled, Self::Ineligible];

    /// Whether something can still happen to it.
    #[must_use]
    pub fn is_open(self) -> bool {
        Self::OPEN.contains(&self)
    }

    /// Whether facts that are learned late can still move the enrollment: what the service ended, the service may have to
    /// take back; what people have ended stays.
    #[must_use]
    pub fn follows_facts(self) -> bool {
        self.is_open() || self == Self::Expired
    }

    /// The whole state table: where an event leads; `None` where it cannot happen.
    #[must_use]
    #[expect(clippy::match_same_arms, reason = "a line per line of the table, in its order")]
    pub fn after(from: Option<Self>, event: EnrollmentEvent) -> Option<Self> {
        use State::{
            ActionRequired, Discontinued, Enrolled, Expired, Ineligible, Invited, OptedOut, Validating,
        };
        match (from, event) {
            (None, EnrollmentEvent::Invitation) => Some(Invited),
            (None | Some(Invited), EnrollmentEvent::Acceptance(standing)) => Some(Self::by(standing)),
            (Some(Invited), EnrollmentEvent::InvitationOver) => Some(Expired),
            (Some(from), EnrollmentEvent::RulesLost) if from.follows_facts() => Some(Ineligible),
            (Some(ActionRequired), EnrollmentEvent::Profiles(Standing::Pending)) => Some(Validating),
            (Some(Validating | Enrolled), EnrollmentEvent::Profiles(standing)) => Some(Self::by(standing)),
            (Some(from), EnrollmentEvent::Cured(Cure::WithoutGap(standing))) if from.follows_facts() => {
                Some(Self::by(standing))
            }
            (Some(Ineligible), EnrollmentEvent::Cured(Cure::WithGap)) => Some(Invited),
            (None, EnrollmentEvent::RollOver(standing)) => Some(Self::by(standing)),
            (Some(from), EnrollmentEvent::RollOver(standing)) if from.follows_facts() => {
                Some(Self::by(standing))
            }
            (Some(open), EnrollmentEvent::YearOver) if open.is_open() => Some(Expired),
            (Some(open), EnrollmentEvent::OptOut) if open.is_open() => Some(OptedOut),
            (Some(open), EnrollmentEvent::Discontinuation) if open.is_open() => Some(Discontinued),
            _ => None,
        }
    }

    /// Where the profiles put an accepted enrollment.
    #[must_use]
    pub const fn by(standing: Standing) -> Self {
        match standing {
            Standing::Missing | Standing::ActionRequired => Self::ActionRequired,
            Standing::Pending => Self::Validating,
            Standing::CoolingOff | Standing::Approved => Self::Enrolled,
        }
    }

    /// The sub-resources that can be posted to in this state.
    #[must_use]
    pub fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Invited => &["acceptance", "opt-out", "discontinuation"],
            open if open.is_open() => &["opt-out", "discontinuation"],
            _ => &[],
        }
    }
}

/// A partner's part in a program for a program year.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = enrollments, treat_none_as_null = true)]
pub struct Enrollment {
    /// Identifier, a UUID of version 7 (RFC 9562).
    pub id: Id,
    /// Who takes part.
    pub partner_id: Id,
    /// In which program.
    pub program_id: Id,
    /// By which of its versions.
    pub version: i32,
    /// For which program year.
    pub program_year: i32,
    /// Where it stands.
    pub state: State,
    /// When the invitation was made.
    pub invited_on: Option<CalendarDate>,
    /// The last day on which it can be accepted.
    pub invitation_expires_on: Option<CalendarDate>,
    /// The user who asked for it or accepted it.
    pub accepted_by: Option<Id>,
    /// The first day whose sales earn.
    pub earnings_start_on: Option<CalendarDate>,
    /// The first day on which a rule was lost, while it is.
    pub ineligible_since: Option<CalendarDate>,
    /// The day on which the partner was let in, by a request, an acceptance or a roll-over; none of an invitation.
    pub let_in_on: Option<CalendarDate>,
    /// The day it ended.
    pub ended_on: Option<CalendarDate>,
    /// The newest evaluation.
    pub evaluation_id: Id,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts changes; the entity tag.
    pub revision: i64,
}

/// Names an enrollment: the partner first, as every key of what belongs to a partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnrollmentKey {
    /// Who takes part.
    pub partner_id: Id,
    /// The enrollment.
    pub id: Id,
}

/// Names several enrollments of one partner.
#[derive(Clone, Copy, Debug)]
pub struct EnrollmentKeys<'a> {
    /// Who takes part.
    pub partner_id: Id,
    /// The enrollments.
    pub ids: &'a [Id],
}

impl Enrollment {
    /// Names this enrollment.
    #[must_use]
    pub fn key(&self) -> EnrollmentKey {
        EnrollmentKey { partner_id: self.partner_id, id: self.id }
    }
}

/// How a partner took part in a program in a year, as far as eligibility looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = enrollments)]
pub struct Participation {
    /// The partner.
    pub partner_id: Id,
    /// The program.
    pub program_id: Id,
    /// The enrollment.
    pub id: Id,
    /// The program year, named by the calendar year it ends in.
    pub program_year: i32,
    /// Where the enrollment stands.
    pub state: State,
    /// The day the enrollment ended.
    pub ended_on: Option<CalendarDate>,
}

/// An enrollment, with the currencies its version and its partner count in.
#[derive(Clone, Debug)]
pub struct WithCurrencies {
    /// The enrollment.
    pub enrollment: Enrollment,
    /// The currency of the version.
    pub of_version: Currency,
    /// The currency of the partner.
    pub of_partner: Currency,
}

/// An enrollment with its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrollmentHistory {
    /// The enrollment.
    pub enrollment: Enrollment,
    /// The changes of its state, in order.
    pub changes: Vec<StateChange>,
}

/// One change of an enrollment's state.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = enrollment_changes)]
pub struct StateChange {
    /// Identifier, a UUID of version 7 (RFC 9562).
    pub id: Id,
    /// Of which partner.
    pub partner_id: Id,
    /// Of which enrollment.
    pub enrollment_id: Id,
    /// The state before; none where it was made.
    pub from_state: Option<State>,
    /// The state after.
    pub to_state: State,
    /// Why.
    pub cause: Cause,
    /// Who; none where the service acted by itself.
    pub actor_id: Option<Id>,
    /// The day the rules were looked at for.
    pub as_of: CalendarDate,
    /// The evaluation of the rules on that day.
    pub evaluation_id: Id,
    /// Why, in the actor's words.
    pub reason: Option<String>,
    /// When.
    pub occurred_at: Timestamp,
    /// The first day whose sales earn, as of then.
    pub earnings_start_on: Option<CalendarDate>,
    /// The first day on which a rule was lost, as of then.
    pub ineligible_since: Option<CalendarDate>,
    /// The time that this line is about, by the day on which the partner was let in; none of an invitation.
    pub let_in_on: Option<CalendarDate>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    const STANDINGS: [Standing; 5] = [
        Standing::Missing,
        Standing::Pending,
        Standing::ActionRequired,
        Standing::CoolingOff,
        Standing::Approved,
    ];

    /// Every state and every event: what is not printed cannot happen.
    #[test]
    fn the_state_table() {
        let mut events =
            vec![EnrollmentEvent::Invitation, EnrollmentEvent::InvitationOver, EnrollmentEvent::RulesLost];
        events.extend(STANDINGS.map(EnrollmentEvent::Acceptance));
        events.extend(STANDINGS.map(EnrollmentEvent::Profiles));
        events.extend(STANDINGS.map(|standing| EnrollmentEvent::Cured(Cure::WithoutGap(standing))));
        events.push(EnrollmentEvent::Cured(Cure::WithGap));
        events.extend(STANDINGS.map(EnrollmentEvent::RollOver));
        events.extend([EnrollmentEvent::YearOver, EnrollmentEvent::OptOut, EnrollmentEvent::Discontinuation]);
        let states = std::iter::once(None).chain(State::ALL.iter().copied().map(Some));
        let mut table = String::new();
        for from in states {
            let name = from.map_or("none", State::as_str);
            for event in &events {
                if let Some(to) = State::after(from, *event) {
                    writeln!(table, "{name:15} {event:?} -> {to}").unwrap();
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn nothing_happens_to_what_is_over() {
        for state in State::ALL.iter().filter(|state| !state.is_open()) {
            assert!(state.allowed().is_empty());
            assert_eq!(State::after(Some(*state), EnrollmentEvent::OptOut), None);
            assert_eq!(State::after(Some(*state), EnrollmentEvent::Discontinuation), None);
        }
    }
}
