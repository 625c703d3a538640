//! New, corrected, renewed and terminated agreements, and the records that result; no I/O, no clock, no HTTP.

use super::{Agreement, Kind, MembershipLevel};
use crate::platform::values::{CalendarDate, Id, Timestamp};

/// The terms that only agreements of one kind have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgreementTerms {
    /// The terms of an MPN agreement.
    Mpn {
        /// The level of the membership.
        membership_level: MembershipLevel,
        /// Days after `expires_on` in which the agreement still counts.
        grace_days: i32,
    },
    /// The terms of a distributor agreement.
    Distributor {
        /// The region that the agreement holds in.
        region: String,
        /// Whether the agreement carries the authorization to distribute.
        distributor_authorization: bool,
    },
    /// The terms of a reseller agreement.
    Reseller {
        /// The region that the agreement holds in.
        region: String,
    },
}

/// An agreement to record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAgreement {
    /// The partner that signed.
    pub partner_id: Id,
    /// The number on the paper.
    pub agreement_number: String,
    /// The name of the person who signed for the partner.
    pub signed_by: String,
    /// The day of the signature.
    pub signed_on: CalendarDate,
    /// The first day the agreement counts.
    pub effective_on: CalendarDate,
    /// The last regular day; none of an agreement without end.
    pub expires_on: Option<CalendarDate>,
    /// The kind of agreement, and the terms of that kind.
    pub terms: AgreementTerms,
}

/// New terms of an agreement on record; a member that is none leaves the term as on record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangedTerms {
    /// MPN only.
    pub membership_level: Option<MembershipLevel>,
    /// MPN only.
    pub grace_days: Option<i32>,
    /// Distributor and reseller only.
    pub region: Option<String>,
    /// Distributor only.
    pub distributor_authorization: Option<bool>,
}

/// A correction of an agreement's record; a member that is none leaves the record as is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Correction {
    /// The number on the paper.
    pub agreement_number: Option<String>,
    /// The name of the person who signed for the partner.
    pub signed_by: Option<String>,
    /// The day of the signature.
    pub signed_on: Option<CalendarDate>,
    /// The first day the agreement counts.
    pub effective_on: Option<CalendarDate>,
    /// The last regular day; `Some(None)` makes an agreement without end.
    pub expires_on: Option<Option<CalendarDate>>,
    /// The terms of the agreement's kind.
    pub terms: ChangedTerms,
}

/// The paper that continues an agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// The number on the new paper.
    pub agreement_number: String,
    /// The name of the person who signed the new paper for the partner.
    pub signed_by: String,
    /// The day of the signature.
    pub signed_on: CalendarDate,
    /// The first day of the new period; none stands for the day after the old period.
    pub effective_on: Option<CalendarDate>,
    /// The last regular day of the new period; none of an agreement without end.
    pub expires_on: Option<CalendarDate>,
    /// The terms that differ from the old paper.
    pub terms: ChangedTerms,
}

/// The early end of an agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Termination {
    /// The first day the agreement no longer counts; none stands for today, or for the day of the signature if that is
    /// later.
    pub terminated_on: Option<CalendarDate>,
    /// The reason in the operator's words.
    pub reason: String,
}

impl Agreement {
    /// The first record of a new agreement.
    #[must_use]
    pub fn new(id: Id, now: Timestamp, new: NewAgreement) -> Self {
        let (kind, membership_level, grace_days, region, distributor_authorization) = match new.terms {
            AgreementTerms::Mpn { membership_level, grace_days } => {
                (Kind::Mpn, Some(membership_level), grace_days, None, None)
            }
            AgreementTerms::Distributor { region, distributor_authorization } => {
                (Kind::Distributor, None, 0, Some(region), Some(distributor_authorization))
            }
            AgreementTerms::Reseller { region } => (Kind::Reseller, None, 0, Some(region), None),
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

    /// The record with a correction.
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

    /// The record of the period that continues this agreement; `None` of an agreement without end, which needs none.
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
