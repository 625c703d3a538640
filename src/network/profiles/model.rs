//! The profile, and the days it is good; no I/O, no clock, no HTTP.

use super::BankAccount;
use crate::platform::{
    FieldError,
    values::{CalendarDate, Id, Locale, Text, Timestamp, Words, text_enum},
};

text_enum! {
    /// The state of a profile.
    pub enum ProfileState {
        /// Filed by the partner; an operator has yet to decide.
        Pending = "pending",
        /// Approved; money can be paid.
        Approved = "approved",
        /// Rejected by an operator, expired, or without something that banks ask for: the partner has to file the profile
        /// again.
        ActionRequired = "action_required",
    }
}

/// A payout or a tax profile of a partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile<T: ProfileTerms> {
    /// UUID of version 7.
    pub id: Id,
    /// The partner that files the profile.
    pub partner_id: Id,
    /// The filed payout or tax data.
    pub terms: T,
    /// What is noted about the filed data.
    pub notes: T::Notes,
    /// The state by the acts of partner and operator; [`Profile::state_on`] knows about expiry too.
    pub state: ProfileState,
    /// The reason of a rejection.
    pub rejection_reason: Option<Text>,
    /// The user or API client who approved the profile as it is; none of a profile that is not approved, and of one that
    /// was approved before this was noted.
    pub approved_by: Option<Id>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of the record; the entity tag.
    pub revision: i64,
}

/// The data of one kind of profile.
pub trait ProfileTerms: Clone + PartialEq + Send + Sync + 'static {
    /// What the service and operators note about the data.
    type Notes: Copy + Default + PartialEq + Send + Sync;

    /// The kind of record in audit events.
    const RECORD: &'static str;
    /// The operation that files the data, as audit events name it.
    const FILING: &'static str;
    /// The kind of record in messages.
    const NAME: Words<'static>;

    /// The faults of data that is filed on the day `today`.
    fn faults(&self, today: CalendarDate) -> Vec<FieldError>;

    /// The last day the data holds; none of data that does not expire.
    fn expires_on(&self) -> Option<CalendarDate>;

    /// The notes of data that replaces the data of `before`; `cooling_off_until` is the last day on which money would wait
    /// after a change of the bank account.
    fn notes_after(&self, before: &Profile<Self>, cooling_off_until: Option<CalendarDate>) -> Self::Notes;

    /// Whether money goes elsewhere than by the data before.
    fn leads_elsewhere_than(&self, _before: &Self) -> bool {
        false
    }
}

/// The notes of a payout profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PayoutNotes {
    /// The last day on which money waits because the bank account was changed; none where no change is recent, and where
    /// an operator has ended the wait.
    pub cooling_off_until: Option<CalendarDate>,
    /// The revision of the profile that first led to the account of now; none where the account never changed.
    pub account_revision: Option<i64>,
}

/// The revisions of a payout profile by which payments tell which account they go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayoutRevisions {
    /// The revision of now.
    pub now: i64,
    /// The revision that first led to the account of now; none where the account never changed.
    pub account: Option<i64>,
}

impl PayoutRevisions {
    /// Whether the profile led to another account than now when it was at a revision.
    #[must_use]
    pub fn led_elsewhere(self, at: i64) -> bool {
        self.account.is_some_and(|first| at < first)
    }
}

impl PayoutNotes {
    /// Whether money waits on a day because the bank account was changed.
    #[must_use]
    pub fn cools_off_on(self, day: CalendarDate) -> bool {
        self.cooling_off_until.is_some_and(|until| day <= until)
    }
}

impl ProfileTerms for BankAccount {
    type Notes = PayoutNotes;
    const RECORD: &'static str = "payout_profile";
    const FILING: &'static str = "PutPayoutProfile";
    const NAME: Words<'static> = Words::new("payout profile", "支払先情報");

    fn faults(&self, _: CalendarDate) -> Vec<FieldError> {
        self.faults().into_iter().map(FieldError::from).collect()
    }

    fn expires_on(&self) -> Option<CalendarDate> {
        None
    }

    fn notes_after(&self, before: &Profile<Self>, cooling_off_until: Option<CalendarDate>) -> PayoutNotes {
        if self.is_elsewhere_than(&before.terms) {
            return PayoutNotes {
                cooling_off_until: cooling_off_until.max(before.notes.cooling_off_until),
                account_revision: Some(before.revision + 1),
            };
        }
        before.notes
    }

    fn leads_elsewhere_than(&self, before: &Self) -> bool {
        self.is_elsewhere_than(before)
    }
}

/// An operator's decision on a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision<'a> {
    /// The profile is good; with a comment for the audit trail.
    Approval(Option<&'a str>),
    /// The profile is not good; with the reason, which the partner reads.
    Rejection(&'a str),
    /// The bank could not pay to the account; with the reason, which the partner reads.
    BankRejection(&'a Text),
}

impl<'a> Decision<'a> {
    /// The operator's words, or those of the reason in English.
    #[must_use]
    pub fn words(self) -> Option<&'a str> {
        match self {
            Self::Approval(comment) => comment,
            Self::Rejection(reason) => Some(reason),
            Self::BankRejection(reason) => Some(reason.in_language(Locale::En)),
        }
    }
}

impl ProfileState {
    /// The state on a day of a profile that holds until `expires_on`: an expired profile has to be filed again.
    #[must_use]
    pub fn on(self, day: CalendarDate, expires_on: Option<CalendarDate>) -> Self {
        if expires_on.is_some_and(|last| last < day) { Self::ActionRequired } else { self }
    }

    /// The state after a decision; `None` where the state does not allow the decision.
    #[must_use]
    pub const fn after(self, decision: Decision<'_>) -> Option<Self> {
        match (self, decision) {
            (Self::Pending, Decision::Approval(_)) => Some(Self::Approved),
            (Self::Pending | Self::Approved, Decision::Rejection(_) | Decision::BankRejection(_)) => {
                Some(Self::ActionRequired)
            }
            _ => None,
        }
    }

    /// The sub-resources whose creation is possible now.
    #[must_use]
    pub fn allowed(self) -> Vec<&'static str> {
        [(Decision::Approval(None), "approval"), (Decision::Rejection(""), "rejection")]
            .into_iter()
            .filter(|(decision, _)| self.after(*decision).is_some())
            .map(|(_, name)| name)
            .collect()
    }
}

impl<T: ProfileTerms> Profile<T> {
    /// The state on a day: an expired profile has to be filed again.
    #[must_use]
    pub fn state_on(&self, day: CalendarDate) -> ProfileState {
        self.state.on(day, self.terms.expires_on())
    }
}

/// The standing of a profile, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// The partner has not filed the profile.
    Missing,
    /// The profile was rejected, or has expired.
    ActionRequired,
    /// The profile waits for an operator.
    Pending,
    /// The profile is good, and money waits because the bank account was changed.
    CoolingOff,
    /// The profile is good.
    Approved,
}

/// The standings of a partner's two profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standings {
    /// The standing of the payout profile.
    pub payout: Standing,
    /// The standing of the tax profile.
    pub tax: Standing,
}

impl Standings {
    /// The standings of a partner that has filed nothing.
    pub const NONE: Self = Self { payout: Standing::Missing, tax: Standing::Missing };

    /// The worse of the two standings.
    #[must_use]
    pub fn worse(self) -> Standing {
        self.payout.min(self.tax)
    }
}

impl Standing {
    /// Whether the profiles are approved, though money may wait.
    #[must_use]
    pub const fn is_approved(self) -> bool {
        matches!(self, Self::CoolingOff | Self::Approved)
    }

    /// The standing of an approved profile whose account has been changed lately; other standings stay.
    #[must_use]
    pub fn cooling_off(self) -> Self {
        self.min(Self::CoolingOff)
    }

    /// The standing of a profile in a state, or of a profile that was not filed.
    #[must_use]
    pub fn of(state: Option<ProfileState>) -> Self {
        match state {
            None => Self::Missing,
            Some(ProfileState::ActionRequired) => Self::ActionRequired,
            Some(ProfileState::Pending) => Self::Pending,
            Some(ProfileState::Approved) => Self::Approved,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_decides_what_when() {
        let table: Vec<_> = ProfileState::ALL.iter().map(|state| (state.as_str(), state.allowed())).collect();
        assert_eq!(
            table,
            [
                ("pending", vec!["approval", "rejection"]),
                ("approved", vec!["rejection"]),
                ("action_required", vec![])
            ]
        );
    }

    #[test]
    fn the_worst_of_two_profiles_counts() {
        use Standing::{ActionRequired, Approved, CoolingOff, Missing, Pending};
        assert_eq!(Pending.min(Approved), Pending);
        assert_eq!(Pending.min(CoolingOff), Pending);
        assert_eq!((Approved.cooling_off(), Missing.cooling_off()), (CoolingOff, Missing));
        assert!(CoolingOff.is_approved() && !Pending.is_approved());
        assert_eq!(Pending.min(ActionRequired), ActionRequired);
        assert_eq!(ActionRequired.min(Missing), Missing);
    }
}
