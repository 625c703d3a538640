//! The partner as it is sent.

use super::{
    Partner, PartnerStatus, PartnerType,
    periods::{self, Membership},
};
use crate::{
    access::Tx,
    platform::{
        Result,
        values::{CalendarDate, Country, Currency, Id, Timestamp},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

/// A partner: the location that sells, enrolls and is paid, or the headquarters that groups locations.
#[derive(Serialize, ToSchema)]
#[schema(as = Partner)]
pub struct PartnerView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// Number in the partner network.
    #[schema(min_length = 6, max_length = 10, pattern = "^[0-9]{6,10}$", examples("4567890"))]
    mpn_id: String,
    /// Registered name.
    #[schema(max_length = 200, examples("Contoso Cloud GmbH"))]
    legal_name: String,
    /// The country of registration.
    country: Country,
    /// The currency of payments to the partner.
    currency: Currency,
    /// The channel that the partner sells through.
    partner_type: PartnerType,
    /// The headquarters of a location; null of any other partner.
    headquarters_id: Option<Id>,
    /// Since when the partner is a location of its headquarters: what a headquarters holds counts from this day on.
    headquarters_since: Option<CalendarDate>,
    /// The headquarters the partner belonged to before, in the order of the days. Given where one partner is read or
    /// changed, and left out of lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 1000, nullable = false)]
    former_headquarters: Option<Vec<FormerHeadquarters>>,
    /// Whom to write to.
    #[schema(format = "email", max_length = 254, examples("partners@contoso.example"))]
    contact_email: String,
    /// The status in the network.
    status: PartnerStatus,
    /// The sub-resources that can be posted to now.
    #[schema(max_items = 5, examples(json!(["suspension", "closure"])))]
    allowed_transitions: Vec<Transition>,
    /// When the record was made.
    created_at: Timestamp,
    /// When the record was last changed.
    updated_at: Timestamp,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 1)]
    revision: i64,
}

/// Days on which a partner was a location of a headquarters.
#[derive(Serialize, ToSchema)]
pub struct FormerHeadquarters {
    /// The headquarters.
    headquarters_id: Id,
    /// The first day.
    from: CalendarDate,
    /// The last day.
    to: CalendarDate,
}

impl From<Membership> for FormerHeadquarters {
    fn from(membership: Membership) -> Self {
        let Membership { headquarters_id, days } = membership;
        Self { headquarters_id, from: days.from, to: days.to }
    }
}

/// Name of a sub-resource that changes a record's state when it is posted to.
#[derive(Serialize, ToSchema)]
#[schema(value_type = String, max_length = 40, examples("suspension"))]
pub struct Transition(pub &'static str);

impl From<Partner> for PartnerView {
    fn from(partner: Partner) -> Self {
        Self {
            id: partner.id,
            mpn_id: partner.mpn_id,
            legal_name: partner.legal_name,
            country: partner.country,
            currency: partner.currency,
            partner_type: partner.partner_type,
            headquarters_id: partner.headquarters_id,
            headquarters_since: partner.headquarters_since,
            former_headquarters: None,
            contact_email: partner.contact_email,
            status: partner.status,
            allowed_transitions: partner.status.allowed().into_iter().map(Transition).collect(),
            created_at: partner.created_at,
            updated_at: partner.updated_at,
            revision: partner.revision,
        }
    }
}

/// A partner with its former headquarters.
pub(super) fn whole(tx: &mut Tx<'_>, partner: Partner) -> Result<PartnerView> {
    let former = periods::former_memberships(tx, &partner)?.into_iter().map(FormerHeadquarters::from);
    let former_headquarters = Some(former.collect());
    Ok(PartnerView { former_headquarters, ..PartnerView::from(partner) })
}
