//! What an agreement is and when it counts; no I/O, no clock, no HTTP.

use crate::{
    partners::PartnerType,
    platform::values::{CalendarDate, Id, Period, Timestamp, text_enum},
    schema::agreements,
};
use diesel::prelude::*;

text_enum! {
    /// The three agreements a partner may hold.
    pub enum Kind {
        /// Membership of the partner network; every partner.
        Mpn = "mpn",
        /// Cloud distributor agreement; indirect providers.
        Distributor = "distributor",
        /// Reseller agreement; direct bill partners.
        Reseller = "reseller",
    }
}

impl Kind {
    /// Whether a partner of this type may hold it.
    #[must_use]
    pub const fn fits(self, partner_type: PartnerType) -> bool {
        match self {
            Self::Mpn => true,
            Self::Distributor => matches!(partner_type, PartnerType::IndirectProvider),
            Self::Reseller => matches!(partner_type, PartnerType::DirectBill),
        }
    }
}

text_enum! {
    /// Level of a membership in the partner network.
    pub enum MembershipLevel {
        /// Free membership.
        Community = "community",
        /// Subscription to the action pack.
        ActionPack = "action_pack",
        /// Silver.
        Silver = "silver",
        /// Gold.
        Gold = "gold",
    }
}

text_enum! {
    /// Where an agreement stands on a date; derived, never stored.
    pub enum AgreementStatus {
        /// Not yet in effect.
        Pending = "pending",
        /// In effect.
        Active = "active",
        /// Past its expiry, inside the renewal window; it still counts.
        Grace = "grace",
        /// Past its expiry and any renewal window.
        Expired = "expired",
        /// Ended early.
        Terminated = "terminated",
    }
}

/// One period of one agreement. A renewal is a new period; a gap stays on record.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = agreements, treat_none_as_null = true)]
pub struct Agreement {
    /// Identifier.
    pub id: Id,
    /// Which of the three.
    pub kind: Kind,
    /// The partner that signed.
    pub partner_id: Id,
    /// The number on the paper, unique per kind.
    pub agreement_number: String,
    /// Who signed for the partner.
    pub signed_by: String,
    /// When it was signed.
    pub signed_on: CalendarDate,
    /// The first day it counts.
    pub effective_on: CalendarDate,
    /// The last regular day; open where none.
    pub expires_on: Option<CalendarDate>,
    /// The day from which it no longer counts, where it was ended early.
    pub terminated_on: Option<CalendarDate>,
    /// Why it was ended early.
    pub termination_reason: Option<String>,
    /// MPN only.
    pub membership_level: Option<MembershipLevel>,
    /// Days after `expires_on` in which it still counts, with a warning; 0 but for MPN.
    pub grace_days: i32,
    /// Distributor and reseller only.
    pub region: Option<String>,
    /// Distributor only: whether the paper carries the authorization to distribute.
    pub distributor_authorization: Option<bool>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts changes; the entity tag.
    pub revision: i64,
}

impl Agreement {
    /// Where it stands on a day. Active on d: `effective_on` <= d <= `expires_on` + grace and not
    /// terminated on or before d.
    #[must_use]
    pub fn status_on(&self, day: CalendarDate) -> AgreementStatus {
        if self.terminated_on.is_some_and(|end| end <= day) {
            AgreementStatus::Terminated
        } else if day < self.effective_on {
            AgreementStatus::Pending
        } else if self.expires_on.is_none_or(|last| day <= last) {
            AgreementStatus::Active
        } else if day < self.first_day_without() {
            AgreementStatus::Grace
        } else {
            AgreementStatus::Expired
        }
    }

    /// Whether it counts on a day: in effect or in grace.
    #[must_use]
    pub fn counts_on(&self, day: CalendarDate) -> bool {
        matches!(self.status_on(day), AgreementStatus::Active | AgreementStatus::Grace)
    }

    /// The first day it no longer counts; [`CalendarDate::MAX`] where it is open.
    #[must_use]
    pub fn first_day_without(&self) -> CalendarDate {
        let after_grace =
            self.expires_on.map_or(CalendarDate::MAX, |last| last.plus_days(self.grace_days.saturating_add(1)));
        self.terminated_on.map_or(after_grace, |end| end.min(after_grace))
    }

    /// The regular period, grace left out: what may not overlap with another of the same kind.
    /// A terminated one ends the day before its termination; `None` where no day is left.
    #[must_use]
    pub fn period(&self) -> Option<Period> {
        let last = self.expires_on.unwrap_or(CalendarDate::MAX);
        let to = self.terminated_on.map_or(last, |end| end.plus_days(-1).min(last));
        (self.effective_on <= to).then_some(Period { from: self.effective_on, to })
    }
}
