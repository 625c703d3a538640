//! What a unit has changed beside its own records, and units that need no audit event.

use crate::platform::values::{Id, Month};

/// The facts a unit has changed that records of other slices depend on.
#[derive(Debug, Default)]
pub struct Changes {
    /// The partners with a changed fact.
    pub partners: Vec<Id>,
    /// The partners whose money goes to another bank account.
    pub accounts: Vec<Id>,
    /// The partners whose number of active users has changed, which few programs ask for.
    pub users: Vec<Id>,
    /// The programs whose status or partner types have changed.
    pub programs: Vec<Id>,
    /// The programs with a newly published version.
    pub published: Vec<Id>,
    /// The months with newly published exchange rates.
    pub rates: Vec<Month>,
    /// The disputes whose settlement another person has turned down.
    pub unsettled: Vec<Id>,
    /// The disputes whose settlement another person has approved.
    pub settled: Vec<Id>,
    /// The adjustments that another person has turned down and that settle no dispute.
    pub rejected_adjustments: Vec<Id>,
    /// The users with another user name.
    pub renamed: Vec<Id>,
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        let Self {
            partners,
            accounts,
            users,
            programs,
            published,
            rates,
            unsettled,
            settled,
            rejected_adjustments,
            renamed,
        } = self;
        partners.is_empty()
            && accounts.is_empty()
            && users.is_empty()
            && programs.is_empty()
            && published.is_empty()
            && rates.is_empty()
            && unsettled.is_empty()
            && settled.is_empty()
            && rejected_adjustments.is_empty()
            && renamed.is_empty()
    }
}

/// Why a writing unit needs no audit event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unaudited {
    /// The records are as asked for already, or the request is refused: the unit writes nothing.
    NothingWritten,
    /// The unit writes rows of an import that are not published: publishing has an event, a failed import is removed.
    NotPublished,
    /// The sales that become visible have their event from an earlier unit.
    TracedBefore,
}

impl Unaudited {
    /// Whether a unit that has noted these changes may end without an event for this reason.
    pub(super) fn covers(self, changes: &Changes) -> bool {
        match self {
            Self::NothingWritten | Self::NotPublished => changes.is_empty(),
            Self::TracedBefore => true,
        }
    }
}
