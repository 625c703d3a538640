//! The agreement, and the days it counts; no I/O, no clock, no HTTP.

use crate::{
    network::partners::PartnerType,
    platform::{
        FieldError,
        values::{CalendarDate, Id, Period, Timestamp, Words, text_enum},
    },
    schema::agreements,
    text,
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
    /// Whether a partner of this type may hold an agreement of this kind.
    #[must_use]
    pub const fn fits(self, partner_type: PartnerType) -> bool {
        match self {
            Self::Mpn => true,
            Self::Distributor => matches!(partner_type, PartnerType::IndirectProvider),
            Self::Reseller => matches!(partner_type, PartnerType::DirectBill),
        }
    }

    /// The kind of record in audit events.
    #[must_use]
    pub const fn resource_type(self) -> &'static str {
        match self {
            Self::Mpn => "mpn_agreement",
            Self::Distributor => "distributor_agreement",
            Self::Reseller => "reseller_agreement",
        }
    }

    /// The name of the agreement in messages.
    #[must_use]
    pub const fn title(self) -> Words<'static> {
        match self {
            Self::Mpn => Words::new("MPN agreement", "MPN 契約"),
            Self::Distributor => Words::new("distributor agreement", "ディストリビューター契約"),
            Self::Reseller => Words::new("reseller agreement", "リセラー契約"),
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
        /// Past its expiry, inside the renewal window: the agreement still counts.
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
    /// UUID of version 7.
    pub id: Id,
    /// The kind of agreement.
    pub kind: Kind,
    /// The partner that signed.
    pub partner_id: Id,
    /// The number on the paper, unique per kind.
    pub agreement_number: String,
    /// The name of the person who signed for the partner.
    pub signed_by: String,
    /// The day of the signature.
    pub signed_on: CalendarDate,
    /// The first day the agreement counts.
    pub effective_on: CalendarDate,
    /// The last regular day; none of an agreement without end.
    pub expires_on: Option<CalendarDate>,
    /// The first day the agreement no longer counts; none unless it was ended early.
    pub terminated_on: Option<CalendarDate>,
    /// The reason of an early end.
    pub termination_reason: Option<String>,
    /// MPN only.
    pub membership_level: Option<MembershipLevel>,
    /// Days after `expires_on` in which the agreement still counts, with a warning; 0 but for MPN.
    pub grace_days: i32,
    /// Distributor and reseller only.
    pub region: Option<String>,
    /// Distributor only: whether the paper carries the authorization to distribute.
    pub distributor_authorization: Option<bool>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of the record; the entity tag.
    pub revision: i64,
}

/// A change of an agreement's course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgreementTransition {
    /// A new period continues the agreement.
    Renewal,
    /// The agreement ends early.
    Termination,
}

impl AgreementTransition {
    /// Every transition with the name of its sub-resource.
    pub const ALL: [(Self, &'static str); 2] =
        [(Self::Renewal, "renewal"), (Self::Termination, "termination")];
}

impl Agreement {
    /// Whether a transition is possible today. A terminated agreement stays terminated; an agreement without end needs
    /// no renewal; an expired agreement cannot end early.
    #[must_use]
    pub fn admits(&self, transition: AgreementTransition, today: CalendarDate) -> bool {
        self.terminated_on.is_none()
            && match transition {
                AgreementTransition::Renewal => self.expires_on.is_some(),
                AgreementTransition::Termination => today < self.first_day_without(),
            }
    }

    /// The sub-resources that can be posted to today.
    #[must_use]
    pub fn allowed(&self, today: CalendarDate) -> Vec<&'static str> {
        let possible =
            AgreementTransition::ALL.iter().filter(|(transition, _)| self.admits(*transition, today));
        possible.map(|(_, name)| *name).collect()
    }

    /// The dates of the record that are not in order.
    #[must_use]
    pub fn out_of_order(&self) -> Vec<FieldError> {
        let mut faults = out_of_order(self.signed_on, Some(self.effective_on), self.expires_on);
        if let Some(end) = self.terminated_on.filter(|end| *end < self.signed_on) {
            let message = text!(
                "it was terminated on {end}; it cannot have been signed after that",
                "契約は {end} に解約されています。署名日をそれより後にすることはできません。"
            );
            faults.push(FieldError::new("/signed_on", "order", message));
        }
        faults
    }

    /// The status on a day. The agreement counts on `day` where `effective_on` <= `day` <= `expires_on` + `grace_days`
    /// and no termination lies on or before `day`.
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

    /// Whether the agreement counts on a day: in effect or in grace.
    #[must_use]
    pub fn counts_on(&self, day: CalendarDate) -> bool {
        matches!(self.status_on(day), AgreementStatus::Active | AgreementStatus::Grace)
    }

    /// The first day the agreement no longer counts; [`CalendarDate::MAX`] of an agreement without end.
    #[must_use]
    pub fn first_day_without(&self) -> CalendarDate {
        let after_grace = self
            .expires_on
            .map_or(CalendarDate::MAX, |last| last.plus_days(self.grace_days.saturating_add(1)));
        self.terminated_on.map_or(after_grace, |end| end.min(after_grace))
    }

    /// The regular period without grace; periods of one kind and partner never overlap. The period of a terminated
    /// agreement ends the day before the termination; `None` where no day is left.
    #[must_use]
    pub fn period(&self) -> Option<Period> {
        let last = self.expires_on.unwrap_or(CalendarDate::MAX);
        let to = self.terminated_on.map_or(last, |end| end.plus_days(-1).min(last));
        (self.effective_on <= to).then_some(Period { from: self.effective_on, to })
    }
}

/// The dates of a paper that are not in order. A paper may be signed after it takes effect, but not after its end.
#[must_use]
pub fn out_of_order(
    signed_on: CalendarDate,
    effective_on: Option<CalendarDate>,
    expires_on: Option<CalendarDate>,
) -> Vec<FieldError> {
    let Some(last) = expires_on else { return Vec::new() };
    let mut faults = Vec::new();
    if let Some(first) = effective_on.filter(|first| last < *first) {
        let message = text!(
            "the last day lies before the first one, {first}",
            "最終日が開始日（{first}）より前になっています。"
        );
        faults.push(FieldError::new("/expires_on", "order", message));
    }
    if last < signed_on {
        let message = text!(
            "it cannot be signed after its last day, {last}",
            "署名日を最終日（{last}）より後にすることはできません。"
        );
        faults.push(FieldError::new("/signed_on", "order", message));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn day(text: &str) -> CalendarDate {
        text.parse().unwrap()
    }

    fn mpn(from: &str, to: Option<&str>) -> Agreement {
        Agreement {
            id: Id(Uuid::from_u128(1)),
            kind: Kind::Mpn,
            partner_id: Id(Uuid::from_u128(2)),
            agreement_number: "A-1".into(),
            signed_by: "Ada".into(),
            signed_on: day(from),
            effective_on: day(from),
            expires_on: to.map(day),
            terminated_on: None,
            termination_reason: None,
            membership_level: Some(MembershipLevel::Silver),
            grace_days: 30,
            region: None,
            distributor_authorization: None,
            created_at: Timestamp::from_micros(0),
            updated_at: Timestamp::from_micros(0),
            revision: 1,
        }
    }

    fn terminated(mut agreement: Agreement, on: &str) -> Agreement {
        agreement.terminated_on = Some(day(on));
        agreement
    }

    #[test]
    fn the_renewal_window_counts_to_its_last_day() {
        let agreement = mpn("2018-09-02", Some("2019-09-01"));
        let expected = [
            ("2018-09-01", AgreementStatus::Pending, false),
            ("2018-09-02", AgreementStatus::Active, true),
            ("2019-09-01", AgreementStatus::Active, true),
            ("2019-09-02", AgreementStatus::Grace, true),
            ("2019-10-01", AgreementStatus::Grace, true),
            ("2019-10-02", AgreementStatus::Expired, false),
        ];
        for (on, status, counts) in expected {
            assert_eq!(
                (agreement.status_on(day(on)), agreement.counts_on(day(on))),
                (status, counts),
                "{on}"
            );
        }
        assert_eq!(agreement.first_day_without(), day("2019-10-02"));
        let strict = Agreement { grace_days: 0, ..agreement };
        assert_eq!(strict.status_on(day("2019-09-02")), AgreementStatus::Expired);
    }

    #[test]
    fn a_termination_counts_from_its_day_on() {
        let ended = terminated(mpn("2018-09-02", Some("2019-09-01")), "2019-03-01");
        assert_eq!(ended.status_on(day("2019-02-28")), AgreementStatus::Active);
        assert_eq!(ended.status_on(day("2019-03-01")), AgreementStatus::Terminated);
        assert_eq!(ended.period().unwrap().to, day("2019-02-28"));
        let in_grace = terminated(mpn("2018-09-02", Some("2019-09-01")), "2019-09-10");
        assert_eq!(in_grace.status_on(day("2019-09-09")), AgreementStatus::Grace);
        assert_eq!(in_grace.period().unwrap().to, day("2019-09-01"));
        let never_began = terminated(mpn("2018-09-02", None), "2018-09-02");
        assert_eq!(never_began.period(), None);
        assert!(!never_began.counts_on(day("2018-09-02")));
    }

    #[test]
    fn an_open_agreement_has_no_last_day() {
        let open = mpn("2018-09-02", None);
        assert_eq!(open.status_on(day("2999-01-01")), AgreementStatus::Active);
        assert_eq!(open.period().unwrap().to, CalendarDate::MAX);
    }

    #[test]
    fn what_may_happen_follows_from_the_dates() {
        let agreement = mpn("2018-09-02", Some("2019-09-01"));
        for (on, allowed) in [
            ("2018-01-01", vec!["renewal", "termination"]),
            ("2019-10-01", vec!["renewal", "termination"]),
            ("2019-10-02", vec!["renewal"]),
        ] {
            assert_eq!(agreement.allowed(day(on)), allowed, "{on}");
        }
        assert_eq!(mpn("2018-09-02", None).allowed(day("2020-01-01")), ["termination"]);
        let announced = terminated(agreement, "2019-03-01");
        assert!(announced.allowed(day("2019-01-01")).is_empty());
    }

    #[test]
    fn dates_out_of_order_are_all_named() {
        let pointers = |agreement: &Agreement| -> Vec<String> {
            agreement.out_of_order().into_iter().map(|fault| fault.pointer).collect()
        };
        let mut agreement = mpn("2018-09-02", Some("2018-09-02"));
        assert!(agreement.out_of_order().is_empty());
        agreement.expires_on = Some(day("2018-09-01"));
        assert_eq!(pointers(&agreement), ["/expires_on", "/signed_on"]);
        let retroactive = Agreement { signed_on: day("2018-12-01"), ..mpn("2018-09-02", None) };
        assert!(retroactive.out_of_order().is_empty());
        assert_eq!(pointers(&terminated(retroactive, "2018-11-30")), ["/signed_on"]);
    }
}
