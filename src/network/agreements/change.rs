//! What is written down about agreements, and the record that results; no I/O, no clock, no HTTP.

use super::{Agreement, Kind, MembershipLevel};
use crate::platform::values::{CalendarDate, Id, Timestamp};

/// What an agreement of each kind says beyond what all of them say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Terms {
    /// Of an MPN agreement.
    Mpn {
        /// Level of the membership.
        membership_level: MembershipLevel,
        /// Days after `expires_on` in which it still counts.
        grace_days: i32,
    },
    /// Of a distributor agreement.
    Distributor {
        /// Where it holds.
        region: String,
        /// Whether it carries the authorization to distribute.
        distributor_authorization: bool,
    },
    /// Of a reseller agreement.
    Reseller {
        /// Where it holds.
        region: String,
    },
}

/// What a new agreement is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAgreement {
    /// The partner that signed.
    pub partner_id: Id,
    /// The number on the paper.
    pub agreement_number: String,
    /// Who signed for the partner.
    pub signed_by: String,
    /// When it was signed.
    pub signed_on: CalendarDate,
    /// The first day it counts.
    pub effective_on: CalendarDate,
    /// The last regular day; open where none.
    pub expires_on: Option<CalendarDate>,
    /// Its kind, and what it says as one of that kind.
    pub terms: Terms,
}

/// Terms that differ from those on record; none stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTerms {
    /// MPN only.
    pub membership_level: Option<MembershipLevel>,
    /// MPN only.
    pub grace_days: Option<i32>,
    /// Distributor and reseller only.
    pub region: Option<String>,
    /// Distributor only.
    pub distributor_authorization: Option<bool>,
}

/// A correction of a record; none stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Correction {
    /// The number on the paper.
    pub agreement_number: Option<String>,
    /// Who signed for the partner.
    pub signed_by: Option<String>,
    /// When it was signed.
    pub signed_on: Option<CalendarDate>,
    /// The first day it counts.
    pub effective_on: Option<CalendarDate>,
    /// The last regular day; `Some(None)` opens the end.
    pub expires_on: Option<Option<CalendarDate>>,
    /// What it says as one of its kind.
    pub terms: NewTerms,
}

/// The paper that continues an agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// The number on the new paper.
    pub agreement_number: String,
    /// Who signed it for the partner.
    pub signed_by: String,
    /// When it was signed.
    pub signed_on: CalendarDate,
    /// The first day of the new period; the day after the old one where none.
    pub effective_on: Option<CalendarDate>,
    /// The last regular day of the new period; open where none.
    pub expires_on: Option<CalendarDate>,
    /// What differs from the old paper.
    pub terms: NewTerms,
}

/// The early end of an agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Termination {
    /// The day from which it no longer counts; where none, today or the day of the signature, if that is later.
    pub terminated_on: Option<CalendarDate>,
    /// Why.
    pub reason: String,
}

impl Agreement {
    /// A new record.
    #[must_use]
    pub fn new(id: Id, now: Timestamp, new: NewAgreement) -> Self {
        let (kind, membership_level, grace_days, region, distributor_authorization) = match new.terms {
            Terms::Mpn { membership_level, grace_days } => {
                (Kind::Mpn, Some(membership_level), grace_days, None, None)
            }
            Terms::Distributor { region, distributor_authorization } => {
                (Kind::Distributor, None, 0, Some(region), Some(distributor_authorization))
            }
            Terms::Reseller { region } => (Kind::Reseller, None, 0, Some(region), None),
        };
        Self {
            id,
            kind,
            partner_id: new.partner_id,
            agreement_number: new.agreement_number,
            signed_by: new.signed_by,
            signed_on: new.signed_on,
            effective_on: new.effective_on,
            expires_on: new.expires_on,
            terminated_on: None,
            termination_reason: None,
            membership_level,
            grace_days,
            region,
            distributor_authorization,
            created_at: now,
            updated_at: now,
            revision: 1,
        }
    }

    /// The record as corrected.
    #[must_use]
    pub fn corrected(self, correction: Correction) -> Self {
        Self {
            agreement_number: correction.agreement_number.unwrap_or(self.agreement_number),
            signed_by: correction.signed_by.unwrap_or(self.signed_by),
            signed_on: correction.signed_on.unwrap_or(self.signed_on),
            effective_on: correction.effective_on.unwrap_or(self.effective_on),
            expires_on: correction.expires_on.unwrap_or(self.expires_on),
            membership_level: correction.terms.membership_level.or(self.membership_level),
            grace_days: correction.terms.grace_days.unwrap_or(self.grace_days),
            region: correction.terms.region.or(self.region),
            distributor_authorization: correction
                .terms
                .distributor_authorization
                .or(self.distributor_authorization),
            ..self
        }
    }

    /// The record of the period that continues this one; `None` where this one is open and needs none.
    #[must_use]
    pub fn renewed(&self, id: Id, now: Timestamp, renewal: Renewal) -> Option<Self> {
        let next_day = self.expires_on?.plus_days(1);
        let blank = Self {
            id,
            terminated_on: None,
            termination_reason: None,
            created_at: now,
            updated_at: now,
            revision: 1,
            ..self.clone()
        };
        Some(blank.corrected(Correction {
            agreement_number: Some(renewal.agreement_number),
            signed_by: Some(renewal.signed_by),
            signed_on: Some(renewal.signed_on),
            effective_on: Some(renewal.effective_on.unwrap_or(next_day)),
            expires_on: Some(renewal.expires_on),
            terms: renewal.terms,
        }))
    }
}
