//! What a profile is and when it is good; no I/O, no clock, no HTTP.

use super::Secret;
use crate::platform::{
    FieldError,
    values::{CalendarDate, Country, Currency, Id, Timestamp, text_enum},
};
use diesel::prelude::*;

text_enum! {
    /// Where a profile stands.
    pub enum ProfileState {
        /// Filed by the partner; an operator has yet to look at it.
        Pending = "pending",
        /// Approved; money can be paid.
        Approved = "approved",
        /// Rejected by an operator, or expired: the partner has to file it again.
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
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Profile<T> {
    /// Identifier.
    pub id: Id,
    /// Whose.
    pub partner_id: Id,
    /// What the partner filed.
    pub terms: T,
    /// Where it stands by what partner and operator did; [`Profile::state_on`] knows about expiry too.
    pub state: ProfileState,
    /// Why an operator rejected it.
    pub rejection_reason: Option<String>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts changes; the entity tag.
    pub revision: i64,
}

/// What a partner files.
pub trait Terms: Clone + PartialEq + Send + Sync + 'static {
    /// The kind of record, as audit events name it.
    const RECORD: &'static str;
    /// The same, for people.
    const NAME: &'static str;

    /// Whatever is wrong with it on the day it is filed.
    fn faults(&self, today: CalendarDate) -> Vec<FieldError>;

    /// The last day it holds; none where it does not expire.
    fn expires_on(&self) -> Option<CalendarDate>;
}

/// Where a partner's money goes.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct PayoutTerms {
    /// Holder of the account.
    pub holder: String,
    /// The account: an IBAN, or the number the bank gave it.
    pub account_number: Secret,
    /// Where the bank is.
    pub bank_country: Country,
    /// The currency the account is held in.
    pub currency: Currency,
}

impl Terms for PayoutTerms {
    const RECORD: &'static str = "payout_profile";
    const NAME: &'static str = "payout profile";

    fn faults(&self, _: CalendarDate) -> Vec<FieldError> {
        Vec::new()
    }

    fn expires_on(&self) -> Option<CalendarDate> {
        None
    }
}

/// How a partner is taxed.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct TaxTerms {
    /// Which document.
    pub form: TaxForm,
    /// Where the partner is taxed.
    pub tax_country: Country,
    /// The partner's tax number.
    pub tax_id: Secret,
    /// The last day the document holds; none where it does not expire.
    pub expires_on: Option<CalendarDate>,
}

impl Terms for TaxTerms {
    const RECORD: &'static str = "tax_profile";
    const NAME: &'static str = "tax profile";

    fn faults(&self, today: CalendarDate) -> Vec<FieldError> {
        match self.expires_on {
            Some(day) if day < today => {
                let message = format!("the document expired before today, {today}; file one that holds");
                vec![FieldError::new("/expires_on", "in_the_past", message)]
            }
            _ => Vec::new(),
        }
    }

    fn expires_on(&self) -> Option<CalendarDate> {
        self.expires_on
    }
}

/// What an operator decides about a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision<'a> {
    /// It is good; a comment for the audit trail.
    Approval(Option<&'a str>),
    /// It is not; the reason is shown to the partner.
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
    /// The state after a decision; `None` where it cannot be taken.
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

impl<T: Terms> Profile<T> {
    /// Where it stands on a day: what has expired has to be filed again.
    #[must_use]
    pub fn state_on(&self, day: CalendarDate) -> ProfileState {
        if self.terms.expires_on().is_some_and(|last| last < day) {
            ProfileState::ActionRequired
        } else {
            self.state
        }
    }
}

/// How far a partner's profiles are, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// The partner has not filed it.
    Missing,
    /// It was rejected, or has expired.
    ActionRequired,
    /// It waits for an operator.
    Pending,
    /// It is good.
    Approved,
}

/// How far a partner is with each of its profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standings {
    /// With the payout profile.
    pub payout: Standing,
    /// With the tax profile.
    pub tax: Standing,
}

impl Standings {
    /// Of a partner that has filed nothing.
    pub const NONE: Self = Self { payout: Standing::Missing, tax: Standing::Missing };

    /// How far the partner is with both.
    #[must_use]
    pub fn worse(self) -> Standing {
        self.payout.min(self.tax)
    }
}

impl Standing {
    /// The standing of one profile on a day.
    #[must_use]
    pub fn of<T: Terms>(profile: Option<&Profile<T>>, day: CalendarDate) -> Self {
        match profile.map(|profile| profile.state_on(day)) {
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
