//! The bodies that the three resources take. Members that all kinds share are written once; each kind adds its terms.

use super::{
    AgreementTerms, ChangedTerms, Correction, MembershipLevel, NewAgreement, Renewal, Termination,
    model::out_of_order,
};
use crate::{
    access::{PartnerKey, Tx},
    platform::{
        Result,
        http::{double_option, faultless},
        values::CalendarDate,
    },
};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

macro_rules! create {
    ($(#[$meta:meta])* $name:ident as $kind:ident { $($(#[$about:meta])* $field:ident: $type:ty,)* }) => {
        #[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
        #[serde(deny_unknown_fields)]
        #[validate(schema(function = Self::in_order))]
        $(#[$meta])*
        pub(super) struct $name {
            /// The partner that signed. A headquarters signs for itself and for its locations.
            partner_id: PartnerKey,
            /// The number on the paper, unique among agreements of the kind.
            #[schema(min_length = 1, max_length = 64, pattern = r"^\S(.*\S)?$")]
            agreement_number: String,
            /// The name of the person who signed for the partner.
            #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$")]
            signed_by: String,
            /// The day of the signature; not after the last day.
            signed_on: CalendarDate,
            /// The first day the agreement counts; may lie before the signature.
            effective_on: CalendarDate,
            /// The last regular day; leave it out for an agreement without end.
            #[serde(default)]
            expires_on: Option<CalendarDate>,
            $($(#[$about])* $field: $type,)*
        }

        impl $name {
            fn in_order(&self) -> std::result::Result<(), ValidationError> {
                faultless(out_of_order(self.signed_on, Some(self.effective_on), self.expires_on))
            }
        }

        impl $name {
            /// The agreement, with the partner that the body names.
            pub(super) fn found(self, tx: &mut Tx<'_>) -> Result<NewAgreement> {
                let new = self;
                Ok(NewAgreement {
                    partner_id: new.partner_id.id(tx)?,
                    agreement_number: new.agreement_number,
                    signed_by: new.signed_by,
                    signed_on: new.signed_on,
                    effective_on: new.effective_on,
                    expires_on: new.expires_on,
                    terms: AgreementTerms::$kind { $($field: new.$field),* },
                })
            }
        }
    };
}

create! {
    /// An MPN agreement to record.
    #[schema(example = json!({
        "partner_id": "01936f2e-4b00-7000-8000-000000000001", "agreement_number": "MPN-2031-0042",
        "signed_by": "Ada Lindqvist", "signed_on": "2031-06-16", "effective_on": "2031-07-01",
        "expires_on": "2032-06-30", "membership_level": "gold", "grace_days": 30
    }))]
    MpnAgreementCreate as Mpn {
        /// Level of the membership.
        membership_level: MembershipLevel,
        /// Days after `expires_on` in which the agreement still counts, with a warning: the renewal window.
        #[serde(default = "renewal_window")]
        #[schema(minimum = 0, maximum = 365, default = 30)]
        grace_days: i32,
    }
}
create! {
    /// A distributor agreement to record; for an indirect provider.
    #[schema(example = json!({
        "partner_id": "01936f2e-4b00-7000-8000-000000000002", "agreement_number": "CDA-2031-0007",
        "signed_by": "Noor Haddad", "signed_on": "2031-06-16", "effective_on": "2031-07-01",
        "expires_on": "2032-06-30", "region": "EMEA", "distributor_authorization": true
    }))]
    DistributorAgreementCreate as Distributor {
        /// The region that the agreement holds in.
        #[schema(min_length = 1, max_length = 60, pattern = r"^\S(.*\S)?$")]
        region: String,
        /// Whether the agreement carries the authorization to distribute.
        #[serde(default)]
        #[schema(default = false)]
        distributor_authorization: bool,
    }
}
create! {
    /// A reseller agreement to record; for a direct bill partner.
    #[schema(example = json!({
        "partner_id": "01936f2e-4b00-7000-8000-000000000001", "agreement_number": "CSP-2031-0042",
        "signed_by": "Ada Lindqvist", "signed_on": "2031-06-16", "effective_on": "2031-07-01",
        "expires_on": "2032-06-30", "region": "EMEA"
    }))]
    ResellerAgreementCreate as Reseller {
        /// The region that the agreement holds in.
        #[schema(min_length = 1, max_length = 60, pattern = r"^\S(.*\S)?$")]
        region: String,
    }
}

fn renewal_window() -> i32 {
    30
}

macro_rules! update_and_renewal {
    (
        $(#[$update_meta:meta])* $update:ident,
        $(#[$renewal_meta:meta])* $renewal:ident
        { $($(#[$about:meta])* $field:ident: $type:ty,)* }
    ) => {
        #[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        $(#[$update_meta])*
        pub(super) struct $update {
            /// The number on the paper.
            #[schema(min_length = 1, max_length = 64, pattern = r"^\S(.*\S)?$", nullable = false)]
            agreement_number: Option<String>,
            /// The name of the person who signed for the partner.
            #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$", nullable = false)]
            signed_by: Option<String>,
            /// The day of the signature.
            #[schema(nullable = false)]
            signed_on: Option<CalendarDate>,
            /// The first day the agreement counts.
            #[schema(nullable = false)]
            effective_on: Option<CalendarDate>,
            /// The last regular day; null makes an agreement without end.
            #[serde(default, deserialize_with = "double_option::deserialize")]
            #[schema(value_type = Option<CalendarDate>)]
            expires_on: Option<Option<CalendarDate>>,
            $($(#[$about])* $field: Option<$type>,)*
        }

        impl From<$update> for Correction {
            fn from(update: $update) -> Self {
                Self {
                    agreement_number: update.agreement_number,
                    signed_by: update.signed_by,
                    signed_on: update.signed_on,
                    effective_on: update.effective_on,
                    expires_on: update.expires_on,
                    terms: ChangedTerms { $($field: update.$field,)* ..ChangedTerms::default() },
                }
            }
        }

        #[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
        #[serde(deny_unknown_fields)]
        #[validate(schema(function = Self::in_order))]
        $(#[$renewal_meta])*
        pub(super) struct $renewal {
            /// The number on the new paper.
            #[schema(min_length = 1, max_length = 64, pattern = r"^\S(.*\S)?$")]
            agreement_number: String,
            /// The name of the person who signed the new paper for the partner.
            #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$")]
            signed_by: String,
            /// The day of the signature.
            signed_on: CalendarDate,
            /// The first day of the new period; left out, the day after the old period.
            #[serde(default)]
            effective_on: Option<CalendarDate>,
            /// The last regular day of the new period; leave it out for an agreement without end.
            #[serde(default)]
            expires_on: Option<CalendarDate>,
            $($(#[$about])* $field: Option<$type>,)*
        }

        impl $renewal {
            fn in_order(&self) -> std::result::Result<(), ValidationError> {
                faultless(out_of_order(self.signed_on, self.effective_on, self.expires_on))
            }
        }

        impl From<$renewal> for Renewal {
            fn from(renewal: $renewal) -> Self {
                Self {
                    agreement_number: renewal.agreement_number,
                    signed_by: renewal.signed_by,
                    signed_on: renewal.signed_on,
                    effective_on: renewal.effective_on,
                    expires_on: renewal.expires_on,
                    terms: ChangedTerms { $($field: renewal.$field,)* ..ChangedTerms::default() },
                }
            }
        }
    };
}

update_and_renewal! {
    /// A correction of an MPN agreement's record: the members given replace those on record. A new period is a
    /// renewal, an early end a termination.
    #[schema(example = json!({"membership_level": "silver"}))]
    MpnAgreementUpdate,
    /// The paper that continues a partner's membership in the partner network.
    #[schema(example = json!({
        "agreement_number": "MPN-2033-0042", "signed_by": "Ada Lindqvist", "signed_on": "2032-06-14",
        "effective_on": "2032-07-01", "expires_on": "2033-06-30"
    }))]
    MpnAgreementRenewal {
        /// Level of the membership; left out, the level of the old paper.
        #[schema(nullable = false)]
        membership_level: MembershipLevel,
        /// Days after `expires_on` in which the agreement still counts, with a warning; left out, as on the old paper.
        #[schema(minimum = 0, maximum = 365, nullable = false)]
        grace_days: i32,
    }
}
update_and_renewal! {
    /// A correction of a distributor agreement's record: the members given replace those on record. A new period
    /// is a renewal, an early end a termination.
    #[schema(example = json!({"distributor_authorization": true}))]
    DistributorAgreementUpdate,
    /// The paper that continues an indirect provider's distributor agreement.
    #[schema(example = json!({
        "agreement_number": "CDA-2033-0007", "signed_by": "Noor Haddad", "signed_on": "2032-06-14",
        "effective_on": "2032-07-01", "expires_on": "2033-06-30"
    }))]
    DistributorAgreementRenewal {
        /// The region that the agreement holds in; left out, the region of the old paper.
        #[schema(min_length = 1, max_length = 60, pattern = r"^\S(.*\S)?$", nullable = false)]
        region: String,
        /// Whether the agreement carries the authorization to distribute; left out, as on the old paper.
        #[schema(nullable = false)]
        distributor_authorization: bool,
    }
}
update_and_renewal! {
    /// A correction of a reseller agreement's record: the members given replace those on record. A new period is
    /// a renewal, an early end a termination.
    #[schema(example = json!({"region": "Worldwide"}))]
    ResellerAgreementUpdate,
    /// The paper that continues a direct bill partner's reseller agreement.
    #[schema(example = json!({
        "agreement_number": "CSP-2033-0042", "signed_by": "Ada Lindqvist", "signed_on": "2032-06-14",
        "effective_on": "2032-07-01", "expires_on": "2033-06-30"
    }))]
    ResellerAgreementRenewal {
        /// The region that the agreement holds in; left out, the region of the old paper.
        #[schema(min_length = 1, max_length = 60, pattern = r"^\S(.*\S)?$", nullable = false)]
        region: String,
    }
}

/// The early end of an agreement.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "The partner leaves the channel, ticket 4712"}))]
pub(super) struct AgreementTermination {
    /// The first day the agreement no longer counts, not before the signature. Left out: today, or the day of the
    /// signature if that is later.
    #[serde(default)]
    terminated_on: Option<CalendarDate>,
    /// In your own words, for the record and the audit trail.
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    reason: String,
}

impl From<AgreementTermination> for Termination {
    fn from(body: AgreementTermination) -> Self {
        Self { terminated_on: body.terminated_on, reason: body.reason }
    }
}
