//! The records a check rests on.

use super::{
    model::{AgreementFault, Asked, Case, Check, CompetencyFault, Finding, Gap, Ground, Sale, Turnover},
    sales_rules::Window,
    view::EligibilityEvidence,
    words::EvidenceKind,
};
use crate::{
    network::{agreements::Agreement, agreements::Kind, competencies::Attainment},
    platform::values::Id,
};
use std::cmp::Reverse;

/// How many records a check names at most: enough to start from, where a year of sales would flood it.
const MOST: usize = 20;

impl Check<'_> {
    /// The records the finding rests on, in an order of their own; alternatives carry theirs.
    #[must_use]
    pub fn evidence(&self) -> Vec<EligibilityEvidence> {
        let case = self.case;
        match self.finding {
            Finding::Met(ground) => of_ground(case, ground),
            Finding::Unmet(gap) => of_gap(case, gap),
            Finding::NotApplicable => Vec::new(),
        }
    }
}

fn of_ground(case: Case<'_>, ground: Ground<'_>) -> Vec<EligibilityEvidence> {
    match ground {
        Ground::PartnerActive | Ground::PartnerType | Ground::Country => vec![partner(case)],
        Ground::Agreement(agreement, _) => vec![EligibilityEvidence::from(agreement)],
        Ground::Competencies(asked, _) => counting(case, asked),
        Ground::Purchase(sale) => vec![EligibilityEvidence::from(sale)],
        Ground::Revenue(turnover) => sales(case, turnover),
        Ground::ProgramOpen | Ground::NotOptedOut | Ground::RevenueKept | Ground::AnyOf => Vec::new(),
    }
}

fn of_gap(case: Case<'_>, gap: Gap<'_>) -> Vec<EligibilityEvidence> {
    match gap {
        Gap::OptedOut(opt_out) => {
            vec![record(EvidenceKind::Enrollment, opt_out.enrollment_id, "enrollments")]
        }
        Gap::PartnerNotActive | Gap::Headquarters | Gap::WrongPartnerType | Gap::Country => {
            vec![partner(case)]
        }
        Gap::Agreement(_, fault) => fault.agreement().into_iter().map(EligibilityEvidence::from).collect(),
        Gap::Competencies(asked, _, fault) => {
            let mut evidence: Vec<_> =
                fault.attainment().map(EligibilityEvidence::from).into_iter().collect();
            evidence.extend(counting(case, asked).into_iter().take(MOST - 1));
            evidence
        }
        Gap::Revenue(turnover) => sales(case, turnover),
        Gap::ProgramNotOpen | Gap::ProgramDiscontinued | Gap::NoPurchase | Gap::AnyOf => Vec::new(),
    }
}

impl<'a> AgreementFault<'a> {
    /// The agreement that is at fault, where there is one.
    #[must_use]
    pub const fn agreement(&self) -> Option<&'a Agreement> {
        match self {
            Self::Missing => None,
            Self::NotEffective(agreement)
            | Self::Expired(agreement, _)
            | Self::Terminated(agreement, _)
            | Self::Unauthorized(agreement) => Some(agreement),
        }
    }
}

impl<'a> CompetencyFault<'a> {
    /// The attainment that is at fault, where there is one.
    #[must_use]
    pub const fn attainment(&self) -> Option<&'a Attainment> {
        match self {
            Self::Missing => None,
            Self::Expired(attainment) | Self::NotQualifying(attainment) => Some(attainment),
        }
    }
}

/// The attainments that count towards what is asked on the day, those that count longest first.
pub(super) fn counting_attainments<'a>(case: Case<'a>, asked: Asked<'_>) -> Vec<&'a Attainment> {
    let counts = |a: &&Attainment| asked.admits(a) && a.counts_on(case.as_of);
    let mut attainments: Vec<&Attainment> = case.facts.attainments.iter().filter(counts).collect();
    attainments.sort_unstable_by_key(|a| (Reverse(a.first_day_without()), a.id));
    attainments
}

fn counting(case: Case<'_>, asked: Asked<'_>) -> Vec<EligibilityEvidence> {
    counting_attainments(case, asked).into_iter().take(MOST).map(EligibilityEvidence::from).collect()
}

fn sales(case: Case<'_>, turnover: Turnover) -> Vec<EligibilityEvidence> {
    let days = i32::try_from(turnover.days).unwrap_or(i32::MAX);
    let window = Window { sales: case.facts.sales, days, needed: turnover.needed };
    let mut sales: Vec<&Sale> = window.on(case.as_of).collect();
    sales.sort_unstable_by_key(|sale| (Reverse(sale.occurred_on), sale.id));
    sales.into_iter().take(MOST).map(EligibilityEvidence::from).collect()
}

fn partner(case: Case<'_>) -> EligibilityEvidence {
    record(EvidenceKind::Partner, case.facts.partner_id, "partners")
}

fn record(kind: EvidenceKind, id: Id, collection: &str) -> EligibilityEvidence {
    EligibilityEvidence { kind, id, href: format!("/v1/{collection}/{id}") }
}

/// The collection an agreement of the kind is found in.
pub(super) const fn collection(kind: Kind) -> &'static str {
    match kind {
        Kind::Mpn => "mpn-agreements",
        Kind::Distributor => "distributor-agreements",
        Kind::Reseller => "reseller-agreements",
    }
}

impl From<&Agreement> for EligibilityEvidence {
    fn from(agreement: &Agreement) -> Self {
        record(agreement.kind.into(), agreement.id, collection(agreement.kind))
    }
}

impl From<&Attainment> for EligibilityEvidence {
    fn from(attainment: &Attainment) -> Self {
        let href = format!("/v1/partners/{}/competencies", attainment.partner_id);
        Self { kind: EvidenceKind::Attainment, id: attainment.id, href }
    }
}

impl From<&Sale> for EligibilityEvidence {
    fn from(sale: &Sale) -> Self {
        record(EvidenceKind::Transaction, sale.id, "transactions")
    }
}
