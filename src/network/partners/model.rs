//! The partner; no I/O, no clock, no HTTP.

use crate::{
    platform::values::{CalendarDate, Country, Currency, Id, Timestamp, text_enum},
    schema::{partner_periods, partners},
};
use diesel::prelude::*;

text_enum! {
    /// The channel a partner sells through.
    pub enum PartnerType {
        /// Buys from the vendor and bills its customers itself (direct reseller).
        DirectBill = "direct_bill",
        /// Distributes to indirect resellers.
        IndirectProvider = "indirect_provider",
        /// Buys through an indirect provider.
        IndirectReseller = "indirect_reseller",
    }
}

text_enum! {
    /// The status of a partner in the network.
    pub enum PartnerStatus {
        /// Recorded, not yet active.
        Pending = "pending",
        /// Takes part.
        Active = "active",
        /// Barred for a time.
        Suspended = "suspended",
        /// Has left for good.
        Closed = "closed",
    }
}

/// A partner: the location that sells, enrolls and is paid, or the headquarters that groups locations.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = partners, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Partner {
    /// UUID of version 7.
    pub id: Id,
    /// The number in the partner network, 6 to 10 digits, unique.
    pub mpn_id: String,
    /// The registered name.
    pub legal_name: String,
    /// The country of registration.
    pub country: Country,
    /// The currency of payments to the partner.
    pub currency: Currency,
    /// The channel that the partner sells through.
    pub partner_type: PartnerType,
    /// The headquarters of a location; none of any other partner.
    pub headquarters_id: Option<Id>,
    /// Since when the partner is a location of its headquarters; what a headquarters lends counts from this day on.
    pub headquarters_since: Option<CalendarDate>,
    /// Whom to write to.
    pub contact_email: String,
    /// The status in the network.
    pub status: PartnerStatus,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of the record; the entity tag.
    pub revision: i64,
}

/// How a partner stood before, up to a day: since the period before, and before the first period always.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = partner_periods)]
pub struct PartnerPeriod {
    /// The partner.
    pub partner_id: Id,
    /// The last day of the period.
    pub last_day: CalendarDate,
    /// Where the partner stood in the network.
    pub status: PartnerStatus,
    /// Where it was registered.
    pub country: Country,
    /// The headquarters it was a location of.
    pub headquarters_id: Option<Id>,
    /// Since when it was one.
    pub headquarters_since: Option<CalendarDate>,
}

impl Partner {
    /// How the partner stands, as the period that ends on a day.
    #[must_use]
    pub fn period_to(&self, last_day: CalendarDate) -> PartnerPeriod {
        PartnerPeriod {
            partner_id: self.id,
            last_day,
            status: self.status,
            country: self.country,
            headquarters_id: self.headquarters_id,
            headquarters_since: self.headquarters_since,
        }
    }
}

/// What happens to a partner's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartnerTransition {
    /// Bars the partner.
    Suspension,
    /// Lets a suspended partner back in, or activates a pending one.
    Reinstatement,
    /// Ends the partner's part in the network for good.
    Closure,
}

impl PartnerTransition {
    /// Every transition with the name of its sub-resource.
    pub const ALL: [(Self, &'static str); 3] = [
        (Self::Suspension, "suspension"),
        (Self::Reinstatement, "reinstatement"),
        (Self::Closure, "closure"),
    ];
}

impl PartnerStatus {
    /// The status after a transition; `None` where the transition is not possible.
    #[must_use]
    pub const fn after(self, transition: PartnerTransition) -> Option<Self> {
        match (self, transition) {
            (Self::Pending | Self::Active, PartnerTransition::Suspension) => Some(Self::Suspended),
            (Self::Pending | Self::Suspended, PartnerTransition::Reinstatement) => Some(Self::Active),
            (Self::Pending | Self::Active | Self::Suspended, PartnerTransition::Closure) => {
                Some(Self::Closed)
            }
            _ => None,
        }
    }

    /// The sub-resources whose creation is possible now.
    #[must_use]
    pub fn allowed(self) -> Vec<&'static str> {
        let possible = PartnerTransition::ALL.iter().filter(|(event, _)| self.after(*event).is_some());
        possible.map(|(_, name)| *name).collect()
    }
}
