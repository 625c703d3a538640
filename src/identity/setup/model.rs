//! What a set-up is, and its state table; no I/O, no clock, no HTTP.

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
        /// An incentive admin has said that it is complete; the partner's data is visible.
        Completed = "completed",
    }
}

/// What happens to a set-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The list is sent.
    Notification,
    /// An incentive admin completes it.
    Completion,
}

impl Event {
    /// Every event, by the name of its sub-resource.
    pub const ALL: [(Self, &'static str); 2] =
        [(Self::Notification, "notification"), (Self::Completion, "completion")];
}

impl SetupState {
    /// The state after an event; `None` where the event cannot happen. There is no way back.
    #[must_use]
    pub const fn after(self, event: Event) -> Option<Self> {
        match (self, event) {
            (Self::NotStarted | Self::ListSent, Event::Notification) => Some(Self::ListSent),
            (Self::ListSent, Event::Completion) => Some(Self::Completed),
            _ => None,
        }
    }

    /// The sub-resources whose creation is possible now.
    #[must_use]
    pub fn allowed(self) -> Vec<&'static str> {
        Event::ALL.iter().filter(|(event, _)| self.after(*event).is_some()).map(|(_, name)| *name).collect()
    }
}

/// A set-up that has begun; a partner without one has not started.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = partner_setups, primary_key(partner_id))]
#[diesel(treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Setup {
    /// Whose.
    pub partner_id: Id,
    /// Where it stands.
    pub state: SetupState,
    /// When the list was sent last.
    pub list_sent_at: Timestamp,
    /// By whom; none where the service did it.
    pub list_sent_by: Option<Id>,
    /// When it was completed.
    pub completed_at: Option<Timestamp>,
    /// By which incentive admin.
    pub completed_by: Option<Id>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts changes.
    pub revision: i64,
}

text_enum! {
    /// What stands between a partner and its data.
    pub enum Missing {
        /// Nobody of the partner could complete it.
        IncentiveAdmin = "incentive_admin_missing",
        /// No incentive admin has changed the temporary password yet.
        OwnPassword = "temporary_password_not_changed",
        /// The list of the partner's people has not been sent.
        UserList = "user_list_not_sent",
        /// An incentive admin has not said yet that the list is complete.
        Completion = "completion_not_confirmed",
    }
}

impl Missing {
    /// What is missing, in the order in which it is best mended. `admins` tells of each incentive admin whether the
    /// password is still a temporary one; `open` says that the data is visible already.
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

    /// What it is and how to mend it, and the address where that is done.
    #[must_use]
    pub fn in_words(self, partner: Id) -> (&'static str, String) {
        match self {
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    /// Every state and every event: what is not printed cannot happen.
    #[test]
    fn the_state_table() {
        let mut table = String::new();
        for from in SetupState::ALL {
            for (event, name) in Event::ALL {
                if let Some(to) = from.after(event) {
                    writeln!(table, "{from} {name} -> {to}").unwrap();
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
