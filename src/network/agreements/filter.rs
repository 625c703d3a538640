//! The query parameters of the three lists of agreements.

use super::{AgreementStatus, MembershipLevel};
use crate::{access::PartnerKey, platform::values::CalendarDate};
use serde::Deserialize;
use utoipa::IntoParams;

/// The filters of the three lists in one type; a member that is none filters nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Criteria {
    pub(super) partner_id: Option<PartnerKey>,
    pub(super) status: Option<AgreementStatus>,
    pub(super) as_of: Option<CalendarDate>,
    pub(super) agreement_number: Option<String>,
    pub(super) from: Option<CalendarDate>,
    pub(super) to: Option<CalendarDate>,
    pub(super) membership_level: Option<MembershipLevel>,
    pub(super) region: Option<String>,
    pub(super) distributor_authorization: Option<bool>,
}

/// On which day to look at an agreement.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AsOf {
    /// The day for which `status` is derived; left out, today.
    pub(super) as_of: Option<CalendarDate>,
}

macro_rules! filter {
    ($(#[$meta:meta])* $name:ident { $($(#[$about:meta])* $field:ident: $type:ty,)* }) => {
        #[derive(Clone, Debug, Deserialize, IntoParams)]
        #[serde(deny_unknown_fields)]
        #[into_params(parameter_in = Query)]
        $(#[$meta])*
        pub(super) struct $name {
            /// Signed by this partner.
            partner_id: Option<PartnerKey>,
            /// With this status on the day `as_of`.
            #[param(inline)]
            status: Option<AgreementStatus>,
            /// The day for which `status` is derived; left out, today.
            as_of: Option<CalendarDate>,
            /// With this number.
            #[param(max_length = 64, example = "CSP-2031-0042")]
            agreement_number: Option<String>,
            /// Taking effect on this day or later.
            from: Option<CalendarDate>,
            /// Taking effect on this day or earlier.
            to: Option<CalendarDate>,
            $($(#[$about])* $field: Option<$type>,)*
        }

        impl From<$name> for Criteria {
            fn from(filter: $name) -> Self {
                Self {
                    partner_id: filter.partner_id,
                    status: filter.status,
                    as_of: filter.as_of,
                    agreement_number: filter.agreement_number,
                    from: filter.from,
                    to: filter.to,
                    $($field: filter.$field,)*
                    ..Self::default()
                }
            }
        }
    };
}

filter! {
    /// Which MPN agreements to list.
    MpnAgreementFilter {
        /// Of this level.
        #[param(inline)]
        membership_level: MembershipLevel,
    }
}
filter! {
    /// Which distributor agreements to list.
    DistributorAgreementFilter {
        /// For this region.
        #[param(max_length = 60, example = "EMEA")]
        region: String,
        /// With or without the authorization to distribute.
        #[param(example = true)]
        distributor_authorization: bool,
    }
}
filter! {
    /// Which reseller agreements to list.
    ResellerAgreementFilter {
        /// For this region.
        #[param(max_length = 60, example = "EMEA")]
        region: String,
    }
}
