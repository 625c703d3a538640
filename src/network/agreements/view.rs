//! The views of the three resources. Members that all kinds share are written once; each kind adds its terms.

use super::{Agreement, AgreementStatus, Kind, MembershipLevel};
use crate::{
    access::Tx,
    network::partners::Transition,
    platform::{
        http::page_of,
        values::{CalendarDate, Id, Timestamp},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

/// The view of an agreement: one of the three resources.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum AgreementView {
    Mpn(MpnAgreementView),
    Distributor(DistributorAgreementView),
    Reseller(ResellerAgreementView),
}

impl AgreementView {
    /// The view with the status on the day `as_of`, and the transitions that are possible on the day `today`.
    pub(super) fn on(agreement: Agreement, as_of: CalendarDate, today: CalendarDate) -> Self {
        match agreement.kind {
            Kind::Mpn => Self::Mpn(MpnAgreementView::on(agreement, as_of, today)),
            Kind::Distributor => Self::Distributor(DistributorAgreementView::on(agreement, as_of, today)),
            Kind::Reseller => Self::Reseller(ResellerAgreementView::on(agreement, as_of, today)),
        }
    }

    /// The view with the status of today.
    pub(super) fn today(tx: &Tx<'_>, agreement: Agreement) -> Self {
        Self::on(agreement, tx.today(), tx.today())
    }
}

macro_rules! view {
    ($(#[$meta:meta])* $name:ident { $($(#[$about:meta])* $field:ident: $type:ty,)* }) => {
        #[derive(Serialize, ToSchema)]
        $(#[$meta])*
        pub(super) struct $name {
            /// Identifier, a UUID of version 7 (RFC 9562).
            id: Id,
            /// The partner that signed.
            partner_id: Id,
            /// The number on the paper, unique among agreements of the kind.
            #[schema(max_length = 64)]
            agreement_number: String,
            /// The name of the person who signed for the partner.
            #[schema(max_length = 200)]
            signed_by: String,
            /// The day of the signature.
            signed_on: CalendarDate,
            /// The first day the agreement counts.
            effective_on: CalendarDate,
            /// The last regular day; null of an agreement without end.
            expires_on: Option<CalendarDate>,
            /// The first day the agreement no longer counts; null unless it was ended early.
            terminated_on: Option<CalendarDate>,
            /// The reason of an early end.
            #[schema(max_length = 1000)]
            termination_reason: Option<String>,
            $($(#[$about])* $field: $type,)*
            /// The status today, or on the day `as_of`; derived from the dates.
            status: AgreementStatus,
            /// The sub-resources that can be posted to now.
            #[schema(max_items = 2)]
            allowed_transitions: Vec<Transition>,
            /// When the record was made.
            created_at: Timestamp,
            /// When the record was last changed.
            updated_at: Timestamp,
            /// Counts changes.
            #[schema(minimum = 1)]
            revision: i64,
        }

        impl $name {
            fn on(agreement: Agreement, as_of: CalendarDate, today: CalendarDate) -> Self {
                Self {
                    status: agreement.status_on(as_of),
                    allowed_transitions: agreement.allowed(today).into_iter().map(Transition).collect(),
                    id: agreement.id,
                    partner_id: agreement.partner_id,
                    agreement_number: agreement.agreement_number,
                    signed_by: agreement.signed_by,
                    signed_on: agreement.signed_on,
                    effective_on: agreement.effective_on,
                    expires_on: agreement.expires_on,
                    terminated_on: agreement.terminated_on,
                    termination_reason: agreement.termination_reason,
                    $($field: agreement.$field,)*
                    created_at: agreement.created_at,
                    updated_at: agreement.updated_at,
                    revision: agreement.revision,
                }
            }
        }
    };
}

// The columns of a kind's own terms may be null in the table; a constraint says that they never are for that kind.
view! {
    /// One period of a partner's membership in the partner network. The agreement of a headquarters counts for its
    /// locations.
    #[schema(as = MpnAgreement, example = json!({
        "id": "01936f2e-4b00-7000-8000-0000000000a1", "partner_id": "01936f2e-4b00-7000-8000-000000000001",
        "agreement_number": "MPN-2027-0042", "signed_by": "Ada Lindqvist", "signed_on": "2026-06-16",
        "effective_on": "2026-07-01", "expires_on": "2027-06-30", "terminated_on": null, "termination_reason": null,
        "membership_level": "gold", "grace_days": 30, "status": "active",
        "allowed_transitions": ["renewal", "termination"], "created_at": "2026-06-16T09:30:00.000000Z",
        "updated_at": "2026-06-16T09:30:00.000000Z", "revision": 1
    }))]
    MpnAgreementView {
        /// Level of the membership.
        #[schema(value_type = MembershipLevel, required = true)]
        membership_level: Option<MembershipLevel>,
        /// Days after `expires_on` in which the agreement still counts, with a warning.
        #[schema(minimum = 0, maximum = 365)]
        grace_days: i32,
    }
}
view! {
    /// One period of an indirect provider's cloud distributor agreement.
    #[schema(as = DistributorAgreement, example = json!({
        "id": "01936f2e-4b00-7000-8000-0000000000a2", "partner_id": "01936f2e-4b00-7000-8000-000000000002",
        "agreement_number": "CDA-2027-0007", "signed_by": "Noor Haddad", "signed_on": "2026-06-16",
        "effective_on": "2026-07-01", "expires_on": "2027-06-30", "terminated_on": null, "termination_reason": null,
        "region": "EMEA", "distributor_authorization": true, "status": "active",
        "allowed_transitions": ["renewal", "termination"], "created_at": "2026-06-16T09:30:00.000000Z",
        "updated_at": "2026-06-16T09:30:00.000000Z", "revision": 1
    }))]
    DistributorAgreementView {
        /// The region that the agreement holds in.
        #[schema(value_type = String, required = true, max_length = 60)]
        region: Option<String>,
        /// Whether the agreement carries the authorization to distribute.
        #[schema(value_type = bool, required = true)]
        distributor_authorization: Option<bool>,
    }
}
view! {
    /// One period of a direct bill partner's reseller agreement.
    #[schema(as = ResellerAgreement, example = json!({
        "id": "01936f2e-4b00-7000-8000-0000000000a3", "partner_id": "01936f2e-4b00-7000-8000-000000000001",
        "agreement_number": "CSP-2027-0042", "signed_by": "Ada Lindqvist", "signed_on": "2026-06-16",
        "effective_on": "2026-07-01", "expires_on": "2027-06-30", "terminated_on": null, "termination_reason": null,
        "region": "EMEA", "status": "active",
        "allowed_transitions": ["renewal", "termination"], "created_at": "2026-06-16T09:30:00.000000Z",
        "updated_at": "2026-06-16T09:30:00.000000Z", "revision": 1
    }))]
    ResellerAgreementView {
        /// The region that the agreement holds in.
        #[schema(value_type = String, required = true, max_length = 60)]
        region: Option<String>,
    }
}

page_of!(
    /// One page of MPN agreements.
    pub(super) MpnAgreementPage of MpnAgreementView
);
page_of!(
    /// One page of distributor agreements.
    pub(super) DistributorAgreementPage of DistributorAgreementView
);
page_of!(
    /// One page of reseller agreements.
    pub(super) ResellerAgreementPage of ResellerAgreementView
);
