//! The profile, and the days it is good; no I/O, no clock, no HTTP.

use super::Secret;
use crate::{
    platform::{
        FieldError,
        values::{CalendarDate, Country, Currency, Id, Timestamp, Words, text_enum},
    },
    text,
};
text_enum! {
    /// The state of a profile.
    pub enum ProfileState {
        /// Filed by the partner; an operator has yet to decide.
        Pending = "pending",
        /// Approved; money can be paid.
        Approved = "approved",
        /// Rejected by an operator, or expired: the partner has to file the profile again.
        ActionRequired = "action_required",
    }
}

text_enum! {
    /// A document that says how a partner is taxed.
    pub enum TaxForm {
        /// US form W-9.
        W9 = "w9",
        /// US form W-8BEN-E.
        W8BenE = "w8_ben_e",
        /// Registration for value added tax.
        Vat = "vat",
        /// Another document.
        Other = "other",
    }
}

/// A payout or a tax profile of a partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile<T> {
    /// UUID of version 7.
    pub id: Id,
    /// The partner that files the profile.
    pub partner_id: Id,
    /// The filed payout or tax data.
    pub terms: T,
    /// The state by the acts of partner and operator; [`Profile::state_on`] knows about expiry too.
    pub state: ProfileState,
    /// The reason of a rejection.
    pub rejection_reason: Option<String>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of the record; the entity tag.
    pub revision: i64,
}

/// The data of one kind of profile.
pub trait ProfileTerms: Clone + PartialEq + Send + Sync + 'static {
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
}

/// The account that a partner is paid to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayoutTerms {
    /// The holder of the account.
    pub holder: String,
    /// An IBAN, or the bank's own number of the account.
    pub account_number: Secret,
    /// The country of the bank.
    pub bank_country: Country,
    /// The currency the account is held in.
    pub currency: Currency,
}

impl ProfileTerms for PayoutTerms {
    const RECORD: &'static str = "payout_profile";
    const FILING: &'static str = "PutPayoutProfile";
    const NAME: Words<'static> = Words::new("payout profile", "支払先情報");

    fn faults(&self, _: CalendarDate) -> Vec<FieldError> {
        Vec::new()
    }

    fn expires_on(&self) -> Option<CalendarDate> {
        None
    }
}

/// The tax document of a partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxTerms {
    /// The kind of document.
    pub form: TaxForm,
    /// The country that taxes the partner.
    pub tax_country: Country,
    /// The partner's tax number.
    pub tax_id: Secret,
    /// The last day the document holds; none of a document that does not expire.
    pub expires_on: Option<CalendarDate>,
}

impl ProfileTerms for TaxTerms {
    const RECORD: &'static str = "tax_profile";
    const FILING: &'static str = "PutTaxProfile";
    const NAME: Words<'static> = Words::new("tax profile", "税務情報");

    fn faults(&self, today: CalendarDate) -> Vec<FieldError> {
        match self.expires_on {
            Some(day) if day < today => {
                let message = text!(
                    "the document expired before today, {today}; file one that holds",
                    "書類の有効期限が本日（{today}）より前に切れています。有効な書類を提出してください。"
                );
                vec![FieldError::new("/expires_on", "in_the_past", message)]
            }
            _ => Vec::new(),
        }
    }

    fn expires_on(&self) -> Option<CalendarDate> {
        self.expires_on
    }
}

/// An operator's decision on a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision<'a> {
    /// The profile is good; with a comment for the audit trail.
    Approval(Option<&'a str>),
    /// The profile is not good; with the reason, which the partner reads.
    Rejection(&'a str),
}

impl<'a> Decision<'a> {
    /// The operator's words.
    #[must_use]
    pub fn words(self) -> Option<&'a str> {
        match self {
            Self::Approval(comment) => comment,
            Self::Rejection(reason) => Some(reason),
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
            (Self::Pending | Self::Approved, Decision::Rejection(_)) => Some(Self::ActionRequired),
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
        use Standing::{ActionRequired, Approved, Missing, Pending};
        assert_eq!(Pending.min(Approved), Pending);
        assert_eq!(Pending.min(ActionRequired), ActionRequired);
        assert_eq!(ActionRequired.min(Missing), Missing);
    }
}
