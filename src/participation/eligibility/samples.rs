//! Facts for the tests: a partner of each type that the founding rules find eligible, to be spoilt.

use super::{Facts, Held, ProgramStanding, ProgramTerms, Sale, Verdict, VersionTerms, evaluate};
use crate::{
    identity::users::UserCounts,
    network::{
        agreements::{Agreement, Kind},
        competencies::{Attainment, Level},
        partners::{PartnerPeriod, PartnerStatus, PartnerType},
    },
    participation::programs::{ProgramStatus, Requirement},
    platform::values::{CalendarDate, Id, Money, Period, Timestamp},
    sales::transactions::TransactionKind,
};
use uuid::Uuid;

pub(crate) fn day(text: &str) -> CalendarDate {
    text.parse().unwrap()
}

pub(crate) fn id(number: u128) -> Id {
    Id(Uuid::from_u128(number))
}

pub(crate) fn usd(minor: i64) -> Money {
    Money { minor, currency: "USD".parse().unwrap() }
}

/// An agreement of 30 days' grace where it is an MPN agreement; open where `to` is empty.
pub(crate) fn agreement(number: u128, kind: Kind, from: &str, to: &str) -> Agreement {
    let at = Timestamp::from_micros(0);
    Agreement {
        id: id(number),
        kind,
        partner_id: id(1),
        agreement_number: format!("A-{number}"),
        signed_by: "Ada".into(),
        signed_on: day(from),
        effective_on: day(from),
        expires_on: (!to.is_empty()).then(|| day(to)),
        terminated_on: None,
        termination_reason: None,
        membership_level: None,
        grace_days: if kind == Kind::Mpn { 30 } else { 0 },
        region: None,
        distributor_authorization: (kind == Kind::Distributor).then_some(false),
        created_at: at,
        updated_at: at,
        revision: 1,
    }
}

pub(crate) fn attainment(number: u128, code: &str, level: Level, from: &str, to: &str) -> Attainment {
    let at = Timestamp::from_micros(0);
    Attainment {
        id: id(number),
        partner_id: id(1),
        competency_code: code.into(),
        level,
        attained_on: day(from),
        expires_on: day(to),
        grace_days: 30,
        at_risk_since: None,
        revoked_on: None,
        created_at: at,
        updated_at: at,
        revision: 1,
    }
}

pub(crate) fn purchase(number: u128, on: &str, minor: i64) -> Sale {
    Sale {
        id: id(number),
        kind: TransactionKind::Purchase,
        original_id: None,
        occurred_on: day(on),
        amount: usd(minor),
    }
}

pub(crate) fn refund(number: u128, original: u128, on: &str, minor: i64) -> Sale {
    Sale { kind: TransactionKind::Refund, original_id: Some(id(original)), ..purchase(number, on, minor) }
}

/// A partner's records, owned; `facts` lends them out.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) partner_type: PartnerType,
    pub(crate) agreements: Vec<Agreement>,
    pub(crate) attainments: Vec<Attainment>,
    pub(crate) sales: Vec<Sale>,
}

impl Sample {
    /// Holds all that the founding rules ask of its type, without an end before 2021.
    pub(crate) fn sound(partner_type: PartnerType) -> Self {
        let mpn = agreement(10, Kind::Mpn, "2018-07-01", "");
        let channel = |kind| agreement(11, kind, "2018-07-01", "");
        let (own, sales) = match partner_type {
            PartnerType::DirectBill => (Some(channel(Kind::Reseller)), vec![]),
            PartnerType::IndirectProvider => (Some(channel(Kind::Distributor)), vec![]),
            PartnerType::IndirectReseller => (None, vec![purchase(30, "2018-08-01", 10_000)]),
        };
        let attainments =
            vec![attainment(20, "cloud-productivity", Level::Silver, "2018-07-01", "2020-12-31")];
        Self { partner_type, agreements: [mpn].into_iter().chain(own).collect(), attainments, sales }
    }

    pub(crate) fn without(mut self, kind: Kind) -> Self {
        self.agreements.retain(|agreement| agreement.kind != kind);
        self
    }

    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts {
            partner_id: id(1),
            partner_type: self.partner_type,
            standing: standing(PartnerStatus::Active, "DE"),
            before: &[],
            as_headquarters: &[],
            agreements: Held::from(self.agreements.as_slice()),
            attainments: Held::from(self.attainments.as_slice()),
            sales: &self.sales,
            enrolled: Vec::new(),
            opt_outs: Vec::new(),
            users: UserCounts::default(),
        }
    }
}

/// How a partner stands that belongs to no headquarters.
pub(crate) fn standing(status: PartnerStatus, country: &str) -> PartnerPeriod {
    PartnerPeriod {
        partner_id: id(1),
        last_day: CalendarDate::MAX,
        status,
        country: country.parse().unwrap(),
        headquarters_id: None,
        headquarters_since: None,
    }
}

/// An open program for every type of partner, with one version of three years.
pub(crate) fn terms(requirements: &[Requirement]) -> ProgramTerms<'_> {
    let days = Period { from: day("2018-07-01"), to: day("2021-06-30") };
    ProgramTerms {
        standing: ProgramStanding { partner_types: PartnerType::ALL, status: ProgramStatus::Open },
        before: Vec::new(),
        versions: vec![VersionTerms { program_year: 2019, days, requirements }],
    }
}

/// Judges a partner and hands the verdict to `look`, which may not keep it.
pub(crate) fn judged<T>(
    partner: &Sample,
    requirements: &[Requirement],
    as_of: &str,
    look: impl FnOnce(&Verdict<'_>) -> T,
) -> T {
    look(&evaluate(&partner.facts(), &terms(requirements), day(as_of)))
}

/// The codes of a verdict as they go over the wire.
pub(crate) fn codes(partner: &Sample, requirements: &[Requirement], as_of: &str) -> Vec<String> {
    judged(partner, requirements, as_of, |verdict| verdict.codes().iter().map(ToString::to_string).collect())
}
