//! The set-up and its state table; no I/O, no clock, no HTTP.

use crate::{
    platform::values::{Id, Timestamp, text_enum},
    schema::partner_setups,
};
use diesel::prelude::*;

text_enum! {
    /// Where a partner's set-up stands.
    pub enum SetupState {
        /// Nobody has been sent the list of the partner's people.
        NotStarted = "not_started",
        /// The incentive admins have the list.
        ListSent = "list_sent",
        /// An incentive admin has confirmed the list; the partner's data is visible.
        Completed = "completed",
    }
}

/// A transition of a set-up; each is the creation of a sub-resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetupTransition {
    /// The list of users is sent.
    Notification,
    /// An incentive admin completes the set-up.
    Completion,
}

impl SetupTransition {
    /// Every transition.
    pub const ALL: [Self; 2] = [Self::Notification, Self::Completion];

    /// The name of the sub-resource.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notification => "notification",
            Self::Completion => "completion",
        }
    }
}

impl SetupState {
    /// The state after a transition; `None` where the transition is not possible. A completed set-up stays completed.
    #[must_use]
    pub const fn after(self, transition: SetupTransition) -> Option<Self> {
        match (self, transition) {
            (Self::NotStarted | Self::ListSent, SetupTransition::Notification) => Some(Self::ListSent),
            (Self::ListSent, SetupTransition::Completion) => Some(Self::Completed),
            _ => None,
        }
    }

    /// The sub-resources of the transitions that are possible now.
    #[must_use]
    pub fn allowed(self) -> Vec<&'static str> {
        let possible = SetupTransition::ALL.into_iter().filter(|next| self.after(*next).is_some());
        possible.map(SetupTransition::name).collect()
    }
}

/// A set-up that has begun; a partner without a set-up has not started.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = partner_setups, primary_key(partner_id))]
#[diesel(treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Setup {
    /// The partner of the set-up.
    pub partner_id: Id,
    /// The state of the set-up.
    pub state: SetupState,
    /// When the list of users was last sent.
    pub list_sent_at: Timestamp,
    /// The user who last sent the list; none where the service sent the list.
    pub list_sent_by: Option<Id>,
    /// When the set-up was completed.
    pub completed_at: Option<Timestamp>,
    /// The incentive admin who completed the set-up.
    pub completed_by: Option<Id>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of the record.
    pub revision: i64,
}

text_enum! {
    /// What stands between a partner and its data.
    pub enum Missing {
        /// The partner has no incentive admin, who could complete the set-up.
        IncentiveAdmin = "incentive_admin_missing",
        /// No incentive admin has changed the temporary password yet.
        OwnPassword = "temporary_password_not_changed",
        /// The list of the partner's people has not been sent.
        UserList = "user_list_not_sent",
        /// No incentive admin has confirmed the list yet.
        Completion = "completion_not_confirmed",
    }
}

/// The way to mend a missing step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// What is missing and what to do, in words for people.
    pub message: &'static str,
    /// The address of the operation that mends the step.
    pub link: String,
}

impl Missing {
    /// The missing steps, in the order of mending. `admins` holds for each incentive admin whether the password is still a
    /// temporary one; `open` is true where the data is visible already.
    #[must_use]
    pub fn of(state: SetupState, open: bool, admins: &[bool]) -> Vec<Self> {
        if open {
            return Vec::new();
        }
        let found = [
            (Self::IncentiveAdmin, admins.is_empty()),
            (Self::OwnPassword, !admins.is_empty() && admins.iter().all(|temporary| *temporary)),
            (Self::UserList, state == SetupState::NotStarted),
            (Self::Completion, true),
        ];
        found.into_iter().filter(|(_, missing)| *missing).map(|(missing, _)| missing).collect()
    }

    /// How to mend the step.
    #[must_use]
    pub fn remedy(self, partner: Id) -> Remedy {
        let (message, link) = match self {
            Self::IncentiveAdmin => {
                ("The partner has no incentive admin; make one: POST /v1/users", "/v1/users".into())
            }
            Self::OwnPassword => (
                "No incentive admin has changed the temporary password yet: PUT /v1/me/password",
                "/v1/me/password".into(),
            ),
            Self::UserList => (
                "The incentive admins have not been sent the list of users: POST it",
                format!("/v1/partners/{partner}/setup/notification"),
            ),
            Self::Completion => (
                "An incentive admin looks through the list of users and confirms that it is complete: POST it",
                format!("/v1/partners/{partner}/setup/completion"),
            ),
        };
        Remedy { message, link }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    /// Every state with every transition; a transition that is not printed is not possible.
    #[test]
    fn the_state_table() {
        let mut table = String::new();
        for from in SetupState::ALL {
            for transition in SetupTransition::ALL {
                if let Some(to) = from.after(transition) {
                    writeln!(table, "{from} {} -> {to}", transition.name()).unwrap();
                }
            }
        }
        insta::assert_snapshot!(table, @r"
        not_started notification -> list_sent
        list_sent notification -> list_sent
        list_sent completion -> completed
        ");
    }

    #[test]
    fn what_is_missing_is_told_until_the_data_is_visible() {
        use Missing::{Completion, IncentiveAdmin, OwnPassword, UserList};
        use SetupState::{Completed, ListSent, NotStarted};
        assert_eq!(Missing::of(NotStarted, false, &[]), [IncentiveAdmin, UserList, Completion]);
        assert_eq!(Missing::of(NotStarted, false, &[true]), [OwnPassword, UserList, Completion]);
        assert_eq!(Missing::of(ListSent, false, &[true, false]), [Completion]);
        assert_eq!(Missing::of(NotStarted, true, &[]), []);
        assert_eq!(Missing::of(Completed, true, &[true]), []);
    }
}
